"""A deployment as a message in Slack, and the answer in its thread at the end."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from bot.domain.deployment import BuiltImage, UpdatedPipeline
from bot.domain.progress import PipelineSeen
from bot.domain.reasons import Reason
from bot.services.slack import Message
from handlers.reports import sentences
from handlers.reports.slack import words
from handlers.reports.slack.blocks import Block, context, section
from handlers.reports.slack.buttons import Click, buttons
from handlers.reports.slack.safe import Safe, fitted, link
from handlers.reports.text import lines
from handlers.reports.view import View
from handlers.reports.words import digest, repository_name, short_sha

_MOST_LISTED = 10
_MOST_FACTS = 10
_LONGEST_FACT = 1000
_LONGEST_NAME = 100
_LONGEST_CHANGE = 250
_LONGEST_PLAIN = 500
_MOST_APPROVERS = 20
_GROUP = re.compile(r"S[A-Z0-9]{2,20}")
_USER = re.compile(r"[UW][A-Z0-9]{2,20}")


@dataclass(frozen=True)
class Approvers:
    """Who may approve a deployment, as far as Slack knows them."""

    users: tuple[str, ...] = ()
    """Ids."""
    groups: tuple[str, ...] = ()
    """Ids of user groups."""
    others: tuple[str, ...] = ()
    """Names of people and teams that it does not know."""


NOBODY_KNOWN = Approvers()


@dataclass(frozen=True)
class Shown:
    """All that a message shows of a deployment."""

    view: View
    pull_request: int | None = None
    clicks: Sequence[Click] = ()
    user: str | None = None
    """The Slack id of who asked, where it is known."""
    hears: bool = True
    """Whether somebody hears what is clicked; without, there are no buttons."""


def progress_message(shown: Shown, safe: Safe) -> Message:
    """The one message that follows a deployment and in the end says how it went.

    It notifies nobody, and is the same until something has happened.
    """
    view = shown.view
    blocks = [
        section(headline(view, safe)),
        context(_asked(shown, safe), *_about(shown, safe)),
        *_sections(view, safe),
        context(*_foot(shown, safe)),
        *(buttons(view, shown.clicks) if shown.hears else ()),
    ]
    return Message(plain_headline(view, safe), blocks)


def end_message(shown: Shown, safe: Safe, *, mentions: bool) -> Message:
    """The answer in the thread that tells of the end; an edit notifies nobody."""
    user = shown.user if mentions else None
    name = shown.view.deployment.request.actor.name
    who = mention(user) or f"*{safe.text(name, _LONGEST_NAME)}*"
    reason = shown.view.end.reason if shown.view.end else None
    first = words.told(who, headline(shown.view, safe))
    blocks = [section(fitted([first, *(reason_lines(reason, safe) if reason else ())]))]
    plain = words.told(safe.plain(name, _LONGEST_NAME), plain_headline(shown.view, safe))
    return Message(safe.text(plain, _LONGEST_PLAIN), blocks)


def ask_message(view: View, approvers: Approvers, safe: Safe) -> Message:
    """The answer in the thread that tells those who may approve; an edit notifies nobody."""
    named = [
        *(mention(each) for each in approvers.users),
        *(words.group(each) for each in approvers.groups if _GROUP.fullmatch(each)),
        *(f"*{safe.text(each, _LONGEST_NAME)}*" for each in approvers.others),
    ]
    who = ", ".join(filter(None, named[:_MOST_APPROVERS])) or words.APPROVERS
    identity = view.deployment.id
    text = words.approve_please(who, words.identity(safe.code(identity)))
    plain = words.approve_please(words.APPROVERS, words.identity(safe.text(identity)))
    return Message(plain, [section(fitted([text]))])


def mention(user: str | None) -> str:
    """Somebody's mention; nothing where the id is not one of Slack's."""
    return words.person(user) if user and _USER.fullmatch(user) else ""


def headline(view: View, safe: Safe) -> str:
    """One line that a phone can read: what, where to, how it stands, how long it took."""
    commit = link(_commit_url(view), f"`{safe.text(short_sha(view.sha))}`") if view.sha else ""
    environment = f"*{safe.text(view.deployment.request.environment, _LONGEST_NAME)}*"
    return _headline(
        view, sentences.target(view.deployment.request.kind, commit, environment), strong="*"
    )


def plain_headline(view: View, safe: Safe) -> str:
    """The same for notices, and for those who cannot see blocks."""
    sha, request = short_sha(view.sha), view.deployment.request
    place = sentences.target(request.kind, safe.text(sha), safe.text(request.environment))
    repository = safe.text(repository_name(request.repository))
    return f"{repository}: {_headline(view, place)}"


def _headline(view: View, place: str, strong: str = "") -> str:
    outcome, kind = view.outcome, view.deployment.request.kind
    if view.waits:
        return f"{sentences.WAITING} {sentences.waits(kind, place, strong)}{view.in_line}"
    if view.asks_for_approval:
        return f"{words.HAND} {sentences.asks(kind, place, strong)}"
    mark = sentences.MARKS[outcome] if outcome else sentences.RUNNING
    said = sentences.headline(kind, outcome, view.stage if outcome else None, place, strong)
    if outcome is None or view.seconds is None:
        return f"{mark} {said}"
    return f"{mark} {said} {sentences.took(outcome, view.seconds)}"


def _asked(shown: Shown, safe: Safe) -> str:
    request = shown.view.deployment.request
    who = safe.text(request.actor.name, _LONGEST_NAME)
    return sentences.asked(f"*{who}*", request.trigger)


def _about(shown: Shown, safe: Safe) -> Iterator[str]:
    request = shown.view.deployment.request
    url = web_url(request.repository)
    yield link(url, safe.text(repository_name(request.repository), _LONGEST_NAME))
    if shown.pull_request is not None:
        number = words.pull_request(shown.pull_request)
        yield link(f"{url}/pull/{shown.pull_request}", number)
    yield safe.code(request.commit.ref, _LONGEST_NAME)
    if request.commit.title != request.commit.ref:
        yield safe.text(request.commit.title)


def _sections(view: View, safe: Safe) -> Iterator[Block]:
    board = view.board
    stages = [
        words.stage(each.stage, each.ended, each.seconds, each.started_at)
        + (f" · {safe.text(each.detail, _LONGEST_NAME)}" if each.detail else "")
        for each in board.stages.values()
    ]
    reason = view.end.reason if view.end else None
    reasons = reason_lines(reason, safe) if reason else []
    asked = [approval_lines(view, safe), _changes(view, safe)]
    groups = [stages, *asked, reasons, *_content(view, safe)]
    for group in groups:
        if group:
            yield section(fitted(group))


def approval_lines(view: View, safe: Safe) -> list[str]:
    """What others are asked to approve, and what they said so far."""
    asked, votes = view.board.approval, view.board.votes.values()
    if asked is None:
        return []
    said = [
        words.voted(safe.text(each.by, _LONGEST_NAME), approves=each.approves) for each in votes
    ]
    if not view.asks_for_approval:
        return said
    by = safe.text(asked.asked_by, _LONGEST_NAME)
    given = sum(each.approves for each in votes)
    return [
        words.waits_for_approval(sentences.who_approves(asked.needed, by), given, asked.deadline),
        *(f"⚠️ {each}" for each in sentences.consequences(asked)),
        *said,
    ]


def _changes(view: View, safe: Safe) -> list[str]:
    """All that would be done, to those who approve it."""
    asked = view.board.approval
    if asked is None or not view.asks_for_approval:
        return []
    return _list(words.WOULD, (safe.code(line, _LONGEST_CHANGE) for line in asked.changes))


def _content(view: View, safe: Safe) -> Iterator[list[str]]:
    board, end = view.board, view.end
    if end is not None:
        yield _list(words.IMAGES, (_image(each, safe) for each in end.images))
        yield pipeline_lines(view, safe)
    elif board.pipelines:
        states = (
            f"{safe.code(f'{each.project}/{each.name}')} {each.version} "
            f"{safe.text(each.state.lower(), _LONGEST_NAME)}"
            for each in board.pipelines.values()
        )
        yield _list(words.PIPELINES, states)
    elif board.planned is not None and not view.asks_for_approval:
        planned = board.planned.images + board.planned.pipelines
        yield _list(words.PLAN, (safe.text(line) for line in planned))
    notes = dict.fromkeys((*board.notes, *(end.notes if end else ())))
    yield _list(words.NOTES, (safe.text(text) for text in notes))


def pipeline_lines(view: View, safe: Safe) -> list[str]:
    """What became of the pipelines in the end, and what was seen of each."""
    seen = {(each.project, each.name): each for each in view.board.pipelines.values()}
    updated = view.end.pipelines if view.end else ()
    return _list(
        words.PIPELINES,
        (_pipeline(each, seen.get((each.project, each.name)), safe) for each in updated),
    )


def reason_lines(reason: Reason, safe: Safe) -> list[str]:
    """Why something is not so, and what to do next."""
    first, *more = lines(reason.fact)[:_MOST_FACTS] or [""]
    return [
        f"*{safe.text(reason.title)}:* {safe.text(first, _LONGEST_FACT)}",
        *(safe.text(line) for line in more if line.strip()),
        *([f"{words.WHERE} {safe.code(reason.where)}"] if reason.where else ()),
        f"{words.NEXT} {safe.text(reason.next_step, _LONGEST_FACT)}",
    ]


def _image(image: BuiltImage, safe: Safe) -> str:
    made = words.BUILT if image.built else words.THERE
    reference = safe.code(f"{image.repository}:{image.tag}")
    return f"{reference} {safe.code(digest(image.digest))} {made}"


def _pipeline(pipeline: UpdatedPipeline, seen: PipelineSeen | None, safe: Safe) -> str:
    name = safe.code(f"{pipeline.project}/{pipeline.name}")
    # What was seen of an older version is no verdict on this one.
    is_of_it = seen is not None and seen.version == pipeline.to_version
    verdict = (seen.state.lower(), seen.evidence) if seen and is_of_it else ()
    parts = [sentences.versions(pipeline), *(safe.text(each) for each in verdict if each)]
    return f"{name} {' · '.join(parts)}"


def _list(heading: str, entries: Iterable[str]) -> list[str]:
    every = list(entries)
    if not every:
        return []
    shown = [f"• {entry}" for entry in every[:_MOST_LISTED]]
    if len(every) > _MOST_LISTED:
        shown.append(f"• {words.more(len(every) - _MOST_LISTED)}")
    return [heading, *shown]


def _foot(shown: Shown, safe: Safe) -> Iterator[str]:
    text = words.identity(safe.code(shown.view.deployment.id))
    yield link(shown.view.page, text) if shown.view.page else text
    for each in shown.clicks:
        yield words.used(each.button, mention(each.user), each.at)


def web_url(repository: str) -> str:
    """A repository's page; empty where it has none."""
    url = urlsplit(repository)
    if url.scheme not in {"http", "https"} or url.username or url.password:
        return ""
    return repository.removesuffix("/").removesuffix(".git")


def _commit_url(view: View) -> str:
    url = web_url(view.deployment.request.repository)
    return f"{url}/commit/{view.sha}" if url else ""
