"""The same questions at both of SMT's doors (AC2): intervals, daily reads, meter attributes, premise, HAN devices, by a retailer's and a customer's log-in."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator
from datetime import date
from typing import Any

import simpy

from headend.ports import Driver
from meters.calendar import us_date
from simulator.customer.portal_user import PortalClient
from simulator.errors import SimulatorError
from simulator.ror.client import SmtClient
from simulator.ror.errors import RorError

#: What is asked, in this order.
QUESTIONS = ("usage", "daily", "meter", "premise", "devices")

Ask = Callable[[], Awaitable[Any]]


def same_answers(
    driver: Driver, market: SmtClient, portal: PortalClient, esiid: str, first: date, last: date, ident: str
) -> Generator[simpy.Event, Any, dict[str, Any]]:
    """Ask both doors; ``{"market": {question: answer}, "portal": {question: answer}, "trouble": {...} | None}``, answers as they came.

    first, last: operating days of the usage, both included. A simpy process that does not raise for what SMT answers; what could not be asked is left out.
    """
    days = {"startDate": us_date(first), "endDate": us_date(last)}
    usage = {"version": "L", "readingType": "A"} | days
    asked: dict[str, dict[str, Ask]] = {
        "market": {
            "usage": lambda: market.content("/v2/15minintervalreads/", esiid, "energyData", ident, **usage),
            "daily": lambda: market.content("/v2/dailyreads/", esiid, "registeredReads", ident, **days),
            "meter": lambda: market.content("/v2/meterInfo/", esiid, "MeterData", ident),
            "premise": lambda: market.content("/v2/premiseInfo/", esiid, "premiseInfo", ident),
            "devices": lambda: market.content("/v2/hanDevices/", esiid, "hanDevices", ident),
        },
        "portal": {
            "usage": lambda: portal.content("/api/adhoc/intervalsynch", {"ESIID": [esiid], **days}, "energyData"),
            "daily": lambda: portal.content("/api/usage/daily", {"esiid": esiid, **days}, "dailyData"),
            "meter": lambda: portal.content("/api/meterattributes", {"esiid": esiid}),
            "premise": lambda: portal.content("/api/premise", {"esiid": esiid}),
            "devices": lambda: portal.content("/api/handevices", {"esiid": esiid}),
        },
    }
    answers: dict[str, Any] = {"market": {}, "portal": {}, "trouble": None}
    for question in QUESTIONS:
        for door, questions in asked.items():
            try:
                answers[door][question] = yield driver.io(door, f"{ident}/{question}", questions[question], lane="smt")
            except (RorError, SimulatorError) as error:
                answers["trouble"] = {"code": error.code, "reason": error.message, "retry_at": None}
    return answers
