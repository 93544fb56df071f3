"""Allowances in the database: what they decide in memory they decide in tables, and never one too many."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, select

from meters.calendar import Seconds, epoch, iso, seconds
from simulator.errors import SimulatorError
from simulator.smt.database.engine import open_database
from simulator.smt.database.tables import throttle_window
from simulator.smt.throttle.admission import DatabaseAdmission
from simulator.smt.throttle.decision import Door, Kind, Lease, MemoryAdmission, Refusal, Requested, Scope
from simulator.smt.throttle.policy import preset
from tests.simulator.smt.postgres import opened

START = epoch("2026-08-12T21:00")


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """A database for all examples of a property."""
    with opened(f"sqlite:///{tmp_path_factory.mktemp('shared') / 'smt.db'}") as engine:
        yield engine


def requested(esiid: str, kind: Kind = Kind.READ, channel: Door = Door.API) -> Requested:
    scopes = {Scope.ESIID: esiid, Scope.ROR: "r", Scope.REQUESTER_CLASS: "c", Scope.TDSP: "t"}
    return Requested(kind, channel, scopes)


steps = st.lists(
    st.tuples(
        st.sampled_from(["reserve", "reserve", "success", "failure"]),
        st.integers(0, 3),
        st.sampled_from(["a", "b"]),
        st.sampled_from(list(Kind)),
        st.sampled_from(list(Door)),
        st.integers(0, 5400),
    ),
    max_size=25,
)
_runs = iter(range(1_000_000))


@settings(max_examples=40)
@given(st.sampled_from(["fr-cr016-1", "smt-today-3000", "store-only"]), steps)
def test_the_database_decides_as_memory_does(
    shared: Engine, name: str, todo: list[tuple[str, int, str, Kind, Door, int]]
) -> None:
    policy = preset(name)
    memory, database = MemoryAdmission(policy), DatabaseAdmission(shared, policy)
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
    with shared.connect() as connection:
        rows = connection.execute(
            select(throttle_window).where(throttle_window.c.scope_value.in_([f"{run}-a", f"{run}-b", str(run)]))
        ).all()
    held = {(row.limit_name, row.scope_value, row.window_start): (row.used, row.held) for row in rows}
    assert held == {
        (*place, start): (count.used, count.held)
        for place, state in memory.states.items()
        for start, count in state.windows.items()
    }


def test_eight_threads_at_a_limit_of_one_never_over_admit(engine: Engine) -> None:
    admission = DatabaseAdmission(engine, preset("fr-cr016-1"))
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
    assert sorted(admitted) == [str(turn) for turn in range(10)]


@pytest.mark.parametrize("again", [True, False])
def test_a_lease_ends_once(engine: Engine, again: bool) -> None:
    admission = DatabaseAdmission(engine, preset("n-per-day:amount=2"))
    lease = admission.reserve("one", requested("e"), START)
    assert isinstance(lease, Lease)
    assert admission.open_leases() == {"one": lease}
    other = admission.reserve("two", requested("e"), START)
    assert isinstance(other, Lease)
    admission.settle("one", lease, START + 60, True)
    # Neither used twice, nor does it give back what the other one holds.
    admission.settle("one", lease, START + 60, again)
    assert admission.open_leases() == {"two": other}
    assert isinstance(admission.reserve("three", requested("e"), START + 90), Refusal)
    admission.settle("two", other, START + 100, False)
    assert isinstance(admission.reserve("four", requested("e"), START + 120), Lease)
    assert isinstance(admission.reserve("five", requested("e"), START + 120), Refusal)


def test_a_database_in_memory_or_without_a_url_is_refused() -> None:
    for url, code in (("sqlite://", "smt.database.memory"), ("no url", "smt.database.url")):
        with pytest.raises(SimulatorError) as caught:
            open_database(url)
        assert caught.value.code == code


HOUR = "SMT allows two on-demand reads per ESI ID and hour."


def told(admission: DatabaseAdmission, now: Seconds, scopes: str = "e") -> tuple[str, int]:
    """Reason and retryAt of a refusal."""
    refused = admission.reserve(f"refused-{now}", requested(scopes), now)
    assert isinstance(refused, Refusal)
    return refused.reason, refused.retry_at


def use(admission: DatabaseAdmission, at: Seconds, seconds: int = 75, success: bool = True) -> None:
    """A read that is asked for at an instant and ends some seconds later."""
    lease = admission.reserve(f"use-{at}", requested("e"), at)
    assert isinstance(lease, Lease)
    admission.settle(f"use-{at}", lease, at + seconds, success)


def test_two_uses_of_an_hour_are_both_told_and_the_first_one_gives_the_time_to_come_back(engine: Engine) -> None:
    admission = DatabaseAdmission(engine, preset("smt-today"))
    start = epoch("2026-08-12T16:10")
    # One that has left the window, one that failed: neither stands against it.
    use(admission, start - 3600)
    use(admission, start, success=False)
    first, second = epoch("2026-08-12T17:52:10"), epoch("2026-08-12T17:57:17")
    use(admission, first)
    use(admission, second)
    reason, retry_at = told(admission, epoch("2026-08-12T18:00"))
    assert reason == f"{HOUR} Used at 2026-08-12T17:52:10-05:00 and 2026-08-12T17:57:17-05:00."
    assert retry_at == first + 3600
    assert isinstance(admission.reserve("again", requested("e"), seconds(retry_at)), Lease)
    # Now the second use and the one under way fill the hour.
    reason, retry_at = told(admission, first + 3601)
    assert reason == f"{HOUR} Used at 2026-08-12T17:57:17-05:00. A request of 2026-08-12T18:52:10-05:00 is under way."
    assert retry_at == second + 3600


def test_requests_under_way_are_told_as_such(engine: Engine) -> None:
    admission = DatabaseAdmission(engine, preset("smt-today"))
    for at in (START, START + 5):
        assert isinstance(admission.reserve(f"r-{at}", requested("e"), at), Lease)
    reason, retry_at = told(admission, START + 10)
    assert reason == f"{HOUR} Requests of 2026-08-12T21:00:00-05:00 and 2026-08-12T21:00:05-05:00 are under way."
    assert retry_at == START + 3600


def test_reads_that_were_not_let_in_are_told_as_any_other_use(engine: Engine) -> None:
    admission = DatabaseAdmission(engine, preset("smt-today"))
    for at in (START, START + 5):
        admission.charge(f"c-{at}", requested("e"), at, at + 75)
    reason, retry_at = told(admission, START + 120)
    assert reason == f"{HOUR} Used at 2026-08-12T21:00:00-05:00 and 2026-08-12T21:00:05-05:00."
    assert retry_at == START + 3600


def test_what_was_given_back_leaves_no_row(engine: Engine) -> None:
    admission = DatabaseAdmission(engine, preset("smt-today"))
    leases = [admission.reserve(f"r-{at}", requested("e"), at) for at in (START, START + 5)]
    for number, lease in enumerate(leases):
        assert isinstance(lease, Lease)
        admission.settle(f"r-{START + 5 * number}", lease, START + 60, number == 1)
    hour = select(throttle_window.c.window_start).where(throttle_window.c.limit_name == "SMT-HOUR")
    with engine.connect() as connection:
        assert connection.scalars(hour).all() == [START + 5]


def test_a_days_limit_of_many_is_counted_with_the_last(engine: Engine) -> None:
    admission = DatabaseAdmission(engine, preset("smt-today"))
    begin = epoch("2026-08-12T00:30")
    use(admission, begin - 86400)
    for turn in range(23):
        use(admission, begin + turn * 1800)
    at = begin + 23 * 1800
    assert isinstance(admission.reserve("last", requested("e"), at), Lease)
    rule = "SMT allows 24 on-demand reads per ESI ID and day."
    reason, retry_at = told(admission, at + 3600)
    assert reason == f"{rule} Used 23 times, last at 2026-08-12T11:31:15-05:00. 1 request is under way."
    assert retry_at == epoch("2026-08-13T00:00")
    admission.settle("last", admission.open_leases()["last"], at + 60, True)
    assert told(admission, at + 3601)[0] == f"{rule} Used 24 times, last at 2026-08-12T12:01:00-05:00."


@settings(max_examples=30)
@given(st.lists(st.integers(1, 3000), min_size=3, max_size=12))
def test_the_first_instant_told_is_an_hour_before_the_time_to_come_back(shared: Engine, later: list[int]) -> None:
    admission = DatabaseAdmission(shared, preset("smt-today"))
    scope, now = f"told-{next(_runs)}", START
    for number, wait in enumerate(later):
        now += wait
        got = admission.reserve(f"{scope}-{number}", requested(scope), now)
        if isinstance(got, Lease):
            admission.settle(f"{scope}-{number}", got, now, True)
        else:
            assert f"Used at {iso(got.retry_at - 3600)} and " in got.reason
