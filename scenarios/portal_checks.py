"""Checks of what the customer's client saw at the portal, and of the complaints that were switched on: each must have struck."""

from __future__ import annotations

from collections import Counter

from meters.calendar import iso
from scenarios.facts import Facts
from scenarios.findings import CheckVerdict, Rule
from scenarios.schema import PortalRead


def portal_check(facts: Facts, action: PortalRead) -> CheckVerdict:
    """How a read through the portal ended, and what it cost in calls."""
    rule, expect = Rule(), action.expect
    read = facts.action(action.ref)
    trouble = read.get("trouble") or {}
    rule.equal("how the read ended", expect.outcome, read.get("end"))
    if expect.refusal is not None:
        rule.equal("statusCode of the refusal", expect.refusal, trouble.get("code"))
    if expect.status is not None:
        rule.equal("odrstatus", f"portal.{expect.status}", trouble.get("code"))
    if expect.calls is not None:
        rule.equal("portal calls", expect.calls, read.get("calls"))
    calls = read.get("calls")
    match read.get("end"):
        case "answered":
            happened = f"Read {read.get('odrread')} kWh at {read.get('odrdate')} by {calls} portal calls."
        case "unanswered":
            happened = f"After {calls} portal calls the odrdate is still {read.get('odrdate')}: no new read is seen."
        case end:
            happened = (
                f"{str(end or 'nothing recorded').capitalize()} after {calls} portal calls. {trouble.get('reason', '')}"
            )
    evidence = {key: value for key, value in read.items() if key != "trouble" and value is not None}
    if trouble:
        evidence |= {"code": trouble.get("code"), "reason": trouble.get("reason")}
    title = f"Portal read {action.at:%m-%d %H:%M}"
    return CheckVerdict(action.ref, title, happened, evidence, rule.mark, action.verifies, tuple(rule.failures))


def complaint_checks(facts: Facts) -> list[CheckVerdict]:
    """One check for each complaint of the scenario: one that never struck shows nothing."""
    strikes = list(facts.notes("SMT", "complaint"))
    checks = []
    for number, one in enumerate(facts.scenario.complaints, 1):
        rule = Rule()
        ident = f"complaint-{number}"
        mine = [note for note in strikes if note["ident"] == ident]
        rule.holds("it struck", bool(mine), "at least once", len(mine))
        times = "once" if len(mine) == 1 else f"{len(mine)} times"
        happened = f"On purpose: {one.kind.value} struck {times}." if mine else f"{one.kind.value} never struck."
        evidence = {
            "strikes": len(mine),
            "did": dict(sorted(Counter(str(note.get("did")) for note in mine).items())),
            "first_strike": iso(mine[0]["at"]) if mine else None,
            "last_strike": iso(mine[-1]["at"]) if mine else None,
        }
        checks.append(
            CheckVerdict(ident, f"Complaint {one.kind.value}", happened, evidence, rule.mark, (), tuple(rule.failures))
        )
    return checks
