"""Comments and the reactions to them."""

from typing import Any

from bot.domain.github import Permission
from tests.standins.github import payloads, shapes
from tests.standins.github.calls import Answer, Call, Routes
from tests.standins.github.errors import ApiError, invalid, not_found
from tests.standins.github.state import Comment, Issue, PullRequest, Reaction

ROUTES = Routes()
LONGEST = 65_536
CONTENTS = ("+1", "-1", "laugh", "confused", "heart", "hooray", "rocket", "eyes")
READ = ("issues:read", "pull_requests:read")
WRITE = ("issues:write", "pull_requests:write")


@ROUTES.add("GET", "/repos/{owner}/{repo}/issues/{number}/comments", *READ)
def list_comments(call: Call) -> Answer:
    number = call.world.issue(call.repo, call.number("number")).number
    found = [each for each in call.repo.comments.values() if each.number == number]
    return call.page(found, lambda each: _shape(call, each))


@ROUTES.add("POST", "/repos/{owner}/{repo}/issues/{number}/comments", *WRITE)
def create_comment(call: Call) -> Answer:
    issue = call.world.issue(call.repo, call.number("number"))
    # On a plain issue the permission on pull requests is worth nothing.
    if not isinstance(issue, PullRequest) and not call.caller.has("issues:write"):
        raise ApiError(403, "Resource not accessible by integration")
    body = _body(call)
    made = call.world.add_comment(call.repo, issue.number, call.caller.user, body)
    _tell(call, issue, made, "created")
    return Answer(_shape(call, made), 201)


@ROUTES.add("GET", "/repos/{owner}/{repo}/issues/comments/{comment}", *READ)
def show_comment(call: Call) -> Answer:
    return Answer(_shape(call, _comment(call)))


@ROUTES.add("PATCH", "/repos/{owner}/{repo}/issues/comments/{comment}", *WRITE)
def edit_comment(call: Call) -> Answer:
    found = _comment(call)
    may_edit = call.caller.is_integration or (
        call.repo.role(call.caller.user.login) >= Permission.WRITE
    )
    if found.author is not call.caller.user and not may_edit:
        raise ApiError(403, "Must have admin rights to Repository.")
    found.body = _body(call)
    found.bodies.append(found.body)
    found.updated_at = call.world.clock.tick()
    _tell(call, call.world.issue(call.repo, found.number), found, "edited")
    return Answer(_shape(call, found))


@ROUTES.add("GET", "/repos/{owner}/{repo}/issues/comments/{comment}/reactions", *READ)
def list_reactions(call: Call) -> Answer:
    return call.page(_comment(call).reactions, lambda each: shapes.reaction(call.world, each))


@ROUTES.add("POST", "/repos/{owner}/{repo}/issues/comments/{comment}/reactions", *WRITE)
def create_reaction(call: Call) -> Answer:
    found = _comment(call)
    fields = call.fields("Reaction")
    content = fields.choice("content", CONTENTS)
    fields.end()
    who = call.caller.user
    for each in found.reactions:
        if each.user is who and each.content == content:
            return Answer(shapes.reaction(call.world, each), 200)
    made = Reaction(call.world.new_id(), content, who)
    found.reactions.append(made)
    return Answer(shapes.reaction(call.world, made), 201)


def _tell(call: Call, issue: Issue, comment: Comment, action: str) -> None:
    """Apps are told of their own comments too."""
    payload = payloads.comment(call.world, issue, comment, action, call.caller.user)
    if "installation" in payload:
        call.webhooks.tell_soon("issue_comment", payload)


def _comment(call: Call) -> Comment:
    found = call.repo.comments.get(call.number("comment"))
    if found is None:
        raise not_found()
    return found


def _body(call: Call) -> str:
    fields = call.fields("IssueComment")
    body = fields.text("body")
    fields.end()
    if len(body) > LONGEST:
        message = f"Body is too long (maximum is {LONGEST} characters)"
        raise invalid("IssueComment", "data", "unprocessable", message)
    if not body.strip():
        raise invalid("IssueComment", "body", "missing_field", "Body can't be blank")
    return body


def _shape(call: Call, found: Comment) -> dict[str, Any]:
    return shapes.comment(call.world, call.repo, found)
