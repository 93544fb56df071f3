"""Look-alikes: true use that looks like a fault. Declared like faults, with a ledger of their own, and no fault of anything.

The rows stand in ``lookalikes.csv``; what each does to a load is ``meters.load.lookalikes``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from meters.calendar import day_of
from meters.faults.fault import Happening
from meters.faults.kinds import LOOKALIKES, LookalikeKind
from meters.identity import esiid_hash
from meters.kernels.philox import philox4x32, words

#: Upper counter word of the draw of a missing register; no load and no rule has it.
_UNREAD = np.uint64(0x100C)


@dataclass(frozen=True, slots=True)
class Lookalike(Happening):
    """One look-alike at one premise."""

    kind: LookalikeKind

    rows = LOOKALIKES

    def unread(self, seed: int) -> date | None:
        """The midnight of which its meter holds no registers, before or after it: of a share of them, drawn by its own."""
        low, high = words(esiid_hash(self.esiid))
        w0, w1, _, _ = philox4x32(low, high, np.uint64(self.first), _UNREAD, *words(seed))
        if int(w0) >= self.params["unread"] * 2.0**32:
            return None
        return day_of(self.until - 1) + timedelta(days=1) if w1 & 1 else day_of(self.first)


def unread_midnights(lookalikes: Iterable[Lookalike], seed: int) -> frozenset[date]:
    """The midnights of which a meter with these holds no registers."""
    return frozenset(day for one in lookalikes if (day := one.unread(seed)) is not None)
