"""What is written to GitHub, as values that keep its limits."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, StrEnum, auto
from typing import Any, Literal

from bot.services.github import sizes

Reaction = Literal["+1", "-1", "laugh", "confused", "heart", "hooray", "rocket", "eyes"]
DeploymentState = Literal[
    "error", "failure", "inactive", "in_progress", "queued", "pending", "success"
]


class Conclusion(StrEnum):
    """How a check ended."""

    ACTION_REQUIRED = "action_required"
    CANCELLED = "cancelled"
    FAILURE = "failure"
    NEUTRAL = "neutral"
    SKIPPED = "skipped"
    SUCCESS = "success"
    TIMED_OUT = "timed_out"


class Level(StrEnum):
    """How bad what an annotation says is."""

    WARNING = "warning"
    FAILURE = "failure"


@dataclass(frozen=True)
class Annotation:
    """A remark on lines of a file."""

    path: str
    line: int
    message: str
    level: Level = Level.FAILURE
    title: str = ""
    last_line: int | None = None
    """None means `line` alone."""

    def fields(self) -> dict[str, Any]:
        """As the API takes it."""
        title = {"title": sizes.cut_line(self.title, sizes.TITLE)} if self.title else {}
        return title | {
            "path": self.path,
            "start_line": self.line,
            "end_line": self.last_line or self.line,
            "annotation_level": self.level.value,
            "message": sizes.cut_bytes(self.message, sizes.ANNOTATION_MESSAGE),
        }


@dataclass(frozen=True)
class Action:
    """A button on a check; pressing it sends its identifier."""

    label: str
    description: str
    identifier: str

    def fields(self) -> dict[str, str]:
        """As the API takes it."""
        return {
            "label": sizes.cut_line(self.label, sizes.ACTION_LABEL),
            "description": sizes.cut_line(self.description, sizes.ACTION_DESCRIPTION),
            "identifier": self.identifier,
        }


@dataclass(frozen=True)
class CheckReport:
    """All that a check shows. It is queued, in progress or, with a conclusion, completed."""

    title: str
    summary: str
    """Markdown."""
    text: str = ""
    """Markdown, shown below the summary."""
    started: bool = True
    conclusion: Conclusion | None = None
    annotations: tuple[Annotation, ...] = ()
    actions: tuple[Action, ...] = ()
    """At most three are shown."""
    details_url: str | None = None

    def __post_init__(self) -> None:
        """A button whose identifier was cut would do nothing when it is pressed."""
        for action in self.actions:
            if len(action.identifier) > sizes.ACTION_IDENTIFIER:
                message = f"longer than {sizes.ACTION_IDENTIFIER}: {action.identifier}"
                raise ValueError(message)

    @property
    def status(self) -> str:
        """As the API names it."""
        if self.conclusion is not None:
            return "completed"
        return "in_progress" if self.started else "queued"

    def output(self, annotations: Sequence[Annotation]) -> dict[str, Any]:
        """What is shown, with as many annotations as one request takes."""
        shown: dict[str, Any] = {
            "title": sizes.cut_line(self.title, sizes.TITLE),
            "summary": sizes.cut_bytes(self.summary, sizes.CHECK_TEXT),
        }
        if self.text:
            shown["text"] = sizes.cut_bytes(self.text, sizes.CHECK_TEXT)
        if annotations:
            shown["annotations"] = [each.fields() for each in annotations[: sizes.ANNOTATIONS]]
        return shown

    def fields(self, annotations: Sequence[Annotation]) -> dict[str, Any]:
        """One request's worth, as PyGithub takes it."""
        fields: dict[str, Any] = {
            "status": self.status,
            "output": self.output(annotations),
            "actions": [each.fields() for each in self.actions[: sizes.ACTIONS]],
        }
        if self.conclusion is not None:
            fields["conclusion"] = self.conclusion.value
        if self.details_url is not None:
            fields["details_url"] = self.details_url
        return fields


@dataclass(frozen=True)
class CommentEdit:
    """Replace a comment's text and end it with the marker."""

    comment: int
    body: str
    marker: str = ""


@dataclass(frozen=True)
class CheckUpdate:
    """Let a check show this; the annotations that one call takes are added to those that are there."""

    check: int
    report: CheckReport


@dataclass(frozen=True)
class NewCheck:
    """Report on a commit; `external_id` tells it from others of its name."""

    sha: str
    name: str
    report: CheckReport
    external_id: str


@dataclass(frozen=True)
class NewStatus:
    """Say how a deployment stands."""

    deployment: int
    state: DeploymentState
    description: str = ""
    url: str = ""


@dataclass(frozen=True)
class React:
    """Put our reaction on a comment; a second time changes nothing."""

    comment: int
    content: Reaction


@dataclass(frozen=True)
class NewComment:
    """Comment on a pull request, and end it with the marker."""

    number: int
    body: str
    marker: str


Order = CommentEdit | CheckUpdate | NewCheck | NewStatus | React | NewComment


class Undone(Enum):
    """Why it is not known that an order was carried out."""

    REFUSED = auto()
    """It was not."""
    UNKNOWN = auto()
    """It may have been: what is new has to be looked for."""


@dataclass(frozen=True)
class Written:
    """An order that was carried out."""

    id: int | None = None
    """Of the new comment or check."""
    node: str | None = None
    """Its id in GraphQL."""


Outcome = Written | Undone
