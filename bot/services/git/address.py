"""Where a repository is: a URL that git may be given, or a folder on this machine."""

import hashlib
import ipaddress
import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from bot.domain.reasons import Code, StoppedError

SCHEMES = frozenset({"http", "https", "ssh", "git", "file"})

_URL = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://")
_HELPER = re.compile(r"[A-Za-z0-9+.-]*::")
_SLASH_MISSING = re.compile(r"(https?|ssh|git|file):/", re.IGNORECASE)
_LOGIN = re.compile(r"[^@:/\s]+:[^@/\s]+@")
_NEEDLESS = re.compile(r"%(?:2[dDeEfF]|3[0-9]|[46][1-9a-fA-F]|[57][0-9aA]|5[fF]|7[eE])")
"""What stands for a letter, a digit, or one of `-._~/`."""
_SCP = re.compile(r"(?P<user>[^@:/\s]+@)?(?P<host>[^@:/\s]+):.")
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f]")
_BARE_PARTS = ("HEAD", "objects", "refs")
_PORTS = {"https": "443", "http": "80", "ssh": "22", "git": "9418"}
_SUFFIX_MEANS_NOTHING = frozenset({"github.com", "gitlab.com", "bitbucket.org"})
"""Hosts where `name` and `name.git` are known to be one repository."""


@dataclass(frozen=True)
class Address:
    """A repository's address, checked: it carries no login and names no transport helper."""

    text: str
    """As git is given it: a URL or an absolute path."""
    scheme: str = ""
    """Empty for a folder on this machine."""
    host: str = ""
    """`host` or `host:port`, lower case; empty for a folder."""

    @property
    def is_local(self) -> bool:
        """Whether it is a folder on this machine."""
        return not self.scheme

    @property
    def folder_name(self) -> str:
        """A name for the mirror's folder: readable, and one for each repository."""
        same = self.text.removesuffix(".git").rstrip("/")
        words = re.sub(r"[^A-Za-z0-9.]+", "-", same.partition("://")[2] or same).strip("-.")
        return f"{words[-60:].lstrip('-.')}-{hashlib.sha256(same.encode()).hexdigest()[:12]}.git"

    @property
    def place(self) -> tuple[str, str]:
        """Host and path in small letters: the same over https and ssh."""
        path = urlsplit(self.text).path if "://" in self.text else self.text.partition(":")[2]
        return self.host, path.strip("/").removesuffix(".git").lower()

    @property
    def login_key(self) -> str | None:
        """The key of the login for this repository; None where none may be sent.

        A password goes over https, or over plain http to this machine. For plain http elsewhere
        the operator has to say so: the key is then `http://host[:port]`.
        """
        if self.scheme == "https":
            return self.host.removesuffix(":443")
        if self.scheme != "http":
            return None
        return self.host if _is_loopback(self.host) else f"http://{self.host}"


def repository_address(text: str, cwd: Path) -> str:
    """The address as it is stored: a URL, or the absolute path of the repository's top folder.

    Errors: login_in_url, repository_unknown, also where it is a URL that is written in an odd way.
    """
    address = parse_address(text, cwd)
    if not address.is_local:
        _check_written(address)
    return address.text


def parse_address(text: str, cwd: Path) -> Address:
    """Check an address; a path may be any folder inside the repository. Errors as above."""
    if not text or text.startswith("-") or _UNPRINTABLE.search(text):
        raise _refused(text, "is not the address of a repository")
    if url := _URL.match(text):
        return _parse_url(text, url["scheme"].lower())
    if _HELPER.match(text):
        raise _refused(text, "names a git transport helper, and pachops runs none")
    if _SLASH_MISSING.match(text):
        raise _refused(text, "is not a valid URL: two slashes follow the colon")
    if _LOGIN.match(text):
        raise _login_in_url(text)
    if _SCP.match(text):
        host = text.partition(":")[0].rpartition("@")[2]
        return Address(text.rstrip("/"), "ssh", host.lower())
    return Address(str(_top_folder(cwd, text)))


def _parse_url(text: str, scheme: str) -> Address:
    if scheme not in SCHEMES:
        raise _refused(text, f"is not read over {scheme}://")
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise _refused(text, "is not a valid URL") from error
    if "?" in text or "#" in text:
        raise _refused(
            text,
            "has a query (`?`) or a fragment (`#`), which may hold a login",
            next_step="Take it out; a login belongs in the settings under git logins.",
        )
    if "@" in parts.netloc and (scheme != "ssh" or parts.password is not None):
        raise _login_in_url(text)
    host = (parts.hostname or "").lower()
    if (not host and scheme != "file") or host.startswith("-"):
        raise _refused(text, "is not a valid URL")
    host = f"[{host}]" if ":" in host else host
    host += f":{port}" if port is not None else ""
    user = f"{parts.username}@" if parts.username else ""
    return Address(f"{scheme}://{user}{host}{_path(parts, host)}", scheme, host)


def _check_written(address: Address) -> None:
    """Rules, locks and lines of a repository hang on its address, so there is one way to write it."""
    text = address.text
    path = urlsplit(text).path if "://" in text else text.partition(":")[2]
    whole = path.removeprefix("/").removesuffix("/")
    steps = set(whole.split("/")) if whole else set()
    host, _, port = address.host.partition(":")
    is_usual = bool(port) and port == _PORTS.get(address.scheme)
    is_odd = steps & {"", ".", "..", ".git"} or _NEEDLESS.search(path)
    if is_odd or host.endswith(".") or is_usual:
        raise _refused(
            text,
            "can be written in another way",
            next_step="Write it without `.`, `..`, `.git`, double slashes, the usual port, a dot behind"
            " the host, and `%` for letters.",
        )


def _path(parts: SplitResult, host: str) -> str:
    path = parts.path.rstrip("/")
    return path.removesuffix(".git") if host in _SUFFIX_MEANS_NOTHING else path


def _top_folder(cwd: Path, text: str) -> Path:
    path = (cwd / Path(text).expanduser()).resolve()
    if not path.exists():
        raise _refused(str(path), "does not exist")
    for folder in (path, *path.parents):
        if (folder / ".git").exists():
            return folder
        if all((folder / part).exists() for part in _BARE_PARTS):
            return folder.parent if folder.name == ".git" else folder
    raise _refused(
        str(path), "is not in a git repository", next_step="Name a folder inside a git repository."
    )


def _is_loopback(host: str) -> bool:
    name = urlsplit(f"//{host}").hostname or ""
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def _refused(text: str, why: str, *, next_step: str | None = None) -> StoppedError:
    return StoppedError(Code.REPOSITORY_UNKNOWN, f"`{_shown(text)}` {why}", next_step=next_step)


def _login_in_url(text: str) -> StoppedError:
    return StoppedError(Code.LOGIN_IN_URL, f"The address `{_shown(text)}` contains a login")


def _shown(text: str) -> str:
    """The address without what may be a login."""
    if not text.startswith("/"):
        text = re.sub(r"[?#].*", "?...", text, flags=re.DOTALL)
    before, at, after = text.rpartition("@")
    scheme = before.partition("://")[0] + "://" if "://" in before else ""
    return _UNPRINTABLE.sub("?", f"{scheme}...@{after}" if at else text)[:200]
