"""The calls of a head-end: what each does not take, and what it tells of a day."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from headend.http.links import bearing
from headend.network.events import AHEAD_S
from headend.ports import HeadEndError
from headend.store.states import MeterDay, Tried
from headend.wire import MAX_EVENTS
from meters.calendar import INTERVAL_S, Seconds, day_end, day_of, day_start, epoch, iso
from tests.headend.rig import END, ESIID, LINK, METER, NOW, START, Rig

NUMBER = METER.identity.meter_number
DAY = day_of(NOW)


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    async with Rig(tmp_path) as rig:
        yield rig


async def test_an_inquiry_that_cannot_be_taken_is_told_why_and_nothing_is_kept(rig: Rig) -> None:
    odd = "start and end are whole quarter hours, start before end."
    for changed, status, code, place, message in (
        ({"replyTo": "http://elsewhere/callbacks/1"}, 403, "link.reply_to", "replyTo", "This head-end calls its SMT back elsewhere (--smt-of, --reply-to)."),
        ({"esiid": "10443720000000099"}, 404, "inquiry.esiid_unknown", "esiid", "No meter of this TDSP has that ESI ID."),
        ({"start": None}, 400, "inquiry.window", "start", "An INTERVALS inquiry names its start and end."),
        ({"end": None}, 400, "inquiry.window", "start", "An INTERVALS inquiry names its start and end."),
        ({"start": iso(START + 1)}, 400, "inquiry.window", "start", odd),
        ({"end": iso(START)}, 400, "inquiry.window", "start", odd),
        ({"start": iso(END - 193 * INTERVAL_S)}, 400, "inquiry.window", "start", "At most 192 intervals (48 h) are served."),
        ({"kind": "X"}, 400, "inquiry.malformed", "kind", "Input should be 'INTERVALS', 'REGISTER' or 'POWER'."),
    ):  # fmt: skip
        reply = await rig.ask(**changed)
        told = {"code": f"headend.{code}", "message": message, "place": place}
        assert (reply.status_code, reply.json()) == (status, told)
    assert rig.store.inquiries.count_open() == 0
    # As long as may be.
    assert (await rig.ask(start=iso(END - 192 * INTERVAL_S))).status_code == 202


async def test_a_body_that_cannot_be_read_is_told_in_the_head_ends_own_shape(rig: Rig) -> None:
    for content, content_type, message in (
        (b"{}", "text/plain", "it came as text/plain: send a JSON object with content-type: application/json."),
        (b'{"kind": POWER}', "application/json", "it is not JSON: Expecting value, line 1 column 10 (char 9), before 'POWER}'."),
    ):  # fmt: skip
        reply = await rig.http.post("/inquiries", content=content, headers={"content-type": content_type})
        told = {"code": "headend.inquiry.malformed", "message": message, "place": "body"}
        assert (reply.status_code, reply.json()) == (400, told)


async def test_who_bears_another_key_is_refused_before_the_body_is_read(rig: Rig) -> None:
    for method, path, wrong in (
        ("POST", "/inquiries", LINK.keys.meters),
        ("POST", "/events", LINK.keys.smt),
        ("GET", "/findings", LINK.keys.headend),
        ("GET", "/collection/yesterday", LINK.keys.control),
        ("GET", "/batches/yesterday", ""),
    ):
        reply = await rig.http.request(method, path, content=b"{", headers=bearing(wrong))
        assert (reply.status_code, reply.json()["code"]) == (401, "headend.link.key")


async def test_what_no_route_takes_is_told_with_the_call_that_was_meant(rig: Rig) -> None:
    near, method = await rig.http.post("/inquirys", json={}), await rig.http.get("/events")
    told = {"code": "headend.http.no_call", "message": "There is no such call. Did you mean /inquiries?", "place": ""}
    assert (near.status_code, near.json()) == (404, told)
    told = {"code": "headend.http.no_method", "message": "This method is not offered here.", "place": ""}
    assert (method.status_code, method.json(), method.headers["allow"]) == (405, told, "POST")


# -- events --------------------------------------------------------------------------------------------------------


def event(kind: str, at: Seconds = NOW - 60) -> dict[str, Any]:
    return {"esiid": ESIID, "meterNumber": NUMBER, "kind": kind, "at": iso(at)}


async def test_a_batch_of_events_at_fault_is_told_with_its_place_and_nothing_of_it_is_taken(rig: Rig) -> None:
    gasp, key = event("last_gasp"), bearing(LINK.keys.meters)
    for body, place in (
        ({}, "events"),
        ({"events": []}, "events"),
        ({"events": [gasp, event("explosion")]}, "events.1.kind"),
        ({"events": [gasp | {"esiid": "12"}]}, "events.0.esiid"),
        ({"events": [gasp | {"at": "2026-08-12T16:02:11"}]}, "events.0.at"),
        ({"events": [gasp | {"at": "2199-08-12T16:02:11Z"}]}, "events.0.at"),
        ({"events": [gasp | {"meterNumber": "9293LG"}]}, "events.0.meterNumber"),
        ({"events": [gasp | {"more": 1}]}, "events.0.more"),
        ({"events": [gasp] * (MAX_EVENTS + 1)}, "events"),
        # It would hold a meter for off, whatever it answers until then.
        ({"events": [gasp, event("last_gasp", NOW + AHEAD_S + 1)]}, "events.1.at"),
    ):
        reply = await rig.http.post("/events", json=body, headers=key)
        assert (reply.status_code, reply.json()["place"]) == (400, place)
    assert reply.json()["code"] == "headend.events.ahead"
    await rig.wait(0)
    assert rig.store.events.events(ESIID) == []
    reply = await rig.http.post("/events", json={"events": [gasp, event("last_gasp", NOW + AHEAD_S)]}, headers=key)
    assert (reply.status_code, reply.json()) == (202, {"accepted": 2, "unknown": 0})
    await rig.wait(0)
    assert len(rig.store.events.events(ESIID)) == 2


# -- operating days ------------------------------------------------------------------------------------------------


async def test_what_is_asked_wrongly_of_a_day_is_told_with_its_place(rig: Rig) -> None:
    for path, place in (
        ("/collection/yesterday", "path.operatingDay"),
        ("/collection/1786406400", "path.operatingDay"),
        ("/collection/0001-01-01", "path.operatingDay"),
        ("/batches/1786406400", "path.operatingDay"),
        ("/collection/2026-08-07?most=3", "query.most"),
        ("/collection/2026-08-07?limit=0", "query.limit"),
        ("/findings", "query.day"),
        ("/findings?day=2026-08-07&rule=clock.of", "query.rule"),
    ):
        reply = await rig.http.get(path)
        assert (reply.status_code, reply.json()["place"]) == (400, place)
    assert reply.json()["message"].startswith("the rule table has no such rule; it has ")


async def test_a_day_is_told_after_its_vee_and_before_it_there_is_none(rig: Rig) -> None:
    async def get(path: str) -> tuple[int, Any]:
        reply = await rig.http.get(path)
        return reply.status_code, reply.json()

    none = {
        "code": "headend.batch.none",
        "message": "VEE has not run over that day here.",
        "place": "path.operatingDay",
    }
    assert await get(f"/batches/{DAY}") == (404, none)
    assert await get(f"/findings?day={DAY}") == (200, {"day": str(DAY), "count": 0, "findings": []})
    assert await get(f"/collection/{DAY}") == (200, {"operatingDay": str(DAY), "meters": []})

    meter = rig.store.records.places(ESIID)[0]
    rig.store.states.note_tried({day_end(DAY): [Tried(MeterDay(meter, day_start(DAY)), "silent")]}, INTERVAL_S)
    rig.headend.daily.validate(DAY)
    status, report = await get(f"/batches/{DAY}")
    assert (status, report["meters"], report["complete"], report["completePercent"]) == (200, 1, 0, 0.0)
    assert [(run["state"], run["meters"], run["estimatedPercent"]) for run in report["runs"]] == [
        ("validated", 1, 100.0)
    ]
    _, found = await get(f"/findings?day={DAY}")
    assert found["count"] == len(found["findings"]) > 0
    first = found["findings"][0]
    assert {(one["esiid"], one["meterNumber"]) for one in found["findings"]} == {(ESIID, NUMBER)}
    _, rest = await get(f"/findings?day={DAY}&rule={first['rule']}&skip=1")
    assert rest["findings"] == [one for one in found["findings"] if one["rule"] == first["rule"]][1:]
    _, collected = await get(f"/collection/{DAY}?complete=false")
    (mine,) = collected["meters"]
    assert (mine["esiid"], mine["attempts"], mine["cause"], mine["complete"]) == (ESIID, 1, "silent", False)
    assert (mine["lastAttemptAt"], mine["lastChangeAt"]) == (iso(day_end(DAY)), None)


# -- health --------------------------------------------------------------------------------------------------------


async def test_what_cannot_be_kept_is_not_accepted_and_health_says_so(rig: Rig) -> None:
    assert (await rig.http.get("/healthz")).status_code == 200
    with sa.create_engine(rig.url, poolclass=sa.NullPool).begin() as connection:
        connection.execute(sa.text("ALTER TABLE inquiry RENAME TO gone"))
        connection.execute(sa.text("ALTER TABLE latest_sweep RENAME TO gone_too"))
    refused, health = await rig.ask(), await rig.http.get("/healthz")
    assert (refused.status_code, refused.json()["code"]) == (503, "headend.inquiry.not_kept")
    assert (health.status_code, health.json()["store"]) == (503, "unwritable")
    await rig.wait(60)
    assert rig.called_back == []


async def test_health_tells_of_sweeps_postings_and_open_inquiries(rig: Rig) -> None:

    async def told(*names: str) -> tuple[int, list[Any]]:
        reply = await rig.http.get("/healthz")
        return reply.status_code, [reply.json()[name] for name in names]

    await rig.ask(meterAllowed=True)
    assert await told("sweeps", "lastSweepAgeS", "openInquiries") == (200, ["ok", None, 1])
    await rig.runtime.run_until(epoch("2026-08-12T20:10"))
    status, (age, left) = await told("lastSweepAgeS", "openInquiries")
    assert (status, left) == (200, 0)
    assert 500 < age <= 600
    rig.posting = HeadEndError("headend.posting.refused", "Nothing listens there.")
    await rig.runtime.run_until(epoch("2026-08-13T07:31"))
    status, (failure, backlog) = await told("lastPostingFailure", "postingBacklog")
    assert (status, failure["code"], backlog) == (503, "headend.posting.refused", 1)
    rig.posting = None
    await rig.runtime.run_until(epoch("2026-08-13T07:46"))
    assert await told("lastPostingFailure", "postingBacklog") == (200, [None, 0])


async def test_meters_that_are_not_heard_for_two_sweeps_are_a_fault(rig: Rig) -> None:
    rig.headend.collection._addresses = {}
    await rig.wait(8 * 3600)
    assert (await rig.http.get("/healthz")).status_code == 200
    await rig.wait(60)
    reply = await rig.http.get("/healthz")
    assert (reply.status_code, reply.json()["sweeps"]) == (503, "late")
