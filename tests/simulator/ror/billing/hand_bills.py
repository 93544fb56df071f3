"""The bills that were worked by hand (``docs/bills/bills.csv``), read without any of the product."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

FOLDER = Path(__file__).parents[4] / "docs" / "bills"
#: By unit: what a quantity times a price is a multiple of dollars of.
UNITS = {"kWh x c/kWh": Fraction(1, 100), "cycle x $": Fraction(1), "$ x %": Fraction(1, 100)}


class HandLine(NamedTuple):
    kind: str
    quantity: str
    unit: str
    price: str
    amount: Decimal


class HandBill(NamedTuple):
    name: str
    #: The row's columns of what is billed.
    of: dict[str, str]
    lines: list[HandLine]
    total: Decimal


@cache
def hand_bills() -> tuple[HandBill, ...]:
    return tuple(_read())


def _read() -> Iterator[HandBill]:
    with (FOLDER / "bills.csv").open(encoding="utf-8", newline="") as file:
        for name, its in groupby(csv.DictReader(file), key=lambda row: row["bill"]):
            rows = list(its)
            lines = [
                HandLine(row["line"], row["quantity"], row["unit"], row["price"], Decimal(row["amount"]))
                for row in rows
            ]
            yield HandBill(name, rows[0], lines[:-1], lines[-1].amount)


def worth(line: HandLine) -> Fraction:
    """Quantity x price in dollars, exact."""
    return Fraction(line.quantity) * Fraction(line.price) * UNITS[line.unit]
