"""A bad commit fails its test and is explained."""

from examples.demo.acts.pull_request import BRANCH
from examples.demo.telling import does, expect, seen
from examples.demo.world import ADA, PATIENCE, World

TITLE = "A mistake fails its test; nothing is pushed or updated"
SCRIPT = "edges/edges.awk"
GOOD, BAD = "x < 0 ? -x : x", "x"


async def play(world: World) -> None:
    """Ada simplifies too much, and takes it back."""
    github, pull = world.github, world.pull_request
    good_sha, good = pull.head_sha, world.file(SCRIPT, BRANCH)
    await world.push({SCRIPT: good.replace(GOOD, BAD)}, "Simplify", BRANCH)
    bad_sha = pull.head_sha
    does('Ada pushes "Simplify" to the pull request and comments: /pachops deploy staging')
    asked = await github.comment(pull, "/pachops deploy staging", by=ADA)
    await github.expect_reaction(asked, "-1", patience=PATIENCE)
    await github.expect_check(bad_sha, conclusion="failure")
    await github.expect_comment(pull, "The image's test failed", patience=PATIENCE)
    seen("GitHub", "👎; a comment says that the test failed, shows its last lines, and what to do")
    expect(world.pushed(bad_sha) is None, "the image was pushed though its test failed")
    await world.expect_running("staging", good_sha)
    seen("Pachyderm", f"staging still runs {good_sha[:7]}")

    await world.push({SCRIPT: good}, 'Revert "Simplify"', BRANCH)
    await github.close(pull, by=ADA, merged=True)
    does("Ada takes it back and merges.")
    await world.expect_deployed("staging", pull.head_sha)
    seen("GitHub", f"main, at {pull.head_sha[:7]}, is deployed to staging by itself")
    seen("Pachyderm", "the same content runs there already: nothing was built or updated")
