from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.standins.pachd import Pachd
from tests.standins.pachd.sdk import pfs, pps

Spec = dict[str, Any]
Create = Callable[..., Spec]
Inspect = Callable[..., Any]

LONG = 1_000.0
"""Seconds in which everything comes to its end."""

States = pps.PipelineState


@pytest.fixture
def images() -> set[str]:
    """The images that no registry has."""
    return set()


@pytest.fixture
def bad_files() -> set[str]:
    """The files that the user's code fails on."""
    return set()


@pytest.fixture
def pachd(images: set[str], bad_files: set[str]) -> Iterator[Pachd]:
    with Pachd(
        image_exists=lambda image: image not in images,
        datum_fails=lambda _pipeline, _image, path: path in bad_files,
    ) as pachd:
        pachd.put_files("images", ["a.png", "b.png"])
        yield pachd


def montage(edges: Spec, **more: Any) -> Spec:
    """A pipeline that reads what edges made."""
    return edges | {
        "pipeline": {"name": "montage"},
        "input": {"pfs": {"repo": "edges", "glob": "/*"}},
        **more,
    }


def counts(pachd: Pachd, name: str = "edges") -> list[tuple[str, int, int]]:
    return [(job.state, job.processed, job.skipped) for job in pachd.jobs(name)]


def test_a_pipeline_starts_and_then_runs_before_its_workers_are_there(
    pachd: Pachd, create: Create, inspect: Inspect, edges: Spec
) -> None:
    create(edges)
    assert inspect().state == States.PIPELINE_STARTING
    pachd.advance(0.5)
    info = inspect()
    assert (info.state, info.details.workers_available) == (States.PIPELINE_RUNNING, 0)
    pachd.advance(0.6)
    info = inspect()
    assert (info.state, info.details.workers_available) == (States.PIPELINE_RUNNING, 1)


def test_a_missing_image_shows_late(
    pachd: Pachd, create: Create, inspect: Inspect, edges: Spec, images: set[str]
) -> None:
    images.add("acme/edges:1")
    create(edges)
    pachd.advance(2.9)
    assert inspect().state == States.PIPELINE_RUNNING
    pachd.advance(0.2)
    info = inspect()
    assert info.state == States.PIPELINE_CRASHING
    assert "ErrImagePull" in info.reason
    assert info.details.workers_available == 0


def test_a_missing_image_runs_no_job(
    pachd: Pachd, create: Create, edges: Spec, images: set[str]
) -> None:
    images.add("acme/edges:1")
    create(edges)
    pachd.advance(LONG)
    assert counts(pachd) == [("CREATED", 0, 0)]


def test_an_update_to_an_image_that_is_there_heals(
    pachd: Pachd, create: Create, inspect: Inspect, edges: Spec, images: set[str]
) -> None:
    images.add("acme/edges:1")
    create(edges)
    pachd.advance(LONG)
    edges["transform"]["image"] = "acme/edges:2"
    create(edges, update=True)
    pachd.advance(LONG)
    assert inspect().state == States.PIPELINE_RUNNING


def test_an_autoscaling_pipeline_stands_by_when_its_job_is_done(
    pachd: Pachd, create: Create, inspect: Inspect, edges: Spec
) -> None:
    create(edges | {"autoscaling": True})
    pachd.advance(1.1)
    assert inspect().state == States.PIPELINE_RUNNING
    pachd.advance(LONG)
    info = inspect()
    assert (info.state, info.details.workers_available) == (States.PIPELINE_STANDBY, 0)


def test_a_broken_pipeline_stays_so_until_it_is_updated(
    pachd: Pachd, create: Create, inspect: Inspect, edges: Spec
) -> None:
    create(edges)
    pachd.break_pipeline("edges", "FAILURE", "no such node")
    pachd.advance(LONG)
    info = inspect()
    assert (info.state, info.reason) == (States.PIPELINE_FAILURE, "no such node")
    create(edges, update=True)
    pachd.advance(LONG)
    assert inspect().state == States.PIPELINE_RUNNING


def test_a_new_pipeline_processes_every_datum(pachd: Pachd, create: Create, edges: Spec) -> None:
    create(edges)
    pachd.advance(LONG)
    assert counts(pachd) == [("SUCCESS", 2, 0)]


def test_an_update_of_the_image_alone_skips_every_datum(
    pachd: Pachd, create: Create, edges: Spec
) -> None:
    create(edges)
    pachd.advance(LONG)
    edges["transform"]["image"] = "acme/edges:2"
    create(edges, update=True)
    pachd.advance(LONG)
    assert counts(pachd)[-1] == ("SUCCESS", 0, 2)


def test_reprocess_processes_every_datum_again(pachd: Pachd, create: Create, edges: Spec) -> None:
    create(edges)
    pachd.advance(LONG)
    create(edges, update=True, reprocess=True)
    pachd.advance(LONG)
    assert counts(pachd)[-1] == ("SUCCESS", 2, 0)


def test_reprocess_every_job_skips_nothing(pachd: Pachd, create: Create, edges: Spec) -> None:
    create(edges | {"reprocessSpec": "every_job"})
    pachd.advance(LONG)
    pachd.put_files("images", ["c.png"])
    pachd.advance(LONG)
    assert counts(pachd)[-1] == ("SUCCESS", 3, 0)


def test_a_new_file_is_a_job_with_one_new_datum(pachd: Pachd, create: Create, edges: Spec) -> None:
    create(edges)
    pachd.advance(LONG)
    pachd.put_files("images", ["c.png"])
    pachd.advance(LONG)
    assert counts(pachd)[-1] == ("SUCCESS", 1, 2)


def test_a_changed_file_is_a_new_datum(pachd: Pachd, create: Create, edges: Spec) -> None:
    create(edges)
    pachd.advance(LONG)
    pachd.put_files("images", {"a.png": "new"})
    pachd.advance(LONG)
    assert counts(pachd)[-1] == ("SUCCESS", 1, 1)


def test_jobs_of_two_commits_run_one_after_the_other(
    pachd: Pachd, create: Create, edges: Spec
) -> None:
    create(edges)
    pachd.put_files("images", ["c.png"])
    pachd.advance(LONG)
    first, second = pachd.jobs("edges")
    assert counts(pachd) == [("SUCCESS", 2, 0), ("SUCCESS", 1, 2)]
    assert first.finished is not None
    assert second.started is not None
    assert second.started >= first.finished


def test_a_failing_datum_fails_the_job_and_is_tried_again(
    pachd: Pachd, create: Create, edges: Spec, bad_files: set[str]
) -> None:
    bad_files.add("/b.png")
    create(edges)
    pachd.advance(LONG)
    job = pachd.jobs("edges")[0]
    assert (job.state, job.processed, job.failed) == ("FAILURE", 1, 1)
    assert "failed" in job.reason
    bad_files.clear()
    create(edges, update=True)
    pachd.advance(LONG)
    assert counts(pachd)[-1] == ("SUCCESS", 2, 0)


def test_an_update_kills_unfinished_jobs(pachd: Pachd, create: Create, edges: Spec) -> None:
    create(edges)
    create(edges, update=True)
    old, new = pachd.jobs("edges")
    assert old.state == "KILLED"
    assert old.reason == ("all jobs killed because pipeline was updated for user unknown_username")
    assert (new.state, new.version) == ("CREATED", 2)


def test_a_pipeline_below_waits_for_the_one_above(
    pachd: Pachd, create: Create, edges: Spec
) -> None:
    create(edges)
    create(montage(edges))
    pachd.advance(LONG)
    pachd.put_files("images", ["c.png"])
    assert pachd.jobs("montage")[-1].id == pachd.jobs("edges")[-1].id
    pachd.advance(LONG)
    assert counts(pachd, "montage")[-1] == ("SUCCESS", 1, 2)


def test_a_pipeline_below_is_unrunnable_when_the_one_above_failed(
    pachd: Pachd, create: Create, edges: Spec, bad_files: set[str]
) -> None:
    create(edges)
    create(montage(edges))
    pachd.advance(LONG)
    bad_files.add("/c.png")
    pachd.put_files("images", ["c.png"])
    pachd.advance(LONG)
    assert pachd.jobs("montage")[-1].state == "UNRUNNABLE"


def test_new_code_above_is_new_data_below_only_where_it_ran(
    pachd: Pachd, create: Create, edges: Spec
) -> None:
    create(edges)
    create(montage(edges))
    pachd.advance(LONG)
    edges["transform"]["image"] = "acme/edges:2"
    create(edges, update=True)
    pachd.advance(LONG)
    assert counts(pachd, "montage")[-1] == ("SUCCESS", 0, 2)
    create(edges, update=True, reprocess=True)
    pachd.advance(LONG)
    assert counts(pachd, "montage")[-1] == ("SUCCESS", 2, 0)


@pytest.mark.parametrize(
    ("node", "datums"),
    [
        ({"pfs": {"repo": "images", "glob": "/"}}, 1),
        ({"pfs": {"repo": "images", "glob": "/a*"}}, 1),
        ({"pfs": {"repo": "images", "glob": "/{a,b}.png"}}, 2),
        ({"cross": [{"pfs": {"repo": "images", "glob": "/*"}},
                    {"pfs": {"name": "again", "repo": "images", "glob": "/*"}}]}, 4),
        ({"union": [{"pfs": {"repo": "images", "glob": "/*"}},
                    {"pfs": {"repo": "images", "glob": "/a*"}}]}, 3),
        ({"join": [{"pfs": {"repo": "images", "glob": "/(*).png", "joinOn": "$1"}},
                   {"pfs": {"name": "o", "repo": "images", "glob": "/(*).png", "joinOn": "$1"}}]},
         2),
        ({"group": [{"pfs": {"repo": "images", "glob": "/*.(*)", "groupBy": "$1"}}]}, 1),
    ],
)  # fmt: skip
def test_an_input_has_its_datums(
    pachd: Pachd, create: Create, edges: Spec, node: Spec, datums: int
) -> None:
    create(edges | {"input": node})
    pachd.advance(LONG)
    assert counts(pachd) == [("SUCCESS", datums, 0)]


def test_a_spout_has_no_jobs(pachd: Pachd, create: Create, inspect: Inspect, edges: Spec) -> None:
    del edges["input"]
    create(edges | {"spout": {}})
    assert pachd.jobs("edges") == ()
    assert inspect().type == pps.PipelineInfoPipelineType.PIPELINE_TYPE_SPOUT


def test_a_stopped_pipeline_stays_stopped_over_an_update(
    pachd: Pachd, client: Any, create: Create, inspect: Inspect, edges: Spec
) -> None:
    create(edges)
    client.pps.stop_pipeline(pipeline=pps.Pipeline(name="edges"))
    create(edges, update=True)
    pachd.advance(LONG)
    info = inspect()
    assert (info.state, info.stopped, info.version) == (States.PIPELINE_PAUSED, True, 2)
    assert [job.state for job in pachd.jobs("edges")] == ["KILLED"]


def test_a_started_pipeline_catches_up(
    pachd: Pachd, client: Any, create: Create, edges: Spec
) -> None:
    create(edges)
    client.pps.stop_pipeline(pipeline=pps.Pipeline(name="edges"))
    client.pps.start_pipeline(pipeline=pps.Pipeline(name="edges"))
    pachd.advance(LONG)
    assert counts(pachd)[-1] == ("SUCCESS", 2, 0)


def test_jobs_are_listed_newest_first_of_as_many_versions_as_asked_for(
    client: Any, create: Create, edges: Spec
) -> None:
    for _ in range(3):
        create(edges, update=True)
    edges_ref = pps.Pipeline(name="edges", project=pfs.Project(name="default"))

    def versions(**options: Any) -> list[int]:
        jobs = client.pps.list_job(pipeline=edges_ref, **options)
        return [info.pipeline_version for info in jobs]

    assert versions() == [3]
    assert versions(history=-1) == [3, 2, 1]
    assert versions(history=-1, number=2) == [3, 2]
    assert versions(history=-1, reverse=True) == [1, 2, 3]


def test_jobs_of_a_pipeline_that_is_not_there_are_none(client: Any) -> None:
    assert list(client.pps.list_job(pipeline=pps.Pipeline(name="nothing"))) == []


def test_inspecting_a_job_can_wait_for_its_end(
    pachd: Pachd, client: Any, create: Create, edges: Spec
) -> None:
    create(edges)
    job = pps.Job(pipeline=pps.Pipeline(name="edges"), id=pachd.jobs("edges")[0].id)
    pachd.advance(LONG)
    info = client.pps.inspect_job(job=job, wait=True)
    assert info.state == pps.JobState.JOB_SUCCESS


def test_open_jobs_can_be_followed(client: Any, create: Create, edges: Spec) -> None:
    create(edges)
    stream = iter(client.pps.subscribe_job(pipeline=pps.Pipeline(name="edges")))
    first = next(stream)
    create(edges, update=True)
    assert [first.pipeline_version, next(stream).pipeline_version] == [1, 2]
