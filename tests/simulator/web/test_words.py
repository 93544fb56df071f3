"""How pages write energy, money and time."""

from __future__ import annotations

from decimal import Decimal

import pytest

from meters.calendar import epoch, seconds
from simulator.web.words import clock, instant, kwh, money, spaced


@pytest.mark.parametrize(("wh", "text"), [(0, "0.000"), (7, "0.007"), (1_234_500, "1,234.500"), (-20, "-0.020")])
def test_energy_is_told_to_the_watt_hour(wh: int, text: str) -> None:
    assert kwh(wh) == text


@pytest.mark.parametrize(("dollars", "text"), [("0", "$0.00"), ("1234.5", "$1,234.50"), ("-0.2", "-$0.20")])
def test_money_is_told_to_the_cent(dollars: str, text: str) -> None:
    assert money(Decimal(dollars)) == text


def test_an_instant_has_its_zone_and_the_hour_that_comes_twice_has_two() -> None:
    assert instant(epoch("2026-08-12T17:40")) == "Wed Aug 12 17:40 CDT"
    first = epoch("2026-11-01T01:30-05:00")
    assert [instant(first), instant(first + seconds(3600))] == ["Sun Nov 01 01:30 CDT", "Sun Nov 01 01:30 CST"]
    assert clock(epoch("2026-01-12T17:40")) == "17:40:00 CST"


@pytest.mark.parametrize(
    ("name", "text"),
    [("meterSerialNumber", "Meter serial number"), ("DGChannel", "DGChannel"), ("address", "Address"), ("HANProtocol", "HANProtocol"), ("esiid", "ESI ID")],
)  # fmt: skip
def test_a_fields_name_is_told_in_words(name: str, text: str) -> None:
    assert spaced(name) == text
