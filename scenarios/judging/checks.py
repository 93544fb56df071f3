"""The checks beside the steps: what each action of the timeline was expected to come to, and what must hold of a run as a whole."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal

from headend.wire import InquiryKind
from meters.calendar import INTERVAL_S, day_of, iso
from scenarios.judging.answer import day_covered, hold_rebill
from scenarios.judging.check_parts import again, hold_refusal, request_evidence, verdict, why
from scenarios.judging.complaint_checks import complaint_check, complaint_checks
from scenarios.judging.facts import Facts, iso_of
from scenarios.judging.findings import CheckVerdict, Rule
from scenarios.judging.portal_checks import portal_check
from scenarios.judging.request_checks import power_check, read_check
from scenarios.judging.ror_files_check import ror_files_check
from scenarios.judging.same_answers_check import same_answers_check
from scenarios.recording.actions import RecordedCall, RecordedRebill, ServedAnswer
from scenarios.recording.ledger import Entry
from scenarios.timeline import BalanceCall, ComplaintAction, OnDemandRead, PortalRead, PowerStatus, Rebill, SameAnswers
from simulator.ror.answer import ToldOn
from simulator.ror.on_demand import RequestEnd
from simulator.ror.usage import Quality
from simulator.smt.ondemand.invariants import breaches, from_ledger
from simulator.smt.ondemand.ledger import Entry as LedgerEntry
from simulator.smt.ondemand.ledger import Transition
from simulator.smt.ondemand.lifecycle import Filed
from simulator.smt.throttle.limits import Door, Scope
from simulator.smt.throttle.policy import preset

#: Policies of FR CR016.1, whose rule is counted again from the ledger.
ONE_A_DAY = ("fr-cr016-1", "fr-cr016-1-meter-only")
#: By ledger kind: requirement, what is counted.
COUNTED = {
    InquiryKind.INTERVALS: ("FR-CR016.1b", "meter read"),
    InquiryKind.POWER: ("FR-CR016.1a", "power status"),
}


def judge_checks(facts: Facts) -> tuple[CheckVerdict, ...]:
    """One check per action, in the order of the timeline, then the general ones."""
    checks: list[CheckVerdict] = []
    for action in facts.scenario.timeline:
        match action:
            case BalanceCall():
                checks.append(_call(facts, action))
            case PowerStatus():
                checks.append(power_check(facts, action))
            case OnDemandRead():
                checks.append(read_check(facts, action))
            case PortalRead():
                checks.append(portal_check(facts, action))
            case Rebill():
                checks.append(_rebill(facts, action))
            case SameAnswers():
                checks.append(same_answers_check(facts, action))
            case ComplaintAction():
                checks.append(complaint_check(facts, action))
    return (
        *checks,
        *_posting(facts),
        *ror_files_check(facts),
        *_one_request_per_call(facts),
        *_throttle(facts),
        *complaint_checks(facts),
    )


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
        hold_refusal(rule, facts.requests(action.ref), request, expect.refusal)
        if expect.store:
            stand, told_on = call and call.stand, call and call.told_on
            reaches_to = iso_of(served and served.reaches_to)
            rule.equal("the bill reaches to what the store holds", reaches_to, iso_of(stand and stand.to))
            partial = told_on is ToldOn.PARTIAL
            rule.holds("the customer is told that data are missing", partial, ToldOn.PARTIAL, told_on)
            code = "-" if trouble is None else trouble.code
            of_it = any(code in one for one in (() if call is None else call.sentences))
            rule.holds("the customer is told of the refusal", of_it, f"a sentence with {code}", "none")
    evidence = {"asked_at": iso_of(call and call.asked_at), **request_evidence(request)}
    title = f"Balance call {action.at:%m-%d %H:%M}"
    return verdict(action.ref, title, _call_text(call), evidence, rule, action.verifies)


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
            return f"Refused. {why(trouble)}{again(trouble)}{_held(served)}{_heard(call)}"
        case RequestEnd.NOT_MADE:
            return f"No on-demand request: {call.decision.reason}"
        case end:
            return f"{end.value}: {why(trouble)}"


def _rebill(facts: Facts, action: Rebill) -> CheckVerdict:
    """The bill told against VEE data; the non-VEE intervals have given way to VEE ones (they never stay in a bill)."""
    rule, within = Rule(), Rule()
    rebilled = facts.action(RecordedRebill, action.ref)
    hold_rebill(within, facts, rebilled, facts.action(RecordedCall, action.of))
    if action.expect.within:
        rule.failures += within.failures
    else:
        rule.holds("the bill told is outside the tolerance (AMB-12)", bool(within.failures), "outside", "within")
    quality = {interval.end: interval.quality for interval in facts.after_posting}
    left = [end for end, code in quality.items() if code is Quality.NON_VEE]
    rule.equal("non-VEE intervals left after the posting", [], left)
    covered = day_covered(facts, rebilled)
    lost = [interval.end for interval in facts.at_call if interval.end <= covered and interval.end not in quality]
    rule.equal("intervals told that VEE data lack", [], lost)
    shown = ("instant", "rebilled_at", "told_usd", "vee_usd", "difference_usd", "told_wh", "vee_wh", "covered")
    record = rebilled or RecordedRebill()
    evidence = record.model_dump(mode="json", include=set(shown))
    if record.vee_usd is not None:
        evidence["tolerance_usd"] = str(facts.tolerance(record.vee_usd).quantize(Decimal("0.01")))
    happened = (
        f"Told ${record.told_usd}, re-billed ${record.vee_usd} on VEE data to the same instant: "
        f"difference ${record.difference_usd}."
    )
    return verdict(action.ref, f"Re-bill {action.at:%m-%d %H:%M}", happened, evidence, rule, action.verifies)


def _posting(facts: Facts) -> list[CheckVerdict]:
    """Every operating day that was due has one file on SMT's site, and SMT answered every record of it with 00."""
    rule = Rule()
    due, posted = facts.days_due(), facts.posted()
    if not due:
        return []
    records = 0
    for day in due:
        files = posted.get(day, [])
        rule.equal(f"LSE files of {day}", 1, len(files))
        for file in files:
            rule.holds(
                f"records of {file.file}",
                file.accepted,
                "all answered 00, by SMT and in the TDSP's folder",
                f"SMT {file.intake or 'nothing'}, TDSP {file.codes or 'nothing'}",
            )
            rule.equal(f"{file.file} taken in at SMT", True, file.taken_in_at is not None)
            records += file.codes.get("00", 0)
    last = facts.last_lse(facts.at(facts.scenario.timeline[-1]))
    evidence = {
        "operating_days": len(due),
        "first": due[0].isoformat(),
        "last": due[-1].isoformat(),
        "records_00": records,
        "last_lse_file": None if last is None else last.file,
    }
    count = f"{len(due)} operating day{'s' if len(due) > 1 else ''}"
    happened = f"{count} posted as LSE over FTPS, {records} records answered, every one with 00."
    if rule.failures:
        happened = f"{count} due; not all posted and answered with 00."
    return [verdict("lse-daily", "VEE usage posted every day", happened, evidence, rule, ("AC3", "PRE1", "A4"))]


def _one_request_per_call(facts: Facts) -> list[CheckVerdict]:
    """AMB-10: the audit shows request <-> call."""
    # A customer at the portal makes no call to the retailer.
    entries = [request for request in facts.requests() if request.door is not Door.PORTAL]
    if not entries:
        return []
    rule = Rule()
    refs = {action.ref for action in facts.scenario.timeline}
    rule.equal("requests of no call", [], [entry.key for entry in entries if entry.call_reference not in refs])
    per_call = Counter(entry.call_reference for entry in entries)
    rule.equal("calls with more than one request", [], [ref for ref, count in per_call.items() if count > 1])
    rule.equal("ids given twice", len(entries), len({entry.key for entry in entries}))
    evidence = {"requests": len(entries), "calls": len(per_call)}
    happened = f"SMT's audit shows {len(entries)} on-demand requests, each of one call."
    if rule.failures:
        happened = f"SMT's audit shows {len(entries)} on-demand requests of {len(per_call)} calls."
    return [verdict("one-per-call", "Requests belong to calls", happened, evidence, rule, ("UC-N1",))]


def _throttle(facts: Facts) -> list[CheckVerdict]:
    """FR CR016.1 held against the ledger, without the throttle's code: per kind and day of submission at most one success that cost reads."""
    if facts.recording.policy.name not in ONE_A_DAY:
        return []
    checks = []
    for kind, (requirement, counted) in COUNTED.items():
        entries = [_as_filed(request, facts.esiid) for request in facts.requests(kind=kind)]
        asked = from_ledger(entries, lambda filed: {Scope.ESIID: filed.esiid})
        if not asked:
            continue
        rule = Rule()
        over = [breach for breach in breaches(preset(facts.recording.policy.name), asked) if breach.limit]
        found = [f"{day_of(one.at)}: {one.key} was {one.what}" for one in over]
        rule.equal(f"days with more than one successful {counted} request", [], found)
        days = [day_of(one.at) for one in asked if one.success]
        evidence = {"requests": len(asked), "successes_with_reads": len(days), "days": len(set(days))}
        happened = f"{len(asked)} requests, {len(days)} successful at the meter: at most one per day."
        if over:
            happened = f"{len(asked)} requests, {len(days)} successful at the meter: more than one on a day."
        title = f"One successful {counted} a day"
        checks.append(verdict(f"rule-{requirement[-2:]}", title, happened, evidence, rule, (requirement,)))
    return checks


def _as_filed(entry: Entry, esiid: str) -> LedgerEntry:
    """A request as SMT's own ledger has it, as far as a throttle's rules rest on it."""
    first = entry.transitions[0].at_us
    filed = Filed(entry.key, entry.kind, esiid, entry.door, entry.username, *("",) * 4, 0, 0, None, (), first)
    steps = [
        Transition(
            transition.state,
            transition.at_us,
            "",
            transition.meter_allowed,
            None,
            0,
            0,
            transition.meter_reads,
            transition.octets,
        )
        for transition in entry.transitions
    ]
    return LedgerEntry(filed, steps)
