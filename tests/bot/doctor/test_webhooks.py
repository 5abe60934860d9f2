import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.doctor.webhooks import look_at, of_deliveries
from bot.domain.finding import Level
from bot.domain.github import Permission
from bot.settings import Settings, load_settings
from bot.store.database import Database
from bot.store.deliveries import Deliveries
from tests.bot.doctor.test_github import variables
from tests.standins.github.faults import error, held
from tests.standins.github.server import GitHubServer

NAMES = ("acme/edges", "acme/faces", "acme/tiles")


@pytest.fixture
async def github(tmp_path: Path) -> AsyncIterator[GitHubServer]:
    async with GitHubServer(tmp_path) as github:
        for name in NAMES:
            github.repository(name, {"a": "1"})
        yield github


def token_variables(tmp_path: Path, github: GitHubServer) -> dict[str, str]:
    return {
        "HOME": str(tmp_path),
        "PACHOPS_GITHUB_BASE_URL": github.url,
        "PACHOPS_GITHUB_TOKEN": github.personal_token("ada"),
        "PACHOPS_WEB_PUBLIC_URL": "https://pachops.example",
    }


async def told_something(settings: Settings, *names: str) -> None:
    database = await Database.open(settings.database_url)
    for name in names or NAMES[:1]:
        await Deliveries(database).take(name, "push", name, "{}")
    await database.close()


async def test_a_token_that_may_not_see_webhooks_is_told_what_it_lacks(
    github: GitHubServer, tmp_path: Path
) -> None:
    settings = load_settings(token_variables(tmp_path, github))
    await told_something(settings)
    last = (await look_at(settings))[-1]
    assert last.level is Level.WARNING
    assert "acme/edges: the token may not see its webhooks" in last.fact
    assert "admin:repo_hook" in last.next_step


async def test_a_tokens_webhooks_that_did_not_arrive_are_counted(
    github: GitHubServer, tmp_path: Path
) -> None:
    settings = load_settings(token_variables(tmp_path, github))
    await told_something(settings)
    github.allow("ada", "acme/edges", Permission.ADMIN)
    github.hook("acme/edges", "https://pachops.example/github/webhook")
    assert (await look_at(settings))[-1].level is Level.GOOD
    github.send_webhooks_to("http://127.0.0.1:9/")
    await github.push("acme/edges", {"a": "2"})
    last = (await look_at(settings))[-1]
    assert "1 webhooks of acme/edges did not arrive (no answer)" in last.fact


async def test_an_apps_webhooks_that_did_not_arrive_are_counted(
    github: GitHubServer, tmp_path: Path
) -> None:
    settings = load_settings(variables(tmp_path, github))
    assert [each.level for each in await look_at(settings)] == [Level.GOOD]
    github.send_webhooks_to("http://127.0.0.1:9/")
    await github.push("acme/edges", {"a": "2"})
    (found,) = await look_at(settings)
    assert "1 webhooks of the App did not arrive (no answer)" in found.fact


async def test_one_that_came_and_whose_answer_was_lost_has_arrived(
    github: GitHubServer, tmp_path: Path
) -> None:
    settings = load_settings(variables(tmp_path, github))
    github.send_webhooks_to("http://127.0.0.1:9/")
    await github.push("acme/edges", {"a": "2"})
    await told_something(settings, github.webhooks.all[-1].guid)
    assert [each.level for each in await look_at(settings)] == [Level.GOOD]


async def test_without_a_login_there_is_nothing_to_say(tmp_path: Path) -> None:
    assert await look_at(load_settings({"HOME": str(tmp_path)})) == []


async def test_repositories_that_cannot_be_looked_at_hide_no_other_and_are_told_of_together(
    github: GitHubServer, tmp_path: Path
) -> None:
    settings = load_settings(token_variables(tmp_path, github))
    await told_something(settings, *NAMES)
    for name in NAMES:
        github.allow("ada", name, Permission.ADMIN)
        github.hook(name, "https://pachops.example/github/webhook")
    for name in NAMES[1:]:
        github.fail("GET", f"/repos/{name}/hooks", error(410, "gone"))
    good, bad = await look_at(settings)
    assert (good.level, bad.level) == (Level.GOOD, Level.WARNING)
    assert "acme/edges" in good.fact
    assert "acme/faces" in bad.fact
    assert "acme/tiles" in bad.fact


async def test_what_there_is_no_time_for_is_named_and_hides_no_other(
    github: GitHubServer, tmp_path: Path
) -> None:
    settings = load_settings(token_variables(tmp_path, github))
    await told_something(settings, *NAMES)
    for name in NAMES:
        github.hook(name, "https://pachops.example/github/webhook")
    never = asyncio.Event()
    github.fail("GET", "/repos/acme/tiles/hooks", held(never))
    # Whoever closes a connection waits for the calls that are under way.
    asyncio.get_running_loop().call_later(3.1, never.set)
    *others, late = await look_at(settings, longest=3.0)
    assert len(others) == 2
    assert (late.level, late.fact.startswith("acme/tiles could not")) == (Level.NOTE, True)


async def test_a_token_that_is_not_taken_is_told_of_once(
    github: GitHubServer, tmp_path: Path
) -> None:
    settings = load_settings(token_variables(tmp_path, github))
    await told_something(settings, *NAMES)
    github.revoke_tokens()
    (found,) = await look_at(settings)
    assert "Bad credentials" in found.fact


@pytest.mark.parametrize(
    ("failed", "level", "part"),
    [([401, 401], Level.WARNING, "2 webhooks"), ([0], Level.WARNING, "no answer")],
)
def test_how_many_did_not_arrive(failed: list[int], level: Level, part: str) -> None:
    (found,) = of_deliveries(failed, "the App")
    assert (found.level, part in found.fact) == (level, True)


def test_a_wrong_secret_is_told_from_a_bot_that_was_down() -> None:
    assert "WEBHOOK_SECRETS" in of_deliveries([401], "the App")[0].next_step
    assert "WEBHOOK_SECRETS" not in of_deliveries([502], "the App")[0].next_step
