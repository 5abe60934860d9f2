"""What a message shows, whatever is in it: Slack takes it, and nothing in it is read."""

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from bot.domain.deployment import Actor, Kind, Outcome, Stage
from bot.domain.progress import Ended, Finished, StageFinished
from bot.redact import Redactor
from handlers.reports.slack.buttons import Button, offered
from handlers.reports.slack.message import Shown, end_message, progress_message
from handlers.reports.slack.safe import Safe
from handlers.reports.view import View
from tests.handlers.reports import example
from tests.standins.slack.blocks import check_blocks, text_of

SECRET = "hunter2hunter2"
SAFE = Safe(Redactor([SecretStr(SECRET)]))
OURS = re.compile(
    r"<(?:https://github\.com/acme/vision[^|<>\s]*\|[^<>]*|@U\w+|!date\^\d+\^\{time\}\|\d\d:\d\d UTC)>"
)
NASTY = st.lists(
    st.sampled_from(
        [
            *"`~*_[]()<>!|\\#@-&:\n\r\t ",
            "<!channel>",
            "<@U0BOSS>",
            "<!subteam^S1>",
            "<https://evil.io|click>",
            "@here",
            "https://evil.io",
            "&lt;",
            "\u202e",
            "\ud800",
            SECRET,
            "word",
        ]
    ),
    max_size=30,
).map("".join)


def view(events: example.Events, **request: object) -> View:
    deployment = example.RUNNING
    made = replace(deployment, request=replace(deployment.request, **request))  # type: ignore[arg-type]
    return View(made, example.board(events))


def shown(of: View) -> str:
    message = progress_message(Shown(of, 12, user="U0ANN"), SAFE)
    return text_of(check_blocks([dict(each) for each in message.blocks], "message"))


@pytest.mark.parametrize(
    "events",
    [
        [],
        example.building(),
        example.pushing(),
        example.verifying(),
        example.succeeded(),
        example.failed(),
    ],
)
def test_every_stage_of_it_is_taken_by_slack_and_has_plain_text(events: example.Events) -> None:
    message = progress_message(Shown(view(events)), SAFE)
    assert check_blocks([dict(each) for each in message.blocks], "message")
    assert message.text
    assert "\n" not in message.text


def test_header_is_one_line_for_a_phone() -> None:
    first = shown(view(example.succeeded())).splitlines()[0]
    url = f"https://github.com/acme/vision/commit/{example.SHA}"
    assert first == f"✅ *Deployed* <{url}|`3f9c2a1`> to *staging* in 1m 12s"


def test_it_says_who_what_and_where() -> None:
    text = shown(view(example.building(), actor=Actor("ann", "slack")))
    assert "*ann*" in text
    assert "<https://github.com/acme/vision/pull/12|#12>" in text
    assert "Sharper edges" in text


def test_running_stage_has_its_beginning_so_that_nothing_is_edited_every_second() -> None:
    assert "🔄 build · since <!date^1700000001^{time}|22:13 UTC>" in shown(view(example.building()))


@given(NASTY, NASTY, NASTY)
def test_nothing_from_outside_is_read(name: str, ref: str, detail: str) -> None:
    commit = replace(example.RUNNING.request.commit, ref=ref, title=name)
    events = [
        *example.building(),
        (example.START, StageFinished(Stage.BUILD, Ended.FAILED, 1.0, detail)),
        (
            example.START,
            Finished(Outcome.FAILED, "d", None, (), (), replace(example.BROKEN, fact=detail)),
        ),
    ]
    of = view(events, actor=Actor(name, "github"), environment=ref or "e", commit=commit)
    message = end_message(Shown(of), SAFE, mentions=True)
    for text in (
        shown(of),
        message.text,
        text_of([dict(each) for each in message.blocks]),
        progress_message(Shown(of), SAFE).text,
    ):
        left = OURS.sub("", text)
        assert "<" not in left
        assert ">" not in left
        assert SECRET not in text


def test_huge_content_is_cut_to_what_slack_takes() -> None:
    huge = "<" * 5000
    reason = replace(example.BROKEN, fact="\n".join([huge] * 50), where=huge, next_step=huge)
    many = tuple(replace(example.PIPELINES[0], name=huge) for _ in range(200))
    images = tuple(replace(example.IMAGES[0], repository=huge) for _ in range(200))
    end = Finished(Outcome.FAILED, "d", None, images, many, reason, (huge,) * 50)
    of = view([*example.building(), (example.START, end)], environment=huge)
    assert shown(of)
    message = end_message(Shown(of), SAFE, mentions=True)
    assert check_blocks([dict(each) for each in message.blocks], "message")
    assert len(message.text) < 4000


def test_mention_is_only_of_a_slack_user() -> None:
    of = view(example.succeeded())
    texts = [
        text_of(
            [dict(each) for each in end_message(Shown(of, user=user), SAFE, mentions=True).blocks]
        )
        for user in ("U0ANN", "!channel", None)
    ]
    assert texts[0].startswith("<@U0ANN>: ")
    assert [text.startswith("*ada*: ") for text in texts[1:]] == [True, True]


def test_approval_has_its_buttons() -> None:
    assert offered(view(example.asking())) == (Button.APPROVE, Button.REJECT, Button.CANCEL)


def test_rollback_says_what_goes_back_to_which_commit() -> None:
    text = shown(view(example.succeeded(), kind=Kind.ROLLBACK))
    assert re.search(r"\*Rolled back\* \*staging\* to <[^|]*\|`3f9c2a1`>", text)
