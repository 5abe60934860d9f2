"""YAML's mistakes in words, without what the file holds."""

import pytest

from bot.domain.reasons import Code, StoppedError
from bot.positions import read_yaml


def fact(text: str) -> str:
    with pytest.raises(StoppedError) as stopped:
        read_yaml(text.encode(), file="a.yml", code=Code.PROJECT_INVALID)
    return stopped.value.reason.fact


def test_signs_that_were_expected_are_said_as_they_are() -> None:
    assert fact("a: [1, 2") == ("is not valid YAML: expected ',' or ']', but got '<stream end>'")


@pytest.mark.parametrize(
    "text",
    [
        "a: *hunter2",
        "a: !hunter2 b",
        "a: !hunter2!x b",
        "1: hunter2\n0x1: b",
        "1: a\n0x1: 'x\" hunter2 y'",
        "%YAML hunter2\n---\na: b",
    ],
)
def test_what_the_file_holds_is_not_said(text: str) -> None:
    assert "hunter2" not in fact(text)
