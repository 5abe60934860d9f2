"""Real git repositories for tests, and git over HTTP with a login."""

import base64
import os
import shutil
import subprocess
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Self
from urllib.parse import unquote, urlsplit

from bot.services.logins import Login

GIT = shutil.which("git") or "git"
_TIME = "2026-01-02T03:04:05+00:00"
_TIMEOUT = 60.0


@dataclass(frozen=True)
class Link:
    """A symbolic link, as content of a commit."""

    target: str


@dataclass(frozen=True)
class Submodule:
    """A commit of another repository, as content of a commit."""

    sha: str


@dataclass(frozen=True)
class Executable:
    """A file with the executable bit, as content of a commit."""

    content: bytes


Content = str | bytes | Link | Submodule | Executable | None
"""What is at a path; None takes it away."""


class Repository:
    """A git repository with commits made by plumbing: same content, same SHA."""

    def __init__(self, path: Path, *, bare: bool = True) -> None:
        self.path = path
        self._git_dir = path if bare else path / ".git"
        self._bare = bare
        path.mkdir(parents=True, exist_ok=True)
        self.git("init", "--quiet", "--initial-branch=main", *(["--bare"] if bare else []))
        self.git("config", "core.protectNTFS", "false")

    def commit(
        self, files: Mapping[str, Content], message: str = "Change", *, branch: str = "main"
    ) -> str:
        """Commit these changes on top of a branch (begun empty if new); the SHA."""
        name = f"refs/heads/{branch}"
        parent = self.git("for-each-ref", "--format=%(objectname)", name).decode().strip()
        index = {"GIT_INDEX_FILE": str(self._git_dir / "index-of-tests")}
        self.git("read-tree", *([parent] if parent else ["--empty"]), environment=index)
        lines = [self._index_line(path, content) for path, content in files.items()]
        self.git("update-index", "-z", "--index-info", stdin=b"".join(lines), environment=index)
        tree = self.git("write-tree", environment=index).decode().strip()
        parents = ["-p", parent] if parent else []
        made = self.git("commit-tree", tree, *parents, "-m", message).decode().strip()
        self.git("update-ref", name, made)
        if not self._bare and self.git("symbolic-ref", "HEAD").decode().strip() == name:
            self.git("reset", "--hard", "--quiet", "HEAD")
        return made

    def git(
        self, *arguments: str, stdin: bytes = b"", environment: Mapping[str, str] | None = None
    ) -> bytes:
        """Run git in here with nobody's configuration."""
        return subprocess.run(  # noqa: S603 - the tests' own arguments
            [GIT, "-C", str(self.path), *arguments],
            env={**_environment(), **(environment or {})},
            input=stdin,
            capture_output=True,
            check=True,
            timeout=_TIMEOUT,
        ).stdout

    def _index_line(self, path: str, content: Content) -> bytes:
        if content is None:
            return _line("0", "0" * 40, path)
        if isinstance(content, Submodule):
            return _line("160000", content.sha, path)
        if isinstance(content, Link):
            return _line("120000", self._blob(os.fsencode(content.target)), path)
        if isinstance(content, Executable):
            return _line("100755", self._blob(content.content), path)
        data = content.encode() if isinstance(content, str) else content
        return _line("100644", self._blob(data), path)

    def _blob(self, data: bytes) -> str:
        return self.git("hash-object", "-w", "--stdin", stdin=data).decode().strip()


def loose_objects(git_dir: Path) -> None:
    """Take the packs of a repository apart, so that a test can harm one object of it."""
    for pack in [*git_dir.glob("objects/pack/*.pack")]:
        content = pack.read_bytes()
        for path in git_dir.glob(f"objects/pack/{pack.stem}.*"):
            path.unlink()
        subprocess.run(  # noqa: S603 - the tests' own arguments
            [GIT, f"--git-dir={git_dir}", "unpack-objects", "-q"],
            env=_environment(),
            input=content,
            check=True,
            timeout=_TIMEOUT,
        )


class GitServer:
    """`git http-backend` on a free loopback port; with a login, all else gets a 401.

    `folder/NAME.git` is at `url/NAME.git`. `redirect` sends every request on to another address.
    `hang` leaves every request without an answer until the server stops.
    """

    def __init__(
        self,
        folder: Path,
        login: Login | None = None,
        *,
        redirect: str | None = None,
        hang: bool = False,
    ) -> None:
        self.folder = folder
        self.login = login
        self.redirect = redirect
        self.hang = hang
        self.authorizations: list[str | None] = []
        """What each request sent, in order."""
        self.asked = threading.Event()
        """Set by the first request."""
        self.stopping = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def host(self) -> str:
        """`127.0.0.1:PORT`."""
        return f"127.0.0.1:{self._server.server_port}"

    @property
    def url(self) -> str:
        """The server's root, without a slash at its end."""
        return f"http://{self.host}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopping.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def allows(self, authorization: str | None) -> bool:
        """Whether a request with this header may go on."""
        if self.login is None:
            return True
        pair = f"{self.login.username}:{self.login.password.get_secret_value()}"
        return authorization == f"Basic {base64.b64encode(pair.encode()).decode()}"

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        owner = self

        class Handler(_Handler):
            server_of_tests = owner

        return Handler


class _Handler(BaseHTTPRequestHandler):
    server_of_tests: GitServer

    def do_GET(self) -> None:
        self._answer(b"")

    def do_POST(self) -> None:
        self._answer(self._body())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Say nothing: the tests' output is for failures."""

    def _answer(self, body: bytes) -> None:
        server = self.server_of_tests
        server.authorizations.append(self.headers["Authorization"])
        server.asked.set()
        if server.hang:
            server.stopping.wait(_TIMEOUT)
            return
        if not server.allows(self.headers["Authorization"]):
            self._send(401, [("WWW-Authenticate", 'Basic realm="git"')], b"no")
            return
        if server.redirect:
            self._send(302, [("Location", server.redirect + self.path)], b"")
            return
        self._send(*self._run_backend(body))

    def _body(self) -> bytes:
        if "chunked" not in self.headers.get("Transfer-Encoding", ""):
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        body = b""
        while size := int(self.rfile.readline(), 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def _run_backend(self, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
        url = urlsplit(self.path)
        done = subprocess.run(  # noqa: S603 - git's own CGI program
            [GIT, "http-backend"],
            env=_environment()
            | {
                "GIT_PROJECT_ROOT": str(self.server_of_tests.folder),
                "GIT_HTTP_EXPORT_ALL": "1",
                "PATH_INFO": unquote(url.path),
                "QUERY_STRING": url.query,
                "REQUEST_METHOD": self.command,
                "CONTENT_TYPE": self.headers.get("Content-Type", ""),
                "CONTENT_LENGTH": str(len(body)),
                "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
                "HTTP_GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
                "REMOTE_ADDR": "127.0.0.1",
            },
            input=body,
            capture_output=True,
            check=False,
            timeout=_TIMEOUT,
        )
        head, _, content = done.stdout.partition(b"\r\n\r\n")
        headers = [
            (name, value.strip())
            for name, _, value in (line.partition(":") for line in head.decode().splitlines())
        ]
        status = next((int(value.split()[0]) for name, value in headers if name == "Status"), 200)
        return status, [pair for pair in headers if pair[0] != "Status"], content

    def _send(self, status: int, headers: list[tuple[str, str]], content: bytes) -> None:
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


def _line(mode: str, name: str, path: str) -> bytes:
    return f"{mode} {name}\t".encode() + os.fsencode(path) + b"\0"


def _environment() -> dict[str, str]:
    person = {
        f"GIT_{role}_{field}": value
        for role in ("AUTHOR", "COMMITTER")
        for field, value in (("NAME", "Ada"), ("EMAIL", "ada@example.com"), ("DATE", _TIME))
    }
    return person | {
        "PATH": os.environ.get("PATH", os.defpath),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "LC_ALL": "C",
    }
