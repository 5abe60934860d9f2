"""Files, in Slack's three steps: an address, the bytes, and where they are shown."""

from typing import Any

from tests.standins.slack.calls import Call, Methods
from tests.standins.slack.errors import SlackError
from tests.standins.slack.state import File, Message

METHODS = Methods()


@METHODS.add("files.getUploadURLExternal", "files:write", tier=4, json=False)
def _address(call: Call) -> dict[str, Any]:
    length = call.text("length")
    if not length.isdecimal() or not int(length):
        raise SlackError("invalid_arguments")
    made = File(call.world.new_id("F"), call.text("filename"), int(length))
    call.world.files[made.id] = made
    return {"upload_url": f"{call.world.root}/upload/v1/{made.id}", "file_id": made.id}


@METHODS.add("files.completeUploadExternal", "files:write", tier=4)
def _complete(call: Call) -> dict[str, Any]:
    world = call.world
    wanted = call.object("files") or []
    files = [world.files.get(each["id"]) for each in wanted]
    if not files or any(each is None or each.content is None for each in files):
        raise SlackError("file_not_found")
    found = [each for each in files if each is not None]
    if any(each.complete for each in found):
        raise SlackError("file_already_completed")
    channel_id = call.optional("channel_id")
    if channel_id:
        channel = world.channels.get(channel_id)
        if channel is None:
            raise SlackError("channel_not_found")
        if world.app.bot_user not in channel.members:
            raise SlackError("not_in_channel")
        made = Message(
            channel,
            world.clock.stamp(),
            world.app.bot_user,
            call.optional("initial_comment"),
            thread=call.optional("thread_ts") or None,
            files=found,
        )
        world.messages.append(made)
        world.show(made)
    for each, given in zip(found, wanted, strict=True):
        each.complete, each.title = True, given.get("title", each.name)
    return {"files": [{"id": each.id, "title": each.title} for each in found]}
