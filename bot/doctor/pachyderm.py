"""Each Pachyderm cluster of the settings."""

from collections.abc import Sequence

from bot.doctor.finding import Check, fault, good, note
from bot.domain.finding import Finding
from bot.domain.reasons import StoppedError
from bot.services.pachyderm import Pachyderm
from bot.settings import ClusterSettings, Settings


def checks(settings: Settings) -> Sequence[Check]:
    """One for each cluster."""
    if not settings.clusters:
        return [Check("Pachyderm", _none)]
    return [_check(name, cluster) for name, cluster in settings.clusters.items()]


def _check(name: str, cluster: ClusterSettings) -> Check:
    what = f"Pachyderm cluster {name}"

    async def look() -> Sequence[Finding]:
        return await look_at(what, cluster)

    return Check(what, look)


async def look_at(what: str, cluster: ClusterSettings) -> Sequence[Finding]:
    """Whether it answers, is new enough, and takes our token."""
    pachyderm = Pachyderm(
        cluster.address, token=cluster.token, root_certs=cluster.root_certs, timeout=10.0
    )
    try:
        found = [good(what, f"{cluster.address}, version {await pachyderm.version()}")]
        user = await pachyderm.who_am_i()
    except StoppedError as stopped:
        reason = stopped.reason
        return [fault(what, f"{reason.title}: {reason.fact}", reason.next_step)]
    finally:
        await pachyderm.close()
    if user is not None:
        found.append(good(what, f"the token is of {user}"))
    elif cluster.token is not None:
        found.append(note(what, "it has no authentication, so its token is not looked at"))
    else:
        found.append(note(what, "it has no authentication: whoever reaches it may do all"))
    return found


async def _none() -> Sequence[Finding]:
    step = "Set PACHOPS_PACHD_ADDRESS to grpc://HOST:PORT or grpcs://HOST:PORT."
    return [fault("Pachyderm", "the settings have no cluster", step)]
