"""S4 and S5: SMT provides the non-VEE intervals of the gap by an inquiry to the TDSP, and each party's record tells the same."""

from __future__ import annotations

from decimal import Decimal

from headend.wire import InquiryKind
from meters.calendar import Seconds, ends_within, floor_interval, iso, seconds
from scenarios.actions.market.balance_call import BalanceCall
from scenarios.evidence import iso_of, seconds_between
from scenarios.file.refusals import policy_of
from scenarios.judging.facts import Facts
from scenarios.judging.findings import SHOWN, Rule, StepVerdict, step
from scenarios.records.journal import AnsweredNote, SweepNote
from simulator.ror.call.on_demand import RequestEnd
from simulator.ror.usage import Quality
from simulator.smt.ondemand.lifecycle import State
from simulator.smt.throttle.limits import Source

#: UC-N3, AMB-4: elapsed time.
GAP_LIMIT_S = 48 * 3600
#: Life of a request that is served.
LIFE = ["requested", "accepted", "queued", "sent", "pending", "answered", "completed"]
#: Of one that SMT answers itself.
BY_SMT = ["requested", "answered", "completed"]


def s4(facts: Facts, action: BalanceCall) -> StepVerdict:
    """SMT checks, inquires and hands on; its ledger shows every state, and the gap is the use case's."""
    rule = Rule()
    point = facts.premise.service_point
    request = facts.call and facts.call.request
    served = request and request.served
    entry = next(iter(facts.requests(action.ref, InquiryKind.INTERVALS)), None)
    transitions = [] if entry is None else entry.life
    states, instants = (
        [transition.state for transition in transitions],
        [transition.at_us for transition in transitions],
    )
    by_smt = _by_smt(facts, "" if entry is None else entry.key)
    rule.equal("life of the request", BY_SMT if by_smt else LIFE, states)
    rule.equal("instants ascend", sorted(instants), instants)
    for named, holds in (("A1", point.ams), ("A2", point.provisioned), ("A3", point.receiving), ("A4", point.lse)):
        rule.equal(f"{named} holds for the service point", True, holds)
    rule.equal("the requester is the ROR of record", point.ror_of_record, entry and entry.duns)
    gap = entry and entry.gap
    start, end = (gap and gap.start), (gap and gap.end)
    length = 0 if gap is None else gap.end - gap.start
    at = facts.at(action)
    last, begins, right = facts.last_lse(at), facts.gap_from(at), floor_interval(at)
    left = None if begins is None else max(begins, right - GAP_LIMIT_S)
    rule.equal("the gap begins where the last VEE intervals posted end", iso_of(left), iso_of(start))
    rule.equal("the gap ends at the last whole quarter hour", iso(right), iso_of(end))
    rule.holds("the gap is at most 48 hours", 0 < length <= GAP_LIMIT_S, "up to 48 h", f"{length / 3600:g} h")
    rule.equal("the gap that the retailer was told", gap, served and served.gap)
    uncovered = [(begins, left)] if begins is not None and left is not None and left > begins else []
    named_so = [] if served is None else [(span.start, span.end) for span in served.uncovered]
    rule.equal("what lies beyond the 48 hours is named", uncovered, named_so)
    rule.equal("answer that the retailer got", RequestEnd.ANSWERED, request and request.end)
    rule.equal("its status code", "0", served and served.status_code)
    since = {state.value: seconds_between(instants[0], us) for state, us in zip(states, instants, strict=True)}
    evidence = {
        "correlation_id": entry and entry.key,
        "last_lse_file": last and last.file,
        "gap_start": iso_of(start),
        "gap_end": iso_of(end),
        "gap_hours": str(Decimal(length) / 3600),
        "seconds_to_state": since,
        "requester": f"{point.ror_name}, DUNS {entry and entry.duns}",
    }
    happened = (
        "SMT finds an AMS meter, provisioned, received in LSE format, and the ROR of record; "
        f"it inquires at the TDSP and hands the answer on {since.get(State.COMPLETED.value, '-')} s after the request."
    )
    return step("S4", happened, evidence, rule, *SHOWN["S4"])


def s5(facts: Facts, action: BalanceCall) -> StepVerdict:
    """The TDSP's own journal, SMT's ledger, the answer on the wire and the retailer's record must all tell the same intervals."""
    rule = Rule()
    entry = next(iter(facts.requests(action.ref, InquiryKind.INTERVALS)), None)
    note = facts.note(AnsweredNote, "" if entry is None else entry.key)
    served = facts.call and facts.call.request.served
    start, gap = (
        (seconds(0), [])
        if not (entry and entry.gap)
        else (entry.gap.start, ends_within(entry.gap.start, facts.reach or entry.gap.end))
    )
    transitions = [] if entry is None else entry.life
    done = next((transition for transition in transitions if transition.state is State.COMPLETED), None)
    by_smt = _by_smt(facts, "" if entry is None else entry.key)
    reads: int | None
    if by_smt and done and served:
        store, meter, missing, reads = done.from_store, done.from_meter, len(served.missing), done.meter_reads
    else:
        store, meter, missing = (0, 0, 0) if note is None else (note.store, note.meter, note.missing)
        reads = note and note.meter_reads
    # What lacks the end of the gap is refused by the TDSP, if no meter may be read, and is SMT's answer all the same.
    by_store = (
        facts.recording.policy.source is Source.STORE_ONLY and entry and entry.gap and facts.reach != entry.gap.end
    )
    noted = None if by_smt else "refused" if by_store else "completed"
    rule.equal("the TDSP notes the answer once", noted, note and note.outcome)
    rule.equal("store + meter + missing make the gap", len(gap), store + meter + missing)
    rule.equal("from the store, by SMT's ledger", store, done and done.from_store)
    rule.equal("from the meter, by SMT's ledger", meter, done and done.from_meter)
    rule.equal("meter reads, by SMT's ledger", reads, done and done.meter_reads)
    rule.holds("intervals from the meter need a read", meter == 0 or bool(reads), "a read", "none")
    lacking = set() if served is None else set(served.missing)
    handed = facts.served
    rule.equal("intervals reported missing", missing, len(lacking))
    rule.equal(
        "intervals handed on", [end for end in gap if end not in lacking], sorted(interval.end for interval in handed)
    )
    flags = [interval.source for interval in handed]
    rule.equal("flagged 'store'", store, flags.count("store"))
    rule.equal("flagged 'meter'", meter, flags.count("meter"))
    early = [iso(interval.end) for interval in handed if interval.collected_at < interval.end]
    rule.none("intervals collected before they ended", early, len(handed))
    swept = _sweeps(facts, start, facts.at(action))
    shows: tuple[str, ...] = SHOWN["S5"]
    if swept and facts.recording.policy.source is not Source.METER_ONLY:
        shows += SHOWN["swept"]
        rule.holds("the store holds what sweeps collected (PRE2)", store > 0, "at least one interval", store)
    kept = [
        (interval.end, interval.source.name.lower())
        for interval in facts.at_call
        if interval.quality is Quality.NON_VEE
    ]
    first, last = facts.cycle
    as_handed = sorted((interval.end, interval.source) for interval in handed if first < interval.end <= last)
    rule.equal("the retailer keeps them as non-VEE with their source", as_handed, kept)
    collected = [interval.collected_at for interval in handed]
    evidence = {
        "correlation_id": entry and entry.key,
        "intervals": len(handed),
        "from_store": store,
        "from_meter": meter,
        "missing": missing,
        "meter_reads": reads,
        "sweeps_since_gap_start": swept,
        "collected_from": iso_of(min(collected, default=None)),
        "collected_to": iso_of(max(collected, default=None)),
        "running_interval": served and served.partial,
    }
    asked = f"The head-end takes {store} intervals from its store and reads {meter} from the meter"
    happened = (
        f"{f'SMT has {store} intervals that sweeps sent it' if by_smt else asked}; "
        f"{len(handed)} non-VEE intervals go back, each with its source and when it was collected."
    )
    return step("S5", happened, evidence, rule, *shows)


def _by_smt(facts: Facts, key: str) -> bool:
    """Whether SMT answered out of what sweeps sent it, as the policy lets it, and the TDSP was not asked."""
    return policy_of(facts.scenario).push_to_smt and facts.note(AnsweredNote, key) is None


def _sweeps(facts: Facts, start: Seconds, before: Seconds) -> int:
    """Sweeps within the gap that this meter answered."""
    return sum(start < note.at <= before and facts.esiid not in note.silent for note in facts.notes(SweepNote))
