"""What stands against a deployment when its turn has come."""

from dataclasses import replace

import pytest

from bot.domain.calendar import ALWAYS, Calendar, parse_period
from bot.domain.deployment import Actor, Commit, Deployment, Kind, Request, State, Trigger
from bot.domain.gate_facts import Standing
from bot.domain.hold import Hold
from bot.domain.lock import Lock
from bot.domain.reasons import Code
from bot.domain.standing import may_go_on, stands_against

ANN, BOB = (Actor(name, "github") for name in ("ann", "bob"))
PUSH = Request(Kind.DEPLOY, "r", "production", Commit("a" * 40, "main"), Trigger.PUSH, ANN)
LOCK = Lock("1", "r", "production", BOB, "", 0.0, expires_at=100.0)
FROZEN = Calendar(freezes=(parse_period("Mon - Sun UTC"),))


def codes(
    request: Request, standing: Standing, *, created_at: float = 10.0, now: float = 50.0
) -> list[Code]:
    deployment = Deployment("06gbbbb", request, State.RUNNING, created_at=created_at)
    return [each.code for each in stands_against(deployment.request, standing, ALWAYS, now)]


@pytest.mark.parametrize("created_at", [10.0, 30.0])
def test_what_comes_by_itself_is_held_behind_a_rollback_whenever_it_was_made(
    created_at: float,
) -> None:
    # Both may be made at the same moment, and come into the line the other way round.
    held = Standing(hold=Hold("06gaaaa", BOB, 20.0))
    assert codes(PUSH, held, created_at=created_at) == [Code.HELD]


def test_a_rollback_behind_it_lets_it_end_and_undoes_it() -> None:
    asked = Hold("06gaaaa", BOB, 20.0, has_ended=False)
    assert codes(PUSH, Standing(hold=asked)) == []


def test_a_command_is_not_held() -> None:
    held = Standing(hold=Hold("06gaaaa", BOB, 5.0))
    assert codes(replace(PUSH, trigger=Trigger.COMMENT), held) == []


@pytest.mark.parametrize(("now", "expected"), [(99.9, [Code.LOCKED]), (100.0, [])])
def test_anothers_lock_stands_against_it_until_its_end(now: float, expected: list[Code]) -> None:
    assert codes(PUSH, Standing((LOCK,)), now=now) == expected
    assert codes(replace(PUSH, actor=BOB), Standing((LOCK,)), now=now) == []


def test_those_go_on_against_whom_nothing_stands_that_force_does_not_skip() -> None:
    by_bob, forced, typed = (
        Deployment(name, request)
        for name, request in (
            ("b", replace(PUSH, actor=BOB)),
            ("f", replace(PUSH, force="fire")),
            ("t", replace(PUSH, trigger=Trigger.COMMENT)),
        )
    )
    by_ann = Deployment("a", PUSH)
    all_of_them = (by_ann, by_bob, forced, typed)
    assert may_go_on(all_of_them, Standing((LOCK,)), 50.0) == (by_bob, forced)
    held = Standing(hold=Hold("06gaaaa", BOB, 5.0))
    assert may_go_on(all_of_them, held, 50.0) == (forced, typed)


def test_a_freeze_is_not_for_rollbacks() -> None:
    for kind, expected in ((Kind.DEPLOY, [Code.ENVIRONMENT_FROZEN]), (Kind.ROLLBACK, [])):
        deployment = Deployment("06gbbbb", replace(PUSH, kind=kind))
        against = stands_against(deployment.request, Standing(), FROZEN, 50.0)
        assert [each.code for each in against] == expected
