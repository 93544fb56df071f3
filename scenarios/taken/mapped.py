"""Exchanges as actions of a timeline: what is known as the action that it is, polls and log-ins folded into it; anything else as a call over HTTP."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, NamedTuple

from meters.calendar import Seconds, parse_us_date
from scenarios.actions.market.exchange import code_of, known_codes
from scenarios.taken.exchange import Exchange, parsed
from scenarios.taken.names import Names
from simulator.customer.portal_user import POLL_S, POLLS
from simulator.world.market import CSP_LOGIN, CUSTOMER_LOGIN, ROR_LOGIN

#: By path: what usage is read.
_USAGE = {
    "/v2/15minintervalreads": "15_minute",
    "/v2/dailyreads": "daily",
    "/v2/monthlybillingInformation": "monthly",
    "/v2/greenbutton": "green_button",
    "/api/adhoc/intervalsynch": "15_minute",
    "/api/usage/daily": "daily",
    "/api/usage/monthly": "monthly",
}
_REQUESTS = ("/v2/odr", "/v2/powerstatus")
_LATEST, _ASK = "/api/usage/latestodrread", "/api/ondemandread"
#: Seconds within which a look before a request, a log-in that was tried again, and the first look of a hasty client come.
_AT_ONCE = 5
#: How long a caller waits whose patience no file tells, and the retailer's and the portal's own pauses between polls. Seconds.
_PATIENCE_S, _ROR_POLL_S = 180, 5
#: What a token is written as that nobody was given in the file.
DEAD = "Bearer dropped"


@dataclass
class Carried:
    """What becomes an action: it without its ref and time. ``entry``: of the file; ``notes``: what of it is not as it was.

    ``named``: by field of it the entry of the action that it names.
    """

    at: Seconds
    entry: int
    action: dict[str, Any]
    notes: list[str] = field(default_factory=list)
    named: Mapping[str, int] = field(default_factory=dict)


class Left(NamedTuple):
    """An entry that could not be carried."""

    at: Seconds
    entry: int
    label: str
    why: str


class Mapped(NamedTuple):
    """What became of a file's entries. ``folded``: how many are part of another's action. ``beyond``: what was expected beyond one action, as it is written."""

    carried: list[Carried]
    left: list[Left]
    folded: int
    beyond: Sequence[dict[str, Any]] = ()


def mapped(seen: Sequence[Exchange], names: Names) -> Mapped:
    """Map the entries of a file, in the order of their times."""
    mapping = _Mapping(seen, names)
    carried: list[Carried] = []
    left: list[Left] = []
    for place, one in enumerate(seen):
        if one in mapping.folded:
            continue
        why = _not_carried(one) or names.homeless(one)
        if why:
            left.append(Left(one.at, one.n, one.label, why))
            continue
        carried.append(mapping.action(place, one))
    return Mapped(sorted(carried, key=lambda one: one.at), left, len(mapping.folded))


def _not_carried(one: Exchange) -> str:
    if one.service is None:
        return "it is no call that a test bed serves"
    if one.bare.startswith("/control/clock"):
        return "the clock is the scenario's own"
    if one.cut:
        return "the file does not have what was sent"
    return ""


class _Mapping:
    """One file's. ``folded``: the entries that are part of another's action."""

    def __init__(self, seen: Sequence[Exchange], names: Names) -> None:
        self._seen, self._names = seen, names
        self.folded: set[Exchange] = set()
        #: By the request for intervals: the first entry of its balance call.
        self._calls: dict[Exchange, Exchange] = {}
        for place, one in enumerate(seen):
            before = seen[place - 1] if place else None
            if (
                before
                and one.status is before.status is None
                and (one.at, one.label, one.body) == (before.at, before.label, before.body)
            ):
                # A client that was cut off tries once more by itself, and so does the one that plays it.
                self.folded.add(one)
            let_in = one.logs_in and one.status == 200 and self._is_borne(place, one)
            if let_in or (one.status == 401 and one.borne and self._tried_again(place, one)):
                self.folded.add(one)
        for place, one in enumerate(seen):
            if self._is_balance_call(one):
                self._calls[one] = self._begin_of(place, one)

    def _is_borne(self, place: int, log_in: Exchange) -> bool:
        """Whether what it was given is first borne at once; of an answer that the file has not, whether anything is. Else somebody logged in to have a token."""
        later = (one for one in self._seen[place + 1 :] if one.borne and one.door == log_in.door and not one.logs_in)
        first = next((one for one in later if one.borne == log_in.given or log_in.told is None), None)
        return first is not None and first.at - log_in.at <= _AT_ONCE

    def _tried_again(self, place: int, one: Exchange) -> bool:
        """Whether a dead token was followed by a log-in and the same call."""
        return any(
            (again.bare, again.body) == (one.bare, one.body) and again.borne != one.borne
            for again in self._seen[place + 1 : place + 4]
            if again.at - one.at <= _AT_ONCE
        )

    def _is_balance_call(self, one: Exchange) -> bool:
        asked = one.asked
        if one.bare != "/v2/odr" or asked.get("readType") != "INTERVALS" or one in self.folded:
            return False
        account = self._names.account(self._names.ordinal(one.body or ""))
        return bool(self._names.login(one) == account.get("ror", ROR_LOGIN.username))

    def _begin_of(self, place: int, request: Exchange) -> Exchange:
        """The first entry of a call; what the retailer read before it asked is part of the call."""
        reference, begin = str(request.asked.get("callReference") or ""), request
        for one in reversed(self._seen[:place]):
            trans_id = str(one.asked.get("trans_id") or "")
            if reference and trans_id.startswith(f"{reference}-") and one.bare in _USAGE and one not in self.folded:
                self.folded.add(one)
                begin = one
        return begin

    # -- actions --------------------------------------------------------------------------------------------------

    def action(self, place: int, one: Exchange) -> Carried:
        """The action that an entry begins."""
        found: Carried | None = None
        if one.logs_in and one.asked.get("username") and one.asked.get("password"):
            found = self._log_in(one)
        elif one.bare in _REQUESTS and one.method == "POST":
            found = self._request(place, one)
        elif one.bare in (_LATEST, _ASK) and one.method == "POST":
            found = self._portal_read(place, one)
        elif one.bare in _USAGE and one.method == "POST":
            found = self._usage_read(one)
        return found or self._http(one)

    def _with_account(self, one: Exchange, do: str, **said: Any) -> dict[str, Any]:
        account = self._names.account(self._names.ordinal(f"{one.path} {one.body or ''}"))
        other = {} if account is self._names.accounts[0] else {"account": account["account_id"]}
        return {"do": do, **other, **said}

    def _login(self, one: Exchange, usual: str) -> dict[str, Any]:
        """Who acts, where that is not who would."""
        account = self._names.account(self._names.ordinal(f"{one.path} {one.body or ''}"))
        default = account.get(usual, {"ror": ROR_LOGIN, "customer": CUSTOMER_LOGIN}[usual].username)
        login = self._names.login(one)
        return {} if login in (None, default) else {"login": login}

    def _log_in(self, one: Exchange) -> Carried:
        login, given = self._names.login(one), one.given is not None
        right = given or one.status in (None, 200) or one.status >= 500
        said: dict[str, Any] = {"login": login or "nobody"}
        if one.bare != "/v2/token":
            said["door"] = "portal"
        if not right or login is None:
            said["password"] = "wrong"
        return Carried(one.at, one.n, {"do": "log_in", **said, "expect": _status(one) | {"let_in": int(given)}})

    def _request(self, place: int, one: Exchange) -> Carried | None:
        """A request at the market API and its polls."""
        key = one.answered.get("correlationId")
        polls = [] if key is None else self._later(place, lambda it: it.bare == "/v2/odrstatus" and it.asked.get("correlationId") == key)  # fmt: skip
        is_call = one in self._calls
        if (one.asked.get("readType") == "INTERVALS" and not is_call) or self._names.of_another_meter(one):
            return None
        self.folded.update(polls)
        outcome, refusal = _ended(one, polls)
        expect: dict[str, Any] = {"outcome": outcome} | ({} if refusal is None else {"refusal": refusal})
        said: dict[str, Any] = {}
        if is_call:
            do, said = "balance_call", {"question": "balance", "patience_s": _PATIENCE_S}
        else:
            do = "power_status" if one.bare == "/v2/powerstatus" else "on_demand_read"
            said = self._login(one, "ror")
        if polls and (pause := polls[0].at - one.at) not in (0, _ROR_POLL_S):
            said["poll_s"] = pause
        begin = self._calls.get(one, one)
        notes = ["its end is not in the file"] if outcome == "unanswered" else []
        return Carried(begin.at, one.n, self._with_account(one, do, **said, expect=expect), notes)

    def _later(self, place: int, holds: Callable[[Exchange], bool]) -> list[Exchange]:
        return [one for one in self._seen[place + 1 :] if one not in self.folded and holds(one)]

    def _portal_read(self, place: int, one: Exchange) -> Carried | None:
        """A read through the portal: the look before it, the request, the polls."""

        def same(it: Exchange, path: str) -> bool:
            by = self._names.by
            return it.bare == path and by.get(it.n) == by.get(one.n) and it.asked.get("ESIID") == one.asked.get("ESIID")

        looks = one.bare == _LATEST
        at_once = self._later(place, lambda it: it.at - one.at <= _AT_ONCE and (same(it, _ASK) or same(it, _LATEST)))
        # Of two that look in one second each has a request of its own.
        ask = one if not looks else next((it for it in at_once if it.bare == _ASK or it.at > one.at), one)
        if ask.bare != _ASK or self._names.of_another_meter(ask):
            return None
        after = self._later(self._seen.index(ask), lambda it: same(it, _ASK) or same(it, _LATEST))
        polls = after[: next((at for at, it in enumerate(after) if it.bare == _ASK), len(after))]
        paced = _paced(ask, after)
        if len(paced) > len(polls) or (paced and paced[-1].at > after[len(polls) - 1].at):
            # Another request came between: what keeps this one's pace is its own.
            polls = paced
        # A look just before the next request is that one's.
        elif (
            polls
            and len(polls) < len(after)
            and after[len(polls)].at - polls[-1].at <= _AT_ONCE < polls[-1].at - ask.at
        ):
            polls = polls[:-1]
        hasty = not looks and bool(polls) and polls[0].at - ask.at < _AT_ONCE
        ack = _data(ask)
        refused = ack is not None and ack.get("RequestStatus") == "FLR"
        if polls:
            shown = _data(one) if looks else None
            expect, polls = _shown(polls, shown and shown.get("odrdate"), hasty=hasty)
        elif ack is None and looks:
            expect = {"outcome": "failed"}
        elif ack is not None and refused:
            expect = {"outcome": "refused", "refusal": str(ack.get("statusCode"))}
        else:
            return None
        said: dict[str, Any] = {}
        if hasty or (refused and polls):
            said["client"] = "home_assistant" if hasty else "home_automation"
        self.folded.update([*([ask] if looks else []), *polls])
        said |= self._login(one, "customer") | _pauses([ask.at, *(it.at for it in polls)][hasty:])
        if len(polls) > POLLS or (expect["outcome"] == "unanswered" and len(polls) != POLLS):
            said["polls"] = len(polls)
        return Carried(one.at, one.n, self._with_account(one, "portal_read", **said, expect=expect))

    def _usage_read(self, one: Exchange) -> Carried | None:
        """A usage read that asks for nothing but what the action does."""
        asked, what = dict(one.asked), _USAGE[one.bare]
        if one.borne is None or one.status == 401:
            return None
        first, last = (_day(asked.pop(name, None)) for name in ("startDate", "endDate"))
        esiid = asked.pop("ESIID" if one.bare == "/api/adhoc/intervalsynch" else "esiid", None)
        # As the action writes it: a list, at the portal for other than intervals the one itself.
        one_esiid = [esiid] if one.door == "portal" and what != "15_minute" else esiid
        if first is None or last is None or last < first or not isinstance(one_esiid, list) or len(one_esiid) != 1:
            return None
        # It may be anything that JSON has.
        if one_esiid[0] not in [*self._names.esiids]:
            return None
        said: dict[str, Any] = {}
        if one.door == "api":
            version, channel = asked.pop("version", None), asked.pop("readingType", None)
            if version not in ("L", "A") or channel not in ("C", "G", "A") or not self._usual(one, asked):
                return None
            said = {"revisions": "all"} if version == "A" else {}
            said |= {} if channel == "C" else {"channel": channel}
        elif asked:
            return None
        days = {"first": f"{self._names.day(first)}"} | ({} if last == first else {"last": f"{self._names.day(last)}"})
        at_door = {"door": "portal"} if one.door == "portal" else {}
        login = self._login(one, "customer" if at_door else "ror")
        kind = {} if what == "15_minute" else {"what": what}
        return Carried(one.at, one.n, self._with_account(one, "usage_read", **login, **at_door, **kind, **days, **said, expect=_status(one)))  # fmt: skip

    def _usual(self, one: Exchange, rest: dict[str, Any]) -> bool:
        """Whether the rest of a request is what every order at the market API carries."""
        login = self._names.login(one) or ""
        kind = "CSP" if login == CSP_LOGIN.username else "RES" if login.startswith("customer.") else "REP"
        usual = {"requesterType": kind, "reportFormat": "JSON", "deliveryMode": "API", "SMTTermsandConditions": "Y"}
        who = {"requestorID": login} | ({} if kind == "RES" else {"requesterAuthenticationID": self._names.duns(login)})
        told = {name: self._names.carried(rest.pop(name, None), 0) for name in who}
        return told == who and rest.pop("trans_id", None) is not None and rest == usual

    def _http(self, one: Exchange) -> Carried:
        """Any call, with its body as it was written."""
        names, service = self._names, one.service
        ordinal = names.ordinal(f"{one.path} {one.body or ''}")
        said: dict[str, Any] = {} if service == "smt" else {"to": service}
        if one.method != "POST":
            said["method"] = one.method
        said["path"] = names.carried(one.path, ordinal)
        notes, headers = [], {}
        login = self._bearer(one)
        if login is not None:
            said["login"] = login
        elif "authorization" in one.headers:
            headers["Authorization"] = DEAD
        body, kind = parsed(one.body), one.headers.get("content-type", "").partition(";")[0].strip().lower()
        if isinstance(body, (dict, list)):
            said["body"] = names.carried(body, ordinal)
            if _members(said["body"]) != _members(body):
                notes.append("what of its body is left out is not as it was")
        elif one.body:
            said["body"] = names.carried(one.body, ordinal)
        if one.body and kind not in ("", "application/json" if isinstance(body, (dict, list)) else ""):
            headers["Content-Type"] = kind
        if headers:
            said["headers"] = headers
        return Carried(one.at, one.n, self._with_account(one, "http", **said, expect=_status(one)), notes)

    def _bearer(self, one: Exchange) -> str | None:
        """Whose token, or which key, a call bears."""
        if "authorization" not in one.headers or one.status == 401:
            return None
        if one.service == "headend":
            return "meters" if one.bare == "/events" else "smt"
        if one.service == "desk":
            return "desk.agent"
        return self._names.login(one)


def _members(value: Any) -> int:
    if isinstance(value, dict):
        return len(value) + sum(_members(one) for one in value.values())
    return sum(_members(one) for one in value) if isinstance(value, list) else 0


def _status(one: Exchange) -> dict[str, Any]:
    """What was answered, as facts of a call."""
    if one.status is None:
        return {"status": {"absent": True}}
    code = code_of(one.answered)
    return {"status": one.status} | ({"code": code} if code in known_codes() else {})


def _ended(ask: Exchange, polls: Sequence[Exchange]) -> tuple[str, str | None]:
    """How a request ended for whoever asked, and the code of its refusal."""
    for one in (ask, *polls):
        refusal, code = one.answered.get("refusal"), one.answered.get("statusCode")
        if isinstance(refusal, dict):
            return "refused", str(refusal.get("code"))
        if one is ask and (one.status != 200 or code != "0"):
            return "failed", None
        if one is not ask and one.status == 200 and code not in (None, "PEN"):
            return ("answered" if code == "0" else "failed"), None
    return "unanswered", None


def _shown(polls: Sequence[Exchange], before: Any, *, hasty: bool) -> tuple[dict[str, Any], list[Exchange]]:
    """How a read ended by what the portal showed, as its client judges; and the polls until then."""
    for count, one in enumerate(polls, 1):
        data = _data(one)
        state = None if data is None else data.get("odrstatus")
        if data is not None and state == "COMPLETED":
            if hasty or (data.get("odrdate") != before and _float(data.get("odrread"))):
                return {"outcome": "answered"}, list(polls[:count])
        elif state != "PENDING":
            told = {"status": state} if state in ("FAILED", "T-FAILED") else {}
            return {"outcome": "failed", **told}, list(polls[:count])
    return {"outcome": "unanswered"}, list(polls)


def _paced(ask: Exchange, after: Sequence[Exchange]) -> list[Exchange]:
    """The looks that come at the portal's usual pace after a request, one at a time, until one fails to come."""
    looks = {it.at: it for it in reversed(after) if it.bare == _LATEST}
    found: list[Exchange] = []
    while (following := looks.get(ask.at + (len(found) + 1) * POLL_S)) is not None:
        found.append(following)
    return found


def _float(written: Any) -> float:
    try:
        return float(written or 0)
    except (TypeError, ValueError):
        return 0.0


def _data(one: Exchange) -> dict[str, Any] | None:
    data = one.answered.get("data")
    return data if isinstance(data, dict) else None


def _pauses(times: Sequence[Seconds]) -> dict[str, Any]:
    """The pause between two polls, where it is not the usual one."""
    pause = times[1] - times[0] if len(times) > 1 else POLL_S
    return {} if pause in (0, POLL_S) else {"poll_s": pause}


def _day(written: Any) -> date | None:
    try:
        return (
            parse_us_date(written) if isinstance(written, str) and re.fullmatch(r"\d\d/\d\d/\d{4}", written) else None
        )
    except ValueError:
        return None
