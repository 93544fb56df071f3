"""S6 and S7: the bill that the customer is told, made again from what was recorded, and whether the answer satisfies (AMB-12)."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from meters.calendar import INTERVAL_S, Seconds, day_end, day_of_interval, local, seconds
from scenarios.judging.facts import Facts, iso_of, usd_of
from scenarios.judging.findings import Rule, StepVerdict, step
from scenarios.recording.actions import RecordedCall, RecordedRebill
from scenarios.recording.journal import OutcomeNote, ToldNote
from scenarios.timeline import BalanceCall
from simulator.ror.billing.money import cents, kwh
from simulator.ror.usage import Quality


def s6(facts: Facts, action: BalanceCall) -> StepVerdict:
    """The bills told are made again from the usage recorded, Wh by Wh, and from their own lines, $ by $."""
    rule = Rule()
    note, call = facts.note(ToldNote, action.ref), facts.call
    sentences = [] if call is None else call.sentences
    rule.holds("the customer is told something", bool(sentences), "sentences", sentences)
    rule.equal("the sentences as they were noted", sentences, note and note.sentences)
    vee_only, with_gap, stand = (None, None, None) if call is None else (call.vee_only, call.with_gap, call.stand)
    for name, bill, of_vee in (("vee_only", vee_only, True), ("with_gap", with_gap, False)):
        if bill is None:
            continue
        billed = [interval for interval in facts.at_call if interval.end <= bill.to]
        known = sum(interval.wh for interval in billed if not (of_vee and interval.quality is Quality.NON_VEE))
        rule.equal(f"usage billed, {name}, Wh", known, bill.bill.intervals_wh)
        lines = sum((line.usd for line in bill.bill.lines), Decimal(0))
        rule.equal(f"bill total, {name}, $", lines, bill.bill.total_usd)
    hours = _hours(facts, call and call.pattern.day)
    shows: tuple[str, ...] = ()
    if action.expect.outcome == "answered":
        shows = ("UC-N5",)
        served = call and call.request.served
        reaches_to = iso_of(served and served.reaches_to)
        rule.equal("the bill with the gap reaches to", reaches_to, iso_of(with_gap and with_gap.to))
        day_wh, usual_wh = ([], []) if call is None else (call.pattern.day_wh, call.pattern.usual_wh)
        rule.holds("hours of the gap day that are told", bool(hours), "at least one", len(hours))
        told_hours = {hour: wh for hour, wh in enumerate(day_wh) if wh is not None}
        rule.equal("usage by hour of the gap day, Wh", hours, told_hours)
        rule.holds("the usual day is known", any(usual_wh), "usual hours", usual_wh)
    evidence: dict[str, Any] = {"told_on": call and call.told_on.value}
    happened = "The retailer tells the customer what its own record says."
    if stand is not None:
        evidence |= {
            "usage_to_date_wh": stand.bill.usage_wh,
            "bill_to_date_usd": str(stand.bill.total_usd),
            "bill_vee_only_usd": usd_of(vee_only and vee_only.bill.total_usd),
            "projected_wh": stand.projection.total_wh,
            "projected": f"${stand.projected_usd.low} to ${stand.projected_usd.high}",
            "hours_told": len(hours),
        }
        happened = (
            f"The retailer works the bill out again: {kwh(stand.bill.usage_wh)} kWh and ${stand.bill.total_usd} to date, "
            f"${stand.projected_usd.low} to ${stand.projected_usd.high} projected, and tells the customer how the day compares with a usual one."
        )
    return step("S6", happened, evidence, rule, *shows)


def _hours(facts: Facts, day: date | None) -> dict[int, int]:
    """Wh by local hour of a day, of the hours that are known as a whole."""
    parts: dict[int, list[int]] = {}
    for interval in facts.at_call:
        if day_of_interval(interval.end) == day:
            parts.setdefault(local(interval.end - INTERVAL_S).hour, []).append(interval.wh)
    return {hour: sum(each) for hour, each in sorted(parts.items()) if len(each) == 4}


def s7(facts: Facts, action: BalanceCall) -> StepVerdict:
    """AMB-12: answered before hang-up, and the bill told within 2 % or $1 of the re-bill.

    Its third part, no repeat call in 24 hours, cannot be judged here: whether a customer calls again is written in the timeline, to
    test the rule, and no one's reaction is modelled. Such calls are named in the evidence, are not counted against the step, and are
    checks of their own.
    """
    rule = Rule()
    note, call = facts.note(OutcomeNote, action.ref), facts.call
    asked, waited, held = (0, 0, 0) if call is None else (call.asked_at, call.waited, call.hangs_up_at - call.asked_at)
    patience = action.patience_s
    rule.equal("the customer hung up when their patience ended", f"{patience} s", f"{held} s")
    rule.holds("answered before hang-up", 0 <= waited <= patience, f"within {patience} s", f"{waited} s")
    rule.equal("seconds to the answer, as noted", waited, note and note.seconds_to_answer)
    repeats = [
        other.ref
        for other in facts.scenario.timeline
        if isinstance(other, BalanceCall) and other.ref != action.ref and 0 <= facts.at(other) - asked <= 24 * 3600
    ]
    evidence: dict[str, Any] = {
        "seconds_to_answer": waited,
        "patience_s": patience,
        "repeat_calls_in_24_h_by_script": repeats,
    }
    happened = f"The customer has the answer after {waited} s of {patience} s patience"
    shows: tuple[str, ...] = ()
    if facts.rebill is not None:
        shows = ("POST1",)
        rebilled = facts.rebilled
        hold_rebill(rule, facts, rebilled, call)
        difference = usd_of(rebilled and rebilled.difference_usd)
        evidence |= {"rebilled_usd": usd_of(rebilled and rebilled.vee_usd), "difference_usd": difference}
        happened += f"; the re-bill on VEE data differs by ${difference}"
    happened += "."
    if repeats:
        happened += f" A repeat call is part of the timeline ({', '.join(repeats)}) and a check of its own; it is not counted here."
    return step("S7", happened, evidence, rule, *shows)


def hold_rebill(rule: Rule, facts: Facts, rebilled: RecordedRebill | None, call: RecordedCall | None) -> None:
    """AMB-12: VEE data cover the instant of the bill told, and the two bills lie within the scenario's tolerance."""
    stand = call and call.stand
    told, vee = (None, None) if rebilled is None else (rebilled.told_usd, rebilled.vee_usd)
    rule.equal("the bill that is compared is the one told, $", stand and stand.bill.total_usd, told)
    rule.equal("VEE data reach to the instant of the bill told", True, rebilled and rebilled.covered)
    if told is None or vee is None:
        rule.holds("both bills are known", False, "two bills", f"told {told}, re-billed {vee}")
        return
    rule.equal("difference of the two bills, $", told - vee, rebilled and rebilled.difference_usd)
    limit = facts.tolerance(vee)
    rule.holds(
        "the bill told is right (AMB-12)", abs(told - vee) <= limit, f"within ${cents(limit)} of ${vee}", f"${told}"
    )


def day_covered(facts: Facts, rebilled: RecordedRebill | None) -> Seconds:
    """End of the last operating day posted before a re-bill."""
    last = facts.last_lse((rebilled and rebilled.rebilled_at) or seconds(0))
    return seconds(0) if last is None else day_end(last.operating_day)
