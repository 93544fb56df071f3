"""Whose meters a market's day has, how they are cut into partitions, and what a partition's results are results of."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from headend.lse.format import MOST_RECORDS
from headend.ports import HeadEndError
from headend.vee.preset import Preset
from meters.fleet import Fleet
from meters.identity import TDSPS, Tdsp
from meters.load.shape import ERA

#: Meters of each company, about: Oncor's by its own word, the others' as the project remembers them.
METERS = {"ONCOR": 4_000_000, "CENTERPOINT": 2_800_000, "AEP_CENTRAL": 850_000, "AEP_NORTH": 200_000, "TNMP": 270_000}
#: Meters of a partition. With a second record for every roof, which up to three in a hundred have, they fill one LSE file.
PARTITION = 48_300
#: Days on which a day can look back: an average's, and the earliest like day's.
_BACK = timedelta(days=92)
LAST_DAY = date(2099, 12, 30)


@dataclass(frozen=True, slots=True)
class Task:
    """A partition: ``count`` meters of a fleet from an ordinal on, one operating day, and where it is published."""

    fleet: Fleet
    preset: Preset
    day: date
    first: int
    count: int
    #: What its results are results of.
    key: str
    folder: Path
    #: Whether an LSE file is made of it; its counter.
    lse: bool
    counter: int

    @property
    def tdsp(self) -> Tdsp:
        """Whose meters."""
        return self.fleet.tdsp

    @property
    def name(self) -> str:
        """Of its files; a folder's are in order of company and ordinal."""
        return f"{self.tdsp.key}-{self.day.isoformat()}-{self.first:08d}-{self.count:06d}.parquet"

    @property
    def intervals(self) -> Path:
        """Its published file, a row a meter."""
        return self.folder / "intervals" / self.name

    @property
    def findings(self) -> Path:
        """What its rules found, a row a finding."""
        return self.folder / "findings" / self.name


def shares(meters: int, companies: Sequence[str]) -> dict[str, int]:
    """So many meters of these companies in their real proportions, by largest remainder; who has none is left away."""
    whole = sum(METERS[key] for key in companies)
    exact = {key: divmod(meters * METERS[key], whole) for key in TDSPS if key in companies}
    left = meters - sum(full for full, _ in exact.values())
    largest = sorted(exact, key=lambda key: -exact[key][1])[:left]
    found = {key: full + (key in largest) for key, (full, _) in exact.items()}
    return {key: count for key, count in found.items() if count}


def refuse_day(day: date) -> None:
    """Raise HeadEndError for a day of which there is no past, or no weather."""
    if not ERA + _BACK <= day <= LAST_DAY:
        mend = f"Take one of {ERA + _BACK} to {LAST_DAY}."
        raise HeadEndError("market.day", f"There is no market's day on {day}.", "--date", mend)


def run_key(fleet: Fleet, preset: Preset, day: date, code: str) -> str:
    """Sixteen hex digits that change with whatever has a say in a company's day. code: a hash of the code."""
    # ``repr`` of records is all of them, in one order.
    said = (fleet.tdsp, fleet.seed, fleet.count, fleet.mix, tuple(fleet.rules), fleet.weather, preset, day, code)
    return hashlib.sha256(repr(said).encode()).hexdigest()[:16]


def tasks(fleet: Fleet, preset: Preset, day: date, code: str, folder: Path, *, lse: bool) -> list[Task]:
    """A company's partitions, in order."""
    key = run_key(fleet, preset, day, code)
    return [
        Task(fleet, preset, day, first, min(PARTITION, fleet.count + 1 - first), key, folder, lse, counter)
        for counter, first in enumerate(range(1, fleet.count + 1, PARTITION))
    ]


assert PARTITION < MOST_RECORDS
