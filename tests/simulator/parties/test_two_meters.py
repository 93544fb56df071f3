"""Two meters at one ESI ID, through every party: what is posted, billed and answered of the ESI ID is the sum, and only when both have told theirs."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import numpy as np
import pytest
import sqlalchemy as sa

from headend.http.links import bearing
from headend.lse.reader import read
from headend.ports import MeterKey
from headend.vee.quality import Channel
from meters.calendar import Seconds, day_end, day_start, epoch, seconds
from meters.device.meter import EmulatedMeter
from meters.device.special import TWO_METERS
from meters.events import EventKind
from meters.faults.kinds import FaultKind
from meters.faults.rules import FaultRule
from simulator.ror.billing.bill import bill
from simulator.ror.billing.plan import shipped_plan
from simulator.smt.doors.market.odr_wire import OdrStatus
from tests.simulator.sandboxes import SEED, Rig, rig

DAY = date(2026, 8, 11)
FIRST, SECOND = "600000032", "600000033"


def whole(on: Rig) -> EmulatedMeter:
    """A meter that would measure all of the load that the two share."""
    world = on.sandbox.settings.world
    first = next(meter for meter in world.meters if meter.identity.meter_number == FIRST)
    return EmulatedMeter(first.identity, first.premise, world.seed)


def used(on: Rig, start: Seconds, end: Seconds) -> list[int]:
    """Wh of each interval of a span."""
    wh: list[int] = whole(on).window(start, end, on.sandbox.runtime.now()).delivered.tolist()
    return wh


def at_of(when: datetime | None) -> float:
    assert when is not None
    return when.timestamp()


def silence(on: Rig, number: str) -> None:
    """Take a meter off its gateway's line."""
    units = on.sandbox.gateways[-1].meters
    del units[next(unit for unit, meter in units.items() if meter.identity.meter_number == number)]


async def power(on: Rig, call: str) -> OdrStatus:
    key = await on.client.power_status(on.magic(TWO_METERS.number), call)
    await on.sandbox.runtime.run_until(on.sandbox.runtime.now() + 900)
    return await on.client.odr_status(key, call)


async def test_what_is_posted_billed_and_read_is_the_sum_of_both(tmp_path: Path) -> None:
    async with rig(tmp_path, special=True, posted_days=3, policy="smt-today") as on:
        esiid, truth = on.magic(TWO_METERS.number), used(on, day_start(DAY), day_end(DAY))
        (posted,) = on.sandbox.smt.store.day(esiid, Channel.LOAD, DAY)
        assert posted.wh.tolist() == truth
        assert not posted.estimated.any()
        assert on.sandbox.smt.store.day(esiid, Channel.GENERATION, DAY) == []
        records = [
            record
            for file in sorted(on.sandbox.files.home("oncor.headend").glob("*.lse"))
            for record in read(file.read_bytes(), file.name).records
            if (record.esiid, record.channel, record.day) == (esiid, Channel.LOAD, DAY)
        ]
        (record,) = records
        assert record.wh.tolist() == truth
        assert record.start_reading_wh is not None
        assert record.stop_reading_wh is not None
        assert record.stop_reading_wh - record.start_reading_wh == sum(truth)

        first = date(2026, 8, 9)
        usage = (await on.client.intervals(esiid, first, DAY)).energy
        plan = shipped_plan("bluebonnet-saver-12")
        measured = usage._replace(wh=np.array(used(on, day_start(first), day_end(DAY)), dtype=np.int32))
        assert bill(plan, usage, first, DAY) == bill(plan, measured, first, DAY)

        info = await on.client.content("/v2/meterInfo/", esiid, "MeterData")
        assert [one["utilityMeterId"] for one in info] == [f"{FIRST}LG", f"{SECOND}LG"]

        start, end = epoch("2026-08-12T00:00"), epoch("2026-08-12T17:30")
        answer = await on.ask(esiid, "gap")
        assert (answer.statusCode, answer.meterReads) == ("0", 2)
        assert [interval.wh for interval in answer.intervals or ()] == used(on, start, end)
        assert answer.partial is not None
        register = await on.ask(esiid, "register", "REGISTER")
        assert register.odrRead is not None
        both = [meter for meter in on.sandbox.settings.world.meters if meter.identity.esiid == esiid]
        now = on.sandbox.runtime.now()
        shown = [sum(meter.live(at).delivered_register for meter in both) / 1000 for at in (now - 600, now)]
        assert shown[0] <= register.odrRead.registeredRead <= shown[1]
        state = (await power(on, "power")).powerStatus
        assert state is not None
        assert (state.status, state.source, state.switchState) == ("ON", "reply", "CLOSED")


@pytest.mark.parametrize("silent", [FIRST, SECOND])
async def test_one_that_is_silent_keeps_an_answer_from_being_complete_and_is_named(tmp_path: Path, silent: str) -> None:
    async with rig(tmp_path, special=True, posted_days=2) as on:
        esiid, midnight = on.magic(TWO_METERS.number), epoch("2026-08-12T00:00")
        silence(on, silent)
        gap = await on.ask(esiid, "gap", wait_s=seconds(900))
        assert gap.statusCode == "1"
        assert f"meter {silent}: the meter did not answer 4 tries" in gap.statusReason
        # What both have told by the sweep at 16:00, and nothing that is of one alone.
        assert [one.wh for one in gap.intervals or ()] == used(on, midnight, epoch("2026-08-12T16:00"))
        assert (at_of(gap.reachesTo), gap.partial, gap.meterReads) == (epoch("2026-08-12T16:00"), None, 5)
        register = await on.ask(esiid, "register", "REGISTER", seconds(900))
        assert (register.statusCode, register.odrRead) == ("1", None)
        unknown = await power(on, "power")
        assert (unknown.statusCode, unknown.powerStatus and unknown.powerStatus.status) == ("1", "UNKNOWN")
        assert silent in unknown.statusReason
        await on.to("2026-08-13T08:00")
        (posted,) = on.sandbox.smt.store.day(esiid, Channel.LOAD, date(2026, 8, 12))
        # Estimated from the sweep on that one of the two did not answer.
        assert posted.estimated.tolist() == [False] * 64 + [True] * 32
        assert posted.wh.tolist()[:64] == used(on, midnight, epoch("2026-08-12T16:00"))


async def test_a_last_gasp_of_one_is_off_though_the_other_answers(tmp_path: Path) -> None:
    async with rig(tmp_path, special=True, posted_days=2) as on:
        esiid = on.magic(TWO_METERS.number)
        gasp = {"esiid": esiid, "meterNumber": SECOND, "kind": EventKind.LAST_GASP.value}
        silence(on, SECOND)
        url = f"{on.sandbox.headend_server.url}/events"
        told = await on.http.post(
            url, json={"events": [gasp | {"at": "2026-08-12T17:38:00-05:00"}]}, headers=bearing(on.sandbox.keys.meters)
        )
        assert told.json() == {"accepted": 1, "unknown": 0}
        state = (await power(on, "power")).powerStatus
        assert state is not None
        assert (state.status, state.source, at_of(state.at)) == ("OFF", "event", epoch("2026-08-12T17:38"))


async def test_an_exchange_at_noon_is_two_numbers_that_follow_each_other_at_one_place(tmp_path: Path) -> None:
    ordinal, noon = 2, epoch("2026-08-12T12:00")
    exchange = FaultRule(FaultKind.EXCHANGE, noon, meters=(ordinal,))
    async with rig(tmp_path, "2026-08-12T09:40", posted_days=2, faults=[exchange]) as on:
        await on.to("2026-08-13T08:00")
        meter, store = on.sandbox.settings.world.meters[ordinal - 1], on.sandbox.headend_store
        esiid, day = meter.identity.esiid, date(2026, 8, 12)
        before, after = (meter.identity_at(at).meter_number for at in (noon - 1, noon))
        assert before != after
        assert store.records.places(esiid) == [MeterKey(esiid, before)]
        assert store.records.place(esiid, after) == MeterKey(esiid, before)
        with sa.create_engine(
            f"sqlite:///{tmp_path / 'headend.sqlite'}", poolclass=sa.NullPool
        ).connect() as connection:
            query = sa.text(
                "SELECT meter_number FROM interval_day WHERE esiid = :esiid AND channel = 4 AND day_start = :at"
            )
            numbers = connection.scalars(query, {"esiid": esiid, "at": day_start(day)})
            assert set(numbers) == {before, after}
        sound = EmulatedMeter(meter.identity, meter.premise, SEED)
        truth = sound.window(day_start(day), day_end(day), on.sandbox.runtime.now()).delivered.tolist()
        window = store.window(esiid, day_start(day), day_end(day))
        assert window.wh.tolist() == truth[:32] + [0] * 16 + truth[48:]
        (posted,) = on.sandbox.smt.store.day(esiid, Channel.LOAD, day)
        # What the first meter counted since the sweep at 8:00 went with it.
        assert posted.estimated.tolist() == [False] * 32 + [True] * 16 + [False] * 48
        assert posted.wh[~posted.estimated].tolist() == truth[:32] + truth[48:]
