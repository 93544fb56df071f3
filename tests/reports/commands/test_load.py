"""``ami load``: what is refused before anything is asked, and what is printed of what came of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from reports.commands.load import lines
from tests.reports.commands.capacity.test_study import TINY
from tests.simulator.processes import fails_here

GROUP = {
    **{"class": "csp", "kind": "register", "asked": 7, "answered": 3, "in_call": 2},
    **{"refused": {"SMT-HOUR": 2}, "failed": {"failed SMT": 1}, "unanswered": 1, "under_way": 0},
    **{"p50_s": 12.5, "p95_s": None},
}


def told(**more: Any) -> list[str]:
    facts = {
        **{"workload": "storm", "requests": 1000, "asked": 7, "calls": 12, "left_out": {}},
        "esiids": {"of_the_workload": 900, "here": 5},
        "groups": [GROUP],
        "late_s": {"p50": 0.1, "p95": 0.25, "most_wall": 0.5},
        "kept_pace": True,
    }
    return list(lines(facts | more))


def test_each_class_and_kind_is_a_row_and_each_code_a_line() -> None:
    first, _, _, row, *codes, _, _, last = told()
    assert first == "storm: 7 of 1,000 requests asked, 12 HTTP calls; 900 ESI IDs of the workload are 5 here."
    assert row.split() == ["csp", "register", "7", "3", "2", "2", "1", "1", "12.5", "-"]
    assert codes == ["refused: 2 SMT-HOUR", "failed: 1 failed SMT"]
    assert last == "The player itself asked 0.25 s late at the 95th percentile, 0.50 s of the wall's at most."


def test_what_was_left_out_and_a_player_that_was_late_are_told() -> None:
    assert told(left_out={"want of a customer": 3})[1] == "Left out: 3 requests, for want of a customer."
    assert told(kept_pace=False)[-1].endswith(" The player did not keep its pace: these figures show its own delay.")
    nobody = told(groups=[], late_s={"p50": None, "p95": None, "most_wall": 0.0})
    assert nobody[-1].startswith("Seconds of model time from the planned arrival")


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("ordinary-dya",), "capacity.workload.unreadable"),
        (("ordinary-day", "--callers", "/nowhere.csv"), "load.callers.no_file: /nowhere.csv"),
    ],
)
def test_what_cannot_be_played_is_told_before_anybody_asks(words: tuple[str, ...], code: str) -> None:
    assert fails_here("load", *words).startswith(code)


def test_an_smt_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    callers = tmp_path / "callers.csv"
    callers.write_text("esiid,meter_number,requester,username,password,duns\n10443729924385485,1,REP,a,b,1\n")
    (tmp_path / "tiny.yaml").write_text(yaml.safe_dump(TINY), "utf-8")
    words = (str(tmp_path / "tiny.yaml"), "--callers", str(callers), "--limit", "9", "--smt", "http://127.0.0.1:1/")
    assert fails_here("load", *words).startswith("smt.unreachable: SMT gave no answer")
