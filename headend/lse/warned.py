"""What of right records is doubtful all the same: functions over the records of a file and what is held of their days. Pure; nothing here costs a record."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, timedelta

import numpy as np

from headend.lse.format import DayKey, Held, LseFinding, LseRecord, Severity

#: By how much a day's intervals and its registers may differ, Wh times the multiplier: the market's check of bills (2 kWh x multiplier).
TOLERANCE_WH = 2_000
#: Dials after whose last a register begins again at 0.
_DIALS = (5, 6)
_DAY = timedelta(days=1)


def warnings_of(
    records: Sequence[LseRecord], held: Mapping[DayKey, Held], multiplier_of: Callable[[str], int] | None = None
) -> list[LseFinding]:
    """What is doubtful, in the order of the file.

    held: of the days of the records, of the days before them and after. multiplier_of: an ESI ID's on record; the file's own unless given.
    """
    if not records:
        return []
    before: dict[DayKey, LseRecord] = {}
    found = [*_sums(records, multiplier_of), *_multipliers(records, multiplier_of)]
    for record in records:
        # An older one is turned away.
        if record.key in before and record.posted_at >= before[record.key].posted_at:
            found.append(_tell(record, "record", f"that of line {before[record.key].line} comes again"))
        before[record.key] = record
        one = held.get(record.key)
        if one is not None and one.posted_at == record.posted_at:
            found.append(_tell(record, "record", "it is held already, with the same timestamp"))
    found += _midnights(before, held)
    return sorted(found, key=lambda finding: finding.line)


def _sums(records: Sequence[LseRecord], multiplier_of: Callable[[str], int] | None) -> Iterator[LseFinding]:
    """Days whose intervals do not sum to their registers."""
    begins = np.cumsum([0, *(len(record.wh) for record in records[:-1])])
    sums = np.add.reduceat(np.concatenate([record.wh for record in records]), begins, dtype=np.int64)
    known = np.array([None not in (record.start_reading_wh, record.stop_reading_wh) for record in records])
    apart = np.array([(record.stop_reading_wh or 0) - (record.start_reading_wh or 0) for record in records], np.int64)
    for at in np.flatnonzero(known & (np.abs(apart - sums) > TOLERANCE_WH)).tolist():
        record, total, used = records[at], int(sums[at]), int(apart[at])
        multiplier = record.multiplier if multiplier_of is None else max(record.multiplier, multiplier_of(record.esiid))
        # After its highest a register goes on from 0.
        could = [used, *(used + 10**dials * 1000 * multiplier for dials in _DIALS if used < 0)]
        if all(abs(one - total) > TOLERANCE_WH * multiplier for one in could):
            says = f"the intervals sum to {total / 1000:.3f} kWh, the registers lie {used / 1000:.3f} apart"
            yield _tell(record, "readings", says)


def _multipliers(records: Sequence[LseRecord], multiplier_of: Callable[[str], int] | None) -> Iterator[LseFinding]:
    if multiplier_of is None:
        return
    for record in records:
        # Of 1 the readings may be multiplied already.
        if record.multiplier != 1 and record.multiplier != (known := multiplier_of(record.esiid)):
            yield _tell(record, "meter multiplier", f"'{record.multiplier}' is not the {known} on record")


def _midnights(latest: Mapping[DayKey, LseRecord], held: Mapping[DayKey, Held]) -> Iterator[LseFinding]:
    """Records whose registers do not go on where a neighbour's end. latest: the last record of each day."""
    for key, record in latest.items():
        day_before, day_after = (key._replace(day=key.day + step) for step in (-_DAY, _DAY))
        earlier, stood = latest.get(day_before), held.get(day_before)
        stopped = earlier.stop_reading_wh if earlier else stood.stop_wh if stood else None
        if _differ(record.start_reading_wh, stopped):
            yield _tell(record, "start reading", _says(record.start_reading_wh, day_before.day, "stopped", stopped))
        stood = held.get(day_after)
        # Within a file the later day tells of it.
        if day_after not in latest and stood and _differ(record.stop_reading_wh, stood.start_wh):
            says = _says(record.stop_reading_wh, day_after.day, "started", stood.start_wh)
            yield _tell(record, "stop reading", says)


def _differ(one: int | None, other: int | None) -> bool:
    return one is not None and other is not None and one != other


def _says(wh: int | None, day: date, did: str, other_wh: int | None) -> str:
    return f"it is {(wh or 0) / 1000:.3f} kWh, where {day} {did} at {(other_wh or 0) / 1000:.3f}"


def _tell(record: LseRecord, field: str, message: str) -> LseFinding:
    about = (record.line, record.esiid, str(int(record.channel)), record.day.isoformat())
    return LseFinding("00", record.line, field, message, Severity.WARNING, *about)
