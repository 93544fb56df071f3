"""S6 and S7: the bill that the customer is told, made again from what was recorded, and whether the answer satisfies (AMB-12)."""

from __future__ import annotations

from collections import Counter
from datetime import date
from decimal import Decimal
from typing import Any

from meters.calendar import INTERVAL_S, day_of_interval, day_start, local
from scenarios.actions.market.balance_call import BalanceCall
from scenarios.actions.market.rebill import COMPARED
from scenarios.actions.table import ACTIONS
from scenarios.evidence import iso_of, usd_of
from scenarios.judging.expectations import hold
from scenarios.judging.facts import Facts
from scenarios.judging.findings import SHOWN, Rule, StepVerdict, step
from scenarios.parts.expected import TRUTH, Form
from scenarios.records.actions import Stand
from scenarios.records.journal import OutcomeNote, ToldNote
from scenarios.records.usage import Interval
from simulator.ror.billing.money import kwh
from simulator.ror.call.basis import Kind
from simulator.ror.usage import Quality, Source


def s6(facts: Facts, action: BalanceCall) -> StepVerdict:
    """The bills told are made again from the usage recorded, Wh by Wh, and from their own lines, $ by $."""
    rule = Rule()
    note, call = facts.note(ToldNote, action.ref), facts.call
    sentences = [] if call is None else call.sentences
    rule.holds("the customer is told something", bool(sentences), "sentences", sentences)
    rule.equal("the sentences as they were noted", sentences, note and note.sentences)
    instant, with_gap, stand = (None, None, None) if call is None else (call.instant, call.with_gap, call.stand)
    asked = call and (call.request.requested_at or call.told_at)
    at_once = bool(instant and instant.sentences and call and call.asked_at <= instant.told_at <= (asked or 0))
    rule.holds("told at once, before anything is asked", at_once, iso_of(asked), iso_of(instant and instant.told_at))
    for name, of_call, of_vee in (("instant", instant and instant.stand, True), ("with_gap", with_gap, False)):
        if of_call is not None:
            _hold_stand(rule, facts, name, of_call, of_vee=of_vee)
    hours = _hours(facts, call and call.pattern.day)
    shows: tuple[str, ...] = ()
    if facts.outcome == "answered":
        shows = SHOWN["answered"]
        served = call and call.request.served
        short = served and served.gap and facts.reach != served.gap.end
        reaches_to = served and (served.gap.end if short and served.gap else served.reaches_to)
        rule.equal("the bill with the gap reaches to", iso_of(reaches_to), iso_of(with_gap and with_gap.to))
        day_wh, usual_wh = ([], []) if call is None else (call.pattern.day_wh, call.pattern.usual_wh)
        to = served and served.reaches_to
        # Only whole hours are told.
        if not to or to - day_start(day_of_interval(to)) >= 3600:
            rule.holds("hours of the gap day that are told", bool(hours), "at least one", len(hours))
        told_hours = {hour: wh for hour, wh in enumerate(day_wh) if wh is not None}
        rule.equal("usage by hour of the gap day, Wh", hours, told_hours)
        if facts.vee_end(facts.at(action)) is not None:
            rule.holds("the usual day is known", any(usual_wh), "usual hours", usual_wh)
    evidence: dict[str, Any] = {"told_on": call and call.told_on.value}
    happened = "The retailer tells the customer what its own record says."
    if call is not None and stand is not None:
        ahead = call.ahead
        ways = ahead and f"${ahead.projected_usd.low} to ${ahead.projected_usd.high}"
        evidence |= {
            "usage_to_date_wh": stand.bill.usage_wh,
            "bill_to_date_usd": str(stand.bill.total_usd),
            "told_at_once_usd": usd_of(instant and instant.stand and instant.stand.bill.total_usd),
            "projected_wh": ahead and ahead.projection.total_wh,
            "projected": ways,
            "hours_told": len(hours),
        }
        happened = (
            f"The retailer works the bill out again: {kwh(stand.bill.usage_wh)} kWh and ${stand.bill.total_usd} to date, "
            f"{f'{ways} projected' if ways else 'with nothing expected behind its own days'}"
            f"{', and tells the customer how the day compares with a usual one' if hours else ''}."
        )
    return step("S6", happened, evidence, rule, *shows)


def _hold_stand(rule: Rule, facts: Facts, name: str, stand: Stand, *, of_vee: bool) -> None:
    """The bill's lines are its total, and what it rests on is the usage recorded, kind by kind; its parts are the whole of it."""
    billed = [one for one in facts.at_call if one.end <= stand.to]
    known: Counter[str] = Counter()
    for interval in billed:
        if not (of_vee and interval.quality is Quality.NON_VEE):
            known[_kind(interval).value] += interval.wh
    told = {part.kind.value: part.wh for part in stand.rests_on if part.kind in _KNOWN}
    rule.equal(f"usage billed, {name}, Wh", dict(known), told)
    rule.equal(f"parts of the bill, {name}, Wh", stand.bill.usage_wh, sum(part.wh for part in stand.rests_on))
    quarters = (stand.to - day_start(facts.account.cycle_first)) // INTERVAL_S
    rule.equal(f"quarter hours billed, {name}", quarters, sum(part.intervals for part in stand.rests_on))
    lines = sum((line.usd for line in stand.bill.lines), Decimal(0))
    rule.equal(f"bill total, {name}, $", lines, stand.bill.total_usd)
    parts = sum((part.usd for part in stand.rests_on), Decimal(0))
    rule.equal(f"parts of the bill, {name}, $", stand.bill.total_usd, parts)


MUST: Form[bool] = TRUTH(equals=True)
_KNOWN = (Kind.VEE_ACTUAL, Kind.VEE_ESTIMATED, Kind.STORE, Kind.METER)


def _kind(interval: Interval) -> Kind:
    if interval.quality is Quality.NON_VEE:
        return Kind.METER if interval.source is Source.METER else Kind.STORE
    return Kind.VEE_ESTIMATED if interval.quality is Quality.VEE_ESTIMATED else Kind.VEE_ACTUAL


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
        if isinstance(other, BalanceCall)
        and other.ref != action.ref
        and facts.scenario.account_of(other) == facts.account
        if 0 <= facts.at(other) - asked <= 24 * 3600
    ]
    evidence: dict[str, Any] = {
        "seconds_to_answer": waited,
        "patience_s": patience,
        "repeat_calls_in_24_h_by_script": repeats,
    }
    happened = f"The customer has the answer after {waited} s of {patience} s patience"
    shows: tuple[str, ...] = ()
    if facts.rebill is not None:
        rebilled = facts.rebilled
        row = ACTIONS[facts.rebill.do]
        # A bill that is expected to be wrong satisfies nobody: the action's own check holds that it is, and the step leaves it open.
        wrong = facts.rebill.expect.of("within") is False
        shows = () if wrong else SHOWN["billed again"]
        for name in COMPARED:
            if wrong and name == "within":
                rule.lacking.append("the bill told is expected to be wrong")
            else:
                hold(rule, row.fact(name), MUST, row.seen(facts, facts.rebill))
        difference = usd_of(rebilled and rebilled.difference_usd)
        evidence |= {"rebilled_usd": usd_of(rebilled and rebilled.vee_usd), "difference_usd": difference}
        happened += f"; the re-bill on VEE data differs by ${difference}"
    happened += "."
    if repeats:
        happened += f" A repeat call is part of the timeline ({', '.join(repeats)}) and a check of its own; it is not counted here."
    return step("S7", happened, evidence, rule, *shows)
