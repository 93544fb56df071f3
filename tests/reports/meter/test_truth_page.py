"""The truth in figures: each within what others have published, and what is not is marked."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from meters import SEED
from meters.identity import tdsp
from meters.load.premises import PremiseArrays
from meters.load.truth import day_intervals
from reports.meter.truth_figures import daily
from reports.meter.truth_page import SURE, published, truth_json, truth_lines
from tests.simulator.processes import invoked

PROFILES = Path(__file__).parents[2] / "data" / "ercot_load_profiles_2025w01.csv"


@pytest.fixture(scope="module")
def shown() -> dict[str, Any]:
    done = invoked("meters", "truth", "--json")
    assert done.exit_code == 0
    page: dict[str, Any] = json.loads(done.output)
    return page


@pytest.mark.parametrize("row", published(), ids=lambda row: row.name)
def test_each_figure_lies_within_what_is_published(row: Any, shown: dict[str, Any]) -> None:
    found = next(figure for figure in shown["figures"] if figure["name"] == row.name)
    assert row.low <= found["ours"] <= row.high
    assert found["within"] is True
    assert found["sure"] in SURE


def test_what_is_said_of_ercots_days_is_what_its_file_says() -> None:
    with PROFILES.open(encoding="utf-8", newline="") as file:
        rows = [
            row for row in csv.DictReader(file) if row["PType_WZ"] == "RESHIWR_NCENT" and row["Date"] < "2025-01-06"
        ]
    kwh = np.array([[float(row[f"int_kWh{i}"]) for i in range(1, 97)] for row in rows])
    assert kwh.sum(axis=1).round(1).tolist() == [56.1, 52.1, 40.4, 29.9, 49.0]
    shares = 100 * kwh.reshape(5, 4, 24).sum(axis=(0, 2)) / kwh.sum()
    steps = np.abs(np.diff(kwh, axis=1)).sum(axis=1) / kwh.sum(axis=1)
    told = {row.name: row for row in published()}
    for k, share in enumerate(shares):
        row = told[f"mild_{6 * k:02}_{6 * k + 6:02}"]
        assert f"{share:.1f}" in row.source
        assert row.low < share < row.high
    assert told["class_ramp"].source.endswith(f"{steps.min():.3f} to {steps.max():.3f}")
    assert told["class_ramp"].low <= steps.min()


def test_daily_use_is_the_sum_of_the_intervals() -> None:
    homes = PremiseArrays.generate(SEED, tdsp("ONCOR"), 5)
    used = daily(SEED, homes, 2025)
    assert used.shape == (5, 365)
    for ahead in (0, 67, 305):
        day = np.datetime64("2025-01-01") + ahead
        assert used[:, ahead].tolist() == day_intervals(SEED, homes, day.astype(object)).delivered.sum(axis=1).tolist()


def test_page_has_a_line_for_each_figure_and_marks_what_lies_outside(shown: dict[str, Any]) -> None:
    lines = [line.plain for line in truth_lines(shown)]
    for figure in shown["figures"]:
        assert sum(line.startswith(f"  {figure['what']}  ") and figure["source"] in line for line in lines) == 1
    assert not any("OUTSIDE" in line for line in lines)
    odd = {**shown, "figures": [{**shown["figures"][0], "ours": 99.0, "within": False}, *shown["figures"][1:]]}
    marked = [line.plain for line in truth_lines(odd) if "OUTSIDE" in line.plain]
    assert [" 99 " in line and "mean use of a home" in line for line in marked] == [True]


@pytest.mark.long
def test_figures_of_another_seed_and_year_are_others_and_within_the_ranges_too(shown: dict[str, Any]) -> None:
    other = truth_json(7, 2041)
    assert [row["name"] for row in other["figures"] if not row["within"]] == []
    assert [row["ours"] for row in other["figures"]] != [row["ours"] for row in shown["figures"]]


def test_a_year_without_neighbours_is_refused() -> None:
    for year in ("2020", "2100", "last"):
        assert invoked("meters", "truth", "--year", year).exit_code == 2
