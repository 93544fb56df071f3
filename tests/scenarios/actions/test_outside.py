"""Actions of the retailer's side and of outsiders: usage, attributes, log-ins, calls as written, looks, files; each runs for real, and fails where it is not so."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import httpx
import pytest

from meters.calendar import iso
from scenarios.actions.market.exchange import answer, code_of, value
from scenarios.actions.market.http import Http
from scenarios.actions.outside import asks_smt, read_meter
from scenarios.actions.table import ACTIONS
from scenarios.evidence import Evidence
from scenarios.file.schema import Scenario
from scenarios.judging.verdict import judge
from scenarios.parts.expected import INSTANT
from scenarios.recording import load as load_recording
from scenarios.run import JudgedRun
from scenarios.stage import Stage
from tests.scenarios.short import mutated, run, short_balance
from tests.scenarios.test_lint import linted

USAGE = {"do": "usage_read", "first": "2026-08-10", "last": "2026-08-11"}
TIMELINE: list[dict[str, Any]] = [
    {"ref": "intervals", **USAGE, "expect": {"status": 200, "actual": {"within": [180, 192]}, "missing": 0, "revised": 0, "channels": ["C"]}},
    {"ref": "daily", **USAGE, "what": "daily", "expect": {"records": 2, "days": ["2026-08-10", "2026-08-11"]}},
    {"ref": "monthly", **USAGE, "what": "monthly", "expect": {"code": "1", "records": 0, "kwh": {"absent": True}}},
    {"ref": "feed", **USAGE, "what": "green_button", "expect": {"status": 200, "missing": 0}},
    {"ref": "at-the-portal", **USAGE, "door": "portal", "expect": {"status": 200, "missing": 0}},
    {"ref": "one-by-one", **USAGE, "door": "portal", "what": "interval", "expect": {"status": 200, "actual": {"within": [180, 192]}, "missing": 0, "records": 2}},
    {"ref": "days-at-the-portal", **USAGE, "door": "portal", "what": "daily", "expect": {"records": 2}},
    {"ref": "from-files", **USAGE, "door": "files", "revisions": "all", "expect": {"status": {"absent": True}, "missing": 0}},
    {"ref": "not-a-day", **USAGE, "body": {"startDate": "08-10-2026"}, "expect": {"code": "INVALID-DATE"}},
    {"ref": "meter", "do": "attributes", "expect": {"serial_number": {"absent": False}, "at": {"/MeterData": 1}}},
    {"ref": "premise", "do": "attributes", "what": "premise", "door": "portal", "expect": {"premise_status": "Energized"}},
    {"ref": "devices", "do": "attributes", "what": "han", "expect": {"devices": {"absent": False}}},
    {"ref": "token", "do": "log_in", "expect": {"status": 200, "let_in": 1, "life_s": 3600}},
    {"ref": "guesses", "do": "log_in", "door": "portal", "password": "wrong", "times": 6, "expect": {"not_looked_at": 1, "blocked_until": {"absent": False}}},
    {"ref": "own-call", "do": "http", "method": "GET", "path": "/v2/missing/?day=2026-08-11", "token": "token", "expect": {"status": 200, "header": {"content-type": "application/json"}}},
    {"ref": "headend", "do": "http", "to": "headend", "method": "GET", "path": "/batches/2026-08-11", "login": "smt", "expect": {"at": {"/operatingDay": "2026-08-11"}}},
    {"ref": "desk", "do": "http", "to": "desk", "method": "GET", "path": "/calls/none", "login": "desk.agent", "expect": {"status": 404, "code": "ror.call.unknown"}},
    {"ref": "text", "do": "http", "path": "/v2/token/", "body": "{", "expect": {"status": 400}},
    {"ref": "read", "do": "on_demand_read", "expect": {"outcome": "answered"}},
    {"ref": "throttle", "do": "look", "what": "throttle", "at": "+5m", "expect": {"refusal": "FR-CR016.1b", "retry_at": "2026-08-13T00:00"}},
    {"ref": "store", "do": "look", "what": "store", "expect": {"vee_to": "2026-08-12T00:00", "reaches_to": {"at_least": "2026-08-12T08:00"}}},
    {"ref": "queue", "do": "look", "what": "queue", "expect": {"open": 0}},
    {"ref": "audit", "do": "look", "what": "audit", "expect": {"requests": 1, "states": ["completed"]}},
    {"ref": "health", "do": "look", "what": "health", "expect": {"health": "ok", "at": {"/database": "ok"}}},
    {"ref": "metrics", "do": "look", "what": "metrics", "expect": {"at": {"ami_smt_login_blocks_total": 1}}},
    {"ref": "headend-metrics", "do": "look", "what": "metrics", "party": "headend", "expect": {"at": {'ami_headend_inquiries_total{kind="REGISTER",outcome="completed"}': 1, "ami_headend_open_inquiries": 0}}},
    {"ref": "headend-health", "do": "look", "what": "health", "party": "headend", "expect": {"health": "ok"}},
    {"ref": "folder", "do": "ror_files", "expect": {"lse": {"at_least": 2}, "csv": 0, "foreign": [], "holds_account": {"at_least": 2}}},
    {"ref": "csv", "do": "ror_files", "login": "saltfork.api", "expect": {"csv": {"at_least": 2}, "lse": 0}},
    {"ref": "dead-token", "do": "http", "method": "GET", "path": "/v2/missing/?day=2026-08-11", "token": "token", "at": "+1h", "expect": {"status": 401, "code": "bad_token"}},
    {"ref": "object", "do": "http", "path": "/v2/premiseInfo/", "login": "pecanbend.api", "body": {"trans_id": "by-hand", "requestorID": "pecanbend.api", "requesterType": "REP", "requesterAuthenticationID": "9990001110000", "esiid": ["$esiid"]}, "expect": {"status": 200, "at": {"/trans_id": "by-hand"}}},
    {"ref": "paced", "do": "log_in", "times": 2, "every_s": 60, "expect": {"let_in": 2, "not_looked_at": 0}},
    {"ref": "handed", "do": "golden_bill", "golden": "saver-500", "expect": {"told": False, "total_usd": {"absent": True}}},
    {"ref": "called", "do": "customer_calls", "expect": {}},
    {"ref": "asked", "do": "asks_smt", "expect": {"taken": False, "inquired": False, "called_back": 0}},
    {"ref": "posted", "do": "await_files", "day": "2026-08-12", "at": "2026-08-13T00:30", "within_s": 43_200, "expect": {"files": 1, "codes": ["00"]}},
]  # fmt: skip
NEW = {"usage_read", "attributes", "log_in", "http", "look", "ror_files"}


def outside() -> dict[str, Any]:
    """A call of each kind on five meters."""
    written = short_balance()
    written |= {"name": "outside", "policy": "fr-cr016-1"}
    written["world"] |= {"faults": [], "market": {"usage_files": {"9990002220000": "CSV"}}}
    written["timeline"] = [{"at": "+1m"} | one for one in TIMELINE]
    written["timeline"][0]["at"] = "2026-08-12T09:00"
    # What is expected beyond an action names places of its answer too.
    written["expect"] = [{"ref": "also", "of": "health", "expect": {"at": {"/status": "ok"}}}]
    return written


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> JudgedRun:
    return run(outside(), tmp_path_factory.mktemp("outside") / "out")


def test_each_action_comes_to_what_is_expected(played: JudgedRun) -> None:
    assert {one.label: one.failures for one in played.verdict.judged if one.failures} == {}
    assert {one["do"] for one in TIMELINE} >= NEW
    assert judge(load_recording(played.out / "recording.json")) == played.verdict


def test_a_retailer_that_there_is_none_of_is_handed_nothing_and_our_head_ends_day_is_awaited(
    played: JudgedRun,
) -> None:
    told = {
        one.ref: ACTIONS[one.do].tell(ACTIONS[one.do].seen(Evidence(played.recording), one))
        for one in played.recording.scenario.timeline
    }
    assert told["handed"] == told["called"] == "The retailer tells no bill."
    assert told["posted"] == "The head-end posts 1 files."
    # Our own SMT is asked by its retailers' own actions.
    assert told["asked"] == "Nobody was asked."


def test_a_scenario_reads_back_as_it_was(played: JudgedRun) -> None:
    scenario = played.recording.scenario
    written = scenario.model_dump(mode="json", exclude_none=True, serialize_as_any=True)
    assert Scenario.model_validate(written) == scenario
    assert written["timeline"][19]["expect"]["retry_at"] == "2026-08-13T00:00:00-05:00"


def test_doors_files_and_feed_tell_one_consumption(played: JudgedRun) -> None:
    told = {getattr(played.recording.actions[ref], "kwh", None) for ref in ("intervals", "daily", "feed", "at-the-portal", "days-at-the-portal", "from-files")}  # fmt: skip
    assert len(told) == 1
    assert None not in told


@pytest.mark.parametrize(
    ("reply", "kept"),
    [
        (httpx.Response(200, json={"error": "no"}), {"/usage": None, "/error": "no"}),
        (httpx.Response(404, json={"error": "no"}), {"/error": "no"}),
        (httpx.Response(200, html="<p>"), {}),
        (httpx.Response(503, text="busy"), {}),
        (None, {}),
    ],
)
def test_what_is_absent_is_kept_of_an_answer_that_could_have_it_alone(
    reply: httpx.Response | None, kept: dict[str, Any]
) -> None:
    expect = {"at": {"/usage": {"absent": True}, "/error": "no"}, "header": {"etag": {"absent": True}}}
    action = ACTIONS["http"].written.model_validate(
        {"at": "2026-08-12T09:00", "do": "http", "ref": "it", "path": "/", "expect": expect}
    )
    assert isinstance(action, Http)
    left = answer(cast(Stage, SimpleNamespace(scenario=SimpleNamespace(expect=()))), action, reply)
    assert left["values"] == kept
    assert left["header"] == ({} if reply is None else {"etag": None})
    held = {place: holds for place, _, holds in action.expect.forms["at"].looked(left["values"])}
    assert held == {"/usage: absent: {}": "/usage" in kept, "/error: {}": "/error" in kept}


def test_every_fact_has_a_value_of_its_form_or_none(played: JudgedRun) -> None:
    for action in played.recording.scenario.timeline:
        row = ACTIONS[action.do]
        for fact in row.facts:
            found = fact.got(row.seen(Evidence(played.recording, action.account), action))
            if found is not None and not isinstance(found, dict):
                written = iso(found) if fact.form is INSTANT else found
                assert fact.form.model_validate(written).equals == found, fact.name


@pytest.mark.parametrize(
    ("ref", "expect", "expected", "found"),
    [
        ("intervals", {"missing": {"at_least": 1}}, "at least 1", "0"),
        ("from-files", {"revised": 1}, "1", "0"),
        ("meter", {"serial_number": {"absent": True}}, "absent: True", None),
        ("guesses", {"let_in": 1}, "1", "0"),
        ("own-call", {"status": 401}, "401", "200"),
        ("headend", {"at": {"/operatingDay": "2026-08-10"}}, "/operatingDay: 2026-08-10", None),
        ("headend", {"at": {"/operatingDay": {"at_least": 1}}}, "/operatingDay: at least 1", None),
        ("headend", {"at": {"/not/kept": {"absent": True}}}, "/not/kept: absent: True", None),
        ("own-call", {"header": {"content-type": "text/csv"}}, "content-type: text/csv", None),
        ("throttle", {"refusal": {"absent": True}}, "absent: True", "FR-CR016.1b"),
        ("audit", {"states": ["refused"]}, "refused", "completed"),
        ("csv", {"foreign": ["1"]}, "1", None),
    ],
)
def test_what_is_not_so_fails_and_is_told(
    played: JudgedRun, ref: str, expect: dict[str, Any], expected: str, found: str | None
) -> None:
    def otherwise(written: dict[str, Any]) -> None:
        (action,) = [one for one in written["scenario"]["timeline"] if one["ref"] == ref]
        action["expect"] = expect

    (check,) = [one for one in judge(mutated(played.recording, otherwise)).checks if one.id == ref]
    (failure,) = check.failures
    assert failure.expected == expected
    assert found is None or failure.found == found


@pytest.mark.parametrize(
    ("action", "said"),
    [
        ({"do": "usage_read", "first": "2026-08-11", "last": "2026-08-10"}, "it ends before it begins"),
        (USAGE | {"what": "green_button", "door": "portal"}, "Green Button is of the market API alone"),
        (USAGE | {"what": "interval"}, "intervals one by one are of the portal alone"),
        (USAGE | {"what": "daily", "door": "files"}, "files hold 15-minute intervals"),
        (USAGE | {"login": "pecanbend.ap"}, "Did you mean pecanbend.api?"),
        (USAGE | {"door": "portal", "login": "pecanbend.api"}, "There is no log-in pecanbend.api that can act here"),
        (USAGE | {"expect": {"code": "INVALID-DAT"}}, "nothing answers with INVALID-DAT"),
        (USAGE | {"expect": {"at": {"/a": {"at_least": 1, "at_most": "b"}}}}, "values are of one kind"),
        ({"do": "http", "path": "/v2/odr/", "token": "tokn"}, "There is no log_in tokn before this call"),
        ({"do": "http", "path": "v2"}, "path"),
        ({"do": "http", "path": "/batches", "to": "headend", "login": "pecanbend.api"}, "There is no log-in pecanbend.api"),
        ({"do": "look", "what": "meters"}, "what"),
        ({"do": "look", "what": "queue", "party": "headend"}, "the head-end has no queue"),
        ({"do": "log_in", "login": "nobody"}, "There is no log-in nobody"),
    ],
)  # fmt: skip
def test_lint_tells_of_what_cannot_be(tmp_path: Path, action: dict[str, Any], said: str) -> None:
    written = outside()
    written["timeline"] = [{"at": "2026-08-12T09:00", "ref": "it"} | action]
    assert any(said.lower() in str(one).lower() for one in linted(tmp_path, written)), linted(tmp_path, written)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"errorCode": "AC1", "errorMessage": "no"}, "AC1"),
        ({"data": {"errorCode": "1"}}, "1"),
        ({"data": {"RequestStatus": "FLR", "statusCode": "5031"}}, "5031"),
        ({"refusal": {"code": "SMT-HOUR"}}, "SMT-HOUR"),
        ({"error": "Incorrect username or password."}, "bad_login"),
        ({"error": "of another"}, None),
        ({"errormessage": "ERR-USR-USERNOTFOUND"}, "ERR-USR-USERNOTFOUND"),
        ({"statusCode": "0"}, None),
        ([], None),
    ],
)
def test_the_code_of_an_answer_is_found_in_every_shape(body: Any, code: str | None) -> None:
    assert code_of(body) == code


@pytest.mark.parametrize(
    ("place", "found"),
    [("/a/0/b", 1), ("/a", 2), ("/a/5", None), ("/c~1d", "x"), ("/a/0/b/c", None), ("a{b}", 3.5), ("a", 2), ("", None)],
)
def test_a_value_is_found_at_its_pointer(place: str, found: Any) -> None:
    assert value({"a": [{"b": 1}, {}], "c/d": "x", "a{b}": 3.5}, place) == found


#: What an SMT that is not ours asks of the TDSP that the tester plays, and how the answer ends.
ASKED: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "an ESI ID that there is none of": ({"kind": "REGISTER", "esiid": "1"}, {"outcome": "failed", "reason": "the meter did not answer"}),
    "a register where no meter may be read": ({"kind": "REGISTER"}, {"outcome": "refused", "reason": "the meter may not be read"}),
    "a power status where no meter may be read": ({"kind": "POWER"}, {"outcome": "refused", "reason": "the meter may not be read"}),
    "a gap that ends where it begins": ({"kind": "INTERVALS", "start": "2026-08-12T00:00:00-05:00", "end": "2026-08-12T00:00:00-05:00"}, {"outcome": "failed", "reason": "there is no gap"}),
    "a gap without an end": ({"kind": "INTERVALS", "start": "2026-08-12T00:00:00-05:00"}, {"outcome": "failed", "reason": "there is no gap"}),
}  # fmt: skip


@pytest.mark.parametrize(("said", "ends"), ASKED.values(), ids=ASKED)
def test_a_tdsp_answers_no_read_where_there_can_be_none(said: dict[str, Any], ends: dict[str, Any]) -> None:
    meter = SimpleNamespace(identity=SimpleNamespace(esiid="2", multiplier=1))
    stage = SimpleNamespace(world=SimpleNamespace(meters=[meter]))
    its: Any = SimpleNamespace(
        action=SimpleNamespace(tdsp="answers"), stage=stage, runtime=SimpleNamespace(now=lambda: 0)
    )
    told = asks_smt._answer(its, {"correlationId": "c", "esiid": "2", "meterAllowed": False} | said)
    assert told == {"correlationId": "c", "meterReads": 0} | ends


@pytest.mark.parametrize("part", [{"register": {"wh": 5, "at": "noon"}}, {"intervals": [{"wh": 5, "end": "noon"}]}])
def test_another_answer_of_a_tdsp_differs_in_its_first_value_alone(part: dict[str, Any]) -> None:
    other = asks_smt._other({"outcome": "completed"} | part)
    assert str(other) == str({"outcome": "completed"} | part).replace("5", "1005", 1)


@pytest.mark.parametrize(
    ("reply", "fits"),
    [("8302", True), ("030400010002", True), ("03020001", False), ("03040001", False), ("03", False), ("1002", True)],
)
def test_a_reply_to_two_registers_has_as_many_octets_as_it_says_and_as_were_asked_for(reply: str, fits: bool) -> None:
    assert read_meter._fits(bytes.fromhex(reply), bytes.fromhex("0300000002")) is fits
