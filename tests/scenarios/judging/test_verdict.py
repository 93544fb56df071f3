"""The verdict of a real run passes, and each of its rules fails on a recording in which that rule is broken."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from scenarios.errors import ScenarioError
from scenarios.judging.findings import CheckVerdict, Mark, StepVerdict, Verdict
from scenarios.judging.verdict import judge
from scenarios.requirements import REQUIREMENTS
from scenarios.run import JudgedRun
from tests.scenarios.short import mutated

Written = dict[str, Any]
Mutation = Callable[[Written], None]


def call(r: Written) -> Written:
    found: Written = r["actions"]["call-0001"]
    return found


def served(r: Written) -> Written:
    found: Written = call(r)["request"]["served"]
    return found


def entry(r: Written, ref: str = "call-0001") -> Written:
    return next(one for one in r["ledger"] if one["call_reference"] == ref)


def answers(r: Written) -> Written:
    found: Written = r["actions"]["answers-0001"]
    return found


def note(r: Written, kind: str, ident: str | None = None) -> Written:
    return next(one for one in r["journal"] if one["kind"] == kind and ident in (None, one["ident"]))


def inquiry(r: Written) -> Written:
    return note(r, "inquiry answered", entry(r)["key"])


def drop_note(kind: str) -> Mutation:
    def mutate(r: Written) -> None:
        r["journal"].remove(note(r, kind))

    return mutate


def put(where: Callable[[Written], Written], **facts: Any) -> Mutation:
    return lambda r: where(r).update(facts)


def refuse_in_ledger(r: Written) -> None:
    entry(r)["transitions"][-1]["state"] = "refused"


def second_success(kind_ref: str, other_ref: str) -> Mutation:
    """The refused request of the day becomes a success that cost a read, in the ledger alone."""

    def mutate(r: Written) -> None:
        entry(r, other_ref)["transitions"][-1] |= {"state": "completed", "meter_reads": 1}
        assert entry(r, kind_ref)["transitions"][-1]["state"] == "completed"

    return mutate


def told_too_much(r: Written) -> None:
    r["actions"]["rebill-0001"] |= {"vee_usd": "30.00", "difference_usd": "12.79"}


def longer_gap(r: Written) -> None:
    entry(r)["gap"] = {"start": "2026-08-10T00:00:00-05:00", "end": "2026-08-12T17:30:00-05:00"}
    served(r)["gap"] = entry(r)["gap"]


def unflag(r: Written) -> None:
    r["usage"]["served"]["source"][0] = "meter"


def lose_an_interval(r: Written) -> None:
    for column in r["usage"]["served"].values():
        column.pop()


def keep_as_vee(r: Written) -> None:
    r["usage"]["at_call"]["quality"][-1] = 0


def bill_more_usage(r: Written) -> None:
    r["usage"]["at_call"]["wh"][0] += 1


def stale_non_vee(r: Written) -> None:
    r["usage"]["after_posting"]["quality"][-1] = 2


def vee_lost(r: Written) -> None:
    for column in r["usage"]["after_posting"].values():
        column.pop(5)


def file_of_a_day_missing(r: Written) -> None:
    first = note(r, "posted")
    r["journal"] = [one for one in r["journal"] if one["ident"] != first["ident"]]


def sole_hour_wrong(r: Written) -> None:
    call(r)["pattern"]["day_wh"][3] += 1


def own_request_twice(r: Written) -> None:
    r["ledger"].append(copy.deepcopy(entry(r)))


def request_of_no_call(r: Written) -> None:
    entry(r, "status-0001")["call_reference"] = "nobody"


def result_code_07(r: Written) -> None:
    codes = note(r, "result codes")
    codes["codes"] = {"00": codes["codes"]["00"] - 1, "07": 1}


#: What is broken, which step or check must fail, and words of the rule that must say so.
BROKEN: list[tuple[str, Mutation, str, str]] = [
    ("no call noted", drop_note("S1.called"), "S1", "noted once"),
    ("call of another ESI ID", lambda r: note(r, "S1.called").update(esiid="1"), "S1", "ESI ID"),
    ("call of another account", lambda r: note(r, "S1.called").update(account="x"), "S1", "account"),
    ("other question", lambda r: note(r, "S1.called").update(question="last_bill"), "S1", "question"),
    ("decided against", lambda r: call(r)["decision"].update(needs_more=False), "S2", "more is needed"),
    ("no reason", lambda r: call(r)["decision"].update(reason=""), "S2", "reason"),
    ("decision not noted", drop_note("S2.decided"), "S2", "as it was noted"),
    ("no VEE data", put(call, trouble={"code": "x", "reason": "y", "retry_at": None}), "S2", "VEE data"),
    ("own record wrong", lambda r: call(r)["own_record"].update(amount_due_usd="1.00"), "S2", "own record"),
    ("VEE end of the decision", lambda r: call(r)["decision"]["facts"].update(vee_end=None), "S2", "decision names"),
    ("VEE end seen", keep_as_vee, "S2", "retailer saw"),
    ("nothing fetched", lambda r: note(r, "S2.decided").update(vee_intervals=0), "S2", "fetched"),
    ("two requests for a call", own_request_twice, "S3", "of this call"),
    ("register read asked", lambda r: note(r, "S3.requested").update(read_type="REGISTER"), "S3", "read type"),
    ("other ESI ID asked", lambda r: note(r, "S3.requested").update(esiid="1"), "S3", "ESI ID"),
    ("filed as a status", lambda r: entry(r).update(kind="POWER"), "S3", "kind"),
    ("another login", lambda r: entry(r).update(username="someone"), "S3", "login"),
    ("another instant", lambda r: entry(r).update(submitted="2026-08-12T17:41:00-05:00"), "S3", "instant"),
    ("another correlation id", lambda r: call(r)["request"].update(correlation_id="1"), "S3", "correlation id"),
    ("never sent", lambda r: entry(r)["transitions"].pop(2), "S4", "life"),
    ("refused in the ledger", refuse_in_ledger, "S4", "life"),
    ("backwards in time", lambda r: entry(r)["transitions"][2].update(at_us=0), "S4", "ascend"),
    ("not AMS", lambda r: r["world"]["service_point"].update(ams=False), "S4", "A1"),
    ("not provisioned", lambda r: r["world"]["service_point"].update(provisioned=False), "S4", "A2"),
    ("not received", lambda r: r["world"]["service_point"].update(receiving=False), "S4", "A3"),
    ("not as LSE", lambda r: r["world"]["service_point"].update(lse=False), "S4", "A4"),
    ("not of record", lambda r: entry(r).update(duns="0"), "S4", "ROR of record"),
    ("gap begins too early", longer_gap, "S4", "begins where"),
    ("gap over 48 h", longer_gap, "S4", "48 hours"),
    (
        "gap ends too late",
        lambda r: entry(r).update(gap=entry(r)["gap"] | {"end": "2026-08-12T17:45:00-05:00"}),
        "S4",
        "quarter hour",
    ),
    ("another gap told", lambda r: served(r).update(gap=None), "S4", "told"),
    (
        "uncovered part that is none",
        lambda r: served(r).update(
            uncovered=[{"start": "2026-08-09T00:00:00-05:00", "end": "2026-08-09T01:00:00-05:00"}]
        ),
        "S4",
        "beyond the 48 hours",
    ),
    ("no answer", lambda r: call(r)["request"].update(end="failed"), "S4", "answer that the retailer got"),
    ("status code", lambda r: served(r).update(status_code="1"), "S4", "status code"),
    ("TDSP noted nothing", drop_note("inquiry answered"), "S5", "notes the answer"),
    ("counts do not add up", lambda r: inquiry(r).update(missing=1), "S5", "make the gap"),
    ("other count in SMT's ledger", lambda r: entry(r)["transitions"][-1].update(from_store=1), "S5", "SMT's ledger"),
    (
        "other meter count in the ledger",
        lambda r: entry(r)["transitions"][-1].update(from_meter=1),
        "S5",
        "SMT's ledger",
    ),
    ("other reads in the ledger", lambda r: entry(r)["transitions"][-1].update(meter_reads=9), "S5", "meter reads"),
    ("meter intervals without a read", lambda r: inquiry(r).update(meter_reads=0), "S5", "need a read"),
    ("missing not told", lambda r: served(r).update(missing=["2026-08-12T10:00:00-05:00"]), "S5", "reported missing"),
    ("an interval lost on the way", lose_an_interval, "S5", "handed on"),
    ("wrong source flag", unflag, "S5", "flagged"),
    (
        "collected before its end",
        lambda r: r["usage"]["served"]["collected_at"].__setitem__(0, 0),
        "S5",
        "before they ended",
    ),
    ("store held nothing", lambda r: inquiry(r).update(store=0, meter=70), "S5", "PRE2"),
    ("kept as VEE", keep_as_vee, "S5", "keeps them as non-VEE"),
    ("nothing told", put(call, sentences=[]), "S6", "told something"),
    ("told otherwise", lambda r: note(r, "S6.told").update(sentences=["Hello."]), "S6", "as they were noted"),
    ("usage of the bill", bill_more_usage, "S6", "usage billed"),
    (
        "bill does not add up",
        lambda r: call(r)["with_gap"]["bill"].update(total_usd="1.00"),
        "S6",
        "bill total",
    ),
    (
        "bill stops short",
        lambda r: call(r)["with_gap"].update(to="2026-08-12T17:15:00-05:00"),
        "S6",
        "reaches to",
    ),
    ("no gap in the bill", put(call, with_gap=None), "S6", "reaches to"),
    ("hour of the pattern", sole_hour_wrong, "S6", "by hour"),
    ("no pattern", lambda r: call(r)["pattern"].update(day=None), "S6", "hours of the gap day"),
    ("no usual day", lambda r: call(r)["pattern"].update(usual_wh=[None] * 24), "S6", "usual day"),
    ("too late", put(call, told_at="2026-08-12T17:43:01-05:00"), "S7", "before hang-up"),
    ("patience", put(call, hangs_up_at="2026-08-12T17:50:00-05:00"), "S7", "patience"),
    ("outcome not noted", drop_note("S7.outcome"), "S7", "as noted"),
    ("bill wrong by more than the tolerance", told_too_much, "S7", "AMB-12"),
    ("another bill compared", lambda r: r["actions"]["rebill-0001"].update(told_usd="1.00"), "S7", "the one told"),
    ("re-bill not covered", lambda r: r["actions"]["rebill-0001"].update(covered=False), "S7", "instant"),
    ("no re-bill", lambda r: r["actions"].pop("rebill-0001"), "S7", "both bills"),
    ("difference", lambda r: r["actions"]["rebill-0001"].update(difference_usd="0.01"), "S7", "difference"),
    ("call left nothing", lambda r: r["actions"].pop("call-0001"), "call-0001", "ended"),
    ("call refused", lambda r: call(r)["request"].update(end="refused"), "call-0001", "ended"),
    ("store count", lambda r: served(r).update(from_store=63), "call-0001", "from the store"),
    ("meter count", lambda r: served(r).update(from_meter=7), "call-0001", "from the meter"),
    ("after hang-up", put(call, told_at="2026-08-12T17:43:01-05:00"), "call-0001", "before hang-up"),
    (
        "second call answered",
        lambda r: r["actions"]["call-0002"]["request"].update(end="answered"),
        "call-0002",
        "ended",
    ),
    (
        "other code",
        lambda r: r["actions"]["call-0002"]["request"]["trouble"].update(code="SMT-HOUR"),
        "call-0002",
        "code",
    ),
    (
        "no reason given",
        lambda r: r["actions"]["call-0002"]["request"]["trouble"].update(reason=""),
        "call-0002",
        "reason",
    ),
    (
        "no time given",
        lambda r: r["actions"]["call-0002"]["request"]["trouble"].update(retry_at=None),
        "call-0002",
        "again",
    ),
    (
        "time already past",
        lambda r: r["actions"]["call-0002"]["request"]["trouble"].update(retry_at="2026-08-12T18:00:00-05:00"),
        "call-0002",
        "again",
    ),
    (
        "store withheld",
        lambda r: r["actions"]["call-0002"]["request"]["served"].update(from_store=0),
        "call-0002",
        "store",
    ),
    ("store's part not billed", lambda r: r["actions"]["call-0002"].update(with_gap=None), "call-0002", "store holds"),
    ("told as whole", lambda r: r["actions"]["call-0002"].update(told_on="VEE data"), "call-0002", "data are missing"),
    (
        "refusal not told",
        lambda r: r["actions"]["call-0002"].update(sentences=["Fine."]),
        "call-0002",
        "of the refusal",
    ),
    ("ledger served it", second_success("call-0001", "call-0002"), "call-0002", "ledger"),
    (
        "refused, and read all the same",
        lambda r: entry(r, "call-0002")["transitions"][-1].update(meter_reads=1),
        "call-0002",
        "cost",
    ),
    (
        "power off",
        lambda r: r["actions"]["status-0001"]["served"]["power"].update(status="OFF"),
        "status-0001",
        "status",
    ),
    ("status failed", lambda r: r["actions"]["status-0001"].update(end="failed"), "status-0001", "ended"),
    (
        "status failed in the ledger",
        lambda r: entry(r, "status-0001")["transitions"][-1].update(state="failed"),
        "status-0001",
        "ledger",
    ),
    ("second status answered", lambda r: r["actions"]["status-0002"].update(end="answered"), "status-0002", "ended"),
    ("status code of rule", lambda r: r["actions"]["status-0002"]["trouble"].update(code="x"), "status-0002", "code"),
    (
        "status without a time",
        lambda r: r["actions"]["status-0002"]["trouble"].update(retry_at=None),
        "status-0002",
        "again",
    ),
    ("bill was wrong", told_too_much, "rebill-0001", "AMB-12"),
    ("non-VEE stays", stale_non_vee, "rebill-0001", "non-VEE intervals left"),
    ("VEE interval lost", vee_lost, "rebill-0001", "VEE data lack"),
    ("a day was not posted", file_of_a_day_missing, "lse-daily", "LSE files of"),
    ("a record was refused", result_code_07, "lse-daily", "records of"),
    ("SMT never took it in", drop_note("intake"), "lse-daily", "records of"),
    ("codes never came", drop_note("result codes"), "lse-daily", "records of"),
    ("posted twice", lambda r: r["journal"].append(copy.deepcopy(note(r, "posted"))), "lse-daily", "LSE files of"),
    ("request of no call", request_of_no_call, "one-per-call", "of no call"),
    ("two of one call", own_request_twice, "one-per-call", "more than one"),
    ("one id twice", lambda r: entry(r, "call-0002").update(key=entry(r)["key"]), "one-per-call", "twice"),
    ("two reads on a day", second_success("call-0001", "call-0002"), "rule-1b", "more than one"),
    (
        "doors differ",
        lambda r: answers(r)["portal"]["premise"].update(address="1 OTHER LN"),
        "answers-0001",
        "premise at",
    ),
    ("no device told", lambda r: answers(r)["market"].update(devices=[]), "answers-0001", "devices by"),
    ("portal said nothing", lambda r: answers(r)["portal"].pop("usage"), "answers-0001", "usage at"),
    ("own file missing", lambda r: r["world"]["ror_files"].pop(), "ror-files", "files with"),
    (
        "own file of another",
        lambda r: r["world"]["ror_files"][0].update(foreign=["1"]),
        "ror-files",
        "not the retailer's",
    ),
    ("own file unreadable", lambda r: r["world"]["ror_files"][0].update(faults=1), "ror-files", "faults in"),
    ("own file tells otherwise", lambda r: r["world"]["ror_files"][0]["days"][0].update(wh=1), "ror-files", "Wh of"),
    ("two statuses on a day", second_success("status-0001", "status-0002"), "rule-1a", "more than one"),
]


def judged(verdict: Verdict, ident: str) -> StepVerdict | CheckVerdict:
    return next(one for one in verdict.judged if one.id == ident)


def test_every_step_and_check_of_a_real_run_passes(balance_run: JudgedRun) -> None:
    assert {one.id: one.failures for one in balance_run.verdict.judged if one.mark is not Mark.PASSED} == {}
    assert [step.id for step in balance_run.verdict.steps] == ["S1", "S2", "S3", "S4", "S5", "S6", "S7"]
    assert balance_run.verdict.passed


@pytest.mark.parametrize(
    ("mutation", "ident", "words"), [case[1:] for case in BROKEN], ids=[case[0] for case in BROKEN]
)
def test_a_broken_rule_fails_its_step_or_check(
    balance_run: JudgedRun, mutation: Mutation, ident: str, words: str
) -> None:
    verdict = judge(mutated(balance_run.recording, mutation))
    found = judged(verdict, ident)
    assert found.mark is Mark.FAILED
    assert any(words in failure.what for failure in found.failures), found.failures
    assert not verdict.passed
    assert {verdict.requirements[requirement] for requirement in found.requirements} <= {"failed"}


def test_every_step_and_check_has_a_recording_that_fails_it(balance_run: JudgedRun) -> None:
    assert {one.id for one in balance_run.verdict.judged} == {case[2] for case in BROKEN}


def test_a_failure_says_what_was_expected_and_what_was_found(balance_run: JudgedRun) -> None:
    verdict = judge(mutated(balance_run.recording, put(served, from_store=63)))
    (failure,) = judged(verdict, "call-0001").failures
    assert (failure.expected, failure.found) == ("64", "63")


def test_power_that_is_off_by_an_event_is_told_without_a_voltage(balance_run: JudgedRun) -> None:
    def off(recording: Any) -> None:
        power = recording["actions"]["status-0001"]["served"]["power"]
        power.update(status="OFF", source="event", switch_state="UNKNOWN", voltage=None)

    check = judged(judge(mutated(balance_run.recording, off)), "status-0001")
    assert check.happened == "Power is OFF: switch unknown, no voltage told, by event."


def test_evidence_names_file_correlation_id_counts_and_seconds(balance_run: JudgedRun) -> None:
    steps = {step.id: step.evidence for step in balance_run.verdict.steps}
    assert steps["S2"]["last_lse_file"].endswith("IntervalData20260812073000001.lse")
    assert steps["S4"]["correlation_id"] == balance_run.recording.ledger[0].key
    assert (steps["S5"]["from_store"], steps["S5"]["from_meter"]) == (64, 6)
    assert steps["S7"]["seconds_to_answer"] == 75


def test_a_scripted_repeat_call_is_named_and_not_counted(balance_run: JudgedRun) -> None:
    last = balance_run.verdict.steps[-1]
    assert last.evidence["repeat_calls_in_24_h_by_script"] == ["call-0002"]
    assert "not counted" in last.happened
    assert last.mark is Mark.PASSED


def test_coverage_names_every_requirement_and_leaves_out_what_was_not_exercised(balance_run: JudgedRun) -> None:
    found = balance_run.verdict.requirements
    assert list(found) == list(REQUIREMENTS)
    assert {one for one, state in found.items() if state != "passed"} == set()
    assert {requirement.id for requirement in REQUIREMENTS.values() if requirement.untested} == {"AC2"}


def test_a_call_that_needs_no_more_ends_well_at_s2(last_bill_run: JudgedRun) -> None:
    verdict = last_bill_run.verdict
    marks = {step.id: step.mark for step in verdict.steps}
    assert {one for one, mark in marks.items() if mark is Mark.NOT_NEEDED} == {"S3", "S4", "S5"}
    assert {marks[one] for one in ("S1", "S2", "S6", "S7")} == {Mark.PASSED}
    assert verdict.passed
    assert {verdict.requirements[one] for one in ("S3", "S4", "S5", "UC-N2", "FR-CR016.1b")} == {"not exercised"}


def decide_for_more(r: Written) -> None:
    call(r)["decision"]["needs_more"] = True
    note(r, "S2.decided")["needs_more"] = True


@pytest.mark.parametrize(
    ("mutation", "ident"),
    [
        (decide_for_more, "S2"),
        (decide_for_more, "call-0001"),
        (put(call, sentences=[]), "S6"),
        (put(call, told_at="2026-08-12T17:43:01-05:00"), "S7"),
        (lambda r: call(r)["request"].update(end="answered"), "call-0001"),
        (put(call, trouble={"code": "x", "reason": "y", "retry_at": None}), "S2"),
    ],
)
def test_the_ending_at_s2_can_fail(last_bill_run: JudgedRun, mutation: Mutation, ident: str) -> None:
    assert judged(judge(mutated(last_bill_run.recording, mutation)), ident).mark is Mark.FAILED


def test_steps_after_an_expected_refusal_are_not_reached_and_do_not_fail(balance_run: JudgedRun) -> None:
    def second_call_first(r: Written) -> None:
        r["scenario"]["timeline"] = r["scenario"]["timeline"][1:4]

    verdict = judge(mutated(balance_run.recording, second_call_first))
    assert [step.mark for step in verdict.steps[3:]] == [Mark.NOT_REACHED] * 4
    assert verdict.requirements["S4"] == "not exercised"


def test_before_the_first_posting_is_due_nothing_is_said_of_it(last_bill_run: JudgedRun) -> None:
    def call_at_dawn(r: Written) -> None:
        r["scenario"]["timeline"][0]["at"] = "2026-08-12T06:00:00"

    assert "lse-daily" not in {check.id for check in judge(mutated(last_bill_run.recording, call_at_dawn)).checks}


def test_the_rule_is_not_counted_under_another_policy(balance_run: JudgedRun) -> None:
    verdict = judge(mutated(balance_run.recording, lambda r: r["policy"].update(name="smt-today")))
    assert not {"rule-1a", "rule-1b"} & {check.id for check in verdict.checks}


def test_a_recording_that_lacks_what_every_run_writes_is_refused(balance_run: JudgedRun) -> None:
    with pytest.raises(ScenarioError, match=r"world\.service_point: The field service_point is missing"):
        judge(mutated(balance_run.recording, lambda r: r["world"].pop("service_point")))


def test_a_recording_with_an_unsound_scenario_is_refused_by_field(balance_run: JudgedRun) -> None:
    with pytest.raises(ScenarioError, match="seed"):
        judge(mutated(balance_run.recording, lambda r: r["scenario"].update(seed=-1)))
