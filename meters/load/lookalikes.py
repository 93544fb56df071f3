"""What look-alikes do to a premise's load: true use, in intervals and registers, that looks like a fault.

Each takes the load beneath it from an instant to another and puts something else there; after it, registers differ by a number
that follows from the load's registers at the two ends and, at most, the days that they lie in. So a register costs the same
however long a look-alike lasts and however long ago it was: O(1) for each that is declared of the premise.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from meters.calendar import INTERVAL_S, Seconds, day_of, day_start
from meters.errors import MeterError
from meters.faults.kinds import LookalikeKind
from meters.faults.lookalike import Lookalike
from meters.faults.rules import FaultRule, Roster, lookalikes
from meters.identity import Premise
from meters.load.premises import service_wh
from meters.load.truth import DayLoad, PremiseLoad

Wh = NDArray[np.int64]


def with_lookalikes(
    load: PremiseLoad, alike: Iterable[Lookalike], premise: Premise, multiplier: int = 1
) -> PremiseLoad:
    """The load with what is declared of its premise; what happens under a roof needs one. multiplier: of its meter."""
    for one in sorted(alike, key=lambda one: (one.first, one.kind)):
        if fits(one, premise):
            load = (
                _WithPeak(load, one, multiplier) if one.kind is LookalikeKind.PEAK else _Without(load, one, multiplier)
            )
    return load


def fits(lookalike: Lookalike, premise: Premise) -> bool:
    """Whether it can be at a premise."""
    return lookalike.kind is not LookalikeKind.ROOF_ZEROS or premise.solar_w > 0


def refuse_roofless(
    rules: Sequence[FaultRule], seed: int, roster: Roster, premise_of: Callable[[str], Premise]
) -> None:
    """Raise MeterError for a rule that names a premise without a roof where one is needed. premise_of: by ESI ID."""
    for rule in rules:
        if rule.kind is LookalikeKind.ROOF_ZEROS and (rule.meters or rule.esiids):
            for one in lookalikes([rule], seed, roster):
                if not fits(one, premise_of(one.esiid)):
                    text = f"The premise {one.esiid} has no roof."
                    mend = "Name one that has ('ami meters list' tells roofs), or give a rate."
                    raise MeterError("meters.lookalike.roof", text, place=rule.place, mend=mend)


class _WithPeak:
    """A load one of whose days has a peak; what it takes the day's other intervals lack, so no register differs."""

    def __init__(self, load: PremiseLoad, peak: Lookalike, multiplier: int) -> None:
        self._load, self._peak = load, peak
        self._day = day_of(peak.first)
        self._most = service_wh(multiplier)
        self.registers, self.thermal = load.registers, load.thermal

    def day(self, day: date) -> DayLoad:
        """As in ``PremiseLoad``."""
        load = self._load.day(day)
        if day != self._day:
            return load
        at = (self._peak.first - day_start(day)) // INTERVAL_S
        others = load.delivered.astype(np.int64)
        total, others[at] = int(others.sum()), 0
        # The others shrink in proportion, and with them the third highest, which is their second.
        high = self._peak.params["factor"] * float(np.sort(others)[-2])
        rest = int(others.sum())
        peak = min(int(high * total / (rest + high)), self._most) if rest else total
        if peak <= load.delivered[at]:
            return load
        made = _shared(total - peak, others)
        made[at] = peak
        return DayLoad(made.astype(np.int32), load.received)


class _Without:
    """A load in which something else is used from an instant to another. What is given to the grid stays."""

    def __init__(self, load: PremiseLoad, one: Lookalike, grain: int) -> None:
        self._load, self._one, self._grain = load, one, grain
        self._first, self._last = day_of(one.first), day_of(one.until - 1)

    def registers(self, day: date) -> tuple[int, int]:
        """As in ``PremiseLoad``."""
        delivered, received = self._load.registers(day)
        if day > self._first:
            until = min(day_start(day), self._one.until)
            delivered += self._instead(until) - self._usual(until)
        return delivered, received

    def day(self, day: date) -> DayLoad:
        """As in ``PremiseLoad``."""
        load = self._load.day(day)
        if not self._first <= day <= self._last:
            return load
        begins = day_start(day)
        low = max(self._one.first - begins, 0) // INTERVAL_S
        high = min((self._one.until - begins) // INTERVAL_S, len(load.delivered))
        total = self._instead(begins + high * INTERVAL_S) - self._instead(begins + low * INTERVAL_S)
        made = load.delivered.astype(np.int64)
        made[low:high] = _shared(total, self._weights(made)[low:high])
        return DayLoad(made.astype(np.int32), load.received)

    def thermal(self, day: date) -> NDArray[np.float64]:
        """As in ``PremiseLoad``: what takes the load's place needs no weather."""
        share = self._load.thermal(day)
        return share * 0.0 if self._first <= day <= self._last else share

    def _weights(self, wh: Wh) -> Wh:
        """(n,) how a day's use is spread, from what would be used."""
        if self._one.kind is LookalikeKind.VACATION:
            # Machines that never rest go on and off: no two quarter hours alike.
            return np.minimum(wh, _base(wh)) * (76 + wh % 49)
        return np.ones_like(wh)

    def _usual(self, at: Seconds) -> int:
        """Wh that would be used from its beginning to the bound of an interval."""
        return self._delivered(at) - self._began

    def _instead(self, at: Seconds) -> int:
        """Wh that are used from its beginning to the bound of an interval."""
        return int(self._level * ((at - self._one.first) // INTERVAL_S))

    @cached_property
    def _began(self) -> int:
        return self._delivered(self._one.first)

    @cached_property
    def _level(self) -> float:
        """Wh of an interval, on the average: base load by the day on which it begins; or what would be used, in whole pulses."""
        if self._one.kind is LookalikeKind.VACATION:
            wh = self._load.day(self._first).delivered.astype(np.int64)
            return float(np.minimum(wh, _base(wh)).mean())
        if self._one.kind is LookalikeKind.CONSTANT:
            count = (self._one.until - self._one.first) // INTERVAL_S
            return max(round(self._usual(self._one.until) / count / self._grain), 1) * self._grain
        return 0.0

    def _delivered(self, at: Seconds) -> int:
        """Wh of the load beneath since the era at the bound of an interval."""
        day = day_of(at)
        passed = (at - day_start(day)) // INTERVAL_S
        within = int(self._load.day(day).delivered[:passed].sum(dtype=np.int64)) if passed else 0
        return self._load.registers(day)[0] + within


def _base(wh: Wh) -> int:
    """Wh of a day's least tenth of intervals in which anything is drawn."""
    drawn = np.sort(wh[wh > 0])
    return int(drawn[: max(len(drawn) // 10, 1)].mean()) if len(drawn) else 0


def _shared(total: int, weights: Wh) -> Wh:
    """(n,) a total, cut where the running sum of the weights says."""
    whole = int(weights.sum())
    if not whole:
        weights, whole = np.ones_like(weights), len(weights)
    return np.diff(np.array([int(running) * total // whole for running in np.cumsum(weights)]), prepend=0)
