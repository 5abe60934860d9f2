"""The check on the rules that a pull request brings."""

from dataclasses import replace

import pytest

from bot.domain.gate_facts import Unknown
from bot.domain.github import RULES_CHECK
from bot.domain.reasons import Code, StoppedError
from bot.project import PROJECT_FILE
from bot.services.github import RepositoryClient
from bot.store.deliveries import DeliveryState
from tests.handlers.github.world import EDGES, World
from tests.standins.github.faults import error
from tests.standins.github.state import CheckRun, PullRequest

RULES = "environments:\n  staging: {}\n"
UNKNOWN_KEY = "environments:\n  staging: {aprovals: 1}\n"
NO_ZONE = "environments:\n  staging:\n    not: Sat Mars/Olympus\n"
NO_TEAM = "environments:\n  staging:\n    deployers: {teams: [acme/nobody]}\n"
SEVERAL = "environments:\n  staging: {aprovals: 1}\n  production: {on: {psuh: [main]}}\n"


async def brings(world: World, text: str) -> PullRequest:
    world.declare("  staging: {}\n")
    pull = await world.github.open_pull_request(EDGES, "feature", files={PROJECT_FILE: text})
    await world.settled()
    return pull


def checks(world: World, sha: str) -> list[CheckRun]:
    found = world.github.world.repo(EDGES).checks.values()
    return [each for each in found if each.sha == sha and each.name == RULES_CHECK]


async def test_a_key_that_is_unknown_fails_with_its_line(world: World) -> None:
    pull = await brings(world, UNKNOWN_KEY)
    (check,) = checks(world, pull.head_sha)
    assert check.conclusion == "failure"
    (remark,) = check.annotations
    assert (remark["path"], remark["start_line"]) == (PROJECT_FILE, 2)
    assert "approvals" in remark["message"]


async def test_a_time_zone_that_is_none_fails(world: World) -> None:
    pull = await brings(world, NO_ZONE)
    (check,) = checks(world, pull.head_sha)
    assert (check.conclusion, check.annotations[0]["start_line"]) == ("failure", 3)
    assert "Mars/Olympus" in check.annotations[0]["message"]


async def test_the_remark_is_on_the_line_that_names_the_team(world: World) -> None:
    world.github.team("acme/ml-platform", "ada")
    both = (
        "environments:  # not of acme/ml\n"
        "  staging: {deployers: {teams: [acme/ml-platform]}}\n"
        "  production: {deployers: {teams: [acme/ml]}}\n"
    )
    pull = await brings(world, both)
    (check,) = checks(world, pull.head_sha)
    (remark,) = check.annotations
    assert remark["start_line"] == 3


async def test_a_team_that_does_not_exist_fails(world: World) -> None:
    pull = await brings(world, NO_TEAM)
    (check,) = checks(world, pull.head_sha)
    assert (check.conclusion, check.annotations[0]["start_line"]) == ("failure", 3)
    assert "team_unknown" in (check.summary or "").replace("\\", "")


class Groups:
    """One that there is, of which nobody is known on GitHub."""

    async def is_member(self, group: str, login: str) -> bool | Unknown:
        return Unknown(f"the members of @{group}", f"{login} is not joined with a Slack user")

    async def is_there(self, group: str) -> bool | Unknown:
        return group == "oncall" or Unknown(f"the members of @{group}", "there is no such group")


@pytest.mark.parametrize(("group", "conclusion"), [("oncall", "success"), ("nobody", "failure")])
async def test_a_slack_group_must_be_there_whoever_brings_the_rules(
    world: World, group: str, conclusion: str
) -> None:
    world.desk = replace(world.desk, groups=Groups())
    text = f"environments:\n  staging:\n    deployers: {{slack_groups: [{group}]}}\n"
    pull = await brings(world, text)
    (check,) = checks(world, pull.head_sha)
    assert check.conclusion == conclusion
    assert [each["start_line"] for each in check.annotations] == [3] * (conclusion == "failure")


async def test_what_does_not_parse_fails(world: World) -> None:
    pull = await brings(world, "environments: [\n")
    assert [each.conclusion for each in checks(world, pull.head_sha)] == ["failure"]


async def test_each_of_several_problems_has_its_remark(world: World) -> None:
    pull = await brings(world, SEVERAL)
    (check,) = checks(world, pull.head_sha)
    assert [each["start_line"] for each in check.annotations] == [2, 3]


async def test_rules_that_are_right_pass(world: World) -> None:
    pull = await brings(world, RULES + "  production: {approvals: 1}\n")
    assert [each.conclusion for each in checks(world, pull.head_sha)] == ["success"]


async def test_environments_that_share_a_project_are_named(world: World) -> None:
    both = (
        "environments:\n  staging: {project: vision}\n  production: {project: vision}\n"
        "  lab: {project: vision, cluster: lab}\n"
    )
    (check,) = checks(world, (await brings(world, both)).head_sha)
    assert check.conclusion == "success"
    assert "staging and production share the project vision" in (check.summary or "")
    assert "lab" not in (check.summary or "")


async def test_of_environments_with_projects_of_their_own_nothing_is_said(world: World) -> None:
    both = "environments:\n  staging: {}\n  production: {project: vision}\n"
    (check,) = checks(world, (await brings(world, both)).head_sha)
    assert "share" not in (check.summary or "")


@pytest.mark.parametrize(
    ("files", "fact"),
    [
        ({PROJECT_FILE: None, ".pachops.yaml": RULES}, "the project file is called .pachops.yml"),
        ({PROJECT_FILE: None, f"{PROJECT_FILE}/rules.yml": RULES}, "it is a folder"),
    ],
)
async def test_rules_where_nobody_reads_them_fail(
    world: World, files: dict[str, str | None], fact: str
) -> None:
    world.declare("  staging: {}\n")
    pull = await world.github.open_pull_request(EDGES, "feature", files=files)
    await world.settled()
    (check,) = checks(world, pull.head_sha)
    assert check.conclusion == "failure"
    assert fact in (check.summary or "")


async def test_that_rules_are_taken_away_is_said(world: World) -> None:
    world.declare("  staging: {}\n")
    pull = await world.github.open_pull_request(EDGES, "feature", files={PROJECT_FILE: None})
    await world.settled()
    (check,) = checks(world, pull.head_sha)
    assert check.conclusion == "neutral"
    assert "everybody with write permission" in (check.summary or "")


async def test_without_rules_anywhere_there_is_no_check(world: World) -> None:
    world.github.repository(EDGES, {"a": "1"})
    pull = await world.github.open_pull_request(EDGES, "feature", files={"b": "1"})
    await world.settled()
    assert checks(world, pull.head_sha) == []


async def test_a_team_that_cannot_be_looked_up_at_all_fails_and_names_the_call(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def unread(_client: RepositoryClient, team: str, _login: str, **_: bool) -> bool:
        raise StoppedError(Code.GITHUB_UNREACHABLE, f"looking for ada in {team}: it answers 502")

    monkeypatch.setattr(RepositoryClient, "is_team_member", unread)
    pull = await brings(world, NO_TEAM)
    (check,) = checks(world, pull.head_sha)
    assert check.conclusion == "failure"
    assert "github_unreachable" in (check.summary or "")
    assert "looking for ada in acme/nobody" in (check.summary or "")
    monkeypatch.undo()
    await world.github.rerun(EDGES, check)
    await world.settled()
    assert "team_unknown" in (check.summary or "")


async def test_rules_that_are_too_large_to_be_read_fail(world: World) -> None:
    pull = await brings(world, RULES + "#" * 1_100_000)
    (check,) = checks(world, pull.head_sha)
    assert check.conclusion == "failure"
    assert "too large" in (check.summary or "")


async def test_the_same_rules_have_no_check(world: World) -> None:
    pull = await brings(world, RULES)
    assert checks(world, pull.head_sha) == []


async def test_once_they_are_as_before_the_check_passes(world: World) -> None:
    await brings(world, UNKNOWN_KEY)
    sha = await world.github.push(EDGES, {PROJECT_FILE: RULES}, "feature")
    await world.settled()
    assert [each.conclusion for each in checks(world, sha)] == ["success"]
    later = await world.github.push(EDGES, {"a": "2"}, "feature")
    await world.settled()
    assert [each.conclusion for each in checks(world, later)] == ["success"]


async def test_asked_for_again_it_says_what_is_so_now(world: World) -> None:
    pull = await brings(world, NO_TEAM)
    (check,) = checks(world, pull.head_sha)
    await world.github.rerun(EDGES, check)
    await world.settled()
    assert (check.status, check.conclusion, len(check.annotations)) == ("completed", "failure", 1)
    world.github.team("acme/nobody", "ada")
    await world.github.rerun(EDGES, check)
    await world.settled()
    assert (check.status, check.conclusion) == ("completed", "success")


async def test_of_very_many_teams_some_are_looked_up_and_that_is_said(world: World) -> None:
    teams = ", ".join(f"acme/t{number}" for number in range(60))
    before = len(world.github.calls)
    pull = await brings(world, f"environments:\n  staging:\n    deployers: {{teams: [{teams}]}}\n")
    (check,) = checks(world, pull.head_sha)
    assert "60 teams are named, of which 50 at most are looked up" in (check.summary or "")
    asked = [each for each in world.github.calls[before:] if each.path.startswith("/orgs/")]
    assert len(asked) == 2 * 5
    assert (check.summary or "").count("GitHub does not show it to the bot") == 45


async def test_of_very_many_slack_groups_some_are_looked_up_and_that_is_said(world: World) -> None:
    listed = "".join(f"        - g{number:05}\n" for number in range(2000))
    pull = await brings(
        world, f"environments:\n  staging:\n    deployers:\n      slack_groups:\n{listed}"
    )
    (check,) = checks(world, pull.head_sha)
    assert "2000 Slack groups are named, of which 50 at most are looked up" in (check.summary or "")
    lines = [each["start_line"] for each in check.annotations]
    assert sorted(lines) == list(range(5, 55))


async def test_teams_that_are_there_are_looked_up_in_one_call(world: World) -> None:
    names = [f"acme/t{number}" for number in range(50)]
    for name in names:
        world.github.team(name, "grace")
    before = len(world.github.calls)
    teams = ", ".join(names)
    pull = await brings(world, f"environments:\n  staging:\n    deployers: {{teams: [{teams}]}}\n")
    (check,) = checks(world, pull.head_sha)
    assert check.conclusion == "success"
    asked = [each for each in world.github.calls[before:] if each.path.startswith("/orgs/")]
    assert asked == []


async def test_that_rules_are_emptied_is_said(world: World) -> None:
    pull = await brings(world, "  \n")
    (check,) = checks(world, pull.head_sha)
    assert check.conclusion == "neutral"


async def test_rules_that_repair_what_is_too_large_to_be_read_pass(world: World) -> None:
    world.github.repository(EDGES, {PROJECT_FILE: RULES + "#" * 1_100_000})
    pull = await world.github.open_pull_request(EDGES, "feature", files={PROJECT_FILE: RULES})
    await world.settled()
    # The push itself is told that the default branch's cannot be read.
    _, check = checks(world, pull.head_sha)
    assert check.conclusion == "success"


# --- with a token, which writes no checks


def statuses(world: World, sha: str) -> list[tuple[str, str | None]]:
    found = world.github.world.repo(EDGES).statuses
    return [
        (each.state, each.description)
        for each in found
        if (each.sha, each.context) == (sha, RULES_CHECK)
    ]


async def brings_to_a_token(world: World, text: str) -> PullRequest:
    world.declare("  staging: {}\n")
    world.logs_in_as("robot")
    pull = await world.github.open_pull_request(EDGES, "feature", files={PROJECT_FILE: text})
    await world.settled()
    assert checks(world, pull.head_sha) == []
    return pull


async def test_with_a_token_what_is_wrong_is_a_status_with_its_line(world: World) -> None:
    pull = await brings_to_a_token(world, UNKNOWN_KEY)
    ((state, text),) = statuses(world, pull.head_sha)
    assert state == "failure"
    assert text is not None
    assert text.startswith("1 problem in the rules: line 2: ")
    assert "approvals" in text


async def test_with_a_token_rules_that_are_right_pass_too(world: World) -> None:
    pull = await brings_to_a_token(world, RULES + "  production: {}\n")
    assert statuses(world, pull.head_sha) == [("success", "The rules are valid")]


async def test_with_a_token_the_same_rules_have_no_status(world: World) -> None:
    pull = await brings_to_a_token(world, RULES)
    assert statuses(world, pull.head_sha) == []


async def test_with_a_token_once_they_are_as_before_the_status_passes(world: World) -> None:
    await brings_to_a_token(world, UNKNOWN_KEY)
    sha = await world.github.push(EDGES, {PROJECT_FILE: RULES}, "feature")
    await world.settled()
    assert statuses(world, sha) == [("success", "The rules are valid")]


async def test_a_token_that_may_write_no_status_is_no_delivery_that_failed(world: World) -> None:
    world.github.fail("POST", f"/repos/{EDGES}/statuses/*", error(403), times=2)
    await brings_to_a_token(world, UNKNOWN_KEY)
    told = world.github.webhooks.all[-1]
    state = await world.deliveries.state(told.guid)
    assert state is not None
    assert state[0] is DeliveryState.DONE


async def test_our_own_status_is_no_check_that_an_environment_requires(world: World) -> None:
    world.declare("  staging: {requires: [checks]}\n")
    world.logs_in_as("robot")
    pull = await world.github.open_pull_request(EDGES, "feature", files={PROJECT_FILE: RULES})
    await world.settled()
    assert [state for state, _ in statuses(world, pull.head_sha)] == ["success"]
    await world.comment(pull, "/pachops deploy staging")
    assert await world.decisions() == [("ada", "deploy staging", ["checks_missing"])]
