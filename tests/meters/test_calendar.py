from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meters import calendar
from meters.calendar import Seconds
from meters.errors import MeterError

SPRING, AUTUMN = date(2026, 3, 8), date(2026, 11, 1)
some_days = st.one_of(
    st.dates(date(2007, 1, 1), date(2040, 12, 30)),
    st.sampled_from([SPRING, AUTUMN, date(2025, 3, 9), date(2025, 11, 2), date(2024, 2, 29), date(2026, 12, 31)]),
)


def test_spring_forward_day_has_92_intervals() -> None:
    assert calendar.intervals_in(SPRING) == 92


def test_fall_back_day_has_100_intervals() -> None:
    assert calendar.intervals_in(AUTUMN) == 100


@given(day=some_days)
def test_day_is_cut_into_92_96_or_100_intervals_without_a_seam(day: date) -> None:
    ends = calendar.interval_ends(day)
    assert len(ends) == calendar.intervals_in(day)
    assert len(ends) in (92, 96, 100)
    assert ends[0] == calendar.day_start(day) + calendar.INTERVAL_S
    assert ends[-1] == calendar.day_end(day) == calendar.day_start(day + timedelta(days=1))


@given(day=some_days, data=st.data())
def test_instants_of_a_day_come_back_from_local_time(day: date, data: st.DataObject) -> None:
    ts = calendar.seconds(data.draw(st.integers(calendar.day_start(day), calendar.day_end(day) - 1)))
    assert calendar.epoch(calendar.local(ts)) == ts
    assert calendar.epoch(calendar.iso(ts)) == ts
    assert calendar.day_of(ts) == day


@given(day=some_days)
def test_each_interval_belongs_to_its_day_though_the_last_ends_at_midnight(day: date) -> None:
    assert {calendar.day_of_interval(calendar.seconds(end)) for end in calendar.interval_ends(day)} == {day}


@given(ts=st.integers(1_200_000_000, 2_200_000_000))
def test_floor_is_the_interval_bound_at_or_before(ts: Seconds) -> None:
    floored = calendar.floor_interval(ts)
    assert floored % 900 == 0
    assert 0 <= ts - floored < 900


@given(day=some_days)
def test_us_date_round_trips(day: date) -> None:
    assert calendar.parse_us_date(calendar.us_date(day)) == day


def test_hour_that_is_skipped_in_spring_is_refused() -> None:
    for text in ("2026-03-08T02:00", "2026-03-08T02:59:59"):
        with pytest.raises(MeterError, match=r"calendar\.instant\.skipped"):
            calendar.epoch(text)
    assert calendar.epoch("2026-03-08T03:00") == calendar.epoch("2026-03-08T01:59:59") + 1


def test_repeated_hour_means_the_first_unless_an_offset_says_otherwise() -> None:
    first = calendar.epoch("2026-11-01T01:30")
    assert first == calendar.epoch("2026-11-01T01:30-05:00")
    assert calendar.epoch("2026-11-01T01:30-06:00") == first + 3600
    assert calendar.us_stamp(first) == calendar.us_stamp(first + 3600)


@pytest.mark.parametrize("text", ["yesterday", "", "2026-02-30T10:00", "08/12/2026 17:40"])
def test_text_that_is_no_instant_is_refused_with_its_place(text: str) -> None:
    with pytest.raises(MeterError, match=r"calendar\.instant\.malformed: now: "):
        calendar.epoch(text, place="now")


@pytest.mark.parametrize("text", ["2026-08-12", "8/12/2026", "02/30/2026", "08/12/2026 "])
def test_us_date_takes_nothing_else(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        calendar.parse_us_date(text)


def test_days_include_both_ends() -> None:
    assert calendar.days(date(2026, 2, 27), date(2026, 3, 1)) == [
        date(2026, 2, 27),
        date(2026, 2, 28),
        date(2026, 3, 1),
    ]
    assert calendar.days(AUTUMN, SPRING) == []


def test_datetime_without_offset_is_central_time() -> None:
    assert calendar.iso(calendar.epoch(datetime(2026, 8, 12, 17, 40))) == "2026-08-12T17:40:00-05:00"
    assert calendar.iso(calendar.epoch("2026-01-12T17:40")) == "2026-01-12T17:40:00-06:00"


@pytest.mark.parametrize("text", ["1999-12-31T23:59", "2100-01-01T00:00", "0001-01-01T00:00"])
def test_an_instant_of_another_century_is_refused_with_the_years_that_there_are(text: str) -> None:
    with pytest.raises(MeterError, match=r"calendar\.instant\.range: now: .* Give a year from 2000 to 2099\."):
        calendar.epoch(text, place="now")
    assert calendar.epoch("2000-01-01T00:00") < calendar.epoch("2099-12-31T23:59")
