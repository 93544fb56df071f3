"""What each of a meter's faults did, as its ledger tells: which intervals are whose doing, and the registers around it."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from datetime import date

import numpy as np
from numpy.typing import NDArray

from meters.calendar import INTERVAL_S, Seconds, day_of, day_start, days, floor_interval, interval_ends
from meters.device.energy import OVER_S
from meters.device.meter import EmulatedMeter
from meters.device.reading import ATTEMPTS_S, DayRead, changed, read_day
from meters.faults.fault import Fault
from meters.faults.kinds import FaultKind, Layer, Span
from meters.faults.ledger import Effect, Ends, LedgerEntry, entry, ordered
from meters.faults.overlay import order
from meters.faults.replies import answers_on, silences
from meters.identity import esiid_hash

#: Of a fault: true and shown Wh, delivered and received, and what they are wrong by.
_Sums = NDArray[np.int64]
#: From the premise outwards: what comes later acts on what came before.
_LAYERS = list(Layer)
#: Kinds that leave every interval as it is; a swapped meter truly measures the premise where it hangs.
_REGISTERS_ALONE = (FaultKind.RESET, FaultKind.ROLLOVER, FaultKind.ZERO_READ, FaultKind.SWAP)
_DAY_S = 86_400


def ledger_of(
    meters: Iterable[EmulatedMeter], start: Seconds, end: Seconds, now: Seconds | None = None
) -> list[LedgerEntry]:
    """What their faults did to the meters, and what look-alikes there were, in [start, end), UTC epoch seconds, read day by day as ``read_day`` does, the last reading at ``now``.

    A day under several faults is read with none of them, with the first, with the first two and so on, from the premise outwards: a value is
    the doing of the fault that changed it last; where none changed it, of the one that changed its status. So the sum of ``wrong_wh`` is the
    sum of what the intervals are wrong by.
    """
    return ordered(one for meter in meters for one in _entries(meter, start, end, end if now is None else now))


def _entries(meter: EmulatedMeter, start: Seconds, end: Seconds, now: Seconds) -> Iterator[LedgerEntry]:
    sums = _doings(meter, start, end, now)
    for fault in meter.faults:
        # What touches the run, and what came before it or in the morning after it and is to be seen in its intervals.
        if (fault.first >= end or fault.until <= start) and id(fault) not in sums:
            continue
        instant = fault.row.span is Span.INSTANT
        low = max(fault.first, start)
        high = max(min(fault.until, end), low + 1)
        before, after = (fault.first - 1, fault.first) if instant else (low, high)
        ends = Ends(_registers(meter, before), _registers(meter, after))
        number = meter.number(before)
        if fault.kind is FaultKind.EXCHANGE:
            ends = Ends(ends.before, ends.after, meter.number(after))
        own = sums.get(id(fault))
        effect = None if own is None else Effect(*own.tolist())
        yield entry(fault, number, (start, end), effect, ends, _silent_days(meter, fault, low, high))
    for one in meter.lookalikes:
        low, high = (floor_interval(at) for at in (max(one.first, start), min(one.until, end) + INTERVAL_S - 1))
        if low < high:
            drawn, given = meter.used(low, high)
            ends = Ends(_registers(meter, low), _registers(meter, high))
            yield entry(
                one,
                meter.number(low),
                (start, end),
                Effect(drawn, drawn, given, given),
                ends,
                unread=one.unread(meter.seed),
            )


def _registers(meter: EmulatedMeter, at: Seconds) -> tuple[int, int]:
    delivered, received = meter.registers(at)
    return delivered * meter.identity.multiplier, received * meter.identity.multiplier


def _silent_days(meter: EmulatedMeter, fault: Fault, low: Seconds, high: Seconds) -> list[date]:
    if fault.kind is not FaultKind.FLAKY:
        return []
    hashed = esiid_hash(fault.esiid)
    spanned = days(day_of(low), day_of(high - 1))
    return [day for day in spanned if not answers_on(fault, meter.seed, hashed, day_start(day))]


def _doings(meter: EmulatedMeter, start: Seconds, end: Seconds, now: Seconds) -> dict[int, _Sums]:
    """By fault, those to which any interval of the run is due."""
    at_work: dict[date, list[Fault]] = {}
    for fault in sorted(meter.faults, key=_stage):
        for day in _days(fault, meter, start, end):
            at_work.setdefault(day, []).append(fault)
    sums: dict[int, _Sums] = {}
    if not at_work:
        return sums
    swaps = [fault for fault in meter.faults if fault.kind is FaultKind.SWAP]
    sound = meter.under(swaps)
    for day, faults in at_work.items():
        steps = [read_day(sound, day, now)]
        steps += [read_day(meter.under([*swaps, *faults[:count]]), day, now) for count in range(1, len(faults))]
        steps.append(read_day(meter, day, now))
        ends = interval_ends(day)
        own = _owners(steps)
        own[:, (ends <= start) | (ends > end)] = -1
        true, shown = (np.array([step.delivered, step.received], np.int64) for step in (steps[0], steps[-1]))
        for place, fault in enumerate(faults):
            its = own == place
            if its.any():
                # What is caught up after a span without power is wrong too, and none of its intervals.
                after = fault.row.layer is Layer.POWER and ends - INTERVAL_S >= fault.until
                both = [(wh * (its & ~np.asarray(after))).sum(axis=1) for wh in (true, shown)]
                wrong = np.abs((shown - true) * its).sum()
                added = np.array([both[0][0], both[1][0], both[0][1], both[1][1], wrong])
                sums[id(fault)] = sums.get(id(fault), 0) + added
    return sums


def _owners(steps: Sequence[DayRead]) -> NDArray[np.int64]:
    """(2, n) which step, from 0 on, changed each channel's intervals last; -1 where none did."""
    values = np.full((2, len(steps[0].status)), -1)
    said = values.copy()
    for place, (was, then) in enumerate(itertools.pairwise(steps)):
        value, status = changed(was, then)
        values[value], said[status] = place, place
    return np.where(values < 0, said, values)


def _stage(fault: Fault) -> tuple[int, int, Seconds]:
    place = order(fault)[0] if fault.row.layer is Layer.INTERVALS else 0
    return _LAYERS.index(fault.row.layer), place, fault.first


def _days(fault: Fault, meter: EmulatedMeter, start: Seconds, end: Seconds) -> list[date]:
    """The days of the run of which a fault may change an interval."""
    if fault.kind in _REGISTERS_ALONE or (fault.row.layer is Layer.WIRE and silences(fault.kind)):
        return []
    low, high = fault.first, fault.until
    if fault.kind in (FaultKind.CLOCK_DRIFT, FaultKind.CLOCK_SET):
        # Labels are as far from true time as the clock is.
        gained = fault.params.get("seconds", 0.0) or fault.params["seconds_a_day"] * (high - low) / _DAY_S
        low, high = low - _DAY_S, high + round(abs(gained)) + _DAY_S
    elif fault.row.layer is Layer.POWER:
        # What is caught up afterwards is its doing too.
        high += OVER_S
    elif fault.row.layer in (Layer.METER, Layer.WIRE):
        # Whatever is there when a day is read, in the morning after it.
        low -= ATTEMPTS_S[-1] + 1
    if fault.row.lasting and meter.coarse:
        # What it kept back shifts every later pulse.
        high = end
    low, high = max(low, start), min(high, end)
    return days(day_of(low), day_of(high - 1)) if low < high else []
