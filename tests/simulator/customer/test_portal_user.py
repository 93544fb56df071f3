"""Home automation at the portal: every meter read once an hour, for a day, and what that costs in calls."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import Any

import simpy

from meters.calendar import Seconds, micros, seconds, to_us
from simulator.customer.portal_user import POLLS, PortalClient, PortalRead, portal_read
from simulator.smt.ondemand.middle import LawMiddle, MiddleLaw
from tests.simulator.smt.rig import NEIGHBOUR, PASSWORD, PLAIN, Rig

METERS = {PLAIN: "200000017", NEIGHBOUR: "200000018"}


async def test_an_hourly_read_of_every_meter_for_a_day_costs_3_to_22_calls_each(tmp_path: Path) -> None:
    reads: list[PortalRead] = []
    async with Rig(tmp_path, "smt-today", now="2026-08-12T00:00") as rig:
        rig.smt.desk.middle = LawMiddle(MiddleLaw(), 7)
        env = rig.runtime.env

        def home(esiid: str, phase_s: Seconds) -> Generator[simpy.Event, Any, None]:
            # A ror may see both meters at the portal, as their customers would see each their own.
            client = PortalClient(rig.client, "lonestar.api", PASSWORD)
            yield env.timeout(to_us(phase_s))
            for hour in range(24):
                ident = f"{esiid}/{hour:02d}"
                began = micros(env.now)
                read = yield from portal_read(rig.runtime, client, esiid, METERS[esiid], ident, attentive=False)
                reads.append(read)
                yield env.timeout(to_us(3600) - (micros(env.now) - began))

        for number, esiid in enumerate(METERS):
            env.process(home(esiid, seconds(600 + 1500 * number)))
        await rig.wait(86_400 + 3600)
    calls = [one.calls for one in reads]
    assert len(reads) == 24 * len(METERS)
    # The two log-ins apart: a look, the request, and 1 to 20 polls.
    assert min(calls) >= 3
    assert max(calls) <= 2 + POLLS + 1
    answered = [one for one in reads if one.end == "answered"]
    assert len(answered) >= 0.85 * len(reads)
    assert {one.end for one in reads} <= {"answered", "unanswered", "failed"}
    # Polling is most of the traffic.
    assert sum(calls) - 2 * len(reads) > sum(calls) / 2
