"""A read that answers again: whom, for how long, and how far it reaches."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from simulator.smt.ondemand.lifecycle import ANSWERED_EARLIER
from simulator.smt.registry.records import Agreement, Entity, EntityKind, RorPeriod, User, UserKind
from simulator.smt.registry.registry import Registry
from tests.simulator.smt.rig import HASH, NEIGHBOUR, PLAIN, RIVAL_DUNS, ROR_DUNS, Rig, registry
from tests.simulator.smt.throttle.test_throttle_live import COMPLETED_POWER, policy


async def test_a_read_younger_than_x_answers_again_without_meter_allowance_or_head_end(tmp_path: Path) -> None:
    async with Rig(tmp_path, policy(like="fr-cr016-1", reuse_s=600)) as rig:
        await rig.asked()
        await rig.wait(80)
        again = await rig.asked()
        status = await rig.status(again["correlationId"])
        # Ten minutes after the head-end's answer, to the second, it is too old; and the day's read is spent.
        await rig.wait(600 - 65 - 1)
        last = await rig.asked()
        await rig.wait(1)
        too_late = await rig.asked()
    assert again["statusCode"] == "0"
    assert status["statusCode"] == "0"
    # It says when it was collected.
    assert status["odrRead"]["readDate"] == "08/12/2026 17:40:15"
    assert last["statusCode"] == "0"
    assert too_late["refusal"]["code"] == "FR-CR016.1b"
    assert len(rig.head_end.asked) == 1
    entry = rig.smt.ledger.entry(again["correlationId"])
    assert entry is not None
    assert [step.state.value for step in entry.transitions] == ["requested", "answered", "completed"]
    assert (entry.last.reason, entry.last.meter_reads, entry.last.octets) == ("answered from an earlier read", 0, 0)
    assert not entry.last.meter_allowed


async def test_intervals_that_answer_again_keep_their_time_and_say_how_far_they_reach(tmp_path: Path) -> None:
    async with Rig(tmp_path, "reuse-15-min") as rig:
        rig.post_days()
        first = await rig.asked(readType="INTERVALS")
        await rig.wait(80)
        # 17:30 to 17:45 has passed meanwhile.
        await rig.wait(400)
        again = await rig.asked(readType="INTERVALS", callReference="another call")
        one, two = await rig.status(first["correlationId"]), await rig.status(again["correlationId"])
    assert two["gap"]["end"] == "2026-08-12T17:45:00-05:00"
    assert two["reachesTo"] == "2026-08-12T17:30:00-05:00"
    assert {interval["source"] for interval in two["intervals"]} == {"store"}
    assert [(i["end"], i["wh"], i["collectedAt"]) for i in two["intervals"]] == [
        (i["end"], i["wh"], i["collectedAt"]) for i in one["intervals"]
    ]
    assert (one["meterReads"], two["meterReads"]) == (1, 0)
    assert len(rig.head_end.asked) == 1


def records(*periods: RorPeriod) -> Registry:
    """The rig's, with other periods of one ESI ID, and a CSP that may see it since 12 August."""
    was = registry().records
    return Registry(
        was.points,
        (*was.entities, Entity("9990000000021", "Test Analytics", EntityKind.CSP)),
        (*periods, *(period for period in was.periods if period.esiid != PLAIN or not periods)),
        (*was.users, User("csp.api", HASH, UserKind.CSP, "9990000000021")),
        agreements=[Agreement(PLAIN, "9990000000021", date(2026, 8, 12))],
    )


@pytest.mark.parametrize("path", ["/odr/", "/powerstatus/"])
async def test_a_read_of_another_retailers_last_day_answers_that_retailer_alone(tmp_path: Path, path: str) -> None:
    switch = (
        RorPeriod(PLAIN, ROR_DUNS, date(2025, 1, 1), date(2026, 8, 12)),
        RorPeriod(PLAIN, RIVAL_DUNS, date(2026, 8, 13)),
    )
    async with Rig(tmp_path, "reuse-15-min", now="2026-08-12T23:55", registered=records(*switch)) as rig:
        await rig.asked(path)
        await rig.wait(80)
        again = await rig.asked(path)
        await rig.wait(5 * 60)
        first = (await rig.market(path, "rival.api", ESIID=PLAIN)).json()
        await rig.wait(80)
        second = (await rig.market(path, "rival.api", ESIID=PLAIN)).json()
        entries = [rig.smt.ledger.entry(one["correlationId"]) for one in (again, first, second)]
    assert [entry is not None and entry.last.reason for entry in entries] == [ANSWERED_EARLIER, "", ANSWERED_EARLIER]
    assert len(rig.head_end.asked) == 2


async def test_intervals_that_begin_after_the_new_gap_do_not_answer_it(tmp_path: Path) -> None:
    async with Rig(tmp_path, "reuse-15-min", registered=records()) as rig:
        # Posted is the day before yesterday: the CSP's gap begins a day after the retailer's.
        rig.post_days("2026-08-10")
        await rig.market("/odr/", "csp.api", ESIID=PLAIN, readType="INTERVALS")
        await rig.wait(80)
        whole = await rig.asked(readType="INTERVALS")
        await rig.wait(80)
        status = await rig.status(whole["correlationId"])
        # The other way round nothing is missing.
        part = (await rig.market("/odr/", "csp.api", ESIID=PLAIN, readType="INTERVALS")).json()
        entry = rig.smt.ledger.entry(part["correlationId"])
    assert len(status["intervals"]) == 96 + 70
    assert entry is not None
    assert entry.last.reason == ANSWERED_EARLIER
    assert len(rig.head_end.asked) == 2


async def test_a_read_that_failed_or_was_of_another_kind_answers_nobody(tmp_path: Path) -> None:
    async with Rig(tmp_path, "reuse-15-min") as rig:
        rig.head_end.amend = COMPLETED_POWER | {"register": None}
        await rig.asked()
        await rig.wait(80)
        rig.head_end.amend = {}
        await rig.asked()
        await rig.wait(80)
        await rig.asked("/powerstatus/")
        await rig.asked(ESIID=NEIGHBOUR)
        await rig.wait(80)
    assert len(rig.head_end.asked) == 4
