"""Two systems at once: whose a fault is, what is skipped for the other's, and statements that are none of a flight. All cells: make certify-mutants."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
import yaml

from meters.calendar import micros, seconds
from meters.errors import UserError
from scenarios.certify.flight import line_of, pair
from scenarios.certify.observed import Lines, within
from scenarios.certify.plan import FLIGHT, flight_of
from scenarios.certify.statement import CLAIMS, Statement
from scenarios.rules.certified import of_role
from simulator.tap.chain import Index, exchanges, exchanges_at
from simulator.tap.log import WireLog
from simulator.verdicts import Mark
from tests.cases import few
from tests.scenarios.certify.flights import ROLES, cell, flown
from tests.scenarios.certify.matrix import statement


@pytest.mark.process
@pytest.mark.parametrize(
    ("role", "mutant", "only"),
    few(1, [("headend", "wrong-meter", ("HE-TRUTH", "AMB-7")), ("ror", "BILL-OFF", ("AMB-7", "AMB-12"))]),
)
def test_a_wrong_bill_is_the_fault_of_whoever_made_it_wrong(
    tmp_path: Path, role: str, mutant: str, only: tuple[str, ...]
) -> None:
    assert cell(tmp_path / "it", role, mutant, only) == ""


@pytest.mark.process
def test_what_a_retailer_could_not_show_for_the_head_ends_fault_is_skipped_naming_it(tmp_path: Path) -> None:
    found = flown(tmp_path / "it", "headend", "HOLE", ("AMB-7",))
    assert found["guilty"] == ["headend"]
    told = {one["id"]: one for one in found["parties"]["ror"]["ids"]}
    (cited,) = {one["exchanges"][0] for one in found["faults"] if one["step"] == "ror-gap-over-48-hours"}
    assert told["AMB-12"]["mark"] == Mark.SKIPPED
    assert told["AMB-12"]["said"] == f"What must come before it did not: strangers-headend fails HOLE ({cited})."
    (row,) = (one for one in found["script"] if one["mark"] and one["script"] == "ror-gap-over-48-hours")
    assert (row["sender"], row["receiver"], "TDSP fails HOLE" in row["seen"]) == ("TDSP", "market", True)


def test_no_two_calls_of_a_flight_are_made_on_one_day_so_that_no_id_of_smts_comes_twice() -> None:
    steps = [one for one in flight_of(CLAIMS) if one.track in ("ror", FLIGHT)]
    days = Counter(
        one.scenario.timeline[0].at.date() for one in steps if "AC1" not in {*one.bears} or len(one.bears) > 1
    )
    assert set(days.values()) == {1}


def test_every_id_is_shown_by_a_line_of_the_script() -> None:
    for role, do in (("ror", "customer_calls"), ("headend", "customer_calls"), ("headend", "inquire")):
        assert all(line_of(one.id, do).sender for one in of_role(role))


def said(role: str, **more: object) -> Statement:
    return Statement.model_validate(yaml.safe_load(statement(role)) | more)


def test_statements_that_are_none_of_a_flight_are_refused() -> None:
    pair([said(role) for role in ROLES])
    serves = {
        "serves": [{"esiid": "10443720000000017", "meter_number": "1"}],
        "truth": "truth.csv",
        "claims": ["INTERVALS"],
    }
    for two in ([said("ror")] * 2, [said("ror"), said("headend", **serves)]):
        with pytest.raises(UserError) as refused:
            pair(two)
        assert refused.value.code == "certify.flight"


#: Runs a system whose every request takes a second.
SLOW = (
    "import runpy, sys, time, urllib.request as web; real = web.urlopen; "
    "web.urlopen = lambda *said, **more: (time.sleep(1), real(*said, **more))[1]; "
    "sys.argv = sys.argv[1:]; runpy.run_path(sys.argv[0], run_name='__main__')"
)


@pytest.mark.process
def test_the_clock_waits_for_a_head_end_that_takes_its_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(role: str, mutant: str = "") -> str:
        said = yaml.safe_load(statement(role, mutant))
        if role == "headend":
            words = ("{twins}/headend.py", "--port", "{port}", "--keys", "{keys}", "--truth", "{truth}")
            said["start"]["argv"] = ["{python}", "-I", "-c", SLOW, *words]
        return yaml.safe_dump(said)

    monkeypatch.setattr("tests.scenarios.certify.flights.statement", slow)
    found = flown(tmp_path / "it", only=("AMB-7",))
    assert found["faults"] == []
    told = {one["id"]: one["mark"] for one in found["parties"]["ror"]["ids"]}
    assert {told[one] for one in ("AMB-7", "AMB-12")} == {Mark.PASSED}


def test_a_file_of_exchanges_is_read_where_one_of_them_begins_and_on_the_wires_that_are_asked_for(
    tmp_path: Path,
) -> None:
    path = tmp_path / "wire.jsonl"
    log = WireLog(path, lambda: micros(0), {})
    rest = '"took_us":0,"wire":"{}","from":"ROR","to":"SMT","ids":{{}},"ask":{{"path":"/{}"}},"reply":{{}}'
    log._write(
        [f'"at_us":{at}000000,{rest.format(wire, at)}' for at, wire in enumerate(("market", "control", "market"), 1)]
    )
    log.close()
    every = list(exchanges(path))
    assert [one.ask["path"] for one in every] == ["/1", "/2", "/3"]
    assert list(exchanges_at(path, (one.offset for one in every))) == every
    assert [one.n for one in Lines(Index(path), ("market",))] == [1, 3]
    assert [one.n for one in within(Lines(Index(path)), seconds(2), seconds(3))] == [2, 3]
    assert [one.n for one in within(every, seconds(2), seconds(3))] == [2, 3]
