"""The middle tier between SMT and a TDSP: most of the minute that an on-demand read takes is spent here, not on the radio.

Source: DOMAIN §4 [S]; the law is the middle tier alone, radio and retries come on top.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from headend.network.law import generator_for
from meters.calendar import Micros, micros, rounded_us, to_us
from simulator.errors import SimulatorError


class Middle(NamedTuple):
    """One request's way: microseconds to its pick-up, microseconds from the head-end's answer to SMT's completion, or lost on the way."""

    pickup_us: Micros
    return_us: Micros
    #: "" or the status that it ends with: FAILED, T-FAILED.
    lost: str = ""
    #: Lost by lot, and by nothing that happened.
    drawn: bool = False


class MiddleDraws(Protocol):
    """Where the draw of a request comes from."""

    def __call__(self, key: str) -> Middle:
        """Give the draw of the request with this key."""


LOST = ("", "FAILED", "T-FAILED")


@dataclass(frozen=True, slots=True)
class MiddleLaw:
    """Lognormal for most, a slow tail, and a share that is lost. Seconds."""

    median_s: float = 70.0
    sigma: float = 0.35
    #: Share that takes long, and between what it takes (uniform).
    slow_share: float = 0.03
    slow_from_s: float = 300.0
    slow_to_s: float = 1800.0
    #: Share that ends FAILED or T-FAILED, half each, after the time drawn.
    lost_share: float = 0.02
    #: The queue is picked up this often, so the wait for it is uniform up to that.
    pickup_every_s: float = 30.0

    def draw(
        self, rng: np.random.Generator, count: int
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """Draw (count,) microseconds to the pick-up, microseconds back, and the index into ``LOST``."""
        whole = self.median_s * np.exp(self.sigma * rng.standard_normal(count))
        slow = rng.uniform(self.slow_from_s, self.slow_to_s, count)
        which = rng.random(count)
        whole = np.where(which < self.slow_share, slow, whole)
        pickup = np.minimum(rng.uniform(0, self.pickup_every_s, count), whole)
        lost = np.where(which >= 1 - self.lost_share, 1 + (which >= 1 - self.lost_share / 2), 0)
        pickup_us = to_us(pickup).astype(np.int64)
        return pickup_us, to_us(whole).astype(np.int64) - pickup_us, lost.astype(np.int64)


class LawMiddle:
    """``MiddleDraws`` from the law, keyed by the request: what a live SMT uses."""

    def __init__(self, law: MiddleLaw, seed: int) -> None:
        """Remember the law."""
        self._law = law
        self._seed = seed
        self._of = lru_cache(maxsize=4096)(self._draw)

    def _draw(self, key: str) -> Middle:
        pickup, back, lost = self._law.draw(generator_for(self._seed, "middle", key), 1)
        return Middle(micros(pickup[0]), micros(back[0]), LOST[int(lost[0])], drawn=bool(lost[0]))

    def __call__(self, key: str) -> Middle:
        """See ``MiddleDraws``."""
        return self._of(key)


class FixedMiddle:
    """``MiddleDraws`` that are fixed: every request takes the same time, and none is lost."""

    def __init__(self, pickup_s: float, return_s: float) -> None:
        """Seconds to the pick-up and back."""
        self._middle = Middle(rounded_us(pickup_s), rounded_us(return_s))

    def __call__(self, key: str) -> Middle:  # noqa: ARG002
        """See ``MiddleDraws``."""
        return self._middle


def middle_of(text: str, seed: int) -> MiddleDraws:
    """What ``--middle`` says: ``law``, or seconds to the pick-up and back, ``18,52``. Raises SimulatorError ``smt.middle``."""
    if text == "law":
        return LawMiddle(MiddleLaw(), seed)
    try:
        pickup, back = (float(word) for word in text.split(","))
        if not (0 <= pickup < 86_400 and 0 <= back < 86_400):
            raise ValueError(text)
    except ValueError:
        raise SimulatorError(
            "smt.middle", f"'{text}' is no way to the TDSP.", "--middle", "Write law, or two numbers of seconds: 18,52."
        ) from None
    return FixedMiddle(pickup, back)


def way_text(text: str) -> str:
    """``--middle`` for people."""
    if text == "law":
        law = MiddleLaw()
        return f"drawn, {law.median_s:g} s at the median; {law.lost_share:.0%} of all requests are lost by lot (drawn)"
    pickup, back = text.split(",")
    return f"{pickup} s to the pick-up and {back} s back; nothing is lost by lot"
