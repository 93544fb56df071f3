"""A user of SMT's portal API as one process: asks for an on-demand read and polls, as home automation does (DOMAIN §4).

Every 15 s, 20 times at most; COMPLETED counts only with a changed ``odrdate`` and a read that is not zero.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import httpx
import simpy

from headend.http.foreign import document
from headend.ports import Driver
from meters.calendar import Seconds, iso, seconds, to_us
from simulator.errors import SimulatorError

#: Seconds between two polls and how many there are, as the public client has them.
POLL_S, POLLS = seconds(15), 20


class PortalError(SimulatorError):
    """The portal's answer was none that can be used."""


class PortalClient:
    """One log-in. ``calls`` counts what was sent, log-ins too."""

    def __init__(self, http: httpx.AsyncClient, username: str, password: str, host: str | None = None) -> None:
        """http: with SMT's base URL. host: SMT's name that is asked for, wherever that leads. Nothing is sent yet."""
        self._http = http
        self._headers = {} if host is None else {"Host": host}
        self._login = {"username": username, "password": password, "rememberMe": "true"}
        self._token = ""
        self.calls = 0

    async def visit(self) -> None:
        """Look at the front page, as a browser does, and bring back the cookies that it set. Raises PortalError."""
        reply = await self._asked("GET", "/")
        self._headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in reply.cookies.items())
        # They are this log-in's, not everyone's who has the same connection.
        self._http.cookies.clear()

    async def latest(self, esiid: str) -> dict[str, Any]:
        """The latest on-demand read. Raises PortalError."""
        return await self._data("/api/usage/latestodrread", {"ESIID": esiid})

    async def ask(self, esiid: str, meter_number: str) -> dict[str, Any]:
        """Ask for a read: taken on or turned away, ``RequestStatus`` FLR. Raises PortalError."""
        return await self._data("/api/ondemandread", {"ESIID": esiid, "MeterNumber": meter_number})

    async def content(self, path: str, body: dict[str, Any], field: str = "") -> Any:
        """What a call tells, as it comes: its data, or a field of them. Raises PortalError."""
        told = await self._sent(path, body)
        found = told.get("data", told)
        if isinstance(found, dict) and "errorCode" in found:
            raise PortalError(f"portal.{found['errorCode']}", str(found.get("errorMessage")))
        if not field:
            return found
        if not isinstance(found, dict) or field not in found:
            raise PortalError("portal.no_data", f"{path} answered without {field}.")
        return found[field]

    async def _data(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        found = (await self._sent(path, body)).get("data")
        if not isinstance(found, dict):
            raise PortalError("portal.no_data", f"{path} answered without data.")
        return found

    async def _sent(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        if not self._token:
            await self._log_in()
        reply = await self._send(path, body)
        if reply.status_code == 401:
            # Once: a client that repeats a dead token without end is a storm.
            await self._log_in()
            reply = await self._send(path, body)
        return _object(reply)

    async def _log_in(self) -> None:
        self._token = ""
        token = _object(await self._send("/commonapi/user/authenticate", self._login)).get("token")
        if not isinstance(token, str):
            raise PortalError("portal.login", "The portal did not let this user in.")
        self._token = token

    async def _send(self, path: str, body: dict[str, Any]) -> httpx.Response:
        token = {"Authorization": f"Bearer {self._token}"} if self._token else {}
        return await self._asked("POST", path, json=body, headers=token)

    async def _asked(
        self, method: str, path: str, headers: Mapping[str, str] = MappingProxyType({}), **more: Any
    ) -> httpx.Response:
        self.calls += 1
        try:
            return await self._http.request(method, path, headers={**self._headers, **headers}, **more)
        except httpx.HTTPError as error:
            raise PortalError("portal.unreachable", f"No answer from {path} ({type(error).__name__}).") from None


def _object(reply: httpx.Response) -> dict[str, Any]:
    try:
        found = document(reply.content)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        kind = reply.headers.get("content-type", "no content type").split(";")[0]
        raise PortalError("portal.no_json", f"HTTP {reply.status_code} with {kind} where JSON is expected.")
    return found


@dataclass(frozen=True, slots=True)
class PortalRead:
    """How a read through the portal ended: answered, refused, failed, or unanswered. Instants: UTC epoch seconds of model time."""

    end: str
    requested_at: Seconds
    ended_at: Seconds
    #: Portal calls that it took, polls among them.
    calls: int
    odrdate_before: str | None = None
    odrdate: str | None = None
    odrread: str | None = None
    code: str | None = None
    reason: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """JSON values, the same twice."""
        return {
            "end": self.end,
            "requested_at": iso(self.requested_at),
            "ended_at": iso(self.ended_at),
            "calls": self.calls,
            "odrdate_before": self.odrdate_before,
            "odrdate": self.odrdate,
            "odrread": self.odrread,
            "trouble": None
            if self.code is None
            else {"code": self.code, "reason": self.reason or "", "retry_at": None},
        }


def portal_read(
    driver: Driver,
    client: PortalClient,
    esiid: str,
    meter_number: str,
    ident: str,
    *,
    attentive: bool = True,
    hasty: bool = False,
    visits: bool = False,
    poll_s: Seconds = POLL_S,
    polls: int = POLLS,
) -> Generator[simpy.Event, Any, PortalRead]:
    """Read a meter through the portal. A simpy process that does not raise for what the portal answers.

    attentive: look at the answer to the request; the public client does not, and polls on after a refusal. hasty: look at once and take
    whatever read is shown as completed, as the public client did up to 0.5.5, the one that Home Assistant has.
    visits: look at the front page first.
    """
    began, sent = driver.now(), client.calls
    before: str | None = None
    last: dict[str, Any] = {}
    count = 0

    def exchange(what: str, call: Callable[[], Awaitable[dict[str, Any]]]) -> simpy.Event:
        nonlocal count
        count += 1
        return driver.io("portal", f"{ident}/{count:04d}/{what}", call, lane="smt")

    def over(end: str, code: str | None = None, reason: str | None = None) -> PortalRead:
        read, at = last.get("odrread"), last.get("odrdate")
        return PortalRead(end, began, driver.now(), client.calls - sent, before, at, read, code, reason)

    try:
        if visits:
            yield driver.io("portal", f"{ident}/visit", client.visit, lane="smt")
        if not hasty:
            before = (yield exchange("before", lambda: client.latest(esiid))).get("odrdate")
        ack = yield exchange("ask", lambda: client.ask(esiid, meter_number))
        if attentive and ack.get("RequestStatus") == "FLR":
            return over("refused", str(ack.get("statusCode")), str(ack.get("statusReason")))
        for _ in range(polls):
            if not hasty or last:
                yield driver.env.timeout(to_us(poll_s))
            last = yield exchange("poll", lambda: client.latest(esiid))
            status = last.get("odrstatus")
            if status == "COMPLETED":
                if hasty or (last.get("odrdate") != before and float(last.get("odrread") or 0)):
                    return over("answered")
            elif status != "PENDING":
                return over("failed", f"portal.{status}", f"The portal shows {status}.")
    except PortalError as error:
        return over("failed", error.code, error.message)
    return over("unanswered", "portal.unanswered", f"No new read after {polls} polls.")
