"""A table of intervals as a user has it: what is read of it, and what is told of one that is wrong."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from meters.errors import UserError
from reports.interval_table import coded, read_table, starts_of, wh_if_any, wh_of

AT = 1_768_284_000  # 2026-01-13T06:00:00Z


def csv(folder: Path, text: str) -> Path:
    path = folder / "a.CSV"
    path.write_text(text, "utf-8")
    return path


def read(path: Path) -> Any:
    return read_table(path, "x.table")


def test_a_csv_keeps_its_digits_and_tells_energy_in_wh_and_starts_in_utc(tmp_path: Path) -> None:
    path = csv(
        tmp_path,
        "esiid,channel,start,kwh,status\n"
        "0104437299243854850001,4,2026-01-13T06:00:00Z,0.25,A\n"
        "0104437299243854850001,4,2026-01-13T00:15:00-06:00,,\n",
    )
    table = read(path)
    assert table["esiid"].to_pylist() == ["0104437299243854850001"] * 2
    np.testing.assert_array_equal(wh_of(path, table, "x.table"), [250.0, np.nan])
    assert starts_of(path, table, "x.table").tolist() == [AT, AT + 900]
    codes, texts = coded(table["status"])
    assert [texts[one] for one in codes] == ["A", ""]


def test_instants_of_a_parquet_file_are_those_of_their_zone(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    starts = pa.array([AT * 1000 + 999], pa.timestamp("ms", "America/Chicago"))
    pq.write_table(pa.table({"esiid": ["1"], "channel": [4], "start": starts, "status": ["A"], "wh": [7]}), path)
    table = read(path)
    assert (starts_of(path, table, "x").tolist(), wh_of(path, table, "x").tolist()) == ([AT], [7.0])
    assert wh_if_any(path, table, "x", "end_") is None


@pytest.mark.parametrize("name", ["none.csv", "none.parquet"])
def test_a_file_that_is_not_there_is_told_in_words_and_once(tmp_path: Path, name: str) -> None:
    with pytest.raises(UserError) as told:
        read(tmp_path / name)
    assert (told.value.message, told.value.place) == ("No such file or directory.", str(tmp_path / name))


def nothing(path: Path, table: Any) -> None: ...


@pytest.mark.parametrize(
    ("text", "then", "said"),
    [
        ("esiid,channel,start\n1,4,x\n", nothing, "{path}: There is no column 'status'."),
        ("a,b\n1\n", nothing, "{path}: CSV parse error"),
        ("esiid,channel,start,status\n1,4,x,A\n", wh_of, "{path}: There is neither a column 'wh' nor 'kwh'."),
        ("esiid,channel,start,status,wh\n1,4,x,A,much\n", wh_of, "{path}: wh: Failed to parse string"),
        ("esiid,channel,start,status\n1,4,soon,A\n", starts_of, "{path}: start: 'soon' is no time with an offset."),
        ("esiid,channel,start,status\n1,4,2026-01-13T06:00,A\n", starts_of, "{path}: start: '2026-01-13T06:00' is no time"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_with_its_column(
    tmp_path: Path, text: str, then: Callable[..., object], said: str
) -> None:
    path = csv(tmp_path, text)

    def taken() -> None:
        then(path, read(path), *([] if then is nothing else ["x.table"]))

    with pytest.raises(UserError) as caught:
        taken()
    assert str(caught.value).startswith(f"x.table: {said.format(path=path)}")
    assert caught.value.mend


def test_a_file_that_is_none_and_instants_without_a_zone_are_told(tmp_path: Path) -> None:
    for path in (tmp_path / "none.parquet", csv(tmp_path, "").rename(tmp_path / "empty.parquet")):
        with pytest.raises(UserError, match=rf"^x\.table: {path}: .*Give LSE files, CSV or Parquet\."):
            read(path)
    naive = {"start": pa.array([AT], pa.timestamp("s"))}
    with pytest.raises(UserError, match=r"^x: a: start: The starts have no zone\. Write 2026-01-13T06:00:00Z"):
        starts_of(Path("a"), pa.table(naive), "x")
