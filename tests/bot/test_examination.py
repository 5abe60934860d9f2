from pathlib import Path

import pytest
from pydantic import TypeAdapter

from bot.domain.deployment import Deployment, Outcome, new_deployment_id
from bot.domain.finding import Finding, Level
from bot.domain.plan import Destination, PipelineStep, Preparation
from bot.domain.reasons import Code, StoppedError
from bot.examination import examine_all
from bot.settings import load_settings
from bot.stages.go_back import PREPARATION
from bot.store.database import Database
from bot.store.deployments import Deployments, insert
from tests.handlers.reports import example
from tests.standins.pachd import Pachd


async def findings_after_a_refused_update(tmp_path: Path, pachd: Pachd) -> tuple[Finding, ...]:
    """What the doctor says where the last deployment got as far as its update."""
    environ = {
        "HOME": str(tmp_path),
        "PACHOPS_DATA_DIR": str(tmp_path),
        "PACHOPS_PACHD_ADDRESS": pachd.address,
        "PACHOPS_PACHD_TOKEN": "reader-token",
    }
    settings = load_settings(environ)
    asked = Deployment(new_deployment_id(), example.GOOD.request)
    step = PipelineStep("vision", "edges", 1, before="{}", after="{}")
    preparation = Preparation(Destination("default", "vision", 1.0, 1.0, roll_back=False), (step,))
    database = await Database.open(settings.database_url)
    try:
        await database.write(lambda connection: insert(connection, asked))
        deployments = Deployments(database)
        stored = TypeAdapter(Preparation).dump_python(preparation, mode="json")
        await deployments.save(asked.id, PREPARATION, stored)
        reason = StoppedError(Code.PACHD_REFUSED, "robot:reader is not authorized").reason
        await deployments.finish(asked.id, Outcome.FAILED, reason)
    finally:
        await database.close()
    return await examine_all(settings)


@pytest.fixture
def pachd() -> Pachd:
    return Pachd(tokens={"reader-token": "robot:reader"}, readers=frozenset({"robot:reader"}))


async def test_the_doctor_asks_for_the_rights_that_the_last_deployments_needed(
    tmp_path: Path, pachd: Pachd
) -> None:
    with pachd:
        pachd.create_repo("edges", project="vision")
        found = await findings_after_a_refused_update(tmp_path, pachd)
    of_project = [each for each in found if each.what.endswith("project vision")]
    assert [each.level for each in of_project] == [Level.FAULT, Level.WARNING]
