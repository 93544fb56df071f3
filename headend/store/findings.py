"""What VEE found of each operating day when it was validated last."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

import numpy as np
import sqlalchemy as sa

from headend.ports import MeterKey
from headend.store.rows import VEE_FINDINGS, Database, chunks
from headend.store.statements import Prepared
from headend.vee.findings import FINDING, Finding, explain
from headend.vee.records import VeeDay
from headend.vee.rules import BY_NUMBER, RULES, Rule
from meters.calendar import day_of, day_start

#: Columns of the table as ``FINDING`` names them.
_NAMES = {"rule": "rule", "channel": "channel", "first": "first", "last": "last", "value": "value", "held_to": "limit"}
# Made once: making a statement takes as long as executing it.
_MINE = VEE_FINDINGS.c
_FOUND_BY = sa.select(_MINE.day_start, _MINE.esiid, _MINE.meter_number).where(
    _MINE.rule == sa.bindparam("rule"), _MINE.day_start.between(sa.bindparam("first"), sa.bindparam("last"))
)
_ENTER = Prepared(sa.insert(VEE_FINDINGS))
_LET_GO = sa.delete(VEE_FINDINGS).where(
    _MINE.day_start == sa.bindparam("start"),
    sa.tuple_(_MINE.esiid, _MINE.meter_number).in_(sa.bindparam("meters", expanding=True)),
)


class KeptFinding(NamedTuple):
    """A finding of a meter's day."""

    meter: MeterKey
    finding: Finding


class FindingStore:
    """The findings. Methods are synchronous."""

    def __init__(self, database: Database) -> None:
        """Use the store's database, whose tables are made with the others."""
        self._database = database

    def keep(self, connection: sa.Connection, batch: VeeDay) -> None:
        """Keep a day's findings in the place of what was found of the same meters before, in the caller's transaction."""
        start = day_start(batch.day)
        for chunk in chunks(sorted(batch.meters)):
            connection.execute(_LET_GO, {"start": start, "meters": [tuple(meter) for meter in chunk]})
        found = []
        before, ordinal = -1, 0
        for one in batch.findings:
            row = int(one["row"])
            before, ordinal = row, ordinal + 1 if row == before else 0
            meter = batch.meters[row]
            facts = {column: int(one[name]) for column, name in _NAMES.items()}
            facts |= {"day_start": start, "ordinal": ordinal}
            named = {"rule": BY_NUMBER[Rule(facts["rule"])].id, "esiid": meter.esiid, "meter_number": meter.number}
            found.append(facts | named)
        if found:
            _ENTER.execute(connection, *found)

    def meters_of(self, rule: str, first: date, last: date) -> dict[date, set[MeterKey]]:
        """The meters of which a rule found something in the operating days from first to last; of days of which it did."""
        found: dict[date, set[MeterKey]] = {}
        with self._database.reading() as connection:
            span = {"rule": rule, "first": day_start(first), "last": day_start(last)}
            for start, *meter in connection.execute(_FOUND_BY, span):
                found.setdefault(day_of(start), set()).add(MeterKey(*meter))
        return found

    def of_day(
        self, day: date, esiid: str = "", rule: str = "", skip: int = 0, most: int = 1_000
    ) -> tuple[int, Sequence[KeptFinding]]:
        """How many findings an operating day has, of one ESI ID and by one rule if given, and so many of them after ``skip``, by ESI ID and meter."""
        rows = VEE_FINDINGS.c
        such = [rows.day_start == day_start(day)]
        such += [rows.esiid == esiid] if esiid else []
        such += [rows.rule == rule] if rule else []
        page = sa.select(VEE_FINDINGS).where(*such).order_by(rows.esiid, rows.meter_number, rows.ordinal)
        with self._database.reading() as connection:
            count = connection.scalar(sa.select(sa.func.count()).select_from(VEE_FINDINGS).where(*such)) or 0
            told = connection.execute(page.offset(skip).limit(most)).mappings().all()
        return count, [_kept(row, day) for row in told]


def _kept(row: sa.RowMapping, day: date) -> KeptFinding:
    record = np.zeros(1, FINDING)
    for column, name in _NAMES.items():
        record[name] = int(RULES[row["rule"]].rule) if name == "rule" else row[column]
    return KeptFinding(MeterKey(row["esiid"], row["meter_number"]), explain(record[0], day))
