"""What several checks are made of: how a refusal is held to its rule, the evidence of an on-demand request, the verdict of a check."""

from __future__ import annotations

from typing import Any

from meters.calendar import local
from scenarios.facts import ts
from scenarios.findings import CheckVerdict, Rule

#: The refusal that no waiting lifts.
FOR_GOOD = "STORE-ONLY"


def again(trouble: dict[str, Any]) -> str:
    """When to try again, as a sentence."""
    return f" Try again from {local(ts(trouble['retry_at'])):%Y-%m-%d %H:%M}." if trouble.get("retry_at") else ""


def request_evidence(request: dict[str, Any]) -> dict[str, Any]:
    """What a verdict shows of an on-demand request."""
    served, trouble = request.get("served") or {}, request.get("trouble") or {}
    found = {
        "ended": request.get("end"),
        "correlation_id": request.get("correlation_id"),
        "seconds": request.get("seconds"),
        "from_store": served.get("from_store"),
        "from_meter": served.get("from_meter"),
        "meter_reads": served.get("meter_reads"),
        "reaches_to": served.get("reaches_to"),
        "refusal": trouble.get("code"),
        "retry_at": trouble.get("retry_at"),
    }
    return {key: value for key, value in found.items() if value is not None}


def hold_refusal(rule: Rule, filed: list[dict[str, Any]], request: dict[str, Any], code: str | None) -> None:
    """A refusal names its rule, a reason, and when to come back; and it cost no meter read."""
    trouble = request.get("trouble") or {}
    if code is not None:
        rule.equal("code of the refusal", code, trouble.get("code"))
    rule.holds("the refusal has a reason", bool(trouble.get("reason")), "a reason", trouble.get("reason"))
    if trouble.get("code") != FOR_GOOD:
        later = ts(trouble.get("retry_at")) > ts(request.get("ended_at"))
        rule.holds(
            "the refusal says when to try again",
            later,
            f"a time after {request.get('ended_at')}",
            trouble.get("retry_at"),
        )
    for entry in filed:
        last = entry["transitions"][-1]
        rule.equal("end of the request in SMT's ledger", "refused", last["state"])
        rule.equal("meter reads that the refused request cost", 0, last["meter_reads"])


def verdict(
    ident: str, title: str, happened: str, evidence: dict[str, Any], rule: Rule, shows: tuple[str, ...]
) -> CheckVerdict:
    """The verdict of a check, by the rules that it was held to."""
    return CheckVerdict(ident, title, happened, evidence, rule.mark, shows, tuple(rule.failures))
