"""The client of pachd."""

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing, suppress

import grpc
from pydantic import SecretStr

from bot.domain.reasons import Code, StoppedError
from bot.services.calls import UNCOUNTED, Calls
from bot.services.pachyderm import api
from bot.services.pachyderm.address import check_token, parse_address
from bot.services.pachyderm.api import Untyped, pfs, pps, transaction
from bot.services.pachyderm.connection import Connection
from bot.services.pachyderm.errors import (
    AnswerLostError,
    cause_of,
    is_missing,
    is_silence,
    is_unbound,
)
from bot.services.pachyderm.values import Job, LivePipeline, PipelineUpdate

OLDEST = (2, 8)
"""The first pachd with CreatePipelineV2."""

MAKING = (api.auth.Permission.PROJECT_CREATE_REPO,)
UPDATING = (
    api.auth.Permission.REPO_READ,
    api.auth.Permission.REPO_WRITE,
    api.auth.Permission.PIPELINE_LIST_JOB,
)
"""What pachd wants of who makes a pipeline in a project, and of who updates and follows one."""

UNDO_TIMEOUT = 5.0
"""Seconds for taking a transaction back; who cancels does not wait for longer."""


class Pachyderm:
    """One Pachyderm cluster; used on one event loop.

    Every method raises StoppedError: PACHD_UNREACHABLE, PACHD_REFUSED or PACHD_TOO_OLD.
    """

    def __init__(
        self,
        address: str,
        *,
        token: SecretStr | None = None,
        root_certs: bytes | None = None,
        timeout: float = 30.0,
        calls: Calls = UNCOUNTED,
    ) -> None:
        """`timeout` is in seconds and for one call.

        Raises:
            StoppedError: BAD_SETTINGS.
        """
        parsed = parse_address(address, root_certs)
        self.address = str(parsed)
        self._connection = Connection(parsed, check_token(token), timeout, calls)

    async def version(self) -> str:
        """The version of pachd, such as `2.12.2`; PACHD_TOO_OLD below 2.8."""
        found = await self._connection.ask(api.GET_VERSION, api.Empty())
        text = f"{found.major}.{found.minor}.{found.micro}{found.additional}"
        if (found.major, found.minor) < OLDEST:
            raise StoppedError(Code.PACHD_TOO_OLD, f"{self.address} is Pachyderm {text}")
        return text

    async def who_am_i(self) -> str | None:
        """Whose token ours is; None where the cluster has no authentication."""
        try:
            found = await self._connection.call(api.WHO_AM_I, api.auth.WhoAmIRequest())
        except grpc.RpcError as error:
            if error.code() == grpc.StatusCode.UNIMPLEMENTED:
                return None
            raise self._connection.reason(error, api.WHO_AM_I, None) from error
        return str(found.username)

    async def missing_to_make(self, project: str) -> tuple[str, ...] | None:
        """The permissions that our token lacks to make pipelines there; None: no such project.

        For clusters with authentication only.
        """
        return await self._missing(api.auth.ResourceType.PROJECT, project, MAKING)

    async def missing_to_update(self, project: str, name: str) -> tuple[str, ...] | None:
        """Likewise to update a pipeline and to follow its jobs; None where it is not there."""
        return await self._missing(api.auth.ResourceType.REPO, f"{project}/{name}", UPDATING)

    async def _missing(
        self, kind: Untyped, name: str, permissions: Sequence[Untyped]
    ) -> tuple[str, ...] | None:
        request = api.auth.AuthorizeRequest(
            resource=api.auth.Resource(type=kind, name=name), permissions=list(permissions)
        )
        try:
            answer = await self._connection.ask(api.AUTHORIZE, request, where=name)
        except StoppedError as error:
            if isinstance(error.__cause__, grpc.RpcError) and is_unbound(error.__cause__):
                return None
            raise
        if answer.authorized:
            return ()
        return tuple(sorted(_permission(each) for each in answer.missing or permissions))

    async def inspect(self, project: str, name: str) -> LivePipeline | None:
        """The pipeline as it is now; None where there is none."""
        request = pps.InspectPipelineRequest(pipeline=_pipeline(project, name), details=True)
        try:
            info = await self._connection.ask(
                api.INSPECT_PIPELINE, request, where=f"{project}/{name}"
            )
        except StoppedError as error:
            if isinstance(error.__cause__, grpc.RpcError) and is_missing(error.__cause__):
                return None
            raise
        return _live(project, name, info)

    async def effective(self, spec_json: str) -> dict[str, object]:
        """The spec with the defaults of cluster and project, as pachd would store it.

        pachd checks the fields, not whether inputs, secrets and name are right.
        """
        request = pps.CreatePipelineV2Request(
            create_pipeline_request_json=spec_json, dry_run=True, update=True
        )
        answer = await self._connection.ask(api.CREATE_PIPELINE, request, where=_name_in(spec_json))
        effective: dict[str, object] = json.loads(answer.effective_create_pipeline_request_json)
        return effective

    async def render(self, template: str, args: Mapping[str, str]) -> str:
        """A jsonnet template as JSON; arguments are always strings to it."""
        request = pps.RenderTemplateRequest(template=template, args=dict(args))
        answer = await self._connection.ask(api.RENDER_TEMPLATE, request)
        return str(answer.json)

    async def update(
        self,
        updates: Sequence[PipelineUpdate],
        *,
        started: Callable[[str], Awaitable[None]],
    ) -> None:
        """Create or update the pipelines in one transaction: all of them, or none.

        `started` is awaited with the transaction's id before anything is put in it, for
        `discard`. Where this is cancelled or fails, the transaction is taken back.

        Raises:
            AnswerLostError: pachd fell silent while it finished; look at the pipelines.
        """
        begun = await self._connection.tell(
            api.START_TRANSACTION, transaction.StartTransactionRequest()
        )
        try:
            await started(begun.id)
            for update in updates:
                await self._append(update, begun.id)
            await self._finish(begun)
        except BaseException:
            with suppress(StoppedError):
                await self._delete_transaction(begun.id)
            raise

    async def discard(self, transaction_id: str) -> None:
        """Delete a transaction that a killed bot left; one that is gone is fine."""
        await self._delete_transaction(transaction_id)

    async def jobs(
        self, project: str, name: str, *, version: int, limit: int = 20
    ) -> tuple[Job, ...]:
        """The newest jobs of one version of a pipeline, newest first."""
        found: list[Job] = []
        async with aclosing(self._jobs(project, name)) as infos:
            async for info in infos:
                if info.pipeline_version < version or len(found) >= limit:
                    break
                if info.pipeline_version == version:
                    found.append(_job(info))
        return tuple(found)

    async def has_processed(self, project: str, name: str) -> bool:
        """Whether a good job of any version processed data: those datums will be skipped."""
        async with aclosing(self._jobs(project, name)) as infos:
            async for info in infos:
                if info.state == pps.JobState.JOB_SUCCESS and info.data_processed > 0:
                    return True
        return False

    async def delete(self, project: str, name: str) -> None:
        """Delete a pipeline and its output; one that is gone is fine."""
        request = pps.DeletePipelineRequest(pipeline=_pipeline(project, name))
        where = f"{project}/{name}"
        try:
            await self._connection.call(api.DELETE_PIPELINE, request)
        except grpc.RpcError as error:
            if not is_missing(error):
                raise self._connection.reason(error, api.DELETE_PIPELINE, where) from error

    async def close(self) -> None:
        """End the connection."""
        await self._connection.close()

    async def _append(self, update: PipelineUpdate, transaction_id: str) -> None:
        await self._connection.tell(
            api.CREATE_PIPELINE,
            pps.CreatePipelineV2Request(
                create_pipeline_request_json=update.spec_json,
                update=True,
                reprocess=update.reprocess,
            ),
            where=f"{update.project}/{update.name}",
            transaction=transaction_id,
        )

    async def _finish(self, begun: Untyped) -> None:
        request = transaction.FinishTransactionRequest(transaction=begun)
        try:
            await self._connection.call(api.FINISH_TRANSACTION, request)
        except grpc.RpcError as error:
            if is_silence(error):
                raise AnswerLostError(self.address, cause_of(error)) from error
            raise self._connection.reason(error, api.FINISH_TRANSACTION, None) from error

    async def _delete_transaction(self, transaction_id: str) -> None:
        request = transaction.DeleteTransactionRequest(
            transaction=transaction.Transaction(id=transaction_id)
        )
        try:
            await self._connection.call(api.DELETE_TRANSACTION, request, timeout=UNDO_TIMEOUT)
        except grpc.RpcError as error:
            if not is_missing(error):
                raise self._connection.reason(error, api.DELETE_TRANSACTION, None) from error

    def _jobs(self, project: str, name: str) -> Untyped:
        every_version = -1
        request = pps.ListJobRequest(pipeline=_pipeline(project, name), history=every_version)
        return self._connection.stream(api.LIST_JOB, request, where=f"{project}/{name}")


def _pipeline(project: str, name: str) -> Untyped:
    return pps.Pipeline(project=pfs.Project(name=project), name=name)


def _live(project: str, name: str, info: Untyped) -> LivePipeline:
    return LivePipeline(
        project=project,
        name=name,
        version=info.version,
        state=_word(pps.PipelineState, info.state, "PIPELINE_"),
        stopped=info.stopped,
        reason=info.reason or info.details.reason,
        image=info.details.transform.image,
        user_spec=info.user_spec_json,
        effective_spec=info.effective_spec_json,
        autoscaling=info.details.autoscaling,
        workers_requested=info.details.workers_requested,
        workers_available=info.details.workers_available,
        recent_error=info.details.recent_error,
    )


def _job(info: Untyped) -> Job:
    return Job(
        id=info.job.id,
        state=_word(pps.JobState, info.state, "JOB_"),
        data_processed=info.data_processed,
        data_skipped=info.data_skipped,
        data_failed=info.data_failed,
        reason=info.reason,
    )


def _permission(number: int) -> str:
    try:
        return str(api.auth.Permission(number).name)
    except ValueError:
        return f"permission {number}"


def _word(states: Untyped, number: int, prefix: str) -> str:
    try:
        name = str(states(number).name)
    except ValueError:
        return "unknown"
    return name.removeprefix(prefix).removeprefix("STATE_").lower()


def _name_in(spec_json: str) -> str | None:
    try:
        pipeline = json.loads(spec_json)["pipeline"]
        project = (pipeline.get("project") or {}).get("name") or "default"
        return f"{project}/{pipeline['name']}"
    except (ValueError, LookupError, TypeError, AttributeError):
        return None
