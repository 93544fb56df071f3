"""Checks of the complaints of a run, from its beginning or declared in its middle: each must have struck, and none after it was lifted."""

from __future__ import annotations

from collections import Counter

from meters.calendar import iso, local
from scenarios.judging.check_parts import verdict
from scenarios.judging.facts import Facts, iso_of
from scenarios.judging.findings import CheckVerdict, Rule
from scenarios.recording.actions import RecordedComplaint
from scenarios.recording.journal import ComplaintNote
from scenarios.timeline import ComplaintAction


def complaint_check(facts: Facts, action: ComplaintAction) -> CheckVerdict:
    """A complaint that was declared by the control API, or lifted."""
    done = facts.action(RecordedComplaint, action.ref)
    ident = str(done and done.id)
    if action.declare is not None:
        return _struck(facts, action.ref, ident, action.declare.kind.value, action.verifies)
    rule = Rule()
    rule.equal("answer of the control API", 200, done and done.status)
    at = 0 if done is None else done.at
    late = [iso(note.at) for note in facts.notes(ComplaintNote, ident) if note.at > at]
    rule.equal("strikes after that", [], late)
    strikes = done and done.strikes
    happened = f"Lifted by the control API at {local(at):%Y-%m-%d %H:%M}, after {strikes} strikes."
    evidence = {"complaint": done and done.id, "strikes": strikes, "lifted_at": iso_of(done and done.at)}
    return verdict(action.ref, f"Complaint lifted {action.at:%m-%d %H:%M}", happened, evidence, rule, action.verifies)


def complaint_checks(facts: Facts) -> list[CheckVerdict]:
    """One check for each complaint that was on from the beginning: one that never struck shows nothing."""
    return [
        _struck(facts, f"complaint-{number}", f"complaint-{number}", complaint.kind.value, ())
        for number, complaint in enumerate(facts.scenario.complaints, 1)
    ]


def _struck(facts: Facts, check: str, ident: str, kind: str, verifies: tuple[str, ...]) -> CheckVerdict:
    rule = Rule()
    mine = list(facts.notes(ComplaintNote, ident))
    rule.holds("it struck", bool(mine), "at least once", len(mine))
    times = "once" if len(mine) == 1 else f"{len(mine)} times"
    happened = f"On purpose: {kind} struck {times}." if mine else f"{kind} never struck."
    evidence = {
        "strikes": len(mine),
        "did": dict(sorted(Counter(note.did for note in mine).items())),
        "first_strike": iso(mine[0].at) if mine else None,
        "last_strike": iso(mine[-1].at) if mine else None,
    }
    return verdict(check, f"Complaint {kind}", happened, evidence, rule, verifies)
