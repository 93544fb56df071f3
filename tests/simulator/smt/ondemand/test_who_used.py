"""Who else used a meter's allowance up, as a refusal tells it."""

from __future__ import annotations

from pathlib import Path

from meters.calendar import epoch
from simulator.smt.ondemand.who_used import with_others
from simulator.smt.throttle.decision import Kind, Refusal, Scope
from simulator.smt.throttle.policy import preset
from tests.simulator.smt.rig import PLAIN, Rig

NOON = epoch("2026-08-12T12:00")


async def test_two_clients_use_up_one_meters_quota_and_the_refusal_says_who(tmp_path: Path) -> None:
    async with Rig(tmp_path, "smt-today") as rig:
        await rig.portal("/api/ondemandread", ESIID=PLAIN)
        await rig.wait(80)
        await rig.asked()
        await rig.wait(80)
        third = await rig.asked()
        portal = (await rig.portal("/api/ondemandread", ESIID=PLAIN))["data"]
    assert third["refusal"]["code"] == "SMT-HOUR"
    assert third["refusal"]["reason"].endswith("By others: ror call centre (portal), asked at 2026-08-12T17:40:00-05:00, used.")  # fmt: skip
    assert (portal["RequestStatus"], portal["statusCode"]) == ("FLR", "5031")


def test_a_refusal_of_another_scope_or_that_is_not_told_names_nobody() -> None:
    policy = preset("smt-today")
    mine = next(limit.code for limit in policy.limits if limit.scope is Scope.ESIID)
    for refusal in (Refusal("OTHER", "A rule.", NOON, "", True), Refusal(mine, "A rule.", NOON, "", False)):
        assert with_others(policy, refusal, Kind.READ, "customer", []) is refusal
    alone = Refusal(mine, "A rule.", NOON, "", True)
    assert with_others(policy, alone, Kind.READ, "customer", []) is alone
