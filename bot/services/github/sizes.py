"""Texts kept under GitHub's limits: what is cut is the middle, the end says why something failed."""

COMMENT = 65_536
"""Characters."""
CHECK_TEXT = 65_535
"""Bytes, although the documentation says characters."""
ANNOTATIONS = 50
"""In one request; further requests append theirs."""
ANNOTATION_MESSAGE = 65_536
"""Bytes."""
TITLE = 255
ACTIONS = 3
ACTION_LABEL = 20
ACTION_DESCRIPTION = 40
ACTION_IDENTIFIER = 20
STATUS_DESCRIPTION = 140

_GAP = "\n\n… the middle is left out: {} of {} characters …\n\n"
_ELLIPSIS = "…"


def cut(text: str, most: int) -> str:
    """The text in at most `most` characters: both ends, and between them how much is missing."""
    if len(text) <= most:
        return text
    kept = most - len(_gap(len(text), len(text)))
    tail = kept // 2
    return text[: kept - tail] + _gap(len(text) - kept, len(text)) + text[len(text) - tail :]


def cut_bytes(text: str, most: int) -> str:
    """As `cut`, measured in UTF-8."""
    content = text.encode(errors="replace")
    if len(content) <= most:
        return text
    kept = most - len(_gap(len(text), len(text)).encode())
    tail = kept // 2
    first = content[: kept - tail].decode(errors="ignore")
    last = content[len(content) - tail :].decode(errors="ignore")
    return first + _gap(len(text) - len(first) - len(last), len(text)) + last


def cut_line(text: str, most: int) -> str:
    """A short text in at most `most` characters, with an ellipsis for its middle."""
    if len(text) <= most:
        return text
    kept = most - len(_ELLIPSIS)
    tail = kept // 2
    return text[: kept - tail] + _ELLIPSIS + text[len(text) - tail :]


def with_marker(body: str, marker: str) -> str:
    """A comment that ends with its marker, however long its text is."""
    if not marker:
        return cut(body, COMMENT)
    text = body.removesuffix(marker).rstrip("\n")
    return f"{cut(text, COMMENT - len(marker) - 2)}\n\n{marker}"


def _gap(missing: int, total: int) -> str:
    return _GAP.format(missing, total)
