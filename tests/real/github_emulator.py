"""A GitHub that others have written: npm's `emulate`, pinned with all that it needs.

Installed under `.venv`, so that `make clean` takes it away; run on loopback for the length of a
`with`.
"""

import contextlib
import json
import os
import platform
import subprocess
import tempfile
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tests.real.engine import MissingPartError
from tests.real.network import free_port, wait_for_port
from tests.real.npm import install

MANIFEST = Path(__file__).with_name("emulate")
"""package.json and package-lock.json: exact versions, and what their content must be."""
START_TIMEOUT = 60.0
CALL_TIMEOUT = 10.0


class Emulator:
    """A running emulator, and a person's calls to it."""

    def __init__(self, url: str, token: str) -> None:
        self.url = url
        self._token = token

    def call(self, method: str, path: str, body: Mapping[str, object] | None = None) -> Any:
        """Its answer's JSON; urllib.error.HTTPError where it refuses."""
        request = urllib.request.Request(  # noqa: S310 - ours
            self.url + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"token {self._token}", "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=CALL_TIMEOUT) as answer:  # noqa: S310 - ours
            return json.load(answer)


@contextlib.contextmanager
def github_emulator(
    packages: Path, seed: Mapping[str, object], *, token: str, public_url: str
) -> Iterator[Emulator]:
    """Start it with what it is to know at first.

    Args:
        packages: where `install_emulate` has put them.
        seed: its `github` and `tokens`.
        token: one of those tokens, for the person's calls.
        public_url: under which it names itself in its answers.

    Raises:
        MissingPartError: there is no Node for this machine.
    """
    with tempfile.TemporaryDirectory(prefix="pachops-emulate-") as folder:
        file = Path(folder) / "seed.json"
        file.write_text(json.dumps(seed), encoding="utf-8")
        port = free_port()
        process = subprocess.Popen(  # noqa: S603 - pinned above
            [
                *(
                    str(packages / _node()),
                    str(packages / "emulate" / "dist" / "index.js"),
                    "start",
                ),
                *("--service", "github", "--host", "127.0.0.1", "--port", str(port)),
                *("--seed", str(file), "--base-url", public_url),
            ],
            cwd=folder,
            env={"HOME": folder, "PATH": os.environ["PATH"]},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C is for us, and we end it in order
        )
        with process:
            try:
                wait_for_port(port, seconds=START_TIMEOUT)
                yield Emulator(f"http://127.0.0.1:{port}", token)
            finally:
                process.kill()


def install_emulate() -> Path:
    """The folder of its packages; MissingPartError where it cannot be installed."""
    return install(MANIFEST, _node())


def _node() -> str:
    """Its file among the packages."""
    kind = {"x86_64": "x64", "aarch64": "arm64"}.get(platform.machine())
    if kind is None:
        msg = f"There is no Node for {platform.system()} on {platform.machine()} in {MANIFEST}."
        raise MissingPartError(msg)
    return f"node-linux-{kind}/bin/node"
