"""The parts that several webhooks have; of each only what is needed is read."""

from pydantic import BaseModel, ConfigDict

from bot.domain.github import Repository


class Payload(BaseModel):
    """A part of a webhook's JSON."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class User(Payload):
    """Who did it."""

    login: str
    type: str = "User"

    @property
    def is_bot(self) -> bool:
        """Whether it is an App or a bot's account."""
        return self.type == "Bot"


class RepositoryPart(Payload):
    """Where it happened."""

    id: int | None = None
    """The same under every name."""
    name: str
    owner: User
    default_branch: str
    clone_url: str


class Installation(Payload):
    """The App, as it is installed there."""

    id: int


class Event(Payload):
    """What every webhook of a repository has."""

    repository: RepositoryPart
    sender: User
    installation: Installation | None = None

    @property
    def place(self) -> Repository:
        """The repository as a value."""
        part = self.repository
        return Repository(part.owner.login, part.name, part.default_branch, part.clone_url)
