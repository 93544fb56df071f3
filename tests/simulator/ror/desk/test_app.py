"""The desk's HTTP service: who may come in, what the books say, and what is refused in the shape of its errors."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest
from markupsafe import escape

from simulator.web.visitors import Entry
from tests.simulator.ror.desk.support import desk_rig
from tests.simulator.ror.support import ESIID


async def test_the_books_are_told_without_a_call(tmp_path: Path) -> None:
    async with desk_rig(tmp_path) as rig:
        listed = (await rig.http.get("/accounts")).json()
        account = (await rig.http.get("/accounts/A-1001")).json()
        bill = (await rig.http.get("/accounts/A-1001/bill")).json()
        assert rig.portal.seen == []
    assert listed == {"accounts": [{"account_id": "A-1001", "esiid": ESIID, "customer_name": "Wilhelmina Tarbush"}]}
    assert (account["cycle_first"], account["cycle_last"], account["plan"]) == (
        *("2026-07-16", "2026-08-14"),
        "longhorn-thousand-24",
    )
    assert account["last_bill"] == {"amount": "131.07", "billed": "2026-07-17", "due": "2026-08-02"}
    assert bill == {
        "account_id": "A-1001",
        "as_of": "2026-08-12",
        "last_bill_usd": "131.07",
        "paid_usd": "131.07",
        "amount_due_usd": "0.00",
        "due": "2026-08-02",
        "past_due": False,
    }


@pytest.mark.parametrize(
    "path", ["/calls", "/calls/call-0001", "/accounts", "/accounts/A-1001", "/accounts/A-1001/bill"]
)
async def test_every_call_but_its_health_asks_for_the_log_in(tmp_path: Path, path: str) -> None:
    auths: tuple[Any, ...] = (("desk.agent", "wrong"), ("", ""), None)
    async with desk_rig(tmp_path) as rig:
        for auth in auths:
            refused = await rig.http.get(path, auth=auth)
            assert (refused.status_code, refused.json()["code"]) == (401, "ror.log_in")
            assert refused.headers["www-authenticate"].startswith("Basic ")
        for header in ("Basic", "Basic !!!", "Basic /w==", "Bearer ZGVzay5hZ2VudDphOnNlY3JldA=="):
            refused = await rig.http.get(path, auth=httpx.Auth(), headers={"authorization": header})
            assert refused.status_code == 401
        assert (await rig.http.get("/healthz", auth=None)).status_code == 200


async def test_a_body_is_not_read_before_the_log_in(tmp_path: Path) -> None:
    async with desk_rig(tmp_path, entry=Entry.BLOCKED) as rig:
        refused = await rig.http.post("/calls", content=b"{")
    assert (refused.status_code, refused.json()["code"]) == (403, "ror.log_in_blocked")


@pytest.mark.parametrize(
    ("method", "path", "sent", "status", "code", "place"),
    [
        ("POST", "/calls", {"json": {"esiid": "1044"}}, 400, "ror.http.malformed", "esiid"),
        ("POST", "/calls", {"json": {"account_id": "A 1"}}, 400, "ror.http.malformed", "account_id"),
        ("POST", "/calls", {"json": {}}, 400, "ror.http.malformed", "body"),
        ("POST", "/calls", {"json": {"account_id": "A-1001", "patience_s": "180"}}, 400, "ror.http.malformed", "patience_s"),
        ("POST", "/calls", {"json": {"account_id": "A-1001", "patience_s": -1}}, 400, "ror.http.malformed", "patience_s"),
        ("POST", "/calls", {"json": {"account_id": "A-1001", "question": "why"}}, 400, "ror.http.malformed", "question"),
        ("POST", "/calls", {"json": {"account_id": "A-1001", "surprise": 1}}, 400, "ror.http.malformed", "surprise"),
        ("POST", "/calls", {"content": b"{"}, 400, "ror.http.malformed", "body"),
        ("POST", "/calls", {"content": b"x" * 70_000}, 413, "http.too_large", "body"),
        ("POST", "/calls", {"json": {"account_id": "A-9"}}, 404, "ror.account.unknown", "account_id"),
        ("POST", "/calls", {"json": {"esiid": "10443720000000025"}}, 404, "ror.account.unknown", "esiid"),
        ("GET", "/calls/call-9", {}, 404, "ror.call.unknown", "call_id"),
        ("GET", "/accounts/A-9/bill", {}, 404, "ror.account.unknown", "account_id"),
        ("GET", "/calls?most=0", {}, 400, "ror.http.malformed", "query.most"),
        ("GET", "/accounts?skip=-1", {}, 400, "ror.http.malformed", "query.skip"),
        ("GET", "/calls?acount_id=A-1001", {}, 400, "ror.http.malformed", "query.acount_id"),
        ("GET", "/account", {}, 404, "ror.http.no_call", ""),
        ("DELETE", "/calls", {}, 405, "ror.http.no_method", ""),
    ],
)  # fmt: skip
async def test_what_cannot_be_is_told_with_code_and_place(
    tmp_path: Path, method: str, path: str, sent: dict[str, Any], status: int, code: str, place: str
) -> None:
    headers = {"content-type": "application/json"}
    async with desk_rig(tmp_path) as rig:
        refused = await rig.http.request(method, path, headers=headers, **sent)
    told = refused.json()
    assert (refused.status_code, told["code"], told["place"]) == (status, code, place)
    assert told["message"]


async def test_its_page_and_document_are_there(tmp_path: Path) -> None:
    async with desk_rig(tmp_path) as rig:
        document = (await rig.http.get("/openapi.json")).json()
        page = (await rig.http.get("/docs")).text
        assert "A customer calls" in page
        assert escape('curl -s -u "$AGENT" http://desk.test/accounts') in page
        assert "$TOKEN" not in page
    assert set(document["paths"]) == {
        *("/calls", "/calls/{call_id}", "/calls/{call_id}/ask"),
        *("/accounts", "/accounts/{account_id}", "/accounts/{account_id}/bill"),
        "/healthz",
    }
