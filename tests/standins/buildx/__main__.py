"""Stands for `docker buildx build ... -`: strict in its arguments, replays rawjson, may push.

    __main__.py FOLDER buildx build ... -

FOLDER/behaviour.json may have: `answer` (a file of rawjson), `say` (lines for people), `status`,
`engine` (DOCKER_HOST of a real engine that builds and pushes instead), `hang` (until a signal).
"""

import argparse
import json
import os
import signal
import sys
import tarfile
from io import BytesIO
from pathlib import Path
from types import FrameType


def main(folder: Path, arguments: list[str]) -> int:
    behaviour = json.loads((folder / "behaviour.json").read_text())
    if "said_instead" in behaviour:
        sys.stderr.write(behaviour["said_instead"] + "\n")
        return 1
    call = _parse(arguments)
    if behaviour.get("hang"):
        _hang(folder, call, arguments)
    context = sys.stdin.buffer.read()
    with tarfile.open(fileobj=BytesIO(context)) as tar:
        files = tar.getnames()
    secrets = {
        part["id"]: os.environ[part["env"]]
        for part in (dict(each.split("=", 1) for each in text.split(",")) for text in call.secret)
    }
    _note(
        folder,
        {"arguments": arguments, "files": files, "secrets": secrets, "env": dict(os.environ)},
    )
    answer = Path(behaviour.get("answer", Path(__file__).with_name("build.jsonl")))
    sys.stderr.write(answer.read_text())
    for line in behaviour.get("say", ()):
        sys.stderr.write(line + "\n")
    if status := behaviour.get("status", 0):
        return int(status)
    digest = "sha256:" + "0" * 64
    if engine := behaviour.get("engine"):
        digest = _build_for_real(engine, call, context)
    if not behaviour.get("silent"):
        Path(call.metadata_file).write_text(json.dumps({"containerimage.digest": digest}))
    return 0


def _parse(arguments: list[str]) -> argparse.Namespace:
    """As `docker buildx build` takes them; anything else ends with status 2."""
    parser = argparse.ArgumentParser()
    parser.add_argument("buildx", choices=["buildx"])
    parser.add_argument("build", choices=["build"])
    for name in ("--builder", "--metadata-file", "--file"):
        parser.add_argument(name, required=True)
    parser.add_argument("--progress", choices=["rawjson"], required=True)
    parser.add_argument("--push", action="store_true", required=True)
    for name in ("--provenance", "--sbom"):
        parser.add_argument(name, choices=["false"])
    for name in ("--platform", "--target", "--network"):
        parser.add_argument(name)
    for name in ("--tag", "--build-arg", "--label", "--secret", "--cache-from", "--cache-to"):
        parser.add_argument(name, action="append", default=[])
    parser.add_argument("context", choices=["-"])
    return parser.parse_args(arguments)


def _hang(folder: Path, call: argparse.Namespace, arguments: list[str]) -> None:
    def end(number: int, _frame: FrameType | None) -> None:
        (folder / "ended").write_text(signal.Signals(number).name)
        sys.exit(1)

    signal.signal(signal.SIGTERM, end)
    del call
    _note(folder, {"arguments": arguments})
    while True:
        signal.pause()


def _build_for_real(engine: str, call: argparse.Namespace, context: bytes) -> str:
    import docker  # noqa: PLC0415 - only where it is needed

    client = docker.APIClient(base_url=engine, version="auto", timeout=60)
    for line in client.build(
        fileobj=BytesIO(context),
        custom_context=True,
        dockerfile=call.file,
        tag=call.tag[0],
        labels=dict(each.split("=", 1) for each in call.label),
        rm=True,
        decode=True,
    ):
        if "error" in line:
            sys.exit(line["error"])
    repository, _, tag = call.tag[0].rpartition(":")
    digest = ""
    for line in client.push(repository, tag=tag, stream=True, decode=True):
        digest = (line.get("aux") or {}).get("Digest") or digest
    client.remove_image(call.tag[0])
    client.close()
    return digest


def _note(folder: Path, call: dict[str, object]) -> None:
    with (folder / "calls.jsonl").open("a") as file:
        file.write(json.dumps(call) + "\n")


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2:]))
