"""Parts of the engine alone, against what queueing theory says of them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from functools import cache
from statistics import NormalDist
from typing import Any

import ciw
import numpy as np
import pytest
from numpy.typing import NDArray

from headend.network.law import AccessPoint, NetworkLaw, Span, SweepRule, Try
from meters.calendar import Seconds, epoch, micros, to_us
from simulator.capacity.ends import COMPLETED, REFUSED
from simulator.capacity.engine import draws
from simulator.capacity.engine.law import MOST_HOPS, Assumptions, Longs
from simulator.capacity.engine.run import NoOutages, ground_of, play_load
from simulator.capacity.theory import erlang_b, erlang_c, m_g_1, m_m_c
from simulator.smt.ondemand.middle import MiddleLaw
from simulator.smt.throttle.limits import Limit, Measure, Policy, RequesterClass, Scope, Source, Window
from tests.cases import few
from tests.simulator.capacity.engine.loads import NEVER_US, Asked

BEGINS = epoch("2026-08-12T00:10")
FREE = Policy("free", "", Source.METER_ONLY, ())
#: No way that takes time but the one over the air, nothing lost or silent, nobody asks again.
ALONE = Assumptions(
    middle=MiddleLaw(median_s=1e-6, sigma=0.0, slow_share=0.0, lost_share=0.0, pickup_every_s=0.0),
    network=NetworkLaw(link_success=1.0, access_point_tps=1e5),
    good=1.0,
    flaky=0.0,
    again_share=0.0,
)


def poisson(rate: float, count: int, points: int = 1, seed: int = 1) -> Asked:
    """So many a second, each for a meter of its own and without end of patience."""
    at = to_us(BEGINS) + (np.cumsum(np.random.default_rng(seed).exponential(1 / rate, count)) * 1e6).astype(np.int64)
    nothing, numbers = np.zeros(count, np.int8), np.arange(count)
    return Asked(
        planned_us=at,
        call=numbers,
        esi=numbers.astype(np.int32),
        ror=nothing.astype(np.int16),
        requester_class=nothing,
        kind=nothing + 1,
        door=nothing,
        access_point=(numbers % points).astype(np.int16),
        tdsp=nothing,
        patience_us=np.full(count, NEVER_US),
    )


def took_s(requests: Asked, policy: Policy, assumptions: Assumptions) -> tuple[NDArray[np.float64], NDArray[np.int8]]:
    """Seconds from the request to its end, and how it ended."""
    rows = play_load(requests, NoOutages(), policy, assumptions, seed=3).rows
    return (rows.done_us - rows.planned_us) / 1e6, rows.end


def air_s(requests: Asked, assumptions: Assumptions) -> NDArray[np.float64]:
    """Seconds that each one's first try takes, by itself."""
    law = ground_of(requests, NoOutages(), FREE, assumptions, 3, len(requests.call), 1).law[0]
    took_us = np.empty(len(requests.call))
    _tries()(law, requests.call, took_us)
    return took_us / 1e6


@cache
def _tries() -> Callable[[Any, NDArray[Any], NDArray[np.float64]], None]:
    """Goes through first tries, which from Python takes longer than to compile this. It is not kept: what it calls may be another one by then."""
    from numba import njit

    def each(law: Any, calls: NDArray[Any], took_us: NDArray[np.float64]) -> None:
        for at in range(len(calls)):
            out_us, back_us, _ = draws.tried(law, calls[at], 0, 0)
            took_us[at] = out_us + back_us

    made: Callable[[Any, NDArray[Any], NDArray[np.float64]], None] = njit(each)
    return made


def within_batches(of: NDArray[np.float64], wanted: float) -> bool:
    """Whether the wanted mean lies in four standard errors of the mean, by batches, which what queues needs."""
    means = np.asarray([batch.mean() for batch in np.array_split(of, 40)])
    return bool(abs(means.mean() - wanted) < 4 * means.std(ddof=1) / math.sqrt(len(means)))


def test_an_access_point_alone_is_an_m_d_1() -> None:
    tps, rate = 4.0, 3.0
    requests = poisson(rate, 60_000)
    assumptions = replace(ALONE, network=replace(ALONE.network, access_point_tps=tps))
    took, ends = took_s(requests, FREE, assumptions)
    assert (ends == COMPLETED).all()
    waited = took - air_s(requests, assumptions)
    assert within_batches(waited, m_g_1(rate, 1 / tps, 1 / tps**2))


def test_one_worker_alone_is_an_m_g_1() -> None:
    assumptions = replace(ALONE, network=replace(ALONE.network, workers=1))
    served = air_s(poisson(1.0, 60_000, points=500), assumptions)
    rate = 0.7 / served.mean()
    took, ends = took_s(poisson(rate, 60_000, points=500), FREE, assumptions)
    assert (ends == COMPLETED).all()
    assert within_batches(took - served, m_g_1(rate, served.mean(), (served**2).mean()))


@dataclass(frozen=True, slots=True)
class Exponential(Assumptions):
    """A try takes an exponential time, mean 0.2 s: one of the abscissas of Gauss and Laguerre, by its weight, which has its first 63 moments."""

    def law(self, seed: int, days: Sequence[Seconds], tables: list[Longs]) -> np.recarray[Any, Any]:
        """See ``Assumptions.law``."""
        # ``super()`` knows no class that was made anew for its slots.
        law = Assumptions.law(self, seed, days, tables)
        at, weight = np.polynomial.laguerre.laggauss(MOST_HOPS)
        law.hops_upto[0], law.hops_mean[0], law.hops_sigma[0] = np.cumsum(weight), np.log(0.1 * at), 0.0
        law.hops_upto[0, -1], law.backhaul_s = 1.0, 1e-9
        return law


def of_servers(workers: int, **changed: Any) -> Assumptions:
    """Workers of exponential service, and nothing else that takes time."""
    return Exponential(
        **{one.name: getattr(ALONE, one.name) for one in fields(ALONE)}
        | {"network": replace(ALONE.network, workers=workers)}
        | changed
    )


@pytest.mark.parametrize(("workers", "rho"), few(1, [(8, 0.85), (1, 0.7), (50, 0.95)]))
def test_workers_of_exponential_service_are_an_m_m_c(workers: int, rho: float) -> None:
    assumptions = of_servers(workers)
    rate = rho * workers / 0.2
    requests = poisson(rate, 200_000, points=500)
    took, ends = took_s(requests, FREE, assumptions)
    assert (ends == COMPLETED).all()
    waited = took - air_s(requests, assumptions)
    assert within_batches(waited, m_m_c(rate, 0.2, workers))
    # Who comes sees what is there in the mean; an access point's slot of 10 us is no wait.
    assert within_batches((waited > 1e-4).astype(np.float64), erlang_c(workers, rate * 0.2))


@pytest.mark.parametrize("count", few(1, [8_000, 20_000]))
def test_workers_and_the_way_back_are_the_tandem_of_another_simulator(count: int) -> None:
    """Eight exponential servers, then a lognormal time that nobody waits for: mean, and how many take longer than the median, beside Ciw's."""
    workers, rate = 8, 34.0
    assumptions = of_servers(workers, middle=replace(ALONE.middle, median_s=2.0, sigma=0.5))
    ours, ends = took_s(poisson(rate, count, points=500), FREE, assumptions)
    assert (ends == COMPLETED).all()
    network = ciw.create_network(
        arrival_distributions=[ciw.dists.Exponential(rate), None],
        service_distributions=[ciw.dists.Exponential(1 / 0.2), ciw.dists.Lognormal(math.log(2.0), 0.5)],
        number_of_servers=[workers, math.inf],
        routing=[[0.0, 1.0], [0.0, 0.0]],
    )
    ciw.seed(1)
    other = ciw.Simulation(network)
    other.simulate_until_max_customers(count, method="Arrive")
    nodes = sorted((one.id_number, one.node, one.arrival_date, one.exit_date) for one in other.get_all_records())
    begun = {one: at for one, node, at, _ in nodes if node == 1}
    theirs = np.asarray([over - begun[one] for one, node, _, over in nodes if node == 2])
    means = m_m_c(rate, 0.2, workers) + 0.2 + 2.0 * math.exp(0.5**2 / 2)
    median = np.median(np.concatenate([ours, theirs]))
    for found in (ours, theirs):
        assert within_batches(found, means)
        assert within_batches((found > median).astype(np.float64), 0.5)


@pytest.mark.parametrize("workers", [8, 50])
def test_workers_alone_serve_in_turn_whoever_is_free_first(workers: int) -> None:
    """Every single wait, by the recursion of Kiefer and Wolfowitz (1955) over what each worker still has to do."""
    assumptions = replace(ALONE, network=replace(ALONE.network, workers=workers))
    served = air_s(poisson(1.0, 20_000, points=500), assumptions)
    requests = poisson(0.95 * workers / served.mean(), 20_000, points=500)
    took, _ = took_s(requests, FREE, assumptions)
    left, before, waits = np.zeros(workers), requests.planned_us[0], []
    for at, takes in zip(requests.planned_us, served, strict=True):
        left = np.maximum(0, left - (at - before) / 1e6)
        waits.append(left[0])
        left[0] += takes
        left.sort()
        before = at
    # Half of them wait; two access points' slots of 10 us may stand in the way.
    assert np.mean(waits) > 0.1
    np.testing.assert_allclose(took - served, waits, atol=1e-4)


def test_a_cap_of_what_is_under_way_blocks_as_erlang_b_says() -> None:
    cap, offered = 10, 8.0
    limit = Limit("CAP", None, Scope.TDSP, cap, Window.DAY, "CAP", "", measure=Measure.UNDER_WAY)
    requests = poisson(offered / 2.9, 60_000, points=500)
    served = air_s(requests, ALONE)
    requests = poisson(offered / served.mean(), 60_000, points=500)
    _, ends = took_s(requests, replace(FREE, limits=(limit,)), ALONE)
    assert within_batches((ends == REFUSED).astype(np.float64), erlang_b(cap, offered))


def test_the_middle_tier_is_the_mixture_that_its_law_says() -> None:
    requests = poisson(1.0, 40_000, points=500)
    assumptions = replace(ALONE, middle=MiddleLaw(lost_share=0.0))
    whole = np.sort(took_s(requests, FREE, assumptions)[0] - air_s(requests, assumptions))
    normal = np.asarray([0.5 * math.erfc(-math.log(one / 70.0) / 0.35 / math.sqrt(2)) for one in whole])
    slow = np.clip((whole - 300) / 1500, 0, 1)
    expected = 0.97 * normal + 0.03 * slow
    # Kolmogorov-Smirnov, one in a thousand.
    assert np.abs(expected - (np.arange(40_000) + 0.5) / 40_000).max() < 1.95 / math.sqrt(40_000)


def test_what_is_under_way_is_rate_times_time() -> None:
    """Little's law over a span: the integral of what is under way is the sum of the times, counted from the events alone."""
    requests = poisson(2.0, 50_000, points=50)
    rows = play_load(requests, NoOutages(), FREE, replace(ALONE, network=NetworkLaw(workers=12)), seed=3).rows
    begins, ends = np.quantile(rows.planned_us, [0.1, 0.9]).astype(np.int64)
    inside = (rows.planned_us >= begins) & (rows.planned_us < ends)
    rate = inside.sum() / (ends - begins)
    mean_us = (rows.done_us - rows.planned_us)[inside].mean()
    grid = np.linspace(begins, ends, 20_001)[:-1]
    under_way = np.searchsorted(np.sort(rows.planned_us), grid) - np.searchsorted(np.sort(rows.done_us), grid)
    assert under_way.mean() == pytest.approx(rate * mean_us, rel=0.01)


def test_a_batch_takes_all_that_wait_or_as_many_as_it_can() -> None:
    def picked(assumptions: Assumptions) -> list[int]:
        ground = ground_of(poisson(1.0, 1), NoOutages(), FREE, assumptions, 3, 1, 1)
        law, start = ground.law[0], to_us(BEGINS)
        at = [0, 1, 29_999_999, 30_000_000, 30_000_001]
        ways = [draws.middle_way(law, ground.tables, ground.memory, n, 0, start + one) for n, one in enumerate(at)]
        return [(way[0] - start) // to_us(1) for way in ways]

    every = replace(ALONE, middle=replace(MiddleLaw(), pickup_every_s=30.0), batched=True)
    assert picked(every) == [30, 30, 30, 60, 60]
    assert picked(replace(every, batch_size=2)) == [30, 30, 60, 60, 90]


def test_spells_of_loss_lose_the_share_and_lie_together() -> None:
    assumptions = Assumptions(losing_mean_s=360.0)
    ground = ground_of(poisson(0.01, 1), NoOutages(), FREE, assumptions, 3, 1, 1)
    law, first = ground.law[0], to_us(BEGINS)
    spells = ground.tables[law.losing_place : law.losing_place + law.losing_n].reshape(-1, 2)
    assert (np.diff(spells.ravel()) > 0).all()
    long = Assumptions(losing_mean_s=360.0)._losing(3, first, first + to_us(4000 * 86400)).reshape(-1, 2)
    share = (long[:, 1] - long[:, 0]).sum() / (long[-1, 1] - first)
    assert share == pytest.approx(0.02, rel=0.05)
    assert (long[:, 1] - long[:, 0]).mean() == pytest.approx(360e6, rel=0.05)


def test_a_normal_quantile_is_as_exact_as_its_source_says() -> None:
    for u in (1e-9, 1e-4, 0.02, 0.3, 0.5, 0.9, 0.99999):
        assert draws.normal(u) == pytest.approx(NormalDist().inv_cdf(u), rel=1.2e-9, abs=1e-15)


def test_a_class_that_never_asks_again_does_not() -> None:
    ground = ground_of(poisson(1.0, 1), NoOutages(), FREE, Assumptions(again_share=1.0), 3, 1, 1)
    asks = [draws.calls_again(ground.law[0], 1, 0, at, micros(0)) >= 0 for at in range(len(RequesterClass))]
    assert asks == [True, False, True, False, False]


@pytest.mark.parametrize(("rule", "starts"), [("yields", [10, 10.25]), ("shares", [10, 10.5]), ("blocks", [60, 60.25])])
def test_a_sweep_yields_shares_or_blocks(rule: str, starts: list[float]) -> None:
    swept = [Span(micros(0), to_us(60))]
    point = AccessPoint(4.0, rule=SweepRule(rule), swept=swept)
    found = []
    for _ in range(2):
        start = point.free_at(to_us(10))
        point.tried(start, Try(micros(1), micros(1), True))
        found.append(start / 1e6)
    assert found == starts
