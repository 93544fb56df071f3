"""The estimation ladder, compiled: every gap gets the first rung that holds, the day is scaled to its registers, and its sum is checked again.

Sources of the rungs: EEI UBP Vol. 2 (2000) and DASMMD; the limit of 2 h is Californian, and each Texas TDSP has a ladder of its own (``presets``).
A late actual, the first rung of all, needs no code: the day is validated again with it.
"""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

from headend.ports import BoolArray, IntArray, LongArray
from headend.vee.findings import FindingArray
from headend.vee.flags import RESIDUAL, Flags, service_wh, tell
from headend.vee.quality import Method
from headend.vee.records import DayColumns, OctetArray, Power
from headend.vee.rules import Limits, Rule
from meters.kernels.jit import kernel
from meters.status import Common


class Rung(IntEnum):
    """The rungs, and what their two numbers mean."""

    #: Straight line between two good neighbours, the one neighbour repeated; up to so many intervals.
    INTERPOLATE = 1
    #: Mean of the latest like days; how many, and how many days back.
    LIKE_DAYS = 2
    #: The class's profile times the day's energy by its registers, or the daily average.
    CLASS_PROFILE = 3
    #: Nothing to go by.
    ZERO = 4


_INTERPOLATE, _LIKE_DAYS, _CLASS_PROFILE = int(Rung.INTERPOLATE), int(Rung.LIKE_DAYS), int(Rung.CLASS_PROFILE)
_INTERPOLATED, _FLAT, _LIKE_DAY = int(Method.INTERPOLATED), int(Method.FLAT), int(Method.LIKE_DAY)
_PROFILE, _ZERO = int(Method.PROFILE), int(Method.ZERO)
_UNLOCATED, _IMPLAUSIBLE = int(Rule.SUM_UNLOCATED), int(Rule.ESTIMATE_IMPLAUSIBLE)
_PROLONGED = int(Rule.ESTIMATE_PROLONGED)
_POWER_FAIL = int(Common.POWER_FAIL) << 12
_OUT = int(Power.OUT)


class Past(NamedTuple):
    """What k rows look back on."""

    #: (k,) Wh of the last interval of the day before; -1 where it was estimated, not there, or the power failed.
    before: LongArray
    #: (p,) how many days back each like day lies, ascending.
    ages: LongArray
    #: (k, p, n) Wh of the like days at the day's clock times; -1 where not actual, or where the day has no such time.
    like: IntArray
    #: (k,) days running, up to the day before, without an actual interval.
    estimated_days: LongArray


class Estimated(NamedTuple):
    """One channel with a value in every interval; (m, n) each."""

    #: Wh.
    wh: IntArray
    #: ``Method``.
    method: OctetArray
    #: True where an estimate was changed so that the day adds up to its registers.
    scaled: BoolArray


@kernel
def estimate_rows(
    rows: LongArray,
    day: DayColumns,
    flags: Flags,
    limits: Limits,
    channel: int,
    ladders: LongArray,
    ladder_of: LongArray,
    profiles: LongArray,
    past: Past,
    out: Estimated,
    findings: FindingArray,
) -> int:
    """Estimate what is flagged in some rows, and check their sums again. Returns how many findings there are, as ``validate_rows`` does.

    rows: (k,) with something flagged, or a sum that failed. ladders: (l, r, 3) rung and its two numbers, rows of 0 at the end. ladder_of: (k,).
    profiles: (l, n) weights of the class that a ladder is for, all 0 if there are none. out: as read, 0 where flagged.
    """
    n = day.wh.shape[1]
    told = 0
    for k in range(len(rows)):
        row = rows[k]
        ladder = ladder_of[k]
        bad, dark = flags.bad[row], (day.present[row], day.power[row])
        advance, tolerance = flags.advance[row], flags.tolerance[row]
        hard = service_wh(limits, day.multiplier[row], day.asset[row])
        for turn in range(2):
            begin = -1
            for i in range(n + 1):
                if i < n and bad[i] != 0 and (begin < 0 or _dark(*dark, i) == _dark(*dark, begin)):
                    begin = i if begin < 0 else begin
                elif begin >= 0:
                    energy = advance if advance >= 0 else day.average[row]
                    _fill(row, k, begin, i, day, bad, ladders[ladder], profiles[ladder], energy, past, out)
                    begin = i if i < n and bad[i] != 0 else -1
            if advance >= 0:
                _scale(out.wh[row], bad, out.scaled[row], advance, tolerance)
            s = 0
            for i in range(n):
                s += out.wh[row, i]
            over = advance >= 0 and abs(advance - s) > tolerance
            if not over or turn == 1 or limits.sum_unlocated_estimate_day == 0:
                break
            for i in range(n):
                bad[i] |= RESIDUAL
        if over:
            told = tell(findings, told, row, _UNLOCATED, channel, 0, n - 1, advance - s, tolerance)
        told = _implausible(row, channel, out.wh[row], bad, hard, findings, told)
        running = past.estimated_days[k] + 1
        if running >= limits.estimate_prolonged_days and (bad != 0).all():
            told = tell(findings, told, row, _PROLONGED, channel, 0, n - 1, running, limits.estimate_prolonged_days)
    return told


@kernel
def _implausible(
    row: int, channel: int, wh: IntArray, bad: OctetArray, hard: int, findings: FindingArray, told: int
) -> int:
    first, last, most = -1, -1, 0
    for i in range(len(wh)):
        if bad[i] != 0 and wh[i] > hard:
            first = i if first < 0 else first
            last = i
            most = max(most, int(wh[i]))
    if first >= 0:
        told = tell(findings, told, row, _IMPLAUSIBLE, channel, first, last, most, hard)
    return told


@kernel
def _dark(present: BoolArray, power: OctetArray, i: int) -> bool:
    """Whether a value is missing where events say that the power is out: there nothing is made up, though nobody has told of the end."""
    return not present[i] and (power[i] & _OUT) != 0


@kernel
def _fill(
    row: int,
    k: int,
    begin: int,
    end: int,
    day: DayColumns,
    bad: OctetArray,
    ladder: LongArray,
    profile: LongArray,
    energy: int,
    past: Past,
    out: Estimated,
) -> None:
    """One gap [begin, end) by the first rung that holds."""
    n, count = len(bad), end - begin
    left, right = -1, -1
    if begin == 0:
        left = int(past.before[k])
    elif bad[begin - 1] == 0 and (day.status[row, begin - 1] & _POWER_FAIL) == 0:
        left = int(out.wh[row, begin - 1])
    if end < n and bad[end] == 0 and (day.status[row, end] & _POWER_FAIL) == 0:
        right = int(out.wh[row, end])
    for at in range(0 if _dark(day.present[row], day.power[row], begin) else len(ladder)):
        rung, first, second = ladder[at, 0], ladder[at, 1], ladder[at, 2]
        if rung == _INTERPOLATE and count <= first and (left >= 0 or right >= 0):
            _line(out.wh[row], out.method[row], begin, end, left, right)
            return
        if rung == _LIKE_DAYS and _like_days(past, k, begin, end, first, second, out.wh[row]):
            out.method[row, begin:end] = _LIKE_DAY
            return
        if rung == _CLASS_PROFILE and energy >= 0 and profile.sum() > 0:
            whole = profile.sum()
            for i in range(begin, end):
                out.wh[row, i] = energy * profile[i] // whole
            out.method[row, begin:end] = _PROFILE
            return
    out.wh[row, begin:end] = 0
    out.method[row, begin:end] = _ZERO


@kernel
def _line(wh: IntArray, method: OctetArray, begin: int, end: int, left: int, right: int) -> None:
    """L + (R - L) j / (count + 1) for j = 1 .. count, to the nearest Wh; with one neighbour that one's value."""
    if left < 0 or right < 0:
        wh[begin:end] = max(left, right)
        method[begin:end] = _FLAT
        return
    parts = end - begin + 1
    for i in range(begin, end):
        wh[i] = (2 * (left * parts + (right - left) * (i - begin + 1)) + parts) // (2 * parts)
    method[begin:end] = _INTERPOLATED


@kernel
def _like_days(past: Past, k: int, begin: int, end: int, count: int, back_days: int, wh: IntArray) -> bool:
    """Mean of the latest like days that are actual in all of the gap, to the nearest Wh; of fewer than ``count`` if there are no more."""
    used = 0
    for p in range(len(past.ages)):
        if past.ages[p] > back_days or used == count:
            break
        whole = True
        for i in range(begin, end):
            whole = whole and past.like[k, p, i] >= 0
        if not whole:
            continue
        for i in range(begin, end):
            wh[i] = past.like[k, p, i] if used == 0 else wh[i] + past.like[k, p, i]
        used += 1
    if used > 1:
        for i in range(begin, end):
            wh[i] = (2 * wh[i] + used) // (2 * used)
    return used > 0


@kernel
def _scale(wh: IntArray, bad: OctetArray, scaled: BoolArray, advance: int, tolerance: int) -> None:
    """Make the estimates of a day add up to what its good intervals leave of its registers.

    D >= 0 multiplies them by D / sum(estimates), or shares D equally if that sum is 0; -tolerance <= D < 0 sets them to 0; D below that leaves everything: the
    sum check has failed. What rounding leaves over goes into the largest (the first of equals). Source: EEI UBP Vol. 2 (2000).
    """
    n = len(wh)
    owed, guessed, count = advance, 0, 0
    for i in range(n):
        if bad[i] == 0:
            owed -= int(wh[i])
        else:
            guessed += int(wh[i])
            count += 1
    if count == 0 or owed < -tolerance:
        return
    left, largest = max(owed, 0), -1
    for i in range(n):
        if bad[i] == 0:
            continue
        scaled[i] = True
        # Both factors are below 2^31.
        value = max(owed, 0) * (int(wh[i]) if guessed else 1) // (guessed if guessed else count)
        left -= value
        wh[i] = value
        if largest < 0 or value > wh[largest]:
            largest = i
    wh[largest] += left
