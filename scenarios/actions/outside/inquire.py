"""``inquire``: an inquiry straight to the head-end, as SMT's link sends it, and what is called back for it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from functools import cached_property, partial
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Literal, Self

import httpx
from pydantic import Field, model_validator

from headend.http.foreign import document
from headend.http.links import bearing
from headend.wire import InquiryKind, InquiryResult
from meters.calendar import Seconds, day_of, epoch, iso, local, seconds, to_us
from scenarios.actions.action import Played, Row, Seen
from scenarios.outside.call_backs import PATH, Awaited, read
from scenarios.outside.party import QUIET_S
from scenarios.parts.expected import COUNT, TEXT, TEXTS, Fact
from scenarios.parts.setting import Act
from scenarios.parts.written import DAY_S, LocalTime, Name
from scenarios.records.values import Count, Instant, Record
from simulator.smt.ondemand.judged import SMTS_CLOCKS, Case, Clocks, breaches, digest
from simulator.smt.ondemand.lifecycle import Filed
from simulator.smt.ondemand.rules import finding
from simulator.smt.registry.meter_attributes import most_wh

if TYPE_CHECKING:
    from scenarios.stage import Stage

#: An ESI ID of nobody's: the company's first digits, and none of its meters'.
STRANGERS = "99999999999"
#: Characters of an acknowledgement that are kept.
_MOST_TOLD = 2000
#: Model seconds by which the clock goes on while an answer is waited for, and after the time for it.
_TICK_S, _GRACE_S = seconds(60), seconds(60)
#: By which it goes on when the answer is there.
_AFTER_S = seconds(1)
#: Wall seconds that a reply to the inquiry itself may take; a barrier waits twice as long.
_REPLY_S = 8.0


class Inquire(Act):
    """An inquiry is sent straight to the head-end, as SMT's link does it; its result is called back below SMT's address and kept."""

    kind: Literal["INTERVALS", "REGISTER", "POWER"] = "INTERVALS"
    start: LocalTime | None = Field(default=None, description="Of an INTERVALS inquiry: where the gap begins.")
    end: LocalTime | None = Field(default=None, description="And where it ends.")
    meter_allowed: bool = True
    store_allowed: bool = True
    answer_within_s: Seconds = Field(
        default=seconds(2700),
        ge=-DAY_S,
        le=DAY_S,
        description="From the inquiry to its answerBy; below 0 that is over.",
    )
    whose: Literal["own", "stranger"] = Field(default="own", description="stranger: an ESI ID of no meter's.")
    key: Literal["smt", "none"] = Field(default="smt", description="The key of the link that it bears.")
    again: Name | None = Field(default=None, description="The ref of an inquiry whose id it has.")
    meets: tuple[Literal["error", "cut"], ...] = Field(
        default=(), description="What the first call-backs meet: HTTP 500, or a wire that is cut."
    )

    @model_validator(mode="after")
    def _has_its_gap(self) -> Self:
        edges = (self.start, self.end)
        if self.kind == "INTERVALS" and (None in edges or edges[0] >= edges[1]):  # type: ignore[operator]
            raise ValueError("an INTERVALS inquiry is about a gap; write start and end")
        if self.kind != "INTERVALS" and edges != (None, None):
            raise ValueError(f"a {self.kind} inquiry has no gap; leave start and end out")
        return self


class RecordedCallBack(Record):
    """A call-back. status: what it was answered, None where its wire was cut."""

    at: Instant
    keyed: bool
    sealed: bool
    status: Count | None
    body: str


class RecordedInquiry(Record):
    """An inquiry without its address for the answer, which is a secret. status: its reply's, None for none; most_wh: what the service carries in a quarter hour; meters: how many of ours stand behind the ESI ID."""

    at: Instant
    asked: dict[str, Any]
    status: Count | None
    told: str
    came: list[RecordedCallBack]
    most_wh: Count
    meters: Count = 0

    @property
    def key(self) -> str:
        """Its correlation id."""
        return str(self.asked["correlationId"])

    @cached_property
    def answered(self) -> RecordedCallBack | None:
        """The call-back that counts: the first that was taken."""
        return next((one for one in self.came if one.status == 202), None)

    @cached_property
    def result(self) -> InquiryResult | None:
        """What that says."""
        return read(self.answered.body) if self.answered else None

    def tries(self) -> list[RecordedCallBack]:
        """The call-backs up to the one that was taken, or refused for good."""
        met = next((at for at, one in enumerate(self.came) if one.status and one.status < 500), len(self.came))
        return self.came[: met + 1]

    @property
    def tries_agree(self) -> bool:
        """Whether these tell the same."""
        tries = self.tries()
        return all(_same(one.body, tries[0].body) for one in tries)

    def found(self, clocks: Clocks = SMTS_CLOCKS) -> dict[str, tuple[str, str]]:
        """The rules for answers that it breaks, each with field and value. clocks: how far the head-end's may be off."""
        broken: dict[str, tuple[str, str]] = {}
        acknowledged = _member(self.told, "correlationId") if self.status == 202 else None
        if acknowledged not in (None, self.key):
            broken["OTHER-ID"] = ("correlationId", str(acknowledged))
        for one in self.came:
            if one.status == 400:
                broken["MALFORMED"] = ("body", one.body[:80])
        answered, result = self.answered, self.result
        if answered and result:
            case = Case(
                self._filed(), bool(self.asked["meterAllowed"]), result, answered.at, self.most_wh, clocks=clocks
            )
            found = (finding(rule, breach.field, breach.value) for rule, breach in breaches(case))
            broken |= {one.rule: (one.field, one.value) for one in found}
            if any(one.status == 202 and not _same(one.body, answered.body) for one in self.came):
                broken["SECOND-ANSWER"] = ("body", "another answer")
        return broken

    def _filed(self) -> Filed:
        asked = self.asked
        start, end = (epoch(asked[edge]) if edge in asked else seconds(0) for edge in ("start", "end"))
        return Filed(
            self.key,
            InquiryKind(asked["kind"]),
            str(asked["esiid"]),
            *("market", "", "", "REP", "", ""),  # type: ignore[arg-type]
            start,
            end,
            None,
            (),
            to_us(self.at),
        )


def _member(text: str, name: str) -> Any:
    try:
        told = document(text)
    except ValueError:
        return None
    return told.get(name) if isinstance(told, dict) else None


def _same(body: str, other: str) -> bool:
    """Whether two answers say the same, however they are written."""
    if body == other:
        return True
    said, of = read(body), read(other)
    return said is not None and of is not None and digest(said) == digest(of)


def correlation_id(scenario: str, ref: str) -> str:
    """Twelve digits, the same in every run."""
    return str(int.from_bytes(blake2b(f"{scenario} {ref}".encode(), digest_size=8).digest()) % 10**12).zfill(12)


SeenInquiry = Seen[Inquire, RecordedInquiry]


def _play(stage: Stage, action: Inquire) -> Played:
    runtime, outside, keys = stage.runtime, stage.outside, stage.sandbox.keys
    asked, at = _asked(stage, action), runtime.now()
    key = asked["correlationId"]
    stage.kept[action.ref] = asked["answerBy"]
    patience_s, quiet_s = (outside.patience_s, QUIET_S) if outside else (0.0, 0.0)
    awaited = stage.call_backs.expect(key, Awaited(keys.seal(key), keys.headend, runtime.now, action.meets))
    before = len(awaited.came)
    body = json.dumps(asked | {"replyTo": f"{stage.sandbox.smt.config.reply_to}{PATH}{key}/{awaited.seal}"})

    async def post() -> tuple[int | None, str]:
        try:
            head = bearing(keys.smt) if action.key == "smt" else {"content-type": "application/json"}
            reply = await stage.http.post(
                f"{stage.url('headend')}/inquiries", content=body, headers=head, timeout=_REPLY_S
            )
        except httpx.HTTPError:
            return None, ""
        return reply.status_code, reply.text[:_MOST_TOLD]

    def masked(text: str) -> str:
        wire = stage.sandbox.wire
        return text if wire is None else wire.masker.octets(text.encode()).decode()

    status, told = yield runtime.io("inquiry", f"{key}/{action.ref}", post)
    until = max(at, at + action.answer_within_s) + _GRACE_S
    # Of a repeated inquiry, and of one whose time is over, no answer is due; one that is accepted by another status may be answered all the same.
    due = status in range(200, 300) and action.again is None and action.answer_within_s > 0
    came = not due
    while not came and runtime.now() < until:
        if runtime.rate:
            patience_s = (until - runtime.now()) / runtime.rate
        came = yield runtime.io("answer", f"{key}/{action.ref}", partial(awaited.answer, patience_s))
        # The clock stands once as long as it takes; then it goes on, for one who waits by it.
        patience_s = quiet_s
        if not came:
            yield runtime.env.timeout(to_us(_TICK_S if outside else seconds(1)))
    registry = stage.sandbox.market.registry
    here = registry.meters(registry.point(stage.esiid(action), day_of(runtime.now())))
    if quiet_s:
        # What is done after the answer is of a later instant.
        yield runtime.env.timeout(to_us(_AFTER_S))
        yield runtime.io("answer", f"{key}/{action.ref}/more", lambda: awaited.quiet(quiet_s))
    elif not due:
        yield runtime.env.timeout(to_us(_GRACE_S))
    return {
        "at": iso(at),
        "asked": asked,
        "status": status,
        "told": masked(told),
        "came": [
            {
                "at": iso(one.at),
                "keyed": one.keyed,
                "sealed": one.sealed,
                "status": one.status,
                "body": masked(one.body),
            }
            for one in awaited.came[before:]
        ],
        "most_wh": sum(most_wh(one.attributes) for one in here),
        "meters": 0 if outside and outside.esiid else len(here),
    }


def _asked(stage: Stage, action: Inquire) -> dict[str, Any]:
    """The inquiry but for the address that it is answered to."""
    own = stage.outside.esiid if stage.outside and stage.outside.esiid else stage.esiid(action)
    asked: dict[str, Any] = {
        "correlationId": correlation_id(stage.scenario.name, action.again or action.ref),
        "kind": action.kind,
        "esiid": own if action.whose == "own" else own[: -len(STRANGERS)] + STRANGERS,
        "meterAllowed": action.meter_allowed,
        "storeAllowed": action.store_allowed,
        "answerBy": (local(stage.runtime.now()) + timedelta(seconds=action.answer_within_s)).isoformat(),
        "callReference": action.again or action.ref,
    }
    if action.again is not None:
        # The same inquiry again has the same words, its time too.
        asked["answerBy"] = stage.kept[action.again]
    if action.start and action.end:
        asked |= {"start": iso(epoch(action.start)), "end": iso(epoch(action.end))}
    return asked


def _told(name: str) -> Any:
    def got(seen: SeenInquiry) -> Any:
        result = seen.record and seen.record.result
        return result and getattr(result, name)

    return got


def _sources(seen: SeenInquiry) -> Iterator[str]:
    result = seen.record and seen.record.result
    return iter(()) if not result else (one.source for one in result.intervals)


def _tell(seen: SeenInquiry) -> str:
    record = seen.record
    if record is None or record.status is None:
        return "The inquiry gets no reply."
    if record.status != 202:
        return f"The inquiry is not taken: HTTP {record.status}."
    result, found = record.result, ", ".join(record.found())
    said = "nothing is called back" if result is None else f"{result.outcome.value} is called back"
    return f"The inquiry is taken, and {said}{f', which breaks {found}' if found else ''}."


ROWS = (
    Row(
        "inquire",
        "Inquiry at the head-end",
        Inquire,
        RecordedInquiry,
        _play,
        (
            Fact("status", COUNT, "HTTP status of the reply", lambda seen: seen.record and seen.record.status),
            Fact("called_back", COUNT, "call-backs that came", lambda seen: seen.record and len(seen.record.came)),
            Fact("outcome", TEXT, "outcome that is called back", lambda seen: (outcome := _told("outcome")(seen)) and outcome.value),
            Fact("store", COUNT, "intervals from the head-end's store", lambda seen: sum(one == "store" for one in _sources(seen))),
            Fact("meter", COUNT, "intervals from the meter", lambda seen: sum(one == "meter" for one in _sources(seen))),
            Fact("meter_reads", COUNT, "meter reads that it is told to have cost", _told("meterReads")),
            Fact("found", TEXTS, "rules for answers that it breaks", lambda seen: seen.record and tuple(sorted(seen.record.found()))),
        ),
        _tell,
    ),
)  # fmt: skip
