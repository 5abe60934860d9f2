import contextlib
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.dockerfile import BaseImage, base_images, line_of, with_bases
from bot.domain.reasons import Code, Reason, StoppedError

NEW = "registry.acme.io/base@sha256:0"

PIECES = st.sampled_from(
    (
        *("FROM ", "ARG ", "COPY --from=", "RUN --mount=type=secret,id=", "RUN --mount=from="),
        *("x", " AS ", "y", "${", "}", ":-", "$A", '"', "\\", "# escape=`\n", "`", "<<E\n", "E"),
        *("=", " ", "\n"),
    )
)


def references(text: str, build_args: Mapping[str, str] | None = None) -> list[str]:
    return [base.reference for base in base_images(text, build_args or {})]


def refusal(text: str) -> Reason:
    with pytest.raises(StoppedError) as caught:
        base_images(text, {})
    return caught.value.reason


def test_every_image_from_outside_is_found_with_its_line_and_stage() -> None:
    text = (
        "# build\n"
        "FROM --platform=$BUILDPLATFORM golang:1 AS build\n"
        "COPY --from=acme/certs:2 /certs /certs\n"
        "RUN --mount=type=bind,from=acme/tools,target=/t --mount=type=cache,target=/c go build\n"
        "FROM build AS test\n"
        "FROM scratch\n"
        "COPY --from=build /a /a\n"
        "COPY --from=Test /a /a\n"
        "COPY --from=0 /a /a\n"
    )
    assert base_images(text, {}) == (
        BaseImage("golang:1", 2, "build"),
        BaseImage("acme/certs:2", 3, "build"),
        BaseImage("acme/tools", 4, "build"),
    )


@pytest.mark.parametrize(
    ("written", "build_args", "reference"),
    [
        ("ARG TAG=3.11\nFROM python:$TAG", {}, "python:3.11"),
        ("ARG TAG=3.11\nFROM python:${TAG}", {"TAG": "3.12"}, "python:3.12"),
        ("ARG TAG\nFROM python:${TAG:-3.13}", {}, "python:3.13"),
        ("ARG TAG=\nFROM python:${TAG:-3.13}", {}, "python:3.13"),
        ("ARG TAG=\nFROM python:3${TAG-.13}", {}, "python:3"),
        ("ARG SLIM=1\nFROM python:3${SLIM:+-slim}", {}, "python:3-slim"),
        ("ARG SLIM\nFROM python:3${SLIM:+-slim}", {}, "python:3"),
        ("ARG A=3 B=${A}.11\nFROM python:$B", {"A": "4"}, "python:4.11"),
        ("ARG A\nFROM python:${A:-${B:-3}}", {}, "python:3"),
        ('ARG BASE="python:3"\nFROM ${BASE}', {}, "python:3"),
        ("FROM python:${TAG:-3}", {"TAG": "4"}, "python:3"),
        ("FROM acme/base:$TARGETARCH", {"TARGETARCH": "arm64"}, "acme/base:arm64"),
        ("# escape=`\nFROM `\n  python:3 `\n  AS x", {}, "python:3"),
        ("from python:3 as x", {}, "python:3"),
        ("\ufeffFROM python:3\r\nRUN a\r\n", {}, "python:3"),
    ],
)
def test_arguments_are_filled_in(
    written: str, build_args: Mapping[str, str], reference: str
) -> None:
    assert references(written, build_args) == [reference]


def test_an_argument_of_a_stage_does_not_change_the_next_one() -> None:
    text = "ARG TAG=1\nFROM a:$TAG\nARG TAG=2\nFROM b:$TAG"
    assert references(text) == ["a:1", "b:1"]


def test_stages_chosen_by_an_argument_are_not_from_outside() -> None:
    text = "ARG KIND=gpu\nFROM a AS cpu\nFROM b AS gpu\nFROM $KIND"
    assert references(text) == ["a", "b"]


def test_a_stage_that_comes_later_or_is_the_same_is_no_base() -> None:
    assert references("FROM golang AS golang\nFROM alpine\nFROM golang AS alpine") == [
        "golang",
        "alpine",
    ]


@pytest.mark.parametrize("name", ["${X#a}", "${X:?none}", "$"])
def test_a_name_that_only_the_build_knows_is_left_out(name: str) -> None:
    assert references(f"ARG X\nFROM {name}\nFROM b") == ["b"]


def test_heredocs_are_not_instructions() -> None:
    text = "FROM a\nCOPY <<EOF /x\nFROM b\nCOPY --from=c /a /b\nEOF\nRUN <<-'E'\n\tFROM d\n\tE\n"
    assert references(text) == ["a"]


def test_only_the_names_of_the_bases_change() -> None:
    text = (
        "# FROM acme/base:1\r\n"
        "ARG TAG=1\n"
        "FROM --platform=linux/amd64 acme/base:${TAG}   AS build\n"
        "\n"
        "RUN echo acme/base:${TAG} && \\\n"
        "    # acme/base\n"
        "    true\n"
        "FROM other/base\n"
        "COPY --from=docker.io/acme/base /a /b\n"
        "RUN --mount=type=bind,from=acme/base,target=/x <<EOF\n"
        "from=acme/base\n"
        "EOF"
    )
    expected = (
        text.replace("amd64 acme/base:${TAG} ", f"amd64 {NEW} ")
        .replace("--from=docker.io/acme/base", f"--from={NEW}")
        .replace("bind,from=acme/base", f"bind,from={NEW}")
    )
    assert with_bases(text, {"acme/base": NEW}, {}) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("FROM \\\n  # acme/base\n  acme/base \\\n  AS x\n", 2),
        ("# escape=`\nFROM `\n acme/base `\n AS x", 2),
        ("ARG B=acme/base\nFROM \\\n $B\n", 2),
        ("from acme/base\r\nRUN a\r\n", 0),
    ],
)
def test_a_name_is_found_on_whichever_line_it_stands(text: str, expected: int) -> None:
    before = text.split("\n")
    after = with_bases(text, {"acme/base:any": NEW}, {}).split("\n")
    assert len(after) == len(before)
    (changed,) = (n for n, (old, new) in enumerate(zip(before, after, strict=True)) if old != new)
    assert changed == expected
    assert NEW in after[expected]


def test_bases_that_are_not_named_stay() -> None:
    text = "FROM acme/base\nFROM $X\nFROM acme/base2"
    assert with_bases(text, {"acme/other": NEW}, {}) == text


def test_a_name_over_two_lines_is_refused_rather_than_left() -> None:
    with pytest.raises(StoppedError) as caught:
        with_bases("FROM acme/\\\nbase\n", {"acme/base": NEW}, {})
    assert caught.value.reason.code is Code.DOCKERFILE_INVALID
    assert "one line" in caught.value.reason.next_step


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("", 1, "no instructions"),
        ("# only\n", 1, "no instructions"),
        ("ARG A\n", 1, "FROM"),
        ("FROM a\nFROM\n", 2, "FROM image"),
        ("FROM a b\n", 1, "FROM image AS name"),
        ("FROM a\n\nRNU b\n", 3, "Write RUN"),
        ("FROM a\nRUN <<E\nx\nE\n\n# c\nENV a\nRUN b", 7, "ENV"),
        ("FROM a\nRUN b\nRUN <<EOF\nx\n", 3, "heredoc"),
        ("FROM a\n\\", 2, "empty"),
        ("FROM a\0", 1, "text file"),
        ("FROM \udcff", 1, "text file"),
    ],
)
def test_a_broken_dockerfile_is_refused_with_its_line(text: str, line: int, said: str) -> None:
    reason = refusal(text)
    assert reason.code is Code.DOCKERFILE_INVALID
    assert reason.where == f"line {line}"
    assert said in f"{reason.fact} {reason.next_step}"


def test_instructions_of_another_syntax_are_left_to_it() -> None:
    text = "# syntax=devthefuture/dockerfile-x\nFROM a\nINCLUDE b\n"
    assert references(text) == ["a"]
    own = text.replace("devthefuture/dockerfile-x", "docker/dockerfile:1")
    assert "INCLUDE" in refusal(own).fact


@given(st.lists(PIECES, max_size=20).map("".join))
def test_no_text_does_more_than_be_refused(text: str) -> None:
    with contextlib.suppress(StoppedError):
        base_images(text, {"A": "x"})
        after = with_bases(text, {"x": NEW}, {"A": "x"})
        assert after.count("\n") == text.count("\n")


@pytest.mark.parametrize(
    ("step", "line"),
    [
        ("RUN make &&     make check", 3),
        ("[runtime] COPY . .", 6),
        ("run echo twice", None),
        ("RUN something else", None),
    ],
)
def test_a_step_is_found_by_its_line(step: str, line: int | None) -> None:
    text = (
        "FROM a AS build\n# a comment\nRUN make && \\\n    make check\n"
        "FROM b AS runtime\nCOPY . .\nRUN echo twice\nRUN echo twice\n"
    )
    assert line_of(text, step) == line
