"""The console's application: its routes, who comes in, and how what stands against a request is told."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse, StreamingResponse
from starlette.exceptions import HTTPException
from starlette.routing import BaseRoute
from starlette.types import ASGIApp

from headend.http.front import Front, FrontRules, Refusal
from meters.errors import UserError
from meters.faults.kinds import KINDS, Span
from reports.console.asked import LOOKS, Look, told_of
from reports.console.bed import SILENT, BedProblem, Call, problem_of
from reports.console.copied import as_scenario, said_no
from reports.console.doings import DOINGS, body_of
from reports.console.door import PAGES, ROOT, SITE, TO_STRANGERS, Console, face
from reports.console.live import Live
from reports.console.own_bed import CLOCKS
from reports.console.picture import stations
from reports.console.runs import load_of
from reports.console.tester import add_pages
from simulator.ror.desk.web.rebilled import rebilled_of
from simulator.ror.desk.wire import Call as DeskCall
from simulator.smt.complaints.kinds import KINDS as COMPLAINTS
from simulator.web.frame import templates
from simulator.web.gallery import gallery
from simulator.web.parts import Problem
from simulator.web.site import HEADERS, fields_of, wanted_part
from simulator.web.visitors import Face, of_session, sent_here

#: Octets of a scenario's text at most.
_LARGEST = {f"{ROOT}scenarios": 1 << 20}
#: Id of the part that waits for a bed.
_START = "start"


def create_app(console: Console) -> ASGIApp:
    """Make the application."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    app.router.routes.extend(routes_of(console))
    _tell(console, app)
    face(console).tell_problems(app, console)

    def refuse(_path: str, refusal: Refusal) -> Response:
        problem = Problem(refusal.code, f"{refusal.place}: {refusal.message}", "Go back to the page.")
        return console.show(
            "problem.html.j2", refusal.status, title="That did not work", problem=problem, **TO_STRANGERS
        )

    return Front(app, FrontRules(refuse, _LARGEST))


def routes_of(console: Console) -> list[BaseRoute]:
    """All that a console answers."""
    people = face(console)
    routes = APIRouter(dependencies=[Depends(_guard(people))])
    for look in LOOKS:
        routes.add_api_route(ROOT + look.path, _looking(console, look))
    _beginning(console, routes)
    _doing(console, routes)
    _copying(console, routes)
    _living(console, routes)
    add_pages(console, routes)
    return [*_outside(people).routes, *routes.routes]


def _guard(people: Face[Console, str]) -> Callable[[Request], Awaitable[None]]:
    async def guard(request: Request) -> None:
        who = await people.visitor(request)
        if request.method == "POST":
            of_session(await sent_here(request), who.form_token)

    return guard


def _outside(people: Face[Console, str]) -> APIRouter:
    """What everybody may see: log-in and files."""
    routes = people.router()

    @routes.get("/")
    async def begin() -> Response:
        return RedirectResponse(ROOT, 303, HEADERS)

    return routes


def _looking(console: Console, look: Look) -> Callable[[Request], Awaitable[Response]]:
    async def page(request: Request) -> Response:
        if not look.path and not await _there(console):
            return _without_bed(console)
        if not look.path and wanted_part(request) == _START:
            # The part that waited for the bed: its page is another one now.
            return Response(status_code=204, headers={**HEADERS, "x-location": ROOT})
        try:
            told = await _told(console, look, request.query_params)
        except BedProblem as error:
            if look.path or console.own is None or error.problem.code != SILENT:
                raise
            # The usual one has ended meanwhile.
            console.bed = None
            return _without_bed(console)
        return console.show(
            look.template,
            at=look.path,
            now=told["clock"]["now"],
            runs=console.root,
            at_bed=console.looked_at().url,
            **_about(look, told, _done(console, request), own=console.own is not None and console.own.running),
        )

    return page


async def _told(console: Console, look: Look, words: Mapping[str, str]) -> dict[str, Any]:
    """What a page of the bed tells; the first one of a load that is played against it too. Raises BedProblem."""
    bed = console.looked_at()
    told = await told_of(look, bed, words)
    if not look.path:
        told["load"] = await asyncio.to_thread(load_of, console.root, bed.url, told["clock"]["now"][:10])
    return told


async def _there(console: Console) -> bool:
    """Whether there is a bed, now."""
    with suppress(BedProblem):
        console.looked_at()
    if console.bed is None and console.own is not None:
        console.bed = await console.own.found()
    return console.bed is not None


def _without_bed(console: Console) -> Response:
    """The first page while there is no bed: how one begins, or where there is none to begin, the runs."""
    own = console.own
    if own is None:
        return RedirectResponse(f"{ROOT}runs", 303, HEADERS)
    return console.show(
        "start.html.j2", title="Test bed", usual=own.usual, begins=own.running, said=own.said, clocks=CLOCKS
    )


def _beginning(console: Console, routes: APIRouter) -> None:
    """A bed of the console's own."""

    @routes.post(ROOT + "bed/{what}")
    async def bed(what: str, request: Request) -> Response:
        own, fields = console.own, await fields_of(request)
        if own is None or what not in ("begin", "stop"):
            raise HTTPException(404)
        if what == "stop":
            console.bed = None
            await own.stop()
        elif console.bed is None:
            await own.begin(fields.get("clock", ""), fields.get("date", "").strip())
        return RedirectResponse(ROOT, 303, HEADERS)


def _about(look: Look, told: Mapping[str, Any], done: Call | None, *, own: bool) -> dict[str, Any]:
    """What a page of a bed says. own: the bed was begun here."""
    extra: dict[str, Any] = {"title": look.title, "about": look.about, "done": done, **told}
    if not look.path:
        extra |= {"stations": stations(told), "own": own}
    if told.get("one"):
        extra["rebilled"] = rebilled_of(DeskCall.model_validate(told["one"]))
    if "bed" in told:
        extra["desk_agent"] = next((one["username"] for one in told["bed"]["logins"] if one["role"] == "desk"), "")
    kinds = [(kind.value, row) for kind, row in KINDS.items() if row.span is not Span.ALWAYS]
    return extra | {"kinds": kinds, "complaint_kinds": COMPLAINTS}


def _done(console: Console, request: Request) -> Call | None:
    """The call that led here."""
    number = request.query_params.get("done", "")
    return next((one for one in (console.bed.calls if console.bed else ()) if str(one.number) == number), None)


def _doing(console: Console, routes: APIRouter) -> None:
    """What changes a bed."""

    @routes.post(ROOT + "do/{name}")
    async def do(name: str, request: Request) -> Response:
        doing, fields, bed = DOINGS.get(name), await fields_of(request), console.looked_at()
        ident = fields.get("ident", "")
        if doing is None or ("{ident}" in doing.path and not ident.replace("-", "").isalnum()):
            raise BedProblem(404, Problem("console.doing", "There is nothing like that to do.", "Go back to the page."))
        call = await bed.do(doing.method, doing.path.replace("{ident}", ident), body_of(doing, fields))
        return _after(console, doing.page, call)

    @routes.post(ROOT + "ask")
    async def ask(request: Request) -> Response:
        """Ask for a read as the REP of record does: by the market API, with its own log-in."""
        fields, bed = await fields_of(request), console.looked_at()
        login = next((one for one in (await bed.get("/control/bed"))["logins"] if one["role"] == "ror"), None)
        if login is None:
            raise BedProblem(
                409,
                Problem("console.no_ror", "This bed told of no retailer's log-in.", "Ask by the market API itself."),
            )
        got = await bed.do("POST", "/v2/token/", {"username": login["username"], "password": login["password"]})
        token = got.told.get("accessToken") if isinstance(got.told, dict) else None
        if not token:
            raise BedProblem(got.status, problem_of(got.status, got.told))
        kind, count = fields.get("kind", ""), got.number
        asked = {
            "trans_id": f"console-{count}",
            "requestorID": login["username"],
            "requesterType": "REP",
            "requesterAuthenticationID": login["duns"],
            "ESIID": fields.get("esiid", "").strip(),
            "reportFormat": "JSON",
            "deliveryMode": "API",
            "SMTTermsandConditions": "Y",
        }
        if kind == "INTERVALS":
            asked |= {"readType": kind, "callReference": f"console-{count}"}
        path = "/v2/powerstatus/" if kind == "POWER" else "/v2/odr/"
        return _after(console, "requests", await bed.do("POST", path, asked, token))


def _copying(console: Console, routes: APIRouter) -> None:
    """What was done, and a scenario of it."""

    @routes.get(ROOT + "journal")
    async def journal() -> Response:
        calls = console.bed.calls[::-1] if console.bed else []
        return console.show("journal.html.j2", at="journal", title="What was done", about="Each call that this console has made, as a line for a shell.", calls=calls)  # fmt: skip

    @routes.post(ROOT + "journal")
    async def copy(request: Request) -> Response:
        name = (await fields_of(request)).get("name", "").strip() or "what-was-done"
        text, told = await as_scenario(console.looked_at(), name)
        return console.show("scenario.html.j2", at="scenarios", title="Scenario of what was done", text=text, told=told, mistakes=[], sound=None)  # fmt: skip


def _living(console: Console, routes: APIRouter) -> None:
    """Counts as they change; the kit."""

    async def part() -> str:
        try:
            told = await _told(console, LOOKS[0], {})
        except BedProblem as error:
            return templates(PAGES).get_template("silent_part.html.j2").render(problem=error.problem)
        return templates(PAGES).get_template("picture_part.html.j2").render(stations=stations(told), site=SITE)

    live = Live(part)

    @routes.get(f"{ROOT}live")
    async def counts() -> Response:
        console.looked_at()
        return StreamingResponse(
            live.events(), media_type="text/event-stream", headers={**HEADERS, "x-accel-buffering": "no"}
        )

    @routes.get(f"{ROOT}kit")
    async def kit() -> Response:
        return gallery(SITE)


def _after(console: Console, page: str, call: Call) -> Response:
    """Back to the page; with what stood against it."""
    if not call.ok or said_no(call) or (isinstance(call.told, dict) and call.told.get("refusal")):
        problem = problem_of(call.status, call.told)
        status = call.status if call.status >= 400 else 409
        return console.show("problem.html.j2", status, title="That was not done", at=page, problem=problem, done=call)
    return RedirectResponse(f"{ROOT}{page}?{urlencode({'done': call.number})}", 303, HEADERS)


def _tell(console: Console, app: FastAPI) -> None:
    """Answer what stands against a request by a page."""

    def page(status: int, problem: Problem, request: Request) -> Response:
        its = {"done": None} if console.known(request) else TO_STRANGERS
        part = wanted_part(request)
        return console.show("problem.html.j2", status, title="That did not work", problem=problem, part=part, **its)

    @app.exception_handler(BedProblem)
    async def bed(request: Request, error: BedProblem) -> Response:
        return page(error.status, error.problem, request)

    @app.exception_handler(UserError)
    async def user(request: Request, error: UserError) -> Response:
        what = f"{error.place}: {error.message}" if error.place else error.message
        return page(400, Problem(error.code, what, error.mend or "Go back, and change it."), request)

    @app.exception_handler(HTTPException)
    async def unrouted(request: Request, error: HTTPException) -> Response:
        return page(
            error.status_code,
            Problem(f"http.{error.status_code}", "There is no such page.", "Begin at the console's first page."),
            request,
        )

    @app.exception_handler(RequestValidationError)
    async def unread(request: Request, _error: RequestValidationError) -> Response:
        return await unrouted(request, HTTPException(404))

    @app.exception_handler(Exception)
    async def broken(request: Request, error: Exception) -> Response:
        return page(
            500,
            Problem("console.broken", f"A fault of the console's own: {type(error).__name__}.", "Load the page again."),
            request,
        )
