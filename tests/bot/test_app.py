import asyncio
import socket
import threading
import time
from pathlib import Path

import pytest

from bot.app import Bot, open_bot
from bot.domain.deployment import (
    Actor,
    Commit,
    Deployment,
    Kind,
    Request,
    Trigger,
    new_deployment_id,
)
from bot.domain.plan import Plan
from bot.domain.reasons import Code, StoppedError
from bot.project import PROJECT_FILE
from bot.settings import load_settings
from bot.stages.source import Source
from bot.store.deployments import WANTED, insert
from bot.workflow import Workflow
from tests.real.git_server import Repository


def deployment() -> Deployment:
    actor = Actor("ada", "github")
    commit = Commit("a" * 40, "main")
    request = Request(Kind.DEPLOY, "edges", "staging", commit, Trigger.COMMENT, actor)
    return Deployment(new_deployment_id(), request, created_at=time.time())


async def stored(bot: Bot) -> Deployment:
    new = deployment()
    await bot.database.write(lambda connection: insert(connection, new))
    return new


async def test_a_rollback_does_not_wait_long_for_a_git_server_that_says_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.ruling.LONGEST_ROLLBACK_SECONDS", 0.2)
    silent = socket.create_server(("127.0.0.1", 0))
    port = silent.getsockname()[1]
    environ = {
        "HOME": str(tmp_path),
        "PACHOPS_DATA_DIR": str(tmp_path / "data"),
        "PACHOPS_SLACK_BOT_TOKEN": "xoxb-1",
        "PACHOPS_SLACK_APP_TOKEN": "xapp-1",
    }
    request = Request(
        Kind.ROLLBACK,
        f"http://127.0.0.1:{port}/acme/edges.git",
        "staging",
        Commit("", "an earlier deployment"),
        Trigger.CLI,
        Actor("ada", "cli"),
    )
    with silent:
        async with open_bot(load_settings(environ)) as bot, asyncio.timeout(20):
            with pytest.raises(StoppedError, match=r"not read within 0\.2 s"):
                await bot.rules_for(request)


@pytest.mark.parametrize(
    ("trigger", "project"),
    [
        # Whoever asks for it at a terminal says themselves where it goes.
        (Trigger.CLI, "elsewhere"),
        (Trigger.COMMENT, "vision"),
        (Trigger.SLACK, "vision"),
        (Trigger.ACTION, "vision"),
    ],
)
async def test_a_plan_is_for_the_place_that_a_deployment_would_go_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trigger: Trigger, project: str
) -> None:
    asked: list[str] = []

    async def make_plan(_source: Source, _request: Request, **given: object) -> Plan:
        asked.append(str(given["project"]))
        return Plan((), ())

    monkeypatch.setattr("bot.stages.plan.make_plan", make_plan)
    repository = Repository(tmp_path / "work.git")
    repository.commit({PROJECT_FILE: declaring("vision")})
    sha = repository.commit({PROJECT_FILE: declaring("elsewhere")}, branch="feature")
    address, commit = f"file://{repository.path}", Commit(sha, "feature", "feature")
    actor = Actor("ada", "github")
    request = Request(Kind.DEPLOY, address, "staging", commit, trigger, actor)
    environ = {
        "HOME": str(tmp_path),
        "PACHOPS_DATA_DIR": str(tmp_path / "data"),
        "PACHOPS_PACHD_ADDRESS": "grpc://127.0.0.1:1",
    }
    async with open_bot(load_settings(environ)) as bot:
        await bot.plan(request)
    assert asked == [project]


async def test_others_are_answered_while_the_first_deployment_loads_what_it_needs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = load_settings({"HOME": str(tmp_path), "PACHOPS_DATA_DIR": str(tmp_path / "data")})
    loop, answered = asyncio.get_running_loop(), threading.Event()
    was_answered: list[bool] = []

    def load() -> type[Workflow]:
        loop.call_soon_threadsafe(answered.set)
        was_answered.append(answered.wait(10))
        return Workflow

    monkeypatch.setattr("bot.app._load_workflow", load)
    async with open_bot(settings) as bot, asyncio.timeout(60):
        await bot.engine.start()
        new = deployment()
        await bot.engine.submit(new)
        await bot.engine.wait(new.id)
    assert was_answered == [True]


def declaring(project: str) -> str:
    return f"environments:\n  staging: {{project: {project}}}\n"


@pytest.mark.parametrize("asked_on_github", [False, True])
async def test_a_bot_without_a_login_does_not_update_what_was_asked_on_github(
    *, asked_on_github: bool, tmp_path: Path
) -> None:
    settings = load_settings({"HOME": str(tmp_path), "PACHOPS_DATA_DIR": str(tmp_path / "data")})
    async with open_bot(settings) as bot:
        new = await stored(bot)
        if asked_on_github:
            await bot.deployments.save(new.id, WANTED, {"what": "ever"})
        objections = await bot.second_look(new)
    assert [each.code for each in objections] == ([Code.FACT_UNKNOWN] if asked_on_github else [])
