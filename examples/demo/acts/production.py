"""Production asks for approval in Slack, and gets it."""

from typing import Any

from examples.demo.telling import does, seen
from examples.demo.world import ADA, GRACE, PULL, REPOSITORY, SLACK_IDS, World
from tests.real.workspace import shown

TITLE = "Production asks for approval in Slack and gets it"


async def play(world: World) -> None:
    """Ada asks, Grace approves."""
    await approve(world, await ask(world))


async def ask(world: World) -> dict[str, Any]:
    """Ada asks in Slack; the message that waits for approval."""
    for person in (ADA, GRACE):
        await _link(world, person)
    does("Ada and Grace join their names in Slack and on GitHub, once: /pachops link")
    sha = world.github.tip("main")
    does("Ada types in Slack: /pachops deploy production")
    await world.types(f"deploy production --repo {REPOSITORY}", ADA)
    message = await world.slack.sees("*production*", sha[:7], '"approve"', "vision/edges")
    seen("Slack", "one message: what would change, and the buttons Approve and Reject")
    return message


async def approve(world: World, message: dict[str, Any]) -> None:
    """Grace approves."""
    sha = world.github.tip("main")
    does("Grace clicks Approve.")
    await world.clicks(message, "approve", GRACE)
    version = await world.expect_deployed("production", sha)
    await world.slack.sees("✅ *Deployed*", "*production*", sha[:7])
    seen("Slack", "the same message now says: deployed")
    seen("Pachyderm", f"production runs {sha[:7]} as version {version} of edges")


async def _link(world: World, person: str) -> None:
    await world.types("link", person)
    told = shown(await world.slack.sees("/pachops link ", whispered_to=SLACK_IDS[person]))
    code = told.split("/pachops link ")[1].split("`")[0]
    await world.github.comment(PULL, f"/pachops link {code}", by=person)
    await world.github.expect_comment(PULL, "Slack")
