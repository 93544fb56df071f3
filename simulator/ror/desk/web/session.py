"""Log-in and log-out of agents, and the kit's files. The log-in is looked at by the guard that the API's is looked at by."""

from __future__ import annotations

from fastapi import Request, Response
from fastapi.responses import RedirectResponse
from fastapi.routing import APIRouter
from starlette.exceptions import HTTPException

from headend.http.unrouted import NO_CALL
from simulator.ror.desk.served import Entry, Served, ServedDesk
from simulator.ror.desk.web.door import COOKIE, PAGES, SITE, Form, pages, show
from simulator.web.site import HEADERS
from simulator.web.visitors import Fields, own_path

_LOGIN = f"{PAGES}login"
#: Nobody learns here whether a name is somebody's.
_TOLD = {
    Entry.WRONG: (401, "Name and password do not belong together."),
    Entry.BLOCKED: (403, "Too many log-ins have failed. Wait a minute, and try again."),
}


def router() -> APIRouter:
    """The pages of whoever comes in."""
    routes = pages()

    @routes.get("/")
    async def first(request: Request) -> Response:
        if "text/html" not in request.headers.get("accept", ""):
            raise HTTPException(NO_CALL)
        return RedirectResponse(PAGES, 303, {"vary": "accept"})

    @routes.get(PAGES.removesuffix("/"))
    async def without_slash() -> Response:
        return _to(PAGES)

    @routes.get(_LOGIN)
    async def login_form(request: Request, here: ServedDesk) -> Response:
        after = request.query_params.get("next", "")
        if here.sessions.whose(request.cookies.get(COOKIE, "")) is not None:
            return _to(own_path(PAGES, after))
        # A page of the test bed leads here with the name of who may come in.
        return _login(here, after, name=request.query_params.get("username", "")[:64])

    @routes.post(_LOGIN)
    async def login(request: Request, fields: Fields, here: ServedDesk) -> Response:
        after, name = fields.get("next", ""), fields.get("username", "")
        entry = await here.log_in(name, fields.get("password", ""), request.client.host if request.client else "")
        if entry is not Entry.IN:
            return _login(here, after, *_TOLD[entry], name)
        # The session that was there before is nobody's any more: who knew it does not come in with this one.
        here.sessions.end(request.cookies.get(COOKIE, ""))
        answer, secure = _to(own_path(PAGES, after)), request.url.scheme == "https"
        answer.set_cookie(
            COOKIE, here.sessions.begin(name), path=PAGES, httponly=True, samesite="strict", secure=secure
        )
        return answer

    @routes.post(f"{PAGES}logout")
    async def logout(request: Request, form: Form, here: ServedDesk) -> Response:  # noqa: ARG001 (whose form it is)
        here.sessions.end(request.cookies.get(COOKIE, ""))
        answer = _to(_LOGIN)
        answer.delete_cookie(COOKIE, path=PAGES, httponly=True, samesite="strict")
        return answer

    @routes.get(PAGES + "files/{name}")
    async def file(name: str, request: Request) -> Response:
        return SITE.file(name, request)

    return routes


def _to(path: str) -> RedirectResponse:
    return RedirectResponse(path, 303, HEADERS)


def _login(here: Served, after: str, status: int = 200, why: str = "", name: str = "") -> Response:
    return show(here, None, "login.html.j2", status, title="Log in", after=after, why=why, name=name)
