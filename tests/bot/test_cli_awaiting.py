"""What awaits the checks of its commit, seen and stopped at a terminal."""

import asyncio
import json
from dataclasses import replace
from pathlib import Path

import pytest

from bot.domain.awaiting import Awaited
from bot.store.awaiting import Awaiting, Wait
from bot.store.database import Database
from bot.store.deliveries import Deliveries
from bot.store.deployments import CancelResult
from handlers.reports import words
from tests.bot.cli.terminal import run, sits_in_a_repository
from tests.handlers.reports import example

AWAITED = Awaited(example.ID, example.request(), example.START, "the check unit has not ended")


async def awaits(url: str, what: Awaited = AWAITED, delivery: str = "1") -> None:
    database = await Database.open(url)
    try:
        await Deliveries(database).take(delivery, "push", "acme/vision", "{}")
        wait = Wait(example.SHA, f"a push {delivery}", 1.0, "")
        await Awaiting(database).begin(delivery, wait, [what])
    finally:
        await database.close()


@pytest.fixture(autouse=True)
def awaiting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sits_in_a_repository(tmp_path, monkeypatch, "environments:\n  staging: {}\n")
    asyncio.run(awaits(f"sqlite:///{tmp_path}/pachops.db"))


def test_status_names_it() -> None:
    _, output = run("status")
    assert "acme/vision: staging gets `3f9c2a1`" in output
    assert f"the check unit has not ended (`{example.ID}`)." in output


def test_status_as_json_has_it() -> None:
    (found,) = [json.loads(line) for line in run("status", "--json")[1].splitlines()]
    assert (found["event"], found["deployment"]) == ("awaiting", example.ID)
    assert (found["sha"], found["why"]) == (example.SHA, AWAITED.why)


def test_cancel_stops_it_once() -> None:
    status, output = run("cancel", example.ID[-6:])
    assert (status, "awaited its checks; it is cancelled" in output) == (0, True)
    assert run("cancel", example.ID[-6:])[0] != 0
    assert "gets" not in run("status")[1]


@pytest.mark.parametrize("result", CancelResult)
def test_whatever_comes_of_a_cancel_is_said(result: CancelResult) -> None:
    assert example.ID in words.cancelled(result.value, example.ID)


def test_a_part_of_several_ids_is_refused(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/pachops.db"
    others = f"{example.ID[:-1]}{'0' if example.ID[-1] != '0' else '1'}"
    asyncio.run(awaits(url, replace(AWAITED, id=others), "2"))
    status, output = run("cancel", example.ID[:6])
    assert status != 0
    assert f"is part of several ids: {example.ID}, {others}" in output
    assert run("cancel", example.ID)[0] == 0


def test_an_id_that_nothing_has_is_refused() -> None:
    assert "no such deployment" in run("cancel", "06h8k2m4")[1]
