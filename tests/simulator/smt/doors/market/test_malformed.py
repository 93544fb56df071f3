"""Bodies that no client should send: documented answers, never a 500."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.simulator.sandboxes import Rig, rig

READS = {"startDate": "12/31/9999", "endDate": "12/31/9999", "version": "L", "readingType": "C"}


@pytest.mark.parametrize(
    ("path", "field"),
    [
        *((path, field) for path in ("/v2/odr/", "/v2/15minintervalreads/") for field in ("trans_id", "deliveryMode")),
        ("/v2/odrstatus/", "correlationId"),
    ],
)
async def test_half_a_surrogate_pair_is_a_field_at_fault(tmp_path: Path, path: str, field: str) -> None:
    reply = await _posted(tmp_path, path, **{field: "\ud800"})
    assert reply.status_code == 400
    assert reply.json()["errorCode"] == "FIELD"
    assert "unicode" in reply.json()["errorMessage"].lower()


@pytest.mark.parametrize(
    ("path", "field"),
    [("/v2/odr/", "callReference"), ("/v2/15minintervalreads/", "esiid"), ("/v2/odrstatus/", "trans_id")],
)
async def test_a_nul_that_no_database_holds_is_a_field_at_fault(tmp_path: Path, path: str, field: str) -> None:
    reply = await _posted(tmp_path, path, **{field: ["\0"] if field == "esiid" else "a\0b"})
    assert reply.status_code == 400
    assert reply.json() == {"errorCode": "FIELD", "errorMessage": f"{field}: the text has a NUL character"}


@pytest.mark.parametrize("path", ["/v2/15minintervalreads/", "/v2/dailyreads/"])
async def test_a_day_of_the_far_future_has_no_data(tmp_path: Path, path: str) -> None:
    reply = await _posted(tmp_path, path, **READS)
    assert reply.json() == {"errorCode": "1", "errorMessage": "No data received from the respective TDSP"}


async def _posted(out: Path, path: str, **changed: Any) -> Any:
    async with rig(out, posted_days=1) as made:
        token = await made.client.token()
        return await made.http.post(
            path,
            content=json.dumps(_body(made) | changed),
            headers={"content-type": "application/json", "authorization": f"Bearer {token}"},
        )


def _body(made: Rig) -> dict[str, Any]:
    from simulator.world.market import ROR_LOGIN

    return {
        "trans_id": "1",
        "requestorID": ROR_LOGIN.username,
        "requesterType": "REP",
        "requesterAuthenticationID": ROR_LOGIN.duns,
        "reportFormat": "JSON",
        "deliveryMode": "API",
        "SMTTermsandConditions": "Y",
        "ESIID": made.esiid(1),
        "esiid": [made.esiid(1)],
        "correlationId": "1",
        "startDate": "08/11/2026",
        "endDate": "08/11/2026",
        "version": "L",
        "readingType": "C",
    }
