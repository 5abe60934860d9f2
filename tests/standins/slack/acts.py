"""What people do in Slack."""

from collections.abc import Mapping
from typing import Any

from tests.standins.slack.api.views import push, shape
from tests.standins.slack.blocks import check_blocks, check_view, elements_of
from tests.standins.slack.errors import SlackError
from tests.standins.slack.lines import COMMAND, EVENT, INTERACTION, Ack, Lines
from tests.standins.slack.state import Channel, Ephemeral, Group, Message, User, View
from tests.standins.slack.world import World

TIMED_OUT = "operation_timeout: the app did not respond"


class Acts:
    """Each tells the app and returns what it answered at once."""

    def __init__(self, world: World, lines: Lines) -> None:
        self.world = world
        self.lines = lines

    # who and where

    def person(self, name: str, email: str = "") -> User:
        """Somebody in the workspace."""
        made = User(self.world.new_id("U"), name, email or f"{name}@acme.io")
        self.world.users[made.id] = made
        return made

    def channel(
        self, name: str, *members: User, private: bool = False, with_bot: bool = True
    ) -> Channel:
        """A channel, with the bot in it unless told otherwise."""
        bot = {self.world.app.bot_user} if with_bot else set()
        ids = {each.id for each in members} | bot
        made = Channel(self.world.new_id("C"), name, private=private, members=ids)
        self.world.channels[made.id] = made
        return made

    def direct(self, user: User) -> Channel:
        """Somebody's direct messages with the bot."""
        return self.world.direct(user)

    def group(self, handle: str, *members: User) -> Group:
        """A user group."""
        made = Group(self.world.new_id("S"), handle, [each.id for each in members])
        self.world.groups[made.id] = made
        return made

    # what they do

    async def types(self, user: User, line: str, channel: Channel) -> Ack:
        """A slash command: `/pachops deploy staging`."""
        command, _, text = line.partition(" ")
        ack = await self.lines.tell(COMMAND, self.command(user, command, text, channel))
        self._show_answer(ack, channel, user)
        await self.world.tell()
        return ack

    async def clicks(self, user: User, on: Message | Ephemeral | View, action: str) -> Ack:
        """A button, by its action_id; one that is not there fails the test."""
        for block, element in elements_of(on.blocks):
            if element["action_id"] == action:
                return await self._act(user, on, block, element)
        listed = ", ".join(each["action_id"] for _, each in elements_of(on.blocks)) or "nothing"
        message = f"there is no {action} to click in {on}; there is: {listed}"
        raise AssertionError(message)

    async def chooses(self, user: User, on: Message | View, action: str, value: str) -> Ack:
        """An option of a select, by its value."""
        for block, element in elements_of(on.blocks):
            if element["action_id"] == action:
                chosen = {"selected_option": _option(element, value)}
                return await self._act(user, on, block, element | chosen)
        message = f"there is no {action} in {on}"
        raise AssertionError(message)

    async def submits(self, view: View, values: Mapping[str, str] | None = None) -> Ack:
        """A modal, filled in by action_id or block_id; its fields keep what they began with."""
        given = dict(values or {})
        state = {"values": _filled(view, given)}
        if given:
            message = f"{view} has no fields {', '.join(given)}"
            raise AssertionError(message)
        shown = shape(self.world, view) | {"state": state}
        payload = self._interaction("view_submission", view.user, view) | {
            "view": shown,
            "response_urls": [],
        }
        ack = await self.lines.tell(INTERACTION, payload)
        self._take_response(view, ack)
        await self.world.tell()
        return ack

    async def closes(self, view: View) -> Ack | None:
        """A modal is left; the app is told where it wished to be."""
        view.is_open = False
        if not view.content.get("notify_on_close"):
            return None
        payload = self._interaction("view_closed", view.user, view) | {
            "view": shape(self.world, view),
            "is_cleared": False,
        }
        return await self.lines.tell(INTERACTION, payload)

    async def opens_home(self, user: User) -> Ack:
        """The app's Home tab."""
        event: dict[str, Any] = {
            "type": "app_home_opened",
            "tab": "home",
            "channel": self.direct(user).id,
        }
        home = self.world.homes.get(user.id)
        if home is not None:
            event["view"] = shape(self.world, home)
        return await self.event(user, event)

    async def mentions(
        self, user: User, text: str, channel: Channel, thread: str | None = None
    ) -> Message:
        """`@pachops ...` in a channel; the message."""
        made = self._written(user, f"<@{self.world.app.bot_user}> {text}", channel, thread)
        if "app_mentions:read" in self.world.app.scopes:
            await self.event(user, _event("app_mention", made))
        return made

    async def writes(
        self, user: User, text: str, channel: Channel | None = None, thread: str | None = None
    ) -> Message:
        """A direct message to the bot, or a message that the bot does not hear of."""
        made = self._written(user, text, channel or self.direct(user), thread)
        if made.channel.direct and "im:history" in self.world.app.scopes:
            await self.event(user, _event("message", made) | {"channel_type": "im"})
        await self.world.tell()
        return made

    async def event(self, user: User, event: dict[str, Any]) -> Ack:
        """Anything that happens."""
        now = self.world.clock.stamp()
        return await self.lines.tell(
            EVENT,
            {
                "token": "not-used",
                "team_id": self.world.app.team,
                "api_app_id": self.world.app.id,
                "type": "event_callback",
                "event_id": self.world.new_id("Ev"),
                "event_time": int(float(now)),
                "authorizations": [
                    {"team_id": self.world.app.team, "user_id": self.world.app.bot_user}
                ],
                "event": {"user": user.id, "event_ts": now} | event,
            },
        )

    async def tells_again(self, reason: str = "timeout") -> list[Ack]:
        """Slack tells everything again that was not acknowledged."""
        waiting = self.lines.unacknowledged()
        return [await self.lines.deliver(each, reason) for each in waiting]

    async def tells_last_again(self, reason: str = "timeout") -> Ack:
        """The newest once more, although it may have been acknowledged: the answer was late."""
        return await self.lines.deliver(self.lines.envelopes[-1], reason)

    # how it is told

    def command(self, user: User, command: str, text: str, channel: Channel) -> dict[str, str]:
        """A slash command as the app gets it."""
        return {
            "token": "not-used",
            "team_id": self.world.app.team,
            "team_domain": self.world.app.domain,
            "channel_id": channel.id,
            "channel_name": "directmessage" if channel.direct else channel.name,
            "user_id": user.id,
            "user_name": user.name,
            "command": command,
            "text": text,
            "api_app_id": self.world.app.id,
            "is_enterprise_install": "false",
            "response_url": self.world.new_response(channel, user),
            "trigger_id": self.world.new_trigger(user),
        }

    async def _act(
        self, user: User, on: Message | Ephemeral | View, block: str, element: dict[str, Any]
    ) -> Ack:
        view = on if isinstance(on, View) else None
        action = {key: element[key] for key in _TOLD if key in element} | {
            "block_id": block,
            "action_ts": self.world.clock.stamp(),
        }
        payload = self._interaction("block_actions", user, view) | {"actions": [action]}
        if isinstance(on, View):
            payload |= {
                "view": shape(self.world, on),
                "container": {"type": "view", "view_id": on.id},
            }
        else:
            payload |= self._place(user, on)
        ack = await self.lines.tell(INTERACTION, payload)
        await self.world.tell()
        return ack

    def _place(self, user: User, on: Message | Ephemeral) -> dict[str, Any]:
        message = on if isinstance(on, Message) else None
        ts = message.ts if message else self.world.clock.stamp()
        channel = {"id": on.channel.id, "name": on.channel.name}
        shown = {"type": "message", "text": on.text, "blocks": on.blocks, "ts": ts}
        if on.thread:
            shown["thread_ts"] = on.thread
        return {
            "channel": channel,
            "message": shown | {"user": self.world.app.bot_user},
            "container": {
                "type": "message",
                "message_ts": ts,
                "channel_id": on.channel.id,
                "is_ephemeral": message is None,
            },
            "response_url": self.world.new_response(on.channel, user, message),
        }

    def _interaction(self, kind: str, user: User, view: View | None) -> dict[str, Any]:
        return {
            "type": kind,
            "token": "not-used",
            "team": {"id": self.world.app.team, "domain": self.world.app.domain},
            "user": {"id": user.id, "username": user.name, "name": user.name},
            "api_app_id": self.world.app.id,
            "trigger_id": self.world.new_trigger(user, view),
            "is_enterprise_install": False,
        }

    def _written(self, user: User, text: str, channel: Channel, thread: str | None) -> Message:
        made = Message(channel, self.world.clock.stamp(), user.id, text, thread=thread)
        self.world.messages.append(made)
        self.world.show(made)
        return made

    def _show_answer(self, ack: Ack, channel: Channel, user: User) -> None:
        """What the acknowledgement of a command says, to who typed it where it says no other."""
        if not ack.is_ok:
            self.world.whisper(channel, user, TIMED_OUT)
            return
        body = {"text": ack.body} if isinstance(ack.body, str) else ack.body or {}
        if not body.get("text") and not body.get("blocks"):
            return
        blocks = check_blocks(body["blocks"], "message") if body.get("blocks") else []
        if body.get("response_type") != "in_channel":
            self.world.whisper(channel, user, body.get("text", ""), blocks)
            return
        made = Message(
            channel, self.world.clock.stamp(), self.world.app.bot_user, body.get("text", ""), blocks
        )
        self.world.messages.append(made)
        self.world.show(made)

    def _take_response(self, view: View, ack: Ack) -> None:
        """What a modal does after it was sent off."""
        view.errors = {}
        if not ack.is_ok:
            view.errors = {"": "We had some trouble connecting. Try again?"}
            return
        body = ack.body or {}
        match body.get("response_action"):
            case None:
                view.is_open = False
            case "clear":
                for each in self.world.views.values():
                    each.is_open = each.is_open and each.root != view.root
            case "errors":
                unknown = body["errors"].keys() - {each["block_id"] for each in view.blocks}
                if unknown:
                    raise SlackError("invalid_blocks", errors=sorted(unknown))
                view.errors = body["errors"]
            case "update":
                view.content = check_view(body["view"])
                view.hash = self.world.clock.stamp()
            case "push":
                push(self.world, view, check_view(body["view"]))
            case other:
                message = f"Slack knows no response_action {other}"
                raise AssertionError(message)


_TOLD = ("action_id", "type", "value", "text", "style", "selected_option", "url")


def _event(kind: str, message: Message) -> dict[str, Any]:
    told = {
        "type": kind,
        "text": message.text,
        "ts": message.ts,
        "channel": message.channel.id,
        "client_msg_id": f"client-{message.ts}",
    }
    return told | ({"thread_ts": message.thread} if message.thread else {})


def _filled(view: View, given: dict[str, str]) -> dict[str, dict[str, Any]]:
    """The state of a modal; what is used of `given` is taken out of it."""
    state: dict[str, dict[str, Any]] = {}
    for block, element in elements_of(view.blocks):
        kind, action = element["type"], element["action_id"]
        if kind == "button":
            continue
        value = given.pop(action, given.pop(block, None))
        state.setdefault(block, {})[action] = {"type": kind} | _value(element, kind, value)
    return state


def _value(element: dict[str, Any], kind: str, value: str | None) -> dict[str, Any]:
    if kind in {"static_select", "external_select", "radio_buttons"}:
        chosen = element.get("initial_option")
        if value is not None and kind == "external_select":
            chosen = {"text": {"type": "plain_text", "text": value}, "value": value}
        elif value is not None:
            chosen = _option(element, value)
        return {"selected_option": chosen}
    if kind == "checkboxes":
        wanted = value.split(",") if value else []
        chosen = [_option(element, each) for each in wanted]
        return {"selected_options": chosen or element.get("initial_options", [])}
    if kind.endswith("_select"):
        key = f"selected_{kind.removesuffix('_select').removesuffix('s')}"
        return {key: value}
    return {"value": element.get("initial_value") if value is None else value}


def _option(element: dict[str, Any], value: str) -> dict[str, Any]:
    options = [*element.get("options", ())]
    for group in element.get("option_groups", ()):
        options += group["options"]
    for each in options:
        if each["value"] == value:
            found: dict[str, Any] = each
            return found
    listed = ", ".join(each["value"] for each in options)
    message = f"{element['action_id']} has no option {value}; it has: {listed}"
    raise AssertionError(message)
