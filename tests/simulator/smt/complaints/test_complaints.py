"""Each complaint as a client meets it over HTTP, whom it strikes, when it ends, and what the journal says of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import ValidationError

from simulator.smt.complaints.declared import ComplaintSpec
from simulator.smt.complaints.kinds import DENIED, KINDS, LOGIN_PAGE, TIMED_OUT, ComplaintKind
from tests.simulator.smt.rig import NEIGHBOUR, PASSWORD, PLAIN, ROR_DUNS, Rig

LATEST = "/api/usage/latestodrread"


def on(rig: Rig, kind: str, **fields: Any) -> Any:
    return rig.smt.complaints.declare(ComplaintSpec.model_validate({"kind": kind} | fields))


async def latest(rig: Rig) -> dict[str, Any]:
    shown: dict[str, Any] = (await rig.portal(LATEST, ESIID=PLAIN))["data"]
    return shown


async def replied(rig: Rig, path: str = LATEST, **fields: Any) -> httpx.Response:
    """A portal call's bare reply; logged in before any complaint is on."""
    headers = {"Authorization": f"Bearer {rig.tokens.get('portal customer', 'none')}"}
    return await rig.client.post(path, json=fields or {"ESIID": PLAIN}, headers=headers)


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
