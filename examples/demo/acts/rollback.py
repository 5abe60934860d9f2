"""Back to what ran before."""

from examples.demo.acts.pull_request import BRANCH
from examples.demo.telling import does, seen
from examples.demo.world import GRACE, REPOSITORY, World

TITLE = "Production goes back to what ran before"


async def play(world: World) -> None:
    """Grace rolls back."""
    before = world.github.tip(BRANCH)
    does("Grace types in Slack: /pachops rollback production")
    await world.types(f"rollback production --repo {REPOSITORY}", GRACE)
    await world.slack.sees("Rolled back", "*production*")
    version = await world.expect_running("production", before)
    seen(
        "Pachyderm", f"production runs {before[:7]} again, as version {version}; nothing was built"
    )
