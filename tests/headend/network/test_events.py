"""What meters tell unasked: taken at once, kept once and for good, and what it says of a silent meter's power."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headend.http.links import HeadEndLink, LinkKeys, bearing
from headend.network.events import EventDesk, power_failed
from headend.ondemand.desk import OnDemandDesk
from headend.ports import MeterAddress, MeterKey, MeterRecords
from headend.service.app import Served, create_app
from headend.service.health import HealthDesk
from headend.service.metrics import HeadEndMetrics
from headend.store.store import HeadEndStore
from headend.wire import EventBatch
from meters.calendar import Seconds, epoch, iso, seconds, to_us
from meters.events import EventKind, MeterEvent
from simulator.runtime.clock import Clock, ClockMode
from simulator.runtime.driver import Runtime
from simulator.runtime.journal import RunJournal
from simulator.web.frame import served

NOW = epoch("2026-08-12T17:40")
ESIID, OTHER, FOREIGN = "10443720000000017", "10443720000000025", "10443720000000033"
NUMBERS = {ESIID: "900000017", OTHER: "900000025"}
METER = MeterKey(ESIID, NUMBERS[ESIID])
RECORDS = MeterRecords([MeterAddress(esiid, number, "127.0.0.1", 1, 1, 1, 0) for esiid, number in NUMBERS.items()])
LINK = HeadEndLink(LinkKeys.make())
GASP, BACK = EventKind.LAST_GASP, EventKind.RESTORATION


class Rig:
    """The event desk and its service over a store in a file; entered again, it is a head-end that was restarted."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "headend.sqlite"
        self.journal = RunJournal()
        self.runtime = Runtime(Clock(ClockMode.MANUAL, to_us(NOW)))

    async def __aenter__(self) -> Rig:
        self.store = HeadEndStore(f"sqlite:///{self.path}", RECORDS)
        self.desk = EventDesk(self.runtime, self.store.events, self.store.records, self.journal)
        # No inquiry comes here.
        on_demand: OnDemandDesk = None  # type: ignore[assignment]
        health: HealthDesk = None  # type: ignore[assignment]
        metrics = HeadEndMetrics(RunJournal(), lambda: 0, lambda: 0.0)
        service = Served(on_demand, self.desk, health, NUMBERS, metrics, LINK, MagicMock())
        self.app = create_app(service, "a head-end", served(self.runtime.now))
        self.http = httpx.AsyncClient(
            transport=httpx.ASGITransport(self.app), base_url="http://headend", headers=bearing(LINK.keys.meters)
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.http.aclose()
        await self.runtime.close()
        self.store.close()

    async def post(self, *events: dict[str, Any]) -> httpx.Response:
        reply = await self.http.post("/events", json={"events": list(events)})
        await self.settle()
        return reply

    async def tell(self, kind: EventKind, at: Seconds, esiid: str = ESIID) -> None:
        reply = await self.post(event(kind, at, esiid))
        assert (reply.status_code, reply.json()) == (202, {"accepted": 1, "unknown": 0})

    async def settle(self) -> None:
        await self.runtime.run_until(self.runtime.now())

    def noted(self) -> list[dict[str, Any]]:
        return [entry for entry in self.journal.entries() if entry["kind"] == "meter events"]


def event(kind: str, at: Seconds = NOW - 60, esiid: str = ESIID, number: str = "") -> dict[str, Any]:
    return {"esiid": esiid, "meterNumber": number or NUMBERS.get(esiid, "900000033"), "kind": kind, "at": iso(at)}


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    async with Rig(tmp_path) as rig:
        yield rig


# -- what an event says of the power -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("gasp", "restoration", "answer", "off"),
    [
        (None, None, None, False),
        (None, None, 100, False),
        (100, None, None, True),
        (100, 99, None, True),
        (100, 100, None, False),
        (100, 160, None, False),
        (100, None, 101, False),
        (100, None, 100, True),
        (100, None, 99, True),
        (200, 160, 170, True),
    ],
)
def test_power_is_off_from_a_last_gasp_until_something_later_denies_it(
    gasp: Seconds | None, restoration: Seconds | None, answer: Seconds | None, off: bool
) -> None:
    assert power_failed(gasp, restoration, answer) is off


_INSTANTS = st.one_of(st.none(), st.integers(0, 5))


@given(_INSTANTS, _INSTANTS, _INSTANTS)
def test_power_that_is_off_has_a_last_gasp_and_nothing_after_it(
    gasp: Seconds | None, restoration: Seconds | None, answer: Seconds | None
) -> None:
    later = [at for at in (restoration, answer) if at is not None and gasp is not None and at > gasp]
    if power_failed(gasp, restoration, answer):
        assert gasp is not None
        assert later == []
    elif gasp is not None:
        assert later or restoration == gasp


# -- the service ---------------------------------------------------------------------------------------------------


async def test_events_are_taken_kept_and_counted(rig: Rig) -> None:
    reply = await rig.post(
        event("last_gasp"),
        event("restoration", NOW - 5),
        event("disconnected", esiid=OTHER),
        event("connected", NOW, OTHER),
        event("clock_set", NOW, OTHER),
    )
    assert (reply.status_code, reply.json()) == (202, {"accepted": 5, "unknown": 0})
    assert rig.store.events.events(ESIID) == [
        MeterEvent(NOW - 60, ESIID, NUMBERS[ESIID], GASP),
        MeterEvent(NOW - 5, ESIID, NUMBERS[ESIID], BACK),
    ]
    assert [one.kind for one in rig.store.events.events(OTHER)] == ["disconnected", "clock_set", "connected"]
    (note,) = rig.noted()
    assert note["kinds"] == dict.fromkeys(["clock_set", "connected", "disconnected", "last_gasp", "restoration"], 1)
    assert (note["esiids"], note["again"], note["unknown"]) == ([ESIID, OTHER], 0, 0)


async def test_events_of_unknown_meters_are_counted_and_noted_and_do_not_harm_the_others(rig: Rig) -> None:
    reply = await rig.post(
        event("last_gasp", esiid=FOREIGN), event("last_gasp"), event("last_gasp", NOW, OTHER, number="900000099")
    )
    assert (reply.status_code, reply.json()) == (202, {"accepted": 1, "unknown": 2})
    assert rig.desk.power_failed_at(METER) == NOW - 60
    # Another meter than the records have there is a stranger, as on the wire.
    assert rig.desk.power_failed_at(MeterKey(OTHER, NUMBERS[OTHER])) is None
    assert rig.store.events.events(OTHER) == rig.store.events.events(FOREIGN) == []
    (note,) = rig.noted()
    assert (note["unknown"], note["strangers"]) == (2, [OTHER, FOREIGN])


async def test_an_event_told_again_is_the_same_event(rig: Rig) -> None:
    for _ in range(3):
        reply = await rig.post(event("last_gasp"), event("last_gasp"))
        assert reply.json() == {"accepted": 2, "unknown": 0}
    assert len(rig.store.events.events(ESIID)) == 1
    assert [one["again"] for one in rig.noted()] == [1, 2, 2]


# -- whose power is off --------------------------------------------------------------------------------------------


async def test_the_latest_event_counts_in_whatever_order_they_come(rig: Rig) -> None:
    await rig.tell(BACK, NOW - 100)
    await rig.tell(GASP, NOW - 200)
    assert rig.desk.power_failed_at(METER) is None
    await rig.tell(GASP, NOW - 50)
    assert rig.desk.power_failed_at(METER) == NOW - 50
    await rig.tell(GASP, NOW - 300)
    assert rig.desk.power_failed_at(METER) == NOW - 50
    await rig.tell(BACK, NOW - 20)
    assert rig.desk.power_failed_at(METER) is None


async def test_an_answer_after_a_last_gasp_overrules_it(rig: Rig) -> None:
    rig.desk.heard(METER, NOW - 70)
    await rig.tell(GASP, NOW - 60)
    assert rig.desk.power_failed_at(METER) == NOW - 60
    rig.desk.heard(METER, NOW - 30)
    assert rig.desk.power_failed_at(METER) is None
    # A last gasp that was held up on its way tells nothing new of a meter that has answered since.
    await rig.tell(GASP, NOW - 40)
    assert rig.desk.power_failed_at(METER) is None


@pytest.mark.parametrize(
    ("events", "heard", "off"),
    [
        ([(GASP, NOW - 60)], None, NOW - 60),
        ([(GASP, NOW - 60), (BACK, NOW - 10)], None, None),
        ([(GASP, NOW - 60)], NOW - 30, None),
        ([(GASP, NOW - 60), (GASP, NOW - 20)], NOW - 30, NOW - 20),
    ],
)
async def test_a_restarted_head_end_knows_whose_power_is_off(
    tmp_path: Path, rig: Rig, events: list[tuple[EventKind, Seconds]], heard: Seconds | None, off: Seconds | None
) -> None:
    await rig.tell(*events[0])
    if heard is not None:
        rig.desk.heard(METER, heard)
    for later in events[1:]:
        await rig.tell(*later)
    assert rig.desk.power_failed_at(METER) == off
    rig.store.close()
    async with Rig(tmp_path) as again:
        assert again.desk.power_failed_at(METER) == off
        assert [(later.kind, later.at) for later in again.store.events.events(ESIID)] == events


async def test_an_answer_before_a_late_last_gasp_is_known_after_a_restart(tmp_path: Path, rig: Rig) -> None:
    rig.desk.heard(METER, NOW - 30)
    await rig.tell(GASP, NOW - 60)
    rig.store.close()
    async with Rig(tmp_path) as again:
        assert again.desk.power_failed_at(METER) is None


async def test_answers_are_kept_only_when_they_overrule_a_last_gasp(tmp_path: Path, rig: Rig) -> None:
    for at in range(NOW - 100, NOW, 10):
        rig.desk.heard(METER, seconds(at))
    await rig.tell(GASP, NOW - 5)
    rig.desk.heard(METER, NOW - 1)
    rig.desk.heard(METER, NOW)
    with sqlite3.connect(tmp_path / "headend.sqlite") as kept:
        assert kept.execute("select esiid, at from meter_answer").fetchall() == [(ESIID, NOW - 1)]
    kept.close()


async def test_a_store_that_cannot_keep_events_is_a_fault_that_ends_nothing_else(rig: Rig) -> None:
    with sqlite3.connect(rig.path) as broken:
        broken.execute("drop table meter_event")
    broken.close()
    assert (await rig.post(event("last_gasp"))).status_code == 202
    assert [entry["kind"] for entry in rig.journal.entries()] == ["internal fault"]
    assert rig.desk.power_failed_at(METER) is None


async def test_two_batches_of_one_instant_are_taken_in_one_order(tmp_path: Path) -> None:
    async def scene(folder: Path, order: list[int]) -> list[str]:
        folder.mkdir()
        batches = [EventBatch.model_validate({"events": [event("last_gasp", NOW - n)]}) for n in range(3)]
        async with Rig(folder) as rig:
            for n in order:
                rig.desk.accept(batches[n])
            await rig.settle()
            return [one["ident"] for one in rig.noted()]

    first = await scene(tmp_path / "a", [0, 1, 2])
    assert await scene(tmp_path / "b", [2, 0, 1]) == first
    assert len(set(first)) == 3
