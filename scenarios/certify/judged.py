"""The verdict: a pure function of statement, recording and the table of ids, told as ``result.json``, the same twice byte for byte."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, partial
from hashlib import sha256
from typing import Any, TypeVar

from scenarios.certify.headend import seen as headend
from scenarios.certify.meter import seen as meter
from scenarios.certify.meter.reading import readings
from scenarios.certify.observed import MOST, Observation, Observed, sound
from scenarios.certify.ror import seen as ror
from scenarios.certify.smt import seen as smt
from scenarios.certify.smt.looked import Looked
from scenarios.certify.statement import Statement
from scenarios.rules import certified
from scenarios.rules.certified import Held
from simulator.input.mistakes import sentence
from simulator.verdicts import Mark

_T = TypeVar("_T")
#: Raised when a reader of an older result could misread a newer one.
FORMAT = 1
#: What is seen of some ids, each observation with its id.
_Seen = Callable[[Observed, Collection[str]], Iterator[tuple[str, Observation]]]


def _by_id(look: Callable[[Observed], _T], seen: Mapping[str, Callable[[_T], Iterator[Observation]]]) -> _Seen:
    """Of what is looked at once, and by id what is seen in it."""

    def all_seen(all_of_it: Observed, ids: Collection[str]) -> Iterator[tuple[str, Observation]]:
        looked = cache(partial(look, all_of_it))

        def of(ident: str) -> Iterator[Observation]:
            yield from seen[ident](looked())

        return ((ident, one) for ident in ids for one in sound(partial(of, ident)))

    return all_seen


_SEEN: dict[str, _Seen] = {
    "headend": headend.seen,
    "ror": _by_id(ror.looked, ror.SEEN),
    "smt": _by_id(Looked, smt.SEEN),
    "meter": _by_id(readings, meter.SEEN),
}


#: By what leaves an id open, the gravest first, what is said of it: judging broke, no exchange shows it, nobody can compare what is told.
_OPEN: dict[str, Callable[[Observation], str]] = {
    "broke": lambda one: sentence(one.said),
    "unshown": lambda one: f"Nothing can be told of {one.step}: no exchange shows what was recorded of {one.ref}.",
    "needed": lambda one: f"In {one.step}, {one.ref}: {one.said}.",
}


@dataclass
class _Tally:
    """What was seen of an id. Of what is as it should be, of which there may be as much as there are exchanges, no more than is told."""

    #: How often it is as it should be, and the first exchanges that show it.
    held: int = 0
    cited: list[str] = field(default_factory=list)
    against: list[Observation] = field(default_factory=list)
    #: The first of which nothing can be told, by why that is: as in ``_OPEN``, or ``untold``.
    first: dict[str, Observation] = field(default_factory=dict)

    def add(self, one: Observation) -> None:
        if one.broke:
            self.first.setdefault("broke", one)
        elif one.held is not None and not one.exchanges:
            self.first.setdefault("unshown", one)
        elif one.held:
            self.held += 1
            if len(self.cited) < MOST:
                self.cited = [*self.cited, *one.cited][:MOST]
        elif one.held is False:
            self.against.append(one)
        else:
            self.first.setdefault("needed" if one.needed else "untold", one)

    @property
    def open(self) -> str:
        """Why it is open, whatever else holds; nothing where it is not."""
        return next((say(self.first[why]) for why, say in _OPEN.items() if why in self.first), "")


def result_of(said: Statement, all_of_it: Observed) -> dict[str, Any]:
    """The verdict on a system.

    failed: an exchange contradicts the id. passed: something was seen of it, and all of that holds. inconclusive: a fault of ours kept it from being
    seen, or nobody can compare what is told. skipped: it is not claimed, or what must come before it did not. A certificate needs every claimed shall passed, and none inconclusive.
    """
    all_of_it = replace(all_of_it, clock_s=said.tolerances.clock_s)
    claimed = {one.id: _Tally() for one in certified.claimed(said.role, said.claims)}
    for ident, observation in _SEEN[said.role](all_of_it, claimed):
        claimed[ident].add(observation)
    judged = [_judged(one, claimed.get(one.id), all_of_it) for one in certified.of_role(said.role)]
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
    return [(one.name, f"{one.name}: {sentence(said)}") for one in all_of_it.steps for said in one.own]


def _judged(held: Held, tally: _Tally | None, all_of_it: Observed) -> dict[str, Any]:
    """What is said of an id. tally: None where it is not claimed."""
    seen = tally or _Tally()
    against, open_at = seen.against, seen.first["needed"].cited if "needed" in seen.first else []
    own = [said for step, said in _own(all_of_it) if held.id in all_of_it.plan["bears"].get(step, ())]
    if tally is None:
        mark, said = Mark.SKIPPED, f"{held.claim} is not claimed."
    elif against:
        mark, said = Mark.FAILED, sentence(against[0].said)
    elif own:
        mark, said = Mark.INCONCLUSIVE, f"Nothing can be told of {own[0]}"
    elif seen.open:
        mark, said = Mark.INCONCLUSIVE, seen.open
    elif seen.held:
        mark, said = Mark.PASSED, f"Seen {seen.held} time{'s' * (seen.held > 1)}."
    else:
        mark, said = Mark.SKIPPED, _lacking(seen.first.get("untold"))
    return {
        "id": held.id,
        "claim": held.claim,
        "conformance": held.conformance,
        "source": held.source,
        "text": held.text,
        "mark": mark.value,
        "said": said,
        "seen": seen.held,
        "exchanges": [cited for one in against for cited in one.cited][:MOST] if against else seen.cited or open_at,
        "failures": [
            {"step": one.step, "ref": one.ref, "said": sentence(one.said), "exchanges": one.cited} for one in against
        ],
    }


def _lacking(why: Observation | None) -> str:
    """Why nothing was seen."""
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
