"""S4 and S5: SMT provides the non-VEE intervals of the gap by an inquiry to the TDSP, and each party's record tells the same."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from meters.calendar import floor_interval, iso
from scenarios.facts import FROM_METER, FROM_STORE, NON_VEE, Facts, seconds_between, span, spread, ts
from scenarios.findings import Rule, StepVerdict, step
from scenarios.timeline import BalanceCall

#: UC-N3, AMB-4: elapsed time.
GAP_LIMIT_S = 48 * 3600
#: Life of a request that is served.
LIFE = ["requested", "accepted", "queued", "sent", "pending", "answered", "completed"]


def s4(facts: Facts, call: BalanceCall, told: dict[str, Any]) -> StepVerdict:
    """SMT checks, inquires and hands on; its ledger shows every state, and the gap is the use case's."""
    rule = Rule()
    world = facts.recording.world
    request, entry = told.get("request") or {}, next(iter(facts.requests(call.ref, "INTERVALS")), {})
    states = [one["state"] for one in entry.get("transitions", [])]
    instants = [one["at_us"] for one in entry.get("transitions", [])]
    rule.equal("life of the request", LIFE, states)
    rule.equal("instants ascend", sorted(instants), instants)
    point = world["service_point"]
    for named, key in (("A1", "ams"), ("A2", "provisioned"), ("A3", "receiving"), ("A4", "lse")):
        rule.equal(f"{named} holds for the service point", True, point[key])
    rule.equal("the requester is the ROR of record", point["ror_of_record"], entry.get("duns"))
    start, end = span(entry.get("gap"))
    at = facts.at(call)
    vee_end = facts.vee_end(at)
    right = floor_interval(at)
    left = None if vee_end is None else max(vee_end, right - GAP_LIMIT_S)
    rule.equal(
        "the gap begins where the last VEE intervals posted end", None if left is None else iso(left), _iso(start)
    )
    rule.equal("the gap ends at the last whole quarter hour", iso(right), _iso(end))
    rule.holds(
        "the gap is at most 48 hours", 0 < end - start <= GAP_LIMIT_S, "up to 48 h", f"{(end - start) / 3600:g} h"
    )
    served = request.get("served") or {}
    rule.equal("the gap that the retailer was told", entry.get("gap"), served.get("gap"))
    uncovered = [(vee_end, left)] if vee_end is not None and left is not None and left > vee_end else []
    rule.equal("what lies beyond the 48 hours is named", uncovered, [span(one) for one in served.get("uncovered", [])])
    rule.equal("answer that the retailer got", "answered", request.get("end"))
    rule.equal("its status code", "0", served.get("status_code"))
    last = facts.last_lse(at)
    since = {state: seconds_between(instants[0], us) for state, us in zip(states, instants, strict=True)}
    evidence = {
        "correlation_id": entry.get("key"),
        "last_lse_file": None if last is None else last.file,
        "gap_start": _iso(start),
        "gap_end": _iso(end),
        "gap_hours": str(Decimal(end - start) / 3600),
        "seconds_to_state": since,
        "requester": f"{point['ror_name']}, DUNS {entry.get('duns')}",
    }
    happened = (
        "SMT finds an AMS meter, provisioned, received in LSE format, and the ROR of record; "
        f"it inquires at the TDSP and hands the answer on {since.get('completed', '-')} s after the request."
    )
    return step("S4", happened, evidence, rule, "UC-N3", "UC-N4", "A1", "A2", "A3", "A4", "AC1", "AC4")


def _iso(instant: int) -> str | None:
    return iso(instant) if instant else None


def s5(facts: Facts, call: BalanceCall, told: dict[str, Any]) -> StepVerdict:
    """The TDSP's own journal, SMT's ledger, the answer on the wire and the retailer's record must all tell the same intervals."""
    rule = Rule()
    entry = next(iter(facts.requests(call.ref, "INTERVALS")), {})
    note = facts.note("TDSP", "inquiry answered", entry.get("key", ""))
    served = (told.get("request") or {}).get("served") or {}
    start, end = span(entry.get("gap"))
    gap = spread(start, end)
    store, meter, missing = (note.get(key, 0) for key in ("store", "meter", "missing"))
    rule.equal("the TDSP notes the answer once", "completed", note.get("outcome"))
    rule.equal("store + meter + missing make the gap", len(gap), store + meter + missing)
    done: dict[str, Any] = next((one for one in entry.get("transitions", []) if one["state"] == "completed"), {})
    rule.equal("from the store, by SMT's ledger", store, done.get("from_store"))
    rule.equal("from the meter, by SMT's ledger", meter, done.get("from_meter"))
    rule.equal("meter reads, by SMT's ledger", note.get("meter_reads"), done.get("meter_reads"))
    rule.holds("intervals from the meter need a read", meter == 0 or note.get("meter_reads", 0) > 0, "a read", "none")
    lacking = {ts(one) for one in served.get("missing", [])}
    handed = facts.served()
    rule.equal("intervals reported missing", missing, len(lacking))
    rule.equal("intervals handed on", [one for one in gap if one not in lacking], sorted(one[0] for one in handed))
    flags = [source for _, _, source, _ in handed]
    rule.equal("flagged 'store'", store, flags.count("store"))
    rule.equal("flagged 'meter'", meter, flags.count("meter"))
    early = [iso(interval) for interval, _, _, collected in handed if collected < interval]
    rule.equal("intervals collected before they ended", [], early)
    swept = _sweeps(facts, start, facts.at(call))
    shows: tuple[str, ...] = ("UC-N2",)
    if swept and facts.recording.policy["source"] != "meter_only":
        shows = ("UC-N2", "PRE2")
        rule.holds("the store holds what sweeps collected (PRE2)", store > 0, "at least one interval", store)
    kept = [(one[0], one[3]) for one in facts.usage("at_call") if one[2] == NON_VEE]
    code = {"store": FROM_STORE, "meter": FROM_METER}
    rule.equal(
        "the retailer keeps them as non-VEE with their source", sorted((one[0], code[one[2]]) for one in handed), kept
    )
    evidence = {
        "correlation_id": entry.get("key"),
        "intervals": len(handed),
        "from_store": store,
        "from_meter": meter,
        "missing": missing,
        "meter_reads": note.get("meter_reads"),
        "sweeps_since_gap_start": swept,
        "collected_from": iso(min(one[3] for one in handed)) if handed else None,
        "collected_to": iso(max(one[3] for one in handed)) if handed else None,
        "running_interval": served.get("partial"),
    }
    happened = (
        f"The head-end takes {store} intervals from its store and reads {meter} from the meter; "
        f"{len(handed)} non-VEE intervals go back, each with its source and when it was collected."
    )
    return step("S5", happened, evidence, rule, *shows)


def _sweeps(facts: Facts, start: int, before: int) -> int:
    """Sweeps within the gap that this meter answered."""
    return sum(start < one["at"] <= before and facts.esiid not in one["silent"] for one in facts.notes("TDSP", "sweep"))
