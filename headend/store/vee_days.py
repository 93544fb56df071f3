"""The VEE'd days: of each meter and operating day a revision where VEE gave something else. A later revision never deletes an earlier one."""

from __future__ import annotations

import functools
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import Any

import numpy as np
import sqlalchemy as sa

from headend.boundaries import boundary
from headend.ports import LongArray, MeterKey, MeterRecords
from headend.store.findings import FindingStore
from headend.store.partitions import Partition, PartitionStore
from headend.store.rows import (
    POWER_FAILED,
    SCALED,
    VEE_COLUMNS,
    VEE_DAYS,
    Database,
    chunks,
    history_day,
    stacked,
    vee_columns,
)
from headend.store.statements import Prepared
from headend.vee.findings import none
from headend.vee.quality import Channel
from headend.vee.records import ChannelDay, History, VeeChannel, VeeDay
from meters.calendar import Seconds, day_start, intervals_in

# Made once: making a statement takes as long as executing it.
_LATEST_VEE = (
    sa.select(VEE_DAYS)
    .where(
        VEE_DAYS.c.esiid.in_(sa.bindparam("esiids", expanding=True)),
        VEE_DAYS.c.day_start == sa.bindparam("start"),
        VEE_DAYS.c.run <= sa.bindparam("run"),
    )
    .order_by(VEE_DAYS.c.revision)
)
_VEE_BETWEEN = (
    sa.select(
        *(VEE_DAYS.c[name] for name in ("esiid", "meter_number", "channel", "day_start", "wh", "status", "flags"))
    )
    .where(
        VEE_DAYS.c.esiid.in_(sa.bindparam("esiids", expanding=True)),
        VEE_DAYS.c.day_start.between(sa.bindparam("first"), sa.bindparam("last")),
    )
    # A later revision is written over an earlier one.
    .order_by(VEE_DAYS.c.revision)
)
_ENTER = Prepared(sa.insert(VEE_DAYS))
#: More than a day ever has.
_MOST_RUNS = 2**31 - 1


class VeeStore:
    """The part of the head-end's store that holds what VEE gave."""

    def __init__(
        self, database: Database, records: MeterRecords, findings: FindingStore, partitions: PartitionStore
    ) -> None:
        """records: which meters hang where. findings, partitions: are kept with a day, in one transaction."""
        self._database, self._records = database, records
        self._findings, self._partitions = findings, partitions

    def keep(self, batch: VeeDay, partition: Partition | None = None, report: str = "") -> tuple[MeterKey, ...]:
        """Keep a VEE'd day as a new revision of each meter whose result differs from its latest. Returns those meters.

        The first result of a day is revision 1. A meter's findings take the place of those before. partition: the one that is validated by it; report: what is
        told of that, JSON.
        """
        changed: list[MeterKey] = []
        rows: list[dict[str, Any]] = []
        with self._database.writing() as connection:
            latest = self._latest(connection, (meter.esiid for meter in batch.meters), day_start(batch.day))
            for row, meter in enumerate(batch.meters):
                fresh = []
                for channel in Channel:
                    columns = vee_columns(batch, channel, row)
                    revision, held = latest.get((meter, int(channel)), (0, None))
                    key = {"esiid": meter.esiid, "meter_number": meter.number, "channel": int(channel)}
                    key |= {"day_start": day_start(batch.day), "revision": revision + 1}
                    key["run"] = 1 if partition is None else partition.run
                    fresh.append((key | columns, columns != held))
                if any(differs for _, differs in fresh):
                    changed.append(meter)
                    rows += [new for new, _ in fresh]
            if rows:
                _ENTER.execute(connection, *rows)
            self._findings.keep(connection, batch)
            if partition is not None:
                profiles = b"" if batch.profiles is None else batch.profiles.astype("<i8").tobytes()
                esiids = (meter.esiid for meter in changed)
                self._partitions.validated(connection, partition, esiids, report, profiles)
                boundary("headend.validated.before_commit")
        if partition is not None:
            boundary("headend.validated.after_commit")
        return tuple(changed)

    def _latest(
        self, connection: sa.Connection, esiids: Iterable[str], start: Seconds, run: int | None = None
    ) -> dict[tuple[MeterKey, int], tuple[int, dict[str, Any]]]:
        found: dict[tuple[MeterKey, int], tuple[int, dict[str, Any]]] = {}
        for chunk in chunks(sorted(set(esiids))):
            asked = {"esiids": chunk, "start": start, "run": _MOST_RUNS if run is None else run}
            for esiid, number, _, meter, revision, *columns, _ in connection.execute(_LATEST_VEE, asked).all():
                if (place := self._records.place(esiid, meter)) is not None:
                    found[place, number] = (revision, dict(zip(VEE_COLUMNS, columns, strict=True)))
        return found

    def day(self, esiids: Sequence[str], day: date, run: int | None = None) -> VeeDay:
        """The latest revision of an operating day, for those meters at the ESI IDs that have one. Its ``findings`` are empty. run: the latest that gave one by then."""
        with self._database.reading() as connection:
            latest = self._latest(connection, esiids, day_start(day), run)
        held = tuple(meter for meter in self._records.places_of(esiids) if (meter, int(Channel.LOAD)) in latest)

        def side(channel: Channel) -> VeeChannel:
            columns = [latest[meter, int(channel)][1] for meter in held]
            shape = (len(held), intervals_in(day))
            flags = stacked(columns, "flags", "u1").reshape(shape)
            edges = [np.array([one[edge] or 0 for one in columns], np.int64) for edge in ("start_wh", "stop_wh")]
            have = [np.array([one[edge] is not None for one in columns], np.bool_) for edge in ("start_wh", "stop_wh")]
            return VeeChannel(
                wh=stacked(columns, "wh", "<i4").astype(np.int32).reshape(shape),
                status=stacked(columns, "status", "u1").reshape(shape),
                method=stacked(columns, "method", "u1").reshape(shape),
                scaled=(flags & SCALED) != 0,
                power_failed=(flags & POWER_FAILED) != 0,
                start_wh=edges[0],
                stop_wh=edges[1],
                have_start=have[0],
                have_stop=have[1],
            )

        return VeeDay(day, held, side(Channel.LOAD), side(Channel.GENERATION), none())

    def history(self, meters: Sequence[MeterKey], day: date, back_days: int) -> History:
        """The latest revisions of the ``back_days`` operating days before ``day``, the latest day first; days nobody has are left out."""
        days = [day - timedelta(days=back) for back in range(1, back_days + 1)]
        if not meters or not days:
            return History()
        starts = {day_start(one): one for one in days}
        row_of = {meter: row for row, meter in enumerate(meters)}
        #: By channel and day: of each row the columns of its latest revision.
        found: dict[tuple[int, Seconds], dict[int, Sequence[bytes]]] = defaultdict(dict)

        @functools.cache
        def row_for(esiid: str, number: str) -> int | None:
            place = self._records.place(esiid, number)
            return None if place is None else row_of.get(place)

        with self._database.reading() as connection:
            for chunk in chunks(sorted({meter.esiid for meter in meters})):
                asked = {"esiids": chunk, "first": min(starts), "last": max(starts)}
                for esiid, meter, number, start, *columns in connection.execute(_VEE_BETWEEN, asked).all():
                    if (row := row_for(esiid, meter)) is not None:
                        found[number, start][row] = columns
        there = sorted({start for _, start in found}, reverse=True)

        def of_channel(channel: Channel, start: Seconds) -> ChannelDay:
            shape, rows = (len(meters), intervals_in(starts[start])), found[int(channel), start]
            return history_day(shape, rows)

        delivered, received = (
            tuple(of_channel(channel, start) for start in there) for channel in (Channel.LOAD, Channel.GENERATION)
        )
        return History(tuple(meters), tuple(starts[start] for start in there), delivered, received)

    def registers_before(self, meters: Sequence[MeterKey], day: date) -> dict[Channel, LongArray]:
        """(m,) registers that ended the day before, as its latest VEE used them, by channel; -1: none."""
        found = {channel: np.full(len(meters), -1, np.int64) for channel in Channel}
        row_of = {meter: row for row, meter in enumerate(meters)}
        with self._database.reading() as connection:
            latest = self._latest(connection, (meter.esiid for meter in meters), day_start(day - timedelta(days=1)))
        for (meter, number), (_, columns) in latest.items():
            if meter in row_of and columns["stop_wh"] is not None:
                found[Channel(number)][row_of[meter]] = columns["stop_wh"]
        return found
