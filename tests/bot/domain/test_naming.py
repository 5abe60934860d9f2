from bot.domain.naming import Renaming, Span, spans_of


def test_without_renamings_all_rows_of_the_name_are_its_own() -> None:
    assert spans_of("a", ()) == (Span("a"),)


def test_a_chain_of_names_is_followed_each_up_to_its_end() -> None:
    renamings = (Renaming(5, "a", "b"), Renaming(9, "b", "c"))
    assert spans_of("c", renamings) == (Span("c"), Span("b", 0, 9), Span("a", 0, 5))


def test_there_and_back_all_of_it_is_found() -> None:
    renamings = (Renaming(5, "a", "b"), Renaming(9, "b", "a"))
    assert spans_of("a", renamings) == (Span("a", 5), Span("b", 0, 9), Span("a", 0, 5))


def test_who_takes_a_name_that_was_left_has_nothing_of_who_left_it() -> None:
    assert spans_of("a", (Renaming(5, "a", "b"),)) == (Span("a", 5),)


def test_what_took_a_left_name_before_has_only_what_came_since() -> None:
    renamings = (Renaming(3, "x", "a"), Renaming(5, "a", "b"), Renaming(9, "a", "c"))
    assert spans_of("c", renamings) == (Span("c"), Span("a", 5, 9))


def test_of_one_that_was_written_in_several_ways_all_are_found() -> None:
    renamings = (Renaming(5, "x", "a"), Renaming(7, "a", "c"), Renaming(9, "b", "c"))
    found = spans_of("c", renamings)
    assert found == (Span("c"), Span("b", 0, 9), Span("a", 0, 7), Span("x", 0, 5))


def test_a_row_is_in_it_by_its_name_and_number() -> None:
    span = Span("a", 2, 5)
    assert [seq for seq in range(7) if span.has("a", seq)] == [3, 4]
    assert not span.has("b", 3)
