"""GitHub's runner as an action meets it: its environment, its steps, and how it reads the output.

The steps of action.yml are run as the runner runs them. `uses: actions/setup-python` is not: it
cannot be fetched here, and its only output, the path of a Python, is the one that runs the tests.
"""

import asyncio
import json
import os
import re
import shutil
import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

ROOT = Path(__file__).parents[2]
EVENTS = Path(__file__).parent / "events"
PACHOPS = Path(sys.executable).parent / "pachops"
PATIENCE = 300.0
_SHELL = ("bash", "--noprofile", "--norc", "-e", "-o", "pipefail")
"""What `shell: bash` means."""
_NETWORK = ("PIP_", "SSL_", "UV_", "HTTP_", "HTTPS_", "http_", "https_")
"""How this machine gets at package registries."""
_EXPRESSION = re.compile(r"\$\{\{\s*([\w.-]+)\s*\}\}")
_COMMAND = re.compile(r"::([\w-]+)(?: (.*?))?::(.*)", re.DOTALL)


@dataclass(frozen=True)
class Annotation:
    """A remark on the run's page."""

    level: str
    message: str
    title: str = ""
    file: str = ""
    line: str = ""


@dataclass
class Seen:
    """What the runner made of a step's standard output."""

    log: list[str] = field(default_factory=list)
    annotations: list[Annotation] = field(default_factory=list)
    masks: list[str] = field(default_factory=list)
    groups: list[str] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)
    stopped: str | None = None

    def read(self, line: str) -> None:
        """A line, as ActionCommandManager takes it."""
        match = _COMMAND.match(line.lstrip())
        if match is None or self.stopped not in {None, match[1]}:
            self.log.append(self.masked(line))
            return
        name, given, value = match[1], match[2] or "", _unescaped(match[3])
        if name == self.stopped:
            self.stopped = None
            return
        self.commands.append(name)
        fields = dict(each.split("=", 1) for each in given.split(",") if each)
        properties = {key: _unescaped(text) for key, text in fields.items()}
        match name:
            case "stop-commands":
                self.stopped = value
            case "add-mask":
                self.masks.append(value)
            case "group":
                self.groups.append(value)
            case "error" | "warning" | "notice":
                known = {key: properties.get(key, "") for key in ("title", "file", "line")}
                self.annotations.append(Annotation(name, value, **known))

    def masked(self, text: str) -> str:
        """As the log's readers see it."""
        for each in self.masks:
            text = text.replace(each, "***")
        return text

    @property
    def text(self) -> str:
        """The whole log."""
        return "\n".join(self.log)


@dataclass(frozen=True)
class Ended:
    """What a step left."""

    status: int
    seen: Seen
    outputs: Mapping[str, str]
    summary: str

    def errors(self) -> list[Annotation]:
        """Annotations of that level."""
        return [each for each in self.seen.annotations if each.level == "error"]


class Runner:
    """A job's machine. `environ` is what the job has beside what the runner itself sets."""

    def __init__(
        self, folder: Path, repository: str, server: str, environ: Mapping[str, str]
    ) -> None:
        self.temporary = folder / "_temp"
        self.workspace = folder / "work"
        self.tools = folder / "_tool"
        for each in (self.temporary, self.workspace, self.tools):
            each.mkdir(parents=True, exist_ok=True)
        self.repository = repository
        self.server = server
        self.environ = {"PATH": os.environ["PATH"], "GIT_CONFIG_NOSYSTEM": "1", **environ}
        self.action: dict[str, Any] = YAML(typ="safe").load(ROOT / "action.yml")
        self.install_with(PACHOPS)
        self.cancel_at: str | None = None
        """Somebody cancels the run when this is in the log."""

    def install_with(self, command: Path) -> None:
        """Take this pachops instead of what the step `Install pachops` would install."""
        (self.temporary / "pachops-command").write_text(f"{command}\n")

    def forget(self) -> None:
        """Another run: it finds nothing of the last one."""
        shutil.rmtree(self.temporary / "pachops", ignore_errors=True)

    async def install(self) -> None:
        """The step that installs, for real."""
        own = {name: text for name, text in os.environ.items() if name.startswith(_NETWORK)}
        ended = await self._run("Install pachops", {}, own)
        assert ended.status == 0, ended.seen.text

    async def deploy(
        self, name: str, event: Mapping[str, Any], sha: str, ref: str, /, **inputs: str
    ) -> Ended:
        """The step that deploys; inputs have `_` for `-`."""
        file = self.temporary / "event.json"
        file.write_text(json.dumps(event))
        variables = {
            "GITHUB_EVENT_NAME": name,
            "GITHUB_EVENT_PATH": str(file),
            "GITHUB_SHA": sha,
            "GITHUB_REF": ref,
        }
        given = {key.replace("_", "-"): value for key, value in inputs.items()}
        return await self._run("Deploy", given, variables)

    async def _run(
        self, step_name: str, inputs: Mapping[str, str], variables: Mapping[str, str]
    ) -> Ended:
        step = next(each for each in self.action["runs"]["steps"] if each["name"] == step_name)
        unknown = inputs.keys() - self.action["inputs"].keys()
        assert not unknown, f"action.yml has no input {unknown}"
        outputs, summary = self.temporary / "outputs", self.temporary / "summary"
        for each in (outputs, summary):
            each.write_text("")
        script = self.temporary / "step.sh"
        script.write_text(step["run"])
        environ = {
            **self.environ,
            "CI": "true",
            "GITHUB_ACTIONS": "true",
            "GITHUB_ACTION_PATH": str(ROOT),
            "GITHUB_ACTOR": "ada",
            "GITHUB_OUTPUT": str(outputs),
            "GITHUB_REPOSITORY": self.repository,
            "GITHUB_RUN_ID": "4711",
            "GITHUB_SERVER_URL": self.server,
            "GITHUB_STEP_SUMMARY": str(summary),
            "GITHUB_TRIGGERING_ACTOR": "grace",
            "GITHUB_WORKSPACE": str(self.workspace),
            "RUNNER_TEMP": str(self.temporary),
            "RUNNER_TOOL_CACHE": str(self.tools),
            **variables,
            **{key: self._evaluated(text, inputs) for key, text in step.get("env", {}).items()},
        }
        status, lines = await self._output(script, environ)
        seen = Seen()
        for line in lines:
            seen.read(line)
        return Ended(status, seen, outputs_in(outputs.read_text()), summary.read_text())

    async def _output(self, script: Path, environ: Mapping[str, str]) -> tuple[int, list[str]]:
        process = await asyncio.create_subprocess_exec(
            *_SHELL,
            str(script),
            env=environ,
            cwd=self.workspace,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
        )
        lines = []
        try:
            async with asyncio.timeout(PATIENCE):
                assert process.stdout
                async for printed in process.stdout:
                    lines.append(printed.decode().rstrip("\n"))
                    if self.cancel_at and self.cancel_at in lines[-1]:
                        # The runner signals the process that it started, and no other.
                        process.send_signal(signal.SIGINT)
                        self.cancel_at = None
                return await process.wait(), lines
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()

    def _evaluated(self, text: str, inputs: Mapping[str, str]) -> str:
        defaults = {
            name: str(each.get("default", "")) for name, each in self.action["inputs"].items()
        }
        values = {
            "steps.python.outputs.python-path": sys.executable,
            "github.token": "",
            **{f"inputs.{name}": value for name, value in (defaults | dict(inputs)).items()},
        }
        # Once for the expression, and once for a default that is one.
        for _ in range(2):
            text = _EXPRESSION.sub(lambda match: values[match[1]], text)
        return text


def recorded(name: str, repository: str, **changes: Any) -> dict[str, Any]:
    """A recorded event, in this repository; `a__b` is the key `b` of `a`."""
    event: dict[str, Any] = json.loads((EVENTS / f"{name}.json").read_text())
    owner, _, short = repository.partition("/")
    event["repository"] |= {"full_name": repository, "name": short}
    event["repository"]["owner"]["login"] = owner
    for path, value in changes.items():
        *parents, last = path.split("__")
        place = event
        for each in parents:
            place = place[each]
        place[last] = value
    return event


def outputs_in(text: str) -> dict[str, str]:
    """The outputs in the file, as the runner reads it."""
    found = {}
    lines = iter(text.splitlines())
    for line in lines:
        name, _, delimiter = line.partition("<<")
        value = []
        for each in lines:
            if each == delimiter:
                break
            value.append(each)
        else:
            message = f"the output {name} has no end"
            raise AssertionError(message)
        found[name] = "\n".join(value)
    return found


def _unescaped(text: str) -> str:
    for escape, character in (
        ("%0D", "\r"),
        ("%0A", "\n"),
        ("%3A", ":"),
        ("%2C", ","),
        ("%25", "%"),
    ):
        text = text.replace(escape, character)
    return text
