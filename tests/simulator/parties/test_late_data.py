"""A meter that is silent for two days and then answers: what the head-end tells of it, and what it does with what comes late."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date
from pathlib import Path
from typing import Any

import httpx

from headend.http.links import bearing
from meters.calendar import Seconds, day_start, epoch, to_us
from meters.faults.kinds import FaultKind
from meters.faults.rules import FaultRule
from simulator.parties.sandbox import Sandbox, SandboxSettings
from simulator.runtime.clock import Clock, ClockMode
from simulator.smt.ondemand.middle import FixedMiddle
from simulator.smt.throttle.policy import preset
from simulator.world.fault_spec import Happenings
from simulator.world.meters import build, default_world

FIRST, LAST = date(2026, 8, 5), date(2026, 8, 12)
LATE = 4
#: Silent from the afternoon of the 7th on; the sweep of the 9th at 20:00 brings all that was missed.
FROM, UNTIL = epoch("2026-08-07T14:00"), epoch("2026-08-09T19:00")


@asynccontextmanager
async def sandbox(out: Path, until: Seconds = UNTIL) -> AsyncIterator[Sandbox]:
    dead = FaultRule(FaultKind.DEAD, FROM, until, meters=(LATE,))
    world = build(default_world(FIRST, FIRST, 8, 1, False), 5, day_start(FIRST), Happenings((dead,)))
    settings = SandboxSettings(
        world,
        Clock(ClockMode.MANUAL, to_us(day_start(FIRST))),
        preset("smt-today"),
        FixedMiddle(1, 1),
        out,
        history=False,
    )
    async with Sandbox(settings) as made:
        yield made
        assert made.faults() == []


async def told(made: Sandbox, path: str, **query: Any) -> Any:
    """What the head-end answers to a call."""
    async with httpx.AsyncClient(base_url=made.headend_server.url, trust_env=False) as http:
        reply = await http.get(path, params=query, headers=bearing(made.keys.smt))
    assert reply.status_code == 200, reply.text
    return reply.json()


async def test_every_day_has_a_state_that_says_what_is_missing_why_and_how_often_it_was_asked_for(
    tmp_path: Path,
) -> None:
    async with sandbox(tmp_path) as made:
        late = made.settings.world.esiid(LATE)
        await made.runtime.run_until(epoch("2026-08-09T12:00"))
        whole = await told(made, "/collection/2026-08-07")
        assert [(one["attempts"], one["cause"]) for one in whole["meters"] if one["complete"]] == [(1, "")] * 7
        (missing,) = (await told(made, "/collection/2026-08-07", complete=False))["meters"]
        # The midnight that ends the day, and the one after it; sweeps within a day of them are no attempts of their own.
        assert (missing["esiid"], missing["attempts"], missing["cause"]) == (late, 2, "silent")
        assert missing["lastAttemptAt"].startswith("2026-08-09T08:00")
        await made.runtime.run_until(epoch("2026-08-09T21:00"))
        days = [(await told(made, f"/collection/2026-08-0{day}", esiid=late))["meters"] for day in (6, 7, 8)]
        assert [(one["attempts"], one["cause"], one["complete"]) for (one,) in days] == [
            (1, "", True),
            (2, "silent", True),
            (1, "silent", True),
        ]
        assert (await told(made, "/collection/2026-08-09"))["meters"] == []
        paged = await told(made, "/collection/2026-08-08", limit=3)
        after = await told(made, "/collection/2026-08-08", after=paged["meters"][-1]["esiid"])
        assert (len(paged["meters"]), len(after["meters"])) == (3, 5)


async def test_what_is_asked_wrongly_of_collection_is_told_with_its_place(tmp_path: Path) -> None:
    async with (
        sandbox(tmp_path) as made,
        httpx.AsyncClient(base_url=made.headend_server.url, trust_env=False) as http,
    ):
        assert (await http.get("/collection/2026-08-07")).status_code == 401
        key = bearing(made.keys.smt)
        for path, place in (
            ("/collection/yesterday", "path.operatingDay"),
            ("/collection/2026-08-07?limit=0", "query.limit"),
        ):
            reply = await http.get(path, headers=key)
            assert (reply.status_code, reply.json()["place"]) == (400, place)
