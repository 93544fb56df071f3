"""An on-demand read of whoever has a session: asked for at the same desk as the APIs', and how it stands, from the ledger.

Nothing of it is kept with a page: a reload, another tab, another worker show the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from urllib.parse import urlencode

from fastapi import Request, Response
from fastapi.responses import RedirectResponse
from fastapi.routing import APIRouter

from headend.wire import InquiryKind
from meters.calendar import Micros, day_of, seconds, to_s, to_us
from simulator.input.mistakes import sentence
from simulator.smt.access.log import What
from simulator.smt.correlation import digits
from simulator.smt.doors.both.asked import asked_by
from simulator.smt.doors.both.refusal import SILENT, wire_refusal
from simulator.smt.doors.both.served import ServedSmt
from simulator.smt.doors.portal.reads import latest_shown
from simulator.smt.doors.web.door import FACE, PAGES, Form, Session, pages, unknown
from simulator.smt.errors import BusinessError
from simulator.smt.ondemand.filing import Asked
from simulator.smt.ondemand.ledger import Entry
from simulator.smt.ondemand.lifecycle import ENDED, State
from simulator.smt.party import Smt
from simulator.smt.registry.records import User
from simulator.smt.throttle.decision import Door
from simulator.web.kinds import KINDS, METER, STORE
from simulator.web.parts import Progress, Step
from simulator.web.site import HEADERS, wanted_part
from simulator.web.visitors import Visitor, WebProblem
from simulator.web.words import by_the_clock, clock, instant

#: The part of a page that tells how a request stands, and what it says when it has ended.
PART, ENDING = "progress", "read-ended"
#: How a request stands, in a word or two.
STANDS: Mapping[State, str] = {
    State.REQUESTED: "taken",
    State.ACCEPTED: "taken",
    State.QUEUED: "queued",
    State.SENT: "sent",
    State.PENDING: "sent",
    State.ANSWERED: "answered",
    State.COMPLETED: "answered",
    State.REFUSED: "refused",
    State.FAILED: "failed",
    State.T_FAILED: "failed (T-FAILED)",
    State.EXPIRED: "failed (T-FAILED)",
}
#: The steps before the end, in their order.
_STEPS = {"Taken": (State.ACCEPTED,), "Queued": (State.QUEUED,), "Sent": (State.SENT, State.PENDING), "Answered": (State.ANSWERED,)}  # fmt: skip
#: What is told of one that takes longer than most (DOMAIN §4).
_SLOW_US, _SLOW = to_us(120), "Most take one to two minutes, three in a hundred up to thirty."
_HEADLINES = {
    State.ANSWERED: ("The answer is on its way to you.", "waits"),
    State.COMPLETED: ("The meter has answered.", "good"),
    State.REFUSED: ("Your request was refused.", "bad"),
    State.FAILED: ("The meter was not read.", "bad"),
    State.T_FAILED: ("The meter was not read: T-FAILED.", "bad"),
    State.EXPIRED: ("The meter was not read: T-FAILED.", "bad"),
}


def router() -> APIRouter:
    """Asking, and how a request stands."""
    routes = pages()

    @routes.post(PAGES + "m/{esiid}/read")
    async def ask(esiid: str, request: Request, form: Form, smt: ServedSmt, who: Session) -> Response:
        kind = {"INTERVALS": InquiryKind.INTERVALS, "REGISTER": InquiryKind.REGISTER}.get(form.get("kind", ""))
        if kind is None:
            raise WebProblem(400, "kind", "It is not said what is to be read.", "Use the buttons of the usage page.")
        now_us = smt.now_us()
        trans_id = digits("portal", who.user.username, esiid, now_us)
        try:
            taken = smt.desk.open_request(Asked(who.user, kind, esiid, Door.PORTAL, trans_id), now_us)
        except BusinessError as error:
            if error.code == "AC1":
                raise unknown() from None
            raise WebProblem(409, error.code, error.message, "Nothing was asked, and nothing is counted.") from None
        day = day_of(smt.driver.now()).isoformat()
        shown = f"{PAGES}m/{esiid}/usage?{urlencode({'day': day, 'read': taken.key})}"
        if wanted_part(request) != PART:
            return RedirectResponse(shown, 303, HEADERS)
        return _part(smt, who, smt.ledger.entry(taken.key), {"x-address": shown})

    @routes.get(PAGES + "r/{key}")
    async def stands(key: str, request: Request, smt: ServedSmt, who: Session) -> Response:
        entry = own_request(smt, who, key)
        if wanted_part(request) == PART:
            return _part(smt, who, entry, {})
        progress = progress_of(smt, who, entry)
        day = day_of(to_s(entry.filed.submitted_us))
        return FACE.show(
            smt,
            who,
            "request.html.j2",
            title="Your request",
            about=f"Asked {instant(to_s(entry.filed.submitted_us))} for ESI ID {entry.filed.esiid}.",
            progress=progress,
            usage=f"{PAGES}m/{entry.filed.esiid}/usage?{urlencode({'day': day.isoformat(), 'read': key})}",
        )

    return routes


def _part(smt: Smt, who: Visitor[User], entry: Entry | None, headers: dict[str, str]) -> Response:
    assert entry is not None
    if entry.ended:
        headers["x-event"] = ENDING
    return FACE.show(smt, who, "progress.html.j2", headers=headers, progress=progress_of(smt, who, entry))


def own_request(smt: Smt, who: Visitor[User], key: str) -> Entry:
    """A request of the visitor's. Raises WebProblem for what is none, or another's: nobody learns which."""
    entry = smt.ledger.entry(key) if key.isascii() and key.isdigit() and len(key) < 40 else None
    if entry is None or not asked_by(entry.filed, who.user):
        raise WebProblem(404, "CORRELATION", "No request of yours has this number.", "See the usage page of the meter.")
    smt.access.note(who.user, entry.filed.esiid, What.STATUS, key)
    return entry


def progress_of(smt: Smt, who: Visitor[User], entry: Entry) -> Progress:
    """How a request stands, as its page tells it."""
    state, waits = entry.last.state, entry.last.state not in ENDED
    headline, tone = _HEADLINES.get(state, (f"Your request is {STANDS[state]}.", "waits"))
    if state is State.COMPLETED and not entry.last.meter_reads:
        headline = "What was collected before has answered. The meter was not read."
    told = list(_told(smt, who, entry))
    if waits and smt.now_us() - entry.filed.submitted_us > _SLOW_US:
        told.append(_SLOW)
    poll = f"{PAGES}r/{entry.filed.key}" if waits else ""
    return Progress(headline, tone, list(_steps(entry, waits=waits)), told, poll)


def _steps(entry: Entry, *, waits: bool) -> Iterator[Step]:
    came: dict[State, Micros] = {step.state: step.at_us for step in reversed(entry.life)}
    reached = [word for word, states in _STEPS.items() if any(one in came for one in states)]
    for word, states in _STEPS.items():
        at = next((clock(to_s(came[one])) for one in states if one in came), "")
        if at:
            yield Step(word, at, "now" if waits and word == reached[-1] else "done")
        elif waits:
            yield Step(word, "", "open")
    if not waits and entry.last.state is not State.COMPLETED:
        word = STANDS[entry.last.state]
        yield Step(word[0].upper() + word[1:], clock(to_s(entry.last.at_us)), "bad")


def _told(smt: Smt, who: Visitor[User], entry: Entry) -> Iterator[str]:
    """The sentences of a request that has ended."""
    last, content = entry.last, entry.content
    if last.state is State.REFUSED:
        refusal = wire_refusal(last.refusal)
        yield f"{by_the_clock(refusal.reason)} ({refusal.code})" if refusal else SILENT
        if refusal and refusal.retryAt:
            yield f"You can ask again from {instant(seconds(refusal.retryAt.timestamp()))}."
    elif last.state in ENDED and last.state is not State.COMPLETED:
        yield sentence(last.reason)
    # What came too late to be told is not told.
    if content is None or last.state not in (State.COMPLETED, State.REFUSED):
        return
    if content.register_read is not None:
        shown = latest_shown(smt, who.user, entry)
        yield f"The register stood at {shown['odrread']} kWh at {instant(seconds(content.register_read.at.timestamp()))}."
        yield f"Since the last posted midnight that is {shown['odrusage']} kWh, not validated."
    if entry.filed.kind is InquiryKind.INTERVALS:
        yield from _of_intervals(entry)


def _of_intervals(entry: Entry) -> Iterator[str]:
    content = entry.content
    assert content is not None
    parts = [
        f"{count} {KINDS[kind].word.removeprefix('non-VEE, ')}"
        for kind in (STORE, METER)
        if (count := sum(one.source == kind for one in content.intervals))
    ]
    if content.missing:
        parts.append(f"{len(content.missing)} without a value")
    yield f"Quarter hours: {', '.join(parts) or 'none'}. They are not validated."
    if content.reachesTo is not None:
        yield f"They reach to {instant(seconds(content.reachesTo.timestamp()))}."
