"""What an environment may say of who deploys what, and the rules that come of it."""

import pytest

from bot.domain.calendar import Calendar, parse_period
from bot.domain.gate_rules import Approvals, EnvironmentRules, Follow, Rules
from bot.domain.github import Permission
from bot.domain.people import People
from bot.domain.reasons import Code, Reason, StoppedError
from bot.project import Project, json_schema, parse_project


def rules(text: str) -> EnvironmentRules:
    project = parse_project(f"environments:\n  staging:\n    {text}\n".encode())
    return project.rules().environments["staging"]


def reason(text: str) -> Reason:
    with pytest.raises(StoppedError) as stopped:
        rules(text)
    assert stopped.value.reason.code is Code.PROJECT_INVALID
    return stopped.value.reason


def test_a_repository_that_says_nothing_has_the_default_rules() -> None:
    assert Project().rules() == Rules({"default": EnvironmentRules()})
    assert parse_project(b"environments: {staging: }").rules() == Rules(
        {"staging": EnvironmentRules()}
    )


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("published", EnvironmentRules(release=True)),
        ("released", EnvironmentRules(release=True, prereleases=False)),
        ("never", EnvironmentRules()),
    ],
)
def test_which_releases_are_followed(said: str, expected: EnvironmentRules) -> None:
    text = f"environments: {{e: {{on: {{release: {said}}}}}}}"
    assert parse_project(text.encode()).rules().environments["e"] == expected


def test_everything_that_can_be_said_becomes_a_rule() -> None:
    project = parse_project(b"""
environments:
  production:
    on: {push: [main, "release/*"], pull_request: always, release: published}
    branches: [main, "hotfix/**"]
    deployers: {users: [Ann, "renovate[bot]"], teams: [Acme/ML-platform], permission: maintain}
    requires: [{checks: [test, lint]}, review, fresh]
    forks: true
    drafts: true
    approvals: {count: 2, who: {teams: [acme/leads], permission: admin}, deadline: 2h}
    hours: Mon - Fri 09:00 - 17:00 Europe/Berlin
    not: [Fri 16:00 - Mon 08:00 Europe/Berlin, 2026-12-20 - 2027-01-05 Europe/Berlin]
    force: {slack_groups: [ML-oncall]}
""")
    assert project.rules().environments["production"] == EnvironmentRules(
        push=("main", "release/*"),
        pull_request=Follow.ALWAYS,
        release=True,
        branches=("main", "hotfix/**"),
        users=frozenset({"ann", "renovate[bot]"}),
        teams=frozenset({"acme/ml-platform"}),
        permission=Permission.MAINTAIN,
        checks=("test", "lint"),
        review=True,
        fresh=True,
        forks=True,
        drafts=True,
        approvals=Approvals(
            2, (People(teams=frozenset({"acme/leads"}), permission=Permission.ADMIN),), 7200.0
        ),
        calendar=Calendar(
            ((parse_period("Mon - Fri 09:00 - 17:00 Europe/Berlin"),),),
            (
                parse_period("Fri 16:00 - Mon 08:00 Europe/Berlin"),
                parse_period("2026-12-20 - 2027-01-05 Europe/Berlin"),
            ),
        ),
        force=(People(groups=frozenset({"ml-oncall"})),),
    )


def test_a_number_of_approvals_is_enough() -> None:
    assert rules("approvals: 1").approvals == Approvals(1)
    assert rules("approvals: {who: {users: [Ann]}}").approvals == Approvals(
        1, (People(users=frozenset({"ann"})),)
    )


def test_deployers_may_be_a_slack_user_group() -> None:
    assert rules("deployers: {slack_groups: [ML-oncall]}").groups == frozenset({"ml-oncall"})


def test_a_list_of_people_may_let_terminals_in() -> None:
    found = rules(
        "{deployers: {users: [ann], terminal: true}, force: {teams: [a/b], terminal: true},"
        " approvals: {who: {slack_groups: [oncall], terminal: true}}}"
    )
    assert found.terminal
    lists = (*found.deployers, *found.force, *found.approvals.who)
    assert [each.terminal for each in lists] == [True, True, True]
    assert not rules("deployers: {users: [ann]}").terminal


@pytest.mark.parametrize("text", ["on:", "requires: []"])
def test_a_key_with_nothing_after_it_says_nothing(text: str) -> None:
    assert rules(text) == EnvironmentRules()


@pytest.mark.parametrize("key", ["branches", "deployers", "hours", "not", "force", "approvals"])
def test_a_rule_whose_lines_were_taken_away_opens_nothing(key: str) -> None:
    with pytest.raises(StoppedError) as stopped:
        rules(f"{key}:\n      # - main")
    assert stopped.value.reason.code is Code.PROJECT_INVALID
    assert key in (stopped.value.reason.where or "")


def test_required_checks_without_names_are_all_checks() -> None:
    assert rules("requires: [checks]").checks == ()


def test_no_branches_are_none_and_not_the_default() -> None:
    assert rules("branches: []").branches == ()


@pytest.mark.parametrize(
    ("text", "fact"),
    [
        ("on: {push: main}", "must be a list"),
        ("on: {pull: always}", "'pull' is not known; known are: pull_request, push, release"),
        ("on: {pull_request: sometimes}", "must be one of 'command', 'always' or 'never'"),
        ("on: {release: true}", "must be one of 'published', 'released' or 'never'"),
        ("on: [push]", "must be a mapping"),
        ("on: {push: [refs/heads/main]}", "must be a branch's name, without refs/heads/"),
        ("on: {push: ['']}", "must be a branch, or a pattern such as release/*"),
        ("branches: main", "must be a list"),
        ("branches: ['a b']", "must be a branch, or a pattern such as release/*"),
        ("branches: [1.0]", "must be text; put it in quotes"),
        ("deployers: {user: [ann]}", "'user' is not known; 'users' is"),
        ("deployers: {users: ['@ann']}", "must be a GitHub login, without @"),
        ("deployers: {users: []}", "must not be empty"),
        ("deployers: {teams: [ml]}", "such as acme/ml-platform"),
        ("deployers: {teams: []}", "must not be empty"),
        ("deployers: {users: [ann], terminal: false}", "must be true, or left out"),
        ("deployers: {users: [ann], terminal: }", "must be true, or left out"),
        ("force: {terminal: true}", "names no users, teams or slack_groups"),
        ("approvals: {who: {terminal: true, permission: admin}}", "names no users, teams"),
        ("deployers: {permission: read}", "must be one of 'write', 'maintain' or 'admin'"),
        ("requires: checks", "must be a list"),
        ("requires: [tests]", "must be checks, review, fresh or {checks: [NAME, ...]}"),
        ("requires: [{check: [a]}]", "'check' is not known; 'checks' is"),
        ("requires: [{checks: []}]", "must not be empty"),
        ("requires: [{checks: a}]", "must be a list"),
        ("requires: [review, review]", "has review twice"),
        ("requires: [{checks: [a]}, checks]", "has checks twice"),
        ("approvals: one", "must be a number, or a mapping with count, who and deadline"),
        ("approvals: true", "must be a number, or a mapping with count, who and deadline"),
        ("approvals:", "must be a number, or a mapping with count, who and deadline"),
        ("approvals: -1", "must be at least 0"),
        ("approvals: 21", "must be at most 20"),
        ("approvals: {number: 1}", "'number' is not known; known are: count, deadline, who"),
        ("approvals: {count: '1'}", "must be a whole number"),
        ("approvals: {who: }", "must name users, teams, slack_groups or a permission"),
        ("approvals: {deadline: 2}", "must be a duration with its unit"),
        ("deployers: {slack_groups: ['@oncall']}", "handle without @"),
        ("not: Fri 16:00 - Mon 08:00", "does not end with a time zone"),
        ("not: [Sat - Sun UTC, Sat - Sun Mars/Olympus]", "'Mars/Olympus' is not a time zone"),
        ("not: Fri 25:00 - Mon 08:00 UTC", "'25:00' is not a time of day"),
        ("not: []", "must not be empty"),
        ("not: 2026-12-24", "must be text; put it in quotes"),
        ("hours: whenever UTC", "'whenever' is not a period, such as"),
        ("hour: Sat UTC", "'hour' is not known; 'hours' is"),
        ("nots: Sat UTC", "'nots' is not known; 'not' is"),
        ("freezes: Sat UTC", "'freezes' is not known"),
        ("force: {}", "must name users, teams, slack_groups or a permission"),
        ("force:", "must name users, teams, slack_groups or a permission"),
        ("force: true", "must be a mapping"),
        ("forks: maybe", "must be true or false"),
        ("drafts:", "must be true or false"),
    ],
)
def test_a_mistake_is_said_with_what_to_write(text: str, fact: str) -> None:
    assert fact in reason(text).fact


def test_a_mistake_names_its_line_and_place() -> None:
    found = reason("requires:\n      - review\n      - tests")
    assert found.where == ".pachops.yml:5: environments.staging.requires.1"


def test_a_freeze_that_is_none_names_its_line() -> None:
    found = reason("not:\n      - Sat - Sun UTC\n      - Sat - Sun Europe/Berln")
    assert found.where == ".pachops.yml:5: environments.staging.not.1"
    assert found.fact == "'Europe/Berln' is not a time zone; 'Europe/Berlin' is one"


def test_the_schema_has_the_rules() -> None:
    schema = json_schema()["$defs"]
    keys = {"on", "branches", "deployers", "requires", "forks", "drafts"}
    keys |= {"approvals", "hours", "not", "force"}
    assert keys <= set(schema["Environment"]["properties"])
    named, checks = schema["Environment"]["properties"]["requires"]["items"]["anyOf"]
    assert named["enum"] == ["checks", "review", "fresh"]
    assert checks == {"$ref": "#/$defs/RequiredChecks"}
    assert schema["On"]["properties"]["release"]["enum"] == ["published", "released", "never"]


def test_notify_names_the_channels() -> None:
    text = b"environments: {e: {notify: ['#ml-releases', C0123456789]}}"
    rules = parse_project(text).rules()
    assert rules.environments["e"].notify == ("#ml-releases", "C0123456789")
