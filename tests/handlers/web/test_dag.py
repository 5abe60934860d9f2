from bot.domain.plan import Change
from bot.domain.plan_summary import PlanSummary
from handlers.web.dag import MOST, draw
from tests.handlers.web.world import PLAN_OF_VISION, pipeline


def test_what_is_read_stands_left_of_who_reads_it() -> None:
    drawing = draw(PLAN_OF_VISION)
    assert drawing
    x = {box.title: box.x for box in drawing.boxes}
    for each in PLAN_OF_VISION.pipelines:
        assert all(x[read] < x[each.full_name] for read in each.reads)


def test_no_two_boxes_lie_on_each_other() -> None:
    pipelines = [pipeline(f"p{n}", *(f"vision/p{m}" for m in range(0, n, 3))) for n in range(40)]
    drawing = draw(PlanSummary(pipelines=tuple(pipelines)))
    assert drawing
    spots = [(box.x, box.y) for box in drawing.boxes]
    assert len(set(spots)) == len(spots)
    assert all(0 <= box.x <= drawing.width - box.width for box in drawing.boxes)
    assert all(0 <= box.y <= drawing.height - box.height for box in drawing.boxes)
    assert len(drawing.paths) == sum(len(each.reads) for each in pipelines)


def test_data_that_no_pipeline_writes_is_drawn_as_data() -> None:
    drawing = draw(PLAN_OF_VISION)
    assert drawing
    changes = {box.title: box.change for box in drawing.boxes}
    assert changes["vision/images"] is None
    assert changes["vision/montage"] is Change.CREATE


def test_nothing_is_drawn_of_nothing_or_of_a_circle() -> None:
    assert draw(PlanSummary()) is None
    circle = (pipeline("a", "vision/b"), pipeline("b", "vision/a"))
    assert draw(PlanSummary(pipelines=circle)) is None


def test_of_a_large_plan_what_changes_is_drawn_with_its_neighbours() -> None:
    chain = [pipeline("p0", "vision/data")]
    for number in range(1, 2 * MOST):
        change = Change.UPDATE if number == 100 else Change.NONE
        chain.append(pipeline(f"p{number}", f"vision/p{number - 1}", change=change))
    chain[0] = pipeline("p0", "vision/data", change=Change.NONE)
    drawing = draw(PlanSummary(pipelines=tuple(chain)))
    assert drawing
    names = {box.name for box in drawing.boxes}
    assert names == {"p98", "p99", "p100", "p101"}
    assert drawing.left_out == 2 * MOST - 3


def test_a_long_name_is_cut_and_kept_whole_in_its_title() -> None:
    name = "a" * 51
    drawing = draw(PlanSummary(pipelines=(pipeline(name),)))
    assert drawing
    assert drawing.boxes[0].title == f"vision/{name}"
    assert len(drawing.boxes[0].name) < 25
