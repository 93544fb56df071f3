"""Whose meters: TDSPs one after the other, their access points, retailers with their shares. What a meter belongs to is a function of its index."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from meters.identity import Tdsp, make_esiid

Longs = NDArray[np.int64]

#: 2^32 by the golden ratio.
_GOLDEN = 2_654_435_769


def spread(numbers: Longs) -> NDArray[np.float64]:
    """(n,) of [0, 1): any stretch of whole numbers has its points as evenly as can be."""
    return (numbers.astype(np.uint64) * np.uint64(_GOLDEN) & np.uint64(0xFFFFFFFF)).astype(np.float64) / 2**32


@dataclass(frozen=True, slots=True)
class Company:
    """A TDSP's part of the fleet."""

    tdsp: Tdsp
    meters: int
    meters_per_point: int

    @property
    def points(self) -> int:
        """How many access points; the last one may have fewer meters."""
        return -(-self.meters // self.meters_per_point)


@dataclass(frozen=True, slots=True)
class Fleet:
    """Meters and access points are numbered through the companies."""

    companies: tuple[Company, ...]
    #: Retailers by name, and each one's share of the meters.
    rors: tuple[str, ...]
    shares: tuple[float, ...]
    #: Of the invented ESI IDs, as ``meters.identity.make_esiid`` takes it.
    seed: int = 0
    #: (companies + 1,) index of each company's first meter and first access point, and the count of all.
    first_meter: Longs = field(init=False, compare=False)
    first_point: Longs = field(init=False, compare=False)

    def __post_init__(self) -> None:
        """Number meters and access points."""
        for name, counts in (
            ("first_meter", [one.meters for one in self.companies]),
            ("first_point", [one.points for one in self.companies]),
        ):
            object.__setattr__(self, name, np.concatenate([[0], np.cumsum(counts)]).astype(np.int64))

    @property
    def meters(self) -> int:
        """Of all companies."""
        return int(self.first_meter[-1])

    @property
    def points(self) -> int:
        """Access points of all companies."""
        return int(self.first_point[-1])

    def company_of(self, meters: Longs) -> Longs:
        """(n,) place of the company in ``companies``."""
        found: Longs = np.searchsorted(self.first_meter, meters, side="right") - 1
        return found

    def point_of(self, meters: Longs) -> Longs:
        """(n,) the access point that each meter hangs on: neighbours share one."""
        company = self.company_of(meters)
        per_point = np.asarray([one.meters_per_point for one in self.companies])[company]
        found: Longs = self.first_point[company] + (meters - self.first_meter[company]) // per_point
        return found

    def meters_at(self, point: int) -> tuple[int, int]:
        """First meter of an access point, and how many it has."""
        at = int(np.searchsorted(self.first_point, point, side="right")) - 1
        company = self.companies[at]
        before = (point - int(self.first_point[at])) * company.meters_per_point
        return int(self.first_meter[at]) + before, min(company.meters_per_point, company.meters - before)

    def ror_of(self, meters: Longs) -> Longs:
        """(n,) place of the retailer in ``rors``. Everywhere in the fleet each has its share, to within a few meters."""
        found: Longs = np.searchsorted(np.cumsum(self.shares)[:-1], spread(meters), side="right").astype(np.int64)
        return found

    def with_rors(self, names: tuple[str, ...]) -> Fleet:
        """The same with further retailers, who have no meter of it."""
        return replace(self, rors=self.rors + names, shares=self.shares + (0.0,) * len(names))

    def esiid(self, meter: int) -> str:
        """The invented ESI ID of a meter."""
        at = int(np.searchsorted(self.first_meter, meter, side="right")) - 1
        return make_esiid(self.companies[at].tdsp, self.seed, meter - int(self.first_meter[at]))
