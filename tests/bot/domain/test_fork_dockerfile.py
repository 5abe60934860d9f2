"""What a fork's Dockerfile may ask for, and what it may not."""

import pytest

from bot.domain.dockerfile import base_images, commands
from bot.domain.fork_dockerfile import check_dockerfile, marked
from bot.domain.reasons import Code, Reason, StoppedError

ALLOWED = frozenset({"registry.acme.io/base", "docker.io/acme/tools"})


def check(text: str) -> None:
    check_dockerfile(text, base_images(text, {}), allowed=ALLOWED, place="edges/Dockerfile")


def refusal(text: str) -> Reason:
    with pytest.raises(StoppedError) as caught:
        check(text)
    return caught.value.reason


@pytest.mark.parametrize(
    "lines",
    [
        ["RUN make"],
        ["# syntax=docker/dockerfile:1", "FROM python:3.12"],
        ["FROM registry.acme.io/base:2 AS build", "FROM build", "COPY --from=build /a /b"],
        ["FROM registry.acme.io/base:2 AS Build", "FROM BUILD"],
        ["ARG BASE=acme/tools", "FROM ${BASE}:${TAG:-1}"],
        ["FROM scratch", "COPY --from=0 /a /b", "COPY --from=acme/tools:1 /t /t"],
        ["RUN --mount=type=cache,target=/c --mount=type=tmpfs,target=/t make"],
        ["RUN --mount=from=acme/tools,target=/t --network=none make"],
        ["ADD a.tar.gz b/*.json /c/"],
        ["ADD <<EOF /etc/motd", "https://example.com", "EOF"],
        ["RUN curl https://example.com || true"],
        ["RUN <<EOF", "set -e", "ADD=1 make", "EOF"],
    ],
)
def test_what_stays_in_its_own_context_passes(lines: list[str]) -> None:
    has_from = any(line.startswith("FROM") for line in lines)
    check("\n".join(lines if has_from else ["FROM python:3.12", *lines]))


@pytest.mark.parametrize(
    "line",
    [
        "ADD https://example.com/a /a",
        "ADD http://169.254.169.254/latest/meta-data /m",
        'ADD ["https://example.com/a", "/a"]',
        "ADD a.txt HTTPS://example.com/a /a/",
        "ADD git@github.com:acme/edges.git /a",
        "ADD https://github.com/acme/edges.git#main /a",
        "ADD ssh://git@host/a.git /a",
        "ADD $URL /a",
        "ADD ${URL} /a",
        'ADD h"ttps://example.com/a" /a',
        "ADD h\\ttps://example.com/a /a",
        "add --keep-git-dir=true https://example.com/a.git /a",
        "ADD --checksum=sha256:0 https://example.com/a /a",
        "RUN --mount=type=secret,id=npm cat /run/secrets/npm",
        "RUN --mount=type=ssh ssh host",
        'RUN --mount="type=secret",id=npm true',
        "RUN --mount=id=npm,type=secret true",
        "RUN --mount=TYPE=secret,id=npm true",
        "RUN --mount=type=$KIND,id=npm true",
        "RUN --mount=type=cache,id=$X,target=/c true",
        "RUN --mount=type=bind,from=$IMAGE,target=/t true",
        "RUN --mount=type=bind,from=acme/other,target=/t true",
        "RUN --network=host true",
        "RUN --network=default true",
        "RUN --security=insecure true",
        "RUN --device=nvidia.com/gpu true",
        "ONBUILD ADD https://example.com/a /a",
        "ONBUILD RUN true",
        "COPY --from=acme/other /a /a",
        "COPY --from=$IMAGE /a /a",
        "COPY --from=later /a /a",
        "# syntax=evil/frontend",
        'RUN <<"RUN true"\nADD https://example.com/a /a\nRUN true',
    ],
)
def test_what_reaches_further_is_refused_with_its_line(line: str) -> None:
    reason = refusal(f"FROM python:3.12\n{line}\nFROM scratch AS later\n")
    assert (reason.code, reason.where) == (Code.FORK_NEEDS_RIGHTS, "edges/Dockerfile:2")


@pytest.mark.parametrize(
    "line",
    [
        "# syntax=evil/frontend:1",
        "#syntax = evil/frontend",
        "# SYNTAX=evil/frontend",
        "#!/usr/bin/env run\n# syntax=evil/frontend",
        "# escape=`\n# syntax=evil/frontend",
        "# syntax=evil.io/docker/dockerfile:1",
        "# syntax=docker/dockerfile:1-labs",
        "# syntax=docker/dockerfile:0.1",
        "# syntax=docker/dockerfile@sha256:0",
        "\ufeff# syntax=evil/frontend",
        # What separates lines elsewhere is a space to BuildKit.
        "#\fsyntax=evil/frontend",
        "#\rsyntax=evil/frontend",
        "#\r\x0b\f syntax\r=\fevil/frontend",
    ],
)
def test_no_other_program_reads_the_dockerfile(line: str) -> None:
    assert refusal(f"{line}\nFROM python:3.12\n").code is Code.FORK_NEEDS_RIGHTS


@pytest.mark.parametrize(
    "image",
    [
        "registry.acme.io/secret",
        "registry.acme.io/base-of-others",
        "acme/other",
        "10.0.0.1:5000/x",
        "$IMAGE",
        "${IMAGE:?}",
        "sha256:" + "0" * 64,
        "0" * 64,
    ],
)
def test_a_base_that_the_default_branch_does_not_use_is_refused(image: str) -> None:
    assert refusal(f"FROM python:3.12\nFROM {image}\n").where == "edges/Dockerfile:2"


def test_a_base_by_an_argument_is_looked_at_as_well() -> None:
    reason = refusal("ARG BASE=acme/other\nFROM $BASE\n")
    assert "docker.io/acme/other" in reason.fact


def test_the_first_line_is_told() -> None:
    reason = refusal("FROM acme/other\nADD https://example.com /a\n# syntax=x/y\n")
    assert reason.where == "edges/Dockerfile:1"


def test_each_stage_is_marked_behind_its_from() -> None:
    text = "ARG A=1\nFROM a \\\n  AS b\nRUN x\nFROM scratch\nCOPY --from=b / /"
    names = [command.cmd.lower() for command in commands(marked(text))]
    assert names == ["arg", "from", "label", "run", "from", "label", "copy"]
