"""Workflow commands: lines on standard output that the runner acts on.

Everything that is written is foreign to the runner until we say otherwise: commands are stopped
from the first line on, with a token that nobody can guess, and go on only for our own. Otherwise
any line of a build's log could set masks, annotate files or end up in another step's environment.
"""

import secrets
from collections.abc import Iterable

from pydantic import SecretStr

from bot.services.github import Annotation
from handlers.reports.stream import Output

_MOST_ANNOTATIONS = 10
"""Of each level in a step; the runner drops the rest."""
_LEAST_SECRET = 4
"""What the runner masks is masked everywhere: a shorter one would mask half of every log."""


class WorkflowCommands:
    """Says commands to the runner between lines that are none."""

    def __init__(self, out: Output) -> None:
        self._out = out
        self._token = ""
        self._said: dict[str, int] = {}

    def mask(self, hidden: Iterable[SecretStr]) -> None:
        """Have the runner mask these in the logs of the whole job."""
        self.resume()
        for each in hidden:
            value = each.get_secret_value()
            # The runner masks whole values; a log shows a key's lines one by one.
            for part in dict.fromkeys((value, *value.splitlines())):
                if len(part.strip()) >= _LEAST_SECRET:
                    self._write(command("add-mask", part))
        self.stop()

    def stop(self) -> None:
        """From here on nothing that is written is a command."""
        self._token = secrets.token_hex(20)
        self._write(command("stop-commands", self._token))

    def resume(self) -> None:
        """The end of `stop`."""
        self._write(command(self._token, ""))
        self._token = ""

    def say(self, line: str) -> None:
        """A command of our own; the token is shown with it, so the next is another."""
        self.resume()
        self._write(line)
        self.stop()

    def annotate(self, found: Annotation | str, level: str, title: str = "") -> None:
        """A remark on a line of a file, or on the whole run."""
        count = self._said[level] = self._said.get(level, 0) + 1
        if count > _MOST_ANNOTATIONS:
            return
        if isinstance(found, str):
            self.say(command(level, found, title=title))
            return
        self.say(
            command(level, found.message, file=found.path, line=str(found.line), title=found.title)
        )

    def _write(self, line: str) -> None:
        self._out.write(f"{line}\n")
        self._out.flush()


def command(name: str, value: str, **properties: str) -> str:
    """A workflow command, escaped as the runner reads it; empty properties are left out."""
    given = ",".join(f"{key}={_property(text)}" for key, text in properties.items() if text)
    return f"::{name}{' ' if given else ''}{given}::{_value(value)}"


def _value(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _value(text).replace(":", "%3A").replace(",", "%2C")
