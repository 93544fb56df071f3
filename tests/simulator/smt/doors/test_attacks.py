"""Attacks on SMT's HTTP service, over its own socket: what a page, a flood or a guesser gets."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import httpx
import pytest

from headend.http.log import logging_to
from simulator.parties import control
from simulator.runtime.serving import HttpServer, bind
from simulator.smt.registry import log_in
from tests.simulator.runtime.test_serving import sent
from tests.simulator.smt.doors.test_operations import metric
from tests.simulator.smt.rig import PASSWORD, PLAIN, Rig

STRANGER = "127.0.0.2"
MARKET, PORTAL = "/v2/token/", "/commonapi/user/authenticate"


class Attacked:
    def __init__(self, rig: Rig, server: HttpServer) -> None:
        self.rig, self.server, self.port = rig, server, server.port

    def client(self, peer: str = "127.0.0.1", **headers: str) -> httpx.AsyncClient:
        transport = httpx.AsyncHTTPTransport(local_address=peer)
        return httpx.AsyncClient(transport=transport, base_url=self.server.url, headers=headers)

    async def guess(self, path: str, password: str, peer: str, username: str = "lonestar.api", **headers: str) -> int:
        async with self.client(peer, **headers) as http:
            return (
                await http.post(self.server.url + path, json={"username": username, "password": password})
            ).status_code

    async def flood(self, head: str, piece: bytes, times: int) -> bytes:
        """Send a request whose body does not end of itself; what is told before the connection is cut."""
        return await sent(
            self.port, f"POST {MARKET} HTTP/1.1\r\nhost: localhost\r\n{head}\r\n\r\n".encode(), piece, times
        )


@pytest.fixture
async def attacked(rig: Rig) -> AsyncIterator[Attacked]:
    rig.app.serve(control.router().routes, rig.runtime)
    async with _served(rig) as made:
        yield made


@asynccontextmanager
async def _served(rig: Rig) -> AsyncIterator[Attacked]:
    server = HttpServer(rig.app, bind("127.0.0.1", 0, "SMT"))
    await server.start()
    try:
        yield Attacked(rig, server)
    finally:
        await server.stop()


async def test_a_page_whose_name_leads_here_reads_no_ledger_and_moves_no_clock(attacked: Attacked) -> None:
    await attacked.rig.asked()
    now = attacked.rig.runtime.now()
    for host in ("evil.example", f"evil.example:{attacked.port}", "127.0.0.1.evil.example"):
        async with attacked.client(host=host, origin=f"http://{host}") as page:
            for path in ("/control/requests?most=5", f"/control/access?esiid={PLAIN}", "/metrics", "/openapi.json"):
                reply = await page.get(path)
                assert (reply.status_code, reply.json()["errorCode"]) == (421, "http.host")
            assert (await page.post("/control/clock/advance", json={"seconds": 900})).status_code == 421
            told = (await page.post(MARKET, json={"username": "lonestar.api", "password": PASSWORD})).json()
            assert list(told) == ["error"]
    assert attacked.rig.runtime.now() == now
    assert (await metric(attacked.rig, "ami_smt_refused_total"))['{reason="host"}'] == 18
    async with attacked.client(host="www.smartmetertexas.com") as owner:
        assert len((await owner.get("/control/requests?most=5")).json()["requests"]) == 1


async def test_a_page_of_another_origin_moves_no_clock_and_a_client_with_a_token_is_not_judged(
    attacked: Attacked,
) -> None:
    now = attacked.rig.runtime.now()
    body = {"content": '{"seconds": 900}', "headers": {"content-type": "text/plain"}}
    async with attacked.client(origin="https://evil.example") as page:
        for path in ("/control/clock/advance", "//control/clock/advance", "/control//clock/advance"):
            assert (await page.post(attacked.server.url + path, **body)).status_code == 403  # type: ignore[arg-type]
        assert (await page.post("/api/meter", json={}, headers={"cookie": "a=b"})).status_code == 403
    assert attacked.rig.runtime.now() == now
    async with attacked.client(origin="https://www.smartmetertexas.com") as client:
        reply = await client.post(PORTAL, json={"username": "customer", "password": PASSWORD})
        bearer = {"authorization": f"Bearer {reply.json()['token']}", "cookie": "a=b"}
        assert (await client.post("/api/meter", json={"esiid": "*"}, headers=bearer)).status_code == 200
    async with attacked.client(origin=attacked.server.url) as own:
        assert (await own.post("/control/clock/advance", json={"seconds": 900})).status_code == 200
    assert attacked.rig.runtime.now() == now + 900


@pytest.mark.parametrize(
    # CPU seconds in which the flood is dealt with, the sender's own among them. Parsed, 60 MB took 3.6.
    ("head", "piece", "times", "at_most_s"),
    [
        ("content-type: application/json\r\ncontent-length: 62914560", b"[1,2,3,4,5,6,7]," * 65_536, 60, 0.5),
        ("transfer-encoding: chunked", b"10000\r\n" + b"[" * 65_536 + b"\r\n", 960, 0.5),
        # Of pieces that are as small as can be, each of which costs the parser as much as a large one.
        ("transfer-encoding: chunked", b"1\r\n[\r\n" * 10_000, 100, 3),
    ],
    ids=["60 MB", "chunks without end", "small chunks without end"],
)
async def test_a_flood_without_a_token_stops_nobody(
    attacked: Attacked, head: str, piece: bytes, times: int, at_most_s: float
) -> None:
    began = time.process_time()
    async with attacked.client() as other:
        flood = asyncio.ensure_future(attacked.flood(head, piece, times))
        while not flood.done():
            assert (await other.get("/")).status_code == 200
        told = await flood
    assert time.process_time() - began < at_most_s
    # Who goes on sending may lose the answer with the connection.
    assert told == b"" or told.startswith(b"HTTP/1.1 413 "), told[:200]
    assert (await metric(attacked.rig, "ami_smt_refused_total"))['{reason="too_large"}'] == 1


async def test_who_has_no_key_is_told_so_before_a_byte_of_a_chunked_body_is_taken(attacked: Attacked) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", attacked.port)
    writer.write(b"POST /callbacks/inquiries/1/2 HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n")
    async with asyncio.timeout(10):
        assert (await reader.readline()).startswith(b"HTTP/1.1 401")
    writer.close()
    with suppress(ConnectionError):
        await writer.wait_closed()


async def test_each_api_tells_a_body_that_is_too_long_in_its_own_shape(attacked: Attacked) -> None:
    told = {}
    async with attacked.client() as http:
        of_head_ends = (("/callbacks/inquiries/1/a", (2 << 20) + 1), ("/non-vee", (2 << 20) + 1))
        for path, octets in (("/v2/odr/", 70_000), ("/api/meter", 70_000), *of_head_ends):
            reply = await http.post(path, content=b"x" * octets)
            assert reply.status_code == 413
            told[path] = reply.json()
        taken = [(await http.post(path, content=b"x" * (1 << 20))).status_code for path, _ in of_head_ends]
    # By the key that they do not bear, not by their length.
    assert taken == [401, 401]
    assert told == {
        "/v2/odr/": {"error": "It is too long: 65536 octets are taken here at most."},
        "/api/meter": {
            "errorCode": "http.too_large",
            "errorMessage": "body: It is too long: 65536 octets are taken here at most.",
        },
        **{
            path: {
                "errorCode": "http.too_large",
                "errorMessage": "body: It is too long: 2097152 octets are taken here at most.",
            }
            for path, _ in of_head_ends
        },
    }


@pytest.mark.parametrize("path", [MARKET, PORTAL])
async def test_a_strangers_guesses_lock_nobody_out_but_himself(tmp_path: Path, path: str) -> None:
    log = tmp_path / "smt.log"
    with logging_to(str(log)):
        async with Rig(tmp_path) as rig, _served(rig) as attacked:
            # A header that names somebody else makes nobody of the guesser.
            told = [
                await attacked.guess(path, f"guess {turn}", STRANGER, **{"x-forwarded-for": f"192.0.2.{turn}"})
                for turn in range(40)
            ]
            bad = 401 if path == MARKET else 400
            assert told == [bad] * 5 + [403] * 35
            assert await attacked.guess(path, PASSWORD, "127.0.0.1") == 200
            assert await attacked.guess(path, PASSWORD, STRANGER) == 403
            assert await metric(rig, "ami_smt_login_blocks_total") == {"": 1}
            # On one machine the owner's is taken as soon as the delay is over.
            rig.wall += 2
            assert await attacked.guess(path, PASSWORD, STRANGER) == 200
    blocks = [json.loads(line) for line in log.read_text().splitlines() if "log-in blocked" in line]
    assert [(one["username"], one["peer"], one["seconds"]) for one in blocks] == [("lonestar.api", STRANGER, 2)]


async def test_guesses_at_once_are_not_one_more_than_are_free(attacked: Attacked) -> None:
    told = await asyncio.gather(*(attacked.guess(MARKET, "wrong", STRANGER) for _ in range(30)))
    assert sorted(told) == [401] * 5 + [403] * 25


async def test_right_passwords_at_once_are_all_taken(attacked: Attacked) -> None:
    told = await asyncio.gather(*(attacked.guess(MARKET, PASSWORD, STRANGER) for _ in range(30)))
    assert told == [200] * 30


async def test_a_password_is_checked_beside_the_loop_while_model_time_waits_for_it(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    checking, released = threading.Event(), threading.Event()

    def slowly(_user: object, _password: str) -> bool:
        checking.set()
        return released.wait(20)

    monkeypatch.setattr(log_in, "password_is", slowly)
    now, told = rig.runtime.now(), []

    async def ask() -> None:
        told.append(await rig.client.post(MARKET, json={"username": "lonestar.api", "password": PASSWORD}))

    rig.runtime.io("log-in", "one", ask)
    moving = asyncio.ensure_future(rig.wait(60))
    await asyncio.to_thread(checking.wait, 20)
    # The loop answers others meanwhile, and no model time passes.
    assert (await rig.client.get("/healthz")).status_code == 200
    assert (rig.runtime.now(), moving.done(), told) == (now, False, [])
    released.set()
    await moving
    assert (rig.runtime.now(), [reply.status_code for reply in told]) == (now + 60, [200])


async def test_a_log_in_of_an_older_client_with_two_slashes_is_one(attacked: Attacked) -> None:
    assert await attacked.guess(f"/{PORTAL}", PASSWORD, "127.0.0.1", "customer") == 200
