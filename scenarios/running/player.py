"""Plays a scenario's timeline on a running sandbox: one process per action, begun at its time."""

from __future__ import annotations

import functools
from collections.abc import Generator
from datetime import timedelta
from typing import Any

import httpx
import simpy

from meters.calendar import day_of, epoch, iso, micros, seconds, to_us
from scenarios.schema import Scenario
from scenarios.timeline import (
    Action,
    BalanceCall,
    ComplaintAction,
    OnDemandRead,
    PortalRead,
    PowerStatus,
    Rebill,
    SameAnswers,
)
from simulator.customer.portal_user import PortalClient, portal_read
from simulator.customer.same_answers import same_answers
from simulator.parties.sandbox import Sandbox
from simulator.ror.account import Account
from simulator.ror.billing.plan import RatePlan
from simulator.ror.call.inquiry import CallResult, balance_inquiry, power_inquiry, register_inquiry, request_dict
from simulator.ror.call.rebill import rebill
from simulator.ror.client import SmtClient
from simulator.ror.errors import RorError
from simulator.ror.pattern import weather_of
from simulator.ror.usage import UsageRecord
from simulator.world.market import CSP_LOGIN, ROR_LOGIN, logins
from simulator.world.meters import World


class Player:
    """Plays the timeline: one process per action, begun at its time."""

    def __init__(self, scenario: Scenario, world: World, sandbox: Sandbox, plan: RatePlan) -> None:
        """Begin a process for each action of the timeline."""
        self._scenario = scenario
        self._world = world
        self._sandbox = sandbox
        self._runtime = sandbox.runtime
        self._account = scenario.account.account(world)
        self._plan = plan
        self._http = httpx.AsyncClient(
            base_url=sandbox.smt_server.url, timeout=30.0, verify=sandbox.ca.client_context(), trust_env=False
        )
        self._logins = logins(scenario.world.market)
        self._clients: dict[str, SmtClient] = {}
        self._client = self._smt_client(ROR_LOGIN.username)
        #: By log-in and what it logs in with.
        self._portals: dict[tuple[str, str, str | None, bool], PortalClient] = {}
        #: By the ref of the action that declared it.
        self._complaints: dict[str, str] = {}
        self._calls: dict[str, CallResult] = {}
        #: What became of each action by its ref, and the cycle's usage at the first call and after the posting, as JSON values.
        self.actions: dict[str, dict[str, Any]] = {}
        self.usage: dict[str, Any] = {}
        self._first_call = next((one.ref for one in scenario.timeline if isinstance(one, BalanceCall)), None)
        for action in scenario.timeline:
            self._runtime.env.process(self._play(action))

    async def close(self) -> None:
        """Close the line to SMT."""
        await self._http.aclose()

    def _play(self, action: Action) -> Generator[simpy.Event, Any, None]:
        env = self._runtime.env
        yield env.timeout(to_us(epoch(action.at)) - micros(env.now))
        match action:
            case BalanceCall():
                yield from self._call(action)
            case PowerStatus() | OnDemandRead():
                yield from self._request(action)
            case PortalRead():
                yield from self._portal_read(action)
            case Rebill():
                yield from self._rebill(action)
            case SameAnswers():
                yield from self._same_answers(action)
            case ComplaintAction():
                yield from self._complaint(action)

    def _smt_client(self, username: str) -> SmtClient:
        """The one client of a log-in at the market API."""
        if username not in self._clients:
            login = self._logins[username]
            kind = "CSP" if login == CSP_LOGIN else "REP"
            self._clients[username] = SmtClient(self._http, login.username, login.password, login.duns, kind)
        return self._clients[username]

    def _portal_client(
        self, username: str, client: str = "app", host: str | None = None, *, visits: bool = False
    ) -> PortalClient:
        """A customer's app and home automation each log in for themselves, and so does whoever asks for another name or has cookies."""
        key = (username, client, host, visits)
        if key not in self._portals:
            self._portals[key] = PortalClient(self._http, username, self._logins[username].password, host)
        return self._portals[key]

    def _call(self, action: BalanceCall) -> Generator[simpy.Event, Any, None]:
        result = yield from balance_inquiry(
            self._runtime,
            self._client,
            self._account,
            self._plan,
            action.question,
            action.ref,
            action.patience_s,
            action.poll_s,
            self._sandbox.journal,
            weather=functools.partial(weather_of, seed=self._world.seed, declared=self._world.weather),
        )
        self._calls[action.ref] = result
        self.actions[action.ref] = result.to_dict()
        if action.ref == self._first_call:
            self.usage["at_call"] = _usage(result.usage, self._account)
            self.usage["served"] = _served(result)

    def _request(self, action: PowerStatus | OnDemandRead) -> Generator[simpy.Event, Any, None]:
        inquiry = power_inquiry if isinstance(action, PowerStatus) else register_inquiry
        client, journal = self._smt_client(action.login), self._sandbox.journal
        ended = yield from inquiry(self._runtime, client, self._account.esiid, action.ref, action.poll_s, journal)
        self.actions[action.ref] = request_dict(ended)

    def _portal_read(self, action: PortalRead) -> Generator[simpy.Event, Any, None]:
        number = self._sandbox.market.registry.point(self._account.esiid, day_of(self._runtime.now())).meter_number
        read = yield from portal_read(
            self._runtime,
            self._portal_client(action.login, action.client, action.host, visits=action.visits),
            self._account.esiid,
            number,
            action.ref,
            attentive=action.client == "app",
            hasty=action.client == "home_assistant",
            visits=action.visits,
            poll_s=action.poll_s,
            polls=action.polls,
        )
        self.actions[action.ref] = read.to_dict()

    def _rebill(self, action: Rebill) -> Generator[simpy.Event, Any, None]:
        call = self._calls.get(action.of)
        if call is None:
            self.actions[action.ref] = {
                "trouble": {"code": "scenario.call_not_over", "reason": "the call had not ended"}
            }
            return
        result = yield from rebill(self._runtime, self._client, self._account, self._plan, call, self._sandbox.journal)
        self.actions[action.ref] = result.to_dict()
        first, last = self._account.cycle_first, day_of(self._runtime.now()) - timedelta(days=1)
        try:
            vee = yield self._runtime.io(
                "ror",
                f"{action.ref}/chart",
                functools.partial(self._client.intervals, self._account.esiid, first, last, action.ref),
                lane="smt",
            )
        except RorError:
            return
        self.usage["after_posting"] = _usage(vee, self._account)

    def _same_answers(self, action: SameAnswers) -> Generator[simpy.Event, Any, None]:
        esiid = self._account.esiid
        end = self._sandbox.smt.store.last_vee_end(esiid)
        last = day_of(self._runtime.now() if end is None else end) - timedelta(days=1)
        first = max(last - timedelta(days=action.days - 1), self._scenario.world.first_day)
        self.actions[action.ref] = yield from same_answers(
            *(self._runtime, self._client, self._portal_client(action.login), esiid, first, last, action.ref)
        )

    def _complaint(self, action: ComplaintAction) -> Generator[simpy.Event, Any, None]:
        path = "/control/complaints"
        if action.declare is not None:
            said = action.declare.spec(self._world).model_dump(mode="json", exclude_unset=True)
            call = functools.partial(self._http.post, path, json=said)
        else:
            call = functools.partial(self._http.delete, f"{path}/{self._complaints.get(str(action.lift), '-')}")
        reply: httpx.Response = yield self._runtime.io("control", action.ref, call, lane="smt")
        body = reply.json()
        if reply.is_success and action.declare is not None:
            self._complaints[action.ref] = body["id"]
        self.actions[action.ref] = {
            "at": iso(self._runtime.now()),
            "status": reply.status_code,
            "id": body.get("id"),
            "strikes": body.get("strikes"),
        }


def _usage(record: UsageRecord, account: Account) -> dict[str, Any]:
    """The cycle's intervals in columns, for the charts."""
    cycle = record.within(account.cycle_start, account.cycle_end)
    return {
        "ends": cycle.ends.tolist(),
        "wh": cycle.wh.tolist(),
        "quality": cycle.quality.tolist(),
        "source": cycle.source.tolist(),
    }


def _served(result: CallResult) -> dict[str, Any]:
    """The intervals that SMT handed on for the call, in columns, as they came: source and instant of collection of each."""
    status = result.request.status
    intervals = [] if status is None else status.intervals or []
    return {
        "ends": [seconds(interval.end.timestamp()) for interval in intervals],
        "wh": [interval.wh for interval in intervals],
        "source": [interval.source for interval in intervals],
        "collected_at": [seconds(interval.collectedAt.timestamp()) for interval in intervals],
    }
