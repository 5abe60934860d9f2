"""What the gate wants to know of a commit: its checks, and whether it belongs where commits come from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from os.path import commonprefix

from bot.domain.deployment import Commit
from bot.domain.gate_facts import Content, Unknown
from bot.domain.gate_rules import EnvironmentRules
from bot.domain.github import Check, PullRequest
from bot.domain.paths import beginning, is_pattern
from bot.services.github import Further, Question
from bot.services.together import both, together
from handlers.commands.errand import Errand, known

_MOST_BEGINNINGS = 5
MOST_BRANCHES = 10
"""Of those that patterns allow, by REST: each takes a call."""


@dataclass(frozen=True)
class _Places:
    """Where the environment lets commits come from."""

    named: tuple[str, ...] = ()
    """Branches, the likeliest first."""
    patterns: tuple[str, ...] = ()

    @property
    def beginning(self) -> str | None:
        """Of the names of all branches that the patterns allow."""
        if not self.patterns:
            return None
        # Of the letters: folders say nothing here.
        return commonprefix([beginning(each) for each in self.patterns])  # noqa: RUF071

    @property
    def beginnings(self) -> tuple[str, ...]:
        """Likewise, each by itself as far as a query takes them."""
        found: list[str] = []
        for each in sorted({beginning(pattern) for pattern in self.patterns}):
            if not found or not each.startswith(found[-1]):
                found.append(each)
        if len(found) > _MOST_BEGINNINGS and self.beginning is not None:
            return (self.beginning,)
        return tuple(found)


@dataclass(frozen=True)
class Meant:
    """The commit that is asked for or was brought."""

    content: Content
    """With its branch, where it is that by which it is known."""
    searched: Commit | None = None
    """Where it has to be found out what it is a part of; `branch` is the likeliest."""
    is_head: bool = False
    """Whether the pull request's head is meant, whose checks are known with it."""

    @property
    def sha(self) -> str | None:
        """Where it is known."""
        return self.content.sha if isinstance(self.content.sha, str) else None


def question_about(
    errand: Errand,
    rule: EnvironmentRules | None,
    pull: PullRequest | Unknown | None,
    meant: Meant,
) -> Question:
    """What `completed` wants to know."""
    sha = meant.sha
    if sha is None:
        return Question()
    wants_checks = _wants_checks(rule, pull, meant) and _with_head(pull, sha) is None
    question = Question(sha, checks=wants_checks)
    if meant.searched is None:
        return question
    places = _places(errand, rule, meant.searched)
    return replace(
        question,
        pull_request=pull.number if isinstance(pull, PullRequest) else None,
        branches=places.named,
        beginnings=places.beginnings,
    )


async def completed(
    errand: Errand,
    rule: EnvironmentRules | None,
    pull: PullRequest | Unknown | None,
    meant: Meant,
) -> Content:
    """The commit with its checks where the rules want some, and with what it is a part of.

    It is in the errand's further look. By REST these are two round trips: the branches that are
    named, and meanwhile which there are that patterns allow.
    """
    content, sha, searched = meant.content, meant.sha, meant.searched
    if sha is None:
        return content
    wants_checks = _wants_checks(rule, pull, meant)
    if searched is None and not wants_checks:
        return content
    found = await errand.further()
    said = found.checks if found is not None else None
    is_asked = wants_checks and said is None
    asking = _checks(errand, pull, sha) if is_asked else _as_it_is(said)
    if searched is None:
        return replace(content, checks=await asking)
    if found is not None:
        return replace(
            content,
            checks=await asking,
            in_pull_request=found.in_pull_request or False,
            in_branches=await _in_found(errand, rule, sha, found),
        )
    checks, (in_pull, in_branches) = await both(
        asking, both(_in_pull(errand, pull, sha), in_allowed_branch(errand, rule, searched))
    )
    return replace(content, checks=checks, in_pull_request=in_pull, in_branches=in_branches)


async def in_allowed_branch(
    errand: Errand, rule: EnvironmentRules | None, commit: Commit
) -> bool | Unknown:
    """Whether it is part of a branch that the environment allows, asked by REST."""
    if rule is None:
        return False
    sha, places = commit.sha, _places(errand, rule, commit)
    found, there = await both(part_of(errand, sha, places.named), _matching(errand, rule))
    if found is True:
        return True
    if isinstance(there, Unknown):
        return there
    if sha in there.values():
        return True
    more = [each for each in there if each not in places.named]
    return any_of([found, await _part_of_any(errand, sha, more)])


async def part_of(errand: Errand, sha: str, branches: Sequence[str]) -> bool | Unknown:
    """Whether it is part of one of these branches."""
    if not branches:
        return False
    asking = errand.client.commit_belongs(sha, pull_request=None, branches=branches)
    return await known(f"whether {sha} is in {', '.join(branches)}", asking)


def _wants_checks(
    rule: EnvironmentRules | None, pull: PullRequest | Unknown | None, meant: Meant
) -> bool:
    if rule is None or rule.checks is None or meant.is_head:
        return False
    if not isinstance(pull, PullRequest) or pull.head_sha != meant.sha:
        return True
    return pull.checks is None


def _with_head(pull: PullRequest | Unknown | None, sha: str) -> PullRequest | None:
    """The pull request, where this is its head: its base branch may ask for more checks."""
    return pull if isinstance(pull, PullRequest) and pull.head_sha == sha else None


def _places(errand: Errand, rule: EnvironmentRules | None, commit: Commit) -> _Places:
    if rule is None:
        return _Places()
    default = errand.repository.default_branch
    allowed = rule.allowed_branches(default)
    names = [each for each in allowed if not is_pattern(each)]
    if commit.branch is not None and rule.allows_branch(commit.branch, default):
        names.insert(0, commit.branch)
    return _Places(tuple(dict.fromkeys(names)), tuple(each for each in allowed if is_pattern(each)))


async def _in_found(
    errand: Errand, rule: EnvironmentRules | None, sha: str, found: Further
) -> bool | Unknown:
    default = errand.repository.default_branch
    if rule is None:
        return False
    if any(has and rule.allows_branch(name, default) for name, has in found.branches.items()):
        return True
    if found.are_all:
        return False
    there = await _matching(errand, rule)
    if isinstance(there, Unknown):
        return there
    more = [each for each in there if each not in found.branches]
    if sha in there.values():
        return True
    return _not_all_looked_at(sha, len(there) - len(more), len(there)) if more else False


async def _in_pull(errand: Errand, pull: PullRequest | Unknown | None, sha: str) -> bool | Unknown:
    """Whether it is one of the pull request's own."""
    if not isinstance(pull, PullRequest):
        return False
    asking = errand.client.commit_belongs(sha, pull_request=pull.number, branches=())
    return await known(f"the commits of #{pull.number}", asking)


async def _part_of_any(errand: Errand, sha: str, branches: Sequence[str]) -> bool | Unknown:
    looked_at = branches[:MOST_BRANCHES]
    found = any_of(await together(part_of(errand, sha, (each,)) for each in looked_at))
    if found is not False or len(looked_at) == len(branches):
        return found
    return _not_all_looked_at(sha, MOST_BRANCHES, len(branches))


def _not_all_looked_at(sha: str, looked_at: int, there: int) -> Unknown:
    fact = (
        f"it is in none of the first {looked_at} of {there} that may be asked for;"
        " name the branch in its place"
    )
    return Unknown(f"the branches of {sha}", fact)


def any_of(found: Sequence[bool | Unknown]) -> bool | Unknown:
    """Whether one of them is so: what is not known of one does not matter then."""
    if any(each is True for each in found):
        return True
    return next((each for each in found if isinstance(each, Unknown)), False)


async def _matching(errand: Errand, rule: EnvironmentRules) -> Mapping[str, str] | Unknown:
    """The branches that its patterns allow, with their heads."""
    default = errand.repository.default_branch
    begin = _places(errand, rule, Commit("", "")).beginning
    if begin is None:
        return {}
    found = await known("which branches there are", errand.client.branches(begin))
    if isinstance(found, Unknown):
        return found
    return {name: sha for name, sha in found.items() if rule.allows_branch(name, default)}


async def _checks(
    errand: Errand, pull: PullRequest | Unknown | None, sha: str
) -> tuple[Check, ...] | Unknown:
    client, with_head = errand.client, _with_head(pull, sha)
    asking = client.checks_of_head(with_head) if with_head else client.checks(sha)
    return await known(f"the checks of {sha}", asking)


async def _as_it_is(found: tuple[Check, ...] | None) -> tuple[Check, ...] | None:
    return found
