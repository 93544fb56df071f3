"""``result.json`` is the same byte for byte in two runs and holds nothing of the machine; what differs is in ``run.json``."""

from __future__ import annotations

import json
import re
from typing import Any

from scenarios.judging.exchanges import traffic_of
from scenarios.judging.result import dumps, result_of
from scenarios.judging.verdict import judge
from scenarios.recording import load
from scenarios.run import JudgedRun


def test_two_runs_give_the_same_result_and_recording(balance_run: JudgedRun, second_run: JudgedRun) -> None:
    for name in ("result.json", "recording.json"):
        assert (second_run.out / name).read_bytes() == (balance_run.out / name).read_bytes()


def test_an_old_recording_judged_again_gives_the_same_result(balance_run: JudgedRun) -> None:
    kept = load(balance_run.out / "recording.json")
    assert dumps(result_of(kept, judge(kept), traffic_of(kept, balance_run.out))) == (
        balance_run.out / "result.json"
    ).read_text(encoding="utf-8")


def numbers(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [number for part in value.values() for number in numbers(part)]
    if isinstance(value, list):
        return [number for part in value for number in numbers(part)]
    return [value]


def test_result_has_sorted_keys_no_floats_no_path_no_port_no_token(balance_run: JudgedRun) -> None:
    text = (balance_run.out / "result.json").read_text(encoding="utf-8")
    written = json.loads(text)
    assert list(written) == sorted(written)
    assert not [number for number in numbers(written) if isinstance(number, float)]
    run = json.loads((balance_run.out / "run.json").read_text(encoding="utf-8"))
    assert str(balance_run.out) not in text
    assert run["addresses"]["smt_url"] not in text
    assert not re.search(r"127\.0\.0\.1|Bearer|eyJ", text)


def test_result_tells_the_bills_the_gap_and_the_edge(balance_run: JudgedRun) -> None:
    written = balance_run.result
    assert (written["gap"]["from_store"], written["gap"]["from_meter"], written["gap"]["intervals"]) == (64, 6, 70)
    bills = written["bills"]
    instant, told = bills["instant"], bills["with_gap"]
    assert (instant["to"], instant["owed_usd"]["middle"]) == (told["to"], instant["total_usd"])
    assert instant["owed_usd"]["low"] < told["total_usd"] < instant["owed_usd"]["high"]
    assert sum(part["wh"] for part in told["rests_on"]) == told["usage_wh"]
    assert bills["rebilled"]["difference_usd"] == "0.00"
    assert int(bills["projected"]["low_wh"]) <= bills["projected"]["usage_wh"] <= int(bills["projected"]["high_wh"])
    assert written["edge"]["kind"] == "bill credit earned"


def test_without_a_request_there_is_no_gap_and_no_bill(last_bill_run: JudgedRun) -> None:
    assert last_bill_run.result["gap"] is None
    assert set(last_bill_run.result["bills"].values()) == {None}


def test_run_json_keeps_addresses_versions_machine_and_wall_time(balance_run: JudgedRun) -> None:
    run = json.loads((balance_run.out / "run.json").read_text(encoding="utf-8"))
    assert run["addresses"]["smt_url"].startswith("http://127.0.0.1:")
    assert run["out"] == str(balance_run.out)
    assert run["wall_seconds"] > 0
    assert "simpy" in run["versions"]
    assert "password" not in json.dumps(run)


def test_lse_files_and_their_result_codes_lie_beside_the_result(balance_run: JudgedRun) -> None:
    names = {path.name for path in (balance_run.out / "lse").iterdir()}
    files = {name for name in names if name.endswith(".lse")}
    assert len(files) == 4
    assert all(any(other.startswith(name[:-4]) and other.endswith("result.csv") for other in names) for name in files)
