"""The Docker Engine and the programs that tests, demo and benchmark run on.

What answers is used. Else, on a Debian machine as root, it is installed from Debian's packages and
started for the length of the run; else `MissingPartError` says what is needed.
"""

import contextlib
import io
import json
import os
import shutil
import socket
import subprocess
import tarfile
import tempfile
import time
import uuid
from pathlib import Path
from types import TracebackType
from typing import Self

import docker
import psutil
from docker.errors import DockerException

from tests.real.program import run_program

DEFAULT_HOST = "unix:///var/run/docker.sock"
SHARED_HOST = "ENGINE_OF_ALL_TESTS"
"""The variable that names the engine of all processes of a test run; it goes before DOCKER_HOST."""
SYSTEM_PATH = f"{os.environ.get('PATH', os.defpath)}:/usr/local/sbin:/usr/sbin:/sbin"
"""A user's PATH often lacks the folders that hold `dockerd`."""
START_TIMEOUT = 60.0
START_ATTEMPTS = 3
"""Two that come or go at the same moment get in each other's way with the machine's firewall."""
STOP_TIMEOUT = 30.0
INSTALL_TIMEOUT = 600.0
PING_TIMEOUT = 5


class MissingPartError(Exception):
    """A real part is not on this machine; the text says what would bring it."""


class NoEngineError(MissingPartError):
    """No Docker Engine answers and none can be started."""


def require_program(name: str, *, package: str, folder: str = "") -> Path:
    """The path of a program, installed from Debian's `package` where that is possible.

    `folder`, a glob pattern, is looked in besides the usual ones. Raises MissingPartError where
    the program is missing and cannot be installed.
    """
    found = _find(name, folder)
    if found is None:
        _install(name, package)
        found = _find(name, folder)
    if found is None:
        msg = f"Debian's package {package} has no program {name}."
        raise MissingPartError(msg)
    return Path(found)


def _find(name: str, folder: str) -> str | None:
    # Looked up anew each time: the folder comes with the package.
    folders = Path("/").glob(folder.lstrip("/")) if folder else ()
    return shutil.which(name, path=":".join([SYSTEM_PATH, *sorted(map(str, folders))]))


def _install(name: str, package: str) -> None:
    if shutil.which("apt-get") is None or os.geteuid() != 0:
        msg = f"{name} is not installed. On Debian, as root: apt-get install {package}"
        raise MissingPartError(msg)
    print(f"Installing Debian's {package} ...", flush=True)  # noqa: T201 - it takes a while
    if apt_get("install", "--no-install-recommends", package) is None:
        return
    # The lists of a fresh machine are empty, those of an old one name versions that are gone.
    apt_get("update")
    failure = apt_get("install", "--no-install-recommends", package)
    if failure is not None:
        msg = f"{name} could not be installed: {failure}"
        raise MissingPartError(msg)


def apt_get(*arguments: str, folder: Path | None = None) -> str | None:
    """None where it worked, else apt-get's last line; `folder` is where it downloads to."""
    command = ["apt-get", "-qy", "-o", "DPkg::Lock::Timeout=300", *arguments]
    try:
        done = run_program(
            command,
            timeout=INSTALL_TIMEOUT,
            cwd=folder,
            env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
        )
    except subprocess.TimeoutExpired:
        return f"apt-get did not end within {INSTALL_TIMEOUT:.0f} seconds"
    if done.returncode == 0:
        return None
    lines = (done.stderr or done.stdout).strip().splitlines()
    return lines[-1] if lines else f"apt-get ended with status {done.returncode}"


def engine_answers(host: str) -> bool:
    """Whether a Docker Engine answers at this DOCKER_HOST."""
    if not _listens(host):
        return False
    environment = {**os.environ, "DOCKER_HOST": host}
    try:
        client = docker.from_env(timeout=PING_TIMEOUT, environment=environment)
    except DockerException:
        return False
    with contextlib.closing(client):
        try:
            return bool(client.ping())
        except (DockerException, OSError):
            return False


def _listens(host: str) -> bool:
    """Whether somebody listens; asked first because the SDK leaks the socket that finds nobody."""
    path = host.removeprefix("unix://")
    if path == host:
        return True
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(PING_TIMEOUT)
        try:
            probe.connect(path)
        except OSError:
            return False
    return True


class Engine:
    """A Docker Engine: the one that answers, else a dockerd of our own until `stop`.

    DOCKER_HOST names the one that is tried; without it the default socket is. `host` is valid
    between `start` and `stop`.
    """

    def __init__(self) -> None:
        self.host = os.environ.get(SHARED_HOST) or os.environ.get("DOCKER_HOST") or DEFAULT_HOST
        self.own = False
        self._folder: Path | None = None
        self._dockerd: subprocess.Popen[bytes] | None = None

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
        """Find or start the engine; raises NoEngineError."""
        if engine_answers(self.host):
            return
        if os.geteuid() != 0:
            msg = (
                f"No Docker Engine answers at {self.host}, and only root can start one: "
                "start Docker, or set DOCKER_HOST to an engine that runs."
            )
            raise NoEngineError(msg)
        try:
            dockerd = require_program("dockerd", package="docker.io")
        except MissingPartError as error:
            msg = f"No Docker Engine answers at {self.host}. {error}"
            raise NoEngineError(msg) from error
        for left in reversed(range(START_ATTEMPTS)):
            try:
                self._start_own(dockerd)
            except NoEngineError:
                self.stop()
                if not left:
                    raise
            except BaseException:
                self.stop()
                raise
            else:
                return

    def stop(self) -> None:
        """End our own dockerd with all that it started; leaves any other engine alone."""
        if self._dockerd is not None:
            self._dockerd.terminate()
            try:
                self._dockerd.wait(STOP_TIMEOUT)
            except subprocess.TimeoutExpired:
                self._dockerd.kill()
                self._dockerd.wait()
            self._dockerd = None
        if self._folder is not None:
            _kill_those_of(self._folder)
            _unmount_below(self._folder)
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None

    def _start_own(self, dockerd: Path) -> None:
        folder = self._folder = Path(tempfile.mkdtemp(prefix="pachops-engine-"))
        socket = folder / "docker.sock"
        (folder / "daemon.json").write_text("{}")  # the machine's own may contradict our options
        name = containerd_namespace(folder)
        command = [
            str(dockerd),
            f"--config-file={folder / 'daemon.json'}",
            f"--data-root={folder / 'data'}",
            f"--exec-root={folder / 'exec'}",
            f"--pidfile={folder / 'pid'}",
            f"--host=unix://{socket}",
            # Where the machine's containerd runs, dockerd uses it: keep apart from its other users.
            f"--containerd-namespace={name}",
            f"--containerd-plugins-namespace=plugins.{name}",
            "--log-level=warn",
        ]
        with (folder / "log").open("wb") as log:
            # A session of its own: Ctrl-C is for us, and we end it in order.
            self._dockerd = subprocess.Popen(  # noqa: S603 - our own command
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**os.environ, "PATH": SYSTEM_PATH},
                start_new_session=True,
            )
        self.host = f"unix://{socket}"
        self.own = True
        self._wait_until_it_answers(folder / "log")

    def _wait_until_it_answers(self, log: Path) -> None:
        deadline = time.monotonic() + START_TIMEOUT
        while time.monotonic() < deadline:
            if self._dockerd is None or self._dockerd.poll() is not None:
                break
            if engine_answers(self.host):
                return
            time.sleep(0.1)
        lines = log.read_text(errors="replace").strip().splitlines()
        raise NoEngineError("Our own dockerd did not start: " + " | ".join(lines[-3:]))


def containerd_namespace(folder: Path) -> str:
    """A name for a folder's engine: containerd runs nothing where one has `__`, or ends with `_`."""
    return f"pachops-engine-{folder.name.encode().hex()}"


def _kill_those_of(folder: Path) -> None:
    """End what outlives a killed dockerd: its processes name our folder in their arguments."""
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.pid != os.getpid() and any(
                str(folder) in argument for argument in process.cmdline()
            ):
                process.kill()
                process.wait(5)


def _unmount_below(folder: Path) -> None:
    points = [line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    for point in sorted((p for p in points if Path(p).is_relative_to(folder)), reverse=True):
        subprocess.run(["umount", "--lazy", point], check=False, timeout=30)  # noqa: S603, S607


def import_busybox(host: str, repository: str, tag: str) -> str:
    """Make `repository:tag`, a base image of 2 MB, in the engine at `host`; nothing is pulled.

    Its content is new each time: no build on it is answered from an earlier run's cache.
    Raises MissingPartError where there is no static busybox.
    """
    program = require_program("busybox", package="busybox-static")
    client = docker.APIClient(base_url=host, version="auto", timeout=60)
    with contextlib.closing(client):
        answer = client.import_image_from_data(
            _busybox_tree(program),
            repository=repository,
            tag=tag,
            changes=["ENV PATH=/bin", 'CMD ["/bin/sh"]'],
        )
    if "error" in (last := json.loads(answer.strip().splitlines()[-1])):
        msg = f"The base image could not be made: {last['error']}"
        raise MissingPartError(msg)
    return f"{repository}:{tag}"


def _busybox_tree(program: Path) -> bytes:
    applets = subprocess.run(  # noqa: S603 - Debian's own program
        [str(program), "--list"], check=True, capture_output=True, text=True, timeout=10
    ).stdout.split()
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.GNU_FORMAT) as tar:
        for name, mode in {"bin": 0o755, "etc": 0o755, "tmp": 0o1777}.items():
            _add(tar, name, mode=mode, type_=tarfile.DIRTYPE)
        _add(tar, "bin/busybox", mode=0o755, content=program.read_bytes())
        _add(tar, "etc/passwd", content=b"root:x:0:0:root:/:/bin/sh\nnobody:x:65534:65534::/:\n")
        _add(tar, "etc/image-id", content=uuid.uuid4().hex.encode())
        for applet in applets:
            if applet != "busybox":
                _add(tar, f"bin/{applet}", type_=tarfile.SYMTYPE, link="busybox")
    return buffer.getvalue()


def _add(
    tar: tarfile.TarFile,
    name: str,
    *,
    mode: int = 0o644,
    type_: bytes = tarfile.REGTYPE,
    content: bytes = b"",
    link: str = "",
) -> None:
    member = tarfile.TarInfo(name)
    member.mode, member.type, member.linkname, member.size = mode, type_, link, len(content)
    tar.addfile(member, io.BytesIO(content))
