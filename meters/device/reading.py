"""One operating day of a meter as collection has it the next morning: what it shows to the sweeps that it answers."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from meters.calendar import Seconds, day_end, day_start, instants, interval_ends, seconds
from meters.device.meter import EmulatedMeter
from meters.events import MeterEvent
from meters.faults.kinds import FaultKind
from meters.shown import Wire
from meters.status import Condition, status_word

#: A head-end sweeps at midnight and every four hours from it on: its default.
SWEEP_EVERY_S = seconds(4 * 3600)
#: Seconds after a day's end at which it is read: by the sweep at midnight, and by the two after it, before VEE in the morning.
ATTEMPTS_S = (seconds(0), SWEEP_EVERY_S, 2 * SWEEP_EVERY_S)
_CLOCK_KINDS = (FaultKind.CLOCK_DRIFT, FaultKind.CLOCK_SET, FaultKind.STALE)
_INT32 = np.iinfo(np.int32)


class Told(NamedTuple):
    """What a meter says of itself in its header."""

    #: Its digits as a number.
    meter_number: int
    multiplier: int
    dials: int
    #: Of the sweeps from the day's beginning on, the worst: its clock less true time, s.
    clock_error_s: Seconds


class DayRead(NamedTuple):
    """A day as it was read. Energy in Wh by the multiplier of the records; what an int32 cannot hold stops at its end."""

    #: (n,) each; delivered is LSE channel 4, received channel 1. 0 where there is no value.
    delivered: NDArray[np.int32]
    received: NDArray[np.int32]
    #: (n,) words as in ``meters.status``; "stopped" where the meter's clock never came.
    status: NDArray[np.uint16]
    #: (n,) False where there is no delivered value.
    present: NDArray[np.bool_]
    #: (2,) registers, delivered and received, at the midnights that begin and end the day; -1 where the meter holds none.
    r0: NDArray[np.int64]
    r1: NDArray[np.int64]
    told: Told
    #: False where no attempt was answered: the rest is what the meter holds at the first.
    answers: bool
    #: What it told unasked on the day, by time.
    events: tuple[MeterEvent, ...]


def read_day(meter: EmulatedMeter, day: date, until: Seconds | None = None) -> DayRead:
    """What the attempts that a meter answers bring of a day, each what its clock has come to since the one before.

    until: UTC epoch seconds of an only attempt, where that comes before the day's first.
    """
    begins, end, ends = day_start(day), day_end(day), interval_ends(day)
    tried = [end + after for after in ATTEMPTS_S if until is None or end + after <= until] or [until or end]
    answered = [at for at in tried if meter.reply(at).wire is Wire.ANSWER]
    wh = np.zeros((2, len(ends)), np.int64)
    status = np.full(len(ends), status_word(0, Condition.STOPPED), np.uint16)
    present, come = np.zeros(len(ends), np.bool_), np.zeros(len(ends), np.bool_)
    registers = np.full((2, 2), -1, np.int64)
    multiplier = meter.identity.multiplier
    for at in answered or tried[:1]:
        shown = meter.window(begins, end, at)
        new = (ends <= meter.clock(at)) & ~come
        come |= new
        wh[0, new], wh[1, new] = shown.delivered[new], shown.received[new]
        status[new], present[new] = shown.status[new], shown.present[new]
        for place, midnight in enumerate((day, day + timedelta(days=1))):
            taken = meter.midnight(midnight, at) if registers[place, 0] < 0 else None
            if taken is not None:
                registers[place] = taken[0] * multiplier, taken[1] * multiplier
        if come.all() and registers[1, 0] >= 0:
            break
    identity = meter.identity_at((answered or tried)[0])
    delivered, received = scaled(wh, multiplier)
    told = Told(
        int(identity.meter_number), identity.multiplier, identity.dials, _clock_error(meter, begins, end, tried)
    )
    events = tuple(meter.events(begins, end)) if meter.restless else ()
    return DayRead(delivered, received, status, present, registers[0], registers[1], told, bool(answered), events)


def changed(one: DayRead, other: DayRead) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Two times (2, n), delivered and received: where the value differs, and where what the status says of it."""
    value = np.array([one.delivered != other.delivered, one.received != other.received])
    value[0] |= one.present != other.present
    away = one.status ^ other.status
    return value, np.array([away & 0xFF00 != 0, away & 0xF0F0 != 0])


def scaled(raw: NDArray[Any], multiplier: int) -> NDArray[np.int32]:
    """Wh of raw values; what an int32 cannot hold stops at its end."""
    return np.clip(raw.astype(np.int64) * multiplier, _INT32.min, _INT32.max).astype(np.int32)


def _clock_error(meter: EmulatedMeter, begins: Seconds, end: Seconds, tried: list[Seconds]) -> Seconds:
    if not meter.commands and not any(fault.kind in _CLOCK_KINDS for fault in meter.faults):
        return seconds(0)
    sweeps = [*(at for at in instants(begins, end, SWEEP_EVERY_S) if at < tried[0]), *tried]
    errors = [meter.clock(at) - at for at in sweeps if meter.reply(at).wire is Wire.ANSWER]
    return max(errors, key=abs, default=seconds(0))
