"""Every code that the product tells, as one list: of each where it comes from, what it means and how to mend what it tells of.

The tables are those that act; nothing is copied. Errors of users have none: they are read where they are raised (``raised``).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from typing import NamedTuple

from headend.lse.format import FAULT_KINDS, RESULT_CODES
from headend.vee.rules import RULES as VEE_RULES
from meters.faults.kinds import KINDS as FAULTS
from meters.faults.kinds import LOOKALIKES
from scenarios.errors import ScenarioError
from scenarios.rules.certified import held
from scenarios.rules.raised import raised, raised_codes
from scenarios.rules.requirements import REQUIREMENTS
from simulator.smt.complaints.hooks import REFUSED_WITH
from simulator.smt.complaints.kinds import KINDS as COMPLAINTS
from simulator.smt.errors import TABLE as SMT_ERRORS
from simulator.smt.ondemand.lifecycle import STORE_ONLY
from simulator.smt.ondemand.rules import RULES as ANSWER_RULES
from simulator.smt.throttle.policy import preset, preset_names
from simulator.verdicts import MEANS

_LATER = "Ask again from the time that the refusal tells (retryAt) on."


class Code(NamedTuple):
    """A code. ``kind``: what it is a code of; ``where``: the document, table or file that it comes from."""

    code: str
    kind: str
    where: str
    means: str
    mend: str = ""


def tabled() -> list[Code]:
    """Every code of a table. One that several rows tell stands once for each."""
    return [
        *(one for table in rules().values() for one in table),
        *(
            Code(kind, f"fault of a meter, {one.layer}", "meters/faults/kinds.csv", one.does)
            for kind, one in FAULTS.items()
        ),
        *(
            Code(kind, "look-alike of a fault", "meters/faults/lookalikes.csv", one.does)
            for kind, one in LOOKALIKES.items()
        ),
        *(Code(mark, "what a verdict can be", "simulator/verdicts.py", means) for mark, means in MEANS.items()),
    ]


def rules() -> dict[str, list[Code]]:
    """Those of them that someone is held to or that someone must be told, by the actor whose they are: what a scenario can show."""
    answers = list(_answers())
    certified = {
        role: [
            Code(one.id, f"what a {role} is certified by ({one.conformance})", one.source, one.text)
            for one in held().values()
            if one.role == role and one.id not in ANSWER_RULES
        ]
        for role in ("headend", "ror", "smt", "meter")
    }
    return {
        "": [Code(one.id, f"requirement ({one.conformance})", one.source, one.text) for one in REQUIREMENTS.values()],
        "TDSP": [
            *(one for one in answers if "head-end" in one.kind),
            *(
                Code(str(name), f"VEE rule, {one.severity}", one.source, _open(one.says), _thresholds(one.thresholds))
                for name, one in VEE_RULES.items()
            ),
        ],
        "requester": [one for one in answers if "requester" in one.kind],
        "TDSP, certified": certified["headend"],
        "ROR, certified": certified["ror"],
        "SMT, certified": certified["smt"],
        "meter, certified": certified["meter"],
        "SMT": [
            *(
                Code(code, "result code of an LSE file", "SMT's result codes", f"{text.capitalize()}.")
                for code, text in RESULT_CODES.items()
            ),
            *(
                Code(
                    one.code,
                    f"LSE {'warning' if one.code == '00' else 'fault'} in '{one.field}'",
                    "headend/lse/faults.csv",
                    one.what,
                    one.mend,
                )
                for one in FAULT_KINDS.values()
            ),
            *(
                Code(
                    one.code,
                    f"error of SMT's ({one.door}, HTTP {one.http})",
                    "simulator/smt/errors.csv",
                    _open(one.message),
                )
                for one in SMT_ERRORS
            ),
            *_refusals(),
            *(
                Code(
                    kind.value,
                    f"complaint of SMT's users, {one.where}",
                    "simulator/smt/complaints/kinds.csv",
                    one.does,
                    "It happens where it was switched on alone.",
                )
                for kind, one in COMPLAINTS.items()
            ),
        ],
    }


def explained(code: str) -> list[Code]:
    """What there is to say of a code, however it is written large or small. Raises ScenarioError of one that nothing tells."""
    every = tabled()
    found = [one for one in every if one.code == code] or [one for one in every if one.code.lower() == code.lower()]
    found += [Code(code, "error", told.file, told.message, told.mend) for told in raised(code)]
    if not found:
        near = get_close_matches(code, sorted({str(one.code) for one in every} | raised_codes()), n=1)
        mend = f"Did you mean {near[0]}?" if near else "Write it as it was told: AC1, F1, FR-CR016.1b, scenario.world."
        raise ScenarioError("code.unknown", f"Nothing here tells a code '{code}'.", mend=mend)
    return found


def _answers() -> Iterator[Code]:
    for one in ANSWER_RULES.values():
        mend = f"The {one.author} must mend it{'; it ends the request as failed' if one.fatal else ''}."
        yield Code(one.id, f"rule that the {one.author} is held to", one.source, _open(one.sentence), mend)


def _refusals() -> Iterator[Code]:
    """What the throttle's presets refuse with, the desk and the complaints; at the portal as it says it."""
    told: dict[tuple[str, str], list[str]] = {}
    for name in preset_names():
        for limit in preset(name).limits:
            for code in (limit.code, limit.portal_code):
                told.setdefault((code, limit.rule), []).append(name)
    told[STORE_ONLY.code, STORE_ONLY.reason] = ["store-only"]
    for (code, rule), policies in told.items():
        yield Code(code, "refusal of the throttle", f"policies: {', '.join(policies)}", rule, _LATER)
    for kind, codes in REFUSED_WITH.items():
        for code in dict.fromkeys(codes):
            yield Code(code, "refusal while a complaint is on", f"the complaint {kind}", COMPLAINTS[kind].does, _LATER)


def _open(sentence: str) -> str:
    """A sentence of a table, with what is filled in as dots."""
    return sentence.replace("{}", "...")


def _thresholds(thresholds: Iterable[str]) -> str:
    return f"Its thresholds: {', '.join(thresholds)}." if thresholds else ""
