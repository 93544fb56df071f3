"""The throttle behind SMT's doors: a read that answers again, access points, octets, classes; and the ledger held against the rules."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from meters import SEED
from meters.calendar import day_of, epoch
from simulator.smt.throttle.decision import Policy, Scope
from simulator.smt.throttle.policy import parse_policy, preset
from simulator.world.market import build_market
from simulator.world.meters import build, default_world
from tests.simulator.smt.rig import NEIGHBOUR, Rig

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


def test_the_market_takes_the_access_point_from_the_gateway() -> None:
    world = build(default_world(day_of(epoch("2026-08-12T12:00")), day_of(epoch("2026-08-11T12:00")), 40), SEED, None)
    points = build_market(world).registry.points
    for gateway, units in enumerate(world.gateways):
        assert {points[meter.identity.esiid].access_point for meter in units.values()} == {gateway}


def test_the_guard_of_access_points_is_in_no_other_presets_way() -> None:
    assert {one.scope for one in preset("access-point-guard").limits} == {Scope.ACCESS_POINT, Scope.TDSP}
