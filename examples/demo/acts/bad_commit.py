"""A bad commit fails its test and is explained."""

from examples.demo.acts.pull_request import BRANCH
from examples.demo.telling import does, expect, seen
from examples.demo.world import ADA, PULL, World

TITLE = "A mistake fails its test; nothing is pushed or updated"
SCRIPT = "edges/edges.awk"
GOOD, BAD = "x < 0 ? -x : x", "x"


async def play(world: World) -> None:
    """Ada simplifies too much, and takes it back."""
    github = world.github
    good_sha, good = github.tip(BRANCH), world.file(SCRIPT, BRANCH)
    bad_sha = await world.push({SCRIPT: good.replace(GOOD, BAD)}, "Simplify", BRANCH)
    does('Ada pushes "Simplify" to the pull request and comments: /pachops deploy staging')
    await github.comment(PULL, "/pachops deploy staging", by=ADA)
    await github.expect_comment(PULL, f"@{ADA}: ")
    await github.expect_check(bad_sha, "failure")
    await github.expect_comment(PULL, "The image's test failed")
    seen("GitHub", "a comment tells Ada that the test failed, shows its last lines, and what to do")
    expect(world.pushed(bad_sha) is None, "the image was pushed though its test failed")
    await world.expect_running("staging", good_sha)
    seen("Pachyderm", f"staging still runs {good_sha[:7]}")

    await world.push({SCRIPT: good}, 'Revert "Simplify"', BRANCH)
    merged = await github.merge(BRANCH, by=ADA)
    does("Ada takes it back and merges.")
    await world.expect_deployed("staging", merged)
    seen("GitHub", f"main, at {merged[:7]}, is deployed to staging by itself")
    seen("Pachyderm", "the same content runs there already: nothing was built or updated")
