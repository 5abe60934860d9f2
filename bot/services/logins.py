"""A login for an outside system, kept secret until the call."""

from dataclasses import dataclass

from pydantic import SecretStr


@dataclass(frozen=True)
class Login:
    """A user name and its password or token."""

    username: str
    password: SecretStr
