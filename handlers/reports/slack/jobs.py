"""What there is to say in Slack, and what of it is said first."""

from dataclasses import dataclass
from enum import IntEnum

from handlers.reports.slack.follower import Follower, Spot
from handlers.reports.slack.marks import Part


class Rank(IntEnum):
    """What is said first."""

    IN_VIEW = 0
    """The newest deployment of a channel: at the bottom, where people look."""
    ENDED = 1
    BEGUN = 2
    """A first message, and what is said in a thread."""
    RUNNING = 3


@dataclass(frozen=True, eq=False)
class Job:
    """Something to say now."""

    follower: Follower
    spot: Spot
    part: Part
    rank: Rank

    @property
    def lane(self) -> str:
        """What has its limit in common."""
        if self.part is Part.LOG:
            return f"log {self.follower.identity} {self.spot.channel}"
        is_edit = self.part is Part.MESSAGE and self.spot.speaker.marks.is_there
        return "edit" if is_edit else f"post {self.spot.speaker.channel}"

    @property
    def since(self) -> float:
        """Since when it waits."""
        return self.spot.since or 0.0


def claim(job: Job) -> tuple[bool, float]:
    """For the place that goes to whoever has waited longest."""
    return job.rank is Rank.RUNNING, job.since


def rank(follower: Follower, spot: Spot, part: Part, *, in_view: bool) -> Rank:
    """How soon it is said."""
    if in_view:
        return Rank.IN_VIEW
    if part is not Part.MESSAGE or not spot.speaker.marks.is_there:
        is_end = part is Part.MESSAGE and follower.has_ended
        return Rank.ENDED if is_end else Rank.BEGUN
    return Rank.ENDED if follower.has_ended else Rank.RUNNING
