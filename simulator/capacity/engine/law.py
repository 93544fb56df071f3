"""What a load is played at: every assumption with its default, and the same as numbers and tables that compiled code reads."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headend.network.law import NetworkLaw, SweepRule
from meters.calendar import Micros, Seconds, day_of, day_start, instants, rounded_us, seconds, to_us
from meters.kernels.philox import words
from simulator.smt.ondemand.lifecycle import EXPIRY_US
from simulator.smt.ondemand.middle import MiddleLaw
from simulator.smt.throttle.limits import RequesterClass

Longs = NDArray[np.int64]
Floats = NDArray[np.float64]


#: More hops than these are none that a law can have.
MOST_HOPS = 32


class Law:
    """What compiled code reads, a record of ``LAW``. Instants and spans in microseconds, unless named ``_s``. ``_at``: where in the tables, ``_n``: how many."""

    seed_low: np.uint64
    seed_high: np.uint64
    expiry_us: Micros
    middle_median_s: float
    middle_sigma: float
    slow_share: float
    slow_from_s: float
    slow_to_s: float
    lost_share: float
    pickup_us: Micros
    batched: int
    batch_size: int
    clustered: int
    #: The spells in which the middle tier loses what it picks up: begin, end, begin, end, ...
    losing_place: int
    losing_n: int
    #: Of 1, 2, ... hops: up to which number they are drawn, mean and sigma of the logarithm of their seconds.
    hops_upto: Floats
    hops_mean: Floats
    hops_sigma: Floats
    backhaul_s: float
    backhaul_sigma: float
    #: The share of tries that nobody hears.
    unheard: float
    service_us: Micros
    unheard_us: Micros
    workers: int
    sweeps_place: int
    sweeps_n: int
    sweep_takes_us: Micros
    #: 0 yields, 1 shares, 2 blocks.
    sweep_rule: int
    good: float
    flaky: float
    #: How long after a midnight the intervals up to it are posted.
    posted_us: Micros
    patience_s: float
    again_share: float
    again_mean_s: float
    most_again: int
    again_classes: int
    #: (access points + 1,) where each one's spans of no power begin among all: from, to, told, from, ...
    outages_place: int
    #: In the memory, by access point, worker, ESI ID.
    points_place: int
    workers_place: int
    #: What is kept of an ESI ID beside its limits: from when to when its store has what reads have brought, UTC epoch seconds; if reads are used again, when the
    #: latest of each kind was answered, and from when to when the intervals of that kind go.
    own_place: int
    own_apart: int
    #: The latest batch: its instant, how many are in it.
    batch_place: int
    #: Which spell and which sweep was looked at last.
    cursors_place: int
    #: Counts; a heap of instants with their events, and a ring of pick-ups in batches (instant, event), which ascend: of so many each at most.
    counts_place: int
    heap_place: int
    events_place: int
    pickups_place: int
    most_events: int
    #: What was used, see ``use``: by span, from when on, how many; and by span and access point.
    use_place: int
    use_from_us: Micros
    use_spans: int
    held_place: int
    use_points: int
    source: int
    reuse_us: Micros
    #: Seconds by which the store may fall short; whether a last gasp answers a status.
    store_within: int
    last_gasp_answers: int
    #: Whether what each sweep collected lies at SMT.
    push_to_smt: int
    store_only_code: int


def _column(name: str, kind: str) -> tuple[str, str] | tuple[str, str, tuple[int]]:
    return (
        (name, "f8", (MOST_HOPS,))
        if kind == "Floats"
        else (name, {"int": "i8", "Micros": "i8", "float": "f8", "np.uint64": "u8"}[kind])
    )


LAW = np.dtype((np.record, np.dtype([_column(name, kind) for name, kind in Law.__annotations__.items()], align=True)))


@dataclass(frozen=True, slots=True)
class Assumptions:
    """What a load is played at. Defaults are today's processes with nothing contended; marks as in docs/glossary.md."""

    middle: MiddleLaw = field(default_factory=MiddleLaw)
    #: With the head-end's workers, and how long a try that is not heard holds its access point.
    network: NetworkLaw = field(default_factory=NetworkLaw)
    #: The middle tier picks up all that wait at each whole ``middle.pickup_every_s``; else each after a time of its own.
    batched: bool = False
    #: How many it takes at once, what is left waits for the next; 0: all.
    batch_size: int = 0
    #: It loses what it picks up in spells of this mean length, ``middle.lost_share`` of the time; 0: each by itself.
    losing_mean_s: float = 0.0
    sweep_rule: SweepRule = SweepRule.YIELDS
    #: DOMAIN §7 [C].
    sweep_every_h: int = 4
    sweep_takes_s: float = 21 * 60.0
    #: DOMAIN §7 [D].
    good: float = 0.992
    flaky: float = 0.006
    #: When yesterday's VEE intervals are posted, seconds after local midnight [D].
    posted_s: Seconds = seconds(7 * 3600 + 1800)
    #: Mean patience of who asks again (DOMAIN §11 [D]); the share that does, after how long in the mean, how often at most [D].
    patience_s: float = 120.0
    again_share: float = 0.15
    again_mean_s: float = 7200.0
    most_again: int = 3
    again_classes: frozenset[RequesterClass] = field(
        default=frozenset({RequesterClass.ROR_CALL_CENTRE, RequesterClass.CUSTOMER})
    )
    expiry_us: Micros = EXPIRY_US
    #: How often who asked at the market API looks for the answer, and for how long: the retailer's desk [D]. The portal's client is a public one's.
    market_poll_s: float = 5.0
    market_give_up_s: float = 600.0

    def days(self, begins: Seconds, ends: Seconds) -> list[Seconds]:
        """The starts of the operating days of a span and of two around it, UTC epoch seconds."""
        first, last = day_of(begins - 86400), day_of(ends + 86400)
        return [day_start(first + timedelta(days=n)) for n in range((last - first).days + 2)]

    def law(self, seed: int, days: Sequence[Seconds], tables: list[Longs]) -> np.recarray[Any, Any]:
        """(1,) the law over some operating days, its own tables put behind others that are there."""
        middle, network = self.middle, self.network
        law = np.zeros(1, LAW).view(np.recarray)
        sweeps = [
            at for day, after in pairwise(days) for at in instants(day, after, seconds(self.sweep_every_h * 3600))
        ]
        losing = self._losing(seed, to_us(days[0]), to_us(days[-1]))
        placed = sum(map(len, tables))
        tables += [to_us(np.asarray(sweeps, dtype=np.int64)), losing]
        hops = np.arange(1, network.max_hops + 1, dtype=np.float64)
        sigma = np.sqrt(np.log1p(np.expm1(network.hop_sigma**2) / hops))
        mean = np.log(hops * network.hop_median_s * math.exp(network.hop_sigma**2 / 2)) - sigma**2 / 2
        parts = math.exp(-network.extra_hops) * network.extra_hops ** (hops - 1) / np.cumprod(np.maximum(1, hops - 1))
        upto = np.append(np.cumsum(parts)[:-1], 1.0)
        for name, of in (("hops_upto", upto), ("hops_mean", mean), ("hops_sigma", sigma)):
            law[name][0, : len(hops)] = of
        low, high = words(seed)
        said = {
            "seed_low": low,
            "seed_high": high,
            "expiry_us": self.expiry_us,
            "middle_median_s": middle.median_s,
            "middle_sigma": middle.sigma,
            "slow_share": middle.slow_share,
            "slow_from_s": middle.slow_from_s,
            "slow_to_s": middle.slow_to_s,
            "lost_share": middle.lost_share,
            "pickup_us": rounded_us(middle.pickup_every_s),
            "batched": self.batched,
            "batch_size": self.batch_size,
            "clustered": self.losing_mean_s > 0,
            "losing_place": placed + len(sweeps),
            "losing_n": len(losing),
            "backhaul_s": network.backhaul_median_s / 2,
            "backhaul_sigma": network.backhaul_sigma,
            "unheard": (1.0 - network.link_success) ** (1 + network.link_retries),
            "service_us": rounded_us(1 / network.access_point_tps),
            "unheard_us": max(rounded_us(1 / network.access_point_tps), rounded_us(network.slot_held_s)),
            "workers": network.workers,
            "sweeps_place": placed,
            "sweeps_n": len(sweeps),
            "sweep_takes_us": rounded_us(self.sweep_takes_s),
            "sweep_rule": list(SweepRule).index(self.sweep_rule),
            "good": self.good,
            "flaky": self.flaky,
            "posted_us": to_us(self.posted_s),
            "patience_s": self.patience_s,
            "again_share": self.again_share,
            "again_mean_s": self.again_mean_s,
            "most_again": self.most_again,
            "again_classes": sum(1 << at for at, one in enumerate(RequesterClass) if one in self.again_classes),
        }
        for name, value in said.items():
            law[name][0] = value
        return law

    def _losing(self, seed: int, from_us: Micros, to_us: Micros) -> Longs:
        """The spells in which the middle tier loses what it picks up: begin, end, begin, end, ..."""
        share = self.middle.lost_share
        if not self.losing_mean_s or not share:
            return np.zeros(0, dtype=np.int64)
        rng = np.random.Generator(np.random.Philox(key=[seed % 2**64, 1]))
        well_s = self.losing_mean_s * (1 - share) / share
        at, found = from_us + rng.exponential(well_s) * 1e6, []
        while at < to_us:
            end = at + rng.exponential(self.losing_mean_s) * 1e6
            found += [at, end]
            at = end + rng.exponential(well_s) * 1e6
        return np.asarray(found, dtype=np.float64).astype(np.int64)
