"""Makes ``docs/usage/home.csv`` anew, a portal export of a generated home: ``python -m tests.simulator.ror.files.pages``."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from meters import SEED
from meters.identity import TDSPS
from meters.load.premises import make_premise
from tests.simulator.ror.files.written import as_exported, csv_of, days_of

FILE = Path(__file__).parents[4] / "docs" / "usage" / "home.csv"
HOME = make_premise(TDSPS["ONCOR"], SEED, 51)
FIRST, LAST = date(2026, 7, 2), date(2026, 8, 4)


def example() -> bytes:
    """The file: a home near its plan's credit, an evening of one day estimated."""
    stored = days_of(HOME, FIRST, LAST, SEED)
    stored[18].estimated[68:80] = True
    return as_exported(csv_of(stored))


if __name__ == "__main__":
    FILE.parent.mkdir(exist_ok=True)
    FILE.write_bytes(example())
