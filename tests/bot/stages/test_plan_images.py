"""What the plan says of images: where their Dockerfiles are, and what their contexts hold."""

from pathlib import Path
from typing import cast

import pytest

from bot.domain.deployment import Actor, Commit, Kind, Request, Trigger
from bot.domain.place import EVERYWHERE
from bot.domain.plan import ImagePlan
from bot.domain.reasons import StoppedError
from bot.services.git import Git
from bot.services.pachyderm import Pachyderm
from bot.services.registry import Registry
from bot.stages.plan import make_plan
from bot.stages.source import open_source
from tests.real.git_server import Content, Repository

PROJECT = "images: {a: {repository: r.io/a, context: a}, b: {repository: r.io/b, context: b}}\n"
SPEC = (
    '{"pipeline": {"name": "x"}, "transform": {"image": "r.io/c:1", "cmd": ["true"]},'
    ' "input": {"pfs": {"repo": "r", "glob": "/"}}}'
)


class Outside:
    """A registry without images, and a pachd that only says that it is there."""

    async def version(self) -> str:
        return "2.6.0"

    async def digest(self, _repository: str, _tag: str) -> None:
        return None


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path / "work.git")


async def plan_of_b(repository: Repository, files: dict[str, Content]) -> ImagePlan:
    every: dict[str, Content] = {
        ".pachops.yml": PROJECT,
        "pipeline.json": SPEC,
        "a/Dockerfile": "FROM scratch\n",
        **files,
    }
    sha = repository.commit(every)
    git = Git(repository.path.parent / "mirrors", timeout=30)
    source = await open_source(git, f"file://{repository.path}", sha)
    commit = Commit(sha, "HEAD")
    address = str(repository.path)
    actor = Actor("ada", "test")
    request = Request(Kind.DEPLOY, address, "default", commit, Trigger.COMMENT, actor, ("b",))
    plan = await make_plan(
        source,
        request,
        project="default",
        reach=EVERYWHERE,
        registry=cast(Registry, Outside()),
        pachyderm=cast(Pachyderm, Outside()),
    )
    return plan.image("b")


async def test_a_broken_dockerfile_is_named_with_its_line(repository: Repository) -> None:
    with pytest.raises(StoppedError) as stopped:
        await plan_of_b(repository, {"b/Dockerfile": "FORM scratch\n"})
    assert stopped.value.reason.where == "b/Dockerfile:1"


async def test_an_image_knows_its_context(repository: Repository) -> None:
    image = await plan_of_b(repository, {"b/Dockerfile": "FROM scratch\n"})
    assert (image.context, image.dockerfile) == ("b", "Dockerfile")


async def test_an_ignored_ignore_file_is_no_part_of_the_content(repository: Repository) -> None:
    files: dict[str, Content] = {"b/Dockerfile": "FROM scratch\nCOPY . /\n", "b/run.sh": "true\n"}
    first = await plan_of_b(repository, {**files, "b/.dockerignore": "*\n!run.sh\n"})
    again = await plan_of_b(repository, {**files, "b/.dockerignore": "# only it\n*\n!run.sh\n"})
    assert (first.content, first.tree) == (again.content, again.tree)


async def test_an_ignore_file_that_is_not_ignored_is_content(repository: Repository) -> None:
    files: dict[str, Content] = {"b/Dockerfile": "FROM scratch\nCOPY . /\n", "b/run.sh": "true\n"}
    first = await plan_of_b(repository, {**files, "b/.dockerignore": "data\n"})
    again = await plan_of_b(repository, {**files, "b/.dockerignore": "# no data\ndata\n"})
    assert first.content != again.content
