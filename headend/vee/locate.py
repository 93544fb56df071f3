"""Where a day that fails its sum check is wrong: spikes, repeated values, zeros, the one interval that explains what is left over.

Compiled. They are tried in turn, the surest first; what decides is what was read, never what another rule has flagged.
"""

from __future__ import annotations

import numpy as np

from headend.ports import IntArray
from headend.vee.findings import FindingArray
from headend.vee.flags import RESIDUAL, SPIKE, STUCK, ZERO, Flags, is_zero, tell
from headend.vee.records import DayColumns, OctetArray
from headend.vee.rules import Limits, Rule
from meters.kernels.jit import kernel

_R_HARD_MAXIMUM, _R_SPIKE, _R_STUCK, _R_ZERO, _R_RESIDUAL = (int(rule) for rule in list(Rule)[4:9])


@kernel
def locate(
    day: DayColumns,
    limits: Limits,
    channel: int,
    row: int,
    flags: Flags,
    d: int,
    untrusted: bool,
    hard: int,
    findings: FindingArray,
    told: int,
) -> tuple[bool, int]:
    """Which intervals can be what the registers do not confirm: of what is found, the surest that explains what is left over. Whether any is flagged."""
    bad, advance, tolerance = flags.bad[row], flags.advance[row], flags.tolerance[row]
    # By another clock the registers confirm nothing.
    failed, unknown = flags.failed[row] and not untrusted, untrusted or advance < 0
    n = len(bad)
    wh = day.wh[row]
    before = told
    # Marks of these rules are not looked at by one another: they are kept apart until all have looked.
    found = np.zeros(n, np.uint8)
    if unknown or not limits.interval_spike_registers_confirm:
        ratio = limits.interval_spike_without_register if unknown else limits.interval_spike_ratio
        told = _spikes(wh, bad, found, ratio, limits.interval_spike_floor, row, channel, findings, told)
    if unknown or not limits.interval_stuck_registers_confirm:
        count = limits.interval_stuck_count
        told = _stuck(wh, bad, found, count, count, row, channel, findings, told)
    if unknown or not limits.interval_zero_registers_confirm:
        told = _zeros(day, bad, found, n, n, row, channel, findings, told)
    turn = 0
    while failed and told == before and turn < 7:
        told = _look(turn, day, limits, channel, row, bad, found, d, hard, findings, told)
        if told > before and not _explains(wh, bad, found, d, tolerance, limits):
            found[:] = 0
            told = before
        turn += 1
    for i in range(n):
        bad[i] |= found[i] | (RESIDUAL if untrusted else 0)
    # The registers are good for what the meter says that they count.
    if untrusted and advance >= 0:
        flags.advance[row] = advance * day.told_multiplier[row] // day.multiplier[row]
    return bool(bad.any()), told


@kernel
def _look(
    turn: int,
    day: DayColumns,
    limits: Limits,
    channel: int,
    row: int,
    bad: OctetArray,
    found: OctetArray,
    d: int,
    hard: int,
    findings: FindingArray,
    told: int,
) -> int:
    """Where a sum has failed: the rules in turn, the surest first, in the direction of what is left over."""
    wh, count, few = day.wh[row], limits.interval_stuck_count, limits.interval_stuck_on_failed_sum
    if turn == 0 and d < 0:
        ratio, floor = limits.interval_spike_ratio, limits.interval_spike_floor
        return _spikes(wh, bad, found, ratio, floor, row, channel, findings, told)
    if turn == 2:
        return _stuck(wh, bad, found, count, count, row, channel, findings, told)
    # What lacks a value shares in what is left over, so no one interval explains it.
    if turn == 4 and not (d > 0 and bad.any()):
        return _residual(wh, bad, found, d, limits.interval_residual_share, hard, row, channel, findings, told)
    if turn == 5:
        # Short runs come by chance: the longest is the likeliest.
        return _stuck(wh, bad, found, max(few, _longest(wh, bad)), few, row, channel, findings, told)
    if turn in (1, 3, 6) and d > 0:
        need = count if turn == 1 else limits.interval_zero_on_failed_sum
        return _zeros(day, bad, found, need, 0 if turn == 6 else 1, row, channel, findings, told)
    return told


@kernel
def _explains(wh: IntArray, bad: OctetArray, found: OctetArray, d: int, tolerance: int, limits: Limits) -> bool:
    """Whether what is found, and what has no usable value, can be what the registers leave for it: not below 0, nor far above what else was used."""
    owed, count, highest = d, 0, limits.interval_spike_floor
    for i in range(len(wh)):
        if found[i] != 0:
            owed += int(wh[i])
        count += found[i] != 0 or bad[i] != 0
        if found[i] == 0 and bad[i] == 0:
            highest = max(highest, int(wh[i]))
    return bool(-tolerance <= owed and 1000 * owed <= limits.sum_failed_lacking * highest * count)


@kernel
def _longest(wh: IntArray, bad: OctetArray) -> int:
    """How many good intervals running are equal and above 0, at most."""
    run, longest = 0, 0
    for i in range(len(wh)):
        same = i > 0 and bad[i] == 0 and bad[i - 1] == 0 and wh[i] == wh[i - 1] and wh[i] != 0
        run = run + 1 if same else 1
        longest = max(longest, run)
    return longest


@kernel
def _spikes(
    wh: IntArray,
    bad: OctetArray,
    found: OctetArray,
    ratio: int,
    floor: int,
    row: int,
    channel: int,
    findings: FindingArray,
    told: int,
) -> int:
    p1, p2, p3 = 0, 0, 0
    for i in range(len(wh)):
        x = int(wh[i])
        if bad[i] == 0 and x > p3:
            if x > p1:
                p1, p2, p3 = x, p1, p2
            elif x > p2:
                p2, p3 = x, p2
            else:
                p3 = x
    first, last = -1, -1
    for i in range(len(wh)):
        x = int(wh[i])
        towers = p3 > 0 and 1000 * (x - p3) > ratio * p3
        if towers and bad[i] == 0 and x >= floor:
            found[i] |= SPIKE
            first = i if first < 0 else first
            last = i
    if first >= 0:
        told = tell(findings, told, row, _R_SPIKE, channel, first, last, p1, p3 + ratio * p3 // 1000)
    return told


@kernel
def _stuck(
    wh: IntArray,
    bad: OctetArray,
    found: OctetArray,
    need: int,
    limit: int,
    row: int,
    channel: int,
    findings: FindingArray,
    told: int,
) -> int:
    """Runs of at least ``need``. The first of a run stays: it is what the others repeat."""
    n = len(wh)
    first, last, begin = -1, -1, 0
    for i in range(1, n + 1):
        if i < n and bad[i] == 0 and bad[begin] == 0 and wh[i] == wh[begin]:
            continue
        if i - begin >= need and wh[begin] != 0 and bad[begin] == 0:
            for j in range(begin + 1, i):
                found[j] |= STUCK
            first = begin + 1 if first < 0 else first
            last = i - 1
        begin = i
    if first >= 0:
        told = tell(findings, told, row, _R_STUCK, channel, first, last, wh[first], limit)
    return told


@kernel
def _zeros(
    day: DayColumns,
    bad: OctetArray,
    found: OctetArray,
    need: int,
    lonely: int,
    row: int,
    channel: int,
    findings: FindingArray,
    told: int,
) -> int:
    """Runs of at least ``need``, in so many of which nothing flowed the other way either."""
    n = len(bad)
    first, last, count, run, alone = -1, -1, 0, 0, 0
    for i in range(n + 1):
        if i < n and bad[i] == 0 and is_zero(day.wh[row, i], day.status[row, i], day.power[row, i]):
            run += 1
            alone += day.other[row, i] == 0
            continue
        if run >= need and alone >= lonely:
            for j in range(i - run, i):
                found[j] |= ZERO
            first = i - run if first < 0 else first
            last = i - 1
            count += run
        run, alone = 0, 0
    if first >= 0:
        told = tell(findings, told, row, _R_ZERO, channel, first, last, count, need)
    return told


@kernel
def _residual(
    wh: IntArray,
    bad: OctetArray,
    found: OctetArray,
    d: int,
    share: int,
    hard: int,
    row: int,
    channel: int,
    findings: FindingArray,
    told: int,
) -> int:
    """The one interval that, changed by what is left over, comes nearest to the mean of its neighbours: by far, or because no other can be it."""
    n = len(wh)
    at, nearest, distance, could = -1, 0, 0, 0
    for i in range(n):
        x = int(wh[i])
        if bad[i] != 0 or x + d < 0 or x + d > hard:
            continue
        left, right = i > 0 and bad[i - 1] == 0, i + 1 < n and bad[i + 1] == 0
        if not left and not right:
            continue
        could += 1
        # Twice the mean.
        around = int(wh[i - 1] if left else wh[i + 1]) + int(wh[i + 1] if right else wh[i - 1])
        after = abs(2 * (x + d) - around)
        if at < 0 or after < nearest:
            at, nearest, distance = i, after, abs(2 * x - around)
    if at >= 0 and 1000 * nearest < (1000 if could == 1 else share) * distance:
        found[at] |= RESIDUAL
        told = tell(findings, told, row, _R_RESIDUAL, channel, at, at, wh[at] + d, wh[at])
    return told
