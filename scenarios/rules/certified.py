"""What a system in a role is held to: ``certified.csv``, a row each; those that SMT's rules for answers know too have their ids."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Held:
    """One of them. ``claim``: with which it is asked of a system, empty for always; ``conformance``: shall or should."""

    id: str
    role: str
    claim: str
    conformance: str
    source: str
    text: str


def table() -> str:
    """The table as it is written."""
    return Path(__file__).with_suffix(".csv").read_text(encoding="utf-8")


@cache
def held() -> dict[str, Held]:
    """By id, in the order of the table."""
    return {row["id"]: Held(**row) for row in csv.DictReader(table().splitlines())}


def of_role(role: str) -> list[Held]:
    """Those of a role."""
    return [one for one in held().values() if one.role == role]


def claimed(role: str, claims: Iterable[str]) -> list[Held]:
    """Those of a role that what is claimed brings with it."""
    said = {"", *claims}
    return [one for one in of_role(role) if one.claim in said]
