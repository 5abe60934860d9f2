"""Whether the rules let a terminal's request through, as they are where the repository is."""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.app import Bot, open_bot
from bot.domain.deployment import Actor, Commit, Deployment, Kind, Request, Trigger
from bot.domain.gate_rules import EnvironmentRules
from bot.domain.lock import Lock
from bot.domain.progress import Progress, Warned
from bot.domain.reasons import Code, StoppedError
from bot.leave import take_leave
from bot.project import PROJECT_FILE
from bot.settings import load_settings
from bot.store.deployments import insert
from tests.real.git_server import Repository

ADA = Actor("ada", "cli")
NAMED = "deployers: {users: [bob]}"
NEVER = "not: [Mon 00:00 - Thu 00:00 UTC, Thu 00:00 - Mon 00:00 UTC]"


def rules(*lines: str) -> dict[str, str]:
    return {PROJECT_FILE: "environments:\n  production: {" + ", ".join(lines) + "}\n"}


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path / "edges.git")


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    return {"HOME": str(tmp_path), "PACHOPS_DATA_DIR": str(tmp_path / "data")}


@pytest.fixture
async def bot(environ: dict[str, str]) -> AsyncIterator[Bot]:
    async with open_bot(load_settings(environ)) as bot:
        yield bot


def asked(address: str, sha: str, kind: Kind = Kind.DEPLOY, **more: Any) -> Request:
    by: dict[str, Any] = {"trigger": Trigger.CLI, "actor": ADA} | more
    return Request(kind, address, "production", Commit(sha, "HEAD"), **by)


def workflows(login: str) -> Actor:
    return Actor(login, "action", f"github:{login.lower()}")


async def leave(bot: Bot, request: Request) -> tuple[Code | None, list[Progress]]:
    shown: list[Progress] = []
    try:
        found = await take_leave(bot, request, shown.append)
    except StoppedError as stopped:
        return stopped.reason.code, shown
    assert found.rules is not None
    return None, shown


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("drafts: false", None),
        ("deployers: {permission: admin}", None),
        (NAMED, Code.NOT_A_DEPLOYER),
        ("deployers: {users: [bob], terminal: true}", None),
    ],
)
async def test_who_is_named_deploys_at_a_terminal_only_where_that_is_said(
    bot: Bot, repository: Repository, kind: Kind, said: str, code: Code | None
) -> None:
    sha = repository.commit(rules(said))
    assert (await leave(bot, asked(str(repository.path), sha, kind)))[0] is code


async def test_the_default_branch_says_it_where_a_url_is_given(
    bot: Bot, repository: Repository
) -> None:
    repository.commit(rules(NAMED))
    mine = repository.commit(rules("drafts: false"), branch="mine")
    new = repository.commit({PROJECT_FILE: "environments: {test: {}}"}, branch="new")
    url = f"file://{repository.path}"
    for kind in Kind:
        assert (await leave(bot, asked(url, mine, kind)))[0] is Code.NOT_A_DEPLOYER
    there = Request(Kind.DEPLOY, url, "test", Commit(new, "new"), Trigger.CLI, ADA)
    assert (await leave(bot, there))[0] is Code.ENVIRONMENT_UNKNOWN


@pytest.mark.parametrize("bare", [True, False])
async def test_the_default_branch_of_a_path_says_it_too(
    bot: Bot, tmp_path: Path, *, bare: bool
) -> None:
    repository = Repository(tmp_path / "here", bare=bare)
    path = str(repository.path)
    first = repository.commit(rules("drafts: false"))
    assert (await leave(bot, asked(path, first)))[0] is None
    repository.commit(rules(NAMED))
    mine = repository.commit(rules("drafts: false"), branch="mine")
    new = repository.commit({PROJECT_FILE: "environments: {test: {}}"}, branch="new")
    for kind in Kind:
        assert (await leave(bot, asked(path, mine, kind)))[0] is Code.NOT_A_DEPLOYER
    there = Request(Kind.DEPLOY, path, "test", Commit(new, "new"), Trigger.CLI, ADA)
    assert (await leave(bot, there))[0] is Code.ENVIRONMENT_UNKNOWN


async def test_what_was_not_pushed_yet_says_nothing_in_a_clone(bot: Bot, tmp_path: Path) -> None:
    origin = Repository(tmp_path / "origin.git")
    origin.commit(rules(NAMED))
    work = tmp_path / "work"
    origin.git("clone", "--quiet", str(origin.path), str(work))
    (work / PROJECT_FILE).write_text(rules("drafts: false")[PROJECT_FILE])
    by = ("-c", "user.name=ada", "-c", "user.email=ada@acme.io")
    origin.git("-C", str(work), *by, "commit", "--quiet", "-am", "Let me in")
    sha = origin.git("-C", str(work), "rev-parse", "HEAD").decode().strip()
    assert (await leave(bot, asked(str(work), sha)))[0] is Code.NOT_A_DEPLOYER
    origin.git("-C", str(work), "push", "--quiet")
    assert (await leave(bot, asked(str(work), sha)))[0] is None


async def test_where_a_path_does_not_say_which_branch_it_is_it_is_refused(
    bot: Bot, tmp_path: Path
) -> None:
    repository = Repository(tmp_path / "here", bare=False)
    sha = repository.commit(rules(NAMED), branch="trunk")
    repository.git("checkout", "--quiet", "trunk")
    path = str(repository.path)
    assert (await leave(bot, asked(path, sha)))[0] is Code.NOT_A_DEPLOYER
    free = repository.commit(rules("drafts: false"), branch="mine")
    assert (await leave(bot, asked(path, free)))[0] is Code.BRANCH_UNCLEAR


@pytest.mark.parametrize("kind", Kind)
async def test_a_clone_is_no_way_around_the_line_of_its_url(
    bot: Bot, tmp_path: Path, kind: Kind
) -> None:
    work = Repository(tmp_path / "work", bare=False)
    sha = work.commit(rules("drafts: false"))
    work.git("remote", "add", "origin", "git@github.com:acme/edges.git")
    request = asked(str(work.path), sha, kind)
    assert (await leave(bot, request))[0] is None
    other = Deployment("1", replace(request, repository="https://github.com/acme/edges"))
    await bot.database.write(lambda connection: insert(connection, other))
    assert (await leave(bot, request))[0] is Code.OTHER_ADDRESS


@pytest.mark.parametrize(
    "tokens", [{"PACHOPS_SLACK_BOT_TOKEN": "xoxb-1", "PACHOPS_SLACK_APP_TOKEN": "xapp-1"}, {}]
)
async def test_slack_is_told_where_those_rules_say_if_by_another_process(
    environ: dict[str, str], repository: Repository, tokens: dict[str, str]
) -> None:
    repository.commit(rules("notify: ['#ml']", "force: {permission: admin}"))
    mine = repository.commit(rules("notify: []", "force: {permission: admin}"), branch="mine")
    async with open_bot(load_settings(environ | tokens)) as bot:
        request = asked(str(repository.path), mine, force="fire")
        found = await take_leave(bot, request, lambda _event: None)
        assert "#ml" in str(bot.told_in_slack(request, found.rules))


async def test_all_that_stands_in_the_way_is_said(bot: Bot, repository: Repository) -> None:
    sha = repository.commit(rules(NAMED, "force: {teams: [acme/oncall]}"))
    code, shown = await leave(bot, asked(str(repository.path), sha, force="fire"))
    assert code is Code.NOT_A_DEPLOYER
    (other,) = shown
    assert isinstance(other, Warned)
    assert "may not force a deployment to production at a terminal" in other.text


async def test_nobody_forces_where_nobody_is_named(bot: Bot, repository: Repository) -> None:
    sha = repository.commit(rules("drafts: false"))
    request = asked(str(repository.path), sha, force="fire")
    assert (await leave(bot, request))[0] is Code.FORCE_NOT_ALLOWED


async def test_the_operator_names_people_too(
    environ: dict[str, str], repository: Repository, tmp_path: Path
) -> None:
    sha = repository.commit(rules("force: {permission: admin}"))
    settings = tmp_path / "settings.yaml"
    settings.write_text("rules: [{deployers: {users: [bob]}, force: never}]\n")
    settings.chmod(0o600)
    named = environ | {"PACHOPS_SETTINGS_FILE": str(settings)}
    async with open_bot(load_settings(named)) as bot:
        code, shown = await leave(bot, asked(str(repository.path), sha, force="fire"))
    assert (code, len(shown)) == (Code.NOT_A_DEPLOYER, 1)


async def test_a_workflows_actor_may_be_named(bot: Bot, repository: Repository) -> None:
    sha = repository.commit(rules(NAMED))
    found = [
        (await leave(bot, asked(str(repository.path), sha, trigger=Trigger.ACTION, actor=each)))[0]
        for each in (workflows("Bob"), workflows("eve"))
    ]
    assert found == [None, Code.NOT_A_DEPLOYER]


async def test_a_rollback_goes_by_our_own_copy_where_git_does_not_answer(
    bot: Bot, repository: Repository, tmp_path: Path
) -> None:
    sha = repository.commit(rules(NAMED))
    url = f"file://{repository.path}"
    await bot.git.mirror(url, sha)
    repository.path.rename(tmp_path / "elsewhere")
    assert (await leave(bot, asked(url, sha, Kind.ROLLBACK)))[0] is Code.NOT_A_DEPLOYER
    assert (await leave(bot, asked(url, sha)))[0] is not None


@pytest.mark.parametrize("sha", ["", "a" * 40])
async def test_a_rollback_of_which_no_rules_can_be_read_is_refused(
    bot: Bot, tmp_path: Path, sha: str
) -> None:
    request = asked(f"file://{tmp_path}/gone", sha, Kind.ROLLBACK)
    assert (await leave(bot, request))[0] is Code.REPOSITORY_UNKNOWN


async def test_a_rollback_waits_for_rules_no_longer_than_that(
    bot: Bot, monkeypatch: pytest.MonkeyPatch, repository: Repository
) -> None:
    async def for_ever(*_: object) -> EnvironmentRules:
        await asyncio.sleep(60)
        raise AssertionError

    monkeypatch.setattr("bot.ruling.ROLLBACK_SECONDS", 0.2)
    monkeypatch.setattr("bot.ruling.ruled", for_ever)
    sha = repository.commit(rules(NAMED))
    await bot.git.mirror(str(repository.path), sha)
    async with asyncio.timeout(20):
        request = asked(str(repository.path), sha, Kind.ROLLBACK)
        code, shown = await leave(bot, request)
        assert code is Code.NOT_A_DEPLOYER
        assert "The rules of the commit that comes back count" in str(shown[0])
    monkeypatch.setattr("bot.ruling.LONGEST_ROLLBACK_SECONDS", 0.2)
    unknown = asked(str(repository.path), "", Kind.ROLLBACK)
    assert (await leave(bot, unknown))[0] is Code.REPOSITORY_UNREADABLE


@pytest.mark.parametrize("is_known", [True, False])
async def test_a_rollback_is_refused_where_the_default_branchs_rules_are_wrong(
    bot: Bot, repository: Repository, *, is_known: bool
) -> None:
    sha = repository.commit(rules("drafts: false"))
    path = str(repository.path)
    await bot.git.mirror(path, sha)
    repository.commit({PROJECT_FILE: "environments: {production: {unheard_of: 1}}"})
    request = asked(path, sha if is_known else "", Kind.ROLLBACK)
    assert (await leave(bot, request))[0] is Code.PROJECT_INVALID


@pytest.mark.parametrize("written", ["{}", "file://{}"])
@pytest.mark.parametrize("is_known", [True, False])
async def test_what_is_checked_out_says_nothing_of_who_may_roll_back(
    bot: Bot, tmp_path: Path, written: str, *, is_known: bool
) -> None:
    work = Repository(tmp_path / "work", bare=False)
    work.commit(rules(NAMED))
    sha = work.commit(rules("drafts: false"), branch="mine")
    work.git("symbolic-ref", "HEAD", "refs/heads/mine")
    request = asked(written.format(work.path), sha if is_known else "", Kind.ROLLBACK)
    assert (await leave(bot, request))[0] is Code.NOT_A_DEPLOYER


async def test_the_checkout_of_a_workflow_says_nothing_of_who_may_deploy(
    bot: Bot, tmp_path: Path
) -> None:
    work = Repository(tmp_path / "work", bare=False)
    work.commit(rules(NAMED))
    sha = work.commit(rules("drafts: false"), branch="mine")
    work.git("symbolic-ref", "HEAD", "refs/heads/mine")
    request = asked(str(work.path), sha, trigger=Trigger.ACTION, actor=workflows("mallory"))
    assert (await leave(bot, request))[0] is Code.NOT_A_DEPLOYER


@pytest.mark.parametrize(
    ("said", "branch", "code"),
    [
        ("branches: [main, 'release/*']", "main", None),
        ("branches: [main, 'release/*']", "release/1", None),
        ("branches: [main, 'release/*']", "mine", Code.BRANCH_NOT_ALLOWED),
        ("branches: [main, 'release/*']", None, Code.BRANCH_NOT_ALLOWED),
        ("drafts: false", None, None),
        ("requires: [checks]", "main", Code.FACT_UNKNOWN),
        ("requires: [review]", "main", Code.FACT_UNKNOWN),
        (NEVER, "main", Code.ENVIRONMENT_FROZEN),
    ],
)
async def test_branches_and_freezes_are_looked_at_before_there_is_a_deployment(
    bot: Bot, repository: Repository, said: str, branch: str | None, code: Code | None
) -> None:
    sha = repository.commit(rules(said))
    request = asked(str(repository.path), sha)
    request = replace(request, commit=Commit(sha, branch or sha, branch))
    assert (await leave(bot, request))[0] is code


async def test_a_forced_deployment_is_no_matter_of_freezes_and_checks(
    bot: Bot, repository: Repository
) -> None:
    sha = repository.commit(rules(NEVER, "requires: [fresh]", "force: {permission: admin}"))
    assert (await leave(bot, asked(str(repository.path), sha, force="it burns")))[0] is None


async def test_what_a_forced_deployment_skips_is_known(bot: Bot, repository: Repository) -> None:
    said = rules(NEVER, "requires: [fresh]", "approvals: 2", "force: {permission: admin}")
    sha, path = repository.commit(said), str(repository.path)
    locks = (("production", Actor("grace", "cli")), ("staging", Actor("linus", "cli")))
    for environment, owner in locks:
        lock = Lock(environment, path, environment, owner, "", time.time())
        await bot.locks.take(lock, time.time())
    found = await take_leave(bot, asked(path, sha, force="it burns"), lambda _event: None)
    assert [each.code for each in found.skipped] == [
        Code.ENVIRONMENT_FROZEN,
        Code.LOCKED,
        Code.FACT_UNKNOWN,
        Code.APPROVAL_MISSING,
    ]


async def test_what_is_not_forced_skips_nothing(bot: Bot, repository: Repository) -> None:
    sha = repository.commit(rules("approvals: 2", "force: {permission: admin}"))
    found = await take_leave(bot, asked(str(repository.path), sha), lambda _event: None)
    assert found.skipped == ()
