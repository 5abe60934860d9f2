"""The main job on real parts: commit, deploy, see it run."""

import json
from typing import Any

import pytest

from bot.domain.deployment import Outcome, Stage, Trigger
from bot.domain.progress import Planned, Progress, StageStarted, StepState, Warned
from bot.domain.reasons import Code, StoppedError
from tests.e2e.world import Screen, World
from tests.real.git_server import Content

pytestmark = pytest.mark.real

QUICK_VERIFY = """
environments:
  default:
    verify: {window: 0s, timeout: 20s}
"""


def simple(world: World, *lines: str) -> dict[str, Content]:
    return {
        "Dockerfile": world.dockerfile("COPY run.sh /run.sh", *lines),
        "run.sh": "echo edges\n",
        "pipeline.json": world.spec(),
        ".pachops.yml": QUICK_VERIFY,
    }


def declared(world: World) -> str:
    return (
        f"images: {{edges: {{repository: '{world.image()}'}}}}\npipelines: ['*.json']"
        + QUICK_VERIFY
    )


async def test_a_commit_becomes_a_running_pipeline(world: World) -> None:
    sha = world.commit(simple(world))
    result = await world.deploy()
    assert result.finished.outcome is Outcome.SUCCEEDED
    image = result.finished.images[0]
    assert world.running() == (1, f"{world.image()}:{sha}@{image.digest}")


async def test_the_result_names_images_and_versions(world: World) -> None:
    sha = world.commit(simple(world))
    finished = (await world.deploy()).finished
    assert (finished.sha, finished.images[0].tag, finished.images[0].built) == (sha, sha, True)
    assert [(each.name, each.from_version, each.to_version) for each in finished.pipelines] == [
        ("edges", None, 1)
    ]


async def test_a_dry_run_touches_nothing(world: World) -> None:
    world.commit(simple(world))
    result = await world.deploy(dry_run=True)
    assert result.screen.of(Planned)[0].pipelines == ("default/edges: create (pipeline.json)",)
    assert not world.pachd.has_pipeline("edges")


async def test_a_commit_that_changes_no_build_context_builds_and_updates_nothing(
    world: World,
) -> None:
    world.commit(simple(world) | {".dockerignore": "README.md\n", "README.md": "one"})
    await world.deploy()
    world.commit({"README.md": "two"})
    result = await world.deploy()
    assert (result.finished.images[0].built, result.finished.pipelines) == (False, ())
    assert world.running()[0] == 1


async def test_an_image_of_known_content_gets_the_new_tag_without_a_build(world: World) -> None:
    world.commit(simple(world) | {".dockerignore": "pipeline.json\n"})
    first = await world.deploy()
    sha = world.commit({"pipeline.json": world.spec(autoscaling=True)})
    second = await world.deploy()
    assert second.finished.images[0].digest == first.finished.images[0].digest
    assert world.running() == (2, f"{world.image()}:{sha}@{first.finished.images[0].digest}")
    assert not second.steps


async def test_jobs_of_a_pipeline_that_would_not_change_go_on(world: World) -> None:
    world.commit(simple(world))
    await world.deploy()
    again = await world.deploy()
    assert again.finished.outcome is Outcome.SUCCEEDED
    assert world.running()[0] == 1


async def test_uncommitted_changes_are_named_and_not_deployed(world: World) -> None:
    work_tree = world.use_work_tree()
    world.commit(simple(world))
    (work_tree / "run.sh").write_text("echo not yet\n")
    result = await world.deploy(dry_run=True)
    assert "run.sh" in result.screen.of(Warned)[0].text


async def test_build_steps_and_lines_are_told_live(world: World) -> None:
    world.commit(simple(world, "RUN echo one-two-three"))
    result = await world.deploy()
    last = [step for step in result.steps if step.state is StepState.DONE][-1]
    assert (last.number, last.total, "one-two-three" in result.log) == (3, 3, True)


async def test_a_failing_step_stops_before_anything_is_pushed(world: World) -> None:
    world.commit(simple(world, "RUN echo broken && exit 3"))
    result = await world.deploy()
    assert (result.finished.outcome, result.code) == (Outcome.FAILED, "build_failed")
    assert not world.pachd.has_pipeline("edges")


async def test_a_failing_test_stops_before_anything_is_pushed(world: World) -> None:
    config = f"images: {{edges: {{repository: '{world.image()}', test: 'echo wrong; exit 3'}}}}"
    sha = world.commit(simple(world) | {".pachops.yml": config + QUICK_VERIFY})
    result = await world.deploy()
    assert (result.code, "wrong" in result.log) == ("test_failed", True)
    assert world.digest(world.image(), sha) is None


async def test_base_images_of_the_same_repository_are_built_first(world: World) -> None:
    config = f"""
images:
  app: {{context: app, repository: '{world.image("app")}'}}
  base: {{context: base, repository: '{world.image("base")}'}}
pipelines: [pipeline.json]
"""
    world.commit(
        {
            "base/Dockerfile": world.dockerfile("RUN echo from-the-base > /base.txt"),
            "app/Dockerfile": f"FROM {world.image('base')}:latest\nRUN cat /base.txt\n",
            "pipeline.json": world.spec(image=world.image("app")),
            ".pachops.yml": config + QUICK_VERIFY,
        }
    )
    result = await world.deploy()
    assert result.finished.outcome is Outcome.SUCCEEDED
    assert "from-the-base" in result.log


async def test_only_the_chosen_pipeline_is_updated(world: World) -> None:
    other = world.spec("montage", image="ubuntu:20.04")
    world.commit(simple(world) | {"montage.json": other, ".pachops.yml": declared(world)})
    await world.deploy(only=("montage",))
    assert (world.pachd.has_pipeline("montage"), world.pachd.has_pipeline("edges")) == (True, False)


async def test_pipelines_are_created_in_the_order_of_their_inputs(world: World) -> None:
    reads_edges: dict[str, Any] = {"input": {"pfs": {"repo": "edges", "glob": "/"}}}
    files = {"a.json": world.spec("all", **reads_edges), "z.json": world.spec("edges")}
    config = "pipelines: ['*.json']" + QUICK_VERIFY
    world.commit(simple(world) | files | {"pipeline.json": None, ".pachops.yml": config})
    finished = (await world.deploy()).finished
    assert [each.name for each in finished.pipelines] == ["edges", "all"]


async def test_jsonnet_is_rendered_with_its_arguments(world: World) -> None:
    template = (
        "function(name) {pipeline: {name: name}, transform: {image: '%s', cmd: ['sh']},"
        " input: {pfs: {repo: 'images', glob: '/'}}}"
    )
    config = "pipelines: [{jsonnet: edges.jsonnet, args: {name: canny}}]" + QUICK_VERIFY
    world.commit(
        simple(world)
        | {"edges.jsonnet": template % world.image(), "pipeline.json": None, ".pachops.yml": config}
    )
    finished = (await world.deploy()).finished
    assert [each.name for each in finished.pipelines] == ["canny"]


async def test_a_repository_may_have_images_and_no_pipelines(world: World) -> None:
    images = f"images: {{base: {{repository: '{world.image()}'}}}}\npipelines: []\n"
    sha = world.commit({"Dockerfile": world.dockerfile("RUN echo base"), ".pachops.yml": images})
    finished = (await world.deploy()).finished
    assert (finished.outcome, finished.pipelines) == (Outcome.SUCCEEDED, ())
    assert world.digest(world.image(), sha) == finished.images[0].digest


async def test_a_repository_may_have_pipelines_and_no_images(world: World) -> None:
    files = {"pipeline.json": world.spec(image=world.base), ".pachops.yml": "images: {}\n"}
    world.commit(files)
    result = await world.deploy(dry_run=True)
    assert result.screen.of(Planned)[0] == Planned((), ("default/edges: create (pipeline.json)",))


async def test_data_that_will_be_skipped_is_named(world: World) -> None:
    world.pachd.put_files("images", ["a.png"])
    world.commit(simple(world))
    await world.deploy()
    await world.until_processed()
    world.commit({"run.sh": "echo better\n"})
    result = await world.deploy()
    assert any("skipped and keeps its old results" in note for note in result.finished.notes)


async def test_reprocess_computes_again(world: World) -> None:
    world.pachd.put_files("images", ["a.png"])
    world.commit(simple(world))
    await world.deploy()
    await world.until_processed()
    result = await world.deploy(reprocess=True)
    assert world.running()[0] == 2
    assert not any("skipped" in note for note in result.finished.notes)


async def test_a_bad_image_is_noticed_and_the_old_spec_put_back(world: World) -> None:
    world.commit(simple(world))
    first = (await world.deploy()).finished.images[0].digest
    broken = world.spec("edges", image=f"{world.registry.address}/nowhere/at:all")
    world.commit({"pipeline.json": broken, ".pachops.yml": declared(world)})
    result = await world.deploy(only=("edges",))
    assert (result.finished.outcome, result.code) == (Outcome.ROLLED_BACK, "pipeline_failed")
    assert world.running()[1].endswith(first)


async def test_a_pipeline_that_a_failed_deployment_created_is_gone_again(world: World) -> None:
    spec = world.spec("edges", image=f"{world.registry.address}/nowhere/at:all")
    world.commit(simple(world) | {"pipeline.json": spec, ".pachops.yml": declared(world)})
    result = await world.deploy()
    assert result.finished.outcome is Outcome.ROLLED_BACK
    assert not world.pachd.has_pipeline("edges")


async def test_every_other_field_of_a_spec_is_kept(world: World) -> None:
    extra: dict[str, Any] = {
        "datumTries": "3",
        "description": "edges of images",
        "autoscaling": True,
    }
    world.commit(simple(world) | {"pipeline.json": world.spec(**extra)})
    await world.deploy()
    user = json.loads(world.pachd.pipeline("edges").current.user_spec)
    assert {key: user[key] for key in extra} == extra


async def test_the_plan_says_what_changes(world: World) -> None:
    world.commit(simple(world))
    await world.deploy()
    world.commit({"run.sh": "echo two\n", "pipeline.json": world.spec(datumTries=5)})
    result = await world.deploy(dry_run=True)
    assert result.screen.of(Planned)[0].pipelines == (
        "default/edges: update version 1: datumTries: 3 -> 5; new image of edges",
    )


async def test_files_that_a_build_will_not_see_are_warned_of(world: World) -> None:
    world.commit(simple(world) | {".gitattributes": "*.bin filter=lfs diff=lfs\n"})
    result = await world.deploy(dry_run=True)
    assert any("Git LFS" in warning.text for warning in result.screen.of(Warned))


async def test_two_images_cannot_share_a_repository(world: World) -> None:
    image = f"{{repository: '{world.image()}', tags: ['%s-{{sha}}']}}"
    config = f"images: {{a: {image % 'a'}, b: {image % 'b'}}}\npipelines: [pipeline.json]"
    world.commit(simple(world) | {".pachops.yml": config})
    assert (await world.deploy()).code == "project_invalid"


async def test_another_deployment_that_moves_the_tag_does_not_get_into_ours(world: World) -> None:
    config = f"images: {{edges: {{repository: '{world.image()}', tags: [latest]}}}}"
    world.commit(simple(world) | {".pachops.yml": config + QUICK_VERIFY})

    def move(event: Progress) -> None:
        if isinstance(event, StageStarted) and event.stage is Stage.PUSH:
            world.tag_on_engine(world.base, world.image(), "latest")

    result = await world.deploy(screen=Screen(on=move))
    assert result.finished.outcome is Outcome.SUCCEEDED
    assert result.finished.images[0].digest == world.digest(world.image(), "latest")
    assert world.layers_of(result.finished.images[0].digest) > world.layers_of_base()


async def test_a_spec_that_asks_for_reprocessing_is_planned_so(world: World) -> None:
    world.commit(simple(world) | {"pipeline.json": world.spec(reprocess=True)})
    await world.deploy()
    result = await world.deploy(dry_run=True)
    assert result.screen.of(Planned)[0].pipelines == (
        "default/edges: update version 1: compute everything again",
    )


async def test_an_update_by_hand_during_the_build_is_named(world: World) -> None:
    world.commit(simple(world))
    await world.deploy()
    world.commit({"run.sh": "echo better\n"})

    def meddle(event: Progress) -> None:
        if isinstance(event, StageStarted) and event.stage is Stage.BUILD:
            world.update_by_hand()

    result = await world.deploy(screen=Screen(on=meddle))
    assert any("somebody else made version 2" in note for note in result.finished.notes)


async def test_a_pull_request_does_not_choose_where_it_is_deployed(world: World) -> None:
    world.pachd.create_repo("images", project="production")
    world.commit(simple(world))
    config = "environments: {default: {project: production, verify: {window: 0s}}}"
    sha = world.repository.commit(
        {**simple(world), ".pachops.yml": config}, "Where I should not go", branch="sneaky"
    )
    result = await world.deploy_for(Trigger.COMMENT, sha)
    assert result.finished.outcome is Outcome.SUCCEEDED
    assert world.pachd.has_pipeline("edges", project="default")
    assert not world.pachd.has_pipeline("edges", project="production")


async def test_what_the_gate_takes_back_later_is_built_and_not_updated(world: World) -> None:
    sha = world.commit(simple(world))
    moved = StoppedError(Code.HEAD_MOVED, "the head moved").reason
    result = await world.deploy_for(Trigger.PUSH, sha, then=(moved,))
    assert (result.finished.outcome, result.code) == (Outcome.REFUSED, "head_moved")
    assert world.digest(world.image(), sha) is not None
    assert not world.pachd.has_pipeline("edges")
