"""Pull requests and issues, to be read."""

from tests.standins.github import objects, shapes
from tests.standins.github.calls import Answer, Call, Routes

ROUTES = Routes()
MOST_COMMITS = 250


@ROUTES.add("GET", "/repos/{owner}/{repo}/pulls", "pull_requests:read")
def list_pulls(call: Call) -> Answer:
    state = call.query.get("state", "open")
    found = [each for each in call.repo.pull_requests if state in {"all", each.state}]
    return call.page(found[::-1], lambda each: shapes.pull_request(call.world, each))


@ROUTES.add("GET", "/repos/{owner}/{repo}/pulls/{number}", "pull_requests:read")
def show_pull(call: Call) -> Answer:
    found = call.world.pull(call.repo, call.number("number"))
    return Answer(shapes.pull_request(call.world, found))


@ROUTES.add("GET", "/repos/{owner}/{repo}/pulls/{number}/commits", "pull_requests:read")
def list_commits(call: Call) -> Answer:
    repo = call.repo
    found = call.world.pull(repo, call.number("number"))
    shas = objects.between(repo.git, found.base_sha, found.head_sha)[:MOST_COMMITS]
    return call.page(
        shas,
        lambda sha: shapes.commit(call.world, repo, sha, objects.message(repo.git, sha)),
    )


@ROUTES.add("GET", "/repos/{owner}/{repo}/pulls/{number}/reviews", "pull_requests:read")
def list_reviews(call: Call) -> Answer:
    found = call.world.pull(call.repo, call.number("number"))
    return call.page(found.reviews, lambda each: shapes.review(call.world, each))


@ROUTES.add("GET", "/repos/{owner}/{repo}/issues/{number}", "issues:read", "pull_requests:read")
def show_issue(call: Call) -> Answer:
    return Answer(shapes.issue(call.world, call.world.issue(call.repo, call.number("number"))))
