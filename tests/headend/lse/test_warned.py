"""What is doubtful of records that are right: sums, multipliers, midnights, what comes again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date

import pytest

from headend.lse.format import DayKey, Held, LseRecord, Severity
from headend.lse.warned import warnings_of
from headend.vee.quality import Channel
from tests.headend.lse.test_lse import FALL, ORDINARY, POSTED, SPRING, _record

NEXT = date(2026, 8, 13)
#: The test's record begins here and uses this much: 0.098 kWh and 0.011 more every quarter hour, 96 times.
START, USED = 24_002_915, 96 * 98 + 11 * 95 * 96 // 2


def warned(
    *records: LseRecord, held: Mapping[DayKey, Held] | None = None, multiplier: int | None = None
) -> list[tuple[str, str]]:
    found = warnings_of(records, held or {}, None if multiplier is None else lambda _esiid: multiplier)
    assert {(one.code, one.severity) for one in found} <= {("00", Severity.WARNING)}
    assert all(one.mend for one in found)
    return [(one.field, one.message) for one in found]


def _stopping(by: int, start: int = START) -> LseRecord:
    """The record with registers that lie so much further apart than its intervals sum to."""
    return replace(_record(), start_reading_wh=start, stop_reading_wh=start + USED + by)


def test_sound_days_are_not_warned_of() -> None:
    days = [_record(), _record(channel=Channel.GENERATION, readings=False), _record(SPRING), _record(FALL)]
    assert warned(*days) == []
    assert warned() == []


@pytest.mark.parametrize(("by", "doubtful"), [(2000, False), (-2000, False), (2001, True), (-2001, True)])
def test_intervals_may_differ_from_registers_by_two_kilowatt_hours(by: int, doubtful: bool) -> None:
    assert bool(warned(_record(SPRING), _stopping(by))) is doubtful


def test_a_sum_that_is_off_is_told_with_both_figures() -> None:
    assert warned(_stopping(9_000)) == [
        ("readings", "the intervals sum to 59.568 kWh, the registers lie 68.568 apart"),
    ]


@pytest.mark.parametrize(("known", "own"), [(40, 1), (None, 40)])
def test_a_multiplier_widens_what_may_differ(known: int | None, own: int) -> None:
    within, beyond = (replace(_stopping(by), multiplier=own) for by in (80_000, 80_001))
    assert warned(within, multiplier=known) == []
    assert [field for field, _ in warned(beyond, multiplier=known)] == ["readings"]


@pytest.mark.parametrize("full", [10**8, 10**9])
def test_a_register_that_went_on_from_zero_sums_all_the_same(full: int) -> None:
    rolled = replace(_record(), start_reading_wh=full - 1_000, stop_reading_wh=USED - 1_000)
    assert warned(rolled) == []
    assert len(warned(replace(rolled, stop_reading_wh=USED + 5_000))) == 1


def test_a_multiplier_that_is_not_the_one_on_record() -> None:
    record = replace(_record(readings=False), multiplier=40)
    assert warned(record, multiplier=60) == [("meter multiplier", "'40' is not the 60 on record")]
    assert warned(record, multiplier=40) == warned(record) == warned(_record(), multiplier=60) == []


def test_a_day_begins_where_the_one_before_it_stopped() -> None:
    following = replace(_record(NEXT), start_reading_wh=START + USED, stop_reading_wh=START + 2 * USED)
    assert warned(_record(), following) == []
    exchanged = replace(following, start_reading_wh=7, stop_reading_wh=7 + USED)
    says = "it is 0.007 kWh, where 2026-08-12 stopped at 24062.483"
    assert warned(exchanged, _record()) == [("start reading", says)]
    unread = replace(_record(), start_reading_wh=None, stop_reading_wh=None)
    assert warned(unread, exchanged) == []
    assert warned(replace(_record(), channel=Channel.GENERATION), exchanged) == []


def test_what_is_held_of_the_neighbouring_days_is_looked_at_too() -> None:
    record = _record()
    before, after = (record.key._replace(day=date(2026, 8, day)) for day in (11, 13))
    held = {before: Held(1, POSTED, 0, START), after: Held(1, POSTED, START + USED, 0)}
    assert warned(record, held=held) == []
    held = {before: Held(1, POSTED, 0, 5), after: Held(1, POSTED, 6, 0)}
    says = "it is {} kWh, where {}".format
    assert warned(record, held=held) == [
        ("start reading", says("24002.915", "2026-08-11 stopped at 0.005")),
        ("stop reading", says("24062.483", "2026-08-13 started at 0.006")),
    ]
    assert warned(record, held={before: Held(1, POSTED), after: Held(1, POSTED)}) == []


def test_what_comes_twice_or_is_held_with_the_same_timestamp() -> None:
    first, again = (replace(_record(), line=line) for line in (1, 6))
    assert warned(first, again) == [("record", "that of line 1 comes again")]
    assert warned(first, replace(again, channel=Channel.GENERATION)) == []
    held = {first.key: Held(1, first.posted_at)}
    assert warned(first, held=held) == [("record", "it is held already, with the same timestamp")]
    assert warned(first, held={first.key: Held(1, first.posted_at - 1)}) == []
    assert warned(first, held={first.key._replace(day=ORDINARY.replace(day=1)): Held(1, first.posted_at)}) == []
