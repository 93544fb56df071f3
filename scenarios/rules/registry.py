"""The registry of requirements: all that a scenario can be held to, as rows made from the tables that act; scenarios and verdicts cite their ids.

What no scenario shows is shown by tests, or not at all: ``tested.csv`` names them and says why no scenario does.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from scenarios.rules.codes import Code, rules
from scenarios.rules.requirements import REQUIREMENTS


@dataclass(frozen=True, slots=True)
class Row:
    """One id. ``conformance``: what kind of statement it is; ``tests``: those that show it where no scenario does; ``why_not``: why none does.

    ``untested``: what of it no scenario shows, and why; empty if nothing is left out.
    """

    id: str
    source: str
    actor: str
    conformance: str
    text: str
    untested: str = ""
    tests: tuple[str, ...] = ()
    why_not: str = ""


def _load() -> dict[str, Row]:
    """Of an id that several tables tell the first counts; its sources are all told."""
    tables, elsewhere = rules(), _elsewhere()
    by_id: dict[str, list[tuple[str, Code]]] = {}
    for actor, table in tables.items():
        for one in table:
            by_id.setdefault(one.code, []).append((actor, one))
    found = {}
    for ident, told in by_id.items():
        (actor, first), own = told[0], REQUIREMENTS.get(ident)
        source = "; ".join(dict.fromkeys(one.where for _, one in told))
        if own:
            kept = (own.actor, own.conformance, own.text, own.untested)
        else:
            kept = (actor, first.kind, first.means, "")
        found[ident] = Row(ident, source, *kept, *elsewhere.get(ident, ((), "")))
    return found


@cache
def _elsewhere() -> dict[str, tuple[tuple[str, ...], str]]:
    """By id the tests that show it and why no scenario does."""
    found: dict[str, tuple[tuple[str, ...], str]] = {}
    with Path(__file__).with_name("tested.csv").open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream, strict=True):
            for ident in row["ids"].split():
                tests, why = found.get(ident, ((), ""))
                found[ident] = ((*tests, *row["tests"].split()), why or row["why"])
    return found


#: By id, the use case first.
REGISTRY: dict[str, Row] = _load()
