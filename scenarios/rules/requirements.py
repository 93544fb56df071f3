"""The ids of the use case, and what is decided where it is silent, as rows in ``requirements.csv``: what stands in no table that acts."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Requirement:
    """One requirement. ``source``: where in the use case it stands; ``actor``: who is held to it; ``conformance``: what kind of statement it is.

    ``untested``: what of it no scenario shows, and why; empty if nothing is left out.
    """

    id: str
    source: str
    actor: str
    text: str
    conformance: str
    untested: str


def registry_text() -> str:
    """The registry as it is written."""
    return Path(__file__).with_name("requirements.csv").read_text(encoding="utf-8")


def _load() -> dict[str, Requirement]:
    return {row["id"]: Requirement(**row) for row in csv.DictReader(registry_text().splitlines(keepends=True))}


#: By id, in the order of the use case; the decisions last.
REQUIREMENTS: dict[str, Requirement] = _load()
