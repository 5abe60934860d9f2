"""What was said of a deployment on GitHub so far, and what is to be said now."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from typing import Any

from pydantic import TypeAdapter

from handlers.reports.github.comment import called
from handlers.reports.github.origin import Origin
from handlers.reports.text import fingerprint
from handlers.reports.view import View

MARKS = "github_marks"
"""The fact of a deployment that holds them."""


class Mark(StrEnum):
    """The things on GitHub that tell of a deployment, the most wanted first."""

    DEPLOYMENT = "deployment"
    STATUS = "status"
    COMMENT = "comment"
    CHECK = "check"
    ASK = "ask"
    """The comment that mentions those who may approve: an edit notifies nobody."""
    FAILURE = "failure"
    """The comment that mentions who asked."""
    REACTION = "reaction"
    ANNOTATIONS = "annotations"
    """On the check's lines, with its end; never a call of their own."""


@dataclass(frozen=True)
class Marks:
    """What GitHub has of a deployment."""

    ids: Mapping[Mark, int] = field(default_factory=dict)
    tried: frozenset[Mark] = frozenset()
    """Those whose making was begun: they may be there although their id is not known."""
    refused: frozenset[Mark] = frozenset()
    """Those that GitHub will not take."""
    said: Mapping[Mark, str] = field(default_factory=dict)
    """A fingerprint of what each shows."""
    calls: int = 0

    def saying(self, mark: Mark, text: str) -> "Marks":
        """Once the mark shows the text."""
        return replace(self, said={**self.said, mark: fingerprint(text)})

    def trying(self, mark: Mark) -> "Marks":
        """Before it is made."""
        return replace(self, tried=self.tried | {mark})

    def at(self, mark: Mark, identity: int) -> "Marks":
        """Once the mark is there."""
        return replace(self, ids={**self.ids, mark: identity})

    def without(self, mark: Mark) -> "Marks":
        """Once somebody has deleted it."""
        return replace(self, ids={key: value for key, value in self.ids.items() if key != mark})

    def shows(self, mark: Mark, text: str) -> bool:
        """Whether nothing would be new."""
        return self.said.get(mark) == fingerprint(text)

    def to_json(self) -> dict[str, Any]:
        """For the database."""
        value = asdict(self)
        return {**value, "tried": sorted(self.tried), "refused": sorted(self.refused)}

    @classmethod
    def from_json(cls, value: Mapping[str, Any] | None) -> "Marks":
        """From the database."""
        return _MARKS.validate_python(value) if value else cls()


_MARKS: TypeAdapter[Marks] = TypeAdapter(Marks)


@dataclass(frozen=True)
class Ration:
    """How many calls a deployment's report may take while all goes well."""

    calls: int = 7
    """One for each mark that is made or changed; those that are written together count one by one."""
    end: int = 4
    """Kept back for the end: status, comment, check, and a reaction or a comment that mentions."""
    approval: int = 4
    """More, for one that others have to approve: that it waits, and that it goes on."""
    call: int = 1
    """More, where those are named."""
    marks: frozenset[Mark] = frozenset(Mark)
    """Those that are made at all."""

    in_line: int = 2
    """More, for one that others are before: that it waits, and that it begins."""

    def for_view(self, view: View) -> "Ration":
        """With what this deployment needs more."""
        more = self.approval if view.board.approval else 0
        more += self.call if called(view) else 0
        more += self.in_line if view.board.in_line else 0
        return replace(self, calls=self.calls + more)


NORMAL = Ration()
WITHOUT_APP = replace(NORMAL, marks=frozenset(Mark) - {Mark.CHECK})
"""GitHub lets nobody but Apps write checks."""


def wanted(view: View, origin: Origin) -> Iterator[Mark]:
    """The marks that this deployment should have now."""
    # There is none yet for a rollback that waits: which, is known when it begins.
    has_commit = view.deployment.request.is_commit_known
    if has_commit:
        yield Mark.DEPLOYMENT
    if view.waits and view.board.in_line is None:
        # Its turn comes at once.
        return
    if view.end is not None and has_commit:
        # Until then GitHub shows a deployment as pending, and the check says the rest.
        yield Mark.STATUS
    if origin.pull_request is not None:
        yield Mark.COMMENT
    if has_commit:
        yield Mark.CHECK
    if origin.pull_request is not None and view.asks_for_approval and called(view):
        yield Mark.ASK
    if origin.pull_request is not None and view.is_failure:
        yield Mark.FAILURE
    if origin.comment_id is not None and view.is_success:
        # After a failure the comment that mentions who asked says it.
        yield Mark.REACTION


def due(
    texts: Mapping[Mark, str], marks: Marks, ration: Ration, *, at_once: bool, edits: bool
) -> tuple[Mark, ...]:
    """The marks that have something new to say; `texts` has what each should show.

    At the end, and while other people are waited for, everything is said. Until then each is made
    once, and changed only where `edits` allows it and the ration has something left.
    """
    found = []
    made = [mark for mark in texts if mark not in marks.said]
    left = ration.calls - ration.end - marks.calls - len(made)
    for mark, text in texts.items():
        if mark in marks.refused or marks.shows(mark, text):
            continue
        if not at_once and mark in marks.said:
            if not edits or left <= 0:
                continue
            left -= 1
        found.append(mark)
    return tuple(found)
