"""gRPC around the calls: who asks, what goes wrong, what is streamed."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import grpc

from tests.standins.pachd.calls import Caller
from tests.standins.pachd.errors import Refused, refuse
from tests.standins.pachd.faults import Fault, Faults
from tests.standins.pachd.methods import METHODS, Method
from tests.standins.pachd.sdk import Message
from tests.standins.pachd.world import World

LOOK_AGAIN = 0.05
"""Seconds between two looks of a call that waits."""


class Answers:
    """Answers calls out of a world."""

    def __init__(
        self, world: World, faults: Faults, tokens: Mapping[str, str], readers: frozenset[str]
    ) -> None:
        self.stopping = threading.Event()
        self._world, self._faults = world, faults
        self._tokens, self._readers = tokens, readers

    def handlers(self) -> tuple[Any, ...]:
        """One for each service, as gRPC takes them."""
        return tuple(
            grpc.method_handlers_generic_handler(
                service, {name: self._handler(name, method) for name, method in methods.items()}
            )
            for service, methods in METHODS.items()
        )

    def _handler(self, name: str, method: Method) -> Any:
        messages = {
            "request_deserializer": method.request.FromString,
            "response_serializer": method.answer.SerializeToString,
        }
        if not method.streams:
            handle = self._one_answer(name, method)
            return grpc.unary_unary_rpc_method_handler(handle, **messages)
        follow = self._follow if method.follows else self._many_answers
        return grpc.unary_stream_rpc_method_handler(follow(name, method), **messages)

    def _one_answer(self, name: str, method: Method) -> Callable[[Message, Any], Message]:
        def handle(request: Message, context: Any) -> Message:
            fault = self._before(name, context)
            try:
                answer = self._work(method, request, context)
                while method.waits(request, answer) and self._wait(context):
                    answer = self._work(method, request, context)
            except Refused as error:
                context.abort(error.code, error.message)
            self._after(fault, context)
            return answer

        return handle

    def _many_answers(self, name: str, method: Method) -> Callable[[Message, Any], Any]:
        def handle(request: Message, context: Any) -> Iterator[Message]:
            fault = self._before(name, context)
            try:
                yield from self._work(method, request, context)
            except Refused as error:
                context.abort(error.code, error.message)
            self._after(fault, context)

        return handle

    def _follow(self, name: str, method: Method) -> Callable[[Message, Any], Any]:
        def handle(request: Message, context: Any) -> Iterator[Message]:
            self._before(name, context)
            seen: set[str] = set()
            try:
                while True:
                    fresh = self._work(method, request, context)
                    yield from (item for item in fresh if item.job.id not in seen)
                    seen.update(item.job.id for item in fresh)
                    if not self._wait(context):
                        return
            except Refused as error:
                context.abort(error.code, error.message)

        return handle

    def _work(self, method: Method, request: Message, context: Any) -> Any:
        caller = self._caller(method, context)
        with self._world.state():
            answer = method.work(self._world.calls, request, caller)
            return list(answer) if method.streams else answer

    def _before(self, name: str, context: Any) -> Fault | None:
        fault = self._faults.take(name)
        if fault is None:
            return None
        end = time.monotonic() + fault.delay
        while time.monotonic() < end or (fault.hold and not fault.hold.is_set()):
            if not self._wait(context):
                break
        if not context.is_active():
            context.abort(grpc.StatusCode.CANCELLED, "the caller has gone")
        if fault.code and not fault.after:
            context.abort(fault.code, fault.message)
        return fault

    def _after(self, fault: Fault | None, context: Any) -> None:
        if fault and fault.code and fault.after:
            context.abort(fault.code, fault.message)

    def _wait(self, context: Any) -> bool:
        """A little; whether it is worth to look again."""
        return not self.stopping.wait(LOOK_AGAIN) and bool(context.is_active())

    def _caller(self, method: Method, context: Any) -> Caller:
        metadata = dict(context.invocation_metadata())
        transaction = str(metadata.get("pach-transaction", ""))
        if not self._tokens:
            return Caller(None, transaction)
        if method.public:
            return Caller("", transaction)
        token = metadata.get("authn-token")
        if token is None:
            refuse("no authentication token (try logging in)", grpc.StatusCode.UNAUTHENTICATED)
        user = self._tokens.get(token)
        if user is None:
            refuse(
                "provided auth token is corrupted or has expired (try logging in again)",
                grpc.StatusCode.UNAUTHENTICATED,
            )
        if method.writes and user in self._readers:
            refuse(
                f"{user} is not authorized to perform this operation - needs permissions "
                "[REPO_WRITE] on REPO. Run `pachctl auth roles-for-permission` to find roles "
                "that grant a given permission.",
                grpc.StatusCode.PERMISSION_DENIED,
            )
        return Caller(user, transaction, reads_only=user in self._readers)
