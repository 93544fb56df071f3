"""``result.json``: what came out of a run, the same twice byte for byte. No path, port, token or wall time; money and seconds are text or whole."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from scenarios.facts import Facts, told_stand
from scenarios.findings import Verdict
from scenarios.recording import Recording

#: Raised when a reader of an older result could misread a newer one.
FORMAT = 1


def result_of(recording: Recording, verdict: Verdict) -> dict[str, Any]:
    """Put the result together from the recording and its verdict. Pure."""
    facts = Facts(recording)
    scenario = facts.scenario
    call = facts.action(facts.first_call.ref) if facts.first_call is not None else {}
    return {
        "format": FORMAT,
        "scenario": {"name": scenario.name, "title": scenario.title, "seed": scenario.seed},
        "policy": recording.policy,
        "account": {
            "account_id": scenario.account.account_id,
            "esiid": facts.esiid,
            "plan": recording.world["plan"],
            "cycle_first": scenario.account.cycle_first.isoformat(),
            "cycle_last": scenario.account.cycle_last.isoformat(),
        },
        "passed": verdict.passed,
        **verdict.to_dict(),
        "call": {key: call.get(key) for key in ("asked_at", "told_at", "seconds_to_answer", "told_on", "sentences")},
        "decision": call.get("decision"),
        "gap": _gap(facts, call),
        "bills": _bills(facts, call),
        "edge": next(iter(call.get("edges") or []), None),
    }


def _gap(facts: Facts, call: dict[str, Any]) -> dict[str, Any] | None:
    served = (call.get("request") or {}).get("served") or {}
    if not served.get("gap"):
        return None
    last = facts.last_lse(facts.at(facts.first_call)) if facts.first_call is not None else None
    kept = ("intervals", "from_store", "from_meter", "missing", "holes", "uncovered", "reaches_to", "partial")
    return {
        **served["gap"],
        **{key: served[key] for key in kept},
        "last_lse_file": None if last is None else last.file,
    }


def _bills(facts: Facts, call: dict[str, Any]) -> dict[str, Any]:
    """The bill on VEE data only, with the gap, projected, and made again once VEE data are in."""
    told = told_stand(call)
    bills: dict[str, Any] = {
        name: None if call.get(name) is None else {"to": call[name]["to"], **_short(call[name]["bill"])}
        for name in ("vee_only", "with_gap")
    }
    bills["projected"] = None
    if told is not None:
        bills["projected"] = {
            **_short(told["projected_bill"]),
            "low_wh": told["projection"]["low_wh"],
            "high_wh": told["projection"]["high_wh"],
            "usd_at_low_usage": told["projected_usd_at_low_usage"],
            "usd_at_high_usage": told["projected_usd_at_high_usage"],
        }
    again = facts.rebill_of(facts.first_call.ref) if facts.first_call is not None else None
    keys = ("instant", "told_usd", "vee_usd", "told_wh", "vee_wh", "difference_usd", "covered")
    bills["rebilled"] = None if again is None else {key: again[1].get(key) for key in keys}
    return bills


def _short(bill: dict[str, Any]) -> dict[str, Any]:
    return {key: bill[key] for key in ("usage_wh", "total_usd", "lines", "undecided", "tax_usd")}


def write(content: dict[str, Any], path: Path) -> None:
    """Write JSON, whole or not at all, keys sorted."""
    part = path.with_name(path.name + ".part")
    part.write_text(dumps(content), encoding="utf-8")
    part.replace(path)


def dumps(content: dict[str, Any]) -> str:
    """JSON text, keys sorted."""
    return json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
