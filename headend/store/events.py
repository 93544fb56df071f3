"""What meters have told unasked, kept for good: the events, and the answers that overruled a last gasp. Rows are only ever added."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa

from headend.ports import HeadEndError, MeterKey, MeterRecords
from headend.store.rows import METER_ANSWERS, METER_EVENTS, Database, chunks
from meters.calendar import Seconds, seconds
from meters.events import EventKind, MeterEvent

_COLUMNS = (METER_EVENTS.c.at, METER_EVENTS.c.esiid, METER_EVENTS.c.meter_number, METER_EVENTS.c.kind)
#: After every instant.
_FOR_EVER = 2**62


def _over(table: sa.Table, kind: sa.ColumnElement[str], received: sa.Column[int]) -> sa.CompoundSelect[Any]:
    """What ``EventStore.over`` asks of a table."""
    rows = table.c
    start: sa.BindParameter[int] = sa.bindparam("start")
    end: sa.BindParameter[int] = sa.bindparam("end")
    such = rows.esiid.in_(sa.bindparam("esiids", expanding=True)), received < sa.bindparam("known_by")
    meter = rows.esiid, rows.meter_number, kind.label("kind")
    by = rows.esiid, rows.meter_number, *([rows.kind] if "kind" in rows else [])
    within = sa.select(*meter, rows.at).where(*such, rows.at >= start, rows.at < end)
    before = sa.select(*meter, sa.func.max(rows.at)).where(*such, rows.at < start).group_by(*by)
    after = sa.select(*meter, sa.func.min(rows.at)).where(*such, rows.at >= end).group_by(*by)
    return within.union_all(before, after)


def _newest(table: sa.Table, *such: sa.ColumnElement[bool]) -> sa.Select[Any]:
    meter = table.c.esiid, table.c.meter_number
    return sa.select(*meter, sa.func.max(table.c.at)).where(*such).group_by(*meter)


# Made once: making a statement takes as long as executing it.
_OVER = (
    _over(METER_EVENTS, METER_EVENTS.c.kind, METER_EVENTS.c.received_at),
    _over(METER_ANSWERS, sa.literal(""), METER_ANSWERS.c.at),
)
#: As ``LatestInstants`` has them.
_LATEST = (
    _newest(METER_EVENTS, METER_EVENTS.c.kind == EventKind.LAST_GASP.value),
    _newest(METER_EVENTS, METER_EVENTS.c.kind == EventKind.RESTORATION.value),
    _newest(METER_ANSWERS),
)
_HEARD = sa.union(
    sa.select(METER_EVENTS.c.esiid).where(METER_EVENTS.c.received_at >= sa.bindparam("at")),
    sa.select(METER_ANSWERS.c.esiid).where(METER_ANSWERS.c.at >= sa.bindparam("at")),
)

#: An instant, UTC epoch seconds, and the event then; None: an answer that overruled a last gasp.
Told = tuple[Seconds, EventKind | None]


class LatestInstants(NamedTuple):
    """By meter, UTC epoch seconds: the latest last gasp, the latest restoration, the latest answer that overruled a last gasp."""

    last_gasp: dict[MeterKey, Seconds]
    restoration: dict[MeterKey, Seconds]
    answer: dict[MeterKey, Seconds]


class EventStore:
    """The head-end's events. Methods are synchronous; each is one transaction."""

    def __init__(self, database: Database, records: MeterRecords) -> None:
        """Use the store's database, whose tables are made with the others, and its records."""
        self._database = database
        self._records = records

    def keep(self, events: Sequence[MeterEvent], received_at: Seconds) -> list[MeterEvent]:
        """Keep events, all or none. Gives those that were not known before, sorted: what is told again is the same event.

        received_at: UTC epoch seconds. Raises HeadEndError if the database does not take them.
        """
        try:
            return self._keep(events, received_at)
        except sa.exc.SQLAlchemyError as error:
            # simpy could not make the library's own exception anew when it hands it to the process that waits.
            raise HeadEndError("headend.store.events", f"Events cannot be kept: {type(error).__name__}.") from None

    def _keep(self, events: Sequence[MeterEvent], received_at: Seconds) -> list[MeterEvent]:
        rows = METER_EVENTS.c
        fresh: list[MeterEvent] = []
        with self._database.writing() as connection:
            for chunk in chunks(sorted(set(events))):
                # Sorted by time, so a portion spans little of it.
                query = sa.select(*_COLUMNS).where(
                    rows.esiid.in_(sorted({one.esiid for one in chunk})), rows.at.between(chunk[0].at, chunk[-1].at)
                )
                held = {_event(*row) for row in connection.execute(query)}
                fresh += [one for one in chunk if one not in held]
            if fresh:
                connection.execute(
                    sa.insert(METER_EVENTS),
                    [
                        {
                            "esiid": event.esiid,
                            "meter_number": event.meter_number,
                            "kind": event.kind.value,
                            "at": event.at,
                            "received_at": received_at,
                        }
                        for event in fresh
                    ],
                )
        return fresh

    def keep_answer(self, meter: MeterKey, at: Seconds) -> None:
        """Keep that a meter answered at ``at`` (UTC epoch seconds) though its latest event was a last gasp."""
        rows = METER_ANSWERS.c
        with self._database.writing() as connection:
            held = sa.select(rows.at).where(rows.esiid == meter.esiid, rows.at == at, rows.meter_number == meter.number)
            if connection.execute(held).first() is None:
                connection.execute(
                    sa.insert(METER_ANSWERS), [{"esiid": meter.esiid, "at": at, "meter_number": meter.number}]
                )

    def events(self, esiid: str) -> list[MeterEvent]:
        """Every event of an ESI ID, ascending in time."""
        with self._database.reading() as connection:
            rows = connection.execute(sa.select(*_COLUMNS).where(METER_EVENTS.c.esiid == esiid))
            return sorted(_event(*row) for row in rows)

    def heard_since(self, at: Seconds) -> list[str]:
        """ESI IDs of which an event was received, or an answer overruled a last gasp, at an instant (UTC epoch seconds) or later."""
        with self._database.reading() as connection:
            return list(connection.scalars(_HEARD, {"at": at}))

    def over(
        self, esiids: Sequence[str], start: Seconds, end: Seconds, known_by: Seconds | None = None
    ) -> dict[MeterKey, list[Told]]:
        """What meters at the ESI IDs told in [start, end), the latest of each kind before it and the first after; UTC epoch seconds.

        known_by: what was received before that instant; all unless given.
        """
        found: dict[MeterKey, list[Told]] = {}
        with self._database.reading() as connection:
            for chunk in chunks(sorted(set(esiids))):
                asked = {
                    "esiids": chunk,
                    "start": start,
                    "end": end,
                    "known_by": _FOR_EVER if known_by is None else known_by,
                }
                for query in _OVER:
                    for esiid, number, said, at in connection.execute(query, asked):
                        if (place := self._records.named_place(esiid, number)) is not None:
                            found.setdefault(place, []).append((seconds(at), EventKind(said) if said else None))
        return found

    def latest(self) -> LatestInstants:
        """What decides whether power has failed, of every meter that has it."""

        def newest(query: sa.Select[Any]) -> dict[MeterKey, Seconds]:
            found: dict[MeterKey, Seconds] = {}
            for esiid, number, at in connection.execute(query):
                if (place := self._records.named_place(esiid, number)) is not None:
                    found[place] = max(seconds(at), found.get(place, seconds(at)))
            return found

        with self._database.reading() as connection:
            return LatestInstants(*map(newest, _LATEST))


def _event(at: Seconds, esiid: str, meter_number: str, kind: str) -> MeterEvent:
    return MeterEvent(at, esiid, meter_number, EventKind(kind))
