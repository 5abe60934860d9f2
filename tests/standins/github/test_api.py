"""What GitHub takes and what it does not; lists in pages; the graph."""

from typing import Any

import pytest
from requests.utils import parse_header_links

from bot.services.github import graphql
from bot.services.github.parts import query
from tests.standins.github.conftest import Answer, Ask
from tests.standins.github.server import GitHubServer
from tests.standins.github.state import PullRequest

EDGES = "/repos/acme/edges"

QUERY, _ = query("acme", "edges", (graphql.pull_request(1, rulesets=True),))


@pytest.fixture
async def pull(github: GitHubServer) -> PullRequest:
    return await github.open_pull_request("acme/edges", "feature", files={"a": "1"})


@pytest.mark.parametrize(
    ("path", "body", "said"),
    [
        ("issues/1/comments", {"body": "x" * 65_537}, "Body is too long"),
        ("issues/1/comments", {"body": " "}, "blank"),
        ("issues/1/comments", {"body": 7}, "not a string"),
        ("issues/1/comments", {}, "wasn't supplied"),
        ("issues/1/comments", {"body": "x", "bdoy": "x"}, "not a permitted key"),
        ("check-runs", {"head_sha": "0" * 40, "name": "x"}, "No commit found"),
        ("check-runs", {"name": "x"}, "head_sha"),
        ("deployments", {"ref": "nothing"}, "No ref found"),
        ("deployments", {"ref": "feature", "description": "x" * 141}, "Only 140"),
    ],
)
async def test_wrong_input_is_a_422(
    ask: Ask, token: str, pull: PullRequest, path: str, body: dict[str, Any], said: str
) -> None:
    answer = await ask("POST", f"{EDGES}/{path}", token, body)

    assert answer.status == 422
    assert said in _said(answer)
    assert not {**pull.repo.comments, **pull.repo.checks, **pull.repo.deployments}


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"status": "done"}, '"done" is not a member of'),
        ({"status": "completed"}, '"conclusion" wasn\'t supplied'),
        ({"conclusion": "failed"}, '"failed" is not a member of'),
        ({"output": {"title": "x"}}, '"summary" wasn\'t supplied'),
        ({"output": {"title": "x", "summary": "🚀" * 30_000}}, "bytesize of 65535"),
        ({"output": {"title": "x", "summary": "x" * 65_536}}, "Only 65535"),
        ({"output": {"title": "x", "summary": "x", "annotations": [{}] * 51}}, "more than 50"),
        ({"actions": [{}] * 4}, "more than 3"),
        ({"actions": [{"label": "x" * 21, "description": "", "identifier": ""}]}, "Only 20"),
        ({"actions": [{"label": "", "description": "x" * 41, "identifier": ""}]}, "Only 40"),
        ({"actions": [{"label": "", "description": "", "identifier": "x" * 21}]}, "Only 20"),
    ],
)
async def test_a_wrong_check_is_a_422(
    ask: Ask, token: str, pull: PullRequest, body: dict[str, Any], said: str
) -> None:
    fields = {"name": "pachops", "head_sha": pull.head_sha} | body

    answer = await ask("POST", f"{EDGES}/check-runs", token, fields)

    assert answer.status == 422
    assert said in _said(answer)
    assert not pull.repo.checks


@pytest.mark.parametrize("state", ["done", "", None])
async def test_a_deployments_state_is_one_that_github_has(
    github: GitHubServer, ask: Ask, token: str, pull: PullRequest, state: str | None
) -> None:
    made = await ask("POST", f"{EDGES}/deployments", token, {"ref": pull.head_sha})

    answer = await ask(
        "POST", f"{EDGES}/deployments/{made.data['id']}/statuses", token, {"state": state}
    )

    assert answer.status == 422
    assert github.deployments("acme/edges")[0].statuses == []


async def test_a_deployment_waits_for_checks_unless_it_is_told_not_to(
    github: GitHubServer, ask: Ask, token: str, pull: PullRequest
) -> None:
    github.check("acme/edges", pull.head_sha, "unit", "failure")
    body = {"ref": pull.head_sha, "auto_merge": False}

    refused = await ask("POST", f"{EDGES}/deployments", token, body)
    made = await ask("POST", f"{EDGES}/deployments", token, body | {"required_contexts": []})

    assert (refused.status, made.status) == (409, 201)


async def test_a_deployment_is_merged_with_the_default_branch_unless_it_is_told_not_to(
    github: GitHubServer, ask: Ask, token: str, pull: PullRequest
) -> None:
    await github.push("acme/edges", {"b": "1"})

    answer = await ask("POST", f"{EDGES}/deployments", token, {"ref": pull.head_sha})

    assert answer.status == 409


async def test_a_body_that_is_no_json_is_a_400(github: GitHubServer, http: Any, token: str) -> None:
    async with http.post(
        f"{github.api_url}{EDGES}/deployments",
        data=b"{",
        headers={"Authorization": f"token {token}"},
    ) as answer:
        assert answer.status == 400


async def test_a_reaction_is_there_once(
    github: GitHubServer, ask: Ask, token: str, pull: PullRequest
) -> None:
    comment = await github.comment(pull, "hello")
    path = f"{EDGES}/issues/comments/{comment.id}/reactions"

    first = await ask("POST", path, token, {"content": "eyes"})
    second = await ask("POST", path, token, {"content": "eyes"})

    assert (first.status, second.status) == (201, 200)
    assert len(comment.reactions) == 1


async def test_a_plain_issue_takes_more_than_the_right_to_pull_requests(
    github: GitHubServer, ask: Ask, token: str
) -> None:
    issue = await github.open_issue("acme/edges")

    answer = await ask("POST", f"{EDGES}/issues/{issue.number}/comments", token, {"body": "x"})

    assert answer.status == 403


async def test_a_list_comes_in_pages_with_links(
    github: GitHubServer, ask: Ask, token: str, pull: PullRequest
) -> None:
    for number in range(5):
        await github.comment(pull, f"chat {number}")
    path = f"{EDGES}/issues/1/comments"

    first = await ask("GET", path, token, per_page="2")
    links = parse_header_links(first.headers["Link"])
    urls = {each["rel"]: each["url"] for each in links}
    last = await ask("GET", urls["last"], token)

    assert [each["body"] for each in first.data] == ["chat 0", "chat 1"]
    assert [each["body"] for each in last.data] == ["chat 4"]
    assert 'rel="next"' not in last.headers["Link"]


async def test_a_page_has_a_hundred_at_most(
    github: GitHubServer, ask: Ask, token: str, pull: PullRequest
) -> None:
    for number in range(101):
        await github.comment(pull, f"chat {number}")

    answer = await ask("GET", f"{EDGES}/issues/1/comments", token, per_page="500")

    assert len(answer.data) == 100


async def test_every_act_has_a_second_of_its_own(github: GitHubServer, pull: PullRequest) -> None:
    sha = await github.push("acme/edges", {"a": "2"}, "feature")
    comment = await github.comment(pull, "deploy")

    pushed = github.world.repo("acme/edges").pushes[-1]
    assert pushed.after == sha
    assert pushed.timestamp < comment.created_at


async def test_a_push_moves_its_pull_request(github: GitHubServer, pull: PullRequest) -> None:
    sha = await github.push("acme/edges", {"a": "2"}, "feature")

    assert pull.head_sha == sha


async def test_a_forks_commits_are_found_in_its_parent(
    github: GitHubServer, ask: Ask, token: str
) -> None:
    github.fork("acme/edges", "eve")
    sha = await github.push("eve/edges", {"a": "evil"}, by="eve")

    found = await ask("GET", f"{EDGES}/commits/{sha}", token)
    compared = await ask("GET", f"{EDGES}/compare/main...{sha}", token)

    assert found.status == 200
    assert (compared.data["status"], compared.data["ahead_by"]) == ("ahead", 1)


async def test_a_branch_with_a_slash_is_a_branch(
    github: GitHubServer, ask: Ask, token: str
) -> None:
    sha = await github.push("acme/edges", {"a": "1"}, "feature/one")

    answer = await ask("GET", f"{EDGES}/branches/feature/one", token)

    assert answer.data["commit"]["sha"] == sha


async def test_a_folder_is_a_list(github: GitHubServer, ask: Ask, token: str) -> None:
    await github.push("acme/edges", {"folder/a": "1", "folder/b": "2"})

    answer = await ask("GET", f"{EDGES}/contents/folder", token)

    assert [each["path"] for each in answer.data] == ["folder/a", "folder/b"]


@pytest.mark.parametrize(
    ("query", "said"),
    [
        (
            QUERY.replace("isDraft", "isDarft"),
            "Field 'isDarft' doesn't exist on type 'PullRequest'",
        ),
        (QUERY.replace("$number: Int!", "$number: String!"), "invalid value"),
        (QUERY.replace(", $after: String)", ")"), "$after is used but not declared"),
        (QUERY.replace("first: 100", "first: 101"), "between 1 and 100"),
        (QUERY + "}", "Parse error"),
        (QUERY.rstrip()[:-1], "Parse error"),
        (
            QUERY.replace("headRepository { nameWithOwner }", "headRepository"),
            "must have selections",
        ),
    ],
)
async def test_a_wrong_query_is_an_error(
    github: GitHubServer, ask: Ask, token: str, pull: PullRequest, query: str, said: str
) -> None:
    github.check("acme/edges", pull.head_sha, "unit")
    variables = {"owner": "acme", "name": "edges", "number": pull.number}
    body = {"query": query, "variables": variables}

    answer = await ask("POST", f"{github.url}/api/graphql", token, body)

    assert answer.status == 200
    assert "data" not in answer.data
    assert said in answer.data["errors"][0]["message"]


async def test_the_graph_hides_what_a_token_may_not_see(
    github: GitHubServer, ask: Ask, token: str
) -> None:
    github.repository("umbrella/hive")
    await github.open_pull_request("umbrella/hive", "feature", files={"a": "1"})
    variables = {"owner": "umbrella", "name": "hive", "number": 1}

    answer = await ask(
        "POST", f"{github.url}/api/graphql", token, {"query": QUERY, "variables": variables}
    )

    assert answer.data["errors"][0]["type"] == "NOT_FOUND"


def _said(answer: Answer) -> str:
    errors = [each["message"] for each in answer.data.get("errors", ())]
    return " ".join([answer.data["message"], *errors])
