"""Checks of what a customer's client saw at the portal."""

from __future__ import annotations

from scenarios.facts import Facts
from scenarios.findings import CheckVerdict, Rule
from scenarios.timeline import PortalRead


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
    if action.client != "app":
        evidence["client"] = action.client
    title = f"Portal read {action.at:%m-%d %H:%M}"
    return CheckVerdict(action.ref, title, happened, evidence, rule.mark, action.verifies, tuple(rule.failures))
