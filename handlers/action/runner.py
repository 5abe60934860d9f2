"""What GitHub's runner tells a step: by variables, and in the file with the event."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.domain.reasons import Code, StoppedError
from handlers.action import words


@dataclass(frozen=True)
class Runner:
    """A step's surroundings. Of the same meaning as the variables `GITHUB_*` and `RUNNER_TEMP`."""

    event_name: str
    event: Mapping[str, Any]
    """As the webhook has it, but for `installation`."""
    server: str
    repository: str
    """`owner/name`."""
    sha: str
    ref: str
    """`refs/heads/main`, `refs/tags/v1`, `refs/pull/7/merge`."""
    actor: str
    run_url: str
    workspace: Path
    temporary: Path
    outputs: Path | None
    summary: Path | None

    @property
    def url(self) -> str:
        """Of the repository that the workflow is of."""
        return f"{self.server}/{self.repository}.git"

    @property
    def default_branch(self) -> str | None:
        """Of that repository; None where the event does not say it."""
        repository = self.event.get("repository")
        branch = repository.get("default_branch") if isinstance(repository, dict) else None
        return branch if isinstance(branch, str) and branch else None


def read_runner(environ: Mapping[str, str]) -> Runner:
    """Raises StoppedError BAD_COMMAND outside of a workflow."""
    if environ.get("GITHUB_ACTIONS") != "true":
        raise StoppedError(Code.BAD_COMMAND, words.OUTSIDE, next_step=words.OUTSIDE_NEXT)
    server = _given(environ, "GITHUB_SERVER_URL")
    repository = _given(environ, "GITHUB_REPOSITORY")
    run = environ.get("GITHUB_RUN_ID", "")
    outputs, summary = environ.get("GITHUB_OUTPUT"), environ.get("GITHUB_STEP_SUMMARY")
    return Runner(
        event_name=_given(environ, "GITHUB_EVENT_NAME"),
        event=_event(Path(_given(environ, "GITHUB_EVENT_PATH"))),
        server=server,
        repository=repository,
        sha=_given(environ, "GITHUB_SHA"),
        ref=environ.get("GITHUB_REF", ""),
        # Whoever starts a run again is not always who started it first.
        actor=environ.get("GITHUB_TRIGGERING_ACTOR") or environ.get("GITHUB_ACTOR") or "unknown",
        run_url=f"{server}/{repository}/actions/runs/{run}",
        workspace=Path(environ.get("GITHUB_WORKSPACE") or Path.cwd()),
        temporary=Path(_given(environ, "RUNNER_TEMP")),
        outputs=Path(outputs) if outputs else None,
        summary=Path(summary) if summary else None,
    )


def _given(environ: Mapping[str, str], variable: str) -> str:
    value = environ.get(variable)
    if not value:
        raise StoppedError(Code.BAD_COMMAND, words.unreadable(variable, "it is not set"))
    return value


def _event(file: Path) -> Mapping[str, Any]:
    try:
        event = json.loads(file.read_bytes())
    except (OSError, ValueError) as error:
        why = f"{file}: {error}"
        raise StoppedError(Code.BAD_COMMAND, words.unreadable("GITHUB_EVENT_PATH", why)) from error
    if not isinstance(event, dict):
        fact = words.unreadable("GITHUB_EVENT_PATH", "it is not an object")
        raise StoppedError(Code.BAD_COMMAND, fact)
    return event
