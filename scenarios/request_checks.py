"""Checks of a retailer's or CSP's plain requests: a power status, an on-demand read of the register."""

from __future__ import annotations

from typing import Any

from scenarios.check_parts import again, hold_refusal, request_evidence, verdict
from scenarios.facts import Facts
from scenarios.findings import CheckVerdict, Rule
from scenarios.timeline import OnDemandRead, PowerStatus


def power_check(facts: Facts, action: PowerStatus) -> CheckVerdict:
    """How a power status request ended."""
    rule, expect = Rule(), action.expect
    request = facts.action(action.ref)
    power = (request.get("served") or {}).get("power") or {}
    rule.equal("how the request ended", expect.outcome, request.get("end"))
    if expect.status is not None:
        rule.equal("power status", expect.status, power.get("status"))
    if expect.outcome == "answered":
        _hold_completed(rule, facts.requests(action.ref, "POWER"), action.login)
    if expect.outcome == "refused":
        hold_refusal(rule, facts.requests(action.ref), request, expect.refusal)
    trouble = request.get("trouble") or {}
    if request.get("end") == "answered":
        volts = "no voltage told" if power.get("voltage") is None else f"{power['voltage']} V"
        happened = f"Power is {power.get('status')}: switch {str(power.get('switch_state')).lower()}, {volts}, by {power.get('source')}."
    else:
        happened = (
            f"{str(request.get('end') or 'nothing recorded').capitalize()}. {trouble.get('reason', '')}{again(trouble)}"
        )
    evidence = {
        "requested_at": request.get("requested_at"),
        **request_evidence(request),
        **({"power": power} if power else {}),
    }
    return verdict(action.ref, f"Power status {action.at:%m-%d %H:%M}", happened, evidence, rule, action.verifies)


def read_check(facts: Facts, action: OnDemandRead) -> CheckVerdict:
    """How an on-demand read ended, and who asked for it by SMT's ledger."""
    rule, expect = Rule(), action.expect
    request = facts.action(action.ref)
    filed = facts.requests(action.ref, "REGISTER")
    trouble = request.get("trouble") or {}
    rule.equal("how the request ended", expect.outcome, request.get("end"))
    match expect.outcome:
        case "answered":
            _hold_completed(rule, filed, action.login)
            rule.equal("meter reads", True, bool(filed) and filed[0]["transitions"][-1]["meter_reads"] > 0)
            happened = f"{action.login} reads the meter."
        case "refused":
            hold_refusal(rule, filed, request, expect.code)
            happened = f"{action.login} is refused. {trouble.get('reason', '')}{again(trouble)}"
        case _:
            if expect.code is not None:
                rule.equal("code of the error", f"smt.{expect.code}", trouble.get("code"))
            happened = f"{action.login} gets no read. {trouble.get('reason', '')}"
    evidence = {"requested_at": request.get("requested_at"), "login": action.login, **request_evidence(request)}
    title = f"On-demand read {action.at:%m-%d %H:%M}"
    return verdict(action.ref, title, happened, evidence, rule, action.verifies)


def _hold_completed(rule: Rule, filed: list[dict[str, Any]], login: str) -> None:
    rule.equal("end of the request in SMT's ledger", ["completed"], [one["transitions"][-1]["state"] for one in filed])
    rule.equal("log-in that asked", [login], [one["username"] for one in filed])
