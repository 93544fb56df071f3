"""A day's requests in numbers: where they stand, and how long those took that have ended."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import ceil
from typing import NamedTuple

from meters.calendar import Micros, fraction_s
from simulator.smt.ondemand.lifecycle import State


@dataclass(slots=True)
class DayTally:
    """Of the requests that were submitted on one day."""

    states: Counter[State] = field(default_factory=Counter)
    #: By code.
    refusals: Counter[str] = field(default_factory=Counter)
    #: Microseconds of model time from submission to end, by how it ended.
    took_us: defaultdict[State, list[Micros]] = field(default_factory=lambda: defaultdict(list))


class Spans(NamedTuple):
    """How many, and of their times the middle, the one that 19 of 20 do not pass, and the longest: seconds; None of none."""

    many: int
    p50_s: float | None = None
    p95_s: float | None = None
    longest_s: float | None = None


def tally_of(tally: DayTally, states: Sequence[State]) -> Spans:
    """The times of the requests that ended in one of these states."""
    taken = sorted(span for state in states for span in tally.took_us[state])
    if not taken:
        return Spans(0)

    def at(share: float) -> float:
        return fraction_s(taken[ceil(share * len(taken)) - 1])

    return Spans(len(taken), at(0.5), at(0.95), at(1.0))
