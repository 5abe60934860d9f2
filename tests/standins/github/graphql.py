"""The part of GitHub's graph that a query about a pull request can walk."""

from collections.abc import Mapping
from typing import Any

from tests.standins.github import objects, shapes
from tests.standins.github.api.checks import latest, newest
from tests.standins.github.calls import Answer, Call
from tests.standins.github.errors import ApiError, not_found
from tests.standins.github.mutations import mutations
from tests.standins.github.query import Node, QueryError, answer
from tests.standins.github.state import CheckRun, PullRequest, Repo, Review, Status, User
from tests.standins.github.world import World

Arguments = Mapping[str, Any]
MOST_NODES = 100
MOST_COMMITS = 250
"""Of a pull request: the first ones."""
LARGEST_TEXT = 512_000
"""Bytes of a file's text that come with the answer."""


def run(call: Call) -> Answer:
    """Answer a query: errors in it are a 200, as GraphQL has them."""
    if not call.world.has_graphql:
        raise not_found()
    if call.caller.token is None:
        raise ApiError(401, "Requires authentication")
    asked = call.json()
    roots = {
        "query": Node(
            "Query",
            {
                "repository": lambda arguments: _repository(call, arguments),
                "organization": lambda arguments: _organization(call, arguments),
            },
        ),
        "mutation": Node("Mutation", mutations(call)),
    }
    try:
        data, missed = answer(str(asked.get("query", "")), asked.get("variables") or {}, roots)
    except QueryError as error:
        return Answer({"errors": [_error(error)]})
    if missed:
        errors = [_error(error) | {"path": list(path)} for path, error in missed]
        return Answer({"data": data, "errors": errors})
    return Answer({"data": data})


def _error(error: QueryError) -> dict[str, Any]:
    shape: dict[str, Any] = {"message": error.message, "locations": [{"line": 1, "column": 1}]}
    if error.kind:
        shape["type"] = error.kind
    if error.code:
        shape["extensions"] = {"code": error.code}
    return shape


def _repository(call: Call, arguments: Arguments) -> Node:
    name = f"{arguments['owner']}/{arguments['name']}"
    try:
        repo = call.world.repo(name)
    except ApiError:
        repo = None
    if repo is None or not call.caller.sees(repo):
        message = f"Could not resolve to a Repository with the name '{name}'."
        raise QueryError(message, kind="NOT_FOUND")
    return Node(
        "Repository",
        {
            "id": shapes.node_id("R", repo.id),
            "nameWithOwner": repo.full_name,
            "defaultBranchRef": lambda _inner: _default_branch(call, repo),
            "collaborators": lambda inner: _collaborators(call, repo, inner),
            "pullRequest": lambda inner: _pull_request(call, repo, inner["number"]),
            "object": lambda inner: _git_object(call, repo, inner["oid"]),
            "ref": lambda inner: _named_ref(call, repo, inner["qualifiedName"]),
            "refs": lambda inner: _refs(call, repo, inner),
        },
    )


def _git_object(call: Call, repo: Repo, oid: str) -> Node | None:
    """Any commit of the whole network of forks, as GitHub finds it."""
    if not call.caller.has("contents:read"):
        raise _forbidden()
    return _commit(call, repo, oid) if objects.resolve(repo.git, oid) == oid else None


def _named_ref(call: Call, repo: Repo, name: str) -> Node | None:
    if not call.caller.has("contents:read"):
        raise _forbidden()
    here = dict(objects.refs(repo.git, "refs/heads/"))
    return _ref(repo, name.removeprefix("refs/heads/"), here[name]) if name in here else None


def _refs(call: Call, repo: Repo, arguments: Arguments) -> Node:
    if not call.caller.has("contents:read"):
        raise _forbidden()
    prefix, text = arguments["refPrefix"], arguments.get("query") or ""
    found = [(name.removeprefix(prefix), sha) for name, sha in objects.refs(repo.git, prefix)]
    if (arguments.get("orderBy") or {}).get("direction") == "DESC":
        found.reverse()
    nodes = [_ref(repo, name, sha, prefix) for name, sha in found if text.lower() in name.lower()]
    return _connection("Ref", nodes, arguments)


def _ref(repo: Repo, name: str, sha: str, prefix: str = "refs/heads/") -> Node:
    def compare(arguments: Arguments) -> Node:
        head = objects.resolve(repo.git, arguments["headRef"])
        found = objects.compare(repo.git, sha, head) if head else None
        if found is None:
            message = "Could not resolve to a Comparison of these two."
            raise QueryError(message, kind="NOT_FOUND")
        return Node(
            "Comparison",
            {
                "status": found.status.upper(),
                "aheadBy": found.ahead,
                "behindBy": found.behind,
            },
        )

    target = Node("Commit", {"oid": sha})
    return Node("Ref", {"prefix": prefix, "name": name, "target": target, "compare": compare})


def _organization(call: Call, arguments: Arguments) -> Node:
    org = arguments["login"]
    if not any(each == org for each, _ in call.world.teams):
        message = f"Could not resolve to an Organization with the login of '{org}'."
        raise QueryError(message, kind="NOT_FOUND")
    return Node("Organization", {"team": lambda inner: _team(call, org, inner["slug"])})


def _team(call: Call, org: str, slug: str) -> Node | None:
    if not call.caller.has("members:read"):
        raise _forbidden()
    found = call.world.teams.get((org, slug))
    if found is None:
        return None

    def members(arguments: Arguments) -> Node:
        wanted = (arguments.get("query") or "").lower()
        nodes = [
            Node("User", {"login": login})
            for login, state in found.members.items()
            if state == "active" and wanted in login.lower()
        ]
        return _connection("TeamMember", nodes, arguments)

    return Node("Team", {"slug": slug, "members": members})


def _default_branch(call: Call, repo: Repo) -> Node | None:
    if not call.caller.has("contents:read"):
        raise _forbidden()
    sha = objects.branch(repo.git, repo.default_branch)
    if sha is None:
        return None
    tip = {"oid": sha, "file": lambda inner: _entry(repo, sha, inner["path"])}
    return Node("Ref", {"name": repo.default_branch, "target": Node("Commit", tip)})


def _entry(repo: Repo, sha: str, path: str) -> Node | None:
    found = objects.entry(repo.git, sha, path)
    if found is None:
        return None
    mode, kind = found
    content = objects.content(repo.git, sha, path) if kind == "blob" else b""
    return Node("TreeEntry", {"mode": mode, "type": kind, "object": _object(kind, content)})


def _object(kind: str, content: bytes) -> Node:
    if kind != "blob":
        return Node(kind.capitalize(), {})
    shown = content[:LARGEST_TEXT]
    try:
        text = None if b"\0" in shown else shown.decode()
    except UnicodeDecodeError:
        text = None
    return Node(
        "Blob",
        {
            "byteSize": len(content),
            "isBinary": text is None,
            "isTruncated": len(content) > LARGEST_TEXT,
            "text": text,
        },
    )


def _collaborators(call: Call, repo: Repo, arguments: Arguments) -> Node:
    """Whose login or name has the text in it; everybody else who can read is not among them."""
    if not call.world.shows_collaborators or not call.caller.has("metadata:read"):
        raise _forbidden()
    wanted = (arguments.get("query") or "").lower()
    found = [
        Node(
            "RepositoryCollaboratorEdge",
            {"permission": role.name, "node": Node("User", {"login": login})},
        )
        for login, role in repo.roles.items()
        if role and wanted in login.lower()
    ]
    return _connection("RepositoryCollaborator", found, arguments, inside="edges")


def _pull_request(call: Call, repo: Repo, number: int) -> Node:
    found = repo.issues.get(number)
    if not isinstance(found, PullRequest):
        message = f"Could not resolve to a PullRequest with the number of {number}."
        raise QueryError(message, kind="NOT_FOUND")
    if not call.caller.has("pull_requests:read"):
        raise _forbidden()
    head = found.head_repo
    return Node(
        "PullRequest",
        {
            "id": shapes.node_id("PR", found.id),
            "number": found.number,
            "title": found.title,
            "state": "MERGED" if found.merged else found.state.upper(),
            "merged": found.merged,
            "isDraft": found.draft,
            "isCrossRepository": head is not repo,
            "author": _actor(call.world, found.author),
            "headRefOid": found.head_sha,
            "headRefName": found.head_ref,
            "headRepository": Node("Repository", {"nameWithOwner": head.full_name})
            if head
            else None,
            "baseRefName": found.base_ref,
            "baseRefOid": found.base_sha,
            "baseRef": _base(call.world, repo, found.base_ref),
            **({"reviewDecision": _decision(repo, found)} if call.world.decides_reviews else {}),
            "latestOpinionatedReviews": lambda inner: _reviews(repo, found, inner),
            "comments": lambda inner: _comments(call, repo, found, inner),
            "commits": lambda inner: _commits(call, repo, found, inner),
        },
    )


def _actor(world: World, who: User) -> Node | None:
    if who.login not in world.users:
        return None
    # GraphQL says `dependabot` where all else says `dependabot[bot]`.
    return Node(who.kind, {"login": who.login.removesuffix("[bot]")})


def _base(world: World, repo: Repo, name: str) -> Node | None:
    sha = objects.branch(repo.git, name)
    if sha is None:
        return None
    contexts = repo.required_checks
    other = Node("RepositoryRule", {"parameters": Node("DeletionParameters", {})})
    rules = [other] * max(repo.other_rules, 1)
    if repo.ruled_checks:
        checks = [Node("StatusCheckConfiguration", {"context": each}) for each in repo.ruled_checks]
        parameters = Node("RequiredStatusChecksParameters", {"requiredStatusChecks": checks})
        rules.append(Node("RepositoryRule", {"parameters": parameters}))
    shape: dict[str, Any] = {
        "name": name,
        "target": Node("Commit", {"oid": sha}),
        "refUpdateRule": Node("RefUpdateRule", {"requiredStatusCheckContexts": contexts})
        if contexts
        else None,
    }
    if world.has_rulesets:
        shape["rules"] = lambda inner: _connection("RepositoryRule", rules, inner)
    return Node("Ref", shape)


def _decision(repo: Repo, found: PullRequest) -> str | None:
    """None where the repository does not ask for reviews, whatever reviewers said."""
    ruled = int(repo.ruled_review.get("required_approving_review_count", 0))
    needed = max(ruled, int(repo.requires_review))
    if not needed:
        return None
    states = [each.state for each in _opinions(repo, found, writers_only=True)]
    if "CHANGES_REQUESTED" in states:
        return "CHANGES_REQUESTED"
    return "APPROVED" if states.count("APPROVED") >= needed else "REVIEW_REQUIRED"


def _opinions(repo: Repo, found: PullRequest, *, writers_only: bool) -> list[Review]:
    """The last opinion of each reviewer."""
    last = {each.author: each for each in found.reviews if each.state != "COMMENTED"}
    return [
        each
        for author, each in last.items()
        if not writers_only or repo.role(author.login).label in {"write", "maintain", "admin"}
    ]


def _reviews(repo: Repo, found: PullRequest, arguments: Arguments) -> Node:
    opinions = _opinions(repo, found, writers_only=arguments.get("writersOnly", False))
    nodes = [
        Node(
            "PullRequestReview",
            {"state": each.state, "commit": Node("Commit", {"oid": each.sha})},
        )
        for each in opinions
    ]
    return _connection("PullRequestReview", nodes, arguments)


def _comments(call: Call, repo: Repo, found: PullRequest, arguments: Arguments) -> Node:
    all_of_it = [each for each in repo.comments.values() if each.number == found.number]
    nodes = [
        Node(
            "IssueComment",
            {"databaseId": each.id, "author": _actor(call.world, each.author), "body": each.body},
        )
        for each in all_of_it[-_most("IssueComment", arguments.get("last")) :]
    ]
    return Node("IssueCommentConnection", {"nodes": nodes, "totalCount": len(all_of_it)})


def _commits(call: Call, repo: Repo, found: PullRequest, arguments: Arguments) -> Node:
    shas = objects.between(repo.git, found.base_sha, found.head_sha)[:MOST_COMMITS]
    last = shas[-_most("PullRequestCommit", arguments.get("last")) :]
    nodes = [Node("PullRequestCommit", {"commit": _commit(call, repo, sha)}) for sha in last]
    return Node("PullRequestCommitConnection", {"nodes": nodes, "totalCount": len(shas)})


def _commit(call: Call, repo: Repo, sha: str) -> Node:
    def rollup(_arguments: Arguments) -> Node | None:
        if not call.caller.has("checks:read") or not call.caller.has("statuses:read"):
            raise _forbidden()
        runs = latest(each for each in repo.checks.values() if each.sha == sha)
        statuses = newest(each for each in repo.statuses if each.sha == sha)
        nodes = [*map(_check_run, runs), *map(_status, statuses)]
        if not nodes:
            return None
        kind = "StatusCheckRollupContext"
        return Node(
            "StatusCheckRollup", {"contexts": lambda inner: _connection(kind, nodes, inner)}
        )

    return Node("Commit", {"oid": sha, "statusCheckRollup": rollup})


def _check_run(found: CheckRun) -> Node:
    suite = Node("CheckSuite", {"app": Node("App", {"slug": found.app_slug})})
    return Node(
        "CheckRun",
        {
            "name": found.name,
            "status": found.status.upper(),
            "conclusion": found.conclusion.upper() if found.conclusion else None,
            "checkSuite": suite,
        },
    )


def _status(found: Status) -> Node:
    return Node("StatusContext", {"context": found.context, "state": found.state.upper()})


def _connection(
    kind: str, nodes: list[Node], arguments: Arguments, *, inside: str = "nodes"
) -> Node:
    """A page of a list: `first` of them `after` a cursor."""
    first = _most(kind, arguments.get("first"))
    start = int(arguments.get("after") or 0)
    end = min(start + first, len(nodes))
    page = Node(
        "PageInfo",
        {"hasNextPage": end < len(nodes), "endCursor": str(end) if nodes else None},
    )
    return Node(
        f"{kind}Connection",
        {inside: nodes[start:end], "pageInfo": page, "totalCount": len(nodes)},
    )


def _most(kind: str, asked: int | None) -> int:
    if asked is None or not 1 <= asked <= MOST_NODES:
        message = f"`first` on the `{kind}` connection must be between 1 and {MOST_NODES}."
        raise QueryError(message)
    return asked


def _forbidden() -> QueryError:
    return QueryError("Resource not accessible by integration", kind="FORBIDDEN")
