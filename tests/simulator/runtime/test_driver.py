"""The runtime: nothing moves while something real is in flight, and what came in is handed over in one order."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Generator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import simpy

from headend.ports import BEHIND
from meters.calendar import micros, rounded_us, seconds, to_s, to_us
from simulator.errors import SimulatorError
from simulator.runtime.clock import Clock, ClockMode
from simulator.runtime.driver import Runtime
from simulator.runtime.journal import RunJournal

START = seconds(1_786_500_000)


def manual() -> Runtime:
    return Runtime(Clock(ClockMode.MANUAL, to_us(START)))


async def test_model_time_stands_still_while_an_exchange_is_in_flight() -> None:
    runtime = manual()
    seen: list[tuple[str, int]] = []

    async def slow() -> str:
        for _ in range(50):
            await asyncio.sleep(0)
        return "answer"

    def process() -> Generator[simpy.Event, Any, None]:
        value = yield runtime.io("http", "one", slow)
        seen.append((value, runtime.now()))
        yield runtime.env.timeout(to_us(5))
        seen.append(("later", runtime.now()))

    runtime.env.process(process())
    # Something else is due a second later: it must wait for the exchange.
    runtime.env.timeout(to_us(1)).callbacks.append(lambda _: seen.append(("due", runtime.now())))
    await runtime.run_until(START + 10)
    assert seen == [("answer", START), ("due", START + 1), ("later", START + 5)]
    assert runtime.now() == START + 10


async def test_an_event_due_exactly_at_the_target_is_processed() -> None:
    runtime = manual()
    seen: list[int] = []
    runtime.env.timeout(to_us(10)).callbacks.append(lambda _: seen.append(runtime.now()))
    await runtime.run_until(START + 10)
    assert seen == [START + 10]


async def test_completions_of_one_instant_come_in_sorted_whatever_the_sockets_did() -> None:
    async def order(shuffle: int) -> list[str]:
        runtime = manual()
        seen: list[str] = []
        waits = list(range(20))
        random.Random(shuffle).shuffle(waits)

        async def exchange(turns: int) -> int:
            for _ in range(turns):
                await asyncio.sleep(0)
            return turns

        def process(name: str, turns: int) -> Generator[simpy.Event, Any, None]:
            yield runtime.io("http", name, lambda: exchange(turns))
            seen.append(name)

        for number, turns in enumerate(waits):
            runtime.env.process(process(f"{number:02d}", turns))
        await runtime.run_until(START + 1)
        return seen

    first = await order(1)
    assert first == await order(2) == sorted(first)


async def test_what_a_handler_injects_is_handed_in_with_the_completions_of_its_instant() -> None:
    runtime = manual()
    seen: list[str] = []

    async def call_a_handler() -> None:
        runtime.inject("a handler", "x", lambda: seen.append("injected"))

    def process() -> Generator[simpy.Event, Any, None]:
        yield runtime.io("b exchange", "x", call_a_handler)
        seen.append("completed")

    runtime.env.process(process())
    await runtime.run_until(START)
    assert seen == ["injected", "completed"]


async def test_calls_of_one_lane_are_made_one_at_a_time_by_ident() -> None:
    runtime = manual()
    under_way: list[str] = []
    order: list[str] = []

    async def exchange(name: str) -> None:
        under_way.append(name)
        assert under_way == [name]
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        order.append(name)
        under_way.remove(name)

    def process(name: str) -> Generator[simpy.Event, Any, None]:
        yield runtime.io("ror", name, lambda: exchange(name), lane="smt")

    for name in ("c", "a", "b"):
        runtime.env.process(process(name))
    await runtime.run_until(START)
    assert order == ["a", "b", "c"]


async def test_a_failed_exchange_raises_in_the_process_that_waits_for_it() -> None:
    runtime = manual()
    seen: list[str] = []

    async def refuse() -> None:
        raise ConnectionRefusedError("nobody there")

    def process() -> Generator[simpy.Event, Any, None]:
        try:
            yield runtime.io("http", "x", refuse)
        except ConnectionRefusedError as error:
            seen.append(str(error))

    runtime.env.process(process())
    await runtime.run_until(START)
    assert seen == ["nobody there"]


@pytest.mark.parametrize("fails", [False, True])
async def test_an_answer_to_who_has_been_told_otherwise_is_dropped(fails: bool) -> None:
    runtime = manual()
    seen: list[str] = []

    async def exchange() -> str:
        if fails:
            raise OSError("refused")
        return "answer"

    def process() -> Generator[simpy.Event, Any, None]:
        event = runtime.io("http", "one", exchange)
        event.succeed("given up")
        seen.append((yield event))

    runtime.env.process(process())
    await runtime.run_until(START + 1)
    assert seen == ["given up"]


async def test_a_failure_that_nobody_waits_for_any_more_leaves_the_run_alone() -> None:
    runtime = manual()

    async def refused() -> None:
        raise OSError("refused")

    runtime.io("http", "one", refused)
    await runtime.run_until(START + 1)
    assert runtime.now() == START + 1


async def test_what_is_no_failure_of_an_exchange_breaks_the_run_off() -> None:
    class Broken(BaseException):
        """What no process is to be told."""

    runtime = manual()

    async def breaks() -> None:
        raise Broken

    runtime.io("http", "one", breaks)
    with pytest.raises(Broken):
        await runtime.run_until(START + 1)
    await runtime.run_until(START + 1)


async def test_a_barrier_that_hangs_names_what_is_in_flight(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("simulator.runtime.driver.BARRIER_S", 0.05)
    runtime = manual()

    async def never() -> None:
        await asyncio.Event().wait()

    runtime.io("modbus", "meter 7", never)
    with pytest.raises(SimulatorError, match="modbus meter 7"):
        await runtime.run_until(START + 1)
    await runtime.close()


async def test_the_clock_does_not_run_backwards() -> None:
    runtime = manual()
    await runtime.run_until(START + 10)
    with pytest.raises(SimulatorError, match="backwards"):
        await runtime.run_until(START + 5)


async def test_a_scaled_clock_follows_the_wall_and_hands_input_in_at_its_instant() -> None:
    wall = 100.0
    clock = Clock(ClockMode.SCALED, to_us(START), speed=60.0, wall=lambda: wall, wall_start=100.0)
    runtime = Runtime(clock)
    seen: list[tuple[str, int]] = []
    runtime.env.timeout(to_us(60)).callbacks.append(lambda _: seen.append(("due", runtime.now())))
    serving = asyncio.get_running_loop().create_task(runtime.serve())
    await asyncio.sleep(0)
    assert seen == []
    wall = 102.0
    runtime.inject("input", "x", lambda: seen.append(("input", to_s(micros(runtime.env.now)))))
    while len(seen) < 2:
        await asyncio.sleep(0)
    serving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await serving
    # The event that was due before the input is processed before it; the input comes in at the wall's now.
    assert seen == [("due", START + 120), ("input", START + 120)]


async def test_an_idle_running_clock_rests_until_the_next_event() -> None:
    looks: list[int] = []

    def wall() -> float:
        looks.append(0)
        return 102.0

    runtime = Runtime(Clock(ClockMode.SCALED, to_us(START), speed=60.0, wall=wall, wall_start=100.0))
    runtime.env.timeout(to_us(86_400))
    serving = asyncio.get_running_loop().create_task(runtime.serve())
    for _ in range(100):
        await asyncio.sleep(0)
    runtime.inject("input", "x", lambda: None)
    for _ in range(100):
        await asyncio.sleep(0)
    serving.cancel()
    await asyncio.gather(serving, return_exceptions=True)
    # Its start and the input: for each it looks what time it is, and how long there is to the next event.
    assert len(looks) == 4


@pytest.mark.parametrize("speed", [0.0, -1.0])
def test_a_clock_that_does_not_move_forwards_is_refused(speed: float) -> None:
    with pytest.raises(SimulatorError, match="speed"):
        Clock(ClockMode.SCALED, micros(0), speed=speed)


async def test_an_input_on_an_idle_manual_clock_is_taken_in_without_moving_time() -> None:
    runtime = manual()
    seen: list[int] = []
    serving = asyncio.get_running_loop().create_task(runtime.serve())
    await asyncio.sleep(0)
    runtime.inject("input", "x", lambda: seen.append(runtime.now()))
    while not seen:
        await asyncio.sleep(0)
    serving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await serving
    assert seen == [START]


async def test_a_running_clock_with_much_to_catch_up_gives_the_loop_its_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("simulator.runtime.driver.TURN_S", 0.0)
    wall = 100.0
    runtime = Runtime(Clock(ClockMode.SCALED, to_us(START), speed=60.0, wall=lambda: wall, wall_start=wall))
    turns: list[int] = []
    for number in range(20):
        runtime.env.timeout(to_us(number)).callbacks.append(lambda _: turns.append(0))
    wall += 1
    serving = asyncio.get_running_loop().create_task(runtime.serve())
    while turns.count(0) < 20:
        await asyncio.sleep(0)
        turns.append(1)
    serving.cancel()
    await asyncio.gather(serving, return_exceptions=True)
    assert turns.count(1) >= 19


async def test_what_comes_in_while_a_clock_catches_up_is_not_handed_in_before_its_instant(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("simulator.runtime.driver.TURN_S", 0.0)
    wall = 100.0
    runtime = Runtime(Clock(ClockMode.SCALED, to_us(START), speed=60.0, wall=lambda: wall, wall_start=wall))
    for number in range(20):
        runtime.env.timeout(to_us(number))
    came: list[int] = []
    handed_in: list[int] = []
    wall += 1
    serving = asyncio.get_running_loop().create_task(runtime.serve())
    for _ in range(5):
        await asyncio.sleep(0)
    assert 0 < runtime.env.now - to_us(START) < to_us(20)
    wall += 1
    came.append(runtime.now_us())
    runtime.inject("input", "x", lambda: handed_in.append(micros(runtime.env.now)))
    while not handed_in:
        await asyncio.sleep(0)
    serving.cancel()
    await asyncio.gather(serving, return_exceptions=True)
    assert came == handed_in == [to_us(START + 120)]


@asynccontextmanager
async def following(runtime: Runtime) -> AsyncIterator[None]:
    """A runtime that has caught up with its clock once."""
    serving = asyncio.get_running_loop().create_task(runtime.serve())
    await asyncio.sleep(0)
    yield
    serving.cancel()
    await asyncio.gather(serving, return_exceptions=True)


async def caught_up(runtime: Runtime) -> None:
    """Wake it, and wait until nothing is due any more."""
    runtime.inject("input", "x", lambda: None)
    while runtime.env.peek() < float("inf"):
        await asyncio.sleep(0)


@pytest.mark.parametrize("speed", [1.0, 60.0, 240.0])
async def test_lag_is_the_wall_seconds_that_what_is_due_is_late_whatever_the_speed(speed: float) -> None:
    wall, told = 100.0, RunJournal()
    runtime = Runtime(Clock(ClockMode.SCALED, to_us(START), speed, lambda: wall, wall), journal=told)
    asked = to_us(START) + rounded_us(speed)
    runtime.env.timeout(rounded_us(2 * speed))
    async with following(runtime):
        assert (runtime.lag_s, runtime.busy, runtime.behind_since(asked)) == (0.0, False, False)
        wall += 2.75
        assert (runtime.lag_s, runtime.busy, runtime.behind_since(asked)) == (0.75, True, False)
        wall += 0.5
        assert (runtime.lag_s, runtime.behind_since(asked)) == (1.25, True)
        assert not runtime.behind_since(asked + rounded_us(speed * 60))
        wall += 1
        # It is still told when it is made up for, and noted once.
        await caught_up(runtime)
        assert (runtime.lag_s, runtime.busy) == (2.25, False)
    assert [(note["party"], note["kind"], note["error"]) for note in told.entries()] == [
        ("CLOCK", BEHIND, "1.2 s of wall time behind the clock")
    ]


async def test_lag_is_forgotten_after_its_time_and_what_is_done_before_the_first_catching_up_is_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    wall = 100.0
    runtime = Runtime(Clock(ClockMode.SCALED, to_us(START), 60.0, lambda: wall, wall))
    runtime.env.timeout(to_us(60))
    wall += 9
    assert runtime.lag_s == 0.0
    async with following(runtime):
        assert runtime.lag_s == 0.0
        runtime.env.timeout(to_us(60))
        wall += 2
        assert runtime.lag_s == 1.0
        wall += 0.25
        assert runtime.lag_s == 1.25
        await caught_up(runtime)
        monkeypatch.setattr("simulator.runtime.lag.LATELY_S", 0.0)
        assert runtime.lag_s == 0.0


async def test_an_exchange_that_the_model_takes_for_instant_is_late_by_what_it_took(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monotonic = time.monotonic
    late = 0.0
    monkeypatch.setattr(time, "monotonic", lambda: monotonic() + late)

    async def exchange() -> None:
        nonlocal late
        late += 5

    async def refused() -> None:
        await exchange()
        raise OSError

    for mode, lag in ((ClockMode.SCALED, 5), (ClockMode.MANUAL, 0)):
        runtime = Runtime(Clock(mode, to_us(START), 60.0), instant={"inquiry"})
        async with following(runtime):
            # How long a silent meter is waited for is modelled, and what other parties take is theirs.
            for kind, call in (("inquiry", refused), ("posting", exchange)):
                done = runtime.io(kind, "x", call)
                done.callbacks.append(lambda event: setattr(event, "defused", True))
                while not done.processed:
                    await asyncio.sleep(0)
                assert round(runtime.lag_s, 1) == 0
            done = runtime.io("inquiry", "x", exchange)
            while not done.processed:
                await asyncio.sleep(0)
            assert round(runtime.lag_s) == lag
