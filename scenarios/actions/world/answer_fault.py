"""``answer_fault``: what a faulty head-end would answer is laid over the answers of ours, from then on."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

import httpx
from pydantic import Field, model_validator
from starlette.middleware.base import BaseHTTPMiddleware, RequestResponseEndpoint
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp

from headend.wire import InquiryRequest
from meters.calendar import iso, local
from scenarios import twins
from scenarios.actions.action import Played, Row, Seen
from scenarios.parts.expected import COUNT, INSTANT, TEXTS, TRUTH, Fact
from scenarios.parts.setting import Act
from scenarios.records.journal import BentNote
from scenarios.records.values import Instant, Record
from scenarios.twins.headend import changed
from simulator.input.mistakes import did_you_mean
from simulator.smt.ondemand.rules import RULES

if TYPE_CHECKING:
    from scenarios.stage import Bend, Stage


@cache
def faults() -> dict[str, Any]:
    """By rule for answers: what breaks it, and what comes near to that, as ``twins.headend`` does them."""
    told: dict[str, Any] = json.loads(Path(twins.__path__[0], "headend_faults.json").read_text("utf-8"))
    return {rule: one for rule, one in told.items() if rule in RULES}


class AnswerFault(Act):
    """The head-end's answers are bent, from now on, so that they break one of SMT's rules for them, or almost do."""

    rule: str = Field(description="A rule of simulator/smt/ondemand/rules.csv.")
    which: Literal["fault", "least", "near"] = Field(
        default="fault",
        description="near: what comes near to it and is let pass. least: what breaks it by a second, where only a clock that stands tells it from near.",
    )
    answers: int = Field(default=1, ge=1, le=1000, description="So many answers of the kind that the rule is about.")

    @model_validator(mode="after")
    def _there_is_one(self) -> Self:
        if self.rule not in faults():
            raise ValueError(f"no answer can be bent by a rule {self.rule}; {did_you_mean(self.rule, faults())}")
        if self.which not in faults()[self.rule]:
            raise ValueError(f"no answer breaks {self.rule} by a second; leave 'which' out")
        return self


class RecordedFault(Record):
    """A fault that was laid over answers."""

    at: Instant


SeenFault = Seen[AnswerFault, RecordedFault]


class Bending:
    """Bends what the head-end answers on its way to SMT, and notes it: acknowledgements where it serves, answers where it calls back."""

    def __init__(self, stage: Stage, action: AnswerFault) -> None:
        """Bend from now on."""
        self._stage, self._action, self._left = stage, action, action.answers
        told = faults()[action.rule]
        self._kind, self._fault = told["kind"], told[action.which]
        if "ack" in self._fault:
            stage.bent_acks.append(self.acknowledge)
            return
        desk = stage.sandbox.headend.desk
        self._http, desk.http = desk.http, self  # type: ignore[assignment]

    def _inquiry(self, key: str) -> InquiryRequest | None:
        """The open inquiry of an id, if it is to be bent."""
        asked = [one.request for one in self._stage.sandbox.headend.store.inquiries.unended()]
        found = next((one for one in asked if one.correlationId == key and one.kind == self._kind), None)
        return found if self._left else None

    def _note(self, key: str, status: int) -> None:
        self._left -= 1
        facts = {"bent_by": self._action.ref, "status": status}
        self._stage.sandbox.journal.note(self._stage.runtime.now(), "TEST", "answer bent", key, **facts)

    def acknowledge(self, asked: bytes, reply: Response) -> Response:
        """What stands in place of an acknowledgement. asked: the body of the inquiry."""
        key = json.loads(asked)["correlationId"]
        if self._inquiry(key) is None:
            return reply
        ack = self._fault["ack"]
        self._note(key, reply.status_code)
        return Response(ack and json.dumps(ack), reply.status_code, media_type="application/json")

    async def post(self, url: str, *, content: str, headers: dict[str, str]) -> httpx.Response:
        """Post as the head-end does, bent where it is an answer of the kind; some a second time."""
        answer = json.loads(content)
        key = answer["correlationId"]
        inquiry = self._inquiry(key)
        if inquiry is None:
            return await self._http.post(url, content=content, headers=headers)
        instants = {"start": inquiry.start, "end": inquiry.end, "answerBy": inquiry.answerBy}
        known = {name: at for name, at in instants.items() if at is not None}
        known["now"] = local(self._stage.runtime.now())
        bent = changed(answer, self._fault.get("do", []), known)
        reply = await self._http.post(url, content=json.dumps(bent), headers=headers)
        if "again" in self._fault:
            again = json.dumps(changed(bent, self._fault["again"], known))
            reply = await self._http.post(url, content=again, headers=headers)
        self._note(key, reply.status_code)
        return reply


def over_headend(bends: list[Bend]) -> Callable[[ASGIApp], ASGIApp]:
    """What is laid over the head-end's application, so that its acknowledgements can be bent."""

    async def bent(request: Request, answer: RequestResponseEndpoint) -> Response:
        asked = await request.body()
        reply = await answer(request)
        if request.url.path == "/inquiries" and reply.status_code == 202:
            for bend in bends:
                reply = bend(asked, reply)
        return reply

    return lambda app: BaseHTTPMiddleware(app, dispatch=bent)


def _play(stage: Stage, action: AnswerFault) -> Played:
    Bending(stage, action)
    yield stage.runtime.env.timeout(0)
    return {"at": iso(stage.runtime.now())}


def _notes(seen: SeenFault) -> list[BentNote]:
    return [note for note in seen.evidence.notes(BentNote) if note.bent_by == seen.action.ref]


def _became(seen: SeenFault) -> tuple[str, ...]:
    """How the requests ended whose answers were bent, by SMT's ledger."""
    bent = {note.ident for note in _notes(seen)}
    return tuple(sorted({entry.last.state.value for entry in seen.evidence.recording.ledger if entry.key in bent}))


def _found(seen: SeenFault) -> tuple[str, ...]:
    """The rules that SMT found broken in them."""
    bent = {note.ident for note in _notes(seen)}
    steps = [step for entry in seen.evidence.recording.ledger if entry.key in bent for step in entry.transitions]
    return tuple(sorted({step.rule for step in steps} - {""}))


def _tell(seen: SeenFault) -> str:
    bent, found = _notes(seen), ", ".join(_found(seen)) or "nothing"
    if not bent:
        return "No answer was bent."
    return f"{seen.action.rule}, {seen.action.which}: {len(bent)} bent; SMT finds {found}, and ends {', '.join(_became(seen))}."


def _implied(action: AnswerFault) -> dict[str, Any]:
    """One that bent nothing shows nothing; what breaks a rule is found, and what comes near to that is not."""
    return {"bent": {"at_least": 1}, "caught": action.which != "near"}


ROWS = (
    Row(
        "answer_fault",
        "Fault of the head-end",
        AnswerFault,
        RecordedFault,
        _play,
        (
            Fact("begun_at", INSTANT, "from when on", lambda seen: seen.record and seen.record.at),
            Fact("bent", COUNT, "answers that were bent", lambda seen: len(_notes(seen))),
            Fact("http_status", TEXTS, "HTTP status of them: SMT's, of an acknowledgement the head-end's", lambda seen: tuple(sorted({str(note.status) for note in _notes(seen)}))),
            Fact("found", TEXTS, "rules that SMT found broken", _found),
            Fact("caught", TRUTH, "whether SMT found the rule broken that they were bent by", lambda seen: seen.action.rule in _found(seen)),
            Fact("became", TEXTS, "how the requests ended that they were for", _became),
        ),
        _tell,
        implied=_implied,
    ),
)  # fmt: skip
