"""Log-in and log-out, the meters that somebody may see, the kit's gallery and files."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import urlencode

from fastapi import Request, Response
from fastapi.routing import APIRouter

from headend.wire import InquiryKind
from meters.calendar import day_of, to_s
from simulator.smt.access.log import What
from simulator.smt.doors.both.served import ServedSmt
from simulator.smt.doors.web.door import FACE, PAGES, Session
from simulator.smt.doors.web.reads import STANDS
from simulator.smt.party import Smt
from simulator.smt.registry.records import ServicePoint, User
from simulator.web.gallery import gallery
from simulator.web.words import instant

#: Meters on one page. A default of this project.
AT_ONCE = 25


def router() -> APIRouter:
    """The pages of whoever comes in."""
    routes = FACE.router()

    @routes.get(PAGES)
    async def meters(request: Request, smt: ServedSmt, who: Session) -> Response:
        sought, turn = request.query_params.get("q", "").strip(), request.query_params.get("page", "")
        today = day_of(smt.driver.now())
        found = [point for point in smt.registry.seen_by(who.user, today) if _meant(point, sought)]
        last = max(0, len(found) - 1) // AT_ONCE + 1
        page = min(max(int(turn), 1), last) if turn.isascii() and turn.isdigit() and len(turn) < 9 else 1
        rows = []
        for point in found[(page - 1) * AT_ONCE : page * AT_ONCE]:
            smt.access.note(who.user, point.esiid, What.ATTRIBUTES)
            rows.append(_row(smt, who.user, point))
            await asyncio.sleep(0)

        def at(number: int) -> str:
            return f"{PAGES}?{urlencode({'q': sought, 'page': number})}"

        return FACE.show(
            smt,
            who,
            "meters.html.j2",
            title="Your meters",
            rows=rows,
            sought=sought,
            count=len(found),
            page=page,
            last=last,
            before=at(page - 1) if page > 1 else "",
            after=at(page + 1) if page < last else "",
        )

    @routes.get(f"{PAGES}kit")
    async def kit() -> Response:
        return gallery(FACE.site)

    return routes


def _meant(point: ServicePoint, sought: str) -> bool:
    text = f"{point.esiid} {point.meter_number} {point.address} {point.city} {point.zip_code}"
    return sought.casefold() in text.casefold()


def _row(smt: Smt, user: User, point: ServicePoint) -> dict[str, Any]:
    """A meter as the list has it."""
    posted = smt.store.last_vee_end(point.esiid)
    latest = [smt.ledger.latest(point.esiid, kind) for kind in (InquiryKind.INTERVALS, InquiryKind.REGISTER)]
    entry = max((one for one in latest if one is not None), key=lambda one: one.filed.submitted_us, default=None)
    # A read of a day before a move or a switch is another's.
    if entry is not None and not smt.registry.may_see(user, point.esiid, day_of(to_s(entry.filed.submitted_us))):
        entry = None
    return {
        "esiid": point.esiid,
        "address": point.address or "no address on record",
        "place": f"{point.city} {point.zip_code}".strip(),
        "meter": point.meter_number,
        "posted": "nothing yet" if posted is None else instant(posted),
        "read": "none" if entry is None else f"{STANDS[entry.last.state]}, {instant(to_s(entry.last.at_us))}",
    }
