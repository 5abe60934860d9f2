"""Text from outside made safe in Slack: it calls nobody, links nowhere, and has no secret in it.

Slack reads `<...>` as a link, a mention or a call to a whole channel, so `&`, `<` and `>` are
escaped, in this order. Every text is written as verbatim, so that nothing else is made a link.
Stars and underscores are left: what they do is harmless.
"""

from collections.abc import Iterable

from bot.redact import Redactor
from handlers.reports.text import cut_line, lines

LONGEST_TEXT = 300
LONGEST_SECTION = 3000
"""Characters in a section, an element of a context, and the like."""
_TICK = "\N{MODIFIER LETTER GRAVE ACCENT}"


class Safe:
    """Writes text from outside; `redactor` has the secrets."""

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor

    def clean(self, text: str) -> str:
        """Without secrets; lines stay lines."""
        return self._redactor.clean(text)

    def plain(self, text: str, most: int = LONGEST_TEXT) -> str:
        """One line without markup, not escaped: for `plain_text`, where nothing is read."""
        # Masked before it is cut: half a secret would not be known again.
        return cut_line(self._redactor.clean(" ".join(lines(text))).strip(), most)

    def text(self, text: str, most: int = LONGEST_TEXT) -> str:
        """Within a line of mrkdwn; what our own words have in backticks is code there too."""
        return escaped(self.plain(text, most))

    def code(self, text: str, most: int = LONGEST_TEXT) -> str:
        """As code within a line; nothing where it is empty."""
        shown = self.text(text, most).replace("`", _TICK)
        return f"`{shown}`" if shown else ""


def escaped(text: str) -> str:
    """So that Slack shows it and reads nothing in it."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def link(url: str, text: str) -> str:
    """A link; `text` is safe. What is no web address is the text alone."""
    if not url.startswith(("https://", "http://")) or any(each in url for each in "|<> \n"):
        return text
    return f"<{escaped(url)}|{text}>"


def fitted(entries: Iterable[str], most: int = LONGEST_SECTION) -> str:
    """As many whole lines as there is room for, and an ellipsis for the others."""
    shown: list[str] = []
    used = 0
    for entry in entries:
        if used + len(entry) + 3 > most:
            return "\n".join([*shown, "…"])
        shown.append(entry)
        used += len(entry) + 1
    return "\n".join(shown)
