"""What `pachops doctor` found, in words."""

import json
from collections.abc import Iterator, Sequence

from bot.domain.finding import Finding, Level
from handlers.reports import words
from handlers.reports.text import one_line
from handlers.reports.words import Marks

_STYLES = {Level.GOOD: "green", Level.NOTE: "cyan", Level.WARNING: "yellow", Level.FAULT: "red"}


def finding_lines(findings: Sequence[Finding], marks: Marks) -> Iterator[tuple[str, str]]:
    """Each line with its style: what was looked at, what was found, and how to mend it."""
    signs = {
        Level.GOOD: marks.succeeded,
        Level.NOTE: marks.waiting,
        Level.WARNING: marks.stopped,
        Level.FAULT: marks.failed,
    }
    for finding in findings:
        fact = f"{signs[finding.level]} {finding.what}: {finding.fact}"
        yield one_line(fact), _STYLES[finding.level]
        if finding.next_step:
            yield f"  {one_line(words.next_step(finding.next_step))}", ""
    yield (
        words.examined(
            sum(each.level is Level.FAULT for each in findings),
            sum(each.level is Level.WARNING for each in findings),
        ),
        "bold",
    )


def finding_json(finding: Finding) -> str:
    """One line of JSON."""
    return json.dumps(
        {
            "event": "finding",
            "level": finding.level.value,
            "what": finding.what,
            "fact": finding.fact,
            "next_step": finding.next_step or None,
        }
    )
