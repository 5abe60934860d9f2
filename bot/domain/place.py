"""Where environments have their pipelines, and that none of them changes another's."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from bot.domain.reasons import Code, StoppedError


@dataclass(frozen=True)
class Place:
    """Where an environment has its pipelines."""

    cluster: str
    """One name for a cluster, however many it has."""
    project: str


@dataclass(frozen=True)
class Reach:
    """What of a cluster an environment leaves alone."""

    environment: str = ""
    others: Mapping[str, str] = field(default_factory=dict)
    """Projects that are not its own, each with an environment whose it is."""

    def check(
        self, project: str, what: str, *, where: str | None = None, next_step: str | None = None
    ) -> None:
        """Refuse what would be changed in another environment's project: project_of_another."""
        if (owner := self.others.get(project)) is not None:
            raise StoppedError(
                Code.PROJECT_OF_ANOTHER,
                f"{what} is in {project}, which is the project of {owner} and not of"
                f" {self.environment}",
                where=where,
                next_step=next_step,
            )


EVERYWHERE = Reach()
"""Where it is not known what is others'."""


def reach_of(environment: str, cluster: str, places: Mapping[str, Place]) -> Reach:
    """What an environment reaches on a cluster, whether or not it has its place there.

    Args:
        environment: by its name.
        cluster: by the one name.
        places: of all environments, as the rules say them.
    """
    own = places.get(environment)
    others = {
        place.project: name
        for name, place in places.items()
        if place.cluster == cluster and place != own
    }
    return Reach(environment, others)


def shared(places: Mapping[str, Place]) -> dict[Place, tuple[str, ...]]:
    """The places that several environments have, each with those."""
    found: dict[Place, list[str]] = {}
    for name, place in places.items():
        found.setdefault(place, []).append(name)
    return {place: tuple(names) for place, names in found.items() if len(names) > 1}
