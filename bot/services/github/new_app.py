"""A GitHub App of our own: what a manifest asks for, and what GitHub hands over for it."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from urllib.parse import quote, urlencode

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from bot.services.github.address import CLOUD

PERMISSIONS: Mapping[str, str] = MappingProxyType(
    {
        "metadata": "read",
        "contents": "read",
        "pull_requests": "write",
        # Without it GitHub does not tell of comments on pull requests.
        "issues": "read",
        "checks": "write",
        "statuses": "read",
        "deployments": "write",
    }
)
"""The least that pachops works with."""
TEAM_PERMISSIONS: Mapping[str, str] = MappingProxyType({"members": "read"})
"""More, where rules name teams of the organisation."""
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
LONGEST_NAME = 34
"""Characters that an App's name may have."""
WEBHOOK_PATH = "/github/webhook"
LOGIN_PATH = "/login/callback"
"""Where people come back to who have logged in to see the pages."""
NOWHERE = "https://example.com" + WEBHOOK_PATH
"""Stands for a webhook's address that is not known yet: a manifest must have one."""


def webhook_url(public_url: str | None) -> str | None:
    """Where GitHub reaches our webhook; None where our own address is not known."""
    return None if public_url is None else f"{public_url}{WEBHOOK_PATH}"


@dataclass(frozen=True)
class AppWish:
    """The App that somebody wants to have.

    `address` is where GitHub reaches the bot from outside (`https://HOST`); None: not known yet,
    and the webhook stays off. Without an `organization` the App is the person's own.
    """

    name: str
    address: str | None
    organization: str | None = None
    teams: bool = False

    @property
    def permissions(self) -> dict[str, str]:
        """What the App may do where it is installed."""
        return dict(PERMISSIONS) | (dict(TEAM_PERMISSIONS) if self.teams else {})

    @property
    def webhook(self) -> str | None:
        """Where GitHub sends its webhooks to."""
        return self.address + WEBHOOK_PATH if self.address else None

    def manifest(self, back: str) -> dict[str, object]:
        """What GitHub makes the App from; it then sends the person to `back`."""
        return {
            "name": self.name,
            "url": self.address or CLOUD,
            "description": "Deploys Pachyderm pipelines from pull requests.",
            "public": False,
            "redirect_url": back,
            "callback_urls": [self.address + LOGIN_PATH] if self.address else [],
            "hook_attributes": {
                "url": self.webhook or NOWHERE,
                "active": self.webhook is not None,
            },
            "default_permissions": self.permissions,
            "default_events": list(EVENTS),
        }

    def form_address(self, base_url: str, state: str) -> str:
        """Where a person's browser posts the manifest to."""
        return f"{self.settings_address(base_url, 'new')}?{urlencode({'state': state})}"

    def settings_address(self, base_url: str, slug: str) -> str:
        """Where its owner sees to the App on the GitHub that people open at `base_url`."""
        owner = f"/organizations/{quote(self.organization, safe='')}" if self.organization else ""
        return f"{base_url}{owner}/settings/apps/{slug}"


class NewApp(BaseModel):
    """What has to be kept; GitHub does not say the secrets again."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: int
    slug: str
    html_url: str
    client_id: str
    client_secret: SecretStr
    private_key: SecretStr = Field(validation_alias="pem")
    webhook_secret: SecretStr | None = None

    @property
    def install_address(self) -> str:
        """Where a person installs it on repositories."""
        return f"{self.html_url}/installations/new"
