"""Worlds are data: built the same twice, wrong ones refused with the place."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import ValidationError

from meters.calendar import day_end, day_start, days, epoch, to_us
from meters.device.special import SPECIALS, TWO_METERS, special_esiid
from meters.faults.kinds import FaultKind
from meters.load.premises import BUSINESS_CLASSES, HOME_CLASSES, LIVED_IN
from simulator.errors import SimulatorError
from simulator.input.yaml_text import read_yaml_file
from simulator.smt.registry.records import UserKind
from simulator.smt.registry.seeded import read_day_from
from simulator.smt.usage.billing_periods import billing_periods
from simulator.world.fault_spec import Declared, FaultSpec, read_happenings
from simulator.world.fleet_options import fleet_of
from simulator.world.market import build_market
from simulator.world.market_spec import OTHER_ROR_DUNS, ROR_DUNS
from simulator.world.meters import PremiseSpec, ScaleSpec, World, WorldSpec, build, default_world
from simulator.world.roster import find

FIRST = date(2026, 7, 8)
LATER = epoch("2026-09-01T00:00")


def fault(**fields: object) -> FaultSpec:
    return FaultSpec.model_validate(fields)


def test_35_posted_days_hold_a_whole_billing_period_of_the_first_two_esiids() -> None:
    for first in days(date(2027, 12, 1), date(2028, 12, 31)):
        periods = billing_periods(read_day_from(first), (), first, first + timedelta(days=35))
        assert any(start >= first for start, _ in periods), first
    points = list(build_market(build(WorldSpec(first_day=FIRST), 9)).registry.points.values())
    assert [point.read_day for point in points[:2]] == [FIRST.day] * 2
    assert len({point.read_day for point in points}) > 10


def test_the_same_seed_builds_the_same_world() -> None:
    first, second = (build(WorldSpec(first_day=FIRST), 9) for _ in range(2))
    assert [meter.identity for meter in first.meters] == [meter.identity for meter in second.meters]
    assert len({meter.identity.esiid for meter in first.meters}) == 40
    assert [len(units) for units in first.gateways] == [20, 20]


def test_a_scaled_premise_uses_what_it_was_told_over_its_days() -> None:
    to = ScaleSpec(first=date(2026, 7, 16), last=date(2026, 8, 14), kwh=1005)
    world = build(WorldSpec(first_day=FIRST, premises=(PremiseSpec(meter=1, scale_to=to),)), 9)
    first, last = (world.meters[0].midnight(day, LATER) for day in (date(2026, 7, 16), date(2026, 8, 15)))
    assert first is not None
    assert last is not None
    assert last[0] - first[0] == 1_005_000


def test_more_meters_than_the_gateways_hold_are_refused() -> None:
    with pytest.raises(ValidationError, match="need at least 3 gateways"):
        WorldSpec(first_day=FIRST, meters=500)


def test_a_fault_of_a_meter_that_is_not_there_is_refused() -> None:
    with pytest.raises(ValidationError, match="there is no meter 41"):
        WorldSpec(first_day=FIRST, faults=(fault(kind="dead", meter=41, first=datetime(2026, 8, 1)),))


def test_a_fault_inside_an_interval_names_its_place() -> None:
    broken = fault(kind="gap", meter=3, first=datetime(2026, 8, 1, 10, 7), until=datetime(2026, 8, 1, 11))
    with pytest.raises(SimulatorError, match=r"world\.faults: gap of meter 3"):
        build(WorldSpec(first_day=FIRST, faults=(broken,)), 1)


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


def test_faults_are_declared_by_meter_gateway_or_rate_and_are_in_the_ledger() -> None:
    faults = (
        fault(kind="no_path", gateway=2, first=datetime(2026, 7, 9), until=datetime(2026, 7, 9, 6)),
        fault(kind="swap", meters=(3, 4)),
        fault(kind="spike", rate=0.2, every="day", minutes=15, first=FIRST, until=datetime(2026, 7, 12), factor=30),
    )
    world = build(WorldSpec(first_day=FIRST, faults=faults), 1)
    entries = world.ledger(epoch("2026-07-08T00:00"), epoch("2026-07-12T00:00"))
    kinds = [entry.kind for entry in entries]
    assert (kinds.count("no_path"), kinds.count("swap")) == (20, 2)
    spikes = [entry for entry in entries if entry.kind == "spike"]
    assert 10 <= len(spikes) <= 60
    assert all(spike.effect is not None and spike.effect.shown_wh == 30 * spike.effect.true_wh for spike in spikes)
    assert world.meters[2].premise.esiid == world.esiid(4)
    assert entries == build(WorldSpec(first_day=FIRST, faults=faults), 1).ledger(
        epoch("2026-07-08T00:00"), epoch("2026-07-12T00:00")
    )


def test_magic_esiids_are_behind_the_last_gateway_and_the_rors() -> None:
    world = build(default_world(date(2026, 8, 12), date(2026, 8, 11), 40, special=True), 1, epoch("2026-08-12T12:00"))
    market = build_market(world)
    # The last two are at one ESI ID: the head-end and the records know the first.
    assert [len(units) for units in world.gateways] == [20, 20, len(SPECIALS) + 2]
    assert len(world.meters) == len(world.addresses("h", [1, 2, 3])) == 40 + len(SPECIALS) + 2
    assert len(world.gateways) == 3
    for special in SPECIALS:
        esiid = special_esiid(world.tdsp, special.number)
        assert market.registry.ror_of_record(esiid, date(2026, 8, 12)) == ROR_DUNS
    # One that another retailer serves is shown, unless there is none.
    served = {esiid: market.registry.ror_of_record(esiid, date(2026, 8, 12)) for esiid, _, _ in market.notes}
    (foreign,) = [esiid for esiid, _, note in market.notes if note.startswith("served by another retailer")]
    assert [esiid for esiid, duns in served.items() if duns != ROR_DUNS] == [foreign]
    alone = WorldSpec(first_day=FIRST, meters=4, gateways=1, special=True)
    assert not [note for _, _, note in build_market(build(alone, 1)).notes if note.startswith("served by another")]
    *magic, first, second = market.notes[-len(SPECIALS) - 2 :]
    assert [note for _, _, note in magic] == [special.note for special in SPECIALS]
    assert first[0] == second[0] == special_esiid(world.tdsp, TWO_METERS.number)
    here = market.registry.meters(market.registry.points[first[0]])
    assert [meter.meter_number for meter in here] == [first[1], second[1]]
    assert here[0].attributes.serial_number != here[1].attributes.serial_number
    assert len({device.mac for device in market.registry.records.han_devices}) == len(
        market.registry.records.han_devices
    )
    plain = build_market(build(default_world(date(2026, 8, 12), date(2026, 8, 11), 40), 1))
    assert market.notes[: len(plain.notes)] == plain.notes


def test_market_mix_has_businesses_and_the_sandboxes_first_meters_are_plain_homes() -> None:
    world = build(default_world(date(2026, 8, 12), date(2026, 8, 11), 300), 1)
    klasses = {meter.premise.klass for meter in world.meters}
    assert klasses & set(BUSINESS_CLASSES)
    for meter in world.meters[:2]:
        assert meter.premise.klass in HOME_CLASSES
        assert meter.premise.solar_w == meter.premise.ev_wh == 0
    business = next(meter for meter in world.meters if meter.premise.klass == "BUSMEDLF")
    assert business.identity.multiplier > 1
    points = build_market(world).registry.points
    assert points[business.identity.esiid].premise_type == "Commercial"


def test_swapped_replay_is_measured_at_the_other_meter(tmp_path: Path) -> None:
    profile = tmp_path / "profile.csv"
    rows = [f"2026-08-11T{quarter // 4:02}:{quarter % 4 * 15:02},777" for quarter in range(96)]
    profile.write_text("\n".join(["start,wh", *rows]) + "\n")
    premises = (PremiseSpec(meter=1, replay=profile),)
    at = epoch("2026-08-11T12:00")
    sound = build(WorldSpec(first_day=FIRST, premises=premises), 1)
    swapped = build(WorldSpec(first_day=FIRST, premises=premises, faults=(fault(kind="swap", meters=(1, 2)),)), 1)
    shown = [
        [meter.window(at, at + 3600, LATER).delivered.tolist() for meter in world.meters[:2]]
        for world in (sound, swapped)
    ]
    assert shown[0][0] == [777] * 4
    assert shown[1] == shown[0][::-1]


def test_premise_is_what_the_spec_says() -> None:
    special = PremiseSpec(meter=2, klass="BUSNODEM", solar_kw=5.5, multiplier=10, scale=1.25)
    world = build(WorldSpec(first_day=FIRST, premises=(special,)), 1)
    meter = world.meters[1]
    assert (meter.premise.klass, meter.premise.solar_w, meter.premise.scale) == ("BUSNODEM", 5500, 1.25)
    assert (meter.identity.multiplier, meter.identity.three_phase) == (10, True)


def snap(rest: str, zone: str = "NCENT", first: str = "2026-01-10", until: str = "2026-01-14") -> str:
    return f"weather:\n  - {{kind: cold_snap, zone: {zone}, first: {first}, until: {until}, {rest}}}\n"


def test_declared_weather_reaches_every_meter_of_a_world_and_of_a_fleet(tmp_path: Path) -> None:
    file, cold, spared = tmp_path / "snap.yaml", date(2026, 1, 11), date(2026, 1, 16)
    file.write_text(snap("degrees: 12"))
    spec = WorldSpec(first_day=date(2026, 1, 2), special=True)
    own = spec.model_copy(update={"weather": Declared.model_validate(read_yaml_file(file).value).weather})
    usual, beside, declared = build(spec, 9), build(spec, 9, more=read_happenings(file)), build(own, 9)

    def used(world: World, day: date) -> list[int]:
        windows = (
            meter.window(day_start(day), day_end(day), LATER) for units in world.gateways for meter in units.values()
        )
        return [int(window.delivered.sum()) for window in windows]

    snapped = used(declared, cold)
    assert used(beside, cold) == snapped
    changed = [more > one for more, one in zip(snapped, used(usual, cold), strict=True)]
    # But for vacant homes, and the magic ones whose record shows another thing than the load.
    lived_in = [meter.premise.scale >= LIVED_IN for meter in usual.meters[:40]]
    assert changed[:40] == lived_in
    assert sum(lived_in) > 30
    assert sum(changed) > 55
    # But for the last two, which share what their ESI ID has used since the era by the whole Wh.
    assert used(declared, spared)[:-2] == used(usual, spared)[:-2]
    fleet = fleet_of("ONCOR", 40, 9, "homes", file, None)
    assert next(fleet.day(cold)).delivered.sum(axis=1).tolist() == snapped[:40]
    meters = [one.window(day_start(cold), day_end(cold), LATER).delivered.sum() for one in fleet.meters()]
    assert meters == snapped[:40]
    found = find(fleet, special_esiid(fleet.tdsp, 30), cold)
    assert (
        found.load.day(cold).delivered.sum()
        > find(fleet_of("ONCOR", 40, 9, "homes", None, None), special_esiid(fleet.tdsp, 30), cold)
        .load.day(cold)
        .delivered.sum()
    )


def test_file_of_faults_is_read_and_its_mistakes_are_told_with_their_lines(tmp_path: Path) -> None:
    path = tmp_path / "faults.yaml"
    path.write_text("faults:\n  - {kind: dead, rate: 0.002}\n  - {kind: clock_drift, meter: 3, seconds_a_day: 4}\n")
    assert [rule.kind for rule in read_happenings(path).rules] == [FaultKind.DEAD, FaultKind.CLOCK_DRIFT]
    path.write_text("faults:\n  - {kind: zero, rate: 0.1, channel: received}\n  - {kind: zero, rate: 0.1}\n")
    assert [rule.channel for rule in read_happenings(path).rules] == ["received", None]
    for text, mistake in (
        ("faults:\n  - {kind: dad, rate: 0.1}\n", r"faults\.yaml:2: faults\[1\]\.kind.*Did you mean dead"),
        (
            "faults:\n  - kind: spike\n    meter: 1\n    facto: 3\n",
            r"faults\.yaml:2: faults\[1\].*'facto' is no field.*factor",
        ),
        ("faults:\n  - {kind: spike, meter: 1, factor: much}\n", r"faults\[1\].*factor is 'much', not a number"),
        ("faults:\n  - {kind: dead}\n", r"faults\.yaml:2: faults\[1\].*whom"),
        ("faults:\n  - {kind: dead, rate: 2}\n", r"faults\.yaml:2: faults\[1\]\.rate.*out of range"),
        (
            "faults:\n  - {kind: zero, rate: 0.1, channel: recieved}\n",
            r"faults\.yaml:2: faults\[1\]\.channel.*received",
        ),
        (
            "faults:\n  - {kind: dead, rate: 0.1, channel: both}\n",
            r"faults\.yaml:2: faults\[1\].*A dead has no channel",
        ),
        ("faults: [\n", r"faults\.yaml:.*no YAML"),
        ("fault: []\n", r"faults\.yaml:1: fault.*no field"),
        ("weather:\n  - {kind: cold_snapp, zone: COAST}\n", r"faults\.yaml:2: weather\[1\].*Did you mean cold_snap"),
        (snap("degrees: 44"), r"faults\.yaml:2: weather\[1\]\.degrees.*out of range"),
        (
            snap("degrees: 4", zone="NCENTRAL"),
            r"faults\.yaml:2: weather\[1\]: cold_snap: There is no weather zone 'NCENTRAL'\. Zones",
        ),
        (snap("degrees: 4", until="2026-03-01"), r"faults\.yaml:2: weather\[1\]: cold_snap: .* 50 days\. Give 'until'"),
        (
            snap("degrees: 4") + snap("degrees: 4").split("\n", 1)[1],
            r"faults\.yaml:3: weather\[2\]: cold_snap: Another spell has days of these.*Give each day",
        ),
        (snap("degrees: 4", first="2019-01-09"), r"faults\.yaml:2: weather\[1\]: cold_snap: .*before 2020"),
        (snap("degrees: 4", first="2026-01-10T05:00"), r"faults\.yaml:2: weather\[1\]\.first"),
        ("lookalikes:\n  - {kind: spike, meter: 1}\n", r"faults\.yaml:2: lookalikes\[1\]\.kind.*peak"),
        (
            "lookalikes:\n  - {kind: peak, meter: 1, facto: 4}\n",
            r"faults\.yaml:2: lookalikes\[1\].*'facto' is no field",
        ),
        (
            "lookalikes:\n  - {kind: peak, rate: 0.1}\n",
            r"faults\.yaml:2: lookalikes\[1\]: peak.*between first and until",
        ),
        ("faults:\n  - {kind: peak, meter: 1, first: 2026-01-01}\n", r"faults\.yaml:2: faults\[1\]\.kind"),
        ("", r"faults\.yaml"),
    ):
        path.write_text(text)
        with pytest.raises(SimulatorError, match=mistake):
            read_happenings(path)
    with pytest.raises(SimulatorError, match=r"faults\.unreadable.*nowhere\.yaml"):
        read_happenings(tmp_path / "nowhere.yaml")


def test_an_access_point_has_no_power_when_all_its_meters_have_the_same_outage() -> None:
    first, until = datetime(2026, 8, 11, 10), datetime(2026, 8, 11, 12)
    faults = (
        FaultSpec(kind=FaultKind.OUTAGE, gateway=2, first=first, until=until),
        FaultSpec(kind=FaultKind.OUTAGE, meter=1, first=first, until=until),
    )
    world = build(WorldSpec(first_day=FIRST, meters=8, gateways=2, faults=faults), 7)
    assert world.dark() == {0: [], 1: [(to_us(epoch("2026-08-11T10:00")), to_us(epoch("2026-08-11T12:00")))]}


BESIDE = PremiseSpec.model_validate({"meter": 2, "beside": {"meter": 1, "percent": 30}})


def test_two_meters_at_one_esi_id_measure_parts_of_one_load_and_have_faults_of_their_own() -> None:
    spec = WorldSpec(first_day=FIRST, meters=6, premises=(BESIDE,), faults=(fault(kind="dead", meter=2),))
    world, alone = build(spec, 9), build(WorldSpec(first_day=FIRST, meters=6), 9)
    first, second, third = world.meters[:3]
    assert first.identity.esiid == second.identity.esiid == alone.esiid(1)
    assert len({meter.identity.meter_number for meter in world.meters}) == 6
    start, end = day_start(FIRST), day_end(FIRST)
    whole, parts = (
        [meter.window(start, end, LATER).delivered.astype(int) for meter in meters]
        for meters in (alone.meters[:1], (first, second))
    )
    assert (parts[0] + parts[1] == whole[0]).all()
    assert 0.29 < parts[1].sum() / whole[0].sum() < 0.31
    assert (third.identity, third.faults) == (alone.meters[2].identity, ())
    assert [one.kind for one in second.faults] == [FaultKind.DEAD]
    assert first.faults == ()
    assert [(one.esiid, one.kind) for one in world.faults] == [(world.esiid(1), FaultKind.DEAD)]


def test_smt_has_two_meters_at_one_service_point_and_the_market_goes_by_ordinals_all_the_same() -> None:
    market = {
        "occupancies": [{"meter": 3, "customer": "customer.two"}],
        "agreements": [{"meter": 3, "customer": "customer.two", "first_day": FIRST}],
        "switches": [{"meter": 5, "to": ROR_DUNS, "effective": FIRST + timedelta(days=1)}],
        "service_points": [{"meter": 4, "lse": False}],
    }
    spec = WorldSpec.model_validate({"first_day": FIRST, "meters": 6, "premises": [BESIDE], "market": market})
    world = build(spec, 9)
    registry = build_market(world).registry
    point = registry.points[world.esiid(1)]
    assert [one.meter_number for one in registry.meters(point)] == [
        meter.identity.meter_number for meter in world.meters[:2]
    ]
    assert [one.esiid for one in registry.points.values()][:5] == list(
        dict.fromkeys(meter.identity.esiid for meter in world.meters)
    )
    of_record = [registry.ror_of_record(world.esiid(ordinal), FIRST) for ordinal in range(1, 7)]
    assert of_record == [ROR_DUNS] * 3 + [OTHER_ROR_DUNS] * 3
    assert registry.ror_of_record(world.esiid(5), FIRST + timedelta(days=1)) == ROR_DUNS
    assert not registry.points[world.esiid(4)].lse
    assert registry.may_see(registry.users["customer.two"], world.esiid(3), FIRST)
    assert registry.may_see(registry.users["windmill.api"], world.esiid(3), FIRST)


@pytest.mark.parametrize(
    ("premises", "market", "said"),
    [
        ([{"meter": 2, "beside": {"meter": 2, "percent": 30}}], {}, "name an earlier one"),
        ([{"meter": 2, "beside": {"meter": 1, "percent": 30}}, {"meter": 3, "beside": {"meter": 2, "percent": 30}}], {}, "that is beside none"),
        ([{"meter": 2, "beside": {"meter": 1, "percent": 30}}, {"meter": 3, "beside": {"meter": 1, "percent": 30}}], {}, "an ESI ID has two at most"),
        ([{"meter": 2, "beside": {"meter": 1, "percent": 30}, "scale": 2}], {}, "leave scale out"),
        ([{"meter": 2, "beside": {"meter": 1, "percent": 100}}], {}, "less than or equal to 99"),
        ([{"meter": 2, "beside": {"meter": 1, "percent": 30}}], {"occupancies": [{"meter": 2, "customer": "customer.two"}]}, "name that one"),
    ],
)  # fmt: skip
def test_what_cannot_be_beside_a_meter_is_refused(premises: list[object], market: object, said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        WorldSpec.model_validate({"first_day": FIRST, "meters": 6, "premises": premises, "market": market})
