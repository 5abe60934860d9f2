"""A slip in the word of commands is answered where we are meant, and nobody else's command is."""

import itertools

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from bot.domain.command import FORMS
from bot.domain.command_slip import read_slip

WORD = "/pachops"


@pytest.mark.parametrize(
    ("line", "meant"),
    [
        ("/pachop deploy staging", "deploy staging"),
        ("/pachopss deploy staging", "deploy staging"),
        ("/pachpos status", "status"),
        ("/Packops deploy production v1.2.0", "deploy production v1.2.0"),
        ("/pach-ops plan", "plan"),
        ("/pachop depoly staging", "deploy staging"),
        ("/pachop ship staging", "deploy staging"),
        ("/pachop deploy staging --onyl edges", "deploy staging --onyl edges"),
        ("@pachops deploy staging", "deploy staging"),
        ("!pachops rollback production", "rollback production"),
        ("pachops deploy staging", "deploy staging"),
        ("/pachops-deploy staging", "deploy staging"),
        ("/pachops:deploy staging", "deploy staging"),
        ("/pachops/status", "status"),
        ("/pachopsdeploy staging", "deploy staging"),
        ("/pachop deploy `staging`", "deploy"),
        ("/pachops: deploy staging", "deploy staging"),
    ],
)
def test_what_was_meant_is_suggested(line: str, meant: str) -> None:
    slip = read_slip(line, WORD)
    assert slip is not None
    assert slip.suggestion == meant
    assert f"`{WORD} {meant}`" in slip.reason(WORD).next_step


@pytest.mark.parametrize(
    "line",
    [
        "",
        "/pachops deploy staging",
        "/PACHOPS deploy staging",
        "/pachop",
        "/pachop is down",
        "pachops depoly staging",
        "pachops deploys this in a minute, I think",
        "Pachops works fine",
        "/deploy staging",
        "/deploy",
        ".deploy staging",
        ".plan",
        "/test all",
        "/lgtm",
        "/approve",
        "/retest",
        "/rebase",
        "/pachyderm deploy staging",
        "/pachops2 deploy staging",
        "/pachops-qa deploy staging",
        "/pachops-qa",
        "/pachops_staging status",
        "bors r+",
        "@dependabot rebase",
        "@ada deploy this, please",
        "/" + "pachop" * 1000 + " deploy",
    ],
)
def test_what_may_be_meant_for_others_gets_silence(line: str) -> None:
    assert read_slip(line, WORD) is None


@pytest.mark.parametrize("line", ["/bat deploy", "/bots deploy", "/rob status", "/both deploy"])
def test_a_short_word_is_only_itself(line: str) -> None:
    assert read_slip(line, "/bot") is None


def test_a_word_that_is_a_command_of_others_too_is_kept_apart() -> None:
    assert read_slip(".deploy staging", "/deploy") is None
    assert read_slip("/redeploy staging", "/deploy") is None


OF_ONE_FAMILY = [
    ("/pachops", "/pachops-qa"),
    ("/pachops", "/pachops-eu"),
    ("/pachops", "/qa-pachops"),
    ("/pachops", "/qa.pachops"),
    ("/pachops", "@pachops-qa"),
    ("/pachops-us", "/pachops-eu"),
    ("/pachops-qa", "/pachops-eu-qa"),
    ("/pachops-qa", "/pachops_qa_eu"),
    ("/us-pachops-qa", "/eu-pachops-qa"),
]


@pytest.mark.parametrize("command", ["deploy staging", "status", "depoly staging", ""])
@pytest.mark.parametrize(("one", "other"), OF_ONE_FAMILY)
def test_two_bots_of_one_repository_do_not_disturb_each_other(
    one: str, other: str, command: str
) -> None:
    assert read_slip(f"{one} {command}", other) is None
    assert read_slip(f"{other} {command}", one) is None


PARTS = st.text("abcdefghijklmnopqrstuvwxyz0123456789", min_size=1, max_size=8)


@given(PARTS, PARTS, st.sampled_from("-_:/."))
def test_a_part_of_its_own_makes_another_bot(one: str, other: str, joint: str) -> None:
    assume({one, other}.isdisjoint(form.name for form in FORMS))
    assume(one != other)
    words = [f"{WORD}{joint}{one}", f"{WORD}{joint}{other}", f"/{one}{joint}pachops", WORD]
    for ours, typed in itertools.permutations(words, 2):
        assert read_slip(f"{typed} deploy staging", ours) is None


@pytest.mark.parametrize("line", ["/pachops_qa plan", "/pachopsqa plan", "/pach-ops-qa plan"])
def test_a_wrong_joint_is_a_slip(line: str) -> None:
    slip = read_slip(line, "/pachops-qa")
    assert slip is not None
    assert slip.suggestion == "plan"


@given(st.text(max_size=60), st.sampled_from([WORD, "@bot", "deployer"]))
def test_no_line_is_too_odd(line: str, word: str) -> None:
    slip = read_slip(line, word)
    assert slip is None or slip.suggestion
