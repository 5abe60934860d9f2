"""What was said of a deployment in one place in Slack so far, and what is to be said now."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any

from pydantic import TypeAdapter

from bot.domain.deployment import Outcome
from handlers.reports.slack.origin import DEPLOYMENTS, FAILURES, RELEASES
from handlers.reports.view import View

MARKS = "slack_marks"
"""The fact of a deployment that holds them, by place."""
_NOT_RUNNING = frozenset({Outcome.FAILED, Outcome.ROLLED_BACK})
MOST_AGAIN = 3
"""How often a message that somebody deletes is written again."""


class Part(StrEnum):
    """What tells of a deployment in a place, in its order."""

    MESSAGE = "message"
    ASK = "ask"
    """The answer in the thread that tells those who may approve."""
    END = "end"
    """The answer in the thread that notifies."""
    NEWS = "news"
    """That a release runs, or could not be brought to run."""
    LOG = "log"
    """The failed stage's, as a file in the thread. Files have a host of their own, which may be out
    of reach where the rest is not, so nothing waits for it."""


@dataclass(frozen=True)
class Marks:
    """What a place has of a deployment."""

    channel: str = ""
    """The id of the channel in which the message is; empty while there is none."""
    ts: str = ""
    tried: bool = False
    """Whether it was begun to write it: then it may be there, and show something older."""
    generation: int = 0
    """How often somebody has deleted it."""
    elsewhere: bool = False
    """Whether it is said to who asked, because the bot is not in the channel."""
    said: str = ""
    """A fingerprint of what the message shows."""
    uploading: bool = False
    """Whether it was begun to bring the log to Slack."""
    file: str = ""
    """The id of the log, once Slack has it."""
    sharing: bool = False
    """Whether it was begun to show the log: then it may be there."""
    done: frozenset[Part] = frozenset()
    """Of what is said once."""
    refused: frozenset[Part] = frozenset()
    """What Slack will not take."""

    @property
    def is_there(self) -> bool:
        """Whether there is a message."""
        return bool(self.ts)

    @property
    def is_stuck(self) -> bool:
        """Whether there is a message that Slack does not let us change."""
        return self.is_there and Part.MESSAGE in self.refused

    def at(self, channel: str, ts: str) -> "Marks":
        """Once the message is there."""
        return replace(self, channel=channel, ts=ts)

    def without(self) -> "Marks":
        """Once somebody has deleted the message."""
        return replace(self, ts="", said="", tried=False, generation=self.generation + 1)

    def having(self, part: Part) -> "Marks":
        """Once it was said."""
        return replace(self, done=self.done | {part})

    def refusing(self, part: Part) -> "Marks":
        """Slack will not take it."""
        return replace(self, refused=self.refused | {part})

    def is_settled(self, part: Part) -> bool:
        """Whether there is no use in trying."""
        return part in self.done or part in self.refused


_ALL: TypeAdapter[dict[str, Marks]] = TypeAdapter(dict[str, Marks])


def marks_to_json(marks: Mapping[str, Marks]) -> dict[str, Any]:
    """For the database."""
    return {
        place: asdict(each) | {"done": sorted(each.done), "refused": sorted(each.refused)}
        for place, each in marks.items()
    }


def marks_from_json(value: Mapping[str, Any] | None) -> dict[str, Marks]:
    """From the database."""
    return _ALL.validate_python(value) if value else {}


def wanted(view: View, hears: Collection[str], *, is_first: bool, has_log: bool) -> Iterator[Part]:
    """The parts that a place should have now, by what it hears of.

    Where it was asked for, whoever asked is told of every end; elsewhere only a failure is told
    of in words of its own. Who hears of failures alone sees the message once all is over. A
    release's news say the same as an end that is good.
    """
    is_release = RELEASES in hears and view.deployment.request.release is not None
    follows = DEPLOYMENTS in hears
    if follows:
        yield Part.MESSAGE
        if view.asks_for_approval:
            yield Part.ASK
        is_news = is_release and view.is_success
        if view.is_failure or (is_first and view.end is not None and not is_news):
            yield Part.END
    elif FAILURES in hears and view.is_failure:
        yield Part.MESSAGE
    if is_release and (view.is_success or (view.outcome in _NOT_RUNNING and not follows)):
        yield Part.NEWS
    if follows and view.is_failure and has_log:
        yield Part.LOG


def due(marks: Marks, parts: Iterable[Part], text: str) -> Part | None:
    """The next part that has something new to say; `text` is the message's fingerprint."""
    parts = tuple(parts)
    for part in parts:
        if marks.is_settled(part):
            continue
        if part is Part.MESSAGE:
            if marks.said != text:
                return part
        elif marks.is_there or Part.MESSAGE not in parts:
            return part
    return None
