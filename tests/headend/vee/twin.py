"""The rule book once more, slow and plain, one day of one meter at a time: written from the facts of the field, not from the kernel.

An interval is a dictionary entry, a set holds what is wrong with it, and fractions round nothing before the end.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from itertools import groupby
from math import floor

from meters.calendar import INTERVAL_S, Seconds, seconds

Told = tuple[str, int, int, int, int]


@dataclass(frozen=True)
class Meter:
    """What is known of one meter and channel of a day; None where nothing is."""

    #: Wh, None where there is none.
    wh: list[int | None]
    other: list[int]
    power_fail: list[bool]
    #: The meter says that the value is not what was used, or its clock was set.
    unusable: list[bool]
    out: list[bool]
    open: list[bool]
    r0: int | None
    r1: int | None
    before: int | None
    average: int | None
    multiplier: int = 1
    told_multiplier: int = 1
    dials: int | None = None
    exchanged: bool = False
    inactive: bool = False
    other_number: bool = False
    other_unit: bool = False
    interval_s: Seconds = INTERVAL_S
    clock_error_s: Seconds = seconds(0)
    repeated: int = 0
    stopped: bool = False
    three_phase: bool = False
    load: bool = True


class Judged:
    """The rules over one meter: ``told`` has (rule, first, last, value, limit), ``bad`` what is wrong with each interval."""

    def __init__(self, meter: Meter) -> None:
        self.meter, self.n = meter, len(meter.wh)
        self.told: list[Told] = []
        self.bad: dict[int, set[str]] = {}
        # 200 A x 0.25 h, at 240 V or at three times 120 V.
        self.hard = (18_000 if meter.three_phase else 12_000) * meter.multiplier
        self._alone()
        self.good = {i: x for i, x in enumerate(meter.wh) if x is not None and i not in self.bad}
        self.sum = sum(self.good.values())
        self.whole = not self.bad
        self.advance = self._registers()
        counts = 2 * meter.multiplier
        self.tolerance = max(Fraction(counts), Fraction(self.advance or 0, 1000))
        self.left = (self.advance or 0) - self.sum
        self.failed = self.advance is not None and (
            self.left < -self.tolerance
            or (self.whole and abs(self.left) > self.tolerance)
            # More than three times the highest good one, or 500 Wh, for each that lacks a usable value.
            or (
                0 < len(self.good) < self.n
                and not any("interval.hard_maximum" in rules for rules in self.bad.values())
                and self.left > self.tolerance
                and Fraction(self.left, self.n - len(self.good)) > 3 * max(500, max(self.good.values()))
            )
        )
        self._sum()
        self._use()
        if meter.load:
            self._asset()

    def _tell(self, rule: str, first: int, last: int, value: int, limit: int) -> None:
        self.told.append((rule, first, last, value, limit))

    def _mark(self, rule: str, at: list[int], value: int, limit: int) -> None:
        if at:
            self._tell(rule, min(at), max(at), value, limit)

    def _alone(self) -> None:
        meter = self.meter
        there = [(i, x) for i, x in enumerate(meter.wh) if x is not None]
        found = {
            "interval.missing": [i for i, x in enumerate(meter.wh) if x is None],
            "interval.negative": [i for i, x in there if x < 0],
            "interval.condition": [i for i, _ in there if meter.unusable[i]],
            "interval.hard_maximum": [i for i, x in there if x > self.hard],
        }
        for rule, at in found.items():
            highest = max((meter.wh[i] or 0 for i in at), default=0)
            self._mark(
                rule,
                at,
                highest if rule == "interval.hard_maximum" else len(at),
                self.hard if rule == "interval.hard_maximum" else 0,
            )
            for i in at:
                self.bad.setdefault(i, set()).add(rule)

    def _registers(self) -> int | None:
        """R1 - R0, R1 - R0 + 10^dials if plausible, or nothing."""
        meter, last = self.meter, self.n - 1
        r0, r1 = meter.r0, meter.r1
        if r0 is not None and meter.before is not None and r0 != meter.before:
            self._tell("register.continuity", 0, 0, r0 - meter.before, 0)
        if r0 is None or r1 is None:
            self._tell(
                "register.missing",
                0,
                last,
                {(True, False): 1, (False, True): 2, (True, True): 3}[r0 is None, r1 is None],
                0,
            )
            return None
        if meter.exchanged:
            self._tell("register.exchange", 0, last, r1 - r0, 0)
            return None
        most = min(self.n * self.hard, 2**31 - 1)
        if r1 >= r0:
            if r1 - r0 <= most:
                return r1 - r0
            self._tell("register.implausible", 0, last, r1 - r0, most)
            return None
        displays: list[int] = [meter.dials] if meter.dials else [4, 5, 6, 7, 8, 9]
        ends: list[int] = [10**dials * 1000 * meter.multiplier for dials in displays]
        end = next((one for one in ends if r0 < one), None)
        if end is not None and Fraction(r0, end) > Fraction(9, 10) and r1 - r0 + end <= most:
            self._tell("register.rollover", 0, last, r1 - r0 + end, 0)
            return r1 - r0 + end
        self._tell("register.backwards", 0, last, r0 - r1, 0)
        return None

    def _sum(self) -> None:
        if self.failed:
            self._tell("sum.failed", 0, self.n - 1, self.left, floor(self.tolerance))
        if self.advance is not None and not self.failed:
            return
        located: dict[int, set[str]] = {}

        def locate(rule: str, at: list[int], value: int, limit: int) -> None:
            self._mark(rule, at, value, limit)
            for i in at:
                located.setdefault(i, set()).add(rule)

        if not self.failed or self.left < 0:
            self._spikes(locate)
        need = 3 if self.failed else 8
        stuck = [i for run in self._runs(lambda i: self.good[i] != 0) if len(run) >= need for i in run[1:]]
        locate("interval.stuck", stuck, self.good[stuck[0]] if stuck else 0, need)
        if not self.failed or self.left > 0:
            need = 1 if self.failed else self.n
            zeros = [i for run in self._runs(self._is_causeless_zero) if len(run) >= need for i in run]
            locate("interval.zero", zeros, len(zeros), need)
        if self.failed and not located and (self.whole or self.left < 0):
            at = self._explaining()
            if at is not None:
                locate("interval.residual", [at], self.good[at] + self.left, self.good[at])
        for i, rules in located.items():
            self.bad.setdefault(i, set()).update(rules)

    def _spikes(self, locate: Callable[[str, list[int], int, int], None]) -> None:
        highest = sorted(self.good.values(), reverse=True)
        if len(highest) < 3 or highest[2] == 0:
            return
        third = highest[2]
        at = [i for i, x in self.good.items() if x >= 500 and Fraction(x - third, third) > Fraction(18, 10)]
        locate("interval.spike", at, highest[0], third + floor(Fraction(18 * third, 10)))

    def _runs(self, counts: Callable[[int], bool]) -> list[list[int]]:
        """Runs of good intervals of one value that count."""
        keys = [self.good[i] if i in self.good and counts(i) else None for i in range(self.n)]
        return [
            [i for i, _ in group] for key, group in groupby(enumerate(keys), lambda pair: pair[1]) if key is not None
        ]

    def _is_causeless_zero(self, i: int) -> bool:
        meter = self.meter
        caused = meter.power_fail[i] or meter.out[i] or meter.open[i] or meter.other[i] != 0
        return self.good[i] == 0 and not caused

    def _explaining(self) -> int | None:
        near: dict[int, tuple[Fraction, Fraction]] = {}
        for i, x in self.good.items():
            neighbours = [self.good[j] for j in (i - 1, i + 1) if j in self.good]
            if neighbours and 0 <= x + self.left <= self.hard:
                mean = Fraction(sum(neighbours), len(neighbours))
                near[i] = abs(x + self.left - mean), abs(x - mean)
        if not near:
            return None
        best: int = min(near, key=lambda i: near[i][0])
        after, before = near[best]
        return best if after < before / 4 else None

    def _use(self) -> None:
        meter, last = self.meter, self.n - 1
        use = self.advance if self.advance is not None else self.sum if self.whole else None
        if use is not None and meter.average:
            if Fraction(use, meter.average) > 4:
                self._tell("usage.high", 0, last, use, meter.average)
            if Fraction(use, meter.average) < Fraction(1, 4):
                self._tell("usage.low", 0, last, use, meter.average)
        if use and meter.inactive:
            self._tell("usage.inactive", 0, last, use, 0)
        used = [i for i, x in enumerate(meter.wh) if x]
        through = [i for i in used if meter.open[i]]
        self._mark("usage.disconnected", through, len(through), 0)
        # An interval at the edge of an outage had power for a while.
        within = [i for i in used if meter.out[i] or (0 < i < last and all(meter.power_fail[i - 1 : i + 2]))]
        self._mark("usage.outage", within, len(within), 0)

    def _asset(self) -> None:
        meter = self.meter
        if meter.repeated:
            self._tell("interval.duplicate", 0, 0, meter.repeated, 0)
        if abs(meter.clock_error_s) > 180:
            self._tell("clock.off", 0, 0, meter.clock_error_s, 180)
        elif abs(meter.clock_error_s) > 3:
            self._tell("clock.drift", 0, 0, meter.clock_error_s, 3)
        if meter.told_multiplier != meter.multiplier:
            self._tell("asset.multiplier", 0, 0, meter.told_multiplier, meter.multiplier)
        if meter.other_number:
            self._tell("asset.number", 0, 0, 0, 0)
        if meter.other_unit:
            self._tell("asset.unit", 0, 0, 0, 0)
        if meter.interval_s != 900:
            self._tell("asset.interval_size", 0, 0, meter.interval_s, 900)
        if meter.stopped:
            self._tell("estimate.stopped", 0, 0, 0, 0)


@dataclass(frozen=True)
class Behind:
    """What a meter's estimates lean on."""

    before: int | None
    #: By days back, the latest first: Wh at the day's clock times, None where not actual.
    like: list[tuple[int, list[int | None]]]
    #: Wh of the class that day, or none.
    profile: list[int]


def estimates(judged: Judged, behind: Behind) -> list[tuple[int, str]]:
    """(Wh, how) of each interval: line up to 2 h, three like days of 90, class profile, zero; then scaled to the registers."""
    meter, n = judged.meter, judged.n
    good = {i: x for i, x in judged.good.items() if i not in judged.bad}
    made: dict[int, tuple[int, str]] = {}
    dark = {i for i in range(n) if meter.wh[i] is None and meter.out[i]}
    for (is_gap, is_dark), group in groupby(range(n), lambda i: (i not in good, i in dark)):
        gap = list(group)
        if is_gap:
            ends = _neighbours(gap, good, meter, behind)
            # Whose power is out uses nothing, and in a storm nothing is made up.
            nothing = is_dark or meter.stopped
            values, how = ([0] * len(gap), "zero") if nothing else _rung(judged, gap, ends, behind)
            made.update({i: (value, how) for i, value in zip(gap, values, strict=True)})
    if made and judged.advance is not None:
        owed = judged.advance - sum(good.values())
        if owed >= -judged.tolerance:
            made = _scaled(made, max(owed, 0))
    return [made.get(i) or (good[i], "measured") for i in range(n)]


def _neighbours(gap: list[int], good: dict[int, int], meter: Meter, behind: Behind) -> list[int | None]:
    left, right = gap[0] - 1, gap[-1] + 1
    ends = [None if i not in good or meter.power_fail[i] else good[i] for i in (left, right)]
    if left < 0:
        ends[0] = behind.before
    return ends


def _rung(judged: Judged, gap: list[int], ends: list[int | None], behind: Behind) -> tuple[list[int], str]:
    count = len(gap)
    known = [end for end in ends if end is not None]
    if count * 15 <= 120 and len(known) == 2:
        left, right = known
        return [_nearest(left + Fraction((right - left) * j, count + 1)) for j in range(1, count + 1)], "line"
    if count * 15 <= 120 and known:
        return known * count, "flat"
    like = [[wh[i] for i in gap] for age, wh in behind.like if age <= 90]
    usable = [[x for x in wh if x is not None] for wh in like if None not in wh][:3]
    if usable:
        return [_nearest(Fraction(sum(at), len(usable))) for at in zip(*usable, strict=True)], "like days"
    energy = judged.advance if judged.advance is not None else judged.meter.average
    if sum(behind.profile) and energy is not None:
        return [energy * behind.profile[i] // sum(behind.profile) for i in gap], "profile"
    return [0] * count, "zero"


def _nearest(value: Fraction) -> int:
    return floor(value + Fraction(1, 2))


def _scaled(made: dict[int, tuple[int, str]], owed: int) -> dict[int, tuple[int, str]]:
    whole = sum(value for value, _ in made.values())
    shares = {i: floor(Fraction(owed * (value if whole else 1), whole or len(made))) for i, (value, _) in made.items()}
    largest = max(shares, key=lambda i: (shares[i], -i))
    shares[largest] += owed - sum(shares.values())
    return {i: (shares[i], how) for i, (_, how) in made.items()}
