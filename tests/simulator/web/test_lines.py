"""Lines, stacked bars, lanes and parts: each value where its measure has it, what is out of reach left out, all text as text."""

from __future__ import annotations

import re
from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from simulator.web.charts import Stacks, stacks
from simulator.web.gallery import lane_charts, line_charts, part_bars, stack_charts
from simulator.web.kinds import ACTUAL, ESTIMATED, KINDS, METER, STORE
from simulator.web.lanes import Lane, Lanes, Span, lanes
from simulator.web.lines import DIAMOND, KNOWN, LOOKS, Band, Line, Lines, Point, lines
from simulator.web.palette import PALETTE
from simulator.web.parts import Part, line_legend, part_bar, stack_legend, stack_table
from simulator.web.plot import ABOVE, PLOT, Moment, Rule, measure_of
from simulator.web.words import dollars

Values = st.floats(-1e6, 1e6).map(lambda one: round(one, 2))


def parsed(drawn: Markup) -> ET.Element:
    return ET.fromstring(str(drawn))


def courses(drawn: Markup) -> list[list[tuple[float, float]]]:
    """Points of each line and area, per mille from the left and pixels from the top."""
    found = re.findall(r'points="([^"]*)"', drawn)
    return [[(float(x), float(y)) for x, y in (one.split(",") for one in each.split())] for each in found]


@given(Values, Values)
def test_a_measure_holds_what_it_is_made_for_and_nought_in_easy_steps(one: float, other: float) -> None:
    measure = measure_of(min(one, other), max(one, other))
    for value in (one, other, 0):
        assert ABOVE - 0.01 <= measure.y(value) <= ABOVE + PLOT + 0.01
    assert len(measure.levels) <= 10
    assert min(abs(level) for level in measure.levels) <= measure.step * 1e-6
    assert [measure.y(level) for level in measure.levels] == sorted(
        (measure.y(it) for it in measure.levels), reverse=True
    )


def test_a_line_goes_through_its_values_and_a_band_back_along_its_foot() -> None:
    chart = Lines("any", (10, 20), [], dollars, [Line(KNOWN, "a", [10, 15, 20], [0, 50, 100])],
        [Band("b", [15, 20], [10, 20], [60, 120])])  # fmt: skip
    band, line = courses(lines(chart))
    foot = ABOVE + PLOT
    # The measure ends at 150, the next easy number.
    assert line == [(0, foot), (500, round(foot - PLOT / 3, 1)), (1000, round(foot - PLOT * 100 / 150, 1))]
    assert [x for x, _ in band] == [500, 1000, 1000, 500]
    assert [round((foot - y) * 150 / PLOT) for _, y in band] == [10, 20, 120, 60]


def test_what_lies_out_of_reach_is_not_drawn_and_does_not_raise_the_measure() -> None:
    chart = Lines("any", (10, 20), [], dollars, [Line(KNOWN, "a", [0, 5, 10, 20], [900, 900, 40, 50])],
        points=[Point(DIAMOND, "p", 5, 900), Point(DIAMOND, "q", 15, 45)])  # fmt: skip
    drawn = lines(chart)
    assert re.findall(r">(\$[^<]*)<", drawn)[-1] == "$60"
    assert drawn.count('class="point"') == 1
    # Where the line comes from counts as far as it can be seen.
    assert "$1,000" in lines(replace(chart, lines=[Line(KNOWN, "a", [0, 20], [900, 900])]))


def test_lines_are_told_by_colour_and_dashes_and_each_has_its_word() -> None:
    assert {one.colour for one in LOOKS.values()} <= PALETTE.keys()
    assert len({tuple(one) for name, one in LOOKS.items() if name != "beside"}) == len(LOOKS) - 1
    chart = line_charts()["a fan"]
    assert [(one.word, one.told) for one in line_legend(chart)] == [
        ("the bill by now", "$126"),
        ("the middle of the ways it may go", "$192"),
        ("eight of ten ways", "$168 to $228"),
        ("what was agreed", ""),
    ]


def test_parts_of_a_stack_stand_on_each_other_and_its_table_says_the_same() -> None:
    parts = {STORE: [0, 40, 30], ACTUAL: [50, 10, 0], METER: [0, 0, 0]}
    chart = Stacks("any", ("day", "days"), ["a", "b", "c"], [(0, "a")], parts)
    found = {one.get("data-channel"): list(one) for one in parsed(stacks(chart)).iter("g") if one.get("data-channel")}
    assert list(found) == [ACTUAL, STORE]
    (_, low), (high, last) = found[ACTUAL], found[STORE]
    assert low.get("y") == str(round(float(high.get("y", "")) + float(high.get("height", "")), 1))
    assert [float(one.get("height", "")) for one in (low, high, last)] == [PLOT / 6, PLOT / 6 * 4, PLOT / 6 * 3]
    assert stack_table(chart, "Day").rows == [["a", "0.050", ""], ["b", "0.010", "0.040"], ["c", "", "0.030"]]
    assert [(one.kind, one.many, one.wh) for one in stack_legend(chart)] == [
        (ACTUAL, "2 days", 60),
        (STORE, "2 days", 70),
    ]


def test_lanes_hold_spans_and_instants_within_their_reach_and_no_empty_lane() -> None:
    chart = Lanes("any", (100, 200), [], [
        Lane("a", "good", [Span(50, 150, "cut"), Span(160, 160, "now"), Span(300, 301, "later")]),
        Lane("b", "bad", [Span(0, 99, "before")]),
    ])  # fmt: skip
    drawn = parsed(lanes(chart))
    assert [(one.get("x"), one.get("width")) for one in drawn.iter("rect")] == [("0.00%", "50.00%")]
    assert [one.get("cx") for one in drawn.iter("circle")] == ["60.00%"]
    assert [one.text for one in drawn.iter("text")] == ["a", "cut", "now"]


def test_parts_of_a_whole_fill_its_bar_by_their_size() -> None:
    drawn = parsed(
        part_bar([Part(ACTUAL, "a", 3, "$3"), Part(ESTIMATED, "b", 1, "$1"), Part(METER, "c", 0, "$0")], "any")
    )
    assert [(one.get("x"), one.get("width")) for one in drawn] == [
        ("0.00%", "75.00%"),
        ("75.00%", "25.00%"),
        ("100.00%", "0.00%"),
    ]
    assert [one.get("width") for one in parsed(part_bar([Part(ACTUAL, "none", 0, "$0")], "nothing owed"))] == ["0.00%"]


def test_each_state_is_a_drawing_with_a_label_and_its_text_is_text() -> None:
    evil = '"><script>alert(1)</script>'
    drawn = [
        *map(stacks, stack_charts().values()), *map(lines, line_charts().values()), *map(lanes, lane_charts().values()),
        *(part_bar(parts, name) for name, parts in part_bars().items()),
        stacks(Stacks(evil, (evil, evil), [evil], [(0, evil)], {kind: [1] for kind in KINDS}, [(0, evil)], {0: evil})),
        lines(Lines(evil, (0, 1), [(0, evil)], lambda _: evil, [Line(KNOWN, evil, [0], [1])], points=[Point(DIAMOND, evil, 0, 1, evil)], rules=[Rule(1, evil, evil)], moments=[Moment(0, evil)])),
        lanes(Lanes(evil, (0, 1), [(0, evil)], [Lane(evil, "good", [Span(0, 1, evil)])])),
        part_bar([Part(ACTUAL, evil, 1, evil)], evil),
    ]  # fmt: skip
    for one in drawn:
        root = parsed(one)
        assert [it.get("aria-label") for it in root.iter() if it.get("role") == "img"] != [""]
        assert [it for it in root.iter() if it.tag == "script" or it.get("style")] == []


@pytest.mark.parametrize(
    ("low", "high", "nought", "levels"),
    [
        (240.0, 244.0, False, [240.0, 241.0, 242.0, 243.0, 244.0]),
        (240.0, 244.0, True, [0.0, 100.0, 200.0, 300.0]),
        (-3.0, -1.0, True, [-3.0, -2.0, -1.0, 0.0]),
    ],
)
def test_a_measure_begins_at_nought_unless_it_need_not(
    low: float, high: float, nought: bool, levels: list[float]
) -> None:
    assert measure_of(low, high, nought=nought).levels == levels
