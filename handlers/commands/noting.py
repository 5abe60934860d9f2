"""What goes into the audit of each command and each decision, once, whichever surface it is on."""

import re
import shlex
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bot.account import readable
from bot.domain.audit import Action, Entry
from bot.domain.cleaning import cleaned
from bot.domain.deployment import Actor, Deployment, Request
from bot.domain.evidence import evidence, evidence_at_terminal
from bot.domain.gate_rules import EnvironmentRules
from bot.domain.lateness import SENT, WRITTEN
from bot.domain.reasons import Code, Reason, StoppedError
from bot.redact import MASK

if TYPE_CHECKING:
    # It brings GitHub's SDK, which a deployment at a terminal does not wait for.
    from handlers.commands.errand import Errand

REASONS = "reasons"
"""The fact of a decision that has its reasons in full."""
LINE = "line"
"""The fact of a decision that has what was typed."""
ON = "on"
"""The fact of a decision that has what it was decided from."""
SKIPPED = "skipped"
"""The fact of a decision that has what was skipped by force, likewise."""
PULL_REQUEST = "pull_request"
_ADDRESS_WITH_LOGIN = re.compile(
    r"(?s)([a-z][a-z0-9+.-]*://)?[^\s/:@\[]*:(?!\d+(?:[/\s]|$))"
    # Without a scheme it is one where a path follows, and no digest of an image.
    r"(?(1).*|[^/\s]+)@(?(1)|(?!sha256:)(?=[^\s:/]+[:/]))",
    re.IGNORECASE,
)


async def note_command(
    errand: "Errand", part: str, line: str, pull_request: int | None, *, once: str | None = None
) -> None:
    """That somebody gave a command; secrets that were typed with it are masked.

    `once` is as in the audit, where the command is known by more than its delivery.
    """
    facts = {LINE: line, PULL_REQUEST: pull_request}
    await _note(errand, Action.COMMAND, part, facts, once=once)


@dataclass(frozen=True)
class About:
    """What a decision is about."""

    what: str
    """The command as it was typed, or what happened."""
    environment: str | None = None
    deployment: str | None = None
    """What it led to, or is about."""
    pull_request: int | None = None
    """Where it was asked for."""


async def note_decision(
    errand: "Errand",
    part: str,
    about: About,
    reasons: Sequence[Reason] = (),
    skipped: Sequence[Reason] = (),
) -> None:
    """What was decided, on which facts, and why.

    Args:
        errand: the delivery.
        part: tells this decision from the delivery's others.
        about: what was asked.
        reasons: why it was refused; none where it was allowed.
        skipped: what stood in the way and was skipped by force.
    """
    written = errand.written_at
    facts = {
        LINE: about.what,
        PULL_REQUEST: about.pull_request,
        WRITTEN: written,
        SENT: await errand.sent_at() if written is None else None,
        ON: evidence(errand.facts) if errand.facts else {},
        REASONS: [reason_facts(each) for each in reasons],
        SKIPPED: [reason_facts(each) for each in skipped],
    }
    codes = tuple(each.code.value for each in reasons)
    # Tried again, the same may be decided otherwise.
    part = ":".join((part, *codes))
    await _note(errand, Action.DECISION, part, facts, codes, about)


async def _note(
    errand: "Errand",
    action: Action,
    part: str,
    facts: Mapping[str, Any],
    reasons: tuple[str, ...] = (),
    about: About | None = None,
    once: str | None = None,
) -> None:
    known = {key: value for key, value in facts.items() if value not in (None, [], {})}
    entry = Entry(
        action,
        errand.actor,
        time.time(),
        errand.address,
        about.environment if about else None,
        about.deployment if about else None,
        reasons,
        cleaned(known, errand.desk.deployer.clean),
    )
    once = once or f"{action.value}:{errand.deployment_id(part)}"
    await errand.desk.deployer.audit.append(entry, once=once)


def typed_line(words: Sequence[str], clean: Callable[[str], str]) -> str:
    """What was typed, masked, in one line that a shell would read again."""
    # Quoted, a secret would not be known any more.
    shown = [_ADDRESS_WITH_LOGIN.sub(_without_login, readable(each), count=1) for each in words]
    return clean(shlex.join(map(clean, shown)))


def check_readable(words: Sequence[str]) -> None:
    """BAD_COMMAND where a word that was typed cannot be kept, compared or shown."""
    for word in words:
        if (shown := readable(word)) != word:
            raise StoppedError(Code.BAD_COMMAND, f"`{shown}` is not text in UTF-8")


def _without_login(found: re.Match[str]) -> str:
    return f"{found[1] or ''}{MASK}@" if found.start() == 0 else found[0]


def refusal_at_terminal(
    line: str,
    by: Actor,
    stopped: StoppedError,
    clean: Callable[[str], str],
    request: Request | None = None,
) -> Entry:
    """That a command of the command line was refused, and why; `line` is masked.

    `request` is what it asked for, where that is known.
    """
    reasons = (stopped.reason, *stopped.also)
    found = [reason_facts(each) for each in reasons]
    facts = {LINE: line, ON: evidence_at_terminal(request, None) if request else {}, REASONS: found}
    return Entry(
        Action.DECISION,
        by,
        time.time(),
        request.repository if request else None,
        request.environment if request else None,
        reasons=tuple(each.code.value for each in reasons),
        facts=cleaned(facts, clean),
    )


def leave_at_terminal(
    line: str,
    deployment: Deployment,
    rules: EnvironmentRules,
    skipped: Sequence[Reason],
    clean: Callable[[str], str],
) -> tuple[Entry, str]:
    """That a command of the command line was let through, and by which rules; `line` is masked.

    What stood in the way and is `skipped` by force is there too. With what it is known by, so that it is there once.
    """
    request = deployment.request
    facts: dict[str, Any] = {LINE: line, ON: evidence_at_terminal(request, rules)}
    if skipped:
        facts[SKIPPED] = [reason_facts(each) for each in skipped]
    place = (request.repository, request.environment, deployment.id)
    entry = Entry(Action.DECISION, request.actor, time.time(), *place, facts=cleaned(facts, clean))
    return entry, f"{entry.action.value}:{deployment.id}"


def reason_facts(reason: Reason) -> dict[str, str | None]:
    """A reason as a decision keeps it."""
    return {
        "code": reason.code.value,
        "fact": reason.fact,
        "next_step": reason.next_step,
        "where": reason.where,
    }
