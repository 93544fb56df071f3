"""The shipped table of what callers are told wrongly, and how it is read."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from meters.errors import UserError
from simulator.capacity.value import (
    FIGURES,
    HOURS,
    KEY,
    MOST_UNKNOWN,
    OF,
    SHIPPED,
    WAYS,
    ValueTable,
    read_value,
    season_of,
)


@pytest.fixture(scope="module")
def table() -> ValueTable:
    return read_value()


def test_the_shipped_table_is_small_and_of_twenty_thousand_homes(table: ValueTable) -> None:
    assert SHIPPED.stat().st_size < 1_000_000
    assert table.key["homes"] == 20_000
    assert len(table.plans) == 6
    calls = table.columns["calls"][table.rows(plan=table.plans[0], gap="left out", unknown=0)]
    assert calls.sum() == 20_000 * 30 * 4
    # Weekends of a season are eight days of thirty and more.
    assert calls.min() > 4_000


@pytest.mark.parametrize("way", WAYS)
def test_every_season_kind_hour_and_quarter_hour_has_a_figure(table: ValueTable, way: str) -> None:
    for season in {season_of(date(2026, 1, 1) + timedelta(days=at)) for at in range(365)}:
        for kind in ("weekday", "weekend"):
            packed = table.packed(season, kind, way)
            assert packed.shape == (HOURS, MOST_UNKNOWN + 1, len(table.plans))
            assert packed.dtype == np.float32
            assert np.isfinite(packed).all()
            assert not packed[:, 0].any()
            assert packed[:, 192].any() == (way != "store + meter")


def test_what_lies_between_two_rows_is_on_the_line_between_them(table: ValueTable) -> None:
    packed = table.packed("summer", "weekday", "VEE + usual day", "p90_usd")
    for unknown, at in ((72, 72), (80, 80)):
        row = table.rows(season="summer", kind="weekday", gap="usual day", hour=17, unknown=unknown, bill="to date")
        assert packed[17, at].tolist() == table.columns["p90_usd"][row].tolist()
    assert packed[17, 74] == pytest.approx(packed[17, 72] * 0.75 + packed[17, 80] * 0.25)


def test_seasons_are_of_three_months_and_winter_begins_in_december() -> None:
    assert [season_of(date(2026, month, 1)) for month in (12, 1, 2, 3, 6, 8, 9, 11)] == [
        *["winter"] * 3,
        "spring",
        *["summer"] * 2,
        *["autumn"] * 2,
    ]


def test_an_hour_without_a_call_is_not_told(tmp_path: Path) -> None:
    columns = {name: np.array(["x"]) for name in OF} | {name: np.array([1.0]) for name in FIGURES}
    columns |= {"season": np.array(["summer"]), "kind": np.array(["weekday"]), "hour": np.array([3])}
    columns |= {"gap": np.array(["left out", "left out"])[:1], "bill": np.array(["to date"]), "plan": np.array(["p"])}
    few = ValueTable({"plans": {"p": ""}}, columns | {"unknown": np.array([0]), "calls": np.array([2])})
    assert np.isnan(few.packed("winter", "weekday", "VEE")).all()
    assert np.isnan(few.mean("mean_usd", season="winter"))
    assert few.mean("mean_usd", season="summer") == 1


def test_a_file_that_is_no_table_is_told_with_its_mend(tmp_path: Path) -> None:
    def refused(path: Path) -> UserError:
        with pytest.raises(UserError) as caught:
            read_value(path)
        assert "--homes" in caught.value.mend
        return caught.value

    file = tmp_path / "value.parquet"
    assert refused(file).code == "capacity.value.unreadable"
    file.write_text("season,kind\n", encoding="utf-8")
    assert refused(file).code == "capacity.value.unreadable"
    pq.write_table(pa.table({"season": ["summer"]}), file)
    assert "no column 'kind'" in refused(file).message
    whole = pq.read_table(SHIPPED)
    pq.write_table(whole.replace_schema_metadata({}), file)
    assert "what it is a result of" in refused(file).message
    pq.write_table(whole.drop_columns(["calls"]).replace_schema_metadata({KEY: b"{}"}), file)
    assert refused(file).code == "capacity.value.other"
