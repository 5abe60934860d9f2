"""Each Pachyderm cluster of the settings, and what our token may do there."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from itertools import groupby
from typing import TypeAlias

from bot.doctor.finding import Check, fault, good, note, warning
from bot.domain.finding import Finding
from bot.domain.reasons import StoppedError
from bot.services.pachyderm import Pachyderm
from bot.services.together import together
from bot.settings import ClusterSettings, Settings

Pipelines: TypeAlias = Collection[tuple[str, str]]
"""Projects and names."""
_NAMED = 5
_AT_ONCE = 8
"""Questions to one pachd."""


def checks(settings: Settings, pipelines: Mapping[str, Pipelines]) -> Sequence[Check]:
    """One for each cluster; `pipelines` were updated lately, by cluster."""
    if not settings.clusters:
        return [Check("Pachyderm", _none)]
    return [
        _check(name, cluster, pipelines.get(name, ()))
        for name, cluster in settings.clusters.items()
    ]


def _check(name: str, cluster: ClusterSettings, pipelines: Pipelines) -> Check:
    what = f"Pachyderm cluster {name}"

    async def look() -> Sequence[Finding]:
        return await look_at(what, cluster, pipelines)

    return Check(what, look)


async def look_at(
    what: str, cluster: ClusterSettings, pipelines: Pipelines = ()
) -> Sequence[Finding]:
    """Whether it answers, is new enough, takes our token, and lets us update what we did."""
    pachyderm = Pachyderm(
        cluster.address, token=cluster.token, root_certs=cluster.root_certs, timeout=10.0
    )
    try:
        found = [good(what, f"{cluster.address}, version {await pachyderm.version()}")]
        user = await pachyderm.who_am_i()
        rights = [] if user is None else await look_at_rights(what, pachyderm, pipelines)
    except StoppedError as stopped:
        reason = stopped.reason
        return [fault(what, f"{reason.title}: {reason.fact}", reason.next_step)]
    finally:
        await pachyderm.close()
    if user is not None:
        found += [good(what, f"the token is of {user}"), *rights]
    elif cluster.token is not None:
        found.append(note(what, "it has no authentication, so its token is not looked at"))
    else:
        found.append(note(what, "it has no authentication: whoever reaches it may do all"))
    return found


async def look_at_rights(
    what: str, pachyderm: Pachyderm, pipelines: Pipelines
) -> Sequence[Finding]:
    """What the token may do in each project where something was updated lately."""
    if not pipelines:
        return [note(what, "nothing was deployed to it yet, so rights are not looked at")]
    found: list[Finding] = []
    for project, group in groupby(sorted(set(pipelines)), key=lambda each: each[0]):
        names = [name for _, name in group]
        found += await _look_at_project(f"{what}, project {project}", pachyderm, project, names)
    return found


async def _look_at_project(
    what: str, pachyderm: Pachyderm, project: str, names: Sequence[str]
) -> Sequence[Finding]:
    to_make = await pachyderm.missing_to_make(project)
    if to_make is None:
        step = (
            f"Make it (`pachctl create project {project}`), or correct the environment's project."
        )
        return [warning(what, "it is not there any more", step)]
    to_update = await _missing_to_update(pachyderm, project, names)
    step = f"`pachctl auth set project {project} projectOwner robot:NAME`, as whoever owns it."
    found = []
    if to_update:
        some = ", ".join([*list(to_update)[:_NAMED], *(["…"] if len(to_update) > _NAMED else [])])
        lacking = ", ".join(sorted(set().union(*to_update.values())))
        found.append(fault(what, f"we may not update {some}: the token lacks {lacking}", step))
    if to_make:
        fact = f"we may not make new pipelines: the token lacks {', '.join(to_make)}"
        found.append(warning(what, fact, step))
    return found or [good(what, "we may make and update pipelines")]


async def _missing_to_update(
    pachyderm: Pachyderm, project: str, names: Sequence[str]
) -> Mapping[str, Sequence[str]]:
    """By pipeline; those that are not there any more lack nothing."""
    turns = asyncio.Semaphore(_AT_ONCE)

    async def ask(name: str) -> tuple[str, ...]:
        async with turns:
            return await pachyderm.missing_to_update(project, name) or ()

    answers = await together(ask(name) for name in names)
    return {name: lacking for name, lacking in zip(names, answers, strict=True) if lacking}


async def _none() -> Sequence[Finding]:
    step = "Set PACHOPS_PACHD_ADDRESS to grpc://HOST:PORT or grpcs://HOST:PORT."
    return [fault("Pachyderm", "the settings have no cluster", step)]
