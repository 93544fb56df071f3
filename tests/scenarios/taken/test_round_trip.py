"""A run's exchanges, and its recording, become scenarios that end the same; and what these leave becomes the same scenario again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from scenarios.lint import load_sound
from scenarios.run import JudgedRun, run_and_judge
from scenarios.taken.taken import take
from simulator.verdicts import Mark
from tests.scenarios.short import run, short_balance

DAYS = {"first": "2026-08-10", "last": "2026-08-11"}
TIMELINE: list[dict[str, Any]] = [
    {"at": "2026-08-12T09:00", "do": "http", "path": "/v2/15minintervalreads/", "headers": {"Authorization": "Bearer made-up"}, "body": {}, "expect": {"status": 401}},
    {"do": "log_in", "password": "wrong", "expect": {"let_in": 0}},
    {"do": "usage_read", **DAYS, "channel": "A", "expect": {"status": 200}},
    {"do": "usage_read", **DAYS, "door": "portal", "what": "daily", "expect": {"status": 200}},
    {"do": "usage_read", **DAYS, "login": "saltfork.api", "expect": {"code": "AC1"}},
    {"do": "usage_read", **DAYS, "body": {"requesterAuthenticationID": "9990002220000"}, "expect": {"code": "DUNS"}},
    {"do": "power_status", "expect": {"outcome": "answered"}},
    {"do": "portal_read", "account": "SF-2", "login": "customer.one", "expect": {"outcome": "refused", "refusal": "AC1"}},
    {"do": "on_demand_read", "account": "SF-2", "poll_s": 20, "expect": {"outcome": "answered"}},
    {"do": "http", "path": "/v2/premiseInfo/", "login": "pecanbend.api", "body": {"trans_id": "it costs $5", "requestorID": "pecanbend.api", "requesterType": "REP", "requesterAuthenticationID": "9990001110000", "esiid": ["$esiid"]}, "expect": {"status": 200}},
    {"do": "complaint", "declare": {"kind": "text_503", "times": 1, "paths": ["/v2/odr"]}, "expect": {"http_status": 201}},
    {"do": "on_demand_read", "expect": {"outcome": "failed"}},
    {"do": "balance_call", "question": "balance", "patience_s": 180, "expect": {"outcome": "answered"}},
    {"do": "balance_call", "question": "balance", "patience_s": 180, "expect": {"outcome": "refused"}},
    {"do": "portal_read", "expect": {"outcome": "refused"}},
]  # fmt: skip


def incident() -> dict[str, Any]:
    """Calls of every kind, some of which go wrong."""
    written = short_balance()
    written["world"] |= {"faults": [], "first_day": "2026-08-10"}
    written["account"] |= {"worth_asking": 0, "customer_name": "Ottoline Real"}
    written["accounts"] = [written["account"] | {"account_id": "SF-2", "meter": 2}]
    written["timeline"] = [{"at": "+7m", "ref": f"it-{place}"} | one for place, one in enumerate(TIMELINE)]
    return written


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> JudgedRun:
    return run(incident(), tmp_path_factory.mktemp("incident") / "run")


def expected(path: Path) -> list[tuple[str, Any]]:
    return [(one.do, one.expect.of("outcome")) for one in load_sound(path).timeline]


@pytest.mark.parametrize("file", ["wire.jsonl", "recording.json"])
def test_what_a_run_left_ends_the_same_and_becomes_the_same_again(played: JudgedRun, tmp_path: Path, file: str) -> None:
    assert played.verdict.mark is Mark.PASSED, [one.failures for one in played.verdict.judged if one.failures]
    first = take(played.out / file, tmp_path / "first.yaml", "again")
    assert "Ottoline" not in first.out.read_text(encoding="utf-8")
    replayed = run_and_judge(load_sound(first.out), tmp_path / "run")
    assert replayed.verdict.mark is Mark.PASSED, [one.failures for one in replayed.verdict.judged if one.failures]
    second = take(tmp_path / "run" / file, tmp_path / "second.yaml", "again")
    assert load_sound(second.out) == load_sound(first.out)


def test_polls_and_log_ins_are_part_of_what_they_were_for(played: JudgedRun, tmp_path: Path) -> None:
    told = take(played.out / "wire.jsonl", tmp_path / "made.yaml")
    assert expected(told.out) == [
        ("http", None),
        ("log_in", None),
        ("usage_read", None),
        ("usage_read", None),
        ("usage_read", None),
        ("http", None),
        ("power_status", "answered"),
        ("portal_read", "refused"),
        ("on_demand_read", "answered"),
        ("http", None),
        ("http", None),
        ("on_demand_read", "failed"),
        ("balance_call", "answered"),
        ("balance_call", "refused"),
        ("portal_read", "refused"),
    ]
    actions = load_sound(told.out).model_dump()["timeline"]
    assert (actions[11]["poll_s"], actions[8]["poll_s"], actions[8]["account"]) == (5, 20, "account-2")
    assert actions[9]["body"]["trans_id"] == "it costs $$5"


def test_a_replay_that_ends_otherwise_says_so(played: JudgedRun, tmp_path: Path) -> None:
    told = take(played.out / "wire.jsonl", tmp_path / "made.yaml")
    text = told.out.read_text(encoding="utf-8")
    assert text.count("policy: ") == 1
    told.out.write_text(text.replace("do: power_status", "do: power_status, login: saltfork.api"), encoding="utf-8")
    otherwise = run_and_judge(load_sound(told.out), tmp_path / "run")
    assert [one.id for one in otherwise.verdict.checks if one.mark is Mark.FAILED] == ["power-status-7"]


def test_a_file_that_was_touched_is_told(played: JudgedRun, tmp_path: Path) -> None:
    touched = tmp_path / "wire.jsonl"
    touched.write_bytes((played.out / "wire.jsonl").read_bytes().replace(b'"status":401', b'"status":402', 1))
    told = take(touched, tmp_path / "made.yaml", like=Path("gap-of-17-h-30"))
    assert any(one.startswith("The file is not as it was written: Line ") for one in told.told)
