"""Sessions of visitors: whose each is, when it ends, and what its forms bear."""

from __future__ import annotations

from simulator.web.visitors import Sessions


class Wall:
    """Seconds since the epoch, as a test sets them."""

    def __init__(self) -> None:
        self.now = 1e9

    def __call__(self) -> float:
        return self.now


def test_a_session_lives_by_its_uses_and_not_beyond_its_end() -> None:
    wall = Wall()
    sessions = Sessions(wall)
    unused, used = sessions.begin("a"), sessions.begin("b")
    for _ in range(47):
        wall.now += 600
        assert sessions.whose(used) == "b"
    assert sessions.whose(unused) is None
    wall.now += 600
    assert sessions.whose(used) is None
    wall.now -= 600
    assert sessions.whose(used) is None


def test_a_session_ends_fifteen_minutes_after_its_last_use_to_the_second() -> None:
    wall = Wall()
    sessions = Sessions(wall)
    number = sessions.begin("a")
    wall.now += 899
    assert sessions.whose(number) == "a"
    wall.now += 900
    assert sessions.whose(number) is None


def test_numbers_and_seals_are_each_their_own_and_an_ended_one_is_nobodys() -> None:
    sessions, others = Sessions(Wall()), Sessions(Wall())
    first, second = sessions.begin("a"), sessions.begin("a")
    assert first != second
    assert len({sessions.seal(first), sessions.seal(second), others.seal(first)}) == 3
    sessions.end(first)
    assert (sessions.whose(first), sessions.whose(second)) == (None, "a")
    for forged in ("", "x", "\udcff", second[:-1]):
        assert sessions.whose(forged) is None
        sessions.end(forged)
        assert len(sessions.seal(forged)) == 32


def test_of_more_than_are_kept_the_earliest_log_in_is_forgotten() -> None:
    sessions = Sessions(Wall(), most=2)
    numbers = [sessions.begin(name) for name in "abc"]
    assert [sessions.whose(number) for number in numbers] == [None, "b", "c"]
