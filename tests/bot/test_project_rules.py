"""What an environment may say of who deploys what, and the rules that come of it."""

import pytest

from bot.domain.gate_rules import EnvironmentRules, Follow, Rules
from bot.domain.github import Permission
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
    )


@pytest.mark.parametrize("text", ["on:", "deployers:", "requires: []"])
def test_a_key_with_nothing_after_it_says_nothing(text: str) -> None:
    assert rules(text) == EnvironmentRules()


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
        ("on: {release: true}", "must be one of 'published' or 'never'"),
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
        ("deployers: {permission: read}", "must be one of 'write', 'maintain' or 'admin'"),
        ("requires: checks", "must be a list"),
        ("requires: [tests]", "must be checks, review, fresh or {checks: [NAME, ...]}"),
        ("requires: [{check: [a]}]", "'check' is not known; 'checks' is"),
        ("requires: [{checks: []}]", "must not be empty"),
        ("requires: [{checks: a}]", "must be a list"),
        ("requires: [review, review]", "has review twice"),
        ("requires: [{checks: [a]}, checks]", "has checks twice"),
        ("forks: maybe", "must be true or false"),
        ("drafts:", "must be true or false"),
    ],
)
def test_a_mistake_is_said_with_what_to_write(text: str, fact: str) -> None:
    assert fact in reason(text).fact


def test_a_mistake_names_its_line_and_place() -> None:
    found = reason("requires:\n      - review\n      - tests")
    assert found.where == ".pachops.yml:5: environments.staging.requires.1"


def test_the_schema_has_the_rules() -> None:
    schema = json_schema()["$defs"]
    keys = {"on", "branches", "deployers", "requires", "forks", "drafts"}
    assert keys <= set(schema["Environment"]["properties"])
    named, checks = schema["Environment"]["properties"]["requires"]["items"]["anyOf"]
    assert named["enum"] == ["checks", "review", "fresh"]
    assert checks == {"$ref": "#/$defs/RequiredChecks"}
    assert schema["On"]["properties"]["release"]["enum"] == ["published", "never"]


def test_notify_names_the_channels() -> None:
    text = b"environments: {e: {notify: ['#ml-releases', C0123456789]}}"
    rules = parse_project(text).rules()
    assert rules.environments["e"].notify == ("#ml-releases", "C0123456789")
