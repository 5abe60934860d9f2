"""Where a pachd is, and what is needed to talk to it."""

import ssl
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from pydantic import SecretStr

from bot.domain.reasons import Code, StoppedError

DEFAULT_PORT = 30650
PLAIN_SCHEMES = frozenset({"grpc", "http"})
TLS_SCHEMES = frozenset({"grpcs", "https"})


@dataclass(frozen=True)
class Address:
    """A checked address."""

    host: str
    port: int
    tls: bool
    root_certs: bytes | None = field(default=None, repr=False)

    @property
    def target(self) -> str:
        """The address as gRPC takes it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    def __str__(self) -> str:
        return f"{'grpcs' if self.tls else 'grpc'}://{self.target}"


def parse_address(text: str, root_certs: bytes | None) -> Address:
    """Read `grpc://host:port` or `grpcs://host:port`; the port may be left out.

    Raises:
        StoppedError: BAD_SETTINGS.
    """
    try:
        url = urlsplit(text)
        host, port = url.hostname, url.port or DEFAULT_PORT
    except ValueError as error:
        raise _bad_address("Pachyderm's address cannot be read") from error
    if url.username is not None or url.password is not None:
        raise _bad_address("Pachyderm's address contains a login; a token goes in its own setting")
    if url.scheme not in PLAIN_SCHEMES | TLS_SCHEMES or not host:
        fact = f"`{text}` is not an address of Pachyderm"
        raise _bad_address(fact)
    if url.path.strip("/") or url.query or url.fragment:
        fact = f"`{text}` has something after the port"
        raise _bad_address(fact)
    tls = url.scheme in TLS_SCHEMES
    if root_certs is not None:
        _check_certs(root_certs, text, tls=tls)
    return Address(host, port, tls, root_certs)


def check_token(token: SecretStr | None) -> str | None:
    """The token as it is sent; None where there is none.

    Raises:
        StoppedError: BAD_SETTINGS where it cannot be a token.
    """
    value = token.get_secret_value().strip() if token else ""
    if not value:
        return None
    if not (value.isascii() and value.isprintable()):
        raise StoppedError(
            Code.BAD_SETTINGS,
            "Pachyderm's token has characters that no token has",
            next_step="Copy the token again, without quotes and line breaks.",
        )
    return value


def _check_certs(root_certs: bytes, address: str, *, tls: bool) -> None:
    if not tls:
        fact = f"there are root certificates for `{address}`, which is without TLS"
        raise _bad_address(fact)
    try:
        ssl.create_default_context(cadata=root_certs.decode("ascii"))
    except (ssl.SSLError, ValueError) as error:
        raise StoppedError(
            Code.BAD_SETTINGS,
            f"the root certificates for `{address}` are not PEM certificates",
            next_step="Name a file with `-----BEGIN CERTIFICATE-----` blocks.",
        ) from error


def _bad_address(fact: str) -> StoppedError:
    return StoppedError(
        Code.BAD_SETTINGS,
        fact,
        next_step="Write grpc://HOST:PORT, or grpcs://HOST:PORT for TLS, in PACHOPS_PACHD_ADDRESS "
        "or the settings file.",
    )
