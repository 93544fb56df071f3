from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meters import register_map as wire
from meters.calendar import day_of, day_start, epoch
from meters.errors import MeterError
from meters.faults import Fault
from meters.identity import MeterIdentity, Premise, make_esiid, tdsp
from meters.load import ERA
from meters.meter import EmulatedMeter

ESIID = make_esiid(tdsp("CENTERPOINT"), 1, 1)
#: Registers beyond 2^32 Wh, and a received one that differs: directions and wraps show.
IDENTITY = MeterIdentity("900000001", ESIID, initial_delivered_wh=2**33, initial_received_wh=77_000)
METER = EmulatedMeter(IDENTITY, Premise(ESIID, "COAST"), 1)
NOW = epoch("2026-08-12T17:40") + 22


def read(address: int, count: int, now: int = NOW) -> list[int]:
    return wire.encode(METER, now, address, count)


def text(registers: list[int]) -> str:
    return np.array(registers, ">u2").tobytes().rstrip(b"\0").decode()


def test_sunspec_chain_of_models_leads_from_the_mark_to_the_end() -> None:
    assert text(read(40000, 2)) == "SunS"
    at, models = 40002, []
    while (head := read(at, 2))[0] != 0xFFFF:
        models.append((at, *head))
        at += 2 + head[1]
    assert [model[:2] for model in models] == [(40002, 1), (40070, 202), (40177, wire.VENDOR_MODEL)]
    assert [model[2] for model in models[:2]] == [66, 105]
    assert (at, read(at, 2)) == (wire.END_MODEL, [0xFFFF, 0])
    assert wire.END <= 65536


def test_delivered_energy_is_sunspec_import_and_received_is_export() -> None:
    live = METER.live(NOW)
    imported, exported = read(40116, 2), read(40108, 2)
    assert imported[0] << 16 | imported[1] == live.delivered_register % 2**32
    assert live.delivered_register > 2**32
    assert exported[0] << 16 | exported[1] == live.received_register == 77_000
    assert read(40124, 1) == [0]
    header = wire.decode_header(read(wire.HEADER, wire.HEADER_COUNT))
    assert (header.delivered_register, header.received_register) == (live.delivered_register, 77_000)


def test_split_phase_model_shows_voltage_frequency_power_and_no_event() -> None:
    live = METER.live(NOW)
    assert wire.decode_voltage(read(wire.PPV, wire.V_SF - wire.PPV + 1)) == live.decivolts / 10
    assert read(40077, 1)[0] == live.decivolts // 2
    assert (read(40086, 2), read(40088, 1), read(40092, 1)) == ([6000, 0xFFFE], [live.watts], [0])
    assert abs(read(40072, 1)[0] / 10 - live.watts / (live.decivolts / 10)) < 0.1
    assert read(40175, 2) == [0, 0]


def test_common_model_names_the_meter() -> None:
    assert text(read(40004, 16)) == "ami-testbed"
    assert text(read(40052, 16)) == "900000001"


def test_header_says_who_what_time_and_how_much() -> None:
    header, live = wire.decode_header(read(wire.HEADER, wire.HEADER_COUNT)), METER.live(NOW)
    assert header == wire.Header(
        esiid=ESIID,
        meter_number="900000001",
        multiplier=1,
        firmware=IDENTITY.firmware,
        clock=NOW,
        switch_closed=True,
        interval_s=900,
        partial_delivered=live.partial_delivered,
        partial_received=0,
        partial_seconds=622,
        delivered_register=live.delivered_register,
        received_register=77_000,
    )
    assert wire.HEADER_COUNT <= wire.MAX_READ


@settings(max_examples=60)
@given(address=st.integers(wire.BASE, wire.END - 1), count=st.integers(1, wire.MAX_READ))
def test_any_read_is_the_sum_of_its_registers(address: int, count: int) -> None:
    count = min(count, wire.END - address)
    whole = read(address, count)
    assert len(whole) == count
    assert all(0 <= word <= 0xFFFF for word in whole)
    assert [read(address + i, 1)[0] for i in range(0, count, 7)] == whole[::7]


def test_reads_that_cross_blocks_meet_at_the_seams() -> None:
    for seam in (wire.METER, wire.HEADER, wire.SNAPSHOTS, wire.RING, wire.END_MODEL):
        low, high = seam - 2, min(seam + 3, wire.END)
        assert read(low, high - low) == [read(at, 1)[0] for at in range(low, high)]


def test_ring_holds_the_last_3456_intervals_by_their_beginning() -> None:
    newest = NOW - NOW % 900 - 900
    for age in (0, 1, 95, 96 * 20, wire.RING_SLOTS - 1):
        start = newest - age * 900
        delivered, received, status = wire.decode_ring(read(wire.ring_address(wire.ring_slot(start)), wire.SLOT_WORDS))
        shown = METER.window(start, start + 900)
        assert (delivered, received, status) == (shown.delivered, shown.received, shown.status)
    assert wire.ring_slot(newest + 900) == wire.ring_slot(newest - (wire.RING_SLOTS - 1) * 900)


@settings(max_examples=40)
@given(slot=st.integers(0, wire.RING_SLOTS - 25), now=st.integers(NOW, NOW + 40 * 86_400))
def test_ring_read_over_the_seam_between_newest_and_oldest_keeps_each_slot_right(slot: int, now: int) -> None:
    newest = now - now % 900 - 900
    registers = wire.encode(METER, now, wire.ring_address(slot), 25 * wire.SLOT_WORDS)
    delivered, _, _ = wire.decode_ring(registers)
    for i in range(0, 25, 6):
        start = newest - (wire.ring_slot(newest) - slot - i) % wire.RING_SLOTS * 900
        assert newest - wire.RING_SLOTS * 900 < start <= newest
        assert delivered[i] == METER.window(start, start + 900).delivered[0]


def test_skipped_interval_is_told_on_the_wire() -> None:
    start = epoch("2026-08-12T10:00")
    faulty = EmulatedMeter(IDENTITY, METER.premise, 1, [Fault("gap", ESIID, start, start + 900)])
    registers = wire.encode(faulty, NOW, wire.ring_address(wire.ring_slot(start)), 2 * wire.SLOT_WORDS)
    delivered, _, status = wire.decode_ring(registers)
    assert wire.has_value(status).tolist() == [False, True]
    assert delivered[0] == 0
    assert wire.delivered_condition(status)[0] == wire.Channel.SKIPPED


def test_forty_midnights_are_kept_today_included() -> None:
    block: list[int] = []
    for at in range(wire.SNAPSHOTS, wire.RING, 100):
        block += read(at, 100)
    snapshots = wire.decode_snapshots(block)
    today = day_of(NOW)
    kept = [today - timedelta(days=age) for age in range(wire.SNAPSHOT_SLOTS)]
    assert {snapshot.midnight for snapshot in snapshots} == {day_start(day) for day in kept}
    for day in kept:
        snapshot = snapshots[wire.snapshot_slot(day_start(day))]
        assert (snapshot.midnight, snapshot.delivered, snapshot.received) == (day_start(day), *METER.midnight(day))


def test_young_meter_has_empty_snapshots_and_stopped_intervals() -> None:
    now = day_start(ERA) + 3600
    slot = wire.snapshot_slot(day_start(ERA) - 900)
    registers = read(wire.SNAPSHOTS + slot * wire.SNAPSHOT_WORDS, wire.SNAPSHOT_WORDS, now)
    assert wire.decode_snapshots(registers) == [wire.Snapshot(0, 0, 0)]
    before = wire.ring_address(wire.ring_slot(day_start(ERA) - 900))
    assert not wire.has_value(wire.decode_ring(read(before, wire.SLOT_WORDS, now))[2])[0]


@pytest.mark.parametrize(("address", "count"), [(39999, 2), (0, 1), (wire.END, 1), (wire.END - 1, 2), (40000, 0)])
def test_address_outside_the_map_is_refused(address: int, count: int) -> None:
    with pytest.raises(MeterError, match=r"meters\.register\.address"):
        read(address, count)


def test_other_vendor_model_is_not_decoded() -> None:
    with pytest.raises(MeterError, match=r"meters\.register\.model"):
        wire.decode_header([0] * wire.HEADER_COUNT)
