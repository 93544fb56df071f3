"""What outside parties get wrong costs their own request and nobody else's: the sandbox stays up, and answers in a documented shape."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from headend.http.links import bearing
from meters.calendar import epoch, iso, to_us
from simulator.parties.sandbox import Sandbox
from simulator.ror.client import SmtClient
from simulator.runtime.clock import Clock, ClockMode
from simulator.smt.ondemand.inquiries import CALL_BACKS
from simulator.world.market import ROR_LOGIN
from tests.cases import few
from tests.simulator.sandboxes import Rig, rig


def inquiry(made: Rig, **changed: Any) -> dict[str, Any]:
    return {
        "correlationId": "1",
        "kind": "INTERVALS",
        "esiid": made.esiid(1),
        "start": "2026-08-12T00:00:00-05:00",
        "end": "2026-08-12T17:30:00-05:00",
        "meterAllowed": True,
        "answerBy": "2026-08-12T18:25:00-05:00",
        "replyTo": f"{made.sandbox.smt_server.url}/nobody",
        **changed,
    }


@pytest.mark.parametrize(
    "changed",
    few(
        3,
        [
            {"start": "9999-12-31T23:30:00-12:00", "end": "9999-12-31T23:45:00-12:00"},
            {"start": "0001-01-01T00:00:00+14:00", "end": "0001-01-01T00:15:00+14:00"},
            {"answerBy": "9999-12-31T23:59:59-12:00"},
            {"start": "2026-08-12T00:00:00-05:00", "end": "2026-08-14T00:15:00-05:00"},
            {"start": "2026-08-12T00:07:00-05:00"},
            {"correlationId": "\ud800"},
            {"esiid": "x"},
        ],
    ),
)
async def test_an_impossible_inquiry_is_refused_with_code_and_place(made: Rig, changed: dict[str, Any]) -> None:
    import json

    reply = await made.http.post(
        f"{made.sandbox.headend_server.url}/inquiries",
        content=json.dumps(inquiry(made, **changed)),
        headers=bearing(made.sandbox.keys.smt),
    )
    assert reply.status_code == 400, reply.text
    assert set(reply.json()) == {"code", "message", "place"}
    assert (await made.ask(made.esiid(1))).statusCode == "0"


@pytest.mark.parametrize("reply_to", ["{smt}/nobody", "http://127.0.0.1:1/", "http://☃.example/"])
async def test_a_call_back_that_nobody_takes_ends_by_itself(tmp_path: Path, reply_to: str) -> None:
    async with rig(tmp_path, posted_days=1, open_links="{" not in reply_to) as made:
        smt, head_end = made.sandbox.smt_server.url, made.sandbox.headend_server.url
        asked = inquiry(made, replyTo=reply_to.format(smt=smt))
        reply = await made.http.post(f"{head_end}/inquiries", json=asked, headers=bearing(made.sandbox.keys.smt))
        assert reply.status_code == 202
        await made.to("2026-08-12T18:00")
        notes = [entry["kind"] for entry in made.sandbox.journal.entries() if entry["ident"] == "1"]
    assert notes == ["inquiry answered", "call-back given up"]


@pytest.mark.parametrize(
    "changed",
    few(
        3,
        [
            {"meterReads": 10**30},
            {"octets": 10**30},
            {"reason": "\ud800"},
            {"register": {"wh": 10**400, "at": "2026-08-12T17:40:00-05:00"}},
            {"register": {"wh": 1, "at": "9999-12-31T23:59:59-12:00"}},
            {
                "intervals": [
                    {
                        "end": "2026-08-12T17:30:00-05:00",
                        "wh": 3 * 10**9,
                        "source": "meter",
                        "collectedAt": "2026-08-12T17:40:00-05:00",
                    }
                ]
            },
        ],
    ),
)
async def test_an_impossible_call_back_is_refused_and_the_request_ends(made: Rig, changed: dict[str, Any]) -> None:
    import json

    key = await made.client.odr(made.esiid(1), "call-1", "INTERVALS")
    body = json.dumps({"correlationId": key, "outcome": "completed", **changed})
    keys = made.sandbox.keys
    reply = await made.http.post(f"{CALL_BACKS}/{key}/{keys.seal(key)}", content=body, headers=bearing(keys.headend))
    assert reply.status_code == 400, reply.text
    assert reply.json()["errorCode"] == "FIELD"
    await made.to("2026-08-12T17:50")
    assert (await made.client.odr_status(key, "call-1")).statusCode == "0"


@dataclass
class Wall:
    """A wall clock that a suspended machine wakes up with."""

    asleep_s: float = 0.0

    def __call__(self) -> float:
        return time.time() + self.asleep_s


async def test_a_sandbox_outlives_a_night_in_which_its_machine_slept(tmp_path: Path) -> None:
    wall = Wall()
    async with rig(tmp_path / "first") as made:
        settings = made.sandbox.settings
    (tmp_path / "second").mkdir()
    clock = Clock(ClockMode.SCALED, to_us(epoch("2026-08-12T17:40")), 600.0, wall=wall, wall_start=wall())
    async with (
        Sandbox(replace(settings, clock=clock, out=tmp_path / "second")) as sandbox,
        httpx.AsyncClient(base_url=sandbox.smt_server.url, trust_env=False) as http,
    ):
        serving = asyncio.get_running_loop().create_task(sandbox.runtime.serve())
        # Three days of model time go by at once: sweeps, batches and postings have been missed.
        wall.asleep_s = 3 * 86400 / 600
        client = SmtClient(http, ROR_LOGIN.username, ROR_LOGIN.password, ROR_LOGIN.duns)
        key = await client.odr(settings.world.esiid(1), "call-1", "INTERVALS")
        for _ in range(400):
            status = await client.odr_status(key, "call-1")
            if status.statusCode != "PEN":
                break
            await asyncio.sleep(0.02)
        assert status.statusCode == "0"
        assert not serving.done()
        assert iso(sandbox.runtime.now()) > "2026-08-15T17:40"
        missed = {"2026-08-12", "2026-08-13", "2026-08-14"}
        posted: set[str] = set()
        for _ in range(400):
            # A day's reads may come after its batch: then it is posted again, perhaps before a later day is posted at all.
            posted = {file.operating_day.isoformat() for file in sandbox.headend_store.posted_files()}
            if missed <= posted:
                break
            await asyncio.sleep(0.02)
        assert missed <= posted
        assert sandbox.faults() == []
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)
