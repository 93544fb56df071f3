"""Load studies: reproducible, comparable, complete; and refusals that can be counted by hand."""

from __future__ import annotations

import dataclasses
import json
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import active_children
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from meters.calendar import to_s
from simulator.capacity.demand import draw
from simulator.capacity.outcome import (
    COMPLETED,
    FAILED,
    REFUSED,
    T_FAILED,
    Cell,
    Columns,
    Outcome,
    estimate,
    t_quantile,
)
from simulator.capacity.run import run_cell, run_study
from simulator.errors import SimulatorError
from simulator.runtime.worker_pool import worker_pool
from tests.simulator.capacity.test_study import study
from tests.spelling import misspelled

ALL = ["fr-cr016-1-meter-only", "smt-today-3000", "fr-cr016-1", "store-only"]
LEVELS = [{"name": "few", "calls": 60}, {"name": "many", "calls": 240}]
#: Nothing is lost, no meter is silent, a sweep takes no time.
PERFECT: dict[str, Any] = {
    "laws": {"middle": {"lost_share": 0, "slow_share": 0}, "network": {"link_success": 1}},
    "meter_states": {"good": 1, "flaky": 0, "dead": 0},
    "sweeps": {"takes_minutes": 0},
}


def same(columns: Columns, other: Columns) -> bool:
    return all(np.array_equal(getattr(columns, f.name), getattr(other, f.name)) for f in dataclasses.fields(Columns))


def same_outcome(outcome: Outcome, other: Outcome) -> bool:
    return outcome.cells.keys() == other.cells.keys() and all(
        same(outcome.cells[at], other.cells[at]) for at in outcome.cells
    )


def count(columns: Columns, end: int) -> int:
    return int(np.count_nonzero(columns.end == end))


def test_one_seed_gives_one_outcome_and_another_seed_another() -> None:
    found = run_study(study(policies=ALL))
    assert same_outcome(found, run_study(study(policies=ALL)))
    assert not same_outcome(found, run_study(study(policies=ALL, seed=8)))


@pytest.mark.process
def test_workers_change_nothing() -> None:
    wanted = study(policies=["fr-cr016-1", "smt-today-3000"])
    alone = run_study(wanted)
    with worker_pool(2) as pool:
        assert same_outcome(alone, run_study(wanted, executor=pool))


def test_the_order_of_the_policies_changes_nothing() -> None:
    forward, backward = run_study(study(policies=ALL)), run_study(study(policies=ALL[::-1]))
    for at in range(4):
        for replication in range(2):
            first, second = forward.cells[Cell(at, 0, replication)], backward.cells[Cell(3 - at, 0, replication)]
            names = [
                [outcome.codes[code] if code >= 0 else "" for code in columns.code]
                for outcome, columns in ((forward, first), (backward, second))
            ]
            assert names[0] == names[1]
            assert np.array_equal(first.latency_us, second.latency_us)


def test_every_policy_sees_the_same_callers() -> None:
    found = run_study(study(policies=ALL))
    first = found.cells[Cell(0, 0, 1)]
    for policy in range(1, 4):
        other = found.cells[Cell(policy, 0, 1)]
        assert np.array_equal(first.planned_us, other.planned_us)
        assert np.array_equal(first.patience_us, other.patience_us)


def test_a_smaller_level_is_the_first_part_of_a_larger_one() -> None:
    found = study(levels=[{"name": "few", "calls": 1000}, {"name": "many", "calls": 2500}])
    few, many = (draw(found, level, 0) for level in found.spec.levels)
    assert set(few.day.until_us.tolist()) < set(many.day.until_us.tolist())


def test_served_refused_and_failed_are_all_that_was_planned() -> None:
    found = run_study(study(policies=ALL, levels=LEVELS, meter_states={"good": 0.8, "flaky": 0.1, "dead": 0.1}))
    for columns in found.cells.values():
        ends = [count(columns, end) for end in (COMPLETED, REFUSED, FAILED, T_FAILED)]
        assert sum(ends) == len(columns.planned_us)
        assert min(ends[0] + ends[1], ends[2]) > 0
        assert np.array_equal(columns.code >= 0, columns.end == REFUSED)
        assert (np.diff(columns.planned_us) >= 0).all()
        assert (columns.latency_us >= 0).all()
    for row in found.rows():
        assert sum(one.mean or 0 for one in (row.served, row.refused, row.failed, row.t_failed)) == pytest.approx(
            row.planned
        )
        assert sum(one.mean or 0 for one in row.refused_by.values()) == pytest.approx(row.refused.mean)


def test_without_a_past_nobody_is_refused_and_every_call_reads_its_meter() -> None:
    quiet = {"earlier_share": 0, "home_automation_share": 0}
    found = run_cell(study(policies=["fr-cr016-1"], day_so_far=quiet, **PERFECT), Cell(0, 0, 0))
    assert count(found, COMPLETED) == 60
    assert found.meter_reads.tolist() == [1] * 60
    assert (to_s(found.planned_us) - found.reaches_to < 900).all()
    assert (found.latency_us >= found.unloaded_us).all()


@pytest.mark.parametrize("policy", ["fr-cr016-1", "fr-cr016-1-meter-only"])
def test_who_called_earlier_has_spent_the_days_read(policy: str) -> None:
    # Calls from 16:15 on lie beyond the sweep of 16:00, so each needed its meter.
    past = {"begins": "16:15", "earlier_share": 1, "home_automation_share": 0}
    found = run_cell(study(policies=[policy], day_so_far=past, **PERFECT), Cell(0, 0, 0))
    assert count(found, REFUSED) == 60
    assert (found.latency_us == 0).all() == (policy == "fr-cr016-1-meter-only")
    assert (found.reaches_to > 0).all() == (policy == "fr-cr016-1")


def test_store_first_spares_the_read_of_a_call_right_after_the_sweep() -> None:
    wanted = study(
        policies=["fr-cr016-1"],
        day_so_far={"begins": "16:00", "earlier_share": 1, "home_automation_share": 0},
        **PERFECT,
    )
    found = run_cell(wanted, Cell(0, 0, 0))
    earlier = to_s(draw(wanted, wanted.spec.levels[0], 0).day.earlier_us)
    spared = earlier < wanted.begins - 45 * 60
    assert 0 < spared.sum() < 60
    assert np.array_equal(found.end == COMPLETED, spared)


def test_an_access_point_carries_no_more_at_once_than_its_limit() -> None:
    limit = {"name": "AP", "scope": "access_point", "measure": "under_way", "amount": 1, "code": "AP", "rule": "One."}
    mine = {"name": "one-at-once", "title": "t", "source": "meter_only", "limits": [limit]}
    one_point = {"name": "Oncor", "meters": 60, "meters_per_access_point": 60}
    found = run_cell(study(policies=[mine], tdsp=one_point, **PERFECT), Cell(0, 0, 0))
    begun, ended = found.planned_us, found.planned_us + found.latency_us
    served = found.end == COMPLETED
    assert 0 < count(found, REFUSED) < 60
    assert (begun[served][1:] >= ended[served][:-1]).all()


def test_a_young_read_answers_the_next_caller_with_less_and_reads_nothing() -> None:
    mine = {"name": "reuse", "title": "t", "source": "meter_only", "reuse_s": 3600, "limits": []}
    few_meters = {"name": "Oncor", "meters": 10, "meters_per_access_point": 10}
    found = run_cell(study(policies=[mine], tdsp=few_meters, **PERFECT), Cell(0, 0, 0))
    again = found.latency_us == 0
    assert 0 < int(again.sum()) < 60
    assert (found.end == COMPLETED).all()
    assert ((found.meter_reads == 0) == again).all()
    assert (found.reaches_to[again] > 0).all()


def test_home_automation_does_not_touch_what_is_kept_for_call_centres() -> None:
    past = {"earlier_share": 0, "home_automation_share": 1}
    cap = {"name": "CAP", "scope": "esiid", "amount": 1, "window": "day", "code": "CAP", "rule": "One."}
    for kept, refused in (({}, 60), ({"classes": ["ror_call_centre"]}, 0)):
        mine = {"name": "mine", "title": "t", "source": "meter_only", "limits": [cap | kept]}
        found = run_cell(study(policies=[mine], day_so_far=past, **PERFECT), Cell(0, 0, 0))
        assert count(found, REFUSED) == refused


@pytest.mark.parametrize(("policy", "refused"), [("fr-cr016-1", 60), ("smt-today", 0), ("store-only", 0)])
def test_home_automation_spends_the_same_allowance(policy: str, refused: int) -> None:
    past = {"earlier_share": 0, "home_automation_share": 1}
    found = run_cell(study(policies=[policy], day_so_far=past, **PERFECT), Cell(0, 0, 0))
    assert count(found, REFUSED) == refused
    # A register read fills no store: what is handed on is the sweep's.
    handed = found.reaches_to[found.meter_reads == 0]
    assert (handed == study().begins - 3600).all()


def test_two_reads_in_the_rolling_hour_are_the_limit_of_today() -> None:
    past = {"begins": "16:15", "earlier_share": 1, "home_automation_share": 1}
    wanted = study(policies=["smt-today"], day_so_far=past, **PERFECT)
    found = run_cell(wanted, Cell(0, 0, 0))
    day = draw(wanted, wanted.spec.levels[0], 0).day
    # Home automation is in every rolling hour once, so a call in it is the second.
    second = to_s(day.earlier_us) > to_s(day.until_us) - 3600
    assert 0 < second.sum() < 60
    assert np.array_equal(found.end == REFUSED, second)


@pytest.mark.parametrize(("before", "served"), [(0, 20), (15, 5), (20, 0), (5000, 0)])
def test_the_cap_of_a_tdsp_is_shared_with_the_calls_before_the_hour(before: int, served: int) -> None:
    cap = {
        "name": "CAP",
        "kind": "read",
        "scope": "tdsp",
        "amount": 20,
        "window": "day",
        "channels": ["api"],
        "code": "CAP",
        "rule": "r",
    }
    past = {"begins": "16:15", "earlier_share": 0, "home_automation_share": 0.5}
    wanted = study(
        policies=[{"name": "capped", "title": "t", "limits": [cap]}],
        levels=[{"name": "few", "calls": 60, "calls_before": before}],
        day_so_far=past,
        **PERFECT,
    )
    found = run_cell(wanted, Cell(0, 0, 0))
    assert np.array_equal(np.flatnonzero(found.end == COMPLETED), np.arange(served))
    assert count(found, REFUSED) == 60 - served


def test_dead_meters_fail_after_four_tries_and_have_nothing_in_the_store() -> None:
    dead = {**PERFECT, "meter_states": {"good": 0, "flaky": 0, "dead": 1}}
    wanted = study(policies=["fr-cr016-1", "store-only"], **dead)
    read = run_cell(wanted, Cell(0, 0, 0))
    assert count(read, FAILED) == 60
    assert read.meter_reads.tolist() == [4] * 60
    assert not read.unloaded_us.any()
    stored = run_cell(wanted, Cell(1, 0, 0))
    assert count(stored, COMPLETED) == 60
    assert not stored.reaches_to.any()


def test_a_study_goes_on_from_the_cells_that_are_there(tmp_path: Path) -> None:
    wanted = study(policies=ALL)
    progress_seen: list[tuple[int, int]] = []

    def stop_in_the_middle(done: int, total: int) -> None:
        if done == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), ThreadPoolExecutor(1) as pool:
        run_study(wanted, tmp_path, pool, stop_in_the_middle)
    assert not (tmp_path / "outcome.json").exists()
    found = run_study(wanted, tmp_path, progress=lambda done, total: progress_seen.append((done, total)))
    assert progress_seen[0] == (5, 8)
    assert progress_seen[-1] == (8, 8)
    assert same_outcome(found, run_study(wanted))
    assert same_outcome(found, Outcome.load(tmp_path))


@pytest.mark.process
def test_workers_end_with_what_they_are_in_when_it_is_broken_off() -> None:
    before = active_children()
    handlers = {one: signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM)}

    def stop_in_the_middle(*_: int) -> None:
        pool.submit(time.sleep, 3600)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), worker_pool(1) as pool:
        run_study(study(), None, pool, stop_in_the_middle)
    # What comes while they end is late.
    assert [signal.signal(one, handler) for one, handler in handlers.items()] == [signal.SIG_IGN] * 2
    assert active_children() == before


def test_outcome_json_is_the_same_twice(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        run_study(study(), tmp_path / folder)
    written = (tmp_path / "a/outcome.json").read_bytes()
    assert written == (tmp_path / "b/outcome.json").read_bytes()
    assert misspelled("outcome.json", json.loads(written)) == set()


def test_a_folder_without_an_outcome_is_named(tmp_path: Path) -> None:
    with pytest.raises(SimulatorError, match=r"capacity\.outcome\.absent"):
        Outcome.load(tmp_path)
    (tmp_path / "outcome.json").write_text("{", encoding="utf-8")
    with pytest.raises(SimulatorError, match=r"capacity\.outcome\.malformed"):
        Outcome.load(tmp_path)


def test_students_t_for_twenty_replications_is_2_093() -> None:
    assert t_quantile(19) == 2.093
    # Printed tables: 2.0211 at 40, 1.9799 at 120 degrees of freedom.
    assert t_quantile(40) == pytest.approx(2.0211, abs=1e-4)
    assert t_quantile(120) == pytest.approx(1.9799, abs=1e-4)


def test_an_estimate_is_the_mean_and_half_the_interval() -> None:
    found = estimate([1.0, 2.0, 3.0])
    assert found.mean == 2.0
    assert found.half == pytest.approx(4.303 / 3**0.5)
    assert estimate([float("nan"), 5.0]) == (5.0, None)
    assert estimate([float("nan")]) == (None, None)
