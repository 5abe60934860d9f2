"""kill -9 at random moments of real deployments: the world has each of them exactly once."""

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot.domain.deployment import Deployment, Outcome
from bot.store.database import Database
from bot.store.deployments import Deployments
from tests.faults.killing import Ending, Killing
from tests.faults.steplog import StepLog
from tests.real.git_server import Repository
from tests.real.registry import Registry
from tests.standins.pachd import Pachd, Timing

pytestmark = [pytest.mark.real, pytest.mark.xdist_group("killing deployments")]

COMMITS = 10
PROJECTS = ("one", "two", "three")
KILLS = 8
QUICK = Timing(starting=0.01, workers=0.02, crashing=0.3, job=0.1, datum=0.02)


@dataclass(frozen=True)
class Story:
    """What is left when the last bot ended."""

    ending: Ending
    shas: list[str]
    ids: list[str]
    image: str
    pachd: Pachd
    stored: list[Deployment]

    def images_run(self, project: str) -> list[str]:
        """The image of each version of the project's pipeline, in order."""
        versions = self.pachd.pipeline("edges", project=project).versions
        return [json.loads(version.user_spec)["transform"]["image"] for version in versions]


@pytest.fixture(scope="module")
def pachd() -> Iterator[Pachd]:
    with Pachd(real_time=True, timing=QUICK) as pachd:
        for project in PROJECTS:
            pachd.create_repo("images", project=project)
        yield pachd


@pytest.fixture(scope="module")
def story(
    tmp_path_factory: pytest.TempPathFactory,
    engine_host: str,
    busybox_image: str,
    registry: Registry,
    pachd: Pachd,
) -> Story:
    folder = tmp_path_factory.mktemp("killing-deployments")
    image = f"{registry.address}/{folder.name}/edges"
    repository = Repository(folder / "source")
    shas = [_commit(repository, busybox_image, image, number) for number in range(COMMITS)]
    orders = [
        {
            "id": f"{number:03}{project:0>13}",
            "sha": sha,
            "repository": str(repository.path),
            "environment": project,
        }
        for number, sha in enumerate(shas)
        for project in PROJECTS
    ]
    (folder / "orders.json").write_text(json.dumps(orders))
    command = (sys.executable, "-m", "tests.faults.deployer")
    environ = {
        "DOCKER_HOST": engine_host,
        "PACHOPS_DATA_DIR": str(folder / "data"),
        "PACHOPS_PACHD_ADDRESS": pachd.address,
    }
    killing = Killing(
        (*command, str(folder / "orders.json"), str(folder / "steps.log")),
        StepLog(folder / "steps.log"),
        folder / "bot.out",
        kills=KILLS,
        most_lines=40,
        seed=11,
        patience=400.0,
    )
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environ.items():
            patch.setenv(name, value)
        ending = killing.run()
    return Story(ending, shas, [order["id"] for order in orders], image, pachd, _stored(folder))


def _commit(repository: Repository, base: str, image: str, number: int) -> str:
    transform = {"image": image, "cmd": ["sh", "/run.sh"]}
    spec = {
        "pipeline": {"name": "edges"},
        "transform": transform,
        "input": {"pfs": {"repo": "images", "glob": "/*"}},
    }
    verify = "verify: {window: 0s, timeout: 60s}"
    environments = [f"  {name}: {{project: {name}, {verify}}}" for name in PROJECTS]
    return repository.commit(
        {
            "Dockerfile": f"FROM {base}\nCOPY run.sh /run.sh\nRUN cat /run.sh\n",
            "run.sh": f"echo {number}\n",
            "pipeline.json": json.dumps(spec),
            ".pachops.yml": "\n".join(["environments:", *environments, ""]),
        },
        f"Number {number}",
    )


def _stored(folder: Path) -> list[Deployment]:
    async def read() -> list[Deployment]:
        database = await Database.open(f"sqlite:///{folder}/data/pachops.db")
        try:
            return list(await Deployments(database).list(limit=1000))
        finally:
            await database.close()

    return asyncio.run(read())


def test_the_bot_was_killed_and_ended_by_itself_in_the_end(story: Story) -> None:
    assert (story.ending.kills, story.ending.status) == (KILLS, 0), story.ending.output


def test_none_is_lost_stuck_or_failed(story: Story) -> None:
    assert sorted(each.id for each in story.stored) == sorted(story.ids)
    assert {each.outcome for each in story.stored} == {Outcome.SUCCEEDED}, [
        each.reason for each in story.stored if each.reason
    ]


@pytest.mark.parametrize("project", PROJECTS)
def test_each_pipeline_was_updated_once_for_each_deployment_in_order(
    story: Story, project: str
) -> None:
    tags = [image.split("@")[0] for image in story.images_run(project)]
    assert tags == [f"{story.image}:{sha}" for sha in story.shas]


def test_every_deployment_of_a_commit_runs_the_same_image(story: Story) -> None:
    assert len({tuple(story.images_run(project)) for project in PROJECTS}) == 1


def test_no_transaction_is_left_with_anything_in_it(story: Story) -> None:
    # Killed between pachd's answer and its note of it, a bot leaves one that is empty for ever.
    assert story.pachd.waiting_requests == 0
    assert len(story.pachd.transactions) <= KILLS


def test_no_build_step_is_left_running(story: Story) -> None:
    assert story.ending.status == 0
    listed = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True)  # noqa: S607
    assert "cat /run.sh" not in listed.stdout
