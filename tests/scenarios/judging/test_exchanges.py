"""Which exchanges of a run's wires belong to what, held to the scenario's own words."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import typer

from scenarios import cli
from scenarios.evidence import Evidence
from scenarios.judging.exchanges import Traffic, traffic_of
from scenarios.run import JudgedRun
from simulator.errors import SimulatorError
from simulator.tap.chain import exchanges
from tests.scenarios.short import mutated


@pytest.fixture(scope="module")
def traffic(balance_run: JudgedRun) -> Traffic:
    found = traffic_of(balance_run.recording, balance_run.out)
    assert found is not None
    return found


def paths(traffic: Traffic, ref: str) -> list[str]:
    """What an action asked at SMT, in order, polls once."""
    asked = [one.ask["path"] for one in traffic.actions[ref] if one.target == "SMT" and one.wire != "call-backs"]
    return [path for at, path in enumerate(asked) if path not in asked[:at]]


def test_each_exchange_is_of_one_action_or_counted(traffic: Traffic, balance_run: JudgedRun) -> None:
    numbers = [one.n for its in traffic.actions.values() for one in its]
    assert len(set(numbers)) == len(numbers)
    assert len(numbers) + traffic.beside.total() == traffic.chain.exchanges
    assert traffic.chain.closed
    assert {wire for _, wire in traffic.beside} == {"modbus", "ftps"}
    assert set(traffic.actions) == {action.ref for action in balance_run.recording.scenario.timeline}


def test_an_action_has_what_it_asked_for(traffic: Traffic) -> None:
    assert paths(traffic, "call-0001") == ["/v2/token/", "/v2/15minintervalreads/", "/v2/odr/", "/v2/odrstatus/"]
    assert paths(traffic, "status-0001") == ["/v2/powerstatus/", "/v2/odrstatus/"]
    assert paths(traffic, "rebill-0001") == ["/v2/15minintervalreads/"]
    assert {one.source for one in traffic.actions["answers-0001"]} == {"customer", "ROR"}
    for its in traffic.actions.values():
        assert [one.n for one in its] == sorted(one.n for one in its)


def test_the_steps_name_the_exchanges_that_they_consist_of(traffic: Traffic, balance_run: JudgedRun) -> None:
    by_number = {one.n: one for one in exchanges(balance_run.out / "wire.jsonl")}
    steps = {
        one["id"]: [(by_number[n].wire, by_number[n].ask.get("path", "")) for n in one["exchanges"]]
        for one in balance_run.result["steps"]
        if one["call"] == "call-0001"
    }
    assert steps["S1"] == []
    assert steps["S2"] == [("market", "/v2/token/"), ("market", "/v2/15minintervalreads/")]
    assert steps["S3"] == [("market", "/v2/odr/")]
    assert steps["S4"] == [("inquiries", "/inquiries")]
    assert [wire for wire, _ in steps["S5"]] == ["modbus", "modbus", "call-backs"]
    assert set(steps["S6"]) == {("market", "/v2/odrstatus/")}
    assert steps["S7"] == [("market", "/v2/15minintervalreads/")]


def test_a_meter_is_read_for_an_action_by_its_own_esiid(traffic: Traffic, balance_run: JudgedRun) -> None:
    reads = [one for one in traffic.actions["call-0001"] if one.wire == "modbus"]
    assert {one.ids["esiid"] for one in reads} == {Evidence(balance_run.recording).esiid}
    # The second call is refused by the rule: the meter is left alone.
    assert [one for one in traffic.actions["call-0002"] if one.wire == "modbus"] == []


def test_result_recording_and_numbers_are_the_same_in_a_second_run(
    balance_run: JudgedRun, second_run: JudgedRun
) -> None:
    for name in ("result.json", "recording.json"):
        assert (second_run.out / name).read_bytes() == (balance_run.out / name).read_bytes()

    def told(out: Path) -> list[tuple[Any, ...]]:
        found = exchanges(out / "wire.jsonl")
        return [(one.n, one.at_us, one.took_us, one.wire, one.source, one.label, one.came) for one in found]

    # But for the seals in their paths, which are keyed anew.
    assert [one for one in told(second_run.out) if "hmac" not in one[5]] == [
        one for one in told(balance_run.out) if "hmac" not in one[5]
    ]


def test_a_run_tells_the_digest_of_its_exchanges(balance_run: JudgedRun, traffic: Traffic) -> None:
    told = json.loads((balance_run.out / "run.json").read_text(encoding="utf-8"))["wire"]
    assert (told["head"], told["exchanges"], told["closed"]) == (traffic.chain.head, traffic.chain.exchanges, True)


def test_a_recording_alone_is_judged_without_exchanges(balance_run: JudgedRun, tmp_path: Path) -> None:
    assert traffic_of(balance_run.recording, tmp_path) is None


def test_a_file_that_was_touched_is_refused(
    balance_run: JudgedRun, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("recording.json", "wire.jsonl"):
        shutil.copyfile(balance_run.out / name, tmp_path / name)
    with pytest.raises(typer.Exit) as ended:
        cli.judge(tmp_path / "recording.json", as_json=True)
    assert ended.value.exit_code == 0
    assert capsys.readouterr().out == (balance_run.out / "result.json").read_text(encoding="utf-8")
    path = tmp_path / "wire.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([*lines[:7], *lines[8:]]))
    with pytest.raises(SimulatorError, match=r"wire\.broken.*Line 7 is not where it was"):
        cli.judge(tmp_path / "recording.json", as_json=True)


def test_an_exchange_that_names_no_action_is_of_none(balance_run: JudgedRun) -> None:
    def rename(written: dict[str, Any]) -> None:
        next(one for one in written["scenario"]["timeline"] if one["ref"] == "status-0002")["ref"] = "elsewhere"

    renamed = mutated(balance_run.recording, rename)
    found = traffic_of(renamed, balance_run.out)
    assert found is not None
    assert {"status-0002", "elsewhere"}.isdisjoint(found.actions)
    assert found.beside["2026-08-12", "market"] == 1
