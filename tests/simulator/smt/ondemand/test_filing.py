"""A request as it is filed: what stands against it, its id, what it spends, and what the ledger has of it."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from simulator.smt.ondemand.eligibility import OBJECTIONS, objection
from simulator.smt.ondemand.ledger import Ledger
from simulator.smt.ondemand.lifecycle import State
from simulator.smt.registry.registry import Registry
from tests.simulator.smt.rig import BROKEN, FOREIGN, NEIGHBOUR, PLAIN, Rig, registry


async def test_an_answer_from_the_store_alone_spends_nothing(rig: Rig) -> None:
    rig.post_days()
    rig.head_end.meter_reads = 0
    await rig.asked(readType="INTERVALS")
    await rig.wait(80)
    assert (await rig.asked())["statusCode"] == "0"


@pytest.mark.parametrize("code", sorted(BROKEN))
async def test_each_broken_assumption_is_refused_with_its_own_reason(rig: Rig, code: str) -> None:
    for path in ("/odr/", "/powerstatus/"):
        reply = await rig.market(path, ESIID=BROKEN[code])
        assert reply.status_code == 200
        assert reply.json()["errorCode"] == code
    await rig.wait(80)
    assert rig.head_end.asked == []
    assert rig.smt.ledger.audit(BROKEN[code], rig.today()) == []


async def test_no_gap_is_said_at_once_and_spends_nothing(tmp_path: Path) -> None:
    async with Rig(tmp_path, now="2026-08-12T00:10") as rig:
        rig.post_days()
        reply = await rig.asked(readType="INTERVALS")
        plain = await rig.asked()
    assert reply == {
        "errorCode": "NO-GAP",
        "errorMessage": "There is no gap to fill: the posted VEE intervals reach to 2026-08-12T00:00:00-05:00.",
    }
    assert plain["statusCode"] == "0"


async def test_identical_requests_of_one_instant_have_ids_that_repeat_in_the_next_run(tmp_path: Path) -> None:
    async def ids(folder: Path) -> list[str]:
        async with Rig(folder, "store-only") as rig:
            rig.post_days()
            acks = [await rig.asked(readType="INTERVALS", trans_id="same") for _ in range(3)]
            return [ack["correlationId"] for ack in acks]

    first = await ids(tmp_path / "one")
    assert len(set(first)) == 3
    assert await ids(tmp_path / "two") == first


async def test_the_audit_shows_each_request_with_its_call(rig: Rig) -> None:
    await rig.asked(callReference="call-1")
    await rig.asked(callReference="call-2")
    await rig.asked(callReference="call-3", ESIID=NEIGHBOUR)
    await rig.wait(80)
    entries = rig.smt.ledger.audit(PLAIN, rig.today())
    ledger = Ledger(rig.smt._engine)
    assert ledger.audit(PLAIN, rig.today()) == entries
    shown = {entry.filed.call_reference: (entry.last.state, entry.last.meter_reads) for entry in entries}
    assert shown == {"call-1": (State.COMPLETED, 1), "call-2": (State.REFUSED, 0)}


@pytest.mark.parametrize(
    ("esiid", "number", "against"),
    [
        (PLAIN, None, None),
        (PLAIN, "", None),
        (PLAIN, "200000017LG", None),
        (PLAIN, "200000018", "METER"),
        (FOREIGN, None, "AC1"),
        ("99900000000099999", None, "AC1"),
        *((esiid, None, code) for code, esiid in BROKEN.items()),
    ],
)
def test_what_stands_against_a_request_is_told_in_one_order(
    esiid: str, number: str | None, against: str | None
) -> None:
    made = registry()
    assert objection(made, made.users["lonestar.api"], esiid, number, date(2026, 8, 12)) == against


def test_all_that_may_stand_against_a_request_is_told_by_code_in_the_order_of_looking() -> None:
    assert OBJECTIONS == ("AC1", "METER", "A1", "A2", "A3", "A4", "NO-ROR", "DE-ENERGIZED")
    assert {*OBJECTIONS} == {"AC1", "METER", "NO-ROR", *BROKEN}


def test_without_a_retailer_of_record_a_request_is_not_taken_on() -> None:
    was = registry().records
    made = Registry(was.points, was.entities, [one for one in was.periods if one.esiid != PLAIN], was.users)
    assert objection(made, made.users["customer"], PLAIN, None, date(2026, 8, 12)) == "NO-ROR"
