from dataclasses import replace

from bot.domain.deployment import Kind, Outcome
from bot.domain.dora import Ended, Figures, figures

GOOD = Ended(
    "a",
    "vision#staging",
    "staging",
    Kind.DEPLOY,
    Outcome.SUCCEEDED,
    finished_at=1000.0,
    updated_at=900.0,
    committed_at=400.0,
)


def of(*ended: Ended) -> Figures:
    return figures(ended, days=10)["staging"]


def test_a_good_change_counts_and_has_a_lead_time() -> None:
    assert of(GOOD, replace(GOOD, deployment="b", finished_at=1200.0)) == Figures(
        0.2, 700.0, 0.0, None
    )


def test_what_changed_nothing_is_no_change() -> None:
    assert of(replace(GOOD, updated_at=None)) == Figures(0.0, None, None, None)


def test_what_failed_before_its_update_broke_nothing() -> None:
    failed = replace(GOOD, deployment="b", outcome=Outcome.FAILED, updated_at=None)
    assert of(GOOD, failed).failure_ratio == 0.0


def test_what_was_put_back_is_a_failed_change_restored_by_its_end() -> None:
    back = replace(GOOD, deployment="b", outcome=Outcome.ROLLED_BACK)
    found = of(GOOD, back)
    assert found.failure_ratio == 0.5
    assert found.time_to_restore == 100.0


def test_a_failure_is_restored_by_the_next_good_one_of_its_target() -> None:
    failed = replace(GOOD, deployment="b", outcome=Outcome.FAILED)
    elsewhere = replace(GOOD, deployment="c", target="other#staging", finished_at=1100.0)
    mended = replace(GOOD, deployment="d", finished_at=1500.0)
    assert of(failed, elsewhere, mended).time_to_restore == 600.0
    assert of(failed, elsewhere).time_to_restore is None


def test_what_was_undone_later_failed_and_was_restored_by_the_rollback() -> None:
    undone = replace(
        GOOD, deployment="r", kind=Kind.ROLLBACK, finished_at=1300.0, undone=(GOOD.deployment,)
    )
    found = of(GOOD, undone)
    assert found.failure_ratio == 1.0
    assert found.time_to_restore == 300.0
    assert found.deployments_per_day == 0.1


def test_a_change_that_a_person_stopped_is_neither() -> None:
    assert of(GOOD, replace(GOOD, deployment="b", outcome=Outcome.CANCELLED)).failure_ratio == 0.0


def test_each_environment_has_its_own() -> None:
    production = replace(GOOD, environment="production", outcome=Outcome.FAILED)
    found = figures([GOOD, production], days=1)
    assert found["staging"].failure_ratio == 0.0
    assert found["production"].failure_ratio == 1.0
