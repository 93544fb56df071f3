"""Complaints inside SMT: requests that the middle tier loses and the desk refuses; what is no declaration."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from simulator.smt.complaints.declared import ComplaintSpec
from simulator.smt.complaints.kinds import KINDS, ComplaintKind
from tests.simulator.smt.rig import NEIGHBOUR, PLAIN, ROR_DUNS, Rig

LATEST = "/api/usage/latestodrread"


def on(rig: Rig, kind: str, **fields: Any) -> Any:
    return rig.smt.complaints.declare(ComplaintSpec.model_validate({"kind": kind} | fields))


async def latest(rig: Rig) -> dict[str, Any]:
    shown: dict[str, Any] = (await rig.portal(LATEST, ESIID=PLAIN))["data"]
    return shown


@asynccontextmanager
async def logged_in(folder: Path, policy: str = "smt-today") -> AsyncIterator[Rig]:
    async with Rig(folder, policy) as rig:
        rig.post_days()
        await rig.portal("/api/meter", esiid="*")
        yield rig


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    async with logged_in(tmp_path) as rig:
        yield rig


@pytest.mark.parametrize(("kind", "status"), [("t_failed", "T-FAILED"), ("failed", "FAILED")])
async def test_failed_for_days_with_message_success_and_the_allowance_comes_back(
    tmp_path: Path, kind: str, status: str
) -> None:
    async with logged_in(tmp_path, "fr-cr016-1") as rig:
        on(rig, kind, esiids=[PLAIN], first="2026-08-12T17:40", until="2026-08-14T00:00")
        for day in range(2):
            await rig.wait(day * 86_400)
            for _ in range(3):  # one success a day is all that the policy allows
                await rig.portal("/api/ondemandread", ESIID=PLAIN)
                await rig.wait(80)
                shown = await latest(rig)
                assert (shown["odrstatus"], shown["odrread"], shown["responseMessage"]) == (status, None, "SUCCESS")
        assert rig.head_end.asked == []
        await rig.wait(86_400)
        await rig.portal("/api/ondemandread", ESIID=PLAIN)
        await rig.wait(80)
        assert (await latest(rig))["odrstatus"] == "COMPLETED"
        assert len(rig.notes.of("complaint")) == 6


async def test_the_market_reads_failed_and_t_failed(rig: Rig) -> None:
    on(rig, "t_failed", duns=ROR_DUNS)
    asked = await rig.asked()
    await rig.wait(80)
    status = await rig.status(asked["correlationId"])
    assert (status["statusCode"], status["statusReason"]) == ("1", "T-FAILED: lost between SMT and the TDSP")


async def test_quota_used_by_another_is_refused_at_both_doors_and_says_by_whom(rig: Rig) -> None:
    on(rig, "quota_used", esiids=[PLAIN], by="a home-automation client at 17:05")
    refused = await rig.asked()
    assert refused["statusCode"] == "1"
    assert refused["refusal"] == {
        "code": "QUOTA-USED",
        "reason": "The hour's on-demand reads of this ESI ID are used up by a home-automation client at 17:05.",
        "retryAt": "2026-08-12T18:00:00-05:00",
    }
    portal = (await rig.portal("/api/ondemandread", ESIID=PLAIN))["data"]
    assert (portal["RequestStatus"], portal["statusCode"]) == ("FLR", "5031")
    assert (await rig.asked(ESIID=NEIGHBOUR))["statusCode"] == "0"


async def test_the_tdsps_maintenance_refuses_on_demand_requests_with_the_time_to_come_back(rig: Rig) -> None:
    on(rig, "tdsp_maintenance", first="2026-08-12T17:40", until="2026-08-12T19:00")
    for fields in ({}, {"readType": "INTERVALS"}):
        refused = await rig.asked(**fields)
        assert refused["refusal"]["code"] == "TDSP-MAINTENANCE"
        assert refused["refusal"]["retryAt"] == "2026-08-12T19:00:00-05:00"
    assert (await rig.asked("/powerstatus/"))["refusal"]["code"] == "TDSP-MAINTENANCE"
    portal = (await rig.portal("/api/ondemandread", ESIID=PLAIN))["data"]
    assert (portal["RequestStatus"], portal["statusCode"]) == ("FLR", "TDSP-MAINTENANCE")
    assert "2026-08-12T19:00:00-05:00" in portal["statusReason"]
    foreign = await rig.asked(ESIID="99900000000099999")
    assert foreign["errorCode"] == "AC1"
    assert (await rig.portal("/api/meter", esiid="*"))["data"]
    # The ledger has them, and no allowance was looked at.
    entries = rig.smt.ledger.audit(PLAIN, rig.today())
    assert {entry.last.state.value for entry in entries} == {"refused"}
    await rig.wait(80 * 60)
    assert (await rig.asked())["statusCode"] == "0"


@pytest.mark.parametrize(
    "written",
    [
        {"kind": "smt_maintenance"},
        {"kind": "t_failed", "seconds": 5},
        {"kind": "hang", "seconds": 601},
        {"kind": "text_503", "first": "2026-08-13T00:00", "until": "2026-08-12T00:00"},
        {"kind": "text_503", "first": "2026-03-08T02:30"},
        {"kind": "text_503", "first": 5},
        {"kind": "text_503", "first": "1700000000"},
        {"kind": "hang", "seconds": True},
        {"kind": "text_503", "times": True},
        {"kind": "no such kind"},
        {"kind": "text_503", "esiid": PLAIN},
    ],
)
def test_a_declaration_that_makes_no_sense_is_refused(written: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        ComplaintSpec.model_validate(written)


def test_the_table_tells_of_every_kind() -> None:
    assert set(KINDS) == set(ComplaintKind)
    assert all(told.does.endswith(".") for told in KINDS.values())
