"""Hours and freezes, at the moments where clocks and weeks turn."""

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.domain.calendar import Calendar, Closed, parse_period

WEEKEND = "Fri 16:00 - Mon 08:00 Europe/Berlin"
OFFICE = "Mon - Fri 09:00 - 17:00 Europe/Berlin"
HOLIDAYS = "2026-12-20 - 2027-01-05 Europe/Berlin"


def at(text: str, zone: str = "Europe/Berlin", fold: int = 0) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold)


def freeze(*texts: str) -> Calendar:
    return Calendar(freezes=tuple(parse_period(each) for each in texts))


def hours(*texts: str) -> Calendar:
    return Calendar(hours=(tuple(parse_period(each) for each in texts),))


def closed(calendar: Calendar, moment: datetime) -> Closed:
    found = calendar.closed_at(moment)
    assert found
    return found


@pytest.mark.parametrize(
    ("text", "inside", "outside"),
    [
        (WEEKEND, ["2026-11-27T16:00", "2026-11-30T07:59"], ["2026-11-27T15:59"]),
        (WEEKEND, ["2026-11-29T12:00"], ["2026-11-30T08:00", "2026-12-02T20:00"]),
        ("Sat - Sun Europe/Berlin", ["2026-11-28T00:00", "2026-11-29T23:59"], ["2026-11-30T00:00"]),
        ("sunday Europe/Berlin", ["2026-11-29T00:00"], ["2026-11-28T23:59", "2026-11-30T00:00"]),
        ("Fri 16:00 - Sun Europe/Berlin", ["2026-11-29T23:59"], ["2026-11-30T00:00"]),
        (OFFICE, ["2026-11-26T09:00", "2026-11-26T16:59"], ["2026-11-26T08:59"]),
        (OFFICE, [], ["2026-11-26T17:00", "2026-11-28T12:00"]),
        ("Mon-Fri 09:00-17:00 Europe/Berlin", ["2026-11-26T09:00"], ["2026-11-28T12:00"]),
        ("Fri - Mon 22:00 to 06:00 Europe/Berlin", ["2026-12-01T05:59"], ["2026-12-01T22:00"]),
        ("22:00 - 06:00 Europe/Berlin", ["2026-11-26T23:00", "2026-11-27T05:59"], []),
        ("20:00 \N{EN DASH} 24:00 Europe/Berlin", ["2026-11-26T23:59"], ["2026-11-27T00:00"]),
        ("Fri 08:00 - Fri 07:00 Europe/Berlin", ["2026-11-27T06:59"], ["2026-11-27T07:30"]),
        (HOLIDAYS, ["2026-12-20T00:00", "2027-01-05T23:59"], ["2026-12-19T23:59"]),
        (HOLIDAYS, [], ["2027-01-06T00:00"]),
        ("2026-12-24 Europe/Berlin", ["2026-12-24T12:00"], ["2026-12-25T00:00"]),
        ("2026-12-24 12:00 - 2026-12-27 08:00 Europe/Berlin", ["2026-12-24T12:00"], []),
        ("2026-12-24 12:00 - 2026-12-27 08:00 Europe/Berlin", [], ["2026-12-27T08:00"]),
    ],
)
def test_a_period_holds_from_its_beginning_up_to_its_end(
    text: str, inside: list[str], outside: list[str]
) -> None:
    period = parse_period(text)
    assert [each for each in inside if not period.span_at(at(each))] == []
    assert [each for each in outside if period.span_at(at(each))] == []


@pytest.mark.parametrize(
    ("text", "fact"),
    [
        ("Fri 16:00 - Mon 08:00", "does not end with a time zone"),
        ("", "does not end with a time zone"),
        ("UTC", "does not end with a time zone"),
        (
            "Fri 16:00 - Mon 08:00 Europe/Berln",
            "'Europe/Berln' is not a time zone; 'Europe/Berlin'",
        ),
        ("Sat Mars/Olympus", "'Mars/Olympus' is not a time zone"),
        ("Sat localtime", "'localtime' is not a time zone"),
        ("Sat ../../etc/passwd", "does not end with a time zone"),
        ("Sat etc/../../passwd", "is not a time zone"),
        ("Sat Europe", "'Europe' is not a time zone"),
        ("at night UTC", "'at night' is not a period, such as"),
        ("Fri 16:00 UTC", "is not a period"),
        ("25:00 - 26:00 UTC", "'25:00' is not a time of day"),
        ("Fri 16:60 - Mon 08:00 UTC", "'16:60' is not a time of day"),
        ("Mon 08:00 - Mon 08:00 UTC", "begins and ends at the same time of the week"),
        ("09:00 - 09:00 UTC", "begins and ends at 09:00"),
        ("2026-02-29 UTC", "'2026-02-29' is not a day of the calendar"),
        ("0001-01-01 UTC", "is not a day of the calendar"),
        ("9999-12-31 UTC", "is not a day of the calendar"),
        ("2026-12-24 12:00 UTC", "is a moment; write where it ends too"),
        ("2026-12-24 - 2026-12-23 UTC", "ends before it begins"),
        ("2026-12-24 12:00 - 2026-12-24 12:00 UTC", "ends before it begins"),
    ],
)
def test_what_is_no_period_is_refused_with_what_to_write(text: str, fact: str) -> None:
    with pytest.raises(ValueError, match=re.escape(fact)):
        parse_period(text)


def test_a_freeze_says_until_when_in_the_zone_of_its_people() -> None:
    found = closed(freeze(WEEKEND), at("2026-11-28T12:00"))
    assert found.period == WEEKEND
    assert found.until == at("2026-11-30T08:00")
    assert found.until_text == "Mon 2026-11-30 08:00 Europe/Berlin"


def test_freezes_that_follow_on_each_other_end_with_the_last() -> None:
    calendar = freeze(WEEKEND, HOLIDAYS, "2027-01-06 - 2027-01-07 Europe/Berlin")
    assert closed(calendar, at("2026-12-18T17:00")).until == at("2027-01-08T00:00")


def test_outside_the_hours_is_closed_until_they_begin() -> None:
    found = closed(hours(OFFICE), at("2026-11-27T18:00"))
    assert found.period is None
    assert found.hours == (OFFICE,)
    assert found.until == at("2026-11-30T09:00")


def test_hours_within_a_freeze_do_not_open() -> None:
    calendar = hours(OFFICE).and_also(freeze(HOLIDAYS))
    assert closed(calendar, at("2026-12-19T12:00")).until == at("2027-01-06T09:00")


def test_hours_of_two_groups_must_both_hold() -> None:
    calendar = hours(OFFICE).and_also(hours("12:00 - 20:00 Europe/Berlin"))
    assert closed(calendar, at("2026-11-26T10:00")).until == at("2026-11-26T12:00")
    assert calendar.closed_at(at("2026-11-26T16:59")) is None
    assert closed(calendar, at("2026-11-26T17:00")).until == at("2026-11-27T12:00")


@pytest.mark.parametrize(
    "calendar",
    [
        freeze("Mon - Sun UTC"),
        hours("2026-01-01 UTC"),
        hours("Mon 08:00 - Mon 09:00 UTC").and_also(hours("Tue UTC")),
    ],
)
def test_what_never_opens_has_no_end(calendar: Calendar) -> None:
    assert closed(calendar, at("2026-11-26T10:00")).until is None


@pytest.mark.parametrize("calendar", [hours(OFFICE), freeze(HOLIDAYS)])
def test_hours_alone_and_freezes_alone_are_a_calendar(calendar: Calendar) -> None:
    assert calendar


def test_an_empty_calendar_is_always_open() -> None:
    assert not Calendar()
    assert Calendar().closed_at(at("2026-11-26T10:00")) is None


# --- clocks that are changed: Berlin, 29 March (2:00 is 3:00) and 25 October 2026 (3:00 is 2:00)


def test_an_end_that_the_clocks_leave_out_is_the_moment_of_the_change() -> None:
    found = closed(freeze("Sat 12:00 - Sun 02:30 Europe/Berlin"), at("2026-03-29T01:59"))
    assert found.until == datetime(2026, 3, 29, 1, tzinfo=UTC)
    assert found.until_text == "Sun 2026-03-29 03:00 Europe/Berlin"


def test_a_beginning_that_the_clocks_leave_out_is_the_moment_of_the_change() -> None:
    period = parse_period("Sun 02:30 - Sun 12:00 Europe/Berlin")
    span = period.span_at(at("2026-03-29T03:00"))
    assert span
    assert span.start == datetime(2026, 3, 29, 1, tzinfo=UTC)


def test_a_period_that_the_clocks_leave_out_whole_does_not_come() -> None:
    period = parse_period("Sun 02:10 - Sun 02:50 Europe/Berlin")
    around = datetime(2026, 3, 29, tzinfo=UTC)
    assert not any(period.span_at(around + timedelta(minutes=each)) for each in range(24 * 60))
    assert period.next_start(around) == at("2026-04-05T02:10")


def test_a_time_that_comes_twice_begins_at_the_first_and_ends_at_the_second() -> None:
    begins = parse_period("Sun 02:30 - Sun 12:00 Europe/Berlin")
    assert begins.span_at(at("2026-10-25T02:30"))
    assert begins.span_at(at("2026-10-25T02:00", fold=1))
    ends = parse_period("Sat 12:00 - Sun 02:30 Europe/Berlin")
    assert ends.span_at(at("2026-10-25T02:45"))
    assert ends.span_at(at("2026-10-25T02:29", fold=1))
    assert not ends.span_at(at("2026-10-25T02:30", fold=1))


MOMENTS = st.integers(0, 2 * 365 * 24 * 60).map(
    lambda minutes: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
)
TIMES = st.builds("{:02}:{:02}".format, st.integers(0, 23), st.sampled_from([0, 15, 30, 59]))
DAYS = st.sampled_from(["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"])
ZONES = st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata"])
PERIODS = st.one_of(
    st.builds("{} {} - {} {} {}".format, DAYS, TIMES, DAYS, TIMES, ZONES),
    st.builds("{} - {} {} - {} {}".format, DAYS, DAYS, TIMES, TIMES, ZONES),
    st.builds("{} - {} {}".format, DAYS, DAYS, ZONES),
    st.builds("2026-{:02}-05 - 2026-12-2{} {}".format, st.integers(1, 12), DAYS.map(len), ZONES),
)


@st.composite
def calendars(draw: st.DrawFn) -> Calendar:
    def periods(most: int) -> Calendar:
        texts = draw(st.lists(PERIODS, max_size=most))
        found = []
        for text in texts:
            try:
                found.append(parse_period(text))
            except ValueError:
                continue
        return Calendar((tuple(found),) if found else (), tuple(found))

    return Calendar(periods(2).hours, periods(2).freezes)


@given(calendars(), MOMENTS)
@example(freeze("Sat 12:00 - Sun 02:30 Europe/Berlin"), datetime(2026, 3, 29, 0, 59, tzinfo=UTC))
def test_it_is_open_when_it_says_so_and_not_a_minute_earlier(
    calendar: Calendar, moment: datetime
) -> None:
    found = calendar.closed_at(moment)
    if found is None or found.until is None:
        return
    assert found.until > moment
    assert calendar.closed_at(found.until) is None
    assert calendar.closed_at(found.until - timedelta(minutes=1)) is not None
    between = moment + (found.until - moment) / 2
    assert calendar.closed_at(between) is not None


@given(calendars(), calendars(), MOMENTS)
def test_two_calendars_together_are_open_only_when_both_are(
    one: Calendar, other: Calendar, moment: datetime
) -> None:
    both = one.and_also(other).closed_at(moment) is None
    assert both == (one.closed_at(moment) is None and other.closed_at(moment) is None)
