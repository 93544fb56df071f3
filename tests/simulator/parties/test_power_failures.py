"""What meters' events make of a power status at SMT."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

from headend.ports import MeterKey
from meters.calendar import epoch, iso, seconds
from meters.events import EventKind
from meters.faults.kinds import FaultKind
from simulator.parties.fleet.meter_events import MeterEvents, http_sender
from simulator.world.fault_spec import FaultSpec
from tests.simulator.parties.fleet.test_meter_events import BACK, GASP, FakeMeter
from tests.simulator.sandboxes import Rig, rig


async def status(made: Rig, esiid: str, call: str, until: str) -> Any:
    key = await made.client.power_status(esiid, call)
    await made.to(until)
    return await made.client.odr_status(key, call)


def place(made: Rig, esiid: str) -> MeterKey:
    (meter,) = made.sandbox.headend_store.records.places(esiid)
    return meter


def tells(made: Rig, esiid: str, *events: tuple[str, EventKind]) -> None:
    """A meter of the sandbox's tells its head-end these, at times of the day."""
    runtime = made.sandbox.runtime
    meter = FakeMeter(1)
    meter.esiid = esiid
    meter.number = place(made, esiid).number
    for at, kind in events:
        meter.add(epoch(f"2026-08-12T{at}"), kind)
    send = http_sender(made.http, f"{made.sandbox.headend_server.url}/events", made.sandbox.keys.meters)
    sending = MeterEvents(runtime, [meter], send, made.sandbox.journal)

    def begin() -> None:
        runtime.env.process(sending.run())

    runtime.inject("test", "", begin)


async def test_a_silent_meter_whose_last_gasp_came_is_off_and_that_uses_the_allowance_up(made: Rig) -> None:
    dead = made.special("dead")
    tells(made, dead, ("17:41:05", GASP), ("18:20", BACK))
    await made.to("2026-08-12T17:45")
    off = await status(made, dead, "call-1", "2026-08-12T18:00")
    assert (off.statusCode, off.meterReads, off.refusal) == ("0", 1, None)
    power = off.powerStatus
    assert (power.status, power.source, power.switchState, power.voltage) == ("OFF", "event", "UNKNOWN", None)
    assert iso(seconds(power.at.timestamp())) == "2026-08-12T17:41:05-05:00"
    # AMB-2: an OFF that an event stands behind is a success.
    refusal = await made.refused(made.client.power_status(dead, "call-2"))
    assert refusal.code == "FR-CR016.1a"
    # Its read is another allowance; it fails after one try, and says why.
    read = await made.ask(dead, "call-3")
    assert (read.statusCode, read.meterReads, read.refusal) == ("1", 1, None)
    assert "did not answer 1 try: it has told that its power failed" in read.statusReason


async def test_a_silent_meter_that_was_restored_is_unknown_and_the_allowance_comes_back(made: Rig) -> None:
    dead = made.special("dead")
    tells(made, dead, ("17:41:05", GASP), ("17:44", BACK))
    await made.to("2026-08-12T17:45")
    for call, until in (("call-1", "18:00"), ("call-2", "18:15")):
        unknown = await status(made, dead, call, f"2026-08-12T{until}")
        assert (unknown.statusCode, unknown.meterReads, unknown.refusal) == ("1", 4, None)
        assert (unknown.powerStatus.status, unknown.powerStatus.source) == ("UNKNOWN", "none")


async def test_a_meter_that_answers_after_its_last_gasp_is_on(made: Rig) -> None:
    esiid = made.esiid(1)
    tells(made, esiid, ("17:41:05", GASP))
    await made.to("2026-08-12T17:45")
    assert made.sandbox.headend.events.power_failed_at(place(made, esiid)) == epoch("2026-08-12T17:41:05")
    on = await status(made, esiid, "call-1", "2026-08-12T18:00")
    assert (on.powerStatus.status, on.powerStatus.source, on.meterReads) == ("ON", "reply", 1)
    assert made.sandbox.headend.events.power_failed_at(place(made, esiid)) is None


async def test_a_sweep_that_hears_a_meter_ends_its_power_failure(made: Rig) -> None:
    esiid = made.esiid(1)
    tells(made, esiid, ("19:59:30", GASP))
    await made.to("2026-08-12T19:59:59")
    assert made.sandbox.headend.events.power_failed_at(place(made, esiid)) is not None
    await made.to("2026-08-12T20:02")
    assert made.sandbox.headend.events.power_failed_at(place(made, esiid)) is None


async def test_a_meter_whose_gateway_had_no_path_is_unknown_where_its_neighbour_without_power_is_off(
    tmp_path: Path,
) -> None:
    first = datetime.fromisoformat("2026-08-12T17:42")
    out = [FaultSpec(kind=FaultKind.OUTAGE, meters=(1, 2), first=first), FaultSpec(kind=FaultKind.NO_PATH, meter=2)]
    async with rig(tmp_path, faults=[fault.rule("test") for fault in out]) as made:
        await made.to("2026-08-12T17:45")
        told = {}
        for meter in (1, 2):
            esiid = made.sandbox.settings.world.esiid(meter)
            told[meter] = await status(made, esiid, f"call-{meter}", f"2026-08-12T18:{15 * meter}")
        assert [told[meter].powerStatus.status for meter in (1, 2)] == ["OFF", "UNKNOWN"]
