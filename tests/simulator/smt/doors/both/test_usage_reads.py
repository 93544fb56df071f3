"""What both doors read of the repository: days, however many, and billing periods, each as far as they are somebody's."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from headend.vee.quality import Channel
from simulator.smt.access.log import What
from simulator.smt.doors.both.asked import point_seen
from simulator.smt.doors.both.usage_reads import billed_periods, stored_days
from simulator.smt.errors import BusinessError
from tests.simulator.smt.rig import FOREIGN, PLAIN, Rig

LAST = date(2026, 8, 11)


async def test_more_days_than_are_read_at_once_come_whole_and_in_order(rig: Rig) -> None:
    rig.post_days(count=70)
    user = rig.smt.registry.users["customer"]
    found = await stored_days(rig.smt, user, PLAIN, Channel.LOAD, LAST - timedelta(days=99), LAST)
    assert [day.day for day in found] == [LAST - timedelta(days=back) for back in range(69, -1, -1)]
    assert {int(day.wh.sum()) for day in found} == {9_600}
    assert await stored_days(rig.smt, rig.smt.registry.users["rival.api"], PLAIN, Channel.LOAD, LAST, LAST) == []


async def test_periods_that_are_posted_whole_are_billed(rig: Rig) -> None:
    rig.post_days(count=70)
    user = rig.smt.registry.users["customer"]
    found = await billed_periods(rig.smt, user, PLAIN, Channel.LOAD, date(2026, 1, 1), LAST)
    # Read on the first of a month: of May there are no days before the 4th of June.
    assert [(one.start, one.end) for one in found] == [(date(2026, 7, 1), date(2026, 8, 1))]
    for one in found:
        assert one.wh == 31 * 9_600
        # 100 Wh in every quarter hour; a home is billed no demand.
        assert (one.demand_w, one.demand_billed, one.estimated) == (400, False, False)


async def test_between_two_reads_for_billing_ends_no_period(rig: Rig) -> None:
    rig.post_days(count=70)
    user = rig.smt.registry.users["customer"]
    assert await billed_periods(rig.smt, user, PLAIN, Channel.LOAD, date(2026, 7, 2), date(2026, 7, 31)) == []


async def test_a_service_point_of_others_is_as_one_that_there_is_none_of(rig: Rig) -> None:
    user = rig.smt.registry.users["customer"]
    told = []
    for esiid in (FOREIGN, "99900000000099999"):
        with pytest.raises(BusinessError) as refused:
            point_seen(rig.smt, user, esiid)
        told.append((refused.value.code, refused.value.body()))
    assert told[0] == told[1]
    assert told[0][0] == "AC1"
    assert point_seen(rig.smt, user, PLAIN).meter_number == "200000017"
    noted = rig.smt.access.of(PLAIN)
    assert [(one.username, one.what) for one in noted] == [("customer", What.ATTRIBUTES)]
