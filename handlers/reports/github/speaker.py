"""Says one thing of a deployment on GitHub, and keeps what is there."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace

from bot.domain.reasons import Code, StoppedError
from bot.services.github import Undone, Written
from bot.store.deployments import Deployments
from bot.store.reports import Reports
from handlers.reports.github.check import check_name, check_report
from handlers.reports.github.deployment_status import deployment_state, description
from handlers.reports.github.marks import MARKS, Mark, Marks
from handlers.reports.github.origin import (
    Origin,
    ask_marker,
    comment_marker,
    failure_marker,
)
from handlers.reports.github.repository import Repository
from handlers.reports.github.together import SUCCESS, made_once, orders_for
from handlers.reports.github.wording import Wording
from handlers.reports.view import View

_FEWEST = 2
"""Marks that are said together: one alone is as well said by itself."""


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
        self._has_looked = False
        """Whether GitHub has told which comments of ours are there."""

    async def say(self, mark: Mark, wording: Wording) -> None:
        """Make or change the mark so that it shows this. Errors: those of the repository."""
        text = wording.of(mark)
        await self._says[mark](wording)
        await self._keep(wording.view, self.marks.saying(mark, text))

    async def say_together(self, marks: Sequence[Mark], wording: Wording) -> frozenset[Mark]:
        """Say in one call what can be; the marks that show it now. Errors: likewise.

        All else is said by itself: what has no order, and what may be there already.
        """
        if len(marks) < _FEWEST:
            return frozenset()
        view = wording.view
        if Mark.COMMENT in marks and Mark.COMMENT not in self.marks.ids:
            known = await self._latest_comment(view) or await self._our_comment(view)
            self.marks = self.marks.at(Mark.COMMENT, known) if known else self.marks
        orders = orders_for(marks, wording, self.marks, self._origin)
        if len(orders) < _FEWEST:
            return frozenset()
        once = {mark: made_once(mark, order) for mark, order in orders.items()}
        before = self.marks.tried
        if any(once.values()):
            await self._keep(view, replace(self.marks, tried=before.union(*once.values())))
        outcomes = await self._repository.write(tuple(orders.values()))
        came = dict(zip(orders, outcomes or (), strict=False))
        done = {mark: each for mark, each in came.items() if isinstance(each, Written)}
        # What GitHub says is not done is not there; of all else it has to be looked for.
        may_be_there = {mark for mark, each in came.items() if each is not Undone.REFUSED}
        tried = before.union(*(each for mark, each in once.items() if mark in may_be_there))
        said = replace(self.marks, tried=tried, calls=self.marks.calls + len(done))
        for mark, made in done.items():
            said = said.at(mark, made.id) if made.id is not None else said
            said = said.saying(mark, wording.of(mark))
        if Mark.COMMENT in done and Mark.COMMENT not in self.marks.said:
            await self._know(view, said.ids[Mark.COMMENT])
        await self._keep(view, said)
        return frozenset(done)

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
        sha, environment = self._origin.sha_of(view.sha), view.deployment.request.environment
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
        was_tried = Mark.STATUS in self.marks.tried
        if not was_tried:
            await self._keep(view, self.marks.trying(Mark.STATUS))
        self._count()
        await self._repository.deployment_status(
            deployment,
            deployment_state(view.outcome),
            description=description(view, wording.safe),
            url=view.page or "",
            was_tried=was_tried,
        )

    async def _check(self, wording: Wording) -> None:
        view = wording.view
        name = check_name(view.deployment.request.environment)
        report = check_report(view, wording.safe)
        sha, identity = self._origin.sha_of(view.sha), view.deployment.id
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
        marker = comment_marker(view.deployment.request.environment)
        body = wording.of(Mark.COMMENT)
        is_first = Mark.COMMENT not in self.marks.said
        for look in (self._latest_comment, self._our_comment):
            known = self.marks.ids.get(Mark.COMMENT) or await look(view)
            if known is None:
                continue
            self._count()
            if await self._repository.edit_comment(known, body, marker=marker):
                self.marks = self.marks.at(Mark.COMMENT, known)
                break
            # Somebody has deleted it.
            self.marks, is_first = self.marks.without(Mark.COMMENT), True
        else:
            await self._make(
                Mark.COMMENT,
                view,
                lambda: self._repository.find_comment(number, marker),
                lambda: self._repository.create_comment(number, body, marker=marker),
            )
        if is_first:
            await self._know(view, self.marks.ids[Mark.COMMENT])

    async def _latest_comment(self, view: View) -> int | None:
        """The comment of the deployment before, which this one goes on with."""
        found = await self._reports.latest(view.deployment.request.target, self._place)
        return found if isinstance(found, int) else None

    async def _our_comment(self, view: View) -> int | None:
        """One that GitHub alone knows: of another database, or made without an answer."""
        is_tried = Mark.COMMENT in self.marks.tried
        if not is_tried and (self._has_looked or not self._origin.has_our_comments):
            return None
        marker = comment_marker(view.deployment.request.environment)
        self._count()
        found = await self._repository.find_comment(self._origin.pull_request or 0, marker)
        self._has_looked = True
        self.marks = replace(self.marks, tried=self.marks.tried - {Mark.COMMENT})
        return found

    async def _know(self, view: View, comment: int) -> None:
        """Later deployments of this place go on with the comment."""
        await self._deployments.save(view.deployment.id, self._place, comment)

    @property
    def _place(self) -> str:
        return f"github_comment_{self._origin.pull_request or 0}"

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

    def _count(self) -> None:
        self.marks = replace(self.marks, calls=self.marks.calls + 1)

    async def _keep(self, view: View, marks: Marks) -> None:
        self.marks = marks
        await self._deployments.save(view.deployment.id, MARKS, marks.to_json())
