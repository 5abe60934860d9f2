"""Whether a commit belongs to where the environment lets commits come from."""

from collections.abc import Mapping, Sequence
from os.path import commonprefix

from bot.domain.deployment import Commit
from bot.domain.gate_facts import Unknown
from bot.domain.gate_rules import EnvironmentRules
from bot.domain.github import PullRequest
from bot.domain.paths import beginning, is_pattern
from bot.services.together import both, together
from handlers.commands.errand import Errand, known

MOST_BRANCHES = 10
"""Of those that patterns allow: each takes a call."""


async def in_pull_request(errand: Errand, pull: PullRequest | None, sha: str) -> bool | Unknown:
    """Whether it is one of the pull request's own."""
    if pull is None:
        return False
    asking = errand.client.commit_belongs(sha, pull_request=pull.number, branches=())
    return await known(f"the commits of #{pull.number}", asking)


async def in_branches(
    errand: Errand, rule: EnvironmentRules | None, commit: Commit
) -> bool | Unknown:
    """Whether it is part of a branch that the environment allows, `commit.branch` the likeliest.

    Two round trips: those that are named, and meanwhile which there are that patterns allow.
    """
    if rule is None:
        return False
    default = errand.repository.default_branch
    names = [each for each in rule.allowed_branches(default) if not is_pattern(each)]
    if commit.branch is not None and rule.allows_branch(commit.branch, default):
        names.insert(0, commit.branch)
    named = tuple(dict.fromkeys(names))
    found, there = await both(_part_of(errand, commit.sha, named), _matching(errand, rule))
    if found is True:
        return True
    if isinstance(there, Unknown):
        return there
    if commit.sha in there.values():
        return True
    more = [each for each in there if each not in named]
    return _any_of([found, await _part_of_any(errand, commit.sha, more)])


async def _part_of_any(errand: Errand, sha: str, branches: Sequence[str]) -> bool | Unknown:
    looked_at = branches[:MOST_BRANCHES]
    found = _any_of(await together(_part_of(errand, sha, (each,)) for each in looked_at))
    if found is not False or len(looked_at) == len(branches):
        return found
    fact = (
        f"it is in none of the first {MOST_BRANCHES} of {len(branches)} that may be asked for;"
        " name the branch in its place"
    )
    return Unknown(f"the branches of {sha}", fact)


def _any_of(found: Sequence[bool | Unknown]) -> bool | Unknown:
    if any(each is True for each in found):
        return True
    return next((each for each in found if isinstance(each, Unknown)), False)


async def _part_of(errand: Errand, sha: str, branches: Sequence[str]) -> bool | Unknown:
    if not branches:
        return False
    asking = errand.client.commit_belongs(sha, pull_request=None, branches=branches)
    return await known(f"whether {sha} is in {', '.join(branches)}", asking)


async def _matching(errand: Errand, rule: EnvironmentRules) -> Mapping[str, str] | Unknown:
    """The branches that its patterns allow, with their heads."""
    default = errand.repository.default_branch
    patterns = [each for each in rule.allowed_branches(default) if is_pattern(each)]
    if not patterns:
        return {}
    # Of the letters: folders say nothing here.
    begin = commonprefix([beginning(each) for each in patterns])  # noqa: RUF071
    found = await known("which branches there are", errand.client.branches(begin))
    if isinstance(found, Unknown):
        return found
    return {name: sha for name, sha in found.items() if rule.allows_branch(name, default)}
