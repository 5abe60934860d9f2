"""A push is deployed to staging."""

from examples.demo.telling import does, seen
from examples.demo.world import World, vision_files

TITLE = "A push to main is deployed to staging"


async def play(world: World) -> None:
    """Ada pushes the pipelines."""
    does("Ada pushes two pipelines and the Dockerfile of their image to main.")
    sha = await world.push(vision_files(world.parts), "Edges of every image")
    version = await world.expect_deployed("staging", sha)
    seen("GitHub", f"deployment of {sha[:7]} to staging: success")
    seen("registry", f"vision/edges:{sha[:7]}..., built and tested")
    seen("Pachyderm", f"staging runs it as version {version} of edges")
    await world.slack.sees("*staging*", sha[:7], "✅")
    seen("Slack", "#vision was told, in one message that follows the deployment")
