"""The bills that were worked by hand are right by arithmetic alone: no bill code is asked."""

from __future__ import annotations

import ast
from decimal import Decimal
from fractions import Fraction
from math import floor
from pathlib import Path

import pytest

from tests.simulator.ror.billing import hand_bills as reader
from tests.simulator.ror.billing.hand_bills import HandBill, hand_bills, worth


@pytest.mark.parametrize("one", hand_bills(), ids=lambda one: one.name)
def test_each_line_is_quantity_times_price_and_the_total_their_sum(one: HandBill) -> None:
    for line in one.lines:
        exact = worth(line) * 100
        rounded = floor(abs(exact) + Fraction(1, 2))
        assert line.amount * 100 == (rounded if exact > 0 else -rounded), line
    assert one.total == sum((line.amount for line in one.lines), Decimal(0))
    before_tax = sum((line.amount for line in one.lines if line.kind != "tax"), Decimal(0))
    assert all(Decimal(line.quantity) == max(before_tax, 0) for line in one.lines if line.kind == "tax")


def test_the_bills_are_at_least_sixty_and_show_what_they_say() -> None:
    shown = " ".join(one.of["shows"] for one in hand_bills())
    assert len(hand_bills()) >= 60
    for feature in (
        "golden",
        "spring day",
        "autumn day",
        "switched",
        "moved",
        "solar",
        "closing",
        "waived",
        "tier",
        "fee",
    ):
        assert feature in shown


def test_no_bill_code_is_imported_here() -> None:
    for file in (__file__, reader.__file__):
        tree = ast.parse(Path(file).read_text(encoding="utf-8"))
        names = {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
        assert not {name for name in names if name.startswith(("simulator", "meters", "headend"))}
