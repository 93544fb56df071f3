"""What an SMT's throttle did that is against its rules, as it went over the wires."""

from __future__ import annotations

from collections.abc import Sequence

from meters.calendar import (
    Micros,
    to_s,
)
from scenarios.certify.observed import Step
from scenarios.certify.smt.asked import Asked
from scenarios.file.refusals import policy_of
from simulator.smt.ondemand.invariants import Asking, Author, Breach, breaches
from simulator.smt.throttle.limits import Door, Kind, Requested, Scope


def breaches_in(step: Step, asked: Sequence[Asked]) -> dict[tuple[str, str], list[Breach]]:
    """What the throttle of a step's SMT did against the rules; counted again from what went over the wires."""
    assert step.recording is not None
    lives = []
    for one in asked:
        if one.filed is None or not (one.inquiry or one.turned_away):
            continue
        scopes = dict.fromkeys(Scope, "") | {Scope.ESIID: str(one.filed.ask.get("ESIID"))}
        kind = Kind.STATUS if one.action.kind == "POWER" else Kind.READ
        life = Asking(
            one.action.ref,
            to_s(one.filed.exchange.at_us),
            Requested(kind, Door(one.action.door), scopes),
            was_admitted(one),
            -1,
        )
        events: list[tuple[Micros, int]] = [(one.filed.exchange.at_us, 1)]
        back, by = one.back("answer"), one.answer_by
        if back is not None and not one.late(back):
            life.ended_at, life.success = to_s(back.at_us), life.admitted and _success(one)
        elif by is not None and by <= to_s(one.polls[-1].exchange.at_us if one.polls else one.filed.exchange.at_us):
            life.ended_at = by
        lives.append((events[0][0], life))
    _number(lives)
    found: dict[tuple[str, str], list[Breach]] = {}
    for breach in breaches(policy_of(step.recording.scenario), [life for _, life in lives]):
        if breach.author is Author.SMT:
            found.setdefault((step.name, breach.key), []).append(breach)
    return found


def _number(lives: Sequence[tuple[Micros, Asking]]) -> None:
    """Put beginnings and ends into one order, by their instants: an end before a beginning of the same second."""
    events: list[tuple[int, int, Asking]] = []
    for at_us, life in lives:
        events.append((to_s(at_us), 1, life))
        if life.ended_at is not None:
            events.append((life.ended_at, 0, life))
    for number, (_, begins, life) in enumerate(sorted(events, key=lambda one: one[:2])):
        if begins:
            life.after = number
        else:
            life.ended_after = number


def was_admitted(one: Asked) -> bool:
    return bool(one.inquiry.get("meterAllowed"))


def _success(one: Asked) -> bool:
    return one.completed and bool(one.answer.get("meterReads"))
