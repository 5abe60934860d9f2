"""The main job on a small example, on real parts: deploy, deploy again, refuse, roll back.

Runs the real command on a copy of `examples/edges` and checks after every step, by asking the
registry and Pachyderm, that what should have happened has. Ends with status 0 only then.
"""

import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import grpc

from tests.real.engine import MissingPartError
from tests.real.outside import PACHOPS, Outside, outside

EXAMPLE = Path(__file__).parent / "edges"
EXAMPLE_REGISTRY = "registry.acme.io"
IMAGE = "vision/edges"
PROJECT = "vision-staging"
PIPELINE = "edges"
UNTOUCHED = "montage"
ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""Ctrl-C, a polite kill, and a terminal that is closed."""
COMMAND_TIMEOUT = 120.0
"""Seconds; far more than any step needs."""


class WrongError(Exception):
    """A step did not do what it says."""


@dataclass(frozen=True)
class Running:
    """What Pachyderm runs for a pipeline."""

    version: int
    image: str


@dataclass(frozen=True)
class Demo:
    """The example's repository and the parts it is deployed to."""

    parts: Outside
    repository: Path

    def commit(self, title: str) -> str:
        """Commit everything; the SHA."""
        self._git("add", "--all")
        self._git("commit", "--quiet", "--message", title)
        return self._git("rev-parse", "HEAD")

    def change(self, file: str, old: str, new: str) -> None:
        """Replace text in a file of the repository."""
        path = self.repository / file
        path.write_text(path.read_text().replace(old, new))

    def pachops(self, *arguments: str, status: int = 0) -> None:
        """Run the command on this terminal; WrongError unless it ends with `status`."""
        print(f"\n$ pachops {' '.join(arguments)}", flush=True)
        process = subprocess.Popen(  # noqa: S603 - our own command
            [str(PACHOPS), *arguments], cwd=self.repository, env=self.parts.environment()
        )
        try:
            ended = process.wait(COMMAND_TIMEOUT)
        except subprocess.TimeoutExpired:
            msg = f"`pachops {arguments[0]}` did not end in {COMMAND_TIMEOUT:.0f} seconds"
            raise WrongError(msg) from None
        finally:
            _end(process)
        _expect(
            ended == status,
            f"`pachops {arguments[0]}` ended with status {ended}, not {status}",
        )

    def running(self, pipeline: str) -> Running:
        """What Pachyderm says that it runs."""
        info = self.parts.pipeline(pipeline, project=PROJECT)
        return Running(info.version, info.details.transform.image)

    def pushed(self, sha: str) -> str | None:
        """The full name of the image that the registry has for a commit."""
        digest = self.parts.digest(IMAGE, sha)
        return digest and f"{self.parts.registry}/{IMAGE}:{sha}@{digest}"

    def _git(self, *arguments: str) -> str:
        done = subprocess.run(  # noqa: S603 - constant commands
            ["git", "-c", "user.name=Ada", "-c", "user.email=ada@example.com", *arguments],  # noqa: S607
            cwd=self.repository,
            env=self.parts.environment(),
            check=True,
            capture_output=True,
            text=True,
            timeout=30,
        )
        return done.stdout.strip()


def main() -> int:
    """Run the demo; the exit status."""
    began = time.monotonic()
    for ending in ENDINGS:
        signal.signal(ending, _interrupt)
    try:
        with outside(project=PROJECT, repo="images", file="liberty.pgm") as parts:
            _tell(Demo(parts, _copy_example(parts)))
    except KeyboardInterrupt:
        print("\nThe demo was stopped; what it had started is gone.", file=sys.stderr)
        return 130
    except (MissingPartError, WrongError) as error:
        print(f"\nThe demo failed: {error}", file=sys.stderr)
        return 1
    except grpc.RpcError as error:
        print(f"\nThe demo failed: Pachyderm's stand-in said: {error}", file=sys.stderr)
        return 1
    print(f"\nEverything was checked and taken away again, in {time.monotonic() - began:.0f} s.")
    return 0


def _copy_example(parts: Outside) -> Path:
    """A git repository with the example's files, its registry's name set to the real one."""
    repository = parts.folder / "vision"
    shutil.copytree(EXAMPLE, repository)
    for file in filter(Path.is_file, repository.rglob("*")):
        file.write_text(file.read_text().replace(EXAMPLE_REGISTRY, parts.registry))
    subprocess.run(["git", "init", "--quiet", "--initial-branch=main", repository], check=True)  # noqa: S603, S607
    return repository


def _tell(demo: Demo) -> None:
    parts = demo.parts
    whose = "started for this demo" if parts.engine.own else "it was running"
    print("pachops: from a commit to a running pipeline, and back\n")
    print(f"  repository  a copy of {EXAMPLE.relative_to(EXAMPLE.parents[1])}")
    print(f"  engine      {parts.engine.host} ({whose})")
    print(f"  registry    {parts.registry}")
    print(f"  Pachyderm   {parts.pachd} (a stand-in; the gRPC is real)")

    first = _first_commit(demo)
    second = _second_commit(demo, first)
    bad = _bad_commit(demo, second)
    _roll_back(demo, first)
    _heading(5, "What was deployed is on record")
    demo.pachops("history")

    print("\nWhat happened")
    print(f"  {first[:12]}  built, tested, pushed; {PIPELINE} and {UNTOUCHED} created")
    print(f"  {second[:12]}  built, tested, pushed; {PIPELINE} updated, {UNTOUCHED} left alone")
    print(f"  {bad[:12]}  built; its test failed, so nothing was pushed or updated")
    print(f"  {first[:12]}  back again by rollback, without a build")
    print("\nWhere to look")
    print("  examples/edges/.pachops.yml   all that the repository declares")
    print("  README.md                     the first deployment against your own Pachyderm")


def _first_commit(demo: Demo) -> str:
    _heading(1, "The first commit becomes two pipelines")
    sha = demo.commit("Edges of every image")
    demo.pachops("deploy", "--to", "staging")
    _expect_running(demo, Running(1, _image(demo, sha)))
    return sha


def _second_commit(demo: Demo, first: str) -> str:
    _heading(2, "The code changes: only the pipeline that runs it is updated")
    demo.change("edges/edges.sh", "THRESHOLD:-400", "THRESHOLD:-300")
    sha = demo.commit("Find fainter edges")
    demo.pachops("deploy", "--to", "staging")
    image = _image(demo, sha)
    _expect_running(demo, Running(2, image))
    same = demo.parts.digest(IMAGE, first) == demo.parts.digest(IMAGE, sha)
    _expect(not same, "both commits have the same image")
    return sha


def _bad_commit(demo: Demo, running: str) -> str:
    _heading(3, "A mistake: the image's own test stops it before it is pushed")
    demo.change("edges/edges.awk", "x < 0 ? -x : x", "x")
    sha = demo.commit("Simplify")
    demo.pachops("deploy", "--to", "staging", status=1)
    _expect(demo.pushed(sha) is None, "the image was pushed though its test failed")
    _expect_running(demo, Running(2, _image(demo, running)))
    return sha


def _roll_back(demo: Demo, first: str) -> None:
    _heading(4, "Back to what ran before")
    demo.pachops("rollback", "--to", "staging")
    _expect_running(demo, Running(3, _image(demo, first)))


def _image(demo: Demo, sha: str) -> str:
    image = demo.pushed(sha)
    if image is None:
        msg = f"the registry has no image for {sha[:12]}"
        raise WrongError(msg)
    return image


def _expect_running(demo: Demo, expected: Running) -> None:
    actual = demo.running(PIPELINE)
    _expect(actual == expected, f"{PIPELINE} should be {expected} and is {actual}")
    other = demo.running(UNTOUCHED)
    base = Running(1, demo.parts.base_image)
    _expect(other == base, f"{UNTOUCHED} should be {base} and is {other}")
    print(f"-> Pachyderm runs {PIPELINE} version {actual.version} with {actual.image}")


def _expect(condition: bool, otherwise: str) -> None:  # noqa: FBT001 - reads as a sentence
    if not condition:
        raise WrongError(otherwise)


def _heading(number: int, text: str) -> None:
    print(f"\n{number}. {text}", flush=True)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Let a command that is being cancelled clean up; then make sure that it is gone."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _interrupt(_signal: int, _frame: object) -> NoReturn:
    # What it started is taken away now, however often it is told to end.
    for ending in ENDINGS:
        signal.signal(ending, signal.SIG_IGN)
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
