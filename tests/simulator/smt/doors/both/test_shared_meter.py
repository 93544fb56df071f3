"""One service behind both doors: the same question gets the same answer (AC2), and one meter's allowance is shared by who uses it."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from headend.vee.quality import Channel
from meters.calendar import epoch, intervals_in, us_date
from tests.simulator.smt.rig import PLAIN, Rig, record

DAYS = [date(2026, 3, 8), date(2026, 8, 11), date(2026, 11, 1)]


@pytest.mark.parametrize("day", DAYS, ids=str)
async def test_a_posted_day_is_the_same_at_every_door(tmp_path: Path, day: date) -> None:
    async with Rig(tmp_path, now=f"{day}T23:00") as rig:
        for channel, wh in ((Channel.LOAD, 198), (Channel.GENERATION, 50)):
            made = record(PLAIN, day, epoch(f"{day}T22:00"), channel, wh)
            made.wh[:] = range(wh, wh + intervals_in(day))
            made.estimated[3] = True
            rig.smt.store.load([made], rig.runtime.now())
        asked = {"startDate": us_date(day), "endDate": us_date(day)}
        market = (await rig.market("/15minintervalreads/", esiid=[PLAIN], readingType="A", **asked)).json()
        synch = (await rig.portal("/api/adhoc/intervalsynch", ESIID=[PLAIN], **asked))["data"]
        rows = (await rig.portal("/api/usage/interval", esiid=PLAIN, **asked))["intervaldata"]
    assert synch["energyData"] == market["energyData"]
    consumed, generated = market["energyData"]
    assert consumed["RD"].count(",") == generated["RD"].count(",") == 99
    filled = [slot.split("-") for slot in consumed["RD"].split(",") if slot]
    assert [(float(kwh), mark) for kwh, mark in filled] == [
        (row["consumption"], row["consumption_est_act"]) for row in rows
    ]
    assert len(rows) == intervals_in(day)
    assert rows[3]["generation_est_act"] == "E"


async def test_a_register_read_is_the_same_at_both_doors_whoever_asked(rig: Rig) -> None:
    rig.post_days()
    asked = await rig.asked()
    await rig.wait(80)
    market = (await rig.status(asked["correlationId"]))["odrRead"]
    portal = (await rig.portal("/api/usage/latestodrread", ESIID=PLAIN))["data"]
    assert float(portal["odrread"]) == market["registeredRead"]
    assert portal["odrdate"] == market["readDate"]
