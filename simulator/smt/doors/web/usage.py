"""Usage as pages: a day in quarter hours, 30 days, billing periods; and as the files that the APIs give."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode

import numpy as np
from fastapi import Request, Response
from fastapi.routing import APIRouter

from headend.vee.quality import Channel
from headend.wire import InquiryKind
from meters.calendar import YEARS, Seconds, day_of, day_start, to_s, us_date
from meters.day_kinds import like_days, same_clock
from simulator.smt.access.log import What
from simulator.smt.doors.both.asked import dates_asked
from simulator.smt.doors.both.served import ServedSmt
from simulator.smt.doors.both.usage_reads import CHANNELS, apart, billed_periods, sees_any, stored_days
from simulator.smt.doors.web.asked import day_of_query, one_of
from simulator.smt.doors.web.door import FACE, PAGES, Session, pages, unknown
from simulator.smt.doors.web.reads import own_request, progress_of
from simulator.smt.doors.web.series import by_day, by_period, posted_day, unposted_day
from simulator.smt.errors import BusinessError
from simulator.smt.ondemand.ledger import Entry
from simulator.smt.ondemand.lifecycle import State
from simulator.smt.party import Smt
from simulator.smt.registry.records import User
from simulator.smt.usage import green_button
from simulator.smt.usage.formats import INTERVAL_STEM, interval_csv, lse_file, report_name
from simulator.web.charts import Chart
from simulator.web.site import HEADERS, wanted_part
from simulator.web.visitors import Visitor, WebProblem
from simulator.web.words import instant, named_day

PART = "usage"
VIEWS = {"day": "Day", "month": "30 days", "year": "Billing periods"}
_DAY, _MONTH = timedelta(days=1), timedelta(days=29)
#: How many days of its kind a day is compared with, and how far back they lie [D].
_LIKE, _LIKE_BACK = 4, 28
#: What a day is compared with, by its word in the address: which days before it, and what that is called.
BESIDE: Mapping[str, tuple[Callable[[date], list[date]], str]] = {
    "": (lambda _: [], "Nothing"),
    "before": (lambda day: [day - _DAY], "The day before"),
    "week": (lambda day: [day - 7 * _DAY], "A week before"),
    "like": (lambda day: like_days(day, _LIKE_BACK)[:_LIKE], "Days of its kind"),
}
#: Files: what they are called, media type and suffix.
FILES = {"csv": ("CSV", "text/csv", "CSV"), "gb": ("Green Button", green_button.MEDIA_TYPE, "xml"), "lse": ("LSE", "text/plain", "lse")}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a usage page is asked to show."""

    esiid: str
    view: str
    day: date
    beside: str
    read: str

    def at(self, **other: str) -> str:
        """Address of the same with something else."""
        asked = {"view": self.view, "day": self.day.isoformat(), "compare": self.beside, "read": self.read} | other
        # What is not said is left out: the same page has one address.
        asked = {name: text for name, text in asked.items() if text and (name, text) != ("view", "day")}
        return f"{PAGES}m/{self.esiid}/usage?{urlencode(asked)}"


def router() -> APIRouter:
    """Usage as pages, and as files."""
    routes = pages()

    @routes.get(PAGES + "m/{esiid}/usage")
    async def usage(esiid: str, request: Request, smt: ServedSmt, who: Session) -> Response:
        now = smt.driver.now()
        today, query = day_of(now), request.query_params
        view = one_of(query, "view", list(VIEWS))
        beside = one_of(query, "compare", list(BESIDE))
        asked_day = day_of_query(query, "day", today, today)
        seen_today = smt.registry.may_see(who.user, esiid, today)
        first, last = _days_of(view, asked_day, today)
        if not seen_today and not sees_any(smt, who.user, esiid, first, last):
            raise unknown()
        posted_to = smt.store.last_vee_end(esiid)
        if not query.get("day") and view != "year" and posted_to is not None:
            asked_day = min(today, day_of(posted_to - 1))
        wanted = Wanted(esiid, view, asked_day, beside, query.get("read", ""))
        asked = own_request(smt, who, wanted.read) if wanted.read else None
        chart = await _chart(smt, who, wanted, asked, now)
        shown: dict[str, Any] = {
            "wanted": wanted,
            "chart": chart,
            "heading": _heading(wanted),
            "beside": BESIDE[beside][1] if view == "day" and beside else "",
            "first": {"day": "Begins", "month": "Day", "year": "Period"}[view],
            "views": [(name, wanted.at(view=one), one == view) for one, name in VIEWS.items()],
            "comparisons": [(name, wanted.at(compare=one), one == beside) for one, (_, name) in BESIDE.items()],
            "steps": _steps(wanted, today),
            "files": _files(wanted, today, posted_to),
        }
        if wanted_part(request) == PART:
            return FACE.show(smt, who, "usage_part.html.j2", **shown)
        point = smt.registry.point(esiid, today)
        return FACE.show(
            smt,
            who,
            "usage.html.j2",
            title=(point.address or "Usage") if seen_today else "Usage",
            about=f"ESI ID {esiid}, meter {point.meter_number}" if seen_today else f"ESI ID {esiid}",
            at="usage",
            seen_today=seen_today,
            posted="" if posted_to is None or not seen_today else instant(posted_to),
            may_ask=smt.registry.may_request(who.user, esiid, today),
            progress=None if asked is None else progress_of(smt, who, asked),
            **shown,
        )

    @routes.get(PAGES + "m/{esiid}/download")
    async def download(esiid: str, request: Request, smt: ServedSmt, who: Session) -> Response:
        query, today = request.query_params, day_of(smt.driver.now())
        form = one_of(query, "format", list(FILES))
        first, last = (day_of_query(query, name, today - _DAY, today) for name in ("from", "to"))
        try:
            first, last = dates_asked(us_date(first), us_date(last), today)
        except BusinessError as error:
            raise WebProblem(400, error.code, error.message, "Choose other days.") from None
        if not sees_any(smt, who.user, esiid, first, last):
            raise unknown()
        stored = [
            one for channel in CHANNELS["A"] for one in await stored_days(smt, who.user, esiid, channel, first, last)
        ]
        if not stored:
            raise WebProblem(404, "1", BusinessError("1").message, "Choose days that are posted.")
        now = smt.driver.now()
        _, media, suffix = FILES[form]
        write = {"csv": lambda: interval_csv(stored), "lse": lambda: lse_file(stored), "gb": lambda: green_button.feed([(esiid, stored)], now)}[form]  # fmt: skip
        name = report_name(INTERVAL_STEM, suffix, now, "")
        headers = {**HEADERS, "content-disposition": f'attachment; filename="{name}"'}
        return Response(await apart(write), headers=headers, media_type=media)

    return routes


def _days_of(view: str, day: date, today: date) -> tuple[date, date]:
    """The days that a view looks at, both included."""
    if view == "year":
        # History goes back 24 months; of 29 February there is none two years ago.
        return today.replace(year=today.year - 2, day=min(today.day, 28)), today
    return (day, day) if view == "day" else (day - _MONTH, day)


async def _chart(smt: Smt, who: Visitor[User], wanted: Wanted, asked: Entry | None, now: Seconds) -> Chart | None:
    first, last = _days_of(wanted.view, wanted.day, day_of(now))
    if wanted.view == "year":
        if not sees_any(smt, who.user, wanted.esiid, first, last):
            return None
        return by_period(await billed_periods(smt, who.user, wanted.esiid, Channel.LOAD, first, last))
    load, generation = [
        await stored_days(smt, who.user, wanted.esiid, channel, first, last) for channel in CHANNELS["A"]
    ]
    if wanted.view == "month":
        return by_day(load, generation, min(last, day_of(now) - _DAY))
    other = await _beside(smt, who, wanted)
    if load:
        return posted_day(load[0], generation[0] if generation else None, other)
    if not smt.registry.may_see(who.user, wanted.esiid, wanted.day):
        return None
    entry = _newest_read(smt, who, wanted.esiid, asked)
    shown = None
    if entry is not None and entry.content is not None:
        shown = unposted_day(wanted.day, entry.content, entry.filed.end, other)
    if shown is None and (pushed := smt.non_vee.of_day(wanted.esiid, wanted.day, now)) is not None:
        smt.access.note(who.user, wanted.esiid, What.USAGE)
        shown = unposted_day(wanted.day, *pushed, other)
    return shown


async def _beside(smt: Smt, who: Visitor[User], wanted: Wanted) -> list[int]:
    """Whole Wh that the day is compared with, by the clock, of several days their mean; empty where no day has all of its times."""
    compared = BESIDE[wanted.beside][0](wanted.day)
    if not compared:
        return []
    stored = await stored_days(smt, who.user, wanted.esiid, Channel.LOAD, min(compared), max(compared))
    places = [(one.wh, same_clock(wanted.day, one.day)) for one in stored if one.day in compared]
    found = [wh[place] for wh, place in places if place.min() >= 0]
    return np.rint(np.mean(found, axis=0)).astype(int).tolist() if found else []


def _newest_read(smt: Smt, who: Visitor[User], esiid: str, asked: Entry | None) -> Entry | None:
    """The latest answer of intervals: the visitor's own that the page is about, otherwise whoever asked for it, on a day that the visitor may see."""
    if asked is not None and asked.filed.esiid == esiid and asked.content is not None and asked.content.intervals:
        return asked if asked.last.state in (State.COMPLETED, State.REFUSED) else None
    entry = smt.ledger.latest(esiid, InquiryKind.INTERVALS, State.COMPLETED)
    if entry is None or not smt.registry.may_see(who.user, esiid, day_of(to_s(entry.filed.submitted_us))):
        return None
    return entry


def _heading(wanted: Wanted) -> str:
    if wanted.view == "year":
        return "Billing periods of 24 months"
    return named_day(wanted.day) if wanted.view == "day" else f"30 days to {named_day(wanted.day)}"


def _steps(wanted: Wanted, today: date) -> list[tuple[str, str, bool]]:
    """Where the days before and after are."""
    if wanted.view == "year":
        return []
    far = _DAY if wanted.view == "day" else _MONTH + _DAY
    earlier, later = wanted.day - far, min(wanted.day + far, today)
    found = []
    if earlier.year in YEARS:
        found.append((f"\N{LEFTWARDS ARROW} {earlier:%b %d}", wanted.at(day=earlier.isoformat()), False))
    if later > wanted.day:
        found.append((f"{later:%b %d} \N{RIGHTWARDS ARROW}", wanted.at(day=later.isoformat()), False))
    return found


def _files(wanted: Wanted, today: date, posted_to: Seconds | None) -> list[tuple[str, str]]:
    """Where what is shown is as a file; of a day that is not posted there is none."""
    if posted_to is None or (wanted.view == "day" and day_start(wanted.day) >= posted_to):
        return []
    first, last = _days_of(wanted.view, wanted.day, today)
    span = {"from": first.isoformat(), "to": last.isoformat()}
    at = f"{PAGES}m/{wanted.esiid}/download"
    return [(name, f"{at}?{urlencode({'format': form} | span)}") for form, (name, _, _) in FILES.items()]
