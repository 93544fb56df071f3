"""Allowances in the database: what they decide in memory they decide in tables, and never one too many."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, select

from meters.calendar import epoch
from simulator.errors import SimulatorError
from simulator.smt.admission import DatabaseAdmission
from simulator.smt.database import open_database, throttle_window
from simulator.smt.policy import preset
from simulator.smt.throttle import Channel, Kind, Lease, MemoryAdmission, Refusal, Requested, Scope

START = epoch("2026-08-12T21:00")


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    with tempfile.TemporaryDirectory() as folder:
        opened = open_database(f"sqlite:///{folder}/smt.db")
        yield opened
        opened.dispose()


def requested(esiid: str, kind: Kind = Kind.READ, channel: Channel = Channel.API) -> Requested:
    scopes = {Scope.ESIID: esiid, Scope.ROR: "r", Scope.REQUESTER_CLASS: "c", Scope.TDSP: "t"}
    return Requested(kind, channel, scopes)


steps = st.lists(
    st.tuples(
        st.sampled_from(["reserve", "reserve", "success", "failure"]),
        st.integers(0, 3),
        st.sampled_from(["a", "b"]),
        st.sampled_from(list(Kind)),
        st.sampled_from(list(Channel)),
        st.integers(0, 5400),
    ),
    max_size=25,
)
_runs = iter(range(1_000_000))


@settings(deadline=None, max_examples=40)
@given(st.sampled_from(["fr-cr016-1", "smt-today-3000", "store-only"]), steps)
def test_the_database_decides_as_memory_does(
    engine: Engine, name: str, todo: list[tuple[str, int, str, Kind, Channel, int]]
) -> None:
    policy = preset(name)
    memory, database = MemoryAdmission(policy), DatabaseAdmission(engine, policy)
    run = next(_runs)
    open_leases: list[tuple[str, Lease]] = []
    now = START
    for number, (action, which, esiid, kind, channel, later) in enumerate(todo):
        now += later
        if action == "reserve":
            key = f"{run}-{number}"
            # A scope of its own per run; the TDSP's limit of 3,000 is never near.
            asked = requested(f"{run}-{esiid}", kind, channel)
            asked = asked._replace(scopes={**asked.scopes, Scope.TDSP: str(run)})
            expected, got = memory.reserve(key, asked, now), database.reserve(key, asked, now)
            if isinstance(expected, Refusal):
                assert isinstance(got, Refusal)
                assert got.reason.startswith(expected.reason)
                assert got._replace(reason="") == expected._replace(reason="")
            else:
                assert got == expected
                open_leases.append((key, expected))
        elif open_leases:
            key, lease = open_leases.pop(which % len(open_leases))
            memory.settle(key, lease, now, action == "success")
            database.settle(key, lease, now, action == "success")
    with engine.connect() as connection:
        rows = connection.execute(
            select(throttle_window).where(throttle_window.c.scope_value.in_([f"{run}-a", f"{run}-b", str(run)]))
        ).all()
    held = {(one.limit_name, one.scope_value, one.window_start): (one.used, one.held) for one in rows}
    assert held == {
        (*place, start): (count.used, count.held)
        for place, state in memory.states.items()
        for start, count in state.windows.items()
    }


def test_eight_threads_at_a_limit_of_one_never_over_admit(tmp_path: Path) -> None:
    opened = open_database(f"sqlite:///{tmp_path / 'smt.db'}")
    admission = DatabaseAdmission(opened, preset("fr-cr016-1"))
    barrier = threading.Barrier(8)

    def ask(thread: int) -> list[str]:
        admitted = []
        try:
            for turn in range(10):
                barrier.wait(10)
                if isinstance(admission.reserve(f"{thread}-{turn}", requested(f"esiid-{turn}"), START), Lease):
                    admitted.append(str(turn))
        except BaseException:
            # The others must not wait for this one.
            barrier.abort()
            raise
        return admitted

    with ThreadPoolExecutor(8) as pool:
        admitted = [turn for turns in pool.map(ask, range(8)) for turn in turns]
    opened.dispose()
    assert sorted(admitted) == [str(turn) for turn in range(10)]


def test_a_lease_ends_once(tmp_path: Path) -> None:
    opened = open_database(f"sqlite:///{tmp_path / 'smt.db'}")
    admission = DatabaseAdmission(opened, preset("fr-cr016-1"))
    lease = admission.reserve("one", requested("e"), START)
    assert isinstance(lease, Lease)
    assert admission.open_leases() == {"one": lease}
    admission.settle("one", lease, START + 60, True)
    admission.settle("one", lease, START + 60, False)
    assert admission.open_leases() == {}
    assert isinstance(admission.reserve("two", requested("e"), START + 120), Refusal)
    opened.dispose()


def test_a_database_in_memory_or_without_a_url_is_refused() -> None:
    for url, code in (("sqlite://", "smt.database.memory"), ("no url", "smt.database.url")):
        with pytest.raises(SimulatorError) as caught:
            open_database(url)
        assert caught.value.code == code
