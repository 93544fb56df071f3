"""A fleet behind its gateways, and one meter of it found by its ESI ID."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from meters.calendar import epoch
from meters.device.special import SPECIALS, TWO_METERS, special_esiid
from meters.fleet import GATEWAY_METERS, Fleet
from meters.identity import tdsp
from simulator.errors import SimulatorError
from simulator.world.fleet import behind_gateways, fleet_entry, world_of
from simulator.world.fleet_options import fleet_of
from simulator.world.roster import Place, company_of, find, place_of

ONCOR, DAY, NOON = tdsp("ONCOR"), date(2026, 8, 12), epoch("2026-08-12T12:00")
FLEET = Fleet(ONCOR, 3, 4)


def test_a_gateway_is_full_before_the_next_begins_and_the_magic_ones_have_their_own() -> None:
    behind, notes = behind_gateways(Fleet(ONCOR, 3, GATEWAY_METERS + 1), False, NOON)
    assert ([len(meters) for meters in behind], notes) == ([GATEWAY_METERS, 1], {})
    behind, notes = behind_gateways(FLEET, True, NOON)
    assert [len(meters) for meters in behind] == [4, len(SPECIALS) + 2]
    assert set(notes) == {meter.identity.meter_number for meter in behind[-1]}


@pytest.mark.parametrize(("count", "place"), [(1, Place(1, 1, 1)), (247, Place(1, 247, 247)), (248, Place(2, 1, 248))])
def test_a_meters_place_is_its_gateway_and_unit(count: int, place: Place) -> None:
    assert place_of(count) == place


def test_the_world_around_a_fleet_has_its_meters() -> None:
    world = world_of(FLEET, True, DAY, NOON)
    assert [len(units) for units in world.gateways] == [4, len(SPECIALS) + 2]
    assert world.esiid(4) == FLEET.premise(4).esiid
    assert len(world_of(FLEET, False, DAY, NOON).meters) == 4
    assert fleet_entry(fleet_of("oncor", 4, 3, "market", None, None), True) == {
        "tdsp": "ONCOR",
        "seed": 3,
        "count": 4,
        "mix": "market",
        "special": True,
    }


@pytest.mark.parametrize("count", [3, 10_001])
def test_no_market_is_made_for_too_few_meters_or_too_many(count: int) -> None:
    with pytest.raises(SimulatorError, match=rf"^market\.meters: --count: .* {count} meters") as caught:
        world_of(Fleet(ONCOR, 3, count), False, DAY, NOON)
    assert caught.value.mend.startswith("Give 4 to 10000,")


def test_a_mix_that_there_is_not_names_those_that_there_are() -> None:
    with pytest.raises(SimulatorError, match=r"^meters\.mix: --mix: There is no mix 'farms'\. Choose homes, market\."):
        fleet_of("oncor", 4, 3, "farms", None, None)


def test_a_meter_is_found_with_its_place_and_a_magic_one_behind_the_last_gateway() -> None:
    third, beyond = FLEET.premise(3).esiid, FLEET.premise(5).esiid
    found = find(FLEET, third, DAY)
    assert (found.meter.identity.esiid, found.place, found.note, found.beside) == (third, Place(1, 3, 3), "", ())
    assert find(FLEET, beyond, DAY).place is None
    magic = find(FLEET, special_esiid(ONCOR, SPECIALS[0].number), DAY)
    assert (magic.place, magic.note) == (Place(2, 1, None), SPECIALS[0].note)


def test_of_two_meters_at_an_esi_id_the_first_is_found_unless_another_is_named() -> None:
    esiid = special_esiid(ONCOR, TWO_METERS.number)
    first = find(FLEET, esiid, DAY)
    (other,) = first.beside
    second = find(FLEET, esiid, DAY, other)
    assert second.meter.identity.meter_number == other
    assert second.beside == (first.meter.identity.meter_number,)
    with pytest.raises(SimulatorError, match=rf"no meter 1 at {esiid}") as caught:
        find(FLEET, esiid, DAY, "1")
    assert (caught.value.place, caught.value.mend) == ("--meter", f"There is {second.beside[0]} and {other}.")


def test_an_esi_id_is_a_companys_by_prefix_and_length() -> None:
    assert company_of(FLEET.premise(1).esiid) == ONCOR
    for wrong in ("", "1044372992438548", "99999999999999999", "1044372x924385485"):
        with pytest.raises(SimulatorError, match=r"^meters\.esiid\.unknown: .*They begin 1044372 \(ONCOR, 17 digits\)"):
            company_of(wrong)
    with pytest.raises(SimulatorError) as caught:
        find(FLEET, "10443720000000000", DAY)
    assert "'ami meters list' names the fleet's" in caught.value.mend


def test_the_first_meter_of_a_fleet_may_have_a_load_of_its_own(tmp_path: Path) -> None:
    file = tmp_path / "load.csv"
    starts = [f"2026-08-12T{hour:02}:{minute:02}" for hour in range(24) for minute in (0, 15, 30, 45)]
    file.write_text("\n".join(["start,wh", *(f"{start},250" for start in starts)]))
    fleet = fleet_of("oncor", 4, 3, "homes", None, file)
    assert [find(fleet, fleet.premise(one).esiid, DAY).replayed for one in (1, 2)] == [True, False]
