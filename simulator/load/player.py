"""Plays a cast workload: one simpy process a request, begun at its planned instant whatever became of those before, so that nothing late is left out."""

from __future__ import annotations

import functools
from collections.abc import Callable, Generator, Sequence
from dataclasses import fields
from typing import TYPE_CHECKING, Any

import httpx
import numpy as np
import simpy
from numpy.typing import NDArray

from headend.wire import InquiryKind
from meters.calendar import Micros, Seconds, micros, seconds
from simulator.capacity.ends import COMPLETED, FAILED, REFUSED, T_FAILED
from simulator.capacity.engine.rows import ROW, Rows
from simulator.capacity.workload.columns import CLASSES, KINDS, Requests
from simulator.customer.portal_user import PortalClient, portal_read
from simulator.load.cast import Cast
from simulator.ror.call.on_demand import GIVE_UP_S, Line, OnDemand, RequestEnd, on_demand
from simulator.ror.client import SmtClient
from simulator.runtime.driver import Runtime
from simulator.smt.throttle.limits import RequesterClass
from simulator.world.callers import CUSTOMER, Right
from simulator.world.market import Login

if TYPE_CHECKING:
    from simulator.capacity.engine.run import Played

#: Seconds between two looks of a market API's client, as a balance desk has it.
POLL_S = seconds(5)
_ENDS = {"answered": COMPLETED, "refused": REFUSED, "failed": FAILED}
_LOST = "T-FAILED"


class LoadPlayer:
    """The play of one workload. ``run`` is its process; what has come of it can be looked at while it goes on."""

    def __init__(
        self,
        runtime: Runtime,
        lines: Sequence[httpx.AsyncClient],
        cast: Cast,
        *,
        shift_us: Micros = micros(0),
        poll_s: Seconds = POLL_S,
        give_up_s: Seconds = GIVE_UP_S,
        progress: Callable[[int, int], None] | None = None,
        name: str = "load",
    ) -> None:
        """lines: to the SMT, one for each of its addresses. shift_us: so much later than planned everything is. progress: told how many of all have ended.

        give_up_s: after so many seconds a market API's client polls no more. name: its requests' references begin so.
        """
        self.cast = cast
        self._name = name
        self._runtime, self._lines = runtime, lines
        self._poll_s, self._give_up_s, self._progress = poll_s, give_up_s, progress
        requests = cast.workload.requests
        rows: Rows = np.zeros(len(requests), ROW).view(np.recarray)
        for one in fields(Requests):
            rows[one.name] = getattr(requests, one.name)
        rows.planned_us += shift_us
        rows.row = np.arange(len(requests))
        for name in ("end", "code", "outcome", "repeat_of"):
            rows[name] = -1
        self.rows = rows
        #: (n,) when each was asked, microseconds since the epoch; 0 before.
        self.asked_us: NDArray[np.int64] = np.zeros(len(requests), dtype=np.int64)
        self._codes: dict[str, int] = {}
        self._over = runtime.env.event()
        self.ended = 0
        self._asks = 0
        #: By log-in and line.
        self._markets: dict[tuple[Login, int], SmtClient] = {}
        self._portals: dict[tuple[Login, int], PortalClient] = {}

    @property
    def calls(self) -> int:
        """HTTP requests that were sent, polls among them; the log-ins of portal clients too."""
        return self._asks + self.portal_calls

    @property
    def portal_calls(self) -> int:
        """Those at the portal."""
        return sum(client.calls for client in self._portals.values())

    def reference(self, row: int) -> str:
        """By what a request goes: at the market API its call reference."""
        return f"{self._name}-{self.rows.call[row]}"

    def at_portal(self, row: int) -> bool:
        """Whether a customer makes it."""
        return self._right(row).requester == CUSTOMER

    def _right(self, row: int) -> Right:
        right: Right = self.cast.rights[self.cast.right[row]]
        return right

    @property
    def codes(self) -> tuple[str, ...]:
        """What ``code`` of the rows numbers."""
        return tuple(self._codes)

    def waiting_us(self) -> NDArray[np.int64]:
        """Microseconds since its planned arrival of each request that should have come by now and has not ended: asked or not."""
        now = self._runtime.now_us()
        since = now - self.rows.planned_us
        return np.asarray(since[(since >= 0) & (self.rows.done_us == 0)], dtype=np.int64)

    def now(self) -> Seconds:
        """The model's time."""
        return self._runtime.now()

    def played(self) -> Played:
        """The rows as the compiled engine has them, so far: ``end`` -1 of one that has not ended or whose caller polls no more."""
        # It compiles the engine, which a play does without.
        from simulator.capacity.engine.run import Played

        return Played(self.rows, self.codes, self.rows.nbytes)

    def run(self) -> Generator[simpy.Event, Any, None]:
        """Play it; a simpy process that is over when every request is."""
        env = self._runtime.env
        for row, planned_us in enumerate(self.rows.planned_us.tolist()):
            yield env.timeout(max(0, planned_us - env.now))
            env.process(self._ask(row))
        if self.ended < len(self.rows):
            yield self._over

    def _ask(self, row: int) -> Generator[simpy.Event, Any, None]:
        self.asked_us[row] = self._runtime.now_us()
        ask = self._at_the_portal if self.at_portal(row) else self._at_the_market
        yield from ask(row, self._right(row), self.reference(row))
        self.rows.done_us[row] = self._runtime.now_us()
        self.ended += 1
        if self._progress is not None:
            self._progress(self.ended, len(self.rows))
        if self.ended == len(self.rows):
            self._over.succeed()

    def _at_the_market(self, row: int, right: Right, ident: str) -> Generator[simpy.Event, Any, None]:
        client, kind = self._market(row, right), KINDS[self.rows.kind[row]]
        ask = functools.partial(client.odr, right.esiid, ident)
        if kind is InquiryKind.POWER:
            ask = functools.partial(client.power_status, right.esiid, ident)
        elif kind is InquiryKind.REGISTER:
            ask = functools.partial(client.odr, right.esiid, ident, "REGISTER")
        line = Line(self._runtime, ident)
        ended: OnDemand = yield from on_demand(line, ask, client, self._poll_s, self._give_up_s)
        self._asks += 1 + ended.polls
        status, trouble = ended.status, ended.trouble
        if status is not None:
            self.rows.tries[row] = status.meterReads or 0
            if status.gap is not None and status.reachesTo is not None and status.reachesTo > status.gap.start:
                # What the store holds beyond the gap is not handed on.
                self.rows.reach[row] = min(status.reachesTo, status.gap.end).timestamp()
        if trouble is not None:
            self.rows.code[row] = self._code(trouble.code)
            self.rows.retry_at[row] = trouble.retry_at or 0
        if ended.end is not RequestEnd.UNANSWERED:
            lost = status is not None and status.statusReason.startswith(_LOST)
            self.rows.end[row] = T_FAILED if lost else _ENDS[ended.end]

    def _at_the_portal(self, row: int, right: Right, ident: str) -> Generator[simpy.Event, Any, None]:
        """A customer looks at what is answered; home automation polls on, as the public client does."""
        client = self._portal(row, right.login)
        attentive = CLASSES[self.rows.requester_class[row]] is not RequesterClass.HOME_AUTOMATION
        read = yield from portal_read(
            self._runtime, client, right.esiid, right.meter_number, ident, attentive=attentive
        )
        if read.code is not None:
            self.rows.code[row] = self._code(read.code)
        if read.end in _ENDS:
            self.rows.end[row] = T_FAILED if (read.code or "").endswith(_LOST) else _ENDS[read.end]

    def _market(self, row: int, right: Right) -> SmtClient:
        who, line = right.login, row % len(self._lines)
        client = SmtClient(self._lines[line], who.username, who.password, who.duns, right.requester)
        return self._markets.setdefault((who, line), client)

    def _portal(self, row: int, who: Login) -> PortalClient:
        line = row % len(self._lines)
        return self._portals.setdefault((who, line), PortalClient(self._lines[line], who.username, who.password))

    def _code(self, code: str) -> int:
        return self._codes.setdefault(code, len(self._codes))
