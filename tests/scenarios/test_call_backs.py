"""The door before SMT: what is called back for the tester's own inquiries is kept and answered as the step says, tokens end, and all else passes."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx
from starlette.applications import Starlette
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.routing import Route

from meters.calendar import seconds
from scenarios.outside.call_backs import CLOCK, PATH, Awaited, CallBackDoor
from simulator.runtime.serving import HttpServer, bind

ANSWER = {"correlationId": "7", "outcome": "completed"}


def behind(door: CallBackDoor) -> Any:
    async def said(_: Any) -> PlainTextResponse:
        return PlainTextResponse("SMT")

    return door.before(Starlette(routes=[Route("/{path:path}", said, methods=["GET", "POST"])]))


async def call(http: httpx.AsyncClient, seal: str = "seal", key: str = "key", body: Any = ANSWER) -> int | None:
    try:
        content = body if isinstance(body, str) else json.dumps(body)
        reply = await http.post(f"{PATH}7/{seal}", content=content, headers={"authorization": f"Bearer {key}"})
    except httpx.HTTPError:
        return None
    return reply.status_code


async def test_a_call_back_meets_what_the_step_says_and_is_kept_whole() -> None:
    door = CallBackDoor()
    server = HttpServer(behind(door), bind("127.0.0.1", 0, "a test"))
    await server.start()
    async with httpx.AsyncClient(base_url=server.url, trust_env=False) as http:
        awaited = door.expect("7", Awaited("seal", "key", lambda: seconds(5), ("error", "cut")))
        assert not await awaited.answer(0.01)
        found = [await call(http) for _ in range(3)]
        assert await awaited.answer(0.01)
        await awaited.quiet(0.01)
        found += [await call(http, key="no"), await call(http, seal="no"), await call(http, body="{}")]
        found.append(await call(http, body="x" * (3 << 20)))
        passed = await http.post(f"{PATH}8/seal", content="{}")
    await server.stop()
    assert found == [500, None, 202, 401, 403, 400, 413]
    assert passed.text == "SMT"
    assert [one.status for one in awaited.came] == found
    assert json.loads(awaited.came[0].body) == ANSWER
    assert (awaited.came[3].keyed, awaited.came[4].sealed) == (False, False)
    assert door.expect("7", Awaited("", "", lambda: seconds(0))) is awaited


async def test_a_token_that_was_borne_before_its_end_is_not_taken_after_it() -> None:
    door = CallBackDoor()
    async with httpx.AsyncClient(transport=httpx.ASGITransport(behind(door)), base_url="http://smt") as http:

        async def borne(token: str, path: str = "/v2/odr/") -> int:
            return (await http.get(path, headers={"authorization": f"Bearer {token}"})).status_code

        found = [await borne("old")]
        door.end_tokens()
        found += [await borne("old"), await borne("new"), await borne("old", "/api/")]
    assert found == [200, 401, 200, 200]


async def test_smt_is_quiet_when_nothing_but_the_time_is_asked() -> None:
    door = CallBackDoor()
    doing: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    async with httpx.AsyncClient(transport=httpx.ASGITransport(behind(door)), base_url="http://smt") as http:
        await http.get("/control/clock")
        assert not await door.quiet_or_over(doing, 0.01, 1.0)
        doing.set_result(None)
        await http.get("/v2/odr/")
        assert await door.quiet_or_over(doing, 10.0, 1.0)


async def test_who_polls_is_told_anothers_answer_once_and_then_its_own() -> None:
    interval = {
        "end": "2026-08-12T17:30:00-05:00",
        "wh": 7,
        "source": "meter",
        "collectedAt": "2026-08-12T17:40:00-05:00",
    }
    own = {
        "correlationId": "12",
        "statusCode": "0",
        "gap": {"start": "2026-08-12T00:00:00-05:00"},
        "intervals": [interval],
    }
    pending = {"correlationId": "12", "statusCode": "PEN"}
    answers = iter([pending, own, own])

    async def polled(_: Any) -> JSONResponse:
        return JSONResponse(next(answers))

    door = CallBackDoor()
    door.answer_with_anothers()
    app = door.before(Starlette(routes=[Route("/v2/odrstatus/", polled, methods=["POST"])]))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://smt") as http:
        told = [(await http.post("/v2/odrstatus/", json={})).json() for _ in range(3)]
    assert (told[0], told[2]) == (pending, own)
    assert told[1]["correlationId"] == "21"
    assert told[1]["intervals"] == [interval | {"wh": 507, "collectedAt": "2026-08-12T00:00:00-05:00"}]


async def test_who_is_called_is_waited_for_until_it_asks_something_but_the_time() -> None:
    door = CallBackDoor()
    app = behind(door)
    loop = asyncio.get_running_loop()
    calling: asyncio.Future[None] = loop.create_future()
    assert not await door.begun(calling, 0.01)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://smt") as http:
        for path, waits in ((CLOCK, True), ("/v2/token/", False)):
            waiting = asyncio.ensure_future(door.begun(calling, 0.2 if waits else 60))
            await asyncio.wait([waiting], timeout=0.05)
            await http.get(path)
            began = loop.time()
            assert await waiting is not waits
            assert (loop.time() - began > 0.1) is waits
    calling.set_result(None)
    assert await door.begun(calling, 60)
