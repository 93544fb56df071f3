"""Every check of one channel in one pass a row, compiled: the same code for one meter or a million.

A row without a flag, whose registers confirm its sum, costs a sum. The registers judge: spike, stuck and zero are looked for where the sum fails, in the
direction of what is left over, or where there is no sum to check. What decides is what was read, never what another rule has flagged: else the order of
rules decided.
"""

from __future__ import annotations

import numpy as np

from headend.vee.findings import FindingArray
from headend.vee.flags import (
    CONDITION,
    HARD_MAXIMUM,
    LOAD,
    MISSING,
    NEGATIVE,
    NO_USE,
    POWER_FAIL,
    Flags,
    is_zero,
    service_wh,
    tell,
)
from headend.vee.locate import locate
from headend.vee.records import Asset, DayColumns, OctetArray, Power
from headend.vee.rules import Limits, Rule
from meters.kernels.jit import kernel
from meters.status import Common

_CLOCK_SET = int(Common.CLOCK_FORWARD | Common.CLOCK_BACK) << 12
_LOAD_CONDITION, _GENERATION_CONDITION = 0x0F00 | _CLOCK_SET, 0x00F0 | _CLOCK_SET
_OUT, _SWITCH_OPEN, _OVER = int(Power.OUT), int(Power.SWITCH_OPEN), int(Power.OVER)
_OTHER_NUMBER, _OTHER_UNIT, _EXCHANGED = int(Asset.OTHER_NUMBER), int(Asset.OTHER_UNIT), int(Asset.EXCHANGED)
_INACTIVE, _STOPPED, _THREE_PHASE = int(Asset.INACTIVE), int(Asset.STOPPED), int(Asset.THREE_PHASE)
_MOST = 2**31 - 1
_INTERVAL_S, _DAY_S = 900, 86_400
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


@kernel
def validate_rows(day: DayColumns, limits: Limits, channel: int, flags: Flags, findings: FindingArray) -> int:
    """Check every row of one channel. Returns how many findings there are; if they exceed the room, none may be used and it is called again.

    flags: as ``no_flags`` makes it. findings: (room,) ``FINDING``, each row's in the order of the rules.
    """
    m, n = day.wh.shape
    unusable = _LOAD_CONDITION if channel == LOAD else _GENERATION_CONDITION
    wh, status, present, power = day.wh, day.status, day.present, day.power
    high, low, confirms = limits.usage_high_ratio, limits.usage_low_ratio, limits.usage_low_registers_confirm != 0
    told = 0
    unconfirmed = not (
        limits.interval_spike_registers_confirm
        * limits.interval_stuck_registers_confirm
        * limits.interval_zero_registers_confirm
    )
    rollover, counts, share = limits.register_rollover_share, limits.sum_failed_counts, limits.sum_failed_share
    by_multiplier = limits.asset_multiplier_estimate_day != 0
    # Of a clock that is a whole day off none of the day's intervals are: those that are there came from another read.
    clock_off = limits.clock_off_seconds if limits.clock_off_estimate_day != 0 else _DAY_S
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
        bad = bool(there == 0 or least < 0 or most > hard or (words & unusable) != 0)
        likely, begun = np.int64(0), told
        if bad:
            s, likely, told = _flag(day, limits, unusable, hard, channel, row, False, flags.bad[row], findings, told)
        r0, r1, before = day.r0[row], day.r1[row], day.r1_before[row]
        whole = min(n * hard, _MOST)
        off = abs(day.clock_error_s[row])
        untrusted = bool(
            (by_multiplier and day.told_multiplier[row] != multiplier)
            or clock_off < off < _DAY_S
            or (day.asset[row] & _OTHER_UNIT) != 0
            or day.interval_s[row] != _INTERVAL_S
        )
        measured = -1 if bad else s
        advance, rule = _advance(
            r0, r1, before, multiplier, day.dials[row], day.asset[row], rollover, counts, share, whole, measured
        )
        tolerance = max(counts * multiplier, max(advance, 0) * share // 1000)
        d = advance - s
        failed = advance >= 0 and (d < -tolerance or d > max(tolerance, int(likely)))
        flags.advance[row], flags.tolerance[row], flags.failed[row] = advance, tolerance, failed
        if failed or untrusted or advance < 0 or unconfirmed:
            anew = begun if failed and d > 0 and (causes & _OVER) != 0 and not untrusted else -1
            told = _deny(day, limits, unusable, hard, channel, row, flags, d, findings, told, anew)
            failed = flags.failed[row]
            bad, told = locate(day, limits, channel, row, flags, d, untrusted, hard, findings, told)
        flags.touched[row] = bad or failed
        # What is called here takes no arrays of the day unless there is something to tell: to hand them over costs more than a row.
        if failed or rule != 0 or r0 < 0 or r1 < 0 or (before >= 0 and r0 != before):
            left = d if failed else 0
            told = _registers(row, channel, n, r0, r1, before, rule, advance, whole, left, tolerance, findings, told)
        use = advance if advance >= 0 else measured
        if day.average[row] > 0 or (day.asset[row] & _INACTIVE) != 0:
            sure = advance > 0 and not bad and not failed and confirms
            told = _usage(row, channel, n - 1, use, sure, day.average[row], day.asset[row], high, low, findings, told)
        if (causes & NO_USE) != 0 or (words & POWER_FAIL) != 0:
            told = _contradictions(day, row, channel, flags.bad[row], findings, told)
        if channel == LOAD and (
            off > min(limits.clock_drift_seconds, limits.clock_off_seconds)
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
    denied: bool,
    bad: OctetArray,
    findings: FindingArray,
    told: int,
) -> tuple[int, np.int64, int]:
    """The rules that look at one interval alone: flags, findings, the sum of what stands, and most Wh that what does not can have been.

    More than that is left over only where something that looks good is not. Of a value above the service the registers may have all. denied: outages that were
    told have no values.
    """
    n = len(bad)
    s, most, lacking, highest, used, run, longest = 0, 0, 0, limits.interval_spike_floor, 0, 0, 0
    count, first, last = np.zeros(4, np.int64), np.zeros(4, np.int64), np.zeros(4, np.int64)
    for i in range(n):
        x = int(day.wh[row, i])
        there = day.present[row, i] and not (denied and (day.power[row, i] & _OVER) != 0)
        said = _said(x, there, day.status[row, i], unusable, hard)
        if said == 0:
            s += x
            highest = max(highest, x)
            used += x > 0
            lonely = is_zero(x, day.status[row, i], day.power[row, i]) and day.other[row, i] == 0
            run = run + 1 if lonely else 0
            longest = max(longest, run)
            continue
        run = 0
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
    if longest >= limits.interval_stuck_count and used > 0:
        # Zeros that nothing explains may be what the registers have more: what lacks is taken for what is used on the average.
        likely = s * lacking // used
    return s, np.int64(_MOST if count[3] or lacking == n else likely), told


@kernel
def _deny(
    day: DayColumns,
    limits: Limits,
    unusable: int,
    hard: int,
    channel: int,
    row: int,
    flags: Flags,
    d: int,
    findings: FindingArray,
    told: int,
    begun: int,
) -> int:
    """Where the registers have energy of an outage that was told, what nobody has read of it is a gap like any other.

    begun: how many findings there were before the row's, which are told anew; -1: there is nothing to deny.
    """
    if begun >= 0:
        _, likely, told = _flag(day, limits, unusable, hard, channel, row, True, flags.bad[row], findings, begun)
        flags.failed[row] = d > max(likely, flags.tolerance[row])
    return told


@kernel
def _advance(
    r0: int,
    r1: int,
    before: int,
    multiplier: int,
    dials: int,
    asset: int,
    rollover: int,
    counts: int,
    share: int,
    most: int,
    measured: int,
) -> tuple[int, int]:
    """Wh of the day by its registers, -1 if they do not tell, and the rule that has something to say of them.

    measured: what all intervals together say, -1 if one of them does not stand.
    """
    # A day begins where the one before it ended.
    r0 = r0 if r0 >= 0 else before
    # One that reads 0 at both ends, and held more the day before, was not read.
    if r0 < 0 or r1 < 0 or (r0 == 0 and r1 == 0 and before > 0):
        return -1, 0
    if (asset & _EXCHANGED) != 0:
        return -1, _EXCHANGE
    if r1 >= r0:
        return (r1 - r0, 0) if r1 - r0 <= most else (-1, _IMPLAUSIBLE)
    # Of a display that nobody told, the shortest that the register still fits.
    turn = 10 ** ((dials if dials > 0 else 4) + 3) * multiplier
    while dials == 0 and turn <= r0 and turn < 10**12 * multiplier:
        turn *= 10
    # A turn is a whole number of kWh, so nothing is lost and nothing overflows.
    if rollover * (turn // 1000) < r0 < turn and r1 + turn - r0 <= most:
        advance = r1 + turn - r0
        tolerance = max(counts * multiplier, advance * share // 1000)
        # A register that began anew has no more than was measured, and its turn would have more: then it did.
        if measured < 0 or advance - measured <= tolerance or r1 > measured + tolerance:
            return advance, _ROLLOVER
    return -1, _BACKWARDS


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
    left: int,
    tolerance: int,
    findings: FindingArray,
    told: int,
) -> int:
    """What the registers say, of themselves and of the sum. left: Wh that they have more, 0 where the sum holds."""
    if left != 0:
        told = tell(findings, told, row, _SUM_FAILED, channel, 0, n - 1, left, tolerance)
    if r0 < 0 or r1 < 0:
        lost = (1 if r0 < 0 else 0) + (2 if r1 < 0 else 0)
        told = tell(findings, told, row, _NO_REGISTER, channel, 0, n - 1, lost, 0)
    if r0 >= 0 and before >= 0 and r0 != before:
        told = tell(findings, told, row, _CONTINUITY, channel, 0, 0, r0 - before, 0)
    r0 = r0 if r0 >= 0 else before
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
    sure: bool,
    average: int,
    asset: int,
    high: int,
    low: int,
    findings: FindingArray,
    told: int,
) -> int:
    """Wh of the day against the weeks before, and against the records; -1: not known. sure: registers and intervals agree on it, so that little is little."""
    if use >= 0 and average > 0 and 1000 * use > high * average:
        told = tell(findings, told, row, _HIGH, channel, 0, last, use, average)
    if use >= 0 and average > 0 and not sure and 1000 * use < low * average:
        told = tell(findings, told, row, _LOW, channel, 0, last, use, average)
    if use > 0 and (asset & _INACTIVE) != 0:
        told = tell(findings, told, row, _NOBODY, channel, 0, last, use, 0)
    return told


@kernel
def _contradictions(day: DayColumns, row: int, channel: int, bad: OctetArray, findings: FindingArray, told: int) -> int:
    """Energy where none can flow, by the intervals or by the registers. At the edges of an outage by the meter's own flag part of an interval had power."""
    n = day.wh.shape[1]
    switched, out = np.zeros(3, np.int64), np.zeros(3, np.int64)
    for i in range(n):
        denied = (bad[i] & MISSING) != 0 and (day.power[row, i] & _OVER) != 0
        if not denied and (not day.present[row, i] or day.wh[row, i] == 0):
            continue
        inside = 0 < i < n - 1
        for j in range(i - 1, i + 2):
            inside = inside and (day.status[row, j] & POWER_FAIL) != 0
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
