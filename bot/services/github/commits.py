"""What is true of pull requests and commits: by GraphQL, or by REST where that does not say it."""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar
from urllib.parse import quote

from pydantic import BaseModel, TypeAdapter

from bot.domain.github import PullRequest
from bot.domain.reasons import Code, StoppedError
from bot.services.github import further, graphql
from bot.services.github.connection import HIDDEN, Work
from bot.services.github.further import Further, Question
from bot.services.github.look import Look, file_in, permission_in
from bot.services.github.nodes import Kind
from bot.services.github.pull_request import (
    Ourselves,
    by_graphql,
    by_rest,
    from_graphql,
)
from bot.services.github.raw import get
from bot.services.github.verdicts import Verdicts
from bot.services.together import both

T = TypeVar("T")

_CONTAINED = frozenset({"behind", "identical"})
"""How a commit that is part of a branch compares with it."""
_FULL_SHA = re.compile("[0-9a-f]{40}")
_LATEST = 30
"""Pushes that are looked at."""


class Comparison(BaseModel):
    """Two commits, the second seen from the first."""

    status: str
    behind_by: int


class Push(BaseModel):
    """A branch's move, at GitHub's own time."""

    after: str
    timestamp: str


_PUSHES = TypeAdapter(tuple[Push, ...])


class Commits(Verdicts):
    """Questions; each may be asked again without harm."""

    _is_left_to_rest = False
    """Whether GraphQL would not say all that there is to know of a pull request here."""

    async def look(self, number: int, *, path: str, login: str) -> Look | None:
        """What a command on a pull request needs, in one call; None where a server cannot."""
        who = await self._ourselves()
        found = await self._by_graphql(
            f"reading pull request {number}",
            lambda github: graphql.look(
                github,
                self._owner,
                self._name,
                number,
                path=path,
                login=login,
                rulesets=not self._access.no_rulesets.is_known,
            ),
        )
        if found is None:
            return None
        answer, nodes = found
        learn = self._access.nodes.learn
        learn(self.full_name, Kind.REPOSITORY, 0, answer.id)
        learn(self.full_name, Kind.PULL_REQUEST, number, answer.pull_request.id)
        pull = from_graphql(number, answer.pull_request, nodes, who=who)
        return Look(pull, *file_in(answer), permission_in(answer, login))

    async def pull_request(self, number: int) -> PullRequest:
        """The pull request as it is now, without what `behind_by` and `head_moved_at` say.

        By REST also without its checks and its review, which only some rules ask for; and without its
        checks where GraphQL does not say them all.
        """
        who = await self._ourselves()
        call = f"reading pull request {number}"
        found = await self._by_graphql(
            call,
            lambda github: by_graphql(
                github,
                self._owner,
                self._name,
                number,
                who=who,
                rulesets=not self._access.no_rulesets.is_known,
            ),
        )
        if found is not None:
            return found
        return await self._ask(call, lambda github: by_rest(github, self.full_name, number))

    async def further(self, question: Question) -> Further | None:
        """What the gate wants to know beyond the first look, in one call; None: by REST.

        So it is where GitHub does not answer: comparing with many branches can take it too long.
        """
        access, own = self._access, await self._access.own_checks()
        if access.no_graphql.is_known or access.no_further.is_known or self._is_left_to_rest:
            return None
        try:
            # Tried once: there is another way.
            found = await (await self._connection()).try_once(
                self._named(f"reading more of {question.sha or question.login}"),
                lambda github: further.ask(github, self._owner, self._name, question, own=own),
            )
        except graphql.NoGraphQLError:
            access.no_further.note()
            return None
        except StoppedError as stopped:
            if stopped.reason.code is not Code.GITHUB_UNREACHABLE:
                raise
            return None
        if found is None or question.pull_request is None or found.in_pull_request is not None:
            return found
        is_own = question.sha in await self._commits(question.pull_request)
        return replace(found, in_pull_request=is_own)

    async def behind_by(self, pull: PullRequest) -> int | None:
        """Commits of the base branch that the head does not have; None where GitHub cannot say."""
        compared = await self._compare(pull.base_ref, pull.head_sha)
        return None if compared is None else compared.behind_by

    async def head_moved_at(self, pull: PullRequest) -> str | None:
        """When GitHub saw the push of the head; a commit's own dates are whatever its author says."""
        if pull.head_repository is None:
            return None
        path = f"/repos/{pull.head_repository}/activity"
        pushes = await self._find(
            f"reading when {pull.head_ref} was pushed",
            lambda github: _PUSHES.validate_python(
                get(github, path, ref=f"refs/heads/{pull.head_ref}", per_page=_LATEST)
            ),
            none_for=HIDDEN,
        )
        if not any(push.after == pull.head_sha for push in pushes or ()):
            return None
        return max(push.timestamp for push in pushes or ())

    async def commit_belongs(
        self, sha: str, *, pull_request: int | None, branches: Sequence[str]
    ) -> bool:
        """Whether a commit (its full SHA) is one of the pull request's, or part of a branch.

        That GitHub finds it says nothing: it finds the commits of every fork here.
        """
        if not _FULL_SHA.fullmatch(sha):
            return False
        if pull_request is not None and sha in await self._commits(pull_request):
            return True
        for branch in branches:
            compared = await self._compare(branch, sha)
            if compared is not None and compared.status in _CONTAINED:
                return True
        return False

    async def _ourselves(self) -> Ourselves:
        own, author = await both(self._access.own_checks(), self._access.author())
        return Ourselves(own, author)

    async def _by_graphql(self, call: str, work: Work[T | None]) -> T | None:
        """None where it has to be asked by REST, as is then all that is asked here."""
        if self._access.no_graphql.is_known or self._is_left_to_rest:
            return None
        try:
            found = await self._ask_older(call, work)
        except graphql.NoGraphQLError:
            self._access.no_graphql.note()
            return None
        self._is_left_to_rest = found is None
        return found

    async def _ask_older(self, call: str, work: Work[T | None]) -> T | None:
        """Where the server does not know all words, once more without the newest."""
        try:
            return await self._ask(call, work)
        except graphql.OlderGraphQLError:
            if self._access.no_rulesets.is_known:
                raise
            self._access.no_rulesets.note()
        return await self._ask(call, work)

    async def _commits(self, number: int) -> frozenset[str]:
        """A pull request's commits, of which GitHub lists 250 at most."""
        found = await self._find(
            f"listing the commits of pull request {number}",
            lambda github: frozenset(
                each.sha for each in self._repository(github).get_pull(number).get_commits()
            ),
        )
        return found or frozenset()

    async def _compare(self, base: str, head: str) -> Comparison | None:
        """How `head` compares with `base`; None where GitHub cannot say."""
        path = f"{self._path}/compare/{quote(base)}...{quote(head)}"
        return await self._find(
            f"comparing {head} with {base}",
            lambda github: Comparison.model_validate(get(github, path, per_page=1)),
        )
