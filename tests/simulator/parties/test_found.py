"""What VEE of a live day finds of meters that are not as the records have them, and of power by what they told."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from headend.day.power import told_power
from headend.day.validated import validate_partition
from headend.http.links import bearing
from headend.vee.preset import Preset
from headend.vee.rules import limits
from meters.calendar import day_end, day_start, epoch, seconds
from meters.faults.kinds import FaultKind
from meters.faults.rules import FaultRule
from tests.simulator.sandboxes import Rig, rig

DAY, NOON = date(2026, 8, 12), epoch("2026-08-12T12:00")
CLOCK, MULTIPLIER, NUMBER, DARK, SOUND = range(1, 6)
FAULTS = [
    FaultRule(FaultKind.CLOCK_SET, NOON - 60, NOON + 60, {"seconds": 400}, meters=(CLOCK,)),
    FaultRule(FaultKind.MULTIPLIER, params={"value": 10}, meters=(MULTIPLIER,)),
    FaultRule(FaultKind.EXCHANGE, NOON - 300, meters=(NUMBER,)),
    FaultRule(FaultKind.OUTAGE, NOON + 300, NOON + 6_900, meters=(DARK,)),
]


async def found(on: Rig, **asked: str | int) -> Any:
    """Findings of the day, or another, as the head-end tells them."""
    url = f"{on.sandbox.headend_server.url}/findings"
    reply = await on.http.get(
        url, params=dict[str, str | int](day=str(DAY)) | asked, headers=bearing(on.sandbox.keys.smt)
    )
    assert reply.status_code == 200, reply.text
    return reply.json()["findings"]


def faulty(on: Rig) -> set[str]:
    return {on.esiid(ordinal) for ordinal in (CLOCK, MULTIPLIER, NUMBER)}


async def test_a_live_day_finds_clock_multiplier_and_number_and_knows_an_outage_by_its_events(tmp_path: Path) -> None:
    async with rig(tmp_path, "2026-08-12T09:40", posted_days=2, faults=FAULTS) as on:
        await on.to("2026-08-13T01:10")
        store = on.sandbox.headend_store
        said = {one["rule"]: one["sentence"] for one in await found(on) if one["esiid"] in faulty(on)}
        assert said["clock.off"] == "The meter's clock is 400 s from the head-end's; 180 s would pass."
        assert said["asset.multiplier"] == "The meter tells multiplier 10, the records have 1."
        assert said["asset.number"] == "Another meter than the records name answered."
        assert await found(on, esiid=on.esiid(SOUND)) == []
        # Nothing of the other meter's was taken, and nobody was silent: the records name it the day after.
        ((meter, header),) = store.told.of([on.esiid(NUMBER)], DAY).items()
        world = on.sandbox.settings.world
        assert header.other_number == world.meters[NUMBER - 1].identity_at(NOON).meter_number != meter.number
        sweeps = [entry for entry in on.sandbox.journal.entries() if entry["kind"] == "sweep"]
        refused = [entry for entry in sweeps if on.esiid(NUMBER) in entry.get("other_number", ())]
        assert [entry["ident"] for entry in refused] == [str(NOON + hours * 3600) for hours in (0, 4, 8)]
        assert not any(on.esiid(NUMBER) in entry["silent"] for entry in sweeps)
        # Dark from 12:05 to 13:55: six quarter hours are whole.
        dark = on.esiid(DARK)
        told = store.events.over([dark], day_start(DAY), day_end(DAY))
        power = told_power(DAY, store.records.places(dark), told)
        assert np.flatnonzero(power).tolist() == list(range(49, 55))
        assert await found(on, esiid=dark) == []


async def test_what_a_read_on_demand_learns_from_the_header_is_kept_like_a_sweeps(tmp_path: Path) -> None:
    # Between the sweeps of 12:00 and 16:00 a clock is wrong, and another meter hangs there.
    wrong = [
        FaultRule(FaultKind.CLOCK_SET, NOON + 3_600, NOON + 7_200, {"seconds": 400}, meters=(CLOCK,)),
        FaultRule(FaultKind.MULTIPLIER, params={"value": 10}, meters=(MULTIPLIER,)),
        FaultRule(FaultKind.ROLLOVER, NOON, params={"dials": 5}, meters=(DARK,)),
        FaultRule(FaultKind.EXCHANGE, NOON + 3_600, meters=(NUMBER,)),
    ]
    async with rig(tmp_path, "2026-08-12T12:30", posted_days=2, faults=wrong) as on:
        store = on.sandbox.headend_store
        asked = [on.esiid(ordinal) for ordinal in (CLOCK, MULTIPLIER, DARK, NUMBER)]
        await on.to("2026-08-12T13:10")
        for esiid, kind in zip(asked, ("INTERVALS", "REGISTER", "REGISTER", "INTERVALS"), strict=True):
            await on.ask(esiid, f"call-{esiid}", kind, seconds(120))
        told = {meter.esiid: one for meter, one in store.told.of(asked, DAY).items()}
        # The network takes some seconds, and what the read itself took is no error.
        assert 380 < told[asked[0]].clock_error_s <= 400
        assert [told[esiid].multiplier for esiid in asked[:3]] == [1, 10, 1]
        assert [told[esiid].dials for esiid in asked[:3]] == [6, 6, 5]
        number = on.sandbox.settings.world.meters[NUMBER - 1].identity_at(NOON + 7_200).meter_number
        assert told[asked[3]].other_number == number


async def test_posted_days_have_found_what_a_live_one_finds(tmp_path: Path) -> None:
    told = []
    for at, posted_days in (("2026-08-12T09:40", 2), ("2026-08-13T09:40", 3)):
        async with rig(tmp_path / at[:10], at, posted_days=posted_days, faults=FAULTS) as on:
            await on.to("2026-08-13T09:45")
            told.append([one for one in await found(on) if one["esiid"] in faulty(on)])
    assert told[0] == told[1] != []


async def test_findings_are_told_by_day_esi_id_and_rule_in_pages_to_who_has_the_key(tmp_path: Path) -> None:
    async with rig(tmp_path, "2026-08-12T09:40", posted_days=2, faults=FAULTS) as on:
        await on.to("2026-08-13T01:10")
        every = await found(on)
        pages = [await found(on, most=3, skip=skip) for skip in range(0, len(every) + 3, 3)]
        assert [one for page in pages for one in page] == every
        assert pages[-1] == []
        (clock,) = await found(on, rule="clock.off")
        assert clock == {
            "esiid": on.esiid(CLOCK),
            "meterNumber": on.sandbox.settings.world.meters[CLOCK - 1].identity.meter_number,
            "rule": "clock.off",
            "severity": "estimate",
            "channel": 4,
            "sentence": "The meter's clock is 400 s from the head-end's; 180 s would pass.",
            "value": 400,
            "limit": 180,
            "first": None,
            "last": None,
        }
        condition = (await found(on, rule="interval.condition", esiid=on.esiid(CLOCK)))[0]
        edges = "2026-08-12T11:45:00-05:00", "2026-08-12T12:15:00-05:00"
        assert (condition["severity"], condition["first"], condition["last"]) == ("estimate", *edges)
        # A day that was validated again has what was found then.
        store = on.sandbox.headend_store
        now, preset = on.sandbox.runtime.now, Preset(limits=limits({"clock.off": {"seconds": 500}}))
        (pending,) = store.partitions.again(DAY, [on.esiid(CLOCK)], now())
        validate_partition(store, [on.esiid(CLOCK)], pending, preset, now)
        assert await found(on, rule="clock.off") == []
        assert [one["value"] for one in await found(on, rule="clock.drift")] == [400]
        assert len(await found(on)) == len(every)
        assert await found(on, day="2026-08-13") == []
        url = f"{on.sandbox.headend_server.url}/findings"
        assert (await on.http.get(url, params={"day": "2026-08-12"})).status_code == 401
        for place, wrong in (
            ("day", "20260812"),
            ("day", "0001-01-01"),
            ("day", "x"),
            ("rule", "clock"),
            ("esiid", "1"),
            ("most", "0"),
            ("skip", "-1"),
            ("nothing", "1"),
        ):
            asked = {"day": "2026-08-12"} | {place: wrong}
            reply = await on.http.get(url, params=asked, headers=bearing(on.sandbox.keys.smt))
            assert (reply.status_code, reply.json()["place"]) == (400, f"query.{place}")
