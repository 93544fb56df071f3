"""Which access points are out when, by a curve of meters without power: whole areas go out side by side, and come back one here, one there."""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from meters.calendar import Seconds, epoch, rounded_us, to_us
from meters.errors import UserError
from meters.identity import mixed
from simulator.capacity.workload.fleet import Fleet
from simulator.capacity.workload.never import NEVER_US
from simulator.errors import SimulatorError

Longs = NDArray[np.int64]


class Point(NamedTuple):
    """How many meters are without power at an instant (UTC epoch seconds)."""

    at: Seconds
    out: float


@dataclass(frozen=True, slots=True, eq=False)
class Outages:
    """(m,) each, ascending in from_us: an access point with all its meters from when to when, microseconds since the epoch."""

    access_point: NDArray[np.int16]
    from_us: Longs
    #: ``NEVER_US`` of one that stays out.
    to_us: Longs
    #: From when on the head-end knows of a meter whose last gasp was heard.
    told_us: Longs
    #: Share of the meters whose last gasp is heard.
    heard: float
    seed: int

    def __len__(self) -> int:
        """Count of outages."""
        return len(self.access_point)

    def dark(self, points: NDArray[np.int64], at_us: Longs) -> NDArray[np.bool_]:
        """(n,) whether each of these access points is out at an instant of its own."""
        order = np.lexsort((self.from_us, self.access_point))
        point, begins, ends = self.access_point[order].astype(np.int64), self.from_us[order], self.to_us[order]
        # An outage's place among those of its own access point: that point's first, and how many began before.
        found = np.zeros(len(points), dtype=np.bool_)
        first, last = np.searchsorted(point, points), np.searchsorted(point, points, side="right")
        for turn in range(int((last - first).max(initial=0))):
            at = np.flatnonzero(first + turn < last)
            one = first[at] + turn
            found[at] |= (begins[one] <= at_us[at]) & (at_us[at] < ends[one])
        return found

    def gasped(self, esi: NDArray[np.int32]) -> NDArray[np.bool_]:
        """(n,) whether the head-end hears a meter's last gasp: of each meter the same whenever it is asked."""
        return mixed(esi.astype(np.uint64) ^ np.uint64(self.seed % 2**64)) < np.uint64(
            int(self.heard * (2**64 - 2**11))
        )

    def meters_out(self, fleet: Fleet, at_us: Longs) -> Longs:
        """(n,) meters without power at each instant."""
        sizes = np.asarray([fleet.meters_at(point)[1] for point in self.access_point.tolist()], dtype=np.int64)
        begun, over = np.argsort(self.from_us), np.argsort(self.to_us)
        total = np.concatenate([[0], np.cumsum(sizes[begun])]), np.concatenate([[0], np.cumsum(sizes[over])])
        out: Longs = (
            total[0][np.searchsorted(self.from_us[begun], at_us, side="right")]
            - total[1][np.searchsorted(self.to_us[over], at_us, side="right")]
        )
        return out


def outages_of(
    fleet: Fleet,
    company: int,
    curve: Sequence[Point],
    rng: np.random.Generator,
    *,
    heard: float = 0.0,
    told_after_s: float = 0.0,
    seed: int = 0,
) -> Outages:
    """Put a curve into access points of one company, to the nearest whole one.

    curve: ascending; before its first point nobody is out, between two it is straight, after the last it stays.
    """
    per_point = fleet.companies[company].meters_per_point
    first = int(fleet.first_point[company])
    points = np.roll(np.arange(fleet.companies[company].points), -int(rng.integers(fleet.companies[company].points)))
    well, out = deque((first + points).tolist()), dict[int, int]()
    rows: list[tuple[int, int, int]] = []
    for at_us, goes_out in _steps(curve, per_point):
        if goes_out:
            out[well.popleft()] = at_us
            continue
        point = list(out)[int(rng.integers(len(out)))]
        rows.append((out.pop(point), at_us, point))
        well.append(point)
    rows = sorted(rows + [(from_us, NEVER_US, point) for point, from_us in out.items()])
    begins, ends, which = (
        (np.asarray(column, dtype=np.int64) for column in zip(*rows, strict=True)) if rows else (_NONE,) * 3
    )
    return Outages(which.astype(np.int16), begins, ends, begins + rounded_us(told_after_s), heard, seed)


_NONE = np.zeros(0, dtype=np.int64)
NO_OUTAGES = Outages(_NONE.astype(np.int16), _NONE, _NONE, _NONE, 0.0, 0)


def _steps(curve: Sequence[Point], per_point: int) -> Iterator[tuple[int, bool]]:
    """When one more access point goes out (True) or comes back: where the curve crosses half of one."""
    jump = [Point(curve[0].at, 0.0), *curve] if curve else []
    for one, other in pairwise(jump):
        low, high = (round(min(one.out, other.out) / per_point), round(max(one.out, other.out) / per_point))
        rises = other.out > one.out
        levels = range(low, high) if rises else reversed(range(low, high))
        for level in levels:
            part = ((level + 0.5) * per_point - one.out) / (other.out - one.out)
            yield to_us(one.at) + round(min(max(part, 0.0), 1.0) * to_us(other.at - one.at)), rises


def read_outage_curve(path: Path) -> tuple[list[Point], list[SimulatorError]]:
    """A CSV file of columns ``at`` (local, or with an offset) and ``out`` (meters), further ones left alone; every mistake with its line."""
    points: list[Point] = []
    mistakes: list[SimulatorError] = []

    def wrong(line: int, message: str, mend: str) -> None:
        mistakes.append(SimulatorError("capacity.workload.outage_curve", message, f"{path}:{line}", mend))

    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = csv.DictReader(file)
        if not {"at", "out"} <= set(rows.fieldnames or ()):
            wrong(1, "The file has no columns at and out.", "Begin it with the line at,out.")
            return [], mistakes
        for row in rows:
            try:
                point = Point(epoch(row["at"] or ""), float(row["out"] or ""))
            except UserError as error:
                wrong(rows.line_num, error.message, error.mend)
            except ValueError:
                wrong(rows.line_num, f"'{row['out'] or ''}' is no count of meters.", "Write it in digits.")
            else:
                if not 0 <= point.out < 1e9:
                    wrong(rows.line_num, f"{row['out']} is no count of meters.", "Write a number from 0 on.")
                elif points and point.at < points[-1].at:
                    wrong(rows.line_num, f"{row['at']} is before the line above.", "Put the lines in order of time.")
                points.append(point)
    if not points and not mistakes:
        wrong(1, "The file has no point.", "Add lines such as 2026-08-12T16:00,200000.")
    return points, mistakes
