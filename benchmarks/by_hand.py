"""What a person writes without pachops: archive, build, push, update. Nothing is looked at first.

`python benchmarks/by_hand.py REPOSITORY CONTEXT IMAGE SPEC PACHD`, with DOCKER_HOST set. The build
is BuildKit's, as pachops' is.
"""

import json
import os
import subprocess
import sys

import docker
import requests
from pachyderm_sdk import (
    Client,
)


class BuildKit(docker.APIClient):
    """The SDK asks for the legacy builder and has no option for the other."""

    def _post(self, url: str, **options: object) -> requests.Response:
        if url.endswith("/build"):
            options["params"] = {**options.get("params", {}), "version": "2"}  # type: ignore[dict-item] # the SDK's own options are untyped
        return super()._post(url, **options)  # type: ignore[misc,no-any-return] # not in the stubs


def main(repository: str, context: str, image: str, spec_file: str, pachd: str) -> None:
    """Deploy HEAD; fails with a traceback, as such scripts do."""
    sha = _git(repository, "rev-parse", "HEAD").strip()
    engine = BuildKit(base_url=os.environ["DOCKER_HOST"], version="auto", timeout=600)
    with subprocess.Popen(  # noqa: S603 - the arguments are the benchmark's own
        ["git", "-C", repository, "archive", f"{sha}:{context}"],  # noqa: S607
        stdout=subprocess.PIPE,
    ) as archive:
        messages = engine.build(
            fileobj=archive.stdout, custom_context=True, tag=f"{image}:{sha}", rm=True, decode=True
        )
        for message in messages:
            _stop_on_error(message)
    digest = ""
    for message in engine.push(image, tag=sha, stream=True, decode=True):
        _stop_on_error(message)
        digest = message.get("aux", {}).get("Digest", digest)
    spec = json.loads(_git(repository, "show", f"{sha}:{spec_file}"))
    spec["transform"]["image"] = f"{image}:{sha}@{digest}"
    Client.from_pachd_address(pachd).pps.create_pipeline_v2(
        create_pipeline_request_json=json.dumps(spec), update=True
    )


def _git(repository: str, *arguments: str) -> str:
    return subprocess.run(  # noqa: S603 - the arguments are the benchmark's own
        ["git", "-C", repository, *arguments],  # noqa: S607
        check=True,
        capture_output=True,
        text=True,
    ).stdout


def _stop_on_error(message: dict[str, str]) -> None:
    if "error" in message:
        sys.exit(message["error"])


if __name__ == "__main__":
    main(*sys.argv[1:])
