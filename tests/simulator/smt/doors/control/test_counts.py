"""A day in numbers and the throttle as it stands: what is told equals what the ledger and the limits hold, refusals apart from failures."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from meters.calendar import seconds
from simulator.smt.throttle.policy import preset
from tests.simulator.sandboxes import Rig, rig

DAY = "2026-08-12"


@pytest.fixture
async def made(tmp_path: Path) -> AsyncIterator[Rig]:
    async with rig(tmp_path, special=True, posted_days=1) as made:
        yield made


async def told(made: Rig, path: str, status: int = 200, **asked: str) -> dict[str, Any]:
    reply = await made.http.get(f"/control/{path}", params=asked)
    assert reply.status_code == status, reply.text
    found: dict[str, Any] = reply.json()
    return found


async def test_refused_failed_and_answered_are_counted_apart_and_so_is_how_long_they_took(made: Rig) -> None:
    esiid, dead = made.esiid(1), made.special("never answers")
    assert (await made.ask(esiid, read_type="REGISTER")).statusCode == "0"
    await made.refused(made.client.odr(esiid, "again", "REGISTER"))
    assert (await made.ask(dead, read_type="REGISTER", wait_s=seconds(3600))).statusCode == "1"
    await made.client.odr(made.esiid(2), "open", "REGISTER")
    found = await told(made, "counts", day=DAY)
    lives = (await made.http.get("/control/requests", params={"day": DAY})).json()["requests"]
    states = {one["state"]: one["count"] for one in found["requests"]}
    assert states == Counter(life["transitions"][-1]["state"] for life in lives)
    assert states == {"completed": 1, "refused": 1, "failed": 1, "queued": 1}
    assert found["refused"]["codes"] == {"FR-CR016.1b": 1}
    assert [found[name]["count"] for name in ("answered", "refused", "failed")] == [1, 1, 1]
    assert found["refused"]["longestS"] == 0 < found["answered"]["p50S"] < found["failed"]["p95S"]
    assert (await told(made, "counts"))["requests"] == found["requests"]
    assert (await told(made, "counts", day="2026-08-11"))["requests"] == []


async def test_records_are_counted_by_result_code_as_the_list_of_postings_has_them(made: Rig) -> None:
    await made.to("2026-08-13T12:00")
    found = await told(made, "counts", day="2026-08-13")
    postings = (await told(made, "postings", day="2026-08-13", most="100"))["postings"]
    codes = sum((Counter(one["codes"]) for one in postings), Counter())
    assert found["posted"]["codes"] == codes
    assert codes["00"] > 0
    assert (found["posted"]["files"], found["posted"]["cut"]) == (len(postings), 0)
    assert (await told(made, "counts", 400, day="yesterday"))["errorCode"]


async def test_the_throttle_is_told_of_the_esi_id_that_is_asked_for_and_of_no_other(made: Rig) -> None:
    one, other = made.esiid(1), made.esiid(2)
    await made.ask(one, read_type="REGISTER")
    limits = {limit["limit"]: limit for limit in (await told(made, "throttle", esiid=one))["limits"]}
    assert set(limits) == {limit.name for limit in preset("fr-cr016-1").limits}
    used = limits["FR-CR016.1b"]
    assert (used["scopeValue"], used["used"], used["held"], used["free"]) == (one, 1, 0, False)
    assert used["freeFrom"] == "2026-08-13T00:00:00-05:00"
    assert limits["FR-CR016.1a"]["used"] == 0
    untouched = (await told(made, "throttle", esiid=other))["limits"]
    assert {(limit["scopeValue"], limit["used"], limit["free"]) for limit in untouched} == {(other, 0, True)}
    key = await made.client.odr(other, "call-2", "REGISTER")
    held = (await told(made, "throttle", esiid=other))["limits"][0]
    assert (key != "", held["used"], held["held"], held["free"]) == (True, 0, 1, False)
    assert (await told(made, "throttle", esiid=one))["username"] == "pecanbend.api"


@pytest.mark.parametrize("asked", [{"esiid": "1"}, {"esiid": "10443729947213588", "username": "nobody"}])
async def test_of_whom_there_is_none_the_throttle_says_so(made: Rig, asked: dict[str, str]) -> None:
    assert (await told(made, "throttle", 404, **asked))["errorCode"].startswith("control.throttle.")
