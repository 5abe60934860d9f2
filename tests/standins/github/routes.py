"""All routes of the API; the first that fits answers."""

from tests.standins.github.api import (
    apps,
    checks,
    comments,
    content,
    deliveries,
    deployments,
    people,
    pulls,
)
from tests.standins.github.calls import Route

ROUTES: tuple[Route, ...] = tuple(
    route
    # Content has paths that take any end, so it comes last.
    for part in (apps, checks, comments, deliveries, deployments, people, pulls, content)
    for route in part.ROUTES.all
)
