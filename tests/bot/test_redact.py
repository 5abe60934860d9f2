"""What the redactor hides, and what it leaves alone."""

import base64
import io
import json
import logging
import shlex
import time
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from bot.redact import Redactor, logs_cleaned

SECRET = "s3cr3t/t0ken+with=signs"
redactor = Redactor([SecretStr(SECRET)])


def test_every_occurrence_is_masked() -> None:
    assert redactor.clean(f"a {SECRET} b {SECRET}") == "a *** b ***"


def test_text_without_a_secret_stays_as_it_is() -> None:
    assert redactor.clean("nothing to see") == "nothing to see"


def test_url_encoded_form_is_masked_in_either_case() -> None:
    form = quote(SECRET, safe="")
    assert redactor.clean(f"https://x:{form}@host {form.lower()}") == "https://***@host ***"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("at https://ann:hunter2@host/x?", "at https://***@host/x?"),
        ("https://ghp_token@host/x https://b:c@d", "https://***@host/x https://***@d"),
        ("HTTPS://ann:p@ss@host", "HTTPS://***@host"),
        ("https://ann:p/w@host/x", "https://***@host/x"),
        ("<postgresql://ann:hunter2@db/x>", "<postgresql://***@db/x>"),
        ("ssh://git:hunter2@host", "ssh://***@host"),
    ],
)
def test_a_login_in_a_url_is_masked_though_it_is_no_known_secret(text: str, shown: str) -> None:
    assert Redactor([]).clean(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "ssh://git@host/x",
        "postgresql://ann@db/name",
        "git@host:acme/edges",
        "https://host:8080/edges@v1",
        "registry/edges:v1@sha256:ab",
        "https://host/@ann and bob@host",
        "'http://h:8080','a@b'",
        "kafka://b1:9092,b2:9092/t@x",
        "https://example.com?to=a@b.c",
        "[x](https://github.com)@alice",
    ],
)
def test_what_is_no_login_stays(text: str) -> None:
    assert Redactor([]).clean(text) == text


def test_json_form_is_masked() -> None:
    quoted = Redactor([SecretStr('pass"wörd')])
    assert quoted.clean(json.dumps({"password": 'pass"wörd'})) == '{"password": "***"}'


@pytest.mark.parametrize("before", ["", "of "])
def test_a_form_that_a_shell_quotes_is_masked(before: str) -> None:
    quoted = Redactor([SecretStr("pa'ss word1$x")])
    line = shlex.join(["lock", "staging", f"{before}pa'ss word1$x"])
    assert quoted.clean(line) == f"lock staging '{before}***'"


def test_basic_authorization_header_does_not_show_the_password() -> None:
    header = base64.b64encode(f"robot:{SECRET}".encode()).decode()
    assert "***" in redactor.clean(f"Authorization: Basic {header}")


def test_each_line_of_a_key_file_is_masked_by_itself() -> None:
    key = "-----BEGIN KEY-----\nMIIEvQIBADANBgkq\nhkiG9w0BAQEFAASC\n-----END KEY-----\n"
    cleaned = [Redactor([SecretStr(key)]).clean(line) for line in key.splitlines()]
    assert cleaned == ["***"] * 4


def test_overlapping_secrets_leave_no_rest() -> None:
    both = Redactor([SecretStr("abcdef"), SecretStr("defghi")])
    assert both.clean("xabcdefghix") == "x***x"


def test_secret_within_a_longer_one_is_masked_in_both() -> None:
    both = Redactor([SecretStr("hunter2"), SecretStr("hunter2-extended")])
    assert both.clean("hunter2-extended hunter2") == "*** ***"


def test_too_short_secret_is_left_alone() -> None:
    assert Redactor([SecretStr("a"), SecretStr("")]).clean("banana") == "banana"


def test_no_secrets_is_allowed() -> None:
    assert Redactor([]).clean("text") == "text"


def test_repr_shows_no_secret() -> None:
    assert SECRET not in repr(redactor)


@given(secret=st.text(min_size=8, max_size=60), before=st.binary(max_size=7), after=st.binary())
def test_secret_cannot_be_read_from_base64_around_it(
    secret: str, before: bytes, after: bytes
) -> None:
    content = before + secret.encode() + after
    cleaned = Redactor([SecretStr(secret)]).clean(base64.b64encode(content).decode())
    assert "***" in cleaned


PRINTABLE = st.characters(exclude_characters="*\0", exclude_categories=["Cs"])


@given(secret=st.text(PRINTABLE, min_size=4, max_size=40), before=st.text(), after=st.text())
def test_secret_is_never_in_the_result(secret: str, before: str, after: str) -> None:
    cleaned = Redactor([SecretStr(secret)]).clean(before + secret + after)
    assert secret not in cleaned.replace("***", "\0")


def test_a_secret_that_came_later_is_masked_in_every_form() -> None:
    learned = Redactor([])
    learned.learn(SecretStr(SECRET), time.time() + 60)
    header = base64.b64encode(f"x-access-token:{SECRET}".encode()).decode()
    assert learned.clean(f"a {SECRET}") == "a ***"
    assert "***" in learned.clean(f"Authorization: Basic {header}")


def test_what_is_good_for_nothing_any_more_is_forgotten_with_the_next() -> None:
    learned = Redactor([SecretStr("lasting")])
    learned.learn(SecretStr("first-token"), time.time() - 1)
    learned.learn(SecretStr("second-token"), time.time() + 60)
    assert learned.clean("lasting first-token second-token") == "*** first-token ***"


def test_no_line_of_the_log_shows_a_secret_not_even_in_a_traceback() -> None:
    log = io.StringIO()
    handler = logging.StreamHandler(log)
    logging.getLogger().addHandler(handler)
    try:
        with logs_cleaned(redactor):
            try:
                int(SECRET)
            except ValueError:
                logging.getLogger("somebody").exception("with %s", SECRET)
    finally:
        logging.getLogger().removeHandler(handler)
    assert "invalid literal for int() with base 10: '***'" in log.getvalue()
    assert SECRET not in log.getvalue()
