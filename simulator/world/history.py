"""Posted days made on the modelled transport: the sweeps, VEE batches and LSE files of days gone by, without sockets and without waiting.

A sandbox begins with them; what head-end and SMT hold afterwards is what live days would have left.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby, repeat

import numpy as np

from headend.day.due import validate_due
from headend.day.times import DailyTimes
from headend.lse import writer as lse
from headend.network.events import power_failed
from headend.network.sweep import days_asked, midnights_due, sweep_times
from headend.ports import LongArray, MeterKey, MeterReading, RegisterSnapshot
from headend.store.states import Tried
from headend.store.store import HeadEndStore
from headend.store.told import MeterTold
from headend.vee.preset import Preset
from meters.calendar import INTERVAL_S, Seconds, day_of, day_start, floor_interval, seconds
from meters.device.meter import EmulatedMeter
from meters.events import EventKind, MeterEvent
from meters.faults.fault import Fault
from meters.faults.kinds import KINDS, FaultKind, Layer
from meters.load.truth import GeneratedLoad
from meters.shown import Wire
from simulator.world.meters import World

#: Takes an LSE file in as SMT does: (name, content, UTC epoch seconds).
TakeIn = Callable[[str, bytes, Seconds], None]


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a history has come, beside what store and SMT hold, when an operating day is posted; instants in UTC epoch seconds.

    ``day``: the first that is not posted. ``swept``: what happened before it is kept. ``sweep``: the next one. ``collected``: where each meter's intervals end;
    ``midnights``: its last one with registers.
    """

    day: date
    swept: Seconds
    sweep: Seconds
    collected: dict[MeterKey, Seconds]
    midnights: dict[MeterKey, Seconds]


async def make_history(
    world: World,
    store: HeadEndStore,
    now: Seconds,
    every_s: Seconds,
    times: DailyTimes,
    take_in: TakeIn,
    preset: Preset,
    taken: Callable[[], AbstractContextManager[object]] = nullcontext,
    begun: Progress | None = None,
    reached: Callable[[Progress], None] = lambda _: None,
) -> date:
    """Fill the head-end's store and SMT up to ``now`` (UTC epoch seconds), operating day by operating day; it can be cancelled before each day.

    taken: what an operating day's files are taken in within. A day is one transaction at either: nobody goes on with a half of it. begun: how far an earlier one
    has come, whose days store and SMT hold. reached: called once each day is posted. Gives the first operating day that is not.
    """
    if begun is None:
        begins = day_start(world.spec.first_day)
        collected = dict.fromkeys(map(_key, world.meters), begins)
        midnights = dict.fromkeys(collected, begins - 1)
        begun = Progress(world.spec.first_day, begins, next(sweep_times(begins, every_s)), collected, midnights)
    collected, midnights = dict(begun.collected), dict(begun.midnights)
    esiids = sorted({meter.esiid for meter in collected})
    told_to, day = begun.swept, begun.day
    due = sweep_times(begun.sweep, every_s)
    at = next(due)

    def sweep_until(instant: Seconds) -> None:
        nonlocal at, told_to
        sweeps = []
        while at <= instant:
            sweeps.append(at)
            at = next(due)
        _keep_events(world, store, told_to, instant)
        told_to = instant
        if sweeps:
            most_of = max(world.spec.first_day, day_of(sweeps[-1] - 1))
            GeneratedLoad.foresee((meter.load for meter in world.meters), most_of)
            _sweep(world, store, sweeps, collected, midnights, preset)

    while (posting := times.posted_at(day)) <= now:
        # A stop comes through here.
        await asyncio.sleep(0)
        validating = times.validated_at(day)
        with store.together(), taken():
            # The batch sees what the sweeps before it have brought, as it does in a live day.
            sweep_until(validating)
            validate_due(store, esiids, day, preset, repeat(validating).__next__)
            names = lse.file_names(world.tdsp.duns, posting)
            for unposted in store.partitions.days_to_post():
                while partition := store.partitions.next_to_post(unposted):
                    name = next(names)
                    records = lse.from_vee(store.vee.day(partition.among(esiids), unposted, partition.run), posting)
                    take_in(name, lse.dumps(records), posting)
                    store.partitions.posted(store.partitions.named(partition, name, posting), posting, len(records))
        day += timedelta(days=1)
        reached(Progress(day, told_to, at, dict(collected), dict(midnights)))
    await asyncio.sleep(0)
    with store.together():
        sweep_until(now)
    return day


def _keep_events(world: World, store: HeadEndStore, start: Seconds, end: Seconds) -> None:
    """Keep what meters told unasked in [start, end), each at its instant; UTC epoch seconds."""
    told = [event for meter in world.meters if meter.restless for event in _told(store, meter, start, end)]
    for at, events in groupby(sorted(told), lambda event: event.at):
        store.events.keep(list(events), at)


def _told(store: HeadEndStore, meter: EmulatedMeter, start: Seconds, end: Seconds) -> Iterator[MeterEvent]:
    """What a meter told that a head-end takes: by the records it hangs there."""
    for event in meter.events(start, end):
        if store.records.hangs_at(event.esiid, event.meter_number, event.at):
            yield event


def _keep_answer(
    store: HeadEndStore, meter: EmulatedMeter, since: Seconds, at: Seconds, before: Seconds | None
) -> None:
    """Keep that a meter answers a sweep, if it has told of a power failure since ``since`` and not of its end. before: when it answered last."""
    gasped, restored = (
        max((event.at for event in _told(store, meter, since, at) if event.kind is kind), default=None)
        for kind in (EventKind.LAST_GASP, EventKind.RESTORATION)
    )
    if power_failed(gasped, restored, before):
        store.events.keep_answer(_key(meter), at)


def _sweep(
    world: World,
    store: HeadEndStore,
    sweeps: list[Seconds],
    collected: dict[MeterKey, Seconds],
    midnights: dict[MeterKey, Seconds],
    preset: Preset,
) -> None:
    """Keep what sweeps (UTC epoch seconds, ascending) bring of every meter, in one transaction."""
    readings: list[tuple[MeterReading, LongArray]] = []
    snapshots: list[RegisterSnapshot] = []
    tried: dict[Seconds, list[Tried]] = defaultdict(list)
    told: dict[Seconds, list[tuple[MeterKey, MeterTold]]] = defaultdict(list)
    ends = [floor_interval(at) for at in sweeps]
    by_day = [list(of_day) for _, of_day in groupby(sweeps, day_of)]
    of_days = sorted({at for of_day in by_day for at in (of_day[0], of_day[-1])})
    # Whoever had it to tell has told the store already of answers to earlier sweeps.
    heard = store.events.latest().answer
    for meter in world.meters:
        key, multiplier = _key(meter), meter.identity.multiplier
        touching = [fault for fault in meter.faults if fault.first <= sweeps[-1]]
        # What all of them bring, the last one reads at once of a meter that no fault has touched yet; of one that always answers alike, two of each day.
        alike = all(_alike(fault, sweeps) for fault in touching)
        for at in sweeps if not alike else of_days if touching else sweeps[-1:]:
            end, known = floor_interval(at), world.number_at(meter, at)
            oldest = max(day_start(world.spec.first_day), end - seconds(preset.over_days * 24 * 3600))
            due = midnights_due(midnights[key], end, preset.over_days)
            asked = days_asked(key, collected[key], oldest, end, due)
            if meter.reply(at).wire is not Wire.ANSWER:
                tried[at] += [Tried(of, "silent") for of in asked]
                continue
            header = meter.identity_at(at)
            # A head-end takes nothing but its number from a meter that its records do not know.
            if header.meter_number != known:
                told[at].append((key, MeterTold(other_number=header.meter_number)))
                tried[at] += [Tried(of, "other meter") for of in asked]
                continue
            tried[at] += [Tried(of, "") for of in asked]
            if meter.restless:
                _keep_answer(store, meter, day_start(world.spec.first_day), at, heard.get(key))
                heard[key] = at
            told[at].append((key, MeterTold(meter.clock(at) - at, header.multiplier, dials=header.dials)))
            reading = _reading(meter, known, max(collected[key], oldest), end, at)
            places = reading.start + INTERVAL_S * np.arange(1, len(reading.delivered) + 1)
            brought = np.array(sweeps)[np.searchsorted(ends, places)] if alike else np.full(len(places), at)
            readings.append((reading, brought))
            collected[key] = reading.end
            for midnight in due:
                taken = meter.midnight(day_of(midnight), at)
                if taken is not None:
                    registers = taken[0] * multiplier, taken[1] * multiplier
                    snapshots.append(RegisterSnapshot(key.esiid, known, midnight, *registers))
                    midnights[key] = midnight
    store.keep_brought(readings, "sweep", snapshots, sweeps[-1])
    store.states.note_tried(tried, preset.attempt_s)
    for _, of_day in groupby(sorted(told), day_of):
        instants = list(of_day)
        store.told.keep([one for at in instants for one in told[at]], instants[-1])


def _alike(fault: Fault, sweeps: list[Seconds]) -> bool:
    """Whether a meter with a fault answers each of the sweeps, and each answer shows the same of what was before it."""
    lasts = fault.first <= sweeps[0] and sweeps[-1] < fault.until
    recorded = KINDS[fault.kind].layer is Layer.INTERVALS or fault.kind is FaultKind.DISCONNECTED
    return recorded or (lasts and fault.kind in (FaultKind.SWAP, FaultKind.MULTIPLIER, FaultKind.ZERO_READ))


def _key(meter: EmulatedMeter) -> MeterKey:
    return MeterKey(meter.identity.esiid, meter.identity.meter_number)


def _reading(meter: EmulatedMeter, number: str, start: Seconds, end: Seconds, at: Seconds) -> MeterReading:
    clock, multiplier = meter.clock(at), meter.identity.multiplier
    # What the meter's clock has not come to yet, it does not hold.
    window = meter.window(start, max(start, min(end, floor_interval(clock))), at)
    return MeterReading(
        esiid=meter.identity.esiid,
        meter_number=number,
        start=start,
        delivered=window.delivered * multiplier,
        received=window.received * multiplier,
        status=window.status,
        present=window.present,
        meter_time=clock,
        # A sweep keeps neither.
        partial_wh=0,
        register_wh=0,
        octets=0,
    )
