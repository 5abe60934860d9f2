"""Whether an updated pipeline works: from what was seen of it to a verdict."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from bot.domain.reasons import Code, Reason, StoppedError


class Evidence(StrEnum):
    """What was seen; said as it is, since these do not prove the same."""

    WORKERS = "its workers are available"
    JOB = "a job of this version processed data"
    STANDBY = "it stands by: workers start with the next job, so the new image has not run yet"
    STOPPED = "it is stopped: nothing runs until it is started"


@dataclass(frozen=True)
class JobSeen:
    """A job of the expected version."""

    id: str
    failed: bool
    succeeded: bool
    data_processed: int
    reason: str = ""


@dataclass(frozen=True)
class Sight:
    """A pipeline as it was seen at one moment."""

    version: int | None
    """None where the pipeline does not exist."""
    in_error: bool = False
    state: str = ""
    reason: str = ""
    stopped: bool = False
    autoscaling: bool = False
    workers_available: int = 0
    jobs: Sequence[JobSeen] = ()


@dataclass(frozen=True)
class Waiting:
    """Nothing is decided yet."""

    why: str


@dataclass(frozen=True)
class Works:
    """Seen to work."""

    evidence: Evidence


@dataclass(frozen=True)
class Fails:
    """Seen not to work."""

    reason: Reason


Verdict = Waiting | Works | Fails


def judge(
    name: str, expected_version: int, sight: Sight, *, quiet: float, window: float
) -> Verdict:
    """Judge a pipeline by what was seen just now.

    An error state has to last for the window before it is believed, and its absence too: a bad
    image shows itself some seconds after the update, and an unschedulable pod may still find
    a node.

    Args:
        name: for the reason.
        expected_version: the version that the update gave.
        sight: what was seen.
        quiet: seconds since it last went into, or came out of, an error state.
        window: seconds.
    """
    moved = _moved(name, expected_version, sight)
    if moved is not None:
        return moved
    for job in sight.jobs:
        if job.failed:
            return Fails(_reason(Code.JOB_FAILED, f"job {job.id}: {job.reason or 'failed'}", name))
    if sight.in_error:
        if quiet < window:
            return Waiting(f"{sight.state}: {sight.reason}")
        return Fails(_reason(Code.PIPELINE_FAILED, f"it is {sight.state}: {sight.reason}", name))
    if quiet < window:
        return Waiting("watching")
    return _evidence(sight)


def _moved(name: str, expected_version: int, sight: Sight) -> Verdict | None:
    if sight.version is None:
        return Fails(_reason(Code.PIPELINE_MOVED, "somebody deleted it", name))
    if sight.version > expected_version:
        fact = f"it is at version {sight.version}, this deployment made {expected_version}"
        return Fails(_reason(Code.PIPELINE_MOVED, fact, name))
    if sight.version < expected_version:
        return Waiting(f"still at version {sight.version}")
    return None


def _evidence(sight: Sight) -> Verdict:
    if any(job.succeeded and job.data_processed > 0 for job in sight.jobs):
        return Works(Evidence.JOB)
    if sight.stopped:
        return Works(Evidence.STOPPED)
    if sight.workers_available > 0:
        return Works(Evidence.WORKERS)
    if sight.autoscaling and sight.state == "standby":
        return Works(Evidence.STANDBY)
    return Waiting("no worker is available yet")


def _reason(code: Code, fact: str, name: str) -> Reason:
    return StoppedError(code, fact, where=f"pipeline {name}").reason
