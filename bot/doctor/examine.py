"""Every check at once, each with its end; nothing of it changes anything."""

import asyncio
import logging
from collections.abc import Iterable, Sequence
from dataclasses import replace

from bot.doctor.finding import Check, fault
from bot.domain.finding import Finding
from bot.domain.reasons import StoppedError
from bot.redact import Redactor

LOG = logging.getLogger(__name__)


async def examine(checks: Iterable[Check], redactor: Redactor) -> tuple[Finding, ...]:
    """What was found, in the order of the checks."""
    found = await asyncio.gather(*(_findings(check) for check in checks))
    return tuple(_masked(each, redactor) for findings in found for each in findings)


async def _findings(check: Check) -> Sequence[Finding]:
    try:
        async with asyncio.timeout(check.seconds):
            return await check.look()
    except StoppedError as stopped:
        reason = stopped.reason
        where = f" ({reason.where})" if reason.where else ""
        return [fault(check.what, f"{reason.title}: {reason.fact}{where}", reason.next_step)]
    except TimeoutError:
        fact = f"no answer within {check.seconds:.0f} s"
        return [fault(check.what, fact, "Check that it runs and can be reached from here.")]
    except Exception as error:
        # One check that is broken must not hide what the others find.
        LOG.exception("the check of %s failed", check.what)
        fact = f"the check itself failed: {type(error).__name__}: {error}"
        return [fault(check.what, fact, "Report it with the lines of pachops.log.")]


def _masked(finding: Finding, redactor: Redactor) -> Finding:
    return replace(
        finding,
        what=redactor.clean(finding.what),
        fact=redactor.clean(finding.fact),
        next_step=redactor.clean(finding.next_step),
    )
