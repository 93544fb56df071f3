"""The verdict: a pure function of statement, recording and the table of ids, told as ``result.json``, the same twice byte for byte."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from hashlib import sha256
from typing import Any

from scenarios import certified
from scenarios.certified import Held
from scenarios.certify.headend import answered, posted
from scenarios.certify.meter import seen as meter
from scenarios.certify.meter.reading import readings
from scenarios.certify.observed import MOST, Observation, Observed
from scenarios.certify.ror import seen as ror
from scenarios.certify.smt import seen as smt
from scenarios.certify.smt.looked import Looked
from scenarios.certify.statement import Statement
from simulator.verdicts import Mark

#: Raised when a reader of an older result could misread a newer one.
FORMAT = 1
#: By role what is looked at, and by id what is seen in it.
_SEEN: dict[str, tuple[Callable[[Observed], Any], Mapping[str, Callable[[Any], Iterator[Observation]]]]] = {
    "headend": (lambda all_of_it: all_of_it, answered.SEEN | posted.SEEN),
    "ror": (ror.looked, ror.SEEN),
    "smt": (Looked, smt.SEEN),
    "meter": (readings, meter.SEEN),
}


def result_of(said: Statement, all_of_it: Observed) -> dict[str, Any]:
    """The verdict on a system.

    failed: an exchange contradicts the id. passed: something was seen of it, and all of that holds. inconclusive: a fault of ours kept it from being
    seen. skipped: it is not claimed, or what must come before it did not. A certificate needs every claimed shall passed, and none inconclusive.
    """
    all_of_it = replace(all_of_it, clock_s=said.tolerances.clock_s)
    claimed = {one.id for one in certified.claimed(said.role, said.claims)}
    look, seen = _SEEN[said.role]
    looked_at = look(all_of_it)
    judged = [
        _judged(one, list(seen[one.id](looked_at)) if one.id in claimed else None, all_of_it)
        for one in certified.of_role(said.role)
    ]
    asked = [one for one in judged if one["id"] in claimed]
    shall = [Mark(one["mark"]) for one in asked if one["conformance"] == "shall"]
    inconclusive = any(one["mark"] == Mark.INCONCLUSIVE for one in asked) or bool(_own(all_of_it))
    certificate = bool(shall) and all(one is Mark.PASSED for one in shall) and not inconclusive
    mark = Mark.PASSED if certificate else Mark.INCONCLUSIVE if inconclusive else Mark.SKIPPED
    if Mark.FAILED in shall:
        mark = Mark.FAILED
    return {
        "format": FORMAT,
        "role": said.role,
        "sut": {"name": said.name, "version": said.version, "contact": said.contact},
        "claims": list(said.claims),
        "certificate": certificate,
        "mark": mark.value,
        "why": _why(mark, asked, all_of_it),
        "ids": judged,
        "steps": [
            {
                "name": one.name,
                "title": one.title,
                "state": one.why or "; ".join(one.own) or "whole",
                "exchanges": one.traffic.chain.exchanges if one.traffic else 0,
                "wire": one.traffic.chain.head if one.traffic else "",
            }
            for one in all_of_it.steps
        ],
        "registry": sha256(certified.table().encode()).hexdigest(),
    }


def dumps(result: dict[str, Any]) -> str:
    """A result as it is written."""
    return json.dumps(result, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def _own(all_of_it: Observed) -> list[tuple[str, str]]:
    """Steps that show nothing, each with the fault of ours because of which."""
    return [(one.name, f"{one.name}: {_sentence(said)}") for one in all_of_it.steps for said in one.own]


def _judged(held: Held, observations: list[Observation] | None, all_of_it: Observed) -> dict[str, Any]:
    """What is said of an id. observations: None where it is not claimed."""
    seen = observations or []
    against, for_it = [one for one in seen if one.held is False], [one for one in seen if one.held]
    own = [said for step, said in _own(all_of_it) if held.id in all_of_it.plan["bears"].get(step, ())]
    if observations is None:
        mark, said = Mark.SKIPPED, f"{held.claim} is not claimed."
    elif against:
        mark, said = Mark.FAILED, _sentence(against[0].said)
    elif own:
        mark, said = Mark.INCONCLUSIVE, f"Nothing can be told of {own[0]}"
    elif for_it:
        mark, said = Mark.PASSED, f"Seen {len(for_it)} time{'s' * (len(for_it) > 1)}."
    else:
        mark, said = Mark.SKIPPED, _lacking(seen)
    return {
        "id": held.id,
        "claim": held.claim,
        "conformance": held.conformance,
        "source": held.source,
        "text": held.text,
        "mark": mark.value,
        "said": said,
        "seen": len(for_it),
        "exchanges": [cited for one in (against or for_it) for cited in one.cited][:MOST],
        "failures": [
            {"step": one.step, "ref": one.ref, "said": _sentence(one.said), "exchanges": one.cited} for one in against
        ],
    }


def _lacking(seen: Sequence[Observation]) -> str:
    """Why nothing was seen."""
    why = next((one for one in seen if one.held is None), None)
    if why is None:
        return "Nothing that could show it was answered soundly."
    return f"What must come before it did not: in {why.step}, {why.ref}: {why.said}."


def _why(mark: Mark, asked: Sequence[dict[str, Any]], all_of_it: Observed) -> str:
    own = _own(all_of_it)
    if mark is Mark.INCONCLUSIVE and own:
        return own[0][1]
    worst = [
        one["id"]
        for one in asked
        if one["mark"] == mark and (one["conformance"] == "shall" or mark is Mark.INCONCLUSIVE)
    ]
    match mark:
        case Mark.PASSED:
            lacks = [one["id"] for one in asked if one["mark"] != Mark.PASSED]
            but = f"; not so of what should be: {', '.join(lacks)}" if lacks else ""
            return f"Every claimed shall holds{but}."
        case Mark.FAILED:
            return f"Not as it shall be: {', '.join(worst)}."
        case _:
            return f"Nothing was shown of {', '.join(worst) or 'what is claimed'}."


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}{'' if text.endswith('.') else '.'}"
