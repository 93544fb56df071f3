"""``usage_read``: posted usage is read, as 15-minute, daily, monthly or Green Button data: at the market API, at the portal, or from the ROR's own files."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from datetime import date
from decimal import Decimal
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Self

import numpy as np
from pydantic import Field, model_validator

from headend.lse.writer import read
from headend.vee.quality import Channel
from meters.calendar import day_of, intervals_in, parse_us_date, seconds, us_date
from meters.errors import UserError
from scenarios.actions.action import Played, Row, Seen
from scenarios.actions.market.exchange import (
    AT,
    CODE,
    STATUS,
    Answer,
    AtDoor,
    answer,
    asking,
    bearer,
    document,
    filled,
    of,
    otherwise,
    sent,
    tell,
    texts,
)
from scenarios.parts.expected import AMOUNT, COUNT, TEXTS, Fact
from scenarios.parts.setting import Setting
from scenarios.parts.written import Day
from scenarios.records.values import Count, Money
from simulator.ror.files.read import read_usage
from simulator.ror.usage import Quality
from simulator.smt.doors.both.rd import NO_VALUE, rd_parse

if TYPE_CHECKING:
    import httpx

    from scenarios.stage import Stage

#: By what is read: paths at the market API and the portal, and where the rows are in the replies.
_CALLS: dict[str, tuple[str, str, str, str]] = {
    "15_minute": ("/v2/15minintervalreads/", "/api/adhoc/intervalsynch", "energyData", "energyData"),
    "daily": ("/v2/dailyreads/", "/api/usage/daily", "registeredReads", "dailyData"),
    "monthly": ("/v2/monthlybillingInformation/", "/api/usage/monthly", "billingData", "monthlyData"),
    "green_button": ("/v2/greenbutton/", "", "", ""),
    "interval": ("", "/api/usage/interval", "", "intervaldata"),
}


class UsageRead(AtDoor):
    """Posted usage is read: at the market API, at the portal, or from the files in the ROR's folder."""

    door: Literal["api", "portal", "files"] = Field(  # type: ignore[assignment]
        default="api", description="The market API, the portal, or the LSE files in the ROR's folder."
    )
    what: Literal["15_minute", "daily", "monthly", "green_button", "interval"] = Field(
        default="15_minute", description="interval: one by one, as the portal tells them beside its slots."
    )
    first: Day
    last: Day | None = Field(default=None, description="The first one alone unless given.")
    revisions: Literal["latest", "all"] = "latest"
    channel: Literal["C", "G", "A"] = Field(default="C", description="Consumption, surplus generation, or both.")
    body: dict[str, Any] = Field(
        default_factory=dict, description="Fields of the request that are otherwise; null leaves one out."
    )

    @model_validator(mode="after")
    def _can_be_read(self) -> Self:
        if self.last is not None and self.last < self.first:
            raise ValueError("it ends before it begins; exchange the days, or give them in body to ask SMT so")
        if self.what == "green_button" and self.door != "api":
            raise ValueError("Green Button is of the market API alone; write door: api")
        if self.what == "interval" and self.door != "portal":
            raise ValueError("intervals one by one are of the portal alone; write door: portal")
        if self.door == "files" and (self.what != "15_minute" or self.body):
            raise ValueError("files hold 15-minute intervals and are not asked for; write what: 15_minute and no body")
        return self

    @property
    def days(self) -> tuple[date, date]:
        """First and last operating day, both included."""
        return self.first, self.last or self.first

    def by(self, scenario: Setting) -> str:
        """The log-in that acts."""
        account = scenario.account_of(self)
        return self.login or (account.customer if self.door == "portal" else account.ror)


class RecordedUsage(Answer):
    """What was read. Of intervals how many by quality, of all revisions of a day that were given; wh of the latest."""

    days: list[str]
    channels: list[str]
    records: Count
    revised: Count
    actual: Count | None
    estimated: Count | None
    missing: Count | None
    kwh: Money | None


class _Day(NamedTuple):
    """A revision of an operating day of a channel. wh: (n,) NO_VALUE where there is none; a register's or a period's is one value of unknown quality."""

    day: date
    channel: str
    wh: Any
    estimated: Any


def _play(stage: Stage, action: UsageRead) -> Played:
    if action.door == "files":
        read_days = list(_in_files(stage, action, (yield from stage.lying(action.by(stage.scenario), action.ref))))
        answered: dict[str, Any] = {"status": None, "code": None, "values": {}, "header": {}}
    else:
        username, portal = action.by(stage.scenario), action.door == "portal"
        market_path, portal_path, *_ = _CALLS[action.what]

        async def call() -> httpx.Response | None:
            headers = await bearer(stage, username, portal=portal)
            json = filled(stage, action, otherwise(_asked(stage, action, username), action.body))
            return await sent(stage.http, "POST", portal_path if portal else market_path, headers=headers, json=json)

        reply = yield stage.runtime.io(action.door, action.ref, call, lane="smt")
        answered, read_days = answer(stage, action, reply), [] if reply is None else list(_told(action, reply))
    return answered | _counted(action, read_days)


def _asked(stage: Stage, action: UsageRead, username: str) -> dict[str, Any]:
    first, last = action.days
    days = {"startDate": us_date(first), "endDate": us_date(last)}
    if action.door == "api":
        said = {"version": "L" if action.revisions == "latest" else "A", "readingType": action.channel}
        return asking(stage, action, username) | days | said
    return (
        {"ESIID": [stage.esiid(action)], **days}
        if action.what == "15_minute"
        else {"esiid": stage.esiid(action), **days}
    )


def _in_files(stage: Stage, action: UsageRead, lying: Iterable[tuple[str, bytes]]) -> Iterator[_Day]:
    """The ESI ID's days of every LSE file in the ROR's folder, in the order of the files."""
    first, last = action.days
    channels = {"C": {Channel.LOAD}, "G": {Channel.GENERATION}, "A": set(Channel)}[action.channel]
    found: dict[tuple[date, str], list[_Day]] = {}
    for name, content in lying:
        for one in read(content, name).records if name.endswith(".lse") else ():
            if one.esiid == stage.esiid(action) and first <= one.day <= last and one.channel in channels:
                channel = "C" if one.channel is Channel.LOAD else "G"
                found.setdefault((one.day, channel), []).append(_Day(one.day, channel, one.wh, one.estimated))
    for revisions in found.values():
        yield from revisions if action.revisions == "all" else revisions[-1:]


def _told(action: UsageRead, reply: httpx.Response) -> Iterator[_Day]:
    """The days that an answer tells."""
    if action.what == "green_button":
        yield from _green_button(reply)
        return
    body = document(reply)
    *_, market_field, portal_field = _CALLS[action.what]
    data = body.get("data", body) if isinstance(body, dict) else {}
    told = data.get(portal_field if action.door == "portal" else market_field) if isinstance(data, dict) else []
    rows = [row for row in told if isinstance(row, dict)] if isinstance(told, list) else []
    if action.what == "interval":
        yield from _one_by_one(rows)
        return
    for row in rows:
        try:
            found = _slots(row) if action.what == "15_minute" else _sum(row)
        except (ArithmeticError, KeyError, StopIteration, TypeError, UserError, ValueError):
            # Of an SMT that is not ours: what cannot be read is not told.
            continue
        yield found


def _slots(row: dict[str, Any]) -> _Day:
    day = parse_us_date(row["DT"])
    return _Day(day, row["RT"], *rd_parse(row["RD"], day))


def _sum(row: dict[str, Any]) -> _Day:
    """A day, or the period that ended on one."""
    day = parse_us_date((row.get("readDate") or row.get("date") or row.get("endDate") or row["enddate"])[:10])
    kwh = next(row[name] for name in ("energyDataKwh", "reading", "actualkWh", "actl_kwh_usg") if name in row)
    return _Day(day, "C", np.array([int(Decimal(str(kwh)).scaleb(3))]), None)


def _one_by_one(rows: Iterable[dict[str, Any]]) -> Iterator[_Day]:
    """The days of intervals that are told one by one; of an SMT that is not ours what cannot be read is not told."""
    for day, its in groupby(rows, lambda row: str(row.get("date"))):
        try:
            told = [(int(Decimal(str(row["consumption"])).scaleb(3)), row["consumption_est_act"] == "E") for row in its]
            wh, estimated = np.array(told).T
            yield _Day(date.fromisoformat(day), "C", wh, estimated.astype(bool))
        except (ArithmeticError, KeyError, ValueError):
            continue


def _green_button(reply: httpx.Response) -> Iterator[_Day]:
    """The days of a feed, as a retailer reads the file."""
    if not reply.text.startswith("<"):
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "feed.xml")
        path.write_bytes(reply.content)
        try:
            record = read_usage(path).record
        except UserError:
            return
    of_day = np.array([day_of(seconds(int(end) - 1)).toordinal() for end in record.ends])
    for ordinal in np.unique(of_day):
        own = of_day == ordinal
        yield _Day(date.fromordinal(int(ordinal)), "C", record.wh[own], record.quality[own] == Quality.VEE_ESTIMATED)


def _counted(action: UsageRead, read_days: Iterable[_Day]) -> dict[str, Any]:
    told = list(read_days)
    by_interval = [one for one in told if one.estimated is not None]
    latest = {(one.day, one.channel): one for one in told}
    known = [(one, one.wh != NO_VALUE) for one in by_interval]
    of_intervals = action.what in ("15_minute", "green_button", "interval") and bool(told)
    expected = sum(intervals_in(one.day) for one in by_interval)
    estimated = sum(int(np.count_nonzero(one.estimated & there)) for one, there in known)
    present = sum(int(np.count_nonzero(there)) for _, there in known)
    wh = sum(int(one.wh[one.wh != NO_VALUE].sum()) for (_, channel), one in latest.items() if channel == "C")
    return {
        "days": sorted({one.day.isoformat() for one in told}),
        "channels": sorted({one.channel for one in told}),
        "records": len(told),
        "revised": len(told) - len(latest),
        "actual": present - estimated if of_intervals else None,
        "estimated": estimated if of_intervals else None,
        "missing": expected - present if of_intervals else None,
        "kwh": str(Decimal(wh).scaleb(-3)) if told else None,
    }


def _tell(seen: Seen[UsageRead, RecordedUsage]) -> str:
    if seen.record is None or not seen.record.records:
        return f"Nothing was read. {tell(seen)}" if seen.action.door != "files" else "Nothing was read."
    return f"Read {seen.record.records} records of {len(seen.record.days)} days, {seen.record.kwh} kWh of consumption."


ROWS = (
    Row(
        "usage_read",
        "Usage read",
        UsageRead,
        RecordedUsage,
        _play,
        (
            STATUS,
            CODE,
            AT,
            Fact("days", TEXTS, "operating days, of monthly reads those on which a period ended", texts("days")),
            Fact("channels", TEXTS, "channels", texts("channels")),
            Fact("records", COUNT, "records: days of a channel, or periods; each revision is one", of("records")),
            Fact("revised", COUNT, "records that another one takes the place of", of("revised")),
            Fact("actual", COUNT, "intervals that were read", of("actual")),
            Fact("estimated", COUNT, "intervals that are estimated", of("estimated")),
            Fact("missing", COUNT, "intervals of these days that have no value", of("missing")),
            Fact("kwh", AMOUNT, "consumption, of the latest revisions", of("kwh"), unit="kWh"),
        ),
        _tell,
    ),
)
