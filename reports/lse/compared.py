"""Days and intervals that differ between two files. Of several records of a day, the one that was made last counts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headend.lse.format import DayKey, LseRecord
from meters.calendar import INTERVAL_S, day_start, iso, local
from reports.lse.shown import kwh

#: Intervals of a day that are told one by one, unless all are asked for.
_MOST = 12


@dataclass(frozen=True, slots=True)
class Difference:
    """A day that differs: in one file alone, or in both with other values."""

    key: DayKey
    before: LseRecord | None
    after: LseRecord | None

    @property
    def where(self) -> str:
        """``first``, ``second`` or ``both``: which of the files has the day."""
        return "second" if self.before is None else "first" if self.after is None else "both"

    @property
    def changed(self) -> NDArray[np.int64]:
        """Places of the intervals whose value or status differs, of a day that both have."""
        assert self.before is not None
        assert self.after is not None
        return np.flatnonzero((self.before.wh != self.after.wh) | (self.before.estimated != self.after.estimated))

    def to_json(self) -> dict[str, Any]:
        """For ``--json``. Energy in Wh."""
        told = {"esiid": self.key.esiid, "channel": int(self.key.channel), "operating_day": self.key.day.isoformat()}
        told["in"] = self.where
        if self.before is None or self.after is None:
            return told
        pair = (self.before, self.after)
        return told | {
            "start_reading_wh": [one.start_reading_wh for one in pair],
            "stop_reading_wh": [one.stop_reading_wh for one in pair],
            "total_wh": [int(one.wh.sum()) for one in pair],
            "intervals": [
                {
                    "start": iso(day_start(self.key.day) + at * INTERVAL_S),
                    "wh": [int(one.wh[at]) for one in pair],
                    "status": [_status(one, at) for one in pair],
                }
                for at in self.changed.tolist()
            ],
        }

    def lines(self, *, every: bool) -> Iterator[str]:
        """What changed, an interval a line. every: all of them."""
        what = f"{self.key.esiid} channel {int(self.key.channel)} {self.key.day}"
        if self.before is None or self.after is None:
            yield f"{what}: in the {self.where} file alone"
            return
        places = self.changed.tolist()
        totals = f"{kwh(int(self.before.wh.sum()))} -> {kwh(int(self.after.wh.sum()))} kWh"
        yield f"{what}: {len(places)} of {len(self.after.wh)} intervals, {totals}"
        for name in ("start_reading_wh", "stop_reading_wh"):
            was, is_now = getattr(self.before, name), getattr(self.after, name)
            if was != is_now:
                yield f"  {name.removesuffix('_wh').replace('_', ' ')}  {kwh(was)} -> {kwh(is_now)}"
        shown = places if every else places[:_MOST]
        for at in shown:
            begins = local(day_start(self.key.day) + at * INTERVAL_S)
            was, is_now = (f"{kwh(int(one.wh[at]))} {_status(one, at)}" for one in (self.before, self.after))
            yield f"  {begins:%H:%M %Z}  {was} -> {is_now}"
        if len(shown) < len(places):
            yield f"  {len(places) - len(shown)} more: --all tells them"


def differences(before: Sequence[LseRecord], after: Sequence[LseRecord]) -> list[Difference]:
    """What differs, by ESI ID, day and channel. When a record was made does not count."""
    one, other = (
        {record.key: record for record in sorted(records, key=lambda each: each.posted_at)}
        for records in (before, after)
    )
    keys = sorted(one.keys() | other.keys(), key=lambda key: (key.esiid, key.day, -key.channel))
    found = (Difference(key, one.get(key), other.get(key)) for key in keys)
    return [each for each in found if each.before is None or each.after is None or not _same(each.before, each.after)]


def _same(one: LseRecord, other: LseRecord) -> bool:
    registers = [(each.start_reading_wh, each.stop_reading_wh) for each in (one, other)]
    return (
        registers[0] == registers[1]
        and np.array_equal(one.wh, other.wh)
        and np.array_equal(one.estimated, other.estimated)
    )


def _status(record: LseRecord, at: int) -> str:
    return "E" if record.estimated[at] else "A"
