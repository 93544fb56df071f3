"""A running test bed by its documented calls; what was done to it is kept in order, so that it can be done again."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx

from headend.http.foreign import document
from headend.http.links import bearing
from simulator.parties.keys_file import read_keys
from simulator.web.parts import Problem

#: Wall seconds for an answer: a clock that is moved by hand answers when all is done that was due.
ANSWER_S = 300.0
#: Calls that are kept, the latest. A default of this project.
MOST_KEPT = 500
#: Code of a bed that answers nothing.
SILENT = "console.bed.silent"
#: In the place of a key, where a line of curl is shown.
KEY = "$AMI_CONTROL_KEY"


class BedProblem(Exception):  # noqa: N818 (it is told to whoever looks)
    """What the bed said against a call, or that it said nothing."""

    def __init__(self, status: int, problem: Problem) -> None:
        """status: of HTTP, as the console passes it on."""
        super().__init__(problem.code)
        self.status, self.problem = status, problem


@dataclass(frozen=True, slots=True)
class Call:
    """One call that changes something. ``path``: with its query. ``at``: model time before it, ISO 8601."""

    number: int
    at: str
    method: str
    path: str
    body: dict[str, Any] | None
    status: int
    told: Any
    #: The line that makes it again.
    curl: str
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """Whether it was done."""
        return self.status < 400


class Bed:
    """One test bed. ``url``: of its SMT, which has the control calls."""

    def __init__(
        self, url: str, http: httpx.AsyncClient, control_key: str = "", smt_key: str = "", keys: Path | None = None
    ) -> None:
        """control_key: for ``/control`` beyond loopback. smt_key: of the link, which the head-end asks for where it tells of days.

        keys: the file that has it; the one that the bed names unless given.
        """
        self.url, self._http = url.rstrip("/"), http
        self._control, self._smt, self._keys = control_key, smt_key, keys
        self.calls: list[Call] = []
        self._count = 0

    async def get(self, path: str, query: Mapping[str, str] | None = None) -> Any:
        """What a call of ``/control``, or ``/healthz``, answers. Raises BedProblem."""
        return await self._told(self.url, path, query, self._control)

    async def head_end(self, path: str, query: Mapping[str, str] | None = None) -> Any:
        """What the head-end answers. Raises BedProblem, SimulatorError for keys that cannot be read."""
        bed = await self.get("/control/bed")
        try:
            return await self._told(bed["headendUrl"], path, query, self._smt)
        except BedProblem as problem:
            if problem.status != 401:
                raise
        # A bed that was begun anew at the same address has other keys.
        self._smt = read_keys(self._keys or Path(bed["keysFile"]), "keys_file of the bed,").smt
        return await self._told(bed["headendUrl"], path, query, self._smt)

    async def desk(self, path: str, query: Mapping[str, str] | None = None) -> Any:
        """What the retailer's desk answers its own agent; None of a bed without one. Raises BedProblem."""
        bed = await self.get("/control/bed")
        agent = next((one for one in bed["logins"] if one["role"] == "desk"), None)
        if not bed["rorUrl"] or agent is None:
            return None
        return await self._told(bed["rorUrl"], path, query, "", (agent["username"], agent["password"]))

    async def do(self, method: str, path: str, body: dict[str, Any] | None = None, token: str = "") -> Call:
        """Make a call that changes something, and keep it. Raises BedProblem if nothing answers."""
        at = str((await self.get("/control/clock"))["now"])
        bearer = token or self._control
        reply = await self._sent(method, self.url + path, bearer, json=body)
        self._count += 1
        told = _parsed(reply)
        shown = "$TOKEN" if token else KEY if bearer else ""
        line = curl_line(method, self.url + path, body, shown)
        headers = {"authorization": f"Bearer {token}"} if token else {}
        call = Call(self._count, at, method, path, body, reply.status_code, told, line, headers)
        self.calls = [*self.calls, call][-MOST_KEPT:]
        return call

    async def _told(
        self, base: str, path: str, query: Mapping[str, str] | None, key: str, basic: tuple[str, str] | None = None
    ) -> Any:
        reply = await self._sent("GET", base + path + (f"?{urlencode(query)}" if query else ""), key, auth=basic)
        told = _parsed(reply)
        # A health that is bad is told with 503, and is what was asked for.
        if reply.status_code >= 400 and path != "/healthz":
            raise BedProblem(reply.status_code, problem_of(reply.status_code, told))
        return told

    async def _sent(self, method: str, url: str, key: str, **more: Any) -> httpx.Response:
        try:
            return await self._http.request(method, url, headers=bearing(key) if key else {}, **more)
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            what = f"Nothing answers at {url.split('?')[0]}: {type(error).__name__}."
            mend = "See whether the test bed runs; 'ami sandbox' starts one."
            raise BedProblem(502, Problem(SILENT, what, mend)) from None


def problem_of(status: int, told: Any) -> Problem:
    """What a party said against a call, in the console's form."""
    said = told if isinstance(told, dict) else {}
    code = said.get("errorCode") or said.get("code") or said.get("refusal", {}).get("code") or f"HTTP {status}"
    what = (
        said.get("errorMessage") or said.get("message") or said.get("error") or said.get("detail") or "It was refused."
    )
    return Problem(str(code), str(what), "Change what was asked for, and send it again.")


def curl_line(method: str, url: str, body: dict[str, Any] | None, key: str) -> str:
    """A call as a line for a shell; ``key``: what stands there for the bearer's."""
    words = (
        ["curl", "-s"] + (["-X", method] if method != ("GET" if body is None else "POST") else []) + [shlex.quote(url)]
    )
    words += ["-H", f'"Authorization: Bearer {key}"'] if key else []
    if body is not None:
        words += ["-H", "'content-type: application/json'", "-d", shlex.quote(json.dumps(body))]
    return " ".join(words)


def _parsed(reply: httpx.Response) -> Any:
    try:
        return document(reply.content)
    except ValueError:
        return {"detail": reply.text[:500]}
