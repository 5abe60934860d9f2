"""Slack with the bot's token: messages, files, modals, Homes and people."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID, uuid5

from pydantic import SecretStr

from bot.services.calls import UNCOUNTED, Calls
from bot.services.clock import Clock
from bot.services.slack.connection import Connection
from bot.services.slack.errors import GONE, SlackRefusedError
from bot.services.slack.limits import POST, UPDATE
from bot.services.slack.orders import Login, Message, Person, Posted

CLOUD_API = "https://slack.com/api/"
_OURS = UUID("5d6a4c0e-8a0f-4c53-9d0a-7b6f6a3a5e01")
_UNKNOWN_PERSON = frozenset({"user_not_found", "users_not_found", "user_not_visible"})
_INERT = {"unfurl_links": False, "unfurl_media": False, "parse": "none", "link_names": False}


class Slack:
    """One workspace and our bot in it; used on one event loop, closed at its end.

    Errors, from every method: slack_unreachable, slack_refused (SlackRefusedError, with Slack's
    own name for it), slack_limited.
    """

    def __init__(
        self,
        token: SecretStr,
        *,
        base_url: str = CLOUD_API,
        clock: Clock | None = None,
        calls: Calls = UNCOUNTED,
    ) -> None:
        """`base_url` is the API's."""
        self._connection = Connection(token, base_url, clock or Clock(), calls)

    async def close(self) -> None:
        """End the connections."""
        await self._connection.close()

    # messages

    def reserve_post(self, channel: str) -> bool:
        """Take a place for a message under the limits, where one is free now."""
        return self._connection.limiter.take(POST, channel)

    def reserve_update(self, spare: int = 0) -> bool:
        """Likewise for an edit, where `spare` more are left for those to whom it matters more."""
        return self._connection.limiter.take(UPDATE, "", spare)

    async def post(
        self,
        channel: str,
        message: Message,
        *,
        identity: str,
        thread: str | None = None,
        broadcast: bool = False,
        reserved: bool = False,
    ) -> Posted:
        """Write a message; one of the same `identity` in this channel is not written again.

        Slack knows it by its client_msg_id, and answers a repeat with the message that is there.
        Nothing in it unfurls, and no name in its text becomes a mention.

        Args:
            channel: id or `#name`; a person's id for a direct message.
            message: what it shows.
            identity: what tells it from all others.
            thread: `ts` of the message that it answers to.
            broadcast: whether an answer is shown in the channel too.
            reserved: whether `reserve_post` took its place.
        """
        answer = await self._connection.ask(
            POST,
            {
                "channel": channel,
                "text": message.text,
                "blocks": message.blocks or None,
                "thread_ts": thread,
                "reply_broadcast": True if broadcast else None,
                "client_msg_id": str(uuid5(_OURS, f"{channel} {identity}")),
                **_INERT,
            },
            channel=channel,
            reserved=reserved,
        )
        posted = Posted(str(answer["channel"]), str(answer["ts"]))
        if posted.channel != channel:
            self._connection.limiter.same(channel, posted.channel)
        return posted

    async def update(self, at: Posted, message: Message, *, reserved: bool = False) -> bool:
        """Show this instead; False where the message is gone."""
        try:
            await self._connection.ask(
                UPDATE,
                {
                    "channel": at.channel,
                    "ts": at.ts,
                    "text": message.text,
                    # An empty list takes the blocks away without `(edited)`.
                    "blocks": message.blocks,
                    "parse": "none",
                    "link_names": False,
                },
                reserved=reserved,
            )
        except SlackRefusedError as error:
            if error.error in GONE:
                return False
            raise
        return True

    async def whisper(
        self, channel: str, user: str, message: Message, *, thread: str | None = None
    ) -> None:
        """Show it to one person only; it may be lost."""
        await self._connection.ask(
            "chat.postEphemeral",
            {
                "channel": channel,
                "user": user,
                "text": message.text,
                "blocks": message.blocks or None,
                "thread_ts": thread,
                "parse": "none",
                "link_names": False,
            },
            repeats=False,
        )

    # files

    async def upload(self, name: str, content: bytes) -> str:
        """Bring a file to Slack, where nobody sees it yet; its id."""
        place = await self._connection.ask(
            "files.getUploadURLExternal", {"filename": name, "length": len(content)}
        )
        await self._connection.upload(str(place["upload_url"]), content)
        return str(place["file_id"])

    async def share(self, file: str, title: str, at: Posted) -> None:
        """Show an uploaded file in the thread of a message; once, so a repeat is refused."""
        await self._connection.ask(
            "files.completeUploadExternal",
            {
                "files": [{"id": file, "title": title}],
                "channel_id": at.channel,
                "thread_ts": at.ts,
            },
            repeats=False,
        )

    # modals and Homes

    async def open_view(self, trigger: str, view: Mapping[str, Any]) -> str:
        """Open a modal for who clicked within the last three seconds; its id."""
        answer = await self._connection.ask("views.open", {"trigger_id": trigger, "view": view})
        return str(answer["view"]["id"])

    async def push_view(self, trigger: str, view: Mapping[str, Any]) -> str:
        """Open a modal over the one in which somebody clicked; its id."""
        answer = await self._connection.ask("views.push", {"trigger_id": trigger, "view": view})
        return str(answer["view"]["id"])

    async def update_view(
        self, identity: str, view: Mapping[str, Any], *, unless_changed: str | None = None
    ) -> None:
        """Show this in a modal; `unless_changed` has the `hash` of what it is to replace."""
        await self._connection.ask(
            "views.update", {"view_id": identity, "view": view, "hash": unless_changed}
        )

    async def publish_home(self, user: str, view: Mapping[str, Any]) -> None:
        """Show this in somebody's App Home."""
        await self._connection.ask("views.publish", {"user_id": user, "view": view})

    # people

    async def person(self, user: str) -> Person | None:
        """By id; None where there is nobody."""
        return await self._person("users.info", {"user": user})

    async def person_by_email(self, email: str) -> Person | None:
        """By the address that the workspace has confirmed."""
        return await self._person("users.lookupByEmail", {"email": email})

    async def groups(self) -> Mapping[str, str]:
        """The ids of the user groups that there are, by handle in lower case."""
        answer = await self._connection.ask("usergroups.list", {})
        return {str(each["handle"]).lower(): str(each["id"]) for each in answer["usergroups"]}

    async def group_members(self, group: str) -> Sequence[str]:
        """The ids of a user group's members, by the group's id."""
        answer = await self._connection.ask("usergroups.users.list", {"usergroup": group})
        return tuple(str(each) for each in answer["users"])

    async def login(self) -> Login:
        """Who the token is for, and its scopes."""
        answer = await self._connection.ask("auth.test", {})
        scopes = next(
            (value for key, value in answer.headers.items() if key.lower() == "x-oauth-scopes"),
            None,
        )
        return Login(
            user=str(answer["user_id"]),
            bot=str(answer.get("bot_id") or ""),
            name=str(answer["user"]),
            team=str(answer["team_id"]),
            team_name=str(answer["team"]),
            url=str(answer["url"]),
            scopes=None
            if scopes is None
            else frozenset(filter(None, map(str.strip, scopes.split(",")))),
        )

    async def _person(self, method: str, arguments: Mapping[str, str]) -> Person | None:
        try:
            answer = await self._connection.ask(method, arguments)
        except SlackRefusedError as error:
            if error.error in _UNKNOWN_PERSON:
                return None
            raise
        user = answer["user"]
        profile = user.get("profile") or {}
        return Person(
            id=str(user["id"]),
            name=str(profile.get("display_name") or user.get("name") or user["id"]),
            email=profile.get("email") or None,
            is_confirmed=bool(user.get("is_email_confirmed")),
            is_active=not (user.get("deleted") or user.get("is_bot")),
            team=str(user.get("team_id") or ""),
        )


async def check_app_token(token: SecretStr, *, base_url: str = CLOUD_API) -> None:
    """Whether an app-level token opens sockets. Errors: those of Slack."""
    connection = Connection(token, base_url, Clock())
    try:
        await connection.ask("apps.connections.open", {})
    finally:
        await connection.close()
