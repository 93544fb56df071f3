"""Inquiries that outlive the head-end that accepted them: kept before the 202, taken once, called back as long as somebody may wait."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
import sqlalchemy as sa
from fastapi import FastAPI, Request, Response

from headend.http.links import HeadEndLink, LinkKeys, bearing
from headend.network.law import Try
from headend.ondemand.desk import RESTARTED
from headend.ports import HeadEndError, MeterAddress, MeterReading, MeterRecords
from headend.store.migrations import MIGRATIONS
from headend.store.store import HeadEndStore
from headend.system import HeadEnd, HeadEndSettings
from meters.calendar import Seconds, day_of, epoch, iso, to_us
from meters.wire.gateway import Gateway
from simulator.runtime.clock import Clock, ClockMode
from simulator.runtime.driver import Runtime
from simulator.runtime.journal import RunJournal
from simulator.web.frame import served
from tests.meters.gateways import home

NOW = epoch("2026-08-12T17:40")
START, END = epoch("2026-08-12T16:00"), epoch("2026-08-12T17:30")
METER = home(1)
ESIID = METER.identity.esiid
LINK = HeadEndLink(LinkKeys.make(), ["http://smt/callbacks"])


def inquiry(key: str = "1", answer_by: Seconds = NOW + 2700, **changed: Any) -> dict[str, Any]:
    asked = {"correlationId": key, "kind": "INTERVALS", "esiid": ESIID, "start": iso(START), "end": iso(END)}
    more = {"meterAllowed": True, "answerBy": iso(answer_by), "replyTo": "http://smt/callbacks/1"}
    return asked | more | changed


def _heard(key: str, attempt: int) -> Try:
    return Try(to_us(2), to_us(1), True)


class Rig:
    """A head-end with one meter, and an SMT that takes call-backs; entered again, it is a head-end that was restarted."""

    def __init__(self, folder: Path, now: Seconds = NOW, *, push: bool = False) -> None:
        self.path = folder / "headend.sqlite"
        self.url = f"sqlite:///{self.path}"
        self.now = now
        self.journal = RunJournal()
        #: What SMT answers to call-backs, one after the other; 202 when there is no more.
        self.answers: list[int] = []
        self.called_back: list[dict[str, Any]] = []
        self.push = push
        #: What was pushed, and what SMT answers to that: 202 when there is no more, 0 breaks the connection.
        self.pushed: list[tuple[Seconds, bytes]] = []
        self.to_pushes: list[int] = []
        self.posting: HeadEndError | None = None

    async def __aenter__(self) -> Rig:
        self._closing = AsyncExitStack()
        smt = FastAPI()

        @smt.post("/callbacks/1")
        async def call_back(request: Request) -> Response:
            self.called_back.append({"at": self.runtime.now() - self.now, **await request.json()})
            return Response(status_code=self.answers.pop(0) if self.answers else 202)

        @smt.post("/callbacks/non-vee")
        async def non_vee(request: Request) -> Response:
            assert request.headers["authorization"] == f"Bearer {LINK.keys.headend}"
            self.pushed.append((self.runtime.now() - self.now, await request.body()))
            status = self.to_pushes.pop(0) if self.to_pushes else 202
            if not status:
                raise httpx.ReadError("the connection broke")
            return Response(status_code=status)

        self.runtime = Runtime(Clock(ClockMode.MANUAL, to_us(self.now)))
        gateway = Gateway({1: METER}, self.runtime.now)
        await gateway.start()
        self._closing.push_async_callback(gateway.stop)
        self._closing.push_async_callback(self.runtime.close)
        http = await self._closing.enter_async_context(httpx.AsyncClient(transport=httpx.ASGITransport(smt)))
        address = MeterAddress(ESIID, METER.identity.meter_number, "127.0.0.1", gateway.port, 1, 1, 0)
        self.store = HeadEndStore(self.url, MeterRecords([address]))
        self.headend = HeadEnd(
            self.runtime,
            HeadEndSettings("a head-end", "9990000000001", day_of(self.now), START, push_to_smt=self.push),
            self.store,
            http,
            self._post,
            self._fetch,
            self.journal,
            served(self.runtime.now),
            LINK,
            _heard,
        )
        self._closing.push_async_callback(self.headend.close)
        transport = httpx.ASGITransport(self.headend.app)
        self.http = await self._closing.enter_async_context(
            httpx.AsyncClient(transport=transport, base_url="http://h", headers=bearing(LINK.keys.smt))
        )
        self.headend.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._closing.aclose()

    async def _post(self, name: str, content: bytes) -> None:
        if self.posting:
            raise self.posting

    async def _fetch(self, name: str) -> bytes:
        raise HeadEndError("headend.posting.rejected", "There is none.")

    async def ask(self, **changed: Any) -> httpx.Response:
        return await self.http.post("/inquiries", json=inquiry(**changed))

    async def wait(self, seconds: int) -> None:
        await self.runtime.run_until(self.runtime.now() + seconds)

    def became(self) -> list[str]:
        with sa.create_engine(self.url, poolclass=sa.NullPool).connect() as connection:
            return list(connection.scalars(sa.text("SELECT became FROM inquiry ORDER BY correlation_id")))


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    async with Rig(tmp_path) as rig:
        yield rig


async def test_an_inquiry_posted_twice_is_taken_once_and_another_under_its_id_is_refused(rig: Rig) -> None:
    # The same instants, written otherwise.
    spelled = inquiry(start="2026-08-12T21:00:00Z")
    first, other = await rig.ask(), await rig.ask(meterAllowed=False)
    again = await rig.http.post("/inquiries", json=spelled)
    await rig.wait(10)
    late = await rig.ask()
    await rig.wait(10)
    assert [one.status_code for one in (first, again, late)] == [202, 202, 202]
    assert (other.status_code, other.json()["code"]) == (409, "headend.inquiry.other")
    assert [one["outcome"] for one in rig.called_back] == ["completed"]
    assert rig.became() == ["acknowledged"]


async def test_an_inquiry_left_open_is_read_again_after_a_restart(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    async with rig:
        assert (await rig.ask()).status_code == 202
    assert rig.called_back == []
    rig.now += 600
    async with rig:
        await rig.wait(10)
        (told,) = rig.called_back
        assert (told["outcome"], told["meterReads"], len(told["intervals"])) == ("completed", 1, 6)


async def test_one_left_open_is_answered_from_the_store_that_holds_all_now(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    async with rig:
        await rig.ask()
        wh = np.full(6, 100, np.int32)
        whole = MeterReading(ESIID, "", START, wh, wh, wh.astype(np.uint16) * 0, wh == 100, END, 0, 0, 0)
        rig.store.keep([whole], NOW, "sweep")
    async with rig:
        await rig.wait(1)
        (told,) = rig.called_back
        assert (told["outcome"], told["meterReads"], {one["wh"] for one in told["intervals"]}) == (
            "completed",
            0,
            {100},
        )


async def test_what_falls_short_and_may_is_told_to_where_it_reaches_and_the_rest_is_not_missing(rig: Rig) -> None:
    wh = np.full(4, 100, np.int32)
    part = MeterReading(ESIID, "", START, wh, wh, wh.astype(np.uint16) * 0, wh == 100, END - 1800, 0, 0, 0)
    rig.store.keep([part], NOW, "sweep")
    await rig.ask(storeWithin=1800)
    await rig.wait(1)
    (told,) = rig.called_back
    assert (told["outcome"], told["meterReads"], len(told["intervals"]), told["missing"]) == ("completed", 0, 4, [])
    assert told["reachesTo"] == iso(END - 1800)


async def test_one_left_open_without_time_for_a_read_fails_for_the_restart(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    async with rig:
        await rig.ask()
    rig.now += 2690
    async with rig:
        await rig.wait(1)
        (told,) = rig.called_back
        assert (told["outcome"], told["meterReads"]) == ("failed", 0)
        assert told["reason"].startswith(RESTARTED)
        await rig.wait(3600)
        assert len(rig.called_back) == 1


async def test_an_answer_that_nobody_acknowledged_is_called_back_as_it_was(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    rig.answers = [503]
    async with rig:
        await rig.ask(kind="REGISTER", start=None, end=None)
        await rig.wait(3)
    async with rig:
        await rig.wait(1)
        first, again = rig.called_back
        assert first | {"at": again["at"]} == again
        assert rig.became() == ["acknowledged"]


async def test_a_call_back_is_tried_as_long_as_somebody_may_wait_and_not_for_ever(rig: Rig) -> None:
    rig.answers = [503] * 20
    await rig.ask(answer_by=NOW + 120)
    await rig.wait(3600)
    assert [one["at"] for one in rig.called_back] == [3, 4, 9, 39, 99]
    await rig.ask(key="2", answer_by=NOW + 20_000)
    await rig.wait(3600)
    assert len(rig.called_back) == 5 + 7
    rig.answers = [404]
    await rig.ask(key="3", answer_by=NOW + 20_000)
    await rig.wait(3600)
    assert len(rig.called_back) == 13
    assert rig.became() == ["given up"] * 3


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


# -- the database ---------------------------------------------------------------------------------------------------


def test_a_database_of_a_later_program_is_refused(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'headend.sqlite'}"
    HeadEndStore(url).close()
    with sa.create_engine(url, poolclass=sa.NullPool).begin() as connection:
        connection.execute(sa.text(f"INSERT INTO schema_version VALUES ({MIGRATIONS[-1].version + 1}, 0, 'later')"))
    with pytest.raises(HeadEndError, match=r"headend\.store\.newer"):
        HeadEndStore(url)
