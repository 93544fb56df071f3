"""The chart of characters: a column for every quarter hour, half or hour, under labels by the local clock."""

from __future__ import annotations

from datetime import date, timedelta
from functools import lru_cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meters import SEED
from meters.calendar import day_start, local, seconds
from meters.faults.kinds import FaultKind
from meters.faults.rules import FaultRule
from meters.fleet import Fleet
from meters.identity import TDSPS
from meters.load.premises import MARKET
from reports.meter.day import MeterDay, meter_day
from reports.text_chart import ASCII, MARGIN, ROWS, UNICODE, ceiling, chart, glyphs_for
from simulator.world.roster import find

DAY = date(2026, 8, 12)
SPRING, AUTUMN = date(2026, 3, 8), date(2026, 11, 1)
#: Plain, with a car, with a roof, a business.
ORDINALS = (3, 4, 15, 1)
START = day_start(DAY)
RULES = (
    FaultRule(FaultKind.GAP, START + 20 * 900, START + 38 * 900, meters=(3,)),
    FaultRule(FaultKind.SPIKE, START + 56 * 900, START + 57 * 900, {"factor": 40.0}, meters=(3,)),
    FaultRule(FaultKind.NEGATIVE, START + 40 * 900, START + 48 * 900, meters=(4,)),
)


@lru_cache(maxsize=64)
def held(day: date = DAY, ordinal: int = 3, *, faulty: bool = False) -> MeterDay:
    fleet = Fleet(TDSPS["ONCOR"], SEED, 40, RULES if faulty else (), MARKET)
    return meter_day(find(fleet, fleet.premise(ordinal).esiid, day), fleet, day)


def drawn(shown: MeterDay, width: int = 110) -> list[str]:
    return [line.plain for line in chart(shown, width, UNICODE)]


def bars(lines: list[str]) -> list[str]:
    """The rows of bars, above the axis and below it."""
    return [line for line in lines if line[MARGIN - 1 : MARGIN] in ("│", "┤")]


@settings(max_examples=60)
@given(
    days=st.integers(0, 3000) | st.sampled_from([(SPRING - date(2020, 1, 1)).days, (AUTUMN - date(2020, 1, 1)).days]),
    ordinal=st.sampled_from(ORDINALS),
    width=st.integers(20, 200),
)
def test_a_day_fits_into_the_width_with_a_column_for_each_of_its_parts(days: int, ordinal: int, width: int) -> None:
    shown = held(date(2020, 1, 1) + timedelta(days=days), ordinal)
    lines = drawn(shown, width)
    n = len(shown.ends)
    per = 1 if n + MARGIN <= width else 2 if n // 2 + MARGIN <= width else 4
    axis = next(line for line in lines if "┼" in line)
    assert len(axis) == MARGIN + n // per
    assert max(len(line) for line in lines) <= MARGIN + n // per + 2
    assert [line for line in lines if line != line.rstrip()] == []
    assert 1 <= len(bars(lines)) <= ROWS


@pytest.mark.parametrize("day", [DAY, SPRING, AUTUMN])
@pytest.mark.parametrize("width", [110, 60, 40])
def test_hours_stand_under_the_quarters_that_begin_them(day: date, width: int) -> None:
    shown = held(day)
    lines = drawn(shown, width)
    axis = next(line for line in lines if "┼" in line)
    labels = lines[-2]
    per = len(shown.ends) // (len(axis) - MARGIN)
    ticks = [at - MARGIN for at, axi in enumerate(axis) if axi == "┴"]
    assert [local(seconds(shown.starts[at * per])).hour for at in ticks] == list(range(0, 24, 3))
    assert [labels[at + MARGIN : at + MARGIN + 2] for at in ticks] == [f"{hour:02d}" for hour in range(0, 24, 3)]


def test_a_higher_bar_stands_for_more_energy() -> None:
    shown = held()
    rows = bars(drawn(shown))
    heights = [sum(" ▁▂▃▄▅▆▇█".index(row.ljust(MARGIN + 96)[MARGIN + at]) for row in rows) for at in range(96)]
    order = np.argsort(shown.delivered, kind="stable")
    assert np.all(np.diff(np.array(heights)[order]) >= 0)
    unit = float(rows[0][: MARGIN - 1]) / len(rows)
    assert np.abs(np.array(heights) / 8 * unit - shown.delivered * 4 / 1000).max() <= unit / 8


def test_what_is_missing_or_wrong_has_a_mark_under_it_and_a_spike_is_cut_off() -> None:
    lines = drawn(held(faulty=True))
    marks = next(line for line in lines if line.startswith(" marks"))[MARGIN:]
    assert {at for at, mark in enumerate(marks) if mark == "x"} == set(range(20, 38))
    assert [at for at, mark in enumerate(marks) if mark == "*"] == [56]
    top = bars(lines)[0]
    assert top[MARGIN + 56] == "▲"
    # The spike takes nothing from the rest: their highest reaches into the upper half.
    upper = bars(lines)[: len(bars(lines)) // 2]
    assert sum(one in "▁▂▃▄▅▆▇█" for row in upper for one in row[MARGIN:]) > 5
    assert all(row.ljust(MARGIN + 96)[MARGIN + 20 : MARGIN + 38].isspace() for row in bars(lines))


def test_surplus_and_negative_values_lie_below_the_axis() -> None:
    for shown, where in ((held(date(2026, 5, 10), 15), None), (held(ordinal=4, faulty=True), range(40, 48))):
        lines = drawn(shown)
        axis = next(at for at, line in enumerate(lines) if "┼" in line)
        below = lines[axis + 1].ljust(MARGIN + 96)[MARGIN:]
        wanted = np.flatnonzero(shown.received) if where is None else list(where)
        assert [at for at, one in enumerate(below) if one != " "] == list(wanted)


def test_an_encoding_without_blocks_gets_plain_characters() -> None:
    assert [glyphs_for(one) for one in ("utf-8", "ascii", "latin-1", None)] == [UNICODE, ASCII, ASCII, ASCII]
    for shown in (held(), held(faulty=True), held(date(2026, 5, 10), 15)):
        assert "\n".join(line.plain for line in chart(shown, 110, ASCII)).isascii()


@given(st.lists(st.floats(0, 1000), min_size=1, max_size=100))
def test_a_chart_reaches_to_the_highest_value_or_over_all_but_a_few(values: list[float]) -> None:
    reach = ceiling(np.array(values))
    assert sum(value > reach for value in values) <= max(1, len(values) // 20 + 1)
    assert reach <= max(values)
    assert ceiling(np.append(values, np.nan)) == reach
