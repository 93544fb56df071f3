"""Which clock --clock, --speed and --date ask for."""

from __future__ import annotations

import time

import pytest

from meters.calendar import epoch, to_us
from meters.errors import UserError
from simulator.runtime.clock import MAX_SPEED, MIN_SPEED, ClockMode
from simulator.runtime.clock_options import SPEED, clock_of

NOON, EVENING = to_us(epoch("2026-08-12T12:00")), to_us(epoch("2026-08-12T17:40"))


@pytest.mark.parametrize(
    ("mode", "speed", "date", "begins", "rate"),
    [
        ("real", None, "2026-08-12", NOON, 1.0),
        ("scaled", None, "2026-08-12T17:40", EVENING, SPEED),
        ("scaled", MIN_SPEED, "2026-08-12", NOON, MIN_SPEED),
        ("scaled", MAX_SPEED, "2026-08-12", NOON, MAX_SPEED),
        ("manual", None, "2026-08-12T17:40", EVENING, 0.0),
        ("manual", None, "2020-01-02", to_us(epoch("2020-01-02T12:00")), 0.0),
        ("manual", None, "2099-12-30", to_us(epoch("2099-12-30T12:00")), 0.0),
    ],
)
def test_a_clock_begins_at_noon_of_a_day_or_at_an_instant(
    mode: str, speed: float | None, date: str, begins: int, rate: float
) -> None:
    clock = clock_of(mode, speed, date)
    assert (clock.mode, clock.epoch_us, clock.rate) == (mode, begins, rate)


def test_without_a_date_it_begins_now() -> None:
    before = int(time.time())
    assert to_us(before) <= clock_of("manual", None, "").epoch_us <= to_us(int(time.time()))


@pytest.mark.parametrize(
    ("mode", "speed", "date", "code", "place", "mend"),
    [
        ("fast", None, "", "clock.mode", "--clock", "Choose real, scaled."),
        ("manual", None, "", "clock.mode", "--clock", "Choose real, scaled."),
        ("real", 2.0, "", "clock.speed", "--speed", "give --clock scaled"),
        ("scaled", 0.0, "", "clock.speed", "--speed", "at most 86,400"),
        ("scaled", 1e-300, "", "clock.speed", "--speed", "at least 0.001"),
        ("scaled", MAX_SPEED + 1, "", "clock.speed", "--speed", "at most 86,400"),
        ("scaled", None, "12.08.2026", "clock.date", "--date", "Write it as 2026-08-12 (noon) or"),
        ("scaled", None, "2026-02-30", "clock.date", "--date", "Write it as 2026-08-12 (noon) or"),
        ("scaled", None, "2026-08-12T25:00", "calendar.instant.malformed", "--date", "2026-08-12T"),
        ("scaled", None, "2020-01-01", "clock.date", "--date", "after 2020-01-01 and before 2099-12-31"),
        ("scaled", None, "2099-12-31", "clock.date", "--date", "after 2020-01-01 and before 2099-12-31"),
    ],
)  # fmt: skip
def test_what_there_is_no_clock_for_names_its_option(
    mode: str, speed: float | None, date: str, code: str, place: str, mend: str
) -> None:
    with pytest.raises(UserError) as caught:
        clock_of(mode, speed, date, (ClockMode.REAL, ClockMode.SCALED))
    assert (caught.value.code, caught.value.place) == (code, place)
    assert mend in caught.value.mend
