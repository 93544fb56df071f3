"""Requests of one's own: what a file holds is what is played, and every wrong row is told with its line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from meters.calendar import epoch, to_us
from simulator.capacity.workload.chosen import chosen_workload, read_workload
from simulator.capacity.workload.columns import Planned
from simulator.capacity.workload.draw import draw
from simulator.capacity.workload.never import NEVER_US
from simulator.capacity.workload.own import rows_in, write_requests
from tests.simulator.capacity.workload.planned import plan

HEADER = "time,esiid,class,kind,ror"
ONE, OTHER = "10443729900000001", "1008901999999900000002"
ROW = f"2026-08-12T10:00,{ONE},csp,INTERVALS,Salt Fork"


def written(folder: Path, *lines: str, header: str = HEADER) -> Path:
    path = folder / "mine.csv"
    path.write_text("\n".join([header, *lines, ""]), encoding="utf-8")
    return path


def played(path: Path) -> list[Planned]:
    return list(draw(chosen_workload(str(path))).in_turn())


def told(path: Path) -> list[str]:
    made, mistakes = read_workload(str(path))
    assert made is None
    assert all(one.code.startswith("capacity.workload.") and one.mend for one in mistakes)
    return [f"{one.place.removeprefix(str(path))} {one.message}" for one in mistakes]


def test_a_file_of_requests_is_played_in_order_of_time(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        f"2026-08-12T17:40:30.25,{ONE},ror_call_centre,intervals,Salt Fork",
        f"2026-08-12T08:00:00-06:00,{OTHER},Home_Automation,REGISTER,Nobody Else",
        "",
        f"2026-08-13T00:00,{ONE},csp,power,Salt Fork",
    )
    first, second, third = played(path)
    assert (first.esiid, first.at_us, first.ror, first.door) == (
        OTHER,
        to_us(epoch("2026-08-12T09:00")),
        "Nobody Else",
        "portal",
    )
    assert second[1:6] == (
        to_us(epoch("2026-08-12T17:40:30")) + 250_000,
        "INTERVALS",
        ONE,
        "ror_call_centre",
        "Salt Fork",
    )
    assert (third.kind, third.door, third.patience_us) == ("POWER", "api", NEVER_US)
    # An ESI ID has one access point, whatever is asked for.
    assert second.access_point == third.access_point
    assert chosen_workload(str(path)).spec.days == 2


def test_further_columns_tell_tdsp_access_point_door_and_patience(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        f"{ROW},oncor,799,portal,1.5,anything",
        f"{ROW},ONCOR,0,API,,",
        header=f"{HEADER},tdsp,access_point,door,patience_s,note",
    )
    assert [one[6:] for one in played(path)] == [("Oncor", 799, "portal", 1_500_000), ("Oncor", 0, "api", NEVER_US)]


def test_without_a_patience_each_waits_as_its_class_does(tmp_path: Path) -> None:
    rows = [ROW.replace("csp", asker) for asker in ("csp", "ror_bulk", "customer", "home_automation")]
    path = written(tmp_path, *rows, *[ROW.replace("csp", "ror_call_centre")] * 5000)
    waits = [one.patience_us for one in played(path)]
    assert waits[:4] == [NEVER_US, NEVER_US, to_us(300), to_us(300)]
    callers = np.asarray(waits[4:]) / 1e6
    assert abs(callers.mean() - 120) < 1
    assert abs((callers > 120).mean() - np.exp(-1)) < 0.01


def test_the_repeated_hour_is_the_first_of_two_and_an_offset_names_the_other(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        f"2026-11-01T01:30,{ONE},csp,INTERVALS,A",
        f"2026-11-01T01:30-06:00,{ONE},csp,INTERVALS,A",
    )
    one, other = played(path)
    assert other.at_us - one.at_us == to_us(3600)


def test_local_times_of_a_whole_file_are_turned_as_the_calendar_turns_each(tmp_path: Path) -> None:
    at = ["2026-11-01T00:59:59", "2026-11-01T01:00", "2026-11-01T02:00", "2026-11-01T23:59:59.5"]
    path = written(tmp_path, *(f"{one},{ONE},csp,INTERVALS,A" for one in at))
    assert [one.at_us for one in played(path)] == [
        to_us(epoch(one.split(".")[0])) + 500_000 * ("." in one) for one in at
    ]


def test_every_wrong_row_is_told_with_its_line(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        ROW,
        f"2026-08-12T10:00,{ONE[:16]},csp,INTERVALS,A",
        "",
        f"2026-08-12T10:00,{ONE},call_centre,INTERVALS,A",
        f"2026-08-12T10:00,{ONE},csp,INTERVAL,A",
        f"2026-08-12T10:00,{ONE},csp",
        f"2026-08-12T10:00,{ONE},csp,INTERVALS,",
        f"2026-08-32T10:00,{ONE},csp,INTERVALS,A",
        f"yesterday,{ONE},csp,INTERVALS,A",
    )
    assert told(path) == [
        f":3 '{ONE[:16]}' is no ESI ID.",
        ":5 'call_centre' is no class.",
        ":6 'INTERVAL' is no kind.",
        ":7 There are 3 cells and not 5.",
        ":8 The retailer is missing.",
        ":9 '2026-08-32T10:00' is not a date and time.",
        ":10 'yesterday' is not a date and time.",
    ]


def test_a_time_that_the_clock_skips_is_told(tmp_path: Path) -> None:
    skipped = f"2026-03-08T02:30,{ONE},csp,INTERVALS,A"
    assert told(written(tmp_path, skipped)) == [":2 2026-03-08T02:00:00 does not exist: clocks go forward over it."]


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        ("TNMP,0,api,1", "The fleet has no TDSP 'TNMP'."),
        ("Oncor,800,api,1", "This is no access point of the TDSP."),
        ("Oncor,-1,api,1", "This is no access point of the TDSP."),
        ("Oncor,1.5,api,1", "This is no access point of the TDSP."),
        ("Oncor,inf,api,1", "This is no access point of the TDSP."),
        ("Oncor,x,api,1", "This is no access point of the TDSP."),
        ("Oncor,0,window,1", "'window' is no door."),
        ("Oncor,0,api,-1", "This is no patience."),
        ("Oncor,0,api,-2", "This is no patience."),
        ("Oncor,0,api,inf", "This is no patience."),
        ("Oncor,0,api,long", "This is no patience."),
    ],
)
def test_wrong_cells_of_further_columns_are_told(tmp_path: Path, cells: str, message: str) -> None:
    assert told(written(tmp_path, f"{ROW},{cells}", header=f"{HEADER},tdsp,access_point,door,patience_s")) == [
        f":2 {message}"
    ]


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("time,esiid,class", ":1 There is no column kind, ror."),
        (f"{HEADER},ror", ":1 The column ror is there twice."),
    ],
)
def test_a_wrong_header_is_told_alone(tmp_path: Path, header: str, message: str) -> None:
    assert told(written(tmp_path, "x,x,x", header=header)) == [message]


def test_a_file_without_requests_is_told(tmp_path: Path) -> None:
    assert told(written(tmp_path)) == [" The file has no request."]


def test_of_many_mistakes_the_first_hundred_are_told_and_the_rest_counted(tmp_path: Path) -> None:
    found = told(written(tmp_path, *[f"2026-08-12T10:00,{n},csp,INTERVALS,A" for n in range(2000)]))
    assert len(found) == 101
    assert found[99] == ":101 '99' is no ESI ID."
    assert found[100] == " There are 1,900 more mistakes."


def test_rows_outside_of_the_workloads_days_are_told(tmp_path: Path) -> None:
    written(tmp_path, ROW, ROW.replace("08-12", "08-13"))
    around = tmp_path / "mine.yaml"
    around.write_text(
        "name: mine\nday: 2026-08-12\nfleet: {tdsps: [{name: Oncor, meters: 5000}]}\nrequests: mine.csv\n", "utf-8"
    )
    made, mistakes = read_workload(str(around))
    assert made is None
    assert [str(one.place) for one in mistakes] == [f"{tmp_path / 'mine.csv'}:3"]


def test_of_several_tdsps_the_esi_id_tells_which(tmp_path: Path) -> None:
    rows = [ROW, ROW.replace(ONE, OTHER), ROW.replace(ONE, "99999999999999999")]
    written(tmp_path, *rows[:2])
    around = tmp_path / "mine.yaml"
    text = "name: mine\nday: 2026-08-12\nfleet: {tdsps: [{name: Oncor, meters: 5000}, {name: CenterPoint, meters: 9000}]}\nrequests: mine.csv\n"
    around.write_text(text, "utf-8")
    assert [(one.tdsp, one.access_point) for one in played(around)] in (
        [("Oncor", 0), ("CenterPoint", 1)],
        [("Oncor", 0), ("CenterPoint", 2)],
    )
    written(tmp_path, *rows)
    assert [one.message for one in read_workload(str(around))[1]] == [
        "ESI ID 99999999999999999 is of no TDSP of the fleet."
    ]


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    small = plan(
        fleet={"tdsps": [{"name": "Oncor", "meters": 50_000}, {"name": "CenterPoint", "meters": 20_000}]},
        calls={"ror_call_centre": {"reads": 400, "statuses": 50}, "customer": {"registers": 300}},
        home_automation={"share": 0.0005},
    )
    drawn = draw(small)
    path = tmp_path / "all.parquet"
    write_requests(drawn, path)
    assert rows_in(path) == len(drawn.requests)
    around = tmp_path / "all.yaml"
    tdsps = "{tdsps: [{name: Oncor, meters: 50000}, {name: CenterPoint, meters: 20000}]}"
    around.write_text(f"name: mine\nday: 2026-08-12\nfleet: {tdsps}\nrequests: all.parquet\n", "utf-8")
    assert [one[1:] for one in played(around)] == [one[1:] for one in drawn.in_turn()]


def test_parquet_may_have_local_times_and_numbers(tmp_path: Path) -> None:
    path = tmp_path / "mine.parquet"
    at = np.asarray(["2026-08-12T10:00", "2026-08-12T11:00"], dtype="datetime64[ms]")
    esiids = np.asarray([int(ONE), int(ONE) + 1])
    cells = {
        "class": ["csp", "csp"],
        "kind": ["POWER", "POWER"],
        "ror": ["A", "B"],
        "access_point": [3, 4],
        "patience_s": [2.5, None],
    }
    parquet.write_table(pa.table({"time": at, "esiid": esiids, **cells}), path)
    first, second = played(path)
    assert (first.at_us, first.esiid, first.access_point, first.patience_us) == (
        to_us(epoch("2026-08-12T10:00")),
        ONE,
        3,
        2_500_000,
    )
    assert (second.access_point, second.patience_us) == (4, NEVER_US)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"time": [None, None]}, [": row 1 '' is not a date and time.", ": row 2 '' is not a date and time."]),
        ({"time": [1, 2]}, [": row 1 '1' is not a date and time.", ": row 2 '2' is not a date and time."]),
        ({"ror": [None, "A"]}, [": row 1 The retailer is missing."]),
    ],
)
def test_wrong_rows_of_parquet_are_told_by_their_number(
    tmp_path: Path, changed: dict[str, list[object]], message: list[str]
) -> None:
    path = tmp_path / "mine.parquet"
    cells = {
        "time": ["2026-08-12"] * 2,
        "esiid": [ONE] * 2,
        "class": ["csp"] * 2,
        "kind": ["POWER"] * 2,
        "ror": ["A"] * 2,
        **changed,
    }
    parquet.write_table(pa.table(cells), path)
    assert told(path) == message


def test_parquet_of_lists_and_what_is_no_parquet_are_told(tmp_path: Path) -> None:
    path = tmp_path / "mine.parquet"
    parquet.write_table(pa.table({"time": ["x"], "esiid": [[[1]]], "class": ["x"], "kind": ["x"], "ror": ["x"]}), path)
    assert told(path)[0].startswith(": row 1 This is no Parquet file of requests: ")
    path.write_bytes(b"PAR")
    assert told(path)[0].startswith(": row 1 This is no Parquet file of requests: ")
