"""``ami scenario``: what it prints and its exit codes, through the front door."""

from __future__ import annotations

import json
import re
import signal
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from scenarios.run import JudgedRun
from scenarios.shipped import SCENARIOS, STUDIES
from simulator.runtime.driver import StalledError
from tests.scenarios.short import short_balance, short_last_bill
from tests.simulator.processes import ending, line, patience, ran, started


def written(path: Path, content: dict[str, Any]) -> Path:
    # Dates and times as text: the schema reads both.
    path.write_text(yaml.safe_dump(content), encoding="utf-8")
    return path


def test_list_names_the_shipped_scenarios(capsys: pytest.CaptureFixture[str]) -> None:
    assert ran("scenario", "list", "--json") == 0
    assert "customer-balance-inquiry" in {load["name"] for load in json.loads(capsys.readouterr().out)}
    assert ran("scenario", "list") == 0
    assert "SMT support for a customer balance inquiry" in capsys.readouterr().out


@pytest.mark.parametrize("file", sorted(SCENARIOS.folder.glob("*.yaml")), ids=lambda path: path.stem)
def test_shipped_scenarios_are_sound(file: Path) -> None:
    assert ran("scenario", "lint", str(file)) == 0


def test_lint_names_file_and_field_and_exits_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = written(tmp_path / "bad.yaml", short_balance() | {"sweep_every_h": 5})
    assert ran("scenario", "lint", str(file)) == 2
    assert re.match(rf"scenario\.malformed: {file}:\d+: sweep_every_h: 5 is not known here", capsys.readouterr().err)
    assert ran("scenario", "lint", str(file), "--json") == 2
    told = json.loads(capsys.readouterr().out)
    assert told["sound"] is False
    assert [set(one) for one in told["mistakes"]] == [{"code", "place", "message", "mend"}]


def test_a_shipped_scenario_goes_by_its_name(capsys: pytest.CaptureFixture[str]) -> None:
    assert ran("scenario", "lint", "customer-balance-inquiry") == 0
    assert f"{SCENARIOS.folder / 'customer-balance-inquiry.yaml'}: sound" in capsys.readouterr().out
    assert ran("scenario", "run", "customer-balance-enquiry") == 2
    assert "Did you mean customer-balance-inquiry?" in capsys.readouterr().err


def test_each_kind_of_file_names_the_command_for_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    study, scenario = STUDIES.files()["first-look"], SCENARIOS.folder / "customer-balance-inquiry.yaml"
    assert ran("scenario", "lint", str(study)) == 2
    assert f"'ami capacity run {study}'" in capsys.readouterr().err
    assert ran("capacity", "run", str(scenario), "--out", str(tmp_path)) == 2
    assert f"'ami scenario run {scenario}'" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["run", "judge", "lint"])
def test_help_names_exit_code_2(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert ran("scenario", command, "-h") == 0
    assert "2:" in capsys.readouterr().out


def test_a_missing_file_is_told_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert ran("scenario", "run", "nowhere.yaml") == 2
    said = capsys.readouterr().err
    assert said.startswith("scenario.unreadable: nowhere.yaml")
    assert said.count("\n") == 1


def test_run_passes_with_0_and_writes_the_results(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file, out = written(tmp_path / "one.yaml", short_last_bill()), tmp_path / "out"
    assert ran("scenario", "run", str(file), "--out", str(out)) == 0
    said = capsys.readouterr().out
    assert "not exercised S3" in said
    assert "verdict: passed" in said
    assert said.endswith(f"\nami report {out} makes the page\n")
    assert max(len(line) for line in said.splitlines() if str(out) not in line) <= 100
    assert not re.search(r"T\d\d:\d\d:\d\d-0[56]:00", said)
    assert {"recording.json", "result.json", "run.json", "lse"} <= {path.name for path in out.iterdir()}


def test_shipped_outage_scenario_passes_and_its_ledger_names_the_outage(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert ran("scenario", "run", "power-status-in-an-outage", "--out", str(out)) == 0
    assert "Power is OFF: switch unknown, no voltage told, by event." in capsys.readouterr().out
    outage, unheard = json.loads((out / "faults.json").read_text())
    assert unheard["params"]["last_gasp"] == 0
    assert outage["kind"] == "outage"
    # It touches the intervals from 19:00 to 20:30, and leaves of them the first five minutes and the last ten.
    assert outage["intervals"] == 6
    assert 0 < outage["shown_wh"] < outage["true_wh"] / 2


def test_run_with_a_failed_verdict_exits_1_and_says_why(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    content = short_last_bill()
    content["timeline"][0]["expect"] = {"outcome": "answered"}
    file = written(tmp_path / "one.yaml", content)
    assert ran("scenario", "run", str(file), "--out", str(tmp_path / "out"), "--json") == 1
    result = json.loads(capsys.readouterr().out)
    assert result["mark"] == "failed"
    failed = next(check for check in result["checks"] if check["id"] == "call-0001")
    assert failed["failures"][0] == {"what": "how the request ended", "expected": "answered", "found": "not_needed"}


def test_run_that_cannot_write_exits_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = written(tmp_path / "one.yaml", short_last_bill())
    (tmp_path / "out").write_text("a file")
    assert ran("scenario", "run", str(file), "--out", str(tmp_path / "out")) == 2
    assert "out.unusable" in capsys.readouterr().err
    assert ran("scenario", "run", str(file), "--out", str(tmp_path / "out" / "x")) == 2
    assert "out.unusable" in capsys.readouterr().err


def test_two_scenarios_of_one_name_are_refused(tmp_path: Path) -> None:
    files = [str(written(tmp_path / name, short_last_bill())) for name in ("a.yaml", "b.yaml")]
    assert ran("scenario", "run", *files) == 2


def test_judge_judges_a_kept_recording_again(
    balance_run: JudgedRun, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = balance_run.out / "recording.json"
    assert ran("scenario", "judge", str(kept), "--json") == 0
    assert capsys.readouterr().out == (balance_run.out / "result.json").read_text(encoding="utf-8")
    recording = json.loads(kept.read_text(encoding="utf-8"))
    recording["scenario"]["timeline"][0]["expect"]["store"] = 63
    changed = tmp_path / "recording.json"
    changed.write_text(json.dumps(recording), encoding="utf-8")
    assert ran("scenario", "judge", str(changed)) == 1
    said = capsys.readouterr().out
    assert "! intervals from the store: expected 63, found 64" in said
    assert "verdict: FAILED in call-0001" in said
    fault = {"at": recording["journal"][-1]["at"], "party": "SMT", "kind": "internal fault", "ident": "x"}
    recording["journal"].append(fault)
    changed.write_text(json.dumps(recording), encoding="utf-8")
    assert ran("scenario", "judge", str(changed)) == 3
    assert "verdict: inconclusive" in capsys.readouterr().out


@pytest.mark.process
def test_ctrl_c_ends_with_130_and_one_line(tmp_path: Path) -> None:
    file, out = SCENARIOS.folder / "customer-balance-inquiry.yaml", tmp_path / "out"
    running = started("scenario", "run", str(file), "--out", str(out), fresh=True)
    with ending(running):
        # The database of the head-end is made after the sockets are bound: from here on there is something to close.
        deadline = time.monotonic() + patience()
        while not (out / "headend.sqlite").exists() and time.monotonic() < deadline and running.poll() is None:
            time.sleep(0.02)
        running.send_signal(signal.SIGINT)
        assert running.wait(patience()) == 130
        assert running.stderr is not None
        assert running.stderr.read() == "Stopped: the parties were shut down, the run is not complete.\n"
        assert line(running) == ""


def test_a_fault_of_ours_in_a_run_is_inconclusive_and_leaves_its_recording(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def breaks(*_: object) -> None:
        raise KeyError("x")

    monkeypatch.setattr("headend.day.cycle.DailyCycle.validate", breaks)
    file, out = written(tmp_path / "one.yaml", short_last_bill()), tmp_path / "out"
    assert ran("scenario", "run", str(file), "--out", str(out)) == 3
    assert "A process ended by a fault of ami-testbed's own: " in " ".join(capsys.readouterr().out.split())
    assert json.loads((out / "result.json").read_text(encoding="utf-8"))["mark"] == "inconclusive"
    assert ran("scenario", "judge", str(out / "recording.json")) == 3


def test_a_run_that_stalls_is_inconclusive(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def stalls(*_: object) -> None:
        raise StalledError("runtime.stalled", "Still in flight.")

    monkeypatch.setattr("scenarios.run.run_and_judge", stalls)
    assert ran("scenario", "run", "t-failed-for-days", "--out", str(tmp_path)) == 3
    assert capsys.readouterr().err == "t-failed-for-days: runtime.stalled: Still in flight.\n"
    monkeypatch.setattr("scenarios.run.run_and_judge", lambda *_: 1 / 0)
    assert ran("scenario", "run", "t-failed-for-days", "--out", str(tmp_path)) == 3
    assert "This is a fault of ami-testbed" in capsys.readouterr().err
