"""One connection to a pachd: calls with a time-out, errors as reasons, reads repeated."""

import asyncio
from collections.abc import AsyncIterator

import grpc
import grpc.aio

from bot.services.calls import UNCOUNTED, Calls, counted
from bot.services.pachyderm.address import Address
from bot.services.pachyderm.api import Call, Message, Untyped
from bot.services.pachyderm.errors import stopped_by

READ_TRIES = 3
FIRST_PAUSE = 0.2
"""Seconds before the second try; three times as long before the third."""

CHANNEL_OPTIONS = [
    ("grpc.max_receive_message_length", 20 * 1024**2),
    ("grpc.primary_user_agent", "pachops"),
    # gRPC's own pause grows to two minutes; a pachd that is back is to be seen at once.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 5_000),
]


class Connection:
    """Calls pachd on one event loop; opened by the first call."""

    def __init__(
        self, address: Address, token: str | None, timeout: float, calls: Calls = UNCOUNTED
    ) -> None:
        self._calls = calls
        self._address = address
        self._token = token
        self._timeout = timeout
        self._channel: grpc.aio.Channel | None = None

    async def ask(
        self,
        call: Call,
        request: Message,
        *,
        where: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109 - gRPC sends the deadline to pachd
    ) -> Untyped:
        """Make a harmless call, again where pachd cannot be reached.

        Raises:
            StoppedError: PACHD_UNREACHABLE, PACHD_REFUSED or PACHD_TOO_OLD.
        """
        pause = FIRST_PAUSE
        for _ in range(READ_TRIES - 1):
            try:
                return await self.call(call, request, timeout=timeout)
            except grpc.RpcError as error:
                if error.code() != grpc.StatusCode.UNAVAILABLE:
                    raise self.reason(error, call, where) from error
            await asyncio.sleep(pause)
            pause *= 3
        return await self.tell(call, request, where=where, timeout=timeout)

    async def tell(
        self,
        call: Call,
        request: Message,
        *,
        where: str | None = None,
        transaction: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109 - gRPC sends the deadline to pachd
    ) -> Untyped:
        """Make a call that changes something, once.

        Raises:
            StoppedError: PACHD_UNREACHABLE, PACHD_REFUSED or PACHD_TOO_OLD.
        """
        try:
            return await self.call(call, request, transaction=transaction, timeout=timeout)
        except grpc.RpcError as error:
            raise self.reason(error, call, where) from error

    async def call(
        self,
        call: Call,
        request: Message,
        *,
        transaction: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109 - gRPC sends the deadline to pachd
    ) -> Untyped:
        """Make a call, once; for who reads the gRPC error himself.

        Raises:
            grpc.RpcError: any error.
        """
        method = self._open().unary_unary(
            call.path, request_serializer=bytes, response_deserializer=call.answer.FromString
        )
        with counted(self._calls, "pachyderm"):
            return await method(
                request,
                timeout=self._timeout if timeout is None else timeout,
                metadata=self._metadata(transaction),
            )

    async def stream(
        self, call: Call, request: Message, *, where: str | None = None
    ) -> AsyncIterator[Untyped]:
        """Read a stream of answers; close the iterator to end it early.

        Raises:
            StoppedError: PACHD_UNREACHABLE, PACHD_REFUSED or PACHD_TOO_OLD.
        """
        method = self._open().unary_stream(
            call.path, request_serializer=bytes, response_deserializer=call.answer.FromString
        )
        answers = method(request, timeout=self._timeout, metadata=self._metadata(None))
        try:
            async for answer in answers:
                yield answer
        except grpc.RpcError as error:
            raise self.reason(error, call, where) from error
        finally:
            answers.cancel()

    def reason(self, error: grpc.RpcError, call: Call, where: str | None) -> Exception:
        """The reason in an error of this connection."""
        return stopped_by(
            error,
            str(self._address),
            method=call.name,
            has_token=self._token is not None,
            where=where,
        )

    async def close(self) -> None:
        """End the calls under way and the connection."""
        if self._channel is not None:
            await self._channel.close()
            self._channel = None

    def _open(self) -> grpc.aio.Channel:
        if self._channel is None:
            target = self._address.target
            if self._address.tls:
                credentials = grpc.ssl_channel_credentials(self._address.root_certs)
                self._channel = grpc.aio.secure_channel(target, credentials, CHANNEL_OPTIONS)
            else:
                self._channel = grpc.aio.insecure_channel(target, CHANNEL_OPTIONS)
        return self._channel

    def _metadata(self, transaction: str | None) -> tuple[tuple[str, str], ...]:
        token = (("authn-token", self._token),) if self._token else ()
        return (*token, ("pach-transaction", transaction)) if transaction else token
