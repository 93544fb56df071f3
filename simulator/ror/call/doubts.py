"""What a desk sees of non-VEE intervals, which nobody has validated: rows of the VEE rule book, by its own kernel. They mark, and alter nothing. Pure."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from headend.ondemand.gap import GAP_LIMIT
from headend.vee.batch import validate
from headend.vee.findings import Finding, explain
from headend.vee.preset import Preset
from headend.vee.quality import Channel
from headend.vee.records import Assets, DayColumns
from headend.vee.rules import Rule
from meters.calendar import Seconds
from simulator.ror.usage import Quality, UsageRecord, joined

#: Rows that need nothing but the intervals: a desk has no registers of a day that runs, and no other channel.
_ALONE = (Rule.CONDITION, Rule.HARD_MAXIMUM, Rule.CLOCK_OFF)
#: Fewer quarter hours than this without any energy are no oddity [D].
_LEAST_ZEROS = 16
#: Quarter hours of VEE data that say what the home takes at its highest; a finding counts in an octet.
_BEFORE = 255 - GAP_LIMIT


def doubts(record: UsageRecord, multiplier: int, clock_error_s: Seconds) -> tuple[Finding, ...]:
    """What is doubtful of a record's non-VEE intervals, of the latest that one read brings. clock_error_s: the meter's clock less the head-end's at the read."""
    unchecked = record.quality == Quality.NON_VEE
    gap, before = record.only(unchecked).latest(GAP_LIMIT), record.only(~unchecked).latest(_BEFORE)
    if not len(gap.ends):
        return ()
    alone = (*_ALONE, Rule.ZERO) if len(gap.ends) >= _LEAST_ZEROS else _ALONE
    together = before.only(before.ends <= gap.ends[0])
    return (
        *_found(gap, multiplier, clock_error_s, alone, 0),
        *_found(joined((together, gap)), multiplier, clock_error_s, (Rule.SPIKE,), len(together.ends)),
    )


def _found(
    record: UsageRecord, multiplier: int, clock_error_s: Seconds, rules: Sequence[Rule], begins: int
) -> list[Finding]:
    """What some rules find of a record laid out as one day. begins: where in it what is looked at does."""
    row = (1, len(record.ends))
    none, zeros = np.full(1, -1, np.int64), np.zeros(row, np.int32)
    assets = Assets.plain(1, multiplier)._replace(clock_error_s=np.array([clock_error_s], np.int64))
    day = DayColumns(
        wh=record.wh.reshape(row),
        other=zeros,
        status=record.status.reshape(row),
        present=np.ones(row, np.bool_),
        power=zeros.astype(np.uint8),
        r0=none,
        r1=none,
        r1_before=none,
        average=none,
        **assets._asdict(),
    )
    _, findings = validate(day, Preset(), Channel.LOAD)
    return [explain(one, record.ends) for one in findings if int(one["rule"]) in rules and int(one["last"]) >= begins]
