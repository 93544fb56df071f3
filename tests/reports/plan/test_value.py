"""The shipped table against one made anew, and against what follows from the plans' prices; how it is written and drawn."""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from meters import SEED
from reports.plan.value import (
    COLUMNS,
    SHOWN,
    by_way,
    hash_of,
    make,
    not_known,
    only,
    rows,
    stale,
    summary,
    write_csv,
    write_parquet,
)
from reports.plan.value_chart import write_png
from simulator.capacity.value import CLOSING, TO_DATE, ValueTable, read_value
from simulator.ror.billing.plan import RatePlan, shipped_plan, shipped_plans
from simulator.ror.errors import RorError
from simulator.ror.expected import tally
from simulator.ror.expected.value import Homes
from tests.cases import few
from tests.reports.plan.value_page import PAGE, page

NAMES = ("bluebonnet-saver-12", "caprock-credit-1000")
PLANS = {name: shipped_plan(name) for name in NAMES}


@cache
def shipped() -> ValueTable:
    return read_value()


def test_the_shipped_table_is_of_the_shipped_plans() -> None:
    assert shipped().key["seed"] == SEED
    assert shipped().key["plans"] == {name: hash_of(shipped_plan(name)) for name in shipped_plans()}


@pytest.mark.long
@pytest.mark.parametrize(
    ("gap", "unknown", "bill"),
    [
        ("left out", 4, TO_DATE),
        ("left out", 192, TO_DATE),
        ("usual day", 16, TO_DATE),
        ("usual day", 72, TO_DATE),
        ("like days", 72, TO_DATE),
        ("usual day", 0, CLOSING),
        ("like days", 192, CLOSING),
    ],
)
def test_the_shipped_table_is_what_other_homes_give_within_their_sampling_error(
    gap: str, unknown: int, bill: str
) -> None:
    of = {"season": "summer", "gap": gap, "unknown": unknown, "bill": bill}
    for plan in NAMES:
        means = np.array([one.mean("mean_usd", plan=plan, **of) for one in map(other, range(10_000, 16_000, 1_000))])
        error = means.std(ddof=1) / np.sqrt(len(means))
        # Student's t of five degrees of freedom: beyond 5.9 once in five hundred.
        assert abs(means.mean() - shipped().mean("mean_usd", plan=plan, **of)) < 5.9 * error


@cache
def other(beyond: int, homes: int = 40) -> ValueTable:
    """Under the same weather, which is the seed's, homes that are not in the shipped table; summer alone."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tally, "SEASONS", {"summer": tally.SEASONS["summer"]})
        generated = Homes.generated
        patch.setattr(
            Homes,
            "generated",
            lambda span, seed, company, first, count: generated(span, seed, company, first + beyond, count),
        )
        return make(PLANS, homes, SEED, lambda _done, _all: None)


def test_a_kwh_left_out_of_a_flat_plan_costs_its_price() -> None:
    # 9.8 c of energy and 5.60 c of delivery, no tax, and no edge while the cycle runs.
    for unknown in SHOWN:
        of = {"plan": "bluebonnet-saver-12", "gap": "left out", "unknown": unknown}
        assert shipped().mean("mean_usd", **of) == pytest.approx(0.154 * shipped().mean("mean_kwh", **of), rel=1e-3)


@pytest.mark.parametrize("plan", shipped_plans())
def test_more_that_is_not_known_is_not_told_better_and_a_meter_read_leaves_nothing(plan: str) -> None:
    for gap in ("left out", "usual day", "like days"):
        means = [shipped().mean("mean_usd", plan=plan, gap=gap, unknown=one, bill=TO_DATE) for one in (0, *SHOWN)]
        assert means[0] == 0
        assert (np.diff(means) > 0).all()
    told = dict(zip(COLUMNS, by_way(shipped(), "mean_usd")[plan], strict=True))
    assert told["store + meter"] == 0 < told["store + usual day"] < told["store"]
    assert told["VEE + like days"] < told["VEE + usual day"] < told["VEE"]
    assert told["closing, all read"] < told["closing, VEE"]


def test_ways_lack_what_their_source_lacks_at_the_hour() -> None:
    assert [not_known("VEE + usual day", hour) for hour in (8, 17)] == [34, 70]
    assert [not_known("store", hour) for hour in (8, 17, 19)] == [2, 6, 14]
    assert not_known("store + meter", 17) == 0


def test_a_plan_and_code_that_have_changed_since_are_told() -> None:
    dearer = PLANS["bluebonnet-saver-12"].model_copy(update={"name": "Dearer"})
    told = stale(shipped(), {"bluebonnet-saver-12": dearer})
    assert told[0] == "Plan 'bluebonnet-saver-12' is not as it was when the table was made."
    assert stale(shipped(), PLANS) == []
    other = ValueTable(shipped().key | {"code": ""}, shipped().columns)
    assert [*rows(other)][1].startswith("(made by other code than this")


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    made = other(10_000, homes=1)
    file, text = tmp_path / "v.parquet", tmp_path / "v.csv"
    write_parquet(made, file)
    write_csv(made, text)
    back = read_value(file)
    assert back.key == made.key
    for name, of in made.columns.items():
        assert np.array_equal(of, back.columns[name], equal_nan=name == "mean_kwh"), name
    with text.open(encoding="utf-8") as lines:
        first = next(csv.DictReader(lines))
    assert {name: first[name] for name in ("season", "hour", "gap", "unknown")} == {
        name: str(of[0]) for name, of in made.columns.items() if name in ("season", "hour", "gap", "unknown")
    }
    with pytest.raises(RorError) as caught:
        write_csv(made, tmp_path)
    assert caught.value.code == "ror.value.unwritable"
    with pytest.raises(RorError) as caught:
        write_png(made, tmp_path)
    assert caught.value.code == "ror.value.unwritable"


@pytest.mark.parametrize("count", few(1, [3, 2, 1]))
def test_a_picture_has_a_panel_for_each_plan(tmp_path: Path, count: int) -> None:
    path = tmp_path / "it.png"
    write_png(only(shipped(), list(shipped_plans())[:count]), path)
    assert path.read_bytes().startswith(b"\x89PNG")


def test_rows_tell_each_way_and_each_plan_that_is_asked_for() -> None:
    told = list(rows(only(shipped(), NAMES[:1])))
    assert told[0].startswith("20,000 generated homes")
    assert sum(line.startswith("bluebonnet-saver-12 ") for line in told) == 2
    assert not any("caprock" in line for line in told)
    assert [line.split()[0] for line in told[-len(SHOWN) :]] == [f"{one // 4}:{one % 4 * 15:02}" for one in SHOWN]
    assert max(map(len, told)) <= 110


def test_of_no_call_there_is_no_figure() -> None:
    table = only(shipped(), NAMES[:1])
    nothing = np.full(len(table.columns["mean_usd"]), np.nan)
    empty = ValueTable(table.key, {**table.columns, "mean_usd": nothing, "unsatisfied": nothing})
    text = "\n".join(rows(empty))
    assert "nan" not in text
    assert "more of them (--homes) tell it" in text
    assert "more of them" not in "\n".join(rows(table))
    assert {one["mean_usd"] for one in summary(empty)["plans"][0]["ways"]} == {None}


def test_a_plan_without_charges_on_a_day_of_the_table_is_told() -> None:
    late = RatePlan.model_validate(
        {
            "name": "Late",
            "tdu": [{"effective": "2026-03-01", "monthly": 1, "cents_per_kwh": 1}],
            "energy": [{"cents_per_kwh": 1}],
        }
    )
    with pytest.raises(RorError) as caught:
        make({"late": late}, 1, 1, lambda _done, _all: None)
    assert caught.value.code == "ror.plan.tdu_undated"


def test_the_page_is_what_the_shipped_table_makes() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert page(text) == text
