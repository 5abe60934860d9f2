"""What the plan of a fork's commit refuses, and how its images are named."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import pytest

from bot.domain.deployment import Actor, Commit, Kind, Request, Trigger
from bot.domain.place import EVERYWHERE
from bot.domain.plan import Plan
from bot.domain.reasons import Code, Reason, StoppedError
from bot.domain.trust import Trust
from bot.services.git import Git
from bot.services.pachyderm import Pachyderm
from bot.services.registry import Registry
from bot.stages.fork import DefaultBranch
from bot.stages.plan import make_plan
from bot.stages.source import open_source
from tests.real.git_server import Content, Link, Repository

BASE = "registry.acme.io/base"
PROJECT = """\
images:
  edges: {repository: registry.acme.io/edges, context: edges, tags: ["{branch}", latest]}
  tools: {repository: registry.acme.io/tools, context: tools}
pipelines: [pipeline.json]
"""
SPEC: dict[str, Any] = {
    "pipeline": {"name": "edges"},
    "transform": {"image": "registry.acme.io/edges:1", "cmd": ["true"]},
    "input": {"pfs": {"repo": "r", "glob": "/"}},
}
FILES: dict[str, Content] = {
    ".pachops.yml": PROJECT,
    "pipeline.json": json.dumps(SPEC),
    "edges/Dockerfile": "FROM registry.acme.io/tools\nCOPY . /\n",
    "edges/run.sh": "true\n",
    "tools/Dockerfile": f"FROM {BASE}:1\n",
}


class Private:
    """A registry that has everything that is asked of it by its content."""

    def __init__(self, *has: str) -> None:
        self.has = has

    async def digest(self, repository: str, _tag: str) -> str | None:
        return "sha256:0" if repository in self.has else None


class Public:
    """Registries without a login."""

    def __init__(self, *has: str, refuses: str = "") -> None:
        self.has = has
        self.refuses = refuses
        self.asked: list[tuple[str, str]] = []

    async def digest(self, repository: str, tag: str) -> str | None:
        self.asked.append((repository, tag))
        if repository == self.refuses:
            raise StoppedError(Code.REGISTRY_REFUSED, "denied")
        return "sha256:1" if repository in self.has else None


class Pachd:
    """There is no pipeline; what it is sent is effective."""

    def __init__(self) -> None:
        self.rendered = 0

    async def version(self) -> str:
        return "2.8.0"

    async def inspect(self, _project: str, _name: str) -> None:
        return None

    async def effective(self, spec: str) -> dict[str, object]:
        return dict(json.loads(spec))

    async def render(self, _template: str, _args: Mapping[str, str]) -> str:
        self.rendered += 1
        return json.dumps(SPEC)


class World:
    """A repository with a default branch and a fork's commit on top of it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.repository = Repository(folder / "work.git")
        self.default = self.repository.commit(FILES)
        self.public = Public(BASE)
        self.private = Private()
        self.pachd = Pachd()

    async def plan(
        self, files: Mapping[str, Content], trust: Trust = Trust.UNTRUSTED, *only: str
    ) -> Plan:
        self.repository.git("update-ref", "refs/heads/fork", self.default)
        sha = self.repository.commit(files, branch="fork")
        git, address = Git(self.folder / "mirrors", timeout=30), f"file://{self.repository.path}"
        source = await open_source(git, address, sha)
        ours = await open_source(git, address, self.default)
        default = DefaultBranch(ours, cast(Registry, self.public))
        actor = Actor("ada", "test")
        request = Request(
            Kind.DEPLOY,
            address,
            "default",
            Commit(sha, "HEAD", "main"),
            Trigger.COMMENT,
            actor,
            only,
            trust=trust,
        )
        return await make_plan(
            source,
            request,
            project="vision",
            reach=EVERYWHERE,
            registry=cast(Registry, self.private),
            pachyderm=cast(Pachyderm, self.pachd),
            default=default if trust is Trust.UNTRUSTED else None,
        )

    async def refusal(self, files: Mapping[str, Content]) -> Reason:
        with pytest.raises(StoppedError) as caught:
            await self.plan(files)
        assert caught.value.reason.code is Code.FORK_NEEDS_RIGHTS
        return caught.value.reason


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


async def test_its_code_is_deployed(world: World) -> None:
    plan = await world.plan({"edges/run.sh": "false\n"})
    assert [each.name for each in plan.images] == ["tools", "edges"]
    assert [each.name for each in plan.pipelines] == ["edges"]
    assert any("from a fork" in warning for warning in plan.warnings)


async def test_its_tag_is_none_that_others_have(world: World) -> None:
    plan = await world.plan({"edges/run.sh": "false\n"})
    sha = world.repository.git("rev-parse", "fork").decode().strip()
    assert [each.tags for each in plan.images] == [(f"fork-{sha}",)] * 2


async def test_nothing_that_was_built_is_taken_for_the_other_kind(world: World) -> None:
    files: dict[str, Content] = {"edges/run.sh": "false\n"}
    apart = await world.plan(files)
    trusted = await world.plan(files, Trust.TRUSTED)
    for name in ("edges", "tools"):
        assert apart.image(name).tree == trusted.image(name).tree
        assert apart.image(name).content_tag != trusted.image(name).content_tag


async def test_a_trusted_key_is_what_it_always_was(world: World) -> None:
    plan = await world.plan({"edges/run.sh": "false\n"}, Trust.TRUSTED)
    assert plan.image("edges").tags == ("main", "latest")
    assert plan.image("tools").content_tag == "pachops-" + plan.image("tools").content[:40]


async def test_a_base_that_only_the_registry_has_is_made_again(world: World) -> None:
    world.private = Private("registry.acme.io/tools")
    plan = await world.plan({"edges/run.sh": "false\n"})
    assert [each.digest for each in plan.images] == [None, None]


async def test_what_is_there_under_its_own_key_is_not_built_again(world: World) -> None:
    world.private = Private("registry.acme.io/tools", "registry.acme.io/edges")
    plan = await world.plan({"edges/run.sh": "false\n"})
    assert [each.digest for each in plan.images] == ["sha256:0", "sha256:0"]


def changed(old: str, new: str) -> dict[str, Content]:
    assert old in PROJECT
    return {".pachops.yml": PROJECT.replace(old, new)}


@pytest.mark.parametrize(
    ("files", "where"),
    [
        (changed("repository: registry.acme.io/tools", "repository: registry.acme.io/billing"),
         "images.tools.repository"),
        (changed("registry.acme.io/tools,", "registry.acme.io/tools, secrets: [npm],"),
         "images.tools.secrets"),
        (changed('tags: ["{branch}", latest]', "tags: [stable]"), "images.edges.tags"),
        (changed("context: tools", "context: tools, build_args: {BUILDKIT_SYNTAX: evil/x}"),
         "images.tools.build_args"),
        (changed("context: tools", "context: tools, test_memory: 64g"), "images.tools.test_memory"),
        (changed("pipelines:", "  new: {repository: registry.acme.io/new}\npipelines:"),
         "images.new"),
        (changed("[pipeline.json]", '["**/*.json"]'), "pipelines"),
    ],
)  # fmt: skip
async def test_what_the_default_branch_does_not_declare_is_refused(
    world: World, files: dict[str, Content], where: str
) -> None:
    assert (await world.refusal(files)).where == f".pachops.yml: {where}"


async def test_its_environments_are_nobodys(world: World) -> None:
    plan = await world.plan(
        {".pachops.yml": f"{PROJECT}environments: {{other: {{project: production}}}}\n"}
    )
    assert [each.project for each in plan.pipelines] == ["vision"]


async def test_an_image_that_is_given_secrets_is_not_built(world: World) -> None:
    project = PROJECT.replace("context: tools", "context: tools, secrets: [npm]")
    world.default = world.repository.commit({".pachops.yml": project})
    reason = await world.refusal({"edges/run.sh": "false\n"})
    assert (reason.where, "npm" in reason.fact) == (".pachops.yml: images.tools.secrets", True)


async def test_an_image_that_is_not_asked_for_may_have_secrets(world: World) -> None:
    project = PROJECT.replace(
        "pipelines:", "  other: {repository: r.io/o, secrets: [npm]}\npipelines:"
    )
    world.default = world.repository.commit({".pachops.yml": project, "Dockerfile": "FROM x\n"})
    plan = await world.plan({"edges/run.sh": "false\n"}, Trust.UNTRUSTED, "edges")
    assert [each.name for each in plan.images] == ["tools", "edges"]


async def test_its_dockerfile_is_looked_at_with_its_line(world: World) -> None:
    reason = await world.refusal({"edges/Dockerfile": "FROM python:3\nADD https://x.io/a /a\n"})
    assert reason.where == "edges/Dockerfile:2"


async def test_the_dockerfile_that_was_looked_at_is_the_one_that_is_built(world: World) -> None:
    # For us the link leads to the repository's x/, for the engine to the context's own.
    reason = await world.refusal(
        {
            "edges/Dockerfile": Link("../x/Dockerfile"),
            "x/Dockerfile": f"FROM {BASE}:1\n",
            "edges/x/Dockerfile": f"FROM {BASE}:1\nADD https://example.com/a /a\n",
        }
    )
    assert reason.where == "edges/Dockerfile"


async def test_its_specs_are_looked_at(world: World) -> None:
    spec = SPEC | {"pipeline": {"name": "billing"}}
    reason = await world.refusal({"pipeline.json": json.dumps(spec)})
    assert "billing" in reason.fact


async def test_a_base_that_is_not_public_is_refused(world: World) -> None:
    world.public = Public(refuses=BASE)
    reason = await world.refusal({"edges/run.sh": "false\n"})
    assert (reason.where, "no registry login" in reason.fact) == ("tools/Dockerfile:1", True)


async def test_a_base_that_nobody_can_see_is_refused(world: World) -> None:
    world.public = Public()
    assert (await world.refusal({"edges/run.sh": "false\n"})).where == "tools/Dockerfile:1"


async def test_our_own_images_are_not_looked_for_among_the_public_ones(world: World) -> None:
    await world.plan({"edges/run.sh": "false\n"})
    assert world.public.asked == [(BASE, "1")]


async def test_without_a_project_file_the_default_branchs_spec_says_where_it_is_pushed(
    world: World,
) -> None:
    nothing = dict.fromkeys(FILES)
    world.default = world.repository.commit(
        nothing | {"Dockerfile": f"FROM {BASE}:1\n", "pipeline.json": json.dumps(SPEC)}
    )
    assert (await world.plan({"a": "1"})).images[0].repository == "registry.acme.io/edges"
    spec = SPEC | {"transform": {"image": "registry.acme.io/billing:1", "cmd": ["true"]}}
    reason = await world.refusal({"pipeline.json": json.dumps(spec)})
    assert "billing" in reason.fact


async def test_pachyderm_runs_no_template_of_a_fork(world: World) -> None:
    project = PROJECT.replace("[pipeline.json]", "[{jsonnet: a.jsonnet}]")
    world.default = world.repository.commit({".pachops.yml": project, "a.jsonnet": "{}"})
    assert (await world.refusal({"a.jsonnet": "std.repeat('x', 1e9)"})).where == "a.jsonnet"
    assert world.pachd.rendered == 0
    assert (await world.plan({"edges/run.sh": "false\n"})).pipelines


async def test_an_untrusted_commit_is_never_planned_as_if_it_were_trusted(world: World) -> None:
    git, address = Git(world.folder / "mirrors", timeout=30), f"file://{world.repository.path}"
    source = await open_source(git, address, world.default)
    request = Request(
        Kind.DEPLOY,
        address,
        "default",
        Commit(world.default, "HEAD"),
        Trigger.COMMENT,
        Actor("ada", "test"),
        trust=Trust.UNTRUSTED,
    )
    with pytest.raises(AssertionError):
        await make_plan(
            source,
            request,
            project="vision",
            reach=EVERYWHERE,
            registry=cast(Registry, world.private),
            pachyderm=cast(Pachyderm, world.pachd),
        )
