"""The calls of a balance desk: worked as processes, each a record in memory and a line of the ledger when it is taken, told and judged."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import simpy
from pydantic import ValidationError

from headend.ports import FAULT, Driver, Journal, fault_text, guarded
from meters.calendar import Seconds, day_of, day_start, days, epoch, iso, seconds, to_us
from simulator.ror.account import Account
from simulator.ror.accounts.book import AccountBook
from simulator.ror.billing.plan import RatePlan
from simulator.ror.call.analysis import Question
from simulator.ror.call.inquiry import CallResult, Review, note_told, refined, reviewed
from simulator.ror.call.on_demand import RequestEnd
from simulator.ror.call.rebill import rebill
from simulator.ror.client import SmtClient
from simulator.ror.desk.health import DeskHealth, SmtSeen
from simulator.ror.desk.satisfied import REPEAT_S, satisfied
from simulator.ror.desk.wire import Call, CallRequest, CallState, CoursePoint, Satisfied, Step, Trouble
from simulator.ror.errors import RorError
from simulator.ror.pattern import ZoneWeather

#: The bill told is made again from VEE data at the noons of so many days: they are posted in the morning, some a day or two late [D].
REBILL_DAYS = 5


@dataclass(frozen=True, slots=True)
class DeskLimits:
    """What a desk keeps and works at once. Defaults of this project."""

    under_way: int = 100
    #: Records that it tells of, the latest; the ledger has all.
    kept: int = 10_000
    #: Seconds between two looks at an on-demand request.
    poll_s: Seconds = seconds(5)


@dataclass(frozen=True, slots=True)
class _Steps:
    """A journal on the way to another one, that keeps a call's steps."""

    journal: Journal
    steps: list[Step]

    def note(self, at: Seconds, party: str, kind: str, ident: str, **facts: Any) -> None:
        """See ``headend.ports.Journal``."""
        self.journal.note(at, party, kind, ident, **facts)
        self.steps.append(Step(at=iso(at), step=kind, facts=facts))


@dataclass(slots=True)
class CallDesk:
    """Takes calls, works them, and tells how each is."""

    driver: Driver
    client: SmtClient
    book: AccountBook
    journal: Journal
    #: JSON Lines, added to: a record each time that it changed for good. The last line of a call is how it ended.
    ledger: Path
    limits: DeskLimits = field(default_factory=DeskLimits)
    #: Of the zones that accounts name; without it none is known.
    weather: ZoneWeather | None = None
    #: Calls that were under way when the desk before this one was stopped.
    lost: list[str] = field(init=False, default_factory=list)
    #: By id, the latest last.
    _calls: dict[str, Call] = field(init=False, default_factory=dict)
    _under_way: set[str] = field(init=False, default_factory=set)
    #: What was told in a call that is worked on still, by its id.
    _reviews: dict[str, Review] = field(init=False, default_factory=dict)
    #: Who waits for the first answer of a call, by its id.
    _waiting: dict[str, list[asyncio.Event]] = field(init=False, default_factory=dict)
    _taken: int = field(init=False, default=0)
    _smt: SmtSeen = field(init=False, default="unknown")
    #: Whether the ledger's last line is whole.
    _written: bool = field(init=False, default=True)

    def __post_init__(self) -> None:
        """Go on from what the ledger holds. Raises RorError for one that is ahead of the clock, or cannot be read."""
        now = self.driver.now()
        for call in self._earlier():
            self._taken = max(self._taken, int(call.id.rpartition("-")[2]))
            if epoch(call.asked_at) > now:
                raise RorError(
                    "ror.ledger.ahead",
                    f"The ledger has a call of {call.asked_at}, which on this clock is still to come ({iso(now)}).",
                    str(self.ledger),
                    "Give the clock that it was filled on (--date, --wall-start or --clock-of), or --fresh.",
                )
            self._keep(call)
        latest: dict[str, Call] = {}
        for call in self._calls.values():
            before = latest.get(call.account_id)
            if before is not None and epoch(call.asked_at) - epoch(before.asked_at) <= REPEAT_S:
                before.repeated_by = call.id
            latest[call.account_id] = call
            if call.state is CallState.UNDER_WAY:
                call.state = CallState.LOST
                self.lost.append(call.id)
                self._write(call)

    def take(self, asked: CallRequest) -> Call:
        """Take a call and begin to work it. Raises RorError where it cannot be: nothing is kept of it then."""
        now = self.driver.now()
        self._room()
        customer = (
            self.book.account(asked.account_id)
            if asked.account_id is not None
            else self.book.of_esiid(asked.esiid or "", day_of(now))
        )
        account, plan = customer.at(now)
        call = Call(
            id=f"call-{self._taken + 1:04d}",
            state=CallState.UNDER_WAY,
            account_id=account.account_id,
            esiid=account.esiid,
            question=asked.question,
            patience_s=asked.patience_s,
            asked_at=iso(now),
            satisfied=Satisfied(verdict=None, reason=""),
        )
        self._write(call)
        if not self._written:
            text, mend = (
                "The ledger takes no line, so the call is not taken.",
                "See that there is room, and who owns it.",
            )
            raise RorError("ror.ledger.unwritable", text, mend=mend)
        self._taken += 1
        for earlier in self._calls.values():
            if earlier.account_id == call.account_id and now - epoch(earlier.asked_at) <= REPEAT_S:
                earlier.repeated_by = earlier.repeated_by or call.id
        self._keep(call)
        self._under_way.add(call.id)
        work = guarded(self._work(call, account, plan), lambda error: self._failed(call, error))
        self.driver.inject("call", call.id, lambda: self.driver.env.process(work))
        return call

    def may_ask(self, call: Call) -> bool:
        """Whether the meter can still be asked in a call: it was told without, and it is known what a read would be worth."""
        review = self._reviews.get(call.id)
        if review is None or call.state is not CallState.TOLD or call.rebill is not None:
            return False
        return review.result.request.end is RequestEnd.NOT_MADE and "read_worth" in review.result.decision.facts

    def ask(self, call_id: str) -> Call:
        """Ask the meter in a call that was told without, and tell again what it brings. Raises RorError where it cannot be asked."""
        call = self.call(call_id)
        self._room()
        if not self.may_ask(call):
            text = (
                "In this call the meter cannot be asked: it has been, or there is nothing to read, or the call is over."
            )
            raise RorError("ror.call.no_read", text, "call_id", "Take a new call.")
        call.state = CallState.UNDER_WAY
        self._under_way.add(call.id)
        work = guarded(self._read(call, self._reviews[call.id]), lambda error: self._failed(call, error))
        self.driver.inject("call", f"{call.id}/ask", lambda: self.driver.env.process(work))
        return call

    def call(self, call_id: str) -> Call:
        """The record of a call, judged as of now. Raises RorError ``ror.call.unknown``."""
        if call_id not in self._calls:
            raise RorError(
                "ror.call.unknown", "The desk knows of no call of that id.", "call_id", "GET /calls lists the latest."
            )
        return self._judged(self._calls[call_id])

    async def answered(self, call: Call, within_s: float) -> None:
        """Wait until a call tells anything of what was found, or has ended; so many seconds of the wall at most."""
        if call.state is not CallState.UNDER_WAY or call.at_once is not None:
            return
        waiting = asyncio.Event()
        self._waiting.setdefault(call.id, []).append(waiting)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                await waiting.wait()

    def latest(self, most: int, account_id: str = "") -> list[Call]:
        """So many of the latest calls, the latest last; of one account if it is named."""
        found = [call for call in self._calls.values() if account_id in ("", call.account_id)]
        return [self._judged(call) for call in found[-most:]]

    def health(self) -> DeskHealth:
        """Whether it can do its work."""
        well = self._written and self._smt in ("ok", "unknown")
        return DeskHealth(
            status="ok" if well else "degraded",
            smt=self._smt,
            ledger="ok" if self._written else "unwritable",
            accounts=len(self.book),
            callsUnderWay=len(self._under_way),
            callsLost=self.lost,
            clockLagS=round(self.driver.lag_s, 3),
        )

    def _room(self) -> None:
        """Raises RorError ``ror.calls.many`` while the desk works on as many as it can."""
        if len(self._under_way) >= self.limits.under_way:
            text = f"Of {self.limits.under_way} calls that the desk works at once all are under way."
            raise RorError("ror.calls.many", text, mend="Call again when one has ended.")

    # -- inside -------------------------------------------------------------------------------------------

    def _work(self, call: Call, account: Account, plan: RatePlan) -> Generator[simpy.Event, Any, None]:
        driver, journal = self.driver, _Steps(self.journal, call.steps)
        review = yield from reviewed(
            driver,
            self.client,
            account,
            plan,
            call.question,
            call.id,
            call.patience_s,
            journal,
            weather=self.weather,
        )
        if review.result.decision.needs_more:
            yield from self._read(call, review)
        else:
            self._told(call, review)
        if call.told_usd is not None and call.question is Question.BALANCE:
            for _ in range(REBILL_DAYS):
                yield driver.env.timeout(to_us(_next_noon(driver.now()) - driver.now()))
                # What a read that is under way brings is told then, and looked at on the day after.
                if call.state is not CallState.TOLD:
                    continue
                result = self._reviews[call.id].result
                again = yield from rebill(driver, self.client, account, plan, result, self.journal)
                call.rebill = again.to_dict()
                if again.satisfied is not None:
                    break
        left = epoch(call.asked_at) + REPEAT_S - driver.now()
        yield driver.env.timeout(to_us(max(0, left)))
        self._reviews.pop(call.id, None)
        self._write(call)

    def _read(self, call: Call, review: Review) -> Generator[simpy.Event, Any, None]:
        """Ask the meter in a call, which tells meanwhile what is known without."""
        call.at_once, call.course = review.result.to_dict(), _course(review.result)
        self._heard(call)
        journal = _Steps(self.journal, call.steps)
        review = yield from refined(review, self.client, self.limits.poll_s, journal)
        self._told(call, review)

    def _told(self, call: Call, review: Review) -> None:
        """The caller is told what is known now."""
        result = review.result
        note_told(result, self.driver, _Steps(self.journal, call.steps))
        self._reviews[call.id] = review
        told = result.answer.told
        call.answer, call.told_usd = result.to_dict(), None if told is None else str(told.bill.total)
        call.at_once, call.course = None, _course(result)
        for step in call.steps:
            step.facts = {}
        self._ended(call, CallState.TOLD)
        self._see(result)

    def _see(self, result: CallResult) -> None:
        """How SMT was, by what a call met."""
        met = {trouble.code for trouble in (result.trouble, result.request.trouble) if trouble is not None}
        asked = result.question is not Question.LAST_BILL
        if "smt.unreachable" in met:
            self._smt = "unreachable"
        elif met & {"smt.http_401", "smt.http_403"}:
            self._smt = "refused"
        elif asked:
            self._smt = "ok"

    def _failed(self, call: Call, error: Exception) -> None:
        if isinstance(error, RorError):
            call.trouble = Trouble(code=error.code, reason=f"{error.message} {error.mend}")
        else:
            self.journal.note(self.driver.now(), "ROR", FAULT, call.id, error=fault_text(error))
            call.trouble = Trouble(code="ror.internal", reason=f"A fault of the desk's own: {fault_text(error)}.")
        self._reviews.pop(call.id, None)
        if call.state is CallState.UNDER_WAY:
            self._ended(call, CallState.FAILED)

    def _ended(self, call: Call, state: CallState) -> None:
        call.state = state
        self._under_way.discard(call.id)
        self._write(call)
        self._heard(call)

    def _heard(self, call: Call) -> None:
        """Let those go on who wait for the call's first answer."""
        for waiting in self._waiting.pop(call.id, ()):
            waiting.set()

    def _judged(self, call: Call) -> Call:
        due = self._rebill_due(call)
        call.rebill_due = None if due is None else iso(due)
        call.satisfied = satisfied(call, self.driver.now())
        return call

    def _rebill_due(self, call: Call) -> Seconds | None:
        """The noon at which what was told is billed next from VEE data; None: it is not."""
        known = call.rebill is not None and call.rebill["satisfied"] is not None
        if call.id not in self._reviews or call.told_usd is None or call.question is not Question.BALANCE or known:
            return None
        return _next_noon(self.driver.now())

    def _keep(self, call: Call) -> None:
        self._calls[call.id] = call
        while len(self._calls) > self.limits.kept:
            del self._calls[next(iter(self._calls))]

    def _write(self, call: Call) -> None:
        """Add the record to the ledger. What cannot be written is told by ``health``, and no call is taken until it can."""
        try:
            with self.ledger.open("a", encoding="utf-8") as lines:
                # What could not be written may have left the half of a line.
                lines.write(f"{'' if self._written else chr(10)}{self._judged(call).model_dump_json()}\n")
            self._written = True
        except OSError:
            self._written = False

    def _earlier(self) -> Iterator[Call]:
        """The records of the ledger; a line that was cut off as the desk was killed is none."""
        line = "\n"
        try:
            with self.ledger.open(encoding="utf-8", errors="replace") as lines:
                for line in lines:
                    with contextlib.suppress(ValidationError):
                        yield Call.model_validate_json(line)
        except FileNotFoundError:
            return
        except OSError as error:
            text = f"The ledger cannot be read: {error.strerror}."
            raise RorError("ror.ledger.unreadable", text, str(self.ledger), "Name another folder with --out.") from None
        self._written = line.endswith("\n")


def _course(result: CallResult) -> list[CoursePoint]:
    """Where the cycle goes, by midnights and at the end of what is billed."""
    stand, account = result.answer.told, result.account
    if stand is None or stand.bill.by_register or result.request.not_ours:
        return []
    midnights = [day_start(day) for day in days(account.cycle_first, account.cycle_last)]
    instants = np.unique(np.array([*midnights, stand.to, account.cycle_end], np.int64))
    rows = zip(instants.tolist(), *stand.projection.course(instants).tolist(), strict=True)
    return [CoursePoint(at=iso(at), low_wh=low, middle_wh=middle, high_wh=high) for at, low, middle, high in rows]


def _next_noon(now: Seconds) -> Seconds:
    """The next noon of the local clock after an instant, UTC epoch seconds."""
    noon = epoch(f"{day_of(now)}T12:00")
    return noon if noon > now else epoch(f"{day_of(now) + timedelta(days=1)}T12:00")
