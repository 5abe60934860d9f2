"""A real registry on a loopback port: Debian's docker-registry with its storage in a temp folder."""

import contextlib
import json
import shutil
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Self

from pydantic import SecretStr

from bot.services.logins import Login
from tests.real.engine import MissingPartError, require_program
from tests.real.network import free_port

LOGIN = Login("ada", SecretStr("correct horse"))
_HTPASSWD = "ada:$2y$05$Lyn91zySAkKo36KijOcrfuXI623FVUAQ3b5F2h6WwaOkzlX.9NUJ6"
"""LOGIN with its password as bcrypt, the only hash that the registry takes."""
START_TIMEOUT = 20.0
STOP_TIMEOUT = 10.0


class Registry:
    """Runs between `start` and `stop`; `address` is `127.0.0.1:PORT`, which docker trusts.

    With `login`, only LOGIN may pull and push.
    """

    def __init__(self, *, login: bool = False) -> None:
        self.login = LOGIN if login else None
        self._port = 0
        self._folder: Path | None = None
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        """Host and port."""
        return f"127.0.0.1:{self._port}"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Start it and wait until it answers; raises MissingPartError where it is not installed."""
        program = require_program("docker-registry", package="docker-registry")
        try:
            self._start(program)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End it and forget what it holds."""
        self.pause()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None

    def pause(self) -> None:
        """End it and keep what it holds: nothing answers at its address."""
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(STOP_TIMEOUT)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None

    def _start(self, program: Path) -> None:
        folder = self._folder = Path(tempfile.mkdtemp(prefix="pachops-registry-"))
        self._port = free_port()
        (folder / "config.yml").write_text(json.dumps(self._config(folder)))  # JSON is YAML
        if self.login is not None:
            (folder / "htpasswd").write_text(_HTPASSWD + "\n")
        with (folder / "log").open("wb") as log:
            self._process = subprocess.Popen(  # noqa: S603 - our own command
                [str(program), "serve", str(folder / "config.yml")],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._wait_until_it_answers(folder / "log")

    def _config(self, folder: Path) -> dict[str, object]:
        config: dict[str, object] = {
            "version": 0.1,
            "log": {"level": "warn"},
            "storage": {
                "filesystem": {"rootdirectory": str(folder / "data")},
                "delete": {"enabled": True},
            },
            "http": {"addr": self.address},
        }
        if self.login is not None:
            realm = {"realm": "pachops-test", "path": str(folder / "htpasswd")}
            config["auth"] = {"htpasswd": realm}
        return config

    def _wait_until_it_answers(self, log: Path) -> None:
        deadline = time.monotonic() + START_TIMEOUT
        while time.monotonic() < deadline:
            if self._process is None or self._process.poll() is not None:
                break
            if _answers(f"http://{self.address}/v2/"):
                return
            time.sleep(0.05)
        lines = log.read_text(errors="replace").strip().splitlines()
        raise MissingPartError("docker-registry did not start: " + " | ".join(lines[-3:]))


def _answers(url: str) -> bool:
    try:
        with contextlib.closing(urllib.request.urlopen(url, timeout=2)):  # noqa: S310 - loopback
            return True
    except urllib.error.HTTPError as error:
        error.close()
        return error.code == 401  # asks for the login
    except OSError:
        return False
