"""The records of a file as a table, and a day of one ESI ID as a chart: load above the axis, generation below it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from headend.lse.format import DayKey, LseRecord
from headend.vee.quality import Channel
from meters.calendar import INTERVAL_S, interval_ends, iso
from reports.text_chart import Glyphs, Mark, chart

if TYPE_CHECKING:
    from rich.text import Text

_HEAD = (
    f"{'line':>7}  {'ESI ID':<22}  {'ch':>2}  {'day':<10}  {'start kWh':>14}  {'stop kWh':>14}  {'kWh':>12}  {'E':>3}"
)
_ESTIMATED = Mark("estimated", "E", "estimated")
#: Days that are drawn at most.
MOST_CHARTS = 7


def kwh(wh: int | None) -> str:
    """With three decimals; ``-`` for none."""
    return "-" if wh is None else f"{wh / 1000:,.3f}"


@dataclass(frozen=True, slots=True, eq=False)
class _Day:
    """A day of an ESI ID, as a chart takes it."""

    starts: NDArray[np.int64]
    delivered: NDArray[np.int64]
    received: NDArray[np.int64]
    present: NDArray[np.bool_]
    marks: Sequence[Sequence[Mark]]
    mark_order: Sequence[Mark] = (_ESTIMATED,)
    outdoors: NDArray[np.float64] | None = None


def table(records: Sequence[LseRecord], most: int) -> Iterator[str]:
    """A head and at most so many records, a line each; then how many more there are."""
    yield f"{_HEAD}  made"
    for one in records[:most]:
        readings = f"{kwh(one.start_reading_wh):>14}  {kwh(one.stop_reading_wh):>14}"
        sums = f"{kwh(int(one.wh.sum())):>12}  {int(one.estimated.sum()):>3}"
        about = f"{one.line:>7}  {one.esiid:<22}  {int(one.channel):>2}  {one.day}"
        yield f"{about}  {readings}  {sums}  {iso(one.posted_at)[:19]}"
    if len(records) > most:
        yield f"{len(records) - most:,} more: --all shows them"


def charts(records: Sequence[LseRecord], width: int, glyphs: Glyphs) -> Iterator[str | Text]:
    """The days of the records, the latest record of each channel, by ESI ID and day."""
    latest = {record.key: record for record in sorted(records, key=lambda one: one.posted_at)}
    days = sorted({(key.esiid, key.day) for key in latest})
    for esiid, day in days[:MOST_CHARTS]:
        sides = [latest.get(DayKey(esiid, channel, day)) for channel in (Channel.LOAD, Channel.GENERATION)]
        drawn = _day(day, sides)
        yield ""
        yield f"ESI ID {esiid}, {day:%a} {day}, {len(drawn.starts)} intervals"
        yield from chart(drawn, width, glyphs)
        if any(drawn.marks):
            yield f"  {_ESTIMATED.letter}  {_ESTIMATED.says}"
    if len(days) > MOST_CHARTS:
        yield f"{len(days) - MOST_CHARTS} days more: --date chooses one"


def to_json(record: LseRecord) -> dict[str, Any]:
    """A record with its intervals. Energy in Wh."""
    return {
        "line": record.line,
        "esiid": record.esiid,
        "channel": int(record.channel),
        "operating_day": record.day.isoformat(),
        "start_reading_wh": record.start_reading_wh,
        "stop_reading_wh": record.stop_reading_wh,
        "made": iso(record.posted_at),
        "wh": record.wh.tolist(),
        "status": "".join(np.where(record.estimated, "E", "A").tolist()),
    }


def _day(day: date, sides: Sequence[LseRecord | None]) -> _Day:
    starts = interval_ends(day) - INTERVAL_S
    nothing = np.zeros(len(starts), np.int64)
    load, generation = (nothing if one is None else one.wh.astype(np.int64) for one in sides)
    estimated = np.any([one.estimated for one in sides if one is not None], axis=0)
    marks = [(_ESTIMATED,) if each else () for each in estimated]
    return _Day(starts, load, generation, np.ones(len(starts), np.bool_), marks)
