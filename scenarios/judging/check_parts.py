"""What several checks are made of: how a refusal is held to its rule, the evidence of an on-demand request, the verdict of a check."""

from __future__ import annotations

from typing import Any

from meters.calendar import local
from scenarios.judging.facts import iso_of
from scenarios.judging.findings import CheckVerdict, Rule
from scenarios.recording.actions import RecordedRequest, Trouble
from scenarios.recording.ledger import Entry
from simulator.smt.ondemand.lifecycle import State

#: The refusal that no waiting lifts.
FOR_GOOD = "STORE-ONLY"


def again(trouble: Trouble | None) -> str:
    """When to try again, as a sentence."""
    at = trouble and trouble.retry_at
    return "" if at is None else f" Try again from {local(at):%Y-%m-%d %H:%M}."


def why(trouble: Trouble | None) -> str:
    """What was said of it."""
    return "" if trouble is None else trouble.reason


def request_evidence(request: RecordedRequest | None) -> dict[str, Any]:
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


def hold_refusal(rule: Rule, filed: list[Entry], request: RecordedRequest | None, code: str | None) -> None:
    """A refusal names its rule, a reason, and when to come back; and it cost no meter read."""
    trouble = request and request.trouble
    if code is not None:
        rule.equal("code of the refusal", code, trouble and trouble.code)
    rule.holds("the refusal has a reason", bool(why(trouble)), "a reason", why(trouble) or None)
    if trouble is None or trouble.code != FOR_GOOD:
        retry_at, ended_at = trouble and trouble.retry_at, request and request.ended_at
        later = retry_at is not None and retry_at > (ended_at or 0)
        rule.holds("the refusal says when to try again", later, f"a time after {iso_of(ended_at)}", iso_of(retry_at))
    for entry in filed:
        rule.equal("end of the request in SMT's ledger", State.REFUSED, entry.last.state)
        rule.equal("meter reads that the refused request cost", 0, entry.last.meter_reads)


def verdict(
    ident: str, title: str, happened: str, evidence: dict[str, Any], rule: Rule, shows: tuple[str, ...]
) -> CheckVerdict:
    """The verdict of a check, by the rules that it was held to."""
    return CheckVerdict(ident, title, happened, evidence, rule.mark, shows, tuple(rule.failures))
