from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meters.calendar import Seconds, day_of, day_start, epoch
from meters.device.meter import CLOCK_LIMIT_S, EmulatedMeter
from meters.errors import MeterError
from meters.faults.fault import Fault
from meters.faults.kinds import FaultKind
from meters.identity import MeterIdentity, Premise, make_esiid, tdsp
from meters.load.truth import ERA
from meters.register_map import layout as wire
from meters.register_map.decode import decode_header, decode_ring, decode_snapshots, decode_voltage
from meters.register_map.encode import encode, write
from meters.register_map.points import octets
from meters.shown import WriteResult
from meters.status import Condition, delivered_condition, has_value

ESIID = make_esiid(tdsp("CENTERPOINT"), 1, 1)
PREMISE = Premise(ESIID, "COAST")
#: A received register that differs: directions show.
IDENTITY = MeterIdentity("900000001", ESIID, initial_delivered_wh=2**29, initial_received_wh=77_000)
METER = EmulatedMeter(IDENTITY, PREMISE, 1)
NOW = epoch("2026-08-12T17:40") + 22
NEWEST = NOW - NOW % 900 - 900


def faulty(kind: FaultKind, first: Seconds, until: Seconds, **params: float) -> EmulatedMeter:
    return EmulatedMeter(IDENTITY, PREMISE, 1, [Fault(kind, ESIID, first, until, params)])


def read(address: int, count: int, now: Seconds = NOW, meter: EmulatedMeter = METER) -> list[int]:
    return encode(meter, now, address, count)


def snapshots(now: Seconds = NOW, meter: EmulatedMeter = METER) -> dict[int, tuple[int, int]]:
    block: list[int] = []
    for at in range(wire.SNAPSHOTS, wire.RING, 100):
        block += read(at, 100, now, meter)
    return {midnight: (delivered, received) for midnight, delivered, received in decode_snapshots(block)}


def text(registers: list[int]) -> str:
    return octets(registers).rstrip(b"\0").decode()


@pytest.mark.parametrize(("three_phase", "model"), [(False, 202), (True, 203)])
def test_sunspec_chain_of_models_leads_from_the_mark_to_the_end(three_phase: bool, model: int) -> None:
    meter = EmulatedMeter(MeterIdentity("900000001", ESIID, three_phase=three_phase), PREMISE, 1)
    assert text(read(40000, 2, meter=meter)) == "SunS"
    at, models = 40002, []
    while (head := read(at, 2, meter=meter))[0] != 0xFFFF:
        models.append((at, *head))
        at += 2 + head[1]
    assert models == [(40002, 1, 66), (40070, model, 105), (40177, wire.VENDOR_MODEL, wire.VENDOR_LENGTH)]
    assert (at, read(at, 2, meter=meter)) == (wire.END_MODEL, [0xFFFF, 0])
    assert wire.END <= 65536


def test_delivered_energy_is_sunspec_import_and_received_is_export() -> None:
    live = METER.live(NOW)
    imported, exported = read(40116, 2), read(40108, 2)
    assert imported[0] << 16 | imported[1] == live.delivered_register > 2**29
    assert exported[0] << 16 | exported[1] == live.received_register == 77_000
    assert read(40124, 1) == [0]
    header = decode_header(read(wire.HEADER, wire.HEADER_COUNT))
    assert (header.delivered_register, header.received_register) == (live.delivered_register, 77_000)


def test_surplus_of_a_roof_is_negative_power_and_fills_channel_1() -> None:
    noon = epoch("2026-06-08T13:10")
    meter = EmulatedMeter(IDENTITY, Premise(ESIID, "COAST", solar_w=12_000), 1)
    assert meter.power(noon).watts < 0
    (power,) = np.array(read(40088, 1, noon, meter), np.uint16).astype(np.int16)
    assert power == meter.power(noon).watts
    ring = decode_ring(read(wire.ring_address(wire.ring_slot(noon - noon % 900 - 900)), wire.SLOT_WORDS, noon, meter))
    assert (ring.delivered[0], ring.received[0] > 0) == (0, True)
    high, low = read(40108, 2, noon, meter)
    assert (
        high << 16 | low == decode_header(read(wire.HEADER, wire.HEADER_COUNT, noon, meter)).received_register > 77_000
    )


def test_energy_counter_of_a_great_multiplier_wraps_at_32_bits_and_the_register_does_not() -> None:
    meter = EmulatedMeter(MeterIdentity("1", ESIID, multiplier=40, initial_delivered_wh=2**33), PREMISE, 1)
    header = decode_header(read(wire.HEADER, wire.HEADER_COUNT, meter=meter))
    high, low = read(40116, 2, meter=meter)
    assert header.delivered_register * 40 > 2**32
    assert high << 16 | low == header.delivered_register * 40 % 2**32


def test_failed_line_is_bit_2_of_the_events_and_has_no_voltage() -> None:
    meter = faulty(FaultKind.OUTAGE, NOW - 60, NOW + 60)
    assert read(40175, 2, meter=meter) == [0, 4]
    assert decode_voltage(read(wire.PPV, wire.V_SF - wire.PPV + 1, meter=meter)) == 0
    assert read(40175, 2, NOW + 61, meter) == [0, 0]
    assert (
        decode_voltage(read(wire.PPV, wire.V_SF - wire.PPV + 1, NOW + 61, meter))
        == meter.power(NOW + 61).decivolts / 10
    )


def test_common_model_names_the_meter() -> None:
    assert text(read(40004, 16)) == "ami-testbed"
    assert text(read(40044, 8)) == IDENTITY.firmware
    assert text(read(40052, 16)) == "900000001"


def test_header_says_who_what_time_and_how_much() -> None:
    header, live = decode_header(read(wire.HEADER, wire.HEADER_COUNT)), METER.live(NOW)
    assert (header.esiid, header.meter_number, header.multiplier) == (ESIID, "900000001", 1)
    assert (header.firmware, header.dials, header.phases) == (IDENTITY.firmware, 6, 2)
    assert (header.version, header.interval_s) == (wire.VENDOR_VERSION, 900)
    assert (header.clock, header.partial_seconds, header.switch_closed) == (NOW, 622, True)
    assert (header.partial_delivered, header.partial_received) == (live.partial_delivered, live.partial_received)
    assert (header.delivered_register, header.received_register) == (live.delivered_register, 77_000)
    assert wire.HEADER_COUNT <= wire.MAX_READ


def test_header_of_a_wye_says_three_phases() -> None:
    meter = EmulatedMeter(MeterIdentity("1", ESIID, three_phase=True, dials=5), PREMISE, 1)
    header = decode_header(read(wire.HEADER, wire.HEADER_COUNT, meter=meter))
    assert (header.phases, header.dials) == (3, 5)


@settings(max_examples=60)
@given(address=st.integers(wire.BASE, wire.END - 1), count=st.integers(1, wire.MAX_READ))
def test_any_read_is_the_sum_of_its_registers(address: int, count: int) -> None:
    count = min(count, wire.END - address)
    whole = read(address, count)
    assert len(whole) == count
    assert all(0 <= word <= 0xFFFF for word in whole)
    assert [read(address + i, 1)[0] for i in range(0, count, 7)] == whole[::7]


def test_reads_that_cross_blocks_meet_at_the_seams() -> None:
    for seam in (wire.METER_BLOCK.first, wire.HEADER, wire.SNAPSHOTS, wire.RING, wire.END_MODEL):
        low, high = seam - 2, min(seam + 3, wire.END)
        assert read(low, high - low) == [read(at, 1)[0] for at in range(low, high)]


def test_ring_holds_the_last_3456_intervals_by_their_beginning() -> None:
    for age in (0, 1, 95, 96 * 20, wire.RING_SLOTS - 1):
        start = NEWEST - age * 900
        delivered, received, status = decode_ring(read(wire.ring_address(wire.ring_slot(start)), wire.SLOT_WORDS))
        shown = METER.window(start, start + 900, NOW)
        assert (delivered[0], received[0], status[0]) == (shown.delivered[0], shown.received[0], shown.status[0])
    assert wire.ring_slot(NEWEST + 900) == wire.ring_slot(NEWEST - (wire.RING_SLOTS - 1) * 900)


@settings(max_examples=40)
@given(slot=st.integers(0, wire.RING_SLOTS - 25), now=st.integers(NOW, NOW + 40 * 86_400))
def test_ring_read_over_the_seam_between_newest_and_oldest_keeps_each_slot_right(slot: int, now: Seconds) -> None:
    newest = now - now % 900 - 900
    delivered, _, _ = decode_ring(read(wire.ring_address(slot), 25 * wire.SLOT_WORDS, now))
    for i in range(0, 25, 6):
        start = newest - (wire.ring_slot(newest) - slot - i) % wire.RING_SLOTS * 900
        assert newest - wire.RING_SLOTS * 900 < start <= newest
        assert delivered[i] == METER.window(start, start + 900, now).delivered[0]


@settings(max_examples=30)
@given(end=st.integers(NOW // 900 - 3000, NOW // 900))
def test_any_window_of_48_hours_is_at_most_nine_reads(end: Seconds) -> None:
    start, at, reads = (end - 192) * 900, 0, 0
    got: list[int] = []
    while at < 192:
        slot = wire.ring_slot(start + at * 900)
        run = min(wire.MAX_READ // wire.SLOT_WORDS, 192 - at, wire.RING_SLOTS - slot)
        got += decode_ring(read(wire.ring_address(slot), run * wire.SLOT_WORDS)).delivered.tolist()
        at, reads = at + run, reads + 1
    assert reads <= 9
    assert got == METER.window(start, end * 900, NOW).delivered.tolist()


def test_skipped_interval_is_told_on_the_wire() -> None:
    start = epoch("2026-08-12T10:00")
    meter = faulty(FaultKind.SKIPPED, start, start + 900)
    registers = read(wire.ring_address(wire.ring_slot(start)), 2 * wire.SLOT_WORDS, meter=meter)
    delivered, _, status = decode_ring(registers)
    assert has_value(status).tolist() == [False, True]
    assert delivered[0] == 0
    assert delivered_condition(status)[0] == Condition.SKIPPED


def test_negative_values_keep_their_sign_on_the_wire() -> None:
    start = epoch("2026-08-12T10:00")
    meter = faulty(FaultKind.NEGATIVE, start, start + 900)
    delivered, _, _ = decode_ring(read(wire.ring_address(wire.ring_slot(start)), wire.SLOT_WORDS, meter=meter))
    assert delivered[0] == -METER.window(start, start + 900, NOW).delivered[0] < 0


def test_forty_midnights_are_kept_today_included() -> None:
    today = day_of(NOW)
    kept = [today - timedelta(days=age) for age in range(wire.SNAPSHOT_SLOTS)]
    assert snapshots() == {day_start(day): METER.midnight(day, NOW) for day in kept}
    for day in kept:
        slot = wire.snapshot_slot(day_start(day))
        (found,) = decode_snapshots(read(wire.snapshot_address(slot), wire.SNAPSHOT_WORDS))
        assert found.midnight == day_start(day)


def test_young_meter_has_empty_snapshots_and_stopped_intervals() -> None:
    now = day_start(ERA) + 3600
    slot = wire.snapshot_slot(day_start(ERA) - 900)
    assert decode_snapshots(read(wire.snapshot_address(slot), wire.SNAPSHOT_WORDS, now)) == [(0, 0, 0)]
    before = wire.ring_address(wire.ring_slot(day_start(ERA) - 900))
    assert not has_value(decode_ring(read(before, wire.SLOT_WORDS, now)).status)[0]


def test_exchanged_meter_has_another_number_and_nothing_from_before() -> None:
    at = epoch("2026-08-11T09:20")
    meter = EmulatedMeter(IDENTITY, PREMISE, 1, [Fault(FaultKind.EXCHANGE, ESIID, at)])
    before = decode_header(read(wire.HEADER, wire.HEADER_COUNT, at - 1, meter))
    after = decode_header(read(wire.HEADER, wire.HEADER_COUNT, NOW, meter))
    assert before.meter_number == IDENTITY.meter_number != after.meter_number == meter.identity_at(NOW).meter_number
    assert text(read(40052, 16, meter=meter)) == after.meter_number
    assert set(snapshots(meter=meter)) == {0, day_start(day_of(NOW))}
    slot = wire.ring_address(wire.ring_slot(at - at % 900 - 900))
    assert delivered_condition(decode_ring(read(slot, wire.SLOT_WORDS, meter=meter)).status)[0] == Condition.STOPPED


def test_ring_and_midnights_are_by_the_meters_own_clock() -> None:
    # Two hours ahead, a few minutes after true midnight less two hours: the meter is a day further.
    now = epoch("2026-08-12T22:30")
    meter = faulty(FaultKind.CLOCK_SET, epoch("2026-08-12T12:00"), now + 86_400, seconds=7200)
    clock = meter.clock(now)
    assert clock == now + 7200
    assert decode_header(read(wire.HEADER, wire.HEADER_COUNT, now, meter)).clock == clock
    assert max(snapshots(now, meter)) == day_start(day_of(clock)) > now
    newest = clock - clock % 900 - 900
    ring = decode_ring(read(wire.ring_address(wire.ring_slot(newest)), wire.SLOT_WORDS, now, meter))
    assert ring.delivered[0] == meter.window(newest, newest + 900, now).delivered[0] > 0


def test_clock_is_written_whole_and_within_an_hour_of_what_it_shows() -> None:
    meter = EmulatedMeter(IDENTITY, PREMISE, 1)

    def set_to(at: Seconds) -> WriteResult:
        return write(meter, NOW, wire.CLOCK, [at >> 16, at & 0xFFFF])

    assert set_to(NOW + CLOCK_LIMIT_S + 1) is WriteResult.REFUSED
    assert decode_header(read(wire.HEADER, wire.HEADER_COUNT, NOW, meter)).clock == NOW
    assert set_to(NOW + CLOCK_LIMIT_S) is WriteResult.DONE
    assert decode_header(read(wire.HEADER, wire.HEADER_COUNT, NOW + 5, meter)).clock == NOW + CLOCK_LIMIT_S + 5


def test_switch_is_written_0_or_1() -> None:
    meter = EmulatedMeter(IDENTITY, PREMISE, 1)
    assert write(meter, NOW, wire.SWITCH, [2]) is WriteResult.REFUSED
    assert write(meter, NOW, wire.SWITCH, [wire.SWITCH_OPEN]) is WriteResult.DONE
    opened = decode_header(read(wire.HEADER, wire.HEADER_COUNT, NOW + 60, meter))
    assert not opened.switch_closed
    assert read(40088, 1, NOW + 60, meter) == [0]
    assert write(meter, NOW + 90, wire.SWITCH, [wire.SWITCH_CLOSED]) is WriteResult.DONE
    assert decode_header(read(wire.HEADER, wire.HEADER_COUNT, NOW + 120, meter)).switch_closed


@settings(max_examples=80)
@given(address=st.integers(0, 0xFFFF), values=st.lists(st.integers(0, 0xFFFF), min_size=1, max_size=5))
@pytest.mark.parametrize("near", [0, wire.CLOCK - 2])
def test_nothing_else_is_written(near: int, address: int, values: list[int]) -> None:
    address = near + address % 6 if near else address
    if (address, len(values)) not in ((wire.CLOCK, 2), (wire.SWITCH, 1)):
        with pytest.raises(MeterError, match=r"meters\.register\.address"):
            write(METER, NOW, address, values)


@pytest.mark.parametrize(("address", "count"), [(39999, 2), (0, 1), (wire.END, 1), (wire.END - 1, 2), (40000, 0)])
def test_address_outside_the_map_is_refused(address: int, count: int) -> None:
    with pytest.raises(MeterError, match=r"meters\.register\.address"):
        read(address, count)


def test_other_vendor_model_is_not_decoded() -> None:
    with pytest.raises(MeterError, match=r"meters\.register\.model"):
        decode_header([0] * wire.HEADER_COUNT)
    with pytest.raises(MeterError, match=r"meters\.register\.count"):
        decode_header([0] * (wire.HEADER_COUNT - 1))


def test_largest_values_that_a_slot_holds_come_through() -> None:
    slots = np.array([(2**31 - 1, -(2**31), 0x7FF0)], wire.RING_BLOCK.dtype)
    ring = decode_ring(np.frombuffer(slots.tobytes(), ">u2").tolist())
    assert [column[0] for column in ring] == [2**31 - 1, -(2**31), 0x7FF0]
