"""Many deployments that report at once, against a Slack that enforces its documented limits."""

import statistics
import time
from dataclasses import dataclass, field
from pathlib import Path

from bot.domain.deployment import Actor, Commit, Deployment, Kind, Outcome, Request, Stage, Trigger
from bot.domain.progress import Ended, Log, Progress, StageFinished, StageStarted
from bot.store.deployments import insert
from handlers.reports.slack.origin import ORIGIN, Asked, Origin
from handlers.reports.slack.reporter import Pace
from tests.handlers.reports.slack.world import BROKEN, SHA, World, opened
from tests.standins.slack.state import Channel, Message

STAGES = (Stage.SOURCE, Stage.PLAN, Stage.BUILD, Stage.TEST, Stage.PUSH, Stage.UPDATE, Stage.VERIFY)
STAGE_SECONDS = 8.0
APART = 0.013
"""Seconds between one and the next."""
FAILS = 10
"""Every so many fail in their build."""
LONGEST = 3600.0
"""Seconds, by the driven clock, after which it is given up."""


@dataclass
class Crowd:
    """What was seen."""

    broken: list[str] = field(default_factory=list)
    """Calls over a limit."""
    missing: list[str] = field(default_factory=list)
    """Deployments whose message does not show their end, or whose end was not told."""
    lags: list[float] = field(default_factory=list)
    """Seconds from each event to the message, for the newest deployment of each channel."""
    last: float = 0.0
    """Seconds from the last deployment's end until every end was shown."""
    calls: int = 0

    @property
    def median_lag(self) -> float:
        """For a deployment in view."""
        return statistics.median(self.lags)


async def crowd(folder: Path, deployments: int, channels: int, *, counts_work: bool) -> Crowd:
    """All are asked for at once; `counts_work` lets the bot's own work take its time too."""
    async with opened(folder) as world:
        world.slack.enforce_limits()
        places = [world.slack.channel(f"c{number}", world.ann) for number in range(channels)]
        start = world.time.now()
        scripts = {}
        for number in range(deployments):
            await _asked(world, f"d{number}", places[number % channels])
            scripts[f"d{number}"] = _script(start, number)
        while not (world.reports.is_idle and not any(scripts.values())):
            began = time.perf_counter()
            await _happens(world, scripts)
            await world.reports.look()
            spent = time.perf_counter() - began if counts_work else 0.0
            world.time.passes(max(Pace().look, spent))
            if world.time.now() - start > LONGEST:
                break
        return _seen(world, places, start, deployments)


async def _asked(world: World, identity: str, channel: Channel) -> None:
    request = Request(
        Kind.DEPLOY,
        "https://github.com/acme/vision.git",
        identity,
        Commit(SHA, "main"),
        Trigger.SLACK,
        Actor("ann", "slack"),
    )
    deployment = Deployment(identity, request)
    await world.database.write(lambda connection: insert(connection, deployment))
    origin = Origin(Asked(channel.id, world.ann.id, channel.name))
    await world.deployments.save(identity, ORIGIN, origin.to_json())


def _script(start: float, number: int) -> list[tuple[float, Progress | None]]:
    """What happens when; None is the end."""
    events: list[tuple[float, Progress | None]] = []
    failing = number % FAILS == 0
    # Not in step with the reports, which would always come at the right moment.
    at = start + number * APART
    for stage in STAGES:
        events.append((at, StageStarted(stage)))
        at += STAGE_SECONDS
        if failing and stage is Stage.BUILD:
            events.append((at, Log(stage, "edges", "no such package")))
            events.append((at, StageFinished(stage, Ended.FAILED, STAGE_SECONDS)))
            break
        events.append((at, StageFinished(stage, Ended.SUCCEEDED, STAGE_SECONDS)))
    return [*events, (at, None)]


async def _happens(world: World, scripts: dict[str, list[tuple[float, Progress | None]]]) -> None:
    now = world.time.now()
    for identity, script in scripts.items():
        events = []
        while script and script[0][0] <= now and script[0][1] is not None:
            at, event = script.pop(0)
            assert event is not None
            events.append((at, event))
        if events:
            await world.progress.append(identity, events)
        if script and script[0][0] <= now:
            script.pop(0)
            failed = any(isinstance(each, Log) for _, each in events)
            outcome = Outcome.FAILED if failed else Outcome.SUCCEEDED
            await world.deployments.finish(identity, outcome, BROKEN if failed else None)


def _seen(world: World, places: list[Channel], start: float, deployments: int) -> Crowd:
    seen = Crowd(broken=world.slack.world.limits.broken, calls=len(world.slack.calls))
    messages: dict[str, Message] = {}
    told: set[str] = set()
    for place in places:
        for message in world.slack.own_messages(place):
            if message.files:
                continue
            # `... to ENVIRONMENT ...`, and each has an environment of its own.
            name = message.text.rpartition(" to ")[2].split()[0]
            if message.thread is None:
                assert name not in messages
                messages[name] = message
            else:
                told.add(name)
    ended = start + len(STAGES) * STAGE_SECONDS + deployments * APART
    for number in range(deployments):
        name = f"d{number}"
        sign = "❌" if number % FAILS == 0 else "✅ *Deployed*"
        if name not in messages or sign not in messages[name].shown or name not in told:
            seen.missing.append(name)
        else:
            seen.last = max(seen.last, messages[name].changed_at[-1] - ended)
    for number in range(deployments - len(places), deployments):
        changes = messages[f"d{number}"].changed_at
        for at in sorted({at for at, _ in _script(start, number)}):
            seen.lags.append(next(change for change in changes if change >= at) - at)
    return seen
