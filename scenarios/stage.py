"""What an action of a timeline acts on while a run goes on: the running sandbox, the accounts, and who is logged in where."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Generator
from functools import partial
from typing import Any

import httpx
import simpy
from starlette.responses import Response

from headend.http.links import bearing
from meters.calendar import day_of, iso
from scenarios.errors import ScenarioError
from scenarios.outside.call_backs import CallBackDoor
from scenarios.outside.file_drop import FileDrop
from scenarios.outside.inquiry_door import InquiryDoor
from scenarios.outside.party import PORTAL, Outside
from scenarios.parts.setting import Act, Setting
from simulator.customer.portal_user import PortalClient
from simulator.parties.ror import AGENT
from simulator.parties.sandbox import Sandbox
from simulator.ror.account import Account
from simulator.ror.billing.plan import RatePlan
from simulator.ror.client import SmtClient
from simulator.world.market import CSP_LOGIN, logins
from simulator.world.meters import World

#: Takes an inquiry's body and the acknowledgement, and gives what goes out in its place.
Bend = Callable[[bytes, Response], Response]


async def _led(portal: httpx.URL, request: httpx.Request) -> None:
    """Lead what is asked of a portal to where that is."""
    if request.url.path.startswith(PORTAL):
        request.url = portal.copy_with(path=portal.path.rstrip("/") + request.url.path)
        request.headers["host"] = portal.netloc.decode()


class Stage:
    """What the actions of a run share."""

    def __init__(
        self,
        scenario: Setting,
        world: World,
        sandbox: Sandbox,
        bent_acks: list[Bend],
        call_backs: CallBackDoor,
        outside: Outside | None,
    ) -> None:
        """Open the line to SMT. bent_acks: what the head-end's acknowledgements go through. call_backs: stands before SMT. outside: the party that is not ours."""
        self.bent_acks, self.call_backs, self.outside = bent_acks, call_backs, outside
        self.scenario, self.world, self.sandbox, self.runtime = scenario, world, sandbox, sandbox.runtime
        their = outside.smt if outside else None
        self._smt_url = their.url if their else sandbox.smt_server.url
        before: list[Callable[[httpx.Request], Any]] = [lambda _: self.move()] if their else []
        if their and their.portal:
            before.append(partial(_led, httpx.URL(their.portal)))
        self.http = sandbox.client(30.0, "ROR", self._smt_url, before)
        #: Of an SMT that is not ours: where it inquires, by what it is called back, where its files go.
        self.inquiries = InquiryDoor(sandbox.keys, self.runtime.now)
        self.tdsp = sandbox.client(30.0, "TDSP", before=before)
        self.drop: FileDrop | None = None
        self._moving = httpx.AsyncClient(timeout=30.0, trust_env=False) if their and their.moved else None
        if their and outside:
            self.drop = FileDrop(their, sandbox.market.tdsp_login, outside.patience_s, sandbox.wire)
        self._logins = logins(scenario.world.market)
        self._clients: dict[str, SmtClient] = {}
        #: By log-in and what it logs in with.
        self._portals: dict[tuple[str, str, str | None, bool], PortalClient] = {}
        #: What an action keeps for those after it, by its ref.
        self.kept: dict[str, Any] = {}
        #: What becomes of each action by its ref, when those began that came after another, and the cycles' usage by the ref of the call, as JSON values.
        self.actions: dict[str, dict[str, Any]] = {}
        self.begun: dict[str, str] = {}
        self.usage: dict[str, dict[str, Any]] = {}

    def url(self, party: str) -> str:
        """Base address of a party's service: smt, headend or desk."""
        if party == "desk":
            assert self.sandbox.ror is not None
            return self.sandbox.ror.server.url
        return self.sandbox.headend_url if party == "headend" else self._smt_url

    async def move(self) -> None:
        """Have an SMT that is not ours, and whose clock is moved, be as far as ours is; all that is due there until then is done."""
        if self._moving is not None:
            now = {"to": iso(self.runtime.now())}
            reply = await self._moving.post(f"{self._smt_url}/control/clock/advance", json=now)
            if reply.status_code != 200:
                raise ScenarioError(
                    "certify.clock",
                    f"SMT's clock is not moved: HTTP {reply.status_code}.",
                    self._smt_url,
                    reply.text[:200],
                )

    def lying(self, username: str, ref: str) -> Generator[simpy.Event, Any, list[tuple[str, bytes]]]:
        """The files in a log-in's folder at SMT's site, by name. ref: of the action that looks."""
        drop, owner = self.drop, self._logins[username]
        if drop is None:
            yield self.runtime.env.timeout(0)
            return [(one.name, one.read_bytes()) for one in sorted(self.sandbox.files.home(username).iterdir())]
        return (yield self.runtime.io("files", ref, lambda: drop.lying(owner, ref)))  # type: ignore[no-any-return]

    def key(self, name: str) -> dict[str, str]:
        """Headers that bear a key of the link, smt or meters, or the log-in of the desk's agent."""
        if name == AGENT.username:
            said = b64encode(f"{AGENT.username}:{AGENT.password}".encode()).decode()
            return {"Authorization": f"Basic {said}"}
        return bearing(getattr(self.sandbox.keys, name))

    async def close(self) -> None:
        """Close the lines to SMT."""
        for client in filter(None, (self.http, self.tdsp, self._moving)):
            await client.aclose()

    def account(self, action: Act) -> Account:
        """The account that an action is about."""
        return self.scenario.account_of(action).account(self.world)

    def plan(self, action: Act) -> RatePlan:
        """The rate plan of that account."""
        return self.scenario.account_of(action).rates

    def esiid(self, action: Act) -> str:
        """The ESI ID of that account."""
        return self.world.esiid(self.scenario.account_of(action).meter)

    def meter_number(self, action: Act) -> str:
        """The number that SMT's registry has for its meter now."""
        return self.sandbox.market.registry.point(self.esiid(action), day_of(self.runtime.now())).meter_number

    def meter_number_of(self, esiid: str) -> str:
        """The number of the meter at an ESI ID; 0 where there is none of the world's."""
        return next((one.identity.meter_number for one in self.world.meters if one.identity.esiid == esiid), "0")

    def smt_client(self, username: str) -> SmtClient:
        """The one client of a log-in at the market API."""
        if username not in self._clients:
            login = self._logins[username]
            kind = "CSP" if login == CSP_LOGIN else "REP"
            self._clients[username] = SmtClient(self.http, login.username, login.password, login.duns, kind)
        return self._clients[username]

    def ror_client(self, action: Act) -> SmtClient:
        """The client of the retailer whose account it is."""
        return self.smt_client(self.scenario.account_of(action).ror)

    def portal_client(
        self, username: str, client: str = "app", host: str | None = None, *, visits: bool = False
    ) -> PortalClient:
        """A customer's app and home automation each log in for themselves, and so does whoever asks for another name or has cookies."""
        key = (username, client, host, visits)
        if key not in self._portals:
            self._portals[key] = PortalClient(self.http, username, self._logins[username].password, host)
        return self._portals[key]
