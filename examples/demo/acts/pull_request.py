"""A comment asks for a plan, another deploys the pull request."""

from examples.demo.telling import does, expect, seen
from examples.demo.world import ADA, PULL, World

TITLE = "A pull request is planned and deployed by comments"
BRANCH = "fainter"
SCRIPT = "edges/edges.sh"


async def play(world: World) -> None:
    """Ada changes how edges are found."""
    github = world.github
    files = {SCRIPT: world.file(SCRIPT).replace("THRESHOLD:-400", "THRESHOLD:-300")}
    await world.push(files, "Find fainter edges", BRANCH)
    pull = await github.open_pull_request(BRANCH, "Find fainter edges", by=ADA)
    expect(pull["number"] == PULL, f"the pull request is #{pull['number']}")
    does(f'Ada opens pull request #{PULL}: "{pull["title"]}".')

    does("Ada comments: /pachops plan staging")
    await github.comment(PULL, "/pachops plan staging", by=ADA)
    await github.expect_comment(PULL, "**Plan** for")
    seen("GitHub", "the plan: one image to build, one pipeline to update, nothing touched")

    does("Ada comments: /pachops deploy staging")
    asked = await github.comment(PULL, "/pachops deploy staging", by=ADA)
    await github.expect_reaction(asked, "eyes")
    await github.expect_reaction(asked, "rocket")
    head = github.tip(BRANCH)
    await github.expect_check(head, "success")
    version = await world.expect_deployed("staging", head)
    seen("GitHub", "👀, then 🚀; a check and a comment with what was done")
    seen("Pachyderm", f"staging runs {head[:7]} as version {version} of edges")
