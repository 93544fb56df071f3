"""Worlds are data: built the same twice, wrong ones refused with the place."""

from __future__ import annotations

from datetime import date, datetime

import pytest
from pydantic import ValidationError

from simulator.errors import SimulatorError
from simulator.market import build_market
from simulator.smt.registry import UserKind
from simulator.world import (
    OTHER_ROR_DUNS,
    ROR_DUNS,
    FaultSpec,
    PremiseSpec,
    ScaleSpec,
    WorldSpec,
    build,
    default_world,
)

FIRST = date(2026, 7, 8)


def test_the_same_seed_builds_the_same_world() -> None:
    one, two = (build(WorldSpec(first_day=FIRST), 9) for _ in range(2))
    assert [meter.identity for meter in one.meters] == [meter.identity for meter in two.meters]
    assert len({meter.identity.esiid for meter in one.meters}) == 40
    assert [len(units) for units in one.gateways] == [20, 20]


def test_a_scaled_premise_uses_what_it_was_told_over_its_days() -> None:
    to = ScaleSpec(first=date(2026, 7, 16), last=date(2026, 8, 14), kwh=1005)
    world = build(WorldSpec(first_day=FIRST, premises=(PremiseSpec(meter=1, scale_to=to),)), 9)
    meter = world.meters[0]
    assert meter.midnight(date(2026, 8, 15))[0] - meter.midnight(date(2026, 7, 16))[0] == 1_005_000


def test_more_meters_than_the_gateways_hold_are_refused() -> None:
    with pytest.raises(ValidationError, match="need at least 3 gateways"):
        WorldSpec(first_day=FIRST, meters=500)


def test_a_fault_of_a_meter_that_is_not_there_is_refused() -> None:
    with pytest.raises(ValidationError, match="there is no meter 41"):
        WorldSpec(first_day=FIRST, faults=(FaultSpec(kind="dead", meter=41, first=datetime(2026, 8, 1)),))


def test_a_fault_inside_an_interval_names_its_place() -> None:
    fault = FaultSpec(kind="gap", meter=3, first=datetime(2026, 8, 1, 10, 7), until=datetime(2026, 8, 1, 11))
    with pytest.raises(SimulatorError, match=r"world\.faults: gap of meter 3"):
        build(WorldSpec(first_day=FIRST, faults=(fault,)), 1)


def test_the_first_gateway_is_one_retailers_and_the_rest_the_others() -> None:
    world = build(default_world(date(2026, 8, 12), date(2026, 8, 11), 40), 1)
    market = build_market(world)
    for gateway, duns in ((0, ROR_DUNS), (1, OTHER_ROR_DUNS)):
        for meter in world.gateways[gateway].values():
            assert market.registry.ror_of_record(meter.identity.esiid, date(2026, 8, 12)) == duns


def test_the_first_two_meters_are_ordinary_and_the_customer_owns_the_first() -> None:
    world = build(default_world(date(2026, 8, 12), date(2026, 8, 11), 40), 1)
    market = build_market(world)
    assert [note[0] for note in market.notes[:2]] == [world.esiid(1), world.esiid(2)]
    assert not [fault for fault in world.faults if fault.esiid in (world.esiid(1), world.esiid(2))]
    (customer,) = [user for user in market.registry.users.values() if user.kind is UserKind.CUSTOMER]
    assert customer.esiids == (world.esiid(1),)
    assert len(market.notes) >= 5


@pytest.mark.parametrize("meters", [4, 8, 10, 40, 300])
def test_a_default_world_of_any_size_builds(meters: int) -> None:
    world = build(default_world(date(2026, 8, 12), date(2026, 8, 11), meters), 1)
    assert len(world.meters) == meters
