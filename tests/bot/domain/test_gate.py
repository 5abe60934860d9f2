"""What the gate says to one thing at a time; the whole of it is in test_gate_specification."""

from dataclasses import replace
from typing import Any

import pytest

from bot.domain.command import Deploy
from bot.domain.deployment import Trigger
from bot.domain.gate import Allowed, decide, may_act, may_plan
from bot.domain.gate_facts import Content, Facts, Standing, Unknown
from bot.domain.gate_rules import EnvironmentRules, Follow, Rules
from bot.domain.github import Check, CheckState, Permission, ReviewState
from bot.domain.reasons import Code
from bot.domain.trust import Trust
from tests.bot.domain.gate_example import (
    FACTS,
    FORK,
    HEAD,
    OLDER,
    PULL,
    REPOSITORY,
    allowed,
    comment,
    refusal,
    refusals,
    rules,
)

BROKEN = Unknown("GET /repos/acme/edges/collaborators/ann/permission", "502 Bad Gateway")
PUSH = Facts(
    trigger=Trigger.PUSH,
    repository=REPOSITORY,
    command=Deploy("staging"),
    sender=replace(FACTS.sender, permission=BROKEN),
    content=Content(HEAD, branch="main"),
    standing=Standing(),
)
RELEASE = replace(PUSH, trigger=Trigger.RELEASE, content=Content(HEAD, in_branches=True))


def test_a_writer_deploys_the_head_of_an_open_pull_request() -> None:
    assert decide(rules(), FACTS) == Allowed("staging", HEAD, Trust.TRUSTED)


def test_all_reasons_are_given_in_the_order_of_the_rules() -> None:
    facts = comment(
        sender={"permission": Permission.READ},
        pull={"draft": True, "review": ReviewState.NONE, "behind_by": 2},
    )
    found = refusals(rules(review=True, fresh=True), facts)
    assert [each.code for each in found] == [
        Code.PERMISSION_MISSING,
        Code.PULL_REQUEST_DRAFT,
        Code.REVIEW_MISSING,
        Code.BEHIND_BASE,
    ]


# --- the environment


def test_the_only_environment_needs_no_name() -> None:
    assert allowed(rules(), comment(Deploy())).environment == "staging"


TWO = Rules({"staging": EnvironmentRules(), "production": EnvironmentRules()})


def test_several_environments_need_a_name() -> None:
    reason = refusal(TWO, comment(Deploy(ref="main")), Code.ENVIRONMENT_UNKNOWN)
    assert reason.next_step == "Say which, such as `/pachops deploy staging main`."


@pytest.mark.parametrize(
    ("asked", "step"),
    [
        (Deploy("prodution"), "Did you mean `/pachops deploy production`?"),
        (Deploy("sharper", "staging"), "Did you mean `/pachops deploy staging sharper`?"),
        (Deploy("elsewhere"), "Name one of them."),
    ],
)
def test_an_unknown_environment_is_answered_with_what_was_meant(asked: Deploy, step: str) -> None:
    reason = refusal(TWO, comment(asked), Code.ENVIRONMENT_UNKNOWN)
    assert reason.fact == (
        f"there is no environment {asked.environment}; there are: staging, production"
    )
    assert reason.next_step == step


def test_a_branch_where_the_only_environment_was_meant() -> None:
    reason = refusal(rules(), comment(Deploy("main")), Code.ENVIRONMENT_UNKNOWN)
    assert reason.next_step == "Did you mean `/pachops deploy staging main`?"


# --- who, and from where


def test_a_comment_on_an_issue_deploys_nothing() -> None:
    facts = comment(Deploy("staging", "main"), content={"branch": "main"}, pull_request=None)
    refusal(rules(), facts, Code.NOT_ON_PULL_REQUEST)


def test_a_bot_gives_no_commands() -> None:
    facts = comment(sender={"login": "renovate[bot]", "is_bot": True})
    assert refusal(rules(), facts, Code.BOT_SENDER).fact == "renovate[bot] is a bot"


def test_a_bot_may_merge() -> None:
    sender = replace(PUSH.sender, login="github-merge-queue[bot]", is_bot=True)
    assert allowed(rules(push=("main",)), replace(PUSH, sender=sender)).sha == HEAD


def test_permission_is_named_with_what_is_needed() -> None:
    facts = comment(sender={"permission": Permission.WRITE})
    reason = refusal(rules(permission=Permission.MAINTAIN), facts, Code.PERMISSION_MISSING)
    assert reason.fact == "ann has write permission in acme/edges; staging needs maintain"


def test_a_push_shows_write_permission_and_no_more() -> None:
    refusal(rules(push=("main",), permission=Permission.MAINTAIN), PUSH, Code.PERMISSION_UNKNOWN)


def test_rules_cannot_let_readers_deploy() -> None:
    facts = comment(sender={"permission": Permission.TRIAGE})
    refusal(rules(permission=Permission.READ), facts, Code.PERMISSION_MISSING)


def test_a_look_up_that_failed_is_named() -> None:
    reason = refusal(rules(), comment(sender={"permission": BROKEN}), Code.PERMISSION_UNKNOWN)
    assert reason.fact == (
        "the permission of ann is not known: "
        "GET /repos/acme/edges/collaborators/ann/permission: 502 Bad Gateway"
    )


def test_named_users_and_members_of_named_teams_are_deployers() -> None:
    given = rules(users=frozenset({"ann"}), teams=frozenset({"acme/ml"}))
    allowed(given, comment(sender={"login": "Ann"}))
    allowed(given, comment(sender={"login": "carl", "teams": {"acme/ml": True}}))


def test_somebody_else_is_told_who_the_deployers_are() -> None:
    given = rules(users=frozenset({"bob"}), teams=frozenset({"acme/ml"}))
    facts = comment(sender={"teams": {"acme/ml": False}})
    reason = refusal(given, facts, Code.NOT_A_DEPLOYER)
    assert reason.fact == "ann is not a deployer of staging; they are: bob, acme/ml"


def test_a_team_that_was_not_asked_is_no_member() -> None:
    refusal(rules(teams=frozenset({"acme/ml"})), comment(), Code.TEAM_UNKNOWN)


def test_a_deployer_needs_write_permission_too() -> None:
    facts = comment(sender={"permission": Permission.READ})
    refusal(rules(users=frozenset({"ann"})), facts, Code.PERMISSION_MISSING)


def test_deployers_hold_for_pushes_too() -> None:
    given = rules(push=("main",), users=frozenset({"bob"}))
    refusal(given, PUSH, Code.NOT_A_DEPLOYER)


# --- what the environment follows


def test_a_push_to_a_followed_branch_is_deployed() -> None:
    assert allowed(rules(push=("main", "release/*")), PUSH).sha == HEAD


def test_a_push_to_another_branch_is_not() -> None:
    facts = replace(PUSH, content=Content(HEAD, branch="wild/idea"))
    reason = refusal(rules(push=("main",)), facts, Code.NOT_FOLLOWED)
    assert reason.fact == "staging does not follow pushes to wild/idea"


def test_a_release_is_deployed_where_it_is_followed() -> None:
    assert allowed(rules(release=True), RELEASE).sha == HEAD
    refusal(rules(), RELEASE, Code.NOT_FOLLOWED)


def test_a_release_of_a_commit_outside_the_branches_is_refused() -> None:
    # The branch that a release names is not looked up by GitHub.
    facts = replace(RELEASE, content=Content(HEAD, branch="main", in_branches=False))
    reason = refusal(rules(release=True), facts, Code.COMMIT_ELSEWHERE)
    assert reason.fact == f"{HEAD} is not in a branch that staging takes (main)"


def test_pull_requests_are_deployed_by_themselves_only_where_always_is_said() -> None:
    facts = replace(FACTS, trigger=Trigger.PULL_REQUEST, asked_at=None)
    allowed(rules(pull_request=Follow.ALWAYS), facts)
    reason = refusal(rules(), facts, Code.NOT_FOLLOWED)
    assert reason.next_step == "Ask for it: `/pachops deploy staging`."


@pytest.mark.parametrize("trigger", [Trigger.COMMENT, Trigger.CHECK])
def test_never_means_no_commands_from_pull_requests(trigger: Trigger) -> None:
    facts = comment(Deploy("staging", HEAD), trigger=trigger)
    refusal(rules(pull_request=Follow.NEVER), facts, Code.NOT_FOLLOWED)


def test_the_followers_of_an_event_are_listed_in_their_order() -> None:
    given = Rules(
        {
            "preview": EnvironmentRules(pull_request=Follow.ALWAYS),
            "staging": EnvironmentRules(push=("main",)),
            "production": EnvironmentRules(release=True, push=("main", "release/**")),
        }
    )
    assert given.following(Trigger.PUSH, "main") == ("staging", "production")
    assert given.following(Trigger.PUSH, "release/1/x") == ("production",)
    assert given.following(Trigger.RELEASE) == ("production",)
    assert given.following(Trigger.PULL_REQUEST) == ("preview",)


# --- the pull request


def test_a_merged_pull_request_is_answered_with_its_branch() -> None:
    facts = comment(pull={"open": False, "merged": True})
    reason = refusal(rules(), facts, Code.PULL_REQUEST_MERGED)
    assert reason.next_step == "Deploy that branch: `/pachops deploy staging main`."


def test_what_was_let_through_goes_on_when_its_pull_request_is_merged() -> None:
    facts = comment(pull={"open": False, "merged": True}, was_allowed=True)
    allowed(rules(), facts)


def test_where_freshness_is_required_it_does_not_for_the_merge_is_more_than_it_has() -> None:
    pull = {"open": False, "merged": True, "behind_by": 1}
    reason = refusal(rules(fresh=True), comment(pull=pull, was_allowed=True), Code.BEHIND_BASE)
    assert reason.next_step == "Deploy that branch: `/pachops deploy staging main`."


def test_a_closed_pull_request_is_refused() -> None:
    refusal(rules(), comment(pull={"open": False}), Code.PULL_REQUEST_CLOSED)


def test_a_branch_can_be_asked_for_on_a_merged_pull_request() -> None:
    facts = comment(
        Deploy("staging", "main"),
        pull={"open": False, "merged": True},
        content={"sha": OLDER, "branch": "main"},
    )
    assert allowed(rules(), facts).sha == OLDER


def test_a_draft_is_deployed_where_drafts_are_taken() -> None:
    facts = comment(pull={"draft": True})
    allowed(rules(drafts=True), facts)
    refusal(rules(), facts, Code.PULL_REQUEST_DRAFT)


# --- forks


def test_forks_are_refused_where_nothing_is_said() -> None:
    facts = comment(Deploy("staging", HEAD), pull_request=FORK)
    reason = refusal(rules(), facts, Code.FORK_NOT_ALLOWED)
    assert reason.fact == "#12 comes from eve/edges; staging takes no forks"


def test_no_fork_is_taken_where_the_operator_takes_none() -> None:
    facts = replace(comment(Deploy("staging", HEAD), pull_request=FORK), takes_forks=False)
    reason = refusal(rules(forks=True), facts, Code.FORK_NOT_ALLOWED)
    assert "allow_forks" in reason.fact


def test_a_fork_is_planned_without_its_sha_where_forks_are_taken() -> None:
    facts = comment(Deploy("staging"), pull_request=FORK)
    assert may_plan(rules(forks=True), facts) == ()
    (reason,) = may_plan(rules(forks=True), replace(facts, takes_forks=False))
    assert reason.code is Code.FORK_NOT_ALLOWED
    (reason,) = may_plan(rules(), facts)
    assert reason.code is Code.FORK_NOT_ALLOWED


def test_a_fork_is_built_untrusted_by_its_whole_sha() -> None:
    facts = comment(Deploy("staging", HEAD), pull_request=FORK)
    assert allowed(rules(forks=True), facts).build is Trust.UNTRUSTED


@pytest.mark.parametrize("ref", [None, HEAD[:12]])
def test_a_fork_without_its_whole_sha_gets_the_command_to_type(ref: str | None) -> None:
    facts = comment(Deploy("staging", ref), pull_request=FORK)
    reason = refusal(rules(forks=True), facts, Code.FORK_NEEDS_SHA)
    assert reason.next_step == f"Look at the commit, then type `/pachops deploy staging {HEAD}`."


def test_a_button_does_not_deploy_a_fork() -> None:
    facts = comment(Deploy("staging", HEAD), pull_request=FORK, trigger=Trigger.CHECK)
    refusal(rules(forks=True), facts, Code.FORK_NEEDS_SHA)


def test_not_even_the_command_line_vouches_for_a_fork() -> None:
    sender = {"permission": Permission.READ}
    facts = comment(Deploy("staging", HEAD), pull_request=FORK, sender=sender)
    facts = replace(facts, trigger=Trigger.CLI)
    refusal(rules(forks=True), facts, Code.PERMISSION_MISSING)


def test_a_fork_that_is_gone_is_a_fork() -> None:
    facts = comment(pull={"head_repository": None})
    reason = refusal(rules(), facts, Code.FORK_NOT_ALLOWED)
    assert "a fork that is gone" in reason.fact


def test_a_forks_branch_is_not_taken_for_the_repositorys() -> None:
    """A fork's `main` has the name of an allowed branch; without a ref it is still the fork's."""
    facts = comment(pull_request=replace(FORK, head_ref="main"), content={"branch": "main"})
    refusal(rules(), facts, Code.FORK_NOT_ALLOWED)


def test_on_a_fork_a_name_means_the_repositorys_own_branch() -> None:
    facts = comment(
        Deploy("staging", "main"),
        pull_request=replace(FORK, head_ref="main"),
        content={"sha": OLDER, "branch": "main"},
    )
    assert allowed(rules(), facts) == Allowed("staging", OLDER, Trust.TRUSTED)


# --- the commit


def test_a_ref_that_is_not_there_is_refused() -> None:
    facts = comment(Deploy("staging", "gone"), content={"sha": None, "in_branches": True})
    assert refusal(rules(), facts, Code.REF_UNKNOWN).fact == "there is no gone"


def test_a_name_that_looks_like_a_sha_is_not_taken_for_one() -> None:
    facts = comment(Deploy("staging", "20260101"), content={"in_branches": True})
    reason = refusal(rules(), facts, Code.REF_UNKNOWN)
    assert reason.next_step == f"Write the whole SHA: `/pachops deploy staging {HEAD}`."


def test_an_older_commit_of_the_pull_request_is_deployed() -> None:
    facts = comment(Deploy("staging", OLDER), content={"sha": OLDER, "in_pull_request": True})
    assert allowed(rules(), facts).sha == OLDER


def test_a_commit_of_neither_pull_request_nor_branch_is_an_impostor() -> None:
    facts = comment(
        Deploy("staging", OLDER),
        content={"sha": OLDER, "in_pull_request": False, "in_branches": False},
    )
    reason = refusal(rules(), facts, Code.COMMIT_ELSEWHERE)
    assert reason.fact == f"{OLDER} is neither in #12 nor in a branch that staging takes (main)"


def test_a_commit_whose_place_is_not_known_is_refused() -> None:
    content = {"sha": OLDER, "in_pull_request": False, "in_branches": BROKEN}
    reason = refusal(rules(), comment(Deploy("staging", OLDER), content=content), Code.FACT_UNKNOWN)
    assert reason.fact.startswith(f"whether {OLDER} belongs here is not known: {BROKEN.call}")


def test_a_branch_that_is_not_allowed_is_answered_with_those_that_are() -> None:
    facts = comment(Deploy("staging", "wild"), content={"sha": OLDER, "branch": "wild"})
    reason = refusal(rules(branches=("main", "release/*")), facts, Code.BRANCH_NOT_ALLOWED)
    assert reason.fact == "staging does not take wild; it takes: main, release/*"


def test_a_followed_branch_may_be_asked_for() -> None:
    facts = comment(Deploy("staging", "next"), content={"sha": OLDER, "branch": "next"})
    allowed(rules(push=("next",)), facts)


def test_the_command_line_takes_any_branch_where_none_are_named() -> None:
    facts = comment(Deploy("staging", "wild"), content={"branch": "wild"}, pull_request=None)
    facts = replace(facts, trigger=Trigger.CLI, sender=replace(FACTS.sender, permission=BROKEN))
    allowed(rules(), facts)
    refusal(rules(branches=("main",)), facts, Code.BRANCH_NOT_ALLOWED)


# --- a head that moved


@pytest.mark.parametrize(
    "moved_at",
    ["2026-11-22T10:05:00Z", "2026-11-22T10:05:00.900+00:00", "2026-11-22T11:05:00+01:00"],
)
def test_a_head_that_moved_in_the_second_of_the_comment_is_refused(moved_at: str) -> None:
    reason = refusal(rules(), comment(pull={"head_moved_at": moved_at}), Code.HEAD_MOVED)
    assert HEAD in reason.fact
    assert reason.next_step == (
        f"Look at the new commits, then type `/pachops deploy staging {HEAD}`."
    )


def test_a_head_that_moved_the_second_before_is_the_one_that_was_seen() -> None:
    allowed(rules(), comment(pull={"head_moved_at": "2026-11-22T10:04:59.999Z"}))


@pytest.mark.parametrize(
    ("moved_at", "asked_at"),
    [
        (None, FACTS.asked_at),
        ("yesterday", FACTS.asked_at),
        ("2026-11-22T09:00:00", FACTS.asked_at),
        ("2026-11-22T09:00:00Z", None),
    ],
)
def test_without_both_times_the_sha_must_be_typed(
    moved_at: str | None, asked_at: str | None
) -> None:
    facts = comment(pull={"head_moved_at": moved_at}, asked_at=asked_at)
    reason = refusal(rules(), facts, Code.FACT_UNKNOWN)
    assert f"`/pachops deploy staging {HEAD}`" in reason.next_step


def test_the_whole_sha_needs_no_time() -> None:
    facts = comment(Deploy("staging", HEAD.upper()), pull={"head_moved_at": None})
    assert allowed(rules(), facts).sha == HEAD


def test_the_first_digits_of_a_sha_do_not_show_what_was_seen() -> None:
    facts = comment(Deploy("staging", HEAD[:7]), pull={"head_moved_at": "2026-11-22T10:06:00Z"})
    refusal(rules(), facts, Code.HEAD_MOVED)


def test_the_branch_of_the_pull_request_is_its_head() -> None:
    facts = comment(
        Deploy("staging", "sharper"),
        content={"branch": "sharper"},
        pull={"head_moved_at": "2026-11-22T10:06:00Z"},
    )
    refusal(rules(), facts, Code.HEAD_MOVED)


@pytest.mark.parametrize("trigger", [Trigger.COMMENT, Trigger.PULL_REQUEST])
def test_asked_again_before_the_update_a_new_head_is_seen(trigger: Trigger) -> None:
    facts = comment(content={"sha": OLDER}, trigger=trigger)
    reason = refusal(rules(pull_request=Follow.ALWAYS), facts, Code.HEAD_MOVED)
    assert reason.fact == f"the head was {OLDER} and is now {HEAD}"


def test_what_was_asked_beside_the_ref_is_in_the_command_to_type() -> None:
    facts = comment(Deploy(only=("edges",), reprocess=True), pull={"head_moved_at": FACTS.asked_at})
    reason = refusal(rules(), facts, Code.HEAD_MOVED)
    assert f"`/pachops deploy staging {HEAD} --only edges --reprocess`" in reason.next_step


# --- checks, reviews, freshness


@pytest.mark.parametrize(
    ("state", "code", "fact"),
    [
        (CheckState.FAILURE, Code.CHECKS_FAILED, f"failed on {HEAD}: lint"),
        (CheckState.PENDING, Code.CHECKS_PENDING, f"not finished on {HEAD}: lint"),
        (CheckState.MISSING, Code.CHECKS_MISSING, f"not reported on {HEAD}: lint"),
    ],
)
def test_checks_count_where_they_are_required(state: CheckState, code: Code, fact: str) -> None:
    facts = comment(pull={"checks": (Check("test", CheckState.SUCCESS), Check("lint", state))})
    allowed(rules(), facts)
    allowed(rules(checks=("test",)), facts)
    assert refusal(rules(checks=()), facts, code).fact == fact
    assert refusal(rules(checks=("lint",)), facts, code).fact == fact


def test_a_required_check_that_never_reported_is_missing() -> None:
    reason = refusal(rules(checks=("integration",)), FACTS, Code.CHECKS_MISSING)
    assert reason.fact == f"not reported on {HEAD}: integration"


def test_no_checks_at_all_are_not_success() -> None:
    reason = refusal(rules(checks=()), comment(pull={"checks": ()}), Code.CHECKS_MISSING)
    assert reason.fact == f"no check has reported on {HEAD}"


def test_the_heads_checks_say_nothing_of_an_older_commit() -> None:
    asked = Deploy("staging", OLDER)
    older = {"sha": OLDER, "in_pull_request": True}
    refusal(rules(checks=()), comment(asked, content=older), Code.FACT_UNKNOWN)
    green = older | {"checks": (Check("test", CheckState.SUCCESS),)}
    allowed(rules(checks=()), comment(asked, content=green))
    more = {"required_checks": frozenset({"test", "e2e"})}
    reason = refusal(
        rules(checks=()), comment(asked, content=green, pull=more), Code.CHECKS_MISSING
    )
    assert reason.fact.endswith(": e2e")


def test_many_failed_checks_are_not_all_listed() -> None:
    checks = tuple(Check(f"test {number}", CheckState.FAILURE) for number in range(9))
    reason = refusal(rules(checks=()), comment(pull={"checks": checks}), Code.CHECKS_FAILED)
    assert reason.fact.endswith(": test 0, test 1, test 2, test 3, test 4 and 4 more")


@pytest.mark.parametrize(
    ("state", "fact"),
    [
        (ReviewState.NONE, "#12 has no approving review of its newest commit"),
        (ReviewState.REQUIRED, "#12 lacks approving reviews that main asks for"),
        (ReviewState.CHANGES_REQUESTED, "#12 has a review that asks for changes"),
    ],
)
def test_a_required_review_must_approve(state: ReviewState, fact: str) -> None:
    facts = comment(pull={"review": state})
    allowed(rules(), facts)
    assert refusal(rules(review=True), facts, Code.REVIEW_MISSING).fact == fact


@pytest.mark.parametrize(("behind_by", "commits"), [(1, "1 commit"), (3, "3 commits")])
def test_a_pull_request_behind_its_base_is_not_fresh(behind_by: int, commits: str) -> None:
    facts = comment(pull={"behind_by": behind_by})
    allowed(rules(), facts)
    reason = refusal(rules(fresh=True), facts, Code.BEHIND_BASE)
    assert reason.fact == f"#12 is {commits} behind main"


def test_freshness_that_is_not_known_is_refused() -> None:
    refusal(rules(fresh=True), comment(pull={"behind_by": None}), Code.FACT_UNKNOWN)


@pytest.mark.parametrize(
    ("required", "fact"), [({"checks": ()}, "checks"), ({"review": True}, "review")]
)
def test_what_nobody_asked_github_counts_only_where_it_is_required(
    required: dict[str, Any], fact: str
) -> None:
    facts = comment(pull={fact: None})
    allowed(rules(), facts)
    refusal(rules(**required), facts, Code.FACT_UNKNOWN)


@pytest.mark.parametrize("required", ["review", "fresh"])
def test_only_the_head_is_reviewed_and_fresh(required: str) -> None:
    facts = comment(Deploy("staging", OLDER), content={"sha": OLDER, "in_pull_request": True})
    reason = refusal(rules(**{required: True}), facts, Code.NOT_THE_HEAD)
    assert reason.next_step == f"Type `/pachops deploy staging {HEAD}`."


@pytest.mark.parametrize(
    "required",
    [{"checks": ()}, {"checks": ("test",), "every_check": True}, {"review": True}, {"fresh": True}],
)
def test_no_author_chooses_a_base_branch_by_which_to_be_judged(required: dict[str, Any]) -> None:
    facts = comment(pull={"base_ref": "mine"})
    allowed(rules(), facts)
    reason = refusal(rules(**required), facts, Code.BASE_NOT_ALLOWED)
    assert reason.fact == "#12 is to be merged into mine; staging takes: main"
    assert reason.next_step == (
        "Change its base to main and ask for it then, or add mine to environments: staging: branches in .pachops.yml "
        "on the default branch."
    )
    allowed(rules(**required, branches=("mine",)), facts)
    # Who changes the default branch changes the rules.
    allowed(rules(**required, branches=("release/*",)), FACTS)


def test_an_older_commit_has_no_other_base_branch() -> None:
    content = {"sha": OLDER, "in_pull_request": True, "checks": PULL.checks}
    facts = comment(Deploy("staging", OLDER), content=content, pull={"base_ref": "mine"})
    refusal(rules(checks=()), facts, Code.BASE_NOT_ALLOWED)


def test_checks_that_are_named_are_the_same_whatever_the_base_branch() -> None:
    allowed(rules(checks=("test",)), comment(pull={"base_ref": "mine"}))


def test_what_is_in_an_allowed_branch_needs_no_review_here() -> None:
    facts = comment(Deploy("staging", OLDER), content={"sha": OLDER, "in_branches": True})
    allowed(rules(review=True, fresh=True), facts)


# --- commands without a commit


def test_a_deployer_may_act_whatever_the_pull_request_is_like() -> None:
    assert may_act(rules(), comment(pull={"draft": True, "open": False})) == ()


def test_a_reader_may_not_act() -> None:
    (reason,) = may_act(rules(), comment(sender={"permission": Permission.READ}))
    assert reason.code is Code.PERMISSION_MISSING
