"""Whose pipelines an environment may change."""

import pytest

from bot.domain.place import Place, reach_of, shared
from bot.domain.reasons import Code, StoppedError

PLACES = {
    "production": Place("main", "vision"),
    "staging": Place("main", "vision-staging"),
    "lab": Place("lab", "vision"),
}


def refused(
    environment: str, cluster: str, project: str, places: dict[str, Place] = PLACES
) -> StoppedError | None:
    try:
        reach_of(environment, cluster, places).check(project, f"pipeline {project}/edges")
    except StoppedError as stopped:
        return stopped
    return None


@pytest.mark.parametrize(
    ("environment", "cluster", "project", "is_refused"),
    [
        ("staging", "main", "vision-staging", False),
        ("staging", "main", "vision", True),
        ("production", "main", "vision-staging", True),
        # A project of the same name on another cluster is another project.
        ("lab", "lab", "vision", False),
        ("staging", "lab", "vision", True),
        ("staging", "lab", "vision-staging", False),
        # Nobody says that it is theirs.
        ("staging", "main", "shared", False),
    ],
)
def test_a_project_is_left_to_the_environment_that_names_it(
    environment: str, cluster: str, project: str, *, is_refused: bool
) -> None:
    assert (refused(environment, cluster, project) is not None) is is_refused


def test_environments_may_share_a_project() -> None:
    places = PLACES | {"canary": Place("main", "vision")}
    assert refused("canary", "main", "vision", places) is None
    assert refused("production", "main", "vision", places) is None


def test_an_environment_without_a_place_has_no_part_in_what_others_name() -> None:
    assert refused("new", "main", "vision") is not None


def test_the_refusal_names_pipeline_and_owner() -> None:
    stopped = refused("staging", "main", "vision")
    assert stopped is not None
    assert stopped.reason.code is Code.PROJECT_OF_ANOTHER
    assert "vision/edges" in stopped.reason.fact
    assert "production" in stopped.reason.fact


def test_a_place_is_shared_by_all_that_have_it() -> None:
    places = PLACES | {"canary": Place("main", "vision"), "lab 2": Place("lab", "vision")}
    assert shared(places) == {
        Place("main", "vision"): ("production", "canary"),
        Place("lab", "vision"): ("lab", "lab 2"),
    }


def test_places_of_one_environment_are_not_shared() -> None:
    assert shared(PLACES) == {}
