"""A comment asks for a plan, another deploys the pull request."""

from examples.demo.telling import does, seen
from examples.demo.world import ADA, PATIENCE, REPOSITORY, World

TITLE = "A pull request is planned and deployed by comments"
BRANCH = "fainter"
SCRIPT = "edges/edges.sh"


async def play(world: World) -> None:
    """Ada changes how edges are found."""
    github = world.github
    files = {SCRIPT: world.file(SCRIPT).replace("THRESHOLD:-400", "THRESHOLD:-300")}
    await world.push(files, "Find fainter edges", BRANCH)
    pull = await github.open_pull_request(REPOSITORY, BRANCH, title="Find fainter edges", by=ADA)
    does(f'Ada opens pull request #{pull.number}: "{pull.title}".')

    does("Ada comments: /pachops plan staging")
    asked = await github.comment(pull, "/pachops plan staging", by=ADA)
    await github.expect_comment(pull, "**Plan** for", patience=PATIENCE)
    seen("GitHub", "the plan: one image to build, one pipeline to update, nothing touched")

    does("Ada comments: /pachops deploy staging")
    asked = await github.comment(pull, "/pachops deploy staging", by=ADA)
    await github.expect_reaction(asked, "eyes", patience=PATIENCE)
    await github.expect_reaction(asked, "rocket", patience=PATIENCE)
    await github.expect_check(pull.head_sha, conclusion="success")
    version = await world.expect_deployed("staging", pull.head_sha)
    seen("GitHub", "👀, then 🚀; a check and a comment with what was done")
    seen("Pachyderm", f"staging runs {pull.head_sha[:7]} as version {version} of edges")
