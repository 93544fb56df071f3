"""What the desk told callers and what VEE data made of it, as the console shows it: equal to what the desk's API says."""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path

import httpx

from simulator.parties.sandbox import DeskSettings
from simulator.web.words import kwh, money
from tests.reports.console.visit import Visit, at_a_bed


async def desk_of(visit: Visit) -> httpx.AsyncClient:
    """The desk's API, as its agent."""
    bed = await visit.control("bed")
    agent = next(one for one in bed["logins"] if one["role"] == "desk")
    auth = (agent["username"], agent["password"])
    return httpx.AsyncClient(base_url=bed["rorUrl"], auth=auth, timeout=60, trust_env=False)


async def test_a_bill_told_is_shown_beside_what_the_posted_day_makes_of_it(tmp_path: Path) -> None:
    async with at_a_bed(tmp_path, desk=DeskSettings()) as visit, await desk_of(visit) as desk:
        assert "Nobody has called yet." in await visit.page("calls")
        account = (await desk.get("/accounts")).json()["accounts"][0]
        call_id = (await desk.post("/calls", json={"account_id": account["account_id"]})).json()["id"]
        await visit.did("advance", seconds="600")
        waits = await visit.page("calls")
        assert "billed again at 2026-08-13 12:00:00 CDT" in waits
        await visit.did("advance", seconds="86400")
        told = (await desk.get(f"/calls/{call_id}")).json()
        again = told["rebill"]
        page, one = await visit.page("calls"), await visit.page("calls", call=call_id)
        missing, away = await visit.get("calls", call="call-9999"), await visit.get("calls", call="../accounts")
    # The meter's own quarter hours went into the bill, and the posted day has them now.
    assert {"non-VEE from the meter", "non-VEE from the store"} & {
        part["kind"] for part in told["answer"]["with_gap"]["rests_on"]
    }
    apart = kwh(again["told_wh"] - again["vee_wh"])
    row = re.search(rf'call={call_id}">.*?</tr>', page)
    assert row is not None
    assert re.findall(r'data-head="(?:Told|On)[^"]*">(.*?)</td>', row[0]) == [
        told["told_usd"],
        again["vee_usd"],
        again["difference_usd"],
        apart,
    ]
    assert (">within<" in row[0]) is again["satisfied"]
    for figure in (kwh(again["told_wh"]), kwh(again["vee_wh"]), apart):
        assert f'<td class="n">{figure}</td>' in one
    for usd in (told["told_usd"], again["vee_usd"], again["difference_usd"]):
        assert f'<td class="n">{money(Decimal(usd))}</td>' in one
    assert f"/desk/accounts/{account['account_id']}?call={call_id}" in one
    assert (missing.status_code, "ror.call.unknown" in missing.text) == (404, True)
    assert (away.status_code, account["account_id"] in away.text) == (404, False)


async def test_a_bed_without_a_desk_says_so(tmp_path: Path) -> None:
    async with at_a_bed(tmp_path) as visit:
        assert "This test bed has no desk." in await visit.page("calls")
