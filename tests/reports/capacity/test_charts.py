"""What the pictures of a load study show: the front, busy shares, refusals by hour, swings by their size, knees."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Annotation

from meters.calendar import epoch
from reports.capacity import charts, pictures, shown
from reports.capacity.compare import TOLD, USD
from reports.capacity.page import knees
from reports.chart_parts import MUTED, png
from simulator.capacity.outcome import Knee, Outcome, Point
from simulator.capacity.paired import Estimate
from simulator.web.lines import DIAMOND, DOT
from simulator.web.palette import light
from tests.cases import few
from tests.reports.capacity.outcomes import PATIENCE, WORKERS, Figures, outcome, whole


@pytest.fixture(scope="module")
def everything() -> Outcome:
    return whole()


def test_on_the_front_is_who_nobody_beats_in_both() -> None:
    by: dict[str, list[Figures]] = {
        "most": [(0.6, 0.2, 9000)],
        "least": [(0.4, 0.4, 10)],
        "beaten": [(0.39, 0.5, 5000)],
        "same as the least": [(0.4, 0.4, 10)],
    }
    found = charts.places(outcome(by), TOLD, "octets_on_air")
    assert [one.number for one in found if one.on_front] == [1, 2, 4]
    assert found[0].megabytes == pytest.approx(9001 * 500 / 1e6)
    assert charts.places(outcome(by), USD, "http_octets")[0].value == pytest.approx(0.2 + 0.01 / 30)


def test_a_place_is_that_of_the_worst_workload() -> None:
    (one,) = charts.places(outcome({"a": [(0.6, 0.2, 100), (0.3, 0.5, 900)]}), TOLD, "octets_on_air")
    assert one.value == pytest.approx(0.3 + 0.01 / 3)
    assert one.megabytes == pytest.approx(901 * 500 / 1e6)


def test_busy_shares_are_the_highest_of_each_quarter_hour(everything: Outcome) -> None:
    rows, hours = charts.busy(everything, "day-0", "smt-today")
    assert [one.name for one in rows] == [
        "access points, median",
        "access points, 90 of 100",
        "access points, busiest",
        "workers",
    ]
    assert hours.tolist() == [at / 4 for at in range(96)]
    assert np.flatnonzero(rows[-1].shares).tolist() == [48, 49, 50, 51]
    assert rows[-1].most == 0.5
    assert charts.busy(replace(everything, first={}), "day-0", "smt-today")[0] == []


def test_hours_from_midnight_pass_as_time_does(everything: Outcome) -> None:
    begins = epoch("2026-11-01T00:00") + 300 * np.arange(301)
    use = {name: of[:1].repeat(301) for name, of in everything.first["use"].items()} | {"begins": begins}
    _, hours = charts.busy(replace(everything, first={"use": use}), "day-0", "smt-today")
    assert hours.tolist() == [at / 4 for at in range(100)]


def test_without_a_bound_of_workers_these_are_not_busy(everything: Outcome) -> None:
    rows, _ = charts.busy(replace(everything, assumed={"network": {"workers": 0}}), "day-0", "smt-today")
    assert [one.name for one in rows if one.name == "workers"] == []


def test_refusals_are_told_by_the_hour_of_the_clock(everything: Outcome) -> None:
    found = charts.refused_by_hour(everything)
    assert [one.policy for one in found] == everything.policy_names
    assert found[0].shares[8:10].tolist() == [0.0, 1.0]
    assert np.isnan(found[0].shares[10])


def test_who_moves_most_comes_first_and_on_the_workload_that_it_moves_most() -> None:
    base: list[Figures] = [(0.5, 0.3, 1000), (0.5, 0.3, 1000)]
    changed: dict[tuple[str, str], list[Figures]] = {
        ("a", WORKERS.change("low")): [(0.45, 0.3, 1000), (0.5, 0.3, 1000)],
        ("a", PATIENCE.change("low")): [(0.5, 0.3, 1000), (0.4, 0.3, 1000)],
        ("a", PATIENCE.change("high")): [(0.5, 0.3, 1000), (0.55, 0.3, 1000)],
    }
    made = outcome({"a": base}, [WORKERS, PATIENCE], changed)
    found = charts.swung(made, TOLD, "a")
    assert [(one.title, one.workload) for one in found] == [(PATIENCE.title, "day-1"), (WORKERS.title, "day-0")]
    assert [one.low.mean for one in found if one.low] == pytest.approx([-0.1, -0.05])
    assert found[1].high is None
    assert found[0].range == "60 .. 240 s"


@pytest.mark.parametrize(
    "draw",
    few(
        1,
        {
            "tornado": lambda made: pictures.tornado(made, made.policy_names[0]),
            "pareto": pictures.pareto,
            "heat": lambda made: pictures.heat(made, made.policy_names[:2]),
            "refusals": pictures.refusals,
            "knees": pictures.knees,
        },
    ),
)
def test_every_picture_is_the_same_twice(everything: Outcome, draw: Callable[[Outcome], Figure | None]) -> None:
    found = png(lambda: draw(everything))
    assert found.startswith(b"\x89PNG")
    assert found == png(lambda: draw(everything))


def test_the_page_has_the_same_as_charts_each_with_its_table(everything: Outcome) -> None:
    policies = everything.policy_names[:2]
    drawn = shown.charts(everything, policies, policies[0])
    assert list(drawn) == ["pareto", "use", "refused", "tornado", "knees"]
    for one in drawn.values():
        assert one.table.rows
        assert {len(row) for row in one.table.rows} == {len(one.table.heads)}
    assert [row[0] for row in drawn["pareto"].table.rows] == [
        f"{turn + 1}. {name}" for turn, name in enumerate(everything.policy_names)
    ]
    eight, nine, ten = (drawn["refused"].table.rows[hour][1] for hour in (8, 9, 10))
    assert (eight, nine, ten) == ("0.0", "100.0", "")
    front = {point.text for chart in drawn["pareto"].charts for point in chart.points}
    assert {number for text in front for number in text.split(", ") if number} == {
        str(turn + 1) for turn in range(len(everything.policies))
    }


def test_what_moves_nothing_stands_at_the_left_end_of_a_measure_by_powers_of_ten() -> None:
    by: dict[str, list[Figures]] = {"none": [(0.3, 0.4, -1)], "some": [(0.6, 0.2, 9000)]}
    chart = shown.charts(outcome(by), ["some"], "some")["pareto"].charts[0]
    assert chart.ticks[0] == (chart.reach[0], "0")
    assert [point.at < chart.ticks[1][0] for point in chart.points] == [True, False]


def test_a_label_of_several_places_stands_above_them_all_and_the_axis_says_how_it_goes() -> None:
    by: dict[str, list[Figures]] = {"none": [(0.3, 0.4, -1)], "some": [(0.6, 0.2, 9000)], "as many": [(0.6, 0.2, 9500)]}
    picture = pictures.pareto(outcome(by))
    assert picture is not None
    air, http = picture.axes[:2]
    assert air.get_xlabel().endswith("; nothing apart, by powers of ten")
    (both,) = [of for of in air.findobj(Annotation) if of.get_text() == "2, 3"]
    to_parts = air.transData + air.transAxes.inverted()
    parts = [
        to_parts.transform((one.megabytes, 100 * one.value))[0]
        for one in charts.places(outcome(by), TOLD, "octets_on_air")
    ]
    assert both.xy[0] == pytest.approx((parts[1] + parts[2]) / 2)
    assert http.get_xlabel().startswith("MB over HTTP a day")


def test_who_is_on_the_front_is_drawn_above_who_stands_at_the_same_place() -> None:
    made = outcome({"front": [(0.6, 0.2, 9000)], "beaten": [(0.599, 0.2, 9000)]})
    picture = pictures.pareto(made)
    assert picture is not None
    points = [line for line in picture.axes[0].lines if line.get_marker() == "o"]
    assert [str(one.get_color()) for one in points] == [MUTED, light("accent")]
    assert [one.look for one in shown.charts(made, ["front"], "front")["pareto"].charts[0].points] == [DIAMOND, DOT]


def test_what_was_not_played_is_not_drawn() -> None:
    bare = outcome({"a": [(0.5, 0.3, 1000)]})
    assert [pictures.heat(bare, ["a"]), pictures.refusals(bare), pictures.tornado(bare, "a"), pictures.knees(bare)] == [
        None
    ] * 4
    assert list(shown.charts(bare, ["a"], "a")) == ["pareto"]


def turned(level: str, *, broken: float | None, points: Sequence[tuple[float, Estimate]]) -> Outcome:
    its = [Point(value, 5000.0 * value, of, Estimate(900.0, 2000.0)) for value, of in points]
    knee = Knee("day-0", "a", level, "demand", 1.0, 4.0, broken, 3.0, 15_000.0, "", {}, its)
    return outcome({"a": [(0.5, 0.3, 1000)]}, knees=[knee])


def test_a_knee_is_drawn_where_something_broke_and_on_what_the_level_asks_of() -> None:
    points = [(1.0, Estimate(0.98, 0.05)), (4.0, Estimate(0.5, None)), (8.0, Estimate(0.2, 0.3))]
    for broken, knee in ((8.0, 20.0), (None, None)):
        made = turned("customer.told_in_call>=0.45", broken=broken, points=points)
        (one,) = charts.courses(made)
        assert (one.measure, one.knee) == ("customer.told_in_call, %", knee)
        assert one.bound == pytest.approx(45)
        assert one.requests == (5.0, 20.0, 40.0)
        assert [*zip(one.low, one.means, one.high, strict=True)] == [
            pytest.approx(of) for of in ((93, 98, 100), (50, 50, 50), (0, 20, 50))
        ]
        (chart,) = shown.charts(made, ["a"], "a")["knees"].charts
        assert [at.at for at in chart.moments] == ([] if knee is None else [knee])
        assert [rule.value for rule in chart.rules] == [pytest.approx(45)]
        picture = pictures.knees(made)
        assert picture is not None
        assert [of.get_text() for of in picture.axes[0].texts] == ["level", *([] if knee is None else ["knee"])]
        assert picture.axes[0].get_ylabel() == "customer.told_in_call, %"


def test_the_interval_of_a_time_does_not_go_below_nothing() -> None:
    (one,) = charts.courses(turned("p95_s<=600", broken=None, points=[(4.0, Estimate(900.0, 2900.0))]))
    assert (one.measure, one.bound, one.low, one.high) == ("p95_s", 600.0, [0.0], [3800.0])
    assert not charts.courses(turned("p95_s<=600", broken=None, points=[(4.0, Estimate(None, None))]))


def test_where_it_breaks_the_measure_stands_with_its_interval() -> None:
    points = [(4.0, Estimate(0.5, 0.1)), (8.0, Estimate(0.446, 0.106))]
    (row,) = knees(turned("told_in_call>=0.45", broken=8.0, points=points))
    assert row["broken"] == "8 (44.6 ± 11)"
