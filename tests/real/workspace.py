"""What people do in local-slack and see of it."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import aiohttp

PATIENCE = 60.0


class Workspace:
    """local-slack at a URL; who and where are `user` and `channel`, unless others are named."""

    def __init__(
        self, url: str, session: aiohttp.ClientSession, *, user: str, channel: str
    ) -> None:
        self.url = url
        self._session = session
        self._user = user
        self._channel = channel

    async def act(self, what: str, **body: object) -> None:
        """One of its `_control` calls."""
        async with self._session.post(f"{self.url}/_control/{what}", json=body) as answer:
            assert answer.status == 200, (what, await answer.text())

    async def types(self, text: str, *, user: str = "", channel: str = "") -> None:
        """Somebody types /pachops with this behind it."""
        await self.act(
            "command",
            user=user or self._user,
            channel=channel or self._channel,
            command="/pachops",
            text=text,
        )

    async def clicks(self, message: dict[str, Any], action: str, *, user: str = "") -> None:
        """Somebody clicks a button of a message."""
        found = next(
            element | {"block_id": block["block_id"]} if "block_id" in block else element
            for block in message["blocks"]
            if block["type"] == "actions"
            for element in block["elements"]
            if element["action_id"] == action
        )
        where = {"channel": message["channel"], "messageTs": message["ts"]}
        await self.act("interact", **where, user=user or self._user, action=found)

    async def messages(self, channel: str = "") -> list[dict[str, Any]]:
        """All that a channel has, in threads too."""
        url = f"{self.url}/_control/messages/{channel or self._channel}"
        async with self._session.get(url) as answer:
            found: list[dict[str, Any]] = (await answer.json())["messages"]
            return found

    async def state(self) -> dict[str, Any]:
        """All that the page shows."""
        async with self._session.ws_connect(f"{self.url}/ui") as socket:
            state: dict[str, Any] = (await socket.receive_json())["state"]
            return state

    async def submits(self, values: dict[str, dict[str, Any]], *, user: str = "") -> None:
        """Somebody sends the open modal off."""
        async with self._session.ws_connect(f"{self.url}/ui") as socket:
            await socket.receive_json()
            await socket.send_json(
                {"t": "view_submit", "user": user or self._user, "values": values}
            )

    async def sees(
        self, *containing: str, channel: str = "", whispered_to: str = ""
    ) -> dict[str, Any]:
        """The newest message that shows all of this, once there is one.

        Args:
            containing: parts of it, as JSON.
            channel: where.
            whispered_to: the one person who sees it; else it is for all, or for `user`.
        """

        async def look() -> tuple[dict[str, Any] | None, object]:
            found = await self.messages(channel)
            readers = {whispered_to, whispered_to or self._user}
            fits = (
                each
                for each in reversed(found)
                if all(part in shown(each) for part in containing)
                and each.get("ephemeral_to", "") in readers
            )
            return next(fits, None), found

        message: dict[str, Any] = await until(f"{containing} in {channel or self._channel}", look)
        return message

    async def connected(self) -> None:
        """Until the bot listens."""

        async def look() -> tuple[object, object]:
            apps = (await self.state())["apps"]
            return apps[0]["connected"] or apps[0]["mode"] == "events", apps

        await until("the bot's socket", look)


def shown(message: object) -> str:
    """A message or a view as text that can be searched."""
    return json.dumps(message, ensure_ascii=False)


async def until(what: str, look: Callable[[], Any]) -> Any:
    """Look until there is something; what was seen is said where there never is."""
    seen: object = None
    try:
        async with asyncio.timeout(PATIENCE):
            while True:
                found, seen = await look()
                if found:
                    return found
                await asyncio.sleep(0.1)
    except TimeoutError:
        message = f"never seen: {what}; instead: {shown(seen)[-4000:]}"
        raise AssertionError(message) from None
