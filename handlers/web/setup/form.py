"""What somebody wrote into the set-up's form."""

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from bot.services.github import LONGEST_APP_NAME, WEBHOOK_PATH, AppWish
from handlers.web.setup import words

_ORGANIZATION = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")


@dataclass(frozen=True)
class Written:
    """The form's fields as they are shown again, and what is wrong with them."""

    name: str = ""
    organization: str = ""
    address: str = ""
    teams: bool = False
    problems: Mapping[str, str] = field(default_factory=dict)
    """By field."""

    @classmethod
    def of(cls, wish: AppWish) -> "Written":
        """A wish in a form."""
        return cls(wish.name, wish.organization or "", wish.address or "", wish.teams)

    @property
    def wish(self) -> AppWish:
        """What it says, where nothing is wrong."""
        organization = self.organization or None
        # Nobody but an organization has teams.
        teams = self.teams and organization is not None
        return AppWish(self.name, self.address or None, organization, teams)


def read_form(given: Mapping[str, object], base_url: str) -> Written:
    """Read and check it; `base_url` is the GitHub that is to reach the address."""
    name, organization = _text(given, "name"), _text(given, "organization")
    address = _text(given, "address").rstrip("/").removesuffix(WEBHOOK_PATH).rstrip("/")
    found = {
        "name": None if _is_name(name) else words.NAME_WRONG,
        "organization": None if _is_organization(organization) else words.ORGANIZATION_WRONG,
        "address": address_problem(address, base_url) if address else None,
    }
    problems = {key: text for key, text in found.items() if text}
    return Written(name, organization, address, bool(_text(given, "teams")), problems)


def address_problem(address: str, base_url: str) -> str | None:
    """Why GitHub could not send webhooks there."""
    try:
        url = urlsplit(address)
        is_whole = url.scheme in {"http", "https"} and bool(url.hostname) and url.port != 0
    except ValueError:
        is_whole = False
    if not is_whole or url.query or url.fragment or url.username is not None or " " in address:
        return words.ADDRESS_WRONG
    if _is_local(url.hostname) and not _is_local(urlsplit(base_url).hostname):
        return words.ADDRESS_LOCAL
    return None


def _is_local(host: str | None) -> bool:
    name = host or ""
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def _is_name(name: str) -> bool:
    return 0 < len(name) <= LONGEST_APP_NAME and name.isprintable()


def _is_organization(organization: str) -> bool:
    return not organization or _ORGANIZATION.fullmatch(organization) is not None


def _text(given: Mapping[str, object], name: str) -> str:
    value = given.get(name)
    return value.strip() if isinstance(value, str) else ""
