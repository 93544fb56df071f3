"""After warming, LSE files are written and read without anything being compiled."""

from __future__ import annotations

from datetime import date

import numpy as np

from headend.lse import octets
from headend.lse.format import LseRecord
from headend.lse.reader import read
from headend.lse.warm import warm
from headend.lse.writer import dumps
from headend.vee.quality import Channel
from meters.calendar import day_start


def compiled() -> dict[str, int]:
    return {name: len(one.signatures) for name, one in vars(octets).items() if hasattr(one, "signatures")}


def test_a_warm_process_compiles_nothing_for_a_day_of_100_intervals_with_registers() -> None:
    warm()
    before = compiled()
    assert before["read_rows"] == before["write_rows"] == 1
    day = date(2026, 11, 1)
    wh, estimated = np.arange(100, dtype=np.int32), np.arange(100) % 3 == 0
    made = LseRecord("10443729924385485", Channel.GENERATION, day, 5, 4955, wh, estimated, day_start(day))
    (found,) = read(dumps([made]), "x.lse").records
    assert (found.day, found.stop_reading_wh, found.wh.sum()) == (day, 4955, 4950)
    assert compiled() == before
