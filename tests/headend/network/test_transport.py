from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest

from headend.network.transport import ModbusTransport, NoAnswer, WrongMeter
from headend.ports import HeadEndError, MeterAddress
from meters.calendar import Seconds, day_end, day_start, days, epoch, seconds
from meters.device.meter import EmulatedMeter
from meters.faults.fault import Fault
from meters.faults.kinds import FaultKind
from meters.identity import MeterIdentity, make_esiid, make_meter_number, tdsp
from meters.load.premises import make_premise
from meters.register_map import layout as wire
from meters.status import Condition, delivered_condition
from meters.wire.gateway import Gateway, Silence

ONCOR = tdsp("ONCOR")
NOW = epoch("2026-08-12T17:40") + 22
FLOOR = NOW - NOW % 900
GAP_AT = epoch("2026-08-11T10:00")
DEAD_UNIT, MULTIPLIED_UNIT, NO_PATH_UNIT, SLOW_UNIT = 2, 3, 4, 5
#: Units whose replies are corrupt, how, and what a reader sees of it.
SPOILED = {
    11: (FaultKind.WRONG_TRANSACTION, "transaction id"),
    12: (FaultKind.WRONG_UNIT, "unit id"),
    13: (FaultKind.WRONG_LENGTH, "length"),
}


def emulated(ordinal: int, faults: Sequence[Fault] = (), **identity: int) -> EmulatedMeter:
    esiid = make_esiid(ONCOR, 1, ordinal)
    named = MeterIdentity(make_meter_number(1, ordinal), esiid, **identity)  # type: ignore[arg-type]
    return EmulatedMeter(named, make_premise(ONCOR, 1, ordinal), 1, faults)


METERS = {
    1: emulated(1, [Fault(FaultKind.GAP, make_esiid(ONCOR, 1, 1), GAP_AT, GAP_AT + 1800)], initial_received_wh=1234),
    DEAD_UNIT: emulated(2, [Fault(FaultKind.DEAD, make_esiid(ONCOR, 1, 2))]),
    MULTIPLIED_UNIT: emulated(3, multiplier=40),
    NO_PATH_UNIT: emulated(4, [Fault(FaultKind.NO_PATH, make_esiid(ONCOR, 1, 4))]),
    SLOW_UNIT: emulated(5, [Fault(FaultKind.SLOW, make_esiid(ONCOR, 1, 5), params={"seconds": 600})]),
    **{unit: emulated(unit, [Fault(kind, make_esiid(ONCOR, 1, unit))]) for unit, (kind, _) in SPOILED.items()},
}


def midnight(meter: EmulatedMeter, day: date) -> tuple[int, int]:
    taken = meter.midnight(day, NOW)
    assert taken
    return taken


@asynccontextmanager
async def running(
    now: Seconds = NOW, silence: Silence = "exception", timeout: float = 3.0
) -> AsyncIterator[tuple[ModbusTransport, Callable[[int], MeterAddress], Gateway]]:
    gateway = Gateway(METERS, lambda: now, silence=silence)
    await gateway.start()
    transport = ModbusTransport(timeout)

    def address(unit: int) -> MeterAddress:
        identity = METERS[unit].identity
        return MeterAddress(
            identity.esiid, identity.meter_number, "127.0.0.1", gateway.port, unit, identity.multiplier, 0
        )

    try:
        yield transport, address, gateway
    finally:
        await transport.close()
        await gateway.stop()


@asynccontextmanager
async def alone(
    answer: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]], timeout: float = 30
) -> AsyncIterator[tuple[ModbusTransport, MeterAddress, list[asyncio.Task[None] | None]]]:
    """A server that is no gateway, the address of a meter behind it, and the connections made to it so far."""
    connections: list[asyncio.Task[None] | None] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(asyncio.current_task())
        await answer(reader, writer)
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    transport = ModbusTransport(timeout)
    yield transport, MeterAddress("10443729900000001", "900000001", "127.0.0.1", port, 1, 1, 0), connections
    await transport.close()
    server.close()
    await asyncio.gather(*(task for task in connections if task))


@pytest.mark.parametrize("day", [date(2026, 8, 11), date(2026, 3, 8), date(2025, 11, 2)])
async def test_window_is_what_the_meter_recorded_over_days_of_any_length(day: date) -> None:
    async with running(day_end(day) + 86_400 + 5) as (transport, address, _):
        start, end = day_start(day) - 900, day_end(day) + 900
        reading = await transport.read_window(address(1), start, end)
        shown = METERS[1].window(start, end, day_end(day) + 86_400 + 5)
        assert reading.start == start
        assert reading.delivered.tolist() == shown.delivered.tolist()
        assert reading.received.tolist() == shown.received.tolist()
        assert reading.status.tolist() == shown.status.tolist()
        assert reading.present.tolist() == shown.present.tolist()
        assert len(reading.delivered) in (94, 98, 102)


async def test_window_crosses_the_rings_wrap() -> None:
    wrap = (FLOOR // 900 // wire.RING_SLOTS) * wire.RING_SLOTS * 900
    assert FLOOR - 36 * 86_400 < wrap < FLOOR
    async with running() as (transport, address, _):
        reading = await transport.read_window(address(1), wrap - 30 * 900, wrap + 31 * 900)
        assert reading.delivered.tolist() == METERS[1].window(wrap - 30 * 900, wrap + 31 * 900, NOW).delivered.tolist()


async def test_intervals_beyond_the_meters_clock_are_not_taken() -> None:
    async with running() as (transport, address, _):
        reading = await transport.read_window(address(1), FLOOR - 1800, FLOOR + 9000)
        live = METERS[1].live(NOW)
        assert len(reading.delivered) == 2
        assert (reading.meter_time, reading.partial_wh) == (NOW, live.partial_delivered)
        assert reading.register_wh == live.delivered_register
        later = await transport.read_window(address(1), FLOOR + 900, FLOOR + 9000)
        assert (len(later.delivered), later.meter_time) == (0, NOW)


async def test_intervals_older_than_the_ring_are_reported_as_not_present() -> None:
    async with running() as (transport, address, _):
        start = FLOOR - (wire.RING_SLOTS + 10) * 900
        reading = await transport.read_window(address(MULTIPLIED_UNIT), start, FLOOR)
        assert reading.present.tolist() == [False] * 11 + [True] * wire.SAFE_SLOTS
        assert (delivered_condition(reading.status[:11]) == Condition.STOPPED).all()
        assert reading.delivered[11] == 40 * METERS[3].window(start + 11 * 900, start + 12 * 900, NOW).delivered[0]
        older = await transport.read_window(address(1), start - 9000, start)
        assert not older.present.any()


async def test_gap_is_reported_as_not_present() -> None:
    async with running() as (transport, address, _):
        reading = await transport.read_window(address(1), GAP_AT - 900, GAP_AT + 2700)
        assert reading.present.tolist() == [True, False, False, True]
        assert (delivered_condition(reading.status[1:3]) == Condition.STOPPED).all()


async def test_values_are_multiplied_and_add_up_to_the_registers() -> None:
    async with running() as (transport, address, _):
        day = date(2026, 8, 11)
        where = address(MULTIPLIED_UNIT)
        reading = await transport.read_window(where, day_start(day), day_end(day))
        r0, r1 = await transport.read_midnights(where, [day_start(day), day_end(day)])
        assert int(reading.delivered.sum()) == r1.delivered_wh - r0.delivered_wh
        assert (reading.delivered % 40 == 0).all()
        assert r0.delivered_wh == midnight(METERS[3], day)[0] * 40


async def test_octets_count_the_payload_of_every_request_and_response() -> None:
    async with running() as (transport, address, _):
        slot = wire.ring_slot(FLOOR - 2 * 900)
        assert slot + 2 <= wire.RING_SLOTS
        reading = await transport.read_window(address(1), FLOOR - 2 * 900, FLOOR)
        assert reading.octets == 2 * (5 + 2) + 2 * (wire.HEADER_COUNT + 2 * wire.SLOT_WORDS)


async def test_midnights_come_in_the_order_asked_without_those_the_meter_does_not_have() -> None:
    async with running() as (transport, address, _):
        today = date(2026, 8, 12)
        kept = [today - timedelta(days=age) for age in range(wire.SNAPSHOT_SLOTS)]
        asked = [today + timedelta(days=1), *kept, today - timedelta(days=wire.SNAPSHOT_SLOTS)]
        snapshots = await transport.read_midnights(address(1), [day_start(day) for day in asked])
        assert [snapshot.day_start for snapshot in snapshots] == [day_start(day) for day in kept]
        assert [snapshot.delivered_wh for snapshot in snapshots] == [midnight(METERS[1], day)[0] for day in kept]
        assert {snapshot.received_wh for snapshot in snapshots} == {1234}
        assert await transport.read_midnights(address(1), []) == []


async def test_power_reading_has_voltage_switch_and_the_meters_time() -> None:
    async with running() as (transport, address, _):
        reading = await transport.read_power(address(1))
        assert reading.voltage == METERS[1].power(NOW).decivolts / 10
        assert reading.switch_closed
        assert (reading.esiid, reading.meter_time) == (METERS[1].identity.esiid, NOW)


@pytest.mark.parametrize("silence", ["exception", "hang"])
async def test_dead_meter_is_no_answer_and_its_neighbours_still_answer(silence: Silence) -> None:
    async with running(silence=silence, timeout=0.3) as (transport, address, _):
        with pytest.raises(NoAnswer):
            await transport.read_power(address(DEAD_UNIT))
        both = await asyncio.gather(
            transport.read_power(address(DEAD_UNIT)), transport.read_power(address(1)), return_exceptions=True
        )
        assert isinstance(both[0], NoAnswer)
        assert not isinstance(both[1], BaseException)


@pytest.mark.parametrize("unit", SPOILED)
async def test_corrupt_reply_is_no_answer_at_once_and_says_what_is_wrong_with_it(unit: int) -> None:
    async with running(timeout=30) as (transport, address, _):
        began = time.monotonic()
        with pytest.raises(NoAnswer, match=f"another {SPOILED[unit][1]} than the request"):
            await transport.read_power(address(unit))
        # What is left of the corrupt reply meets nobody.
        reading = await transport.read_power(address(1))
        assert reading.esiid == METERS[1].identity.esiid
        assert time.monotonic() - began < 10


async def test_meter_without_a_path_is_no_answer() -> None:
    async with running() as (transport, address, _):
        with pytest.raises(NoAnswer, match="exception 0x0a"):
            await transport.read_power(address(NO_PATH_UNIT))


async def test_slow_meter_is_no_answer_when_it_takes_longer_than_a_response_may() -> None:
    async with running(silence="hang", timeout=0.05) as (transport, address, _):
        with pytest.raises(NoAnswer, match="No response"):
            await transport.read_power(address(SLOW_UNIT))


async def test_unknown_unit_is_no_answer() -> None:
    async with running() as (transport, address, _):
        with pytest.raises(NoAnswer, match=r"unit 77 .* is silent"):
            await transport.read_window(replace(address(1), unit_id=77), FLOOR - 900, FLOOR)


async def test_wrong_meter_is_named_and_nothing_of_it_is_taken() -> None:
    async with running() as (transport, address, _):
        swapped = replace(address(1), unit_id=MULTIPLIED_UNIT)
        for call in (
            transport.read_window(swapped, FLOOR - 900, FLOOR),
            transport.read_midnights(swapped, [day_start(date(2026, 8, 12))]),
            transport.read_power(swapped),
        ):
            with pytest.raises(WrongMeter, match=METERS[MULTIPLIED_UNIT].identity.meter_number):
                await call


async def test_many_coroutines_read_at_once_and_each_gets_its_own_meter() -> None:
    async with running() as (transport, address, _):
        calls = [transport.read_window(address(unit), FLOOR - 96 * 900, FLOOR) for unit in (1, 3) * 5]
        for unit, reading in zip((1, 3) * 5, await asyncio.gather(*calls), strict=True):
            assert reading.esiid == METERS[unit].identity.esiid
            shown = METERS[unit].window(FLOOR - 96 * 900, FLOOR, NOW).delivered * METERS[unit].identity.multiplier
            assert (reading.delivered == shown).all()


async def test_refused_connection_is_no_answer_and_the_next_call_connects_again() -> None:
    async with running() as (transport, address, gateway):
        where = address(1)
        before = await transport.read_power(where)
        await gateway.stop()
        with pytest.raises(NoAnswer):
            await transport.read_power(where)
        with pytest.raises(NoAnswer, match="cannot be connected"):
            await transport.read_power(where)
        again = Gateway(METERS, lambda: NOW, port=where.port)
        await again.start()
        assert await transport.read_power(where) == before
        await transport.close()
        assert await transport.read_power(where) == before
        await transport.close()
        await again.stop()


async def test_lost_connection_is_no_answer_at_once_not_after_the_time_out() -> None:
    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)

    async with alone(hang_up) as (transport, address, _):
        began = time.monotonic()
        with pytest.raises(NoAnswer, match="connection lost"):
            await transport.read_power(address)
        assert time.monotonic() - began < 10


async def test_after_a_silence_the_next_call_uses_a_new_connection() -> None:
    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async with alone(say_nothing, timeout=0.05) as (transport, address, connections):
        for count in (1, 2):
            with pytest.raises(NoAnswer, match="No response"):
                await transport.read_power(address)
            assert len(connections) == count


async def test_caller_who_gives_up_leaves_no_answer_behind_for_the_next() -> None:
    asked = asyncio.Event()

    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        asked.set()
        await reader.read()

    async with alone(say_nothing) as (transport, address, connections):
        for count in (1, 2):
            call = asyncio.create_task(transport.read_power(address))
            await asked.wait()
            asked.clear()
            call.cancel()
            with pytest.raises(asyncio.CancelledError):
                await call
            assert len(connections) == count


async def test_server_that_is_no_meter_is_no_answer() -> None:
    async def zeros(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await reader.readexactly(12)
        octets = 2 * int.from_bytes(request[10:12], "big")
        writer.write(request[:4] + (3 + octets).to_bytes(2, "big") + request[6:8] + bytes([octets]) + bytes(octets))
        await reader.read()

    async with alone(zeros) as (transport, address, _):
        with pytest.raises(NoAnswer, match="another register map"):
            await transport.read_power(address)


async def test_window_of_broken_intervals_is_refused_before_anything_is_sent() -> None:
    nowhere = MeterAddress("10443729900000001", "900000001", "127.0.0.1", 9, 1, 1, 0)
    with pytest.raises(HeadEndError, match=r"headend\.window\.unaligned"):
        await ModbusTransport().read_window(nowhere, seconds(1), seconds(900))


async def test_thirty_five_days_are_read_in_one_call() -> None:
    async with running() as (transport, address, _):
        first, last = date(2026, 7, 8), date(2026, 8, 11)
        reading = await transport.read_window(address(MULTIPLIED_UNIT), day_start(first), day_end(last))
        midnights = await transport.read_midnights(
            address(MULTIPLIED_UNIT), [day_start(day) for day in [*days(first, last), last + timedelta(days=1)]]
        )
        used = np.diff([snapshot.delivered_wh for snapshot in midnights])
        assert reading.delivered.reshape(35, 96).sum(axis=1).tolist() == used.tolist()
