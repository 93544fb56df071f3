"""The ledger of a busy hour held against the rules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from meters.calendar import day_of, to_s
from simulator.smt.ondemand.invariants import breaches, from_ledger
from simulator.smt.ondemand.lifecycle import Filed
from simulator.smt.throttle.decision import Scope
from tests.simulator.smt.rig import NEIGHBOUR, PLAIN, Rig
from tests.simulator.smt.throttle.test_throttle_live import COMPLETED_POWER, limit, policy


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
