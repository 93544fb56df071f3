"""The curve of a plan's cost."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from reports.plan.chart import write_png
from reports.plan.curve import ROWS, curve, month_of, rows
from simulator.ror.billing.bill import bill
from simulator.ror.billing.plan import RatePlan, shipped_plan
from simulator.ror.errors import RorError

PLAN = shipped_plan("longhorn-thousand-24")


def test_each_point_is_the_bill_of_a_month() -> None:
    drawn = curve(PLAN, date(2026, 7, 1), 2500)
    for wh in (0, 999_999, 1_000_000, 2_000_001, 2_500_000):
        assert drawn.at(wh) == bill(PLAN, wh, date(2026, 7, 1), date(2026, 7, 30)).total


def test_edges_beyond_what_is_shown_are_left_out_and_rows_are_even() -> None:
    drawn = curve(PLAN, date(2026, 7, 1), 1500)
    assert [edge.wh for edge in drawn.edges] == [1_000_000]
    told = list(rows(drawn))
    assert len(told) == 1 + ROWS + 1 + 1
    assert max(len(row) for row in told) <= 100


def test_the_curve_is_drawn_with_edges_on_both_sides_and_told_where_it_cannot_be(tmp_path: Path) -> None:
    drawn = curve(PLAN, date(2026, 7, 1), 2500)
    write_png(drawn, tmp_path / "plan.png")
    assert (tmp_path / "plan.png").read_bytes().startswith(b"\x89PNG")
    with pytest.raises(RorError, match=r"ror\.plan\.png"):
        write_png(drawn, tmp_path / "none" / "plan.png")


@pytest.mark.parametrize("on", ["soon", "1999-12-31", "2099-12-01"])
def test_a_day_that_is_none_or_out_of_range_is_refused(on: str) -> None:
    with pytest.raises(RorError, match=r"ror\.plan\.day"):
        month_of(PLAN, on)


def test_a_month_is_the_labels_or_else_the_newest_charges() -> None:
    assert month_of(PLAN, "") == date(2025, 9, 1)
    assert month_of(PLAN, "2026-07-01") == date(2026, 7, 1)
    bare = RatePlan.model_validate({"name": "x", "tdu": "oncor", "energy": [{"cents_per_kwh": Decimal(1)}]})
    assert month_of(bare, "") == date(2025, 9, 1)
