"""How SMT is watched: health, metrics, structured logs without secrets, and who read what."""

from __future__ import annotations

import asyncio
import itertools
import json
from dataclasses import astuple
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from headend.http.log import logging_to
from headend.vee.quality import Channel
from meters.calendar import seconds
from simulator.runtime.journal import RunJournal
from simulator.smt.doors.service import _OwnFirst
from simulator.smt.ondemand.lifecycle import State
from simulator.smt.ondemand.middle import LawMiddle, MiddleLaw
from tests.simulator.sandboxes import rig as sandbox_rig
from tests.simulator.smt.rig import FOREIGN, KEYS, NEIGHBOUR, PASSWORD, PLAIN, TDSP_DUNS, Rig, record


async def metric(rig: Rig, name: str) -> dict[str, float]:
    """The samples of a metric by their labels."""
    text = (await rig.client.get("/metrics")).text
    samples = [line.rsplit(" ", 1) for line in text.splitlines() if line.startswith((f"{name}{{", f"{name} "))]
    return {labels.removeprefix(name): float(value) for labels, value in samples}


async def test_health_tells_database_dispatcher_and_the_last_look_through_the_queue(rig: Rig) -> None:
    good = await rig.client.get("/healthz")
    assert (good.status_code, good.json()["dispatcher"]) == (200, "alive")
    await rig.wait(5000)
    assert (await rig.client.get("/healthz")).json()["lastSweepAgeS"] == 20
    event.listen(rig.smt._engine, "before_cursor_execute", _away)
    bad = await rig.client.get("/healthz")
    event.remove(rig.smt._engine, "before_cursor_execute", _away)
    assert bad.status_code == 503
    assert bad.json()["database"] == "unreachable"


def _away(*_: object) -> None:
    from sqlalchemy.exc import OperationalError

    raise OperationalError("SELECT", {}, Exception("away"))


async def test_metrics_follow_requests_refusals_latency_call_backs_and_intake(tmp_path: Path, rig: Rig) -> None:
    await rig.asked()
    assert await metric(rig, "ami_smt_queue_depth") == {"": 1}
    await rig.wait(12)
    assert await metric(rig, "ami_smt_in_flight") == {"": 1}
    await rig.wait(100)
    await rig.asked()
    await rig.asked(ESIID=FOREIGN)
    await rig.client.post("/no/such/path")
    requests = await metric(rig, "ami_smt_requests_total")
    assert requests['{endpoint="/v2/odr",outcome="ok"}'] == 1
    assert requests['{endpoint="/v2/odr",outcome="refused"}'] == 1
    assert requests['{endpoint="/v2/odr",outcome="AC1"}'] == 1
    assert requests['{endpoint="unknown",outcome="http_404"}'] == 1
    assert requests['{endpoint="/callbacks/inquiries/{correlationId}/{seal}",outcome="ok"}'] == 1
    refusals = await metric(rig, "ami_smt_throttle_refusals_total")
    assert refusals == {'{limit="FR-CR016.1b",policy="fr-cr016-1"}': 1}
    # Pick-up 10 s, head-end 5 s, way back 60 s.
    assert (await metric(rig, "ami_smt_odr_seconds_sum"))['{kind="REGISTER",state="completed"}'] == 75
    assert await metric(rig, "ami_smt_call_backs_total") == {'{became="accepted"}': 1}
    path = tmp_path / f"{TDSP_DUNS}IntervalData20260812073000001.lse"
    path.write_bytes(b"nothing that is a record\n")
    rig.smt.intake.on_file("wires", path)
    await rig.wait(1)
    assert sum((await metric(rig, "ami_smt_intake_records_total")).values()) == 1


async def test_every_read_stands_in_the_access_log_with_its_door(rig: Rig) -> None:
    rig.post_days()
    # Read with the other channel, it is one read all the same.
    rig.smt.store.load([record(PLAIN, rig.today() - timedelta(days=1), seconds(1), Channel.GENERATION)], seconds(1))
    ack = await rig.asked()
    await rig.status(ack["correlationId"])
    day: dict[str, Any] = {
        "startDate": "08/10/2026",
        "endDate": "08/11/2026",
        "version": "L",
        "readingType": "A",
        "esiid": [PLAIN],
    }
    await rig.market("/dailyreads/", **day, deliveryMode="API", reportFormat="JSON", SMTTermsandConditions="Y")
    await rig.portal("/api/meter", esiid="*")
    await rig.portal("/api/usage/latestodrread", ESIID=PLAIN)
    await rig.portal("/api/usage/latestodrread", ESIID=NEIGHBOUR)
    reply = (await rig.client.get("/control/access", params={"esiid": PLAIN})).json()
    told = [(one["username"], one["door"], one["what"]) for one in reversed(reply["reads"])]
    assert sorted(told) == sorted(
        [
            ("lonestar.api", "market", "status"),
            ("lonestar.api", "market", "usage"),
            ("customer", "portal", "attributes"),
            ("customer", "portal", "status"),
        ]
    )
    polled = next(one for one in reply["reads"] if (one["door"], one["what"]) == ("market", "status"))
    assert polled["correlationId"] == ack["correlationId"]
    assert polled["transId"] == "t-2"
    usage = next(one for one in reply["reads"] if one["what"] == "usage")
    assert usage["transId"] == "t-3"
    await rig.wait(1)
    await rig.market("/meterInfo/", esiid=[PLAIN])
    latest = (await rig.client.get("/control/access", params={"esiid": PLAIN, "most": 1})).json()["reads"]
    assert (latest[0]["what"], latest[0]["transId"]) == ("attributes", "t-4")
    await rig.wait(1)
    synch = await rig.portal("/api/adhoc/intervalsynch", ESIID=[PLAIN], startDate="08/11/2026", endDate="08/11/2026")
    latest = (await rig.client.get("/control/access", params={"esiid": PLAIN, "most": 1})).json()["reads"]
    assert (latest[0]["what"], latest[0]["transId"]) == ("usage", synch["data"]["trans_id"])
    # The customer's question about a neighbour was answered with nothing, so nothing was read.
    other = (await rig.client.get("/control/access", params={"esiid": NEIGHBOUR})).json()
    assert other["reads"] == []
    everything = (await rig.client.get("/control/access", params={"esiid": PLAIN})).json()["reads"]
    assert [one["what"] for one in everything].count("usage") == 2
    for nobody in ("\0", "😀", ""):
        refused = await rig.client.get("/control/access", params={"esiid": nobody})
        assert (refused.status_code, refused.json()["errorCode"]) == (400, "FIELD")


async def found(rig: Rig, **asked: Any) -> list[dict[str, Any]]:
    """The requests that the control API finds."""
    reply = await rig.client.get("/control/requests", params=asked)
    assert reply.status_code == 200, reply.text
    requests: list[dict[str, Any]] = reply.json()["requests"]
    return requests


async def test_the_ledger_shows_which_request_belongs_to_which_call_and_what_it_cost(rig: Rig) -> None:
    rig.post_days()
    ack = await rig.asked(readType="INTERVALS", callReference="call-1")
    await rig.wait(100)
    await rig.portal("/api/ondemandread", ESIID=PLAIN)
    await rig.wait(1)
    await rig.asked("/powerstatus/", callReference="call-1", ESIID=NEIGHBOUR)
    of_call = await found(rig, callReference="call-1")
    assert [(one["kind"], one["esiid"]) for one in of_call] == [("POWER", NEIGHBOUR), ("INTERVALS", PLAIN)]
    assert [one["username"] for one in await found(rig, callReference="")] == ["customer"]
    refused, read = await found(rig, esiid=PLAIN)
    assert [await found(rig, correlationId=ack["correlationId"])] == [[read]]
    assert read["submitted"] == "2026-08-12T17:40:00-05:00"
    assert (read["door"], read["requesterClass"], read["transId"]) == ("api", "ror_call_centre", "t-1")
    assert [step["state"] for step in read["transitions"]] == [
        "requested",
        "accepted",
        "queued",
        "sent",
        "pending",
        "answered",
        "completed",
    ]
    last = read["transitions"][-1]
    # The gap is from the midnight that was posted last to 17:30; the store of this head-end ends at 16:00.
    assert (last["fromStore"], last["fromMeter"], last["meterReads"], last["octets"]) == (64, 6, 1, 500)
    assert last["at"] == "2026-08-12T17:41:15-05:00"
    refusal = refused["transitions"][-1]["refusal"]
    assert (refusal["code"], refusal["retryAt"]) == ("FR-CR016.1b", "2026-08-13T00:00:00-05:00")
    assert len(await found(rig, day="2026-08-12")) == 3
    assert [one["kind"] for one in await found(rig, day="2026-08-12", most=1)] == ["POWER"]
    assert await found(rig, day="2026-08-11") == []
    for wrong in ({"day": "1786500000"}, {"day": "9999-12-31"}, {"esiid": "x"}, {"callReference": "\0"}):
        assert (await rig.client.get("/control/requests", params=wrong)).status_code == 400
    # A name that is mistyped is no question for everything.
    for path in ("requests?foo=1", f"access?esiid={PLAIN}&foo=1"):
        reply = await rig.client.get(f"/control/{path}")
        assert (reply.status_code, reply.json()["errorCode"]) == (400, "FIELD")
        assert reply.json()["errorMessage"].startswith("query.foo: ")


async def test_the_log_follows_a_request_by_its_ids_and_holds_no_secret(tmp_path: Path) -> None:
    log = tmp_path / "smt.log"
    with logging_to(str(log)):
        async with Rig(tmp_path) as rig:
            rig.notes.entries.clear()
            ack = await rig.asked(callReference="call-9")
            await rig.wait(100)
            await rig.status(ack["correlationId"])
            await rig.portal("/api/meter", esiid="*")
            await rig.market("/dailyreads/", startDate="08/10/2026", endDate="08/11/2026", esiid=[FOREIGN])
            text = log.read_text(encoding="utf-8")
            lines = [json.loads(line) for line in text.splitlines()]
            assert lines[-2]["endpoint"] == "/api/meter"
            assert (lines[-1]["endpoint"], lines[-1]["outcome"], lines[-1]["trans_id"]) == (
                "/v2/dailyreads",
                "AC1",
                "t-3",
            )
            mine = [line for line in lines if line.get("correlation_id") == ack["correlationId"]]
            assert [one["endpoint"] for one in mine if one["event"] == "http"] == [
                "/v2/odr",
                "/callbacks/inquiries/{correlationId}/{seal}",
                "/v2/odrstatus",
            ]
            assert [one["trans_id"] for one in mine if one.get("endpoint", "").startswith("/v2")] == ["t-1", "t-2"]
            assert mine[0]["call_reference"] == "call-9"
            for secret in (PASSWORD, *rig.tokens.values(), *astuple(KEYS), KEYS.seal(ack["correlationId"])):
                assert secret not in text


async def test_a_sandboxs_log_follows_a_read_through_both_parties_and_holds_no_password_or_token(
    tmp_path: Path,
) -> None:
    log = tmp_path / "run.log"
    with logging_to(str(log)):
        async with sandbox_rig(tmp_path / "out", posted_days=2) as made:
            key = await made.client.odr(made.esiid(1), "call-1", "INTERVALS")
            await made.sandbox.runtime.run_until(made.sandbox.runtime.now() + 600)
            await made.client.odr_status(key, "call-1")
            logins = made.sandbox.ready()["logins"]
            login = {"username": logins["customer"]["username"], "password": logins["customer"]["password"]}
            token = (await made.http.post("/commonapi/user/authenticate", json=login)).json()["token"]
            secrets = [*(one["password"] for one in logins.values()), token, await made.client.token()]
            keys = made.sandbox.keys
            secrets += [*astuple(keys), keys.seal(key)]
            measured = (await made.http.get(f"{made.sandbox.headend_server.url}/metrics")).text
            text = log.read_text(encoding="utf-8")
    mine = [one for one in map(json.loads, text.splitlines()) if one.get("correlation_id") == key]
    assert {one["party"] for one in mine} == {"SMT", "TDSP"}
    assert {"request accepted", "inquiry answered", "call-back", "request completed"} <= {one["event"] for one in mine}
    assert {one["call_reference"] for one in mine if one["event"].startswith("request")} == {"call-1"}
    assert [secret for secret in secrets if secret in text] == []
    assert 'ami_headend_inquiries_total{kind="INTERVALS",outcome="completed"} 1.0' in measured
    assert 'ami_headend_requests_total{endpoint="/inquiries",outcome="ok"} 1.0' in measured


def test_what_the_parties_note_is_in_the_log(tmp_path: Path) -> None:
    log = tmp_path / "run.log"
    with logging_to(str(log)):
        RunJournal().note(seconds(1_786_000_000), "SMT", "request completed", "123", call="call-1", meter=4)
    line = json.loads(log.read_text())
    assert line.items() >= {"event": "request completed", "correlation_id": "123", "call_reference": "call-1"}.items()
    RunJournal().note(seconds(1_786_000_000), "SMT", "request completed", "123")
    assert len(log.read_text().splitlines()) == 1


async def test_what_waits_in_the_queue_goes_on_after_a_restart(tmp_path: Path) -> None:
    async with Rig(tmp_path) as rig:
        ack = await rig.asked()
        assert ack["statusCode"] == "0"
    async with Rig(tmp_path, now="2026-08-12T17:50") as rig:
        await rig.wait(100)
        entry = rig.smt.ledger.entry(ack["correlationId"])
    assert entry is not None
    assert [step.state for step in entry.transitions] == [
        State.REQUESTED,
        State.ACCEPTED,
        State.QUEUED,
        State.SENT,
        State.PENDING,
        State.ANSWERED,
        State.COMPLETED,
    ]


async def test_what_waited_longer_than_its_life_expires(tmp_path: Path) -> None:
    async with Rig(tmp_path) as rig:
        key = (await rig.asked())["correlationId"]
    async with Rig(tmp_path, now="2026-08-12T18:30") as rig:
        await rig.wait(1)
        assert (await rig.status(key))["statusReason"] == "T-FAILED: no answer from the TDSP in time"
        entry = rig.smt.ledger.entry(key)
        assert entry is not None
        assert entry.last.state is State.EXPIRED
        assert (await rig.asked())["statusCode"] == "0"


async def test_what_the_middle_tiers_dice_lose_says_drawn_in_the_ledger_and_to_who_polls(rig: Rig) -> None:
    middle = LawMiddle(MiddleLaw(lost_share=1.0, slow_share=0.0), 7)
    rig.smt.desk.middle = middle
    keys = [(await rig.asked(ESIID=esiid))["correlationId"] for esiid in (PLAIN, NEIGHBOUR)]
    await rig.wait(300)
    for key in keys:
        last = (await rig.client.get("/control/requests", params={"correlationId": key})).json()["requests"][0]["transitions"][-1]  # fmt: skip
        assert (last["rule"], last["reason"]) == ("drawn", "lost between SMT and the TDSP, drawn by lot")
        said = {State.FAILED: "FAILED", State.T_FAILED: "T-FAILED"}[State(last["state"])]
        assert middle(key).lost == said
        assert (await rig.status(key))["statusReason"] == f"{said}: lost between SMT and the TDSP, drawn by lot"
    assert rig.head_end.asked == []
    assert await metric(rig, "ami_smt_ended_by_total") == {'{rule="drawn"}': 2.0}


@pytest.mark.parametrize("kept", [True, False])
async def test_what_expired_while_the_clock_was_not_kept_says_so(rig: Rig, kept: bool) -> None:
    rig.head_end.seconds = 3600
    rig.runtime._lag.seen(60.0, rig.runtime.now_us())
    await rig.wait(1)
    key = (await rig.asked())["correlationId"]
    await rig.wait(60)
    if not kept:
        rig.runtime._lag.seen(1.5, rig.runtime.now_us())
    await rig.wait(46 * 60)
    last = rig.smt.ledger.entry(key).last  # type: ignore[union-attr]
    late = "; SMT was behind its clock"
    assert (last.state, last.rule) == (State.EXPIRED, "" if kept else "expired_late")
    assert last.reason == f"no answer from the TDSP in time{'' if kept else late}"
    assert await metric(rig, "ami_smt_ended_by_total") == ({} if kept else {'{rule="expired_late"}': 1.0})
    assert (await rig.client.get("/healthz")).json()["clockLagS"] == 60.0
    assert await metric(rig, "ami_smt_clock_lag_s") == {"": 60.0}


async def test_while_smt_has_work_of_its_own_the_doors_let_in_one_call_a_turn() -> None:
    class Busy:
        busy = True

    class Served:
        driver = Busy()

    came: list[str] = []

    async def app(scope: Any, _receive: Any, _send: Any) -> None:
        came.append(scope["path"])

    smt: Any = Served()
    nothing: Any = None
    door = _OwnFirst(app, smt)

    async def turns(path: str) -> list[int]:
        came.clear()
        calls = [asyncio.ensure_future(door({"type": "http", "path": path}, nothing, nothing)) for _ in range(5)]
        counts = []
        while len(came) < 5:
            await asyncio.sleep(0)
            counts.append(len(came))
        await asyncio.gather(*calls)
        return [after - before for before, after in itertools.pairwise(counts)]

    for held_up in ("/v2/odrstatus/", "/api/usage/latestodrread", "/control/requests", "/docs", "/openapi.json"):
        assert max(await turns(held_up)) == 1
    # What SMT waits for itself, and who looks after it, is not held up.
    assert await turns("/callbacks/inquiries") == await turns("/healthz") == []
    Busy.busy = False
    assert await turns("/v2/odrstatus/") == []
