"""What a process says of itself to Prometheus: its calls to others, and what it uses."""

import hmac
from functools import partial

from aiohttp import web
from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from pydantic import SecretStr

_CALL = (0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class ProcessMetrics:
    """The figures of one process, in a registry of its own; `serve` has more."""

    def __init__(self, *, token: SecretStr | None) -> None:
        self.registry = CollectorRegistry()
        self._token = token.get_secret_value() if token else None
        counter = partial(Counter, registry=self.registry)
        self._calls = counter("pachops_calls", "Calls to outside systems", ("service", "how"))
        self._call = Histogram(
            "pachops_call_seconds",
            "How long calls took",
            ("service",),
            buckets=_CALL,
            registry=self.registry,
        )
        self._limited = counter(
            "pachops_calls_limited", "How often a service made us wait", ("service",)
        )
        self._left = Gauge(
            "pachops_calls_left",
            "Calls that a service still takes from the login that asked last",
            ("service",),
            registry=self.registry,
        )
        ProcessCollector(registry=self.registry)

    def ended(self, service: str, how: str, seconds: float) -> None:
        """A call to an outside system has ended."""
        self._calls.labels(service, how).inc()
        self._call.labels(service).observe(seconds)

    def limited(self, service: str) -> None:
        """It made us wait."""
        self._limited.labels(service).inc()

    def left(self, service: str, calls: int) -> None:
        """How many calls it still takes."""
        self._left.labels(service).set(calls)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """All figures as Prometheus reads them; to others, nothing is here."""
        if not self._is_allowed(request.headers.get("Authorization", "")):
            raise web.HTTPNotFound
        await self._look_up()
        body = generate_latest(self.registry)
        return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE_LATEST})

    async def _look_up(self) -> None:
        """What is not counted as it happens."""

    def _is_allowed(self, authorization: str) -> bool:
        if self._token is None:
            return False
        given = authorization.encode(errors="surrogateescape")
        return hmac.compare_digest(given, f"Bearer {self._token}".encode())
