"""The front of a service: whom it answers, what it reads, how a refusal looks at each of the two."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from fastapi import Request, Response
from starlette.requests import ClientDisconnect

from headend.http.described_api import DescribedApi
from headend.http.front import DRAINED, LARGEST, FrontRules, Refusal
from headend.http.links import HeadEndLink, LinkKeys
from headend.service import app as head_end
from headend.service.metrics import HeadEndMetrics
from meters.calendar import seconds
from simulator.runtime.journal import RunJournal
from simulator.web.frame import served

FRAME = served(lambda: seconds(0))
KEY = "a key of control"
#: Before each path, which may begin with several slashes.
URL = "http://127.0.0.1:8600"


class Service:
    """An application that tells what it was asked, and what its front refused."""

    def __init__(self, host: str = "127.0.0.1", **listening: Any) -> None:
        self.refused: list[str] = []
        self.app = DescribedApi(
            FRAME,
            [],
            FrontRules(self._refuse, {"/long/": 2 * LARGEST}, frozenset({"its.name"}), frozenset({"https://its.name"})),
        )
        self.app.add_api_route("/{path:path}", self._told, methods=["GET", "POST"])
        self.app.listen(host, **listening)
        # As a server tells it: where the connection came in, not what the request says.
        self._http = httpx.AsyncClient(
            transport=_At(self.app),
        )

    async def _told(self, path: str, request: Request) -> dict[str, Any]:
        return {"path": request.url.path, "octets": len(await request.body())}

    def _refuse(self, _path: str, refusal: Refusal) -> Response:
        self.refused.append(refusal.reason)
        return Response(status_code=refusal.status)

    async def ask(self, path: str = "/", body: Any = None, **headers: str) -> int:
        method = "GET" if body is None else "POST"
        return (await self._http.request(method, URL + path, content=body, headers=headers)).status_code

    async def tell(self, path: str, body: bytes = b"") -> Any:
        return (await self._http.post(URL + path, content=body)).json()


class _At(httpx.ASGITransport):
    def __init__(self, app: DescribedApi) -> None:
        async def reached(scope: Any, receive: Any, send: Any) -> None:
            await app(scope | {"server": ("192.168.1.5", 8600)}, receive, send)

        super().__init__(reached)


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1:8600", "127.8.9.1", "localhost", "LOCALHOST:1", "[::1]:8600", "192.168.1.5:80", "Its.Name", "bench.lan:1"],
)  # fmt: skip
async def test_a_service_answers_to_loopback_to_its_address_and_to_the_names_it_was_given(host: str) -> None:
    assert await Service(names=["Bench.lan"]).ask(host=host) == 200


@pytest.mark.parametrize(
    "host",
    ["", "evil.example", "evil.example:8600", "127.0.0.1.evil.example", "its.name.evil.example", "evil.example#localhost",
     "localhost@evil.example", "192.168.1.6", "10.0.0.1", "[::2]", "its.name:8600:evil", "xn--evil", "*"],
)  # fmt: skip
async def test_a_service_answers_to_no_other_name(host: str) -> None:
    service = Service()
    assert await service.ask(host=host, authorization="Bearer x") == 421
    assert service.refused == ["host"]


async def test_pages_of_another_origin_call_control_and_send_cookies_in_vain() -> None:
    service = Service()
    for origin in (
        "https://evil.example",
        "null",
        "https://127.0.0.1:8600",
        "http://127.0.0.1:8601",
        "http://localhost",
    ):
        assert await service.ask("/control/clock", origin=origin) == 403
        assert await service.ask("//control/clock", origin=origin) == 403
        assert await service.ask("/%63ontrol/clock", origin=origin) == 403
        assert await service.ask("/ui", origin=origin, cookie="session=1") == 403
    assert set(service.refused) == {"origin"}


async def test_its_own_pages_and_whoever_brings_a_token_are_not_asked_where_they_come_from() -> None:
    service = Service()
    own = {"origin": "http://127.0.0.1:8600", "cookie": "session=1"}
    assert await service.ask("/control/clock", **own) == 200
    foreign = {"origin": "https://www.smartmetertexas.com"}
    assert await service.ask("/api/meter", **foreign) == 200
    assert await service.ask("/api/meter", **foreign, cookie="a=1", authorization="bearer x") == 200
    assert service.refused == []


async def test_pages_that_a_service_knows_call_it_with_cookies_but_not_control() -> None:
    """A public client asks the apex name with the Origin of www, and brings back the front page's cookie."""
    service = Service()
    known = {"origin": "https://its.name", "cookie": "a=1"}
    assert await service.ask("/api/user/authenticate", **known) == 200
    assert await service.ask("/control/clock", **known) == 403
    assert await service.ask("/api/user/authenticate", **known | {"origin": "https://its.name.evil.example"}) == 403
    # A scheme without a token is no token.
    for nothing in ("Bearer", "Bearer  "):
        assert await service.ask("/control/clock", origin="https://evil.example", authorization=nothing) == 403


async def test_beyond_loopback_control_asks_for_its_key() -> None:
    service = Service("192.168.1.5", control_key=KEY)
    asked = [
        {},
        {"authorization": "Bearer wrong"},
        {"authorization": KEY},
        {"authorization": f"Basic {KEY}"},
        {"authorization": f"Bearer {KEY}x"},
    ]
    for headers in asked:
        for path in ("/control/clock", "//control//clock", "/%63ontrol/clock"):
            assert await service.ask(path, **headers) == 401
    for scheme in ("Bearer", "bearer"):
        assert await service.ask("/control/clock", authorization=f"{scheme} {KEY}") == 200
    assert await service.ask("/healthz") == 200
    assert service.refused == ["control_key"] * 15


@pytest.mark.parametrize("listening", [{"host": "127.0.0.1", "control_key": KEY}, {"host": "192.168.1.5"}])
async def test_control_asks_for_nothing_on_loopback_or_without_a_key(listening: dict[str, str]) -> None:
    assert await Service(**listening).ask("/control/clock") == 200


async def chunks(octets: int, of: int = 1000) -> AsyncIterator[bytes]:
    for _ in range(octets // of):
        yield b"x" * of
    yield b"x" * (octets % of)


@pytest.mark.parametrize(
    ("path", "most"), [("/short", LARGEST), ("/long/one", 2 * LARGEST), ("//long//one", 2 * LARGEST)]
)
async def test_a_body_has_its_length_by_route_whether_or_not_it_says_so(path: str, most: int) -> None:
    service = Service()
    for body, status in ((most, 200), (most + 1, 413)):
        assert await service.ask(path, b"x" * body) == status
        assert await service.ask(path, chunks(body)) == status
    assert await service.ask(path, b"x" * (DRAINED + 1)) == 413
    assert service.refused == ["too_large"] * 3
    assert (await service.tell(path, b"x" * most))["octets"] == most


async def test_a_body_without_a_length_comes_whole() -> None:
    service = Service()
    reply = await service._http.post(f"{URL}/short", content=chunks(12_345))
    assert reply.json() == {"path": "/short", "octets": 12_345}


async def test_a_client_that_goes_away_in_the_middle_is_no_body() -> None:
    seen = []
    sent = [{"type": "http.request", "body": b"half", "more_body": True}, {"type": "http.disconnect"}]

    async def receive() -> Any:
        return sent.pop(0)

    async def send(message: Any) -> None:
        seen.append(message)

    scope = {"type": "http", "method": "POST", "path": "/x", "raw_path": b"/x", "query_string": b"", "scheme": "http"}
    head = [(b"host", b"localhost"), (b"transfer-encoding", b"chunked")]
    with pytest.raises(ClientDisconnect):
        await Service().app(scope | {"headers": head, "server": ("127.0.0.1", 1), "client": None}, receive, send)
    assert [one for one in seen if one.get("status") == 200] == []


@pytest.mark.parametrize("path", ["//commonapi/user//authenticate", "/%2Fcommonapi/user/authenticate", "///commonapi////user/authenticate"])  # fmt: skip
async def test_slashes_that_are_repeated_are_one(path: str) -> None:
    assert (await Service().tell(path))["path"] == "/commonapi/user/authenticate"


async def test_a_head_end_refuses_in_its_own_shape_and_counts() -> None:
    nothing: Any = None
    metrics = HeadEndMetrics(RunJournal(), lambda: 0, lambda: 0.0)
    app = head_end.create_app(
        head_end.Served(nothing, nothing, nothing, {}, metrics, HeadEndLink(LinkKeys.make()), nothing), "A", FRAME
    )
    async with httpx.AsyncClient(transport=_At(app), base_url="http://127.0.0.1") as http:
        strange = await http.get("/healthz", headers={"host": "evil.example"})
        long = await http.post("/inquiries", content=b"[" * (LARGEST + 1))
        events = await http.post("/events", content=b"[" * (LARGEST + 1))
        too_many = await http.post("/events", content=b"[" * ((2 << 20) + 1))
        told = (await http.get("/metrics")).text
    assert (strange.status_code, strange.json()["code"], strange.json()["place"]) == (421, "http.host", "Host")
    assert (long.status_code, long.json()["code"], events.status_code, too_many.status_code) == (
        *(413, "http.too_large"),
        *(401, 413),
    )
    assert 'ami_headend_refused_total{reason="host"} 1.0' in told
    assert 'ami_headend_refused_total{reason="too_large"} 2.0' in told
