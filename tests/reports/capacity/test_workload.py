"""What ``ami capacity workload`` shows: figures, lines, picture, the file of every request."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from matplotlib.image import imread

from meters.calendar import to_us
from reports.capacity.workload import figures, lines
from reports.capacity.workload_chart import write_png
from simulator.capacity.workload.columns import Workload
from simulator.capacity.workload.draw import draw
from simulator.errors import SimulatorError
from tests.cases import few
from tests.simulator.capacity.workload.planned import plan

STORM = {"out": [{"at": f"2026-08-12T{at}", "share": share} for at, share in (("16:00", 0.2), ("17:00", 0))]}


@pytest.fixture(scope="module")
def storm() -> Workload:
    calls = {"ror_call_centre": {"reads": 300}, "customer": {"registers": 200, "curve": "evening"}}
    return draw(
        plan(title="A storm", calls=calls, bulk=[{"at": "09:00", "requests": 900, "a_second": 50}], storm=STORM)
    )


def test_figures_are_those_of_the_columns(storm: Workload) -> None:
    told = figures(storm)
    rows = storm.requests
    by_class = {one["class"]: one for one in told["classes"]}
    assert list(by_class) == ["ror_call_centre", "ror_bulk", "customer"]
    assert sum(one["requests"] for one in told["classes"]) == told["requests"] == len(rows)
    for one in told["classes"]:
        assert one["intervals"] + one["register"] + one["power"] == one["requests"]
    bulk = by_class["ror_bulk"]
    assert (bulk["requests"], bulk["esiids"]) == (900, 900)
    assert bulk["busiest_quarter_hour"] == {"at": "2026-08-12T09:00:00-05:00", "requests": 900}
    assert bulk["busiest_second"] == {"at": "2026-08-12T09:00:00-05:00", "requests": 50}
    portal = by_class["customer"]["requests"]
    assert told["portal_calls"] == {"least": 3 * portal, "most": 22 * portal}
    assert (told["first_day"], told["days"], told["meters"], told["access_points"]) == ("2026-08-12", 1, 100_000, 100)


def test_outages_are_told_by_meters_and_hours(storm: Workload) -> None:
    told = figures(storm)["outages"]
    # 20 access points of 1,000 meters, which come back evenly within the hour.
    assert told == {
        "access_points": 20,
        "most_meters_out": 20_000,
        "at": "2026-08-12T16:00:00-05:00",
        "meter_hours": 10_000,
        "last_gasps_heard": 12_000,
    }
    assert figures(draw(plan()))["outages"] is None
    assert figures(draw(plan()))["classes"] == []


@pytest.mark.parametrize(("day", "days"), [("2026-03-08", 1), ("2026-10-26", 7)])
def test_days_of_changing_clocks_are_days(day: str, days: int) -> None:
    assert figures(draw(plan(day=day, days=days)))["days"] == days


def test_lines_tell_the_figures(storm: Workload) -> None:
    text = "\n".join(lines(figures(storm)))
    assert text.startswith("small: A storm\n2026-08-12, 1 day, 100,000 meters, 100 access points, seed 7\n")
    assert "08-12 09:00: 900, 50" in text
    assert "Power is away from 20 access points, 20,000 meters at once (2026-08-12 16:00), 10,000 meter hours" in text
    assert "Power" not in "\n".join(lines(figures(draw(plan()))))


@pytest.mark.parametrize("days", few(1, [1, 7]))
def test_a_picture_is_drawn(tmp_path: Path, days: int) -> None:
    path = tmp_path / "picture.png"
    write_png(draw(plan(days=days, calls={"csp": {"reads": 100}}, storm=STORM)), path)
    assert imread(path).shape[:2] == (650, 1100)
    write_png(draw(plan(days=days)), path)
    assert imread(path).shape[:2] == (450, 1100)


def test_a_picture_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    with pytest.raises(SimulatorError, match=r"capacity\.workload\.png"):
        write_png(draw(plan()), tmp_path / "none" / "picture.png")


def test_counts_are_between_the_edges_that_are_given(storm: Workload) -> None:
    edges = to_us(np.asarray([storm.begins + 9 * 3600, storm.begins + 9 * 3600 + 18, storm.ends]))
    counts = storm.requests.counts(edges)
    assert counts.shape == (5, 2)
    assert counts[1].tolist() == [900, 0]
    assert counts.sum() == np.count_nonzero(storm.requests.planned_us >= edges[0])
