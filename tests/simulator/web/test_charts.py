"""Charts: one element an interval, of its kind, as tall as its energy, by one measure; each with the table that says the same."""

from __future__ import annotations

import re
from datetime import date
from itertools import pairwise
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.web.charts import QUARTER_HOURS, WIDTHS, Chart, Column, bars, day_ticks
from simulator.web.gallery import LONG, PLAIN, SHORT, charts, day_chart
from simulator.web.kinds import ACTUAL, ESTIMATED, KINDS, METER, MISSING, STORE, fill, patterns
from simulator.web.parts import legend_of, rows_of
from simulator.web.plot import ABOVE, PHONE, PLOT, ROOM, Tick, apart, beside, span, step_of
from simulator.web.words import begins

SVG = "{http://www.w3.org/2000/svg}"


def drawn(chart: Chart, channel: str = "delivered") -> list[ET.Element]:
    found = ET.fromstring(str(bars(chart))).find(f".//g[@data-channel='{channel}']")
    return [] if found is None else list(found)


@pytest.mark.parametrize("name", charts())
def test_each_interval_is_one_element_of_its_kind(name: str) -> None:
    chart = charts()[name]
    assert [one.get("data-kind") for one in drawn(chart)] == list(chart.delivered.kinds)
    assert ET.fromstring(str(bars(chart))).find(".//svg[@role='img']").get("aria-label") == chart.label  # type: ignore[union-attr]


@given(st.lists(st.tuples(st.sampled_from(list(KINDS)), st.integers(0, 400_000)), min_size=1, max_size=100))
def test_a_bar_is_as_tall_as_its_energy_and_none_leaves_the_plot(values: list[tuple[str, int]]) -> None:
    kinds, wh = [kind for kind, _ in values], [one for _, one in values]
    chart = Chart("any", QUARTER_HOURS, [str(index) for index in range(len(wh))], [], Column(kinds, wh))
    found = drawn(chart)
    known = [
        (float(one.get("height", "")), its) for one, kind, its in zip(found, kinds, wh, strict=True) if kind != MISSING
    ]
    most = max((its for _, its in known), default=0)
    for tall, its in known:
        assert tall <= PLOT + 0.1
        # By one measure, to a rounding of a twentieth of a pixel each.
        assert abs(tall * most - max(one for one, _ in known) * its) <= 0.11 * most
    for one in found:
        assert float(one.get("y", "")) >= ABOVE - 0.1
        wide = float(one.get("width", "0").rstrip("%")) or WIDTHS[len(found)]
        assert float(one.get("x", "").rstrip("%")) + wide <= 100.01


def test_what_is_received_goes_down_from_where_what_is_delivered_begins() -> None:
    chart = day_chart(PLAIN, [ACTUAL] * 96, solar=True)
    up, down = drawn(chart), drawn(chart, "received")
    zero = {round(float(one.get("y", "")) + float(one.get("height", "")), 1) for one in up}
    assert max(zero) - min(zero) <= 0.11
    assert {float(one.get("y", "")) for one in down} == {max(zero)}
    # One Wh is as tall in either direction.
    measure = {
        round(float(one.get("height", "")) / wh, 3) for one, wh in ((up[95], chart.delivered.wh[95]), (down[48], 400))
    }
    assert max(measure) - min(measure) <= 0.001


@given(st.integers(1, 10**9))
def test_lines_are_easy_to_count_by_and_few(most: int) -> None:
    step = step_of(most)
    # Four of them hold it, but for what rounding does, and that with none to spare.
    assert most <= step * 4 * (1 + 1e-9) <= most * 2.5 * (1 + 1e-8)
    assert float(f"{step:.1e}") == step
    assert f"{step:e}"[:3] in ("1.0", "2.0", "2.5", "3.0", "5.0")


@pytest.mark.parametrize(("day", "count", "hours"), [(PLAIN, 96, 8), (LONG, 100, 8), (SHORT, 92, 8)])
def test_a_day_has_its_own_count_and_both_hours_that_come_twice(day: date, count: int, hours: int) -> None:
    names = begins(day)
    assert (len(names), len(set(names))) == (count, count)
    assert len(day_ticks(day)) == hours
    assert [name for name in names if " " in name] == (
        [f"01:{minute} {zone}" for zone in ("CDT", "CST") for minute in ("00", "15", "30", "45")]
        if count == 100
        else []
    )


def test_the_table_says_what_the_chart_draws() -> None:
    kinds = [ACTUAL, ESTIMATED, STORE, METER, MISSING]
    chart = Chart("any", QUARTER_HOURS, list("abcde"), [], Column(kinds, [1, 20, 300, 4000, 7]), None, [5, 6])
    rows = str(rows_of(chart)).split("<tr>")[1:]
    cells = [re.findall(r"<td[^>]*>([^<]*)", row) for row in rows]
    assert cells == [
        ["a", "0.001", "VEE, actual", "0.005"],
        ["b", "0.020", "VEE, estimated", "0.006"],
        ["c", "0.300", "non-VEE, from the head-end's store", ""],
        ["d", "4.000", "non-VEE, read from the meter", ""],
        ["e", "", "no value", ""],
    ]
    assert [(one.kind, one.many, one.wh) for one in legend_of(chart)] == [
        (ACTUAL, "1 quarter hour", 1),
        (ESTIMATED, "1 quarter hour", 20),
        (STORE, "1 quarter hour", 300),
        (METER, "1 quarter hour", 4000),
        (MISSING, "1 quarter hour", None),
    ]


def test_kinds_differ_in_word_colour_and_pattern() -> None:
    for part in ("word", "colour", "lines"):
        assert len({getattr(one, part) for one in KINDS.values()}) == len(KINDS)
    made = set(re.findall(r'id="(k-\w+)"', patterns()))
    assert {name for name in KINDS if fill(name)} == {one.removeprefix("k-") for one in made} == KINDS.keys() - {ACTUAL}


def test_what_is_written_into_a_chart_stays_text() -> None:
    evil = '"><script>alert(1)</script>'
    chart = Chart(evil, QUARTER_HOURS, [evil], [(0, evil)], Column([ACTUAL], [1]))
    assert "<script" not in bars(chart) + rows_of(chart)
    assert ET.fromstring(str(bars(chart))) is not None


@given(
    st.lists(st.tuples(st.floats(0, 100), st.text("A1: ", min_size=1, max_size=9), st.booleans()), max_size=40),
    st.sampled_from([None, "start", "end"]),
    st.floats(PHONE, 1500),
)
def test_no_mark_lies_on_another_at_any_width(
    marks: list[tuple[float, str, bool]], anchor: str | None, room: float
) -> None:
    ticks = [Tick(at, text, spare, anchor or beside(at)) for at, text, spare in marks]
    found = apart(ticks)
    shown = sorted(span(one, room) for one in found if room > ROOM or not one.spare)
    assert all(one[1] <= other[0] for one, other in pairwise(shown))
    # They stand in their order, and the last one that is no spare one stands at every width.
    left = iter(ticks)
    assert all(any(one[:2] == its[:2] for its in left) for one in found)
    last = max((one for one in ticks if not one.spare), key=lambda one: one.at, default=None)
    assert last is None or last in found


def test_the_last_days_of_a_month_are_told_apart_on_a_phone() -> None:
    days = [(index, f"Aug {index + 1:02}") for index in range(1, 30, 7)]
    plain = Chart("any", ("day", "days"), [text for _, text in days] * 6, days, Column([ACTUAL] * 30, [100] * 30))
    texts = ET.fromstring(str(bars(plain))).findall(".//g[@class='ticks']/text")
    assert [(one.text, one.get("class")) for one in texts] == [
        (text, "spare" if index == 22 else None) for index, text in days
    ]
