"""A tester asks SMT for an outcome by its magic ESI ID: each does through every party what its note says."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from headend.vee.quality import Channel
from headend.wire import PowerState
from meters.calendar import day_end, day_start, seconds
from tests.simulator.sandboxes import Rig, rig

#: 17:40 and ten minutes: what happens five minutes after the start has happened.
LATER = "2026-08-12T17:50"


async def test_power_statuses_of_outages_and_an_open_switch(tmp_path: Path) -> None:
    async with rig(tmp_path, special=True, posted_days=2) as on:
        await on.to(LATER)
        states = {number: await status(on, number) for number in (12, 13, 15, 28)}
        assert (states[12].status, states[12].source) == ("OFF", "event")
        assert states[12].at is not None
        # Five minutes after the meters came up.
        assert states[12].at.isoformat() == "2026-08-12T17:45:00-05:00"
        assert (states[13].status, states[13].source) == ("UNKNOWN", "none")
        assert (states[15].status, states[15].switchState) == ("ON", "OPEN")
        assert (states[28].status, states[28].switchState) == ("ON", "CLOSED")


async def status(on: Rig, number: int) -> PowerState:
    esiid, call = on.magic(number), f"status-{number}"
    key = await on.client.power_status(esiid, call)
    await on.sandbox.runtime.run_until(on.sandbox.runtime.now() + 900)
    reply = await on.client.odr_status(key, call)
    assert reply.powerStatus is not None
    return reply.powerStatus


async def test_interval_that_ended_on_the_way_is_told_beside_the_gap(tmp_path: Path) -> None:
    async with rig(tmp_path, special=True, posted_days=2) as on:
        await on.to("2026-08-12T17:59:50")
        answer = await on.ask(on.magic(30), "late", wait_s=seconds(200))
        assert answer.partial is not None
        assert answer.partial.seconds > 900
        meter = next(one for one in on.sandbox.settings.world.meters if one.identity.esiid == on.magic(30))
        now = seconds(answer.partial.asOf.timestamp())
        ended = meter.window(now // 900 * 900 - 900, now // 900 * 900, now).delivered[0]
        assert answer.partial.wh == ended + meter.live(now).partial_delivered


async def test_outage_that_ends_is_off_then_on(tmp_path: Path) -> None:
    async with rig(tmp_path, special=True, posted_days=2, policy="smt-today") as on:
        await on.to(LATER)
        assert (await status(on, 14)).status == "OFF"
        await on.to("2026-08-12T18:50")
        assert (await status(on, 14)).status == "ON"


async def test_register_reads_of_silent_spoiled_zero_and_stale_meters(tmp_path: Path) -> None:
    async with rig(tmp_path, special=True, posted_days=2) as on:
        await on.to(LATER)
        sound = await on.ask(on.magic(28), "sound", "REGISTER", seconds(900))
        assert sound.statusCode == "0"
        assert sound.odrRead is not None
        assert sound.odrRead.registeredRead > 10_000
        for number in (1, 5, 6, 7, 8, 9, 10):
            ended = await on.ask(on.magic(number), f"call-{number}", "REGISTER", seconds(900))
            assert ended.statusCode == "1", number
        zero = await on.ask(on.magic(3), "zero", "REGISTER", seconds(900))
        assert (zero.statusCode, zero.odrRead and zero.odrRead.registeredRead) == ("0", 0.0)
        stale = await on.ask(on.magic(4), "stale", "REGISTER", seconds(900))
        assert stale.statusCode == "1"
        assert "no read taken after the request" in stale.statusReason
        assert stale.odrRead is None


async def test_gap_reads_of_stopped_disconnected_and_exchanged_meters(tmp_path: Path) -> None:
    async with rig(tmp_path, special=True, posted_days=2) as on:
        await on.to(LATER)
        stopped = await on.ask(on.magic(16), "stopped")
        assert stopped.statusCode == "0"
        assert stopped.missing is not None
        # Recording stopped at 11:30.
        assert len(stopped.missing) == 25
        opened = await on.ask(on.magic(15), "opened")
        assert opened.intervals is not None
        assert {interval.wh for interval in opened.intervals} == {0}
        await on.to("2026-08-12T19:00")
        exchanged = await on.ask(on.magic(23), "exchanged", "REGISTER", seconds(900))
        assert exchanged.statusCode == "1"


async def test_roof_posts_its_surplus_in_the_generation_channel_and_a_business_its_multiplied_energy(
    tmp_path: Path,
) -> None:
    async with rig(tmp_path, special=True, posted_days=2) as on:
        day = date(2026, 8, 11)
        world = on.sandbox.settings.world
        meters = {meter.identity.esiid: meter for meter in world.meters}
        for number, channel in ((28, Channel.GENERATION), (28, Channel.LOAD), (31, Channel.LOAD)):
            meter = meters[on.magic(number)]
            shown = meter.window(day_start(day), day_end(day), on.sandbox.runtime.now())
            side = shown.delivered if channel is Channel.LOAD else shown.received
            (posted,) = on.sandbox.smt.store.day(on.magic(number), channel, day)
            assert posted.wh.tolist() == (side * meter.identity.multiplier).tolist()
            assert posted.wh.sum() > 5_000
