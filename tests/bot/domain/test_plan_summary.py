import json

from bot.domain.plan import Change, Plan
from bot.domain.plan_summary import plan_from_json, plan_json, summary
from tests.bot.domain.plans import edges_plan


def test_a_plan_in_short_knows_what_reads_what() -> None:
    short = summary(edges_plan())
    assert [(each.full_name, each.change, each.reads) for each in short.pipelines] == [
        ("vision/edges", Change.UPDATE, ("vision/images", "other/masks"))
    ]


def test_it_comes_back_as_it_was_kept_and_without_secrets() -> None:
    short = summary(edges_plan())
    assert plan_from_json(json.loads(json.dumps(plan_json(short, str)))) == short
    kept = json.dumps(plan_json(short, lambda text: text.replace("s3cret", "***")))
    assert "s3cret" not in kept


def test_a_spec_that_cannot_be_read_is_drawn_alone() -> None:
    broken = edges_plan(spec="{}")
    assert summary(broken).pipelines[0].reads == ()
    assert summary(Plan((), ())).pipelines == ()
