"""VEE usage at the market API: intervals, daily and monthly reads, Green Button; in the reply, or as a file in the sender's folder.

Days that the sender may not see are left out, whatever the form: everything is taken from ``usage_reads``.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from datetime import date
from itertools import islice
from typing import Any

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse

from headend.lse.writer import file_names
from headend.vee.quality import Channel
from meters.calendar import day_of
from simulator.smt.doors.both.asked import dates_asked
from simulator.smt.doors.both.refusal import SUBMITTED
from simulator.smt.doors.both.served import ServedSmt
from simulator.smt.doors.both.usage_reads import (
    CHANNELS,
    apart,
    billed_periods,
    energy_data,
    registered_reads,
    sees_any,
    stored_days,
)
from simulator.smt.doors.market.door import Sender, call, check_delivery, check_sender, market_router
from simulator.smt.doors.market.wire import (
    DailyReads,
    IntervalReads,
    MonthlyReads,
    ReadsRequest,
    ReportAck,
    ReportStatus,
    ReportStatusRequest,
)
from simulator.smt.errors import BUSINESS, GATEWAY, BusinessError
from simulator.smt.party import Smt
from simulator.smt.registry.records import User
from simulator.smt.usage import green_button
from simulator.smt.usage.billing_periods import BilledPeriod
from simulator.smt.usage.deliveries import BROKEN, DELIVERED, PENDING
from simulator.smt.usage.formats import (
    INTERVAL_STEM,
    daily_csv,
    interval_csv,
    lse_file,
    monthly_csv,
    report_name,
)
from simulator.smt.usage.store import StoredDay

#: Names that are tried for an LSE file.
_NAMES_TRIED = 10_000
#: Most ESI IDs of one file, and most ESI IDs times days. Defaults of this project.
MOST_ESIIDS, MOST_ESIID_DAYS = 200, 3650


@dataclass(frozen=True, slots=True)
class Reads:
    """What a request for reads comes down to."""

    smt: Smt
    user: User
    asked: ReadsRequest
    first: date
    last: date

    async def days(self, esiid: str, channels: tuple[Channel, ...]) -> list[StoredDay]:
        """The posted days of an ESI ID that the sender may see."""
        found = []
        for channel in channels:
            found += await stored_days(self.smt, self.user, esiid, channel, self.first, self.last, self.asked.version)
        return found


@dataclass(frozen=True, slots=True)
class ReportFile:
    """A report as it is sent: media type, suffix of a file, content."""

    media_type: str
    suffix: str
    content: bytes


#: Makes the report of a request in its format; None without any data.
Maker = Callable[[Reads], Awaitable[ReportFile | None]]


def router() -> APIRouter:
    """The calls for VEE usage."""
    routes = market_router()

    files = ("text/csv", "text/plain")

    @call(routes, "/15minintervalreads/", IntervalReads | ReportAck, "VEE 15-minute intervals", files)
    async def interval_reads(asked: ReadsRequest, smt: ServedSmt, user: Sender) -> Response:
        """Give posted VEE intervals, at most 24 months back, as `JSON`, `CSV` or `LSE`.

        By `API` they are in the reply, of one ESI ID. By `FTP` a file is laid into the sender's folder, of several if need be.
        """
        return await _answered(smt, user, asked, INTERVAL_STEM, _intervals, ("JSON", "CSV", "LSE"))

    @call(routes, "/dailyreads/", DailyReads | ReportAck, "Daily register reads", ("text/csv",))
    async def daily_reads(asked: ReadsRequest, smt: ServedSmt, user: Sender) -> Response:
        """Give the registers at both midnights of each posted day, as `JSON` or `CSV`.

        In `JSON` a `readingType` of `A` means consumption, as the reply has no field for it.
        """
        return await _answered(smt, user, asked, "DailyMeterUsage", _daily, ("JSON", "CSV"))

    @call(
        routes,
        "/monthlybillingInformation/",
        MonthlyReads | ReportAck,
        "Monthly billing information",
        ("text/csv",),
    )
    async def monthly_reads(asked: ReadsRequest, smt: ServedSmt, user: Sender) -> Response:
        """Give the billing periods that ended within the days asked for, as `JSON` or `CSV`.

        A period is told when every day of it is posted and the sender may see them all; `A` means consumption, and the latest revision counts.
        A switch of retailer or customer ends a period.
        """
        return await _answered(smt, user, asked, "MonthlyBillingInformation", _monthly, ("JSON", "CSV"))

    @call(routes, "/greenbutton/", ReportAck, "Green Button", (green_button.MEDIA_TYPE,))
    async def green_button_feed(asked: ReadsRequest, smt: ServedSmt, user: Sender) -> Response:
        """Give posted days as an Atom feed of ESPI resources, both channels and the latest revision whatever is asked; errors are JSON."""
        forms = ("JSON", "XML")
        return await _answered(smt, user, asked, "GreenButton", _green_button, forms)

    @call(routes, "/reportrequeststatus/", ReportStatus, "Poll a request for a file")
    async def report_status(asked: ReportStatusRequest, smt: ServedSmt, user: Sender) -> Response:
        """Tell how a request for a file stands: `PEN` under way, `0` delivered, `1` failed. Only who asked may poll."""
        check_sender(user, asked)
        found = smt.deliveries.request(asked.correlationId, user.username)
        if found is None:
            raise BusinessError("CORRELATION")
        status = ReportStatus(trans_id=asked.trans_id, correlationId=found.key, statusCode="PEN", statusReason=PENDING)
        if found.file_name:
            status.statusCode, status.statusReason, status.fileName = "0", DELIVERED, found.file_name
        elif found.ended_us is not None:
            reason = GATEWAY["broken"].message if found.error == BROKEN else BUSINESS[found.error]
            status.statusCode, status.statusReason = "1", reason
        return Response(status.model_dump_json(exclude_none=True), media_type="application/json")

    return routes


async def _intervals(reads: Reads) -> ReportFile | None:
    channels = CHANNELS[reads.asked.readingType]
    usage = [(esiid, await reads.days(esiid, channels)) for esiid in reads.asked.esiid]
    stored = [day for _, own in usage for day in own]
    if not stored:
        return None
    match reads.asked.reportFormat:
        case "CSV":
            return ReportFile("text/csv", "CSV", await apart(lambda: interval_csv(stored)))
        case "LSE":
            return ReportFile("text/plain", "lse", await apart(lambda: lse_file(stored)))
    return _json(reads, "energyData", [(esiid, energy_data(own)) for esiid, own in usage])


async def _daily(reads: Reads) -> ReportFile | None:
    channels = CHANNELS[reads.asked.readingType]
    as_csv = reads.asked.reportFormat == "CSV"
    usage = [(esiid, await reads.days(esiid, channels if as_csv else channels[:1])) for esiid in reads.asked.esiid]
    registers = [(esiid, registered_reads(own)) for esiid, own in usage]
    if not any(rows for _, rows in registers):
        return None
    if as_csv:
        return ReportFile("text/csv", "CSV", daily_csv(day for _, own in usage for day in own))
    return _json(reads, "registeredReads", registers)


async def _monthly(reads: Reads) -> ReportFile | None:
    channel = CHANNELS[reads.asked.readingType][0]
    usage: list[tuple[str, list[BilledPeriod]]] = [
        (esiid, await billed_periods(reads.smt, reads.user, esiid, channel, reads.first, reads.last))
        for esiid in reads.asked.esiid
    ]
    if not any(periods for _, periods in usage):
        return None
    if reads.asked.reportFormat == "CSV":
        return ReportFile(
            "text/csv", "CSV", monthly_csv((esiid, period) for esiid, periods in usage for period in periods)
        )
    return _json(reads, "billingData", [(esiid, [period.body() for period in periods]) for esiid, periods in usage])


async def _green_button(reads: Reads) -> ReportFile | None:
    latest = Reads(reads.smt, reads.user, reads.asked.model_copy(update={"version": "L"}), reads.first, reads.last)
    usage = [(esiid, await latest.days(esiid, CHANNELS["A"])) for esiid in reads.asked.esiid]
    if not any(own for _, own in usage):
        return None
    now = reads.smt.driver.now()
    return ReportFile(green_button.MEDIA_TYPE, "xml", await apart(lambda: green_button.feed(usage, now)))


async def _answered(
    smt: Smt, user: User, asked: ReadsRequest, stem: str, make: Maker, forms: tuple[str, ...]
) -> Response:
    """Answer a request for reads, after everything that can stand against it."""
    check_sender(user, asked)
    check_delivery(asked, forms, by_file=smt.deliveries.offered)
    by_file = asked.deliveryMode == "FTP"
    if not by_file and len(asked.esiid) != 1:
        raise BusinessError("ONE-ESIID", len(asked.esiid))
    first, last = dates_asked(asked.startDate, asked.endDate, day_of(smt.driver.now()))
    count = len(asked.esiid)
    if count > MOST_ESIIDS or count * ((last - first).days + 1) > MOST_ESIID_DAYS:
        raise BusinessError("MANY-ESIIDS", MOST_ESIIDS, MOST_ESIID_DAYS, count, count * ((last - first).days + 1))
    if not all(sees_any(smt, user, esiid, first, last) for esiid in asked.esiid):
        raise BusinessError("AC1")
    reads = Reads(smt, user, asked, first, last)
    if by_file:
        return _ordered(reads, stem, make)
    made = await make(reads)
    if made is None:
        raise BusinessError("1")
    return Response(made.content, media_type=made.media_type)


def _ordered(reads: Reads, stem: str, make: Maker) -> Response:
    """Take a request for a file on."""
    smt, now = reads.smt, reads.smt.driver.now()

    async def file(key: str) -> tuple[Iterator[str], bytes] | None:
        made = await make(reads)
        if made is None:
            return None
        if made.suffix == "lse":
            return islice(file_names(reads.user.duns, now, int(key)), _NAMES_TRIED), made.content
        return iter((report_name(stem, made.suffix, now, key),)), made.content

    asked = reads.asked
    key = smt.deliveries.order(
        reads.user.username, asked.trans_id, stem, json.dumps(asked.model_dump()), smt.now_us(), file
    )
    ack = ReportAck(trans_id=asked.trans_id, correlationId=key, statusReason=SUBMITTED)
    return JSONResponse(ack.model_dump())


def _json(reads: Reads, field: str, usage: list[tuple[str, list[dict[str, str]]]]) -> ReportFile:
    """The reply of one ESI ID; in a file a list of them, without those that have no data."""
    replies: list[dict[str, Any]] = [
        {"trans_id": reads.asked.trans_id, "esiid": esiid, field: rows} for esiid, rows in usage if rows
    ]
    content = replies if reads.asked.deliveryMode == "FTP" else replies[0]
    return ReportFile(
        "application/json", "JSON", json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
    )
