"""Where a deployment is told of."""

from handlers.reports.slack.origin import Asked, Heard, Origin, Place, told_in

EVERYTHING = frozenset({"deployments", "releases"})
ASKED = Asked("C1", "U1", "ml", "1.2")


def test_each_channel_is_told_once_and_where_it_was_asked_first() -> None:
    origin = Origin(ASKED, ("#ml", "C1", "#releases", "#releases"))
    assert list(origin.places()) == [
        Place("C1", "1.2", "U1", EVERYTHING),
        Place("#releases", hears=EVERYTHING),
    ]


def test_a_channel_that_subscribed_is_told_once_too() -> None:
    heard = (Heard("C1", ("failures",)), Heard("C2", ("failures",)), Heard("C3", ("releases",)))
    assert list(Origin(ASKED, ("#ops",), heard).places()) == [
        Place("C1", "1.2", "U1", frozenset({"deployments", "failures"})),
        Place("#ops"),
        Place("C2", hears=frozenset({"failures"})),
        Place("C3", hears=frozenset({"releases"})),
    ]


def test_what_the_surface_noted_is_kept_and_the_channels_are_added() -> None:
    told = told_in(Origin(ASKED).to_json(), ["#releases"])
    assert told is not None
    assert Origin.from_json(told) == Origin(ASKED, ("#releases",))


def test_without_a_place_there_is_nothing_to_note() -> None:
    assert told_in(None, []) is None
