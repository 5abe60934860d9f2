"""A repository's address: which are known to be of one."""

import re
from collections.abc import Collection
from types import MappingProxyType
from urllib.parse import unquote, urlsplit

_SCP = re.compile(r"(?:[^@/]+@)?([^/:]+):(?!//)(.+)")
_FILE = "file://"
_HERE, _WITH_A_KEY, _IN_THE_CLEAR, _OF_ALL = range(4)
"""How well an address can be read by all."""
_BY_SCHEME = MappingProxyType({"http": _IN_THE_CLEAR, "https": _OF_ALL})


def repository_names(address: str) -> tuple[str, ...]:
    """What patterns are compared with, in lower case: `acme/edges` and `github.com/acme/edges`."""
    host, path = _host_and_path(address)
    name = path.strip("/").removesuffix(".git").lower()
    return (name, f"{host}/{name}") if host else (name,)


def spelled(address: str, github: Collection[str]) -> str:
    """The same for all ways to write one address.

    On GitHub's hosts, in lower case, capitals mean nothing; elsewhere they may.
    """
    if address.startswith(_FILE):
        return unquote(urlsplit(address).path).rstrip("/")
    if is_here(address):
        return address
    same = address.removesuffix(".git")
    if _host_and_path(address)[0] not in github:
        return same
    if _rank(address) == _WITH_A_KEY:
        return f"ssh://{repository_names(address)[-1]}"
    return same.lower()


def goes_before(other: str, address: str) -> bool:
    """Whether a repository of both addresses is deployed by the other rather than by this one.

    What everybody reads goes first: https, then http, then what needs a key, then a folder.
    """
    return _rank(other) > _rank(address)


def is_here(address: str) -> bool:
    """Whether it is a folder on this machine."""
    return address.startswith(("/", _FILE))


def _rank(address: str) -> int:
    if is_here(address):
        return _HERE
    return _BY_SCHEME.get(address.partition("://")[0], _WITH_A_KEY)


def _host_and_path(address: str) -> tuple[str, str]:
    scp = _SCP.fullmatch(address) if "://" not in address else None
    if scp:
        host, path = scp.groups()
    else:
        parts = urlsplit(address)
        host, path = parts.hostname or "", parts.path
    return host.lower(), path
