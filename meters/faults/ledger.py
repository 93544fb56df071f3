"""The ledger of faults: what was done to whom and when, against which VEE is scored. JSON for people, Parquet for millions."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from meters.calendar import INTERVAL_S, Seconds, floor_interval, iso, seconds
from meters.faults.fault import Happening
from meters.faults.kinds import Layer

#: The ledgers of faults and of look-alikes.
FILES = ("faults.json", "faults.parquet", "lookalikes.json", "lookalikes.parquet")


@dataclass(frozen=True, slots=True)
class Effect:
    """What a fault did to the intervals whose values are its doing, Wh: each interval and channel of a meter is the doing of one fault at most."""

    #: Delivered, LSE channel 4: what flowed, and what the meter shows.
    true_wh: int
    shown_wh: int
    #: Received, LSE channel 1.
    true_received_wh: int = 0
    shown_received_wh: int = 0
    #: The sum over intervals and channels of what they are wrong by, whichever way.
    wrong_wh: int = 0


@dataclass(frozen=True, slots=True)
class Ends:
    """The registers at the ends of a fault's span, or a second before an instant and at it; Wh, delivered and received."""

    before: tuple[int, int]
    after: tuple[int, int]
    #: Of an exchange: the number of the meter that comes.
    new_number: str = ""


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """The ground truth about one fault."""

    esiid: str
    #: Of the meter that it befell.
    meter_number: str
    kind: str
    layer: str
    #: Of a fault of intervals: delivered, received or both.
    channel: str
    #: UTC epoch seconds at which the first and the last interval that it touches end.
    first_end: Seconds
    last_end: Seconds
    #: Intervals from first to last, both included.
    intervals: int
    params: dict[str, float]
    #: The other meter of a swap.
    other: str = ""
    #: None where no interval is its doing.
    effect: Effect | None = None
    ends: Ends | None = None
    #: Of a flaky meter: the operating days of its span on which it does not answer, ISO dates.
    silent_days: tuple[str, ...] = ()
    #: Of a look-alike: the midnight of which the meter holds no registers, ISO date.
    unread: str = ""

    def values(self) -> dict[str, Any]:
        """The columns in their order, None where there is nothing to say."""
        effect, ends = self.effect, self.ends
        before, after = (ends.before, ends.after) if ends else ((None, None), (None, None))
        return {
            "esiid": self.esiid,
            "meter_number": self.meter_number,
            "kind": self.kind,
            "layer": self.layer,
            "channel": self.channel or None,
            "first_end": self.first_end,
            "last_end": self.last_end,
            "intervals": self.intervals,
            "params": self.params,
            "other": self.other or None,
            **{name: getattr(effect, name, None) for name in Effect.__slots__},
            "register_before_wh": before[0],
            "register_after_wh": after[0],
            "received_before_wh": before[1],
            "received_after_wh": after[1],
            "new_meter_number": (ends.new_number if ends else "") or None,
            "silent_days": list(self.silent_days) or None,
            "unread": self.unread or None,
        }

    def to_json(self) -> dict[str, Any]:
        """JSON values of what there is to say; the two ends as epoch seconds and in local time."""
        said = {name: value for name, value in self.values().items() if value is not None}
        return said | {"first_end_local": iso(self.first_end), "last_end_local": iso(self.last_end)}


def entry(
    fault: Happening,
    meter_number: str,
    run: tuple[Seconds, Seconds],
    effect: Effect | None = None,
    ends: Ends | None = None,
    silent_days: Sequence[date] = (),
    unread: date | None = None,
) -> LedgerEntry:
    """The entry of one fault or look-alike, as far as it lies in the run (UTC epoch seconds, [from, to))."""
    first = max(fault.first, run[0])
    until = max(min(fault.until, run[1]), first + 1)
    first_end = floor_interval(first) + INTERVAL_S
    last_end = -(-until // INTERVAL_S) * INTERVAL_S
    return LedgerEntry(
        fault.esiid,
        meter_number,
        str(fault.kind),
        str(fault.row.layer),
        str(fault.channel or ""),
        first_end,
        last_end,
        (last_end - first_end) // INTERVAL_S + 1,
        dict(fault.params),
        fault.other,
        effect,
        ends,
        tuple(map(str, silent_days)),
        str(unread or ""),
    )


def ordered(entries: Iterable[LedgerEntry]) -> list[LedgerEntry]:
    """By ESI ID, time and kind: the order of a ledger."""
    return sorted(entries, key=lambda entry: (entry.esiid, entry.first_end, entry.kind))


def write(entries: Iterable[LedgerEntry], folder: Path) -> None:
    """Write ``FILES`` into a folder: the ledger of faults, and that of look-alikes, which are none."""
    kept = ordered(entries)
    faults, lookalikes = (
        [entry for entry in kept if (entry.layer == Layer.PREMISE) is alike] for alike in (False, True)
    )
    write_json(faults, folder / FILES[0])
    write_parquet(faults, folder / FILES[1])
    write_json(lookalikes, folder / FILES[2])
    write_parquet(lookalikes, folder / FILES[3])


def write_json(entries: Sequence[LedgerEntry], path: Path) -> None:
    """Write the ledger as a JSON list, one entry a line."""
    lines = ",\n".join(json.dumps(entry.to_json(), sort_keys=True) for entry in entries)
    with _whole(path) as part:
        part.write_text(f"[\n{lines}\n]\n" if lines else "[]\n")


def write_parquet(entries: Sequence[LedgerEntry], path: Path) -> None:
    """Write the ledger as Parquet: the JSON's columns, instants as UTC timestamps, params as a JSON text, silent days as a list."""
    # A tenth of a second to import, and few commands need it.
    import pyarrow as pa
    import pyarrow.json as pj
    import pyarrow.parquet as pq

    instant, text, whole = pa.timestamp("s", "UTC"), pa.string(), pa.int64()
    types = {"first_end": instant, "last_end": instant, "intervals": pa.int32(), "silent_days": pa.list_(text)}
    blank = LedgerEntry("", "", "", "", "", seconds(0), seconds(0), 0, {}).values()
    schema = pa.schema([(name, types.get(name, whole if name.endswith("_wh") else text)) for name in blank])
    rows = [
        one.values()
        | {"params": json.dumps(one.params, sort_keys=True)}
        | {name: datetime.fromtimestamp(getattr(one, name), UTC).isoformat() for name in ("first_end", "last_end")}
        for one in entries
    ]
    # Of Python's lists pyarrow makes none before it has looked for pandas, which where it is there takes up to seconds of a stop.
    lines, options = "\n".join(map(json.dumps, rows)).encode(), pj.ParseOptions(explicit_schema=schema)
    table = pj.read_json(pa.BufferReader(lines), parse_options=options) if rows else pa.Table.from_batches([], schema)
    with _whole(path) as part:
        pq.write_table(table, part)


@contextmanager
def _whole(path: Path) -> Iterator[Path]:
    """A name to write under; the file takes its own name when it is whole, so that nobody reads half a ledger."""
    part = path.with_name(f".{path.name}.part")
    yield part
    part.replace(path)
