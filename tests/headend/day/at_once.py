"""A head-end's day on simpy's clock alone: a driver that does at once what it is asked for, and meters that are read whole, in part or late."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Generator, Sequence
from datetime import date
from typing import Any

import numpy as np
import simpy

from headend.day.cycle import DailyCycle, Post
from headend.day.times import DailyTimes
from headend.ports import HeadEndError, MeterReading, RegisterSnapshot
from headend.store.store import HeadEndStore
from headend.vee.preset import Preset
from meters.calendar import INTERVAL_S, Micros, Seconds, day_end, day_start, epoch, micros, to_s, to_us

DAY, DUNS = date(2026, 8, 12), "1039940674000"
ESIIDS = [f"10443720000000{number:03d}" for number in range(7)]


class AtOnce:
    """A driver that begins at an instant."""

    rate = lag_s = 0.0
    busy = False

    def __init__(self, now: Seconds) -> None:
        self.env = simpy.Environment(to_us(now))

    def behind_since(self, at_us: Micros) -> bool:
        raise AssertionError(at_us)

    def now(self) -> Seconds:
        return to_s(micros(self.env.now))

    def io(self, _kind: str, _ident: str, call: Callable[[], Awaitable[Any]], *, lane: str = "") -> simpy.Event:
        done = self.env.event()

        async def called() -> Any:
            return await call()

        try:
            done.succeed(asyncio.run(called()))
        except HeadEndError as error:
            done.fail(error)
        return done

    def inject(self, *_: object) -> None:
        raise NotImplementedError


class Silent:
    """A journal that keeps nothing."""

    def note(self, *_: object, **__: object) -> None:
        pass


async def nothing(_name: str) -> bytes:
    raise NotImplementedError


def validated_and_posted(
    store: HeadEndStore,
    post: Post,
    at: str,
    esiids: Sequence[str] = (),
    day: date = DAY,
) -> list[str]:
    """Validate a day and post what is due, three ESI IDs a partition; the names of the files."""
    driver, preset = AtOnce(epoch(at)), Preset(partition=3)
    cycle = DailyCycle(driver, store, esiids, DUNS, DailyTimes(), post, nothing, Silent(), preset=preset)
    names: list[str] = []

    def run() -> Generator[simpy.Event, Any, None]:
        cycle.validate(day)
        for due in store.partitions.days_to_post():
            names.extend((yield from cycle.post(due)))

    driver.env.run(driver.env.process(run()))
    return names


def read(
    store: HeadEndStore, esiids: Sequence[str], day: date, at: str, first: int = 0, until: int = 96, wh: int = 100
) -> None:
    """Keep intervals of a day, and its registers, as read at an instant; each meter takes one Wh more than the one before it."""
    for number, esiid in enumerate(esiids):
        values = np.full(until - first, wh + number, np.int32)
        start = day_start(day) + first * INTERVAL_S
        zeros = 0 * values
        store.keep(
            [MeterReading(esiid, "", start, values, zeros, zeros.astype(np.uint16), values > 0, epoch(at), 0, 0, 0)],
            epoch(at),
            "sweep",
        )
        a_day = 96 * (wh + number)
        edges = ((day - DAY).days, day_start(day)), ((day - DAY).days + 1, day_end(day))
        shots = [RegisterSnapshot(esiid, "", midnight, 5_000 + passed * a_day, 0) for passed, midnight in edges]
        store.keep_snapshots(shots, epoch(at))
