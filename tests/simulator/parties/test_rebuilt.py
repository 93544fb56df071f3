"""A party that is dropped and rebuilt in the one process: it goes on from its database at its address, and what the old one had begun is over."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Literal

import pytest

from headend.vee.quality import Channel
from meters.calendar import Seconds, seconds
from tests.simulator.sandboxes import rig


@pytest.mark.parametrize(
    ("party", "after_s", "code"),
    [
        # Picked up after 18 s: until then it waits, and goes on; after that nobody knows what becomes of it.
        ("smt", seconds(10), "0"),
        ("smt", seconds(30), "1"),
        # An inquiry is read for some seconds.
        ("headend", seconds(19), "0"),
    ],
)
async def test_a_request_that_is_under_way_ends_once_and_the_days_are_posted(
    tmp_path: Path, party: Literal["smt", "headend"], after_s: Seconds, code: str
) -> None:
    async with rig(tmp_path, posted_days=2) as on:
        sandbox = on.sandbox
        reached = (sandbox.smt_server.url, sandbox.headend_server.url, sandbox.files.port)
        before = (sandbox.smt, sandbox.headend)
        key = await on.client.odr(on.esiid(1), "call-1", "REGISTER")
        await sandbox.runtime.run_until(sandbox.runtime.now() + after_s)
        assert await sandbox.drop(party) == 1
        await sandbox.runtime.run_until(sandbox.runtime.now() + 5)
        await sandbox.rebuild(party)
        assert [one is was for one, was in zip((sandbox.smt, sandbox.headend), before, strict=True)].count(False) == 1
        assert (sandbox.smt_server.url, sandbox.headend_server.url, sandbox.files.port) == reached
        await sandbox.runtime.run_until(sandbox.runtime.now() + 1200)
        assert (await on.client.odr_status(key, "call-1")).statusCode == code
        entry = sandbox.smt.ledger.entry(key)
        assert entry is not None
        assert [step.state for step in entry.life].count(entry.last.state) == 1
        # Whoever comes later is answered as ever.
        assert (await on.ask(on.esiid(2), "call-2")).statusCode == "0"
        await on.to("2026-08-13T08:00")
        (posted,) = sandbox.smt.store.day(on.esiid(1), Channel.LOAD, date(2026, 8, 12))
        assert not posted.estimated.any()
        assert sandbox.faults() == []


async def test_a_sandbox_closes_while_a_party_is_dropped(tmp_path: Path) -> None:
    async with rig(tmp_path, posted_days=1) as on:
        assert await on.sandbox.drop("smt") == 0
        assert await on.sandbox.drop("headend") == 0
