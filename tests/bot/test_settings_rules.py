"""The operator's own rules: read from the settings file, they only take away."""

from dataclasses import replace
from pathlib import Path

import pytest

from bot.domain.calendar import Calendar, parse_period
from bot.domain.gate_rules import Approvals, EnvironmentRules, Follow, Rules
from bot.domain.github import Permission
from bot.domain.people import People
from bot.domain.reasons import Code, Reason, StoppedError
from bot.settings import Settings, load_settings

URL = "https://github.com/acme/edges.git"
WIDE = EnvironmentRules(
    push=("main", "dev"),
    pull_request=Follow.ALWAYS,
    release=True,
    forks=True,
    drafts=True,
    force=(People(),),
)
RULES = Rules({"staging": WIDE, "production": WIDE})


def load(tmp_path: Path, text: str) -> Settings:
    file = tmp_path / "settings.yaml"
    file.write_text(f"rules:\n{text}")
    return load_settings({"HOME": str(tmp_path), "PACHOPS_SETTINGS_FILE": str(file)})


def narrow(tmp_path: Path, text: str, repository: str = URL) -> EnvironmentRules:
    return load(tmp_path, text).narrow(RULES, repository).environments["production"]


def refusal(tmp_path: Path, text: str) -> Reason:
    with pytest.raises(StoppedError) as stopped:
        load(tmp_path, text)
    assert stopped.value.reason.code is Code.BAD_SETTINGS
    return stopped.value.reason


def test_without_any_the_repositorys_own_rules_hold(tmp_path: Path) -> None:
    settings = load_settings({"HOME": str(tmp_path)})
    assert settings.narrow(RULES, URL) == RULES


def test_an_entry_that_says_nothing_changes_nothing(tmp_path: Path) -> None:
    assert narrow(tmp_path, "- repositories: [acme/*]\n") == WIDE


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("as declared", WIDE),
        ("released", replace(WIDE, prereleases=False)),
        ("never", replace(WIDE, release=False)),
    ],
)
def test_releases_are_narrowed_to_those_that_are_none_before_or_to_none(
    tmp_path: Path, said: str, expected: EnvironmentRules
) -> None:
    assert narrow(tmp_path, f"- on: {{release: {said}}}\n") == expected


@pytest.mark.parametrize("key", ["branches", "deployers", "hours", "not", "forks", "drafts", "on"])
def test_a_rule_whose_lines_were_taken_away_is_refused(tmp_path: Path, key: str) -> None:
    assert key in (refusal(tmp_path, f"- {key}:\n").where or "")


def test_everything_that_can_be_said_narrows(tmp_path: Path) -> None:
    assert narrow(
        tmp_path,
        """
- environments: [prod*]
  on: {push: never, pull_request: command, release: never}
  branches: [main]
  deployers: {teams: [acme/platform], permission: maintain}
  requires: [{checks: [test]}, review, fresh]
  forks: false
  drafts: false
  approvals: {count: 2, who: {users: [Ann]}, deadline: 1h}
  hours: Mon - Fri 09:00 - 17:00 UTC
  not: Fri 16:00 - Mon 08:00 UTC
  force: never
""",
    ) == EnvironmentRules(
        push=(),
        pull_request=Follow.COMMAND,
        within=(("main",),),
        also=(People(teams=frozenset({"acme/platform"}), permission=Permission.MAINTAIN),),
        checks=("test",),
        review=True,
        fresh=True,
        approvals=Approvals(2, (People(users=frozenset({"ann"})),), 3600.0),
        calendar=Calendar(
            ((parse_period("Mon - Fri 09:00 - 17:00 UTC"),),),
            (parse_period("Fri 16:00 - Mon 08:00 UTC"),),
        ),
    )


def test_an_entry_is_for_those_that_it_names(tmp_path: Path) -> None:
    text = "- {repositories: [acme/e*], environments: [production], drafts: false}\n"
    narrowed = load(tmp_path, text).narrow(RULES, URL)
    assert narrowed.environments["staging"] == WIDE
    assert not narrowed.environments["production"].drafts
    assert load(tmp_path, text).narrow(RULES, "https://github.com/other/edges") == RULES


@pytest.mark.parametrize("address", ["/srv/edges", "file:///srv/edges"])
def test_a_folder_may_be_a_copy_of_any(tmp_path: Path, address: str) -> None:
    assert not narrow(tmp_path, "- {repositories: [acme/*], drafts: false}\n", address).drafts
    assert narrow(tmp_path, "- {environments: [staging], drafts: false}\n", address).drafts


def test_all_that_fit_count(tmp_path: Path) -> None:
    found = narrow(tmp_path, "- {approvals: 1}\n- {approvals: 3}\n- {approvals: 2}\n")
    assert found.approvals.needed == 3


@pytest.mark.parametrize(
    ("text", "fact"),
    [
        ("- {forks: true}\n", "must be one of False"),
        ("- {approval: 1}\n", "'approval' is not known; 'approvals' is"),
        ("- {not: Sat Mars/Olympus}\n", "'Mars/Olympus' is not a time zone"),
        ("- {repositories: []}\n", "must not be empty"),
        ("- {force: }\n", "must name users, teams, slack_groups or a permission"),
        ("- {on: {push: always}}\n", "must be one of 'as declared' or 'never'"),
    ],
)
def test_a_mistake_is_said_with_its_line(tmp_path: Path, text: str, fact: str) -> None:
    reason = refusal(tmp_path, f"- drafts: false\n{text}")
    assert fact in reason.fact
    assert "settings.yaml:3" in (reason.where or "")


@pytest.mark.parametrize(
    "pattern",
    [
        "'*'",
        "edges",
        "acme/",
        "/acme/edges",
        "acme/edges.git",
        "https://github.com/acme/edges",
        "git@github.com:acme/edges",
        "' acme/edges'",
    ],
)
def test_a_pattern_that_no_repository_fits_is_refused(tmp_path: Path, pattern: str) -> None:
    # It would narrow nothing, and look as if it did.
    reason = refusal(tmp_path, f"- repositories: [{pattern}]\n")
    assert "must be OWNER/NAME" in reason.fact
    assert (reason.where or "").endswith("settings.yaml:2: rules.0.repositories.0")


@pytest.mark.parametrize("pattern", ["production/", "'env: production'", "' production'"])
def test_a_pattern_that_no_environment_fits_is_refused(tmp_path: Path, pattern: str) -> None:
    assert "an environment's name" in refusal(tmp_path, f"- environments: [{pattern}]\n").fact


@pytest.mark.parametrize(
    "pattern", ["acme/edges", "ACME/*", "'*/edges'", "'**'", "github.com/acme/*", "github.com/**"]
)
def test_patterns_that_a_repository_fits_are_taken(tmp_path: Path, pattern: str) -> None:
    assert not narrow(tmp_path, f"- repositories: [{pattern}]\n  drafts: false\n").drafts
