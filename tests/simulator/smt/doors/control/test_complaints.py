"""Complaints over real sockets: switched on and off by the control API, hanging, resetting."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.simulator.sandboxes import Rig, rig

LOGIN = {"username": "customer.one", "password": "customer-one-1", "rememberMe": "true"}
AUTHENTICATE = "/commonapi/user/authenticate"


@pytest.fixture
async def made(tmp_path: Path) -> AsyncIterator[Rig]:
    async with rig(tmp_path, posted_days=1) as made, asyncio.timeout(20):
        yield made


async def declared(made: Rig, **fields: Any) -> dict[str, Any]:
    reply = await made.http.post("/control/complaints", json=fields)
    assert reply.status_code == 201, reply.text
    state: dict[str, Any] = reply.json()
    return state


async def test_switched_on_listed_and_switched_off(made: Rig) -> None:
    first = await declared(made, kind="text_503", paths=["/commonapi"], times=2)
    second = await declared(made, kind="tdsp_maintenance", first="2026-08-13T02:00", until="2026-08-13T04:00")
    assert (first["id"], first["active"], first["strikes"]) == ("complaint-1", True, 0)
    assert (second["active"], second["until"]) == (False, "2026-08-13T04:00:00-05:00")
    assert [(await made.http.post(AUTHENTICATE, json=LOGIN)).status_code for _ in range(3)] == [503, 503, 200]
    listed = (await made.http.get("/control/complaints")).json()["complaints"]
    assert [(one["id"], one["strikes"], one["active"]) for one in listed] == [
        ("complaint-1", 2, False),
        ("complaint-2", 0, False),
    ]
    assert (await made.http.delete("/control/complaints/complaint-1")).json()["strikes"] == 2
    gone = await made.http.delete("/control/complaints/complaint-1")
    assert (gone.status_code, gone.json()["errorCode"]) == (404, "control.complaints.unknown")
    assert [one["id"] for one in (await made.http.delete("/control/complaints")).json()["complaints"]] == ["complaint-2"]  # fmt: skip
    assert (await made.http.get("/control/complaints")).json() == {"complaints": []}
    metrics = (await made.http.get("/metrics")).text
    assert all(f'endpoint="/control/complaints{one}"' in metrics for one in ("", "/{ident}"))
    noted = [entry for entry in made.sandbox.journal.entries() if entry["kind"] == "complaint"]
    assert [one["did"] for one in noted] == ["HTTP 503 text/plain"] * 2


async def test_what_could_never_strike_is_refused_and_says_why(made: Rig) -> None:
    fields = {"kind": "text_503", "esiids": [made.esiid(1), "10443720000000000"]}
    reply = await made.http.post("/control/complaints", json=fields)
    told = {"errorCode": "FIELD", "errorMessage": "esiids: there is no ESI ID 10443720000000000"}
    assert (reply.status_code, reply.json()) == (400, told)
    for path in ("/v2/odr/", "/v2/odr", "/api/usage", "/commonapi/user/authenticate", "/api/premise"):
        await declared(made, kind="text_503", paths=[path], until="2026-08-12T17:41")


async def test_more_than_may_be_on_are_told_so(made: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("simulator.smt.complaints.declared.MOST", 1)
    await declared(made, kind="text_503")
    full = await made.http.post("/control/complaints", json={"kind": "text_503"})
    assert (full.status_code, full.json()["errorCode"]) == (409, "control.complaints.full")


async def test_a_declaration_at_fault_names_the_field(made: Rig) -> None:
    for body, said in (({"kind": "no_such"}, "kind"), ({"kind": "smt_maintenance"}, "until")):
        reply = await made.http.post("/control/complaints", json=body)
        assert (reply.status_code, reply.json()["errorCode"]) == (400, "FIELD")
        assert said in reply.json()["errorMessage"]


async def test_a_reset_connection_is_no_answer_and_the_service_goes_on(made: Rig) -> None:
    await declared(made, kind="connection_reset", times=1)
    with pytest.raises(httpx.ReadError):
        await made.http.post(AUTHENTICATE, json=LOGIN)
    assert (await made.http.post(AUTHENTICATE, json=LOGIN)).status_code == 200


async def test_a_hang_ends_with_504_when_its_time_is_over(made: Rig) -> None:
    await declared(made, kind="hang", seconds=1, username="customer.one")
    other = {"username": "pecanbend.api", "password": "pecan-bend-1"}
    hanging = asyncio.get_running_loop().create_task(made.http.post(AUTHENTICATE, json=LOGIN))
    # Others are answered meanwhile.
    while not hanging.done():
        assert (await made.http.post(AUTHENTICATE, json=other)).status_code == 200
    assert (await hanging).status_code == 504


async def test_a_hang_ends_when_its_client_goes_away(made: Rig) -> None:
    await declared(made, kind="hang", seconds=600)
    before = len(asyncio.all_tasks())
    with pytest.raises(httpx.ReadTimeout):
        await made.http.post(AUTHENTICATE, json=LOGIN, timeout=0.2)
    async with asyncio.timeout(5):
        while len(asyncio.all_tasks()) > before:
            await asyncio.sleep(0)
