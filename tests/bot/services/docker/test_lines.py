import pytest
from pydantic import SecretStr

from bot.services.docker.lines import LONGEST, Lines, Mask, clean


def lines_of(*chunks: bytes) -> list[str]:
    lines = Lines()
    return [line for chunk in chunks for line in lines.feed(chunk)] + lines.end()


def test_a_line_waits_for_its_end() -> None:
    lines = Lines()
    assert lines.feed(b"one\ntw") == ["one"]
    assert lines.feed(b"o\n") == ["two"]
    assert lines.end() == []


def test_the_last_line_needs_no_end() -> None:
    assert lines_of(b"one\ntwo") == ["one", "two"]


def test_empty_lines_stay() -> None:
    assert lines_of(b"one\n\ntwo\n") == ["one", "", "two"]


def test_a_letter_that_was_cut_in_two_is_whole() -> None:
    assert lines_of("é".encode()[:1], "é".encode()[1:] + b"\n") == ["é"]


def test_bytes_that_are_no_text_are_replaced() -> None:
    assert lines_of(b"a\xffb\n") == ["a\ufffdb"]


@pytest.mark.parametrize("chunk", [b"10%\r50%\r100%\n", b"100%\r\n", b"1%\r100%\r\n"])
def test_of_a_progress_bar_the_last_state_stays(chunk: bytes) -> None:
    assert lines_of(chunk) == ["100%"]


def test_a_progress_bar_without_an_end_takes_no_memory() -> None:
    lines = Lines()
    for number in range(2000):
        assert lines.feed(b"%d of 2000 and some more text\r" % number) == []
    assert lines.end() == ["1999 of 2000 and some more text"]


def test_an_endless_line_comes_in_pieces() -> None:
    pieces = lines_of(b"x" * (2 * LONGEST + 1))
    assert [len(piece) for piece in pieces] == [LONGEST, LONGEST, 1]


@pytest.mark.parametrize("before", range(LONGEST - 9, LONGEST + 2))
@pytest.mark.parametrize("size", [61, 4096, 4 * LONGEST])
def test_a_secret_at_a_cut_is_masked(before: int, size: int) -> None:
    text = b"." * before + b"s3cr3t-w" + b"." * LONGEST
    lines = Lines(Mask.of([SecretStr("s3cr3t-w")]))
    pieces = [
        piece
        for start in range(0, len(text), size)
        for piece in lines.feed(text[start : start + size])
    ]
    pieces += lines.end()
    assert "".join(pieces) == "." * before + "***" + "." * LONGEST


def test_a_secret_that_begins_with_another_is_masked_whole() -> None:
    lines = Lines(Mask.of([SecretStr("s3cr"), SecretStr("s3cr3t-word")]))
    pieces = lines.feed(b"." * (LONGEST + 10_000) + b"s3cr3t") + lines.feed(b"-word") + lines.end()
    assert "".join(pieces) == "." * (LONGEST + 10_000) + "***"


def test_an_endless_line_of_nothing_but_secrets_takes_no_memory() -> None:
    lines = Lines(Mask.of([SecretStr("aaaa")]))
    pieces = [piece for _ in range(20) for piece in lines.feed(b"a" * LONGEST)] + lines.end()
    assert set("".join(pieces)) == {"*"}


def test_a_whole_line_is_masked() -> None:
    assert Lines(Mask.of([SecretStr("s3cr3t")])).feed(b"the s3cr3t\n") == ["the ***"]


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("\x1b[1;31mred\x1b[0m", "red"),
        ("\x1b]0;title\x07text", "text"),
        ("\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x1b(Btext\x1b", "text"),
        ("a\tb\x00\x08c\x9b", "a\tbc"),
        ("abc\u202edef", "abcdef"),
        ("größe 🙂", "größe 🙂"),
    ],
)
def test_what_steers_a_terminal_is_taken_out(text: str, cleaned: str) -> None:
    assert clean(text) == cleaned
