"""Days of generated premises as SMT stores and writes them, for readers that are not SMT's."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import numpy as np

from headend.vee.quality import Channel
from meters.calendar import day_end, days
from meters.identity import Premise
from meters.load.truth import intervals
from simulator.smt.usage.formats import interval_csv, lse_file
from simulator.smt.usage.green_button import feed
from simulator.smt.usage.store import StoredDay


def days_of(premise: Premise, first: date, last: date, seed: int) -> list[StoredDay]:
    """What a premise took, and under a roof what it gave, day by day."""
    found = []
    for day in days(first, last):
        load, posted = intervals(seed, premise, day), day_end(day) + 27_000
        for channel, wh in ((Channel.LOAD, load.delivered), (Channel.GENERATION, load.received)):
            if channel is Channel.LOAD or premise.solar_w:
                estimated = np.zeros(len(wh), np.bool_)
                found.append(StoredDay(premise.esiid, channel, day, 1, None, None, wh, estimated, posted, posted + 600))
    return found


def csv_of(stored: Sequence[StoredDay]) -> bytes:
    return interval_csv(stored)


def lse_of(stored: Sequence[StoredDay]) -> bytes:
    return lse_file(stored)


def feed_of(stored: Sequence[StoredDay]) -> bytes:
    esiids = dict.fromkeys(day.esiid for day in stored)
    return feed([(one, [day for day in stored if day.esiid == one]) for one in esiids], stored[-1].loaded_at)


def as_exported(content: bytes) -> bytes:
    """A delivered CSV as the portal exports it: digits alone behind an apostrophe."""
    header, *rows = content.splitlines(keepends=True)
    return b"".join([header, *(b"'" + row for row in rows)])
