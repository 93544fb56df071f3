"""The queue of on-demand requests: what waits goes on after a restart, what nobody has in hand is looked for, what is lost or late ends."""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from pathlib import Path
from typing import Any

import httpx
import pytest
import simpy

from headend.wire import InquiryKind
from meters.calendar import epoch, to_us
from simulator.runtime.clock import Clock, ClockMode
from simulator.smt.ondemand import desk, inquiries
from simulator.smt.ondemand.dispatch import GONE
from simulator.smt.ondemand.inquiries import Inquiries
from simulator.smt.ondemand.lifecycle import OnDemandRequest, Sent, State
from simulator.smt.ondemand.middle import LawMiddle, MiddleLaw
from simulator.smt.throttle.decision import Door, Kind, Requested
from simulator.smt.throttle.policy import preset
from tests.simulator.smt.doors.test_operations import metric
from tests.simulator.smt.rig import KEYS, NEIGHBOUR, NOW, PLAIN, Rig, registry


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


async def test_looks_that_were_missed_are_not_made_up_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wall = 100.0
    clock = Clock(ClockMode.SCALED, to_us(epoch(NOW)), 60.0, wall=lambda: wall, wall_start=wall)
    looks: list[float] = []
    async with Rig(tmp_path, clock=clock) as rig:
        look = rig.smt.seat.look

        def looked() -> None:
            looks.append(rig.runtime.env.now)
            look()

        monkeypatch.setattr(rig.smt.seat, "look", looked)
        serving = asyncio.get_running_loop().create_task(rig.runtime.serve())
        # Three hours of model time, in which nobody came to look.
        wall += 180
        done = asyncio.Event()
        rig.runtime.inject("test", "caught up", done.set)
        await done.wait()
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)
    assert len(set(looks)) == 1


async def test_an_inquiry_waits_for_a_connection_to_a_slow_head_end(tmp_path: Path) -> None:
    free = asyncio.Event()

    async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"}")
        await free.wait()
        writer.write(b"HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(slow, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    one_connection = httpx.Limits(max_connections=1)
    timeout = httpx.Timeout(10, pool=0.001)
    sent: list[Sent] = []
    async with (
        server,
        Rig(tmp_path) as rig,
        httpx.AsyncClient(limits=one_connection, timeout=timeout, trust_env=False) as http,
    ):
        ways = Inquiries(
            rig.runtime,
            rig.smt.registry,
            rig.smt.ledger,
            rig.notes,
            http,
            {"coastal": url},
            {"coastal": KEYS},
            open_links=False,
            reply_to="http://smt",
            policy=preset("fr-cr016-1"),
            here=True,
            overdue=lambda *_: None,
        )

        def send(key: str) -> Generator[simpy.Event, Any, None]:
            wanted = Requested(Kind.READ, Door.API, {})
            request = OnDemandRequest(key, InquiryKind.REGISTER, PLAIN, wanted)
            sent.append((yield from ways.send(request, rig.smt.now_us() + to_us(2700))))

        for key in ("1", "2"):
            rig.runtime.env.process(send(key))
        asyncio.get_running_loop().call_later(0.05, free.set)
        await rig.wait(0)
        assert sent == [Sent(True), Sent(True)]


async def test_who_is_alone_on_a_file_looks_within_the_minute_in_which_something_was_dropped(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks, look, begun = set[int](), rig.smt.seat.look, rig.runtime.now()

    def looked() -> None:
        looks.add(rig.runtime.now() - begun)
        look()

    monkeypatch.setattr(rig.smt.seat, "look", looked)
    await rig.wait(610)
    assert looks == set()
    rig.smt.desk.drop()
    await rig.wait(600)
    assert looks == {660}


async def test_who_is_alone_asks_the_database_for_what_is_out_of_hand_once_an_hour_unless_it_dropped_something(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger, asked = rig.smt.ledger, list[int]()
    keys = ledger.open_keys

    def counted() -> list[str]:
        asked.append(rig.runtime.now())
        return keys()

    monkeypatch.setattr(ledger, "open_keys", counted)
    await rig.wait(3 * 3600 + 60)
    assert len(asked) == 3
    rig.smt.desk.drop()
    await rig.wait(180)
    assert len(asked) == 4


async def test_a_process_that_dies_after_idle_minutes_leaves_the_dispatcher_alive(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(name: str) -> None:
        if name == "inquiry.before_call":
            raise RuntimeError("a fault of ours")

    await rig.wait(2400)
    await rig.asked()
    monkeypatch.setattr(inquiries, "boundary", broken)
    ages = []
    for _ in range(9):
        await rig.wait(10)
        health = (await rig.client.get("/healthz")).json()
        assert (health["status"], health["dispatcher"]) == ("ok", "alive")
        ages.append(health["lastSweepAgeS"])
    assert max(ages) <= 60


async def test_a_request_that_was_filed_and_never_begun_is_looked_for(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(name: str) -> None:
        if name == "request.after_commit":
            raise RuntimeError("a fault of ours")

    await rig.wait(2400)
    with monkeypatch.context() as patched:
        patched.setattr(desk, "boundary", broken)
        with pytest.raises(RuntimeError):
            await rig.asked()
    [key] = rig.smt.ledger.open_keys()
    await rig.wait(75)
    entry = rig.smt.ledger.entry(key)
    assert entry is not None
    assert State.SENT in {step.state for step in entry.transitions}


async def test_what_a_crash_left_over_is_failed_and_given_back(tmp_path: Path) -> None:
    async with Rig(tmp_path) as rig:
        ack = await rig.asked()
        await rig.wait(20)
    async with Rig(tmp_path, now="2026-08-12T17:50") as rig:
        status = await rig.status(ack["correlationId"])
        assert status["statusReason"] == "FAILED: SMT was restarted while the request was under way"
        assert (await rig.asked())["statusCode"] == "0"


@pytest.mark.parametrize("waits", [0, 20])
async def test_a_request_for_an_esi_id_that_is_in_no_records_any_more_ends_at_a_restart(
    tmp_path: Path, waits: int
) -> None:
    async with Rig(tmp_path) as rig:
        key = (await rig.asked())["correlationId"]
        await rig.wait(waits)
    gone = registry()
    del gone.points[PLAIN]
    async with Rig(tmp_path, now="2026-08-12T17:50", registered=gone) as rig:
        entry = rig.smt.ledger.entry(key)
        assert entry is not None
        assert (entry.last.state, entry.last.reason) == (State.FAILED, GONE)
        assert rig.smt.ledger.open_keys() == []
