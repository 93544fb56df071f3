"""Premises as columns: what the load kernel needs of each, for one home or for a million made without a Python object each."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from meters.errors import MeterError
from meters.identity import ORDINALS, Premise, Tdsp, esiid_hash, esiid_numbers, make_esiid, mixed
from meters.kernels.jit import kernel
from meters.kernels.philox import Word, philox4x32, words
from meters.load.weather import ZONES

#: ERCOT profile types. Homes: high winter ratio (electric heat), low (gas). Businesses: no demand meter, medium load factor.
HOME_CLASSES = ("RESHIWR", "RESLOWR")
BUSINESS_CLASSES = ("BUSNODEM", "BUSMEDLF")
CLASSES = HOME_CLASSES + BUSINESS_CLASSES
#: Every kind of load there is: (zone, class); a premise's curve is an index into this.
CURVES: tuple[tuple[str, str], ...] = tuple((zone, klass) for zone in ZONES for klass in CLASSES)
#: Bounds of a premise's scale: below, whole Wh are too coarse a grain; above, it is no delivery point of this market.
MIN_SCALE, MAX_SCALE = 0.01, 1000.0
#: Wh in a quarter hour: a service of 200 A at 240 V gives 12,000, of which so many are ever drawn, so often as transformers multiply; no premise has
#: more than 500 kW.
_SERVICE_WH, _MOST_WH = 11_800, 125_000
#: Bounds of a roof, W, and of the mean day of a car (a depot of them), Wh.
MAX_SOLAR_W, MAX_EV_WH = 1_000_000, 1_000_000


@dataclass(frozen=True, slots=True)
class Mix:
    """What share of made premises are something else than a plain home."""

    #: Of all premises.
    business: float = 0.0
    #: Of the homes.
    solar: float = 0.0
    ev: float = 0.0


#: Plain homes.
HOMES = Mix()
#: A wires company's market: small businesses, roofs and cars beside the homes. Orders of magnitude in Texas; defaults of this project.
MARKET = Mix(business=0.10, solar=0.03, ev=0.04)
#: The first ones are plain homes in every mix: what a user meets first has nothing special.
PLAIN = 2
#: A home of a smaller scale than this is vacant. Default.
LIVED_IN = 0.025
#: Share of the homes that nobody lives in. Default.
VACANT = 0.02
#: Spread of the logarithm of scales, at most three times either way: of homes, from flats to large houses; of those that are PLAIN;
#: of businesses without a demand meter, and of those of medium load factor, the largest of which draws half a megawatt. Defaults.
HOME_SPREAD, PLAIN_SPREAD, BUSINESS_SPREADS = 0.55, 0.16, (0.95, 1.4)
#: Least scale of a business of medium load factor: what has current transformers is not small.
LEAST_MEDIUM = 0.15
#: Share of businesses of medium load factor. Default.
_MEDIUM = 0.3
#: W of a home's roof and mean Wh a day of its car, from .. to, drawn evenly. Defaults; 10 kWh drive 12,000 miles a year.
_ROOF_W = (4_000, 10_000)
_CAR_WH = (6_000, 14_000)


class Columns(NamedTuple):
    """The columns of ``PremiseArrays``, a tuple: a kernel takes no dataclass."""

    hashes: NDArray[np.uint64]
    curves: NDArray[np.int64]
    scales: NDArray[np.float64]
    solar_w: NDArray[np.int64]
    ev_wh: NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class PremiseArrays:
    """Premises in columns, all of one length m."""

    #: (m,) 64-bit hash of the ESI ID.
    hashes: NDArray[np.uint64]
    #: (m,) index into ``CURVES``.
    curves: NDArray[np.int64]
    #: (m,) use against the class average.
    scales: NDArray[np.float64]
    #: (m,) rated W of the roof, 0 without.
    solar_w: NDArray[np.int64]
    #: (m,) mean Wh a day of the car, 0 without.
    ev_wh: NDArray[np.int64]

    def __len__(self) -> int:
        """Count the premises."""
        return len(self.hashes)

    @property
    def columns(self) -> Columns:
        """The columns as the kernels take them."""
        return Columns(self.hashes, self.curves, self.scales, self.solar_w, self.ev_wh)

    def __getitem__(self, rows: slice | NDArray[np.intp]) -> PremiseArrays:
        """Take some premises; a slice of them without copying."""
        return PremiseArrays(
            self.hashes[rows], self.curves[rows], self.scales[rows], self.solar_w[rows], self.ev_wh[rows]
        )

    @classmethod
    def of(cls, premises: Sequence[Premise]) -> PremiseArrays:
        """Turn records into columns. Raises MeterError for a zone, class, scale, roof, car or ESI ID that makes no sense."""
        return cls(
            np.array([esiid_hash(premise.esiid) for premise in premises], dtype=np.uint64),
            np.array([_curve(premise) for premise in premises], dtype=np.int64),
            np.array([_scale(premise) for premise in premises], dtype=np.float64),
            np.array([_within(premise, "solar_w", MAX_SOLAR_W) for premise in premises], dtype=np.int64),
            np.array([_within(premise, "ev_wh", MAX_EV_WH) for premise in premises], dtype=np.int64),
        )

    @classmethod
    def joined(cls, some: Sequence[PremiseArrays]) -> PremiseArrays:
        """The premises of several, one after the other."""
        return cls(*(np.concatenate([getattr(one, name) for one in some]) for name in cls.__dataclass_fields__))

    @classmethod
    def generate(cls, seed: int, tdsp: Tdsp, count: int, first: int = 0, mix: Mix = HOMES) -> PremiseArrays:
        """The columns of ``make_premise(tdsp, seed, ordinal, mix)`` for ``count`` ordinals from ``first``."""
        if count < 0 or first < 0 or first + count > ORDINALS:
            raise MeterError(
                "meters.ordinal.range", f"Ordinals {first} to {first + count} are outside 0 to {ORDINALS}."
            )
        return cls.at(seed, tdsp, np.arange(first, first + count), mix)

    @classmethod
    def at(cls, seed: int, tdsp: Tdsp, ordinals: NDArray[np.int64], mix: Mix = HOMES) -> PremiseArrays:
        """The same for ordinals that ascend."""
        hashes = mixed(esiid_numbers(tdsp, seed, ordinals))
        plain = int(np.searchsorted(ordinals, PLAIN, "right"))
        classes, scales = _draws(*words(seed), hashes, plain)
        solar_w, ev_wh = np.zeros(len(ordinals), np.int64), np.zeros(len(ordinals), np.int64)
        if mix != HOMES:
            shares = np.array([mix.business, _MEDIUM, mix.solar, mix.ev])
            others = slice(plain, None)
            _mixed_in(
                *words(seed), hashes[others], shares, classes[others], scales[others], solar_w[others], ev_wh[others]
            )
        return cls(hashes, CURVES.index((tdsp.zone, CLASSES[0])) + classes, scales, solar_w, ev_wh)


def service_wh(multiplier: int) -> int:
    """Most Wh that a premise ever draws in a quarter hour through a meter of that multiplier."""
    return min(_SERVICE_WH * multiplier, _MOST_WH)


# Who a meter is, what it measures and what it lies about is asked for one after the other.
@lru_cache(maxsize=4096)
def make_premise(tdsp: Tdsp, seed: int, ordinal: int, mix: Mix = HOMES) -> Premise:
    """The company's premise of that ordinal, drawn by seed and ESI ID.

    A home's class is the toss of a coin. Its scale is lognormal around a mean of 1, vacant homes included. What is a plain home in a
    mix is the same one in every other.
    """
    columns = PremiseArrays.generate(seed, tdsp, 1, ordinal, mix)
    zone, klass = CURVES[int(columns.curves[0])]
    return Premise(
        make_esiid(tdsp, seed, ordinal),
        zone,
        klass,
        float(columns.scales[0]),
        int(columns.solar_w[0]),
        int(columns.ev_wh[0]),
    )


def _curve(premise: Premise) -> int:
    wanted = (premise.zone, premise.klass)
    if wanted not in CURVES:
        raise MeterError(
            "meters.premise.profile",
            f"There is no load curve for zone '{premise.zone}' and class '{premise.klass}'.",
            place=premise.esiid,
            mend=f"Zones: {', '.join(ZONES)}. Classes: {', '.join(CLASSES)}.",
        )
    return CURVES.index(wanted)


def _scale(premise: Premise) -> float:
    if not MIN_SCALE <= premise.scale <= MAX_SCALE:
        raise MeterError(
            "meters.premise.scale",
            f"A scale of {premise.scale:g} is outside {MIN_SCALE:g} to {MAX_SCALE:g}.",
            place=premise.esiid,
        )
    return premise.scale


def _within(premise: Premise, field: str, most: int) -> int:
    value: int = getattr(premise, field)
    if not (isinstance(value, int) and 0 <= value <= most):
        raise MeterError(
            f"meters.premise.{field}", f"{field} = {value} is not a whole number of 0 to {most}.", place=premise.esiid
        )
    return value


@kernel
def _scaled(uniforms: float, spread: float) -> float:
    """A scale around a mean of 1: lognormal but for its tails, as the sum of three uniform draws is normal but for those.

    Cut to whole 65536ths, so that it is the same on every machine.
    """
    mean = (math.sinh(spread) / spread) ** 3
    return float(np.rint(math.exp(spread * (2.0 * uniforms - 3.0)) / mean * 65536.0)) / 65536.0


@kernel
def _draws(k0: Word, k1: Word, hashes: NDArray[np.uint64], plain: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """(m,) class of home, 0 or 1, and (m,) scale of each premise, the first ``plain`` of which are lived in and of an ordinary size.

    The upper counter words are all ones: no operating day has that counter, so this draw is apart from every load draw.
    """
    ones = np.uint64(0xFFFFFFFF)
    tosses = np.empty(len(hashes), np.int64)
    scales = np.empty(len(hashes), np.float64)
    for row in range(len(hashes)):
        low, high = hashes[row] & ones, hashes[row] >> np.uint64(32)
        w0, w1, w2, w3 = philox4x32(low, high, ones, ones, k0, k1)
        tosses[row] = np.int64(w0 & np.uint64(1))
        if row < plain:
            scales[row] = _scaled(np.float64(w1 + w2 + w3) / 2.0**32, PLAIN_SPREAD)
        elif np.float64(w0) < VACANT * 2.0**32:
            scales[row] = MIN_SCALE + (LIVED_IN - MIN_SCALE) * np.float64(w1) / 2.0**32
        else:
            # What the vacant ones lack of a mean of 1 the others have.
            rest = (1.0 - VACANT * (MIN_SCALE + LIVED_IN) / 2.0) / (1.0 - VACANT)
            scales[row] = rest * _scaled(np.float64(w1 + w2 + w3) / 2.0**32, HOME_SPREAD)
    return tosses, scales


@kernel
def _mixed_in(
    k0: Word,
    k1: Word,
    hashes: NDArray[np.uint64],
    shares: NDArray[np.float64],
    classes: NDArray[np.int64],
    scales: NDArray[np.float64],
    solar_w: NDArray[np.int64],
    ev_wh: NDArray[np.int64],
) -> None:
    """Make some homes businesses of a scale of their own, and give some of the others, if lived in, a roof or a car.

    shares: (4,) of businesses, of medium ones among them, of roofs, of cars. A second block of the premise's draws: its last
    counter word is what no other draw with all ones in the third has.
    """
    ones, short = np.uint64(0xFFFFFFFF), np.uint64(0xFFFF)
    for row in range(len(hashes)):
        low, high = hashes[row] & ones, hashes[row] >> np.uint64(32)
        w0, w1, w2, w3 = philox4x32(low, high, ones, ones - np.uint64(1), k0, k1)
        if np.float64(w0) < shares[0] * 2.0**32:
            uniforms = (np.float64((w2 & short) + (w2 >> np.uint64(16)) + (w3 & short)) + 1.5) / 2.0**16
            if np.float64(w1) < shares[1] * 2.0**32:
                classes[row] = 3
                scales[row] = LEAST_MEDIUM + (1.0 - LEAST_MEDIUM) * _scaled(uniforms, BUSINESS_SPREADS[1])
            else:
                classes[row] = 2
                scales[row] = _scaled(uniforms, BUSINESS_SPREADS[0])
            continue
        if scales[row] < LIVED_IN:
            continue
        if np.float64(w2) < shares[2] * 2.0**32:
            solar_w[row] = _ROOF_W[0] + np.int64(w1 % np.uint64(_ROOF_W[1] - _ROOF_W[0]))
        if np.float64(w3) < shares[3] * 2.0**32:
            ev_wh[row] = _CAR_WH[0] + np.int64((w1 >> np.uint64(8)) % np.uint64(_CAR_WH[1] - _CAR_WH[0]))
