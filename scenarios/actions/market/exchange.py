"""A call as it goes over the wire, and its answer as facts: status, code, header, and values of the body by place."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from string import Template
from typing import TYPE_CHECKING, Any, Literal

import httpx
from pydantic import Field

from headend.http import foreign
from meters.calendar import day_of, us_date
from scenarios.actions.action import Seen
from scenarios.parts.expected import COUNT, Fact, Form, Places
from scenarios.parts.setting import Act, Setting
from scenarios.records.values import Count, Record
from scenarios.rules.codes import tabled
from scenarios.rules.raised import raised_codes
from simulator.input.mistakes import did_you_mean
from simulator.smt.errors import GATEWAY
from simulator.world.market import CSP_LOGIN, logins

if TYPE_CHECKING:
    from scenarios.stage import Stage

#: Log-in at the market API and at the portal.
MARKET_TOKEN, PORTAL_TOKEN = "/v2/token/", "/commonapi/user/authenticate"
#: HTTP statuses from it on are those of errors.
ERROR = 400


@cache
def known_codes() -> frozenset[str]:
    """Every code that an answer can have: those of tables, of errors of users, and of the portal's log-in."""
    from simulator.smt.doors.portal.api import LOGIN_FAULTS

    return frozenset({one.code for one in tabled()} | raised_codes() | {code for _, code in LOGIN_FAULTS.values()})


class ErrorCode(Form[str]):
    """What a code must be: one that something in the product gives."""

    def unmeetable(self) -> list[str]:
        """See ``Form``."""
        said = [one for one in (self.equals, *(self.one_of or ())) if one is not None]
        wrong = [one for one in said if one not in known_codes()]
        return [
            f"nothing answers with {one}; {did_you_mean(one, sorted(known_codes()))}" for one in wrong
        ] or super().unmeetable()


class AtDoor(Act):
    """An action of someone at one of SMT's doors."""

    door: Literal["api", "portal"] = Field(default="api", description="The market API, or the portal.")
    login: str | None = Field(
        default=None, description="Who asks; the account's ROR at the API and its customer at the portal unless given."
    )

    def by(self, scenario: Setting) -> str:
        """The log-in that acts."""
        account = scenario.account_of(self)
        return self.login or (account.ror if self.door == "api" else account.customer)


class Answer(Record):
    """What was answered: of body and header what the scenario names. status: None for no answer."""

    status: Count | None
    code: str | None
    values: dict[str, Any] = Field(default_factory=dict)
    header: dict[str, str | None] = Field(default_factory=dict)


def document(reply: httpx.Response) -> Any:
    """The JSON of an answer; None for what is none."""
    try:
        return foreign.document(reply.content)
    except ValueError:
        return None


def value(found: Any, place: str) -> Any:
    """The value at a place of a document; None where there is none. Of what holds others, how many."""
    names = place.split("/")[1:] if place.startswith("/") else [place]
    for name in names:
        key = name.replace("~1", "/").replace("~0", "~")
        if isinstance(found, list) and key.isdecimal() and int(key) < len(found):
            found = found[int(key)]
        elif isinstance(found, dict) and (place.startswith("/") or name == place):
            found = found.get(key if place.startswith("/") else name)
        else:
            return None
    return len(found) if isinstance(found, (list, dict)) else found


_BY_SENTENCE = {row.message: code for code, row in GATEWAY.items()}


def code_of(body: Any) -> str | None:
    """The code of what is wrong in an answer, whichever party tells it; None for none."""
    if not isinstance(body, dict):
        return None
    data, refusal = body.get("data"), body.get("refusal")
    if isinstance(refusal, dict):
        return str(refusal.get("code"))
    if isinstance(data, dict) and ("errorCode" in data or data.get("RequestStatus") == "FLR"):
        return str(data.get("errorCode", data.get("statusCode")))
    if "error" in body:
        return _BY_SENTENCE.get(str(body["error"]))
    found = body.get("errorCode", body.get("errormessage", body.get("code")))
    return None if found is None else str(found)


def named(stage: Stage, action: Act, fact: str) -> list[str]:
    """The places that a scenario names in a fact of an action: in what it expects of it, and of the run."""
    told = getattr(action.expect, fact, None)
    places = dict.fromkeys((told and told.equals) or {})
    for one in getattr(stage.scenario, "expect", ()):
        if one.of == action.ref:
            places |= dict.fromkeys(one.expect.get(fact, {}))
    return list(places)


def answer(stage: Stage, action: Act, reply: httpx.Response | None, found: Any = None) -> dict[str, Any]:
    """What is kept of an answer. found: a document in place of its body.

    Of a place that is not there only an answer that could have it tells anything: no error, and a document.
    """
    body = None if reply is None else document(reply)
    looked_at = body if found is None else found
    values = {place: value(looked_at, place) for place in named(stage, action, "at")}
    could = reply is not None and looked_at is not None and reply.status_code < ERROR
    return {
        "status": None if reply is None else reply.status_code,
        "code": code_of(body),
        "values": {place: one for place, one in values.items() if could or one is not None},
        "header": {} if reply is None else {name: reply.headers.get(name) for name in named(stage, action, "header")},
    }


async def sent(client: httpx.AsyncClient, method: str, url: str, **more: Any) -> httpx.Response | None:
    """The answer to a call; None for none."""
    try:
        return await client.request(method, url, **more)
    except httpx.HTTPError:
        return None


async def bearer(stage: Stage, username: str, *, portal: bool) -> dict[str, str]:
    """Headers with a new token of a log-in; none where it is not let in."""
    login = {"username": username, "password": logins(stage.scenario.world.market)[username].password}
    reply = await sent(stage.http, "POST", PORTAL_TOKEN if portal else MARKET_TOKEN, json=login)
    token = token_of(reply)
    return {"Authorization": f"Bearer {token}"} if token else {}


def token_of(reply: httpx.Response | None) -> str | None:
    """The token of an answer to a log-in."""
    body = None if reply is None else document(reply)
    return (body.get("accessToken") or body.get("token")) if isinstance(body, dict) else None


def asking(stage: Stage, action: Act, username: str) -> dict[str, Any]:
    """The fields that every order at the market API carries."""
    login = logins(stage.scenario.world.market)[username]
    kind = "CSP" if login == CSP_LOGIN else "REP" if login.duns else "RES"
    who = {"requesterAuthenticationID": login.duns} if login.duns else {}
    return {
        "trans_id": action.ref,
        "requestorID": username,
        "requesterType": kind,
        **who,
        "reportFormat": "JSON",
        "deliveryMode": "API",
        "SMTTermsandConditions": "Y",
        "esiid": [stage.esiid(action)],
    }


def otherwise(body: dict[str, Any], said: Mapping[str, Any]) -> dict[str, Any]:
    """A body with fields that are otherwise; null leaves one out."""
    return {name: one for name, one in (body | dict(said)).items() if one is not None}


def filled(stage: Stage, action: Act, written: Any) -> Any:
    """What is written, with the values of this run in it: ``$esiid``, ``$esiid_2`` of meter 2, ``$meter_number``, ``$today``."""
    match written:
        case str():
            known = {f"esiid_{meter}": stage.world.esiid(meter) for meter in range(1, stage.scenario.world.meters + 1)}
            known |= {"esiid": stage.esiid(action), "meter_number": stage.meter_number(action)}
            known["today"] = us_date(day_of(stage.runtime.now()))
            return Template(written).safe_substitute(known)
        case dict():
            return {name: filled(stage, action, one) for name, one in written.items()}
        case list() | tuple():
            return [filled(stage, action, one) for one in written]
        case _:
            return written


def of(name: str) -> Callable[[Seen[Any, Any]], Any]:
    """A field of what an action left."""
    return lambda seen: seen.record and getattr(seen.record, name)


def texts(name: str) -> Callable[[Seen[Any, Any]], Any]:
    """A list of what an action left."""
    return lambda seen: None if (found := of(name)(seen)) is None else tuple(found)


STATUS = Fact("status", COUNT, "HTTP status", of("status"))
CODE = Fact("code", ErrorCode, "code of what was wrong", of("code"))
AT = Fact("at", Places, "value of the body by JSON pointer; of what holds others, how many", of("values"), shown=False)
HEADER = Fact("header", Places, "header of the answer by name", of("header"), shown=False)


def tell(seen: Seen[Any, Any]) -> str:
    """What was answered, in a sentence."""
    if seen.record is None or seen.record.status is None:
        return "No answer."
    return f"HTTP {seen.record.status}{f', {seen.record.code}' if seen.record.code else ''}."
