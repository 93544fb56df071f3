"""simpy on asyncio: steps one environment, waits for everything real in flight before model time moves, hands completions in sorted.

What is in flight in one model instant is waited for together; what it brought and what handlers injected goes to simpy together, ordered by
(kind, ident), so that on the manual clock the same scenario gives the same log whatever the sockets did.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

import simpy

from headend.http.log import LOG
from headend.ports import BEHIND, Journal
from meters.calendar import Micros, Seconds, fraction_s, micros, to_s, to_us
from simulator.errors import SimulatorError
from simulator.runtime.clock import Clock, ClockMode
from simulator.runtime.lag import ClockLag
from simulator.verdicts import Mark, exit_code_of

#: A barrier older than this many wall seconds is a fault of ours or of a party, and names what is in flight.
BARRIER_S = 20.0


#: For so many wall seconds a running clock keeps the event loop at a time, as far as single steps allow.
TURN_S = 0.02


class StalledError(SimulatorError):
    """Something real stayed in flight too long: whatever was to be judged is inconclusive."""

    exit_code = exit_code_of(Mark.INCONCLUSIVE)


@dataclass(order=True, slots=True)
class _Arrival:
    kind: str
    ident: str
    deliver: Callable[[], object] = field(compare=False)
    #: By the process's own clock.
    came: float = field(compare=False)


@dataclass(slots=True)
class _LaneCall:
    kind: str
    ident: str
    call: Callable[[], Awaitable[Any]]
    event: simpy.Event


class Runtime:
    """The driver (``headend.ports.Driver``) of one process with all its parties."""

    def __init__(
        self,
        clock: Clock,
        begin_us: Micros | None = None,
        *,
        journal: Journal | None = None,
        instant: Collection[str] = (),
        whole: bool = False,
    ) -> None:
        """begin_us: where the environment begins, the clock's epoch unless given; a party that joins a running clock begins at its now.

        journal: has a note when the clock is not kept. instant: kinds of exchanges with parties of this process, which the model takes for instant.
        whole: every party is in this process, so that nobody else goes by the clock.
        """
        self.whole = whole
        self.clock = clock
        self._journal = journal
        self._instant = instant
        self._lag = ClockLag(self._note_lag)
        #: Whether it has caught up with its clock once: until then it starts.
        self._started = False
        self.env = simpy.Environment(initial_time=clock.epoch_us if begin_us is None else begin_us)
        self._arrivals: list[_Arrival] = []
        self._in_flight: dict[tuple[str, str, int], float] = {}
        self._serial = 0
        self._lanes: defaultdict[str, list[_LaneCall]] = defaultdict(list)
        self._tasks: set[asyncio.Task[None]] = set()
        self._wake = asyncio.Event()
        self._turn = asyncio.Lock()
        #: Since when the event loop has had no turn.
        self._held_since = time.monotonic()
        self._failure: BaseException | None = None

    # -- what processes and handlers call -----------------------------------------------------------------

    def now(self) -> Seconds:
        """Model time in whole UTC epoch seconds."""
        return to_s(self.now_us())

    @property
    def rate(self) -> float:
        """See ``headend.ports.Driver``."""
        return self.clock.rate

    @property
    def lag_s(self) -> float:
        """See ``headend.ports.Driver``."""
        self._look(self.now_us())
        return self._lag.lately_s()

    @property
    def busy(self) -> bool:
        """See ``headend.ports.Driver``."""
        return not self.clock.manual and bool(
            self._in_flight or self._arrivals or self.env.peek() <= self.clock.now_us()
        )

    def behind_since(self, at_us: Micros) -> bool:
        """See ``headend.ports.Driver``."""
        self._look(self.now_us())
        return self._lag.behind_us >= at_us

    def now_us(self) -> Micros:
        """Model time in microseconds since the epoch."""
        if self.clock.manual:
            return micros(self.env.now)
        return max(micros(self.env.now), self.clock.now_us())

    def io(self, kind: str, ident: str, call: Callable[[], Awaitable[Any]], *, lane: str = "") -> simpy.Event:
        """Start a real exchange; see ``headend.ports.Driver.io``."""
        event = self.env.event()
        if lane:
            self._lanes[lane].append(_LaneCall(kind, ident, call, event))
            self._wake.set()
        else:
            self._start(self._exchange(kind, ident, call, event))
        return event

    def inject(self, kind: str, ident: str, deliver: Callable[[], object]) -> None:
        """Queue something from outside for simpy's next turn; see ``headend.ports.Driver.inject``."""
        self._arrivals.append(_Arrival(kind, ident, deliver, time.monotonic()))
        self._wake.set()

    def set_speed(self, speed: float) -> None:
        """Run on at another speed from now, as a scaled clock. Raises SimulatorError for a speed that there is none of."""
        self.clock = Clock(ClockMode.SCALED, self.now_us(), speed, self.clock.wall, self.clock.wall())
        self._wake.set()

    # -- moving time ----------------------------------------------------------------------------------------

    async def run_until(self, at: Seconds) -> None:
        """Manual clock: move model time to ``at`` (UTC epoch seconds), events due exactly then included."""
        target = to_us(at)
        async with self._turn:
            if target < self.env.now:
                raise SimulatorError(
                    "clock.backwards", "The clock does not run backwards.", place="clock", mend="Give a later instant."
                )
            # A landmark of its own makes the environment's now the target even when nothing else is due there.
            self.env.timeout(target - micros(self.env.now))
            while True:
                await self._settle()
                if self.env.peek() > target:
                    return
                self.env.step()

    async def serve(self) -> None:
        """Run until cancelled. Real and scaled: follow the wall; manual: take in what handlers bring, without moving time."""
        while True:
            self._wake.clear()
            async with self._turn:
                if self.clock.manual:
                    await self._settle()
                    wait = None
                else:
                    wait = await self._follow()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    await self._wake.wait()

    async def close(self) -> None:
        """Cancel what is still in flight."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    # -- inside -----------------------------------------------------------------------------------------------

    async def _follow(self) -> float | None:
        """Bring the environment up to the clock, hand in what arrived, start lanes; wall seconds to the next event.

        What has much to catch up with stops now and then for the loop: services of this process answer meanwhile.
        """
        # Of what came in before the clock is looked at, nothing is ahead of it. What comes in meanwhile has woken the runtime, and is next.
        arrivals, self._arrivals = self._arrivals, []
        now = self.now_us()
        self._look(now, arrivals)
        await self._step_to(now)
        if self.env.now < now:
            # A landmark, as in run_until: simpy's run(until=) leaves its own behind, due at once, and the runtime would never rest.
            self.env.timeout(now - micros(self.env.now))
            self.env.step()
        if arrivals:
            _hand_in(arrivals)
            await self._step_to(micros(self.env.now))
            self._raise_failure()
        self._start_lanes()
        self._started = True
        due = self.env.peek()
        return None if due == float("inf") else self.clock.wall_seconds_until(micros(due))

    async def _step_to(self, until_us: Micros) -> None:
        while self.env.peek() <= until_us:
            self.env.step()
            if time.monotonic() - self._held_since > TURN_S:
                await asyncio.sleep(0)
                self._look(self.now_us())
                self._held_since = time.monotonic()

    def _look(self, now: Micros, arrivals: Sequence[_Arrival] = ()) -> None:
        """See how late the oldest is of what is due, and of what came in."""
        if self.clock.manual or not self._started:
            return
        due = self.env.peek()
        late = [fraction_s(now - micros(due)) / self.clock.speed] if due < now else []
        late += [time.monotonic() - arrivals[0].came] if arrivals else []
        if late:
            self._lag.seen(max(late), now)

    def _note_lag(self, lag_s: float) -> None:
        text = f"{lag_s:.1f} s of wall time behind the clock"
        LOG.warning(f"{BEHIND}: {text}")
        if self._journal is not None:
            self._journal.note(self.now(), "CLOCK", BEHIND, "", error=text)

    async def _settle(self) -> None:
        """Finish the present instant: step, wait for everything in flight, hand in, until nothing is left."""
        while True:
            self._step_instant()
            self._start_lanes()
            if not self._in_flight and not self._arrivals:
                return
            await self._barrier()
            arrivals, self._arrivals = self._arrivals, []
            _hand_in(arrivals)

    def _step_instant(self) -> None:
        while self.env.peek() <= self.env.now:
            self.env.step()
        self._raise_failure()

    async def _barrier(self) -> None:
        while self._in_flight:
            self._wake.clear()
            oldest = min(self._in_flight.values())
            left = BARRIER_S - (time.monotonic() - oldest)
            if left <= 0:
                what = ", ".join(f"{kind} {ident}" for kind, ident, _ in sorted(self._in_flight))
                raise StalledError(
                    "runtime.stalled",
                    f"Still in flight after {BARRIER_S:g} s of wall time: {what}.",
                    mend="A party on the manual clock must answer at once; use --clock scaled with outside parties.",
                )
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(left):
                    await self._wake.wait()
        self._raise_failure()

    def _start_lanes(self) -> None:
        for lane in sorted(self._lanes):
            calls = self._lanes.pop(lane)
            calls.sort(key=lambda call: (call.kind, call.ident))
            self._start(self._in_turn(calls))

    async def _in_turn(self, calls: list[_LaneCall]) -> None:
        # Enter all before the first one runs, so that the barrier sees the whole lane.
        keys = [self._enter(call.kind, call.ident) for call in calls]
        for call, key in zip(calls, keys, strict=True):
            await self._finish(call.kind, call.ident, call.call, call.event, key)

    async def _exchange(self, kind: str, ident: str, call: Callable[[], Awaitable[Any]], event: simpy.Event) -> None:
        await self._finish(kind, ident, call, event, self._enter(kind, ident))

    async def _finish(
        self, kind: str, ident: str, call: Callable[[], Awaitable[Any]], event: simpy.Event, key: tuple[str, str, int]
    ) -> None:
        began = time.monotonic()
        try:
            value = await call()
        except Exception as error:
            failure = _remakable(error)
            self.inject(kind, ident, lambda: _fail(event, failure))
        else:
            if kind in self._instant and not self.clock.manual:
                self._lag.seen(time.monotonic() - began, self.now_us())
            self.inject(kind, ident, lambda: _succeed(event, value))
        finally:
            self._leave(key)

    def _start(self, work: Any) -> None:
        # The coroutine runs up to its first await only at the loop's next turn; entering it here keeps the barrier honest.
        key = self._enter("start", "")
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)

        def ended(done: asyncio.Task[None]) -> None:
            self._tasks.discard(done)
            self._leave(key)
            if not done.cancelled() and done.exception() is not None:
                self._failure = done.exception()

        task.add_done_callback(ended)

    def _enter(self, kind: str, ident: str) -> tuple[str, str, int]:
        self._serial += 1
        key = (kind, ident, self._serial)
        self._in_flight[key] = time.monotonic()
        return key

    def _leave(self, key: tuple[str, str, int]) -> None:
        self._in_flight.pop(key, None)
        self._wake.set()

    def _raise_failure(self) -> None:
        if self._failure is not None:
            failure, self._failure = self._failure, None
            raise failure


def _succeed(event: simpy.Event, value: Any) -> None:
    if not event.triggered:
        event.succeed(value)


def _hand_in(arrivals: list[_Arrival]) -> None:
    for arrival in sorted(arrivals):
        arrival.deliver()


def _remakable(error: Exception) -> Exception:
    """The exception as simpy can make it anew from its ``args``; one that cannot be made so is told in a plain one's words."""
    try:
        type(error)(*error.args)
    except Exception:
        return RuntimeError(f"{type(error).__name__}: {error}").with_traceback(error.__traceback__)
    return error


def _fail(event: simpy.Event, error: Exception) -> None:
    if not event.triggered:
        event.fail(error)
        # A process that has already given up must not bring the whole run down.
        if not event.callbacks:
            event.defused = True
