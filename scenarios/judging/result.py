"""``result.json``: what came out of a run, the same twice byte for byte. No path, port, token or wall time; money and seconds are text or whole."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from scenarios.judging.exchanges import Traffic
from scenarios.judging.facts import Facts
from scenarios.judging.findings import Verdict
from scenarios.recording import Recording
from scenarios.records.values import Record

#: Raised when a reader of an older result could misread a newer one.
FORMAT = 5

_CALL = ("asked_at", "told_at", "seconds_to_answer", "follow_up", "told_on", "marks", "sentences")
_GAP = ("intervals", "from_store", "from_meter", "missing", "holes", "uncovered", "reaches_to", "partial")
_BILL = ("usage_wh", "total_usd", "lines", "undecided")
_REBILLED = ("instant", "told_usd", "vee_usd", "told_wh", "vee_wh", "difference_usd", "covered")


def result_of(recording: Recording, verdict: Verdict, traffic: Traffic | None = None) -> dict[str, Any]:
    """Put the result together from the recording and its verdict. Pure. traffic: its steps and checks then name their exchanges."""
    facts = Facts(recording)
    scenario, call = facts.scenario, facts.call
    return {
        "format": FORMAT,
        "scenario": {"name": scenario.name, "title": scenario.title, "seed": scenario.seed},
        "policy": _json(recording.policy),
        "account": {
            "account_id": facts.account.account_id,
            "esiid": facts.esiid,
            "plan": facts.premise.plan,
            "cycle_first": facts.account.cycle_first.isoformat(),
            "cycle_last": facts.account.cycle_last.isoformat(),
        },
        **_judged(facts, verdict, traffic),
        "call": dict.fromkeys(_CALL) | _json(call, *_CALL),
        "decision": _json(call.decision) if call else None,
        "gap": _gap(facts),
        "bills": _bills(facts),
        "edge": _json(call.edges[0]) if call and call.edges else None,
    }


def _judged(facts: Facts, verdict: Verdict, traffic: Traffic | None) -> dict[str, Any]:
    """Steps, checks, mark and requirements."""
    told, about = asdict(verdict), facts.about.ref if facts.about else ""
    for step in told["steps"]:
        call: str = step["call"] or about
        if step["call"] is None:
            # Of several calls each step says which it is of.
            del step["call"]
        if traffic is not None:
            step["exchanges"] = traffic.steps.get((call, step["id"]), [])
    for one in told["checks"]:
        if traffic is not None:
            one["exchanges"] = traffic.judged.get(one["id"], [])
    return told


def _json(record: Record | None, *fields: str) -> dict[str, Any]:
    """JSON values of a record, of some of its fields if they are named; none of none."""
    return record.model_dump(mode="json", exclude_unset=True, include=set(fields) or None) if record else {}


def _gap(facts: Facts) -> dict[str, Any] | None:
    served = facts.call and facts.call.request.served
    if served is None or served.gap is None or facts.about is None:
        return None
    last = facts.last_lse(facts.at(facts.about))
    return {**_json(served.gap), **_json(served, *_GAP), "last_lse_file": last and last.file}


def _bills(facts: Facts) -> dict[str, Any]:
    """The bill as told at once, with the gap, projected, and made again once VEE data are in."""
    call, stand = facts.call, facts.call and facts.call.ahead
    bills: dict[str, Any] = dict.fromkeys(("instant", "with_gap", "projected", "rebilled"))
    for name, billed in (("instant", call and call.instant.stand), ("with_gap", call and call.with_gap)):
        if billed is not None:
            bills[name] = _json(billed, "to", "owed_usd", "rests_on") | _json(billed.bill, *_BILL)
    if stand is not None:
        bills["projected"] = {
            **_json(stand.projected_bill, *_BILL),
            **_json(stand.projection, "low_wh", "high_wh"),
            "usd_at_low_usage": str(stand.projected_usd_at_low_usage),
            "usd_at_high_usage": str(stand.projected_usd_at_high_usage),
            "usd": _json(stand.projected_usd),
            "rests_on": _json(stand, "projected_rests_on")["projected_rests_on"],
        }
    if facts.rebill is not None:
        bills["rebilled"] = dict.fromkeys(_REBILLED) | _json(facts.rebilled, *_REBILLED)
    return bills


def label(judged: dict[str, Any]) -> str:
    """What a step or check of a result is called; a step with its call, if there are several."""
    return f"{judged['id']} of {judged['call']}" if judged.get("call") else str(judged["id"])


def dumps(content: dict[str, Any]) -> str:
    """JSON text, keys sorted."""
    return json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
