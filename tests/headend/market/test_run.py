"""A run over partitions: skipped when done, broken off without loss, and what it comes to is what is in the folder."""

from __future__ import annotations

import errno
import os
from collections.abc import Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from headend.market import run as market
from headend.market.partition import totals
from headend.market.plan import Task
from headend.ports import HeadEndError
from tests.headend.market.days import MANY, asked, fleet, tasks


@pytest.fixture
def cut(tmp_path: Path) -> list[Task]:
    return tasks(tmp_path, fleet(200, MANY), 60)


def made_at(of: Sequence[Task]) -> list[int]:
    return [task.intervals.stat().st_mtime_ns for task in of]


def test_it_makes_what_is_not_there_and_tells_how_far_it_is(cut: list[Task]) -> None:
    seen: list[tuple[int, int]] = []
    found = market.run(cut, None, lambda *one: seen.append(one))
    assert seen == [(0, 200), (60, 200), (120, 200), (180, 200), (200, 200)]
    assert found["ONCOR"].meters == 200
    before, seen[:] = made_at(cut), []
    assert market.run(cut, None, lambda *one: seen.append(one)) == found
    assert seen == [(200, 200)]
    assert made_at(cut) == before
    count = asked(f"select count(*), count(distinct esiid) from '{cut[0].intervals.parent}/*.parquet'")
    assert count == [(200, 200)]


def test_a_broken_run_keeps_what_is_done_and_the_next_goes_on(cut: list[Task]) -> None:
    def stop(done: int, _: int) -> None:
        if done == 120:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        market.run(cut, None, stop)
    assert [totals(task) is not None for task in cut] == [True, True, False, False]
    with pytest.raises(HeadEndError, match=r"market\.incomplete: .*00000121"):
        market.added_up(cut)
    before = made_at(cut[:2])
    market.run(cut, None)
    assert made_at(cut[:2]) == before


def test_what_was_not_begun_when_it_is_broken_off_is_taken_back(tmp_path: Path) -> None:
    cut = tasks(tmp_path, fleet(200, MANY), 20)
    begun: list[int] = []
    broken = Event()

    def make(task: Task) -> int:
        begun.append(task.first)
        # A third may be under way when the run ends: nobody waits for it.
        assert len(begun) < 3 or broken.wait(60)
        return task.count

    def interrupt(done: int, _: int) -> None:
        if done == 40:
            raise KeyboardInterrupt

    with ThreadPoolExecutor(1) as pool:
        with pytest.raises(KeyboardInterrupt):
            market.run(cut, pool, interrupt, make)
        broken.set()
    assert len(cut) == 10
    assert len(begun) in (2, 3)


def test_another_key_is_made_anew_and_partitions_of_another_cut_are_taken_away(cut: list[Task]) -> None:
    found = market.run(cut, None)
    wider = tasks(cut[0].folder, cut[0].fleet, 200)
    assert market.run(wider, None)["ONCOR"].meters == 200
    assert sorted(path.name for path in wider[0].intervals.parent.iterdir()) == [wider[0].name]
    assert sorted(path.name for path in wider[0].findings.parent.iterdir()) == [wider[0].name]
    others = [replace(task, key="0" * 16) for task in cut]
    assert market.run(others, None) == found
    assert [totals(task) for task in cut] == [None] * 4


def test_what_killed_writers_left_is_gone_when_it_ends(cut: list[Task]) -> None:
    cut[0].intervals.parent.mkdir(parents=True)
    left = cut[0].intervals.with_name(f".{cut[0].name}.00ff.tmp")
    left.write_bytes(b"half")
    market.run(cut[:1], None)
    assert not left.exists()


def test_a_full_disk_is_told_and_leaves_nothing_half(cut: list[Task], monkeypatch: pytest.MonkeyPatch) -> None:
    market.run(cut[:1], None)

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with ThreadPoolExecutor(1) as pool, pytest.raises(OSError, match="No space left"):
            market.run(cut, pool)
    there = {path for path in cut[0].folder.rglob("*") if path.is_file()}
    assert there == {cut[0].intervals, cut[0].findings}
    assert market.run(cut, None)["ONCOR"].meters == 200


class Liar(Executor):
    """Says that all is done."""

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        done: Future[Any] = Future()
        done.set_result(args[0].count)
        return done


def test_totals_come_from_what_is_published_and_not_from_who_says_that_he_is_done(cut: list[Task]) -> None:
    with pytest.raises(HeadEndError, match=r"market\.incomplete"):
        market.run(cut, Liar())


def test_an_executor_gives_what_one_process_gives(cut: list[Task], tmp_path: Path) -> None:
    alone = market.run(cut, None)
    others = [replace(task, folder=tmp_path / "other") for task in cut]
    with ThreadPoolExecutor(2) as pool:
        assert market.run(others, pool) == alone
    assert [task.intervals.read_bytes() for task in cut] == [task.intervals.read_bytes() for task in others]
