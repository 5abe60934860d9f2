"""What the comments say."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.deployment import (
    Actor,
    BuiltImage,
    Commit,
    Deployment,
    Kind,
    Outcome,
    Stage,
    UpdatedPipeline,
)
from bot.domain.progress import (
    Ended,
    Finished,
    Log,
    PipelineSeen,
    Planned,
    StageFinished,
    StageStarted,
    Warned,
)
from bot.domain.reasons import Code, Reason
from handlers.reports.github.comment import (
    details,
    failure_comment,
    mention,
    progress_comment,
    summary,
)
from handlers.reports.view import View
from tests.handlers.reports.example import (
    Events,
    board,
    building,
    failed,
    request,
    succeeded,
    verifying,
)
from tests.handlers.reports.github.outside import ASKED, LIVE, MARKDOWN, NASTY, SAFE

LIMIT = 65_536
SUCCEEDED = """\
✅ **Deployed** 3f9c2a1b7d4e5f60718293a4b5c6d7e8f9012345 to **staging** in 1m 12s

Asked for by `ada` in a comment: `Sharper edges [red]at night`

| | Stage | Took | |
| --- | --- | --- | --- |
| ✅ | source | 1.2s |  |
| ✅ | plan | 0.4s | 1 image, 2 pipelines |
| ✅ | build | 38s | edges, base |
| ✅ | test | 4.0s | edges passed |
| ✅ | push | 6.0s |  |
| ✅ | update | 0.7s | 2 pipelines |
| ✅ | verify | 21s | 2 pipelines work |

**Images**

- `registry.acme.io/vision/edges:3f9c2a1b7d4e5f60718293a4b5c6d7e8f9012345` \
`sha256:9c1d7a3b4e5f` built
- `registry.acme.io/vision/base:3f9c2a1b7d4e5f60718293a4b5c6d7e8f9012345` \
`sha256:9c1d7a3b4e5f` already there

**Pipelines**

- `vision/edges` 3 → 4
- `vision/montage` new → 1

**Notes**

- src/\\[bold\\]edges.py is not committed
- vision/edges: 1,204 datums were processed before and are skipped

<sub>deployment `01jd7k2m9q4x8v50`</sub>"""

BREAK = "  "
FAILED = f"""\
@ada: ❌ Deployment of 3f9c2a1b7d4e5f60718293a4b5c6d7e8f9012345 to **staging** \
**failed in build** after 42s

**The image could not be built:** RUN pip install ended with exit code 1{BREAK}
ERROR: no nunpy==1.26{BREAK}
**Where:** `edges/Dockerfile:7`{BREAK}
**Next:** Correct the step that is named; the log has its last lines.

<details><summary>Last lines of edges (build)</summary>

```text
Get [b]0[/b]
Get [b]1[/b]
Get [b]2[/b]
Get [b]3[/b]
Get [b]4[/b]
Get [b]5[/b]
Get [b]6[/b]
Get [b]7[/b]
```

</details>

**Notes**

- src/\\[bold\\]edges.py is not committed

<sub>deployment `01jd7k2m9q4x8v50` · \
The whole log: `pachops show 01jd7k2m9q4x8v50 --log`</sub>"""


def _view(events: Events) -> View:
    return View(ASKED, board(events))


def test_success_reads_so() -> None:
    assert progress_comment(_view(succeeded()), SAFE) == SUCCEEDED


def test_failure_reads_so() -> None:
    assert failure_comment(_view(failed()), SAFE) == FAILED


def test_progress_has_the_plan_until_pipelines_are_seen() -> None:
    assert "- vision/edges: update version 3" in progress_comment(_view(building()), SAFE)
    assert "- `vision/montage` 1 starting" in progress_comment(_view(verifying()), SAFE)


def test_progress_is_the_same_while_a_stage_only_goes_on() -> None:
    later: Events = [*building(), (1_700_009_999.0, Log(Stage.BUILD, "edges", "one line more"))]
    assert progress_comment(_view(building()), SAFE) == progress_comment(_view(later), SAFE)


def test_long_list_is_cut() -> None:
    many = tuple(UpdatedPipeline("vision", f"p{number}", 1, 2) for number in range(100))
    end = Finished(Outcome.SUCCEEDED, None, None, (), many, None)
    body = progress_comment(_view([*verifying(), (1_700_000_100.0, end)]), SAFE)
    assert "vision/p19`" in body
    assert "vision/p20`" not in body
    assert "- and 80 more" in body


def test_waiting_says_so() -> None:
    assert "**waits for its turn**" in progress_comment(View(ASKED), SAFE)


def test_page_is_linked_for_the_whole_log() -> None:
    view = replace(_view(failed()), page="https://bot.acme.io/d/1")
    assert "[The whole log](https://bot.acme.io/d/1)" in progress_comment(view, SAFE)


def test_rollback_is_called_so() -> None:
    view = View(replace(ASKED, request=replace(ASKED.request, kind=Kind.ROLLBACK)), board(failed()))
    assert "Rollback of" in progress_comment(view, SAFE)


@pytest.mark.parametrize(
    ("actor", "expected"),
    [
        (Actor("ada-l", "github"), "@ada-l"),
        (Actor("ada_acme", "github"), "@ada_acme"),
        (Actor("ada--l-", "github"), "@ada--l-"),
        (Actor("ada", "action", "github:ada"), "@ada"),
        (Actor("ada", "slack"), ""),
        (Actor("ada", "cli"), ""),
        (Actor("ada[bot]", "github"), ""),
        (Actor("acme/everybody", "github"), ""),
        (Actor("ada\n@bob", "github"), ""),
    ],
)
def test_only_a_login_on_github_is_mentioned(actor: Actor, expected: str) -> None:
    view = View(replace(ASKED, request=replace(ASKED.request, actor=actor)), board(failed()))
    assert mention(view) == expected


@st.composite
def _views(draw: st.DrawFn) -> View:
    """A failed deployment in which everything from outside is nasty, and sometimes long."""
    long = draw(st.sampled_from([1, 1, 3000]))
    nasty = NASTY.map(lambda text: text * long)
    many = draw(st.sampled_from([1, 40]))
    image = BuiltImage(draw(nasty), draw(nasty), draw(nasty), draw(nasty), built=True)
    pipeline = UpdatedPipeline(draw(nasty), draw(nasty), None, 1)
    reason = Reason(Code.BUILD_FAILED, draw(nasty), draw(nasty), draw(nasty))
    subject = draw(nasty)
    events: Events = [
        (0.0, StageStarted(Stage.BUILD)),
        (0.0, Planned((draw(nasty),) * many, (draw(nasty),) * many)),
        *((0.0, Log(Stage.BUILD, subject, draw(nasty))) for _ in range(3)),
        *((0.0, Warned(f"{number} {draw(nasty)}")) for number in range(many)),
        (0.0, PipelineSeen(draw(nasty), draw(nasty), 1, draw(nasty), "")),
        (1.0, StageFinished(Stage.BUILD, Ended.FAILED, 1.0, draw(nasty))),
    ]
    if draw(st.booleans()):
        end = Finished(
            Outcome.FAILED, None, None, (image,) * many, (pipeline,) * many, reason, (draw(nasty),)
        )
        events.append((2.0, end))
    deployment = Deployment(
        draw(nasty),
        replace(
            request(draw(nasty)),
            commit=Commit(draw(nasty), "", title=draw(nasty)),
            actor=Actor(draw(nasty), "slack"),
        ),
    )
    return View(deployment, board(events))


OURS = {"<details>", "</details>", "<summary>", "</summary>", "<sub>", "</sub>"}


@settings(max_examples=60, deadline=None)
@given(_views(), st.sampled_from([progress_comment, failure_comment, summary, details]))
def test_nothing_from_outside_is_live(view: View, render: object) -> None:
    assert callable(render)
    body = render(view, SAFE)
    assert len(body.encode()) < LIMIT - 1000
    for token in MARKDOWN.parse(body):
        assert token.type not in {"heading_open", "blockquote_open", "code_block", "hr"}
        if token.type == "html_block":
            assert token.content.startswith(("<details><summary>Last lines of", "</details>"))
            assert token.content.count("<") in {1, 3}
            assert not LIVE.search(token.content)
        for child in token.children or ():
            assert child.type not in {"image", "link_open", "s_open", "em_open"}
            assert child.type != "html_inline" or child.content in OURS
            assert child.type != "text" or not LIVE.search(child.content)
