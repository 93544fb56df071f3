"""Meters' events on their way to a head-end."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Sequence

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headend.wire import MAX_EVENTS
from meters.calendar import Seconds, epoch, micros, seconds, to_s, to_us
from meters.device.meter import EmulatedMeter
from meters.events import EventKind, MeterEvent
from meters.faults.fault import Fault
from meters.faults.kinds import FaultKind
from meters.identity import MeterIdentity, tdsp
from meters.load.premises import make_premise
from simulator.parties.fleet.meter_events import (
    BATCH,
    WAITS_US,
    EventsNotTaken,
    EventsRefused,
    MeterEvents,
    TellingMeter,
    http_sender,
)
from simulator.runtime.clock import Clock, ClockMode
from simulator.runtime.driver import Runtime
from simulator.runtime.journal import RunJournal

START = epoch("2026-08-12T17:40")
DAY_S = 24 * 3600
GASP, BACK = EventKind.LAST_GASP, EventKind.RESTORATION


class FakeMeter:
    """A meter that has been told what it will tell."""

    def __init__(self, number: int, *events: tuple[int, EventKind]) -> None:
        self.esiid = f"104437200000{number:05d}"
        self.number = f"9{number:08d}"
        self.mine: list[MeterEvent] = []
        self.asked: list[tuple[int, int]] = []
        for at, kind in events:
            self.add(seconds(at), kind)

    @property
    def restless(self) -> bool:
        return bool(self.mine)

    def add(self, at: Seconds, kind: EventKind) -> None:
        self.mine.append(MeterEvent(at, self.esiid, self.number, kind))

    def events(self, start: Seconds, end: Seconds) -> list[MeterEvent]:
        assert start <= end
        self.asked.append((start, end))
        return sorted(one for one in self.mine if start <= one.at < end)


class HeadEndDouble:
    """Takes events, each with the model second at which it came; fails as it is told to."""

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime
        self.came: list[tuple[int, MeterEvent]] = []
        self.tries: list[tuple[int, int]] = []
        #: What the next sendings end with.
        self.failures: list[Exception] = []

    async def take(self, events: Sequence[MeterEvent]) -> int:
        self.tries.append((self.runtime.now(), len(events)))
        await asyncio.sleep(0)
        if self.failures:
            raise self.failures.pop(0)
        self.came += [(self.runtime.now(), event) for event in events]
        return 0


class Line:
    """Meters, the process that sends, a head-end, on the manual clock."""

    def __init__(self, meters: Iterable[TellingMeter], since: Seconds | None = None) -> None:
        self.runtime = Runtime(Clock(ClockMode.MANUAL, to_us(START)))
        self.journal = RunJournal()
        self.headend = HeadEndDouble(self.runtime)
        self.events = MeterEvents(self.runtime, list(meters), self.headend.take, self.journal, since=since)
        self.runtime.env.process(self.events.run())

    async def to(self, second: int) -> None:
        await self.runtime.run_until(START + second)

    def kinds(self) -> list[str]:
        return [entry["kind"] for entry in self.journal.entries()]


# -- looking ahead -------------------------------------------------------------------------------------------------


async def test_each_event_is_sent_at_its_own_instant() -> None:
    meters = [
        FakeMeter(1, (START + 100, GASP), (START + 1900, BACK)),
        FakeMeter(2, (START + 100, GASP), (START + 3 * DAY_S + 7, BACK)),
        FakeMeter(3),
    ]
    line = Line(meters)
    await line.to(4 * DAY_S)
    assert [(at, one.esiid, one.kind) for at, one in line.headend.came] == [
        (one.at, one.esiid, one.kind) for one in sorted(meters[0].mine + meters[1].mine)
    ]
    # What two meters told in one instant went in one request.
    assert line.headend.tries[0] == (START + 100, 2)
    assert line.kinds() == ["meter events sent"] * 3
    # A meter with nothing to tell is never asked, the others once a day and event.
    assert meters[2].asked == []
    assert len(meters[1].asked) < 20


@given(st.lists(st.tuples(st.integers(-DAY_S, 3 * DAY_S), st.sampled_from(EventKind)), unique=True, max_size=12))
def test_every_event_from_the_beginning_on_is_sent_once(events: list[tuple[int, EventKind]]) -> None:
    async def scene() -> None:
        meter = FakeMeter(1, *((START + at, kind) for at, kind in events))
        line = Line([meter], since=START - 3600)
        await line.to(3 * DAY_S)
        wanted = sorted(one for one in meter.mine if one.at >= START - 3600)
        assert [one for _, one in line.headend.came] == wanted
        assert [at for at, _ in line.headend.came] == [max(START, one.at) for one in wanted]

    asyncio.run(scene())


async def test_what_a_write_makes_a_meter_tell_is_sent_at_once_and_once() -> None:
    quiet, noisy = FakeMeter(1), FakeMeter(2, (START + DAY_S // 2, GASP))
    line = Line([quiet, noisy])
    await line.to(1000)
    for meter in (quiet, noisy):
        for kind in (EventKind.DISCONNECTED, EventKind.CONNECTED):
            # Both in the same second.
            meter.add(START + 1000, kind)
            line.events.touched(meter)
            line.events.touched(meter)
            await line.to(1000)
    assert [(at - START, one.kind) for at, one in line.headend.came] == [
        (1000, kind) for kind in (EventKind.DISCONNECTED, EventKind.CONNECTED) * 2
    ]
    await line.to(DAY_S)
    assert [one.kind for _, one in line.headend.came[4:]] == [GASP]


async def test_a_write_that_changes_what_comes_is_heeded() -> None:
    meter = FakeMeter(1, (START + 5000, GASP))
    line = Line([meter])
    await line.to(10)
    meter.mine.clear()
    meter.add(START + 300, EventKind.CLOCK_SET)
    line.events.touched(meter)
    await line.to(DAY_S)
    assert [(at - START, one.kind) for at, one in line.headend.came] == [(300, EventKind.CLOCK_SET)]


async def test_a_meter_that_breaks_costs_its_own_events_alone() -> None:
    class Broken(FakeMeter):
        def events(self, start: Seconds, end: Seconds) -> list[MeterEvent]:
            raise ZeroDivisionError

    line = Line([Broken(1, (START + 5, GASP)), FakeMeter(2, (START + 9, GASP))])
    await line.to(60)
    assert [one.kind for _, one in line.headend.came] == [GASP]
    assert line.kinds() == ["internal fault", "meter events sent"]


async def test_an_emulated_meter_tells_of_its_outage_and_of_its_switch() -> None:
    premise = make_premise(tdsp("ONCOR"), 3, 1)
    outage = Fault(FaultKind.OUTAGE, premise.esiid, START + 600, START + 1800, {"restoration_s": 45})
    out = EmulatedMeter(MeterIdentity("900000001", premise.esiid), premise, 3, [outage])
    neighbour = make_premise(tdsp("ONCOR"), 3, 2)
    well = EmulatedMeter(MeterIdentity("900000002", neighbour.esiid), neighbour, 3)
    line = Line([out, well])
    await line.to(700)
    well.operate_switch(START + 700, closed=False)
    line.events.touched(well)
    await line.to(DAY_S)
    assert [(at - START, one.at - START, one.meter_number, one.kind) for at, one in line.headend.came] == [
        (600, 600, "900000001", GASP),
        (700, 700, "900000002", EventKind.DISCONNECTED),
        (1845, 1845, "900000001", BACK),
    ]


async def test_ten_thousand_meters_with_nothing_to_tell_cost_next_to_nothing() -> None:
    line = Line([FakeMeter(n) for n in range(10_000)] + [FakeMeter(10_001, (START + 29 * DAY_S, GASP))])
    began = time.process_time()
    await line.to(30 * DAY_S)
    assert len(line.headend.came) == 1
    # Thirty days of looking, one meter: about 2 ms. The limit is for a busy machine.
    assert time.process_time() - began < 0.5


# -- sending -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("failure", [EventsNotTaken("HTTP 503"), httpx.ConnectError("nobody"), OSError("no route")])
async def test_a_sending_that_fails_is_made_again_after_a_wait_and_noted(failure: Exception) -> None:
    line = Line([FakeMeter(1, (START + 100, GASP), (START + 130, BACK))])
    line.headend.failures = [failure, failure]
    await line.to(1000)
    assert [at - START for at, _ in line.headend.tries] == [100, 105, 120, 130]
    assert [(at - START, one.kind) for at, one in line.headend.came] == [(120, GASP), (130, BACK)]
    assert line.kinds() == ["meter events not sent"] * 2 + ["meter events sent"] * 2
    first = line.journal.entries()[0]
    assert first["reason"] in ("HTTP 503", "ConnectError", "OSError")
    assert first["again_in_s"] == 5


async def test_events_that_come_while_one_waits_go_together_after_it() -> None:
    line = Line([FakeMeter(n, (START + n, GASP)) for n in range(1, 9)])
    line.headend.failures = [OSError("down")] * 2
    await line.to(60)
    assert line.headend.tries == [(START + 1, 1), (START + 6, 1), (START + 21, 1), (START + 21, 7)]


async def test_what_is_given_up_after_two_hours_is_noted_and_the_next_goes_on() -> None:
    later = to_s(sum(WAITS_US, micros(0))) + 60
    line = Line([FakeMeter(1, (START + 1, GASP), (START + later, BACK))])
    line.headend.failures = [OSError("down")] * (1 + len(WAITS_US))
    await line.to(later + 10)
    assert [one.kind for _, one in line.headend.came] == [BACK]
    assert line.kinds().count("meter events not sent") == len(WAITS_US)
    (given_up,) = [entry for entry in line.journal.entries() if entry["kind"] == "meter events given up"]
    assert (given_up["kinds"], given_up["esiids"]) == ({"last_gasp": 1}, ["10443720000000001"])


async def test_events_that_are_refused_for_good_are_noted_and_not_sent_again() -> None:
    line = Line([FakeMeter(1, (START + 1, GASP), (START + 2, BACK))])
    line.headend.failures = [EventsRefused("HTTP 400: malformed")]
    await line.to(DAY_S)
    assert [one.kind for _, one in line.headend.came] == [BACK]
    assert line.kinds() == ["meter events refused", "meter events sent"]


async def test_an_event_that_is_refused_keeps_no_other_of_its_request_from_being_taken() -> None:
    line = Line([FakeMeter(number, (START + 1, GASP)) for number in (1, 2, 3)])
    # The three together, then the first of them alone.
    line.headend.failures = [EventsRefused("HTTP 400: malformed"), EventsRefused("HTTP 400: malformed")]
    await line.to(DAY_S)
    assert [count for _, count in line.headend.tries] == [3, 1, 1, 1]
    assert len({event.esiid for _, event in line.headend.came}) == 2
    assert sorted(line.kinds()) == ["meter events refused", "meter events sent", "meter events sent"]


async def test_a_storm_goes_in_requests_of_bounded_size() -> None:
    assert BATCH <= MAX_EVENTS
    line = Line([FakeMeter(n, (START + 1, GASP)) for n in range(2 * BATCH + 1)])
    await line.to(1)
    assert [count for _, count in line.headend.tries] == [BATCH, BATCH, 1]


async def test_events_are_sent_on_a_running_clock() -> None:
    """60 model seconds in a wall second, of a wall that the test moves."""
    wall = [0.0]
    runtime = Runtime(Clock(ClockMode.SCALED, to_us(START), 60.0, lambda: wall[0], 0.0))
    headend = HeadEndDouble(runtime)
    meter = FakeMeter(1, (START + 90, GASP))
    events = MeterEvents(runtime, [meter], headend.take, RunJournal())
    runtime.env.process(events.run())
    serving = asyncio.get_running_loop().create_task(runtime.serve())

    async def until(done: Callable[[], bool]) -> None:
        async with asyncio.timeout(10):
            while not done():
                runtime.inject("tick", "", lambda: None)
                await asyncio.sleep(0)

    await until(lambda: runtime.env.now >= to_us(START) and bool(meter.asked))
    wall[0] = 1.4
    await until(lambda: micros(runtime.env.now) >= to_us(START + 84))
    assert headend.came == []
    wall[0] = 1.55
    await until(lambda: len(headend.came) == 1)
    meter.add(runtime.now(), EventKind.DISCONNECTED)
    events.touched(meter)
    await until(lambda: len(headend.came) == 2)
    assert [at - START for at, _ in headend.came] == [93, 93]
    serving.cancel()
    await asyncio.gather(serving, return_exceptions=True)
    await runtime.close()


@pytest.mark.parametrize(
    ("reply", "ends"),
    [
        (httpx.Response(202, json={"accepted": 0, "unknown": 1}), 1),
        (httpx.Response(204), 0),
        (httpx.Response(200, text="thanks"), 0),
        (httpx.Response(400, text="no"), EventsRefused),
        (httpx.Response(400, json={"code": "events.ahead"}), EventsNotTaken),
        (httpx.Response(404), EventsRefused),
        (httpx.Response(429), EventsNotTaken),
        (httpx.Response(503), EventsNotTaken),
        (httpx.Response(302), EventsNotTaken),
    ],
)
async def test_what_a_head_end_answers_is_taken_refused_or_worth_another_try(
    reply: httpx.Response, ends: int | type[Exception]
) -> None:
    asked: list[httpx.Request] = []

    def handle(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return reply

    async with httpx.AsyncClient(transport=httpx.MockTransport(handle)) as http:
        send = http_sender(http, "http://headend/events", "a-key")
        if isinstance(ends, int):
            assert await send(FakeMeter(1, (START, GASP)).mine) == ends
        else:
            with pytest.raises(ends):
                await send(FakeMeter(1, (START, GASP)).mine)
    assert str(asked[0].url) == "http://headend/events"
    assert asked[0].headers["authorization"] == "Bearer a-key"
    assert b'"at":"2026-08-12T17:40:00-05:00"' in asked[0].content


def test_what_is_sent_can_be_made_anew_from_its_args() -> None:
    """simpy does so with an exception that leaves a process."""
    for error in (EventsRefused("HTTP 400: no"), EventsNotTaken("HTTP 503")):
        assert str(type(error)(*error.args)) == str(error)
