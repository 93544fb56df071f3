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
#: Rule, intervals, value, limit.
Located = tuple[str, list[int], int, int]


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
    #: Of an outage that was told to its end; where there is no Wh it is 0, unless the registers deny it.
    over: list[bool]
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

    advance: int | None
    left: int
    tolerance: Fraction
    failed: bool

    def __init__(self, meter: Meter) -> None:
        self.meter, self.n = meter, len(meter.wh)
        # 200 A x 0.25 h, at 240 V or at three times 120 V.
        self.hard = (18_000 if meter.three_phase else 12_000) * meter.multiplier
        self.trusted = (
            not 180 < abs(meter.clock_error_s) < 24 * 3600
            and meter.told_multiplier == meter.multiplier
            and not meter.other_unit
            and meter.interval_s == INTERVAL_S
        )
        unread = {i for i, x in enumerate(meter.wh) if x is None and meter.over[i]}
        self._sums([0 if i in unread else x for i, x in enumerate(meter.wh)])
        # Of an outage that the meter told from beginning to end the registers have energy.
        self.denied = unread if self.failed and self.left > 0 and self.trusted else set()
        if self.denied:
            self._sums(meter.wh)
        if self.failed:
            self._tell("sum.failed", 0, self.n - 1, self.left, floor(self.tolerance))
        sound = not self.bad and not self.failed
        self._locate()
        if not self.trusted:
            # The whole day is in doubt, and its registers count what the meter says that they do.
            for i in range(self.n):
                self.bad.setdefault(i, set()).add("interval.residual")
            if self.advance is not None:
                self.advance = self.advance * meter.told_multiplier // meter.multiplier
        self._use(sound and not self.bad)
        if meter.load:
            self._asset()

    def _sums(self, wh: list[int | None]) -> None:
        """What each interval says by itself, and all of them against the registers."""
        self.wh = wh
        self.told: list[Told] = []
        self.bad: dict[int, set[str]] = {}
        self._alone()
        self.good = {i: x for i, x in enumerate(wh) if x is not None and i not in self.bad}
        self.sum = sum(self.good.values())
        self.whole = not self.bad
        self.advance = self.read = self._registers()
        self.tolerance = self._passes(self.advance or 0)
        self.left = (self.advance or 0) - self.sum
        self.failed = self.advance is not None and (
            self.left < -self.tolerance
            or (self.whole and abs(self.left) > self.tolerance)
            or (
                0 < len(self.good) < self.n
                and not any("interval.hard_maximum" in rules for rules in self.bad.values())
                and self.left > self.tolerance
                and Fraction(self.left, self.n - len(self.good)) > self._most_each()
            )
        )

    def _passes(self, advance: int) -> Fraction:
        return max(Fraction(2 * self.meter.multiplier), Fraction(advance, 1000))

    def _most_each(self) -> Fraction:
        """Wh that an interval without a usable value can have been: three times the highest good one, or 500 Wh.

        If two hours running are 0 and nothing says why, no more than was used on the average.
        """
        lonely = [len(run) for run in self._runs(lambda i: self._is_zero(i) and self.meter.other[i] == 0)]
        used = [x for x in self.good.values() if x > 0]
        if used and max(lonely, default=0) >= 8:
            # To the Wh, of all that lack one together.
            lacking = self.n - len(self.good)
            return Fraction(sum(used) * lacking // len(used), lacking)
        return Fraction(3 * max(500, max(self.good.values())))

    def _tell(self, rule: str, first: int, last: int, value: int, limit: int) -> None:
        self.told.append((rule, first, last, value, limit))

    def _mark(self, rule: str, at: list[int], value: int, limit: int) -> None:
        if at:
            self._tell(rule, min(at), max(at), value, limit)

    def _alone(self) -> None:
        meter = self.meter
        there = [(i, x) for i, x in enumerate(self.wh) if x is not None]
        found = {
            "interval.missing": [i for i, x in enumerate(self.wh) if x is None],
            "interval.negative": [i for i, x in there if x < 0],
            "interval.condition": [i for i, _ in there if meter.unusable[i]],
            "interval.hard_maximum": [i for i, x in there if x > self.hard],
        }
        for rule, at in found.items():
            highest = max((self.wh[i] or 0 for i in at), default=0)
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
        began = meter.before if r0 is None else r0
        if r0 is None or r1 is None:
            self._tell(
                "register.missing",
                0,
                last,
                {(True, False): 1, (False, True): 2, (True, True): 3}[r0 is None, r1 is None],
                0,
            )
        # The register that ended the day before is the one that begins this day.
        if began is None or r1 is None or (began == r1 == 0 and meter.before):
            return None
        if meter.exchanged:
            self._tell("register.exchange", 0, last, r1 - began, 0)
            return None
        most = min(self.n * self.hard, 2**31 - 1)
        if r1 >= began:
            if r1 - began <= most:
                return r1 - began
            self._tell("register.implausible", 0, last, r1 - began, most)
            return None
        displays: list[int] = [meter.dials] if meter.dials else [4, 5, 6, 7, 8, 9]
        ends: list[int] = [10**dials * 1000 * meter.multiplier for dials in displays]
        end = next((one for one in ends if began < one), None)
        if end is not None and Fraction(began, end) > Fraction(9, 10) and r1 - began + end <= most:
            turned = r1 - began + end
            passes = self._passes(turned)
            # If all intervals have less than the turn would, and no less than the register has: it began anew.
            if not (self.whole and turned - self.sum > passes and r1 <= self.sum + passes):
                self._tell("register.rollover", 0, last, turned, 0)
                return turned
        self._tell("register.backwards", 0, last, began - r1, 0)
        return None

    def _locate(self) -> None:
        """What of the good intervals is not what the registers, or stricter counts where there are none, let stand."""
        if self.advance is None or not self.trusted:
            for rule, at, value, limit in (
                self._spikes(Fraction(5)),
                self._stuck(self._equals(8), 8),
                self._zeros(self.n, self.n),
            ):
                self._mark(rule, at, value, limit)
                for i in at:
                    self.bad.setdefault(i, set()).add(rule)
        elif self.failed:
            equals = self._equals(3)
            longest = max(map(len, equals), default=0)
            short = [run for run in equals if len(run) == longest]
            more = self.left > 0
            nothing: Located = ("", [], 0, 0)
            for found in (
                nothing if more else self._spikes(Fraction(18, 10)),
                self._zeros(8, 1) if more else nothing,
                self._stuck(self._equals(8), 8),
                self._zeros(1, 1) if more else nothing,
                self._explaining() if self.whole or not more else nothing,
                self._stuck(short, 3),
                self._zeros(1, 0) if more else nothing,
            ):
                rule, at, value, limit = found
                if at and self._explains(at):
                    self._mark(rule, at, value, limit)
                    for i in at:
                        self.bad.setdefault(i, set()).add(rule)
                    return

    def _explains(self, at: list[int]) -> bool:
        """What the registers leave for the intervals, and for those without a usable value, is not below 0 and at most three times the others' highest each."""
        others = [x for i, x in self.good.items() if i not in at]
        owed = self.advance - sum(others) if self.advance is not None else 0
        each = Fraction(owed, self.n - len(others))
        return -self.tolerance <= owed and each <= 3 * max([500, *others])

    def _spikes(self, ratio: Fraction) -> Located:
        highest = sorted(self.good.values(), reverse=True)
        if len(highest) < 3 or highest[2] == 0:
            return "interval.spike", [], 0, 0
        third = highest[2]
        at = [i for i, x in self.good.items() if x >= 500 and Fraction(x - third, third) > ratio]
        return "interval.spike", at, highest[0], third + floor(ratio * third)

    def _equals(self, need: int) -> list[list[int]]:
        return [run for run in self._runs(lambda i: self.good[i] != 0) if len(run) >= need]

    def _stuck(self, runs: list[list[int]], need: int) -> Located:
        at = [i for run in runs for i in run[1:]]
        return "interval.stuck", at, self.good[at[0]] if at else 0, need

    def _zeros(self, need: int, lonely: int) -> Located:
        """lonely: of so many at least nothing flowed the other way either."""
        runs = [
            run
            for run in self._runs(self._is_zero)
            if len(run) >= need and sum(self.meter.other[i] == 0 for i in run) >= lonely
        ]
        at = [i for run in runs for i in run]
        return "interval.zero", at, len(at), need

    def _runs(self, counts: Callable[[int], bool]) -> list[list[int]]:
        """Runs of good intervals of one value that count."""
        keys = [self.good[i] if i in self.good and counts(i) else None for i in range(self.n)]
        return [
            [i for i, _ in group] for key, group in groupby(enumerate(keys), lambda pair: pair[1]) if key is not None
        ]

    def _is_zero(self, i: int) -> bool:
        meter = self.meter
        return self.good[i] == 0 and not (meter.power_fail[i] or meter.out[i] or meter.open[i])

    def _explaining(self) -> Located:
        """The one interval: by far the nearest to its neighbours, or the only one that can hold what is left over."""
        near: dict[int, tuple[Fraction, Fraction]] = {}
        for i, x in self.good.items():
            neighbours = [self.good[j] for j in (i - 1, i + 1) if j in self.good]
            if neighbours and 0 <= x + self.left <= self.hard:
                mean = Fraction(sum(neighbours), len(neighbours))
                near[i] = abs(x + self.left - mean), abs(x - mean)
        at: list[int] = []
        if near:
            best: int = min(near, key=lambda i: near[i][0])
            after, before = near[best]
            at = [best] if after < (before if len(near) == 1 else before / 4) else []
        return "interval.residual", at, self.good[at[0]] + self.left if at else 0, self.good[at[0]] if at else 0

    def _use(self, confirmed: bool) -> None:
        meter, last = self.meter, self.n - 1
        use = self.read if self.read is not None else self.sum if self.whole else None
        if use is not None and meter.average:
            if Fraction(use, meter.average) > 4:
                self._tell("usage.high", 0, last, use, meter.average)
            # Little that registers and intervals agree on was little.
            if Fraction(use, meter.average) < Fraction(1, 4) and not (confirmed and self.read):
                self._tell("usage.low", 0, last, use, meter.average)
        if use and meter.inactive:
            self._tell("usage.inactive", 0, last, use, 0)
        used = [i for i, x in enumerate(meter.wh) if x or i in self.denied]
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
    dark = {i for i in range(n) if meter.wh[i] is None and meter.out[i] and not meter.over[i]}
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
