import os
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from bot.healthy import main


@pytest.fixture(autouse=True)
def _nobody_says_what_was_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.healthy.FIRST_PROCESS", tmp_path / "none")


@pytest.fixture(params=[200, 503])
def served(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """A bot that answers with this status."""
    status: int = request.param

    class Health(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status if self.path == "/healthz" else 404)
            self.end_headers()
            self.wfile.write(b"database_unusable\n")

        def log_message(self, *_: object) -> None:
            """Quiet."""

    with HTTPServer(("127.0.0.1", 0), Health) as server:
        monkeypatch.setenv("PACHOPS_WEB_PORT", str(server.server_port))
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield status
        server.shutdown()
        thread.join()


def test_its_status_is_the_bots(served: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert main() == (0 if served == 200 else 1)
    assert capsys.readouterr().out == "database_unusable\n"


def test_a_bot_that_does_not_answer_is_not_well(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PACHOPS_WEB_PORT", "1")
    assert main() == 1


def test_beside_serves_port_a_workers_own_is_looked_at(
    served: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PACHOPS_WEB_WORKER_PORT", os.environ["PACHOPS_WEB_PORT"])
    monkeypatch.setenv("PACHOPS_WEB_PORT", "1")
    assert main() == (0 if served == 200 else 1)


@pytest.mark.parametrize(
    "words", [("tini", "--", "pachops", "serve"), ("sh", "-c", "pachops serve")]
)
def test_what_serves_is_asked_at_its_own_port_though_a_workers_is_set_too(
    served: int, words: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    starts(tmp_path, monkeypatch, *words)
    monkeypatch.setenv("PACHOPS_WEB_WORKER_PORT", "1")
    assert main() == (0 if served == 200 else 1)


def test_a_worker_is_not_taken_for_the_serve_beside_it(
    served: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert served
    starts(tmp_path, monkeypatch, "tini", "--", "pachops", "worker")
    monkeypatch.setenv("PACHOPS_WEB_WORKER_PORT", "1")
    assert main() == 1


def starts(folder: Path, monkeypatch: pytest.MonkeyPatch, *words: str) -> None:
    """With these words the container began."""
    line = folder / "cmdline"
    line.write_bytes(b"".join(each.encode() + b"\0" for each in words))
    monkeypatch.setattr("bot.healthy.FIRST_PROCESS", line)
