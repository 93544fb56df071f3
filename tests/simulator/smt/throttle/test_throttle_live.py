"""The throttle behind SMT's doors: a read that answers again, access points, octets, classes; and the ledger held against the rules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from meters import SEED
from meters.calendar import day_of, epoch, to_s
from simulator.smt.ondemand.invariants import breaches, from_ledger
from simulator.smt.ondemand.lifecycle import ANSWERED_EARLIER, Filed
from simulator.smt.registry.records import Agreement, Entity, EntityKind, RorPeriod, User, UserKind
from simulator.smt.registry.registry import Registry
from simulator.smt.throttle.decision import Policy, Scope
from simulator.smt.throttle.policy import parse_policy, preset
from simulator.world.market import build_market
from simulator.world.meters import build, default_world
from tests.simulator.smt.rig import HASH, NEIGHBOUR, PLAIN, RIVAL_DUNS, ROR_DUNS, Rig, registry

COMPLETED_POWER: dict[str, Any] = {
    "outcome": "failed",
    "reason": "the meter did not answer",
    "meterReads": 4,
    "octets": 2000,
}
#: Of a head-end that may not read the meter, and has nothing.
UNREAD: dict[str, Any] = {"meterReads": 0, "octets": 0, "reachesTo": None}


def policy(**written: Any) -> Policy:
    return parse_policy("mine", {"title": "mine"} | written, place="test")


def limit(**fields: Any) -> dict[str, Any]:
    return {"name": "L", "code": "L", "rule": "A rule.", "scope": "esiid"} | fields


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


async def test_an_area_whose_meters_do_not_answer_is_refused_until_its_cool_down_is_over(tmp_path: Path) -> None:
    breaker = limit(
        scope="access_point", measure="meter_failures", amount=2, within_s=900, cool_down_s=600, code="AREA-DOWN"
    )
    async with Rig(tmp_path, policy(limits=[breaker])) as rig:
        # The neighbour hangs on another access point.
        points = rig.smt.registry.points
        points[NEIGHBOUR] = replace(points[NEIGHBOUR], access_point=7)
        rig.head_end.amend = COMPLETED_POWER | {"register": None, "power": None}
        await rig.asked()
        await rig.asked("/powerstatus/")
        await rig.wait(80)
        refused = await rig.asked()
        beside = await rig.asked(ESIID=NEIGHBOUR)
        rig.head_end.amend = {}
        await rig.wait(600)
        probe, second = await rig.asked(), await rig.asked()
        await rig.wait(80)
        closed = await rig.asked()
    assert refused["refusal"]["code"] == "AREA-DOWN"
    assert refused["refusal"]["reason"] == (
        "A rule. 2 failures within 900 s, or a failed probe, were seen at 2026-08-12T17:41:15-05:00."
    )
    assert refused["refusal"]["retryAt"] == "2026-08-12T17:51:15-05:00"
    assert beside["statusCode"] == "0"
    assert (probe["statusCode"], second["statusCode"], closed["statusCode"]) == ("0", "1", "0")


async def test_an_answer_is_charged_the_octets_that_it_says(tmp_path: Path) -> None:
    budget = limit(scope="tdsp", measure="octets", amount=2200, estimate=1500, window="clock_hour")
    async with Rig(tmp_path, policy(limits=[budget])) as rig:
        first = await rig.asked()
        held = await rig.asked()
        await rig.wait(80)
        # 500 octets were spent, so 1,700 are left.
        then = await rig.asked()
    assert first["statusCode"] == then["statusCode"] == "0"
    assert held["refusal"] == {
        "code": "L",
        "reason": "A rule. 1,500 octets are held for requests under way.",
        "retryAt": "2026-08-12T18:00:00-05:00",
    }


@pytest.mark.parametrize(
    ("meanwhile", "reason", "retry_at"),
    [
        # At its submission the hour's read was used until 18:40; when the head-end needs the meter it is free again.
        (False, "A rule. It was used at 2026-08-12T17:40:00-05:00.", "2026-08-12T18:41:05-05:00"),
        (True, "A rule. A request of 2026-08-12T18:40:00-05:00 is under way.", "2026-08-12T19:40:00-05:00"),
    ],
)
async def test_a_refusal_that_comes_late_gives_the_time_to_come_back_as_it_is_then(
    tmp_path: Path, meanwhile: bool, reason: str, retry_at: str
) -> None:
    async with Rig(tmp_path, policy(limits=[limit(amount=1, window="rolling_hour")])) as rig:
        rig.post_days()
        await rig.asked()
        await rig.wait(3590)
        rig.head_end.amend = {"outcome": "refused", "intervals": [], "reason": "the meter is needed"} | UNREAD
        late = await rig.asked(readType="INTERVALS")
        await rig.wait(10)
        if meanwhile:
            await rig.asked("/powerstatus/")
        await rig.wait(65)
        status = await rig.status(late["correlationId"])
    assert status["refusal"] == {"code": "L", "reason": reason, "retryAt": retry_at}


async def test_who_asks_is_told_apart_by_the_class_of_the_user(tmp_path: Path) -> None:
    async with Rig(tmp_path, policy(limits=[limit(amount=1, window="day", classes=["ror_bulk"])])) as rig:
        users = rig.smt.registry.users
        assert [(await rig.asked())["statusCode"] for _ in range(2)] == ["0", "0"]
        users["lonestar.api"] = replace(users["lonestar.api"], requester_class="ror_bulk")
        assert [(await rig.asked())["statusCode"] for _ in range(2)] == ["0", "1"]


async def test_the_ledger_of_a_busy_hour_keeps_every_rule_and_a_forged_one_does_not(tmp_path: Path) -> None:
    mine = policy(
        limits=[
            limit(name="HOUR", kind="read", amount=2, window="rolling_hour"),
            limit(name="AREA", scope="access_point", measure="under_way", amount=2),
        ],
        source="meter_only",
    )
    async with Rig(tmp_path, mine) as rig:
        registry = rig.smt.registry

        def scopes_of(filed: Filed) -> Mapping[Scope, str]:
            point = registry.points[filed.esiid]
            return {
                Scope.ESIID: filed.esiid,
                Scope.ROR: registry.ror_of_record(filed.esiid, day_of(to_s(filed.submitted_us))) or "",
                Scope.REQUESTER_CLASS: filed.requester_class,
                Scope.TDSP: point.tdsp_key,
                Scope.ACCESS_POINT: str(point.access_point),
            }

        for turn in range(12):
            rig.head_end.amend = COMPLETED_POWER | {"register": None} if turn % 4 == 1 else {}
            await rig.asked(ESIID=(PLAIN, NEIGHBOUR)[turn % 3 == 0])
            await rig.wait(40 + 97 * (turn % 5))
        entries = [one for esiid in (PLAIN, NEIGHBOUR) for one in rig.smt.ledger.audit(esiid, rig.today())]
    asked = from_ledger(entries, scopes_of)
    assert len(asked) == 12
    assert {one.admitted for one in asked} == {True, False}
    assert breaches(mine, asked) == []
    # One that was let in against the rules, and one that was refused without reason, are both found.
    forged = [replace(one, admitted=True, success=True, ended_at=one.at, ended_after=one.after) for one in asked]
    assert {breach.limit for breach in breaches(mine, forged)} >= {"HOUR"}
    refused = [replace(asked[0], admitted=False)]
    assert [breach.what for breach in breaches(mine, refused)] == ["refused, though every limit had room"]


def test_the_market_takes_the_access_point_from_the_gateway() -> None:
    world = build(default_world(day_of(epoch("2026-08-12T12:00")), day_of(epoch("2026-08-11T12:00")), 40), SEED, None)
    points = build_market(world).registry.points
    for gateway, units in enumerate(world.gateways):
        assert {points[meter.identity.esiid].access_point for meter in units.values()} == {gateway}


def test_the_guard_of_access_points_is_in_no_other_presets_way() -> None:
    assert {one.scope for one in preset("access-point-guard").limits} == {Scope.ACCESS_POINT, Scope.TDSP}
