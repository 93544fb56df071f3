"""``ami scenario``: what it prints and its exit codes, through the front door."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from scenarios.file.shipped import STUDIES
from scenarios.run import JudgedRun
from tests.cases import few
from tests.scenarios.shipped import FILES, FOLDERS, NAMES
from tests.scenarios.short import short_balance, written
from tests.simulator.processes import ran


def test_list_names_the_shipped_scenarios(capsys: pytest.CaptureFixture[str]) -> None:
    assert ran("scenario", "list", "--json") == 0
    assert "customer-balance-inquiry" in {load["name"] for load in json.loads(capsys.readouterr().out)}
    assert ran("scenario", "list") == 0
    assert "SMT support for a customer balance inquiry" in capsys.readouterr().out


@pytest.mark.parametrize("name", few(FOLDERS, NAMES))
def test_shipped_scenarios_are_sound(name: str) -> None:
    assert ran("scenario", "lint", str(FILES[name])) == 0


def test_lint_names_file_and_field_and_exits_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = written(tmp_path / "bad.yaml", short_balance() | {"sweep_every_h": 5})
    assert ran("scenario", "lint", str(file)) == 2
    assert re.match(rf"scenario\.malformed: {file}:\d+: sweep_every_h: 5 is not known here", capsys.readouterr().err)
    assert ran("scenario", "lint", str(file), "--json") == 2
    told = json.loads(capsys.readouterr().out)
    assert told["sound"] is False
    assert [set(one) for one in told["mistakes"]] == [{"code", "place", "message", "mend", "line", "column", "excerpt"}]
    (mistake,) = told["mistakes"]
    assert mistake["excerpt"].split(":") == ["sweep_every_h", " 5"]
    assert (mistake["column"], f":{mistake['line']}:" in mistake["place"]) == (1, True)


def test_a_shipped_scenario_goes_by_its_name(capsys: pytest.CaptureFixture[str]) -> None:
    assert ran("scenario", "lint", "customer-balance-inquiry") == 0
    assert f"{FILES['customer-balance-inquiry']}: sound" in capsys.readouterr().out
    assert ran("scenario", "run", "customer-balance-enquiry") == 2
    assert "Did you mean customer-balance-inquiry?" in capsys.readouterr().err


def test_each_kind_of_file_names_the_command_for_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    study, scenario = STUDIES.files()["throttle-policies"], FILES["customer-balance-inquiry"]
    assert ran("scenario", "lint", str(study)) == 2
    assert f"'ami capacity run {study}'" in capsys.readouterr().err
    assert ran("capacity", "run", str(scenario), "--out", str(tmp_path)) == 2
    assert f"'ami scenario run {scenario}'" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["run", "judge", "lint"])
def test_help_names_exit_code_2(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert ran("scenario", command, "-h") == 0
    assert "2:" in capsys.readouterr().out


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


def test_wire_tells_whether_exchanges_are_whole(
    balance_run: JudgedRun, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole, cut = balance_run.out / "wire.jsonl", tmp_path / "wire.jsonl"
    lines = whole.read_text("utf-8").splitlines(keepends=True)
    cut.write_text("".join([*lines[:3], *lines[4:]]), "utf-8")
    assert (ran("scenario", "wire", str(whole)), ran("scenario", "wire", str(cut))) == (0, 1)
    assert re.search(r"exchanges, whole, closed; last line [0-9a-f]{64}\n.*line 4", capsys.readouterr().out, re.DOTALL)
    assert ran("scenario", "wire", str(whole), "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["fault"], told["closed"], told["exchanges"] > 0) == ("", True, True)
