"""Checks of a retailer's or CSP's plain requests: a power status, an on-demand read of the register."""

from __future__ import annotations

from headend.wire import InquiryKind
from scenarios.judging.check_parts import again, hold_refusal, request_evidence, verdict, why
from scenarios.judging.facts import Facts, iso_of
from scenarios.judging.findings import CheckVerdict, Rule
from scenarios.recording.actions import RecordedRequest
from scenarios.recording.ledger import Entry
from scenarios.timeline import OnDemandRead, PowerStatus
from simulator.ror.on_demand import RequestEnd
from simulator.smt.ondemand.lifecycle import State


def power_check(facts: Facts, action: PowerStatus) -> CheckVerdict:
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
        hold_refusal(rule, facts.requests(action.ref), request, expect.refusal)
    if power and end is RequestEnd.ANSWERED:
        volts = "no voltage told" if power.voltage is None else f"{power.voltage} V"
        happened = f"Power is {power.status}: switch {str(power.switch_state).lower()}, {volts}, by {power.source}."
    else:
        happened = f"{(end or 'nothing recorded').capitalize()}. {why(trouble)}{again(trouble)}"
    evidence = {"requested_at": iso_of(request and request.requested_at), **request_evidence(request)}
    if power:
        evidence["power"] = power.model_dump(mode="json", exclude_unset=True)
    return verdict(action.ref, f"Power status {action.at:%m-%d %H:%M}", happened, evidence, rule, action.verifies)


def read_check(facts: Facts, action: OnDemandRead) -> CheckVerdict:
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
            hold_refusal(rule, filed, request, expect.code)
            happened = f"{action.login} is refused. {why(trouble)}{again(trouble)}"
        case _:
            if expect.code is not None:
                rule.equal("code of the error", f"smt.{expect.code}", trouble and trouble.code)
            happened = f"{action.login} gets no read. {why(trouble)}"
    requested_at = iso_of(request and request.requested_at)
    evidence = {"requested_at": requested_at, "login": action.login, **request_evidence(request)}
    title = f"On-demand read {action.at:%m-%d %H:%M}"
    return verdict(action.ref, title, happened, evidence, rule, action.verifies)


def _hold_completed(rule: Rule, filed: list[Entry], login: str) -> None:
    rule.equal("end of the request in SMT's ledger", [State.COMPLETED], [entry.last.state for entry in filed])
    rule.equal("log-in that asked", [login], [entry.username for entry in filed])
