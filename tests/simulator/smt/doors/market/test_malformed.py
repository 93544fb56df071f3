"""Bodies that no client should send: documented answers, never a 500."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.simulator.smt.rig import PLAIN, ROR_DUNS, Rig

READS = {"startDate": "12/31/9999", "endDate": "12/31/9999", "version": "L", "readingType": "C"}


@pytest.mark.parametrize(
    ("path", "field"),
    [
        *((path, field) for path in ("/odr/", "/15minintervalreads/") for field in ("trans_id", "deliveryMode")),
        ("/odrstatus/", "correlationId"),
    ],
)
async def test_half_a_surrogate_pair_is_a_field_at_fault(rig: Rig, path: str, field: str) -> None:
    reply = await _posted(rig, path, **{field: "\ud800"})
    assert reply.status_code == 400
    assert reply.json()["errorCode"] == "FIELD"
    assert "unicode" in reply.json()["errorMessage"].lower()


@pytest.mark.parametrize(
    ("path", "field"),
    [("/odr/", "callReference"), ("/15minintervalreads/", "esiid"), ("/odrstatus/", "trans_id")],
)
async def test_a_nul_that_no_database_holds_is_a_field_at_fault(rig: Rig, path: str, field: str) -> None:
    reply = await _posted(rig, path, **{field: ["\0"] if field == "esiid" else "a\0b"})
    assert reply.status_code == 400
    assert reply.json() == {"errorCode": "FIELD", "errorMessage": f"{field}: the text has a NUL character"}


@pytest.mark.parametrize("path", ["/15minintervalreads/", "/dailyreads/"])
async def test_a_day_of_the_far_future_has_no_data(rig: Rig, path: str) -> None:
    rig.post_days(count=1)
    reply = await _posted(rig, path, **READS)
    assert reply.json() == {"errorCode": "1", "errorMessage": "No data received from the respective TDSP"}


async def _posted(rig: Rig, path: str, **changed: Any) -> Any:
    body = _BODY | {"requestorID": "lonestar.api", "requesterAuthenticationID": ROR_DUNS}
    headers = await rig._bearing("lonestar.api") | {"content-type": "application/json"}
    # As JSON spells it: no client of ours could send it otherwise.
    return await rig.client.post(f"/v2{path}", content=json.dumps(body | changed), headers=headers)


_BODY = {
    "trans_id": "1",
    "requesterType": "REP",
    "reportFormat": "JSON",
    "deliveryMode": "API",
    "SMTTermsandConditions": "Y",
    "ESIID": PLAIN,
    "esiid": [PLAIN],
    "correlationId": "1",
    "startDate": "08/11/2026",
    "endDate": "08/11/2026",
    "version": "L",
    "readingType": "C",
}
