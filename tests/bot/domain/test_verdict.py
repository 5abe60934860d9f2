import pytest

from bot.domain.reasons import Code
from bot.domain.verdict import Evidence, Fails, JobSeen, Sight, Waiting, Works, judge

RUNNING = Sight(version=2, state="running", workers_available=1)


def verdict(sight: Sight, *, quiet: float = 30.0, window: float = 15.0) -> object:
    return judge("team/edges", 2, sight, quiet=quiet, window=window)


def failure(sight: Sight, *, quiet: float = 30.0) -> Code:
    result = verdict(sight, quiet=quiet)
    assert isinstance(result, Fails)
    return result.reason.code


def test_available_workers_after_a_quiet_window_are_evidence() -> None:
    assert verdict(RUNNING) == Works(Evidence.WORKERS)


def test_available_workers_are_not_believed_inside_the_window() -> None:
    assert isinstance(verdict(RUNNING, quiet=3), Waiting)


def test_a_job_that_processed_data_is_better_evidence_than_workers() -> None:
    job = JobSeen("j1", failed=False, succeeded=True, data_processed=3)
    assert verdict(Sight(version=2, state="running", jobs=(job,))) == Works(Evidence.JOB)


def test_a_job_that_skipped_everything_proves_nothing() -> None:
    job = JobSeen("j1", failed=False, succeeded=True, data_processed=0)
    assert isinstance(verdict(Sight(version=2, state="running", jobs=(job,))), Waiting)


def test_a_failed_job_fails_the_pipeline_at_once() -> None:
    job = JobSeen("j1", failed=True, succeeded=False, data_processed=0, reason="exit 1")
    assert failure(Sight(version=2, state="running", jobs=(job,)), quiet=0) is Code.JOB_FAILED


def test_an_error_state_is_given_the_window_to_pass() -> None:
    crashing = Sight(version=2, in_error=True, state="crashing", reason="ErrImagePull")
    assert isinstance(verdict(crashing, quiet=3), Waiting)


def test_an_error_state_that_lasts_is_a_failure() -> None:
    crashing = Sight(version=2, in_error=True, state="crashing", reason="ErrImagePull")
    assert failure(crashing) is Code.PIPELINE_FAILED


def test_workers_do_not_help_a_pipeline_in_an_error_state() -> None:
    crashing = Sight(version=2, in_error=True, state="crashing", workers_available=1)
    assert failure(crashing) is Code.PIPELINE_FAILED


def test_a_pipeline_that_scales_from_nothing_is_said_not_to_have_run() -> None:
    assert verdict(Sight(version=2, state="standby", autoscaling=True)) == Works(Evidence.STANDBY)


def test_a_stopped_pipeline_is_said_to_be_stopped() -> None:
    assert verdict(Sight(version=2, state="paused", stopped=True)) == Works(Evidence.STOPPED)


@pytest.mark.parametrize("version", [None, 3])
def test_a_pipeline_that_somebody_else_changed_fails(version: int | None) -> None:
    assert failure(Sight(version=version), quiet=0) is Code.PIPELINE_MOVED


def test_an_older_version_is_waited_for() -> None:
    assert isinstance(verdict(Sight(version=1, state="running", workers_available=1)), Waiting)
