"""Hours and freezes: when an environment may be deployed to, and until when it may not.

A period is written with its time zone at its end:

    Fri 16:00 - Mon 08:00 Europe/Berlin           every week, from one to the other
    Sat - Sun Europe/Berlin                       every week, whole days
    Mon - Fri 09:00 - 17:00 Europe/Berlin         on each of these days
    22:00 - 06:00 UTC                             every day
    2026-12-20 - 2027-01-05 Europe/Berlin         whole days, both included
    2026-12-24 12:00 - 2026-12-27 08:00 UTC       from one moment to another

The hours are those of the zone's clocks. Where these are put forward, a time that they leave out
is the moment of the change. Where they are put back and show a time twice, a period begins at
the first and ends at the second.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from difflib import get_close_matches
from functools import lru_cache
from zoneinfo import ZoneInfo, available_timezones

_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_DAY = r"(mon|tue|wed|thu|fri|sat|sun|monday|tuesday|wednesday|thursday|friday|saturday|sunday)"
_TIME = r"([0-9]{1,2}:[0-9]{2})"
_DATE = r"([0-9]{4}-[0-9]{2}-[0-9]{2})"
_TO = r"(?:\s*-\s*|\s+to\s+)"
_WEEKLY = re.compile(rf"{_DAY}(?:\s+{_TIME})?{_TO}{_DAY}(?:\s+{_TIME})?")
_ON_DAYS = re.compile(rf"(?:{_DAY}(?:{_TO}{_DAY})?\s+)?{_TIME}{_TO}{_TIME}")
_ONE_DAY = re.compile(_DAY)
_DATES = re.compile(rf"{_DATE}(?:\s+{_TIME})?(?:{_TO}{_DATE}(?:\s+{_TIME})?)?")
_DASHES = str.maketrans({"\N{EN DASH}": "-", "\N{EM DASH}": "-"})
_NOT_PLACES = frozenset({"localtime", "Factory", "posixrules"})
"""Names that mean something else on each machine."""
_EXAMPLE = (
    "such as 'Fri 16:00 - Mon 08:00 Europe/Berlin' or '2026-12-20 - 2027-01-05 Europe/Berlin'"
)
_WEEK = 7
_YEARS = range(2000, 3000)
_JUST_BEGUN = range(-_WEEK - 1, 2)
"""Days on which what holds now may have begun; a day more on both sides for the zones."""
_SOON = range(-1, 2 * _WEEK + 1)
"""Days on which it begins next; two weeks, for a time that the clocks may leave out."""
_MOST_STEPS = 100
"""How many ends and beginnings are followed until a moment is taken for one that never comes."""


@dataclass(frozen=True)
class Span:
    """From a moment to another, which is no part of it; in UTC."""

    start: datetime
    end: datetime


@dataclass(frozen=True)
class Weekly:
    """What comes again every week."""

    days: frozenset[int]
    """Days on which it begins; Monday is 0."""
    start: time
    length: int
    """How many days later it ends."""
    end: time
    zone: str

    def spans(self, around: datetime, days: range) -> Iterator[Span]:
        """Those that begin on these days, counted from the moment's, in their order."""
        zone = _zone(self.zone)
        today = around.astimezone(zone).date()
        for offset in days:
            first = today + timedelta(offset)
            if first.weekday() in self.days:
                last = first + timedelta(self.length)
                yield Span(_begin(first, self.start, zone), _finish(last, self.end, zone))


@dataclass(frozen=True)
class Once:
    """What comes once."""

    first: date
    start: time
    last: date
    end: time
    zone: str

    def spans(self, _around: datetime, _days: range) -> Iterator[Span]:
        """The one that there is."""
        zone = _zone(self.zone)
        yield Span(_begin(self.first, self.start, zone), _finish(self.last, self.end, zone))


@dataclass(frozen=True)
class Period:
    """A part of time, as it was written."""

    text: str
    when: Weekly | Once

    def span_at(self, moment: datetime) -> Span | None:
        """The span that the moment is in; of several the one that ends last."""
        spans = self.when.spans(moment, _JUST_BEGUN)
        found = [each for each in spans if each.start <= moment < each.end]
        return max(found, key=lambda each: each.end, default=None)

    def next_start(self, moment: datetime) -> datetime | None:
        """When it begins next after the moment; None where it does not."""
        spans = self.when.spans(moment, _SOON)
        return next((each.start for each in spans if moment < each.start < each.end), None)


@dataclass(frozen=True)
class Closed:
    """Why a moment is not one to deploy at."""

    period: str | None
    """The freeze as it was written; None where it is outside the hours."""
    hours: tuple[str, ...] = ()
    """The hours that it is outside of."""
    until: datetime | None = None
    """When it is open again, in UTC; None where no such moment is in sight."""
    zone: str = "UTC"
    """The zone in which people read it."""

    @property
    def until_text(self) -> str | None:
        """The same in the zone's own time, such as `Mon 2026-11-30 08:00 Europe/Berlin`."""
        if self.until is None:
            return None
        return f"{self.until.astimezone(_zone(self.zone)):%a %Y-%m-%d %H:%M} {self.zone}"


@dataclass(frozen=True)
class Calendar:
    """When an environment may be deployed to: within every group of hours, and in no freeze."""

    hours: tuple[tuple[Period, ...], ...] = ()
    """Of each group at least one period must hold."""
    freezes: tuple[Period, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.hours or self.freezes)

    def closed_at(self, moment: datetime) -> Closed | None:
        """Why the moment is none to deploy at; None where it is one."""
        for freeze in self.freezes:
            if freeze.span_at(moment):
                until = self._opens_after(moment)
                return Closed(freeze.text, until=until, zone=freeze.when.zone)
        for group in self.hours:
            if not _is_in(group, moment):
                texts = tuple(each.text for each in group)
                return Closed(None, texts, self._opens_after(moment), group[0].when.zone)
        return None

    def and_also(self, other: "Calendar") -> "Calendar":
        """The calendar that is open where both are."""
        return Calendar(
            tuple(dict.fromkeys((*self.hours, *other.hours))),
            tuple(dict.fromkeys((*self.freezes, *other.freezes))),
        )

    def _opens_after(self, moment: datetime) -> datetime | None:
        for _ in range(_MOST_STEPS):
            ends = [span.end for each in self.freezes if (span := each.span_at(moment))]
            if ends:
                moment = max(ends)
                continue
            group = next((each for each in self.hours if not _is_in(each, moment)), None)
            if group is None:
                return moment
            starts = [start for each in group if (start := each.next_start(moment))]
            if not starts:
                return None
            moment = min(starts)
        return None


ALWAYS = Calendar()
"""Open at any time."""


def _is_in(periods: Sequence[Period], moment: datetime) -> bool:
    return any(each.span_at(moment) for each in periods)


def parse_period(text: str) -> Period:
    """Read a period; ValueError says what to write."""
    written = " ".join(text.translate(_DASHES).split())
    body, _, zone = written.rpartition(" ")
    _check_zone(zone, body)
    when = _recurring(body.lower(), zone) or _once(body.lower(), zone)
    if when is None:
        problem = f"'{_short(body)}' is not a period, {_EXAMPLE}"
        raise ValueError(problem)
    return Period(written, when)


def _recurring(body: str, zone: str) -> Weekly | None:
    if found := _WEEKLY.fullmatch(body):
        first, start, last, end = found.groups()
        length = (_day(last) - _day(first)) % _WEEK
        return _weekly({_day(first)}, start, length, end, zone)
    if found := _ON_DAYS.fullmatch(body):
        first, last, start, end = found.groups()
        days = _days_from(first, last or first)
        length = 0 if _minutes(start) < _minutes(end) else 1
        if _minutes(start) == _minutes(end):
            problem = f"begins and ends at {start}: leave the hours out for whole days"
            raise ValueError(problem)
        return _weekly(days, start, length, end, zone)
    if found := _ONE_DAY.fullmatch(body):
        return _weekly({_day(found[1])}, None, 0, None, zone)
    return None


def _weekly(days: set[int], start: str | None, length: int, end: str | None, zone: str) -> Weekly:
    more, at = _end(end)
    begins = _clock(start or "00:00")
    if length == 0 and more == 0 and at <= begins:
        if at == begins:
            raise ValueError("begins and ends at the same time of the week")
        length = _WEEK
    return Weekly(frozenset(days), begins, length + more, at, zone)


def _once(body: str, zone: str) -> Once | None:
    found = _DATES.fullmatch(body)
    if found is None:
        return None
    first, start, last, end = found.groups()
    if start and last is None:
        problem = f"'{body}' is a moment; write where it ends too"
        raise ValueError(problem)
    more, at = _end(end)
    until = _date(last or first) + timedelta(more)
    when = Once(_date(first), _clock(start or "00:00"), until, at, zone)
    if (when.last, when.end) <= (when.first, when.start):
        raise ValueError("ends before it begins")
    return when


def _end(text: str | None) -> tuple[int, time]:
    """Days to add, and the time; without one the whole day belongs to it."""
    if text is None or text == "24:00":
        return 1, time(0)
    return 0, _clock(text)


def _clock(text: str) -> time:
    hours, _, minutes = text.partition(":")
    try:
        return time(int(hours), int(minutes))
    except ValueError:
        problem = f"'{text}' is not a time of day; write it from 00:00 to 23:59"
        raise ValueError(problem) from None


def _minutes(text: str) -> int:
    more, at = _end(text)
    return more * 24 * 60 + at.hour * 60 + at.minute


def _date(text: str) -> date:
    try:
        found = date.fromisoformat(text)
    except ValueError:
        found = date.min
    if found.year not in _YEARS:
        problem = f"'{text}' is not a day of the calendar"
        raise ValueError(problem)
    return found


def _day(text: str) -> int:
    return next(number for number, name in enumerate(_DAYS) if name.startswith(text[:3]))


def _days_from(first: str | None, last: str | None) -> set[int]:
    if first is None or last is None:
        return set(range(_WEEK))
    begin = _day(first)
    return {(begin + each) % _WEEK for each in range((_day(last) - begin) % _WEEK + 1)}


def _check_zone(zone: str, body: str) -> None:
    if body and zone not in _NOT_PLACES and _is_zone(zone):
        return
    if not body or not zone[:1].isalpha():
        problem = f"does not end with a time zone; write a period with one, {_EXAMPLE}"
        raise ValueError(problem)
    near = get_close_matches(zone, _alike(zone), n=1)
    meant = f"; '{near[0]}' is one" if near else ", such as Europe/Berlin or UTC"
    problem = f"'{_short(zone)}' is not a time zone{meant}"
    raise ValueError(problem)


def _alike(zone: str) -> list[str]:
    """Those that may be meant: to compare each with all takes a minute where very many are wrong."""
    first, town = zone[0].lower(), zone.lower()
    return [
        each
        for each in _places()
        if each[0].lower() == first or each.rpartition("/")[2].lower() == town
    ]


@lru_cache(maxsize=1)
def _places() -> frozenset[str]:
    # Each time it would look through all the files that there are of them.
    return frozenset(available_timezones() - _NOT_PLACES)


def _is_zone(name: str) -> bool:
    try:
        _zone(name)
    except (ValueError, OSError, KeyError):
        return False
    return True


def _short(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:59]}…"


@lru_cache(maxsize=64)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def _begin(day: date, at: time, zone: ZoneInfo) -> datetime:
    return _moment(day, at, zone, fold=0)


def _finish(day: date, at: time, zone: ZoneInfo) -> datetime:
    return _moment(day, at, zone, fold=1)


def _moment(day: date, at: time, zone: ZoneInfo, *, fold: int) -> datetime:
    """The moment when the zone's clocks show this, in UTC."""
    wall = datetime.combine(day, at, zone).replace(fold=fold)
    found = wall.astimezone(UTC)
    if found.astimezone(zone).replace(tzinfo=None, fold=0) == wall.replace(tzinfo=None, fold=0):
        return found
    return _change(wall.replace(fold=1).astimezone(UTC), wall.replace(fold=0).astimezone(UTC), zone)


def _change(low: datetime, high: datetime, zone: ZoneInfo) -> datetime:
    """The moment between the two at which the clocks were put forward."""
    before = low.astimezone(zone).utcoffset()
    while high - low > timedelta(seconds=1):
        middle = low + (high - low) // 2
        if middle.astimezone(zone).utcoffset() == before:
            low = middle
        else:
            high = middle
    return high.replace(microsecond=0)
