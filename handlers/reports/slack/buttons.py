"""The buttons below a deployment, and what was done with them."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from pydantic import TypeAdapter

from bot.domain.deployment import Deployment, Outcome, Stage, State
from handlers.reports.slack import words
from handlers.reports.slack.blocks import Block, actions, button
from handlers.reports.view import View

CLICKS = "slack_clicks"
"""The fact of a deployment that lists the buttons that were used."""


class Button(StrEnum):
    """The action ids, as Slack sends them; the value is the deployment's id."""

    APPROVE = "approve"
    REJECT = "reject"
    CANCEL = "cancel"
    RETRY = "retry"
    ROLL_BACK = "roll_back"
    VIEW_LOG = "view_log"


@dataclass(frozen=True)
class Click:
    """A button that was used up."""

    button: Button
    user: str
    """The id of who clicked."""
    at: float
    """Seconds since the epoch."""
    delivery: str = ""
    """What told of it: another telling of the same is no second click."""

    def to_json(self) -> dict[str, Any]:
        """For the list under CLICKS."""
        return asdict(self)


_CLICKS: TypeAdapter[tuple[Click, ...]] = TypeAdapter(tuple[Click, ...])


@dataclass(frozen=True)
class Pressed:
    """What a button says that was pressed."""

    deployment: str
    sha: str | None = None
    """Of the commit that is approved or rejected."""
    digest: str | None = None
    """Of the plan, likewise."""

    @property
    def is_bound(self) -> bool:
        """Whether it says what was looked at."""
        return bool(self.sha and self.digest)

    @classmethod
    def read(cls, value: str) -> "Pressed":
        """A button's value."""
        deployment, sha, digest, *_ = [*value.split(), "", "", ""]
        return cls(deployment, sha or None, digest or None)


_STYLES: Mapping[Button, str] = {Button.APPROVE: "primary", Button.REJECT: "danger"}
_ENDS: Mapping[Outcome, tuple[Button, ...]] = {
    Outcome.SUCCEEDED: (Button.ROLL_BACK, Button.VIEW_LOG),
    Outcome.FAILED: (Button.RETRY, Button.VIEW_LOG),
    Outcome.CANCELLED: (Button.RETRY, Button.VIEW_LOG),
    Outcome.REFUSED: (Button.RETRY,),
    Outcome.ROLLED_BACK: (Button.RETRY, Button.VIEW_LOG),
    Outcome.SUPERSEDED: (Button.VIEW_LOG,),
}
_WAITS = (Button.CANCEL,)
_RUNS = (Button.CANCEL, Button.VIEW_LOG)
_ASKS = (Button.APPROVE, Button.REJECT, Button.CANCEL)


def clicks_from_json(value: object) -> tuple[Click, ...]:
    """The fact under CLICKS; nothing where there is none."""
    return _CLICKS.validate_python(value or ())


def offered(view: View) -> tuple[Button, ...]:
    """What can be done with a deployment as its report shows it."""
    return _offered(view.outcome, waits=view.waits, asks=view.asks_for_approval)


def offered_for(deployment: Deployment) -> tuple[Button, ...]:
    """What can be done with a deployment as it is stored now."""
    waits, asks = deployment.state is State.WAITING, deployment.stage is Stage.APPROVE
    return _offered(deployment.outcome, waits=waits, asks=asks)


def _offered(outcome: Outcome | None, *, waits: bool, asks: bool) -> tuple[Button, ...]:
    if outcome is not None:
        return _ENDS[outcome]
    if waits:
        return _WAITS
    return _ASKS if asks else _RUNS


def _value(which: Button, view: View) -> str:
    approval = view.board.approval
    if which in {Button.APPROVE, Button.REJECT} and approval is not None:
        return f"{view.deployment.id} {approval.sha} {approval.digest}"
    return view.deployment.id


def buttons(view: View, clicks: Iterable[Click]) -> list[Block]:
    """The row of buttons that are left; none where all were used."""
    used = {each.button for each in clicks}
    shown = [
        button(
            each,
            words.BUTTONS[each],
            _value(each, view),
            style=_STYLES.get(each),
            confirm=words.CONFIRM.get(each),
        )
        for each in offered(view)
        if each not in used
    ]
    return [actions(shown)] if shown else []
