"""A command that the gate allows, to be changed by each test in one place."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from bot.domain.command import Deploy
from bot.domain.deployment import Trigger
from bot.domain.gate import Allowed, Refused, decide
from bot.domain.gate_facts import Content, Facts, Sender, Standing
from bot.domain.gate_rules import EnvironmentRules, Rules
from bot.domain.github import Check, CheckState, Permission, PullRequest, Repository, ReviewState
from bot.domain.reasons import Code, Reason

HEAD = "a" * 40
OLDER = "b" * 40
BASE = "c" * 40
REPOSITORY = Repository("acme", "edges", "main", "https://github.com/acme/edges.git")
PULL = PullRequest(
    number=12,
    title="Sharper edges",
    author="bob",
    head_sha=HEAD,
    head_ref="sharper",
    head_repository="acme/edges",
    base_ref="main",
    base_sha=BASE,
    draft=False,
    open=True,
    merged=False,
    review=ReviewState.APPROVED,
    checks=(Check("test", CheckState.SUCCESS), Check("lint", CheckState.SUCCESS)),
    required_checks=frozenset({"test"}),
    behind_by=0,
    head_moved_at="2026-11-22T10:00:00Z",
)
FORK = replace(PULL, head_repository="eve/edges")
NOW = datetime(2026, 11, 22, 10, 6, tzinfo=UTC)
"""A Sunday."""
ANN = Sender("ann", is_bot=False, permission=Permission.WRITE)
FACTS = Facts(
    trigger=Trigger.COMMENT,
    repository=REPOSITORY,
    command=Deploy("staging"),
    sender=ANN,
    content=Content(HEAD),
    pull_request=PULL,
    asked_at="2026-11-22T10:05:00Z",
    standing=Standing(),
    now=NOW,
)


def rules(**changes: Any) -> Rules:
    return Rules({"staging": EnvironmentRules(**changes)})


def comment(text: Deploy = FACTS.command, **changes: Any) -> Facts:
    """Ann's comment on the pull request; `pull` and `content` change their parts."""
    pull = replace(PULL, **changes.pop("pull", {}))
    content = replace(FACTS.content, **changes.pop("content", {}))
    sender = replace(ANN, **changes.pop("sender", {}))
    base = replace(FACTS, command=text, pull_request=pull, content=content, sender=sender)
    return replace(base, **changes)


def refusals(given: Rules, facts: Facts) -> tuple[Reason, ...]:
    decision = decide(given, facts)
    assert isinstance(decision, Refused)
    return decision.reasons


def refusal(given: Rules, facts: Facts, code: Code) -> Reason:
    """The only reason there is."""
    (reason,) = refusals(given, facts)
    assert reason.code is code
    return reason


def allowed(given: Rules, facts: Facts) -> Allowed:
    decision = decide(given, facts)
    assert isinstance(decision, Allowed), decision
    return decision
