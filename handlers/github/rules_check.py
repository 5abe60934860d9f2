"""A check on the rules that a pull request brings: named for the file, with its lines."""

import asyncio
import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from bot.domain.gate_facts import Unknown
from bot.domain.gate_rules import EnvironmentRules, Rules
from bot.domain.github import RULES_CHECK
from bot.domain.people import People
from bot.domain.place import shared
from bot.domain.reasons import GITHUB_PASSES, Code, Reason, StoppedError
from bot.project import PROJECT_FILE, misplaced, parse_project
from bot.services.github import CheckReport, Conclusion, Question
from bot.services.together import together
from handlers.github import words
from handlers.github.brought import Brought, fits
from handlers.github.errand import Errand
from handlers.github.rules_shown import RULES, show, was_shown
from handlers.reports.github.check import annotations
from handlers.reports.github.safe import Safe

LOG = logging.getLogger(__name__)

ACTIONS = frozenset({"opened", "synchronize", "reopened"})
_MOST_NAMED = 50
"""Teams, and groups, that are looked up: anybody may bring a file that names thousands."""
_MOST_BY_NAME = 5
"""Of the teams that the bot does not see at once: each takes two calls."""
_DEFAULT = f"{RULES}default:"
"""Of the default branch's, on a commit that nothing follows for them."""
_NAME = re.compile(r"[\w./-]+")
_PROBLEM = re.compile(rf"(?P<where>{re.escape(PROJECT_FILE)}:\d+(?::[^:]*)?): (?P<text>.+)")


@dataclass(frozen=True)
class Head:
    """The commit that is looked at."""

    sha: str
    before: str | None = None
    """The head until then, where it was pushed to."""


async def check_rules(errand: Errand, head: Head) -> str:
    """Check the file of a new head, where it says something new; what was done, in a line."""
    try:
        return await _check_rules(errand, head)
    except StoppedError as stopped:
        if not _is_told(errand, stopped):
            raise
        return await _show_unchecked(errand, head.sha, stopped.reason)


async def _check_rules(errand: Errand, head: Head) -> str:
    ours = await _ours(errand)
    theirs = await _read(errand, head.sha)
    if theirs == _File(ours) and not await _was_checked(errand, head):
        return "the rules are the same"
    if errand.source.is_repeat and await was_shown(errand, head.sha):
        return "the rules were checked before"
    report, count = await _checked(errand, theirs)
    await show(errand, head.sha, report)
    return f"rules: {count} problems"


async def _ours(errand: Errand) -> bytes | None:
    """What cannot be read is none: it may be what a pull request repairs."""
    try:
        return await errand.client.default_branch_file(PROJECT_FILE)
    except StoppedError as stopped:
        if stopped.reason.code is not Code.GITHUB_REFUSED:
            raise
        return None


def _is_told(errand: Errand, stopped: StoppedError) -> bool:
    """Whether nobody tries again."""
    code = stopped.reason.code
    return code is Code.GITHUB_REFUSED or (code in GITHUB_PASSES and errand.source.is_last)


async def _show_unchecked(errand: Errand, sha: str, reason: Reason) -> str:
    LOG.warning("the rules at %s could not be checked: %s: %s", sha, reason.code, reason.fact)
    report = words.rules_unchecked(reason, errand.desk.safe)
    try:
        await show(errand, sha, report)
    except StoppedError as stopped:
        if not _is_told(errand, stopped):
            raise
        # A commit that is gone has no check; and whoever waits for more is told by what follows.
        LOG.warning("which could not be shown: %s", stopped)
    return "the rules could not be checked"


def is_shown(errand: Errand, stopped: StoppedError) -> bool:
    """Whether what keeps us from following is shown so now; else it passes, or is tried again."""
    code = stopped.reason.code
    return errand.source.is_last or code in {Code.PROJECT_INVALID, Code.GITHUB_REFUSED}


async def show_broken(errand: Errand, sha: str, brought: Brought, stopped: StoppedError) -> str:
    """The check on a commit that nothing follows, for the rules cannot be read.

    Raises:
        StoppedError: as given, where there are no checks: the delivery has failed.
    """
    if not errand.desk.github.is_app:
        raise stopped
    # A pull request's check on its own rules is another; and GitHub tells of a release twice.
    external_id = _default_id(sha, brought)
    if await errand.client.find_check(sha, RULES_CHECK, external_id=external_id) is None:
        report = unread_report(errand, stopped)
        await errand.client.create_check(sha, RULES_CHECK, report, external_id=external_id)
    return str(stopped)


def unread_report(errand: Errand, stopped: StoppedError) -> CheckReport:
    """Why the default branch's rules are not known."""
    if stopped.reason.code is Code.PROJECT_INVALID:
        return _report(tuple(_split(stopped.reason)), errand)
    return words.rules_unread(stopped.reason, errand.desk.safe)


def brought_by(external_id: str) -> Brought | None:
    """What brought the commit of a check on the default branch's rules; None where it is not said."""
    _sha, _, brought = external_id.removeprefix(_DEFAULT).partition(":")
    return Brought.read(brought)


async def rules_report(errand: Errand, sha: str) -> CheckReport:
    """The check of a commit's rules as it is now. Errors: those of GitHub."""
    try:
        return (await _checked(errand, await _read(errand, sha)))[0]
    except StoppedError as stopped:
        if not _is_told(errand, stopped):
            raise
        return words.rules_unchecked(stopped.reason, errand.desk.safe)


def is_of_rules(external_id: str) -> bool:
    """Whether a check of ours is on rules."""
    return external_id.startswith(RULES)


def is_of_default_rules(external_id: str) -> bool:
    """Whether it is on the default branch's, whatever its own commit has."""
    return external_id.startswith(_DEFAULT)


def _default_id(sha: str, brought: Brought) -> str:
    """With what is to be followed once that can be."""
    whole = f"{_DEFAULT}{sha}:{brought}"
    return whole if fits(whole) else f"{_DEFAULT}{sha}"


async def _was_checked(errand: Errand, head: Head) -> bool:
    """Whether the head before has a check that said something; it is said that it is right now."""
    return head.before is not None and await was_shown(errand, head.before)


@dataclass(frozen=True)
class _File:
    """What is at the project file's place in a commit."""

    text: bytes | None
    wrong: Reason | None = None
    """Why that is none."""


async def _read(errand: Errand, sha: str) -> _File:
    text = await errand.client.file_at(PROJECT_FILE, sha)
    stopped = misplaced(await errand.client.names_at_root(sha)) if text is None else None
    return _File(text, stopped.reason if stopped is not None else None)


async def _checked(errand: Errand, file: _File) -> tuple[CheckReport, int]:
    """What the check says, and how many problems there are."""
    if file.wrong is None and not (file.text or b"").strip():
        return words.rules_taken_away(), 0
    if file.wrong is not None:
        return _broken((file.wrong,), errand)
    try:
        # It comes from anybody, and a large one takes seconds.
        rules, report = await asyncio.to_thread(_understood, file.text or b"", errand.desk.safe)
    except StoppedError as stopped:
        return _broken(_split(stopped.reason), errand)
    if unread := await _unread_people(errand, rules, file.text or b""):
        return _broken(unread, errand)
    return report, 0


def _understood(text: bytes, safe: Safe) -> tuple[Rules, CheckReport]:
    """The rules, and what is said where nothing is wrong with them. Errors: project_invalid."""
    project = parse_project(text)
    return project.rules(), words.rules_valid(shared(project.places()), safe)


def _broken(reasons: Sequence[Reason], errand: Errand) -> tuple[CheckReport, int]:
    return _report(tuple(reasons), errand), len(reasons)


def _split(reason: Reason) -> list[Reason]:
    """One for each line that is named, so that each gets its remark."""
    found = [_PROBLEM.fullmatch(line) for line in reason.fact.split("\n")]
    each = [replace(reason, fact=match["text"], where=match["where"]) for match in found if match]
    return each or [reason]


async def _unread_people(errand: Errand, rules: Rules, text: bytes) -> list[Reason]:
    """Teams and groups that do not exist or cannot be read: nobody in them could deploy."""
    people = [each for rule in rules.environments.values() for each in _people(rule)]
    teams = sorted(frozenset().union(*(each.teams for each in people)))
    groups = sorted(frozenset().union(*(each.groups for each in people)))
    in_teams = await _looked_up(errand, teams[:_MOST_NAMED])
    # Who brings the rules need not be known in Slack.
    in_groups = await together(map(errand.is_group_there, groups[:_MOST_NAMED]))
    found = [
        *((name, Code.TEAM_UNKNOWN, each) for name, each in zip(teams, in_teams, strict=False)),
        *(
            (name, Code.SLACK_GROUP_UNKNOWN, each)
            for name, each in zip(groups, in_groups, strict=False)
        ),
    ]
    unread = [(name, code, each) for name, code, each in found if isinstance(each, Unknown)]
    lines = _first_lines(text) if unread else {}
    return [
        *_too_many("teams", teams, Code.TEAM_UNKNOWN),
        *_too_many("Slack groups", groups, Code.SLACK_GROUP_UNKNOWN),
        *(
            StoppedError(code, f"{name}: {each.call}: {each.why}", where=_where(name, lines)).reason
            for name, code, each in unread
        ),
    ]


def _too_many(what: str, named: Sequence[str], code: Code) -> list[Reason]:
    if len(named) <= _MOST_NAMED:
        return []
    fact = f"{len(named)} {what} are named, of which {_MOST_NAMED} at most are looked up"
    return [StoppedError(code, fact, where=PROJECT_FILE).reason]


async def _looked_up(errand: Errand, teams: Sequence[str]) -> list[bool | Unknown]:
    """What is known of each team; of one that nobody shows to the bot, why."""
    errand.foresee(Question(teams=tuple(teams), login=errand.person.login))
    seen = await errand.further()
    there = frozenset(seen.members if seen else ())
    absent = [each for each in teams if each not in there]
    # Where nobody says which there are, each is asked about.
    by_name = absent if seen is None else absent[:_MOST_BY_NAME]
    found = dict(zip(by_name, await together(map(errand.is_member, by_name)), strict=True))
    unseen = Unknown("listing teams", "GitHub does not show it to the bot")
    return [each in there or found.get(each, unseen) for each in teams]


def _people(rule: EnvironmentRules) -> tuple[People, ...]:
    return (*rule.deployers, *rule.force, *rule.approvals.who)


def _first_lines(text: bytes) -> dict[str, int]:
    """The first line of each name, in lower case, that is outside of comments."""
    found: dict[str, int] = {}
    for number, line in enumerate(text.decode(errors="replace").lower().splitlines(), 1):
        for name in _NAME.findall(line.partition("#")[0]):
            found.setdefault(name, number)
    return found


def _where(name: str, lines: Mapping[str, int]) -> str:
    return f"{PROJECT_FILE}:{lines[name]}" if name in lines else PROJECT_FILE


def _report(reasons: tuple[Reason, ...], errand: Errand) -> CheckReport:
    safe = errand.desk.safe
    return CheckReport(
        title=safe.line(words.rules_are_broken(len(reasons)), 200),
        summary=words.refused(words.RULES_WOULD_REFUSE, reasons, safe),
        conclusion=Conclusion.FAILURE,
        annotations=tuple(each for reason in reasons for each in annotations(reason, safe)),
    )
