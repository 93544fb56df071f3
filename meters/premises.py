"""Premises as columns: what the load kernel needs of each, for one home or for a million made without a Python object each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from meters.errors import MeterError
from meters.identity import ORDINALS, Premise, Tdsp, esiid_hash, esiid_numbers, make_esiid, mixed
from meters.jit import kernel
from meters.philox import Word, philox4x32, words

#: How much the yearly swing (hot summer, mild rest) of a zone's homes differs from NCENT's. Default of this project.
ZONES: dict[str, float] = {
    "COAST": 1.05,
    "EAST": 1.0,
    "FWEST": 0.95,
    "NCENT": 1.0,
    "NORTH": 1.0,
    "SCENT": 1.02,
    "SOUTH": 1.1,
    "WEST": 0.95,
}
#: Yearly and half-yearly swing of the expected day, Wh, of ERCOT's residential types: high winter ratio (electric heat), low. Default.
CLASSES: dict[str, tuple[float, float]] = {"RESHIWR": (8_000.0, 6_000.0), "RESLOWR": (10_000.0, 3_000.0)}
#: Every expected curve there is: (zone, class); a premise's curve is an index into this.
CURVES: tuple[tuple[str, str], ...] = tuple((zone, klass) for zone in ZONES for klass in CLASSES)
#: Bounds of a premise's scale: below, whole Wh are too coarse a grain; above, it is no delivery point of this market.
MIN_SCALE, MAX_SCALE = 0.01, 1000.0


@dataclass(frozen=True, slots=True, eq=False)
class PremiseArrays:
    """Premises in columns, all of one length m."""

    #: (m,) 64-bit hash of the ESI ID.
    hashes: NDArray[np.uint64]
    #: (m,) index into ``CURVES``.
    curves: NDArray[np.int64]
    #: (m,) use against the class average.
    scales: NDArray[np.float64]

    def __len__(self) -> int:
        """Count the premises."""
        return len(self.hashes)

    def __getitem__(self, rows: slice) -> PremiseArrays:
        """Take some premises, without copying."""
        return PremiseArrays(self.hashes[rows], self.curves[rows], self.scales[rows])

    @classmethod
    def of(cls, premises: Sequence[Premise]) -> PremiseArrays:
        """Turn records into columns. Raises MeterError for a zone, class, scale or ESI ID that makes no sense."""
        return cls(
            np.array([esiid_hash(premise.esiid) for premise in premises], dtype=np.uint64),
            np.array([_curve(premise) for premise in premises], dtype=np.int64),
            np.array([_scale(premise) for premise in premises], dtype=np.float64),
        )

    @classmethod
    def generate(cls, seed: int, tdsp: Tdsp, count: int, first: int = 0) -> PremiseArrays:
        """The columns of ``make_premise(tdsp, seed, ordinal)`` for ``count`` ordinals from ``first``."""
        if count < 0 or first < 0 or first + count > ORDINALS:
            raise MeterError(
                "meters.ordinal.range", f"Ordinals {first} to {first + count} are outside 0 to {ORDINALS}."
            )
        hashes = mixed(esiid_numbers(tdsp, seed, first, count))
        tosses, scales = _draws(*words(seed), hashes)
        return cls(hashes, CURVES.index((tdsp.zone, "RESHIWR")) + tosses, scales)


def make_premise(tdsp: Tdsp, seed: int, ordinal: int) -> Premise:
    """The company's premise of that ordinal: class by the toss of a coin, scale 0.5 to 1.5 around 1, drawn by seed and ESI ID."""
    columns = PremiseArrays.generate(seed, tdsp, 1, ordinal)
    zone, klass = CURVES[int(columns.curves[0])]
    return Premise(make_esiid(tdsp, seed, ordinal), zone, klass, float(columns.scales[0]))


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


@kernel
def _draws(k0: Word, k1: Word, hashes: NDArray[np.uint64]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """(m,) a coin and (m,) a scale for each premise.

    The upper counter words are all ones: no operating day has that counter, so this draw is apart from every load draw.
    """
    ones = np.uint64(0xFFFFFFFF)
    tosses = np.empty(len(hashes), np.int64)
    scales = np.empty(len(hashes), np.float64)
    for row in range(len(hashes)):
        low, high = hashes[row] & ones, hashes[row] >> np.uint64(32)
        w0, w1, w2, w3 = philox4x32(low, high, ones, ones, k0, k1)
        tosses[row] = np.int64(w0 & np.uint64(1))
        scales[row] = 0.5 + np.float64(w1 + w2 + w3) / (3.0 * 2.0**32)
    return tosses, scales
