"""Repositories, their collaborators and installation; teams; what was pushed when."""

from bot.domain.github import Permission
from tests.standins.github import shapes
from tests.standins.github.calls import Answer, Call, Routes
from tests.standins.github.errors import ApiError, not_for_integrations, not_found

ROUTES = Routes()


@ROUTES.add("GET", "/repos/{owner}/{repo}", "metadata:read")
def show_repository(call: Call) -> Answer:
    return Answer(shapes.repository(call.world, call.repo))


@ROUTES.add("GET", "/repositories/{number}")
def show_numbered(call: Call) -> Answer:
    number = call.number("number")
    found = next((each for each in call.world.repos.values() if each.id == number), None)
    if found is None:
        raise not_found()
    call.caller.require(found, ("metadata:read",), Permission.READ)
    return Answer(shapes.repository(call.world, found))


# The one question about a repository that only the App itself may ask.
@ROUTES.add("GET", "/repos/{owner}/{name}/installation")
def show_installation(call: Call) -> Answer:
    call.caller.require_app()
    repo = call.world.repo(f"{call.match['owner']}/{call.match['name']}")
    found = call.world.installation_of(repo)
    if found is None:
        raise not_found()
    return Answer({"id": found.id, "app_id": call.world.app.id, "permissions": found.permissions})


@ROUTES.add(
    "GET",
    "/repos/{owner}/{repo}/collaborators/{login}/permission",
    "metadata:read",
    role=Permission.WRITE,
)
def show_permission(call: Call) -> Answer:
    login = call.match["login"]
    if login not in call.world.users:
        raise ApiError(404, f"{login} is not a user")
    return Answer(shapes.permission(call.world, call.repo, call.world.users[login]))


@ROUTES.add("GET", "/orgs/{org}/teams/{slug}/memberships/{login}")
def show_membership(call: Call) -> Answer:
    if call.caller.is_integration and not call.caller.has("members:read"):
        raise not_for_integrations(("members:read",))
    team = call.world.teams.get((call.match["org"], call.match["slug"]))
    if team is None or call.match["login"] not in team.members:
        raise not_found()
    return Answer({"state": team.members[call.match["login"]], "role": "member"})


@ROUTES.add("GET", "/orgs/{org}/teams/{slug}")
def show_team(call: Call) -> Answer:
    if call.caller.is_integration and not call.caller.has("members:read"):
        raise not_for_integrations(("members:read",))
    team = call.world.teams.get((call.match["org"], call.match["slug"]))
    if team is None:
        raise not_found()
    return Answer({"slug": team.slug, "name": team.slug, "privacy": "closed"})


@ROUTES.add("GET", "/repos/{owner}/{repo}/activity", "contents:read")
def list_activity(call: Call) -> Answer:
    if not call.world.has_activity:
        raise not_found()
    ref = call.query.get("ref")
    wanted = {ref, f"refs/heads/{ref}"}
    found = [each for each in reversed(call.repo.pushes) if ref is None or each.ref in wanted]
    return call.page(found, lambda each: shapes.push(call.world, each))


@ROUTES.add("GET", "/users/{login}", "metadata:read")
def show_user(call: Call) -> Answer:
    login = call.match["login"].lower()
    for each in call.world.users.values():
        if each.login.lower() == login:
            return Answer(shapes.user(call.world, each) | {"email": each.email or None})
    raise not_found()
