"""S6 and S7: the bill that the customer is told, made again from what was recorded, and whether the answer satisfies (AMB-12)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from meters.calendar import INTERVAL_S, day_end, day_of_interval, local
from scenarios.facts import NON_VEE, Facts, told_stand, ts, usd
from scenarios.findings import Rule, StepVerdict, step
from scenarios.timeline import BalanceCall
from simulator.ror.bill import cents, kwh


def s6(facts: Facts, call: BalanceCall, told: dict[str, Any]) -> StepVerdict:
    """The bills told are made again from the usage recorded, Wh by Wh, and from their own lines, $ by $."""
    rule = Rule()
    note = facts.note("ROR", "S6.told", call.ref)
    usage = facts.usage("at_call")
    sentences = told.get("sentences") or []
    rule.holds("the customer is told something", bool(sentences), "sentences", sentences)
    rule.equal("the sentences as they were noted", sentences, note.get("sentences"))
    stands = {"vee_only": told.get("vee_only"), "with_gap": told.get("with_gap")}
    for name, stand in stands.items():
        if stand is None:
            continue
        to = ts(stand["to"])
        known = sum(wh for end, wh, quality, _ in usage if end <= to and (name == "with_gap" or quality != NON_VEE))
        rule.equal(f"usage billed, {name}, Wh", known, stand["bill"]["usage_wh"])
        lines = sum((Decimal(line["usd_exact"]) for line in stand["bill"]["lines"]), Decimal(0))
        total = str(cents(lines * (1 + Decimal(stand["bill"]["tax_percent"]) / 100)))
        rule.equal(f"bill total, {name}, $", total, stand["bill"]["total_usd"])
    shows: tuple[str, ...] = ()
    if call.expect.outcome == "answered":
        shows = ("UC-N5",)
        served = (told.get("request") or {}).get("served") or {}
        with_gap = stands["with_gap"] or {}
        rule.equal("the bill with the gap reaches to", served.get("reaches_to"), with_gap.get("to"))
    pattern = told.get("pattern") or {}
    hours = _hours(facts, pattern.get("day"))
    stand = told_stand(told)
    if call.expect.outcome == "answered":
        rule.holds("hours of the gap day that are told", bool(hours), "at least one", len(hours))
        told_hours = {hour: wh for hour, wh in enumerate(pattern.get("day_wh") or []) if wh is not None}
        rule.equal("usage by hour of the gap day, Wh", hours, told_hours)
        rule.holds("the usual day is known", any(pattern.get("usual_wh") or []), "usual hours", pattern.get("usual_wh"))
    evidence: dict[str, Any] = {"told_on": told.get("told_on")}
    if stand is None:
        happened = "The retailer tells the customer what its own record says."
    else:
        evidence |= {
            "usage_to_date_wh": stand["bill"]["usage_wh"],
            "bill_to_date_usd": stand["bill"]["total_usd"],
            "bill_vee_only_usd": None if stands["vee_only"] is None else stands["vee_only"]["bill"]["total_usd"],
            "projected_wh": stand["projection"]["total_wh"],
            "projected_usd": stand["projected_bill"]["total_usd"],
            "hours_told": len(hours),
        }
        happened = (
            f"The retailer works the bill out again: {kwh(stand['bill']['usage_wh'])} kWh and ${stand['bill']['total_usd']} to date, "
            f"${stand['projected_bill']['total_usd']} projected, and tells the customer how the day compares with a usual one."
        )
    return step("S6", happened, evidence, rule, *shows)


def _hours(facts: Facts, day: str | None) -> dict[int, int]:
    """Wh by local hour of a day, of the hours that are known as a whole."""
    parts: dict[int, list[int]] = {}
    for end, wh, _, _ in facts.usage("at_call"):
        if day_of_interval(end).isoformat() == day:
            parts.setdefault(local(end - INTERVAL_S).hour, []).append(wh)
    return {hour: sum(one) for hour, one in sorted(parts.items()) if len(one) == 4}


def s7(facts: Facts, call: BalanceCall, told: dict[str, Any]) -> StepVerdict:
    """AMB-12: answered before hang-up, and the bill told within 2 % or $1 of the re-bill.

    Its third part, no repeat call in 24 hours, cannot be judged here: whether a customer calls again is written in the timeline, to
    test the rule, and no one's reaction is modelled. Such calls are named in the evidence, are not counted against the step, and are
    checks of their own.
    """
    rule = Rule()
    note = facts.note("ROR", "S7.outcome", call.ref)
    asked, told_at = ts(told.get("asked_at")), ts(told.get("told_at"))
    waited = told_at - asked
    rule.equal("the customer hung up when their patience ended", asked + call.patience_s, ts(told.get("hangs_up_at")))
    rule.holds("answered before hang-up", 0 <= waited <= call.patience_s, f"within {call.patience_s} s", f"{waited} s")
    rule.equal("seconds to the answer, as noted", waited, note.get("seconds_to_answer"))
    repeats = [
        one.ref
        for one in facts.scenario.timeline
        if isinstance(one, BalanceCall) and one.ref != call.ref and 0 <= facts.at(one) - asked <= 24 * 3600
    ]
    evidence: dict[str, Any] = {
        "seconds_to_answer": waited,
        "patience_s": call.patience_s,
        "repeat_calls_in_24_h_by_script": repeats,
    }
    happened = f"The customer has the answer after {waited} s of {call.patience_s} s patience"
    shows: tuple[str, ...] = ()
    again = facts.rebill_of(call.ref)
    if again is not None:
        shows = ("POST1",)
        stand = told_stand(told) or {}
        hold_rebill(rule, facts, again[1], (stand.get("bill") or {}).get("total_usd"))
        evidence |= {"rebilled_usd": again[1].get("vee_usd"), "difference_usd": again[1].get("difference_usd")}
        happened += f"; the re-bill on VEE data differs by ${again[1].get('difference_usd')}"
    happened += "."
    if repeats:
        happened += f" A repeat call is part of the timeline ({', '.join(repeats)}) and a check of its own; it is not counted here."
    return step("S7", happened, evidence, rule, *shows)


def hold_rebill(rule: Rule, facts: Facts, rebill: dict[str, Any], told_usd: str | None) -> None:
    """AMB-12: VEE data cover the instant of the bill told, and the two bills lie within the scenario's tolerance."""
    told, vee = usd(rebill.get("told_usd")), usd(rebill.get("vee_usd"))
    rule.equal("the bill that is compared is the one told, $", told_usd, rebill.get("told_usd"))
    rule.equal("VEE data reach to the instant of the bill told", True, rebill.get("covered"))
    if told is None or vee is None:
        rule.holds("both bills are known", False, "two bills", f"told {told}, re-billed {vee}")
        return
    rule.equal("difference of the two bills, $", str(told - vee), rebill.get("difference_usd"))
    limit = facts.tolerance(vee)
    rule.holds(
        "the bill told is right (AMB-12)", abs(told - vee) <= limit, f"within ${cents(limit)} of ${vee}", f"${told}"
    )


def day_covered(facts: Facts, rebill: dict[str, Any]) -> int:
    """End of the last operating day posted before a re-bill."""
    last = facts.last_lse(ts(rebill.get("rebilled_at")))
    return 0 if last is None else day_end(last.operating_day)
