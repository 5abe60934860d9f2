"""People, groups, channels, and who the caller is."""

from typing import Any

from tests.standins.slack.calls import Call, Methods
from tests.standins.slack.errors import SlackError
from tests.standins.slack.state import User

METHODS = Methods()


@METHODS.add("auth.test")
def _who(call: Call) -> dict[str, Any]:
    app = call.world.app
    return {
        "url": f"{call.world.root}/",
        "team": "Acme",
        "team_id": app.team,
        "user": app.name,
        "user_id": app.bot_user,
        "bot_id": app.bot_id,
    }


@METHODS.add("apps.connections.open", "connections:write", tier=1, by_app=True)
def _connect(call: Call) -> dict[str, Any]:
    ticket = call.world.new_id("ticket")
    call.world.tickets.add(ticket)
    root = call.world.root.replace("http://", "ws://", 1)
    return {"url": f"{root}/link/?ticket={ticket}&app_id={call.world.app.id}"}


@METHODS.add("users.info", "users:read", tier=4, json=False)
def _user(call: Call) -> dict[str, Any]:
    return {"user": _shape(call, call.world.user(call.text("user")))}


@METHODS.add("users.lookupByEmail", "users:read.email", tier=3, json=False)
def _by_email(call: Call) -> dict[str, Any]:
    wanted = call.text("email").lower()
    for each in call.world.users.values():
        if each.email.lower() == wanted and not each.deleted:
            return {"user": _shape(call, each)}
    raise SlackError("users_not_found")


@METHODS.add("usergroups.users.list", "usergroups:read", tier=2, json=False)
def _members(call: Call) -> dict[str, Any]:
    found = call.world.groups.get(call.text("usergroup"))
    if found is None:
        raise SlackError("no_such_subteam")
    return {"users": found.members}


@METHODS.add("usergroups.list", "usergroups:read", tier=2, json=False)
def _groups(call: Call) -> dict[str, Any]:
    return {
        "usergroups": [
            {"id": each.id, "handle": each.handle, "name": each.handle}
            for each in call.world.groups.values()
        ]
    }


@METHODS.add("conversations.info", tier=3, json=False)
def _channel(call: Call) -> dict[str, Any]:
    channel = call.world.channels.get(call.optional("channel"))
    if channel is None:
        raise SlackError("channel_not_found")
    kind = "im" if channel.direct else "groups" if channel.private else "channels"
    call.need(f"{kind}:read")
    is_member = call.world.app.bot_user in channel.members
    return {
        "channel": {
            "id": channel.id,
            "name": channel.name,
            "is_private": channel.private,
            "is_archived": channel.archived,
            "is_member": is_member,
        }
    }


@METHODS.add("conversations.open", "im:write", tier=3)
def _open(call: Call) -> dict[str, Any]:
    users = call.text("users").split(",")
    if len(users) != 1:
        raise SlackError("users_list_not_supplied")
    return {"channel": {"id": call.world.direct(call.world.user(users[0])).id}}


def _shape(call: Call, user: User) -> dict[str, Any]:
    profile = {"real_name": user.name.title(), "display_name": user.name}
    if "users:read.email" in call.scopes:
        profile["email"] = user.email
    return {
        "id": user.id,
        "team_id": user.team or call.world.app.team,
        "name": user.name,
        "deleted": user.deleted,
        "is_bot": user.is_bot,
        "profile": profile,
        "is_email_confirmed": user.confirmed,
    }
