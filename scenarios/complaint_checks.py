"""Checks of the complaints of a run, from its beginning or declared in its middle: each must have struck, and none after it was lifted."""

from __future__ import annotations

from collections import Counter
from typing import Any

from meters.calendar import iso, local
from scenarios.facts import Facts, ts
from scenarios.findings import CheckVerdict, Rule
from scenarios.timeline import ComplaintAction


def complaint_check(facts: Facts, action: ComplaintAction) -> CheckVerdict:
    """A complaint that was declared by the control API, or lifted."""
    done = facts.action(action.ref)
    if action.declare is not None:
        return _struck(facts, action.ref, str(done.get("id")), action.declare.kind.value, action.verifies)
    rule = Rule()
    rule.equal("answer of the control API", 200, done.get("status"))
    late = [iso(one["at"]) for one in _strikes(facts, str(done.get("id"))) if one["at"] > ts(done.get("at"))]
    rule.equal("strikes after that", [], late)
    at = ts(done.get("at"))
    happened = f"Lifted by the control API at {local(at):%Y-%m-%d %H:%M}, after {done.get('strikes')} strikes."
    evidence = {"complaint": done.get("id"), "strikes": done.get("strikes"), "lifted_at": done.get("at")}
    title = f"Complaint lifted {action.at:%m-%d %H:%M}"
    return CheckVerdict(action.ref, title, happened, evidence, rule.mark, action.verifies, tuple(rule.failures))


def complaint_checks(facts: Facts) -> list[CheckVerdict]:
    """One check for each complaint that was on from the beginning: one that never struck shows nothing."""
    return [
        _struck(facts, f"complaint-{number}", f"complaint-{number}", one.kind.value, ())
        for number, one in enumerate(facts.scenario.complaints, 1)
    ]


def _strikes(facts: Facts, ident: str) -> list[dict[str, Any]]:
    return list(facts.notes("SMT", "complaint", ident))


def _struck(facts: Facts, check: str, ident: str, kind: str, verifies: tuple[str, ...]) -> CheckVerdict:
    rule = Rule()
    mine = _strikes(facts, ident)
    rule.holds("it struck", bool(mine), "at least once", len(mine))
    times = "once" if len(mine) == 1 else f"{len(mine)} times"
    happened = f"On purpose: {kind} struck {times}." if mine else f"{kind} never struck."
    evidence = {
        "strikes": len(mine),
        "did": dict(sorted(Counter(str(note.get("did")) for note in mine).items())),
        "first_strike": iso(mine[0]["at"]) if mine else None,
        "last_strike": iso(mine[-1]["at"]) if mine else None,
    }
    return CheckVerdict(check, f"Complaint {kind}", happened, evidence, rule.mark, verifies, tuple(rule.failures))
