"""Every check of one channel in one pass a row, compiled: the same code for one meter or a million.

A row without a flag, whose registers confirm its sum, costs a sum. The registers judge: spike, stuck and zero are looked for where the sum fails, in the
direction of what is left over, or where there is no sum to check. What decides is what was read, never what another rule has flagged: else the order of
rules decided.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from headend.ports import BoolArray, IntArray, LongArray
from headend.vee.findings import FindingArray
from headend.vee.records import Asset, DayColumns, OctetArray, Power
from headend.vee.rules import Limits, Rule
from meters.kernels.jit import kernel
from meters.status import Common

#: Bits of ``Flags.bad``.
MISSING, NEGATIVE, CONDITION, HARD_MAXIMUM, SPIKE, STUCK, ZERO, RESIDUAL = (1 << bit for bit in range(8))
_LOAD = 4
_POWER_FAIL = int(Common.POWER_FAIL) << 12
_CLOCK_SET = int(Common.CLOCK_FORWARD | Common.CLOCK_BACK) << 12
_LOAD_CONDITION, _GENERATION_CONDITION = 0x0F00 | _CLOCK_SET, 0x00F0 | _CLOCK_SET
_NO_USE = int(Power.OUT | Power.SWITCH_OPEN)
_OUT, _SWITCH_OPEN = int(Power.OUT), int(Power.SWITCH_OPEN)
_OTHER_NUMBER, _OTHER_UNIT, _EXCHANGED = int(Asset.OTHER_NUMBER), int(Asset.OTHER_UNIT), int(Asset.EXCHANGED)
_INACTIVE, _STOPPED, _THREE_PHASE = int(Asset.INACTIVE), int(Asset.STOPPED), int(Asset.THREE_PHASE)
_MOST = 2**31 - 1
_INTERVAL_S = 900
_R_MISSING, _R_DUPLICATE, _R_NEGATIVE, _R_CONDITION = (int(rule) for rule in list(Rule)[:4])
_R_HARD_MAXIMUM, _R_SPIKE, _R_STUCK, _R_ZERO, _R_RESIDUAL = (int(rule) for rule in list(Rule)[4:9])
_SUM_FAILED, _NO_REGISTER, _CONTINUITY = int(Rule.SUM_FAILED), int(Rule.REGISTER_MISSING), int(Rule.REGISTER_CONTINUITY)
_ROLLOVER, _BACKWARDS = int(Rule.REGISTER_ROLLOVER), int(Rule.REGISTER_BACKWARDS)
_EXCHANGE, _IMPLAUSIBLE = int(Rule.REGISTER_EXCHANGE), int(Rule.REGISTER_IMPLAUSIBLE)
_HIGH, _LOW, _DISCONNECTED = int(Rule.USAGE_HIGH), int(Rule.USAGE_LOW), int(Rule.USAGE_DISCONNECTED)
_OUTAGE, _NOBODY = int(Rule.USAGE_OUTAGE), int(Rule.USAGE_INACTIVE)
_DRIFT, _OFF, _MULTIPLIER = int(Rule.CLOCK_DRIFT), int(Rule.CLOCK_OFF), int(Rule.ASSET_MULTIPLIER)
_NUMBER, _UNIT, _SIZE = int(Rule.ASSET_NUMBER), int(Rule.ASSET_UNIT), int(Rule.ASSET_INTERVAL_SIZE)
_STORM = int(Rule.ESTIMATE_STOPPED)


class Flags(NamedTuple):
    """What the rules say of one channel."""

    #: (m, n) the bits above; 0: the value stands.
    bad: OctetArray
    #: (m,) Wh of the day by its registers; -1: not known.
    advance: LongArray
    #: (m,) Wh that sum and registers may differ by.
    tolerance: LongArray
    #: (m,) True where the sum check failed.
    failed: BoolArray
    #: (m,) True where it failed, or something is flagged.
    touched: BoolArray


def no_flags(shape: tuple[int, int]) -> Flags:
    """To be filled by ``validate_rows``. shape: meters, intervals."""
    m = shape[0]
    return Flags(
        np.zeros(shape, np.uint8), np.full(m, -1, np.int64), np.zeros(m, np.int64), *np.zeros((2, m), np.bool_)
    )


@kernel
def service_wh(limits: Limits, multiplier: int, asset: int) -> int:
    """Most Wh that a meter's service carries in an interval."""
    most = limits.interval_hard_maximum_wh * multiplier
    return most * 3 // 2 if (asset & _THREE_PHASE) != 0 else most


@kernel
def tell(
    findings: FindingArray,
    told: int,
    row: int,
    rule: int,
    channel: int,
    first: int,
    last: int,
    value: int,
    limit: int,
) -> int:
    """Write a finding if there is room; returns how many were told with it."""
    if told < len(findings):
        one = findings[told]
        one["row"], one["rule"], one["channel"], one["first"], one["last"] = row, rule, channel, first, last
        one["value"], one["limit"] = min(max(value, -_MOST), _MOST), min(max(limit, -_MOST), _MOST)
    return told + 1


@kernel
def validate_rows(day: DayColumns, limits: Limits, channel: int, flags: Flags, findings: FindingArray) -> int:
    """Check every row of one channel. Returns how many findings there are; if they exceed the room, none may be used and it is called again.

    flags: as ``no_flags`` makes it. findings: (room,) ``FINDING``, each row's in the order of the rules.
    """
    m, n = day.wh.shape
    unusable = _LOAD_CONDITION if channel == _LOAD else _GENERATION_CONDITION
    wh, status, present, power = day.wh, day.status, day.present, day.power
    told = 0
    for row in range(m):
        multiplier = day.multiplier[row]
        hard = service_wh(limits, multiplier, day.asset[row])
        s, least, most = 0, np.int32(0), np.int32(0)
        words, causes, there = np.uint16(0), np.uint8(0), np.uint8(1)
        # A loop for each width, so that each does many intervals at a time.
        for i in range(n):
            s += wh[row, i]
        for i in range(n):
            least = min(least, wh[row, i])
            most = max(most, wh[row, i])
        for i in range(n):
            words |= status[row, i]
        for i in range(n):
            causes |= power[row, i]
            there &= np.uint8(present[row, i])
        bad = there == 0 or least < 0 or most > hard or (words & unusable) != 0
        whole_day = not bad
        likely = np.int64(0)
        if bad:
            s, likely, told = _flag(day, limits, unusable, hard, channel, row, flags.bad[row], findings, told)
        r0, r1, before = day.r0[row], day.r1[row], day.r1_before[row]
        whole = min(n * hard, _MOST)
        share = limits.register_rollover_share
        advance, rule = _advance(r0, r1, multiplier, day.dials[row], day.asset[row], share, whole)
        tolerance = max(limits.sum_failed_counts * multiplier, max(advance, 0) * limits.sum_failed_share // 1000)
        d = advance - s
        failed = advance >= 0 and (d < -tolerance or d > max(tolerance, likely))
        flags.advance[row], flags.tolerance[row], flags.failed[row] = advance, tolerance, failed
        if (
            failed
            or advance < 0
            or not (
                limits.interval_spike_registers_confirm
                and limits.interval_stuck_registers_confirm
                and limits.interval_zero_registers_confirm
            )
        ):
            told = _locate(day, limits, channel, row, flags.bad[row], d, failed, advance < 0, hard, findings, told)
            bad = bad or flags.bad[row].any()
        if failed:
            told = tell(findings, told, row, _SUM_FAILED, channel, 0, n - 1, d, tolerance)
        flags.touched[row] = bad or failed
        # What is called here takes no arrays of the day unless there is something to tell: to hand them over costs more than a row.
        if rule != 0 or (r0 >= 0 and before >= 0 and r0 != before):
            told = _registers(row, channel, n, r0, r1, before, rule, advance, whole, findings, told)
        use = advance if advance >= 0 else s if whole_day else -1
        told = _usage(row, channel, n - 1, use, day.average[row], day.asset[row], limits, findings, told)
        if (causes & _NO_USE) != 0 or (words & _POWER_FAIL) != 0:
            told = _contradictions(day, row, channel, findings, told)
        if channel == _LOAD and (
            abs(day.clock_error_s[row]) > min(limits.clock_drift_seconds, limits.clock_off_seconds)
            or day.told_multiplier[row] != multiplier
            or (day.asset[row] & (_OTHER_NUMBER | _OTHER_UNIT | _STOPPED)) != 0
            or day.interval_s[row] != _INTERVAL_S
            or day.repeated[row] > 0
        ):
            told = _asset(day, limits, row, channel, findings, told)
    return told


@kernel
def _said(x: int, present: bool, status: int, unusable: int, hard: int) -> int:
    """What the rules that look at one interval alone say of it."""
    if not present:
        return MISSING
    said = NEGATIVE if x < 0 else 0
    if (status & unusable) != 0:
        said |= CONDITION
    if x > hard:
        said |= HARD_MAXIMUM
    return said


@kernel
def _flag(
    day: DayColumns,
    limits: Limits,
    unusable: int,
    hard: int,
    channel: int,
    row: int,
    bad: OctetArray,
    findings: FindingArray,
    told: int,
) -> tuple[int, np.int64, int]:
    """The rules that look at one interval alone: flags, findings, the sum of what stands, and most Wh that what does not can have been.

    More than that is left over only where something that looks good is not. Of a value above the service the registers may have all.
    """
    n = len(bad)
    s, most, lacking, highest = 0, 0, 0, limits.interval_spike_floor
    count, first, last = np.zeros(4, np.int64), np.zeros(4, np.int64), np.zeros(4, np.int64)
    for i in range(n):
        x = int(day.wh[row, i])
        said = _said(x, day.present[row, i], day.status[row, i], unusable, hard)
        if said == 0:
            s += x
            highest = max(highest, x)
            continue
        bad[i] = said
        lacking += 1
        for bit in range(4):
            if (said >> bit) & 1:
                if count[bit] == 0:
                    first[bit] = i
                last[bit] = i
                count[bit] += 1
        if (said & HARD_MAXIMUM) != 0:
            most = max(most, x)
    if count[0]:
        told = tell(findings, told, row, _R_MISSING, channel, first[0], last[0], count[0], 0)
    if count[1]:
        told = tell(findings, told, row, _R_NEGATIVE, channel, first[1], last[1], count[1], 0)
    if count[2]:
        told = tell(findings, told, row, _R_CONDITION, channel, first[2], last[2], count[2], 0)
    if count[3]:
        told = tell(findings, told, row, _R_HARD_MAXIMUM, channel, first[3], last[3], most, hard)
    likely = limits.sum_failed_lacking * highest * lacking // 1000
    return s, np.int64(_MOST if count[3] or lacking == n else likely), told


@kernel
def _advance(r0: int, r1: int, multiplier: int, dials: int, asset: int, share: int, most: int) -> tuple[int, int]:
    """Wh of the day by its registers, -1 if they do not tell, and the rule that has something to say of them."""
    if r0 < 0 or r1 < 0:
        return -1, _NO_REGISTER
    if (asset & _EXCHANGED) != 0:
        return -1, _EXCHANGE
    if r1 >= r0:
        return (r1 - r0, 0) if r1 - r0 <= most else (-1, _IMPLAUSIBLE)
    # Of a display that nobody told, the shortest that the register still fits.
    turn = 10 ** ((dials if dials > 0 else 4) + 3) * multiplier
    while dials == 0 and turn <= r0 and turn < 10**12 * multiplier:
        turn *= 10
    # A turn is a whole number of kWh, so nothing is lost and nothing overflows.
    if share * (turn // 1000) < r0 < turn and r1 + turn - r0 <= most:
        return r1 + turn - r0, _ROLLOVER
    return -1, _BACKWARDS


@kernel
def _locate(
    day: DayColumns,
    limits: Limits,
    channel: int,
    row: int,
    bad: OctetArray,
    d: int,
    failed: bool,
    unknown: bool,
    hard: int,
    findings: FindingArray,
    told: int,
) -> int:
    """Which intervals can be what the registers do not confirm."""
    n = len(bad)
    wh = day.wh[row]
    before = told
    # Marks of these rules are not looked at by one another: they are kept apart until all have looked.
    found = np.zeros(n, np.uint8)
    if unknown or (failed and d < 0) or not limits.interval_spike_registers_confirm:
        told = _spikes(wh, bad, found, limits, row, channel, findings, told)
    if unknown or failed or not limits.interval_stuck_registers_confirm:
        need = limits.interval_stuck_on_failed_sum if failed else limits.interval_stuck_count
        told = _stuck(wh, bad, found, need, row, channel, findings, told)
    if (failed and d > 0) or ((unknown or not limits.interval_zero_registers_confirm) and not failed):
        need = limits.interval_zero_on_failed_sum if failed else n
        told = _zeros(day, bad, found, need, row, channel, findings, told)
    # What lacks a value shares in what is left over, so no one interval explains it.
    if failed and told == before and not (d > 0 and bad.any()):
        told = _residual(wh, bad, found, d, limits.interval_residual_share, hard, row, channel, findings, told)
    for i in range(n):
        bad[i] |= found[i]
    return told


@kernel
def _spikes(
    wh: IntArray,
    bad: OctetArray,
    found: OctetArray,
    limits: Limits,
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
        towers = p3 > 0 and 1000 * (x - p3) > limits.interval_spike_ratio * p3
        if towers and bad[i] == 0 and x >= limits.interval_spike_floor:
            found[i] |= SPIKE
            first = i if first < 0 else first
            last = i
    if first >= 0:
        limit = p3 + limits.interval_spike_ratio * p3 // 1000
        told = tell(findings, told, row, _R_SPIKE, channel, first, last, p1, limit)
    return told


@kernel
def _stuck(
    wh: IntArray,
    bad: OctetArray,
    found: OctetArray,
    need: int,
    row: int,
    channel: int,
    findings: FindingArray,
    told: int,
) -> int:
    """The first of a run stays: it is what the others repeat."""
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
        told = tell(findings, told, row, _R_STUCK, channel, first, last, wh[first], need)
    return told


@kernel
def _zeros(
    day: DayColumns,
    bad: OctetArray,
    found: OctetArray,
    need: int,
    row: int,
    channel: int,
    findings: FindingArray,
    told: int,
) -> int:
    n = len(bad)
    first, last, count, run = -1, -1, 0, 0
    for i in range(n + 1):
        if (
            i < n
            and bad[i] == 0
            and day.wh[row, i] == 0
            and day.other[row, i] == 0
            and (day.status[row, i] & _POWER_FAIL) == 0
            and (day.power[row, i] & _NO_USE) == 0
        ):
            run += 1
            continue
        if run >= need:
            for j in range(i - run, i):
                found[j] |= ZERO
            first = i - run if first < 0 else first
            last = i - 1
            count += run
        run = 0
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
    """The one interval that, changed by what is left over, comes nearest to the mean of its neighbours."""
    n = len(wh)
    at, nearest, distance = -1, 0, 0
    for i in range(n):
        x = int(wh[i])
        if bad[i] != 0 or x + d < 0 or x + d > hard:
            continue
        left, right = i > 0 and bad[i - 1] == 0, i + 1 < n and bad[i + 1] == 0
        if not left and not right:
            continue
        # Twice the mean.
        around = int(wh[i - 1] if left else wh[i + 1]) + int(wh[i + 1] if right else wh[i - 1])
        after = abs(2 * (x + d) - around)
        if at < 0 or after < nearest:
            at, nearest, distance = i, after, abs(2 * x - around)
    if at >= 0 and 1000 * nearest < share * distance:
        found[at] |= RESIDUAL
        told = tell(findings, told, row, _R_RESIDUAL, channel, at, at, wh[at] + d, wh[at])
    return told


@kernel
def _registers(
    row: int,
    channel: int,
    n: int,
    r0: int,
    r1: int,
    before: int,
    rule: int,
    advance: int,
    most: int,
    findings: FindingArray,
    told: int,
) -> int:
    if rule == _NO_REGISTER:
        told = tell(findings, told, row, rule, channel, 0, n - 1, (1 if r0 < 0 else 0) + (2 if r1 < 0 else 0), 0)
    if r0 >= 0 and before >= 0 and r0 != before:
        told = tell(findings, told, row, _CONTINUITY, channel, 0, 0, r0 - before, 0)
    if rule == _ROLLOVER:
        told = tell(findings, told, row, rule, channel, 0, n - 1, advance, 0)
    elif rule == _BACKWARDS:
        told = tell(findings, told, row, rule, channel, 0, n - 1, r0 - r1, 0)
    elif rule == _EXCHANGE:
        told = tell(findings, told, row, rule, channel, 0, n - 1, r1 - r0, 0)
    elif rule == _IMPLAUSIBLE:
        told = tell(findings, told, row, rule, channel, 0, n - 1, r1 - r0, most)
    return told


@kernel
def _usage(
    row: int,
    channel: int,
    last: int,
    use: int,
    average: int,
    asset: int,
    limits: Limits,
    findings: FindingArray,
    told: int,
) -> int:
    """Wh of the day against the weeks before, and against the records; -1: not known."""
    if use >= 0 and average > 0 and 1000 * use > limits.usage_high_ratio * average:
        told = tell(findings, told, row, _HIGH, channel, 0, last, use, average)
    if use >= 0 and average > 0 and 1000 * use < limits.usage_low_ratio * average:
        told = tell(findings, told, row, _LOW, channel, 0, last, use, average)
    if use > 0 and (asset & _INACTIVE) != 0:
        told = tell(findings, told, row, _NOBODY, channel, 0, last, use, 0)
    return told


@kernel
def _contradictions(day: DayColumns, row: int, channel: int, findings: FindingArray, told: int) -> int:
    """Energy where none can flow. At the edges of an outage by the meter's own flag part of an interval had power."""
    n = day.wh.shape[1]
    switched, out = np.zeros(3, np.int64), np.zeros(3, np.int64)
    for i in range(n):
        if not day.present[row, i] or day.wh[row, i] == 0:
            continue
        inside = 0 < i < n - 1
        for j in range(i - 1, i + 2):
            inside = inside and (day.status[row, j] & _POWER_FAIL) != 0
        if (day.power[row, i] & _SWITCH_OPEN) != 0:
            switched[1] = i if switched[0] == 0 else switched[1]
            switched[2] = i
            switched[0] += 1
        if inside or (day.power[row, i] & _OUT) != 0:
            out[1] = i if out[0] == 0 else out[1]
            out[2] = i
            out[0] += 1
    if switched[0]:
        told = tell(findings, told, row, _DISCONNECTED, channel, switched[1], switched[2], switched[0], 0)
    if out[0]:
        told = tell(findings, told, row, _OUTAGE, channel, out[1], out[2], out[0], 0)
    return told


@kernel
def _asset(day: DayColumns, limits: Limits, row: int, channel: int, findings: FindingArray, told: int) -> int:
    """What the meter says of itself, and whether its estimation is stopped, once for both channels."""
    if day.repeated[row] > 0:
        told = tell(findings, told, row, _R_DUPLICATE, channel, 0, 0, day.repeated[row], 0)
    error = day.clock_error_s[row]
    if abs(error) > limits.clock_off_seconds:
        told = tell(findings, told, row, _OFF, channel, 0, 0, error, limits.clock_off_seconds)
    elif abs(error) > limits.clock_drift_seconds:
        told = tell(findings, told, row, _DRIFT, channel, 0, 0, error, limits.clock_drift_seconds)
    if day.told_multiplier[row] != day.multiplier[row]:
        told = tell(findings, told, row, _MULTIPLIER, channel, 0, 0, day.told_multiplier[row], day.multiplier[row])
    if (day.asset[row] & _OTHER_NUMBER) != 0:
        told = tell(findings, told, row, _NUMBER, channel, 0, 0, 0, 0)
    if (day.asset[row] & _OTHER_UNIT) != 0:
        told = tell(findings, told, row, _UNIT, channel, 0, 0, 0, 0)
    if day.interval_s[row] != _INTERVAL_S:
        told = tell(findings, told, row, _SIZE, channel, 0, 0, day.interval_s[row], _INTERVAL_S)
    if (day.asset[row] & _STOPPED) != 0:
        told = tell(findings, told, row, _STORM, channel, 0, 0, 0, 0)
    return told
