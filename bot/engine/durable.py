"""DBOS, with what it needs to be safe. The only module that imports it: 1 to 3 s and 70 MB."""

import json
import logging
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from dbos import DBOS, DBOSClient, DBOSConfig, Serializer
from dbos._dbos import _get_dbos_instance
from dbos._migration import get_migration_versions, get_sqlite_migration_versions
from dbos._sys_db import SystemDatabase

from bot.domain.deployment import Deployment
from bot.domain.reasons import Code, StoppedError
from bot.engine.life import MAX_INTERRUPTIONS, Life
from bot.engine.run import Attempt

_APPLICATION = "pachops"
_QUEUE = "deployments"
_WORKFLOW = "deployment"

# A constant: the default, a hash of the code, would leave everything behind at an upgrade.
# Steps that change order need a new workflow name, not a new version.
_VERSION = "wf1"

_NO_LIMIT = 1_000_000
_LOGGER = logging.getLogger("dbos")


_LIVES = {
    "ENQUEUED": Life.ALIVE,
    "DELAYED": Life.ALIVE,
    "PENDING": Life.ALIVE,
    "MAX_RECOVERY_ATTEMPTS_EXCEEDED": Life.GAVE_UP,
}

_ALIVE = [status for status, life in _LIVES.items() if life is Life.ALIVE]


class JsonSerializer(Serializer):
    """JSON instead of DBOS's default, pickle: a row of a database must not be code."""

    def serialize(self, data: Any) -> str:  # noqa: ANN401 - DBOS's signature
        """The data as JSON; an exception by its type's name."""
        return json.dumps(data, default=_exception_name)

    def deserialize(self, serialized_data: str) -> Any:  # noqa: ANN401 - DBOS's signature
        """The data; an exception as a RuntimeError."""
        return json.loads(serialized_data, object_hook=_exception)

    def name(self) -> str:
        """What DBOS writes beside each value."""
        return "pachops-json"


class Durable:
    """A prepared DBOS. There is one in a process at a time, which is DBOS's own limit.

    `limit` is how many deployments this process runs at a time; it may be changed at any time.
    """

    def __init__(self, url: str, executor: str, *, max_running: int, poll: float) -> None:
        """Migrate DBOS's tables and register the queue. Blocks: not for an event loop.

        Raises:
            StoppedError: DATABASE_UNUSABLE: a newer DBOS wrote its tables; nothing was changed.
        """
        _quieten(logging.WARNING)
        sqlite = url.startswith("sqlite")
        self.limit = max_running
        self._executor = executor
        self._poll = poll
        self._is_launched = False
        self._config: DBOSConfig = {
            "name": _APPLICATION,
            "system_database_url": url,
            "executor_id": executor,
            "application_version": _VERSION,
            "serializer": JsonSerializer(),
            "enable_otlp": False,
            "log_level": "WARNING",
            # We use none of its messages; a stop waits for the thread that looks for them.
            "use_listen_notify": False,
            "notification_listener_polling_interval_sec": 0.1,
        }
        _refuse_newer(url)
        DBOS.migrate(system_database_url=url)
        self._client = DBOSClient(
            system_database_url=url, serializer=JsonSerializer(), application_name=_APPLICATION
        )
        # Before the launch: DBOS looks for new queues only once a second.
        self._client.register_queue(
            _QUEUE,
            # Of the last one that started; each process has its own as soon as it runs.
            worker_concurrency=max(1, max_running),
            partition_concurrency=1,
            # On PostgreSQL a limit of any size turns on DBOS's serializable claim. Its
            # quicker one lets two workers each take a deployment of the same target.
            global_concurrency=None if sqlite else _NO_LIMIT,
            polling_interval_sec=poll,
        )

    def launch(self, run: Callable[[str], Awaitable[None]]) -> None:
        """Begin to take deployments up, each with `run` on the running event loop."""
        self._is_launched = True
        DBOS(config=self._config)

        async def deployment(deployment_id: str) -> None:
            await run(deployment_id)

        DBOS.workflow(name=_WORKFLOW, max_recovery_attempts=MAX_INTERRUPTIONS)(deployment)
        DBOS.launch()
        self._make_the_queue_ours()

    def destroy(self) -> None:
        """Stop taking deployments up and forget everything. Blocks."""
        _quieten(logging.ERROR)
        if self._is_launched:
            DBOS.destroy(destroy_registry=True)
        self._client.destroy()

    def enqueue(self, connection: sa.Connection, deployment: Deployment, number: int) -> None:
        """Put it in its target's line, in the caller's transaction; lower numbers go first."""
        self._client.enqueue_in_transaction(
            connection,
            {
                "queue_name": _QUEUE,
                "workflow_name": _WORKFLOW,
                "workflow_id": deployment.id,
                "queue_partition_key": deployment.request.target,
                # DBOS orders by the second on SQLite with Python 3.11; this is exact.
                "priority": number,
                "app_version": _VERSION,
            },
            deployment.id,
        )

    def rename(self, connection: sa.Connection, before: str, after: str) -> None:
        """Move the lines of a repository, in the caller's transaction; who is in them goes on."""
        system = self._client._sys_db  # noqa: SLF001 - DBOS has no way to say this
        table = system.tables.workflow_status
        key = table.c.queue_partition_key
        rest = sa.func.substr(key, len(before) + 1)
        change = sa.update(table).where(
            table.c.queue_name == _QUEUE,
            table.c.status.in_(_ALIVE),
            key.startswith(f"{before}#", autoescape=True),
        )
        # The name of DBOS's schema is its engine's, and the transaction is not.
        schema = system.engine.get_execution_options()["schema_translate_map"]
        connection.execute(
            change.values(queue_partition_key=sa.literal(after).concat(rest)).execution_options(
                schema_translate_map=schema
            )
        )

    def _make_the_queue_ours(self) -> None:
        """Limit and pace are each process's own; DBOS reads them anew, from the shared database."""
        system = _get_dbos_instance()._sys_db  # noqa: SLF001 - DBOS has no way to say this
        stored = system.get_queue

        def get_queue(name: str, **options: Any) -> Any:  # noqa: ANN401 - DBOS's own types
            queue = stored(name, **options)
            if queue is not None and name == _QUEUE:
                queue._worker_concurrency = self.limit  # noqa: SLF001 - see above
                queue._polling_interval_sec = self._poll  # noqa: SLF001
            return queue

        all_partitions = system.get_queue_partitions

        def get_queue_partitions(queue_name: str) -> list[str]:
            # It tries every target that has something waiting, one transaction each; where one
            # runs there is nothing to claim, and the claim itself looks again.
            waiting = all_partitions(queue_name)
            busy = self._busy_targets(system) if waiting else set()
            return [target for target in waiting if target not in busy]

        system.get_queue_partitions = get_queue_partitions  # type: ignore[method-assign]
        system.get_queue = get_queue  # type: ignore[method-assign] # DBOS has no option for it

    def _busy_targets(self, system: SystemDatabase) -> set[str]:
        row = system.tables.workflow_status.c
        query = sa.select(row.queue_partition_key).where(
            row.queue_name == _QUEUE, row.status == "PENDING"
        )
        with system.engine.begin() as connection:
            return set(connection.execute(query).scalars())

    async def checkpoint(self, name: str, attempt: Attempt) -> Any:  # noqa: ANN401 - JSON
        """The attempt's answer, kept by the workflow that calls; or the kept one."""

        async def step() -> Any:  # noqa: ANN401 - JSON
            return await attempt()

        return await DBOS.run_step_async({"name": name}, step)

    def lives(self, ids: Sequence[str]) -> dict[str, Life]:
        """What DBOS knows of each. Blocks."""
        rows = self._client.list_workflows(
            workflow_ids=list(ids), load_input=False, load_output=False
        )
        known = {row.workflow_id: _LIVES.get(row.status, Life.ENDED) for row in rows}
        return {wanted: known.get(wanted, Life.GONE) for wanted in ids}

    def executors(self) -> set[str]:
        """Those that have deployments running, dead or alive. Blocks."""
        rows = self._client.list_workflows(
            status="PENDING", queue_name=_QUEUE, load_input=False, load_output=False
        )
        return {row.executor_id for row in rows if row.executor_id}

    def forget(self, before: float, limit: int = 1000) -> int:
        """Delete what is kept of runs that ended before that time; how many. Blocks.

        Args:
            before: seconds since the epoch.
            limit: the most to delete at once.
        """
        rows = self._client.list_workflows(
            status=["SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED"],
            completed_before=datetime.fromtimestamp(before, UTC).isoformat(),
            limit=limit,
            load_input=False,
            load_output=False,
        )
        ids = [row.workflow_id for row in rows]
        if ids:
            self._client.delete_workflows(ids)
        return len(ids)

    def drop(self, deployment_id: str) -> None:
        """Let go of its target. Only for one that does not run: what runs is not stopped. Blocks."""
        self._client.cancel_workflow(deployment_id)

    def claimed(self) -> set[str]:
        """Those that the queue has given to this executor. Blocks."""
        rows = self._client.list_workflows(
            status="PENDING",
            queue_name=_QUEUE,
            executor_id=self._executor,
            load_input=False,
            load_output=False,
        )
        return {row.workflow_id for row in rows}

    def give_back(self, deployment_id: str) -> None:
        """Put one that was given to this executor back into its line. Blocks."""
        # Like taking over: nothing happens where somebody else has it by now.
        _get_dbos_instance()._sys_db.reenqueue_for_recovery(  # noqa: SLF001 - see take_over
            deployment_id, [self._executor], _QUEUE
        )

    def take_over(self, dead: set[str]) -> None:
        """Put what dead executors were running back into the queue. Blocks."""
        # Its public relative, resume_workflow, does not look at who owns the deployment,
        # so two that notice a death at once would run it twice.
        DBOS._recover_pending_workflows(sorted(dead))  # noqa: SLF001 - see above


def _refuse_newer(url: str) -> None:
    found = sa.make_url(url)
    sqlite = found.drivername.startswith("sqlite")
    engine = sa.create_engine(found if sqlite else found.set(drivername="postgresql+psycopg"))
    try:
        if sqlite:
            stored, known = get_sqlite_migration_versions(engine)
        else:
            stored, known = get_migration_versions(engine, "dbos", use_listen_notify=False)
    finally:
        engine.dispose()
    if stored > known:
        raise StoppedError(
            Code.DATABASE_UNUSABLE,
            f"its queue's tables have version {stored}, this pachops knows {known}",
            next_step="Upgrade pachops, or give this one its own PACHOPS_DATABASE_URL.",
        )


def _exception_name(value: object) -> object:
    if isinstance(value, BaseException):
        return {"exception": type(value).__name__}
    msg = f"{type(value).__name__} is not JSON"
    raise TypeError(msg)


def _exception(value: dict[str, Any]) -> object:
    if value.keys() == {"exception"}:
        return RuntimeError(value["exception"])
    return value


def _quieten(level: int) -> None:
    """DBOS's words go where ours go, and to no stream of their own."""
    if not _LOGGER.handlers:
        # With a handler there, DBOS adds none that writes to stderr.
        _LOGGER.addHandler(logging.NullHandler())
    _LOGGER.addFilter(_worth_saying)
    _LOGGER.setLevel(level)


def _worth_saying(record: logging.LogRecord) -> bool:
    # We end tasks only on purpose: when the engine stops.
    return not record.getMessage().startswith("Asyncio task cancelled")
