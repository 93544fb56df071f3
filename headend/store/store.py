"""The head-end's store: what sweeps and reads have collected, the midnight registers, the posted files; and its parts. Tables: ``headend.store.rows``."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection as Members
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Literal

import numpy as np
import sqlalchemy as sa

from headend.ports import (
    BoolArray,
    IntArray,
    LongArray,
    MeterKey,
    MeterReading,
    MeterRecords,
    RegisterSnapshot,
    StatusArray,
    total_wh,
)
from headend.store.collected import CollectedStore
from headend.store.events import EventStore
from headend.store.findings import FindingStore
from headend.store.inquiries import InquiryStore
from headend.store.partitions import PartitionStore
from headend.store.pushed import PushedStore
from headend.store.rows import (
    CHANGED,
    INTERVAL_DAYS,
    KNOWN,
    MIDNIGHT_REGISTERS,
    ON_DEMAND,
    POSTED_FILES,
    PRESENT,
    Packed,
    chunks,
    days_over,
    open_database,
    register_row,
    runs_of,
)
from headend.store.seat import take_seat
from headend.store.statements import Prepared
from headend.store.states import MeterDay, StateStore
from headend.store.told import ToldStore
from headend.store.vee_days import VeeStore
from headend.vee.quality import Channel
from headend.vee.records import DayBlock
from meters.calendar import INTERVAL_S, Seconds, day_end, day_of, day_start, intervals_in, seconds
from meters.status import of_several

#: A stored day's ESI ID, channel, day_start and meter number.
_Row = tuple[str, int, Seconds, str]
#: As ``runs_of`` gives it, and the instants at which the reading's intervals were collected.
_Run = tuple[MeterReading, date, slice, slice, LongArray]
#: Days of which a daily average is made, at most and at least.
AVERAGE_MOST, AVERAGE_LEAST = 28, 7
#: What collected an interval: a scheduled sweep, or a read on demand.
Origin = Literal["sweep", "meter"]

# Made once: making a statement takes as long as executing it.
_DAYS = sa.select(INTERVAL_DAYS).where(
    INTERVAL_DAYS.c.esiid.in_(sa.bindparam("esiids", expanding=True)),
    INTERVAL_DAYS.c.day_start.in_(sa.bindparam("starts", expanding=True)),
)
_DAYS_OF_CHANNEL = _DAYS.where(INTERVAL_DAYS.c.channel == sa.bindparam("channel"))
_FLAGS = _DAYS.with_only_columns(
    *(INTERVAL_DAYS.c[name] for name in ("esiid", "day_start", "meter_number", "flags"))
).where(INTERVAL_DAYS.c.channel == int(Channel.LOAD))
_MIDNIGHTS = (
    sa.select(MIDNIGHT_REGISTERS)
    .where(
        MIDNIGHT_REGISTERS.c.esiid.in_(sa.bindparam("esiids", expanding=True)),
        MIDNIGHT_REGISTERS.c.day_start.in_(sa.bindparam("starts", expanding=True)),
    )
    # Of two that hung at a place one after the other, always the same one.
    .order_by(MIDNIGHT_REGISTERS.c.day_start, MIDNIGHT_REGISTERS.c.meter_number)
)
_ENDS = (
    sa.select(
        MIDNIGHT_REGISTERS.c.esiid,
        MIDNIGHT_REGISTERS.c.meter_number,
        sa.func.min(MIDNIGHT_REGISTERS.c.day_start).label("first"),
        sa.func.max(MIDNIGHT_REGISTERS.c.day_start).label("last"),
    )
    .where(
        MIDNIGHT_REGISTERS.c.esiid.in_(sa.bindparam("esiids", expanding=True)),
        MIDNIGHT_REGISTERS.c.day_start.between(sa.bindparam("first"), sa.bindparam("last")),
    )
    .group_by(MIDNIGHT_REGISTERS.c.esiid, MIDNIGHT_REGISTERS.c.meter_number)
    .subquery()
)
#: Of each meter's midnights in a span the first and the last.
_OUTER = (
    sa.select(MIDNIGHT_REGISTERS)
    .join(
        _ENDS,
        sa.and_(
            MIDNIGHT_REGISTERS.c.esiid == _ENDS.c.esiid,
            MIDNIGHT_REGISTERS.c.meter_number == _ENDS.c.meter_number,
            MIDNIGHT_REGISTERS.c.day_start.in_((_ENDS.c.first, _ENDS.c.last)),
        ),
    )
    .order_by(MIDNIGHT_REGISTERS.c.day_start)
)
#: A look at days that is kept: a few kilobytes.
_DAYS_KEPT = 256
_ENTER_DAY = Prepared(sa.insert(INTERVAL_DAYS))
_CHANGE_DAY = Prepared(
    sa.update(INTERVAL_DAYS).where(
        *(column == sa.bindparam(f"k_{column.name}") for column in INTERVAL_DAYS.primary_key)
    )
)
_ENTER_REGISTERS = Prepared(sa.insert(MIDNIGHT_REGISTERS))
_LET_GO = Prepared(
    sa.delete(MIDNIGHT_REGISTERS).where(
        *(column == sa.bindparam(f"k_{column.name}") for column in MIDNIGHT_REGISTERS.primary_key)
    )
)


@dataclass(frozen=True, slots=True, eq=False)
class StoredWindow:
    """The known intervals of a span of time, ascending: collected, whether the meter had a value or not.

    Of several meters at an ESI ID those that are known of all: their sum, which one without a value leaves without one.
    """

    #: (k,) UTC epoch seconds at which they end.
    ends: LongArray
    #: (k,) Wh, 0 where not ``present``.
    wh: IntArray
    #: (k,) False where the meter reported that it has no value.
    present: BoolArray
    #: (k,) UTC epoch seconds at which the value was collected first; of several meters the latest.
    collected_at: LongArray
    #: (k,) True where a read on demand brought it, or a part of it, not a sweep.
    on_demand: BoolArray
    #: (k,) the meter's status words; of several meters as ``meters.status.of_several``.
    status: StatusArray


@dataclass(frozen=True, slots=True)
class PostedFile:
    """An LSE file that SMT's site has taken."""

    name: str
    operating_day: date
    #: UTC epoch seconds.
    posted_at: Seconds
    records: int


class HeadEndStore:
    """The TDSP's store. Methods are synchronous and take a few milliseconds; each is one transaction.

    A row is of the meter that told it; what is read is of a place, whose meters follow each other, or of an ESI ID, which may have several.
    """

    def __init__(self, url: str, records: MeterRecords | None = None) -> None:
        """url: SQLAlchemy's, ``sqlite:////path/headend.sqlite`` or PostgreSQL's. records: which meters hang where.

        Raises HeadEndError if it cannot be used, or another works on it.
        """
        self.records = records or MeterRecords()
        #: Days as they were read last, and how often any was written: one inquiry looks at the same days several times.
        self._days: dict[tuple[str, tuple[Seconds, ...], Channel], dict[_Row, Packed]] = {}
        self._writes = 0
        self._database = database = open_database(url)
        try:
            self._seat = take_seat(database.engine)
        except BaseException:
            self._database.close()
            raise
        #: What meters have told unasked.
        self.events = EventStore(database, self.records)
        #: What VEE found.
        self.findings = FindingStore(database)
        #: What their headers told.
        self.told = ToldStore(database)
        #: How far it reaches.
        self.collected = CollectedStore(database, self.records)
        #: What SMT has asked on demand.
        self.inquiries = InquiryStore(database)
        #: How collection stands, day by day.
        self.states = StateStore(database)
        #: The runs of VEE, in their partitions.
        self.partitions = PartitionStore(database)
        #: What VEE gave.
        self.vee = VeeStore(database, self.records, self.findings, self.partitions)
        #: What SMT has taken of it before VEE.
        self.pushed = PushedStore(database)

    def close(self) -> None:
        """Leave the seat and let go of the database."""
        self._seat.close()
        self._database.close()

    def together(self) -> AbstractContextManager[sa.Connection]:
        """What is done within is one transaction."""
        return self._database.writing()

    # --- what was collected ------------------------------------------------------------------------------------------------------

    def keep(self, readings: Sequence[MeterReading], collected_at: Seconds, origin: Origin) -> None:
        """Keep the intervals of readings, all or none. collected_at: UTC epoch seconds.

        A value is never replaced by the meter's having none; a different value collected later replaces an earlier one; the same value
        keeps the time of its first collection.
        """
        self.keep_brought([(reading, np.full(len(reading.delivered), collected_at)) for reading in readings], origin)

    def keep_brought(
        self,
        readings: Iterable[tuple[MeterReading, LongArray]],
        origin: Origin,
        snapshots: Sequence[RegisterSnapshot] = (),
        at: Seconds | None = None,
    ) -> None:
        """``keep`` readings, each with the (n,) instants at which its intervals were collected, and ``keep_snapshots`` beside them."""
        runs = [(*run, brought) for reading, brought in readings for run in runs_of(reading)]
        changed: dict[Seconds, set[MeterDay]] = defaultdict(set)
        with self._database.writing() as connection:
            if runs:
                latest = seconds(max(brought.max() for *_, brought in runs))
                changed[latest] |= self._keep_runs(connection, runs, latest, ON_DEMAND if origin == "meter" else 0)
            if snapshots:
                begun = self._keep_registers(connection, snapshots)
                if at is not None:
                    changed[at] |= {of for of in begun if day_end(day_of(of.start)) <= at}
            for instant in sorted(changed):
                self._note_kept(connection, changed[instant], instant)
        if runs:
            self._writes += 1
            written = {reading.esiid for reading, *_ in runs}
            for seen in list(self._days):
                if seen[0] in written:
                    self._days.pop(seen, None)

    def keep_snapshots(self, snapshots: Sequence[RegisterSnapshot], at: Seconds | None = None) -> None:
        """Keep midnight registers; a later read of the same midnight replaces an earlier one. at: UTC epoch seconds, when they were read."""
        self.keep_brought((), "sweep", snapshots, at)

    def _keep_runs(self, connection: sa.Connection, runs: Sequence[_Run], latest: Seconds, mark: int) -> set[MeterDay]:
        """Keep intervals, the latest of which were collected at an instant. Gives the days that have ended by then."""
        starts = {day_start(day) for _, day, *_ in runs}
        held = self._packed(connection, {reading.esiid for reading, *_ in runs}, starts)
        old = set(held)
        touched: dict[_Row, Packed] = {}
        ended: set[MeterDay] = set()
        for reading, day, at, part, brought in runs:
            place = self.records.place(reading.esiid, reading.meter_number)
            for channel, wh in ((Channel.LOAD, reading.delivered), (Channel.GENERATION, reading.received)):
                key = (reading.esiid, int(channel), day_start(day), reading.meter_number)
                packed = touched.get(key)
                if packed is None:
                    packed = touched[key] = held.get(key) or Packed.empty(day)
                packed.merge(at, wh[part], reading.status[part], reading.present[part], brought[part], mark)
            if place is not None and day_end(day) <= latest:
                ended.add(MeterDay(place, day_start(day)))
        self._write(connection, {key: packed for key, packed in touched.items() if key not in old}, update=False)
        self._write(connection, {key: packed for key, packed in touched.items() if key in old}, update=True)
        return ended

    def _keep_registers(self, connection: sa.Connection, snapshots: Sequence[RegisterSnapshot]) -> set[MeterDay]:
        """Keep midnight registers. Gives the days that begin or end with them."""
        latest = {(one.esiid, one.day_start, one.meter_number): register_row(one) for one in snapshots}
        keys = [f"k_{column.name}" for column in MIDNIGHT_REGISTERS.primary_key]
        _LET_GO.execute(connection, *(dict(zip(keys, key, strict=True)) for key in latest))
        _ENTER_REGISTERS.execute(connection, *latest.values())
        return {
            MeterDay(place, start)
            for one in snapshots
            if (place := self.records.place(one.esiid, one.meter_number)) is not None
            for start in (one.day_start, day_start(day_of(one.day_start) - timedelta(days=1)))
        }

    def _note_kept(self, connection: sa.Connection, changed: Members[MeterDay], at: Seconds) -> None:
        """Keep whether ended days are complete now. changed: those of which something came."""
        if not changed:
            return
        esiids = sorted({of.meter.esiid for of in changed})
        starts = {of.start for of in changed}
        known = self._known(connection, esiids, starts)
        edges = sorted(starts | {day_end(day_of(start)) for start in starts})
        midnights = {
            (self.records.place(esiid, number), start)
            for chunk in chunks(esiids)
            for esiid, start, number, *_ in connection.execute(_MIDNIGHTS, {"esiids": chunk, "starts": edges}).all()
        }

        def complete(of: MeterDay) -> bool:
            edges = (of.meter, of.start), (of.meter, day_end(day_of(of.start)))
            return of in known and bool(known[of].all()) and midnights.issuperset(edges)

        self.states.note_kept(connection, {of: complete(of) for of in changed}, at)

    def _known(
        self, connection: sa.Connection, esiids: Sequence[str], starts: Members[Seconds]
    ) -> dict[MeterDay, BoolArray]:
        """(n,) Which intervals of days are known by one of the meters that hung at a place."""
        found: dict[MeterDay, BoolArray] = {}
        for chunk in chunks(esiids):
            asked = {"esiids": chunk, "starts": sorted(starts)}
            for esiid, start, number, flags in connection.execute(_FLAGS, asked).all():
                if (place := self.records.place(esiid, number)) is not None:
                    known, of = (np.frombuffer(flags, np.uint8) & KNOWN) != 0, MeterDay(place, start)
                    found[of] = found[of] | known if of in found else known
        return found

    def _packed(
        self,
        connection: sa.Connection,
        esiids: Iterable[str],
        starts: Iterable[Seconds],
        channel: Channel | None = None,
    ) -> dict[_Row, Packed]:
        query, wanted = _DAYS, dict[str, Any](starts=sorted(starts))
        if channel is not None:
            query, wanted["channel"] = _DAYS_OF_CHANNEL, int(channel)
        found: dict[_Row, Packed] = {}
        for chunk in chunks(sorted(esiids)):
            for esiid, number, start, meter, *packed in connection.execute(query, wanted | {"esiids": chunk}).all():
                found[esiid, number, start, meter] = Packed(*packed)
        return found

    def _placed(
        self,
        connection: sa.Connection,
        esiids: Iterable[str],
        starts: Iterable[Seconds],
        channel: Channel | None = None,
    ) -> dict[tuple[MeterKey, int, Seconds], Packed]:
        """The same by place, whichever meters hung there; what a meter told of which the records know no place is left away."""
        return self._by_place(self._packed(connection, esiids, starts, channel))

    def _by_place(self, days: Mapping[_Row, Packed]) -> dict[tuple[MeterKey, int, Seconds], Packed]:
        found: dict[tuple[MeterKey, int, Seconds], Packed] = {}
        for (esiid, number, start, meter), packed in days.items():
            if (place := self.records.place(esiid, meter)) is None:
                continue
            row = (place, number, start)
            found[row] = found[row].beside(packed) if row in found else packed
        return found

    def _days_of(self, esiid: str, starts: tuple[Seconds, ...], channel: Channel) -> dict[_Row, Packed]:
        """Days of an ESI ID, to be looked at alone: kept until one of it is written."""
        key = (esiid, starts, channel)
        held = self._days.get(key)
        if held is None:
            writes = self._writes
            with self._database.reading() as connection:
                held = self._packed(connection, [esiid], starts, channel)
            if len(self._days) >= _DAYS_KEPT:
                self._days.clear()
            self._days[key] = held
            # Another thread may have written meanwhile.
            if writes != self._writes:
                self._days.pop(key, None)
        return held

    def _write(self, connection: sa.Connection, days: Mapping[_Row, Packed], *, update: bool) -> None:
        if not days:
            return
        names = [f"k_{column.name}" if update else column.name for column in INTERVAL_DAYS.primary_key]
        rows = [dict(zip(names, key, strict=True)) | packed.columns() for key, packed in days.items()]
        (_CHANGE_DAY if update else _ENTER_DAY).execute(connection, *rows)

    def _span(self, meter: MeterKey, start: Seconds, end: Seconds, channel: Channel) -> tuple[LongArray, Packed]:
        """Every complete interval of [start, end), known or not: their ends and their packed columns."""
        first = start - start % INTERVAL_S
        count = max(0, (end - first) // INTERVAL_S)
        ends: LongArray = first + INTERVAL_S * np.arange(1, count + 1, dtype=np.int64)
        whole = Packed(bytes(4 * count), bytes(2 * count), bytes(8 * count), bytes(count))
        if not count:
            return ends, whole
        days = days_over(first, seconds(ends[-1]))
        held = self._days_of(meter.esiid, tuple(map(day_start, days)), channel)
        for (place, _, begins), packed in self._by_place(held).items():
            if place != meter:
                continue
            offset = (begins - first) // INTERVAL_S
            low, high = max(0, offset), min(count, offset + len(packed.wh))
            for name in Packed.__slots__:
                getattr(whole, name)[low:high] = getattr(packed, name)[low - offset : high - offset]
        return ends, whole

    def first_missing(
        self, meter: MeterKey, start: Seconds, end: Seconds, channel: Channel = Channel.LOAD
    ) -> Seconds | None:
        """Start of the first complete interval of [start, end) that was never collected of a meter; None when all are known.

        An interval that the meter itself has no value for is known.
        """
        ends, held = self._span(meter, start, end, channel)
        unknown = np.flatnonzero((held.flags & KNOWN) == 0)
        return seconds(ends[unknown[0]]) - INTERVAL_S if len(unknown) else None

    def window(self, esiid: str, start: Seconds, end: Seconds, channel: Channel = Channel.LOAD) -> StoredWindow:
        """The known intervals of an ESI ID among the complete ones of [start, end). UTC epoch seconds."""
        spans = [self._span(meter, start, end, channel) for meter in self.records.places(esiid)]
        held = [packed for _, packed in spans]
        flags = np.array([packed.flags for packed in held])
        known = ((flags & KNOWN) != 0).all(axis=0)
        return StoredWindow(
            spans[0][0][known],
            total_wh(np.array([packed.wh for packed in held]))[known],
            ((flags & PRESENT) != 0).all(axis=0)[known],
            np.max([packed.collected_at for packed in held], axis=0)[known],
            ((flags & ON_DEMAND) != 0).any(axis=0)[known],
            of_several(np.array([packed.status for packed in held]))[known],
        )

    def reaches_to(self, esiid: str, start: Seconds, channel: Channel = Channel.LOAD) -> Seconds:
        """End of an ESI ID's unbroken run of known intervals that begins at ``start``; ``start`` if that interval is not known."""
        reach = start
        while True:
            stop = day_end(day_of(reach))
            ends = [self.first_missing(meter, reach, stop, channel) for meter in self.records.places(esiid)]
            missing = [end for end in ends if end is not None]
            if missing:
                return min(missing)
            reach = stop

    # --- for VEE -----------------------------------------------------------------------------------------------------------------------

    def day(self, esiids: Sequence[str], day: date) -> DayBlock:
        """What was collected of an operating day, and its midnight registers: a row a meter, in the order of ``esiids``."""
        meters = self.records.places_of(esiids)
        m, n, begins, ends = len(meters), intervals_in(day), day_start(day), day_end(day)
        wh = {channel: np.zeros((m, n), np.int32) for channel in Channel}
        status = np.zeros((m, n), np.uint16)
        present, changed = np.zeros((2, m, n), np.bool_)
        registers = np.zeros((2, 2, m), np.int64)
        have = np.zeros((2, m), np.bool_)
        row_of = {meter: row for row, meter in enumerate(meters)}
        with self._database.reading() as connection:
            for (meter, number, _), packed in self._placed(connection, esiids, [begins]).items():
                row = row_of[meter]
                wh[Channel(number)][row] = packed.wh
                changed[row] |= (packed.flags & CHANGED) != 0
                if number == Channel.LOAD:
                    status[row], present[row] = packed.status, (packed.flags & PRESENT) != 0
            for chunk in chunks(list(esiids)):
                asked = {"esiids": chunk, "starts": [begins, ends]}
                for esiid, start, meter_number, delivered, received in connection.execute(_MIDNIGHTS, asked).all():
                    if (place := self.records.place(esiid, meter_number)) is None:
                        continue
                    edge, row = int(start == ends), row_of[place]
                    registers[edge, :, row] = delivered, received
                    have[edge, row] = True
        (delivered_r0, received_r0), (delivered_r1, received_r1) = registers
        return DayBlock(
            day=day,
            meters=tuple(meters),
            delivered=wh[Channel.LOAD],
            received=wh[Channel.GENERATION],
            status=status,
            present=present,
            delivered_r0=delivered_r0,
            received_r0=received_r0,
            have_r0=have[0],
            delivered_r1=delivered_r1,
            received_r1=received_r1,
            have_r1=have[1],
            repeated=changed.sum(axis=1),
        )

    def daily_averages(self, meters: Sequence[MeterKey], day: date) -> dict[Channel, LongArray]:
        """(m,) Wh a day by the midnight registers of the four weeks before ``day``, from the first to the last that are held, seven days apart at least; by channel; -1: not known."""
        found = {channel: np.full(len(meters), -1, np.int64) for channel in Channel}
        row_of = {meter: row for row, meter in enumerate(meters)}
        # Of a meter that is silent now the last is some days old.
        span = {"first": day_start(day - timedelta(days=AVERAGE_MOST)), "last": day_start(day)}
        held: dict[tuple[MeterKey, str], list[tuple[Seconds, int, int]]] = {}
        with self._database.reading() as connection:
            for chunk in chunks(sorted({meter.esiid for meter in meters})):
                for esiid, start, number, delivered, received in connection.execute(
                    _OUTER, {"esiids": chunk} | span
                ).all():
                    # Of two that hung at a place one after the other, each has registers of its own.
                    if (place := self.records.place(esiid, number)) is not None:
                        held.setdefault((place, number), []).append((start, delivered, received))
        for (meter, _), midnights in held.items():
            (first, *from_wh), (end, *to_wh) = midnights[0], midnights[-1]
            count = (day_of(end) - day_of(first)).days
            if count >= AVERAGE_LEAST and meter in row_of:
                for channel, begun, ended in zip((Channel.LOAD, Channel.GENERATION), from_wh, to_wh, strict=True):
                    # A register that ran back says nothing of a use.
                    found[channel][row_of[meter]] = (ended - begun) // count if ended >= begun else -1
        return found

    # --- posting -------------------------------------------------------------------------------------------------------------------

    def posted_days(self) -> set[date]:
        """The operating days of which SMT's site has all."""
        return {file.operating_day for file in self.posted_files()}.difference(self.partitions.unposted_days())

    def posted_files(self) -> list[PostedFile]:
        """Every file posted, in the order of posting."""
        with self._database.reading() as connection:
            query = sa.select(POSTED_FILES).order_by(POSTED_FILES.c.posted_at, POSTED_FILES.c.name)
            return [PostedFile(*row) for row in connection.execute(query)]
