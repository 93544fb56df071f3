"""A company's meters without an object each: premises by ordinal, a day of all of them in partitions of arrays."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from meters.calendar import INTERVAL_S, day_end, day_start
from meters.device.installation import initial_wh, install, multipliers
from meters.device.meter import EmulatedMeter, Keep
from meters.device.record import good_status
from meters.errors import MeterError
from meters.faults import ledger
from meters.faults.fault import Fault
from meters.faults.kinds import FaultKind, Layer
from meters.faults.overlay import overlay
from meters.faults.replies import reply
from meters.faults.rules import FaultRule, Roster, drawn_on, standing
from meters.identity import DIALS, MeterIdentity, Premise, Tdsp, esiid_hash, make_esiid, ordinal_of
from meters.load.premises import HOMES, Mix, PremiseArrays, make_premise
from meters.load.truth import PremiseLoad, day_intervals, registers
from meters.shown import Wire
from meters.status import has_value

#: Meters of one gateway.
GATEWAY_METERS = 247
#: Faults of the wire that change what is shown, not whether.
_SHOWN = (FaultKind.STALE, FaultKind.ZERO_READ)
#: Raw units at which a register of the usual dials goes around.
_LAST_DIAL = 10**DIALS * 1000
#: How long after its end a day is read, for whether a meter answers.
READ_AFTER_S = 3600


@dataclass(frozen=True, slots=True, eq=False)
class Partition:
    """One operating day of the meters with ordinals first .. first + m - 1, as read the next morning. Energy in Wh."""

    day: date
    first: int
    #: (m, n) delivered (LSE channel 4) and received (LSE channel 1) as the meters show it, faults and all, multiplied.
    delivered: NDArray[np.int32]
    received: NDArray[np.int32]
    #: (m, n) status words as in ``meters.status``.
    status: NDArray[np.uint16]
    #: (m, n) False where the meter has no value.
    present: NDArray[np.bool_]
    #: (m, 2) delivered and received registers at the midnights that begin and end the day; -1 where the meter holds none.
    r0: NDArray[np.int64]
    r1: NDArray[np.int64]
    #: (m,) multipliers of the meters, as the records have them.
    multipliers: NDArray[np.int64]
    #: (m,) False for a meter that does not answer an hour after the day has ended.
    answers: NDArray[np.bool_]


@dataclass(frozen=True)
class Fleet:
    """The meters 1 .. count of a company, made by seed and ordinal, as rules and ledgers count them."""

    tdsp: Tdsp
    seed: int
    count: int
    rules: Sequence[FaultRule] = ()
    mix: Mix = HOMES
    #: Loads of some premises, by ordinal, instead of the generated ones.
    loads: Mapping[int, PremiseLoad] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse an empty fleet, and a fault at a meter that is not in it."""
        if self.count < 1:
            text = f"A fleet of {self.count} meters has nothing to show."
            raise MeterError("meters.fleet.empty", text, mend="Give it a meter at least.")
        _ = self._standing

    def premise(self, ordinal: int) -> Premise:
        """Where the meter of that ordinal belongs."""
        return make_premise(self.tdsp, self.seed, ordinal, self.mix)

    def identity(self, ordinal: int) -> MeterIdentity:
        """Who the meter of that ordinal is."""
        return install(self.premise(ordinal), self.seed, ordinal)

    def meter(self, ordinal: int, day: date | None = None) -> EmulatedMeter:
        """The one-meter emulator of that ordinal: it shows what the partitions show.

        day: faults that are drawn every day, of this and the day before it alone; else those of all days.
        """
        return self._meter(ordinal, [*self._standing.get(ordinal, ()), *self._drawn(day).get(ordinal, ())])

    def _meter(self, ordinal: int, faults: Sequence[Fault], keep: Keep | None = None) -> EmulatedMeter:
        premise = self.premise(ordinal)
        others = [fault.other for fault in faults if fault.other]
        measured_at = ordinal_of(self.tdsp, self.seed, others[0]) if others else ordinal
        measured = self.premise(measured_at) if others else premise
        load = self.loads.get(measured_at)
        return EmulatedMeter(install(premise, self.seed, ordinal), measured, self.seed, faults, load=load, keep=keep)

    def meters(self, keep: Keep | None = None) -> Iterator[EmulatedMeter]:
        """Every emulator, in order of the ordinals. keep: of each, what it is told."""
        drawn = self._drawn(None)
        for ordinal in range(1, self.count + 1):
            yield self._meter(ordinal, [*self._standing.get(ordinal, ()), *drawn.get(ordinal, ())], keep)

    def day(self, day: date, size: int = 10_000) -> Iterator[Partition]:
        """The operating day in partitions of at most ``size`` meters, in order of their ordinals."""
        faulty = self._on(day)
        for first in range(1, self.count + 1, size):
            part = self._sound(day, first, min(size, self.count + 1 - first))
            for ordinal in sorted(faulty.keys() & range(first, first + len(part.answers))):
                self._put_over(part, ordinal - first, ordinal, faulty[ordinal])
            yield part

    def ledger(self, first: date, last: date) -> list[ledger.LedgerEntry]:
        """What the rules do to the meters on the operating days first to last, both included."""
        run = (day_start(first), day_end(last))
        span = [first + timedelta(days=back) for back in range(-1, (last - first).days + 1)]
        made = []
        faults = [fault for found in self._standing.values() for fault in found]
        faults += list(drawn_on(self.rules, self.seed, self.roster, span))
        for fault in faults:
            if fault.first >= run[1] or fault.until <= run[0]:
                continue
            ordinal = ordinal_of(self.tdsp, self.seed, fault.esiid)
            meter = self.meter(ordinal, first)
            made.append(ledger.entry(fault, meter.identity.meter_number, run, meter.effect(fault, *run)))
        return ledger.ordered(made)

    @cached_property
    def roster(self) -> Roster:
        """The fleet as rules see it."""

        def position(esiid: str) -> int:
            ordinal = ordinal_of(self.tdsp, self.seed, esiid)
            if not 1 <= ordinal <= self.count:
                raise MeterError("meters.fault.unknown", "No meter of the fleet has this ESI ID.", place=esiid)
            return ordinal - 1

        return Roster(
            PremiseArrays.generate(self.seed, self.tdsp, self.count, 1).hashes,
            np.arange(self.count) // GATEWAY_METERS,
            lambda row: make_esiid(self.tdsp, self.seed, row + 1),
            position,
        )

    @cached_property
    def _standing(self) -> Mapping[int, list[Fault]]:
        return self._by_ordinal(standing(self.rules, self.seed, self.roster) if self.rules else ())

    def _drawn(self, day: date | None) -> Mapping[int, list[Fault]]:
        wanted = None if day is None else [day - timedelta(days=1), day]
        return self._by_ordinal(drawn_on(self.rules, self.seed, self.roster, wanted) if self.rules else ())

    def _by_ordinal(self, faults: Iterator[Fault] | tuple[()]) -> Mapping[int, list[Fault]]:
        found: dict[int, list[Fault]] = defaultdict(list)
        for fault in faults:
            found[ordinal_of(self.tdsp, self.seed, fault.esiid)].append(fault)
        return found

    def _on(self, day: date) -> Mapping[int, list[Fault]]:
        """The faults that may show on a day, by ordinal: those of intervals only if they touch it."""
        begins, ends = day_start(day), day_end(day) + READ_AFTER_S
        found: dict[int, list[Fault]] = {ordinal: [] for ordinal in self.loads}
        for faults in (self._standing, self._drawn(day)):
            for ordinal, ones in faults.items():
                for fault in ones:
                    recorded = fault.row.layer in (Layer.INTERVALS, Layer.WIRE)
                    if fault.first < ends and (fault.until > begins or not recorded):
                        found.setdefault(ordinal, []).append(fault)
        return found

    def _sound(self, day: date, first: int, count: int) -> Partition:
        """A partition as it would be without faults."""
        premises = PremiseArrays.generate(self.seed, self.tdsp, count, first, self.mix)
        load = day_intervals(self.seed, premises, day)
        begin = registers(self.seed, premises, day)
        end = registers(self.seed, premises, day + timedelta(days=1))
        r0, r1 = np.stack(begin, axis=1), np.stack(end, axis=1)
        ordinals = np.arange(first, first + count)
        r0[:, 0] += initial_wh(ordinals)
        r1[:, 0] += initial_wh(ordinals)
        delivered, received = load
        behind = multipliers(premises.curves, premises.hashes)
        rows = np.flatnonzero(behind > 1)
        if len(rows):
            # Their pulses are coarse: what a register could not yet count carries over into the next interval.
            for column, start in ((delivered, r0[:, 0]), (received, r0[:, 1])):
                column[rows] = _pulses(column[rows], start[rows], behind[rows])
            for registers_ in (r0, r1):
                registers_[rows] -= registers_[rows] % behind[rows, None]
        for registers_ in (r0, r1):
            registers_ %= _LAST_DIAL * behind[:, None]
        return Partition(
            day,
            first,
            delivered,
            received,
            np.tile(good_status(day), (count, 1)),
            np.ones(delivered.shape, np.bool_),
            r0,
            r1,
            behind,
            np.ones(count, np.bool_),
        )

    def _put_over(self, part: Partition, row: int, ordinal: int, faults: Sequence[Fault]) -> None:
        """Put a meter's faults over its row: those of its record or its replies alone in place, others by asking the emulator."""
        now = day_end(part.day) + READ_AFTER_S
        silent = [fault for fault in faults if fault.row.layer is Layer.WIRE and fault.kind not in _SHOWN]
        recorded = [
            fault for fault in faults if fault.row.layer is Layer.INTERVALS and fault.first >= day_start(part.day)
        ]
        coarse = part.multipliers[row] > 1 and recorded
        if len(silent) + len(recorded) == len(faults) and not coarse and ordinal not in self.loads:
            self._put_recorded(part, row, recorded)
            if silent:
                hashed = esiid_hash(silent[0].esiid)
                part.answers[row] = reply(silent, self.seed, hashed, now).wire is Wire.ANSWER
            return
        meter = self._meter(ordinal, faults)
        shown = meter.window(day_start(part.day), day_end(part.day), now)
        multiplier = meter.identity.multiplier
        part.delivered[row], part.received[row] = shown.delivered * multiplier, shown.received * multiplier
        part.status[row], part.present[row] = shown.status, shown.present
        for registers_, day in ((part.r0, part.day), (part.r1, part.day + timedelta(days=1))):
            taken = meter.midnight(day, now)
            registers_[row] = -1 if taken is None else np.array(taken) * multiplier
        part.answers[row] = meter.reply(now).wire is Wire.ANSWER

    def _put_recorded(self, part: Partition, row: int, faults: Sequence[Fault]) -> None:
        if faults:
            start, truth = day_start(part.day), part.delivered[row].copy()
            columns = part.delivered[row], part.received[row], part.status[row]
            overlay(faults, start, *columns, lambda at: int(truth[(at - start) // INTERVAL_S]))
            part.present[row] = has_value(part.status[row])


def _pulses(wh: NDArray[np.int32], start: NDArray[np.int64], multiplier: NDArray[np.int64]) -> NDArray[np.int32]:
    """(m, n) Wh as meters with these multipliers count it, from registers of ``start`` Wh (m,) on."""
    cumulative = np.zeros((len(wh), wh.shape[1] + 1), np.int64)
    np.cumsum(wh, axis=1, out=cumulative[:, 1:])
    counted = (cumulative + start[:, None]) // multiplier[:, None]
    return (np.diff(counted, axis=1) * multiplier[:, None]).astype(np.int32)
