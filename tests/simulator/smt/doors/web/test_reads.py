"""A read that is asked for on a page: each of its states, from the ledger, and each way in which it may not come about."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from meters.calendar import INTERVAL_S, day_start, epoch, iso, seconds
from tests.simulator.smt.doors.test_roles import UNKNOWN
from tests.simulator.smt.doors.web.visits import Visit, cells, kinds, visiting
from tests.simulator.smt.rig import BROKEN, PLAIN, Rig

READ = f"/ui/m/{PLAIN}/read"


def stands(page: str) -> str:
    """What the part that tells of a request says."""
    found = re.search(r'<section id="progress".*?</section>', page, re.DOTALL)
    assert found is not None, page
    return " ".join(re.sub(r"<[^>]*>", " ", found[0]).split())


async def asked(visit: Visit, kind: str = "INTERVALS") -> str:
    """Ask, and give the address of the request."""
    address = (await visit.post(READ, "progress", kind=kind)).headers["x-address"]
    found = re.search(r"read=(\d+)", address)
    assert found is not None
    return f"/ui/r/{found[1]}"


async def test_a_request_is_followed_from_step_to_step_and_asks_no_more_when_it_has_ended(rig: Rig) -> None:
    rig.post_days()
    async with visiting(rig, "customer") as visit, visiting(rig, "customer") as other:
        at = await asked(visit)
        told = []
        # Pick-up 10 s, the head-end 5 s, the way back 60 s.
        for seconds in (0, 11, 5, 70):
            await rig.wait(seconds)
            replies = [await one.get(at, "progress") for one in (visit, other)]
            # Another tab shows the same, and so does a reload.
            assert replies[0].text == replies[1].text
            assert stands((await visit.get(at)).text) == stands(replies[0].text)
            told.append((stands(replies[0].text), "data-poll" in replies[0].text, replies[0].headers.get("x-event")))
    assert [(waits, event) for _, waits, event in told] == [(True, None)] * 3 + [(False, "read-ended")]
    assert told[0][0].startswith("Your request is queued. Taken 17:40:00 CDT Queued 17:40:00 CDT Sent Answered")
    assert told[1][0].startswith(
        "Your request is sent. Taken 17:40:00 CDT Queued 17:40:00 CDT Sent 17:40:10 CDT Answered"
    )
    assert told[2][0].startswith("The answer is on its way to you.")
    assert told[3][0] == (
        "The meter has answered. Taken 17:40:00 CDT Queued 17:40:00 CDT Sent 17:40:10 CDT Answered 17:40:15 CDT "
        "Quarter hours: 64 from the head-end&#39;s store, 6 read from the meter. They are not validated. They reach to Wed Aug 12 17:30 CDT."
    )


async def test_an_answer_from_the_store_alone_is_not_said_to_be_the_meters(rig: Rig) -> None:
    rig.post_days()
    ends = range(day_start(date(2026, 8, 12)) + INTERVAL_S, epoch("2026-08-12T17:30") + 1, INTERVAL_S)
    one = {"wh": 100, "source": "store", "collectedAt": "2026-08-12T17:35:00-05:00"}
    rig.head_end.amend = {"intervals": [one | {"end": iso(seconds(end))} for end in ends], "meterReads": 0}
    async with visiting(rig, "customer") as visit:
        at = await asked(visit)
        await rig.wait(100)
        told = stands((await visit.get(at)).text)
    assert told.startswith("What was collected before has answered. The meter was not read. Taken")
    assert "Quarter hours: 70 from the head-end&#39;s store." in told


async def test_a_refusal_tells_its_rule_and_when_to_come_again(tmp_path: Path) -> None:
    async with Rig(tmp_path, "smt-today") as rig, visiting(rig, "customer") as visit:
        for _ in range(2):
            await asked(visit, "REGISTER")
            await rig.wait(100)
        told = stands((await visit.get(await asked(visit, "REGISTER"))).text)
    assert told.startswith("Your request was refused. Refused 17:43:20 CDT")
    assert "(SMT-HOUR)" in told
    assert told.endswith("You can ask again from Wed Aug 12 18:40 CDT.")


async def test_a_refusal_that_came_with_the_stores_intervals_shows_them(rig: Rig) -> None:
    rig.post_days()
    store = {
        "end": "2026-08-12T00:15:00-05:00",
        "wh": 100,
        "source": "store",
        "collectedAt": "2026-08-12T16:00:00-05:00",
    }
    async with visiting(rig, "customer") as visit:
        await asked(visit, "REGISTER")
        await rig.wait(100)
        rig.head_end.amend = {"outcome": "refused", "intervals": [store], "reachesTo": store["end"], "meterReads": 0}
        at = await asked(visit)
        await rig.wait(100)
        told = stands((await visit.get(at)).text)
        page = (await visit.get(f"/ui/m/{PLAIN}/usage?day=2026-08-12&read={at.rpartition('/')[2]}")).text
    assert told.startswith("Your request was refused.")
    assert "You can ask again from Thu Aug 13 00:00 CDT." in told
    assert "Quarter hours: 1 from the head-end&#39;s store." in told
    assert kinds(page) == ["store"] + ["missing"] * 69
    assert [row[1:] for row in cells(page)][:2] == [["0.100", "non-VEE, from the head-end's store"], ["", "no value"]]


@pytest.mark.parametrize(
    ("amend", "ends"),
    [
        ({"outcome": "failed", "reason": "the meter does not answer"}, "The meter was not read. Taken 17:40:00 CDT"),
        ({"meterReads": 1, "correlationId": "1"}, "Your request is sent."),
    ],
)
async def test_a_read_that_fails_says_why_and_one_that_is_slow_says_so(
    rig: Rig, amend: dict[str, Any], ends: str
) -> None:
    rig.post_days()
    rig.head_end.amend = amend
    async with visiting(rig, "customer") as visit:
        at = await asked(visit)
        await rig.wait(200)
        told = stands((await visit.get(at)).text)
        assert told.startswith(ends)
        if "outcome" in amend:
            assert "Failed 17:41:15 CDT" in told
            assert "The meter does not answer" in told
        else:
            assert "three in a hundred up to thirty" in told
            await rig.wait(46 * 60)
            told = stands((await visit.get(at)).text)
            assert told.startswith("The meter was not read: T-FAILED.")
            assert "Failed (T-FAILED) 18:25:00 CDT" in told


@pytest.mark.parametrize("esiid", BROKEN.values())
async def test_what_stands_against_a_read_is_told_and_nothing_is_asked(rig: Rig, esiid: str) -> None:
    async with visiting(rig, "lonestar.api") as visit:
        whole = await visit.post(f"/ui/m/{esiid}/read", kind="INTERVALS")
        part = await visit.post(f"/ui/m/{esiid}/read", "progress", kind="INTERVALS")
    code = next(code for code, one in BROKEN.items() if one == esiid)
    for reply in (whole, part):
        assert (reply.status_code, f"<code>{code}</code>" in reply.text) == (409, True)
    assert part.text.lstrip().startswith('<section id="progress">')
    assert rig.smt.ledger.audit() == []


async def test_no_request_of_ones_own_has_a_number_that_was_made_up(rig: Rig) -> None:
    rig.post_days()
    async with visiting(rig, "customer") as visit, visiting(rig, "lonestar.api") as other:
        at = await asked(other)
        for path in (at, "/ui/r/1", "/ui/r/%00", "/ui/r/x", "/ui/r/" + "9" * 60, "/ui/r/١"):
            reply = await visit.get(path)
            assert (reply.status_code, "No request of yours" in reply.text) == (404, True), path
            shown = await visit.get(f"/ui/m/{PLAIN}/usage?read={path[6:]}")
            assert shown.status_code == 404
        for kind in ("", "POWER", "intervals"):
            assert (await visit.post(READ, kind=kind)).status_code == 400
        assert (await visit.post(f"/ui/m/{UNKNOWN}/read", kind="REGISTER")).status_code == 404


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("day=2026-02-30", "day"),
        ("day=1786500000", "day"),
        ("day=9999-12-31", "day"),
        ("day=%00", "day"),
        ("day=12.08.2026", "day"),
        ("view=week", "view"),
        ("compare=%3Cscript%3E", "compare"),
    ],
)
async def test_an_address_that_asks_nothing_sensible_says_which_part_of_it_and_the_mend(
    rig: Rig, query: str, code: str
) -> None:
    async with visiting(rig, "customer") as visit:
        for part in ("", "usage"):
            reply = await visit.get(f"/ui/m/{PLAIN}/usage?{query}", part)
            assert reply.status_code == 400
            assert f"<code>{code}</code>" in reply.text
            assert "<script>" not in reply.text
        beyond = await visit.get(f"/ui/m/{PLAIN}/download?from=2026-08-10&to=2026-08-01")
        assert (beyond.status_code, "DATE-ORDER" in beyond.text) == (400, True)
        early = await visit.get(f"/ui/m/{PLAIN}/download?from=2020-08-10")
        assert (early.status_code, "HISTORY" in early.text) == (400, True)
        future = await visit.get(f"/ui/m/{PLAIN}/usage?day=2026-08-13")
        assert (future.status_code, "Thu Aug 13 2026 has not begun." in future.text) == (400, True)
        assert "The last day is 2026-08-12." in future.text
