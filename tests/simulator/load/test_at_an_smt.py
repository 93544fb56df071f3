"""A load at an SMT elsewhere: who is let in before it begins, how it goes to its end on a clock of its own, and what breaks it off."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from headend.wire import InquiryKind
from meters.calendar import to_us
from meters.errors import UserError
from simulator.capacity.ends import COMPLETED, FAILED, REFUSED
from simulator.capacity.workload.columns import CLASSES, DOORS, KINDS
from simulator.errors import SimulatorError
from simulator.load import alone
from simulator.load.alone import clock_at, part_of, play_at
from simulator.load.cast import Cast, cast
from simulator.load.player import POLL_S, LoadPlayer
from simulator.load.told import facts, standing
from simulator.runtime.clock import Clock, ClockMode
from simulator.runtime.serving import HttpServer, bind
from simulator.smt.throttle.limits import Door, RequesterClass
from simulator.world.callers import CUSTOMER, Right
from simulator.world.market import Login
from tests.simulator.load.rig import BEGIN, planned
from tests.simulator.smt.rig import FOREIGN, NEIGHBOUR, PASSWORD, PLAIN, ROR_DUNS, Rig

RETAILER, HOME = Login("lonestar.api", PASSWORD, ROR_DUNS), Login("customer", PASSWORD)
RIGHTS = [
    Right(PLAIN, "200000017", "REP", RETAILER),
    Right(NEIGHBOUR, "200000018", "REP", RETAILER),
    Right(PLAIN, "200000017", CUSTOMER, HOME),
]
#: Model seconds in a wall second, of who asks and of an SMT that has answered before anybody looks a second time, however busy the machine is.
SPEED, SMT_SPEED = 30.0, 600.0


def load(count: int, *rights: Right) -> Cast:
    """So many requests that come within some minutes."""
    whole = part_of(planned(), 0, "11", None)
    close = whole.requests.take(np.arange(count))
    return cast(replace(whole, requests=close), rights or RIGHTS)


def clock() -> Clock:
    return Clock(ClockMode.SCALED, to_us(BEGIN), SPEED)


@asynccontextmanager
async def smt(folder: Path, **how: Any) -> AsyncIterator[tuple[Rig, str]]:
    """An SMT that is served."""
    async with Rig(folder, "n-per-day:amount=100", **how) as rig:
        bound = bind("127.0.0.1", 0, "a test")
        server = HttpServer(rig.app, bound)
        await server.start()
        serving = asyncio.create_task(rig.runtime.serve())
        try:
            yield rig, server.url
        finally:
            serving.cancel()
            await server.stop()


#: Each request's kind, door and right, and how it ends: the third asks for a meter of another's retailer, the last one for a neighbour's.
ASKED = [
    (InquiryKind.INTERVALS, Door.API, RIGHTS[0], COMPLETED, ""),
    (InquiryKind.POWER, Door.API, RIGHTS[1], COMPLETED, ""),
    (InquiryKind.REGISTER, Door.API, replace(RIGHTS[0], esiid=FOREIGN), FAILED, "smt.AC1"),
    (InquiryKind.REGISTER, Door.API, RIGHTS[1], COMPLETED, ""),
    (InquiryKind.REGISTER, Door.PORTAL, RIGHTS[2], COMPLETED, ""),
    (InquiryKind.REGISTER, Door.PORTAL, replace(RIGHTS[2], esiid=NEIGHBOUR), REFUSED, "AC1"),
]


def of_every_kind() -> Cast:
    """Those, a second after each other."""
    kinds, doors, rights, _, _ = zip(*ASKED, strict=True)
    given = load(len(ASKED))
    rows = replace(
        given.workload.requests,
        planned_us=to_us(BEGIN) + to_us(np.arange(len(ASKED))),
        kind=np.array([KINDS.index(one) for one in kinds], np.int8),
        door=np.array([DOORS.index(one) for one in doors], np.int8),
        requester_class=np.array([CLASSES.index(_CLASS[one]) for one in doors], np.int8),
    )
    workload = replace(given.workload, requests=rows)
    return replace(given, workload=workload, rights=rights, right=np.arange(len(ASKED)), left_out={})


_CLASS = {Door.API: RequesterClass.ROR_CALL_CENTRE, Door.PORTAL: RequesterClass.CUSTOMER}


async def test_a_load_is_played_to_its_end_and_told_while_it_goes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(alone, "LOOK_S", 0.05)
    begun: list[tuple[int, int]] = []
    progress: list[tuple[int, int]] = []
    looked: list[dict[str, Any]] = []
    players: list[LoadPlayer] = []

    def begins(player: LoadPlayer) -> None:
        players.append(player)
        begun.append((player.ended, player.calls))

    async with smt(tmp_path, clock=Clock(ClockMode.SCALED, to_us(BEGIN), SMT_SPEED)) as (rig, url):
        await play_at(
            [url, url],
            None,
            clock(),
            of_every_kind(),
            begins,
            lambda done, of: progress.append((done, of)),
            lambda player: looked.append(standing(player)),
        )
        asked = sorted(one.kind for one in rig.head_end.asked)
    (player,) = players
    assert begun == [(0, 0)]
    assert progress == [(done, 6) for done in range(1, 7)]
    assert asked == sorted(kind for kind, _, _, end, _ in ASKED if end == COMPLETED)
    # Nobody had been asked when it was looked first, and it was looked again while some waited.
    assert (looked[0]["asked"], looked[0]["done"], looked[0]["of"]) == (0, 0, 6)
    assert max(one["waiting"] for one in looked) > 0
    codes = ["" if code < 0 else player.codes[code] for code in player.rows.code.tolist()]
    assert list(zip(player.rows.end.tolist(), codes, strict=True)) == [(end, code) for *_, end, code in ASKED]
    told = facts(player, SPEED)
    assert (told["asked"], told["ended"], told["left_out"]) == (6, 6, {})
    everybody = told["groups"][-1]
    assert (everybody["class"], everybody["answered"], everybody["unanswered"]) == ("everybody", 4, 0)
    assert everybody["refused"] == {"AC1": 1}
    assert everybody["failed"] == {"failed smt.AC1": 1}
    # Nobody looks before that.
    assert everybody["p50_s"] >= POLL_S
    assert told["calls"] > 6


async def test_who_is_not_let_in_ends_it_before_anybody_is_asked(tmp_path: Path) -> None:
    begun: list[LoadPlayer] = []
    stranger = replace(RIGHTS[0], login=replace(RETAILER, password="guess"))
    async with smt(tmp_path) as (rig, url):
        with pytest.raises(UserError) as told:
            await play_at([url], None, clock(), load(2, stranger), begun.append, lambda *_: None)
        assert rig.head_end.asked == []
    assert str(told.value) == (
        f"smt.http_401: {url}: {RETAILER.username}: Incorrect username or password. "
        "Write the log-in as SMT knows it into the file of callers."
    )
    assert begun == []


async def test_an_smt_that_does_not_answer_is_told(tmp_path: Path) -> None:
    with bind("127.0.0.1", 0, "nobody") as bound:
        url = f"http://127.0.0.1:{bound.getsockname()[1]}"
        with pytest.raises(UserError):
            await play_at([url], None, clock(), load(2), lambda _: None, lambda *_: None)
        with pytest.raises(SimulatorError, match=r"load\.ca_file: --ca .*Name the PEM file"):
            await play_at([url], tmp_path / "none.pem", clock(), load(2), lambda _: None, lambda *_: None)


async def test_what_goes_wrong_while_it_is_looked_at_breaks_it_off(tmp_path: Path) -> None:
    def full(_: LoadPlayer) -> None:
        raise OSError(28, "No space left on device")

    async with smt(tmp_path) as (_, url):
        with pytest.raises(OSError, match="No space left"):
            await play_at([url], None, clock(), load(2), lambda _: None, lambda *_: None, full)


def test_an_smt_that_tells_no_clock_is_played_at_by_the_walls() -> None:
    with bind("127.0.0.1", 0, "nobody") as bound:
        assert clock_at(f"http://127.0.0.1:{bound.getsockname()[1]}", None).mode is ClockMode.REAL
        # A speed of one's own is asked of nobody.
        own = clock_at(f"http://127.0.0.1:{bound.getsockname()[1]}", 5.0)
    assert (own.mode, own.speed) == (ClockMode.SCALED, 5.0)
