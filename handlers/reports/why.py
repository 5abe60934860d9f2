"""Answers to `why`, and what is said of locks and lines, in sentences with `code` in backticks."""

from collections.abc import Iterator
from datetime import UTC

from bot.domain.deployment import Deployment, State
from bot.domain.explanation import Asked, Decided, Explanation
from bot.domain.queue import Place, Wait, in_line
from bot.domain.reasons import Reason
from handlers.reports import words
from handlers.reports.locks import lock_line
from handlers.reports.words import OUTCOMES, STAGES, ago, duration, moment, what_comes, where_to


def why_lines(explanation: Explanation, word: str, now: float) -> tuple[str, ...]:
    """Facts, the rule that decided, and the next step; `word` is what commands begin with."""
    return tuple(_lines(explanation, word, now))


def _lines(explanation: Explanation, word: str, now: float) -> Iterator[str]:
    deployment, decided, place = explanation.deployment, explanation.decided, explanation.place
    if deployment is not None:
        yield _headline(deployment, now)
    elif decided is not None:
        yield f"{_asked(decided, now)} and was refused:"
    yield from (_reason(each) for each in explanation.reasons)
    if deployment is not None and place is not None:
        yield from _waiting(deployment, place, explanation, word, now)
    if decided is None:
        return
    if deployment is not None:
        yield f"It was let through: {_asked(decided, now)}."
    yield from (f"Skipped by force: {each.fact}" for each in decided.skipped)
    if decided.facts:
        yield "What was known then:"
        yield from (f"- {each}" for each in decided.facts)


def _headline(deployment: Deployment, now: float) -> str:
    request = deployment.request
    first = f"`{deployment.id}` ({where_to(request)}, by {request.actor.name})"
    if deployment.state is State.FINISHED and deployment.outcome is not None:
        ended = ago(deployment.finished_at or deployment.created_at, now)
        return f"{first} {OUTCOMES[deployment.outcome]} {ended}."
    if deployment.state is State.RUNNING and deployment.stage is not None:
        return f"{first} is in {STAGES[deployment.stage]}."
    return f"{first} waits for its turn since it was asked for {ago(deployment.created_at, now)}."


def _asked(decided: Decided, now: float) -> str:
    where = words.SURFACES.get(decided.surface, decided.surface)
    return f"{decided.who} asked `{decided.line}` {where} {ago(decided.at, now)}"


def _reason(reason: Reason) -> str:
    where = f" ({reason.where})" if reason.where else ""
    return (
        f"- {reason.title} (`{reason.code.value}`): {reason.fact}{where}. Next: {reason.next_step}"
    )


def _waiting(
    deployment: Deployment, place: Place, explanation: Explanation, word: str, now: float
) -> Iterator[str]:
    if place.wait in {Wait.BEHIND, Wait.NEXT}:
        yield _in_line(place)
        yield from (f"- before it: {_before(each)}" for each in place.before)
    if place.wait is Wait.APPROVAL and explanation.asked is not None:
        yield from _asks(explanation.asked, word)
    if place.usual is not None:
        yield f"One to {deployment.request.environment} usually takes {duration(place.usual)}."
    yield from (f"- {lock_line(each, now)}" for each in explanation.standing.locks)


def _asks(asked: Asked, word: str) -> Iterator[str]:
    request = asked.request
    given = f" Approved by: {', '.join(asked.approved)}." if asked.approved else ""
    yield (
        f"It waits for {request.needed} "
        f"{'approval' if request.needed == 1 else 'approvals'} by others than "
        f"{request.asked_by.name}, until {moment(request.deadline, UTC)} UTC.{given}"
    )
    yield from (f"- {each}" for each in request.proposal.lines())
    yield f"Next: `{word} approve {request.deployment} {request.proposal.digest[:12]}`"


def _before(deployment: Deployment) -> str:
    request = deployment.request
    state = f"in {STAGES[deployment.stage]}" if deployment.stage else "waits too"
    return f"`{deployment.id}` ({what_comes(request)}, by {request.actor.name}), {state}"


def _in_line(place: Place) -> str:
    found = in_line(place)
    return f"{words.in_line(found)}." if found else "It is next."
