"""A Slack that others have written: npm's `local-slack`, pinned, with a page for people.

It listens on all interfaces, so it only runs where there are none but loopback: in a network
namespace of its own (`alone`), together with all that speaks with it.
"""

import contextlib
import json
import os
import platform
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.real.engine import MissingPartError, require_program
from tests.real.network import free_port, wait_for_port
from tests.real.npm import install

MANIFEST = Path(__file__).with_name("local-slack")
START_TIMEOUT = 60.0


def install_local_slack() -> Path:
    """The program; MissingPartError where it cannot be installed, or there is none."""
    program = "local-slack-linux-x64/bin/local-slack"
    if platform.machine() != "x86_64":
        msg = f"local-slack has no program for {platform.system()} on {platform.machine()}."
        raise MissingPartError(msg)
    return install(MANIFEST, program) / program


def alone(command: Sequence[str]) -> list[str]:
    """The command, for a network in which there is nothing but its own loopback.

    Raises:
        MissingPartError: this machine does not give us one.
    """
    own = ["unshare", "--net", *(["--map-root-user"] if os.geteuid() else [])]
    require_program("unshare", package="util-linux")
    require_program("ip", package="iproute2")
    tried = subprocess.run([*own, "true"], capture_output=True, text=True, check=False)  # noqa: S603 - constant
    if tried.returncode:
        msg = f"There is no network namespace to be had: {tried.stderr.strip()}"
        raise MissingPartError(msg)
    return [*own, "sh", "-c", 'ip link set lo up && exec "$@"', "sh", *command]


@contextlib.contextmanager
def local_slack(
    program: Path, config: Mapping[str, Any], *, port: int | None = None
) -> Iterator[str]:
    """Its URL, while it runs; at a free port, where none is given.

    Raises:
        RuntimeError: others could reach it.
    """
    if {name for _, name in socket.if_nameindex()} != {"lo"}:
        raise RuntimeError("local-slack listens on all interfaces: it must have loopback alone")
    with tempfile.TemporaryDirectory(prefix="pachops-slack-") as folder:
        file = Path(folder) / "config.json"
        file.write_text(json.dumps(config), encoding="utf-8")
        port = port or free_port()
        process = subprocess.Popen(  # noqa: S603 - pinned above
            [
                *(str(program), "--config", str(file), "--port", str(port)),
                *("--base-host", "127.0.0.1", "--files-dir", folder),
            ],
            cwd=folder,
            env={"HOME": folder, "PATH": os.environ["PATH"]},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        with process:
            try:
                wait_for_port(port, seconds=START_TIMEOUT)
                yield f"http://127.0.0.1:{port}"
            finally:
                process.kill()
