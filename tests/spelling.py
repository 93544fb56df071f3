"""How keys of JSON are spelled, by the table in ``docs/design.md``, and what of a document is spelled otherwise."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

DESIGN = Path(__file__).parents[1] / "docs" / "design.md"
FORMS = {"snake_case": r"[a-z][a-z0-9]*(_[a-z0-9]+)*", "camelCase": r"[a-z][a-zA-Z0-9]*", "SMT's": r".*"}
#: Keys below which the keys are names (of accounts, actions, requirements, packages, codes, findings), and below which SMT is quoted.
NAMES = {"actions", "requirements", "versions", "codes", "results", "findings", "refused_by"}
NAMES |= {"accounts", "begun", "usage"}
QUOTED = {"market", "portal"}


def table() -> dict[str, str]:
    """The form of each document's keys: of a path's first word, or of a file's name."""
    told = DESIGN.read_text("utf-8").partition("| JSON | keys |\n  |---|---|\n")[2].partition("\n\n")[0]
    rows = (row.strip("| ").split(" | ") for row in told.splitlines())
    return {name: form for names, form, *_ in rows for name in re.findall(r"`(.+?)`", names)}


def misspelled(document: str, value: Any) -> set[str]:
    """The keys of a document that are not in its form."""
    form = FORMS[table()[document]]
    return {key for key in _keys(value) if not re.fullmatch(form, key)}


def _keys(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for one in value:
            yield from _keys(one)
    elif isinstance(value, dict):
        for key, one in value.items():
            yield key
            if key in NAMES and isinstance(one, dict):
                yield from _keys(list(one.values()))
            elif key not in QUOTED:
                yield from _keys(one)
