"""One operating day of many meters through VEE: flag, estimate, scale, check the sum again. Arrays in, arrays and findings out.

The checks run over all meters at once; only the rows in which something is to be estimated are walked one by one.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np

from headend.ports import BoolArray, IntArray, LongArray
from headend.vee.estimate import PastDay, estimate_gaps
from headend.vee.quality import Channel, Finding, IntervalStatus, Method
from headend.vee.records import DayBlock, History, OctetArray, VeeChannel, VeeDay
from headend.vee.rules import (
    condition_check,
    missing_check,
    negative_check,
    power_failures,
    register_advance,
    spike_intervals,
    sum_check,
    sum_tolerance,
)
from headend.vee.scaling import Scaling, scale_to_registers
from meters.calendar import interval_ends, iso, seconds


@dataclass(frozen=True, slots=True, eq=False)
class _Flags:
    """What the interval rules say of one channel, each (m, n)."""

    missing: BoolArray
    negative: BoolArray
    condition: BoolArray
    spike: BoolArray

    @property
    def bad(self) -> BoolArray:
        return self.missing | self.negative | self.condition | self.spike


def _flags(block: DayBlock, channel: Channel) -> _Flags:
    wh = block.wh(channel)
    missing = missing_check(block.present)
    condition = condition_check(block.status, channel) & block.present
    negative = negative_check(wh) & block.present
    usable = np.where(missing | condition | negative, 0, wh).astype(np.int32)
    spike = spike_intervals(usable)
    return _Flags(missing, negative, condition, spike)


def needs_history(block: DayBlock) -> BoolArray:
    """(m,) True for the meters with something to estimate: only theirs need be looked up before ``run_batch``."""
    either = _flags(block, Channel.LOAD).bad | _flags(block, Channel.GENERATION).bad
    meters: BoolArray = np.any(either, axis=1)
    return meters


def run_batch(block: DayBlock, history: History, *, multiplier: LongArray | int = 1) -> VeeDay:
    """Validate, edit and estimate one operating day. Pure: the same arrays give the same day.

    block: m meters, n intervals. history: earlier VEE'd days of at least the meters that ``needs_history`` names. multiplier: (m,) or one
    for all, for the tolerance of the sum check; energies and registers are multiplied already. In the result every interval has a value; a
    day in which something was estimated sums exactly to its registers unless the good intervals alone exceed them.
    """
    findings: list[list[Finding]] = [[] for _ in block.meters]
    for row in np.flatnonzero(missing_check(block.present).any(axis=1)):
        at = np.flatnonzero(~block.present[row])
        first = iso(seconds(interval_ends(block.day)[at[0]]))
        sentence = f"{len(at)} of {block.present.shape[1]} intervals are missing, the first ends {first}."
        findings[row].append(Finding("vee.interval.missing", sentence, {"count": len(at), "first_end": first}))
    for row in np.flatnonzero(~(block.have_r0 & block.have_r1)):
        lacks = " and ".join(name for name, have in (("start", block.have_r0), ("end", block.have_r1)) if not have[row])
        sentence = f"No register was read for the {lacks} of the day, so its sum cannot be checked."
        findings[row].append(Finding("vee.register.missing", sentence, {"lacks": lacks}))
    delivered = _run_channel(block, Channel.LOAD, history, multiplier, findings)
    received = _run_channel(block, Channel.GENERATION, history, multiplier, findings)
    return VeeDay(block.day, block.meters, delivered, received, tuple(tuple(rows) for rows in findings))


def _run_channel(
    block: DayBlock,
    channel: Channel,
    history: History,
    multiplier: LongArray | int,
    findings: list[list[Finding]],
) -> VeeChannel:
    flags = _flags(block, channel)
    bad = flags.bad
    failed_power = power_failures(block.status) & block.present
    r0, r1 = block.registers(channel)
    advance, usable = register_advance(r0, r1, block.have_r0, block.have_r1)
    tolerance = np.broadcast_to(sum_tolerance(advance, multiplier), advance.shape)
    out = np.where(bad, 0, block.wh(channel)).astype(np.int32)
    method = np.full(out.shape, Method.MEASURED, dtype=np.uint8)
    scaled = np.zeros(out.shape, dtype=np.bool_)
    _tell_flags(block, channel, flags, findings)
    for row in np.flatnonzero(block.have_r0 & block.have_r1 & ~usable):
        sentence = (
            f"The register of channel {int(channel)} went from {r0[row]} to {r1[row]} Wh, which no day's use explains."
        )
        evidence = {"channel": int(channel), "r0": int(r0[row]), "r1": int(r1[row])}
        findings[row].append(Finding("vee.register.implausible", sentence, evidence))
    history_row = {meter: row for row, meter in enumerate(history.meters)}
    for row in np.flatnonzero(bad.any(axis=1)):
        before, past = _look_back(block.day, history, channel, history_row.get(block.meters[row]))
        out[row], method[row] = estimate_gaps(block.day, out[row], ~bad[row], failed_power[row], before, past)
        scaling = Scaling.NOTHING
        if usable[row]:
            out[row], scaling = scale_to_registers(out[row], bad[row], int(advance[row]), int(tolerance[row]))
            scaled[row] = bad[row] & (scaling is not Scaling.REFUSED)
        findings[row].append(_estimate_finding(channel, method[row], bad[row], out[row], scaling))
    sums = out.sum(axis=1, dtype=np.int64)
    for row in np.flatnonzero(usable & sum_check(sums, advance, tolerance)):
        sentence = (
            f"The intervals of channel {int(channel)} sum to {sums[row]} Wh, the registers say {advance[row]} Wh."
        )
        evidence = {
            "channel": int(channel),
            "sum": int(sums[row]),
            "register": int(advance[row]),
            "tolerance": int(tolerance[row]),
        }
        findings[row].append(Finding("vee.sum.failed", sentence, evidence))
    status = np.where(bad, IntervalStatus.ESTIMATED, IntervalStatus.ACTUAL).astype(np.uint8)
    return VeeChannel(out, status, method, scaled, failed_power, r0, r1, block.have_r0, block.have_r1)


def _tell_flags(block: DayBlock, channel: Channel, flags: _Flags, findings: list[list[Finding]]) -> None:
    by_rule = (
        ("negative", flags.negative, "are negative"),
        ("condition", flags.condition, "carry a condition of the meter that makes their value unusable"),
        ("spike", flags.spike, "tower over the third highest of the day"),
    )
    ends = interval_ends(block.day)
    for name, mask, sentence in by_rule:
        for row in np.flatnonzero(mask.any(axis=1)):
            at = np.flatnonzero(mask[row])
            first = iso(seconds(ends[at[0]]))
            evidence: dict[str, int | float | str] = {
                "channel": int(channel),
                "count": len(at),
                "first_end": first,
                "wh": int(block.wh(channel)[row, at[0]]),
            }
            text = f"{len(at)} intervals of channel {int(channel)} {sentence}, the first ends {first}."
            findings[row].append(Finding(f"vee.interval.{name}", text, evidence))


def _estimate_finding(channel: Channel, method: OctetArray, bad: BoolArray, wh: IntArray, scaling: Scaling) -> Finding:
    ways = {way.name.lower(): int((method[bad] == way).sum()) for way in Method}
    evidence: dict[str, int | float | str] = {
        "channel": int(channel),
        "wh": int(wh[bad].sum(dtype=np.int64)),
        "scaling": scaling.value,
        **{way: count for way, count in ways.items() if count},
    }
    how = ", ".join(f"{count} {way}" for way, count in ways.items() if count)
    sentence = f"{int(bad.sum())} intervals of channel {int(channel)} were estimated ({how}); scaling: {scaling.value}."
    return Finding("vee.interval.estimated", sentence, evidence)


def _look_back(day: date, history: History, channel: Channel, row: int | None) -> tuple[int | None, list[PastDay]]:
    """The last interval of the day before, if it may serve as a neighbour, and the meter's earlier days."""
    if row is None:
        return None, []
    before = None
    past = []
    for earlier, held in zip(history.days, history.of(channel), strict=True):
        actual = held.status[row] == IntervalStatus.ACTUAL
        past.append(PastDay(earlier, held.wh[row], actual))
        if (day - earlier).days == 1 and actual[-1] and not held.power_failed[row, -1]:
            before = int(held.wh[row, -1])
    return before, past
