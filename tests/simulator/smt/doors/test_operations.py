"""How SMT is watched: health, metrics, structured logs without secrets, and who read what."""

from __future__ import annotations

import asyncio
import itertools
import json
from dataclasses import astuple
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from headend.http.log import logging_to
from meters.calendar import seconds
from simulator.runtime.journal import RunJournal
from simulator.smt.doors.health import MISSED_SWEEPS
from simulator.smt.doors.service import _OwnFirst
from tests.simulator.sandboxes import rig as sandbox_rig
from tests.simulator.smt.rig import FOREIGN, KEYS, PASSWORD, TDSP_DUNS, Rig


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


async def test_a_dispatcher_that_missed_so_many_looks_is_stuck(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    late_us = MISSED_SWEEPS * rig.smt.config.sweep_every_us
    told = []
    for ago_us in (late_us, late_us + 1):
        monkeypatch.setattr(rig.smt, "swept_us", lambda ago_us=ago_us: rig.smt.now_us() - ago_us)
        reply = await rig.client.get("/healthz")
        told.append((reply.status_code, reply.json()["dispatcher"]))
    assert told == [(200, "alive"), (503, "stuck")]


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
