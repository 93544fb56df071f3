"""The head-end's HTTP service: takes inquiries and events (202) and leaves them to their desks; an inquiry's result is called back."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from collections.abc import Collection as Members
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response, Security
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from pydantic import BaseModel, Field

from headend.boundaries import boundary
from headend.day.storm import stopped_meters
from headend.http.api_pages import Frame
from headend.http.described_api import DescribedApi, party_of
from headend.http.examples import Replies, documented
from headend.http.exchange import Exchange, ObserveHttp, current
from headend.http.front import FrontRules, Refusal
from headend.http.links import HeadEndLink, key_of
from headend.http.malformed import tell_malformed
from headend.http.unrouted import NO_CALL, NO_METHOD, tell_unrouted
from headend.network.events import AHEAD_S, EventDesk
from headend.ondemand.desk import OnDemandDesk
from headend.ondemand.gap import GAP_LIMIT
from headend.ports import HeadEndError
from headend.service import batch_wire, collection_wire
from headend.service.findings_wire import DayFindings, FindingsAsked, day_findings
from headend.service.health import HeadEndHealth, HealthDesk
from headend.service.metrics import HeadEndMetrics
from headend.store.inquiries import Acceptance
from headend.store.store import HeadEndStore
from headend.wire import EventBatch, EventsAccepted, InquiryAccepted, InquiryKind, InquiryRequest, OperatingDay
from meters.calendar import INTERVAL_S, seconds


class InquiryError(BaseModel):
    """Why an inquiry, or a batch of events, was not taken."""

    code: str = Field(examples=["headend.inquiry.esiid_unknown"])
    message: str
    place: str = Field(default="", description="The field at fault.")


#: Octets of a body that tells ten thousand events.
_LARGEST = {"/events": 2 << 20}
_UNKNOWN = InquiryError(
    code="headend.inquiry.esiid_unknown", message="No meter of this TDSP has that ESI ID.", place="esiid"
)
_OTHER = InquiryError(
    code="headend.inquiry.other",
    message="Another inquiry was posted under that correlation id.",
    place="correlationId",
)
_NO_KEY = InquiryError(
    code="headend.link.key", message="It does not bear the key of this link (--keys).", place="authorization"
)
_NOT_SMT = InquiryError(
    code="headend.link.reply_to",
    message="This head-end calls its SMT back elsewhere (--smt-of, --reply-to).",
    place="replyTo",
)
#: Whose key each call asks for.
_SENDERS: dict[str, Literal["smt", "meters"]] = {
    "/inquiries": "smt",
    "/events": "meters",
    "/collection/{operatingDay}": "smt",
    "/batches/{operatingDay}": "smt",
    "/findings": "smt",
}
_UNROUTED = {
    NO_CALL: ("headend.http.no_call", "There is no such call."),
    NO_METHOD: ("headend.http.no_method", "This method is not offered here."),
}
_NO_WINDOW = "An INTERVALS inquiry names its start and end."
_AHEAD = f"An event lies more than {AHEAD_S // 60} minutes ahead of the head-end's clock."
_REPLIES: Replies = {
    202: {
        "description": "Accepted and kept; the result is called back. The same inquiry posted again is answered so too, and taken once."
    },
    400: documented("The body is not as documented; `place` names the field.", InquiryError),
    401: documented("It does not bear SMT's key.", InquiryError),
    403: documented("`replyTo` is not SMT's.", InquiryError),
    404: documented("No meter of this TDSP has that ESI ID.", InquiryError),
    409: documented("Another inquiry has that correlation id.", InquiryError),
    503: documented("The inquiry cannot be kept, and is not accepted.", InquiryError),
}
_EVENT_REPLIES: Replies = {
    202: {"description": "Taken: each event of a meter of ours is kept, once."},
    400: documented(
        "The body is not as documented, and no event of it is taken; `place` names the field.", InquiryError
    ),
    401: documented("It does not bear the meters' key.", InquiryError),
}
_TOLD_REPLIES: Replies = {
    400: documented("The day, or what is asked for of it, is not as documented.", InquiryError),
    401: documented("It does not bear SMT's key.", InquiryError),
}
_NO_BATCH = InquiryError(
    code="headend.batch.none", message="VEE has not run over that day here.", place="path.operatingDay"
)
_HEALTH_REPLIES: Replies = {503: documented("It cannot do all of its work.", HeadEndHealth)}


@dataclass(frozen=True, slots=True)
class Served:
    """What the service works on. ``esiids``: the ESI IDs of this TDSP's meters."""

    desk: OnDemandDesk
    events: EventDesk
    health: HealthDesk
    esiids: Members[str]
    metrics: HeadEndMetrics
    link: HeadEndLink
    store: HeadEndStore


class _Keyed(APIRoute):
    """Asks for the key of its link before the body is read."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """See FastAPI."""
        handle, sender = super().get_route_handler(), _SENDERS.get(self.path)

        async def keyed(request: Request) -> Response:
            if sender is not None and not request.app.party(Served).link.takes(request, sender):
                return _refuse(401, _NO_KEY)
            return await handle(request)

        return keyed


#: Of a handler's parameter: the head-end whose application took the request.
ServedHere = Annotated[Served, party_of(Served)]


def create_app(served: Served, title: str, frame: Frame) -> DescribedApi:
    """Make the service."""
    described = "On-demand inquiries of SMT at a TDSP's head-end, and what its meters tell it unasked."
    examples = [Path(__file__).with_name("examples.json")]

    def refuse(_path: str, refusal: Refusal) -> Response:
        served.metrics.refuse(refusal)
        told = InquiryError(code=refusal.code, message=refusal.message, place=refusal.place)
        return _refuse(refusal.status, told)

    front = FrontRules(refuse, _LARGEST)
    app = DescribedApi(
        frame,
        examples,
        front,
        Path(__file__).with_name("fields.csv"),
        title=title,
        description=described,
        version="1",
        redirect_slashes=False,
    )

    def malformed(place: str, message: str) -> JSONResponse:
        return _refuse(400, InquiryError(code="headend.inquiry.malformed", message=f"{message}.", place=place))

    def unrouted(_request: Request, status: int, meant: str, headers: Mapping[str, str] | None) -> JSONResponse:
        code, message = _UNROUTED[status]
        return _refuse(status, InquiryError(code=code, message=message + meant), headers)

    tell_malformed(app, malformed)
    tell_unrouted(app, unrouted)

    app.serve(_router().routes, served)
    app.add_middleware(ObserveHttp, before=_before, after=lambda exchange: _after(exchange, served.metrics))
    return app


@cache
def _router() -> APIRouter:
    """The calls of every head-end."""
    routes = APIRouter(route_class=_Keyed)

    @routes.post(
        "/inquiries",
        dependencies=[Security(key_of("smt"))],
        status_code=202,
        responses=_REPLIES,
        summary="Inquire at the head-end",
        response_model=InquiryAccepted,
    )
    async def inquiries(request: InquiryRequest, here: ServedHere) -> InquiryAccepted | JSONResponse:
        """Accept an inquiry; its result is posted to `replyTo` as an `InquiryResult` (see SMT's `/callbacks/inquiries`)."""
        exchange = current()
        exchange.correlation_id, exchange.call_reference = request.correlationId, request.callReference
        if not (here.link.open or here.link.is_smt(request.replyTo)):
            return _refuse(403, _NOT_SMT)
        if request.esiid not in here.esiids:
            return _refuse(404, _UNKNOWN)
        window_fault = _window_fault(request)
        if window_fault:
            return _refuse(400, InquiryError(code="headend.inquiry.window", message=window_fault, place="start"))
        try:
            became = here.desk.accept(request)
        except HeadEndError as error:
            return _refuse(503, InquiryError(code=error.code, message=error.message))
        if became is Acceptance.OTHER:
            return _refuse(409, _OTHER)
        exchange.opened = True
        return InquiryAccepted(correlationId=request.correlationId)

    @routes.post(
        "/events",
        dependencies=[Security(key_of("meters"))],
        status_code=202,
        responses=_EVENT_REPLIES,
        summary="Tell what meters told unasked",
        response_model=EventsAccepted,
    )
    async def meter_events(batch: EventBatch, here: ServedHere) -> EventsAccepted | JSONResponse:
        """Take events of meters. One that is told again is the same event; one of a meter unknown here is counted and not taken."""
        ahead = here.events.ahead(batch)
        if ahead is not None:
            error = InquiryError(code="headend.events.ahead", message=_AHEAD, place=f"events.{ahead}.at")
            return _refuse(400, error)
        return here.events.accept(batch)

    @routes.get(
        "/findings",
        dependencies=[Security(key_of("smt"))],
        responses=_TOLD_REPLIES,
        summary="What VEE found of an operating day",
    )
    def findings(asked: Annotated[FindingsAsked, Query()], here: ServedHere) -> DayFindings:
        """Tell what the rules found when the day was validated last; of a day that was not, nothing."""
        found = here.store.findings.of_day(asked.day, asked.esiid, asked.rule, asked.skip, asked.most)
        return day_findings(asked.day, *found)

    @routes.get("/healthz", response_model=HeadEndHealth, responses=_HEALTH_REPLIES, summary="Is the service up?")
    async def healthz(here: ServedHere) -> JSONResponse:
        """Tell whether the store takes writes, when meters were last heard, whether SMT takes the files, how many inquiries are open."""
        looked = here.health.look(here.link.asks)
        return JSONResponse(looked.model_dump(mode="json"), status_code=200 if looked.status == "ok" else 503)

    @routes.get("/metrics", include_in_schema=False)
    async def measured(here: ServedHere) -> Response:
        return Response(here.metrics.text(), media_type="text/plain; version=0.0.4")

    _tell_days(routes)
    return routes


def _tell_days(routes: APIRouter) -> None:
    """The calls that tell of operating days."""

    @routes.get(
        "/collection/{operatingDay}",
        dependencies=[Security(key_of("smt"))],
        responses=_TOLD_REPLIES,
        summary="How collection of an ended operating day stands",
    )
    def collection(
        operatingDay: OperatingDay, asked: Annotated[collection_wire.CollectionAsked, Query()], here: ServedHere
    ) -> collection_wire.DayCollection:
        """Tell attempts, cause of the latest failure and whether all is there, by meter; of a day that no sweep has asked for yet, of none."""
        states = here.store.states.of_day(operatingDay, asked.esiid, asked.complete, asked.after, asked.limit)
        return collection_wire.told(
            operatingDay, states, stopped_meters(here.store, operatingDay, operatingDay).get(operatingDay, set())
        )

    @routes.get(
        "/batches/{operatingDay}",
        dependencies=[Security(key_of("smt"))],
        response_model=batch_wire.BatchReport,
        responses=_TOLD_REPLIES | {404: documented("VEE has not run over that day.", InquiryError)},
        summary="The batch report of an operating day",
    )
    def batches(operatingDay: OperatingDay, here: ServedHere) -> batch_wire.BatchReport | JSONResponse:
        """Tell how much was collected, and of each run of VEE: intervals actual and estimated, findings by rule, top offenders, duration."""
        partitions = here.store.partitions.of_day(operatingDay)
        if not partitions:
            return _refuse(404, _NO_BATCH)
        return batch_wire.report_of(operatingDay, partitions, here.store.states.of_day(operatingDay))


def _before(exchange: Exchange) -> None:
    if exchange.opened:
        boundary("headend.reply.before")


def _after(exchange: Exchange, metrics: HeadEndMetrics) -> None:
    if exchange.opened:
        boundary("headend.reply.after")
    metrics.exchanged(exchange)


def _window_fault(request: InquiryRequest) -> str:
    """What is wrong with the gap of an INTERVALS inquiry; empty when nothing is."""
    if request.kind is not InquiryKind.INTERVALS:
        return ""
    if request.start is None or request.end is None:
        return _NO_WINDOW
    start, end = seconds(request.start.timestamp()), seconds(request.end.timestamp())
    if start % INTERVAL_S or end % INTERVAL_S or end <= start:
        return "start and end are whole quarter hours, start before end."
    if end - start > GAP_LIMIT * INTERVAL_S:
        return f"At most {GAP_LIMIT} intervals ({GAP_LIMIT * INTERVAL_S // 3600} h) are served."
    return ""


def _refuse(status: int, error: InquiryError, headers: Mapping[str, str] | None = None) -> JSONResponse:
    return JSONResponse(error.model_dump(), status_code=status, headers=headers)
