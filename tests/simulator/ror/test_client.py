"""The client: SMT's replies become records, and every error has a code."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import date
from typing import Any, TypeVar

import httpx
import pytest
from fastapi.responses import JSONResponse, Response

from meters.calendar import day_end, day_start
from simulator.ror.client import DailyRead, SmtClient
from simulator.ror.errors import SmtError, SmtRefused
from simulator.ror.usage import Quality
from tests.simulator.ror.support import CALL, ESIID, Portal, vee_record

T = TypeVar("T")
DAY = date(2026, 8, 11)


def ask(portal: Portal, what: Callable[[SmtClient], Awaitable[T]], password: str = "right") -> T:
    async def run() -> T:
        transport = httpx.ASGITransport(app=portal.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://smt.test") as http:
            return await what(SmtClient(http, "lonestar.api", password, "1234567890000"))

    return asyncio.run(run())


def ask_handler(handler: Callable[[httpx.Request], httpx.Response], what: Callable[[SmtClient], Awaitable[T]]) -> T:
    async def run() -> T:
        transport = httpx.MockTransport(handler)
        async with httpx.AsyncClient(transport=transport, base_url="http://smt.test") as http:
            return await what(SmtClient(http, "lonestar.api", "right", "1234567890000"))

    return asyncio.run(run())


def portal() -> Portal:
    return Portal(lambda: CALL)


@pytest.mark.parametrize("day", [date(2026, 3, 8), date(2025, 11, 2), DAY])
def test_intervals_of_every_kind_of_day_come_back_by_utc_end(day: date) -> None:
    got = ask(portal(), lambda client: client.intervals(ESIID, day, day))
    want = vee_record(day, day)
    assert got.ends.tolist() == want.ends.tolist()
    assert got.wh.tolist() == want.wh.tolist()
    assert got.holes(day_start(day), day_end(day)) == []


def test_days_not_posted_stay_holes() -> None:
    got = ask(portal(), lambda client: client.intervals(ESIID, DAY, date(2026, 8, 13)))
    assert got.vee_end() == day_end(DAY)


def test_the_latest_revision_of_a_day_counts_and_both_channels_are_asked_and_kept_apart() -> None:
    def row(stamp: str, value: str, kind: str = "C") -> dict[str, str]:
        slots = ["" if 8 <= slot < 12 else value for slot in range(100)]
        return {"DT": "08/11/2026", "RevTS": stamp, "RT": kind, "RD": ",".join(slots)}

    class Revised(Portal):
        def rows(self, _body: dict[str, Any]) -> list[dict[str, str]]:
            newest = row("01/02/2027 07:00:00", ".300-E")
            return [newest, row("08/12/2026 07:40:00", ".100-A"), row("03/01/2027 07:00:00", ".900-A", "G")]

    revised = Revised(lambda: CALL)
    got = ask(revised, lambda client: client.intervals(ESIID, DAY, DAY))
    assert got.total_wh() == got.wh_of(Quality.VEE_ESTIMATED) == 96 * 300
    assert got.given.tolist() == [900] * 96
    assert revised.seen[-1][1]["readingType"] == "A"


@pytest.mark.parametrize(("first", "start", "end", "advance"), [
    ("08/10/2026", "100.000", "131.250", 31_250),
    # The first midnight is not there; the register went back.
    ("08/11/2026", "100.000", "131.250", None),
    ("08/10/2026", "99990.000", "21.000", None),
])  # fmt: skip
def test_the_register_of_a_cycle_is_its_last_midnight_less_its_first(
    first: str, start: str, end: str, advance: int | None
) -> None:
    class Read(Portal):
        def answer(self, path: str, body: dict[str, Any]) -> Response:
            reads = [
                {"readDate": day, "startReading": start, "endReading": end, "energyDataKwh": "1.000"}
                for day in ("08/11/2026", first)
            ]
            return JSONResponse({"registeredReads": reads}) if path == "v2/dailyreads/" else super().answer(path, body)

    got = ask(Read(lambda: CALL), lambda client: client.register(ESIID, date(2026, 8, 10), DAY))
    assert got == advance


def test_no_data_is_an_empty_record_and_another_error_is_raised_with_its_code() -> None:
    none = portal()
    none.vee_error = {"errorCode": "1", "errorMessage": "No data received from the respective TDSP"}
    assert len(ask(none, lambda client: client.intervals(ESIID, DAY, DAY)).ends) == 0
    none.vee_error = {"errorCode": "2076", "errorMessage": "API Integration is not done."}
    with pytest.raises(SmtError, match=r"smt\.2076: API Integration is not done\."):
        ask(none, lambda client: client.intervals(ESIID, DAY, DAY))


def test_daily_reads_are_whole_wh() -> None:
    got = ask(portal(), lambda client: client.daily(ESIID, DAY, DAY))
    assert got == [DailyRead(DAY, 24_002_915, 24_039_407, 36_492)]


def test_a_token_that_has_run_out_is_renewed_once() -> None:
    worn = portal()
    worn.dead_tokens = 1
    ask(worn, lambda client: client.daily(ESIID, DAY, DAY))
    assert [path for path, _ in worn.seen].count("v2/token/") == 2
    worn.dead_tokens = 100
    with pytest.raises(SmtError, match=r"smt\.http_401: Invalid Token"):
        ask(worn, lambda client: client.daily(ESIID, DAY, DAY))
    assert worn.dead_tokens == 98


def test_a_wrong_password_is_a_gateway_error() -> None:
    with pytest.raises(SmtError, match="Incorrect username or password"):
        ask(portal(), lambda client: client.token(), password="wrong")


def test_a_refusal_carries_rule_reason_and_time() -> None:
    refusing = portal()
    refusal = {"code": "FR-CR016.1b", "reason": "Spent.", "retryAt": "2026-08-13T00:00:00-05:00"}
    refusing.ack = {"statusCode": "1", "statusReason": "Refused", "refusal": refusal}
    with pytest.raises(SmtRefused) as caught:
        ask(refusing, lambda client: client.odr(ESIID, "call-0001"))
    assert (caught.value.code, caught.value.retry_at) == ("FR-CR016.1b", day_start(date(2026, 8, 13)))


def test_trans_ids_count_the_messages_of_a_call() -> None:
    counting = portal()

    async def three(client: SmtClient) -> None:
        await client.odr(ESIID, "call-0001")
        await client.odr_status("482915007734", "call-0001")
        await client.odr(ESIID, "call-0002")

    ask(counting, three)
    sent = [body["trans_id"] for path, body in counting.seen if path != "v2/token/"]
    assert sent == ["call-0001-0001", "call-0001-0002", "call-0002-0001"]


@pytest.mark.parametrize(("reply", "code"), [
    (httpx.Response(503, text="Service Unavailable"), "smt.no_json"),
    (httpx.Response(403, html="<h1>Access Denied</h1>"), "smt.no_json"),
    (httpx.Response(200, json=None), "smt.no_json"),
    (httpx.Response(500, json={"error": "Something went wrong. Please try again later."}), "smt.http_500"),
    (httpx.Response(200, json={"energyData": 5}), "smt.unreadable"),
    (httpx.Response(200, json={"energyData": [{"DT": "2026-08-11", "RD": ""}]}), "smt.unreadable"),
    (httpx.Response(200, json={"energyData": [{"DT": "08/11/2026", "RD": "1"}]}), "smt.unreadable"),
])  # fmt: skip
def test_what_is_no_answer_is_an_error_with_a_code(reply: httpx.Response, code: str) -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/v2/token/":
            return httpx.Response(200, json={"accessToken": "a-token"})
        return httpx.Response(reply.status_code, content=reply.content, headers=reply.headers)

    with pytest.raises(SmtError) as caught:
        ask_handler(handler, lambda client: client.intervals(ESIID, DAY, DAY))
    assert caught.value.code == code


def test_a_portal_that_is_down_is_named_and_not_traced() -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused", request=request)

    with pytest.raises(SmtError, match=r"smt\.unreachable.*ConnectError"):
        ask_handler(handler, lambda client: client.token())
