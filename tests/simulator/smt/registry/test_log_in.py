"""Log-ins by an injected wall clock, bad ones remembered in memory and in a database that others share."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.smt.registry import log_in
from simulator.smt.registry.log_in import DatabaseBadLogins, LoginFault, LoginGuard, LoginLimits, MemoryBadLogins
from simulator.smt.registry.passwords import hash_password, password_is
from simulator.smt.registry.records import User, UserKind
from tests.simulator.smt.postgres import opened

USER = User("maria", hash_password("right"), UserKind.CUSTOMER)
HERE, THERE = "127.0.0.1", "192.0.2.7"


class Bench:
    """Guards on one wall clock, and what they told."""

    def __init__(self, made: Callable[[], DatabaseBadLogins | MemoryBadLogins]) -> None:
        self.now = 1_000_000.0
        self.blocks: list[tuple[str, str, float]] = []
        self._made = made

    def guard(self) -> LoginGuard:
        return LoginGuard({"maria": USER}, lambda: self.now, lambda *told: self.blocks.append(told), self._made())


@pytest.fixture(params=["memory", "database"])
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    if request.param == "memory":
        yield Bench(MemoryBadLogins)
        return
    with opened(f"sqlite:///{tmp_path / 'smt.db'}") as engine:
        yield Bench(lambda: DatabaseBadLogins(engine))


@pytest.fixture
def workers(postgres_url: str) -> Iterator[Bench]:
    with opened(postgres_url) as engine:
        yield Bench(lambda: DatabaseBadLogins(engine))


def guess(guard: LoginGuard, times: int, peer: str = HERE) -> list[object]:
    return [guard.check("maria", "wrong", peer) for _ in range(times)]


def test_five_bad_logins_block_even_the_right_password_for_a_while(bench: Bench) -> None:
    guard = bench.guard()
    assert guess(guard, 5) == [LoginFault.WRONG_PASSWORD] * 5
    assert guard.check("maria", "right", HERE) is LoginFault.BLOCKED
    assert guard.check("nobody", "right", HERE) is LoginFault.UNKNOWN_USER
    assert bench.blocks == [("maria", HERE, 2)]
    bench.now += 2
    assert guard.check("maria", "right", HERE) is USER


def test_the_delay_doubles_up_to_a_minute_which_is_the_longest_that_the_right_password_waits(bench: Bench) -> None:
    guard = bench.guard()
    guess(guard, 4)
    for wait_s in (2, 4, 8, 16, 32, 60):
        assert guess(guard, 20) == [LoginFault.WRONG_PASSWORD] + [LoginFault.BLOCKED] * 19
        assert bench.blocks[-1] == ("maria", HERE, wait_s)
        bench.now += wait_s - 0.5
        assert guard.check("maria", "right", HERE) is LoginFault.BLOCKED
        bench.now += 0.5
    assert guard.check("maria", "right", HERE) is USER
    assert guess(guard, 5) == [LoginFault.WRONG_PASSWORD] * 5


def test_a_strangers_guesses_never_touch_the_owner_who_comes_from_elsewhere(bench: Bench) -> None:
    guard = bench.guard()
    told = guess(guard, 300, THERE)
    assert (told.count(LoginFault.WRONG_PASSWORD), told.count(LoginFault.BLOCKED)) == (5, 295)
    assert guard.check("maria", "right", HERE) is USER
    # And the owner's good log-in frees no stranger.
    assert guard.check("maria", "right", THERE) is LoginFault.BLOCKED


def test_a_name_that_nobody_has_is_blocked_too_and_not_told(bench: Bench) -> None:
    guard = bench.guard()
    told = [guard.check("a password typed too early", "guess", HERE) for _ in range(6)]
    assert told == [LoginFault.UNKNOWN_USER] * 5 + [LoginFault.BLOCKED]
    assert bench.blocks == [("", HERE, 2)]


def test_a_good_login_forgets_the_bad_ones(bench: Bench) -> None:
    guard = bench.guard()
    for _ in range(3):
        guess(guard, 4)
        assert guard.check("maria", "right", HERE) is USER
    assert bench.blocks == []


def test_bad_logins_are_forgotten_in_time(bench: Bench) -> None:
    guard = bench.guard()
    for _ in range(3):
        guess(guard, 4)
        bench.now += 300
    assert bench.blocks == []


def test_bad_logins_at_several_workers_add_up_and_a_good_one_forgets_them_at_all(workers: Bench) -> None:
    both = workers.guard(), workers.guard()
    for _ in range(2):
        for turn in range(4):
            assert guess(both[turn % 2], 1) == [LoginFault.WRONG_PASSWORD]
        assert both[1].check("maria", "right", HERE) is USER
    for turn in range(5):
        assert guess(both[turn % 2], 1) == [LoginFault.WRONG_PASSWORD]
    assert {guard.check("maria", "right", HERE) for guard in both} == {LoginFault.BLOCKED}
    assert both[0].check("maria", "right", THERE) is USER
    workers.now += 2
    assert both[0].check("maria", "right", HERE) is USER


@pytest.mark.parametrize("name", ["\x00", "\ud800", "x" * 100_000])
def test_a_name_that_no_database_can_hold_is_an_unknown_user(workers: Bench, name: str) -> None:
    assert workers.guard().check(name, "wrong", HERE) is LoginFault.UNKNOWN_USER


def test_guessed_names_do_not_pile_up_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_in, "MOST_KEPT", 10)
    kept = MemoryBadLogins()
    for name in range(1_000):
        kept.add(f"{name}", 1, 0)
    for at in range(2, 1_000):
        kept.add("999", at, at - 1)
    assert len(kept._bad) == 10
    assert kept.of("999", 998).many == len(kept._bad["999"]) == 1
    assert kept.of("0", 0).many == 0


@given(bad=st.integers(min_value=0, max_value=10_000))
def test_a_wait_grows_with_the_bad_ones_and_is_bounded(bad: int) -> None:
    limits = LoginLimits(first_s=0.5)
    assert (limits.wait_s(bad) == 0) == (bad < limits.free)
    assert limits.wait_s(bad) <= limits.wait_s(bad + 1) <= limits.longest_s


def test_a_password_is_checked_well_within_what_others_may_wait_for() -> None:
    begin = time.process_time()
    for _ in range(10):
        assert password_is(USER, "right")
    assert (time.process_time() - begin) / 10 < 0.05


def test_names_that_are_made_up_are_one_and_lift_no_block(bench: Bench) -> None:
    guard = bench.guard()
    guess(guard, 5)
    made_up = [guard.check(f"made.up.{number}", "x", HERE) for number in range(60)]
    assert made_up == [LoginFault.UNKNOWN_USER] * 5 + [LoginFault.BLOCKED] * 55
    assert guard.check("maria", "right", HERE) is LoginFault.BLOCKED
    # With other letters it is nobody's name.
    assert guard.check("Maria ", "right", THERE) is LoginFault.UNKNOWN_USER


def test_a_network_of_ipv6_is_one_peer(bench: Bench) -> None:
    guard = bench.guard()
    told = [guard.check("maria", "wrong", f"2001:db8::{number:x}") for number in range(1, 9)]
    assert told == [LoginFault.WRONG_PASSWORD] * 5 + [LoginFault.BLOCKED] * 3
    assert guard.check("maria", "right", "2001:db8:0:1::1") is USER
