"""A release is deployed and announced."""

from examples.demo.telling import does, seen
from examples.demo.world import ADA, CHANNEL, GRACE, REPOSITORY, World

TITLE = "A release is deployed to production and announced"
TAG = "v1.1"
NOTES = "## What's new\n* Edges of noisy images are sharper\n"


async def play(world: World) -> None:
    """Ada publishes a release, Grace approves."""
    await world.types(f"subscribe {REPOSITORY} releases", ADA)
    await world.slack.sees("This channel hears of")
    does(f"Ada types in {CHANNEL}: /pachops subscribe {REPOSITORY} releases")
    text = world.file("edges/edges.sh").replace("THRESHOLD:-300", "THRESHOLD:-350")
    sha = await world.push({"edges/edges.sh": text}, "Sharper edges in noise")
    await world.expect_deployed("staging", sha)
    does(f'Ada pushes "Sharper edges in noise" and publishes {TAG} on GitHub.')
    await world.github.publish_release(TAG, notes=NOTES, by=ADA)
    message = await world.slack.sees("*production*", sha[:7], '"approve"')
    does("Grace clicks Approve.")
    await world.clicks(message, "approve", GRACE)
    version = await world.expect_deployed("production", sha)
    seen("Pachyderm", f"production runs {sha[:7]} as version {version} of edges")
    await world.slack.sees("🎉", TAG)
    seen("Slack", f"🎉 {TAG}, with what is new, in {CHANNEL}")
