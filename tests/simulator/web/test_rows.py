"""Rows of bars, points and shades: each value where its measure has it, what there is not left out, all text as text."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.web.gallery import row_charts, shade_charts
from simulator.web.kinds import ACTUAL, ESTIMATED
from simulator.web.parts import row_legend
from simulator.web.plot import Rule
from simulator.web.rows import Marks, Rows, ShadeRow, Shades, rows, shades

Value = st.none() | st.floats(-1e6, 1e6).map(lambda one: round(one, 3))


def bars(drawn: str) -> list[tuple[float, float]]:
    """Where each begins and how wide it is, percent."""
    return [(float(x), float(wide)) for x, wide in re.findall(r'<rect data-kind="[a-z]+" x="([\d.]+)%" width="([\d.]+)%"', drawn)]  # fmt: skip


def written(value: float) -> str:
    return f"{value:g}"


@given(st.lists(st.tuples(Value, Value), min_size=1, max_size=6), st.booleans())
def test_each_value_has_a_bar_from_nought_by_one_measure(pairs: list[tuple[float | None, float | None]], told: bool) -> None:  # fmt: skip
    marks = [Marks(kind, kind, [one[at] for one in pairs]) for at, kind in enumerate((ACTUAL, ESTIMATED))]
    drawn = str(rows(Rows("any", [str(at) for at in range(len(pairs))], written, marks, told=told)))
    ET.fromstring(drawn)
    values = [value for pair in pairs for value in pair if value is not None]
    found = bars(drawn)
    assert len(found) == len(values)
    most = max((abs(one) for one in values), default=0.0)
    widest = max((wide for _, wide in found), default=0.0)
    for (x, wide), value in zip(found, values, strict=True):
        assert x >= 0
        assert x + wide <= (84.01 if told else 100.01)
        assert abs(wide * most - abs(value) * widest) <= 0.02 * most
    noughts = [round(x if value > 0 else x + wide, 1) for (x, wide), value in zip(found, values, strict=True) if value]
    assert max(noughts, default=0.0) - min(noughts, default=0.0) <= 0.11


def test_by_powers_of_ten_each_ten_times_is_as_far_and_the_least_is_seen() -> None:
    chart = Rows("any", ["a", "b", "c"], written, [Marks(ACTUAL, "n", [1, 10, 100])], powers=True)
    wide = [one[1] for one in bars(str(rows(chart)))]
    assert wide[0] > 1
    assert wide[2] - wide[1] == pytest.approx(wide[1] - wide[0], abs=0.02)


def test_points_and_what_they_are_held_against_stand_by_the_same_measure() -> None:
    chart = Rows("any", ["a"], written, points=[Marks(ACTUAL, "x", [0.5]), Marks(ESTIMATED, "y", [1])], rules=[Rule(0.5, "", "target")])  # fmt: skip
    drawn = str(rows(chart))
    points = re.findall(r'<svg x="([\d.]+)%" y="([\d.]+)" class="point">', drawn)
    assert [x for x, _ in points] == ["50.00", "100.00"]
    # Neither hides the other.
    assert len({y for _, y in points}) == 2
    assert '<g class="rule"><line x1="50.00%"' in drawn
    assert [one.word for one in row_legend(chart)] == ["x", "y", "target"]


def test_shares_that_are_alike_are_one_and_nothing_is_drawn_of_none() -> None:
    drawn = str(shades(Shades("any", [ShadeRow("<a>", [0.5, 0.5, None, 1, 0])], [(0, "0")], "bad")))
    ET.fromstring(drawn)
    assert re.findall(r'x="([\d.]+)%" width="([\d.]+)%".*?fill-opacity="([\d.]+)"', drawn) == [
        ("0.00", "40.00", "0.5"),
        ("60.00", "20.00", "1"),
    ]
    assert "&lt;a&gt;" in drawn


def test_every_state_of_the_gallery_is_sound() -> None:
    for drawn in [*map(rows, row_charts().values()), *map(shades, shade_charts().values())]:
        ET.fromstring(str(drawn))
