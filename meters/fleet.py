"""A company's meters without an object each: premises by ordinal, a day of all of them in partitions of arrays."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cache, cached_property, lru_cache, partial

import numpy as np
from numpy.typing import NDArray

from meters.calendar import INTERVAL_S, Seconds, day_end, day_start, seconds
from meters.device.account import ledger_of
from meters.device.installation import initial_wh, install, multipliers
from meters.device.meter import EmulatedMeter, Keep
from meters.device.reading import ATTEMPTS_S, DayRead, Told, changed, read_day, scaled
from meters.device.record import good_status
from meters.errors import MeterError
from meters.events import MeterEvent
from meters.faults.fault import Fault
from meters.faults.kinds import FaultKind, Layer, LookalikeKind, Span
from meters.faults.ledger import LedgerEntry, ordered
from meters.faults.lookalike import Lookalike
from meters.faults.overlay import overlay
from meters.faults.replies import reply, silences
from meters.faults.rules import FaultRule, Roster, expand, lookalikes, touching
from meters.identity import (
    DIALS,
    MeterIdentity,
    Premise,
    Tdsp,
    esiid_hash,
    esiid_numbers,
    make_esiid,
    meter_numbers,
    mixed,
    ordinal_of,
)
from meters.load.lookalikes import fits, refuse_roofless
from meters.load.premises import HOMES, Mix, PremiseArrays, make_premise
from meters.load.truth import GeneratedLoad, PremiseLoad, Registers, day_between, registers
from meters.load.weather import Weather
from meters.shown import Wire
from meters.status import has_value

#: Meters of one gateway.
GATEWAY_METERS = 247
#: Meters whose faults are held in memory at a time, where all are gone through.
_PART = 10_000
#: Premises whose look-alikes are drawn at a time.
_BLOCK = 1_000
#: Raw units at which a register of the usual dials goes around.
_LAST_DIAL = 10**DIALS * 1000
#: Kinds under which energy does not flow.
_FLOWS = FaultKind.OUTAGE, FaultKind.DISCONNECTED
#: Ordinals of some meters, ascending.
Ordinals = range | NDArray[np.int64]
#: The bit of each kind in the masks of a partition.
BITS = {kind: np.uint32(1 << place) for place, kind in enumerate(FaultKind)}


@dataclass(frozen=True, slots=True, eq=False)
class Partition:
    """One operating day of m meters, as ``read_day`` reads it the next morning. Energy in Wh.

    What a fault changed is told by a mask of the kinds' bits, ``BITS``: a kind is in it where something is shown that would not be without the
    meter's faults of that kind, all others staying. So an after-effect is in it too: a register that was reset differs for good. (Where two
    kinds do the very same, neither is.)
    """

    day: date
    #: (m,) which meters these are, ascending.
    ordinals: NDArray[np.int64]
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
    #: (m,) False for a meter that answers none of the attempts; the rest is then what it holds at the first.
    answers: NDArray[np.bool_]
    #: (m,) what the meter's header says: its number, multiplier and dials; and its clock less true time in s, of the sweeps the worst.
    numbers: NDArray[np.int64]
    told_multipliers: NDArray[np.int64]
    dials: NDArray[np.int64]
    clock_error_s: NDArray[np.int64]
    #: By row, of meters that have any: what they told unasked on the day, of power, switch and clock.
    events: dict[int, tuple[MeterEvent, ...]]
    #: (m, n) masks of kinds that changed an interval's value, presence or status in the channel.
    changed_delivered: NDArray[np.uint32]
    changed_received: NDArray[np.uint32]
    #: (m,) masks of kinds that changed something of the day: a register, who answers, multiplier, dials, clock, events, whether it answers.
    changed_day: NDArray[np.uint32]
    #: By row, of meters with faults or a load of their own: (n,) Wh delivered and received that flowed, as whichever meter hung there counts it. Of the others that is what is shown.
    flowed: dict[int, tuple[NDArray[np.int32], NDArray[np.int32]]]

    def row(self, row: int) -> DayRead:
        """A meter's day; its arrays are views."""
        number, multiplier, dials = (int(one[row]) for one in (self.numbers, self.told_multipliers, self.dials))
        return DayRead(
            self.delivered[row],
            self.received[row],
            self.status[row],
            self.present[row],
            self.r0[row],
            self.r1[row],
            Told(number, multiplier, dials, seconds(self.clock_error_s[row])),
            bool(self.answers[row]),
            self.events.get(row, ()),
        )

    def put(self, row: int, read: DayRead) -> None:
        """Show that day of a meter instead."""
        self.delivered[row], self.received[row] = read.delivered, read.received
        self.status[row], self.present[row] = read.status, read.present
        self.r0[row], self.r1[row] = read.r0, read.r1
        self.numbers[row], self.told_multipliers[row], self.dials[row], self.clock_error_s[row] = read.told
        self.answers[row] = read.answers
        if read.events:
            self.events[row] = read.events

    def mark(self, row: int, kind: FaultKind, read: DayRead, without: DayRead) -> None:
        """Note what a meter's faults of a kind changed. read, without: its day with them and without."""
        value, said = changed(read, without)
        for mask, where in zip((self.changed_delivered, self.changed_received), value | said, strict=True):
            mask[row, where] |= BITS[kind]
        if (read.r0 != without.r0).any() or (read.r1 != without.r1).any() or read[6:] != without[6:]:
            self.changed_day[row] |= BITS[kind]


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
    weather: Weather = ()

    def __post_init__(self) -> None:
        """Refuse an empty fleet, and a fault at a meter that is not in it."""
        if self.count < 1:
            text = f"A fleet of {self.count} meters has nothing to show."
            raise MeterError("meters.fleet.empty", text, mend="Give it a meter at least.")
        self.faults(self.ordinals[:0])
        if any(rule.kind is LookalikeKind.ROOF_ZEROS and not rule.rate for rule in self.rules):
            refuse_roofless(
                self.rules,
                self.seed,
                self._roster(_array(self.ordinals)),
                lambda esiid: self.premise(ordinal_of(self.tdsp, self.seed, esiid)),
            )

    def premise(self, ordinal: int) -> Premise:
        """Where the meter of that ordinal belongs."""
        return make_premise(self.tdsp, self.seed, ordinal, self.mix)

    def load(self, ordinal: int) -> PremiseLoad:
        """What is used and given where the meter of that ordinal belongs."""
        return self.loads.get(ordinal) or GeneratedLoad(self.seed, self.premise(ordinal), self.weather)

    def identity(self, ordinal: int) -> MeterIdentity:
        """Who the meter of that ordinal is."""
        return install(self.premise(ordinal), self.seed, ordinal)

    @property
    def ordinals(self) -> range:
        """Of all its meters."""
        return range(1, self.count + 1)

    def faults(self, ordinals: Ordinals, wanted: tuple[Seconds, Seconds] | None = None) -> Mapping[int, list[Fault]]:
        """The faults of these meters, by ordinal, which ascend. wanted: as in ``rules.expand``; all unless given."""
        found: dict[int, list[Fault]] = defaultdict(list)
        if self.rules:
            for fault in expand(self.rules, self.seed, self._roster(_array(ordinals)), wanted):
                found[ordinal_of(self.tdsp, self.seed, fault.esiid)].append(fault)
        return found

    def meter(self, ordinal: int) -> EmulatedMeter:
        """The one-meter emulator of that ordinal: it shows what the partitions show. One beyond the fleet has no faults."""
        return self._meter(ordinal, self.faults(self.ordinals[ordinal - 1 : ordinal]).get(ordinal, ()))

    def meters(self, keep: Keep | None = None) -> Iterator[EmulatedMeter]:
        """Every emulator, in order of the ordinals. keep: of each, what it is told."""
        for first in range(1, self.count + 1, _PART):
            part = self.ordinals[first - 1 : first - 1 + _PART]
            faults = self.faults(part)
            yield from (self._meter(ordinal, faults.get(ordinal, ()), keep) for ordinal in part)

    def day(self, day: date, size: int = _PART) -> Iterator[Partition]:
        """The operating day in partitions of at most ``size`` meters, in order of their ordinals."""
        for first in range(1, self.count + 1, size):
            yield self.partition(day, first, min(size, self.count + 1 - first))

    def partition(self, day: date, first: int, count: int, *, marked: bool = True) -> Partition:
        """The operating day of the meters from ``first`` on, of this fleet: only they are drawn, and the others cost nothing.

        marked: whether the masks are filled, which costs a faulty meter as much again as its day. Raises MeterError for meters that are not in the fleet.
        """
        if not 1 <= first <= first + count - 1 <= self.count:
            text = f"Meters {first} to {first + count - 1} are not of a fleet of {self.count}."
            raise MeterError("meters.fleet.range", text, mend="Ask for meters of the fleet, one at least.")
        return self.rows(day, self.ordinals[first - 1 : first - 1 + count], marked=marked)

    def rows(self, day: date, ordinals: Ordinals, *, marked: bool = True) -> Partition:
        """The same of any meters of the fleet, whose ordinals ascend."""
        return next(self.rows_on((day,), ordinals, marked=marked))

    def rows_on(self, days: Sequence[date], ordinals: Ordinals, *, marked: bool = True) -> Iterator[Partition]:
        """The same of several days: who the meters are and what faults they have is drawn once for all of them."""
        numbers = _array(ordinals)
        premises = PremiseArrays.at(self.seed, self.tdsp, numbers, self.mix)
        spans = [(day_start(day), day_end(day) + ATTEMPTS_S[-1] + 1) for day in days]
        drawn = self.faults(ordinals, (min(spans)[0], max(spans)[1]))
        own = set(self.loads).intersection(numbers.tolist()) if self.loads else set()
        for day, span in zip(days, spans, strict=True):
            part = self._sound(day, numbers, premises)
            faulty = {ordinal: mine for ordinal, ones in drawn.items() if (mine := touching(ones, *span))}
            # Of one that begins on the next day the midnight before it may be missing.
            alike = self._alike_before(numbers, day_end(day + timedelta(days=1)))
            put_over = sorted(faulty.keys() | own | alike)
            ends = day_end(day)
            for row, ordinal in zip(np.searchsorted(numbers, put_over).tolist(), put_over, strict=True):
                # A fault of the record in the next morning's hours is none of the day's.
                mine = [
                    one for one in faulty.get(ordinal, ()) if one.first < ends or one.row.layer is not Layer.INTERVALS
                ]
                self._put_over(part, row, ordinal, mine, marked=marked)
            yield part

    def ledger(self, first: date, last: date) -> list[LedgerEntry]:
        """What the rules do to the meters on the operating days first to last, both included."""
        run = (day_start(first), day_end(last))
        read = run[1] + ATTEMPTS_S[-1]
        made: list[LedgerEntry] = []
        for begins in range(1, self.count + 1, _PART):
            part = self.ordinals[begins - 1 : begins - 1 + _PART]
            faulty = self.faults(part, (run[0], read + 1))
            alike = self._alike_before(_array(part), run[1])
            meters = (self._meter(ordinal, faulty.get(ordinal, ())) for ordinal in sorted(faulty.keys() | alike))
            made += ledger_of(meters, *run, now=read)
        return ordered(made)

    def _meter(self, ordinal: int, faults: Sequence[Fault], keep: Keep | None = None) -> EmulatedMeter:
        premise = self.premise(ordinal)
        others = [fault.other for fault in faults if fault.other]
        measured_at = ordinal_of(self.tdsp, self.seed, others[0]) if others else ordinal
        measured = self.premise(measured_at) if others else premise
        load = self.load(measured_at)
        identity = install(premise, self.seed, ordinal)
        alike = self.lookalikes(measured_at)
        return EmulatedMeter(identity, measured, self.seed, faults, load=load, keep=keep, lookalikes=alike)

    def _roster(self, ordinals: NDArray[np.int64]) -> Roster:
        """Some meters of the fleet as rules see them."""

        def position(esiid: str) -> int:
            ordinal = ordinal_of(self.tdsp, self.seed, esiid)
            if not 1 <= ordinal <= self.count:
                raise MeterError("meters.fault.unknown", "No meter of the fleet has this ESI ID.", place=esiid)
            return ordinal - 1

        return Roster(
            ordinals - 1,
            mixed(esiid_numbers(self.tdsp, self.seed, ordinals)),
            (ordinals - 1) // GATEWAY_METERS,
            lambda at: make_esiid(self.tdsp, self.seed, at + 1),
            position,
            self.count,
            -(-self.count // GATEWAY_METERS),
        )

    @cached_property
    def has_lookalikes(self) -> bool:
        """Whether any are declared."""
        return any(isinstance(rule.kind, LookalikeKind) for rule in self.rules)

    @cached_property
    def _alike(self) -> Callable[[int], Mapping[int, list[Lookalike]]]:
        """Those of a block of premises, by ordinal, of all days: as many as their rules are long."""

        @lru_cache(maxsize=64)
        def of(block: int) -> Mapping[int, list[Lookalike]]:
            found: dict[int, list[Lookalike]] = defaultdict(list)
            part = _array(self.ordinals[block * _BLOCK : (block + 1) * _BLOCK])
            for one in lookalikes(self.rules, self.seed, self._roster(part)):
                ordinal = ordinal_of(self.tdsp, self.seed, one.esiid)
                if fits(one, self.premise(ordinal)):
                    found[ordinal].append(one)
            return found

        return of

    def lookalikes(self, ordinal: int) -> Sequence[Lookalike]:
        """What is declared of the premise of that ordinal."""
        if not self.has_lookalikes or not 1 <= ordinal <= self.count:
            return ()
        return self._alike((ordinal - 1) // _BLOCK).get(ordinal, ())

    def _alike_before(self, ordinals: NDArray[np.int64], until: Seconds) -> set[int]:
        """Those premises of which a look-alike has begun by then."""
        if not self.has_lookalikes:
            return set()
        found = (each for block in np.unique((ordinals - 1) // _BLOCK).tolist() for each in self._alike(block).items())
        begun = {at for at, ones in found if any(one.first < until for one in ones)}
        return begun.intersection(ordinals.tolist())

    def registers(self, day: date, ordinals: Ordinals) -> NDArray[np.int64]:
        """(m, 2) what the meters with these ordinals would show at the midnight that begins the day, had they no faults: delivered and received, multiplied."""
        numbers = _array(ordinals)
        premises = PremiseArrays.at(self.seed, self.tdsp, numbers, self.mix)
        counted = _counted(registers(self.seed, premises, day, self.weather), numbers)
        return _displayed(counted, multipliers(premises.curves, premises.hashes))

    def _sound(self, day: date, ordinals: NDArray[np.int64], premises: PremiseArrays) -> Partition:
        """A partition as it would be without faults."""
        count = len(ordinals)
        begun, (delivered, received), ended = day_between(self.seed, premises, day, self.weather)
        r0, r1 = _counted(begun, ordinals), _counted(ended, ordinals)
        behind = multipliers(premises.curves, premises.hashes)
        rows = np.flatnonzero(behind > 1)
        if len(rows):
            # Their pulses are coarse: what a register could not yet count carries over into the next interval.
            for column, start in ((delivered, r0[:, 0]), (received, r0[:, 1])):
                column[rows] = _pulses(column[rows], start[rows], behind[rows])
        return Partition(
            day,
            ordinals,
            delivered,
            received,
            np.tile(good_status(day), (count, 1)),
            np.ones(delivered.shape, np.bool_),
            _displayed(r0, behind),
            _displayed(r1, behind),
            behind,
            np.ones(count, np.bool_),
            meter_numbers(self.seed, ordinals),
            behind.copy(),
            np.full(count, DIALS),
            np.zeros(count, np.int64),
            {},
            np.zeros(delivered.shape, np.uint32),
            np.zeros(delivered.shape, np.uint32),
            np.zeros(count, np.uint32),
            {},
        )

    def _put_over(self, part: Partition, row: int, ordinal: int, faults: Sequence[Fault], *, marked: bool) -> None:
        """Put a meter's faults over its row, and note what each kind of them changed."""
        alike = bool(self.lookalikes(ordinal))
        own = alike or ordinal in self.loads
        if not faults and not own:
            return
        if not own and not marked and all(map(_silent, faults)):
            # Most are of these, and they hold what they would hold without.
            part.answers[row] = self._answers(part.day, faults)
            part.flowed[row] = part.delivered[row].copy(), part.received[row].copy()
            return
        # Most rows need no emulator.
        meter = cache(lambda: self._meter(ordinal, faults))
        sound = read_day(self._meter(ordinal, ()), part.day) if own else part.row(row)
        read = self._read(part.day, sound, faults, lambda _: meter(), plain=not alike)
        for kind in {fault.kind: None for fault in faults} if marked else ():
            others = [fault for fault in faults if fault.kind is not kind]
            fewer = partial(self._meter, ordinal) if kind is FaultKind.SWAP else lambda others: meter().under(others)
            part.mark(row, kind, read, self._read(part.day, sound, others, fewer, plain=not alike))
        flows = [fault for fault in faults if fault.kind in _FLOWS or _hung(fault, day_start(part.day))]
        true = read
        if len(flows) < len(faults):
            true = self._read(part.day, sound, flows, partial(self._meter, ordinal), plain=not alike)
        part.flowed[row] = true.delivered.copy(), true.received.copy()
        part.put(row, read)

    def _read(
        self,
        day: date,
        sound: DayRead,
        faults: Sequence[Fault],
        make: Callable[[Sequence[Fault]], EmulatedMeter],
        *,
        plain: bool,
    ) -> DayRead:
        """A meter's day: of faults of its record, of its replies or long past, the sound one with these put over it; else as it shows it.

        make: the emulator under these faults. plain: whether no look-alike may keep a register from being held.
        """
        begins, last = day_start(day), day_end(day) + ATTEMPTS_S[-1]
        recorded = [fault for fault in faults if fault.row.layer is Layer.INTERVALS]
        silent = [fault for fault in faults if _silent(fault)]
        settled = [fault for fault in faults if _settled(fault, begins, last)]
        if (
            len(recorded) + len(silent) + len(settled) < len(faults)
            or (faults and not plain)
            or any(fault.first < begins for fault in recorded)
            or (settled and sound.told.multiplier > 1)
        ):
            return read_day(make(faults), day)
        if settled:
            meter = make(faults)
            identity = meter.identity_at(begins)
            r0, r1 = (np.array(meter.registers(at)) for at in (begins, day_end(day)))
            sound = sound._replace(r0=r0, r1=r1, told=Told(int(identity.meter_number), 1, identity.dials, seconds(0)))
        if not recorded and not silent:
            return sound
        if silent:
            sound = sound._replace(answers=self._answers(day, silent))
        if not recorded:
            return sound
        multiplier = sound.told.multiplier
        raw = sound.delivered // multiplier, sound.received // multiplier
        delivered, received, status = raw[0].copy(), raw[1].copy(), sound.status.copy()

        def true_at(at: Seconds) -> tuple[int, int]:
            place = (at - begins) // INTERVAL_S
            return int(raw[0][place]), int(raw[1][place])

        overlay(recorded, begins, delivered, received, status, true_at)
        if multiplier > 1:
            delivered, received = scaled(delivered, multiplier), scaled(received, multiplier)
        return sound._replace(
            delivered=delivered,
            received=received,
            status=status,
            present=has_value(status),
        )

    def _answers(self, day: date, silent: Sequence[Fault]) -> bool:
        """Whether a meter with these faults of its replies answers any attempt at the day."""
        hashed, ends = esiid_hash(silent[0].esiid), day_end(day)
        # What lasts through all of them keeps to its first answer: a lot is drawn by day.
        all_along = all(one.first <= ends and ends + ATTEMPTS_S[-1] < one.until for one in silent)
        tried = ATTEMPTS_S[:1] if all_along else ATTEMPTS_S
        return any(reply(silent, self.seed, hashed, ends + at).wire is Wire.ANSWER for at in tried)


def _array(ordinals: Ordinals) -> NDArray[np.int64]:
    return np.arange(ordinals.start, ordinals.stop) if isinstance(ordinals, range) else ordinals


def _counted(since_era: Registers, ordinals: NDArray[np.int64]) -> NDArray[np.int64]:
    """(m, 2) what meters with these ordinals have counted, delivered and received."""
    return np.stack((since_era.delivered + initial_wh(ordinals), since_era.received), axis=1)


def _displayed(registers_: NDArray[np.int64], multiplier: NDArray[np.int64]) -> NDArray[np.int64]:
    """(m, 2) registers as meters with these multipliers show them: whole pulses, and round after the last dial."""
    shown: NDArray[np.int64] = (registers_ - registers_ % multiplier[:, None]) % (_LAST_DIAL * multiplier[:, None])
    return shown


def _hung(fault: Fault, begins: Seconds) -> bool:
    """Whether another meter hangs there since: where the pulses of a multiplier fall is then its own."""
    return fault.kind is FaultKind.EXCHANGE and fault.until <= begins


def _silent(fault: Fault) -> bool:
    """Whether it acts on nothing but a meter's replies."""
    return fault.row.layer is Layer.WIRE and silences(fault.kind)


def _settled(fault: Fault, begins: Seconds, last: Seconds) -> bool:
    """Whether, of a day that begins then and is read until ``last``, a fault is seen in nothing but the registers and who hangs there."""
    # A clock that gains an hour a day is not three days ahead, and power that came back has been told.
    brief = fault.row.span is Span.INSTANT or fault.until - fault.first < 20 * 86_400
    return (
        fault.row.lasting
        and fault.row.span is not Span.ALWAYS
        and ((brief and fault.until <= begins - 3 * 86_400) or fault.first > last)
    )


def _pulses(wh: NDArray[np.int32], start: NDArray[np.int64], multiplier: NDArray[np.int64]) -> NDArray[np.int32]:
    """(m, n) Wh as meters with these multipliers count it, from registers of ``start`` Wh (m,) on."""
    cumulative = np.zeros((len(wh), wh.shape[1] + 1), np.int64)
    np.cumsum(wh, axis=1, out=cumulative[:, 1:])
    counted = (cumulative + start[:, None]) // multiplier[:, None]
    return (np.diff(counted, axis=1) * multiplier[:, None]).astype(np.int32)
