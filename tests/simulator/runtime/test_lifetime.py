"""What a party has begun ends with it: its processes go no further, what is on its way to it is not taken in, and the others notice nothing."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import simpy

from meters.calendar import seconds, to_us
from simulator.runtime.clock import Clock, ClockMode
from simulator.runtime.driver import Runtime
from simulator.runtime.lifetime import Lifetime

START = seconds(1_786_500_000)


def walker(env: simpy.Environment, whose: str, seen: list[tuple[str, int]]) -> Generator[simpy.Event, Any, None]:
    while True:
        yield env.timeout(to_us(10))
        seen.append((whose, int(env.now - to_us(START))))


async def test_the_processes_of_one_party_end_and_those_of_another_go_on() -> None:
    runtime = Runtime(Clock(ClockMode.MANUAL, to_us(START)))
    one, other = Lifetime(runtime), Lifetime(runtime)
    seen: list[tuple[str, int]] = []

    def nested() -> Generator[simpy.Event, Any, None]:
        # What a process of it begins is its own too, and so is who waits for that.
        yield one.env.process(walker(one.env, "nested", seen))

    one.env.process(walker(one.env, "one", seen))
    one.env.process(nested())
    other.env.process(walker(other.env, "other", seen))
    await runtime.run_until(START + 10)
    assert [whose for whose, _ in seen] == ["one", "other", "nested"]
    seen.clear()
    # One that has only just begun, and one that is over, end as well.
    one.env.process(walker(one.env, "late", seen))
    over = one.env.process(iter_once(one.env))
    one.env.run(over)
    one.end()
    await runtime.run_until(START + 30)
    assert [whose for whose, _ in seen] == ["other", "other"]


def iter_once(env: simpy.Environment) -> Generator[simpy.Event, Any, None]:
    yield env.timeout(0)


async def test_what_is_on_its_way_to_a_party_that_has_ended_is_not_taken_in() -> None:
    runtime = Runtime(Clock(ClockMode.MANUAL, to_us(START)))
    one, taken = Lifetime(runtime), list[str]()

    async def exchange() -> str:
        return "answer"

    event = one.io("http", "one", exchange)
    one.inject("before", "1", lambda: taken.append("before"))
    await runtime.run_until(START)
    one.inject("after", "2", lambda: taken.append("after"))
    one.end()
    await runtime.run_until(START + 1)
    assert (taken, event.value) == (["before"], "answer")
    assert (one.now(), one.rate, one.lag_s, one.busy, one.behind_since(to_us(START))) == (
        START + 1,
        0.0,
        0.0,
        False,
        False,
    )
