"""Where a cycle's usage is going."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from headend.ports import LongArray
from simulator.ror.account import Account
from simulator.ror.billing.windows import apportioned
from simulator.ror.expected.likely import NINETIETH, TENTH, Draws, draw, middle_of, quantile
from simulator.ror.usage import Energy, UsageRecord


@dataclass(frozen=True, slots=True)
class Projection:
    """Usage of the whole cycle: what is known plus what may come for every interval that is not. Whole Wh."""

    known_wh: int
    #: The middle of the ways that the cycle may go; in eight of ten it ends between the other two.
    total_wh: int
    low_wh: int
    high_wh: int
    #: Every interval of the cycle as it is known, or as it is in that middle way; given as in the middle way by what is given.
    energy: Energy
    draws: Draws

    @property
    def expected_wh(self) -> int:
        """What is not known of it."""
        return self.total_wh - self.known_wh

    def scaled(self, total_wh: int) -> Energy:
        """The cycle with another usage in all, at the same times."""
        wh = self.energy.wh if self.total_wh else np.ones_like(self.energy.wh)
        return self.energy._replace(wh=apportioned(total_wh, wh.astype(np.int64)).astype(np.int32))

    def course(self, instants: LongArray) -> LongArray:
        """(3, n) Wh of the cycle up to each of (n,) instants, UTC epoch seconds: in eight of ten ways no less, in the middle, and no more."""
        sums = np.pad(np.cumsum(self.draws.wh, axis=1, dtype=np.int64), ((0, 0), (1, 0)))
        upto = sums[:, np.searchsorted(self.draws.ends, instants, side="right")]
        rows = [[round(quantile(of, share)) for of in upto.T] for share in (TENTH, 0.5, NINETIETH)]
        return np.array(rows, np.int64)

    def to_dict(self) -> dict[str, Any]:
        """JSON values; energy is whole Wh."""
        return {
            "known_wh": self.known_wh,
            "expected_wh": self.expected_wh,
            "total_wh": self.total_wh,
            "low_wh": self.low_wh,
            "high_wh": self.high_wh,
            "days_used": self.draws.days_used,
            "ways": len(self.draws.wh),
        }


def project(record: UsageRecord, account: Account, *, is_open: bool = True) -> Projection:
    """Project the cycle's usage: known intervals, and for each one that is missing, holes included, the ways it may go. Pure.

    is_open: whether more of the cycle comes; without it what is known is all of it.
    """
    draws = draw(record, account.cycle_first, account.cycle_last)
    nothing = draws.ends <= account.own_start
    if not is_open:
        nothing |= ~draws.known
    draws.wh[:, nothing] = draws.given[:, nothing] = 0
    totals = draws.totals
    middle = middle_of(totals)
    low, high = (round(quantile(totals, share)) for share in (TENTH, NINETIETH))
    known_wh = record.within(account.cycle_start, account.cycle_end).total_wh()
    # What is given is that of the middle way in its own right: in the one that takes a middling lot it may be any.
    given = draws.given[middle_of(draws.given.sum(axis=1, dtype=np.int64))]
    energy = Energy(draws.ends, draws.wh[middle], given)
    return Projection(known_wh, int(totals[middle]), low, high, energy, draws)
