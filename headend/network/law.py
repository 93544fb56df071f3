"""The AMI network as laws and draws: hops, link loss, backhaul, and the access point as a first-in first-out server.

Laws turn uniform numbers into draws, so a live request and a modelled one with the same numbers take the same time. Source: DOMAIN §7;
the values are this project's defaults.
"""

from __future__ import annotations

import hashlib
import heapq
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from meters.calendar import Micros, micros, rounded_us, to_us

#: Time-out of one try at a meter, and the waits before the second, third and fourth try.
TRY_TIMEOUT_US = to_us(30)
RETRY_WAITS_US = (to_us(30), to_us(60), to_us(120))
TRIES = 1 + len(RETRY_WAITS_US)
#: Octets on the air of one on-demand read: a control packet out, a read packet back.
READ_OCTETS = 150 + 350

Floats = NDArray[np.float64]


class Try(NamedTuple):
    """One try at a meter: microseconds to it and back, and whether an answer makes it within the time-out."""

    out_us: Micros
    back_us: Micros
    heard: bool

    @property
    def takes_us(self) -> Micros:
        """Microseconds to its end."""
        return self.out_us + self.back_us if self.heard else TRY_TIMEOUT_US


class TryDraws(Protocol):
    """Where the draws of an inquiry's tries come from."""

    def __call__(self, key: str, attempt: int) -> Try:
        """Give the draw of one try (attempt 0 is the first) of the inquiry with this key."""


@dataclass(frozen=True, slots=True)
class NetworkLaw:
    """Default model of one RF-mesh path. Latencies in seconds."""

    #: Hops are 1 + Poisson(extra_hops), at most max_hops.
    extra_hops: float = 2.5
    max_hops: int = 10
    hop_median_s: float = 0.35
    hop_sigma: float = 0.6
    #: Chance that one message over the whole path succeeds, and the retries below the head-end's own.
    link_success: float = 0.985
    link_retries: int = 2
    backhaul_median_s: float = 0.2
    backhaul_sigma: float = 0.5
    #: Reads an access point carries in a second.
    access_point_tps: float = 4.0
    #: How long a try that is not heard holds its access point, if longer than one that is: up to the time-out (DOMAIN §7, a mass outage).
    slot_held_s: float = 0.0
    #: How many tries the head-end has under way at once; 0: as many as there are.
    workers: int = 0

    def tries(
        self, rng: np.random.Generator, count: int
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]:
        """Draw (count, TRIES) microseconds out and back and whether heard.

        The number of hops is the meter's own, so it is one draw for all tries of an inquiry. The sum over the hops is drawn as a
        lognormal with the mean and variance of that sum (Fenton-Wilkinson), which keeps a draw O(1) whatever the hops.
        """
        hops = np.minimum(1 + rng.poisson(self.extra_hops, count), self.max_hops)[:, None].astype(np.float64)
        shape = (count, TRIES)
        out = self._path(rng, hops, shape)
        back = self._path(rng, hops, shape)
        heard = rng.random(shape) >= (1.0 - self.link_success) ** (1 + self.link_retries)
        heard &= out + back < TRY_TIMEOUT_US
        return out, back, heard

    def _path(self, rng: np.random.Generator, hops: Floats, shape: tuple[int, int]) -> NDArray[np.int64]:
        spread = np.expm1(self.hop_sigma**2) / hops
        sigma = np.sqrt(np.log1p(spread))
        mean = hops * self.hop_median_s * np.exp(self.hop_sigma**2 / 2)
        radio = np.exp(np.log(mean) - sigma**2 / 2 + sigma * rng.standard_normal(shape))
        backhaul = self.backhaul_median_s / 2 * np.exp(self.backhaul_sigma * rng.standard_normal(shape))
        drawn: NDArray[np.int64] = np.maximum(1, to_us(radio + backhaul)).astype(np.int64)
        return drawn


def generator_for(seed: int, purpose: str, key: str) -> np.random.Generator:
    """A generator of its own for (seed, purpose, key): the same wherever and whenever it is asked for."""
    digest = hashlib.blake2b(f"{seed}:{purpose}:{key}".encode(), digest_size=16).digest()
    return np.random.Generator(np.random.Philox(key=int.from_bytes(digest, "big")))


class LawDraws:
    """``TryDraws`` from the law, keyed by the inquiry: what a live head-end uses."""

    def __init__(self, law: NetworkLaw, seed: int) -> None:
        """Remember the law; draws are made when asked for and a few kept."""
        self._law = law
        self._seed = seed
        self._of = lru_cache(maxsize=4096)(self._draw)

    def _draw(self, key: str) -> tuple[Try, ...]:
        out, back, heard = self._law.tries(generator_for(self._seed, "tries", key), 1)
        return tuple(Try(micros(out[0, i]), micros(back[0, i]), bool(heard[0, i])) for i in range(TRIES))

    def __call__(self, key: str, attempt: int) -> Try:
        """See ``TryDraws``."""
        return self._of(key)[attempt]


class SweepRule(StrEnum):
    """What a sweep that runs does to a read at the same access point."""

    #: The read goes first, the sweep takes longer by it.
    YIELDS = "yields"
    #: Both go on, so a read takes two slots.
    SHARES = "shares"
    #: The read waits for the sweep's end.
    BLOCKS = "blocks"


class Span(NamedTuple):
    """``[from_us, to_us)``, microseconds since the epoch."""

    from_us: Micros
    to_us: Micros

    def holds(self, at_us: Micros) -> bool:
        """Whether an instant lies in it."""
        return self.from_us <= at_us < self.to_us


class AccessPoint:
    """A radio resource that carries one read after the other at a fixed rate: first in, first out, known at arrival."""

    __slots__ = ("_dark", "_free_us", "_rule", "carried", "service_us", "swept", "unheard_us")

    def __init__(
        self,
        tps: float,
        slot_held_s: float = 0.0,
        rule: SweepRule = SweepRule.YIELDS,
        dark: Sequence[Span] = (),
        swept: Sequence[Span] = (),
    ) -> None:
        """Begin idle. tps: reads a second. slot_held_s: how long a try that is not heard holds the point, if longer.

        dark: when it has no power, so that nothing is heard. swept: when its meters are swept, which may be told later too. Both ascend.
        """
        self.service_us = rounded_us(1 / tps)
        self.unheard_us = max(self.service_us, rounded_us(slot_held_s))
        self.carried = 0
        self.swept = swept
        self._free_us = micros(0)
        self._rule, self._dark = rule, dark

    def free_at(self, now_us: Micros) -> Micros:
        """When a read that comes now would go out."""
        start_us = max(now_us, self._free_us)
        if self._rule is SweepRule.BLOCKS:
            return next((span.to_us for span in self.swept if span.holds(start_us)), start_us)
        return start_us

    def take(self, start_us: Micros) -> None:
        """Occupy the point with one read from ``start_us`` on."""
        shared = self._rule is SweepRule.SHARES and any(span.holds(start_us) for span in self.swept)
        self._free_us = start_us + self.service_us * (2 if shared else 1)
        self.carried += 1

    def tried(self, start_us: Micros, attempt: Try) -> Try:
        """Occupy the point with a try from ``start_us`` on; the try as it goes here."""
        if any(span.holds(start_us) for span in self._dark):
            attempt = attempt._replace(heard=False)
        self.take(start_us)
        if not attempt.heard:
            self.silent(start_us)
        return attempt

    def silent(self, start_us: Micros) -> None:
        """A try of ``start_us`` is not heard: it holds the point. Who has come meanwhile keeps his place."""
        self._free_us = max(self._free_us, start_us + self.unheard_us)

    def to_be_swept(self, at_us: Micros, meters: int) -> None:
        """Say that its meters are swept from ``at_us`` on, a slot for each: whoever queues up before that must know. What is over is forgotten."""
        ahead = Span(at_us, at_us + meters * self.service_us)
        self.swept = [*(span for span in self.swept if at_us < span.to_us and span != ahead), ahead]

    def swept_at(self, now_us: Micros) -> Micros:
        """When a read of the sweep's that comes now goes out: where the sweep yields, behind whoever has come before it; it holds up no one."""
        return max(now_us, self._free_us) if self._rule is SweepRule.YIELDS else now_us


class Workers:
    """The head-end's workers: each is busy with one try, its wait for the access point included. First in, first out, known at arrival."""

    def __init__(self, count: int) -> None:
        """Begin idle. count: 0 for as many as there are tries."""
        self._free_us = [micros(0)] * count

    def take_up(self, now_us: Micros) -> Micros:
        """When a try that comes now is taken up; ``busy_until`` is to be told next."""
        return max(now_us, self._free_us[0]) if self._free_us else now_us

    def busy_until(self, end_us: Micros) -> None:
        """Until when the one is busy that has just taken up a try."""
        if self._free_us:
            heapq.heapreplace(self._free_us, end_us)

    def late(self, end_us: Micros, until_us: Micros) -> None:
        """One that was to be free at ``end_us`` is busy until later. Who has come meanwhile keeps his place."""
        if end_us in self._free_us:
            self._free_us[self._free_us.index(end_us)] = until_us
            heapq.heapify(self._free_us)
