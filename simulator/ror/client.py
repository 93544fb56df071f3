"""The retailer's client to SMT's market API. Every reply is one of three: an answer, a refusal by rule, an error with a code.

A ``trans_id`` counts the messages of one call, so the same call sends the same text whenever it is repeated.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any, Literal, TypeVar

import httpx
import numpy as np
from pydantic import BaseModel, ValidationError

from headend.http.foreign import document
from meters.calendar import interval_ends, parse_us_date, seconds, us_date
from simulator.ror.errors import SmtError, SmtRefused
from simulator.ror.usage import UsageRecord, from_vee, joined
from simulator.smt.doors.both.bodies import Refusal
from simulator.smt.doors.both.rd import NO_VALUE, RdError, rd_parse
from simulator.smt.doors.market.odr_wire import OdrAck, OdrStatus

#: ``errorCode`` of a read request that finds nothing.
NO_DATA = "1"

Reply = TypeVar("Reply", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class DailyRead:
    """The registers of one operating day. Wh."""

    day: date
    start_wh: int
    end_wh: int
    energy_wh: int


class SmtClient:
    """Speaks for one REP. ``http`` carries SMT's base URL; one instance may serve many calls."""

    def __init__(
        self, http: httpx.AsyncClient, username: str, password: str, duns: str, requester_type: str = "REP"
    ) -> None:
        """Keep the login; nothing is sent yet. username is the requestorID of every call."""
        self._requester_type = requester_type
        self._http = http
        self._username = username
        self._password = password
        self._duns = duns
        self._token = ""
        self._sent: Counter[str] = Counter()

    async def token(self) -> str:
        """Log in and keep the token. Raises SmtError if SMT does not let this REP in."""
        reply = await self._send("/v2/token/", {"username": self._username, "password": self._password}, "")
        body = _json_object(reply)
        token = body.get("accessToken")
        if not isinstance(token, str) or not token:
            raise _error(reply.status_code, body)
        self._token = token
        return token

    async def intervals(self, esiid: str, start_day: date, end_day: date, call_reference: str = "") -> UsageRecord:
        """Fetch the posted VEE intervals of both channels, both days included; empty if SMT has none.

        Of several revisions of a day the latest counts. A day without consumption, or a slot without value, stays a hole.
        """
        body = await self._read("/v2/15minintervalreads/", "A", esiid, start_day, end_day, call_reference)
        days: dict[tuple[date, str], tuple[tuple[str, str], str]] = {}
        for row in _rows(body, "energyData"):
            key = _day(row.get("DT"), "DT"), str(row.get("RT", "C"))
            revision = _sortable(str(row.get("RevTS", "")))
            if key not in days or revision >= days[key][0]:
                days[key] = (revision, str(row.get("RD", "")))
        taken = sorted(day for day, channel in days if channel == "C")
        return joined(_vee_day(day, days[day, "C"][1], days.get((day, "G"), ("", ""))[1]) for day in taken)

    async def daily(self, esiid: str, start_day: date, end_day: date, call_reference: str = "") -> list[DailyRead]:
        """Fetch the daily register reads, both days included, by ascending day; empty if SMT has none."""
        body = await self._read("/v2/dailyreads/", "C", esiid, start_day, end_day, call_reference)
        reads = [
            DailyRead(
                _day(row.get("readDate"), "readDate"),
                _wh(row.get("startReading"), "startReading"),
                _wh(row.get("endReading"), "endReading"),
                _wh(row.get("energyDataKwh"), "energyDataKwh"),
            )
            for row in _rows(body, "registeredReads")
        ]
        return sorted(reads, key=lambda read: read.day)

    async def register(self, esiid: str, first: date, last: date, call_reference: str = "") -> int | None:
        """Wh that the register went on by from the first midnight of some days to their last, as an 867_03 tells them.

        None where SMT does not have both reads, or they are no advance (an exchange, a last dial passed).
        """
        reads = await self.daily(esiid, first, last, call_reference)
        if not reads or (reads[0].day, reads[-1].day) != (first, last):
            return None
        advance = reads[-1].end_wh - reads[0].start_wh
        return advance if advance >= 0 else None

    async def content(self, path: str, esiid: str, field: str, call_reference: str = "", **asked: Any) -> Any:
        """What a call tells of an ESI ID, as it comes: the reply's field. Raises SmtError."""
        body = await self._post(path, self._who(call_reference) | {"esiid": [esiid]} | asked)
        if field not in body:
            raise _unreadable(field, "it is missing")
        return body[field]

    async def odr(
        self, esiid: str, call_reference: str, read_type: Literal["REGISTER", "INTERVALS"] = "INTERVALS"
    ) -> str:
        """Ask for an on-demand read; gives the correlation id. Raises SmtRefused when a rule forbids it, SmtError otherwise."""
        asked = self._who(call_reference) | {
            "ESIID": esiid,
            "readType": read_type,
            "callReference": call_reference,
        }
        return await self._ask("/v2/odr/", asked)

    async def power_status(self, esiid: str, call_reference: str) -> str:
        """Ask for a power status; gives the correlation id to poll by. Raises as ``odr`` does."""
        return await self._ask(
            "/v2/powerstatus/", self._who(call_reference) | {"ESIID": esiid, "callReference": call_reference}
        )

    async def odr_status(self, correlation_id: str, call_reference: str = "") -> OdrStatus:
        """Look how a request stands: pending, answered, failed, or refused with what the store holds."""
        body = await self._post("/v2/odrstatus/", self._who(call_reference) | {"correlationId": correlation_id})
        return _parsed(OdrStatus, body)

    # -- inside -------------------------------------------------------------------------------------------

    def _who(self, call_reference: str) -> dict[str, Any]:
        """Give the fields that every request carries."""
        name = call_reference or "ror"
        self._sent[name] += 1
        return {
            "trans_id": f"{name}-{self._sent[name]:04d}",
            "requestorID": self._username,
            "requesterType": self._requester_type,
            "requesterAuthenticationID": self._duns,
            "reportFormat": "JSON",
            "deliveryMode": "API",
            "SMTTermsandConditions": "Y",
        }

    async def _ask(self, path: str, asked: dict[str, Any]) -> str:
        ack = _parsed(OdrAck, await self._post(path, asked))
        if ack.refusal is not None:
            retry = ack.refusal.retryAt
            raise SmtRefused(
                ack.refusal.code, ack.refusal.reason, None if retry is None else seconds(retry.timestamp())
            )
        if ack.statusCode != "0" or not ack.correlationId:
            raise SmtError("smt.odr.not_taken", f"SMT did not take the request: {ack.statusReason}.")
        return ack.correlationId

    async def _read(
        self, path: str, channels: str, esiid: str, start_day: date, end_day: date, call: str
    ) -> dict[str, Any]:
        asked = self._who(call) | {
            "startDate": us_date(start_day),
            "endDate": us_date(end_day),
            "version": "L",
            "readingType": channels,
            "esiid": [esiid],
        }
        try:
            return await self._post(path, asked)
        except SmtError as error:
            if error.code == f"smt.{NO_DATA}":
                return {}
            raise

    async def _post(self, path: str, asked: dict[str, Any]) -> dict[str, Any]:
        """Send with the token, log in if there is none, and once more if it has run out."""
        if not self._token:
            await self.token()
        reply = await self._send(path, asked, self._token)
        if reply.status_code == 401:
            await self.token()
            reply = await self._send(path, asked, self._token)
        body = _json_object(reply)
        if reply.status_code != 200 or "errorCode" in body:
            raise _error(reply.status_code, body)
        return body

    async def _send(self, path: str, asked: dict[str, Any], token: str) -> httpx.Response:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        try:
            return await self._http.post(path, json=asked, headers=headers)
        except httpx.HTTPError as error:
            raise SmtError(
                "smt.unreachable",
                f"SMT gave no answer to {path} ({type(error).__name__}).",
                mend="See that SMT is up and its address is right.",
            ) from None


def _json_object(reply: httpx.Response) -> dict[str, Any]:
    """Give the reply's JSON object. SMT's front end answers text or a page when it is in trouble."""
    try:
        body = document(reply.content)
    except ValueError:
        body = None
    if isinstance(body, dict):
        return body
    kind = reply.headers.get("content-type", "no content type").split(";")[0]
    raise SmtError(
        "smt.no_json",
        f"SMT answered HTTP {reply.status_code} with {kind} where JSON is expected.",
        mend="Try again later.",
    )


def _error(status: int, body: dict[str, Any]) -> SmtError | SmtRefused:
    """Make the error of a business error (errorCode) or of a gateway error (error), or the refusal that came in its place."""
    if isinstance(body.get("refusal"), dict):
        # Maintenance: the whole of SMT is closed, and says when it opens.
        refusal = _parsed(Refusal, body["refusal"])
        retry_at = None if refusal.retryAt is None else seconds(refusal.retryAt.timestamp())
        return SmtRefused(refusal.code, refusal.reason, retry_at)
    if "errorCode" in body:
        return SmtError(f"smt.{body['errorCode']}", str(body.get("errorMessage", "no message")))
    message = body.get("error") or body.get("message") or "no message"
    return SmtError(f"smt.http_{status}", str(message))


def _parsed(model: type[Reply], body: dict[str, Any]) -> Reply:
    try:
        return model.model_validate(body)
    except ValidationError as error:
        field = ".".join(str(part) for part in error.errors()[0]["loc"])
        raise _unreadable(field, error.errors()[0]["msg"]) from None


def _rows(body: dict[str, Any], field: str) -> list[dict[str, Any]]:
    rows = body.get(field) or []
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise _unreadable(field, "it is no list of records")
    return rows


def _day(written: Any, field: str) -> date:
    try:
        return parse_us_date(str(written)[:10])
    except ValueError:
        raise _unreadable(field, f"'{written}' is no MM/DD/YYYY") from None


def _wh(written: Any, field: str) -> int:
    try:
        return int(Decimal(str(written)).scaleb(3))
    except (InvalidOperation, ValueError, OverflowError):
        raise _unreadable(field, f"'{written}' is no kWh") from None


def _sortable(stamp: str) -> tuple[str, str]:
    """``MM/DD/YYYY HH:MM:SS`` so that later sorts later."""
    return stamp[6:10] + stamp[0:5], stamp[11:]


def _vee_day(day: date, taken: str, given: str) -> UsageRecord:
    try:
        wh, estimated = rd_parse(taken, day)
        back = rd_parse(given, day)[0] if given else np.zeros_like(wh)
    except RdError as error:
        raise _unreadable("RD", error.message) from None
    known = wh != NO_VALUE
    return from_vee(interval_ends(day)[known], wh[known], estimated[known], np.where(back == NO_VALUE, 0, back)[known])


def _unreadable(field: str, why: str) -> SmtError:
    return SmtError("smt.unreadable", f"SMT's reply cannot be read: {why}.", place=field)
