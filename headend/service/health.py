"""Whether a head-end can do its work: its store takes writes, its sweeps come, SMT takes its files; and what SMT waits for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Literal

from pydantic import BaseModel, Field
from sqlalchemy.exc import SQLAlchemyError

from headend.day.times import DailyTimes
from headend.http.links import Asks
from headend.ondemand.push import PushDesk
from headend.ports import Driver, Journal
from headend.store.store import HeadEndStore
from headend.wire import Instant
from meters.calendar import Seconds, day_of, days, local

#: So many sweeps' time without any meter heard counts as late. A default of this project.
MISSED_SWEEPS = 2


class PostingFailure(BaseModel):
    """The latest posting, which SMT's site did not take; nothing has been posted since."""

    at: Instant = Field(examples=["2026-08-12T07:30:00-05:00"])
    file: str = Field(examples=["1039940674000IntervalData20260812073000001.lse"])
    code: str = Field(examples=["headend.posting.refused"])


class HeadEndHealth(BaseModel):
    """The service answers; ``status`` says whether it can do its work."""

    status: Literal["ok", "degraded"]
    store: Literal["ok", "unwritable"] = Field(
        description="Whether its database takes writes; without it no inquiry is accepted."
    )
    sweeps: Literal["ok", "late", "unknown"] = Field(
        description="`late`: no meter was heard in the time of two sweeps. `unknown`: the store does not answer."
    )
    lastSweepAgeS: Seconds | None = Field(
        default=None, description="Seconds of model time since the end of the latest sweep in which a meter answered."
    )
    posting: Literal["ok", "failing"] = Field(description="`failing`: the latest posting to SMT's file site failed.")
    postingBacklog: int | None = Field(
        default=None,
        ge=0,
        description="Operating days whose time of posting has come and that SMT's site has not taken.",
    )
    lastPostingFailure: PostingFailure | None = None
    clockLagS: float = Field(
        description="Wall seconds that it was behind its clock lately, the most of the last ten; above 1 the clock was not kept."
    )
    openInquiries: int | None = Field(
        default=None, ge=0, description="Accepted inquiries whose result was not acknowledged yet, nor given up."
    )
    push: Literal["off", "ok", "failing"] = Field(
        description="Whether SMT takes what sweeps collect: `off`: it does not ask for it. `failing`: the latest batch was not taken."
    )
    links: Asks = Field(description="`open`: SMT and meters are asked for no key.")


@dataclass(slots=True)
class PostingWatch:
    """A journal on the way to another one, that keeps how the latest posting went."""

    journal: Journal
    failure: PostingFailure | None = None

    def note(self, at: Seconds, party: str, kind: str, ident: str, **facts: Any) -> None:
        """See ``headend.ports.Journal``."""
        self.journal.note(at, party, kind, ident, **facts)
        if kind == "posting failed":
            self.failure = PostingFailure(at=local(at), file=ident, code=facts["code"])
        elif kind == "posted":
            self.failure = None


class HealthDesk:
    """Looks, and says. It writes a row of the store each time, to see whether that can be done."""

    def __init__(
        self,
        driver: Driver,
        store: HeadEndStore,
        watch: PostingWatch,
        times: DailyTimes,
        first_day: date,
        sweep_every_s: Seconds,
        push: PushDesk,
    ) -> None:
        """first_day: the first operating day that this head-end posts."""
        self._driver = driver
        self._store = store
        self._watch = watch
        self._times = times
        self._first_day = first_day
        self._sweep_every_s = sweep_every_s
        self._push = push
        self._began = driver.now()

    def look(self, links: Asks) -> HeadEndHealth:
        """The head-end's health. links: whether it asks for keys."""
        now = self._driver.now()
        failure, lag_s = self._watch.failure, round(self._driver.lag_s, 3)
        posting: Literal["ok", "failing"] = "failing" if failure else "ok"
        try:
            self._store.collected.touch()
            swept_at = self._store.collected.swept_at()
            backlog = self._backlog(now)
            open_inquiries = self._store.inquiries.count_open()
        except SQLAlchemyError:
            return HeadEndHealth(
                status="degraded",
                store="unwritable",
                sweeps="unknown",
                posting=posting,
                lastPostingFailure=failure,
                push=self._push.state,
                links=links,
                clockLagS=lag_s,
            )
        late = now - max(swept_at or 0, self._began) > MISSED_SWEEPS * self._sweep_every_s
        return HeadEndHealth(
            status="degraded" if late or failure or self._push.state == "failing" else "ok",
            store="ok",
            sweeps="late" if late else "ok",
            lastSweepAgeS=None if swept_at is None else max(0, now - swept_at),
            posting=posting,
            postingBacklog=backlog,
            lastPostingFailure=failure,
            clockLagS=lag_s,
            openInquiries=open_inquiries,
            push=self._push.state,
            links=links,
        )

    def _backlog(self, now: Seconds) -> int:
        posted, ended = self._store.posted_days(), days(self._first_day, day_of(now) - timedelta(days=1))
        return sum(day not in posted and self._times.posted_at(day) <= now for day in ended)
