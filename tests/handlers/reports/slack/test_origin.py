"""Where a deployment is told of."""

from handlers.reports.slack.origin import Asked, Origin, Place, told_in

ASKED = Asked("C1", "U1", "ml", "1.2")


def test_each_channel_is_told_once_and_where_it_was_asked_first() -> None:
    origin = Origin(ASKED, ("#ml", "C1", "#releases", "#releases"))
    assert list(origin.places()) == [Place("C1", "1.2", "U1"), Place("#releases")]


def test_what_the_surface_noted_is_kept_and_the_channels_are_added() -> None:
    told = told_in(Origin(ASKED).to_json(), ["#releases"])
    assert told is not None
    assert Origin.from_json(told) == Origin(ASKED, ("#releases",))


def test_without_a_place_there_is_nothing_to_note() -> None:
    assert told_in(None, []) is None
