"""``log_in``: someone logs in at one of SMT's doors, rightly or not, once or again and again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from meters.calendar import Seconds, iso, seconds, to_us
from scenarios.actions.action import Played, Row, Seen
from scenarios.actions.market.exchange import (
    CODE,
    MARKET_TOKEN,
    PORTAL_TOKEN,
    STATUS,
    AtDoor,
    code_of,
    document,
    of,
    sent,
    token_of,
)
from scenarios.parts.expected import COUNT, INSTANT, Fact
from scenarios.parts.written import DAY_S
from scenarios.records.values import Count, Instant, Record
from simulator.parties.sandbox import HOST
from simulator.world.market import logins

if TYPE_CHECKING:
    from scenarios.stage import Stage


class LogIn(AtDoor):
    """Someone logs in at one of SMT's doors, rightly or not, once or again and again. Its token is kept for an http call."""

    password: Literal["right", "wrong"] = "right"
    times: int = Field(default=1, ge=1, le=100)
    every_s: Seconds = Field(default=seconds(0), ge=0, le=DAY_S)


class RecordedLogIn(Record):
    """What became of it: the last answer, how many tries were let in and how many were not looked at, how long a token of the market API lives."""

    status: Count | None
    code: str | None
    let_in: Count
    not_looked_at: Count
    blocked_until: Instant | None
    life_s: Count | None


def _play(stage: Stage, action: LogIn) -> Played:
    username = action.by(stage.scenario)
    known = logins(stage.scenario.world.market).get(username)
    right = action.password == "right" and known is not None
    body = {"username": username, "password": known.password if right and known else "not-the-password"}
    path = MARKET_TOKEN if action.door == "api" else PORTAL_TOKEN
    let_in = not_looked_at = 0
    for attempt in range(action.times):
        if attempt and action.every_s:
            yield stage.runtime.env.timeout(to_us(action.every_s))
        ident = f"{action.ref}/{attempt:03d}"
        reply = yield stage.runtime.io("log-in", ident, lambda: sent(stage.http, "POST", path, json=body), lane="smt")
        token = token_of(reply)
        let_in += token is not None
        not_looked_at += reply is not None and reply.status_code == 403
        stage.kept[action.ref] = token
    told = document(reply) if reply is not None else None
    until = stage.sandbox.smt.gatekeeper.guard.opens_at(username, HOST)
    return {
        "status": None if reply is None else reply.status_code,
        "code": code_of(told),
        "let_in": let_in,
        "not_looked_at": not_looked_at,
        "blocked_until": None if until is None else iso(seconds(until)),
        "life_s": int(told["expiresIn"]) if isinstance(told, dict) and "expiresIn" in told else None,
    }


def _tell(seen: Seen[LogIn, RecordedLogIn]) -> str:
    if seen.record is None or seen.record.status is None:
        return "No answer."
    until = (
        "" if seen.record.blocked_until is None else f" Nothing is looked at until {iso(seen.record.blocked_until)}."
    )
    return f"Let in {seen.record.let_in} of {seen.action.times} times.{until}"


ROWS = (
    Row(
        "log_in",
        "Log-in",
        LogIn,
        RecordedLogIn,
        _play,
        (
            STATUS,
            CODE,
            Fact("let_in", COUNT, "tries that were let in", of("let_in")),
            Fact("not_looked_at", COUNT, "tries that were not looked at", of("not_looked_at")),
            Fact("blocked_until", INSTANT, "until when no try is looked at", of("blocked_until")),
            Fact("life_s", COUNT, "life of the token, as the market API tells it", of("life_s"), unit="s"),
        ),
        _tell,
    ),
)
