"""Serving HTTP: ports that can be had, a server that stops and begins again, heads without end, addresses as they are written."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

import httpx
import pytest
from starlette.types import Receive, Scope, Send

from simulator.errors import SimulatorError
from simulator.runtime.serving import MOST_HEAD, PORT_MEND, RESET, HttpServer, base_url, bind, is_address, is_url


async def measured(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers with how long the body is; resets the connection of who asks for that."""
    if scope["path"] == "/reset":
        scope["extensions"][RESET]()
        return
    octets, more = 0, True
    while more:
        message = await receive()
        octets, more = octets + len(message.get("body", b"")), message.get("more_body", False)
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"%d" % octets})


@pytest.fixture
async def server() -> AsyncIterator[HttpServer]:
    made = HttpServer(measured, bind("127.0.0.1", 0, "the test"))
    await made.start()
    try:
        yield made
    finally:
        await made.stop()


async def sent(port: int, begun: bytes, piece: bytes, times: int) -> bytes:
    """Send a beginning and pieces without end; what is told before the connection is cut."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(begun)
    with suppress(ConnectionError):
        for _ in range(times):
            writer.write(piece)
            await writer.drain()
    told = b""
    with suppress(ConnectionError):
        told = await reader.read()
    writer.close()
    with suppress(ConnectionError):
        await writer.wait_closed()
    return told


async def told(server: HttpServer, path: str = "/", **headers: str) -> int:
    async with httpx.AsyncClient() as client:
        return (await client.get(server.url + path, headers=headers)).status_code


@pytest.mark.parametrize(
    ("begun", "piece"),
    [
        (b"GET /", b"a" * 4_096),
        (b"GET / HTTP/1.1\r\nhost: localhost\r\nx: ", b"a" * 4_096),
        (b"GET / HTTP/1.1\r\nhost: localhost\r\n", b"a: b\r\n" * 683),
        (b"POST / HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n0\r\n", b"a: b\r\n" * 683),
        (b"POST / HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n1;", b"a" * 4_096),
    ],
    ids=["a line", "a header", "headers", "trailers", "a chunk's extension"],
)
async def test_a_head_without_end_is_cut_off(server: HttpServer, begun: bytes, piece: bytes) -> None:
    async with asyncio.timeout(10):
        answer = await sent(server.port, begun, piece, 8 * MOST_HEAD // len(piece))
    # Who goes on sending may lose the answer with the connection.
    assert answer == b"" or answer.startswith(b"HTTP/1.1 400 "), answer[:200]
    assert await told(server, x="a" * (MOST_HEAD - 1_000)) == 200


async def test_a_head_in_two_pieces_is_taken_with_a_large_body_behind_it(server: HttpServer) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    body = b"x" * 250_000
    writer.write(b"POST / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-le")
    await writer.drain()
    assert await told(server) == 200
    writer.write(b"ngth: %d\r\n\r\n" % len(body) + body)
    async with asyncio.timeout(10):
        answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert b"\r\n250000\r\n" in answer


async def test_who_serves_can_reset_a_connection_in_place_of_an_answer(server: HttpServer) -> None:
    with pytest.raises(httpx.ReadError):
        await told(server, "/reset")
    assert await told(server) == 200


@pytest.mark.parametrize("ends", [True, False], ids=["what ends is answered", "what does not is cut off"])
async def test_a_stop_waits_for_what_is_under_way_alone(ends: bool) -> None:
    asked, answer = asyncio.Event(), asyncio.Event()

    async def slow(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] == "/slow":
            asked.set()
            await answer.wait()
        await measured(scope, receive, send)

    server = HttpServer(slow, bind("127.0.0.1", 0, "the test"))
    await server.start()
    # One that is open and asks nothing keeps nobody waiting.
    _, idle = await asyncio.open_connection("127.0.0.1", server.port)
    asking = asyncio.create_task(told(server, "/slow"))
    await asked.wait()
    stopping = asyncio.create_task(server.stop())
    with suppress(httpx.TransportError):
        while await told(server) == 200:
            pass
    assert not stopping.done()
    if ends:
        answer.set()
    async with asyncio.timeout(10):
        await stopping
    assert await asking == (200 if ends else 500)
    idle.close()
    await idle.wait_closed()


async def test_after_a_stop_it_serves_again_at_the_same_port(server: HttpServer) -> None:
    await server.stop()
    with pytest.raises(httpx.ConnectError):
        await told(server)
    await server.start()
    assert await told(server) == 200


@pytest.mark.parametrize(("option", "mend"), [("", PORT_MEND), ("--web-port", "another --web-port (0 takes")])
def test_a_port_that_is_taken_is_named_with_the_option_that_moves_it(option: str, mend: str) -> None:
    with bind("127.0.0.1", 0, "one") as first:
        first.listen()
        port = first.getsockname()[1]
        with pytest.raises(SimulatorError, match=rf"http\.port_taken: 127\.0\.0\.1:{port}: .* for another") as caught:
            bind("127.0.0.1", port, "another", option)
    assert mend in caught.value.mend


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("http://127.0.0.1:8600", True),
        ("https://smt.example/back", True),
        ("http://smt.example:65535", True),
        ("http://smt.example:0", False),
        ("http://smt.example:65536", False),
        ("ftp://smt.example", False),
        ("smt.example:8600", False),
        ("http://", False),
        ("http://[::1", False),
    ],
)
def test_an_address_is_whole_or_none(text: str, is_one: bool) -> None:
    assert is_url(text) is is_one


def test_where_one_is_called_back_has_no_query_and_no_last_slash() -> None:
    assert base_url("http://127.0.0.1:8600/back/", "--smt", "x") == "http://127.0.0.1:8600/back"
    assert base_url("", "--smt", "x") == ""
    for wrong in ("127.0.0.1:8600", "http://127.0.0.1:8600/?a=b", "http://127.0.0.1:8600/#a"):
        with pytest.raises(SimulatorError, match=r"^x: --smt: Nothing can be called back at what this says\."):
            base_url(wrong, "--smt", "x")


def test_a_host_that_can_be_listened_on_has_an_address() -> None:
    assert [is_address(host) for host in ("127.0.0.1", "::1", "", "127.0.0.1.1", "a b")] == [
        True,
        True,
        False,
        False,
        False,
    ]
