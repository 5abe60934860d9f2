import asyncio
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from bot.app import open_bot, open_database
from bot.cli.ending import STATUS
from bot.domain.deployment import Actor
from bot.domain.github import Permission
from bot.domain.lock import Lock
from bot.domain.reasons import Code, Kind, StoppedError
from bot.serve import Server, open_server
from bot.settings import load_settings
from bot.store.audit import Audit
from bot.store.database import Database
from bot.store.deliveries import Deliveries
from bot.store.deployments import Deployments
from bot.store.locks import Locks
from tests.real.postgresql import PostgreSQL
from tests.standins.github.server import GitHubServer
from tests.standins.slack.server import SlackServer

EDGES = "acme/edges"
FILES = {".pachops.yml": "environments:\n  staging: {}\n"}
PATIENCE = 60.0
SERVE = "from bot.cli import main; main()"
REFUSED = STATUS[Kind.REFUSED]


def variables(tmp_path: Path, github: GitHubServer, **more: str) -> dict[str, str]:
    return {
        "HOME": str(tmp_path),
        "PACHOPS_DATA_DIR": str(tmp_path / "data"),
        "PACHOPS_WEB_PORT": "0",
        "PACHOPS_GITHUB_BASE_URL": github.url,
        "PACHOPS_GITHUB_APP_ID": str(github.app.id),
        "PACHOPS_GITHUB_PRIVATE_KEY": github.app.private_key.replace("\n", "\\n"),
        "PACHOPS_GITHUB_WEBHOOK_SECRETS": github.app.webhook_secret,
    } | more


@pytest.fixture
async def github(tmp_path: Path) -> AsyncIterator[GitHubServer]:
    async with GitHubServer(tmp_path) as github:
        github.repository(EDGES, FILES)
        yield github


@asynccontextmanager
async def serving(environ: dict[str, str], github: GitHubServer) -> AsyncIterator[Server]:
    stop = asyncio.Event()
    async with asyncio.timeout(PATIENCE), open_server(load_settings(environ)) as server:
        running = asyncio.create_task(server.run(stop))
        listening = asyncio.create_task(server.listening.wait())
        await asyncio.wait({running, listening}, return_when=asyncio.FIRST_COMPLETED)
        listening.cancel()
        if running.done():
            await running
        github.send_webhooks_to(f"{server.addresses[0]}/github/webhook")
        try:
            yield server
        finally:
            stop.set()
            await running


async def test_a_comment_becomes_a_deployment(github: GitHubServer, tmp_path: Path) -> None:
    pull = await github.open_pull_request(EDGES, "feature", files={"a": "1"})
    environ = variables(tmp_path, github)
    async with serving(environ, github):
        comment = await github.comment(pull, "/pachops deploy staging")
        await github.expect_reaction(comment, "eyes")
    database = await Database.open(load_settings(environ).database_url)
    (deployment,) = await Deployments(database).list()
    await database.close()
    assert deployment.request.commit.sha == pull.head_sha


async def test_a_token_and_a_repositorys_webhook_do_without_checks(tmp_path: Path) -> None:
    async with GitHubServer(tmp_path) as github:
        github.repository(EDGES, FILES, installed=False)
        github.allow("grace", EDGES, Permission.WRITE)
        github.hook(EDGES, "https://pachops.example/github/webhook")
        environ = variables(tmp_path, github) | {
            "PACHOPS_GITHUB_APP_ID": "",
            "PACHOPS_GITHUB_PRIVATE_KEY": "",
            "PACHOPS_GITHUB_TOKEN": github.personal_token("ada"),
        }
        async with serving(environ, github):
            pull = await github.open_pull_request(EDGES, "feature", files={"a": "2"}, by="grace")
            await github.comment(pull, "/pachops deploy staging", by="grace")
            await github.expect_call("POST", "/reactions")
            await github.expect_call("POST", f"{EDGES}/deployments")
        (deployment,) = github.deployments(EDGES)
        assert deployment.sha == pull.head_sha
        assert github.called("POST", "/check-runs") == 0


async def test_the_environments_channel_is_told_in_slack(tmp_path: Path) -> None:
    rules = 'environments:\n  staging: {notify: ["#ml"]}\n'
    async with GitHubServer(tmp_path) as github, SlackServer() as slack:
        github.repository(EDGES, {".pachops.yml": rules})
        channel = slack.channel("ml")
        pull = await github.open_pull_request(EDGES, "feature", files={"a": "1"})
        environ = variables(
            tmp_path,
            github,
            PACHOPS_SLACK_BOT_TOKEN=slack.app.bot_token,
            PACHOPS_SLACK_APP_TOKEN=slack.app.app_token,
            PACHOPS_SLACK_BASE_URL=slack.api_url,
        )
        async with serving(environ, github):
            await github.comment(pull, "/pachops deploy staging")
            message = await slack.expect_message(channel, "to *staging*", patience=PATIENCE)
            assert f"/pull/{pull.number}|#{pull.number}>" in message.shown


@pytest.mark.parametrize(
    ("environment", "named"), [("staging", "ml"), ("test", "all"), (None, "ml")]
)
async def test_the_owner_of_a_lock_at_a_terminal_is_named_in_the_channel_of_its_environment(
    tmp_path: Path, environment: str | None, named: str
) -> None:
    rules = 'environments:\n  staging: {notify: ["#ml"]}\n  test: {}\n'
    async with GitHubServer(tmp_path) as github, SlackServer() as slack:
        github.repository(EDGES, {".pachops.yml": rules})
        channels = {name: slack.channel(name) for name in ("ml", "all")}
        environ = variables(
            tmp_path,
            github,
            PACHOPS_SLACK_BOT_TOKEN=slack.app.bot_token,
            PACHOPS_SLACK_APP_TOKEN=slack.app.app_token,
            PACHOPS_SLACK_BASE_URL=slack.api_url,
            PACHOPS_SLACK_DEFAULT_CHANNEL="#all",
        )
        settings = load_settings(environ)
        database = await Database.open(settings.database_url)
        owner, address = Actor("ann", "cli"), f"{github.url}/{EDGES}.git"
        await Locks(database).take(Lock("1", address, environment, owner, "", 1.0, 2.0), 1.0)
        await database.close()
        async with serving(environ, github):
            said = await slack.expect_message(channels[named], "ann: Your lock", patience=PATIENCE)
            assert "has ended" in said.text


async def test_of_a_repository_that_is_not_there_the_default_channel_is_told(
    tmp_path: Path,
) -> None:
    environ = {
        "HOME": str(tmp_path),
        "PACHOPS_DATA_DIR": str(tmp_path / "data"),
        "PACHOPS_SLACK_BOT_TOKEN": "xoxb-1-2-a",
        "PACHOPS_SLACK_APP_TOKEN": "xapp-1-A-2-b",
        "PACHOPS_SLACK_DEFAULT_CHANNEL": "#all",
    }
    async with open_bot(load_settings(environ)) as bot:
        assert await bot.channels(str(tmp_path / "nowhere"), "staging") == ("#all",)


async def test_what_was_taken_before_a_stop_is_handled_after_it(
    github: GitHubServer, tmp_path: Path
) -> None:
    pull = await github.open_pull_request(EDGES, "feature", files={"a": "1"})
    await github.comment(pull, "/pachops help")
    told = github.webhooks.all[-1]
    environ = variables(tmp_path, github)
    database = await Database.open(load_settings(environ).database_url)
    await Deliveries(database).take(told.guid, told.event, EDGES, told.body.decode())
    await database.close()
    async with serving(environ, github):
        await github.expect_comment(pull, "/pachops deploy [ENV]")


async def test_it_says_that_it_lives(github: GitHubServer, tmp_path: Path) -> None:
    async with (
        serving(variables(tmp_path, github), github) as server,
        aiohttp.ClientSession() as session,
        session.get(f"{server.addresses[0]}/healthz") as answer,
    ):
        assert answer.status == 200


async def test_it_is_ready_until_it_is_asked_to_stop(github: GitHubServer, tmp_path: Path) -> None:
    stop = asyncio.Event()
    settings = load_settings(variables(tmp_path, github))
    async with asyncio.timeout(PATIENCE), open_server(settings) as server:
        running = asyncio.create_task(server.run(stop))
        await server.listening.wait()
        url = server.addresses[0]
        async with aiohttp.ClientSession() as session:
            async with session.get(f"{url}/readyz") as answer:
                assert answer.status == 200
            server.readiness.stopping.set()
            async with session.get(f"{url}/readyz") as answer:
                assert (answer.status, await answer.text()) == (503, "not_ready\n")
            async with session.get(f"{url}/healthz") as answer:
                assert answer.status == 200
        stop.set()
        await running


async def test_a_report_leads_to_the_page(github: GitHubServer, tmp_path: Path) -> None:
    pull = await github.open_pull_request(EDGES, "feature", files={"a": "1"})
    public = {"PACHOPS_WEB_PUBLIC_URL": "https://pachops.example.com"}
    environ = variables(tmp_path, github, **public)
    async with serving(environ, github) as server:
        await github.comment(pull, "/pachops deploy staging")
        said = await github.expect_comment(pull, "https://pachops.example.com/deployments/")
        link = re.search(r"https://pachops.example.com(/deployments/\S+?seal=[\w.-]+)", said.body)
        assert link
        # By that address the browser would come over the proxy.
        async with (
            aiohttp.ClientSession() as session,
            session.get(server.addresses[0] + link[1], allow_redirects=False) as answer,
        ):
            assert answer.status == 303
            assert "Secure" in answer.headers["Set-Cookie"]


async def test_figures_are_for_who_has_the_token(github: GitHubServer, tmp_path: Path) -> None:
    token = "a-token-for-prometheus-only"
    environ = variables(tmp_path, github, PACHOPS_WEB_METRICS_TOKEN=token)
    async with serving(environ, github) as server, aiohttp.ClientSession() as session:
        url = f"{server.addresses[0]}/metrics"
        async with session.get(url) as answer:
            assert answer.status == 404
        async with session.get(url, headers={"Authorization": f"Bearer {token}"}) as answer:
            text = await answer.text()
    assert 'pachops_calls_total{how="answered",service="github"}' in text


@pytest.mark.parametrize(
    ("changed", "where"),
    [
        ({"PACHOPS_GITHUB_WEBHOOK_SECRETS": ""}, "PACHOPS_GITHUB_WEBHOOK_SECRETS"),
        ({"PACHOPS_GITHUB_PRIVATE_KEY": ""}, "PACHOPS_GITHUB_PRIVATE_KEY"),
        ({"PACHOPS_GITHUB_APP_ID": ""}, "PACHOPS_GITHUB_APP_ID"),
        (
            {"PACHOPS_GITHUB_APP_ID": "", "PACHOPS_GITHUB_PRIVATE_KEY": ""},
            "PACHOPS_GITHUB_APP_ID",
        ),
        ({"PACHOPS_WEB_HOST": "192.0.2.1"}, "PACHOPS_WEB_PORT"),
        ({"PACHOPS_GITHUB_CLIENT_ID": "Iv1.x"}, "PACHOPS_GITHUB_CLIENT_SECRET"),
        ({"PACHOPS_GITHUB_CLIENT_SECRET": "x"}, "PACHOPS_GITHUB_CLIENT_ID"),
    ],
)
async def test_without_what_it_needs_it_does_not_start(
    github: GitHubServer, tmp_path: Path, changed: dict[str, str], where: str
) -> None:
    with pytest.raises(StoppedError) as stopped:
        async with serving(variables(tmp_path, github, **changed), github):
            pass
    assert (stopped.value.reason.code, stopped.value.reason.where) == (Code.BAD_SETTINGS, where)


@pytest.mark.parametrize("asked", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_stops_it_in_good_order(
    github: GitHubServer, tmp_path: Path, asked: signal.Signals
) -> None:
    environ = variables(tmp_path, github) | {"PATH": os.environ["PATH"]}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        "from bot.cli import main; main()",
        "serve",
        env=environ,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stderr is not None
    lines = []
    async with asyncio.timeout(PATIENCE):
        async for line in process.stderr:
            lines.append(line.decode())
            if b"listening at" in line:
                process.send_signal(asked)
        status = await process.wait()
    assert status == 0, lines
    assert not any("Traceback" in line or "ERROR" in line for line in lines), lines


@pytest.mark.real
async def test_a_second_one_stands_by_and_takes_over_from_one_that_is_killed(
    github: GitHubServer, tmp_path: Path, postgresql_server: PostgreSQL
) -> None:
    pull = await github.open_pull_request(EDGES, "feature", files={"a": "1"})
    environ = variables(
        tmp_path,
        github,
        PATH=os.environ["PATH"],
        PACHOPS_DATABASE_URL=postgresql_server.new_database(),
        # Both are ready to take work in, also without running any.
        PACHOPS_RUNNING_DEPLOYMENTS="0",
    )
    async with asyncio.timeout(PATIENCE), running_serve(environ) as first:
        first_url = await first.said("listening at ")
        await until_ready(first_url)
        async with running_serve(environ) as second:
            second_url = await second.said("listening at ")
            await second.said("this one stands by")
            assert await readiness(second_url) == 503
            github.send_webhooks_to(f"{second_url}/github/webhook")
            first.kill()
            await second.said("this one takes over")
            await until_ready(second_url)
            await github.comment(pull, "/pachops help")
            await github.expect_comment(pull, "/pachops deploy [ENV]")


async def test_on_a_file_a_second_one_is_refused_and_says_which_process_has_it(
    github: GitHubServer, tmp_path: Path
) -> None:
    environ = variables(tmp_path, github, PATH=os.environ["PATH"])
    async with asyncio.timeout(PATIENCE), running_serve(environ) as first:
        await first.said("listening at ")
        async with running_serve(environ) as second:
            await second.said(f"process {first.pid} runs deployments from it")
            assert await second.ended() == REFUSED
    async with open_database(load_settings(environ)) as database:
        rows = [json.loads(row.body) for row in await Audit(database).read()]
    assert {each["facts"]["line"] for each in rows} == {"serve"}
    assert [each["action"] for each in rows] == ["command", "command", "decision"]


class Process:
    """A `pachops serve` of its own."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._lines: list[str] = []

    @property
    def pid(self) -> int:
        return self._process.pid

    async def ended(self) -> int:
        """Its status."""
        return await self._process.wait()

    def kill(self) -> None:
        self._process.kill()

    async def stopped(self) -> str:
        """What it wrote until it ended in good order."""
        self._process.terminate()
        written, _ = await self._process.communicate()
        assert self._process.returncode == 0
        return written.decode()

    async def said(self, text: str) -> str:
        """The word behind the text, once it is in the log."""
        assert self._process.stderr is not None
        while True:
            for line in self._lines:
                if text in line:
                    return (*line.partition(text)[2].split(), "")[0]
            more = await self._process.stderr.readline()
            assert more, self._lines
            self._lines.append(more.decode())


@asynccontextmanager
async def running_serve(environ: dict[str, str], code: str = SERVE) -> AsyncIterator[Process]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", code, "serve"),
        env=environ,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield Process(process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def readiness(url: str) -> int:
    async with aiohttp.ClientSession() as session, session.get(f"{url}/readyz") as answer:
        return answer.status


async def until_ready(url: str) -> None:
    for _ in range(int(PATIENCE / 0.05)):
        if await readiness(url) == 200:
            return
        await asyncio.sleep(0.05)
    raise AssertionError(url)


FOR_DEPLOYMENTS = frozenset(
    ["bot.stage_work", "bot.workflow", "docker", "dockerfile", "grpc", "pachyderm_sdk"]
)


async def test_one_that_waits_for_work_has_not_loaded_what_the_work_needs(
    github: GitHubServer, tmp_path: Path
) -> None:
    code = "import sys; from bot.cli import app; app(standalone_mode=False); print(*sys.modules)"
    # Nobody is there: it must live with that.
    slack = {
        "PACHOPS_SLACK_BASE_URL": "http://127.0.0.1:9/api",
        "PACHOPS_SLACK_BOT_TOKEN": "xoxb-nobody",
        "PACHOPS_SLACK_APP_TOKEN": "xapp-nobody",
    }
    environ = variables(tmp_path, github, PATH=os.environ["PATH"], **slack)
    async with asyncio.timeout(PATIENCE), running_serve(environ, code) as process:
        await until_ready(await process.said("listening at "))
        loaded = set((await process.stopped()).split())
    assert "slack_bolt" in loaded
    assert not loaded & FOR_DEPLOYMENTS


async def test_one_that_listens_does_not_stop_to_look_through_what_it_has_loaded(
    github: GitHubServer, tmp_path: Path
) -> None:
    code = "import gc; from bot.cli import app; app(standalone_mode=False); print(gc.get_freeze_count())"
    environ = variables(tmp_path, github, PATH=os.environ["PATH"])
    async with asyncio.timeout(PATIENCE), running_serve(environ, code) as process:
        await until_ready(await process.said("listening at "))
        kept = int((await process.stopped()).split()[-1])
    assert kept > 100_000


def test_it_starts_without_what_only_its_engine_needs() -> None:
    assert not loaded_by("bot.serve") & {*FOR_DEPLOYMENTS, "alembic", "dbos"}


def test_a_deployment_at_a_terminal_does_not_wait_for_what_it_does_not_use() -> None:
    assert not loaded_by("bot.session") & {"alembic", "dbos", "github", "slack_bolt", "slack_sdk"}


def loaded_by(module: str) -> set[str]:
    code = f"import sys, {module}; print(*sorted(sys.modules))"
    answer = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    return set(answer.stdout.split())
