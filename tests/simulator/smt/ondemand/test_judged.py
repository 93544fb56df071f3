"""Numbers as SMT writes them, and answers held against what was asked."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headend.wire import InquiryKind, InquiryResult, Outcome
from meters.calendar import INTERVAL_S, Seconds, epoch, instants, iso, local, micros, seconds, to_us
from simulator.smt.doors.market.status import scientific, status_of
from simulator.smt.ondemand.judged import Case, digest, judged, trimmed
from simulator.smt.ondemand.ledger import Entry, Transition
from simulator.smt.ondemand.lifecycle import Answered, Filed, State
from simulator.smt.throttle.decision import Door


@pytest.mark.parametrize(
    ("wh", "text"),
    [(0, "0E+0"), (23_459_133, "2.3459133E+4"), (1_000, "1E+0"), (5, "5E-3"), (10_000_000, "1E+4"), (999, "9.99E-1")],
)
def test_a_register_is_written_as_smt_writes_it(wh: int, text: str) -> None:
    assert scientific(wh) == text


@given(st.integers(0, 10**12))
def test_what_is_written_is_a_json_number_of_the_same_energy(wh: int) -> None:
    assert round(json.loads(scientific(wh)) * 1000) == wh


def test_intervals_outside_the_gap_are_not_handed_on() -> None:
    start, end = epoch("2026-08-12T00:00"), epoch("2026-08-12T00:30")
    asked = Filed("k", InquiryKind.INTERVALS, "e", Door.API, "u", "d", "c", "t", "", start, end, None, (), micros(0))
    told = [
        {"end": iso(at), "wh": 1, "source": "store", "collectedAt": iso(end)}
        for at in instants(start, end + 901, INTERVAL_S)
    ]
    result = InquiryResult.model_validate({"correlationId": "k", "outcome": "completed", "intervals": told})
    assert [seconds(one.end.timestamp()) for one in trimmed(asked, result).intervals] == [start + 900, end]


def test_both_hours_from_1_to_2_are_handed_on_in_their_order() -> None:
    start, end = epoch("2026-11-01T00:00"), epoch("2026-11-01T03:00")
    asked = Filed("k", InquiryKind.INTERVALS, "e", Door.API, "u", "d", "c", "t", "", start, end, None, (), micros(0))
    ends = list(instants(start + INTERVAL_S, end + 1, INTERVAL_S))
    told = [{"end": local(at), "wh": 1, "source": "store", "collectedAt": local(end)} for at in reversed(ends)]
    result = InquiryResult.model_validate({"correlationId": "k", "outcome": "completed", "intervals": told})
    assert len(ends) == 16
    assert [seconds(one.end.timestamp()) for one in trimmed(asked, result).intervals] == ends


ASKED = epoch("2026-08-12T17:40")
GAP = (epoch("2026-08-12T00:00"), epoch("2026-08-12T01:00"))
ENDS = [epoch(f"2026-08-12T{clock}") for clock in ("00:15", "00:30", "00:45", "01:00")]


def filed(kind: InquiryKind) -> Filed:
    start, end = GAP if kind is InquiryKind.INTERVALS else (seconds(0), seconds(0))
    return Filed("k", kind, "e", Door.API, "u", "d", "c", "t", "", start, end, None, (), to_us(ASKED))


def looked_at(kind: InquiryKind, allowed: bool = True, **told: Any) -> Answered:
    result = InquiryResult.model_validate({"correlationId": "k", "outcome": "completed", "meterReads": 1, **told})
    return judged(Case(filed(kind), allowed=allowed, result=result, now=ASKED + 60, most_wh=12_000))


def held(kind: InquiryKind, **told: Any) -> tuple[Outcome, str, InquiryResult]:
    answered = looked_at(kind, **told)
    return answered.outcome, answered.reason, answered.content


def interval(end: Seconds, wh: int = 100) -> dict[str, Any]:
    return {"end": iso(end), "wh": wh, "source": "meter", "collectedAt": iso(ASKED)}


@pytest.mark.parametrize(
    ("at", "outcome"),
    [
        ("2026-08-12T17:40:20", Outcome.COMPLETED),
        ("2026-08-12T17:37:00", Outcome.COMPLETED),
        ("2026-08-12T17:36:59", Outcome.FAILED),
        ("2026-08-11T17:40:20", Outcome.FAILED),
        ("2026-08-12T18:41:00", Outcome.COMPLETED),
        ("2026-08-12T18:41:01", Outcome.FAILED),
    ],
)
def test_only_a_register_read_taken_after_the_request_is_a_success(at: str, outcome: Outcome) -> None:
    became, reason, handed_on = held(InquiryKind.REGISTER, register={"wh": 5, "at": iso(epoch(at))})
    assert became is outcome
    # What is judged to be no read is not given as one.
    assert (handed_on.register_read is None) is (outcome is Outcome.FAILED)
    assert (iso(epoch(at)) in reason) is (outcome is Outcome.FAILED)


@pytest.mark.parametrize(
    ("status", "source", "outcome"),
    [
        ("ON", "reply", Outcome.COMPLETED),
        ("OFF", "event", Outcome.COMPLETED),
        ("OFF", "none", Outcome.FAILED),
        ("OFF", "reply", Outcome.FAILED),
        ("ON", "none", Outcome.FAILED),
        ("UNKNOWN", "none", Outcome.FAILED),
    ],
)
def test_only_a_power_status_that_something_backs_is_a_success(status: str, source: str, outcome: Outcome) -> None:
    told = {"status": status, "source": source, "switchState": "UNKNOWN"}
    became, _, handed_on = held(InquiryKind.POWER, power=told)
    assert became is outcome
    assert (handed_on.power is None) is (outcome is Outcome.FAILED and status != "UNKNOWN")


@pytest.mark.parametrize(
    ("within", "told", "outcome"),
    [
        (0, 3, Outcome.FAILED),
        (899, 3, Outcome.FAILED),
        (900, 3, Outcome.COMPLETED),
        (900, 2, Outcome.FAILED),
        (3600, 0, Outcome.COMPLETED),
    ],
)
def test_an_answer_may_fall_short_of_the_gaps_end_by_what_the_policy_lets_it(
    within: int, told: int, outcome: Outcome
) -> None:
    intervals = [interval(end) | {"source": "store"} for end in ENDS[:told]]
    told_so = {"correlationId": "k", "outcome": "completed", "meterReads": 0, "intervals": intervals}
    case = Case(
        filed(InquiryKind.INTERVALS), True, InquiryResult.model_validate(told_so), ASKED + 60, 12_000, seconds(within)
    )
    assert judged(case).outcome is outcome


@pytest.mark.parametrize(
    ("by", "outcome"),
    [({}, Outcome.COMPLETED), ({"reachesTo": iso(ENDS[3])}, Outcome.FAILED), ({"meterReads": 1}, Outcome.FAILED)],
)
def test_an_answer_that_falls_short_reaches_no_further_than_it_tells_and_was_not_read(
    by: dict[str, Any], outcome: Outcome
) -> None:
    told = [interval(end) | {"source": "store"} for end in ENDS[:3]]
    said = {"correlationId": "k", "outcome": "completed", "meterReads": 0, "intervals": told} | by
    case = Case(
        filed(InquiryKind.INTERVALS), True, InquiryResult.model_validate(said), ASKED + 60, 12_000, seconds(900)
    )
    assert judged(case).outcome is outcome


def test_intervals_told_twice_or_off_the_quarter_hour_are_handed_on_to_nobody() -> None:
    whole = [interval(end) for end in ENDS]
    assert held(InquiryKind.INTERVALS, intervals=whole)[0] is Outcome.COMPLETED
    for also in ({"intervals": [*whole, interval(ENDS[1], 9)]}, {"intervals": whole, "missing": [iso(ENDS[1])]}):
        outcome, reason, handed_on = held(InquiryKind.INTERVALS, **also)
        assert outcome is Outcome.FAILED
        assert iso(ENDS[1]) in reason
        assert [seconds(one.end.timestamp()) for one in handed_on.intervals] == [ENDS[0], *ENDS[2:]]
        assert handed_on.missing == []
    outcome, _, handed_on = held(InquiryKind.INTERVALS, intervals=[*reversed(whole), interval(ENDS[0] + 137)])
    assert outcome is Outcome.COMPLETED
    assert [seconds(one.end.timestamp()) for one in handed_on.intervals] == ENDS


#: By what is told of the gap's second interval, or of the answer: the rules it breaks, and how many intervals are handed on.
EDGES: list[tuple[dict[str, Any], dict[str, Any], str, int]] = [
    ({}, {}, "", 4),
    ({"collectedAt": ENDS[1]}, {}, "", 4),
    ({"collectedAt": ENDS[1] - 1}, {}, "COLLECTED-EARLY", 3),
    ({"wh": 12_000}, {}, "", 4),
    ({"wh": 12_001}, {}, "ENERGY-SIZE", 4),
    ({"wh": 0}, {}, "", 4),
    ({"wh": -1}, {}, "ENERGY-SIGN", 4),
    ({"end": ENDS[1] - 137}, {}, "OFF-QUARTER", 3),
    ({"end": ENDS[3] + 900}, {}, "HOLE SURPLUS", 3),
    ({"end": ENDS[3] + 900}, {"reachesTo": ENDS[0]}, "HOLE SURPLUS", 3),
    ({"end": ENDS[3] + 900}, {"reachesTo": ENDS[0] + 1}, "HOLE REACHES-PAST-HOLE SURPLUS", 3),
    ({"end": ENDS[3] + 900}, {"missing": [ENDS[1]], "reachesTo": ENDS[3]}, "SURPLUS", 3),
    ({}, {"meterReads": 0}, "SOURCE-NOT-READ", 3),
    ({}, {"allowed": False}, "METER-NOT-ALLOWED METER-NOT-ALLOWED", 3),
    ({"source": "store"}, {"allowed": False}, "METER-NOT-ALLOWED", 4),
    ({"source": "store"}, {"allowed": False, "meterReads": 0}, "", 4),
]


@pytest.mark.parametrize(("second", "answer", "rules", "handed_on"), EDGES)
def test_a_rule_holds_to_its_edge_and_what_a_fatal_one_touches_is_handed_on_to_nobody(
    second: dict[str, Any], answer: dict[str, Any], rules: str, handed_on: int
) -> None:
    told: list[dict[str, Any]] = [
        {"end": end, "wh": 100, "source": "store", "collectedAt": ASKED} for end in (ENDS[0], *ENDS[2:])
    ]
    told.append({"end": ENDS[1], "wh": 100, "source": "meter", "collectedAt": ASKED} | second)
    written = [one | {"end": iso(one["end"]), "collectedAt": iso(one["collectedAt"])} for one in told]
    more: dict[str, Any] = {name: iso(value) if name == "reachesTo" else value for name, value in answer.items()}
    more |= {"missing": [iso(end) for end in answer.get("missing", ())]}
    answered = looked_at(InquiryKind.INTERVALS, intervals=written, **more)
    assert [one.rule for one in answered.found] == rules.split()
    fatal = next((rule for rule in rules.split() if rule not in ("SURPLUS", "ENERGY-SIZE", "ENERGY-SIGN")), "")
    assert (answered.code, answered.outcome) == (fatal, Outcome.FAILED if fatal else Outcome.COMPLETED)
    assert len(answered.content.intervals) == handed_on


def test_an_answer_is_the_same_whatever_its_offsets_and_another_by_one_watt_hour() -> None:
    def came(end: str, wh: int) -> str:
        one = {"end": end, "wh": wh, "source": "meter", "collectedAt": iso(ASKED)}
        return digest(InquiryResult.model_validate({"correlationId": "k", "outcome": "failed", "intervals": [one]}))

    here = came("2026-08-12T00:15:00-05:00", 100)
    assert came("2026-08-12T05:15:00Z", 100) == here
    assert came("2026-08-12T00:15:00-05:00", 101) != here


@pytest.mark.parametrize(("ahead", "outcome"), [(300, Outcome.COMPLETED), (301, Outcome.FAILED)])
def test_nothing_is_collected_over_300_s_ahead_of_smts_clock(ahead: int, outcome: Outcome) -> None:
    told = [interval(end) for end in ENDS]
    told[-1]["collectedAt"] = iso(ASKED + 60 + ahead)
    found, _, handed_on = held(InquiryKind.INTERVALS, intervals=told)
    assert (found, len(handed_on.intervals)) == (outcome, 4 if outcome is Outcome.COMPLETED else 3)


def test_instants_are_told_in_central_time_whatever_the_head_ends_offset() -> None:
    def utc(at: Seconds) -> str:
        return datetime.fromtimestamp(at, UTC).isoformat()

    whole = [{"end": utc(end), "wh": 1, "source": "meter", "collectedAt": utc(ASKED)} for end in ENDS[1:]]
    told = {"intervals": whole, "missing": [utc(ENDS[0])], "reachesTo": utc(ASKED)}
    told["partial"] = {"from": utc(GAP[1]), "asOf": utc(ASKED), "seconds": ASKED - GAP[1], "wh": 7}
    written = held(InquiryKind.INTERVALS, **told)[2].model_dump_json()
    assert "-05:00" in written
    assert "Z" not in written
    assert "+00:00" not in written


def test_what_lies_beyond_the_gap_begins_at_its_end() -> None:
    whole = [interval(end) for end in ENDS]
    sound = {"from": iso(GAP[1]), "asOf": iso(ASKED), "seconds": ASKED - GAP[1], "wh": 7}
    kept = held(InquiryKind.INTERVALS, intervals=whole, partial=sound, reachesTo=iso(ASKED))[2]
    assert kept.partial is not None
    assert kept.reachesTo is not None
    assert seconds(kept.reachesTo.timestamp()) == GAP[1]
    for changed in ({"from": iso(GAP[0])}, {"asOf": iso(GAP[0])}):
        assert held(InquiryKind.INTERVALS, intervals=whole, partial=sound | changed)[2].partial is None


def test_an_answer_that_came_too_late_is_not_told() -> None:
    entry = Entry(
        filed(InquiryKind.REGISTER), [Transition(State.EXPIRED, to_us(ASKED), "no answer from the TDSP in time")]
    )
    entry.content = held(InquiryKind.REGISTER, register={"wh": 5000, "at": iso(ASKED)})[2]
    assert status_of(entry, "t").odrRead is None
    entry.transitions.append(Transition(State.COMPLETED, to_us(ASKED)))
    assert status_of(entry, "t").odrRead is not None
