"""Log-in and log-out, the meters that somebody may see, the kit's gallery and files."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import urlencode

from fastapi import Request, Response
from fastapi.responses import RedirectResponse
from fastapi.routing import APIRouter

from headend.wire import InquiryKind
from meters.calendar import day_of, to_s
from simulator.smt.access.gatekeeper import TokenKind
from simulator.smt.access.log import What
from simulator.smt.doors.both.served import Peer, ServedSmt
from simulator.smt.doors.web.door import COOKIE, LOGIN, PAGES, SITE, Form, Session, pages, show
from simulator.smt.doors.web.reads import STANDS
from simulator.smt.party import Smt
from simulator.smt.registry.log_in import LoginFault
from simulator.smt.registry.records import ServicePoint, User
from simulator.web.gallery import gallery
from simulator.web.site import HEADERS
from simulator.web.visitors import Fields, own_path
from simulator.web.words import instant

#: Meters on one page. A default of this project.
AT_ONCE = 25
#: Nobody learns here whether a name is somebody's.
_REFUSED = "Name and password do not belong together."
_BLOCKED = "Too many log-ins have failed. Wait a minute, and try again."


def router() -> APIRouter:
    """The pages of whoever comes in."""
    routes = pages()

    @routes.get(LOGIN)
    async def login_form(request: Request, smt: ServedSmt) -> Response:
        session = request.cookies.get(COOKIE, "")
        if session and smt.gatekeeper.user_of(session, TokenKind.WEB):
            return _to(own_path(PAGES, request.query_params.get("next", "")))
        asked = request.query_params
        return _login(smt, asked.get("next", ""), name=asked.get("username", "")[:64])

    @routes.post(LOGIN)
    async def login(request: Request, fields: Fields, smt: ServedSmt, peer: Peer) -> Response:
        after, name = fields.get("next", ""), fields.get("username", "")
        found = await smt.gatekeeper.login(name, fields.get("password", ""), peer)
        if isinstance(found, LoginFault):
            blocked = found is LoginFault.BLOCKED
            return _login(smt, after, 403 if blocked else 401, _BLOCKED if blocked else _REFUSED, name)
        # The session that was there before is nobody's any more: who knew it does not come in with this one.
        smt.gatekeeper.end(request.cookies.get(COOKIE, ""), TokenKind.WEB)
        answer = _to(own_path(PAGES, after))
        secure = request.url.scheme == "https"
        session = smt.gatekeeper.issue(found, TokenKind.WEB).text
        answer.set_cookie(COOKIE, session, path=PAGES, httponly=True, samesite="strict", secure=secure)
        return answer

    @routes.post(f"{PAGES}logout")
    async def logout(request: Request, form: Form, smt: ServedSmt) -> Response:  # noqa: ARG001 (whose form it is)
        smt.gatekeeper.end(request.cookies.get(COOKIE, ""), TokenKind.WEB)
        answer = _to(LOGIN)
        answer.delete_cookie(COOKIE, path=PAGES, httponly=True, samesite="strict")
        return answer

    @routes.get(PAGES.removesuffix("/"))
    async def without_slash() -> Response:
        return _to(PAGES)

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

        return show(
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
        return gallery(SITE)

    @routes.get(PAGES + "files/{name}")
    async def file(name: str, request: Request) -> Response:
        return SITE.file(name, request)

    return routes


def _to(path: str) -> RedirectResponse:
    return RedirectResponse(path, 303, HEADERS)


def _login(smt: Smt, after: str, status: int = 200, why: str = "", name: str = "") -> Response:
    return show(smt, None, "login.html.j2", status, title="Log in", after=after, why=why, name=name)


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
