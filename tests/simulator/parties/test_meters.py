"""The meters alone, over real sockets: a fault of every kind is seen on the wire and stands in the ledger."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from pymodbus.client import AsyncModbusTcpClient

from headend.network.transport import ModbusTransport, NoAnswer, WrongMeter
from headend.ports import MeterAddress
from meters.calendar import Seconds, day_of, day_start, epoch, to_us
from meters.device.meter import EmulatedMeter
from meters.faults.kinds import KINDS, FaultKind, Span
from meters.faults.rules import FaultRule
from meters.fleet import Fleet
from meters.identity import tdsp
from meters.register_map.decode import decode_header
from meters.register_map.layout import HEADER, HEADER_COUNT
from meters.register_map.layout import SWITCH as SWITCH_REGISTER
from meters.status import Common, Condition, common_nibble, delivered_condition
from simulator.errors import SimulatorError
from simulator.parties.meters import MetersParty, MetersSettings
from simulator.runtime.clock import Clock, ClockMode
from tests.meters.full_disk import full_at

NOW = epoch("2026-08-12T17:40")
#: Faults of intervals and power lie here; the others have begun an hour ago.
FROM, TO = epoch("2026-08-12T10:00"), epoch("2026-08-12T12:00")
SINCE = epoch("2026-08-12T16:40")
KINDS_IN_ORDER = [kind for kind in FaultKind if kind is not FaultKind.SWAP]
SWAPPED = (len(KINDS_IN_ORDER) + 1, len(KINDS_IN_ORDER) + 2)
COUNT = SWAPPED[1]
ONCOR = tdsp("ONCOR")


def rule(kind: FaultKind, ordinal: int) -> FaultRule:
    given = {
        FaultKind.SPIKE: {"factor": 7.0},
        FaultKind.MULTIPLIER: {"value": 10.0},
        FaultKind.CLOCK_DRIFT: {"seconds_a_day": 86.4},
        FaultKind.CLOCK_SET: {"seconds": 1200.0},
        FaultKind.SLOW: {"seconds": 0.4},
        FaultKind.FLAKY: {"answers": 0.0},
        FaultKind.OVERFLOW: {"limit": 100.0},
    }.get(kind, {})
    if KINDS[kind].span is Span.ALWAYS:
        return FaultRule(kind, params=given, meters=(ordinal,))
    past = KINDS[kind].layer in ("intervals", "power")
    first, until = (FROM, TO) if past else (SINCE, NOW + 86_400)
    return FaultRule(kind, first, until, given, meters=(ordinal,))


RULES = [
    *(rule(kind, ordinal) for ordinal, kind in enumerate(KINDS_IN_ORDER, 1)),
    FaultRule(FaultKind.SWAP, meters=SWAPPED),
]


@dataclass
class Bench:
    """A running party, the way to each faulty meter, and the same meters sound."""

    party: MetersParty
    transport: ModbusTransport
    sound: Fleet

    def address(self, kind: FaultKind) -> MeterAddress:
        ordinal = self.ordinal(kind)
        meter = self.party.meters[ordinal]
        gateway = self.party.gateways[0]
        return MeterAddress(
            meter.identity.esiid, meter.identity.meter_number, gateway.host, gateway.port, ordinal + 1, 1, 0
        )

    def ordinal(self, kind: FaultKind) -> int:
        return SWAPPED[0] - 1 if kind is FaultKind.SWAP else KINDS_IN_ORDER.index(kind)

    def twin(self, kind: FaultKind) -> EmulatedMeter:
        return self.sound.meter(self.ordinal(kind) + 1)

    async def delivered(self, kind: FaultKind, start: Seconds = FROM, end: Seconds = TO) -> tuple[list[int], list[int]]:
        """Intervals read over the wire, and those of the sound twin."""
        reading = await self.transport.read_window(self.address(kind), start, end)
        return reading.delivered.tolist(), self.twin(kind).window(start, end, NOW).delivered.tolist()

    async def conditions(self, kind: FaultKind, start: Seconds = FROM, end: Seconds = TO) -> set[int]:
        reading = await self.transport.read_window(self.address(kind), start, end)
        return set(delivered_condition(reading.status).tolist())

    async def exception(self, kind: FaultKind) -> int | None:
        """The exception code of a header read, None for no answer."""
        address = self.address(kind)
        client = AsyncModbusTcpClient(address.host, port=address.port, retries=0, timeout=0.5, reconnect_delay=0)
        await client.connect()
        try:
            reply = await client.read_holding_registers(HEADER, count=HEADER_COUNT, device_id=address.unit_id)
            return int(reply.exception_code) if reply.isError() else 0
        except Exception:
            return None
        finally:
            client.close()


@asynccontextmanager
async def running(ledger: Path | None = None, silence_s: float = 1.0) -> AsyncIterator[Bench]:
    settings = MetersSettings(
        fleet=Fleet(ONCOR, 5, COUNT, RULES),
        clock=Clock(ClockMode.REAL, to_us(NOW)),
        host="127.0.0.1",
        port=0,
        special=False,
        events_to="",
        ledger=ledger,
    )
    async with MetersParty(settings) as party:
        transport = ModbusTransport(silence_s)
        yield Bench(party, transport, Fleet(ONCOR, 5, COUNT))
        await transport.close()


async def outage(on: Bench) -> None:
    shown, true = await on.delivered(FaultKind.OUTAGE)
    assert set(shown) == {0} != set(true)
    reading = await on.transport.read_window(on.address(FaultKind.OUTAGE), FROM, TO)
    assert (common_nibble(reading.status) & Common.POWER_FAIL).all()


async def disconnected(on: Bench) -> None:
    shown, _ = await on.delivered(FaultKind.DISCONNECTED)
    assert set(shown) == {0}
    assert (await on.transport.read_power(on.address(FaultKind.DISCONNECTED))).switch_closed


async def rollover(on: Bench) -> None:
    reading = await on.transport.read_window(on.address(FaultKind.ROLLOVER), FROM, FROM)
    assert 0 < reading.register_wh < 20_000
    (midnight,) = await on.transport.read_midnights(on.address(FaultKind.ROLLOVER), [day_start(day_of(NOW))])
    assert midnight.delivered_wh > 10**9 - 100_000


async def reset(on: Bench) -> None:
    reading = await on.transport.read_window(on.address(FaultKind.RESET), FROM, FROM)
    assert reading.register_wh < 20_000


async def exchange(on: Bench) -> None:
    with pytest.raises(WrongMeter):
        await on.delivered(FaultKind.EXCHANGE)


async def multiplier(on: Bench) -> None:
    address = on.address(FaultKind.MULTIPLIER)
    client = AsyncModbusTcpClient(address.host, port=address.port, retries=0)
    await client.connect()
    header = await client.read_holding_registers(HEADER, count=HEADER_COUNT, device_id=address.unit_id)
    client.close()
    assert decode_header(header.registers).multiplier == 10
    shown, true = await on.delivered(FaultKind.MULTIPLIER)
    assert abs(sum(shown) * 10 - sum(true)) <= 20


async def clock_drift(on: Bench) -> None:
    reading = await on.transport.read_window(on.address(FaultKind.CLOCK_DRIFT), FROM, FROM)
    assert 2 <= reading.meter_time - on.party.runtime.now() <= 5


async def clock_set(on: Bench) -> None:
    reading = await on.transport.read_window(
        on.address(FaultKind.CLOCK_SET), SINCE - SINCE % 900, SINCE - SINCE % 900 + 2700
    )
    assert 1198 <= reading.meter_time - on.party.runtime.now() <= 1202
    assert (common_nibble(reading.status) & Common.CLOCK_FORWARD).any()
    assert {Condition.PARTIAL, Condition.SKIPPED} & set(delivered_condition(reading.status).tolist())


async def swap(on: Bench) -> None:
    shown, true = await on.delivered(FaultKind.SWAP)
    other = on.sound.meter(SWAPPED[1]).window(FROM, TO, NOW).delivered.tolist()
    assert shown == other != true


async def flaky(on: Bench) -> None:
    with pytest.raises(NoAnswer):
        await on.delivered(FaultKind.FLAKY)


async def slow(on: Bench) -> None:
    loop = asyncio.get_running_loop()
    began = loop.time()
    shown, true = await on.delivered(FaultKind.SLOW)
    # The header and one read of the ring at the least, each late.
    assert loop.time() - began >= 0.8
    assert shown == true


async def stale(on: Bench) -> None:
    reading = await on.transport.read_window(on.address(FaultKind.STALE), FROM, FROM)
    assert -86_402 <= reading.meter_time - on.party.runtime.now() <= -86_398


async def zero_read(on: Bench) -> None:
    assert (await on.transport.read_window(on.address(FaultKind.ZERO_READ), FROM, FROM)).register_wh == 0


def recorded(kind: FaultKind, condition: Condition, value: Callable[[int], int]) -> Callable[[Bench], Awaitable[None]]:
    async def seen(on: Bench) -> None:
        shown, true = await on.delivered(kind)
        assert shown == [value(wh) for wh in true]
        assert await on.conditions(kind) == {condition}

    return seen


async def stuck(on: Bench) -> None:
    shown, true = await on.delivered(FaultKind.STUCK)
    assert shown == [true[0]] * len(true)


async def overflow(on: Bench) -> None:
    shown, true = await on.delivered(FaultKind.OVERFLOW)
    assert shown == [min(wh, 100) for wh in true]
    reading = await on.transport.read_window(on.address(FaultKind.OVERFLOW), FROM, TO)
    said = [one == Condition.OVERFLOW for one in delivered_condition(reading.status).tolist()]
    assert said == [wh > 100 for wh in true]


def refused(kind: FaultKind, code: int | None) -> Callable[[Bench], Awaitable[None]]:
    async def seen(on: Bench) -> None:
        assert await on.exception(kind) == code
        with pytest.raises(NoAnswer):
            await on.delivered(kind)

    return seen


SEEN: dict[FaultKind, Callable[[Bench], Awaitable[None]]] = {
    FaultKind.OUTAGE: outage,
    FaultKind.DISCONNECTED: disconnected,
    FaultKind.ROLLOVER: rollover,
    FaultKind.RESET: reset,
    FaultKind.EXCHANGE: exchange,
    FaultKind.MULTIPLIER: multiplier,
    FaultKind.CLOCK_DRIFT: clock_drift,
    FaultKind.CLOCK_SET: clock_set,
    FaultKind.SWAP: swap,
    FaultKind.GAP: recorded(FaultKind.GAP, Condition.STOPPED, lambda _: 0),
    FaultKind.SKIPPED: recorded(FaultKind.SKIPPED, Condition.SKIPPED, lambda _: 0),
    FaultKind.SPIKE: recorded(FaultKind.SPIKE, Condition.OK, lambda wh: 7 * wh),
    FaultKind.STUCK: stuck,
    FaultKind.NEGATIVE: recorded(FaultKind.NEGATIVE, Condition.OK, lambda wh: -wh),
    FaultKind.ZERO: recorded(FaultKind.ZERO, Condition.OK, lambda _: 0),
    FaultKind.PARTIAL: recorded(FaultKind.PARTIAL, Condition.PARTIAL, lambda wh: round(wh * 0.5)),
    FaultKind.LONG: recorded(FaultKind.LONG, Condition.LONG, lambda wh: round(wh * 1.5)),
    FaultKind.OVERFLOW: overflow,
    FaultKind.TEST_MODE: recorded(FaultKind.TEST_MODE, Condition.TEST_MODE, lambda _: 0),
    FaultKind.CONFIGURATION: recorded(FaultKind.CONFIGURATION, Condition.CONFIGURATION_CHANGED, lambda wh: wh),
    FaultKind.DEAD: refused(FaultKind.DEAD, None),
    FaultKind.FLAKY: flaky,
    FaultKind.NO_PATH: refused(FaultKind.NO_PATH, None),
    FaultKind.EXCEPTION: refused(FaultKind.EXCEPTION, 0x0B),
    FaultKind.SLOW: slow,
    FaultKind.WRONG_TRANSACTION: refused(FaultKind.WRONG_TRANSACTION, None),
    FaultKind.WRONG_UNIT: refused(FaultKind.WRONG_UNIT, None),
    FaultKind.WRONG_LENGTH: refused(FaultKind.WRONG_LENGTH, None),
    FaultKind.STALE: stale,
    FaultKind.ZERO_READ: zero_read,
}


@pytest.mark.parametrize("kind", FaultKind)
async def test_fault_of_every_kind_is_seen_on_the_wire(kind: FaultKind) -> None:
    async with running() as on:
        await SEEN[kind](on)


async def test_fault_of_every_kind_stands_in_the_ledger(tmp_path: Path) -> None:
    async with running(tmp_path) as on:
        meters = on.party.meters
    told = json.loads((tmp_path / "faults.json").read_text())
    assert {one["kind"] for one in told} == set(FaultKind)
    by_kind = {one["kind"]: one for one in told}
    for ordinal, kind in enumerate(KINDS_IN_ORDER):
        assert by_kind[kind]["esiid"] == meters[ordinal].identity.esiid
        assert by_kind[kind]["meter_number"] == meters[ordinal].identity.meter_number
    spike = by_kind[FaultKind.SPIKE]
    assert (spike["first_end"], spike["last_end"], spike["intervals"]) == (FROM + 900, TO, 8)
    assert spike["shown_wh"] == 7 * spike["true_wh"]
    outage_entry = by_kind[FaultKind.OUTAGE]
    assert outage_entry["shown_wh"] == 0 < outage_entry["true_wh"]
    assert pq.read_table(tmp_path / "faults.parquet").num_rows == len(told) == len(FaultKind) + 1


async def test_taken_port_is_named_and_nothing_stays_open() -> None:
    async with running() as on:
        settings = MetersSettings(
            on.party.settings.fleet,
            Clock(ClockMode.REAL, to_us(NOW)),
            "127.0.0.1",
            on.party.gateways[0].port,
            False,
            "",
            None,
        )
        with pytest.raises(SimulatorError, match=rf"port_taken.*{on.party.gateways[0].port}"):
            async with MetersParty(settings):
                pass


async def test_command_that_cannot_be_kept_is_refused_on_the_wire_and_the_switch_stays(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clock, fleet, state = Clock(ClockMode.REAL, to_us(NOW)), Fleet(ONCOR, 5, 1), tmp_path / "state"
    settings = MetersSettings(fleet, clock, "127.0.0.1", 0, False, "", None, state)
    seen = []
    async with MetersParty(settings) as party:
        client = AsyncModbusTcpClient("127.0.0.1", port=party.gateways[0].port, retries=0, timeout=5)
        await client.connect()
        for room in (10, 4096):
            with full_at(room):
                reply = await client.write_registers(SWITCH_REGISTER, [0], device_id=1)
            closed = party.meters[0].live(party.runtime.now() + 1).switch_closed
            seen.append((reply.exception_code if reply.isError() else 0, closed))
        client.close()
    assert seen == [(4, True), (0, False)]
    assert len(state.read_text().splitlines()) == 1
    said = capsys.readouterr().err
    assert "meters.state: " in said
    assert "state not kept" in said
    assert "Traceback" not in said
