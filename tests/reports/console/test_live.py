"""Counts as they change: one question a second for all who look, the newest alone for a slow one, and nobody asks when nobody looks."""

from __future__ import annotations

import asyncio
from unittest.mock import patch

import pytest

from reports.console import live
from reports.console.live import Live


class Part:
    """A part that changes, or not, whenever it is made."""

    def __init__(self, *, changes: bool) -> None:
        self.made = 0
        self._changes = changes

    async def render(self) -> str:
        self.made += 1
        return f"<p>\n{self.made if self._changes else 0}</p>"


@pytest.fixture(autouse=True)
def _soon() -> object:
    with patch.object(live, "EVERY_S", 0.001):
        yield


async def test_all_who_look_hear_the_same_and_one_asks_for_all() -> None:
    part = Part(changes=True)
    parts = Live(part.render)
    lookers = [parts.events() for _ in range(5)]
    first = [await anext(one) for one in lookers]
    assert first[0] == "data: <p>\ndata: 1</p>\n\n"
    assert parts.lookers == 5
    made = part.made
    await asyncio.gather(*(anext(one) for one in lookers))
    # Not five times as often as for one.
    assert part.made <= made + 5
    for one in lookers:
        await one.aclose()
    assert parts.lookers == 0


async def test_a_slow_one_finds_the_newest_and_what_does_not_change_is_told_once() -> None:
    part = Part(changes=True)
    parts = Live(part.render)
    slow = parts.events()
    await anext(slow)
    while part.made < 20:
        await asyncio.sleep(0)
    newest = await anext(slow)
    assert int(newest.split("data: ")[2].split("<")[0]) >= 19
    await slow.aclose()
    still = Live(Part(changes=False).render)
    quiet = still.events()
    await anext(quiet)
    with patch.object(live, "ALIVE_S", 0.05):
        assert await anext(quiet) == ": still here\n\n"
    await quiet.aclose()


async def test_when_the_last_has_gone_nobody_asks_any_more() -> None:
    part = Part(changes=True)
    parts = Live(part.render)
    looker = parts.events()
    await anext(looker)
    await looker.aclose()
    made = part.made
    for _ in range(50):
        await asyncio.sleep(0.001)
    assert part.made == made
    # And who comes again is told again.
    again = parts.events()
    assert await anext(again)
    await again.aclose()


async def test_who_comes_before_the_first_look_is_over_hears_of_it_too() -> None:
    part = Part(changes=False)
    parts = Live(part.render)
    lookers = [parts.events() for _ in range(2)]
    assert await asyncio.gather(*map(anext, lookers)) == ["data: <p>\ndata: 0</p>\n\n"] * 2
    for one in lookers:
        await one.aclose()
    # Where nobody looks there is nothing to end.
    await parts.close()
    assert parts.lookers == 0
