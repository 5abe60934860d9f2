"""A deployment as a comment on a pull request."""

import re
from collections.abc import Iterable, Iterator
from itertools import accumulate, takewhile

from bot.domain.deployment import GITHUB, Actor, BuiltImage, UpdatedPipeline
from bot.domain.github import LOGIN
from bot.domain.reasons import Reason
from handlers.reports import sentences
from handlers.reports.github import words
from handlers.reports.github.safe import LONGEST_BODY, Safe, fitted, size
from handlers.reports.text import lines
from handlers.reports.view import View
from handlers.reports.words import STAGES, digest

_MOST_LISTED = 20
_LONGEST_LIST = 20_000
"""Bytes: as a whole a list would be left out where it is too long."""
_MOST_CALLED = 10
_LONGEST_FACT = 1000
_MOST_FACTS = 10
_LONGEST_DETAIL = 120
_LONGEST_NAME = 120
SEEN_DIGITS = 12
"""Of a plan's digest, which say what was looked at."""
_SHA = re.compile(r"[0-9a-f]{40}")
_LOGIN = re.compile(LOGIN)
_NAMED = re.compile(rf"{_LOGIN.pattern}(?:/[A-Za-z0-9][A-Za-z0-9_.-]{{0,99}})?")
"""A login, or a team with its organization."""


def progress_comment(view: View, safe: Safe) -> str:
    """The comment that follows a deployment and in the end says how it went; mentions nobody.

    It is the same text until something has happened, so that it is edited only then.
    """
    first = [headline(view, safe), _asked(view, safe), *_why(view, safe), _vote(view, safe)]
    middle = (*_approval(view, safe), *_content(view, safe))
    return fitted(first, middle, [_foot(view, safe)], LONGEST_BODY)


def failure_comment(view: View, safe: Safe) -> str:
    """A comment of its own for a bad end: it mentions who asked, so that they get a notice."""
    first = [words.told(mention(view), headline(view, safe)), *_why(view, safe)]
    return fitted(first, _notes(view, safe), [_foot(view, safe)], LONGEST_BODY)


def ask_comment(view: View, safe: Safe) -> str:
    """A comment of its own that mentions those who may approve, so that they get a notice."""
    calls = " ".join(called(view)[:_MOST_CALLED])
    first = [words.told(calls, headline(view, safe)), _vote(view, safe)]
    return fitted(first, _approval(view, safe), [_foot(view, safe)], LONGEST_BODY)


def headline(view: View, safe: Safe) -> str:
    """One line of Markdown: what, where to, how it stands, how long it took."""
    request, outcome = view.deployment.request, view.outcome
    mark = (
        sentences.MARKS[outcome]
        if outcome
        else sentences.WAITING
        if view.waits or view.asks_for_approval
        else sentences.RUNNING
    )
    environment = f"**{safe.text(request.environment)}**"
    place = sentences.target(request.kind, _commit(view.sha, safe), environment)
    took = (
        f" {sentences.took(outcome, view.seconds)}" if outcome and view.seconds is not None else ""
    )
    return f"{mark} {what(view, place, strong='**')}{took}"


def what(view: View, place: str = "", *, strong: str = "") -> str:
    """How it stands, in words; arguments as for `sentences.headline`."""
    kind = view.deployment.request.kind
    if view.waits:
        return f"{sentences.waits(kind, place, strong)}{view.in_line}"
    if view.asks_for_approval:
        return sentences.asks(kind, place, strong)
    stage = view.stage if view.outcome else None
    return sentences.headline(kind, view.outcome, stage, place, strong)


def mention(view: View) -> str:
    """`@login` of who asked, where that is a login on GitHub."""
    return mention_of(view.deployment.request.actor)


def mention_of(actor: Actor) -> str:
    """`@login`, where it is known to be one."""
    is_login = actor.is_named_by_login and _LOGIN.fullmatch(actor.name)
    return f"@{actor.name}" if is_login else ""


def called(view: View) -> tuple[str, ...]:
    """Mentions of those whom the rules name as approvers; never of who asked."""
    asked, asker = view.board.approval, view.deployment.request.actor
    return tuple(
        f"@{each}"
        for each in (asked.named if asked else ())
        if _NAMED.fullmatch(each) and not asker.may_be(Actor(each, GITHUB))
    )


def summary(view: View, safe: Safe) -> str:
    """What a check says first: how it stands and why."""
    first = [headline(view, safe), _asked(view, safe), *_reason(view, safe), _vote(view, safe)]
    return fitted(first, _approval(view, safe), [_foot(view, safe)], LONGEST_BODY)


def details(view: View, safe: Safe) -> str:
    """What a check says below its summary."""
    return fitted([_log(view, safe)], _content(view, safe), (), LONGEST_BODY)


def _asked(view: View, safe: Safe) -> str:
    request = view.deployment.request
    asked = sentences.asked(safe.code(request.actor.name, _LONGEST_NAME), request.trigger)
    title = safe.code(request.commit.title)
    return f"{asked}: {title}" if title else f"{asked}."


def _why(view: View, safe: Safe) -> list[str]:
    return [*_reason(view, safe), _log(view, safe)]


def _reason(view: View, safe: Safe) -> list[str]:
    reason = view.end.reason if view.end else None
    return ["  \n".join(_reason_lines(reason, safe))] if reason else []


def _reason_lines(reason: Reason, safe: Safe) -> Iterator[str]:
    first, *more = lines(reason.fact)[:_MOST_FACTS] or [""]
    yield f"**{safe.text(reason.title)}:** {safe.rich(first, _LONGEST_FACT)}"
    yield from (safe.rich(line) for line in more if line.strip())
    if reason.where:
        yield f"{words.WHERE} {safe.code(reason.where)}"
    yield f"{words.NEXT} {safe.rich(reason.next_step, _LONGEST_FACT)}"


def _vote(view: View, safe: Safe) -> str:
    """Who is asked, and how they say yes or no."""
    asked = view.board.approval
    if asked is None or not view.asks_for_approval:
        return ""
    who = sentences.who_approves(asked.needed, safe.code(asked.asked_by, _LONGEST_NAME))
    approve = f"{view.word} approve {asked.deployment} {asked.digest[:SEEN_DIGITS]}"
    reject = f"{view.word} reject {asked.deployment}"
    said = (words.asks_for(who, asked.deadline), *sentences.consequences(asked))
    return "  \n".join([*said, words.how_to_vote(safe.code(approve), safe.code(reject))])


def _approval(view: View, safe: Safe) -> Iterator[str]:
    """What others are asked to let through, and who has said yes or no."""
    asked = view.board.approval
    if asked is not None and view.asks_for_approval:
        changes = (safe.text(line, _LONGEST_FACT) for line in asked.changes)
        yield _list(words.WHAT_IS_APPROVED, changes)
    if view.board.votes:
        given = sentences.votes(
            view.board.votes.values(), lambda name: safe.code(name, _LONGEST_NAME)
        )
        yield f"{words.VOTES} {given}"


def _log(view: View, safe: Safe) -> str:
    """The end of the log that tells of the failure, folded away."""
    found, stage = view.board.failed_log, view.board.failed_stage
    if found is None or stage is None:
        return ""
    subject, tail = found
    heading = words.last_lines(safe.html(subject, _LONGEST_NAME), stage)
    # Without the empty line the fence would be read as HTML.
    return f"<details><summary>{heading}</summary>\n\n{safe.fence(tail)}\n\n</details>"


def _content(view: View, safe: Safe) -> Iterator[str]:
    yield _stages(view, safe)
    if view.end is None:
        yield from _plan(view, safe)
    else:
        yield _list(words.IMAGES, (_image(each, safe) for each in view.end.images))
        yield _list(words.PIPELINES, (_pipeline(each, safe) for each in view.end.pipelines))
    yield from _notes(view, safe)


def _stages(view: View, safe: Safe) -> str:
    rows = [
        f"| {sentences.stage_mark(line.ended)} | {STAGES[line.stage]} "
        f"| {sentences.stage_took(line.ended, line.seconds)} "
        f"| {safe.text(line.detail, _LONGEST_DETAIL)} |"
        for line in view.board.stages.values()
    ]
    return "\n".join([words.TABLE, *rows]) if rows else ""


def _plan(view: View, safe: Safe) -> Iterator[str]:
    planned, seen = view.board.planned, view.board.pipelines.values()
    if seen:
        states = (
            f"{safe.code(f'{each.project}/{each.name}')} {each.version} "
            f"{safe.text(each.state.lower(), _LONGEST_NAME)}"
            for each in seen
        )
        yield _list(words.PIPELINES, states)
    elif planned is not None:
        yield _list(words.PLAN, (safe.text(line) for line in planned.images + planned.pipelines))


def _image(image: BuiltImage, safe: Safe) -> str:
    made = words.BUILT if image.built else words.THERE
    reference = safe.code(f"{image.repository}:{image.tag}")
    return f"{reference} {safe.code(digest(image.digest))} {made}"


def _pipeline(pipeline: UpdatedPipeline, safe: Safe) -> str:
    return f"{safe.code(f'{pipeline.project}/{pipeline.name}')} {sentences.versions(pipeline)}"


def _notes(view: View, safe: Safe) -> Iterator[str]:
    notes = view.end.notes if view.end else ()
    texts = dict.fromkeys((*view.board.notes, *notes))
    yield _list(words.NOTES, (safe.rich(text) for text in texts))


def _list(heading: str, entries: Iterable[str]) -> str:
    every = list(entries)
    if not every:
        return ""
    fitting = takewhile(lambda upto: upto <= _LONGEST_LIST, accumulate(map(size, every)))
    most = min(_MOST_LISTED, len(list(fitting)))
    shown = [f"- {entry}" for entry in every[:most]]
    if len(every) > most:
        shown.append(f"- {words.more(len(every) - most)}")
    return "\n".join([heading, "", *shown])


def _foot(view: View, safe: Safe) -> str:
    identity = view.deployment.id
    parts = [words.identity(safe.code(identity))]
    if view.page is not None:
        parts.append(words.linked_log(view.page))
    elif view.board.failed_log is not None:
        parts.append(safe.rich(words.whole_log(identity)))
    return f"<sub>{' · '.join(parts)}</sub>"


def _commit(sha: str, safe: Safe) -> str:
    """GitHub makes a short link of a whole SHA, but not in code."""
    return sha if _SHA.fullmatch(sha) else safe.code(sha)
