"""What is true of a repository and its pull requests."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar
from urllib.parse import quote

from github import Github
from github.ContentFile import ContentFile
from pydantic import BaseModel, TypeAdapter

from bot.domain.github import Check, Permission, PullRequest, Repository, ReviewState
from bot.domain.reasons import Code, StoppedError
from bot.services.github import further, graphql
from bot.services.github.connection import HIDDEN, Work
from bot.services.github.further import Further, Question
from bot.services.github.look import Look, file_in, permission_in
from bot.services.github.place import Place
from bot.services.github.pull_request import (
    Ourselves,
    by_graphql,
    by_rest,
    checks_of,
    from_graphql,
    opinions_by_rest,
    runs_of,
    statuses_of,
)
from bot.services.github.raw import Json, get
from bot.services.together import both, together

T = TypeVar("T")

_ROLES = {each.label: each for each in Permission}
_CONTAINED = frozenset({"behind", "identical"})
"""How a commit that is part of a branch compares with it."""
_FULL_SHA = re.compile("[0-9a-f]{40}")
_HEADS = "refs/heads/"
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


class Facts(Place):
    """Questions; each may be asked again without harm."""

    _is_left_to_rest = False
    """Whether GraphQL would not say all that there is to know of a pull request here."""

    async def repository(self) -> Repository:
        """Its name as GitHub writes it, its default branch and where git finds it."""
        return await self._ask(
            "reading its name", lambda github: _repository(get(github, self._path))
        )

    async def permission(self, login: str) -> Permission:
        """What a person may really do, by role; none where there is no such person."""
        path = f"{self._path}/collaborators/{quote(login, safe='')}/permission"
        found = await self._find(
            f"reading the permission of {login}", lambda github: _permission(get(github, path))
        )
        return Permission.NONE if found is None else found

    async def public_email(self, login: str) -> str | None:
        """The address that a person shows; GitHub lets them show only what they confirmed."""
        path = f"/users/{quote(login, safe='')}"
        return await self._find(
            f"reading the address of {login}", lambda github: get(github, path).get("email")
        )

    async def is_team_member(self, team: str, login: str) -> bool:
        """Whether a person is in `org/slug`; an invitation is not yet membership.

        Errors: also github_refused where the team is not there, or not ours to see.
        """
        org, _, slug = team.partition("/")
        path = f"/orgs/{quote(org, safe='')}/teams/{quote(slug, safe='')}"
        found = await self._find(
            f"looking for {login} in {team}",
            lambda github: get(github, f"{path}/memberships/{quote(login, safe='')}")["state"],
        )
        if found is None:
            # GitHub says the same of who is no member and of a team that does not exist.
            await self._ask(f"reading the team {team}", lambda github: get(github, path)["slug"])
        return found == "active"

    async def look(self, number: int, *, path: str, login: str) -> Look | None:
        """What a command on a pull request needs, in one call; None where a server cannot."""
        who = await self._ourselves()
        found = await self._by_graphql(
            f"reading pull request {number}",
            lambda github: graphql.look(
                github, self._owner, self._name, number, path=path, login=login
            ),
        )
        if found is None:
            return None
        answer, checks = found
        pull = from_graphql(number, answer.pull_request, checks, who=who)
        return Look(pull, *file_in(answer), permission_in(answer, login))

    async def pull_request(self, number: int) -> PullRequest:
        """The pull request as it is now, without what `behind_by` and `head_moved_at` say.

        By REST also without its checks and its review, which only some rules ask for.
        """
        who = await self._ourselves()
        call = f"reading pull request {number}"
        found = await self._by_graphql(
            call,
            lambda github: by_graphql(github, self._owner, self._name, number, who=who),
        )
        if found is not None:
            return found
        return await self._ask(call, lambda github: by_rest(github, self.full_name, number))

    async def checks(self, sha: str) -> tuple[Check, ...]:
        """Those of a commit, without our own; what its branch asks for is not known here."""
        own_app = await self._access.slug()
        runs, statuses = await both(
            self._ask(
                f"reading the checks of {sha}",
                lambda github: runs_of(github, self.full_name, sha, own_app=own_app),
            ),
            self._ask(
                f"reading the statuses of {sha}",
                lambda github: statuses_of(github, f"{self._path}/commits/{sha}/status"),
            ),
        )
        return checks_of([*runs, *statuses])

    async def further(self, question: Question) -> Further | None:
        """What the gate wants to know beyond the first look, in one call; None: by REST.

        So it is where GitHub does not answer: comparing with many branches can take it too long.
        """
        own_app = await self._access.slug()
        try:
            found = await self._by_graphql(
                f"reading more of {question.sha or question.login}",
                lambda github: further.ask(
                    github, self._owner, self._name, question, own_app=own_app
                ),
            )
        except StoppedError as stopped:
            if stopped.reason.code is not Code.GITHUB_UNREACHABLE:
                raise
            return None
        if found is None or question.pull_request is None or found.in_pull_request is not None:
            return found
        is_own = question.sha in await self._commits(question.pull_request)
        return replace(found, in_pull_request=is_own)

    async def review(self, pull: PullRequest) -> ReviewState:
        """Approved where nobody asks for changes and one who approves may write."""
        if pull.review is not None:
            return pull.review
        wants_changes, approving = await self._ask(
            f"reading the reviews of pull request {pull.number}",
            lambda github: opinions_by_rest(github, self.full_name, pull.number, pull.head_sha),
        )
        if wants_changes:
            return ReviewState.CHANGES_REQUESTED
        permissions = await together(self.permission(login) for login in approving)
        if any(each >= Permission.WRITE for each in permissions):
            return ReviewState.APPROVED
        return ReviewState.NONE

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

    async def commit_of_tag(self, tag: str) -> str:
        """Its full SHA. Errors: also github_refused where there is no such tag."""
        path = f"{self._path}/commits/tags/{quote(tag)}"
        return await self._ask(
            f"reading the commit of {tag}", lambda github: str(get(github, path)["sha"])
        )

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

    async def branches(self, beginning: str) -> Mapping[str, str]:
        """The heads of all branches whose names begin so."""
        return await self._ask(
            f"listing the branches {beginning}*",
            lambda github: {
                each.ref.removeprefix(_HEADS): each.object.sha
                # It is quoted there.
                for each in self._repository(github).get_git_matching_refs(f"heads/{beginning}")
            },
        )

    async def default_branch_file(self, path: str) -> bytes | None:
        """A file of the default branch; None where there is none."""
        return await self._file(
            f"reading {path} of the default branch",
            path,
            lambda github: self._repository(github).get_contents(path),
        )

    async def file_at(self, path: str, sha: str) -> bytes | None:
        """A file of a commit, a fork's too; None where there is none."""
        return await self._file(
            f"reading {path} at {sha}",
            path,
            lambda github: self._repository(github).get_contents(path, ref=sha),
        )

    async def names_at_root(self, ref: str) -> frozenset[str]:
        """Of all files, folders and links of a commit or branch."""
        found = await self._find(
            f"listing the files at {ref}",
            lambda github: self._repository(github).get_contents("", ref=ref),
        )
        return frozenset(each.name for each in found) if isinstance(found, list) else frozenset()

    async def _file(self, call: str, path: str, read: Callable[[Github], object]) -> bytes | None:
        found = await self._find(call, read)
        if not isinstance(found, ContentFile) or found.type != "file":
            return None
        if found.encoding != "base64":
            raise StoppedError(
                Code.GITHUB_REFUSED,
                f"{path} of {self.full_name} is too large to be read ({found.size} bytes)",
                next_step="Keep the file under 1 MB.",
            )
        return found.decoded_content

    async def _ourselves(self) -> Ourselves:
        app, author = await both(self._access.slug(), self._access.author())
        return Ourselves(app, author)

    async def _by_graphql(self, call: str, work: Work[T | None]) -> T | None:
        """None where it has to be asked by REST, as is then all that is asked here."""
        if self._access.lacks_graphql or self._is_left_to_rest:
            return None
        try:
            found = await self._ask(call, work)
        except graphql.NoGraphQLError:
            self._access.lacks_graphql = True
            return None
        self._is_left_to_rest = found is None
        return found

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


def _repository(found: Json) -> Repository:
    return Repository(
        owner=found["owner"]["login"],
        name=found["name"],
        default_branch=found["default_branch"],
        clone_url=found["clone_url"],
    )


def _permission(found: Json) -> Permission:
    # A role of the organisation's own counts as the one that it is based on.
    role = _ROLES.get(found.get("role_name") or "")
    return role if role is not None else _ROLES[found["permission"]]
