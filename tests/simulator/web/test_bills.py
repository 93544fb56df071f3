"""What the kit shows of a bill: sums that are checked, both sides of an edge, numbers that lead to where they come from."""

from __future__ import annotations

import re
from dataclasses import replace
from decimal import Decimal

import pytest

from simulator.web.bills import Piece, Side, Total, linked
from simulator.web.gallery import bills


def test_parts_add_up_to_the_watt_hour_and_the_cent_or_it_is_said() -> None:
    states = bills()
    assert [name for name, one in states.items() if not one.adds_up] == ["it does not add up"]
    both = states["with the read, beside it without"]
    assert both.other_total is not None
    for wrong in (
        replace(both, total=both.total._replace(wh=both.total.wh + 1)),
        replace(both, total=both.total._replace(usd=both.total.usd - Decimal("0.01"))),
        replace(both, other_total=Total(both.other_total.wh, both.other_total.usd + Decimal("0.01"))),
    ):
        assert not wrong.adds_up


def test_a_bar_has_a_bar_of_each_kind_with_energy() -> None:
    drawn = {name: re.findall(r'data-kind="(\w+)"', str(one.bar)) for name, one in bills().items()}
    assert drawn["told without a read"] == ["actual", "expected"]
    assert drawn["with the read, beside it without"] == ["actual", "estimated", "store", "meter"]
    assert drawn["nothing used yet"] == []


@pytest.mark.parametrize(("odds", "widths"), [(52, ["52", "48"]), (0, ["100"]), (100, ["100"])])
def test_the_two_sides_of_an_edge_fill_a_bar(odds: int, widths: list[str]) -> None:
    assert re.findall(r'width="(\d+)%" height="18"/>', str(Side("", "", "", odds, "", "").bar)) == widths


@pytest.mark.parametrize(
    ("sentence", "pieces"),
    [
        ("You owe $1.10.", [Piece("You owe "), Piece("$1.10", "#a"), Piece(".")]),
        ("for $11.10 and -$1.10 and $1.105", [Piece("for $11.10 and -$1.10 and $1.105")]),
        ("58.4, 158.4, 58.45 and 58.4 kWh", [Piece("58.4", "#b"), Piece(", 158.4, 58.45 and "), Piece("58.4", "#b"), Piece(" kWh")]),
        ("$1.10", [Piece("$1.10", "#a")]),
        ("", []),
    ],
)  # fmt: skip
def test_a_whole_number_with_a_place_leads_there_and_a_part_of_one_does_not(sentence: str, pieces: list[Piece]) -> None:
    assert linked(sentence, {"$1.10": "a", "58.4": "b"}) == pieces
    assert "".join(one.text for one in pieces) == sentence
