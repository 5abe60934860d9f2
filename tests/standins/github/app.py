"""The App, its installations and the tokens that are out."""

import functools
from dataclasses import dataclass, field

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

PERMISSIONS = {
    "metadata": "read",
    "contents": "read",
    "pull_requests": "write",
    "issues": "read",
    "checks": "write",
    "statuses": "read",
    "deployments": "write",
    "members": "read",
}
"""What pachops asks for."""
EVENTS = (
    "check_run",
    "installation_target",
    "issue_comment",
    "pull_request",
    "push",
    "release",
    "repository",
    "status",
)
"""What it is told of."""
LEVELS = {"read": 1, "write": 2, "admin": 3}


@functools.cache
def private_key() -> str:
    """An RSA key in PEM form, one for all tests: making it takes long."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    ).decode()


@functools.cache
def public_key(pem: str) -> rsa.RSAPublicKey:
    """What its signatures are checked with; to read it takes longer than most tests."""
    key = serialization.load_pem_private_key(pem.encode(), password=None).public_key()
    if not isinstance(key, rsa.RSAPublicKey):
        raise TypeError
    return key


@dataclass(frozen=True)
class App:
    """The GitHub App."""

    id: int = 4711
    slug: str = "pachops"
    private_key: str = field(default_factory=private_key, repr=False)
    webhook_secret: str = field(default="a webhook's secret", repr=False)
    permissions: dict[str, str] = field(default_factory=lambda: dict(PERMISSIONS))
    events: tuple[str, ...] = EVENTS


@dataclass(eq=False)
class Installation:
    """The App, installed on an account."""

    id: int
    account: str
    repos: set[str] = field(default_factory=set)
    permissions: dict[str, str] = field(default_factory=lambda: dict(PERMISSIONS))
    suspended: bool = False


@dataclass(eq=False)
class Token:
    """A token that is out: an installation's, or a person's own."""

    value: str
    expires_at: float | None = None
    """By GitHub's clock; None means never."""
    installation: Installation | None = None
    repos: frozenset[str] | None = None
    """None means all of the installation's."""
    permissions: dict[str, str] = field(default_factory=dict)
    user: str = ""
    calls_left: int = 5000
