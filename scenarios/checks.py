"""The checks beside the steps: what each action of the timeline was expected to come to, and what must hold of a run as a whole."""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from meters.calendar import INTERVAL_S, US, day_of
from scenarios.check_parts import again, hold_refusal, request_evidence, verdict
from scenarios.complaint_checks import complaint_check, complaint_checks
from scenarios.facts import NON_VEE, Facts, told_stand, ts
from scenarios.findings import CheckVerdict, Rule
from scenarios.portal_checks import portal_check
from scenarios.request_checks import power_check, read_check
from scenarios.ror_files_check import ror_files_check
from scenarios.same_answers_check import same_answers_check
from scenarios.timeline import BalanceCall, ComplaintAction, OnDemandRead, PortalRead, PowerStatus, Rebill, SameAnswers
from scenarios.told import day_covered, hold_rebill

#: Policies of FR CR016.1, whose rule is counted again from the ledger.
ONE_A_DAY = ("fr-cr016-1", "fr-cr016-1-meter-only")
#: By ledger kind: requirement, what is counted.
COUNTED = {"INTERVALS": ("FR-CR016.1b", "meter read"), "POWER": ("FR-CR016.1a", "power status")}


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
    call = facts.action(action.ref)
    request = call.get("request") or {}
    served, trouble = request.get("served") or {}, request.get("trouble")
    rule.equal("how the request ended", expect.outcome.replace("not_needed", "not made"), request.get("end"))
    if expect.outcome == "not_needed":
        rule.equal("the retailer decides that more is needed", False, (call.get("decision") or {}).get("needs_more"))
        rule.equal("SMT gave the VEE data", None, call.get("trouble"))
        rule.equal("requests of this call in SMT's ledger", [], [one["key"] for one in facts.requests(action.ref)])
    for key, count in (("from_store", expect.store), ("from_meter", expect.meter)):
        if count is not None:
            rule.equal(f"intervals {key.replace('_', ' the ')}", count, served.get(key))
    if expect.before_hang_up is not None:
        waited = ts(call.get("told_at")) - ts(call.get("asked_at"))
        in_time = bool(call) and waited <= action.patience_s
        rule.equal("answered before hang-up", expect.before_hang_up, in_time)
    if expect.outcome == "refused":
        hold_refusal(rule, facts.requests(action.ref), request, expect.refusal)
        if expect.store:
            stand = told_stand(call) or {}
            rule.equal("the bill reaches to what the store holds", served.get("reaches_to"), stand.get("to"))
            told = call.get("sentences") or []
            rule.holds(
                "the customer is told that data are missing",
                call.get("told_on") == "partial data",
                "partial data",
                call.get("told_on"),
            )
            code = (trouble or {}).get("code") or "-"
            rule.holds(
                "the customer is told of the refusal",
                any(code in one for one in told),
                f"a sentence with {code}",
                "none",
            )
    happened = _call_text(call, request)
    evidence = {"asked_at": call.get("asked_at"), **request_evidence(request)}
    return verdict(action.ref, f"Balance call {action.at:%m-%d %H:%M}", happened, evidence, rule, action.verifies)


def _held(served: dict[str, Any]) -> str:
    """What the store holds of the gap, and what a read would have brought."""
    held, gap = served.get("from_store"), served.get("gap")
    if not held or gap is None:
        return ""
    seconds = (datetime.fromisoformat(gap["end"]) - datetime.fromisoformat(gap["start"])).total_seconds()
    needed = int(seconds) // INTERVAL_S
    return (
        f" The gap has {needed} intervals; the store holds {held}, to {served['reaches_to']} "
        f"(the other {needed - held} would take a meter read)."
    )


def _told(call: dict[str, Any]) -> str:
    """The bill the caller hears all the same."""
    told = call.get("with_gap") or call.get("vee_only")
    if told is None:
        return ""
    marked = ", marked as told on partial data" if call.get("marks") else ""
    return f" The caller is told ${told['bill']['total_usd']} to date, to {told['to']}{marked}."


def _call_text(call: dict[str, Any], request: dict[str, Any]) -> str:
    served, trouble = request.get("served") or {}, request.get("trouble") or {}
    match request.get("end"):
        case "answered":
            return f"Answered with {served.get('from_store')} intervals from the store and {served.get('from_meter')} from the meter."
        case "refused":
            return f"Refused. {trouble.get('reason')}{again(trouble)}{_held(served)}{_told(call)}"
        case "not made":
            return f"No on-demand request: {(call.get('decision') or {}).get('reason')}"
        case end:
            return f"{end or 'nothing recorded'}: {trouble.get('reason', '')}"


def _rebill(facts: Facts, action: Rebill) -> CheckVerdict:
    """The bill told against VEE data; the non-VEE intervals have given way to VEE ones (they never stay in a bill)."""
    rule = Rule()
    rebill, call = facts.action(action.ref), facts.action(action.of)
    told_usd = ((told_stand(call) or {}).get("bill") or {}).get("total_usd")
    within = Rule()
    hold_rebill(within, facts, rebill, told_usd)
    if action.expect.within:
        rule.failures += within.failures
    else:
        rule.holds("the bill told is outside the tolerance (AMB-12)", bool(within.failures), "outside", "within")
    quality = {end: code for end, _, code, _ in facts.usage("after_posting")}
    at_call = [end for end, *_ in facts.usage("at_call")]
    rule.equal(
        "non-VEE intervals left after the posting", [], [end for end, code in quality.items() if code == NON_VEE]
    )
    covered = day_covered(facts, rebill)
    lost = [end for end in at_call if end <= covered and end not in quality]
    rule.equal("intervals told that VEE data lack", [], lost)
    vee = rebill.get("vee_usd")
    happened = f"Told ${rebill.get('told_usd')}, re-billed ${vee} on VEE data to the same instant: difference ${rebill.get('difference_usd')}."
    evidence = {
        key: rebill.get(key)
        for key in ("instant", "rebilled_at", "told_usd", "vee_usd", "difference_usd", "told_wh", "vee_wh", "covered")
    }
    if vee is not None:
        evidence["tolerance_usd"] = str(facts.tolerance(Decimal(vee)).quantize(Decimal("0.01")))
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
        for one in files:
            rule.holds(
                f"records of {one.file}",
                one.accepted,
                "all answered 00, by SMT and in the TDSP's folder",
                f"SMT {one.intake or 'nothing'}, TDSP {one.codes or 'nothing'}",
            )
            rule.equal(f"{one.file} taken in at SMT", True, one.taken_in_at is not None)
            records += one.codes.get("00", 0)
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
    entries = [one for one in facts.requests() if one.get("door") != "portal"]
    if not entries:
        return []
    rule = Rule()
    refs = {one.ref for one in facts.scenario.timeline}
    rule.equal("requests of no call", [], [one["key"] for one in entries if one["call_reference"] not in refs])
    per_call = Counter(one["call_reference"] for one in entries)
    rule.equal("calls with more than one request", [], [ref for ref, count in per_call.items() if count > 1])
    rule.equal("ids given twice", len(entries), len({one["key"] for one in entries}))
    evidence = {"requests": len(entries), "calls": len(per_call)}
    happened = f"SMT's audit shows {len(entries)} on-demand requests, each of one call."
    if rule.failures:
        happened = f"SMT's audit shows {len(entries)} on-demand requests of {len(per_call)} calls."
    return [verdict("one-per-call", "Requests belong to calls", happened, evidence, rule, ("UC-N1",))]


def _throttle(facts: Facts) -> list[CheckVerdict]:
    """FR CR016.1 counted again from the ledger, without the throttle's code: per kind and day of submission at most one success that cost reads."""
    if facts.recording.policy["name"] not in ONE_A_DAY:
        return []
    checks = []
    for kind, (requirement, counted) in COUNTED.items():
        entries = facts.requests(kind=kind)
        if not entries:
            continue
        rule = Rule()
        successes: Counter[date] = Counter()
        for entry in entries:
            first, last = entry["transitions"][0], entry["transitions"][-1]
            if last["state"] == "completed" and last["meter_reads"] > 0:
                successes[day_of(first["at_us"] // US)] += 1
        over = [f"{day}: {count}" for day, count in sorted(successes.items()) if count > 1]
        rule.equal(f"days with more than one successful {counted} request", [], over)
        total = sum(successes.values())
        evidence = {"requests": len(entries), "successes_with_reads": total, "days": len(successes)}
        happened = f"{len(entries)} requests, {total} successful at the meter: at most one per day."
        if over:
            happened = f"{len(entries)} requests, {total} successful at the meter: more than one on a day."
        title = f"One successful {counted} a day"
        checks.append(verdict(f"rule-{requirement[-2:]}", title, happened, evidence, rule, (requirement,)))
    return checks
