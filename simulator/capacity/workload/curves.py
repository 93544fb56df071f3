"""How many ask in each hour of a span: the shipped curves by kind of day, and a curve of one's own.

An hour is a real one, called as the clock shows it: the repeated hour of autumn has its calls twice, the skipped one of spring none.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from headend.wire import InquiryKind
from meters.calendar import Seconds, day_end, day_of, day_start, instants, local, seconds
from simulator.errors import SimulatorError
from simulator.input.mistakes import did_you_mean
from simulator.smt.throttle.limits import RequesterClass

HOUR_S = seconds(3600)
Floats = NDArray[np.float64]
W = TypeVar("W", bound=str)


@dataclass(frozen=True, slots=True)
class Hours:
    """The real hours of whole operating days, in order."""

    begins: tuple[Seconds, ...]
    day: tuple[date, ...]
    #: As the clock shows it.
    hour: tuple[int, ...]

    def __len__(self) -> int:
        """Count of hours: 23, 24 or 25 a day."""
        return len(self.begins)


def hours_of(first: date, count: int) -> Hours:
    """The hours of so many days."""
    begins = tuple(instants(day_start(first), day_end(first + timedelta(days=count - 1)), HOUR_S))
    shown = [local(at) for at in begins]
    return Hours(begins, tuple(one.date() for one in shown), tuple(one.hour for one in shown))


def hours_at(at: NDArray[np.int64]) -> tuple[Hours, NDArray[np.intp]]:
    """The hours of the days from the first of some instants to the last (epoch seconds, one at least), and (n,) in which of them each lies."""
    first, last = day_of(seconds(at.min())), day_of(seconds(at.max()))
    hours = hours_of(first, (last - first).days + 1)
    return hours, np.searchsorted(hours.begins, at, side="right") - 1


@cache
def shipped_curves() -> dict[str, Floats]:
    """By name (3, 24): weekday, Saturday, Sunday by hour, as parts of a weekday's calls. Defaults of this project; the peak of ``calls`` is DOMAIN §11's."""
    found: dict[str, Floats] = {}
    with Path(__file__).with_name("curves.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            curve = found.setdefault(row["curve"], np.zeros((3, 24)))
            curve[:, int(row["hour"])] = [int(row[kind]) / 1000 for kind in ("weekday", "saturday", "sunday")]
    return found


def by_hour(curve: str, hours: Hours) -> Floats:
    """(hours,) parts of a weekday's calls that each hour has."""
    of_kind = shipped_curves()[curve]
    kinds = [max(0, day.weekday() - 4) for day in hours.day]
    parts: Floats = of_kind[kinds, hours.hour]
    return parts


def by_hour_of_day(curve: str, hours: Hours, day: date) -> Floats:
    """(hours,) parts of one day's calls, which add up to 1 over that day."""
    parts = by_hour(curve, hours) * np.asarray([one == day for one in hours.day])
    of_day: Floats = parts / (parts.sum() or 1.0)
    return of_day


@dataclass(frozen=True, slots=True)
class OwnCurve:
    """One class's calls of one kind by the hour."""

    requester_class: RequesterClass
    kind: InquiryKind
    #: (hours,) expected calls.
    calls: Floats


def read_curve(
    path: Path, hours: Hours, kind_of: Callable[[RequesterClass], InquiryKind]
) -> tuple[list[OwnCurve], list[SimulatorError]]:
    """A CSV file of columns ``hour,class,calls``, with ``day`` and ``kind`` where wanted; every mistake with its line.

    Without ``day`` a row holds for every day of the span. The calls of a clock hour that comes twice are shared by both. kind_of: what a class asks for unless told.
    """
    found: dict[tuple[RequesterClass, InquiryKind], Floats] = {}
    mistakes: list[SimulatorError] = []
    seen: dict[tuple[str, ...], int] = {}
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = csv.DictReader(file)
        lacking = [name for name in ("hour", "class", "calls") if name not in (rows.fieldnames or ())]
        if lacking:
            mend = "Begin the file with the line hour,class,calls; day and kind may be further columns."
            return [], [_wrong(path, 1, f"The curve has no column {', '.join(lacking)}.", mend)]
        for row in rows:
            cells = {name: (row.get(name) or "").strip() for name in ("day", "hour", "class", "kind", "calls")}
            try:
                asker = _word(cells["class"], list(RequesterClass), "class")
                kind = _word(cells["kind"].upper(), list(InquiryKind), "kind") if cells["kind"] else kind_of(asker)
                at = _hours_named(cells["day"], cells["hour"], hours)
                calls = _calls(cells["calls"])
                key = (cells["day"], str(int(cells["hour"])), asker, kind)
                if key in seen:
                    raise _Wrong(f"This hour of {asker} stands in line {seen[key]} already.", "Leave one of the two.")
            except _Wrong as wrong:
                mistakes.append(_wrong(path, rows.line_num, *wrong.args))
                continue
            seen[key] = rows.line_num
            own = found.setdefault((asker, kind), np.zeros(len(hours)))
            for day in {hours.day[one] for one in at}:
                twice = [one for one in at if hours.day[one] == day]
                own[twice] += calls / len(twice)
    if not found and not mistakes:
        mistakes.append(_wrong(path, 1, "The curve has no row.", "Add lines such as 17,ror_call_centre,374."))
    return [OwnCurve(*key, calls) for key, calls in found.items()], mistakes


class _Wrong(Exception):  # noqa: N818 (never leaves this module)
    """What is wrong with a cell, and the mend."""


def _wrong(path: Path, line: int, message: str, mend: str) -> SimulatorError:
    return SimulatorError("capacity.workload.curve", message, f"{path}:{line}", mend)


def _word(text: str, known: Sequence[W], what: str) -> W:
    for one in known:
        if text == one:
            return one
    raise _Wrong(f"'{text}' is no {what}.", did_you_mean(text, known))


def _calls(text: str) -> float:
    try:
        calls = float(text)
    except ValueError:
        calls = -1.0
    if not 0 <= calls <= 1e8:
        raise _Wrong(f"'{text}' is no count of calls.", "Write a number from 0 to 100,000,000.")
    return calls


def _hours_named(day: str, hour: str, hours: Hours) -> list[int]:
    """The real hours that a row means."""
    if not (hour.isascii() and hour.isdigit() and int(hour) < 24):
        raise _Wrong(f"'{hour}' is no hour of the day.", "Write 0 to 23, as the clock shows it.")
    try:
        of_day = date.fromisoformat(day) if day else None
    except ValueError:
        raise _Wrong(f"'{day}' is no day.", "Write it as 2026-08-12.") from None
    if of_day is not None and of_day not in hours.day:
        raise _Wrong(f"{day} is not of {hours.day[0]} to {hours.day[-1]}.", "Name a day of the span.")
    at = [one for one in range(len(hours)) if hours.hour[one] == int(hour) and of_day in (None, hours.day[one])]
    if not at:
        raise _Wrong(
            f"There is no hour {hour} on {of_day or hours.day[0]}: clocks go forward over it.", "Leave the row out."
        )
    return at
