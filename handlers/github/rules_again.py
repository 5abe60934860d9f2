"""The check on the default branch's rules, asked for again: what could not be followed is, or says how."""

from bot.domain.deployment import Commit, Deployment, Trigger
from bot.domain.gate_rules import Rules
from bot.domain.reasons import Reason, StoppedError
from bot.services.github import CheckReport, OwnCheck
from handlers.github import words
from handlers.github.answering import ask_by_check
from handlers.github.brought import Brought
from handlers.github.errand import Errand
from handlers.github.push import is_newest
from handlers.github.rules_check import brought_by, is_shown, unread_report


async def look_again(errand: Errand, check: OwnCheck) -> CheckReport:
    """What it says now. Green says that nothing is left to be deployed, and not that rules are valid."""
    try:
        return await _look_again(errand, check)
    except StoppedError as stopped:
        if not is_shown(errand, stopped):
            raise
        return unread_report(errand, stopped)


async def _look_again(errand: Errand, check: OwnCheck) -> CheckReport:
    rules = await errand.rules()
    brought = brought_by(check.external_id)
    if brought is None or brought.trigger is not Trigger.PUSH:
        # Whether it was a pre-release, and a later one was published since, is for people to say.
        return _left_to_people(errand, rules, check.head_sha, brought)
    environments = rules.following(Trigger.PUSH, brought.name)
    if not environments:
        return words.nothing_follows()
    if not await is_newest(errand, f"refs/heads/{brought.name}", check.head_sha):
        return words.moved_on(brought.name, errand.desk.safe)
    return await _follow(errand, environments, Commit(check.head_sha, brought.name, brought.name))


def _left_to_people(errand: Errand, rules: Rules, sha: str, brought: Brought | None) -> CheckReport:
    desk, environments = errand.desk, ["ENV"]
    if brought is not None:
        environments = list(rules.following(Trigger.RELEASE))
    if not environments:
        return words.nothing_follows()
    name = brought.name if brought else sha[:7]
    return words.deploy_yourself(name, sha, environments, desk.word, desk.safe)


async def _follow(errand: Errand, environments: tuple[str, ...], commit: Commit) -> CheckReport:
    refused: dict[str, tuple[Reason, ...]] = {}
    for name in environments:
        if await _was_asked(errand, name, commit.sha):
            continue
        answered = await ask_by_check(errand, name, commit, f"rules:{name}")
        if not isinstance(answered, Deployment):
            refused[name] = answered
    if refused:
        return words.refused_all(refused, errand.desk.safe)
    return words.followed_now(environments, errand.desk.safe)


async def _was_asked(errand: Errand, environment: str, sha: str) -> bool:
    """Whether it has a check of its own there, which says how that ended and makes it again."""
    target = f"{errand.address}#{environment}"
    found = await errand.desk.deployer.deployments.list(target=target)
    return any(each.request.commit.sha == sha for each in found)
