"""A stranger's meter before our head-end's transport and a SunSpec client: all that it counts, and what its faults do on the wire."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from pyModbusTCP.client import ModbusClient
from sunspec2.modbus.client import SunSpecModbusClientDeviceTCP

from headend.day.due import validate_due
from headend.network.transport import ModbusTransport, NoAnswer, WrongMeter
from headend.ports import MeterAddress, MeterRecords
from headend.store.store import HeadEndStore
from headend.store.told import MeterTold, header_of
from headend.vee.preset import Preset
from headend.vee.rules import RULES
from meters.calendar import day_end, day_start, epoch
from scenarios import twins

TWIN = Path(twins.__path__[0]) / "meter.py"
ESIID, NUMBER = "10443720000000017", "200000017"
NOW = epoch("2026-03-09T17:40") + 22
FAULTS: dict[str, Any] = json.loads(TWIN.with_name("meter_faults.json").read_text("utf-8"))
#: The spring day, of 92 quarter hours, and the midnight before it, of which the day before has the register.
DAY = date(2026, 3, 8)
BY_VEE = {fault for fault, row in FAULTS.items() if set(row["fails"]) & set(RULES)}
#: 1 January 2025, as its docstring has it.
K0 = 1_928_568


def wh(k: int) -> int:
    """What it uses in the quarter hour that begins at 900 k."""
    return 100 + (13 * k + 7 * 17) % 400


def counted(until: int) -> int:
    """Its register at the end of a quarter hour, added up one by one."""
    return sum(wh(k) for k in range(K0, until // 900))


async def _clock(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """The time that all share, by HTTP."""
    await reader.readuntil(b"\r\n\r\n")
    body = json.dumps({"mode": "manual", "now": "2026-03-09T17:40:22-05:00", "speed": 0}).encode()
    writer.write(b"HTTP/1.0 200 OK\r\ncontent-type: application/json\r\n\r\n" + body)
    await writer.drain()
    writer.close()


@asynccontextmanager
async def metered(*words: str) -> AsyncIterator[tuple[ModbusTransport, MeterAddress, int]]:
    """The twin's process, and our head-end's transport to it."""
    clock = await asyncio.start_server(_clock, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{clock.sockets[0].getsockname()[1]}"
    command = (sys.executable, "-I", str(TWIN), "--esiid", ESIID, "--meter", NUMBER, "--clock", url, *words)
    process = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE)
    transport = ModbusTransport(timeout=1.0)
    try:
        assert process.stdout is not None
        ready: dict[str, Any] = json.loads(await process.stdout.readline())
        yield transport, MeterAddress(ESIID, NUMBER, ready["host"], ready["port"], 1, 1, 1), ready["port"]
    finally:
        await transport.close()
        process.kill()
        await process.wait()
        clock.close()


@pytest.mark.process
async def test_our_head_end_reads_what_a_strangers_meter_has_counted_over_the_spring_day() -> None:
    start, end = epoch("2026-03-07T17:30"), epoch("2026-03-09T17:30")
    midnights = [day_start(date(2026, 3, day)) for day in (8, 9)]
    async with metered() as (transport, address, _):
        reading = await transport.read_window(address, start, end)
        snapshots = await transport.read_midnights(address, midnights)
        power = await transport.read_power(address)
    assert reading.delivered.tolist() == [wh(k) for k in range(start // 900, end // 900)]
    assert len(reading.delivered) == 188
    assert reading.present.all()
    assert not reading.received.any()
    assert (reading.meter_number, reading.meter_time, reading.multiplier, reading.dials) == (NUMBER, NOW, 1, 6)
    running = wh(end // 900) * 622 // 900
    assert reading.partial_wh == running
    assert abs(reading.register_wh - counted(end) - running) <= 1
    assert [one.delivered_wh for one in snapshots] == [counted(at) for at in midnights]
    assert (power.voltage, power.switch_closed) == (240.0, True)


@pytest.mark.process
async def test_a_sunspec_client_finds_its_models_and_its_switch_and_clock_obey() -> None:
    async with metered() as (transport, address, port):

        def seen() -> tuple[list[int], float]:
            device = SunSpecModbusClientDeviceTCP(1, "127.0.0.1", port, timeout=10)
            device.scan()
            found = sorted(model for model in device.models if isinstance(model, int))
            meter = device.models[202][0]
            meter.read()
            told = found, meter.PPV.cvalue
            device.close()
            return told

        def commanded() -> list[Any]:
            client = ModbusClient("127.0.0.1", port, 1, timeout=10)
            done = [client.write_single_register(40209, 0), client.write_multiple_registers(40207, [0, 0])]
            done += [client.write_single_register(40210, 1), client.read_holding_registers(39999, 2)]
            client.close()
            return done

        assert await asyncio.to_thread(seen) == ([1, 202, 64209], 240.0)
        assert await asyncio.to_thread(commanded) == [True, False, False, None]
        assert not (await transport.read_power(address)).switch_closed


@pytest.mark.process
@pytest.mark.parametrize("fault", ["WRONG-METER", "OTHER-TRANSACTION", "OTHER-MODEL", "REFUSES", "SILENT"])
async def test_its_faults_keep_it_from_answering(fault: str) -> None:
    async with metered("--fault", fault) as (transport, address, _):
        with pytest.raises(WrongMeter if fault == "WRONG-METER" else NoAnswer):
            await transport.read_power(address)


@pytest.mark.process
async def test_its_faults_are_seen_in_what_it_tells() -> None:
    start, end = epoch("2026-03-09T05:00"), epoch("2026-03-09T17:00")
    found = {}
    for fault in ("HOLE", "NEGATIVE", "SWAPPED", "PLUS-37", "INTERVAL-SIZE", "RING-TURNED"):
        async with metered("--fault", fault) as (transport, address, _):
            found[fault] = await transport.read_window(address, start, end)
    assert (~found["HOLE"].present).sum() in (1, 2)
    assert (found["NEGATIVE"].delivered < 0).sum() in (1, 2)
    assert not found["SWAPPED"].delivered.any()
    assert found["PLUS-37"].meter_time == NOW + 37
    # They are all there, and not where they belong: no sum tells.
    assert found["RING-TURNED"].delivered.tolist() == [wh(k - 1) for k in range(start // 900, end // 900)]
    assert found["INTERVAL-SIZE"].interval_s == 1800


async def found_by_vee(folder: Path, words: Sequence[str]) -> set[str]:
    """The rules that our VEE finds broken in the day that it has read of the twin."""
    async with metered(*words) as (transport, address, _):
        store = HeadEndStore(f"sqlite:///{folder / 'headend.sqlite'}", MeterRecords([address]))
        try:
            asked = NOW
            try:
                reading = await transport.read_window(address, day_start(DAY), day_end(DAY))
                midnights = await transport.read_midnights(address, [day_start(DAY), day_end(DAY)])
                store.keep([reading], asked, "sweep")
                if midnights:
                    store.keep_snapshots(midnights)
                store.told.keep([(address.key, header_of(reading, asked, asked))], day_start(DAY))
            except WrongMeter as wrong:
                store.told.keep([(address.key, MeterTold(other_number=wrong.number))], day_start(DAY))
            validate_due(store, [ESIID], DAY, Preset(), lambda: asked)
            return {one.finding.id for one in store.findings.of_day(DAY)[1]}
        finally:
            store.close()


@pytest.mark.process
async def test_our_vee_has_nothing_to_say_of_a_sound_strangers_day(tmp_path: Path) -> None:
    assert await found_by_vee(tmp_path, ()) == set()


@pytest.mark.process
@pytest.mark.parametrize("fault", sorted(BY_VEE))
async def test_our_vee_finds_what_a_fault_names_and_nothing_in_its_near_miss(tmp_path: Path, fault: str) -> None:
    found = await found_by_vee(tmp_path, ("--fault", fault))
    assert set(FAULTS[fault]["fails"]) & set(RULES) <= found
    if "near" in FAULTS[fault]:
        (tmp_path / "near").mkdir()
        assert not await found_by_vee(tmp_path / "near", ("--fault", f"{fault}/near"))
