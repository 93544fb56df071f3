"""The layout as data: what SunSpec says it must be, what the pages say it is, and the meter model's values within their types."""

from __future__ import annotations

import json
from math import sqrt
from pathlib import Path

import pytest
import sunspec2.device
import sunspec2.mdef
from hypothesis import given
from hypothesis import strategies as st

from meters.calendar import seconds
from meters.identity import MeterIdentity
from meters.register_map import layout as wire
from meters.register_map.encode import meter_points
from meters.register_map.points import Block, PointType, Value
from meters.shown import Live, Power
from tests.meters.register_map.pages import DOCS, pages

HOME = MeterIdentity("900000001", "1008901999999999999999")
BUSINESS = MeterIdentity("900000002", "1008901999999999999999", three_phase=True)
INT16 = range(-0x7FFF, 0x8000)


def shown(watts: int = 0, decivolts: int = 2400, failed: bool = False, **registers: int) -> tuple[Live, Power]:
    energy = {"delivered_register": 5, "received_register": 3, "delivered_total": 5, "received_total": 3} | registers
    live = Live(
        time=seconds(0),
        **energy,
        partial_delivered=0,
        partial_received=0,
        partial_seconds=seconds(0),
        switch_closed=True,
    )
    return live, Power(watts, decivolts, failed)


def scaled(points: dict[str, Value], name: str, scale: str) -> float:
    return int(points[name]) * 10.0 ** int(points[scale])


@pytest.mark.parametrize(("model", "block"), [(1, wire.COMMON_BLOCK), (202, wire.METER_BLOCK), (203, wire.METER_BLOCK)])
def test_standard_models_are_those_of_the_official_model_files(model: int, block: Block) -> None:
    official = sunspec2.device.get_model_def(model)["group"]["points"]
    assert [(point.name, str(point.type), point.size, point.scale) for point in block.points] == [
        (point["name"], point["type"], point["size"], point.get("sf", "")) for point in official
    ]


@pytest.mark.parametrize("identity", [HOME, BUSINESS])
def test_every_point_that_the_official_model_file_demands_is_there(identity: MeterIdentity) -> None:
    points = meter_points(identity, *shown(watts=500))
    official = sunspec2.device.get_model_def(points["ID"])["group"]["points"]
    assert {point["name"] for point in official if point.get("mandatory") == "M"} <= set(points)


def test_model_file_of_the_vendor_model_is_a_valid_one() -> None:
    assert sunspec2.mdef.validate_model_def(json.loads(pages()[DOCS / "sunspec" / "model_64209.json"])) == ""


@pytest.mark.parametrize("path", pages(), ids=lambda path: path.name)
def test_pages_in_docs_are_made_from_the_layout(path: Path) -> None:
    assert path.read_text(encoding="utf-8") == pages()[path], "write them again with `make pages`"


@given(watts=st.integers(-3_000_000, 3_000_000), decivolts=st.integers(0, 6000), three_phase=st.booleans())
def test_whatever_flows_the_meter_model_holds_it_and_agrees_with_itself(
    watts: int, decivolts: int, three_phase: bool
) -> None:
    identity = BUSINESS if three_phase else HOME
    points = meter_points(identity, *shown(watts, decivolts))
    phases = "ABC" if three_phase else "AB"
    for point in wire.METER_BLOCK.points:
        if point.type is PointType.INT16 and point.name in points:
            assert int(points[point.name]) in INT16
    wire.METER_BLOCK.pack(points)
    step = 10.0 ** int(points["W_SF"])
    assert abs(scaled(points, "W", "W_SF") - watts) <= step / 2
    assert abs(sum(scaled(points, f"Wph{phase}", "W_SF") for phase in phases) - watts) <= 2 * step
    assert scaled(points, "VA", "VA_SF") == pytest.approx(abs(scaled(points, "W", "W_SF")), abs=2 * step)
    assert points["VAR"] == 0
    if decivolts >= 1000:
        amperes, volts = scaled(points, "A", "A_SF"), scaled(points, "PhV", "V_SF")
        assert amperes >= 0
        assert amperes * volts == pytest.approx(abs(watts), abs=volts * 10.0 ** int(points["A_SF"]))


def test_split_phase_has_two_legs_and_no_third() -> None:
    points = meter_points(HOME, *shown(watts=4801, decivolts=2402))
    assert (points["ID"], points["PPV"], points["PhVphAB"]) == (202, 2402, 2402)
    assert (points["PhV"], points["PhVphA"], points["PhVphB"]) == (1201, 1201, 1201)
    assert (points["W"], points["WphA"], points["WphB"]) == (4801, 2401, 2400)
    assert (points["A"], points["AphA"], points["AphB"], points["AphC"]) == (3998, 1999, 1998, 0)
    assert {"PhVphC", "PhVphBC", "PhVphCA", "WphC", "VAphC", "VARphC", "PFphC"} & set(points) == set()


def test_wye_has_three_phases_of_120_volt_and_208_between_them() -> None:
    points = meter_points(BUSINESS, *shown(watts=30_001, decivolts=2080))
    assert (points["ID"], points["PPV"]) == (203, 2080)
    assert [points[name] for name in ("PhVphAB", "PhVphBC", "PhVphCA")] == [2080] * 3
    assert [points[name] for name in ("PhV", "PhVphA", "PhVphB", "PhVphC")] == [round(2080 / sqrt(3))] * 4
    assert [points[f"Wph{phase}"] for phase in "ABC"] == [10_001, 10_000, 10_000]


def test_surplus_is_negative_power_and_positive_current() -> None:
    points = meter_points(HOME, *shown(watts=-3600))
    assert (points["W"], points["WphA"], points["A"], points["VA"]) == (-3600, -1800, 3000, 3600)


def test_failed_line_is_an_event_without_volts_or_hertz() -> None:
    points = meter_points(HOME, *shown(decivolts=0, failed=True))
    assert points["Evt"] == 1 << 2
    assert (points["PPV"], points["Hz"], points["A"]) == (0, 0, 0)
    assert meter_points(HOME, *shown())["Evt"] == 0


def test_what_the_meter_does_not_have_is_not_implemented_on_the_wire() -> None:
    registers = wire.METER_BLOCK.pack(meter_points(HOME, *shown(watts=900)))
    at = {name: (address - wire.METER_BLOCK.first) * 2 for name, address in wire.METER_BLOCK.addresses.items()}
    for name in ("PhVphC", "WphC", "TotVAh_SF", "TotVArh_SF"):
        assert registers[at[name] : at[name] + 2] == b"\x80\0"
    for name in ("TotWhImpPhA", "TotVAhExp", "TotVArhExpQ4PhC"):
        assert registers[at[name] : at[name] + 4] == bytes(4)
    common = wire.COMMON_BLOCK.pack({})
    assert common[-4:] == b"\xff\xff\x80\0"


def test_points_come_back_as_they_were_packed() -> None:
    values: dict[str, Value] = {"ESIID": "10443720000000000", "Mult": 100_000, "PartDel": -5, "RegDel": 2**63, "Sw": 1}
    packed = wire.HEADER_BLOCK.pack(values)
    registers = [int.from_bytes(packed[at : at + 2], "big") for at in range(0, len(packed), 2)]
    back = wire.HEADER_BLOCK.unpack(registers)
    assert {name: back[name] for name in values} == values
    assert all(back[point.name] == point.missing for point in wire.HEADER_BLOCK.points if point.name not in values)
