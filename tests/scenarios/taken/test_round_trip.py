"""A run's exchanges, and its recording, become scenarios that end the same; and what these leave becomes the same scenario again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from scenarios.file.lint import load_sound
from scenarios.run import JudgedRun, run_and_judge
from scenarios.taken.taken import take
from simulator.verdicts import Mark
from tests.cases import few
from tests.scenarios.short import mutated, run, short_balance

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


def fixed(first: Path, file: str, folder: Path) -> None:
    """A scenario that was taken passes, and what its run left becomes the same scenario."""
    replayed = run_and_judge(load_sound(first), folder / "run")
    assert replayed.verdict.mark is Mark.PASSED, [one.failures for one in replayed.verdict.judged if one.failures]
    second = take(folder / "run" / file, folder / "second.yaml", "again")
    assert load_sound(second.out) == load_sound(first)


@pytest.mark.parametrize("file", few(1, ["wire.jsonl", "recording.json"]))
def test_what_a_run_left_ends_the_same_and_becomes_the_same_again(played: JudgedRun, tmp_path: Path, file: str) -> None:
    assert played.verdict.mark is Mark.PASSED, [one.failures for one in played.verdict.judged if one.failures]
    first = take(played.out / file, tmp_path / "first.yaml", "again")
    assert "Ottoline" not in first.out.read_text(encoding="utf-8")
    fixed(first.out, file, tmp_path)


def test_a_request_that_was_written_by_hand_belongs_to_the_action_that_plays_it_again(tmp_path: Path) -> None:
    body = {"trans_id": "a", "requestorID": "pecanbend.api", "requesterType": "CSP", "ESIID": "$esiid"}
    body |= {"requesterAuthenticationID": "9990001110000", "ReadType": "INTERVALS", "callReference": "by-hand"}
    call: dict[str, Any] = {"at": "2026-08-12T09:00", "do": "http", "ref": "by-hand", "path": "/v2/powerstatus/"}
    call |= {"login": "pecanbend.api", "body": body, "expect": {"status": 200}}
    played = run(short_balance() | {"timeline": [call]}, tmp_path / "first")
    taken = take(played.out / "recording.json", tmp_path / "first.yaml", "again")
    assert "callReference: http-1" in taken.out.read_text(encoding="utf-8")
    fixed(taken.out, "recording.json", tmp_path)


READ = {"do": "portal_read", "expect": {"outcome": "answered"}}
USAGE = {"do": "usage_read", **DAYS, "expect": {"status": 200}}
#: Timelines in which one call is in another's way: what each becomes of exchanges.
CLOSE: dict[str, tuple[list[dict[str, Any]], list[str]]] = {
    "two clients look in one second": ([READ, READ | {"at": "+0s"}], ["portal_read", "portal_read"]),
    "a second client asks a second later": ([READ, READ | {"at": "+1s"}], ["portal_read", "portal_read"]),
    "one that polls each second, more often than a client does": (
        [READ | {"poll_s": 1, "polls": 200}],
        ["portal_read"],
    ),
    "a log-in whose token is borne a minute later": (
        [
            {"do": "log_in", "ref": "own", "expect": {"let_in": 1}},
            {"at": "+1m", "do": "http", "method": "GET", "path": "/v2/missing/?day=2026-08-11", "token": "own", "expect": {"status": 200}},
        ],
        ["log_in", "http"],
    ),
    "a log-in and a read that logs in by itself, in one second": (
        [{"do": "log_in", "expect": {"let_in": 1}}, USAGE | {"at": "+0s"}],
        ["usage_read", "log_in"],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("timeline", "actions"), few(1, CLOSE))
def test_calls_that_are_close_stay_apart(timeline: list[dict[str, Any]], actions: list[str], tmp_path: Path) -> None:
    written = incident() | {"policy": "smt-today"}
    written["timeline"] = [{"at": "+7m", "ref": f"it-{place}"} | one for place, one in enumerate(timeline)]
    written["timeline"][0]["at"] = "2026-08-12T09:00"
    first = take(run(written, tmp_path / "first").out / "wire.jsonl", tmp_path / "first.yaml", "again")
    assert [do for do, _ in expected(first.out)] == actions
    fixed(first.out, "wire.jsonl", tmp_path)


def test_what_a_recording_verified_is_verified_again(tmp_path: Path) -> None:
    written = incident()
    written["timeline"] = [
        {"at": "2026-08-12T09:00", "do": "balance_call", "ref": "first", "question": "balance", "patience_s": 180,
         "expect": {"outcome": "answered", "gap": 36, "reaches_to": {"at_least": "2026-08-12T08:45"}, "gap_end": "2026-08-12T09:00"}, "verifies": ["UC-N3", "AMB-5"]},
        {"at": "+1h", "do": "on_demand_read", "ref": "second", "expect": {"outcome": "answered"}, "verifies": ["SMT-HOUR", "AMB-2"]},
        {"at": "+1m", "do": "attributes", "ref": "meter", "expect": {"serial_number": {"absent": False}, "at": {"/MeterData": 1}}},
    ]  # fmt: skip
    written["expect"] = [
        {"ref": "both", "run": {"completions": 2, "refusals": 0}, "verifies": ["SMT-HOUR"]},
        {"ref": "late", "of": "first", "expect": {"gap": {"within": [30, 36]}}, "verifies": ["UC-N4"]},
        {"ref": "none", "never": "refusals", "between": ["first", "2026-08-12T10:30"]},
    ]
    written["policy"] = "smt-today"
    played = run(written, tmp_path / "first")
    taken = load_sound(take(played.out / "recording.json", tmp_path / "first.yaml", "again").out)
    call, read, meter = taken.timeline
    assert (call.verifies, read.verifies) == (("UC-N3", "AMB-5"), ("SMT-HOUR", "AMB-2"))
    assert set(call.expect.forms) >= {"gap", "reaches_to", "gap_end"}
    # What may tell who somebody is, and places of documents, stay behind.
    assert set(meter.expect.forms) & {"serial_number", "at"} == {"serial_number"}
    both, late, none = taken.expect
    assert (both.run.of("completions"), both.verifies) == (2, ("SMT-HOUR",))
    assert (late.of, late.expect, late.verifies) == ("balance-call-1", {"gap": {"within": [30, 36]}}, ("UC-N4",))
    assert (none.never, none.between and none.between[0]) == ("refusals", "balance-call-1")
    fixed(tmp_path / "first.yaml", "recording.json", tmp_path)


def test_an_action_names_the_one_that_it_named_though_another_before_it_is_left_out(tmp_path: Path) -> None:
    meter = {"method": "GET", "path": "/v2/missing/?day=2026-08-11", "expect": {"status": 200}}
    written = incident() | {"policy": "smt-today"}
    written["timeline"] = [
        {"at": "2026-08-12T09:00", "do": "power_status", "ref": "of-nobody", "account": "SF-2", "expect": {"outcome": "answered"}},
        {"at": "+7m", "do": "log_in", "ref": "own", "expect": {"let_in": 1}},
        {"at": "+1m", "do": "http", "ref": "bears", "token": "own", **meter},
        {"at": "+1m", "do": "log_in", "ref": "his", "account": "SF-2", "expect": {"let_in": 1}},
        {"at": "+1m", "do": "http", "ref": "bears-his", "token": "his", **meter},
    ]  # fmt: skip
    recording = run(written, tmp_path / "first").out / "recording.json"
    taken = take(recording, tmp_path / "first.yaml", like=Path("stale-read-for-an-hour"))
    assert [(one.ref, getattr(one, "token", None)) for one in load_sound(taken.out).timeline] == [("log-in-1", None), ("http-2", "log-in-1")]  # fmt: skip
    assert "entry 5: http is not carried: what its token names is not carried either" in taken.told


def test_what_was_not_so_is_not_expected_again(played: JudgedRun, tmp_path: Path) -> None:
    def otherwise(written: dict[str, Any]) -> None:
        (call,) = [one for one in written["scenario"]["timeline"] if one["ref"] == "it-12"]
        call["expect"] |= {"store": 9_999, "meter": {"at_least": 1}}
        call["verifies"] = ["AMB-5", "FR-CR016.1b", "S5"]
        written["scenario"]["expect"] = [{"ref": "wrong", "run": {"calls": 7, "requests": {"at_least": 2}}}]

    file = tmp_path / "recording.json"
    file.write_text(mutated(played.recording, otherwise).dumps(), encoding="utf-8")
    elsewhere = take(file, tmp_path / "elsewhere.yaml", like=Path("stale-read-for-an-hour"))
    assert "it verified FR-CR016.1b, which nothing here can show" in "".join(elsewhere.told)
    assert "the world that it is to be played in has no account for it" in "".join(elsewhere.told)
    assert {one.verifies for one in load_sound(elsewhere.out).timeline} == {(), ("AMB-5", "S5")}
    taken = load_sound(take(file, tmp_path / "made.yaml").out)
    assert taken.timeline[12].verifies == ("AMB-5", "FR-CR016.1b", "S5")
    assert [set(one.expect.forms) & {"store", "meter"} for one in taken.timeline if one.do == "balance_call"] == [
        {"meter"},
        set(),
    ]
    assert [set(one.run.forms) for one in taken.expect] == [{"requests"}]


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
