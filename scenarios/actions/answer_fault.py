"""``answer_fault``: what a faulty head-end would answer is laid over the answers of ours, from then on."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

import httpx
from pydantic import Field, model_validator

from meters.calendar import iso, local
from scenarios import twins
from scenarios.actions.action import Played, Row, Seen
from scenarios.expected import COUNT, INSTANT, TEXTS, TRUTH, Fact
from scenarios.records.journal import BentNote
from scenarios.records.values import Instant, Record
from scenarios.setting import Act
from scenarios.twins.headend import changed
from simulator.input.mistakes import did_you_mean

if TYPE_CHECKING:
    from scenarios.stage import Stage


@cache
def faults() -> dict[str, Any]:
    """By rule for answers: what breaks it, and what comes near to that."""
    told: dict[str, Any] = json.loads(Path(twins.__path__[0], "headend_faults.json").read_text("utf-8"))
    # What is wrong with an acknowledgement, or comes in a second answer, is no part of an answer.
    return {rule: one for rule, one in told.items() if all("do" in one[which] for which in ("fault", "near"))}


class AnswerFault(Act):
    """The head-end's answers are bent, from now on, so that they break one of SMT's rules for them, or almost do."""

    rule: str = Field(description="A rule of simulator/smt/ondemand/rules.csv.")
    which: Literal["fault", "near"] = Field(default="fault", description="near: what comes near to it and is let pass.")
    answers: int = Field(default=1, ge=1, le=1000, description="So many answers of the kind that the rule is about.")

    @model_validator(mode="after")
    def _there_is_one(self) -> Self:
        if self.rule not in faults():
            raise ValueError(f"no answer can be bent by a rule {self.rule}; {did_you_mean(self.rule, faults())}")
        return self


class RecordedFault(Record):
    """A fault that was laid over answers."""

    at: Instant


SeenFault = Seen[AnswerFault, RecordedFault]


class Bending:
    """The head-end's client for call-backs, which bends the answers on their way to SMT, and notes it."""

    def __init__(self, stage: Stage, action: AnswerFault) -> None:
        """Bend what it posts from now on."""
        self._stage, self._action, self._left = stage, action, action.answers
        self._told = faults()[action.rule]
        desk = stage.sandbox.headend.desk
        self._http, desk.http = desk.http, self  # type: ignore[assignment]

    async def post(self, url: str, *, content: str, headers: dict[str, str]) -> httpx.Response:
        """Post as the head-end does, bent where it is an answer of the kind."""
        answer = json.loads(content)
        key, sandbox = answer["correlationId"], self._stage.sandbox
        asked = [one.request for one in sandbox.headend.store.inquiries.unended()]
        inquiry = next((one for one in asked if one.correlationId == key and one.kind == self._told["kind"]), None)
        if not self._left or inquiry is None:
            return await self._http.post(url, content=content, headers=headers)
        self._left -= 1
        now = self._stage.runtime.now()
        instants = {"start": inquiry.start, "end": inquiry.end, "answerBy": inquiry.answerBy, "now": local(now)}
        known = {name: at for name, at in instants.items() if at is not None}
        bent = json.dumps(changed(answer, self._told[self._action.which]["do"], known))
        reply = await self._http.post(url, content=bent, headers=headers)
        facts = {"bent_by": self._action.ref, "status": reply.status_code}
        sandbox.journal.note(now, "TEST", "answer bent", key, **facts)
        return reply


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
    return {"bent": {"at_least": 1}, "caught": action.which == "fault"}


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
            Fact("http_status", TEXTS, "SMT's answers to them", lambda seen: tuple(sorted({str(note.status) for note in _notes(seen)}))),
            Fact("found", TEXTS, "rules that SMT found broken", _found),
            Fact("caught", TRUTH, "whether SMT found the rule broken that they were bent by", lambda seen: seen.action.rule in _found(seen)),
            Fact("became", TEXTS, "how the requests ended that they were for", _became),
        ),
        _tell,
        implied=_implied,
    ),
)  # fmt: skip
