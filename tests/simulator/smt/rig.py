"""An SMT on the manual clock with 35 posted days, a small head-end behind real HTTP messages, and who logs in at it."""

from __future__ import annotations

import json
from collections.abc import Generator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import simpy
from fastapi import FastAPI, Response

from headend.http.links import LinkKeys, bearing
from headend.lse.writer import LseRecord
from headend.vee.quality import Channel
from headend.wire import InquiryKind, InquiryRequest, InquiryResult
from meters.calendar import (
    Micros,
    Seconds,
    day_of,
    days,
    ends_within,
    epoch,
    intervals_in,
    iso,
    rounded_us,
    seconds,
    to_us,
)
from simulator.runtime.clock import Clock, ClockMode
from simulator.runtime.driver import Runtime
from simulator.smt.access.gatekeeper import TokenLife
from simulator.smt.doors.service import Smt, SmtConfig, create_app
from simulator.smt.ondemand.inquiries import CALL_BACKS
from simulator.smt.ondemand.middle import FixedMiddle
from simulator.smt.registry.passwords import hash_password
from simulator.smt.registry.records import Agreement, Entity, EntityKind, RorPeriod, ServicePoint, User, UserKind
from simulator.smt.registry.registry import Registry
from simulator.smt.throttle.decision import Policy
from simulator.smt.throttle.policy import preset
from simulator.smt.usage.site.folders import Folders

NOW = "2026-08-12T17:40"
TDSP_DUNS, ROR_DUNS, RIVAL_DUNS = "9990000000001", "9990000000011", "9990000000012"
PLAIN, NEIGHBOUR, FOREIGN = "99900000000000017", "99900000000000018", "99900000000000019"
BROKEN = {
    "A1": "99900000000000101",
    "A2": "99900000000000102",
    "A3": "99900000000000103",
    "A4": "99900000000000104",
    "DE-ENERGIZED": "99900000000000105",
}
PASSWORD = "open sesame"
HASH = hash_password(PASSWORD)
#: Of the link between SMT and its head-end.
KEYS = LinkKeys(*(f"a-key-of-the-{sender}" for sender in ("smt", "head-end", "meters", "control")))


def registry(*more: User, entities: Sequence[Entity] = (), agreements: Sequence[Agreement] = ()) -> Registry:
    """The test market, and whoever else is wanted in it."""
    plain = ServicePoint(PLAIN, "200000017", "coastal", address="1 Test Way", city="Nowhere", zip_code="75001")
    points = [plain, replace(plain, esiid=NEIGHBOUR, meter_number="200000018")]
    points += [replace(plain, esiid=FOREIGN, meter_number="200000019")]
    for number, (code, change) in enumerate(
        {"A1": "ams", "A2": "provisioned", "A3": "receiving", "A4": "lse", "DE-ENERGIZED": "energized"}.items()
    ):
        broken: dict[str, Any] = {change: False}
        points.append(replace(plain, esiid=BROKEN[code], meter_number=str(200000101 + number), **broken))
    return Registry(
        points,
        [
            Entity(TDSP_DUNS, "Coastal Wires", EntityKind.TDSP, "coastal"),
            Entity(ROR_DUNS, "Lone Star Test Energy", EntityKind.ROR),
            Entity(RIVAL_DUNS, "Rival Test Energy", EntityKind.ROR),
            *entities,
        ],
        [
            RorPeriod(point.esiid, RIVAL_DUNS if point.esiid == FOREIGN else ROR_DUNS, date(2025, 1, 1))
            for point in points
        ],
        [
            User("lonestar.api", HASH, UserKind.ROR, ROR_DUNS),
            User("rival.api", HASH, UserKind.ROR, RIVAL_DUNS),
            User("customer", HASH, UserKind.CUSTOMER, esiids=(PLAIN,)),
            User("wires", HASH, UserKind.TDSP, TDSP_DUNS),
            *more,
        ],
        agreements=agreements,
    )


def record(esiid: str, day: date, posted_at: Seconds, channel: Channel = Channel.LOAD, wh: int = 100) -> LseRecord:
    """A flat day: ``wh`` in each interval, registers that begin at 1,000 kWh on 1 January 2026."""
    count = intervals_in(day)
    start = 1_000_000 + (day - date(2026, 1, 1)).days * 9_600
    return LseRecord(
        esiid,
        channel,
        day,
        start,
        start + wh * count,
        np.full(count, wh, dtype=np.int32),
        np.zeros(count, dtype=np.bool_),
        posted_at,
    )


@dataclass(slots=True)
class Notes:
    """A journal in memory."""

    entries: list[tuple[int, str, str, dict[str, Any]]] = field(default_factory=list)

    def note(self, at: Seconds, party: str, kind: str, ident: str, **facts: Any) -> None:
        self.entries.append((at, kind, ident, facts))

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [facts for _, one, _, facts in self.entries if one == kind]


def answer_to(request: InquiryRequest, now: str, swept_to: Seconds = seconds(0)) -> dict[str, Any]:
    """A complete answer that cost one read; intervals to the last sweep are the store's."""
    answer: dict[str, Any] = {
        "correlationId": request.correlationId,
        "outcome": "completed",
        "meterReads": 1,
        "octets": 500,
    }
    if request.kind is InquiryKind.INTERVALS:
        assert request.start is not None
        assert request.end is not None
        ends = ends_within(epoch(request.start), epoch(request.end))
        answer["intervals"] = [
            {"end": iso(end), "wh": 100, "source": "store" if end <= swept_to else "meter", "collectedAt": now}
            for end in ends
        ]
    elif request.kind is InquiryKind.REGISTER:
        answer["register"] = {"wh": 23_459_133, "at": now}
    else:
        answer["power"] = {"status": "ON", "source": "reply", "switchState": "CLOSED", "voltage": 243.1, "at": now}
    return answer


class SmallHeadEnd:
    """Accepts every inquiry and calls a complete answer back after ``seconds``; what a test changes is in ``amend``."""

    def __init__(self, runtime: Runtime, http: httpx.AsyncClient) -> None:
        self.runtime = runtime
        self.http = http
        self.seconds: float = 5
        self.accepts = 202
        #: What it says of an inquiry.
        self.says = b""
        self.loses_reply = False
        #: So many inquiries it never gets: the connection breaks before.
        self.loses = 0
        self.times = 1
        self.meter_reads = 1
        self.amend: dict[str, Any] = {}
        self.asked: list[InquiryRequest] = []
        self.replies: list[int] = []
        self.app = FastAPI()

        @self.app.post("/inquiries")
        async def inquiries(request: InquiryRequest) -> Response:
            if self.loses:
                self.loses -= 1
                raise httpx.ReadError("the connection broke")
            known = request.correlationId in {one.correlationId for one in self.asked}
            self.asked.append(request)
            if self.accepts == 202 and not known:
                runtime.inject("inquiry", request.correlationId, lambda: self._begin(request))
            if self.loses_reply:
                raise httpx.ReadError("the connection broke")
            return Response(self.says, status_code=self.accepts)

    def _begin(self, request: InquiryRequest) -> None:
        self.runtime.env.process(self._answer(request))

    def _answer(self, request: InquiryRequest) -> Generator[simpy.Event, Any, None]:
        yield self.runtime.env.timeout(rounded_us(self.seconds))
        body = self._result(request).model_dump_json(by_alias=True)
        for turn in range(self.times):
            reply = yield self.runtime.io(
                "answer", f"{request.correlationId}-{turn}", lambda: self._call_back(str(request.replyTo), body)
            )
            self.replies.append(reply.status_code)

    async def _call_back(self, url: str, body: str) -> httpx.Response:
        return await self.http.post(url, content=body, headers=bearing(KEYS.headend))

    def _result(self, request: InquiryRequest) -> InquiryResult:
        answer = answer_to(request, iso(self.runtime.now()), epoch("2026-08-12T16:00"))
        if request.end is not None:
            answer["reachesTo"] = iso(seconds(request.end.timestamp()))
        return InquiryResult.model_validate(answer | {"meterReads": self.meter_reads} | self.amend)


class Nowhere:
    """Folders in which nothing is kept."""

    def put(self, username: str, name: str, content: bytes) -> None:
        pass

    add = lay = put

    def has(self, username: str, name: str) -> bool:
        return True


class ByHost(httpx.AsyncHTTPTransport):
    """Messages to the applications of a test by host name; to other hosts over the network."""

    def __init__(self, hosts: dict[str, httpx.ASGITransport]) -> None:
        super().__init__()
        self._hosts = hosts

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        transport = self._hosts.get(request.url.host)
        if transport is None:
            return await super().handle_async_request(request)
        return await transport.handle_async_request(request)


class Rig:
    """SMT, its head-end and a client; ``async with`` it."""

    def __init__(
        self,
        folder: Path,
        policy: str | Policy = "fr-cr016-1",
        now: str = NOW,
        expiry_us: Micros = to_us(45 * 60),
        registered: Registry | None = None,
        folders: Folders | None = None,
        database_url: str = "",
        clock: Clock | None = None,
        links: dict[str, str] | None = None,
        reply_to: str = "http://smt",
        keys: dict[str, LinkKeys] | None = None,
        open_links: bool = False,
        token_life: TokenLife = TokenLife.WALL,
    ) -> None:
        self.runtime = Runtime(clock or Clock(ClockMode.MANUAL, to_us(epoch(now))))
        self.wall = 1_000_000.0
        self.notes = Notes()
        # SMT and head-end reach each other through one client.
        hosts: dict[str, httpx.ASGITransport] = {}
        self.http = httpx.AsyncClient(transport=ByHost(hosts))
        self.head_end = SmallHeadEnd(self.runtime, self.http)
        config = SmtConfig(
            seed=1,
            policy=preset(policy) if isinstance(policy, str) else policy,
            database_url=database_url or f"sqlite:///{folder / 'smt.db'}",
            links=links or {"coastal": "http://headend"},
            keys=keys or {"coastal": KEYS},
            open_links=open_links,
            reply_to=reply_to,
            wall=lambda: self.wall,
            expiry_us=expiry_us,
            token_life=token_life,
        )
        self.smt = Smt(
            self.runtime, config, registered or registry(), FixedMiddle(10, 60), self.notes, self.http, folders
        )
        self.app = create_app(self.smt)
        hosts |= {"headend": httpx.ASGITransport(self.head_end.app), "smt": httpx.ASGITransport(self.app)}
        self.client = httpx.AsyncClient(transport=httpx.ASGITransport(self.app), base_url="http://smt")
        self.tokens: dict[str, str] = {}
        self.count = 0

    def post_days(self, last: str = "2026-08-11", count: int = 35, esiid: str = PLAIN) -> None:
        end = date.fromisoformat(last)
        posted = [record(esiid, day, epoch(f"{day + timedelta(days=1)}T07:30")) for day in days(end - timedelta(days=count - 1), end)]  # fmt: skip
        self.smt.store.load(posted, self.runtime.now(), "posted.lse")

    async def __aenter__(self) -> Rig:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.runtime.close()
        await self.client.aclose()
        await self.http.aclose()
        self.smt.close()

    async def wait(self, seconds: float) -> None:
        """Move model time on."""
        await self.runtime.run_until(self.runtime.now() + int(seconds))

    async def market(self, path: str, username: str = "lonestar.api", **fields: Any) -> httpx.Response:
        """One call of the market API, logged in, with the fields that every request has."""
        headers = await self._bearing(username)
        self.count += 1
        user = self.smt.registry.users[username]
        body = {
            "trans_id": f"t-{self.count}",
            "requestorID": username,
            "requesterType": "RES" if user.kind is UserKind.CUSTOMER else "REP",
            "SMTTermsandConditions": "Y",
        }
        if user.duns:
            body["requesterAuthenticationID"] = user.duns
        return await self.client.post(f"/v2{path}", json=body | fields, headers=headers)

    async def missing(self, day: date, username: str) -> httpx.Response:
        """Which of a user's own are not loaded for a day."""
        headers = await self._bearing(username)
        return await self.client.get("/v2/missing/", params={"day": day.isoformat()}, headers=headers)

    async def _bearing(self, username: str) -> dict[str, str]:
        if username not in self.tokens:
            reply = await self.client.post("/v2/token/", json={"username": username, "password": PASSWORD})
            self.tokens[username] = reply.json()["accessToken"]
        return {"Authorization": f"Bearer {self.tokens[username]}"}

    async def call_back(self, result: dict[str, Any] | bytes, key: str = "") -> httpx.Response:
        """As the head-end that was asked calls back to the address that it was given. key: of the inquiry, where the result does not say."""
        key = key or json.loads(result if isinstance(result, bytes) else json.dumps(result))["correlationId"]
        content = result if isinstance(result, bytes) else json.dumps(result)
        url = f"{CALL_BACKS}/{key}/{KEYS.seal(key)}"
        return await self.client.post(url, content=content, headers=bearing(KEYS.headend))

    async def asked(self, path: str = "/odr/", **fields: Any) -> dict[str, Any]:
        """An on-demand request's acknowledgement."""
        reply: dict[str, Any] = (await self.market(path, **({"ESIID": PLAIN} | fields))).json()
        return reply

    async def status(self, correlation_id: str) -> dict[str, Any]:
        reply: dict[str, Any] = (await self.market("/odrstatus/", correlationId=correlation_id)).json()
        return reply

    async def portal(self, path: str, username: str = "customer", **fields: Any) -> Any:
        key = f"portal {username}"
        if key not in self.tokens:
            body = {"username": username, "password": PASSWORD, "rememberMe": "true"}
            reply = await self.client.post("/commonapi/user/authenticate", json=body)
            self.tokens[key] = reply.json()["token"]
        reply = await self.client.post(path, json=fields, headers={"Authorization": f"Bearer {self.tokens[key]}"})
        return reply.json()

    def today(self) -> date:
        return day_of(self.runtime.now())
