"""Daily reads, meter and premise with their HAN devices, and who read the data of an ESI ID."""

from __future__ import annotations

from datetime import datetime, timedelta

from fastapi import Request, Response
from fastapi.routing import APIRouter

from headend.vee.quality import Channel
from meters.calendar import day_of
from simulator.smt.doors.both.asked import point_seen
from simulator.smt.doors.both.premise import devices_of, meters_of, premise_of
from simulator.smt.doors.both.served import ServedSmt
from simulator.smt.doors.both.usage_reads import registered_reads, sees_any, stored_days
from simulator.smt.doors.web.asked import day_of_query
from simulator.smt.doors.web.door import FACE, PAGES, Session, pages, unknown
from simulator.smt.errors import BusinessError
from simulator.smt.party import Smt
from simulator.smt.registry.records import ServicePoint, User, UserKind
from simulator.web.visitors import Visitor

_MONTH = timedelta(days=29)


def router() -> APIRouter:
    """What there is of a meter beside its usage."""
    routes = pages()

    @routes.get(PAGES + "m/{esiid}/reads")
    async def reads(esiid: str, request: Request, smt: ServedSmt, who: Session) -> Response:
        today = day_of(smt.driver.now())
        last = day_of_query(request.query_params, "to", today, today)
        first = last - _MONTH
        if not sees_any(smt, who.user, esiid, first, last):
            raise unknown()
        stored = await stored_days(smt, who.user, esiid, Channel.LOAD, first, last)
        here = f"{PAGES}m/{esiid}/reads?to="
        return FACE.show(
            smt,
            who,
            "reads.html.j2",
            title="Daily reads",
            about=f"ESI ID {esiid}: the register at both midnights of each posted day.",
            esiid=esiid,
            at="reads",
            seen_today=smt.registry.may_see(who.user, esiid, today),
            rows=registered_reads(stored)[::-1],
            before=here + (first - timedelta(days=1)).isoformat(),
            after=here + min(last + _MONTH + timedelta(days=1), today).isoformat() if last < today else "",
        )

    @routes.get(PAGES + "m/{esiid}/meter")
    async def meter(esiid: str, smt: ServedSmt, who: Session) -> Response:
        point = _seen(smt, who, esiid)
        return FACE.show(
            smt,
            who,
            "meter.html.j2",
            title="Meter and premise",
            about=f"ESI ID {esiid}: what SMT has on record today.",
            esiid=esiid,
            at="meter",
            seen_today=True,
            premise=premise_of(point),
            meters=meters_of(smt.registry, point),
            devices=devices_of(smt.registry, point),
        )

    @routes.get(PAGES + "m/{esiid}/access")
    async def access(esiid: str, smt: ServedSmt, who: Session) -> Response:
        # The log names others: it is told to whom the data are about.
        if who.user.kind is not UserKind.CUSTOMER:
            raise unknown()
        _seen(smt, who, esiid)
        found = [
            (f"{at:%a %b %d %H:%M:%S %Z}", one)
            for one in smt.access.of(esiid)
            if smt.registry.may_see(who.user, esiid, (at := datetime.fromisoformat(one.at)).date())
        ]
        return FACE.show(
            smt,
            who,
            "access.html.j2",
            title="Who read my data",
            about=f"ESI ID {esiid}: the latest reads first.",
            esiid=esiid,
            at="access",
            seen_today=True,
            rows=[one for one in found if one[1].username != who.user.username],
            own=[one for one in found if one[1].username == who.user.username],
        )

    return routes


def _seen(smt: Smt, who: Visitor[User], esiid: str) -> ServicePoint:
    try:
        return point_seen(smt, who.user, esiid)
    except BusinessError:
        raise unknown() from None
