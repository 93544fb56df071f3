"""``party``: SMT or the head-end is cut off for a time, and goes on by itself meanwhile; or it ends, and is made anew over its database."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

import httpx
from pydantic import Field

from meters.calendar import Seconds, iso, to_us
from scenarios.actions.action import Played, Row, Seen
from scenarios.parts.expected import COUNT, INSTANT, TRUTH, Fact
from scenarios.parts.setting import Act
from scenarios.parts.written import DAY_S
from scenarios.records.values import Count, Instant, Record

if TYPE_CHECKING:
    from scenarios.stage import Stage


class Party(Act):
    """SMT or the head-end is away for a time, and then there again at the same port: cut off (its HTTP service is closed), or ended and rebuilt."""

    party: Literal["smt", "headend"]
    rebuilt: bool = Field(
        default=False,
        description="It ends as a kill ends it, and a new one is made over its database; else it goes on, and nobody reaches it.",
    )
    seconds: Seconds = Field(gt=0, le=DAY_S)


class RecordedParty(Record):
    """A party that was away. status: of its health once it was back; None where nobody answered. left_open: what one that ended had under way."""

    down_at: Instant
    up_at: Instant
    reached: bool
    status: Count | None
    left_open: Count | None = None


SeenParty = Seen[Party, RecordedParty]


def _play(stage: Stage, action: Party) -> Played:
    runtime, sandbox = stage.runtime, stage.sandbox
    server = {"smt": sandbox.smt_server, "headend": sandbox.headend_server}[action.party]

    async def health() -> int | None:
        try:
            return (await stage.http.get(f"{server.url}/healthz")).status_code
        except httpx.TransportError:
            return None

    down: Callable[[], Awaitable[int | None]] = server.stop
    up: Callable[[], Awaitable[None]] = server.start
    if action.rebuilt:
        down, up = partial(sandbox.drop, action.party), partial(sandbox.rebuild, action.party)
    down_at = iso(runtime.now())
    left_open = yield runtime.io("party", f"{action.ref}/down", down, lane="smt")
    reached = yield runtime.io("party", f"{action.ref}/reached", health, lane="smt")
    yield runtime.env.timeout(to_us(action.seconds))
    yield runtime.io("party", f"{action.ref}/up", up, lane="smt")
    status = yield runtime.io("party", f"{action.ref}/health", health, lane="smt")
    told = {"down_at": down_at, "up_at": iso(runtime.now()), "reached": reached is not None, "status": status}
    return told | {"left_open": left_open}


def _of(name: str) -> Any:
    return lambda seen: seen.record and getattr(seen.record, name)


def _tell(seen: SeenParty) -> str:
    if seen.record is None:
        return "Nothing recorded."
    who = {"smt": "SMT", "headend": "The head-end"}[seen.action.party]
    again = "nobody answers" if seen.record.status is None else f"its health is {seen.record.status}"
    if seen.action.rebuilt:
        return f"{who} ends with {seen.record.left_open} under way and is made anew {seen.action.seconds} s later; after that {again}."
    return f"{who} is cut off for {seen.action.seconds} s; after that {again}."


def _implied(_: Party) -> dict[str, Any]:
    """It was away, and is back."""
    return {"reached": False, "http_status": 200}


ROWS = (
    Row(
        "party",
        "Party away",
        Party,
        RecordedParty,
        _play,
        (
            Fact("down_at", INSTANT, "from when on nobody reached it", _of("down_at")),
            Fact("up_at", INSTANT, "when it was opened again", _of("up_at")),
            Fact("reached", TRUTH, "whether it was reached meanwhile", _of("reached")),
            Fact("http_status", COUNT, "its health after that", _of("status")),
            Fact("left_open", COUNT, "requests, or inquiries, that one which is rebuilt had under way when it ended", _of("left_open")),
        ),
        _tell,
        implied=_implied,
    ),
)  # fmt: skip
