"""A release that runs in an environment, announced."""

from collections.abc import Iterator

from bot.domain.changes import Change, Changes
from bot.services.slack import Message
from handlers.reports import sentences
from handlers.reports.release import Release
from handlers.reports.slack import words
from handlers.reports.slack.blocks import Block, context, divider, section
from handlers.reports.slack.message import pipeline_lines, reason_lines, web_url
from handlers.reports.slack.release_notes import release_blocks
from handlers.reports.slack.safe import Safe, fitted, link
from handlers.reports.view import View
from handlers.reports.words import repository_name, short_sha

_MOST_CHANGES = 15
_MOST_AUTHORS = 8
_LONGEST_NAME = 100
_LONGEST_TITLE = 150


def release_message(view: View, release: Release, changes: Changes | None, safe: Safe) -> Message:
    """What it brings where it runs; where it could not be brought to run, only why.

    Args:
        view: the deployment, which has ended.
        release: as GitHub has it.
        changes: since the release before it in this environment, where that is known.
        safe: has the secrets.
    """
    blocks = [section(_headline(view, release, safe)), context(*_about(view, release, safe))]
    if view.is_success:
        blocks += release_blocks(release.notes, safe, url=release.url)
        blocks += [divider(), *_changes(view, changes, safe)]
    reason = view.end.reason if view.end else None
    for group in (
        reason_lines(reason, safe) if reason else [],
        pipeline_lines(view, safe),
    ):
        if group:
            blocks.append(section(fitted(group)))
    identity = words.identity(safe.code(view.deployment.id))
    blocks.append(context(link(view.page or "", identity)))
    return Message(_plain(view, release, safe), blocks)


def _headline(view: View, release: Release, safe: Safe) -> str:
    request = view.deployment.request
    tag = link(release.url, safe.text(release.tag, _LONGEST_NAME))
    repository = safe.text(repository_name(request.repository), _LONGEST_NAME)
    environment = safe.text(request.environment, _LONGEST_NAME)
    return f"{_mark(view)} {words.released(f'*{repository} {tag}*', f'*{environment}*', runs=view.is_success)}"


def _plain(view: View, release: Release, safe: Safe) -> str:
    request = view.deployment.request
    what = f"{repository_name(request.repository)} {release.tag}"
    said = words.released(safe.text(what), safe.text(request.environment), runs=view.is_success)
    return f"{_mark(view)} {said}"


def _mark(view: View) -> str:
    return (
        words.RELEASED if view.outcome is None or view.is_success else sentences.MARKS[view.outcome]
    )


def _about(view: View, release: Release, safe: Safe) -> Iterator[str]:
    request = view.deployment.request
    if release.name not in {"", release.tag}:
        yield f"*{safe.text(release.name)}*"
    yield sentences.asked(f"*{safe.text(request.actor.name, _LONGEST_NAME)}*", request.trigger)
    url = web_url(request.repository)
    yield link(f"{url}/commit/{view.sha}" if url else "", safe.code(short_sha(view.sha)))


def _changes(view: View, changes: Changes | None, safe: Safe) -> Iterator[Block]:
    if changes is None or not changes.commits:
        return
    url = web_url(view.deployment.request.repository)
    compare = f"{url}/compare/{changes.since}...{view.sha}" if url else ""
    since = safe.code(changes.name or short_sha(changes.since), _LONGEST_NAME)
    authors = [safe.text(each, _LONGEST_NAME) for each in changes.authors[:_MOST_AUTHORS]]
    if more := len(changes.authors) - len(authors):
        authors.append(words.more(more))
    commits = link(compare, words.commits(changes.commits, is_cut=changes.is_cut))
    lines = [f"• {_change(each, url, safe)}" for each in changes.listed[:_MOST_CHANGES]]
    if more := len(changes.listed) - len(lines):
        lines.append(f"• {link(compare, words.more(more))}")
    yield section(fitted([words.changed(since, commits, ", ".join(authors)), *lines]))


def _change(change: Change, url: str, safe: Safe) -> str:
    title, author = safe.text(change.title, _LONGEST_TITLE), safe.text(change.author, _LONGEST_NAME)
    if change.pull_request is None:
        where = link(f"{url}/commit/{change.sha}" if url else "", safe.code(short_sha(change.sha)))
    else:
        number = words.pull_request(change.pull_request)
        where = link(f"{url}/pull/{change.pull_request}" if url else "", number)
    return f"{title} {where} · {author}"
