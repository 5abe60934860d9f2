"""Figures for Prometheus. Whoever asks for them needs the token of the settings."""

import logging
import time
from collections.abc import Awaitable, Callable
from functools import partial

from aiohttp import web
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from pydantic import SecretStr

from bot.domain import dora
from bot.domain.reasons import StoppedError
from bot.store.deliveries import Deliveries
from bot.store.figures import FigureStore, Tally
from handlers.web.process_metrics import ProcessMetrics

LOG = logging.getLogger(__name__)

DORA_DAYS = 30
"""Over how many days DORA's figures are taken."""
DORA_SECONDS = 60.0
"""How long they are good: they are taken from much."""
OVERLAP = 60.0
"""Seconds: what ended may be written a little later than it says."""

_ACK = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_WAIT = (0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3600.0)
_LONG = (0.5, 1.0, 2.5, 5.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1200.0, 3600.0)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Instruments:
    """Figures of all deployments, and of what comes in."""

    def __init__(self, registry: CollectorRegistry) -> None:
        counter = partial(Counter, registry=registry)
        gauge = partial(Gauge, registry=registry)
        histogram = partial(Histogram, registry=registry)
        self.deliveries = counter(
            "pachops_deliveries", "Webhooks that came in", ("event", "status")
        )
        self.ack = histogram(
            "pachops_delivery_ack_seconds", "From a webhook's arrival to its answer", buckets=_ACK
        )
        self.deliveries_waiting = gauge(
            "pachops_deliveries_waiting", "Webhooks that are not handled yet"
        )
        self.deployments = gauge("pachops_deployments", "Deployments that wait or run", ("state",))
        self.oldest = gauge("pachops_queue_oldest_seconds", "How long the first in line has waited")
        self.wait = histogram(
            "pachops_queue_wait_seconds", "From a deployment's command to its start", buckets=_WAIT
        )
        self.finished = counter(
            "pachops_deployments_finished", "Deployments that ended", ("environment", "outcome")
        )
        self.duration = histogram(
            "pachops_deployment_seconds",
            "From a deployment's start to its end",
            ("environment", "outcome"),
            buckets=_LONG,
        )
        self.stage = histogram(
            "pachops_stage_seconds", "How long stages took", ("stage", "ended"), buckets=_LONG
        )
        self.per_day = gauge(
            "pachops_dora_deployments_per_day", "Good changes a day", ("environment",)
        )
        self.lead_time = gauge(
            "pachops_dora_lead_time_seconds",
            "From commit to deployed, the median",
            ("environment",),
        )
        self.failure_ratio = gauge(
            "pachops_dora_change_failure_ratio",
            "Changes that failed or were undone, of all",
            ("environment",),
        )
        self.restore = gauge(
            "pachops_dora_time_to_restore_seconds",
            "From a failed change to a good state, the median",
            ("environment",),
        )


class Metrics(ProcessMetrics):
    """Counts what happens, and looks up the rest when it is asked."""

    def __init__(
        self,
        figures: FigureStore,
        deliveries: Deliveries,
        *,
        token: SecretStr | None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(token=token)
        self.instruments = Instruments(self.registry)
        self._figures = figures
        self._deliveries = deliveries
        self._clock = clock
        self._since = clock()
        self._counted: dict[str, float] = {}
        self._dora_until = 0.0

    # what happens

    def timed(self, webhook: Handler, events: frozenset[str]) -> Handler:
        """The webhook, its answers counted. `events` are those with a line of their own."""

        async def answer(request: web.Request) -> web.StreamResponse:
            began = time.monotonic()
            given = await webhook(request)
            self.instruments.ack.observe(time.monotonic() - began)
            event = request.headers.get("X-GitHub-Event", "")
            # Whoever may send whatever they like must not make new lines without end.
            known = event if event in events and given.status < 300 else "other"
            self.instruments.deliveries.labels(known, str(given.status)).inc()
            return given

        return answer

    # what is asked

    async def _look_up(self) -> None:
        try:
            await self.refresh()
        except StoppedError as stopped:
            # What is counted here is still worth having.
            LOG.warning("metrics without the database: %s", stopped)

    async def refresh(self) -> None:
        """Look up what is taken from the database."""
        now = self._clock()
        queue = await self._figures.queue()
        self.instruments.deployments.labels("waiting").set(queue.waiting)
        self.instruments.deployments.labels("running").set(queue.running)
        self.instruments.oldest.set(max(now - queue.oldest, 0.0) if queue.oldest else 0.0)
        self.instruments.deliveries_waiting.set(await self._deliveries.count_waiting())
        for tally in await self._figures.tallies(self._since - OVERLAP):
            self._count(tally)
        self._since = max([self._since, *self._counted.values()])
        self._counted = {
            identity: at for identity, at in self._counted.items() if at > self._since - 2 * OVERLAP
        }
        if now >= self._dora_until:
            self._dora_until = now + DORA_SECONDS
            await self._refresh_dora(now)

    def _count(self, tally: Tally) -> None:
        is_new = tally.deployment not in self._counted
        self._counted[tally.deployment] = tally.finished_at
        if not is_new:
            return
        labels = (tally.environment, tally.outcome)
        self.instruments.finished.labels(*labels).inc()
        if tally.started_at is not None:
            self.instruments.wait.observe(max(tally.started_at - tally.created_at, 0.0))
            self.instruments.duration.labels(*labels).observe(
                max(tally.finished_at - tally.started_at, 0.0)
            )
        for stage in tally.stages:
            self.instruments.stage.labels(stage.stage, stage.ended).observe(stage.seconds)

    async def _refresh_dora(self, now: float) -> None:
        gauges = self.instruments
        ended = await self._figures.ended(now - DORA_DAYS * dora.DAY)
        known = dora.figures(ended, days=DORA_DAYS)
        for gauge in (gauges.per_day, gauges.lead_time, gauges.failure_ratio, gauges.restore):
            gauge.clear()
        for environment, figures in known.items():
            for gauge, value in (
                (gauges.per_day, figures.deployments_per_day),
                (gauges.lead_time, figures.lead_time),
                (gauges.failure_ratio, figures.failure_ratio),
                (gauges.restore, figures.time_to_restore),
            ):
                if value is not None:
                    gauge.labels(environment).set(value)
