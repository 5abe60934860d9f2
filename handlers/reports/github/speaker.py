"""Says one thing of a deployment on GitHub, and keeps what is there."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace

from bot.domain.reasons import Code, StoppedError
from bot.services.github import Reaction
from bot.store.deployments import Deployments
from bot.store.reports import Reports
from handlers.reports.github.check import check_name, check_report
from handlers.reports.github.comment import ask_comment, failure_comment, progress_comment
from handlers.reports.github.deployment_status import deployment_state, description
from handlers.reports.github.marks import MARKS, Mark, Marks
from handlers.reports.github.origin import (
    Origin,
    ask_marker,
    comment_marker,
    failure_marker,
)
from handlers.reports.github.repository import Repository
from handlers.reports.github.safe import Safe
from handlers.reports.view import View


@dataclass(frozen=True)
class Wording:
    """What each mark shows of a view, as one text that is another when it has changed."""

    view: View
    safe: Safe

    def of(self, mark: Mark) -> str:
        """The text of a mark."""
        view, safe = self.view, self.safe
        match mark:
            case Mark.STATUS:
                return f"{view.outcome} {description(view, safe)}"
            case Mark.COMMENT:
                return progress_comment(view, safe)
            case Mark.CHECK:
                return repr(check_report(view, safe))
            case Mark.ASK:
                return ask_comment(view, safe)
            case Mark.FAILURE:
                return failure_comment(view, safe)
        # A deployment is made once and never changed, and only what is good gets a reaction.
        return mark


SUCCESS: Reaction = "rocket"
"""On the command's own comment."""


class Speaker:
    """One deployment's voice. What is begun is noted first, so that nothing is made twice."""

    def __init__(
        self,
        origin: Origin,
        repository: Repository,
        deployments: Deployments,
        reports: Reports,
        marks: Marks,
    ) -> None:
        self.marks = marks
        self._origin = origin
        self._repository = repository
        self._deployments = deployments
        self._reports = reports

    async def say(self, mark: Mark, wording: Wording) -> None:
        """Make or change the mark so that it shows this. Errors: those of the repository."""
        text = wording.of(mark)
        await self._says[mark](wording)
        await self._keep(wording.view, self.marks.saying(mark, text))

    async def give_up(self, mark: Mark, view: View) -> None:
        """GitHub will not take it: it is not tried again."""
        await self._keep(view, replace(self.marks, refused=self.marks.refused | {mark}))

    async def forgive(self, view: View) -> None:
        """What was refused is tried once more."""
        await self._keep(view, replace(self.marks, refused=frozenset()))

    @property
    def _says(self) -> Mapping[Mark, Callable[[Wording], Awaitable[None]]]:
        return {
            Mark.DEPLOYMENT: self._deployment,
            Mark.STATUS: self._status,
            Mark.COMMENT: self._comment,
            Mark.CHECK: self._check,
            Mark.ASK: self._ask,
            Mark.FAILURE: self._failure,
            Mark.REACTION: self._react,
        }

    async def _deployment(self, wording: Wording) -> None:
        view = wording.view
        sha, environment = self._sha(view), view.deployment.request.environment
        payload = {"pachops": view.deployment.id}
        await self._make(
            Mark.DEPLOYMENT,
            view,
            lambda: self._repository.find_deployment(sha, environment, payload=payload),
            lambda: self._repository.create_deployment(
                sha, environment, payload=payload, description=description(view, wording.safe)
            ),
        )

    async def _status(self, wording: Wording) -> None:
        view = wording.view
        deployment = self.marks.ids.get(Mark.DEPLOYMENT)
        if deployment is None or view.outcome is None:
            raise StoppedError(Code.GITHUB_REFUSED, "there is no deployment to give a status to")
        self._count()
        await self._repository.deployment_status(
            deployment,
            deployment_state(view.outcome),
            description=description(view, wording.safe),
            url=view.page or "",
        )

    async def _check(self, wording: Wording) -> None:
        view = wording.view
        name = check_name(view.deployment.request.environment)
        report = check_report(view, wording.safe)
        sha, identity = self._sha(view), view.deployment.id
        was_annotated = Mark.ANNOTATIONS in self.marks.tried
        if report.annotations and not was_annotated:
            await self._keep(view, self.marks.trying(Mark.ANNOTATIONS))
        is_new = await self._make(
            Mark.CHECK,
            view,
            lambda: self._repository.find_check(sha, name, external_id=identity),
            lambda: self._repository.create_check(sha, name, report, external_id=identity),
        )
        if not is_new:
            self._count()
            check = self.marks.ids[Mark.CHECK]
            await self._repository.update_check(check, report, was_annotated=was_annotated)

    async def _comment(self, wording: Wording) -> None:
        view, number = wording.view, self._origin.pull_request or 0
        request = view.deployment.request
        marker, body = comment_marker(request.environment), wording.of(Mark.COMMENT)
        place = f"github_comment_{number}"
        known = self.marks.ids.get(Mark.COMMENT)
        known = known or await self._reports.latest(request.target, place)
        if known is not None:
            self._count()
            if await self._repository.edit_comment(known, body, marker=marker):
                await self._know(view, place, known)
                return
            # Somebody has deleted it.
            self.marks = self.marks.without(Mark.COMMENT)
        if self._origin.has_our_comments:
            # Another database may have known it.
            self.marks = self.marks.trying(Mark.COMMENT)
        is_new = await self._make(
            Mark.COMMENT,
            view,
            lambda: self._repository.find_comment(number, marker),
            lambda: self._repository.create_comment(number, body, marker=marker),
        )
        found = self.marks.ids[Mark.COMMENT]
        if not is_new:
            self._count()
            await self._repository.edit_comment(found, body, marker=marker)
        await self._know(view, place, found)

    async def _know(self, view: View, place: str, comment: int) -> None:
        """Later deployments of this place go on with the comment."""
        if self.marks.said.get(Mark.COMMENT) and self.marks.ids.get(Mark.COMMENT) == comment:
            return
        self.marks = self.marks.at(Mark.COMMENT, comment)
        await self._deployments.save(view.deployment.id, place, comment)

    async def _ask(self, wording: Wording) -> None:
        await self._call(Mark.ASK, ask_marker(wording.view.deployment.id), wording)

    async def _failure(self, wording: Wording) -> None:
        await self._call(Mark.FAILURE, failure_marker(wording.view.deployment.id), wording)

    async def _call(self, mark: Mark, marker: str, wording: Wording) -> None:
        """A comment that mentions people: it is written once and never changed."""
        view, number = wording.view, self._origin.pull_request or 0
        body = wording.of(mark)
        await self._make(
            mark,
            view,
            lambda: self._repository.find_comment(number, marker),
            lambda: self._repository.create_comment(number, body, marker=marker),
        )

    async def _react(self, _wording: Wording) -> None:
        if self._origin.comment_id is not None:
            self._count()
            await self._repository.react(self._origin.comment_id, SUCCESS)

    async def _make(
        self,
        mark: Mark,
        view: View,
        find: Callable[[], Awaitable[int | None]],
        create: Callable[[], Awaitable[int]],
    ) -> bool:
        """See that the mark is there; whether it was made just now, and so shows what it should."""
        if mark in self.marks.ids:
            return False
        if mark in self.marks.tried:
            self._count()
            found = await find()
            if found is not None:
                await self._keep(view, self.marks.at(mark, found))
                return False
        else:
            await self._keep(view, self.marks.trying(mark))
        self._count()
        identity = await create()
        await self._keep(view, self.marks.at(mark, identity))
        return True

    def _sha(self, view: View) -> str:
        return view.sha or self._origin.head_sha or ""

    def _count(self) -> None:
        self.marks = replace(self.marks, calls=self.marks.calls + 1)

    async def _keep(self, view: View, marks: Marks) -> None:
        self.marks = marks
        await self._deployments.save(view.deployment.id, MARKS, marks.to_json())
