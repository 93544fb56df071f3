"""A statement's page and picture: whole, true to what was told, and nothing on it that is not there."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure

from meters.calendar import day_start, epoch
from reports.balance.chart import _cycle, _hours, course_of, cycle_chart, hours_chart, write_png
from reports.balance.page import page, write_page
from reports.balance.text import lines
from simulator.ror.billing.plan import shipped_plan
from simulator.ror.errors import RorError
from simulator.ror.files.read import UsageFile, read_usage
from simulator.ror.pattern import weather_of
from simulator.ror.statement import Statement, cycle_of, state
from tests.cases import few
from tests.simulator.ror.files.pages import FILE, FIRST
from tests.simulator.web.looks import assert_fits
from tests.simulator.web.outline import assert_whole

USAGE = read_usage(FILE)
PLAN = shipped_plan("longhorn-thousand-24")
CYCLE = cycle_of(date(2026, 7, 16), date(2026, 8, 14))
#: Running, over, and without a value of its cycle.
RUNNING = state(CYCLE, PLAN, USAGE.record, epoch("2026-08-03T17:30"), weather_of("NCENT", 1))
OVER = state(cycle_of(date(2026, 7, 3), date(2026, 7, 12)), PLAN, USAGE.record)
AHEAD = state(cycle_of(date(2026, 8, 5)), PLAN, USAGE.record)
#: Before there is a whole day.
FIRST_DAY = state(cycle_of(FIRST), PLAN, USAGE.record, epoch("2026-07-02T06:00"))


def words(text: str) -> str:
    """What is read, without the charts."""
    return " ".join(re.sub(r"<[^>]*>", " ", re.sub(r"<svg.*?</svg>", "", text, flags=re.DOTALL)).split())


@pytest.mark.process
@pytest.mark.parametrize(
    ("told", "dated"),
    few(
        1,
        {
            "running": (RUNNING, "as of 2026-08-03 17:30"),
            "over": (OVER, "as of 2026-07-13 00:00"),
            "ahead": (AHEAD, "as of 2026-08-05 00:00"),
        },
    ),
)
def test_a_page_is_whole_and_fits(tmp_path: Path, told: Statement, dated: str) -> None:
    path = write_page(told, USAGE, tmp_path / "new")
    written = path.read_text(encoding="utf-8")
    assert_whole(written, dated)
    assert_fits(written, tmp_path)


def test_a_running_cycles_page_has_the_bill_the_band_the_edges_and_the_day() -> None:
    assert RUNNING.stand is not None
    said = words(page(RUNNING, USAGE))
    for part in (
        f"${RUNNING.stand.bill.total} by now, with tax",
        "Bill to date",
        f"Bill, $ with tax {RUNNING.outlook.low} {RUNNING.outlook.middle} {RUNNING.outlook.high}",
        "bill credit of $100.00 is earned at 1,000 kWh",
        "the day before 17.5",
        "By heat By cold",
        "Values left out: 0.",
    ):
        assert part in said
    for line in RUNNING.stand.bill.lines:
        assert f"{line.text} {line.amount}" in said


def test_a_page_of_a_cycle_that_is_over_has_no_odds() -> None:
    said = words(page(OVER, USAGE))
    assert "is the bill, with tax" in said
    assert "Where it goes" not in said
    assert "Edges of the plan" not in said


def test_what_was_left_out_is_on_the_page_and_in_the_lines(tmp_path: Path) -> None:
    rows = FILE.read_text().splitlines()
    (tmp_path / "mine.csv").write_text("\n".join([*rows[:9], rows[9].replace(",A,", ",A,<b>"), *rows[10:]]))
    usage = read_usage(tmp_path / "mine.csv")
    told = state(CYCLE, PLAN, usage.record)
    written = page(told, usage)
    assert "mine.csv:10" in written
    assert "&lt;b&gt;Consumption" in written
    assert "Values left out: 1." in words(written)
    written_out = list(lines(told, usage))
    assert written_out[1].startswith("  ror.file.kind: mine.csv:10: ")
    assert told.stand is not None
    assert f"  {told.stand.bill.total:>10,.2f}  bill to date, $" in written_out
    assert "bill, $" in "\n".join(lines(OVER, usage))
    assert not any(one.endswith(", $") for one in lines(AHEAD, usage))


def test_the_course_of_a_cycle_is_the_usage_that_is_known_and_then_its_band() -> None:
    assert RUNNING.stand is not None
    known = course_of(RUNNING, CYCLE.cycle_start, RUNNING.stand.to)
    assert known.days[[0, 1, -1]].tolist() == [0.0, 1.0, 18 + 17.5 / 24]
    upto = [0, *(USAGE.record.within(CYCLE.cycle_start, day_start(date(2026, 7, day))).total_wh() for day in (17, 18))]
    assert np.allclose(known.middle[:3] * 1000, upto)
    assert (known.low == known.high).all()
    ahead = course_of(RUNNING, RUNNING.stand.to, CYCLE.cycle_end)
    assert round(float(ahead.low[-1]) * 1000) == RUNNING.projection.low_wh
    assert round(float(ahead.high[-1]) * 1000) == RUNNING.projection.high_wh
    assert (np.diff(ahead.high - ahead.low) > -1).all()


def test_charts_name_the_odds_at_an_edge_in_reach() -> None:
    (edge,) = cycle_chart(RUNNING)[0].rules
    odds = next(one.odds for one in RUNNING.edges if one.in_reach)
    assert edge == (
        1000.0,
        f"1,000 kWh: {odds} of 100",
        f"bill credit of $100.00 is earned at 1,000 kWh: {odds} of 100",
    )


def test_the_table_beside_the_cycle_has_each_day_and_ends_where_the_band_ends() -> None:
    chart, table = cycle_chart(RUNNING)
    assert [len(row) for row in table.rows] == [4] * len(table.rows)
    days = [row[0] for row in table.rows]
    # The day of the call is there to the call, and to its end.
    assert days == [*days[:19], "Aug 03", *days[20:]]
    assert (days[0], days[18], days[-1], len(set(days))) == ("Jul 16", "Aug 03", "Aug 14", CYCLE.cycle_days)
    low, middle, high = (float(cell.replace(",", "")) for cell in table.rows[-1][1:])
    assert [low, high] == [RUNNING.projection.low_wh / 1000, RUNNING.projection.high_wh / 1000]
    assert low < middle < high
    assert {row[1] == row[2] == row[3] for row in table.rows[:19]} == {True}
    assert [one.word for one in chart.lines] == ["known", "the middle of them"]
    assert cycle_chart(OVER)[0].bands == []


def test_without_a_whole_day_there_is_no_day_to_draw() -> None:
    assert hours_chart(FIRST_DAY) is None
    assert "The day" not in re.findall(r"<h2[^>]*>(.*?)</h2>", page(FIRST_DAY, USAGE))


def test_a_picture_is_one_and_where_it_cannot_be_written_that_is_told(tmp_path: Path) -> None:
    write_png(RUNNING, tmp_path / "a.png")
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
    with pytest.raises(RorError, match="Name another --png"):
        write_png(RUNNING, tmp_path / "absent" / "a.png")
    (tmp_path / "file").write_text("")
    with pytest.raises(RorError, match="Name another --html"):
        write_page(RUNNING, USAGE, tmp_path / "file")


def test_a_file_of_another_name_is_named() -> None:
    other = UsageFile("<mine>.csv", USAGE.form, "", USAGE.record, ())
    assert "&lt;mine&gt;.csv: SMT interval CSV (portal export): 3,264 quarter hours" in page(RUNNING, other)


@pytest.mark.parametrize(
    ("told", "cycle", "day"),
    [
        (
            RUNNING,
            ["known", "eight of ten ways that it may go", "the middle of them"],
            ["2026-08-03", "a usual day", "base load"],
        ),
        (OVER, ["known"], ["2026-07-12", "a usual day", "base load"]),
        (FIRST_DAY, ["known", "eight of ten ways that it may go", "the middle of them"], ["2026-07-02"]),
    ],
    ids=["running", "over", "first day"],
)
def test_a_picture_draws_no_ways_of_a_cycle_that_is_over_and_no_usual_day_where_none_is_known(
    told: Statement, cycle: list[str], day: list[str]
) -> None:
    of_cycle, of_day = Figure().subplots(2, 1)
    _cycle(of_cycle, told)
    _hours(of_day, told)
    assert sorted(of_cycle.get_legend_handles_labels()[1]) == sorted(cycle)
    assert sorted(of_day.get_legend_handles_labels()[1]) == day
