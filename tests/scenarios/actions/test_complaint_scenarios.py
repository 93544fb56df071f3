"""The shipped scenarios of what users complain of pass as expected; a complaint that cannot be, or never strikes, is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from meters.calendar import epoch
from scenarios.actions.market.portal_read import RecordedPortalRead
from scenarios.file.lint import lint
from scenarios.file.schema import load as load_scenario
from scenarios.file.shipped import SCENARIOS
from scenarios.judging.facts import Facts
from scenarios.judging.verdict import judge
from scenarios.recording import load
from scenarios.records.actions import RecordedRequest
from scenarios.records.journal import ComplaintNote
from scenarios.run import JudgedRun, run_and_judge
from simulator.smt.ondemand.lifecycle import State
from tests.scenarios.short import action


def shipped(name: str, out: Path) -> JudgedRun:
    return run_and_judge(load_scenario(SCENARIOS.files()[name]), out)


def test_maintenance_is_refused_with_the_time_to_come_back(tmp_path: Path) -> None:
    played = shipped("maintenance-windows", tmp_path)
    assert played.verdict.mark == "passed"
    for ref, retry_at in (("tdsp-closed", "2026-08-12T20:00:00-05:00"), ("smt-closed", "2026-08-13T00:00:00-05:00")):
        request = action(played, RecordedRequest, ref)
        assert request.trouble
        assert request.trouble.retry_at == epoch(retry_at)
    assert judge(load(tmp_path / "recording.json")) == played.verdict


def test_t_failed_for_days_spends_no_allowance(tmp_path: Path) -> None:
    played = shipped("t-failed-for-days", tmp_path)
    assert played.verdict.mark == "passed"
    assert [note.did for note in Facts(played.recording).notes(ComplaintNote)] == ["T-FAILED"] * 3


def test_two_reads_of_the_repeated_hour_carry_one_odrdate(tmp_path: Path) -> None:
    played = shipped("odrdate-in-the-repeated-hour", tmp_path)
    assert played.verdict.mark == "passed"
    first, second = (action(played, RecordedPortalRead, ref) for ref in ("first-time", "second-time"))
    assert first.odrdate == second.odrdate == second.odrdate_before
    assert str(second.odrread) > str(first.odrread)  # SMT did show the new read
    assert [one.last.state for one in played.recording.ledger] == [State.COMPLETED] * 3


def changed(folder: Path, **fields: Any) -> Path:
    written = yaml.safe_load((SCENARIOS.files()["maintenance-windows"]).read_text(encoding="utf-8"))
    path = folder / "changed.yaml"
    path.write_text(yaml.safe_dump(written | fields), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("complaint", "said"),
    [
        ({"kind": "hang"}, "gateway_timeout"),
        ({"kind": "smt_maintenance"}, "until"),
        ({"kind": "t_failed", "meters": [9]}, "meter 9"),
        ({"kind": "t_fail"}, "kind"),
    ],
)
def test_lint_tells_of_a_complaint_that_cannot_be(tmp_path: Path, complaint: dict[str, Any], said: str) -> None:
    _, errors = lint(changed(tmp_path, complaints=[complaint]))
    assert any(said in f"{error.place} {error.message} {error.mend}" for error in errors)


def test_a_complaint_that_never_struck_fails_its_check(tmp_path: Path) -> None:
    path = changed(tmp_path, complaints=[{"kind": "text_503", "until": "2026-08-11T12:00"}])
    written = yaml.safe_load(path.read_text(encoding="utf-8"))
    written["timeline"] = [written["timeline"][1]]
    path.write_text(yaml.safe_dump(written), encoding="utf-8")
    played = run_and_judge(load_scenario(path), tmp_path / "out")
    failed = [check.id for check in played.verdict.checks if check.mark.value == "failed"]
    assert failed == ["complaint-1"]
