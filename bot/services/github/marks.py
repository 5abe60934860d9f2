"""Our marks on a repository: each is made once, however often its answer is lost."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

from github import Github
from github.GithubObject import NotSet
from github.Issue import Issue
from github.IssueComment import IssueComment

from bot.services.github import sizes
from bot.services.github.checks import slug_of, statuses_at
from bot.services.github.nodes import Kind
from bot.services.github.orders import CheckReport, DeploymentState, Reaction
from bot.services.github.place import Place
from bot.services.github.pull_request import login_of
from bot.services.github.raw import get, patch, post
from bot.services.github.threads import PER_PAGE


@dataclass(frozen=True)
class _Made:
    """Something on GitHub, as REST and as GraphQL know it."""

    id: int
    node: str | None


@dataclass(frozen=True)
class _Status:
    """A deployment's status, as it is compared with the newest."""

    state: str
    description: str
    target_url: str


class Marks(Place):
    """Comments, reactions, checks and deployments."""

    async def react(self, comment: int, content: Reaction) -> None:
        """Put our reaction on a comment; a second time changes nothing."""
        await self._ask(
            f"reacting to comment {comment}",
            lambda github: self._comment(github, comment).create_reaction(content),
        )

    async def create_comment(self, number: int, body: str, *, marker: str) -> int:
        """Comment; the id. The comment ends with the marker."""
        author = await self._access.author()
        text = sizes.with_marker(body, marker)
        made = await self._create(
            f"commenting on {number}",
            lambda github: _made(self._issue(github, number).create_comment(text)),
            lambda github: _find_comment(self._issue(github, number), marker, author),
        )
        return self._met(Kind.COMMENT, made)

    async def edit_comment(self, comment: int, body: str, *, marker: str = "") -> bool:
        """Replace a comment's text and end it with the marker; False where it is gone."""
        text = sizes.with_marker(body, marker)
        path = f"{self._path}/issues/comments/{comment}"
        done = await self._find(
            f"editing comment {comment}", lambda github: patch(github, path, {"body": text})
        )
        if done is not None:
            self._met(Kind.COMMENT, _Made(comment, done.get("node_id")))
        return done is not None

    async def find_comment(self, number: int, marker: str) -> int | None:
        """Our own comment that ends with this marker; nobody else's is looked at."""
        author = await self._access.author()
        found = await self._ask(
            f"looking for our comment on {number}",
            lambda github: _find_comment(self._issue(github, number), marker, author),
        )
        return self._met(Kind.COMMENT, found) if found else None

    async def create_check(
        self, sha: str, name: str, report: CheckReport, *, external_id: str
    ) -> int:
        """Report a check on a commit; the id. `external_id` tells it from others of its name."""
        own_app = await self._access.slug()
        first = report.fields(report.annotations[: sizes.ANNOTATIONS])
        made = await self._create(
            f"creating the check {name}",
            lambda github: _made(
                self._repository(github).create_check_run(
                    name, sha, external_id=external_id, **first
                )
            ),
            lambda github: self._look_for_check(github, sha, name, external_id, own_app),
        )
        check = self._met(Kind.CHECK, made)
        await self._annotate(check, report, sizes.ANNOTATIONS)
        return check

    async def find_check(self, sha: str, name: str, *, external_id: str) -> int | None:
        """Our own check of this name and `external_id` on a commit."""
        own_app = await self._access.slug()
        found = await self._ask(
            f"looking for the check {name}",
            lambda github: self._look_for_check(github, sha, name, external_id, own_app),
        )
        return self._met(Kind.CHECK, found) if found else None

    async def set_status(self, sha: str, context: str, text: str, *, passes: bool) -> None:
        """Say how a commit stands, in place of what was said there; for whom GitHub lets write no check."""
        body = {
            "state": "success" if passes else "failure",
            "context": context,
            "description": sizes.cut_line(text, sizes.STATUS_DESCRIPTION),
        }
        path = f"{self._path}/statuses/{sha}"
        # Said twice it is the same: the last one counts.
        await self._ask(f"setting the status {context}", lambda github: post(github, path, body))

    async def has_status(self, sha: str, context: str) -> bool:
        """Whether a commit has a status of this context, whoever said it."""
        path = f"{self._path}/commits/{sha}/status"
        found = await self._ask(
            f"looking for the status {context}", lambda github: statuses_at(github, path)
        )
        return any(each["context"] == context for each in found)

    async def update_check(
        self, check: int, report: CheckReport, *, was_annotated: bool = True
    ) -> None:
        """Show this instead. Annotations stay: those that are there are not sent again.

        Whether some are there is looked up, which takes a call, unless `was_annotated` is false.
        """
        shown = 0
        if report.annotations and was_annotated:
            call = f"reading check {check}"
            shown = await self._ask(call, lambda github: self._annotations(github, check))
        end = min(shown + sizes.ANNOTATIONS, len(report.annotations))
        new = report.annotations[shown:end]
        call, edit = f"updating check {check}", partial(self._edit_check, check, report.fields(new))
        if not new:
            await self._ask(call, edit)
            return
        # What is appended must not be sent twice, and comes with all the rest or not at all.
        await self._create(call, edit, partial(self._has_annotations, check, end))
        await self._annotate(check, report, end)

    async def create_deployment(
        self,
        sha: str,
        environment: str,
        *,
        payload: Mapping[str, str],
        description: str = "",
        transient: bool = False,
        production: bool = False,
    ) -> int:
        """Open a deployment; the id. `payload` tells it from others of this commit and place.

        Nothing is merged and no check is waited for: the gate has decided.
        """
        made = await self._create(
            f"creating a deployment to {environment}",
            lambda github: _made(
                self._repository(github).create_deployment(
                    sha,
                    auto_merge=False,
                    required_contexts=[],
                    payload=dict(payload),
                    environment=environment,
                    description=sizes.cut_line(description, sizes.STATUS_DESCRIPTION),
                    transient_environment=transient,
                    production_environment=production,
                )
            ),
            lambda github: self._look_for_deployment(github, sha, environment, payload),
        )
        return self._met(Kind.DEPLOYMENT, made)

    async def find_deployment(
        self, sha: str, environment: str, *, payload: Mapping[str, str]
    ) -> int | None:
        """The deployment of this commit to this place that has this payload."""
        found = await self._ask(
            f"looking for the deployment to {environment}",
            lambda github: self._look_for_deployment(github, sha, environment, payload),
        )
        return self._met(Kind.DEPLOYMENT, found) if found else None

    async def deployment_status(
        self,
        deployment: int,
        state: DeploymentState,
        *,
        description: str = "",
        url: str = "",
        environment_url: str = "",
        was_tried: bool = False,
    ) -> None:
        """Say how a deployment stands; `url` leads to its log. One that was tried may be there."""
        status = _Status(state, sizes.cut_line(description, sizes.STATUS_DESCRIPTION), url)
        call = f"setting deployment {deployment} to {state}"
        look = partial(self._look_for_status, deployment, status)
        if was_tried and await self._ask(call, look) is not None:
            return
        await self._create(
            call,
            lambda github: _made(
                self._repository(github)
                .get_deployment(deployment)
                .create_status(
                    state,
                    description=status.description,
                    target_url=url or NotSet,
                    environment_url=environment_url or NotSet,
                )
            ),
            look,
        )

    def knows_comment(self, comment: int, node: str | None) -> None:
        """Note GraphQL's id of a comment that is not ours."""
        self._access.nodes.learn(self.full_name, Kind.COMMENT, comment, node)

    def _met(self, kind: Kind, made: _Made) -> int:
        self._access.nodes.learn(self.full_name, kind, made.id, made.node)
        return made.id

    def _issue(self, github: Github, number: int) -> Issue:
        return self._repository(github).get_issue(number)

    def _comment(self, github: Github, comment: int) -> IssueComment:
        # No number is needed: a comment's address has none.
        return self._issue(github, 0).get_comment(comment)

    async def _annotate(self, check: int, report: CheckReport, shown: int) -> None:
        """Append those annotations that are not shown yet, as many at a time as GitHub takes."""
        for start in range(shown, len(report.annotations), sizes.ANNOTATIONS):
            end = min(start + sizes.ANNOTATIONS, len(report.annotations))
            output = report.output(report.annotations[start:end])
            await self._create(
                f"annotating check {check}",
                partial(self._edit_check, check, {"output": output}),
                partial(self._has_annotations, check, end),
            )

    def _edit_check(self, check: int, fields: dict[str, Any], github: Github) -> bool:
        self._repository(github).get_check_run(check).edit(**fields)
        return True

    def _has_annotations(self, check: int, count: int, github: Github) -> bool | None:
        return self._annotations(github, check) >= count or None

    def _annotations(self, github: Github, check: int) -> int:
        return self._repository(github).get_check_run(check).output.annotations_count

    def _look_for_check(
        self, github: Github, sha: str, name: str, external_id: str, own_app: str | None
    ) -> _Made | None:
        commit = self._repository(github).get_commit(sha)
        found = commit.get_check_runs(check_name=name, filter="all")
        return next(
            (
                _Made(run.id, run.node_id)
                for run in found
                if run.external_id == external_id and own_app in {None, slug_of(run.app)}
            ),
            None,
        )

    def _look_for_deployment(
        self, github: Github, sha: str, environment: str, payload: Mapping[str, str]
    ) -> _Made | None:
        # PyGithub's objects refuse the payloads of others, which may be any JSON.
        found = get(
            github,
            f"{self._path}/deployments",
            sha=sha,
            environment=environment,
            per_page=PER_PAGE,
        )
        return next(
            (
                _Made(each["id"], each.get("node_id"))
                for each in found
                if each["payload"] == payload
            ),
            None,
        )

    def _look_for_status(self, deployment: int, status: _Status, github: Github) -> _Made | None:
        """The newest status, where it is this one."""
        found = get(github, f"{self._path}/deployments/{deployment}/statuses", per_page=1)
        for newest in found[:1]:
            if all((newest.get(name) or "") == text for name, text in vars(status).items()):
                return _Made(newest["id"], newest.get("node_id"))
        return None


def _find_comment(issue: Issue, marker: str, author: str) -> _Made | None:
    """The first comment of the author that ends with the marker.

    Only its end counts: further up a comment may quote a log, in which anything can stand.
    """
    for comment in issue.get_comments():
        if login_of(comment.user) == author and comment.body.rstrip().endswith(marker):
            return _Made(comment.id, comment.node_id)
    return None


class _New(Protocol):
    """Something that PyGithub has made."""

    @property
    def id(self) -> int: ...

    @property
    def node_id(self) -> str: ...


def _made(new: _New) -> _Made:
    """What is new."""
    if isinstance(new.id, int):
        return _Made(new.id, new.node_id)
    # PyGithub takes any answer for the thing itself, such as a page of a proxy between us and GitHub.
    raise ValueError("an answer that has no id")
