"""Text from outside at its worst, and a deployment that was asked for on GitHub."""

import re
from dataclasses import replace

from hypothesis import strategies as st
from markdown_it import MarkdownIt
from pydantic import SecretStr

from bot.domain.deployment import Actor, Trigger
from bot.redact import Redactor
from handlers.reports.github.safe import Safe
from tests.handlers.reports.example import RUNNING, request

SECRET = "hunter2hunter2"
SAFE = Safe(Redactor([SecretStr(SECRET)]))
MARKDOWN = MarkdownIt("commonmark").enable(["table", "strikethrough"])
"""Enough of GitHub's own."""
LIVE = re.compile(r"@\w|#\w|\w://|\bwww\.|\bGH-\d", re.IGNORECASE)
"""What GitHub makes a mention, a reference or a link of, in text that is not code."""

NASTY = st.lists(
    st.one_of(
        st.sampled_from(
            [
                *"`~*_[]()<>!|\\#@-+=&$:\n\r\t ",
                "```",
                "````",
                "~~~",
                "</details>",
                "<details>",
                "<!--",
                "-->",
                "@ada",
                "@acme/team",
                "#12",
                "GH-3",
                "https://github.com/acme/vision/issues/1",
                "www.example.com",
                "![x](y)",
                "\x1b[31m",
                "\u202e",
                "1. ",
                "\ud800",
                SECRET,
            ]
        ),
        st.text(max_size=5),
    ),
    max_size=30,
).map("".join)

ASKED = replace(
    RUNNING, request=replace(request(), actor=Actor("ada", "github"), trigger=Trigger.COMMENT)
)
