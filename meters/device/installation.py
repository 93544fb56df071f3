"""Which meter hangs at a premise: its number, kind and multiplier follow from the premise and its ordinal, for one or for a million."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from meters.identity import MeterIdentity, Premise, esiid_hash, make_meter_number
from meters.load.premises import BUSINESS_CLASSES, CLASSES

#: Meters behind current transformers (businesses of medium load factor) have one of these multipliers. Defaults of this project.
MULTIPLIERS = np.array([10, 20, 40, 80], np.int64)
_BEHIND_TRANSFORMERS = "BUSMEDLF"


def install(premise: Premise, seed: int, ordinal: int) -> MeterIdentity:
    """The meter of that ordinal at its premise."""
    business = premise.klass in BUSINESS_CLASSES
    multiplier = 1
    if premise.klass == _BEHIND_TRANSFORMERS:
        multiplier = int(MULTIPLIERS[esiid_hash(premise.esiid) % len(MULTIPLIERS)])
    return MeterIdentity(
        make_meter_number(seed, ordinal),
        premise.esiid,
        multiplier,
        initial_delivered_wh=int(initial_wh(np.array([ordinal]))[0]),
        three_phase=business,
    )


def initial_wh(ordinals: NDArray[np.int64]) -> NDArray[np.int64]:
    """(m,) what the delivered registers showed at the era: they have run before, and no reader may count on their starting at nought."""
    shown: NDArray[np.int64] = 1000 * (7919 * ordinals % 40_000)
    return shown


def multipliers(curves: NDArray[np.int64], hashes: NDArray[np.uint64]) -> NDArray[np.int64]:
    """(m,) multipliers of the meters that ``install`` puts in. curves, hashes: as in ``PremiseArrays``."""
    behind = curves % len(CLASSES) == CLASSES.index(_BEHIND_TRANSFORMERS)
    which = (hashes % np.uint64(len(MULTIPLIERS))).astype(np.intp)
    return np.where(behind, MULTIPLIERS[which], 1)
