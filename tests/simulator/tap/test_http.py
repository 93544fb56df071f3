"""Applications and clients whose exchanges are noted, against real sockets."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.types import Receive, Scope, Send

from simulator.runtime.serving import HttpServer, bind
from simulator.tap.http import outgoing, tapped
from simulator.tap.log import WireLog
from tests.simulator.tap.written import log_at, told


async def answer(scope: Scope, receive: Receive, send: Send) -> None:
    """Give back what was asked, in two parts; ``/broken`` raises, ``/mute`` says nothing, ``/short`` has no body."""
    if scope["type"] != "http":
        raise RuntimeError("no lifespan here")
    if scope["path"] == "/v2/broken/":
        raise RuntimeError("a fault")
    if scope["path"] == "/v2/mute/":
        return
    if scope["path"] == "/v2/short/":
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body"})
        return
    body = (await receive()).get("body", b"")
    await send({"type": "http.response.start", "status": 201, "headers": [(b"content-type", b"application/json")]})
    await send({"type": "http.response.body", "body": body, "more_body": True})
    await send({"type": "http.response.body", "body": b" "})


@asynccontextmanager
async def served(log: WireLog | None, party: str = "SMT") -> AsyncIterator[str]:
    bound = bind("127.0.0.1", 0, "a test")
    server = HttpServer(tapped(answer, log, party, bound), bound)
    await server.start()
    try:
        yield server.url
    finally:
        await server.stop()


async def ask(url: str, path: str, body: dict[str, Any] | None = None, **settings: Any) -> None:
    async with httpx.AsyncClient(base_url=url, trust_env=False, **settings) as client:
        await client.post(path, json=body, headers={"authorization": "Bearer sesame"})


async def test_an_exchange_is_one_line_with_what_was_asked_and_answered(tmp_path: Path) -> None:
    log = log_at(tmp_path / "wire.jsonl")
    body = {
        "trans_id": "call-1-0001",
        "requesterType": "CSP",
        "correlationId": "12",
        "esiid": ["1044"],
        "password": "x",
    }
    async with served(log) as url:
        await ask(url, "/v2/odr/?token=sesame", body)
    log.close()
    (line,) = told(tmp_path / "wire.jsonl")
    kept = body | {"password": log.masker.hashed(b"x")}
    assert (line["wire"], line["from"], line["to"]) == ("market", "CSP", "SMT")
    assert line["ids"] == {"trans_id": "call-1-0001", "correlationId": "12", "esiid": "1044"}
    assert line["ask"] | {"body": json.loads(line["ask"]["body"])} == {
        "method": "POST",
        "path": "/v2/odr/",
        "query": f"token={log.masker.hashed(b'sesame')}",
        "headers": {"authorization": f"Bearer {log.masker.hashed(b'sesame')}", "content-type": "application/json"},
        "body": kept,
    }
    assert (line["reply"]["status"], json.loads(line["reply"]["body"])) == (201, kept)
    assert (line["at_us"], line["took_us"]) == (1_000, 0)
    assert line["run"]["ms"] >= 0
    assert "sesame" not in (tmp_path / "wire.jsonl").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("path", "wire"),
    [
        ("/control/clock", ("control", "tester", "SMT")),
        ("/api/usage/daily", ("portal", "customer", "SMT")),
        ("/callbacks/inquiries/1/2", ("call-backs", "TDSP", "SMT")),
        ("/inquiries", ("inquiries", "SMT", "TDSP")),
        ("/events", ("events", "meters", "TDSP")),
        ("/calls", ("desk", "agent", "ROR")),
        ("/v2/token/", ("market", "ROR", "SMT")),
        ("/healthz", ("pages", "visitor", "SMT")),
    ],
)
async def test_a_path_tells_the_wire_and_who_speaks_on_it(
    tmp_path: Path, path: str, wire: tuple[str, str, str]
) -> None:
    log = log_at(tmp_path / "wire.jsonl")
    async with served(log) as url:
        await ask(url, path)
    (line,) = told(tmp_path / "wire.jsonl")
    assert (line["wire"], line["from"], line["to"]) == wire


@pytest.mark.parametrize("path", ["/v2/broken/", "/v2/mute/"])
async def test_an_exchange_without_an_answer_is_told_too(tmp_path: Path, path: str) -> None:
    log = log_at(tmp_path / "wire.jsonl")
    async with served(log) as url:
        await ask(url, path)
    (line,) = told(tmp_path / "wire.jsonl")
    assert line["reply"] == {"error": "none was sent"}


async def test_a_call_to_others_is_noted_by_who_calls(tmp_path: Path) -> None:
    log = log_at(tmp_path / "wire.jsonl")
    async with served(None) as url:
        async with httpx.AsyncClient(transport=outgoing(log, "TDSP", True)) as client:
            reply = await client.post(f"{url}/theirs", content=b'{"correlationId": "12"}')
        assert (reply.status_code, reply.json()) == (201, {"correlationId": "12"})
    (line,) = told(tmp_path / "wire.jsonl")
    assert (line["wire"], line["from"], line["to"]) == ("pages", "TDSP", "outside")
    assert (line["ids"], line["reply"]["status"]) == ({"correlationId": "12"}, 201)
    assert line["reply"]["body"] == '{"correlationId": "12"} '


async def test_a_call_to_an_application_that_notes_for_itself_is_one_line(tmp_path: Path) -> None:
    log = log_at(tmp_path / "wire.jsonl")
    async with served(log, "TDSP") as url:
        await ask(url, "/inquiries", {}, transport=outgoing(log, "SMT", True))
    assert [line["to"] for line in told(tmp_path / "wire.jsonl")] == ["TDSP"]


async def test_a_call_that_reaches_nobody_is_noted(tmp_path: Path) -> None:
    log = log_at(tmp_path / "wire.jsonl")
    with bind("127.0.0.1", 0, "nobody") as bound:
        url = f"http://127.0.0.1:{bound.getsockname()[1]}"
        with pytest.raises(httpx.ConnectError):
            await ask(url, "/inquiries", {}, transport=outgoing(log, "SMT", True))
    (line,) = told(tmp_path / "wire.jsonl")
    assert (line["from"], line["to"], line["reply"]) == ("SMT", "TDSP", {"error": "ConnectError"})


@pytest.mark.parametrize(("most", "read_s", "error"), [(10, 60.0, "RemoteProtocolError"), (10**9, 0.05, "ReadTimeout")])
async def test_an_answer_without_an_end_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, most: int, read_s: float, error: str
) -> None:
    async def endless(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 202, "headers": []})
        while True:
            await send({"type": "http.response.body", "body": b" ", "more_body": True})
            await asyncio.sleep(0.001)

    monkeypatch.setattr("simulator.tap.http.MOST_ANSWER", most)
    server = HttpServer(endless, bind("127.0.0.1", 0, "a test"))
    await server.start()
    try:
        async with httpx.AsyncClient(
            transport=outgoing(log_at(tmp_path / "wire.jsonl"), "SMT", True), timeout=read_s
        ) as client:
            with pytest.raises(httpx.HTTPError):
                await client.post(f"{server.url}/inquiries", content=b"{}")
    finally:
        await server.stop()
    (line,) = told(tmp_path / "wire.jsonl")
    assert line["reply"] == {"error": error}


async def test_without_a_file_nothing_is_put_in_between() -> None:
    with bind("127.0.0.1", 0, "a test") as bound:
        assert tapped(answer, None, "SMT", bound) is answer
    assert outgoing(None, "SMT", True) is None


async def test_an_answer_without_a_body_is_told_without_one(tmp_path: Path) -> None:
    log = log_at(tmp_path / "wire.jsonl")
    async with served(log) as url:
        await ask(url, "/v2/short/")
    (line,) = told(tmp_path / "wire.jsonl")
    assert line["reply"] == {"status": 204, "headers": {}}
    assert "body" not in line["ask"]


async def test_what_is_no_exchange_is_handed_on_and_not_noted(tmp_path: Path) -> None:
    log, heard = log_at(tmp_path / "wire.jsonl"), []

    async def app(scope: Scope, _receive: Receive, _send: Send) -> None:
        heard.append(scope["type"])

    async def nothing(*_: Any) -> Any:
        raise AssertionError

    with bind("127.0.0.1", 0, "a test") as bound:
        await tapped(app, log, "SMT", bound)({"type": "websocket", "path": "/v2/"}, nothing, nothing)
    log.close()
    assert heard == ["websocket"]
    assert told(tmp_path / "wire.jsonl") == []
