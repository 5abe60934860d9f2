"""Approvals: other people look at what a deployment is about to do, and say yes or no.

A request is bound to the deployment, its commit and a digest of its plan: a yes to one plan is
none to another.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum

from bot.domain.deployment import Actor, BuiltImage
from bot.domain.plan import PipelineStep
from bot.domain.reasons import Code, StoppedError
from bot.domain.spec_difference import difference


class Verdict(StrEnum):
    """What a person says."""

    APPROVE = "approve"
    REJECT = "reject"


class ApprovalState(StrEnum):
    """How a request stands."""

    OPEN = "open"
    APPROVED = "approved"
    REJECTED = "rejected"
    EXPIRED = "expired"
    """Nobody approved it in time."""


@dataclass(frozen=True)
class PipelineChange:
    """What will be done to a pipeline, as those who approve see it."""

    project: str
    name: str
    from_version: int | None
    """None where it does not exist."""
    differences: tuple[str, ...]
    """Of its spec, one line each; secrets are not shown."""
    spec_digest: str
    """Of the whole spec that it gets."""
    reprocess: bool
    """Whether data that was processed is computed again."""
    running_jobs: int | None = None
    """How many jobs the update stops and starts again; None where that is not known."""


@dataclass(frozen=True)
class Proposal:
    """What is approved."""

    sha: str
    images: tuple[str, ...]
    """Each with its digest: `registry/team/edges@sha256:...`."""
    pipelines: tuple[PipelineChange, ...]

    @property
    def digest(self) -> str:
        """Equal for equal proposals; running jobs come and go and are no part of it."""
        value = asdict(self)
        for each in value["pipelines"]:
            del each["running_jobs"]
        return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()

    @property
    def reprocesses(self) -> bool:
        """Whether any data is computed again."""
        return any(each.reprocess for each in self.pipelines)

    @property
    def running_jobs(self) -> int | None:
        """How many jobs are started again; None where that is not known of all."""
        found = [each.running_jobs for each in self.pipelines]
        return None if None in found else sum(each or 0 for each in found)

    def lines(self) -> tuple[str, ...]:
        """A line for each image and pipeline, for people."""
        return (*self.images, *(_line(each) for each in self.pipelines))


@dataclass(frozen=True)
class Vote:
    """What one person said."""

    by: Actor
    verdict: Verdict
    at: float
    """Seconds since the epoch."""


class Cast(StrEnum):
    """What became of a vote."""

    COUNTED = "counted"
    ALREADY = "already"
    """They have voted before; the first vote stands."""
    ASKED = "asked"
    """It is their own deployment."""
    OUTDATED = "outdated"
    """What they saw is not what is asked for."""
    CLOSED = "closed"
    """It is decided, its time is over, or the deployment has ended."""
    UNKNOWN = "unknown"
    """Nobody asked for approval of it."""


@dataclass(frozen=True)
class ApprovalRequest:
    """That a deployment waits for others."""

    deployment: str
    proposal: Proposal
    asked_by: Actor
    """Whose deployment it is; never one of those who approve."""
    needed: int
    asked_at: float
    """Seconds since the epoch, as is the next."""
    deadline: float


def state_of(request: ApprovalRequest, votes: Sequence[Vote], now: float) -> ApprovalState:
    """How it stands; one no is enough. Votes after the deadline and of who asked do not count."""
    counted = [each for each in votes if _counts(request, each)]
    if any(each.verdict is Verdict.REJECT for each in counted):
        return ApprovalState.REJECTED
    if len(approvers(request, counted)) >= request.needed:
        return ApprovalState.APPROVED
    return ApprovalState.EXPIRED if now >= request.deadline else ApprovalState.OPEN


def approvers(request: ApprovalRequest, votes: Sequence[Vote]) -> tuple[Actor, ...]:
    """Who approved, each once; of two accounts that may be one person's the first counts."""
    found: list[Actor] = []
    for each in votes:
        said_yes = each.verdict is Verdict.APPROVE and _counts(request, each)
        if said_yes and not any(each.by.may_be(other) for other in found):
            found.append(each.by)
    return tuple(found)


def _counts(request: ApprovalRequest, vote: Vote) -> bool:
    return vote.at < request.deadline and not vote.by.may_be(request.asked_by)


def refused_vote(cast: Cast, deployment: str, vote: Vote) -> StoppedError:
    """Why a vote did not count."""
    name = vote.by.name
    code, fact = {
        Cast.ASKED: (Code.APPROVER_ASKED, f"{name} asked for deployment {deployment}"),
        Cast.OUTDATED: (Code.APPROVAL_OUTDATED, f"{deployment} would do something else now"),
        Cast.CLOSED: (Code.APPROVAL_NOT_OPEN, f"deployment {deployment} is decided"),
    }.get(cast, (Code.APPROVAL_NOT_OPEN, f"nobody was asked to approve deployment {deployment}"))
    return StoppedError(code, fact)


def proposal(
    sha: str,
    images: Sequence[BuiltImage],
    steps: Sequence[PipelineStep],
    running_jobs: Sequence[int | None] = (),
) -> Proposal:
    """What an update would do, for those who approve.

    Args:
        sha: the commit.
        images: those that it deploys.
        steps: what is done to each pipeline.
        running_jobs: of each step's pipeline; empty where nobody asked.
    """
    jobs = running_jobs or (None,) * len(steps)
    return Proposal(
        sha,
        tuple(sorted(f"{each.repository}@{each.digest}" for each in images)),
        tuple(_change(step, running) for step, running in zip(steps, jobs, strict=True)),
    )


def _change(step: PipelineStep, running: int | None) -> PipelineChange:
    before = json.loads(step.before) if step.before is not None else None
    return PipelineChange(
        step.project,
        step.name,
        step.version,
        difference(before, json.loads(step.after)) if before is not None else (),
        hashlib.sha256(step.after.encode()).hexdigest(),
        step.reprocess,
        0 if step.version is None else running,
    )


def _line(change: PipelineChange) -> str:
    name = f"{change.project}/{change.name}"
    if change.from_version is None:
        return f"{name}: create"
    parts = list(change.differences)
    if change.reprocess:
        parts.append("compute everything again")
    if change.running_jobs:
        jobs = "1 job" if change.running_jobs == 1 else f"{change.running_jobs} jobs"
        parts.append(f"{jobs} start again")
    what = "; ".join(parts) or "the same spec again"
    return f"{name}: update version {change.from_version}: {what}"
