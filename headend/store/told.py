"""What meters say of themselves in the header that each sweep and each read on demand begins with: a row a meter and day, the worst that was seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa

from headend.ports import MeterKey, MeterReading, PowerReading
from headend.store.rows import METER_TOLD, Database, chunks
from meters.calendar import INTERVAL_S, Seconds, day_of, day_start, seconds

# Made once: making a statement takes as long as executing it.
_HELD = sa.select(METER_TOLD).where(
    METER_TOLD.c.esiid.in_(sa.bindparam("esiids", expanding=True)), METER_TOLD.c.day_start == sa.bindparam("start")
)
_LET_GO = sa.delete(METER_TOLD).where(
    *(column == sa.bindparam(f"k_{column.name}") for column in METER_TOLD.primary_key)
)


@dataclass(frozen=True, slots=True)
class MeterTold:
    """What one header told, or those of a day together."""

    #: Meter minus head-end.
    clock_error_s: Seconds = seconds(0)
    #: 0: not told.
    multiplier: int = 0
    interval_s: Seconds = INTERVAL_S
    #: Of a meter that the records do not have there: all that was taken of it. Empty: none answered.
    other_number: str = ""
    #: Of the display; 0: not told.
    dials: int = 0

    def then(self, later: MeterTold) -> MeterTold:
        """With a later one of the same day: the worse clock, the other number if any; multiplier, interval and dials as they were told last."""
        told = later if later.multiplier else self
        return MeterTold(
            max(self.clock_error_s, later.clock_error_s, key=abs),
            told.multiplier,
            told.interval_s,
            later.other_number or self.other_number,
            told.dials,
        )


NOTHING = MeterTold()


def header_of(reading: MeterReading | PowerReading, asked: Seconds, answered: Seconds) -> MeterTold:
    """What a reading's header told that came between two instants of the head-end's, UTC epoch seconds: its clock is surely wrong beyond them."""
    error = seconds(min(0, reading.meter_time - asked) + max(0, reading.meter_time - answered))
    return MeterTold(error, reading.multiplier, reading.interval_s, dials=reading.dials)


class ToldStore:
    """What headers told. Methods are synchronous; each is one transaction."""

    def __init__(self, database: Database) -> None:
        """Use the store's database, whose tables are made with the others."""
        self._database = database
        #: What was told of ESI IDs on the day that was kept last: nobody else writes it, and most headers say what the one before said.
        self._of_day: tuple[Seconds, dict[str, dict[MeterKey, MeterTold]]] = seconds(-1), {}

    def keep(self, told: Sequence[tuple[MeterKey, MeterTold]], at: Seconds) -> None:
        """Keep what sweeps or reads of an operating day were told, in their order, with what was told earlier that day. at: UTC epoch seconds at which one began."""
        start = day_start(day_of(at))
        known = self._known(sorted({meter.esiid for meter, _ in told}), start)
        held = {meter: one for esiid in {meter.esiid for meter, _ in told} for meter, one in known[esiid].items()}
        merged = dict(held)
        for meter, fresh in told:
            merged[meter] = merged[meter].then(fresh) if meter in merged else fresh
        told_of = {meter: one for meter, one in merged.items() if one != held.get(meter)}
        if not told_of:
            return
        keys = [(meter.esiid, start, meter.number) for meter in told_of]
        names = [column.name for column in METER_TOLD.primary_key]
        facts = ({name: getattr(one, name) for name in MeterTold.__slots__} for one in told_of.values())
        rows = [dict(zip(names, key, strict=True)) | of for key, of in zip(keys, facts, strict=True)]
        with self._database.writing() as connection:
            if held:
                connection.execute(_LET_GO, [dict(zip(map("k_{}".format, names), key, strict=True)) for key in keys])
            connection.execute(sa.insert(METER_TOLD), rows)
        for meter, one in told_of.items():
            known[meter.esiid][meter] = one

    def _known(self, esiids: Sequence[str], start: Seconds) -> dict[str, dict[MeterKey, MeterTold]]:
        """What is held of a day that begins at ``start``, by ESI ID: of those asked for, and of others."""
        if self._of_day[0] != start:
            self._of_day = start, {}
        known = self._of_day[1]
        asked = [esiid for esiid in esiids if esiid not in known]
        if asked:
            with self._database.reading() as connection:
                held = self._of(connection, asked, start)
            known.update({esiid: {} for esiid in asked})
            for meter, one in held.items():
                known[meter.esiid][meter] = one
        return known

    def of(self, esiids: Sequence[str], day: date) -> dict[MeterKey, MeterTold]:
        """What the headers of an operating day told, of the meters at the ESI IDs that told something."""
        with self._database.reading() as connection:
            return self._of(connection, esiids, day_start(day))

    def _of(self, connection: sa.Connection, esiids: Sequence[str], start: Seconds) -> dict[MeterKey, MeterTold]:
        found = {}
        for chunk in chunks(list(esiids)):
            told = connection.execute(_HELD, {"esiids": chunk, "start": start}).all()
            for esiid, _, number, error, multiplier, interval_s, *rest in told:
                found[MeterKey(esiid, number)] = MeterTold(error, multiplier, seconds(interval_s), *rest)
        return found
