"""``complaint``: what users complain of is switched on or off in mid-run, by the control API."""

from __future__ import annotations

import functools
from collections import Counter
from typing import TYPE_CHECKING, Any, Self

import httpx
from pydantic import Field, model_validator

from meters.calendar import iso, local
from scenarios.actions.action import Played, Row, Seen
from scenarios.evidence import Evidence
from scenarios.parts.expected import COUNT, INSTANT, TEXT, TEXTS, Fact
from scenarios.parts.setting import Act, ScenarioComplaint
from scenarios.records.journal import ComplaintNote
from scenarios.records.values import Count, Instant, Record

if TYPE_CHECKING:
    from scenarios.stage import Stage


class Complaint(Act):
    """A complaint is declared, or one that was declared is lifted, by the control API in the middle of the run."""

    declare: ScenarioComplaint | None = None
    lift: str | None = Field(default=None, description="The ref of the action that declared it.")

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.declare is None) == (self.lift is None):
            raise ValueError("say either what to declare or what to lift")
        return self


class RecordedComplaint(Record):
    """A complaint that was declared or lifted by the control API."""

    at: Instant
    status: Count
    id: str | None
    strikes: Count | None


SeenComplaint = Seen[Complaint, RecordedComplaint]


def _play(stage: Stage, action: Complaint) -> Played:
    path = "/control/complaints"
    if action.declare is not None:
        said = action.declare.spec(stage.world).model_dump(mode="json", exclude_unset=True)
        call = functools.partial(stage.http.post, path, json=said)
    else:
        call = functools.partial(stage.http.delete, f"{path}/{stage.kept.get(str(action.lift), '-')}")
    reply: httpx.Response = yield stage.runtime.io("control", action.ref, call, lane="smt")
    body = reply.json()
    if reply.is_success and action.declare is not None:
        stage.kept[action.ref] = body["id"]
    at = iso(stage.runtime.now())
    return {"at": at, "status": reply.status_code, "id": body.get("id"), "strikes": body.get("strikes")}


def strikes(evidence: Evidence, ident: str) -> dict[str, Any]:
    """How often a complaint struck, what it did, when: evidence of it."""
    mine = list(evidence.notes(ComplaintNote, ident))
    return {
        "strikes": len(mine),
        "did": dict(sorted(Counter(note.did for note in mine).items())),
        "first_strike": iso(mine[0].at) if mine else None,
        "last_strike": iso(mine[-1].at) if mine else None,
    }


def struck_text(kind: str, count: int) -> str:
    """That a complaint struck so often, as a sentence."""
    times = "once" if count == 1 else f"{count} times"
    return f"On purpose: {kind} struck {times}." if count else f"{kind} never struck."


def _notes(seen: SeenComplaint) -> list[ComplaintNote]:
    return list(seen.evidence.notes(ComplaintNote, str(seen.record and seen.record.id)))


def _late(seen: SeenComplaint) -> tuple[str, ...]:
    at = 0 if seen.record is None or seen.action.declare else seen.record.at
    return tuple(iso(note.at) for note in _notes(seen) if at and note.at > at)


def _tell(seen: SeenComplaint) -> str:
    count = len(_notes(seen))
    if seen.action.declare is not None:
        return struck_text(seen.action.declare.kind.value, count)
    at = "-" if seen.record is None else f"{local(seen.record.at):%Y-%m-%d %H:%M}"
    return f"Lifted by the control API at {at}, after {seen.record and seen.record.strikes} strikes."


def _implied(action: Complaint) -> dict[str, Any]:
    """One that never struck shows nothing; one that was lifted strikes no more."""
    return {"strikes": {"at_least": 1}} if action.declare else {"http_status": 200, "late": []}


ROWS = (
    Row(
        "complaint",
        "Complaint",
        Complaint,
        RecordedComplaint,
        _play,
        (
            Fact("complaint", TEXT, "id of the complaint", lambda seen: seen.record and seen.record.id),
            Fact("asked_at", INSTANT, "instant of the answer", lambda seen: seen.record and seen.record.at),
            Fact("http_status", COUNT, "answer of the control API", lambda seen: seen.record and seen.record.status),
            Fact("strikes", COUNT, "how often it struck", lambda seen: len(_notes(seen))),
            Fact("did", TEXTS, "what it did", lambda seen: tuple(sorted({note.did for note in _notes(seen)}))),
            Fact("late", TEXTS, "strikes after it was lifted", _late, shown=False),
        ),
        _tell,
        implied=_implied,
    ),
)  # fmt: skip
