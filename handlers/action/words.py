"""Every text that a person reads of a step's inputs and events."""

from collections.abc import Sequence

OUTSIDE = "`pachops action` is what action.yml runs in a workflow of GitHub Actions"
OUTSIDE_NEXT = "Elsewhere use `pachops deploy`."
TARGET_FORK = (
    "the workflow runs for pull_request_target, which gives a fork's commit the secrets of this "
    "repository"
)
RUN_OF_FORK_NEXT = (
    "Leave such runs out: `if: github.event.workflow_run.head_repository.full_name == "
    "github.repository` on the job."
)
NO_CHECKOUT_NEXT = (
    "Let a step before this one check the repository out there (actions/checkout), or leave `path` "
    "out: the commit is then fetched from GitHub."
)
RUN_OF_FORK = (
    "the workflow follows a run for a fork's commit (workflow_run), and would give what the step "
    "names the secrets of this repository"
)
TARGET_FORK_NEXT = (
    "Start the workflow `on: pull_request`: there pachops plans a fork's commit without secrets."
)
DELETED_NEXT = "Leave such pushes out: `if: ${{ !github.event.deleted }}` on the job."


def missing(name: str, example: str) -> str:
    """An input without which nothing can be done."""
    return f"the input `{name}` is missing, such as {example}"


def name_environment() -> str:
    """How the environment is said."""
    return "Give the step the input `environment` with one of them."


def place(name: str) -> str:
    """Where an input stands."""
    return f"with: {name}"


def not_boolean(name: str, value: str) -> str:
    """An input that is neither."""
    return f"the input `{name}` is `{value[:40]}`; it must be true or false"


def not_a_report(value: str, meant: str | None, known: Sequence[str]) -> str:
    """A kind of report that there is not."""
    hint = f"; did you mean {meant}?" if meant else f"; there are: {', '.join(known)}"
    return f"the input `report` has `{value[:40]}`, which is no kind of report{hint}"


def unreadable(variable: str, why: str) -> str:
    """Something that the runner should have given."""
    return f"{variable} is not as the runner sets it: {why}"


def deleted(ref: str) -> str:
    """A push without a commit."""
    return f"the push deleted {ref}, so there is no commit to deploy"


def not_a_release(action: str) -> str:
    """Something that happened to a release that brings none."""
    return f"the release was {action}, so there is nothing to deploy"
