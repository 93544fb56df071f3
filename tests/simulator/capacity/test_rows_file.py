"""The rows of a played load, written and read back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from headend.network.law import READ_OCTETS
from headend.wire import InquiryKind
from meters.calendar import INTERVAL_S
from simulator.capacity import rows_file
from simulator.capacity.ends import ENDS
from simulator.capacity.engine.doors import at_the_doors
from simulator.capacity.engine.law import Assumptions
from simulator.capacity.engine.run import Played, play_load
from simulator.capacity.rows_file import COLUMNS, write_rows
from simulator.capacity.workload.columns import CLASSES, DOORS, KINDS, Workload
from simulator.capacity.workload.draw import draw
from simulator.errors import SimulatorError
from simulator.smt.throttle.policy import preset
from simulator.versions import ROOT
from tests.simulator.capacity.workload.planned import plan


@pytest.fixture(scope="module")
def drawn() -> Workload:
    calls = {"ror_call_centre": {"reads": 900, "statuses": 90}, "customer": {"registers": 300}}
    return draw(plan(calls=calls, bulk=[{"at": "09:00", "requests": 50}]))


@pytest.fixture(scope="module")
def played(drawn: Workload) -> Played:
    return play_load(drawn.requests, drawn.outages, preset("fr-cr016-1"), Assumptions(flaky=0.2), seed=3)


def written(path: Path, drawn: Workload, played: Played, **more: Any) -> Any:
    write_rows(path, played, drawn.fleet, Assumptions(), **more)
    return pq.read_table(path)


def instants(table: Any, name: str) -> list[int | None]:
    """Microseconds since the epoch."""
    found: list[int | None] = table[name].cast("int64").to_pylist()
    return found


def test_rows_come_back_as_they_were_played(
    tmp_path: Path, drawn: Workload, played: Played, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rows_file, "PIECE", 500)
    table = written(tmp_path / "rows.parquet", drawn, played)
    rows = played.rows
    assert pq.ParquetFile(tmp_path / "rows.parquet").num_row_groups == -(-len(rows) // 500) > 2
    assert table.column_names == list(COLUMNS)
    names = {
        "class": [CLASSES[at] for at in rows.requester_class],
        "ror": [drawn.fleet.rors[at] for at in rows.ror],
        "tdsp": ["Oncor"] * len(rows),
        "kind": [KINDS[at] for at in rows.kind],
        "door": [DOORS[at] for at in rows.door],
        "end": [ENDS[at] for at in rows.end],
        "code": [None if at < 0 else played.codes[at] for at in rows.code],
    }
    for name, wanted in names.items():
        assert table[name].to_pylist() == wanted, name
    numbers = {"row": "row", "call": "call", "attempt": "attempt", "access_point": "access_point", "meter": "esi"}
    for name, column in (numbers | {"tries": "tries"}).items():
        assert table[name].to_pylist() == rows[column].tolist(), name
    assert table["repeat_of"].to_pylist() == [None if at < 0 else at for at in rows.repeat_of.tolist()]
    assert table["octets_on_air"].to_pylist() == [READ_OCTETS * at for at in rows.tries.tolist()]
    assert instants(table, "planned") == rows.planned_us.tolist()
    assert instants(table, "ended") == rows.done_us.tolist()
    for name, column in (("reach", rows.reach), ("retry_at", rows.retry_at)):
        assert instants(table, name) == [at * 10**6 if at else None for at in column.tolist()]
    jobs = (rows.requester_class == 1).tolist()
    hangs_up = zip(jobs, (rows.planned_us + rows.patience_us).tolist(), strict=True)
    assert instants(table, "hangs_up") == [None if waits else at for waits, at in hangs_up]
    http = at_the_doors(rows, played.use, Assumptions())
    assert table["http_calls"].to_pylist() == http.calls.tolist()
    assert table["octets_on_http"].to_pylist() == http.octets.tolist()


def test_whoever_has_an_answer_before_the_hang_up_is_told(tmp_path: Path, drawn: Workload, played: Played) -> None:
    found = written(tmp_path / "rows.parquet", drawn, played).to_pylist()
    for one in found:
        answered = one["reach"] is not None if one["kind"] == InquiryKind.INTERVALS else one["end"] == "completed"
        assert one["told"] == (answered and (one["hangs_up"] is None or one["ended"] <= one["hangs_up"]))
    assert {one["told"] for one in found} == {True, False}
    reaches = [one["reach"] for one in found if one["reach"]]
    assert all(reach.timestamp() % INTERVAL_S == 0 for reach in reaches)


def test_each_column_says_what_it_is(tmp_path: Path, drawn: Workload, played: Played) -> None:
    schema = written(tmp_path / "rows.parquet", drawn, played).schema
    for field in schema:
        assert field.metadata[b"says"].decode() == COLUMNS[field.name].says
        assert field.metadata.get(b"unit", b"").decode() == COLUMNS[field.name].unit


def test_dollars_are_of_requests_for_intervals_if_they_are_reckoned(
    tmp_path: Path, drawn: Workload, played: Played
) -> None:
    worth = np.stack([np.arange(len(played.rows)) / 100, np.full(len(played.rows), 0.25)])
    table = written(tmp_path / "rows.parquet", drawn, played, worth=worth)
    of_intervals = (played.rows.kind == 0).tolist()
    assert table["usd_off"].to_pylist() == [at if of else None for at, of in zip(worth[0], of_intervals, strict=True)]
    assert table["unsatisfied"].null_count == of_intervals.count(False) > 0
    assert written(tmp_path / "none.parquet", drawn, played)["usd_off"].null_count == len(played.rows)


def test_rows_that_cannot_be_written_say_so_and_leave_nothing(tmp_path: Path, drawn: Workload, played: Played) -> None:
    with pytest.raises(SimulatorError, match=r"capacity.rows: .*rows.parquet: The rows cannot be written"):
        write_rows(tmp_path / "nowhere" / "rows.parquet", played, drawn.fleet, Assumptions())
    assert list(tmp_path.iterdir()) == []


def test_the_page_tells_every_column() -> None:
    page = (ROOT / "docs" / "capacity-rows.md").read_text(encoding="utf-8")
    lines = [f"| `{name}` | {one.type} | {one.unit} | {one.says} |" for name, one in COLUMNS.items()]
    assert [line for line in page.splitlines() if line.startswith("| `")] == lines
