"""What can be done to a bed as a table: the call, its fields, and where one looks afterwards."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from math import isfinite
from typing import Any, NamedTuple

from reports.console.bed import BedProblem
from simulator.web.parts import Problem


def _number(text: str) -> float:
    found = float(text)
    if not isfinite(found):
        raise ValueError(text)
    return int(found) if found.is_integer() else found


def _params(text: str) -> dict[str, float]:
    return {
        name: _number(value)
        for name, _, value in (one.partition("=") for one in re.split(r"[,\s]+", text.strip()) if one)
    }


def _listed(text: str) -> list[str]:
    return [one for one in re.split(r"[,\s]+", text.strip()) if one]


def _instant(text: str) -> str:
    return text.strip()


class Doing(NamedTuple):
    """One thing. ``path``: with ``{ident}`` where it names one; ``fields``: of the body, each with how its text is read; ``page``: looked at after it."""

    method: str
    path: str
    page: str
    fields: Mapping[str, Callable[[str], Any]] = {}


DOINGS: Mapping[str, Doing] = {
    "advance": Doing("POST", "/control/clock/advance", "clock", {"seconds": _number, "to": _instant}),
    "speed": Doing("POST", "/control/clock/speed", "clock", {"speed": _number}),
    "fault": Doing(
        "POST",
        "/control/faults",
        "faults",
        {"kind": str, "esiid": str.strip, "first": _instant, "until": _instant, "params": _params},
    ),
    "fault-off": Doing("DELETE", "/control/faults/{ident}", "faults"),
    "complaint": Doing(
        "POST",
        "/control/complaints",
        "complaints",
        {
            "kind": str,
            "esiids": _listed,
            "username": str.strip,
            "until": _instant,
            "times": _number,
            "seconds": _number,
        },
    ),
    "complaint-off": Doing("DELETE", "/control/complaints/{ident}", "complaints"),
    "complaints-off": Doing("DELETE", "/control/complaints", "complaints"),
}


def body_of(doing: Doing, fields: Mapping[str, str]) -> dict[str, Any] | None:
    """The body that a form's fields make; what was left empty is not said. Raises BedProblem naming the field that cannot be read."""
    body: dict[str, Any] = {}
    for name, read in doing.fields.items():
        text = fields.get(name, "")
        if not text.strip():
            continue
        try:
            body[name] = read(text)
        except (ValueError, OverflowError):
            problem = Problem(
                name, f"The field '{name}' cannot be read as it is written.", "Write a number, or name=number."
            )
            raise BedProblem(400, problem) from None
    return body if doing.fields else None
