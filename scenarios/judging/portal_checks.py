"""Checks of what a customer's client saw at the portal."""

from __future__ import annotations

from scenarios.judging.check_parts import verdict, why
from scenarios.judging.facts import Facts
from scenarios.judging.findings import CheckVerdict, Rule
from scenarios.recording.actions import RecordedPortalRead
from scenarios.timeline import PortalRead


def portal_check(facts: Facts, action: PortalRead) -> CheckVerdict:
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
    if read is None:
        happened = "Nothing recorded after None portal calls. "
    elif read.end == "answered":
        happened = f"Read {read.odrread} kWh at {read.odrdate} by {calls} portal calls."
    elif read.end == "unanswered":
        happened = f"After {calls} portal calls the odrdate is still {read.odrdate}: no new read is seen."
    else:
        happened = f"{read.end.capitalize()} after {calls} portal calls. {why(trouble)}"
    evidence = {} if read is None else read.model_dump(mode="json", exclude={"trouble"}, exclude_none=True)
    if trouble:
        evidence |= {"code": trouble.code, "reason": trouble.reason}
    if action.client != "app":
        evidence["client"] = action.client
    return verdict(action.ref, f"Portal read {action.at:%m-%d %H:%M}", happened, evidence, rule, action.verifies)
