"""An area loses power for a night and a day: what is posted of it, what is corrected, and when estimation stops for it and goes on."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from headend.http.links import bearing
from headend.vee.quality import Channel, IntervalStatus
from meters.calendar import day_end, day_start, epoch, to_us
from meters.faults.kinds import FaultKind
from meters.faults.rules import FaultRule
from simulator.input.vee_preset import read_preset
from simulator.parties.sandbox import Sandbox, SandboxSettings
from simulator.runtime.clock import Clock, ClockMode
from simulator.smt.ondemand.middle import FixedMiddle
from simulator.smt.throttle.policy import preset
from simulator.world.fault_spec import Happenings
from simulator.world.meters import WorldSpec, build

#: The power fails on the 13th at 18:05. The first access point has the meters 1 to 10, the second 11 to 20.
FIRST, DAY, NEXT = date(2026, 8, 5), date(2026, 8, 13), date(2026, 8, 14)
FAILED = epoch("2026-08-13T18:05")
EVENING, BEFORE_VEE, AFTERNOON, SECOND_NIGHT = (
    epoch(f"2026-08-{at}") for at in ("13T23:00", "14T00:40", "14T14:00", "15T00:10")
)
#: Power is back, ordinals, and whether the last gasp gets through.
DARK = (
    (EVENING, (1, 2), True),
    (EVENING, (3,), False),
    (BEFORE_VEE, (4,), True),
    (AFTERNOON, (5, 11), False),
    (SECOND_NIGHT, (6, 7), False),
    (SECOND_NIGHT, (8,), True),
)
SILENT_AT_MIDNIGHT = (4, 5, 6, 7, 8)
DOCS = Path(__file__).parents[3] / "docs"


@asynccontextmanager
async def storm(out: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Sandbox]:
    rules = tuple(
        FaultRule(FaultKind.OUTAGE, FAILED, back, {"last_gasp": gasp}, meters=meters) for back, meters, gasp in DARK
    )
    world = build(WorldSpec(meters=20, gateways=2, first_day=FIRST), 5, day_start(FIRST), Happenings(rules))
    # The shipped ones want a hundred meters of an area.
    shipped = Path("headend/vee/presets/oncor.yaml").read_text()
    (out / "mine.yaml").write_text(f"{shipped}thresholds: {{estimate.stopped: {{share: 0.3, meters: 10}}}}\n")
    mine, mistakes = read_preset(out / "mine.yaml")
    assert mine is not None
    assert not mistakes
    monkeypatch.setattr("simulator.parties.sandbox.preset_of", lambda _tdsp: mine)
    settings = SandboxSettings(
        world,
        Clock(ClockMode.MANUAL, to_us(epoch("2026-08-13T09:00"))),
        preset("smt-today"),
        FixedMiddle(1, 1),
        out,
        history=True,
    )
    async with Sandbox(settings) as made:
        yield made
        assert made.faults() == []


async def told(made: Sandbox, path: str, **query: Any) -> Any:
    async with httpx.AsyncClient(base_url=made.headend_server.url, trust_env=False) as http:
        reply = await http.get(path, params=query, headers=bearing(made.keys.smt))
    assert reply.status_code == 200, reply.text
    return reply.json()


async def stopped(made: Sandbox, day: date) -> list[int]:
    """Ordinals of the meters for which estimation of a day is stopped."""
    ordinals = {made.settings.world.esiid(ordinal): ordinal for ordinal in range(1, 21)}
    found = await told(made, "/findings", day=day.isoformat(), rule="estimate.stopped")
    meters = (await told(made, f"/collection/{day}"))["meters"]
    told_of = sorted(ordinals[one["esiid"]] for one in found["findings"])
    assert told_of == sorted(ordinals[one["esiid"]] for one in meters if one["estimationStopped"])
    return told_of


def posted(made: Sandbox, day: date) -> dict[int, tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """By ordinal: Wh that flowed, Wh that are posted, and where those are estimates."""
    found = {}
    for ordinal in range(1, 21):
        vee = made.headend_store.vee.day([made.settings.world.esiid(ordinal)], day).delivered
        flowed = made.settings.world.meters[ordinal - 1].window(day_start(day), day_end(day), epoch("2026-08-16T00:00"))
        found[ordinal] = flowed.delivered, vee.wh[0], vee.status[0] == IntervalStatus.ESTIMATED
    return found


def wrong_as_actual(made: Sandbox, day: date) -> int:
    return sum(int(np.abs(wh - flowed)[~made_up].sum()) for flowed, wh, made_up in posted(made, day).values())


async def test_a_storm_day_is_posted_without_energy_for_dark_homes_and_corrected_once_they_tell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with storm(tmp_path, monkeypatch) as made:
        await made.runtime.run_until(epoch("2026-08-14T09:00"))
        # Half of the first area's meters were silent at midnight.
        assert await stopped(made, DAY) == [5, 6, 7, 8]
        (run,) = (await told(made, f"/batches/{DAY}"))["runs"]
        assert run["stoppedAreas"] == [{"accessPoint": 0, "silentMeters": 5}]
        assert json.dumps(run["stoppedAreas"], separators=(",", ":")) in (DOCS / "vee.md").read_text()
        day = posted(made, DAY)
        for ordinal in range(1, 21):
            flowed, wh, made_up = day[ordinal]
            # The sweep at 16:00 was the last before the power failed, and the one at 20:00 met nobody.
            unread = np.arange(96) >= 64 if ordinal in (*SILENT_AT_MIDNIGHT, 11) else np.zeros(96, np.bool_)
            if ordinal == 4:
                # It has told when its power failed, and at 0:40 that it was back: dark from 18:15 on, and before as on other days.
                unread[73:] = False
            assert made_up.tolist() == unread.tolist(), ordinal
            assert bool(wh[made_up].any()) is (ordinal in (4, 11)), ordinal
        assert wrong_as_actual(made, DAY) == 0
        # The fifth had told of nothing: the meter beside it, in an area without a storm, was thought to use what others did.
        assert day[11][1][73:].sum() > 0 == day[5][1][73:].sum()

        await made.runtime.run_until(epoch("2026-08-15T09:00"))
        # Three of ten are silent still; one of them has told of its restoration at 0:10. The others were read by the sweep at 16:00.
        assert await stopped(made, DAY) == await stopped(made, NEXT) == [6, 7]
        assert {ordinal: int(one[2].sum()) for ordinal, one in posted(made, DAY).items() if one[2].any()} == {
            6: 32,
            7: 32,
            # From 16:00 to 18:15.
            8: 9,
        }
        after = posted(made, NEXT)
        assert {ordinal: int(one[2].sum()) for ordinal, one in after.items() if one[2].any()} == {6: 96, 7: 96}
        assert sum(int(after[ordinal][1].sum()) for ordinal in (6, 7, 8)) == 0
        assert wrong_as_actual(made, DAY) == wrong_as_actual(made, NEXT) == 0
        runs = (await told(made, f"/batches/{DAY}"))["runs"]
        assert [run["stoppedAreas"][0]["silentMeters"] for run in runs] == [5, 3]

        await made.runtime.run_until(epoch("2026-08-16T09:00"))
        assert await stopped(made, DAY) == await stopped(made, NEXT) == []
        runs = (await told(made, f"/batches/{DAY}"))["runs"]
        assert [len(run["stoppedAreas"]) for run in runs] == [1, 1, 0]
        store = made.headend_store
        corrected = [file for file in store.posted_files() if file.posted_at >= epoch("2026-08-14T00:00")]
        assert [(file.operating_day.day, file.records) for file in corrected] == [
            (13, 20),
            (13, 4),
            (14, 20),
            (13, 3),
            (14, 3),
            (15, 20),
        ]
        for day_of_storm in (DAY, NEXT):
            for ordinal, (flowed, wh, made_up) in posted(made, day_of_storm).items():
                assert not made_up.any(), (day_of_storm, ordinal)
                assert wh.tolist() == flowed.tolist(), (day_of_storm, ordinal)
                (held,) = made.smt.store.range(
                    made.settings.world.esiid(ordinal), Channel.LOAD, day_of_storm, day_of_storm
                )
                assert held.wh.tolist() == flowed.tolist()
                assert not held.estimated.any()
