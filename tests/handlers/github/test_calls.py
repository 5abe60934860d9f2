"""How long a comment waits for GitHub: calls that do not need each other are made at once."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from bot.domain.deployment import Commit
from bot.domain.github import Permission
from bot.store.database import Database
from handlers.commands.second_look import SecondLook
from tests.handlers.github.bot import Bot
from tests.handlers.github.world import EDGES, World
from tests.standins.github import objects
from tests.standins.github.faults import Fault, Seen
from tests.standins.github.state import PullRequest

GRAPH = ("POST", "/graphql")
PULL = ("GET", f"/repos/{EDGES}/pulls/2")
RULES = ("GET", "/contents/.pachops.yml")
REVIEWS = ("GET", "/reviews")
BRANCH = ("GET", f"/repos/{EDGES}/branches/")
RULED = ("GET", f"/repos/{EDGES}/rules/branches/")
PUSHES = ("GET", f"/repos/{EDGES}/activity")
PERMISSION = ("GET", f"/repos/{EDGES}/collaborators/")
MEMBER = ("GET", "/orgs/acme/teams/ml/memberships/ada")
REACTION = ("POST", "/reactions")
SAYS_ALL: dict[str, bool] = {}
SILENT_ON_PEOPLE = {"shows_collaborators": False}
TOO_OLD = {"has_rulesets": False}
WITHOUT_GRAPHQL = {"has_graphql": False}
WRITES_BY_REST = {"writes_with_graphql": False}

Step = Callable[[Bot], Awaitable[None]]
ENDS: tuple[tuple[tuple[Step, ...], bool], ...] = (
    ((Bot.builds, Bot.updates, Bot.succeeds), True),
    ((Bot.builds, Bot.updates, Bot.fails), True),
    ((Bot.builds, Bot.fails), False),
)
"""How a deployment goes, and whether it is looked at again on its way."""


@pytest.mark.parametrize(
    ("server", "rules", "asked"),
    [
        (SAYS_ALL, "{}", ((GRAPH,), (PUSHES,))),
        (SILENT_ON_PEOPLE, "{}", ((GRAPH,), (PUSHES, PERMISSION))),
        (
            SILENT_ON_PEOPLE,
            "{requires: [fresh]}",
            ((GRAPH,), (PUSHES, PERMISSION, GRAPH)),
        ),
        # A search may miss somebody.
        (SAYS_ALL, "{deployers: {teams: [acme/ml]}}", ((GRAPH,), (PUSHES, GRAPH), (MEMBER,))),
        (WITHOUT_GRAPHQL, "{}", ((PULL, RULES), (PUSHES, PERMISSION))),
        (
            WITHOUT_GRAPHQL,
            # With checks there would be more calls than are made at once.
            "{requires: [review]}",
            ((PULL, RULES), (PUSHES, PERMISSION, REVIEWS, BRANCH, RULED), (PERMISSION,)),
        ),
    ],
)
async def test_a_deployment_is_enqueued_after_two_round_trips_or_three(
    world: World,
    server: dict[str, bool],
    rules: str,
    asked: tuple[tuple[tuple[str, str], ...], ...],
) -> None:
    world.declare(f"  staging: {rules}\n")
    vars(world.github.world).update(server)
    await _meets_the_server(world)
    pull = await world.github.open_pull_request(EDGES, "feature", files={"a": "1"})
    world.github.check(EDGES, pull.head_sha, "unit")
    world.github.allow("grace", EDGES, Permission.WRITE)
    world.github.review(pull, "grace")
    world.github.team("acme/ml", *(f"ada-{number:03}" for number in range(100)), "ada")
    await world.settled()
    trips = tuple((calls, asyncio.Event()) for calls in (*asked, (REACTION,)))
    for calls, answered in trips:
        for method, part in calls:
            world.github.fail(method, f"*{part}*", Fault(hold=answered))
    before = len(world.github.calls)

    commenting = asyncio.create_task(world.comment(pull, "/pachops deploy"))
    for calls, answered in trips[:-1]:
        # None of them is answered before all of them have come.
        for method, part in calls:
            await world.github.expect_call(method, part)
        answered.set()
    await world.github.expect_call(*REACTION)
    # It is on disk before anybody is told of it.
    assert len(await world.asked()) == 1
    trips[-1][1].set()
    await commenting

    made = world.github.calls[before:]
    assert len(made) == sum(len(calls) for calls, _ in trips), made


@pytest.mark.parametrize("named", ["main", "v1", "feature", "nonsense"])
async def test_git_is_asked_for_the_commit_of_a_name_beside_the_first_look(
    world: World, monkeypatch: pytest.MonkeyPatch, named: str
) -> None:
    world.declare("  staging: {branches: [main]}\n")
    await _meets_the_server(world)
    objects.move(world.github.world.repo(EDGES).git, "refs/tags/v1", _head(world, "main"))
    pull = await world.github.open_pull_request(EDGES, "feature", files={"a": "1"})
    await world.settled()
    asked, resolve = [], world.deployer.resolve
    of_git = asyncio.Event()

    async def resolving(repository: str, ref: str) -> Commit:
        asked.append(ref)
        of_git.set()
        return await resolve(repository, ref)

    monkeypatch.setattr(world.deployer, "resolve", resolving)
    # The look is not answered before git was asked.
    world.github.fail("POST", "/graphql", Fault(hold=of_git))
    await world.comment(pull, f"/pachops deploy staging {named}")

    commits = [each.request.commit.sha for each in await world.asked()]
    expected = {"main": [_head(world, "main")], "v1": [_head(world, "main")]}
    assert commits == ({"feature": [pull.head_sha]} | expected).get(named, [])
    assert asked == [named]


async def test_a_commit_that_is_written_out_takes_one_call(world: World) -> None:
    world.declare("  staging: {}\n")
    pull = await world.github.open_pull_request(EDGES, "feature", files={"a": "1"})
    await world.client.prefetch()
    await world.settled()
    before = len(world.github.calls)
    await world.comment(pull, f"/pachops deploy staging {pull.head_sha}")
    await world.only()
    assert [each.path for each in world.github.calls[before:-1]] == ["/graphql"]


async def test_the_second_look_takes_one_call(world: World) -> None:
    world.declare("  staging: {}\n")
    pull = await world.github.open_pull_request(EDGES, "feature", files={"a": "1"})
    await world.comment(pull, "/pachops deploy")
    before = len(world.github.calls)
    assert await SecondLook(world.desk)(await world.only()) == ()
    assert [each.path for each in world.github.calls[before:]] == ["/graphql"]


@pytest.mark.parametrize(
    ("server", "rules", "first", "second"),
    [
        # The pull request, the rules and the permission; and when the head moved.
        (WITHOUT_GRAPHQL, "{}", 4, 3),
        # What rulesets are it does not know, and is not asked.
        (TOO_OLD, "{}", 2, 1),
        # Its check runs and statuses, what its branch asks for in two calls; its reviews.
        (WITHOUT_GRAPHQL, "{requires: [checks]}", 8, 7),
        (WITHOUT_GRAPHQL, "{requires: [checks, review]}", 10, 9),
        # The one that GraphQL does not say.
        (SILENT_ON_PEOPLE, "{}", 3, 2),
    ],
)
async def test_what_the_gate_costs_where_rest_is_asked(
    world: World, server: dict[str, bool], rules: str, first: int, second: int
) -> None:
    world.declare(f"  staging: {rules}\n")
    vars(world.github.world).update(server)
    pull = await world.github.open_pull_request(EDGES, "feature", files={"a": "1"})
    world.github.check(EDGES, pull.head_sha, "unit")
    world.github.allow("grace", EDGES, Permission.WRITE)
    world.github.review(pull, "grace")
    # A server without GraphQL is asked for it once.
    await world.comment(pull, "/pachops plan")
    before = len(world.github.calls)
    await world.comment(pull, "/pachops deploy")
    deployment = await world.only()
    made = world.github.calls[before:]
    assert [each.path.rpartition("/")[2] for each in made[first:]] == ["reactions"], made
    assert await SecondLook(world.desk)(deployment) == ()
    assert len(world.github.calls[before + first + 1 :]) == second


CHECKED = "{requires: [checks], branches: [main, 'release/*']}"


@pytest.mark.parametrize(
    ("rules", "named", "first"),
    [
        # The look, its checks; the pull request's own head is of no interest.
        ("{requires: [checks]}", "main", ["/graphql", "/graphql"]),
        ("{branches: [main, other]}", "other", ["/graphql"]),
        # The look; its checks, the pull request's commits and all branches that are allowed.
        (CHECKED, "OLDER", ["/graphql", "/graphql"]),
        (CHECKED, "RELEASED", ["/graphql", "/graphql"]),
        (CHECKED, "v1", ["/graphql", "/graphql"]),
    ],
)
async def test_what_the_gate_costs_for_another_commit_than_the_head(
    world: World, rules: str, named: str, first: list[str]
) -> None:
    world.declare(f"  staging: {rules}\n")
    await _meets_the_server(world)
    await world.github.push(EDGES, {"a": "1"}, "other")
    released = await world.github.push(EDGES, {"a": "2"}, "release/1")
    for number in range(2, 20):
        await world.github.push(EDGES, {"a": "3"}, f"release/{number}")
    await world.github.push(EDGES, {"a": "4"}, "release/1")
    objects.move(world.github.world.repo(EDGES).git, "refs/tags/v1", released)
    pull = await world.github.open_pull_request(EDGES, "feature", files={"b": "1"})
    older = pull.head_sha
    await world.github.push(EDGES, {"b": "2"}, "feature")
    for sha in (older, released, _head(world, "main")):
        world.github.check(EDGES, sha, "unit")
    await world.settled()
    before = len(world.github.calls)
    written = {"OLDER": older, "RELEASED": released}.get(named, named)
    await world.comment(pull, f"/pachops deploy staging {written}")
    deployment = await world.only()
    assert [each.path for each in world.github.calls[before:-1]] == first
    before = len(world.github.calls)
    assert await SecondLook(world.desk)(deployment) == ()
    # What it is about is known by now.
    assert [each.path for each in world.github.calls[before:]] == ["/graphql"]


async def test_the_tokens_of_several_comments_are_fetched_once(world: World) -> None:
    world.declare("  staging: {}\n")
    pulls = [await world.github.open_pull_request(EDGES, name, files={name: "1"}) for name in "abc"]
    await asyncio.gather(*(world.github.comment(each, "/pachops deploy") for each in pulls))
    await world.settled()
    assert len(await world.asked()) == 3
    assert world.github.called("POST", "/access_tokens") == 1
    assert world.github.called("GET", "/app") == 1


@pytest.mark.parametrize(("steps", "is_looked_at_again"), ENDS)
@pytest.mark.parametrize(
    ("server", "login", "calls", "second_look"),
    [
        (SAYS_ALL, None, 7, 1),
        (TOO_OLD, None, 7, 1),
        # What the sender may do, in each look.
        (SILENT_ON_PEOPLE, None, 9, 2),
        # It is tried once; then each mark is written by itself.
        (WRITES_BY_REST, None, 12, 1),
        # Three calls for one in each look; and one for a comment of ours that may be there.
        (WITHOUT_GRAPHQL, None, 16, 3),
        # Nobody but Apps may write checks: the comment is made by itself.
        (SAYS_ALL, "robot", 8, 1),
        (SILENT_ON_PEOPLE, "robot", 10, 2),
        (WITHOUT_GRAPHQL, "robot", 14, 3),
    ],
)
async def test_what_a_whole_deployment_costs_however_it_ends(
    world: World,
    database: Database,
    server: dict[str, bool],
    login: str | None,
    calls: int,
    second_look: int,
    steps: tuple[Step, ...],
    *,
    is_looked_at_again: bool,
) -> None:
    world.declare("  staging: {}\n")
    vars(world.github.world).update(server)
    if login is not None:
        world.logs_in_as(login)
    await _meets_the_server(world)
    pull = await world.github.open_pull_request(EDGES, "feature", files={"a": "1"})
    made = await _deployed(world, database, pull, steps)
    assert len(made) == (calls if is_looked_at_again else calls - second_look), made


EVERY_RULE = """
  staging:
    requires: [checks, review, fresh]
    deployers: {teams: [acme/ml, acme/ops]}
    force: {teams: [acme/oncall]}
    branches: [main, 'release/*']
"""


@pytest.mark.parametrize(("steps", "is_looked_at_again"), ENDS)
@pytest.mark.parametrize("server", [SAYS_ALL, SILENT_ON_PEOPLE, TOO_OLD], ids=str)
@pytest.mark.parametrize("named", ["", "main", "OLDER", "SHORT", "RELEASED"])
@pytest.mark.parametrize("has_commented", [False, True], ids=["silent", "has commented"])
async def test_whatever_the_rules_are_and_whatever_is_named_it_is_twelve_calls_at_most(
    world: World,
    database: Database,
    server: dict[str, bool],
    named: str,
    steps: tuple[Step, ...],
    *,
    has_commented: bool,
    is_looked_at_again: bool,
) -> None:
    del is_looked_at_again
    vars(world.github.world).update(server)
    pull, command = await _with_every_rule(world, named, has_commented=has_commented)
    made = await _deployed(world, database, pull, (Bot.waits_in_line, *steps), command)
    assert len(made) <= 12, made


@pytest.mark.parametrize(
    ("server", "most"),
    [
        (SAYS_ALL, 12),
        (TOO_OLD, 12),
        # What the sender may do, in each look, and what who approved may do, before the update.
        (SILENT_ON_PEOPLE, 15),
    ],
)
@pytest.mark.parametrize("named", ["", "main", "OLDER", "SHORT", "RELEASED"])
@pytest.mark.parametrize("has_commented", [False, True], ids=["silent", "has commented"])
async def test_so_it_is_with_an_approval_where_graphql_says_what_people_may_do(
    world: World,
    database: Database,
    server: dict[str, bool],
    most: int,
    named: str,
    *,
    has_commented: bool,
) -> None:
    vars(world.github.world).update(server)
    pull, command = await _with_every_rule(
        world, named, "approvals: 1", has_commented=has_commented
    )
    made, approving = await _approved(world, database, pull, command)
    assert len(made) <= most, made
    # What grace may do with the rules, and the answer.
    assert len(approving) == 2 + (server is SILENT_ON_PEOPLE), approving


@pytest.mark.parametrize(
    "rules",
    [
        "{force: {teams: [acme/oncall]}}",
        "{force: {permission: admin}}",
        "{deployers: {users: [ada]}, force: {teams: [acme/oncall, acme/sre]}}",
        "{deployers: {users: [ada], teams: [acme/ml]}}",
    ],
)
async def test_of_lists_that_decide_nothing_nobody_asks(
    world: World, database: Database, rules: str
) -> None:
    world.declare(f"  staging: {rules}\n")
    await _meets_the_server(world)
    pull = await world.github.open_pull_request(EDGES, "feature", files={"a": "1"})
    made = await _deployed(world, database, pull, ENDS[0][0])
    assert len(made) == 7, made


async def test_a_long_thread_is_looked_through_for_a_comment_of_ours(
    world: World, database: Database
) -> None:
    world.declare("  staging: {}\n")
    await _meets_the_server(world)
    pull = await world.github.open_pull_request(EDGES, "feature", files={"a": "1"})
    for number in range(120):
        await world.github.comment(pull, f"chat {number}")
    # A hundred are on a page.
    assert len(await _deployed(world, database, pull, ENDS[0][0])) == 7 + 2


async def test_a_short_sha_costs_nothing_that_is_of_no_use(world: World) -> None:
    world.declare("  staging: {}\n")
    await _meets_the_server(world)
    pull = await world.github.open_pull_request(EDGES, "feature", files={"a": "1"})
    older = pull.head_sha
    await world.github.push(EDGES, {"a": "2"}, "feature")
    await world.settled()
    before = len(world.github.calls)
    await world.comment(pull, f"/pachops deploy staging {older[:10]}")
    await world.only()
    assert [each.path for each in world.github.calls[before:-1]] == ["/graphql", "/graphql"]


async def _deployed(
    world: World,
    database: Database,
    pull: PullRequest,
    steps: tuple[Step, ...],
    command: str = "/pachops deploy",
) -> list[Seen]:
    """The calls of a whole deployment."""
    await world.settled()
    before = len(world.github.calls)
    await world.comment(pull, command)
    bot = Bot(world, database)
    for step in steps:
        await step(bot)
    return world.github.calls[before:]


@pytest.mark.parametrize(("server", "more"), [(SAYS_ALL, 0), (SILENT_ON_PEOPLE, 1)])
async def test_what_approvals_cost(
    world: World, database: Database, server: dict[str, bool], more: int
) -> None:
    world.declare("  staging: {approvals: 2}\n")
    vars(world.github.world).update(server)
    for each in ("grace", "linus"):
        world.github.allow(each, EDGES, Permission.WRITE)
    await _meets_the_server(world)
    pull = await world.github.open_pull_request(EDGES, "feature", files={"a": "1"})
    by = ("grace", "linus")
    made, approving = await _approved(world, database, pull, "/pachops deploy", by)
    # What each of them may do with the rules, and the answer.
    assert len(approving) == len(by) * (2 + more), approving
    # The comment and the check together: that it begins, that it waits, and that it goes on.
    assert len(made) == 7 + 3 + more * (2 + len(by)), made


async def _with_every_rule(
    world: World, named: str, more: str = "", *, has_commented: bool
) -> tuple[PullRequest, str]:
    """A pull request to an environment that asks for all, and the command for one commit of many."""
    rules = EVERY_RULE if not named else EVERY_RULE.replace(", review, fresh", "")
    world.declare(f"{rules}    {more}\n")
    world.github.team("acme/ml", "ada")
    world.github.team("acme/ops", "grace")
    world.github.team("acme/oncall", "grace")
    world.github.allow("grace", EDGES, Permission.WRITE)
    await _meets_the_server(world)
    released = await world.github.push(EDGES, {"a": "2"}, "release/1")
    for number in range(2, 20):
        await world.github.push(EDGES, {"a": str(number)}, f"release/{number}")
    await world.github.push(EDGES, {"a": "4"}, "release/1")
    pull = await world.github.open_pull_request(EDGES, "feature", files={"b": "1"})
    older = pull.head_sha
    await world.github.push(EDGES, {"b": "2"}, "feature")
    for sha in (older, released, pull.head_sha, _head(world, "main")):
        world.github.check(EDGES, sha, "unit")
    world.github.review(pull, "grace")
    if has_commented:
        await world.comment(pull, "/pachops help")
    world.github.advance(5)
    written = {"OLDER": older, "SHORT": older[:10], "RELEASED": released}.get(named, named)
    return pull, f"/pachops deploy staging {written}"


async def _approved(
    world: World,
    database: Database,
    pull: PullRequest,
    command: str,
    by: tuple[str, ...] = ("grace",),
) -> tuple[list[Seen], list[Seen]]:
    """The calls of a deployment that others approve, and those of their comments."""
    calls = world.github.calls
    await world.settled()
    before = len(calls)
    await world.comment(pull, command)
    bot = Bot(world, database)
    await bot.waits_in_line()
    await bot.builds()
    await bot.asks_for_approval(len(by))
    asked = len(calls)
    for each in by:
        await world.comment(pull, "/pachops approve", by=each)
    approved = len(calls)
    await bot.is_approved(by)
    await bot.updates()
    await bot.succeeds()
    return calls[before:asked] + calls[approved:], calls[asked:approved]


async def _meets_the_server(world: World) -> None:
    """What is asked once: our name and token, and whether there is GraphQL."""
    other = await world.github.open_pull_request(EDGES, "other", files={"b": "1"})
    await world.comment(other, "/pachops resume")


def _head(world: World, branch: str) -> str:
    found = objects.branch(world.github.world.repo(EDGES).git, branch)
    assert found is not None
    return found
