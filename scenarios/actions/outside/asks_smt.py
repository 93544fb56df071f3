"""``asks_smt``: a retailer asks an SMT that is not ours for a read, and the TDSP, which the tester plays, answers as is written."""

from __future__ import annotations

import json
from collections.abc import Generator
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, Self

import httpx
import simpy
from pydantic import Field, model_validator

from headend.http.links import bearing
from meters.calendar import INTERVAL_S, Seconds, ends_within, epoch, floor_interval, iso, seconds, to_us
from meters.device.meter import EmulatedMeter
from meters.errors import MeterError
from scenarios.actions.action import Played, Row, Seen
from scenarios.actions.market.exchange import asking, bearer, code_of, document, otherwise, sent
from scenarios.actions.market.requests import AtMarket
from scenarios.actions.outside.inquire import STRANGERS
from scenarios.outside.party import QUIET_S
from scenarios.parts.expected import COUNT, TEXT, TRUTH, Fact
from scenarios.parts.setting import Setting
from scenarios.parts.written import DAY_S
from scenarios.records.values import Instant, Record

if TYPE_CHECKING:
    from scenarios.stage import Stage

#: Model seconds by which the clock goes on while something is waited for; until an inquiry must have come, and until an answer must be handed on. Defaults of this project.
_TICK_S, _SOON_S, _STRIDE_S = seconds(10), seconds(600), seconds(300)
#: When what is over is looked at for the last time.
_LATER_S = seconds(20)
#: Model seconds after which a log-in is made anew, well within its token's life.
_FRESH_S = 1800
#: The TDSP's sweeps: every so many seconds of the day, and how long after that the store has it.
_SWEEPS_S, _SWEPT_S = 4 * 3600, seconds(35)
#: When an answer is called back that comes too late, after its ``answerBy``.
_LATE_S = seconds(60)
#: At most so long is waited for an ``answerBy``.
_LONGEST_S = 6 * 3600

How = Literal["answers", "misses", "lacks", "fails", "silent", "late"]
Also = Literal["no_key", "no_seal", "same", "differs"]


class AsksSmt(AtMarket):
    """A retailer asks an SMT that is not ours for a read; the TDSP, which is a tester's, does as is written."""

    door: Literal["api", "portal"] = Field(
        default="api", description="portal: the account's customer asks there for a register read."
    )
    kind: Literal["INTERVALS", "REGISTER", "POWER"] = "INTERVALS"
    meter: int | None = Field(default=None, ge=1, description="Ordinal of the meter; the account's unless given.")
    whose: Literal["own", "stranger"] = Field(default="own", description="stranger: an ESI ID of no meter's.")
    tdsp: How = Field(
        default="answers",
        description="misses: it says that the meter lacks an interval. lacks: it says nothing of it. fails: the meter does not answer. silent: nothing is called back. late: after answerBy.",
    )
    answers_after_s: Seconds = Field(default=seconds(30), ge=1, le=DAY_S, description="From the inquiry on.")
    also: tuple[Also, ...] = Field(
        default=(),
        description="Further call-backs: before the answer one without a key, or at another's address; after it the same again, or another.",
    )
    other: str | None = Field(
        default=None, description="A log-in of another's that polls it at the end by the same correlationId."
    )
    body: dict[str, Any] = Field(
        default_factory=dict, description="Fields of the request that are otherwise; null leaves one out."
    )

    @model_validator(mode="after")
    def _of_its_door(self) -> Self:
        if self.door == "portal" and self.kind != "REGISTER":
            raise ValueError("a portal is asked for register reads alone; write kind: REGISTER")
        return self

    def by(self, scenario: Setting) -> str:
        """The log-in that acts."""
        return self.login or scenario.account_of(self).customer if self.door == "portal" else super().by(scenario)


class RecordedAsk(Record):
    """What became of it. key: the id that SMT gave; inquiry: the TDSP's; made: its call-backs, in their order; other: the code that another was told."""

    at: Instant
    ended_at: Instant
    code: str | None
    key: str | None
    inquiry: str | None
    keyed: bool
    made: list[str]
    over: bool
    other: str | None = None


SeenAsk = Seen[AsksSmt, RecordedAsk]


class _Asking:
    """A request under way."""

    def __init__(self, stage: Stage, action: AsksSmt) -> None:
        self.stage, self.action, self.runtime = stage, action, stage.runtime
        self.portal = action.door == "portal"
        self.username = action.by(stage.scenario)
        self.esiid = stage.esiid(action) if action.meter is None else stage.world.esiid(action.meter)
        if action.whose == "stranger":
            self.esiid = self.esiid[: -len(STRANGERS)] + STRANGERS
        self._head: dict[str, str] = {}
        self._logged_in: Seconds | None = None
        self._count = 0

    def io(self, what: str, call: Any) -> simpy.Event:
        self._count += 1
        return self.runtime.io(what, f"{self.action.ref}/{self._count:04d}", call)

    async def call(self, path: str, **more: Any) -> dict[str, Any]:
        """What SMT answers, as it is on the wire but for what is no JSON object; of the portal what is in it. ``code``: of what is wrong."""
        if self._logged_in is None or self.runtime.now() > self._logged_in + _FRESH_S:
            self._head, self._logged_in = (
                await bearer(self.stage, self.username, portal=self.portal),
                self.runtime.now(),
            )
        order = {} if self.portal else asking(self.stage, self.action, self.username)
        body = {name: one for name, one in order.items() if name != "esiid"} | more
        reply = await sent(self.stage.http, "POST", path, headers=self._head, json=body)
        told = None if reply is None else document(reply)
        data = told.get("data") if self.portal and isinstance(told, dict) else told
        return data | {"code": code_of(told)} if isinstance(data, dict) else {}

    def request(self) -> simpy.Event:
        """Ask."""
        action = self.action
        if self.portal:
            asked = {"ESIID": self.esiid, "MeterNumber": self.stage.meter_number_of(self.esiid)}
            return self.io("ask", lambda: self.call("/api/ondemandread", **otherwise(asked, action.body)))
        more = {"ESIID": self.esiid, "callReference": action.ref}
        if action.kind != "POWER":
            more["readType"] = action.kind
        path = "/v2/powerstatus/" if action.kind == "POWER" else "/v2/odr/"
        return self.io("ask", lambda: self.call(path, **otherwise(more, action.body)))

    def poll(self, key: str) -> simpy.Event:
        """Ask how it stands."""
        if self.portal:
            return self.io("poll", lambda: self.call("/api/usage/latestodrread", ESIID=self.esiid))
        return self.io("poll", lambda: self.call("/v2/odrstatus/", correlationId=key))

    def by_another(self, username: str, key: str) -> simpy.Event:
        """Have another log-in ask how it stands; an exchange of its own."""

        async def call() -> Any:
            head = await bearer(self.stage, username, portal=False)
            body = asking(self.stage, self.action, username) | {
                "correlationId": key,
                "trans_id": f"{self.action.ref}-{username}",
            }
            reply = await sent(
                self.stage.http, "POST", "/v2/odrstatus/", headers=head, json=otherwise(body, {"esiid": None})
            )
            return None if reply is None else document(reply)

        return self.io("poll", call)

    def wait(self, until: Seconds) -> Generator[simpy.Event, Any, None]:
        """Have the clock go on, and SMT's with it."""
        while (left := until - self.runtime.now()) > 0:
            yield self.runtime.env.timeout(to_us(min(left, _STRIDE_S)))
            yield self.io("move", self.stage.move)

    def call_back(self, url: str, key: str, body: dict[str, Any]) -> simpy.Event:
        async def post() -> int | None:
            try:
                reply = await self.stage.tdsp.post(url, content=json.dumps(body), headers=bearing(key))
            except (httpx.HTTPError, httpx.InvalidURL):
                return None
            return reply.status_code

        return self.io("call-back", post)


def _play(stage: Stage, action: AsksSmt) -> Played:
    runtime, its = stage.runtime, _Asking(stage, action)
    left: dict[str, Any] = {"at": iso(runtime.now()), "code": None, "key": None, "inquiry": None, "keyed": False}
    left |= {"made": [], "over": stage.drop is not None}
    if stage.drop is None:
        yield runtime.env.timeout(0)
        return left | {"ended_at": iso(runtime.now())}
    told = yield its.request()
    left["code"] = told.get("code") if its.portal else told.get("errorCode")
    key = told.get("correlationId")
    inquired, until = None, runtime.now() + _SOON_S
    # Of what is refused none is due; SMT may inquire all the same, and that is seen then.
    while inquired is None and runtime.now() < until:
        inquired = yield its.io("inquiry", partial(stage.inquiries.inquired, its.esiid, QUIET_S))
        if inquired is not None or not key:
            break
        yield from its.wait(runtime.now() + _TICK_S)
    if inquired is not None:
        left |= {"inquiry": str(inquired.said.get("correlationId")), "keyed": inquired.keyed}
        yield from _answered(its, inquired.said, key, left["made"])
    if key:
        until = runtime.now() + _SOON_S
        while _pending((yield its.poll(key))) and runtime.now() < until:
            yield from its.wait(runtime.now() + _TICK_S)
        # What is over is the same whenever it is looked at.
        yield its.poll(key)
        yield from its.wait(runtime.now() + _LATER_S)
        yield its.poll(key)
        if action.other is not None:
            left["other"] = code_of((yield its.by_another(action.other, key)))
    return left | {"key": key, "ended_at": iso(runtime.now())}


def _pending(told: dict[str, Any]) -> bool:
    return told.get("statusCode") == "PEN" or told.get("odrstatus") == "PENDING"


def _answered(
    its: _Asking, said: dict[str, Any], key: str | None, made: list[str]
) -> Generator[simpy.Event, Any, None]:
    """Play the TDSP: what is called back for an inquiry, and when."""
    action, keys, url = its.action, its.stage.sandbox.keys, str(said.get("replyTo"))
    if key:
        yield its.poll(key)
    yield from its.wait(its.runtime.now() + action.answers_after_s)
    for how in ("no_key", "no_seal"):
        if how in action.also:
            yield its.call_back(*_beside(how, url, keys.headend), _answer(its, said))
            made.append(how)
    if action.tdsp in ("silent", "late"):
        by = _instant(said.get("answerBy"))
        until = min(by or its.runtime.now(), its.runtime.now() + _LONGEST_S)
        if key and until - _LATE_S > its.runtime.now():
            yield from its.wait(until - _LATE_S)
            yield its.poll(key)
        yield from its.wait(until + _LATE_S)
    if action.tdsp != "silent":
        answer = _answer(its, said)
        yield its.call_back(url, keys.headend, answer)
        made.append("answer")
        for how in action.also:
            if how in ("same", "differs"):
                yield from its.wait(its.runtime.now() + 1)
                yield its.call_back(url, keys.headend, answer if how == "same" else _other(answer))
                made.append(how)
    # What is asked in the instant of an answer may not have it yet.
    yield from its.wait(its.runtime.now() + 1)


def _beside(how: str, url: str, key: str) -> tuple[str, str]:
    """Address and key of a call-back that must not be taken."""
    if how == "no_key":
        return url, "of-nobody"
    rest, _, seal = url.rpartition("/")
    return f"{rest}/{seal[::-1]}", key


def _instant(text: Any) -> Seconds | None:
    try:
        return epoch(str(text))
    except (MeterError, ValueError):
        return None


def _other(answer: dict[str, Any]) -> dict[str, Any]:
    """Another answer of the same form."""
    if "register" in answer:
        return answer | {"register": answer["register"] | {"wh": answer["register"]["wh"] + 1000}}
    first, *rest = answer.get("intervals") or [{}]
    return answer | {"intervals": [first | {"wh": first.get("wh", 0) + 1000}, *rest]}


def _answer(its: _Asking, said: dict[str, Any]) -> dict[str, Any]:
    """What the TDSP answers, of what its meters hold."""
    action, now, may = its.action, its.runtime.now(), bool(said.get("meterAllowed"))
    told: dict[str, Any] = {"correlationId": said.get("correlationId"), "outcome": "completed", "meterReads": int(may)}
    meter = next((one for one in its.stage.world.meters if one.identity.esiid == said.get("esiid")), None)
    if action.tdsp == "fails" or meter is None:
        told |= {"outcome": "failed", "reason": "the meter did not answer"}
        # The store has what sweeps have brought; of its power nothing is known (DOMAIN §12).
        kept = (
            {}
            if meter is None or said.get("kind") != "INTERVALS"
            else _intervals(its, meter, said | {"meterAllowed": False}, now)
        )
        dark = (
            {"power": {"status": "UNKNOWN", "source": "none", "switchState": "UNKNOWN"}}
            if said.get("kind") == "POWER"
            else {}
        )
        return dark | kept | told
    if said.get("kind") == "INTERVALS":
        return told | _intervals(its, meter, said, now)
    if not may:
        return told | {"outcome": "refused", "reason": "the meter may not be read"}
    if said.get("kind") == "POWER":
        return told | {"power": {"status": "ON", "source": "reply", "switchState": "CLOSED", "voltage": 243.1}}
    return told | {"register": {"wh": meter.registers(now)[0] * meter.identity.multiplier, "at": iso(now)}}


def _intervals(its: _Asking, meter: EmulatedMeter, said: dict[str, Any], now: Seconds) -> dict[str, Any]:
    """The gap: to the last sweep from the store, from there on from the meter if that may be read."""
    start, end = _instant(said.get("start")), _instant(said.get("end"))
    if start is None or end is None or not start < end:
        return {"outcome": "failed", "reason": "there is no gap"}
    # A running quarter hour has no value yet.
    ends = [one for one in ends_within(start, end) if one <= floor_interval(now)]
    swept = now - now % _SWEEPS_S
    held = dict(zip(ends, meter.window(start, start + len(ends) * INTERVAL_S, now).delivered.tolist(), strict=True))
    may = bool(said.get("meterAllowed"))
    odd = ends[2] if len(ends) > 2 and its.action.tdsp in ("misses", "lacks") else None
    given = [one for one in ends if one != odd and (may or one <= swept)]
    rows = [
        {
            "end": iso(one),
            "wh": held[one] * meter.identity.multiplier,
            "source": "store" if one <= swept else "meter",
            "collectedAt": iso(swept + _SWEPT_S if one <= swept else now),
            "status": 0,
        }
        for one in given
    ]
    reaches = given[-1] if given else start
    told: dict[str, Any] = {"intervals": rows, "reachesTo": iso(reaches), "octets": 240 * int(may)}
    if its.action.tdsp == "misses" and odd:
        told["missing"] = [iso(odd)]
    if not may:
        whole = bool(ends) and swept >= ends[-1]
        return told | ({} if whole else {"outcome": "refused", "reason": "the meter may not be read"})
    if ends and reaches == end:
        told["partial"] = {"from": iso(end), "asOf": iso(now), "seconds": now - end, "wh": (now - end) // 10}
    return told


def _of(name: str) -> Any:
    return lambda seen: seen.record and getattr(seen.record, name)


def _tell(seen: SeenAsk) -> str:
    record = seen.record
    if record is None or not record.over:
        return "Nobody was asked."
    if record.inquiry is None:
        return f"The TDSP is not inquired of{f': {record.code}' if record.code else ''}."
    return f"The TDSP is inquired of, and calls back: {', '.join(record.made) or 'nothing'}."


ROWS = (
    Row(
        "asks_smt",
        "Request at an SMT that is not ours",
        AsksSmt,
        RecordedAsk,
        _play,
        (
            Fact("code", TEXT, "code of what was wrong", _of("code")),
            Fact("other", TEXT, "code that another log-in was told", _of("other")),
            Fact("taken", TRUTH, "whether it was taken", lambda seen: seen.record and seen.record.key is not None),
            Fact("inquired", TRUTH, "whether the TDSP was inquired of", lambda seen: seen.record and seen.record.inquiry is not None),
            Fact("called_back", COUNT, "call-backs that the TDSP made", lambda seen: seen.record and len(seen.record.made)),
        ),
        _tell,
    ),
)  # fmt: skip
