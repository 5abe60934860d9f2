"""Every text that a person reads in a workflow's run, but for the reasons' own."""

from collections.abc import Collection

from bot.domain.deployment import Outcome
from handlers.reports.words import VERDICTS

PLANNED = "planned"
"""The outcome of a step that only planned."""

FORK = (
    "This pull request comes from a fork. GitHub gives a fork's workflow no secrets, and pachops "
    "builds nothing of it: this is only the plan, made without asking the registry or Pachyderm, "
    "so that everything looks new. Whoever may push can deploy the commits from a branch of this "
    "repository."
)
NOT_TOLD = "GitHub could not be told how it ended; this page has it all."
SLACK_IS_AWAY = "Slack does not answer: it was not told how this ended."
OWN_LOG = "pachops: its own log"
NOT_WRITTEN = "The runner's file for outputs or the summary could not be written"
_PERMISSIONS = {
    "comment": "pull-requests: write",
    "deployment": "deployments: write",
    "check": "checks: write",
}


def group(stage: str) -> str:
    """The heading of a fold of the log."""
    return f"pachops: {stage}"


def rules_not_asked(environment: str, rules: Collection[str]) -> str:
    """Rules of the environment that only the bot's server asks for."""
    named = ", ".join(rules)
    return (
        f"The rules of {environment} in .pachops.yml ({named}) are asked for by `pachops serve`, "
        "not in a workflow: who may start the workflow decides here. To have reviewers, give the "
        f"job `environment: {environment}` and protect that environment in the repository's "
        "settings."
    )


def not_permitted(marks: Collection[str]) -> str:
    """What the job's token may not write."""
    wanted = ", ".join(f"`{_PERMISSIONS[mark]}`" for mark in marks)
    return (
        f"The job's token may not write the {' and the '.join(marks)}. Give the job "
        f"`permissions:` {wanted}, or leave them out of the input `report`."
    )


def verdict(outcome: Outcome, title: str) -> str:
    """The title of the annotation that says how it ended."""
    return f"{VERDICTS[outcome]}: {title}"
