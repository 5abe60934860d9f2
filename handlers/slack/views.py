"""What a modal shows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from handlers.reports.slack.blocks import Block, plain, section
from handlers.slack import view_words

CALLBACK = "deploy"
REPOSITORY = "repository"
_LONGEST_OPTION = 75
_LONGEST_VALUE = 150
_MOST_OPTIONS = 100


@dataclass(frozen=True)
class Choice:
    """How far somebody is."""

    repositories: Sequence[str]
    repository: str | None = None
    environments: tuple[str, ...] = ()
    is_looking: bool = False
    trouble: str = ""
    """Why there is nothing to choose from; safe."""


def deploy_view(choice: Choice, metadata: str) -> dict[str, Any]:
    """The modal in which a deployment is asked for."""
    view: dict[str, Any] = {
        "type": "modal",
        "callback_id": CALLBACK,
        "private_metadata": metadata,
        "title": plain(view_words.MODAL_TITLE),
        "close": plain(view_words.MODAL_CLOSE),
        "blocks": list(_blocks(choice)),
    }
    if choice.repositories:
        # Slack takes no field in a modal that cannot be sent off.
        view["submit"] = plain(view_words.MODAL_SUBMIT)
    return view


def offered_repositories(view: Mapping[str, Any]) -> list[str]:
    """Those from which a modal lets choose."""
    selects = (each["element"] for each in view["blocks"] if each.get("block_id") == REPOSITORY)
    return [str(option["value"]) for select in selects for option in select["options"]]


def _blocks(choice: Choice) -> Sequence[Block]:
    if not choice.repositories:
        looking = (
            view_words.MODAL_LOOKING_FIRST if choice.is_looking else view_words.NO_REPOSITORIES
        )
        return [section(choice.trouble or looking)]
    blocks: list[Block] = [
        _input(
            REPOSITORY,
            view_words.MODAL_REPOSITORY,
            _select(REPOSITORY, choice.repositories, choice.repository),
            dispatches=True,
        )
    ]
    if choice.is_looking:
        blocks.append(section(view_words.MODAL_LOOKING))
    if choice.trouble:
        blocks.append(section(choice.trouble))
    if choice.environments:
        first = choice.environments[0] if len(choice.environments) == 1 else None
        select = _select("environment", choice.environments, first)
        ref = {
            "type": "plain_text_input",
            "action_id": "ref",
            "placeholder": plain(view_words.MODAL_REF_HINT),
            "max_length": 255,
        }
        reprocess = {
            "type": "checkboxes",
            "action_id": "options",
            "options": [{"text": plain(view_words.MODAL_REPROCESS), "value": "reprocess"}],
        }
        blocks += [
            _input(f"environment {choice.repository}", view_words.MODAL_ENVIRONMENT, select),
            _input("ref", view_words.MODAL_REF, ref, optional=True),
            _input("options", view_words.MODAL_OPTIONS, reprocess, optional=True),
        ]
    return blocks


def _input(
    block: str, label: str, element: Block, *, optional: bool = False, dispatches: bool = False
) -> Block:
    made: Block = {
        "type": "input",
        "block_id": block,
        "label": plain(label),
        "element": element,
        "optional": optional,
    }
    if dispatches:
        made["dispatch_action"] = True
    return made


def _select(action: str, values: Sequence[str], chosen: str | None) -> Block:
    options = [{"text": plain(each[:_LONGEST_OPTION]), "value": each} for each in values]
    # Slack takes no more and no longer ones; a command can name any.
    options = [each for each in options if len(each["value"]) <= _LONGEST_VALUE][:_MOST_OPTIONS]
    select: Block = {"type": "static_select", "action_id": action, "options": options}
    initial = next((each for each in options if each["value"] == chosen), None)
    if initial is not None:
        select["initial_option"] = initial
    return select
