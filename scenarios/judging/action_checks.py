"""What each action of the timeline was expected to come to, and what it came to."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from decimal import Decimal
from typing import Any

from headend.wire import InquiryKind
from meters.calendar import INTERVAL_S, iso, local, seconds
from scenarios.judging.answer import day_covered, hold_rebill
from scenarios.judging.daily_reads import AT_PORTAL, BY_API, daily_reads, kwh_of
from scenarios.judging.facts import Facts, iso_of
from scenarios.judging.findings import CheckVerdict, Rule, check
from scenarios.recording.actions import (
    DoorAnswers,
    RecordedAnswers,
    RecordedCall,
    RecordedComplaint,
    RecordedPortalRead,
    RecordedRebill,
    RecordedRequest,
    ServedAnswer,
    Trouble,
)
from scenarios.recording.journal import ComplaintNote
from scenarios.recording.ledger import Entry
from scenarios.timeline import (
    Action,
    BalanceCall,
    ComplaintAction,
    OnDemandRead,
    PortalRead,
    PowerStatus,
    Rebill,
    SameAnswers,
)
from simulator.customer.same_answers import QUESTIONS
from simulator.ror.call.answer import ToldOn
from simulator.ror.call.on_demand import RequestEnd
from simulator.ror.usage import Quality
from simulator.smt.ondemand.lifecycle import State

#: The refusal that no waiting lifts.
FOR_GOOD = "STORE-ONLY"


def _again(trouble: Trouble | None) -> str:
    """When to try again, as a sentence."""
    at = trouble and trouble.retry_at
    return "" if at is None else f" Try again from {local(at):%Y-%m-%d %H:%M}."


def _why(trouble: Trouble | None) -> str:
    """What was said of it."""
    return "" if trouble is None else trouble.reason


def _request_evidence(request: RecordedRequest | None) -> dict[str, Any]:
    """What a verdict shows of an on-demand request."""
    if request is None:
        return {}
    served, trouble = request.served, request.trouble
    found = {
        "ended": request.end.value,
        "correlation_id": request.correlation_id,
        "seconds": request.seconds,
        "from_store": served and served.from_store,
        "from_meter": served and served.from_meter,
        "meter_reads": served and served.meter_reads,
        "reaches_to": iso_of(served and served.reaches_to),
        "refusal": trouble and trouble.code,
        "retry_at": iso_of(trouble and trouble.retry_at),
    }
    return {key: value for key, value in found.items() if value is not None}


def _hold_refusal(rule: Rule, filed: list[Entry], request: RecordedRequest | None, code: str | None) -> None:
    """A refusal names its rule, a reason, and when to come back; and it cost no meter read."""
    trouble = request and request.trouble
    if code is not None:
        rule.equal("code of the refusal", code, trouble and trouble.code)
    rule.holds("the refusal has a reason", bool(_why(trouble)), "a reason", _why(trouble) or None)
    if trouble is None or trouble.code != FOR_GOOD:
        retry_at, ended_at = trouble and trouble.retry_at, request and request.ended_at
        later = retry_at is not None and retry_at > (ended_at or 0)
        rule.holds("the refusal says when to try again", later, f"a time after {iso_of(ended_at)}", iso_of(retry_at))
    for entry in filed:
        rule.equal("end of the request in SMT's ledger", State.REFUSED, entry.last.state)
        rule.equal("meter reads that the refused request cost", 0, entry.last.meter_reads)


def action_check(facts: Facts, action: Action) -> CheckVerdict:
    """What became of an action, held against what was expected of it."""
    match action:
        case BalanceCall():
            return _call(facts, action)
        case PowerStatus():
            return _power_status(facts, action)
        case OnDemandRead():
            return _on_demand_read(facts, action)
        case PortalRead():
            return _portal_read(facts, action)
        case Rebill():
            return _rebill(facts, action)
        case SameAnswers():
            return _same_answers(facts, action)
        case ComplaintAction():
            return _complaint(facts, action)


def _check_of(action: Action, what: str, happened: str, evidence: dict[str, Any], rule: Rule) -> CheckVerdict:
    return check(action.ref, f"{what} {action.at:%m-%d %H:%M}", happened, evidence, rule, *action.verifies)


def _call(facts: Facts, action: BalanceCall) -> CheckVerdict:
    rule, expect = Rule(), action.expect
    call = facts.action(RecordedCall, action.ref)
    request = call and call.request
    served, trouble = request and request.served, request and request.trouble
    rule.equal("how the request ended", expect.outcome.replace("not_needed", "not made"), request and request.end)
    if expect.outcome == "not_needed":
        rule.equal("the retailer decides that more is needed", False, call and call.decision.needs_more)
        rule.equal("SMT gave the VEE data", None, call and call.trouble)
        rule.equal("requests of this call in SMT's ledger", [], [one.key for one in facts.requests(action.ref)])
    if expect.store is not None:
        rule.equal("intervals from the store", expect.store, served and served.from_store)
    if expect.meter is not None:
        rule.equal("intervals from the meter", expect.meter, served and served.from_meter)
    if expect.before_hang_up is not None:
        in_time = call is not None and call.waited <= action.patience_s
        rule.equal("answered before hang-up", expect.before_hang_up, in_time)
    if expect.outcome == "refused":
        _hold_refusal(rule, facts.requests(action.ref), request, expect.refusal)
        if expect.store:
            stand, told_on = call and call.stand, call and call.told_on
            reaches_to = iso_of(served and served.reaches_to)
            rule.equal("the bill rests on what the store holds", reaches_to, iso_of(stand and stand.known_to))
            partial = told_on is ToldOn.PARTIAL
            rule.holds("the customer is told that data are missing", partial, ToldOn.PARTIAL, told_on)
            code = "-" if trouble is None else trouble.code
            of_it = any(code in one for one in (() if call is None else call.sentences))
            rule.holds("the customer is told of the refusal", of_it, f"a sentence with {code}", "none")
    evidence = {"asked_at": iso_of(call and call.asked_at), **_request_evidence(request)}
    return _check_of(action, "Balance call", _call_text(call), evidence, rule)


def _held(served: ServedAnswer | None) -> str:
    """What the store holds of the gap, and what a read would have brought."""
    if served is None or not served.from_store or served.gap is None:
        return ""
    needed, held = (served.gap.end - served.gap.start) // INTERVAL_S, served.from_store
    return (
        f" The gap has {needed} intervals; the store holds {held}, to {iso_of(served.reaches_to)} "
        f"(the other {needed - held} would take a meter read)."
    )


def _heard(call: RecordedCall) -> str:
    """The bill the caller hears all the same."""
    if call.stand is None:
        return ""
    marked = ", marked as told on partial data" if call.marks else ""
    return f" The caller is told ${call.stand.bill.total_usd} to date, to {iso(call.stand.to)}{marked}."


def _call_text(call: RecordedCall | None) -> str:
    if call is None:
        return "nothing recorded: "
    served, trouble = call.request.served, call.request.trouble
    match call.request.end:
        case RequestEnd.ANSWERED:
            store, meter = (served and served.from_store), (served and served.from_meter)
            return f"Answered with {store} intervals from the store and {meter} from the meter."
        case RequestEnd.REFUSED:
            return f"Refused. {_why(trouble)}{_again(trouble)}{_held(served)}{_heard(call)}"
        case RequestEnd.NOT_MADE:
            return f"No on-demand request: {call.decision.reason}"
        case end:
            return f"{end.value}: {_why(trouble)}"


def _rebill(facts: Facts, action: Rebill) -> CheckVerdict:
    """The bill told against VEE data; the non-VEE intervals have given way to VEE ones (they never stay in a bill)."""
    rule, within = Rule(), Rule()
    rebilled = facts.action(RecordedRebill, action.ref)
    hold_rebill(within, facts, rebilled, facts.action(RecordedCall, action.of))
    if action.expect.within:
        rule.take(within)
    else:
        rule.holds("the bill told is outside the tolerance (AMB-12)", bool(within.failures), "outside", "within")
    quality = {interval.end: interval.quality for interval in facts.after_posting}
    left = [end for end, code in quality.items() if code is Quality.NON_VEE]
    rule.none("non-VEE intervals left after the posting", left, len(quality))
    covered = day_covered(facts, rebilled)
    told = [interval.end for interval in facts.at_call if interval.end <= covered]
    rule.none("intervals told that VEE data lack", [end for end in told if end not in quality], len(told))
    shown = ("instant", "rebilled_at", "told_usd", "vee_usd", "difference_usd", "told_wh", "vee_wh", "covered")
    record = rebilled or RecordedRebill()
    evidence = record.model_dump(mode="json", include=set(shown))
    if record.vee_usd is not None:
        evidence["tolerance_usd"] = str(facts.tolerance(record.vee_usd).quantize(Decimal("0.01")))
    happened = (
        f"Told ${record.told_usd}, re-billed ${record.vee_usd} on VEE data to the same instant: "
        f"difference ${record.difference_usd}."
    )
    return _check_of(action, "Re-bill", happened, evidence, rule)


def _power_status(facts: Facts, action: PowerStatus) -> CheckVerdict:
    """How a power status request ended."""
    rule, expect = Rule(), action.expect
    request = facts.action(RecordedRequest, action.ref)
    trouble, served = request and request.trouble, request and request.served
    power, end = served and served.power, request and request.end
    rule.equal("how the request ended", expect.outcome, end)
    if expect.status is not None:
        rule.equal("power status", expect.status, power and power.status)
    if expect.outcome == "answered":
        _hold_completed(rule, facts.requests(action.ref, InquiryKind.POWER), action.login)
    if expect.outcome == "refused":
        _hold_refusal(rule, facts.requests(action.ref), request, expect.refusal)
    if power and end is RequestEnd.ANSWERED:
        volts = "no voltage told" if power.voltage is None else f"{power.voltage} V"
        happened = f"Power is {power.status}: switch {str(power.switch_state).lower()}, {volts}, by {power.source}."
    else:
        happened = f"{(end or 'nothing recorded').capitalize()}. {_why(trouble)}{_again(trouble)}"
    evidence = {"requested_at": iso_of(request and request.requested_at), **_request_evidence(request)}
    if power:
        evidence["power"] = power.model_dump(mode="json", exclude_unset=True)
    return _check_of(action, "Power status", happened, evidence, rule)


def _on_demand_read(facts: Facts, action: OnDemandRead) -> CheckVerdict:
    """How an on-demand read ended, and who asked for it by SMT's ledger."""
    rule, expect = Rule(), action.expect
    request = facts.action(RecordedRequest, action.ref)
    filed = facts.requests(action.ref, InquiryKind.REGISTER)
    trouble = request and request.trouble
    rule.equal("how the request ended", expect.outcome, request and request.end)
    match expect.outcome:
        case "answered":
            _hold_completed(rule, filed, action.login)
            rule.equal("meter reads", True, bool(filed) and filed[0].last.meter_reads > 0)
            happened = f"{action.login} reads the meter."
        case "refused":
            _hold_refusal(rule, filed, request, expect.code)
            happened = f"{action.login} is refused. {_why(trouble)}{_again(trouble)}"
        case _:
            if expect.code is not None:
                rule.equal("code of the error", f"smt.{expect.code}", trouble and trouble.code)
            happened = f"{action.login} gets no read. {_why(trouble)}"
    requested_at = iso_of(request and request.requested_at)
    evidence = {"requested_at": requested_at, "login": action.login, **_request_evidence(request)}
    return _check_of(action, "On-demand read", happened, evidence, rule)


def _hold_completed(rule: Rule, filed: list[Entry], login: str) -> None:
    rule.equal("end of the request in SMT's ledger", [State.COMPLETED], [entry.last.state for entry in filed])
    rule.equal("log-in that asked", [login], [entry.username for entry in filed])


def _portal_read(facts: Facts, action: PortalRead) -> CheckVerdict:
    """How a read through the portal ended, and what it cost in calls."""
    rule, expect = Rule(), action.expect
    read = facts.action(RecordedPortalRead, action.ref)
    trouble, calls = read and read.trouble, read and read.calls
    rule.equal("how the read ended", expect.outcome, read and read.end)
    if expect.refusal is not None:
        rule.equal("statusCode of the refusal", expect.refusal, trouble and trouble.code)
    if expect.status is not None:
        rule.equal("odrstatus", f"portal.{expect.status}", trouble and trouble.code)
    if expect.calls is not None:
        rule.equal("portal calls", expect.calls, calls)
    if expect.reading is not None:
        rule.equal("reading", expect.reading, read and _reading(read))
    if read is None:
        happened = "Nothing recorded after None portal calls. "
    elif read.end == "answered":
        happened = f"Read {read.odrread} kWh at {read.odrdate} by {calls} portal calls."
    elif read.end == "unanswered":
        happened = f"After {calls} portal calls the odrdate is still {read.odrdate}: no new read is seen."
    else:
        happened = f"{read.end.capitalize()} after {calls} portal calls. {_why(trouble)}"
    evidence = {} if read is None else read.model_dump(mode="json", exclude={"trouble"}, exclude_none=True)
    if trouble:
        evidence |= {"code": trouble.code, "reason": trouble.reason}
    if action.client != "app":
        evidence["client"] = action.client
    return _check_of(action, "Portal read", happened, evidence, rule)


def _reading(read: RecordedPortalRead) -> str:
    """Whether the reading shown was taken after the request: the portal's local time is held against the request's."""
    try:
        shown = datetime.strptime(read.odrdate or "", "%m/%d/%Y %H:%M:%S")
    except ValueError:
        return f"none that can be dated: {read.odrdate}"
    return "earlier" if shown < local(read.requested_at).replace(tzinfo=None) else "new"


def _same_answers(facts: Facts, action: SameAnswers) -> CheckVerdict:
    """Every question has an answer at both doors, and it is one answer."""
    rule = Rule()
    answers = facts.action(RecordedAnswers, action.ref)
    market, portal = (DoorAnswers(), DoorAnswers()) if answers is None else (answers.market, answers.portal)
    trouble = answers and answers.trouble
    rule.equal("trouble in asking", None, trouble and trouble.reason)
    for question in QUESTIONS:
        by_api, at_portal = getattr(market, question), getattr(portal, question)
        if question == "daily":
            if by_api is None and at_portal is None:
                continue
            by_api, at_portal = [
                daily_reads(rows or [], words) for rows, words in ((by_api, BY_API), (at_portal, AT_PORTAL))
            ]
        rule.holds(f"{question} by the market API", bool(by_api), "an answer", "nothing")
        rule.holds(
            f"{question} at the portal",
            at_portal == by_api,
            "what the market API tells",
            "something else" if at_portal else "nothing",
        )
    sums = {row.DT: kwh_of(row) for row in market.usage if row.RT == "C"}
    told = {day: kwh for day, kwh, *_ in daily_reads(market.daily or [], BY_API)}
    for day in sorted(sums.keys() & told.keys()):
        rule.equal(f"kWh of {day} by the daily read", sums[day], told[day])
    meter = market.meter[0] if market.meter else {}
    days, devices = sorted({row.DT for row in market.usage}), len(market.devices)
    evidence = {
        "usage_days": days,
        "channels": sorted({row.RT for row in market.usage}),
        "meter_serial_number": meter.get("meterSerialNumber"),
        "meter_attributes": len(meter),
        "premise": market.premise.get("address"),
        "han_devices": devices,
    }
    happened = (
        f"Market API and portal API tell the same: {len(days)} operating days of usage, {len(told)} daily reads that are their sum, "
        f"{len(meter)} meter attributes, "
        f"the premise, {devices} HAN device{'' if devices == 1 else 's'}."
    )
    if rule.failures:
        happened = f"Market API and portal API do not tell the same. {_why(trouble)}"
    return _check_of(action, "The same answers", happened, evidence, rule)


def _complaint(facts: Facts, action: ComplaintAction) -> CheckVerdict:
    """A complaint that was declared by the control API, or lifted."""
    done = facts.action(RecordedComplaint, action.ref)
    ident = str(done and done.id)
    if action.declare is not None:
        return struck(facts, action.ref, ident, action.declare.kind.value, *action.verifies)
    rule = Rule()
    rule.equal("answer of the control API", 200, done and done.status)
    at = seconds(0) if done is None else done.at
    late = [iso(note.at) for note in facts.notes(ComplaintNote, ident) if note.at > at]
    rule.equal("strikes after that", [], late)
    strikes = done and done.strikes
    happened = f"Lifted by the control API at {local(at):%Y-%m-%d %H:%M}, after {strikes} strikes."
    evidence = {"complaint": done and done.id, "strikes": strikes, "lifted_at": iso_of(done and done.at)}
    return _check_of(action, "Complaint lifted", happened, evidence, rule)


def struck(facts: Facts, ref: str, ident: str, kind: str, *verifies: str) -> CheckVerdict:
    """A complaint: one that never struck shows nothing. ref: the check's name. ident: the complaint's."""
    rule = Rule()
    mine = list(facts.notes(ComplaintNote, ident))
    rule.holds("it struck", bool(mine), "at least once", len(mine))
    times = "once" if len(mine) == 1 else f"{len(mine)} times"
    happened = f"On purpose: {kind} struck {times}." if mine else f"{kind} never struck."
    evidence = {
        "strikes": len(mine),
        "did": dict(sorted(Counter(note.did for note in mine).items())),
        "first_strike": iso(mine[0].at) if mine else None,
        "last_strike": iso(mine[-1].at) if mine else None,
    }
    return check(ref, f"Complaint {kind}", happened, evidence, rule, *verifies)
