"""What blocks must be like, as Slack checks them, and the text that people read in them."""

from collections.abc import Iterator
from typing import Any

from tests.standins.slack.errors import SlackError
from tests.standins.slack.state import Block

MOST_BLOCKS = {"message": 50, "modal": 100, "home": 100}
LONGEST_ID = 255
LONGEST_TEXT = {"header": 150, "section": 3000, "context": 3000, "input": 2000}
MOST_ELEMENTS = {"context": 10, "actions": 25, "context_actions": 5}
LONGEST_FIELD, MOST_FIELDS = 2000, 10
LONGEST_MARKDOWN = 12_000
BUTTON = {"text": 75, "value": 2000, "url": 3000}
CONFIRM = {"title": 100, "text": 300, "confirm": 30, "deny": 30}
OPTION_TEXT, OPTION_VALUE, MOST_OPTIONS, MOST_OVERFLOW = 75, 150, 100, 5
VIEW_TITLE = 24
LONGEST_METADATA = 3000
SURFACES = {
    "section": {"message", "modal", "home"},
    "header": {"message", "modal", "home"},
    "divider": {"message", "modal", "home"},
    "image": {"message", "modal", "home"},
    "context": {"message", "modal", "home"},
    "actions": {"message", "modal", "home"},
    "rich_text": {"message", "modal", "home"},
    "input": {"message", "modal", "home"},
    "markdown": {"message"},
    "table": {"message"},
    "context_actions": {"message"},
    "alert": {"modal"},
}
PLAIN_ONLY = {"header", "button", "option", "title"}


class _Wrong(Exception):  # noqa: N818 - never leaves this file
    pass


def check_blocks(blocks: object, surface: str) -> list[Block]:
    """The blocks, or invalid_blocks with Slack's way of saying where."""
    try:
        return _blocks(blocks, surface)
    except _Wrong as wrong:
        raise SlackError(
            "invalid_blocks",
            errors=[str(wrong)],
            response_metadata={"messages": [f"[ERROR] {wrong}"]},
        ) from None


def check_view(view: object) -> dict[str, Any]:
    """A modal's or a Home's content, or invalid_arguments."""
    try:
        return _view(view)
    except _Wrong as wrong:
        raise SlackError(
            "invalid_arguments", response_metadata={"messages": [f"[ERROR] {wrong}"]}
        ) from None


def text_of(blocks: list[Block], text: str = "") -> str:
    """All that people read: the blocks where there are any, else the plain text."""
    return "\n".join(_texts(blocks)) if blocks else text


def elements_of(blocks: list[Block]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Everything that can be acted upon, with its block's id."""
    for block in blocks:
        found = [*block.get("elements", ()), block.get("accessory"), block.get("element")]
        for each in found:
            if isinstance(each, dict) and "action_id" in each:
                yield block["block_id"], each


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, list):
        for each in value:
            yield from _texts(each)
    if not isinstance(value, dict):
        return
    if isinstance(value.get("text"), str):
        yield value["text"]
    for key, each in value.items():
        if key not in {"text", "confirm"} or not isinstance(each, str):
            yield from _texts(each if key != "confirm" else None)


def _view(view: object) -> dict[str, Any]:
    if not isinstance(view, dict) or view.get("type") not in {"modal", "home"}:
        raise _Wrong("a view must be a modal or a home [json-pointer:/view/type]")
    if view["type"] == "modal" and "title" not in view:
        raise _Wrong("missing required field: title [json-pointer:/view]")
    for part in ("title", "submit", "close"):
        if part in view:
            _text(view[part], f"/view/{part}", VIEW_TITLE, plain=True)
    if len(view.get("private_metadata", "")) > LONGEST_METADATA:
        raise _Wrong("must be less than 3001 characters [json-pointer:/view/private_metadata]")
    if len(view.get("callback_id", "")) > LONGEST_ID:
        raise _Wrong("must be less than 256 characters [json-pointer:/view/callback_id]")
    blocks = _blocks(view.get("blocks"), view["type"])
    if any(each["type"] == "input" for each in blocks) and view["type"] == "modal":
        _need(view, "submit", "/view")
    return view | {"blocks": blocks}


def _blocks(blocks: object, surface: str) -> list[Block]:
    if not isinstance(blocks, list) or not all(isinstance(each, dict) for each in blocks):
        raise _Wrong("must provide an array of blocks [json-pointer:/blocks]")
    if len(blocks) > MOST_BLOCKS[surface]:
        text = f"no more than {MOST_BLOCKS[surface]} items allowed [json-pointer:/blocks]"
        raise _Wrong(text)
    made = []
    for number, block in enumerate(blocks):
        place = f"/blocks/{number}"
        if surface not in SURFACES.get(block.get("type", ""), set()):
            text = f"unsupported type: {block.get('type')} [json-pointer:{place}/type]"
            raise _Wrong(text)
        _block(block, place)
        made.append({"block_id": f"b{number}", **block})
    _unique([each["block_id"] for each in made], "block_id")
    for each in made:
        actions = [element["action_id"] for _, element in elements_of([each])]
        _unique(actions, "action_id")
    if sum(len(each["text"]) for each in made if each["type"] == "markdown") > LONGEST_MARKDOWN:
        raise _Wrong("markdown must be less than 12001 characters [json-pointer:/blocks]")
    return made


def _unique(ids: list[str], name: str) -> None:
    for each in ids:
        if len(each) > LONGEST_ID:
            text = f"{name} must be less than 256 characters"
            raise _Wrong(text)
        if ids.count(each) > 1:
            text = f"`{name}`: `{each}` already exists in this block"
            raise _Wrong(text)


def _block(block: Block, place: str) -> None:  # noqa: C901 - one branch for each kind
    kind = block["type"]
    match kind:
        case "header":
            _text(block.get("text"), f"{place}/text", LONGEST_TEXT[kind], plain=True)
        case "section":
            _section(block, place)
        case "input":
            _text(block.get("label"), f"{place}/label", LONGEST_TEXT[kind], plain=True)
            _element(_need(block, "element", place), f"{place}/element")
        case "context":
            for number, each in enumerate(_elements(block, place)):
                if each.get("type") != "image":
                    _text(each, f"{place}/elements/{number}", LONGEST_TEXT[kind])
        case "actions" | "context_actions":
            for number, each in enumerate(_elements(block, place)):
                _element(each, f"{place}/elements/{number}")
        case "markdown":
            if not isinstance(block.get("text"), str) or not block["text"]:
                text = f"missing required field: text [json-pointer:{place}]"
                raise _Wrong(text)
        case "rich_text" | "table":
            _need(block, "elements" if kind == "rich_text" else "rows", place)


def _section(block: Block, place: str) -> None:
    if "text" not in block and not block.get("fields"):
        text = f"missing required field: text [json-pointer:{place}]"
        raise _Wrong(text)
    if "text" in block:
        _text(block["text"], f"{place}/text", LONGEST_TEXT["section"])
    fields = block.get("fields", [])
    if len(fields) > MOST_FIELDS:
        text = f"no more than 10 items allowed [json-pointer:{place}/fields]"
        raise _Wrong(text)
    for number, each in enumerate(fields):
        _text(each, f"{place}/fields/{number}", LONGEST_FIELD)
    if "accessory" in block:
        _element(block["accessory"], f"{place}/accessory")


def _elements(block: Block, place: str) -> list[dict[str, Any]]:
    found = _need(block, "elements", place)
    most = MOST_ELEMENTS[block["type"]]
    if not isinstance(found, list) or not 0 < len(found) <= most:
        text = f"must have 1 to {most} items [json-pointer:{place}/elements]"
        raise _Wrong(text)
    return found


def _element(element: dict[str, Any], place: str) -> None:
    if element.get("type") == "button":
        _button(element, place)
    _options(element, place)
    for part, value in element.get("confirm", {}).items():
        if part in CONFIRM:
            _text(value, f"{place}/confirm/{part}", CONFIRM[part], plain=part != "text")


def _button(element: dict[str, Any], place: str) -> None:
    _text(element.get("text"), f"{place}/text", BUTTON["text"], plain=True)
    for part in ("value", "url"):
        if len(element.get(part, "")) > BUTTON[part]:
            most = BUTTON[part] + 1
            text = f"must be less than {most} characters [json-pointer:{place}/{part}]"
            raise _Wrong(text)
    if element.get("style", "primary") not in {"primary", "danger"}:
        text = f"must be primary or danger [json-pointer:{place}/style]"
        raise _Wrong(text)


def _options(element: dict[str, Any], place: str) -> None:
    kind = element.get("type")
    options = list(element.get("options", ()))
    for group in element.get("option_groups", ()):
        options += group["options"]
    most = MOST_OVERFLOW if kind == "overflow" else MOST_OPTIONS
    if kind in {"static_select", "overflow", "radio_buttons", "checkboxes"} and not (
        0 < len(options) <= most
    ):
        text = f"must have 1 to {most} items [json-pointer:{place}/options]"
        raise _Wrong(text)
    for number, each in enumerate(options):
        at = f"{place}/options/{number}"
        _text(each.get("text"), f"{at}/text", OPTION_TEXT)
        if not 0 < len(each.get("value", "")) <= OPTION_VALUE:
            text = f"must be 1 to {OPTION_VALUE} characters [json-pointer:{at}/value]"
            raise _Wrong(text)


def _text(value: object, place: str, most: int, *, plain: bool = False) -> None:
    if not isinstance(value, dict):
        text = f"missing required field [json-pointer:{place}]"
        raise _Wrong(text)
    kinds = {"plain_text"} if plain else {"plain_text", "mrkdwn"}
    if value.get("type") not in kinds:
        text = f"must be {' or '.join(sorted(kinds))} [json-pointer:{place}/type]"
        raise _Wrong(text)
    if not isinstance(value.get("text"), str) or not value["text"]:
        text = f"must be more than 0 characters [json-pointer:{place}/text]"
        raise _Wrong(text)
    if len(value["text"]) > most:
        text = f"must be less than {most + 1} characters [json-pointer:{place}/text]"
        raise _Wrong(text)


def _need(value: dict[str, Any], key: str, place: str) -> Any:
    if key not in value:
        text = f"missing required field: {key} [json-pointer:{place}]"
        raise _Wrong(text)
    return value[key]
