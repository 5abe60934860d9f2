"""Why a deployment is where it is, or a command was refused: the facts and the rule that decided."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bot.domain.approval import ApprovalRequest, Verdict, Vote
from bot.domain.deployment import Deployment, State
from bot.domain.evidence import told
from bot.domain.gate_facts import Standing
from bot.domain.queue import Place
from bot.domain.reasons import MEANINGS, Code, Reason


@dataclass(frozen=True)
class Decided:
    """A decision, as it was written down when it was made."""

    line: str
    """The command, or what happened."""
    who: str
    surface: str
    at: float
    """Seconds since the epoch."""
    reasons: tuple[Reason, ...] = ()
    """Empty where it was allowed."""
    facts: tuple[str, ...] = ()
    """What it was decided from, a line each."""
    skipped: tuple[Reason, ...] = ()
    """What was skipped by force."""
    environment: str | None = None
    deployment: str | None = None


@dataclass(frozen=True)
class Asked:
    """What others are asked, and what they said."""

    request: ApprovalRequest
    votes: tuple[Vote, ...]

    @property
    def approved(self) -> tuple[str, ...]:
        """Who said yes."""
        return tuple(each.by.name for each in self.votes if each.verdict is Verdict.APPROVE)


@dataclass(frozen=True)
class Explanation:
    """All that is known of it; at least one of the first two is there."""

    deployment: Deployment | None = None
    decided: Decided | None = None
    place: Place | None = None
    """Where it stands in line; None where it has ended."""
    asked: Asked | None = None
    """Where it waits for approval."""
    standing: Standing = field(default_factory=Standing)
    """Locks and the rollback that its environment is under now."""

    @property
    def reasons(self) -> tuple[Reason, ...]:
        """What decided it: the end of the deployment, or the gate's no."""
        if self.deployment is not None:
            return (self.deployment.reason,) if self.deployment.reason else ()
        return self.decided.reasons if self.decided else ()

    @property
    def has_ended(self) -> bool:
        """Whether nothing more happens with it."""
        return self.deployment is None or self.deployment.state is State.FINISHED


def decided_from(body: Mapping[str, Any]) -> Decided:
    """A row of the audit with a decision, or a command, as `json.loads` gives it."""
    facts, actor = body.get("facts", {}), body.get("actor", {})
    return Decided(
        facts.get("line", ""),
        actor.get("name", ""),
        actor.get("surface", ""),
        body.get("at", 0.0),
        _reasons(facts.get("reasons", ())),
        told(facts.get("on", {})),
        _reasons(facts.get("skipped", ())),
        body.get("environment"),
        body.get("deployment"),
    )


def _reasons(found: Sequence[Mapping[str, Any]]) -> tuple[Reason, ...]:
    # A code that another version wrote is none here.
    return tuple(
        Reason(Code(each["code"]), each["fact"], each["next_step"], each.get("where"))
        for each in found
        if each.get("code") in {code.value for code in MEANINGS}
    )
