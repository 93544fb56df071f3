"""A workload's file: the shipped ones, what is wrong with one, and calls by the hour of one's own."""

from __future__ import annotations

import json
import re
from datetime import date
from pathlib import Path
from typing import Any

import jsonschema_rs
import numpy as np
import pyarrow as pa
import pytest
import yaml
from pyarrow import parquet

from meters.errors import UserError
from simulator.capacity.workload import plan as planning
from simulator.capacity.workload.chosen import chosen_workload, read_workload, shipped
from simulator.capacity.workload.draw import draw
from simulator.capacity.workload.spec import WorkloadSpec
from simulator.errors import SimulatorError
from simulator.input.yaml_text import read_yaml_file
from tests.simulator.capacity.workload.pages import SCHEMA, schema_text
from tests.simulator.capacity.workload.planned import FLEET

SMALL = {"name": "small", "day": "2026-08-12", "fleet": FLEET}


def file(folder: Path, **fields: Any) -> Path:
    path = folder / "mine.yaml"
    path.write_text(yaml.safe_dump({**SMALL, **fields}, sort_keys=False), "utf-8")
    return path


def told(path: Path) -> list[str]:
    made, mistakes = read_workload(str(path))
    assert made is None
    assert all(one.mend for one in mistakes)
    return [
        f"{one.place.rpartition('/')[2].partition(': ')[2] or one.place.rpartition('/')[2]}: {one.message}"
        for one in mistakes
    ]


def test_six_workloads_are_shipped_and_sound() -> None:
    assert list(shipped()) == [
        "beryl-2024",
        "bill-surge-x3",
        "bulk-40000",
        "home-automation-synchronised",
        "ordinary-day",
        "storm-5-percent",
    ]
    for name in shipped():
        assert chosen_workload(name).spec.name == name


def test_the_schema_is_that_of_the_code_and_takes_what_is_shipped() -> None:
    assert SCHEMA.read_text(encoding="utf-8") == schema_text(), "python -m tests.simulator.capacity.workload.pages"
    schema = jsonschema_rs.validator_for(json.loads(SCHEMA.read_text(encoding="utf-8")))
    for path in shipped().values():
        assert schema.is_valid(read_yaml_file(path).value)
    assert not schema.is_valid({**SMALL, "storms": {}})


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"storms": {}}, "storms: There is no field 'storms' here."),
        ({"days": 32}, "days: 32 is out of range: it must be at most 31."),
        ({"day": "1999-12-31"}, "day: '1999-12-31' is out of range: it must be at least 2000-01-01."),
        ({"name": "a b"}, "name: 'a b' is no name."),
        ({"calls": {"caller": {}}}, "calls.caller: 'caller' is not known here."),
        ({"calls": {"csp": {"curve": "noon"}}}, "calls.csp.curve: There is no curve 'noon'."),
        ({"fleet": {"tdsps": [{"name": "PG&E", "meters": 1}]}}, "fleet.tdsps[1].name: 'PG&E' is no TDSP."),
        (
            {"fleet": {"tdsps": [{"name": "Oncor", "meters": 9}, {"name": "ONCOR", "meters": 9}]}},
            "fleet.tdsps: 'ONCOR' is named twice.",
        ),
        (
            {"fleet": {"tdsps": [{"name": "Oncor", "meters": 99_999, "meters_per_access_point": 1}]}},
            "fleet: There are 99,999 access points, and 32,767 can be numbered.",
        ),
        (
            {"bills": [{"day": "2026-08-12", "share": 1, "days_after": [0.9, 0.2]}]},
            "bills[1].days_after: The parts add up to 1.1.",
        ),
        (
            {"bulk": [{"at": "09:00", "requests": 10_001, "ror": "Small"}]},
            "bulk[1].requests: 10,001 requests are more than the 10,000 meters of Small.",
        ),
        ({"bulk": [{"at": "09:00", "requests": 1, "ror": "Smal"}]}, "bulk[1].ror: The fleet has no retailer 'Smal'."),
        (
            {"day": "2026-03-08", "bulk": [{"at": "02:30", "requests": 1}]},
            "bulk[1].at: 2026-03-08T02:30:00 does not exist: clocks go forward over it.",
        ),
        ({"storm": {}}, "storm: A storm has either 'out' or 'curve'."),
        (
            {"storm": {"tdsp": "TNMP", "out": [{"at": "2026-08-12T01:00", "share": 1}]}},
            "storm.tdsp: The fleet has no TDSP 'TNMP'.",
        ),
        ({"storm": {"out": [{"at": "2026-08-13T00:00", "share": 1}]}}, "storm: The storm's curve is of other days."),
        (
            {"storm": {"out": [{"at": "2026-03-08T02:30", "share": 1}]}},
            "storm.out[1].at: 2026-03-08T02:30:00 does not exist: clocks go forward over it.",
        ),
        (
            {"storm": {"out": [{"at": "2026-08-12T09:00", "share": 1}, {"at": "2026-08-12T08:00", "share": 0}]}},
            "storm.out[2].at: 2026-08-12 08:00:00 is before the point above.",
        ),
        ({"storm": {"curve": "none.csv"}}, "storm.curve: 'none.csv' cannot be read: No such file or directory."),
        ({"curve": "none.csv"}, "curve: 'none.csv' cannot be read: No such file or directory."),
        ({"requests": "none.parquet"}, "requests: 'none.parquet' cannot be read: No such file or directory."),
    ],
)
def test_what_is_wrong_is_told_with_its_field(tmp_path: Path, fields: dict[str, Any], message: str) -> None:
    assert told(file(tmp_path, **fields)) == [message]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("- a list", "A workload is a mapping of fields."),
        ("a: [", "While parsing a flow node"),
        ("", "A workload is a mapping of fields."),
    ],
)
def test_a_file_that_is_no_workload_is_told(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(text, "utf-8")
    made, mistakes = read_workload(str(path))
    assert made is None
    assert len(mistakes) == 1
    assert mistakes[0].place.startswith(str(path))
    assert message == "While parsing a flow node" or mistakes[0].message == message


@pytest.mark.parametrize("name", ["ordinary", "none.csv", "none.parquet"])
def test_a_name_that_is_none_is_told(name: str) -> None:
    with pytest.raises(SimulatorError) as caught:
        chosen_workload(name)
    assert caught.value.code == "capacity.workload.unreadable"


def test_a_workload_that_does_not_fit_into_memory_is_told_before_it_is_drawn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(planning, "memory_octets", lambda: 1_000_000_000)
    assert told(file(tmp_path, calls={"csp": {"reads": 5_000_000}})) == [
        "mine.yaml: 5,000,000 requests would take 0.6 GB, and this machine has 1.0 GB."
    ]
    assert read_workload(str(file(tmp_path, calls={"csp": {"reads": 3_000_000}})))[0] is not None
    own = tmp_path / "mine.csv"
    row = "2026-08-12T10:00,10443729900000001,csp,INTERVALS,A\n"
    own.write_text(f"time,esiid,class,kind,ror\n{row * 3}", "utf-8")
    assert read_workload(str(own))[0] is not None
    monkeypatch.setattr(planning, "memory_octets", lambda: 1000)
    assert read_workload(str(own))[1][0].code == "capacity.workload.too_large"


def test_memory_is_that_of_the_machine() -> None:
    assert planning.memory_octets() > 1 << 28


CURVE = "hour,class,calls\n17,ror_call_centre,30000\n18,customer,20000\n"


def test_calls_by_the_hour_of_ones_own_are_drawn(tmp_path: Path) -> None:
    path = tmp_path / "my curve.csv"
    path.write_text(CURVE, "utf-8")
    found = chosen_workload(str(path))
    assert (found.spec.name, found.spec.day, found.spec.days, found.fleet.meters) == (
        "my-curve",
        date(2026, 8, 12),
        1,
        4_000_000,
    )
    assert [(one.requester_class, one.kind) for one in found.streams] == [
        ("ror_call_centre", "INTERVALS"),
        ("customer", "REGISTER"),
    ]
    assert [np.flatnonzero(one.expected).tolist() for one in found.streams] == [[17], [18]]
    assert abs(len(draw(found).requests) - 50_000) < 4 * np.sqrt(50_000)


def test_a_curve_may_have_days_and_kinds(tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    rows = [
        "day,hour,class,kind,calls",
        "2026-10-31,1,csp,power,10",
        "2026-11-01,1,csp,power,20",
        "2026-11-01,2,csp,power,40",
    ]
    path.write_text("\n".join(rows), "utf-8")
    found = chosen_workload(str(path))
    (one,) = found.streams
    assert (found.spec.days, len(found.hours), one.kind) == (2, 49, "POWER")
    # The clock shows one o'clock twice: its calls are shared by both hours.
    assert {at: float(one.expected[at]) for at in np.flatnonzero(one.expected)} == {1: 10, 25: 10, 26: 10, 27: 40}


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("24,csp,1,,", "'24' is no hour of the day."),
        ("x,csp,1,,", "'x' is no hour of the day."),
        ("2,csp,1,2026-03-08,", "There is no hour 2 on 2026-03-08: clocks go forward over it."),
        ("2,csp,1,,", "There is no hour 2 on 2026-03-08: clocks go forward over it."),
        ("3,cps,1,,", "'cps' is no class."),
        ("3,csp,nan,,", "'nan' is no count of calls."),
        ("3,csp,-1,,", "'-1' is no count of calls."),
        ("3,csp,,,", "'' is no count of calls."),
        ("3,csp,1,2026-03-09,", "2026-03-09 is not of 2026-03-08 to 2026-03-08."),
        ("3,csp,1,today,", "'today' is no day."),
        ("3,csp,1,,interval", "'INTERVAL' is no kind."),
        ("4,csp,1,,", "This hour of csp stands in line 2 already."),
    ],
)
def test_a_wrong_row_of_a_curve_is_told_with_its_line(tmp_path: Path, row: str, message: str) -> None:
    (tmp_path / "calls.csv").write_text(f"hour,class,calls,day,kind\n4,csp,1,,\n{row}\n", "utf-8")
    made, mistakes = read_workload(str(file(tmp_path, day="2026-03-08", curve="calls.csv")))
    assert made is None
    assert [(one.place, one.message) for one in mistakes] == [(f"{tmp_path / 'calls.csv'}:3", message)]


@pytest.mark.parametrize(
    ("text", "message"),
    [("hour,calls\n1,2\n", "The curve has no column class."), ("hour,class,calls\n", "The curve has no row.")],
)
def test_a_curve_without_columns_or_rows_is_told(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "mine.csv"
    path.write_text(text, "utf-8")
    assert [one.message for one in read_workload(str(path))[1]] == [message]


def test_an_outage_curve_comes_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "out.csv").write_text(
        "at,out,source\n2026-08-12T10:00,50000,x\n2026-08-12T10:00-06:00,50000,\n2026-08-12T12:00,0,\n", "utf-8"
    )
    found = chosen_workload(str(file(tmp_path, storm={"curve": "out.csv"})))
    assert [one.out for one in found.storm] == [50_000, 50_000, 0]
    assert len(found.outages(0)) == 50


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("at,meters\n", "The file has no columns at and out."),
        ("at,out\n", "The file has no point."),
        ("at,out\nnoon,1\n", "'noon' is not a date and time."),
        ("at,out\n2026-08-12T10:00,many\n", "'many' is no count of meters."),
        ("at,out\n2026-08-12T10:00\n", "'' is no count of meters."),
        ("at,out\n2026-08-12T10:00,nan\n", "nan is no count of meters."),
        ("at,out\n2026-08-12T10:00,1\n2026-08-12T09:00,1\n", "2026-08-12T09:00 is before the line above."),
        ("at,out\n2026-08-12T10:00,100001\n", "100,001 meters without power are more than the 100,000 of the TDSP."),
    ],
)
def test_a_wrong_outage_curve_is_told(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "out.csv").write_text(text, "utf-8")
    made, mistakes = read_workload(str(file(tmp_path, storm={"curve": "out.csv"})))
    assert made is None
    assert message in [one.message for one in mistakes]


@pytest.mark.parametrize("octets", [b"at,out\n\xff\xfe", b'at,out\n"' + b"x" * 200_000])
def test_a_curve_that_is_no_text_is_told(tmp_path: Path, octets: bytes) -> None:
    (tmp_path / "out.csv").write_bytes(octets)
    assert told(file(tmp_path, storm={"curve": "out.csv"})) == [
        "storm.curve: 'out.csv' cannot be read: it is no CSV text in UTF-8."
    ]


def test_expected_requests_are_about_those_drawn() -> None:
    for name in ("storm-5-percent", "bulk-40000"):
        found = chosen_workload(name)
        assert 0.9 < len(draw(found).requests) / found.expected() <= 1.02


def test_every_mistake_is_a_users_error(tmp_path: Path) -> None:
    assert all(isinstance(one, UserError) for one in read_workload(str(file(tmp_path, days=0)))[1])


def test_the_docs_name_what_is_shipped_and_their_file_is_sound(tmp_path: Path) -> None:
    text = (Path(__file__).parents[4] / "docs" / "workloads.md").read_text("utf-8")
    assert sorted(re.findall(r"^\| `([\w-]+)` \|", text, re.MULTILINE)) == list(shipped())
    (tmp_path / "mine.yaml").write_text(text.partition("```yaml\n")[2].partition("```")[0], "utf-8")
    (tmp_path / "calls.csv").write_text(CURVE, "utf-8")
    row = {
        "time": ["2026-08-12T10:00"],
        "esiid": ["10443729900000001"],
        "class": ["csp"],
        "kind": ["POWER"],
        "ror": ["Mine"],
    }
    parquet.write_table(pa.table(row), tmp_path / "requests.parquet")
    made, mistakes = read_workload(str(tmp_path / "mine.yaml"))
    assert mistakes == []
    assert made is not None
    assert {name for name in WorkloadSpec.model_fields if f"\n{name}:" not in text} == {"title", "seed", "days"}
