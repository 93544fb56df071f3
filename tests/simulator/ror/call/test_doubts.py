"""What a desk doubts of non-VEE intervals: a row of the rule book each, and what is no reason to doubt."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pytest

from headend.wire import ServedInterval
from meters.calendar import INTERVAL_S, day_end, local, seconds
from meters.status import Common, Condition, status_word
from simulator.ror.call.doubts import doubts
from simulator.ror.usage import UsageRecord, from_gap, merge
from tests.simulator.ror.support import vee_record, wh_of

POSTED = vee_record(date(2026, 8, 10), date(2026, 8, 11))
MIDNIGHT = day_end(date(2026, 8, 11))
FAILED, SET_BACK = (status_word(flag, Condition.OK) for flag in (Common.POWER_FAIL, Common.CLOCK_BACK))


def gap(count: int = 70, every: dict[str, Any] | None = None, **at: dict[str, Any]) -> UsageRecord:
    """VEE data, and so many intervals behind them. every: of all; at: of some, by number."""
    ends = [MIDNIGHT + INTERVAL_S * number for number in range(1, count + 1)]
    plain = [{"end": local(end), "wh": wh_of(end), "source": "store", "collectedAt": local(end)} for end in ends]
    told = [one | (every or {}) | at.get(f"n{number}", {}) for number, one in enumerate(plain)]
    return merge(POSTED, from_gap(map(ServedInterval.model_validate, told)))


@pytest.mark.parametrize(
    ("record", "ahead", "ids"),
    [
        (gap(), 0, []),
        (gap(every={"status": status_word(Common.DST, Condition.OK)}), 0, []),
        (gap(n5={"wh": 12_000}), 0, ["interval.spike"]),
        (gap(n5={"wh": 12_001}), 0, ["interval.hard_maximum"]),
        (gap(n5={"status": status_word(0, Condition.TEST_MODE)}), 0, ["interval.condition"]),
        (gap(n5={"status": SET_BACK}), 0, ["interval.condition"]),
        (gap(every={"wh": 0}), 0, ["interval.zero"]),
        (gap(every={"wh": 0, "status": FAILED}), 0, []),
        (gap(every={"wh": 0}, n69={"wh": 1}), 0, []),
        (gap(15, every={"wh": 0}), 0, []),
        (gap(16, every={"wh": 0}), 0, ["interval.zero"]),
        (gap(), -180, []),
        (gap(), 181, ["clock.off"]),
        (gap(192, n191={"wh": 12_001}), 0, ["interval.hard_maximum"]),
        (POSTED, 3_600, []),
        (gap().only(np.arange(262) >= 192), 0, []),
    ],
)
def test_a_row_of_the_rule_book_doubts_what_is_odd_and_nothing_else(
    record: UsageRecord, ahead: int, ids: list[str]
) -> None:
    assert [doubt.id for doubt in doubts(record, 1, seconds(ahead))] == ids


def test_a_doubt_names_its_quarter_hours() -> None:
    (doubt,) = doubts(gap(n5={"wh": 12_001}), 1, seconds(0))
    assert (doubt.evidence["first"], doubt.evidence["last"]) == (
        "2026-08-12T01:15:00-05:00",
        "2026-08-12T01:30:00-05:00",
    )
    (doubt,) = doubts(gap(n5={"wh": 12_000}), 1, seconds(0))
    assert doubt.evidence["last"] == "2026-08-12T01:30:00-05:00"


@pytest.mark.parametrize(("wh", "ids"), [(2_460, []), (2_461, ["interval.spike"])])
def test_a_spike_towers_over_what_the_home_took_the_evening_before(wh: int, ids: list[str]) -> None:
    # That was 410 Wh, three times and more; six times it would pass where no register confirms it.
    assert [doubt.id for doubt in doubts(gap(every={"wh": 100}, n5={"wh": wh}), 1, seconds(0))] == ids


def test_what_a_service_carries_grows_with_the_multiplier() -> None:
    ten = gap(every={"wh": 30_000})
    assert [doubt.id for doubt in doubts(ten, 1, seconds(0))] == ["interval.hard_maximum"]
    assert doubts(ten, 10, seconds(0)) == ()


def test_what_home_took_before_is_no_doubt_of_the_gap() -> None:
    towering = POSTED.wh.copy()
    towering[-1] = 9_000
    before = UsageRecord(POSTED.ends, towering, POSTED.quality, POSTED.source, POSTED.given)
    behind = gap().only(gap().ends > MIDNIGHT)
    assert doubts(merge(before, behind), 1, seconds(0)) == ()
