"""What a load took of each resource, against its rows, and against queueing theory."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from headend.network.law import NetworkLaw
from meters.calendar import to_us
from simulator.capacity.ends import COMPLETED
from simulator.capacity.engine.law import Assumptions
from simulator.capacity.engine.run import NoOutages, play_load
from simulator.capacity.engine.use import BIN_US, Use
from simulator.smt.ondemand.middle import MiddleLaw
from simulator.smt.throttle.limits import Policy, Source
from simulator.smt.throttle.policy import preset
from tests.simulator.capacity.engine.loads import load, storm
from tests.simulator.capacity.engine.test_closed_forms import ALONE, FREE, air_s, poisson
from tests.simulator.capacity.engine.test_same_lives import CONTENDED, POINTS


@pytest.mark.parametrize("name", ["smt-today", "fr-cr016-1", "store-only", "reuse-15-min"])
def test_where_requests_were_adds_up_to_their_times(name: str) -> None:
    played = play_load(load(900, 150, POINTS, hours=6), storm(POINTS), preset(name), CONTENDED, seed=5)
    rows, use = played.rows, played.use
    whole = use.middle_us + use.queued_us + use.waiting_us + use.on_air_us + use.resting_us
    assert whole.sum() == (rows.done_us - rows.planned_us).sum()
    assert use.tries.sum() == rows.tries.sum()
    assert (whole[:-1] >= 0).all()
    assert (use.workers_us[:-1] <= use.workers * BIN_US).all()


def test_an_access_point_is_held_a_slot_by_each_try_and_longer_by_one_that_is_not_heard() -> None:
    network = NetworkLaw(slot_held_s=30.0, workers=20)
    requests = load(3000, 500, POINTS, kinds=False)
    played = play_load(requests, NoOutages(), FREE, Assumptions(network=network, flaky=0.1), seed=5)
    rows, held_us = played.rows, played.use.points_us
    heard = (rows.tries > 0) & (rows.outcome == COMPLETED)
    tries = rows.tries.astype(np.int64)
    took_us = heard * 250_000 + (tries - heard) * to_us(30)
    by_point = np.bincount(rows.access_point, weights=took_us, minlength=POINTS)
    assert held_us.sum(axis=0).tolist() == by_point.astype(np.int64).tolist()
    assert (held_us[:-1] <= BIN_US).all()


def test_what_comes_after_the_last_span_is_its() -> None:
    late = Assumptions(again_share=1.0, again_mean_s=20_000.0)
    played = play_load(load(300, 100, POINTS, hours=1), NoOutages(), preset("smt-today"), late, seed=5)
    use, rows = played.use, played.rows
    behind = use.begins_us + len(use.tries) * BIN_US
    assert (rows.planned_us > behind).any()
    assert use.tries.sum() == rows.tries.sum()


def in_the_middle(use: Use, numbers: np.ndarray[tuple[int, ...], np.dtype[np.int64]]) -> float:
    """How many there are on average, without the beginning and the end."""
    part = slice(len(use.tries) // 10, -len(use.tries) // 5)
    return float(numbers[part].mean() / BIN_US)


def test_each_resource_has_rate_times_time_in_it() -> None:
    """Little's law, the times taken from the rows and the draws, what is there from the use."""
    workers, rate = 8, 2.0
    requests = poisson(rate, 60_000, points=500)
    assumptions = replace(ALONE, network=replace(ALONE.network, workers=workers, access_point_tps=2.0))
    played = play_load(requests, NoOutages(), FREE, assumptions, seed=3)
    rows, use = played.rows, played.use
    on_air = air_s(requests, assumptions)
    waited = (rows.done_us - rows.planned_us).mean() / 1e6 - on_air.mean()
    assert in_the_middle(use, use.on_air_us) == pytest.approx(rate * on_air.mean(), rel=0.01)
    assert use.workers_us.sum() / 1e6 == pytest.approx(on_air.sum() + use.waiting_us.sum() / 1e6, rel=1e-6)
    assert (use.queued_us.sum() + use.waiting_us.sum()) / 60_000e6 == pytest.approx(waited, rel=0.01)
    assert in_the_middle(use, use.points_us.sum(axis=1)) == pytest.approx(rate * 0.5, rel=0.01)


def test_the_middle_tier_has_rate_times_time_in_it() -> None:
    requests = poisson(5.0, 60_000)
    store_only = Policy("store", "", Source.STORE_ONLY, ())
    middle = MiddleLaw(slow_share=0.0, lost_share=0.0)
    requests = replace(requests, kind=requests.kind - 1)
    played = play_load(requests, NoOutages(), store_only, replace(ALONE, middle=middle), seed=3)
    mean_s = 70 * np.exp(0.35**2 / 2)
    assert in_the_middle(played.use, played.use.middle_us) == pytest.approx(5.0 * mean_s, rel=0.01)
    assert not played.use.tries.any()


def test_the_busy_share_of_access_points_is_told_by_quantiles() -> None:
    played = play_load(poisson(2.0, 2_000, points=4), NoOutages(), FREE, ALONE, seed=3)
    shares = played.use.points_busy(0.0, 0.5, 1.0)
    assert shares.shape == (3, len(played.use.tries))
    assert (np.diff(shares, axis=0) >= 0).all()
    assert shares[2].max() == played.use.points_us.max() / BIN_US
