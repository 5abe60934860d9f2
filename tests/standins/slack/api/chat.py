"""Messages."""

from typing import Any

from tests.standins.slack.blocks import check_blocks
from tests.standins.slack.calls import Call, Methods
from tests.standins.slack.errors import SlackError
from tests.standins.slack.state import Block, Channel, Message

METHODS = Methods()
LONGEST_TEXT = 40_000
LONGEST_UPDATE = 4_000
OPTIONS = ("unfurl_links", "unfurl_media", "parse", "link_names", "mrkdwn")


@METHODS.add("chat.postMessage", "chat:write", tier=4)
def _post(call: Call) -> dict[str, Any]:
    channel = call.channel()
    world = call.world
    _check_may_write(call, channel)
    blocks, text = _content(call)
    client_id = call.optional("client_msg_id")
    if client_id:
        known = [m for m in world.messages if m.client_id == client_id]
        if any(m.deleted for m in known):
            raise SlackError("duplicate_message_not_found")
        if any(m.channel is not channel for m in known):
            raise SlackError("duplicate_channel_not_found")
        if known:
            return _answer(known[0])
    thread = call.optional("thread_ts") or None
    if thread is not None and not any(
        m.channel is channel and m.ts == thread for m in world.messages
    ):
        raise SlackError("thread_not_found")
    made = Message(
        channel,
        world.clock.stamp(),
        world.app.bot_user,
        text[:LONGEST_TEXT],
        blocks,
        thread,
        call.flag("reply_broadcast"),
        client_id,
        call.object("metadata"),
        options={name: call.arguments[name] for name in OPTIONS if name in call.arguments},
    )
    world.messages.append(made)
    world.show(made)
    return _answer(made)


@METHODS.add("chat.update", "chat:write", tier=3)
def _update(call: Call) -> dict[str, Any]:
    channel = call.world.channels.get(call.optional("channel"))
    if channel is None:
        # Names will do for a new message only.
        raise SlackError("channel_not_found")
    message = call.world.message(channel, call.text("ts"))
    if message.user != call.world.app.bot_user:
        raise SlackError("cant_update_message")
    _check_may_write(call, channel)
    has_text, has_blocks = "text" in call.arguments, "blocks" in call.arguments
    if not has_text and not has_blocks:
        raise SlackError("no_text")
    if has_text and len(call.optional("text")) > LONGEST_UPDATE:
        raise SlackError("msg_too_long")
    message.text = call.optional("text", message.text)
    # A text alone takes the blocks away, and is marked as edited.
    message.blocks = check_blocks(call.object("blocks"), "message") if has_blocks else []
    message.edited = message.edited or not has_blocks
    call.world.show(message)
    return _answer(message)


@METHODS.add("chat.postEphemeral", "chat:write", tier=4)
def _whisper(call: Call) -> dict[str, Any]:
    channel, user = call.channel(), call.world.user(call.text("user"))
    _check_may_write(call, channel)
    if user.id not in channel.members:
        raise SlackError("user_not_in_channel")
    blocks, text = _content(call)
    call.world.whisper(channel, user, text, blocks, call.optional("thread_ts") or None)
    return {"message_ts": call.world.clock.stamp()}


@METHODS.add("chat.delete", "chat:write", tier=3)
def _delete(call: Call) -> dict[str, Any]:
    channel = call.channel()
    message = call.world.message(channel, call.text("ts"))
    if message.user != call.world.app.bot_user:
        raise SlackError("cant_delete_message")
    message.deleted = True
    return {"channel": channel.id, "ts": message.ts}


@METHODS.add("chat.getPermalink", tier=0, json=False)
def _link(call: Call) -> dict[str, Any]:
    channel = call.channel()
    message = call.world.message(channel, call.text("message_ts"))
    return {"permalink": f"{call.world.root}/archives/{channel.id}/p{message.ts.replace('.', '')}"}


@METHODS.add("reactions.add", "reactions:write", tier=3)
def _react(call: Call) -> dict[str, Any]:
    message = call.world.message(call.channel(), call.text("timestamp"))
    who = message.reactions.setdefault(call.text("name"), set())
    if call.world.app.bot_user in who:
        raise SlackError("already_reacted")
    who.add(call.world.app.bot_user)
    return {}


def _check_may_write(call: Call, channel: Channel) -> None:
    if channel.archived:
        raise SlackError("is_archived")
    is_member = call.world.app.bot_user in channel.members
    if not is_member and "chat:write.public" not in call.scopes:
        raise SlackError("not_in_channel")


def _content(call: Call) -> tuple[list[Block], str]:
    given = call.object("blocks")
    blocks = check_blocks(given, "message") if given else []
    text = call.optional("text")
    if not text and not blocks:
        raise SlackError("no_text")
    return blocks, text


def _answer(message: Message) -> dict[str, Any]:
    shown = {"type": "message", "user": message.user, "text": message.text, "ts": message.ts}
    return {
        "channel": message.channel.id,
        "ts": message.ts,
        "message": shown | {"blocks": message.blocks},
    }
