"""Operating days that end one after the other: when each is validated and posted, what SMT says of its file, and what a fault costs."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import date, time, timedelta
from pathlib import Path
from typing import Any

import pytest

from headend.day.cycle import DailyCycle
from headend.day.times import Apart, DailyTimes
from headend.lse import writer as lse
from headend.ports import HeadEndError
from headend.store.store import HeadEndStore
from meters.calendar import epoch, iso, to_us
from simulator.runtime.journal import RunJournal
from tests.headend.day.at_once import DAY, DUNS, ESIIDS, AtOnce, read

MINE = ESIIDS[:2]
NEXT = DAY + timedelta(days=1)
OK = lse.ResultRow(1, MINE[0], "4", str(DAY), "0", "")
WARNED = lse.ResultRow(2, MINE[1], "4", str(DAY), "0", "", "unusual")


class Days:
    """A head-end whose meters of two days were read, from the evening of the first one on; and SMT's site."""

    def __init__(self, folder: Path, at: str = "2026-08-12T20:00", times: DailyTimes | None = None) -> None:
        self.store = HeadEndStore("sqlite://")
        for day in (DAY, NEXT):
            read(self.store, MINE, day, "2026-08-12T19:00")
        self.driver, self.journal = AtOnce(epoch(at)), RunJournal()
        self.answer: Callable[[str], bytes] = lambda name: lse.result_csv(name, [OK, WARNED])[1]
        self.cycle = DailyCycle(
            self.driver, self.store, MINE, DUNS, times or DailyTimes(), self._post, self._fetch, self.journal
        )

    async def _post(self, name: str, content: bytes) -> None:
        pass

    async def _fetch(self, name: str) -> bytes:
        return self.answer(name)

    def until(self, at: str) -> None:
        self.driver.env.run(to_us(epoch(at)))

    def noted(self, *kinds: str) -> list[tuple[str, str]]:
        """What was noted of some kinds: when, to the minute, and of what."""
        return [(iso(one["at"])[5:16], one["ident"]) for one in self.journal.entries() if one["kind"] in kinds]  # fmt: skip

    def told(self, kind: str) -> list[dict[str, Any]]:
        return [one for one in self.journal.entries() if one["kind"] == kind]


@pytest.fixture
def days(tmp_path: Path) -> Iterator[Days]:
    made = Days(tmp_path)
    yield made
    made.store.close()


def test_each_day_is_validated_and_posted_on_the_next_and_its_result_codes_are_fetched(days: Days) -> None:
    days.driver.env.process(days.cycle.run(DAY))
    days.until("2026-08-14T09:00")
    assert days.noted("VEE batch") == [("08-13T01:00", str(DAY)), ("08-14T01:00", str(NEXT))]
    assert [at for at, _ in days.noted("posted")] == ["08-13T07:30", "08-14T07:30"]
    assert days.store.posted_days() == {DAY, NEXT}
    files = [name for _, name in days.noted("posted")]
    assert days.noted("result codes") == [("08-13T07:35", files[0]), ("08-14T07:35", files[1])]
    assert [(one["codes"], one["warnings"]) for one in days.told("result codes")] == [({"0": 2}, 1)] * 2


def test_a_day_that_is_held_is_posted_at_its_own_time_and_holds_up_no_other(tmp_path: Path) -> None:
    days = Days(tmp_path, times=DailyTimes(apart=(Apart(DAY, DAY, time(8, 0), held_days=1),)))
    days.driver.env.process(days.cycle.run(DAY))
    days.until("2026-08-14T09:00")
    assert [one["operating_day"] for one in days.told("posted")] == [str(NEXT), str(DAY)]
    assert [at for at, _ in days.noted("posted")] == ["08-14T07:30", "08-14T08:00"]
    days.store.close()


def test_days_that_ended_before_are_caught_up_in_their_order_and_one_that_breaks_costs_itself_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    days = Days(tmp_path, "2026-08-14T12:00")
    given = days.cycle.validate

    def validate(day: date) -> Any:
        if day == DAY - timedelta(days=1):
            raise ValueError(day)
        return given(day)

    monkeypatch.setattr(days.cycle, "validate", validate)
    days.driver.env.process(days.cycle.catch_up([DAY - timedelta(days=1), DAY, NEXT]))
    days.until("2026-08-14T12:30")
    assert [one["ident"] for one in days.told("internal fault")] == [f"operating day {DAY - timedelta(days=1)}"]
    assert [one["operating_day"] for one in days.told("posted")] == [str(DAY), str(NEXT)]
    days.store.close()


async def test_days_that_were_missed_together_are_validated_one_after_the_other_and_revise_a_day_before_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    days = Days(tmp_path, "2026-08-15T10:00")
    days.cycle.validate(DAY)
    read(days.store, MINE[:1], DAY, "2026-08-15T11:00", wh=700)
    days.until("2026-08-15T12:00")
    given, together, met = days.cycle.validate, threading.Barrier(2), []

    def validate(day: date) -> Any:
        # Two that are let in at once meet here; one alone goes on after a while.
        with suppress(threading.BrokenBarrierError):
            together.wait(0.2)
            met.append(day)
        return given(day)

    monkeypatch.setattr(days.cycle, "validate", validate)
    done = await asyncio.gather(days.cycle.validated(NEXT), days.cycle.validated(NEXT + timedelta(days=1)))
    assert met == []
    assert [(one.day, one.again) for of_day in done for one in of_day if one.day <= NEXT] == [
        (DAY, True),
        (NEXT, False),
    ]
    assert [one.run for one in days.store.partitions.of_day(DAY)] == [1, 2]
    days.store.close()


def _away(_name: str) -> bytes:
    raise HeadEndError("headend.posting.rejected", "There is none.")


@pytest.mark.parametrize(
    ("answer", "code"), [(_away, "headend.posting.rejected"), (lambda _: b"<html>", "headend.lse.result_malformed")]
)
def test_a_file_without_result_codes_that_can_be_read_is_told_and_stays_posted(
    days: Days, answer: Callable[[str], bytes], code: str
) -> None:
    days.answer = answer
    days.driver.env.process(days.cycle.run(DAY))
    days.until("2026-08-13T08:00")
    assert [one["code"] for one in days.told("no result codes")] == [code]
    assert days.store.posted_days() == {DAY}
