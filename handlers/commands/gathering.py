"""The facts that the gate decides from, looked up at the same time."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import TypeVar

from bot.domain.command import Deploy
from bot.domain.command_form import is_sha, is_whole_sha
from bot.domain.deployment import Commit, Trigger
from bot.domain.gate_facts import NOT_LOOKED_UP, Content, Facts, Sender, Standing, Unknown
from bot.domain.gate_rules import EnvironmentRules, Rules
from bot.domain.github import Permission, PullRequest
from bot.domain.people import People
from bot.domain.reasons import GITHUB_PASSES, Code, StoppedError
from bot.services.github import Question
from bot.services.once import Once
from bot.services.together import both, together
from handlers.commands.belonging import Meant, completed, question_about
from handlers.commands.errand import Errand

T = TypeVar("T")

_DIGITS = re.compile(r"[0-9a-f]{4,39}", re.IGNORECASE)
"""What may be the first ones of a SHA: git has to fetch the whole history for them, while others wait."""
_BY_ITSELF = frozenset({Trigger.PUSH, Trigger.RELEASE})
"""Who does this had to have write permission, so that it is asked for only where more is needed."""


@dataclass(frozen=True)
class Wish:
    """A deployment that somebody asks for or an event leads to."""

    trigger: Trigger
    command: Deploy
    """For an event, the environment alone."""
    commit: Commit | None = None
    """The one that the event brought; None: the command says which."""
    known_as: Commit | None = None
    """What is known of a commit that was deployed before; where it is now is looked up."""
    pull_request: int | None = None
    comment: int | None = None
    asked_at: str | None = None
    release: str | None = None
    """Its tag."""


async def gather(
    errand: Errand,
    wish: Wish,
    *,
    content: bool = True,
    again: bool = False,
    instead: Rules | None = None,
) -> tuple[Rules, Facts]:
    """The default branch's rules and all that they need to know.

    Args:
        errand: on which it is asked.
        wish: what is asked for.
        content: False leaves the commit out, for commands that bring none.
        again: the gate has let this very commit through before.
        instead: rules in place of the default branch's, where those cannot be read.

    Two round trips, one more where REST is asked for checks or reviews, or git for a short SHA.

    Errors: those of `Errand.rules`.
    """
    named = Once(partial(_named, errand, wish))
    if wish.pull_request is not None:
        await both(errand.look(wish.pull_request), _begun(named, wish))
    asking = errand.rules() if instead is None else _as_it_is(instead)
    rules, pull = await both(asking, _pull_request(errand, wish))
    rule = _rule(rules, wish.command.environment)
    name = wish.command.environment or next(iter(rules.environments))
    is_of_head = content and _is_of_head(errand, wish, pull)
    meant = await _meant(errand, wish, rule, pull, named) if content else Meant(Content(None))
    errand.foresee(_question(errand, wish, rule, pull, meant, is_of_head=is_of_head))
    (brought, sender), (standing, pull) = await both(
        both(completed(errand, rule, pull, meant), _sender(errand, wish, rule)),
        both(
            _standing(errand, name, again=again),
            _completed(errand, wish, rule, pull, meant, again=again)
            if is_of_head
            else _as_it_is(pull),
        ),
    )
    facts = Facts(
        wish.trigger,
        errand.repository,
        wish.command,
        sender,
        brought,
        pull,
        wish.asked_at,
        errand.desk.word,
        standing,
        datetime.now(UTC),
        was_allowed=again,
        takes_forks=errand.desk.takes_forks,
        spoken=errand.spoken,
    )
    if content and not is_of_head and not facts.is_of_a_branch:
        pull = await _completed(errand, wish, rule, pull, meant, again=again)
        facts = replace(facts, pull_request=pull)
    errand.facts = facts
    return rules, facts


async def _standing(errand: Errand, environment: str, *, again: bool) -> Standing:
    found = await errand.desk.deployer.standing(errand.address, environment)
    if again and found.hold and not found.hold.has_ended:
        # Asked for while this one runs, it undoes it, which must not end before that.
        return replace(found, hold=None)
    return found


async def _pull_request(errand: Errand, wish: Wish) -> PullRequest | Unknown | None:
    return None if wish.pull_request is None else await errand.pull_request(wish.pull_request)


async def _completed(
    errand: Errand,
    wish: Wish,
    rule: EnvironmentRules | None,
    pull: PullRequest | Unknown | None,
    meant: Meant,
    *,
    again: bool,
) -> PullRequest | Unknown | None:
    """With what only some rules look at, where they do."""
    if not isinstance(pull, PullRequest):
        return pull
    ref = wish.command.ref
    # What moved does not matter to what is another commit anyway.
    needs_no_time = (
        again
        or meant.sha != pull.head_sha
        or wish.trigger is Trigger.PULL_REQUEST
        or pull.is_fork(errand.repository)
    )
    reading = partial(
        errand.completed,
        pull,
        behind=rule is not None and rule.fresh,
        moved=not (needs_no_time or (ref is not None and is_whole_sha(ref))),
    )
    found = await reading(
        checks=rule is not None and rule.checks is not None,
        review=rule is not None and rule.review,
    )
    if isinstance(found, Unknown) and wish.command.force is not None:
        # What force skips must not stand in its way where nobody can say it.
        return await reading(checks=False, review=False)
    return found


async def _as_it_is(fact: T) -> T:
    return fact


def _rule(rules: Rules, name: str | None) -> EnvironmentRules | None:
    if name is None and len(rules.environments) == 1:
        return next(iter(rules.environments.values()))
    return rules.environments.get(name or "")


def _question(
    errand: Errand,
    wish: Wish,
    rule: EnvironmentRules | None,
    pull: PullRequest | Unknown | None,
    meant: Meant,
    *,
    is_of_head: bool,
) -> Question:
    """All that one call can say beyond the first look."""
    asked, login = _asked(wish, rule), errand.person.login
    wants_base = is_of_head and rule is not None and rule.fresh and isinstance(pull, PullRequest)
    return replace(
        question_about(errand, rule, pull, meant),
        base=pull.base_ref if wants_base and isinstance(pull, PullRequest) else None,
        teams=() if _is_named(asked, login) else tuple(sorted(_teams(asked))),
        login=login,
    )


def _asked(wish: Wish, rule: EnvironmentRules | None) -> tuple[People, ...]:
    """The lists that the gate looks at; who may force is of interest where somebody does."""
    if rule is None:
        return ()
    return (*rule.deployers, *(rule.force if wish.command.force is not None else ()))


def _is_named(asked: Sequence[People], login: str) -> bool:
    """Whether teams and groups need not be asked about: whoever asks is named everywhere."""
    return all(login.lower() in each.users for each in asked if each.is_named)


def _teams(asked: Sequence[People]) -> frozenset[str]:
    return frozenset().union(*(each.teams for each in asked))


async def _sender(errand: Errand, wish: Wish, rule: EnvironmentRules | None) -> Sender:
    asked = _asked(wish, rule)
    teams = sorted(_teams(asked))
    groups = sorted(frozenset().union(*(each.groups for each in asked)))
    is_named = _is_named(asked, errand.person.login)
    permission, (members, in_groups) = await both(
        _permission(errand, wish, rule),
        both(
            together(errand.is_member(each) for each in ([] if is_named else teams)),
            together(errand.is_in_group(each) for each in ([] if is_named else groups)),
        ),
    )
    return Sender(
        errand.person.login,
        errand.person.is_bot,
        permission,
        dict(zip(teams, members, strict=False)),
        dict(zip(groups, in_groups, strict=False)),
    )


async def _permission(
    errand: Errand, wish: Wish, rule: EnvironmentRules | None
) -> Permission | Unknown:
    least = rule.least_permission if rule else Permission.WRITE
    if wish.trigger in _BY_ITSELF and least is Permission.WRITE:
        return NOT_LOOKED_UP
    is_forced = wish.command.force is not None
    # Whoever forces may need more.
    forcing = (each.least_permission for each in (rule.force if rule and is_forced else ()))
    return await errand.permission(max(least, *forcing, Permission.WRITE))


async def _lacks_permission(errand: Errand, wish: Wish, rule: EnvironmentRules | None) -> bool:
    """Whether it is known that the gate will refuse for it, whichever commit is meant."""
    least = rule.least_permission if rule else Permission.WRITE
    found = await _permission(errand, wish, rule)
    return isinstance(found, Permission) and found < least


async def _meant(
    errand: Errand,
    wish: Wish,
    rule: EnvironmentRules | None,
    pull: PullRequest | Unknown | None,
    named: Once[Commit | StoppedError],
) -> Meant:
    commit, ref = wish.commit, wish.command.ref
    if commit is not None:
        if wish.trigger is Trigger.RELEASE:
            return Meant(Content(commit.sha), commit)
        is_head = isinstance(pull, PullRequest) and pull.head_sha == commit.sha
        return Meant(
            Content(commit.sha, commit.branch),
            is_head=is_head and _is_of_head(errand, wish, pull),
        )
    if isinstance(pull, Unknown):
        return Meant(Content(pull))
    if pull is not None and _is_of_head(errand, wish, pull):
        is_by_name = ref is not None and not _is_head(pull, ref)
        return Meant(Content(pull.head_sha, ref if is_by_name else None), is_head=True)
    if ref is not None and _DIGITS.fullmatch(ref) and await _lacks_permission(errand, wish, rule):
        return Meant(Content(NOT_LOOKED_UP))
    known = wish.known_as.branch if wish.known_as else None
    likeliest = known or (pull.base_ref if pull else None)
    return _known_by(await named.get(), likeliest, errand.address)


def _known_by(found: Commit | StoppedError, likeliest: str | None, address: str) -> Meant:
    if isinstance(found, Commit):
        if found.branch == found.ref:
            return Meant(Content(found.sha, found.ref))
        return Meant(Content(found.sha), replace(found, branch=likeliest))
    if found.reason.code is Code.REF_UNKNOWN:
        return Meant(Content(None))
    if found.reason.code in GITHUB_PASSES:
        # Without a token git cannot ask; the delivery is tried again.
        raise found
    return Meant(Content(Unknown(f"git ls-remote {address}", found.reason.fact)))


async def _named(errand: Errand, wish: Wish) -> Commit | StoppedError:
    """What the command's ref is at; git is asked once, also for what there is not."""
    ref = wish.command.ref or errand.repository.default_branch
    try:
        return await errand.desk.deployer.resolve(errand.address, ref)
    except StoppedError as stopped:
        return stopped


async def _begun(named: Once[Commit | StoppedError], wish: Wish) -> None:
    """Asked beside the first look, where a name is not likely to be the head's."""
    ref = wish.command.ref
    if wish.commit is None and ref is not None and not _DIGITS.fullmatch(ref):
        await named.get()


def _is_of_head(errand: Errand, wish: Wish, pull: PullRequest | Unknown | None) -> bool:
    """Whether the pull request's head is meant; what else is meant needs less to be known of it."""
    ref = wish.command.ref
    if not isinstance(pull, PullRequest) or ref is None or _is_head(pull, ref):
        return True
    return ref == pull.head_ref and not pull.is_fork(errand.repository)


def _is_head(pull: PullRequest, ref: str) -> bool:
    return is_sha(ref) and pull.head_sha.startswith(ref.lower())
