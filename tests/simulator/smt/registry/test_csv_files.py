"""A registry as a folder of CSV files: round trip, and every fault with file, line, column and mend."""

from __future__ import annotations

import json
import time
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meters.errors import UserError
from meters.identity import tdsp
from meters.load.premises import MARKET, make_premise
from simulator.commands.registry import smt_registry
from simulator.errors import SimulatorError
from simulator.smt.registry.csv_files import SHEETS, read_registry, registry_faults, write_registry
from simulator.smt.registry.passwords import password_is
from simulator.smt.registry.records import UserKind
from simulator.smt.registry.seeded import PASSWORD, seeded_registry

TODAY = date(2026, 8, 12)


@settings(max_examples=10)
@given(st.sampled_from(["ONCOR", "CENTERPOINT", "TNMP"]), st.integers(0, 1000), st.integers(0, 60))
def test_what_is_written_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, key: str, seed: int, count: int
) -> None:
    folder = tmp_path_factory.mktemp("registry")
    made = seeded_registry(key, seed, count, TODAY)
    write_registry(made, folder)
    assert registry_faults(folder) == []
    assert read_registry(folder).records == made.records


def test_a_seeded_market_is_as_varied_as_a_real_one_and_made_at_once() -> None:
    seeded_registry("ONCOR", 1, 1, TODAY)
    begin = time.process_time()
    made = seeded_registry("ONCOR", 1, 10_000, TODAY)
    # A quarter of a second of a core.
    assert time.process_time() - begin < 5
    assert len(made.points) == 10_000
    points = made.points.values()
    assert {point.premise_type for point in points} == {"Residential", "Commercial"}
    assert any(point.multiplier > 1 and point.attributes.instrument_rated for point in points)
    assert 200 < sum(point.attributes.generates for point in points) < 400
    assert 50 < sum(not (point.ams and point.provisioned and point.receiving and point.lse) for point in points) < 150
    assert 900 < len({device.esiid for device in made.records.han_devices}) < 1600
    switched = len(made.records.periods) - 10_000
    assert 900 < switched < 1400
    assert len({made.ror_of_record(esiid, TODAY) for esiid in made.points}) == 4
    moved = sum(occupancy.last_day is not None for occupancy in made.records.occupancies)
    assert 600 < moved < 950
    assert len({device.mac for device in made.records.han_devices}) == len(made.records.han_devices)
    csp = next(user for user in made.users.values() if user.kind is UserKind.CSP)
    assert 200 < len(made.seen_by(csp, TODAY)) < 500


def test_a_seeded_market_is_the_one_of_the_made_premises() -> None:
    made = seeded_registry("CENTERPOINT", 7, 50, TODAY)
    for ordinal, point in enumerate(made.records.points):
        premise = make_premise(tdsp("CENTERPOINT"), 7, ordinal, MARKET)
        assert point.esiid == premise.esiid
        assert point.weather_zone == premise.zone
        assert (point.premise_type == "Commercial") is premise.klass.startswith("BUS")
        assert point.attributes.generates is (premise.solar_w > 0)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_registry(seeded_registry("ONCOR", 3, 4, TODAY), tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("file", "old", "new", "code", "place"),
    [
        ("service_points.csv", "10443729", "1.0443729E+16", "value", "service_points.csv:2: esiid"),
        ("service_points.csv", ",Y,", ",yes,", "value", "service_points.csv:2: ams"),
        ("service_points.csv", ",ONCOR,", ",NOBODY,", "unknown", "service_points.csv:2: tdsp_key"),
        ("service_points.csv", "esiid,meter_number", "esiid,number", "columns", "service_points.csv:1"),
        ("service_points.csv", ",ONCOR,", ",ONCOR,Y,", "cells", "service_points.csv:2"),
        ("service_points.csv", ",1,", ",0,", "value", "service_points.csv:2: multiplier"),
        ("ror_periods.csv", "2024-08-12", "08/12/2024", "value", "ror_periods.csv:2: first_day"),
        ("ror_periods.csv", "2024-08-12,", "2024-08-12,2024-08-01", "period", "ror_periods.csv:2: last_day"),
        ("ror_periods.csv", "999000", "888000", "unknown", "ror_periods.csv:2: duns"),
        ("ror_periods.csv", "10443729", "10447777", "unknown", "ror_periods.csv:2: esiid"),
        ("entities.csv", ",ROR,", ",REP,", "value", "entities.csv:3: kind"),
        ("entities.csv", "9990002220000", "9990001110000", "twice", "entities.csv:4: duns"),
        ("entities.csv", "9990001110000", "", "empty", "entities.csv:3: duns"),
        ("users.csv", "ror.1,", "../etc,", "value", "users.csv:2: username"),
        ("users.csv", "ror.2", "ror.1", "twice", "users.csv:3: username"),
        ("users.csv", "$argon2", "$bcrypt", "value", "users.csv:2: password_hash"),
        ("users.csv", ",t=1,", ",t=99999999,", "value", "users.csv:2: password_hash"),
        ("users.csv", "m=1024", "m=4294967295", "value", "users.csv:2: password_hash"),
        ("users.csv", "$v=19$", "$v=99$", "value", "users.csv:2: password_hash"),
        ("users.csv", ",ror_call_centre,", ",call_center,", "value", "users.csv:2: requester_class"),
        ("users.csv", ",customer,,", ",customer,9990001110000,", "duns", "users.csv:8: duns"),
        ("users.csv", ",Customer,", ",Custo\0mer,", "value", "users.csv:8: first_name"),
        ("ror_periods.csv", "2024-08-12,", "2024-08-12,9999-12-30", "value", "ror_periods.csv:2: last_day"),
        ("ror_periods.csv", "2024-08-12", "9999-12-31", "value", "ror_periods.csv:2: first_day"),
        ("occupancies.csv", "customer.1", "customer.99", "unknown", "occupancies.csv:2: username"),
    ],
)
def test_a_fault_names_file_line_column_and_mend(
    folder: Path, file: str, old: str, new: str, code: str, place: str
) -> None:
    path = folder / file
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    faults = registry_faults(folder)
    first = faults[0]
    assert (first.code, first.place) == (f"smt.registry.{code}", f"{folder}/{place}")
    assert first.mend
    with pytest.raises(SimulatorError) as refused:
        read_registry(folder)
    assert refused.value.code == first.code


def test_other_meters_of_a_service_point_have_numbers_of_their_own(folder: Path) -> None:
    point = read_registry(folder).records.points[0]
    other = folder / "other_meters.csv"
    other.write_text(f"esiid,meter_number,multiplier,phases\n{point.esiid},600000033,40,3\n")
    made = read_registry(folder)
    first, second = made.meters(made.points[point.esiid])
    assert (first.meter_number, first.attributes) == (point.meter_number, point.attributes)
    assert (second.meter_number, second.multiplier, second.attributes.phases) == ("600000033", 40, 3)
    assert [len(made.meters(one)) for one in made.records.points] == [2, 1, 1, 1]
    for number, esiid, code in ((point.meter_number, point.esiid, "twice"), ("1", "10443720000000017", "unknown")):
        other.write_text(f"esiid,meter_number\n{esiid},{number}\n")
        (fault,) = registry_faults(folder)
        assert (fault.code, fault.place.split(": ")[0]) == (f"smt.registry.{code}", f"{other}:2")


def test_one_rep_is_of_record_on_a_day_and_one_tdsp_has_a_key(folder: Path) -> None:
    periods, entities = folder / "ror_periods.csv", folder / "entities.csv"
    with entities.open("a") as file:
        file.write("957877905,Other Wires,TDSP,ONCOR,\n")
    header, first = periods.read_text().splitlines()[:2]
    esiid, duns = first.split(",")[:2]
    rows = (
        f"{esiid},{duns},2024-08-12,2025-08-11",
        f"{esiid},9990002220000,2024-08-12,2024-08-12",
        f"{esiid},9990002220000,2025-08-12,9999-12-31",
        f"{esiid},{duns},2026-01-01,",
    )
    periods.write_text("\n".join((header, *rows)) + "\n")
    assert [(fault.code, fault.place) for fault in registry_faults(folder)] == [
        ("smt.registry.twice", f"{entities}:8: key"),
        ("smt.registry.overlap", f"{periods}:3: first_day"),
        ("smt.registry.overlap", f"{periods}:5: first_day"),
    ]
    periods.write_text("\n".join((header, rows[0], rows[2])) + "\n")
    entities.write_text("".join(entities.read_text().splitlines(keepends=True)[:-1]))
    made = read_registry(folder)
    assert made.records.periods[1].last_day is None
    assert made.final_read_days(esiid)


def test_the_command_writes_a_registry_that_its_logins_open(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    smt_registry(tmp_path / "made", count=3, date="2026-08-12", as_json=True)
    told = json.loads(capsys.readouterr().out)
    made = read_registry(tmp_path / "made")
    assert told["esiids"] == len(made.points) == 3
    assert {one["username"] for one in told["logins"]} == set(made.users)
    assert password_is(made.users["ror.1"], told["password"])
    with pytest.raises(SimulatorError, match="has a registry already") as there:
        smt_registry(tmp_path / "made", count=4, date="2026-08-12")
    assert there.value.code == "smt.registry.there"
    smt_registry(tmp_path / "again", count=3, date="2026-08-12")
    assert f"password {PASSWORD}" in capsys.readouterr().out
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"date": "12/08/2026"}, "smt.registry.date"),
        ({"tdsp": "NOBODY"}, "meters.tdsp.unknown"),
    ]
    for options, code in wrong:
        with pytest.raises(UserError) as refused:
            smt_registry(tmp_path / "made", **options)
        assert refused.value.code == code
    with pytest.raises(SimulatorError, match="cannot be written"):
        smt_registry(tmp_path / "made" / "users.csv", count=1)


def test_every_fault_is_told_and_not_only_the_first(folder: Path) -> None:
    path = folder / "service_points.csv"
    path.write_text(path.read_text().replace(",Y,", ",yes,"))
    faults = registry_faults(folder)
    assert len(faults) >= 4 * 4
    assert len({fault.place for fault in faults}) == len(faults)
    with pytest.raises(SimulatorError, match=f"{len(faults) - 1} more faults"):
        read_registry(folder)


def test_files_that_are_no_csv_and_files_that_are_not_there(folder: Path) -> None:
    (folder / "entities.csv").unlink()
    (folder / "users.csv").write_bytes(b"\xff\xfe")
    (folder / "ror_periods.csv").write_text('esiid,duns,first_day\n"a"b,c,d\n')
    for optional in ("agreements.csv", "han_devices.csv"):
        (folder / optional).unlink()
    codes = {fault.code.rpartition(".")[2]: fault.place for fault in registry_faults(folder)}
    assert codes == {
        "no_file": f"{folder}/entities.csv",
        "unreadable": f"{folder}/users.csv",
        "csv": f"{folder}/ror_periods.csv:2",
    }


def test_a_login_may_come_with_its_password(folder: Path) -> None:
    (folder / "users.csv").write_text("username,password,kind,duns\nror.1,open sesame,ror,9990001110000\n")
    for optional in ("occupancies.csv", "agreements.csv"):
        (folder / optional).unlink()
    assert password_is(read_registry(folder).users["ror.1"], "open sesame")
    (folder / "users.csv").write_text("username,password,kind,duns\nror.1,,ror,9990001110000\n")
    assert [fault.code for fault in registry_faults(folder)] == ["smt.registry.password"]


def test_the_made_logins_have_one_password_and_the_files_are_the_documented_ones(folder: Path) -> None:
    made = read_registry(folder)
    assert all(password_is(user, PASSWORD) for user in list(made.users.values())[:3])
    assert {path.name for path in folder.iterdir()} == {sheet.file for sheet in SHEETS}


def test_a_customer_sees_until_move_out_and_a_csp_no_longer_than_that() -> None:
    made = seeded_registry("ONCOR", 1, 2_000, TODAY)
    ended = {occupancy.esiid: occupancy for occupancy in made.records.occupancies if occupancy.last_day is not None}
    agreed = next(agreement for agreement in made.records.agreements if agreement.esiid in ended)
    customer, csp = made.users[agreed.username], made.users["csp.1"]
    last = ended[agreed.esiid].last_day
    assert last is not None
    for user in (customer, csp):
        assert made.may_see(user, agreed.esiid, last)
        assert not made.may_see(user, agreed.esiid, last + timedelta(days=1))
    assert last + timedelta(days=1) in made.final_read_days(agreed.esiid)
