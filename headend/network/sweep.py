"""The scheduled sweep: every meter read in the access point's order, what it gave kept, what was missed asked for again next time."""

from __future__ import annotations

import functools
from collections import defaultdict
from collections.abc import Callable, Generator, Mapping, Sequence
from datetime import timedelta
from typing import Any

import simpy

from headend.network.events import EventDesk
from headend.network.law import TRY_TIMEOUT_US, AccessPoint
from headend.network.transport import ModbusTransport, NoAnswer, WrongMeter
from headend.ports import (
    FAULT,
    Driver,
    Journal,
    MeterAddress,
    MeterKey,
    MeterReading,
    RegisterSnapshot,
    fault_text,
    guarded,
)
from headend.store.collected import Reach
from headend.store.states import MeterDay, Tried
from headend.store.store import HeadEndStore
from headend.store.told import MeterTold, header_of
from meters.calendar import (
    Micros,
    Seconds,
    day_end,
    day_of,
    day_start,
    floor_interval,
    instants,
    micros,
    seconds,
    to_us,
)

_DAY_S = seconds(24 * 3600)


def sweep_times(start: Seconds, every_s: Seconds) -> Generator[Seconds, None, None]:
    """Instants of the sweeps from ``start`` on: at local midnight and every ``every_s`` after it. UTC epoch seconds, endless."""
    day = day_of(start)
    while True:
        for at in instants(day_start(day), day_end(day), every_s):
            if at >= start:
                yield at
        day += timedelta(days=1)


def midnights_due(after: Seconds, end: Seconds, back_days: int) -> list[Seconds]:
    """The local midnights in (after, end] whose registers are still to be read, at most so many days back."""
    day = max(day_of(after + 1), day_of(end) - timedelta(days=back_days))
    due = []
    while day_start(day) <= end:
        if day_start(day) > after:
            due.append(day_start(day))
        day += timedelta(days=1)
    return due


def days_asked(
    meter: MeterKey, collected_to: Seconds, start: Seconds, end: Seconds, midnights: Sequence[Seconds]
) -> list[MeterDay]:
    """The ended days of which a sweep asks for something, that begin at ``start`` or later. Instants in UTC epoch seconds."""
    ended = {day_start(day_of(at - 1)) for at in midnights}
    day = day_of(max(start, collected_to))
    while day_end(day) <= end:
        ended.add(day_start(day))
        day += timedelta(days=1)
    return [MeterDay(meter, begun) for begun in sorted(ended) if begun >= start]


class Collection:
    """Sweeps the head-end's meters into its store."""

    def __init__(
        self,
        driver: Driver,
        transport: ModbusTransport,
        store: HeadEndStore,
        access_points: Mapping[int, AccessPoint],
        events: EventDesk,
        journal: Journal,
        *,
        first: Seconds,
        every_s: Seconds,
        catch_up_days: int,
        attempt_s: Seconds,
        reach: Reach,
        swept: Callable[[Mapping[MeterKey, Seconds]], None],
    ) -> None:
        """events: is told whom a sweep heard. first: UTC epoch seconds from which on intervals are collected. every_s: seconds between sweeps.

        catch_up_days: so far back a meter that was silent is caught up; older intervals have left its ring. attempt_s: seconds between two attempts at a day.
        reach: what the store holds already of each meter. swept: is told to where it does after a sweep, UTC epoch seconds.
        """
        self._driver = driver
        self._transport = transport
        self._store = store
        self._addresses: dict[int, list[MeterAddress]] = defaultdict(list)
        for address in store.records.addresses.values():
            self._addresses[address.access_point].append(address)
        self._access_points = access_points
        self._events = events
        self._journal = journal
        self._every_s = every_s
        self._catch_up_days = catch_up_days
        self._attempt_s = attempt_s
        self._first = first
        self._collected_to = reach.intervals
        self._midnights_to = reach.midnights
        self._swept = swept

    @property
    def meters(self) -> int:
        """How many meters a sweep reads."""
        return sum(map(len, self._addresses.values()))

    def run(self) -> Generator[simpy.Event, Any, None]:
        """Sweep for ever; a simpy process. A sweep whose time has passed meanwhile is left out: the next one catches up."""
        env = self._driver.env
        for at in sweep_times(self._driver.now(), self._every_s):
            wait = to_us(at) - micros(env.now)
            if wait < 0:
                self._journal.note(self._driver.now(), "TDSP", "sweep left out", str(at))
                continue
            self._plan(to_us(at))
            yield env.timeout(wait)
            yield from self.guarded_sweep()

    def _plan(self, at_us: Micros) -> None:
        """Tell the access points of a sweep that begins at ``at_us``."""
        for number, addresses in self._addresses.items():
            self._access_points[number].to_be_swept(at_us, len(addresses))

    def guarded_sweep(self) -> Generator[simpy.Event, Any, int]:
        """One sweep that a fault of ours ends alone; a sub-generator that returns how many meters answered."""
        answered = yield self._driver.env.process(guarded(self.sweep(), lambda error: self._fault("sweep", error)))
        return answered or 0

    def sweep(self) -> Generator[simpy.Event, Any, int]:
        """Read every meter once; keep what came in one batch at the end. A simpy process that returns how many answered."""
        env = self._driver.env
        began = self._driver.now()
        end = floor_interval(began)
        readings: list[MeterReading] = []
        snapshots: list[RegisterSnapshot] = []
        silent: list[str] = []
        tried: list[Tried] = []
        told: list[tuple[MeterKey, MeterTold]] = []
        self._plan(micros(env.now))
        lines = (
            self._collect_all(addresses, end, readings, snapshots, silent, tried, told)
            for addresses in self._addresses.values()
        )
        yield env.all_of([env.process(line) for line in lines])
        readings.sort(key=lambda reading: (reading.esiid, reading.meter_number))
        snapshots.sort(key=lambda snapshot: (snapshot.esiid, snapshot.meter_number, snapshot.day_start))
        now = self._driver.now()
        self._store.keep(readings, now, "sweep")
        if snapshots:
            self._store.keep_snapshots(snapshots, now)
        self._store.states.note_tried({now: sorted(tried)}, self._attempt_s)
        self._store.told.keep(sorted(told, key=lambda one: one[0]), began)
        if readings:
            self._store.collected.note_sweep(now)
            self._swept(self._collected_to)
        facts = {"meters": self.meters, "answered": len(readings), "silent": sorted(silent)}
        if others := sorted(meter.esiid for meter, one in told if one.other_number):
            facts["other_number"] = others
        self._journal.note(now, "TDSP", "sweep", str(began), **facts)
        return len(readings)

    def _fault(self, ident: str, error: Exception) -> None:
        self._journal.note(self._driver.now(), "TDSP", FAULT, ident, error=fault_text(error))

    def _collect_all(
        self,
        addresses: Sequence[MeterAddress],
        end: Seconds,
        readings: list[MeterReading],
        snapshots: list[RegisterSnapshot],
        silent: list[str],
        tried: list[Tried],
        told: list[tuple[MeterKey, MeterTold]],
    ) -> Generator[simpy.Event, Any, None]:
        """Read an access point's meters, one after the other; a simpy process.

        The next one is not asked before the last has answered and had its slot. What an inquiry that comes in between waits for is the access point's rule;
        the sweep goes on however many inquiries there are.
        Whom nobody heard does not hold up the others: what is waited for are the last such try's seconds.
        """
        env = self._driver.env
        given_up_us = next_us = micros(0)
        point = self._access_points[addresses[0].access_point]
        for address in addresses:
            start_us = point.swept_at(max(micros(env.now), next_us))
            next_us = start_us + point.service_us
            yield env.timeout(start_us - micros(env.now))
            before = len(silent)
            collected = self._collect(address, end, readings, snapshots, silent, tried, told)
            yield from guarded(collected, functools.partial(self._fault, address.esiid))
            if len(silent) > before:
                given_up_us = micros(env.now) + TRY_TIMEOUT_US
        yield env.timeout(max(0, given_up_us - micros(env.now)))

    def _collect(
        self,
        address: MeterAddress,
        end: Seconds,
        readings: list[MeterReading],
        snapshots: list[RegisterSnapshot],
        silent: list[str],
        tried: list[Tried],
        told: list[tuple[MeterKey, MeterTold]],
    ) -> Generator[simpy.Event, Any, None]:
        start = max(self._collected_to[address.key], end - self._catch_up_days * _DAY_S)
        midnights = midnights_due(self._midnights_to[address.key], end, self._catch_up_days)
        oldest = max(self._first, end - self._catch_up_days * _DAY_S)
        due = days_asked(address.key, self._collected_to[address.key], oldest, end, midnights)
        asked = self._driver.now()
        try:
            reading, taken = yield self._driver.io(
                "sweep", " ".join(address.key), lambda: self._exchange(address, start, end, midnights)
            )
        except WrongMeter as wrong:
            told.append((address.key, MeterTold(other_number=wrong.number)))
            tried += [Tried(of, "other meter") for of in due]
            return
        except NoAnswer:
            silent.append(address.esiid)
            tried += [Tried(of, "silent") for of in due]
            return
        tried += [Tried(of, "") for of in due]
        answered = self._driver.now()
        self._events.heard(address.key, answered)
        told.append((address.key, header_of(reading, asked, answered)))
        readings.append(reading)
        snapshots.extend(taken)
        # What the meter's clock has not come to yet, it does not hold: it is asked for again.
        self._collected_to[address.key] = reading.end
        if taken:
            self._midnights_to[address.key] = taken[-1].day_start

    async def _exchange(
        self, address: MeterAddress, start: Seconds, end: Seconds, midnights: list[Seconds]
    ) -> tuple[MeterReading, list[RegisterSnapshot]]:
        reading = await self._transport.read_window(address, start, end)
        taken = await self._transport.read_midnights(address, midnights) if midnights else []
        return reading, taken
