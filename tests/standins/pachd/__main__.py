"""The stand-in as a process: prints its address on the first line, stops on SIGTERM."""

import argparse
import signal
import threading
from pathlib import Path

from tests.standins.pachd.images import image_exists
from tests.standins.pachd.life import Timing
from tests.standins.pachd.server import Pachd


def main() -> None:
    options = _arguments()
    missing = set(options.missing_image)
    pachd = Pachd(
        port=options.port,
        tokens=dict([token.split("=", 1) for token in options.token]),
        state_file=options.state,
        real_time=True,
        timing=Timing(workers=options.workers, crashing=options.crashing, job=options.job),
        image_exists=lambda image: image not in missing and image_exists(image),
    )
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    for project in options.project:
        pachd.create_project(project)
    for secret in options.secret:
        name, _, keys = secret.partition("=")
        pachd.create_secret(name, *filter(None, keys.split(",")))
    for repo in options.repo:
        project, name = _repo(repo)
        pachd.create_repo(name, project=project)
    for file in options.file:
        repo, _, path = file.partition("=")
        project, name = _repo(repo)
        # A restart over the same state is no new commit.
        if f"/{path.strip('/')}" not in pachd.files(name, project=project):
            pachd.put_files(name, [path], project=project)
    with pachd:
        print(pachd.address, flush=True)  # noqa: T201 - it is what is asked for
        stop.wait()


def _repo(text: str) -> tuple[str, str]:
    project, _, name = text.rpartition("/")
    return project or "default", name


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m tests.standins.pachd", description=__doc__)
    add = parser.add_argument
    add("--port", type=int, default=0)
    add("--state", type=Path, help="JSON file that keeps everything over a restart")
    add("--project", action="append", default=[])
    add("--repo", action="append", default=[], metavar="[PROJECT/]REPO")
    add("--file", action="append", default=[], metavar="[PROJECT/]REPO=PATH")
    add("--secret", action="append", default=[], metavar="NAME=KEY,KEY")
    add("--token", action="append", default=[], metavar="TOKEN=USER", help="turns auth on")
    add("--missing-image", action="append", default=[], metavar="IMAGE")
    defaults = Timing()
    add("--workers", type=float, default=defaults.workers, help="seconds until workers are up")
    add("--crashing", type=float, default=defaults.crashing, help="seconds until CRASHING")
    add("--job", type=float, default=defaults.job, help="seconds that a job takes")
    return parser.parse_args()


if __name__ == "__main__":
    main()
