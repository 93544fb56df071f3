"""What ``ami capacity workload`` shows: figures, lines, picture, the file of every request."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from matplotlib.image import imread
from typer.testing import CliRunner

from meters.calendar import to_us
from meters.errors import UserError
from reports.capacity.workload import figures, lines
from reports.capacity.workload_chart import write_png
from reports.commands.capacity import app
from reports.commands.capacity_compare import shipped_workloads
from simulator.capacity.workload.chosen import shipped
from simulator.capacity.workload.columns import Workload
from simulator.capacity.workload.draw import draw
from simulator.errors import SimulatorError
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


@pytest.mark.parametrize("days", [1, 7])
def test_a_picture_is_drawn(tmp_path: Path, days: int) -> None:
    path = tmp_path / "picture.png"
    write_png(draw(plan(days=days, calls={"csp": {"reads": 100}}, storm=STORM)), path)
    assert imread(path).shape[:2] == (650, 1100)
    write_png(draw(plan(days=days)), path)
    assert imread(path).shape[:2] == (450, 1100)


def test_a_picture_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    with pytest.raises(SimulatorError, match=r"capacity\.workload\.png"):
        write_png(draw(plan()), tmp_path / "none" / "picture.png")


def test_the_command_lists_the_shipped_workloads() -> None:
    found = json.loads(CliRunner().invoke(app, ["workload", "--json"]).stdout)
    assert [one["name"] for one in found] == list(shipped())
    assert CliRunner().invoke(app, ["workload"]).stdout.startswith("beryl-2024 ")
    assert shipped_workloads("b") == ["beryl-2024", "bill-surge-x3", "bulk-40000"]


def test_the_command_shows_a_workload_and_writes_its_requests(tmp_path: Path) -> None:
    png, parquet = tmp_path / "day.png", tmp_path / "day.parquet"
    words = ["workload", "ordinary-day", "--json", "--png", str(png), "--parquet", str(parquet)]
    ran = CliRunner().invoke(app, words)
    assert ran.exit_code == 0
    told = json.loads(ran.stdout)
    # 4,900 + 4,000 + 10,000 + 2,000 callers, and 1,200 homes 24 times.
    assert abs(told["requests"] - 49_700) < 4 * np.sqrt(20_900 + 24**2 * 1200)
    assert png.stat().st_size > 10_000
    again = CliRunner().invoke(app, ["workload", str(parquet)])
    assert again.exit_code == 0
    assert f"{told['requests']:,} requests" in again.stdout
    other = CliRunner().invoke(app, ["workload", "ordinary-day", "--replication", "1", "--json"])
    assert json.loads(other.stdout)["requests"] != told["requests"]


def test_the_command_tells_each_mistake_and_ends_with_2(tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_text("hour,class,calls\n24,csp,1\n3,cps,1\n", "utf-8")
    ran = CliRunner().invoke(app, ["workload", str(path)])
    assert ran.exit_code == 2
    assert ran.stderr.splitlines() == [
        f"capacity.workload.curve: {path}:2: '24' is no hour of the day. Write 0 to 23, as the clock shows it.",
        f"capacity.workload.curve: {path}:3: 'cps' is no class. Did you mean csp?",
    ]


def test_requests_that_cannot_be_written_are_told(tmp_path: Path) -> None:
    ran = CliRunner().invoke(app, ["workload", "ordinary-day", "--parquet", str(tmp_path / "none" / "day.parquet")])
    assert isinstance(ran.exception, UserError)
    assert ran.exception.code == "capacity.workload.parquet"


def test_counts_are_between_the_edges_that_are_given(storm: Workload) -> None:
    edges = to_us(np.asarray([storm.begins + 9 * 3600, storm.begins + 9 * 3600 + 18, storm.ends]))
    counts = storm.requests.counts(edges)
    assert counts.shape == (5, 2)
    assert counts[1].tolist() == [900, 0]
    assert counts.sum() == np.count_nonzero(storm.requests.planned_us >= edges[0])
