"""The ledger of faults: what was done to whom and when, against which VEE is scored. JSON for people, Parquet for millions."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from meters.calendar import INTERVAL_S, Seconds, floor_interval, iso
from meters.faults.fault import Fault


@dataclass(frozen=True, slots=True)
class Effect:
    """What a fault did to the delivered energy of its span, Wh: what was used, and what the meter shows."""

    true_wh: int
    shown_wh: int


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """The ground truth about one fault."""

    esiid: str
    meter_number: str
    kind: str
    layer: str
    #: UTC epoch seconds at which the first and the last interval that it touches end.
    first_end: Seconds
    last_end: Seconds
    #: Intervals from first to last, both included.
    intervals: int
    params: dict[str, float]
    #: The other meter of a swap.
    other: str = ""
    #: Of faults of power and intervals; None for the rest.
    effect: Effect | None = None

    def to_json(self) -> dict[str, Any]:
        """JSON values; the two ends as epoch seconds and in local time."""
        entry: dict[str, Any] = {
            "esiid": self.esiid,
            "meter_number": self.meter_number,
            "kind": self.kind,
            "layer": self.layer,
            "first_end": self.first_end,
            "last_end": self.last_end,
            "first_end_local": iso(self.first_end),
            "last_end_local": iso(self.last_end),
            "intervals": self.intervals,
            "params": self.params,
        }
        if self.other:
            entry["other"] = self.other
        if self.effect is not None:
            entry |= {"true_wh": self.effect.true_wh, "shown_wh": self.effect.shown_wh}
        return entry


def entry(fault: Fault, meter_number: str, run: tuple[Seconds, Seconds], effect: Effect | None = None) -> LedgerEntry:
    """The entry of one fault, as far as it lies in the run (UTC epoch seconds, [from, to))."""
    first = max(fault.first, run[0])
    until = max(min(fault.until, run[1]), first + 1)
    first_end = floor_interval(first) + INTERVAL_S
    last_end = -(-until // INTERVAL_S) * INTERVAL_S
    return LedgerEntry(
        fault.esiid,
        meter_number,
        str(fault.kind),
        str(fault.row.layer),
        first_end,
        last_end,
        (last_end - first_end) // INTERVAL_S + 1,
        dict(fault.params),
        fault.other,
        effect,
    )


def ordered(entries: Iterable[LedgerEntry]) -> list[LedgerEntry]:
    """By ESI ID, time and kind: the order of a ledger."""
    return sorted(entries, key=lambda entry: (entry.esiid, entry.first_end, entry.kind))


def write_json(entries: Sequence[LedgerEntry], path: Path) -> None:
    """Write the ledger as a JSON list, one entry a line."""
    lines = ",\n".join(json.dumps(entry.to_json(), sort_keys=True) for entry in entries)
    with _whole(path) as part:
        part.write_text(f"[\n{lines}\n]\n" if lines else "[]\n")


def write_parquet(entries: Sequence[LedgerEntry], path: Path) -> None:
    """Write the ledger as Parquet: the JSON's columns, instants as UTC timestamps, params as a JSON text."""
    # A tenth of a second to import, and few commands need it.
    import pyarrow as pa
    import pyarrow.parquet as pq

    instant = pa.timestamp("s", "UTC")
    columns: list[tuple[str, Any, list[Any]]] = [
        ("esiid", pa.string(), [entry.esiid for entry in entries]),
        ("meter_number", pa.string(), [entry.meter_number for entry in entries]),
        ("kind", pa.string(), [entry.kind for entry in entries]),
        ("layer", pa.string(), [entry.layer for entry in entries]),
        ("first_end", instant, [entry.first_end for entry in entries]),
        ("last_end", instant, [entry.last_end for entry in entries]),
        ("intervals", pa.int32(), [entry.intervals for entry in entries]),
        ("params", pa.string(), [json.dumps(entry.params, sort_keys=True) for entry in entries]),
        ("other", pa.string(), [entry.other for entry in entries]),
        ("true_wh", pa.int64(), [None if entry.effect is None else entry.effect.true_wh for entry in entries]),
        ("shown_wh", pa.int64(), [None if entry.effect is None else entry.effect.shown_wh for entry in entries]),
    ]
    with _whole(path) as part:
        pq.write_table(pa.table({name: pa.array(values, kind) for name, kind, values in columns}), part)


@contextmanager
def _whole(path: Path) -> Iterator[Path]:
    """A name to write under; the file takes its own name when it is whole, so that nobody reads half a ledger."""
    part = path.with_name(f".{path.name}.part")
    yield part
    part.replace(path)
