"""The market's LSE as a customer's usage: the reader is the head-end's, its faults are told by their result code."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from headend.lse.format import LseColumns, LseFinding, Severity
from headend.lse.reader import blocks
from headend.vee.quality import Channel
from meters.calendar import INTERVAL_S, day_start, intervals_in
from simulator.ror.files.found import MOST_WH, Tally
from simulator.ror.files.grid import Grid, Values


def read_lse(path: Path, tally: Tally, grids: dict[Channel, Grid]) -> str:
    """Read a file into its channels' places; the form in words. Raises RorError for more records than a file may have, OSError."""
    findings: list[LseFinding] = []
    with path.open("rb") as stream:
        for found in blocks(stream, "", findings):
            _put(found, tally, grids)
    for one in findings:
        # A customer may call it what he likes.
        if one.severity is Severity.ERROR and one.field != "file name":
            if one.code == "F1":
                raise tally.refuse("too_many_records", one.message, one.mend, one.line)
            tally.tell(f"lse_{one.code}", one.line, f"{one.field}: {one.message}".rstrip(".") + ".", one.mend)
    return "LSE"


def _put(found: LseColumns, tally: Tally, grids: dict[Channel, Grid]) -> None:
    names, of, counts = np.unique(found.esiid, return_inverse=True, return_counts=True)
    read = np.array([tally.is_read(name.decode(), int(count)) for name, count in zip(names, counts, strict=True)])
    for row in np.flatnonzero(read[of]).tolist():
        record = next(found[row : row + 1].records())
        starts = np.arange(
            day_start(record.day), day_start(record.day) + intervals_in(record.day) * INTERVAL_S, INTERVAL_S
        )
        good = (record.wh >= 0) & (record.wh <= MOST_WH)
        if not good.all():
            text = f"{int(record.wh[~good][0])} Wh on {record.day} is no energy that a quarter hour of a retail customer has."
            tally.tell("number", record.line, text, "Look at the multiplier and the unit.", int((~good).sum()))
        count = int(good.sum())
        grids[record.channel].put(
            Values(
                starts[good],
                record.wh[good].astype(np.int64),
                record.estimated[good],
                np.full(count, record.posted_at, np.int64),
                np.full(count, max(record.line, 1), np.int64),
                np.zeros(count, np.bool_),
            )
        )
