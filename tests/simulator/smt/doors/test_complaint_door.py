"""Complaints at the doors, as a client meets each over HTTP: an answer in place of SMT's, SMT's answer changed, and whom it strikes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from simulator.smt.complaints.kinds import DENIED, LOGIN_PAGE, TIMED_OUT
from tests.simulator.smt.complaints.test_complaints import LATEST, latest, logged_in, on
from tests.simulator.smt.rig import NEIGHBOUR, PASSWORD, PLAIN, ROR_DUNS, Rig


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    async with logged_in(tmp_path) as rig:
        yield rig


async def replied(rig: Rig, path: str = LATEST, **fields: Any) -> httpx.Response:
    """A portal call's bare reply; logged in before any complaint is on."""
    headers = {"Authorization": f"Bearer {rig.tokens.get('portal customer', 'none')}"}
    return await rig.client.post(path, json=fields or {"ESIID": PLAIN}, headers=headers)


@pytest.mark.parametrize(
    ("kind", "status", "content_type", "text"),
    [
        ("text_503", 503, "text/plain; charset=utf-8", "Service Unavailable"),
        ("access_denied", 403, "text/html", DENIED),
        ("gateway_timeout", 504, "text/html", TIMED_OUT),
        ("data_null", 200, "application/json", '{"data":null}'),
    ],
)
async def test_an_answer_in_place_of_smts_own(rig: Rig, kind: str, status: int, content_type: str, text: str) -> None:
    made = on(rig, kind)
    reply = await replied(rig)
    assert (reply.status_code, reply.headers["content-type"], reply.text) == (status, content_type, text)
    rig.smt.complaints.lift(made.ident)
    assert (await replied(rig)).json()["data"]["responseMessage"] == "SUCCESS"
    (noted,) = rig.notes.of("complaint")
    assert (noted["complaint"], noted["path"], noted["username"]) == (kind, LATEST, "customer")
    assert str(status) in noted["did"]


@pytest.mark.parametrize("path", ["/commonapi/user/authenticate", "/api/user/authenticate", "/v2/token/"])
async def test_html_at_login(rig: Rig, path: str) -> None:
    on(rig, "login_html", username="customer")
    other = await rig.client.post(path, json={"username": "lonestar.api", "password": PASSWORD})
    reply = await rig.client.post(path, json={"username": "customer", "password": PASSWORD})
    assert (reply.status_code, reply.headers["content-type"], reply.text) == (200, "text/html; charset=utf-8", LOGIN_PAGE)  # fmt: skip
    assert other.headers["content-type"] == "application/json"
    assert (await replied(rig)).status_code == 200


@pytest.mark.parametrize("restamp", [False, True])
async def test_a_stale_read_is_returned_as_new(rig: Rig, restamp: bool) -> None:
    await rig.portal("/api/ondemandread", ESIID=PLAIN)
    await rig.wait(80)
    first = await latest(rig)
    on(rig, "stale_read", restamp=restamp)
    assert await latest(rig) == first  # there is none before it
    await rig.portal("/api/ondemandread", ESIID=PLAIN)
    rig.head_end.amend = {"register": {"wh": 23_460_000, "at": "2026-08-12T17:41:40-05:00"}}
    await rig.wait(20)
    during = await latest(rig)
    await rig.wait(60)
    after = await latest(rig)
    assert after["odrread"] == during["odrread"] == first["odrread"]
    assert after["odrstatus"] == during["odrstatus"] == "COMPLETED"
    new = "08/12/2026 17:41:40"
    assert after["odrdate"] == (new if restamp else first["odrdate"])
    await rig.wait(3600)
    assert (await latest(rig))["odrread"] == "23460.000"


async def test_a_completed_read_of_zero_at_both_doors(rig: Rig) -> None:
    asked = await rig.asked()
    on(rig, "zero_read")
    assert (await latest(rig))["odrstatus"] == "PENDING"
    await rig.wait(80)
    assert (await latest(rig))["odrread"] == "0"
    assert (await latest(rig))["odrstatus"] == "COMPLETED"
    status = await rig.market("/odrstatus/", correlationId=asked["correlationId"])
    assert '"registeredRead":0E+0' in status.text
    assert status.json()["statusCode"] == "0"


async def test_smts_maintenance_closes_every_other_call_with_503_and_the_time(rig: Rig) -> None:
    await rig.market("/odrstatus/", correlationId="1")
    on(rig, "smt_maintenance", until="2026-08-12T18:00")
    refusal = {
        "code": "SMT-MAINTENANCE",
        "reason": "Smart Meter Texas is under maintenance until 2026-08-12T18:00:00-05:00.",
        "retryAt": "2026-08-12T18:00:00-05:00",
    }
    status = await rig.market("/odrstatus/", correlationId="1")
    assert (status.status_code, status.headers["retry-after"]) == (503, "1200")
    assert status.json() == {"error": refusal["reason"], "refusal": refusal}
    portal = await replied(rig)
    assert (portal.status_code, portal.json()) == (503, {"errormessage": refusal["reason"], "refusal": refusal})
    token = await rig.client.post("/v2/token/", json={"username": "lonestar.api", "password": PASSWORD})
    assert token.status_code == 503
    assert (await rig.asked())["refusal"] == refusal
    assert (await rig.client.get("/healthz")).status_code == 200
    await rig.wait(1200)
    assert (await replied(rig)).status_code == 200


async def test_a_retailers_client_understands_maintenance_as_a_refusal_with_a_time(tmp_path: Path) -> None:
    from simulator.ror.client import SmtClient
    from simulator.ror.errors import SmtRefused

    async with logged_in(tmp_path) as rig:
        on(rig, "smt_maintenance", until="2026-08-12T18:00")
        client = SmtClient(rig.client, "lonestar.api", PASSWORD, ROR_DUNS)
        with pytest.raises(SmtRefused) as caught:
            await client.odr(PLAIN, "call-1")
        assert caught.value.retry_at == rig.runtime.now() + 1200


async def test_an_answer_that_is_lost_after_the_call_was_carried_out(rig: Rig) -> None:
    on(rig, "gateway_timeout", taken=True, times=1)
    assert (await replied(rig, "/api/ondemandread", ESIID=PLAIN)).status_code == 504
    assert (await latest(rig))["odrstatus"] == "PENDING"


@pytest.mark.parametrize(
    ("whom", "struck"),
    [
        ({}, True),
        ({"esiids": [PLAIN]}, True),
        ({"esiids": [NEIGHBOUR]}, False),
        ({"username": "customer"}, True),
        ({"username": "lonestar.api"}, False),
        ({"duns": ROR_DUNS}, False),
        ({"paths": ["/api/usage"]}, True),
        ({"paths": ["/v2/"]}, False),
        ({"first": "2026-08-12T17:40"}, True),
        ({"first": "2026-08-12T17:41"}, False),
        ({"until": "2026-08-12T17:40"}, False),
        ({"until": "2026-08-12T17:40:00-06:00"}, True),
    ],
)
async def test_it_strikes_whom_it_names_in_its_window(rig: Rig, whom: dict[str, Any], struck: bool) -> None:
    made = on(rig, "text_503", **whom)
    assert ((await replied(rig)).status_code == 503) is struck
    assert made.strikes == struck


async def test_a_ror_is_known_by_a_token_that_has_died_and_by_its_correlation_id(rig: Rig) -> None:
    asked = await rig.asked()
    on(rig, "text_503", duns=ROR_DUNS, esiids=[PLAIN])
    rig.wall += 7200
    assert (await rig.market("/odrstatus/", correlationId=asked["correlationId"])).status_code == 503
    assert (await rig.market("/odrstatus/", correlationId="none")).status_code == 401


@pytest.mark.parametrize(
    ("narrow", "struck", "spared"),
    [
        ({"host": "www.smartmetertexas.com"}, [{"host": "WWW.smartmetertexas.com:443"}], [{}, {"host": "smartmetertexas.com"}]),
        ({"host": "[::1]"}, [{"host": "[::1]:8600"}, {"host": "[::1]"}], [{"host": "127.0.0.1"}]),
        ({"header": "x-kind: ios"}, [{"x-kind": "iOS 18"}, [("X-Kind", "ios"), ("X-Kind", "web")]], [{"x-kind": "web"}, {}]),
        ({"header": "x-kind"}, [{"x-kind": ""}], [{}]),
        ({"lacks": "cookie: smt_visited"}, [{}, {"cookie": "a=1"}], [{"cookie": "a=1; smt_visited=1"}]),
    ],
)  # fmt: skip
async def test_a_complaint_narrows_by_host_and_header(
    rig: Rig, narrow: dict[str, str], struck: list[Any], spared: list[Any]
) -> None:
    on(rig, "text_503", **narrow)
    token = [("authorization", f"Bearer {rig.tokens['portal customer']}")]
    for headers, status in [*((one, 503) for one in struck), *((one, 200) for one in spared)]:
        sent = token + (list(headers.items()) if isinstance(headers, dict) else headers)
        assert (await rig.client.post(LATEST, json={"ESIID": PLAIN}, headers=sent)).status_code == status, headers


async def test_a_call_about_several_esi_ids_is_about_each(rig: Rig) -> None:
    await rig.market("/odrstatus/", correlationId="1")
    on(rig, "text_503", esiids=[NEIGHBOUR])
    day = {"startDate": "08/11/2026", "endDate": "08/11/2026"}
    statuses = [(await rig.market("/dailyreads/", esiid=asked, **day)).status_code for asked in ([PLAIN], [PLAIN, NEIGHBOUR])]  # fmt: skip
    assert statuses == [200, 503]


async def test_one_that_another_process_has_used_up_lets_the_call_through_to_the_next(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    used_up, left = on(rig, "access_denied"), on(rig, "text_503")
    monkeypatch.setattr(rig.smt.complaints, "count", lambda complaint: complaint is left)
    assert (await replied(rig)).status_code == 503
    rig.smt.complaints.lift(left.ident)
    assert (await replied(rig)).status_code == 200
    assert used_up.strikes == 0


async def test_where_nothing_was_ever_read_there_is_no_read_to_change(rig: Rig) -> None:
    before = await latest(rig)
    on(rig, "zero_read")
    assert await latest(rig) == before
    assert rig.notes.of("complaint") == []
