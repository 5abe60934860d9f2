"""Putting old specs back, against a pachd that does what it is told and loses answers."""

import json
from collections.abc import AsyncIterator, Iterator

import grpc
import pytest

from bot.domain.plan import PipelineStep
from bot.domain.reasons import Code, StoppedError
from bot.services.pachyderm import Pachyderm, PipelineUpdate
from bot.services.pachyderm.connection import READ_TRIES
from bot.stages.roll_back import PutBack, is_untouched, roll_back
from tests.standins.pachd import Pachd


def spec(image: str) -> str:
    body = {
        "pipeline": {"project": {"name": "default"}, "name": "edges"},
        "transform": {"image": image, "cmd": ["sh"]},
        "input": {"pfs": {"repo": "images", "glob": "/*"}},
    }
    return json.dumps(body)


OLD, NEW, THEIRS = spec("busybox:old"), spec("busybox:new"), spec("busybox:theirs")
STEP = PipelineStep("default", "edges", 1, OLD, NEW)
CREATED = PipelineStep("default", "edges", None, None, OLD)


@pytest.fixture
def pachd() -> Iterator[Pachd]:
    with Pachd(image_exists=lambda _image: True) as pachd:
        pachd.create_repo("images")
        pachd.update(json.loads(OLD))
        yield pachd


@pytest.fixture
async def pachyderm(pachd: Pachd) -> AsyncIterator[Pachyderm]:
    client = Pachyderm(pachd.address, timeout=5)
    yield client
    await client.close()


async def at_once(_seconds: float) -> None:
    return


async def put_back(step: PipelineStep, pachyderm: Pachyderm) -> PutBack:
    return await roll_back([step], pachyderm, sleep=at_once)


def image(pachd: Pachd) -> str:
    return str(json.loads(pachd.pipeline("edges").current.user_spec)["transform"]["image"])


async def test_an_updated_pipeline_gets_its_old_spec(pachd: Pachd, pachyderm: Pachyderm) -> None:
    pachd.update(json.loads(NEW))
    assert (await put_back(STEP, pachyderm)).restored == 1
    assert image(pachd) == "busybox:old"


async def test_a_pipeline_that_was_not_updated_is_left_alone(
    pachd: Pachd, pachyderm: Pachyderm
) -> None:
    assert await put_back(STEP, pachyderm) == PutBack((), 0, untouched=True)
    assert pachd.pipeline("edges").current.number == 1


async def test_a_created_pipeline_is_deleted(pachd: Pachd, pachyderm: Pachyderm) -> None:
    assert (await put_back(CREATED, pachyderm)).restored == 1
    assert not pachd.has_pipeline("edges")


async def test_a_pipeline_that_somebody_else_changed_is_theirs(
    pachd: Pachd, pachyderm: Pachyderm
) -> None:
    pachd.update(json.loads(NEW))
    pachd.update(json.loads(THEIRS))
    result = await put_back(STEP, pachyderm)
    assert (result.restored, "somebody else" in result.notes[0]) == (0, True)
    assert image(pachd) == "busybox:theirs"


async def test_a_second_roll_back_does_nothing_more(pachd: Pachd, pachyderm: Pachyderm) -> None:
    pachd.update(json.loads(NEW))
    await put_back(STEP, pachyderm)
    assert (await put_back(STEP, pachyderm)).restored == 1
    assert pachd.pipeline("edges").current.number == 3


async def test_an_answer_that_is_lost_is_looked_up(pachd: Pachd, pachyderm: Pachyderm) -> None:
    pachd.update(json.loads(NEW))
    pachd.fail("FinishTransaction", grpc.StatusCode.UNAVAILABLE, after=True)
    assert (await put_back(STEP, pachyderm)).restored == 1
    assert pachd.pipeline("edges").current.number == 3


async def test_a_pachd_that_stays_away_is_said(pachd: Pachd, pachyderm: Pachyderm) -> None:
    pachd.update(json.loads(NEW))
    pachd.fail("InspectPipeline", grpc.StatusCode.UNAVAILABLE, times=100)
    with pytest.raises(StoppedError) as stopped:
        await put_back(STEP, pachyderm)
    assert stopped.value.reason.code is Code.ROLL_BACK_FAILED


async def test_whether_it_has_happened_is_asked_until_pachd_answers(
    pachd: Pachd, pachyderm: Pachyderm
) -> None:
    pachd.fail("InspectPipeline", grpc.StatusCode.UNAVAILABLE, times=2 * READ_TRIES)
    assert await is_untouched([STEP], pachyderm, sleep=at_once)


async def test_where_pachd_stays_away_it_is_not_said_to_have_happened(
    pachd: Pachd, pachyderm: Pachyderm
) -> None:
    pachd.fail("InspectPipeline", grpc.StatusCode.UNAVAILABLE, times=100)
    with pytest.raises(StoppedError, match="pachd_unreachable"):
        await is_untouched([STEP], pachyderm, sleep=at_once)


async def test_reprocessing_is_undone_by_reprocessing(pachd: Pachd, pachyderm: Pachyderm) -> None:
    salt = pachd.pipeline("edges").current.salt
    await pachyderm.update([PipelineUpdate("default", "edges", NEW, reprocess=True)], started=_no)
    await put_back(PipelineStep("default", "edges", 1, OLD, NEW, reprocess=True), pachyderm)
    salts = [version.salt for version in pachd.pipeline("edges").versions]
    assert len({salt, *salts}) == 3


async def test_the_same_spec_that_was_reprocessed_is_put_back_once(
    pachd: Pachd, pachyderm: Pachyderm
) -> None:
    await pachyderm.update([PipelineUpdate("default", "edges", OLD, reprocess=True)], started=_no)
    pachd.fail("FinishTransaction", grpc.StatusCode.UNAVAILABLE, after=True)
    await put_back(PipelineStep("default", "edges", 1, OLD, OLD, reprocess=True), pachyderm)
    assert pachd.pipeline("edges").current.number == 3


async def _no(_transaction: str) -> None:
    return
