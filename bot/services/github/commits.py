"""What is true of pull requests and commits: by GraphQL, or by REST where that does not say it."""

import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import TypeVar
from urllib.parse import quote

from pydantic import BaseModel, TypeAdapter

from bot.domain.github import PullRequest
from bot.domain.reasons import Code, StoppedError
from bot.services.github import further, graphql, look
from bot.services.github.connection import HIDDEN, Work
from bot.services.github.further import NOTHING_MORE, Further, Question
from bot.services.github.graphql_answers import RepositoryAnswer
from bot.services.github.look import Look, Sight
from bot.services.github.nodes import Kind
from bot.services.github.pull_request import (
    Ourselves,
    by_graphql,
    by_rest,
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

    async def look(
        self,
        number: int,
        *,
        path: str,
        logins: tuple[str, ...],
        question: Question = NOTHING_MORE,
    ) -> Look | None:
        """What a command on a pull request needs, in one call; None where a server cannot.

        The question, to which `further` has the answer, is asked with it where that can be.
        """
        call, sight = f"reading pull request {number}", Sight(number, path, logins)
        who = await self._ourselves()

        def asking(sight: Sight) -> Work[tuple[Look, RepositoryAnswer] | None]:
            return lambda github: look.ask(
                github,
                self._owner,
                self._name,
                sight,
                who=who,
                rulesets=not self._access.no_rulesets.is_known,
            )

        found = None
        if not question.is_empty:
            more = asking(replace(sight, question=question))
            found = await self._if_answered(lambda: self._ask_older(self._try_once, call, more))
        if found is None:
            found = await self._by_graphql(call, asking(sight))
        if found is None:
            return None
        seen, answer = found
        learn = self._access.nodes.learn
        learn(self.full_name, Kind.REPOSITORY, 0, answer.id)
        learn(self.full_name, Kind.PULL_REQUEST, number, answer.pull_request.id)
        if seen.further is None:
            return seen
        return replace(seen, further=await self._completed(seen.further, question))

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
        """What the gate wants to know beyond the first look, in one call; None: by REST."""
        own = await self._access.own_checks()
        found = await self._if_answered(
            # Once: comparing with many branches can take GitHub too long.
            lambda: self._try_once(
                f"reading more of {question.sha or question.login}",
                lambda github: further.ask(github, self._owner, self._name, question, own=own),
            )
        )
        return None if found is None else await self._completed(found, question)

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
        newest = max(pushes or (), key=lambda push: push.timestamp, default=None)
        # A head that was here before may have come back by a push that is not listed yet.
        return newest.timestamp if newest and newest.after == pull.head_sha else None

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
            found = await self._ask_older(self._ask, call, work)
        except graphql.NoGraphQLError:
            self._access.no_graphql.note()
            return None
        self._is_left_to_rest = found is None
        return found

    async def _if_answered(self, asking: Callable[[], Awaitable[T | None]]) -> T | None:
        """What more than the first look says; None where GitHub does not: there is another way."""
        access = self._access
        if access.no_graphql.is_known or access.no_further.is_known or self._is_left_to_rest:
            return None
        try:
            return await asking()
        except graphql.NoGraphQLError:
            access.no_further.note()
        except StoppedError as stopped:
            if stopped.reason.code is not Code.GITHUB_UNREACHABLE:
                raise
        return None

    async def _ask_older(
        self, ask: Callable[[str, Work[T]], Awaitable[T]], call: str, work: Work[T]
    ) -> T:
        """Where the server does not know all words, once more without the newest."""
        try:
            return await ask(call, work)
        except graphql.OlderGraphQLError:
            if self._access.no_rulesets.is_known:
                raise
            self._access.no_rulesets.note()
        return await ask(call, work)

    async def _completed(self, found: Further, question: Question) -> Further:
        """With what the newest commits of a pull request do not say."""
        if question.pull_request is None or found.in_pull_request is not None:
            return found
        is_own = question.sha in await self._commits(question.pull_request)
        return replace(found, in_pull_request=is_own)

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
