"""The kernels of LSE files, compiled or loaded before anybody waits for a file: on a busy machine that takes longer than a party may."""

from __future__ import annotations

from datetime import date

import numpy as np

from headend.lse.format import LseRecord
from headend.lse.reader import read
from headend.lse.writer import dumps
from headend.vee.quality import Channel
from meters.calendar import day_start, intervals_in

_DAY = date(2026, 1, 1)


def warm() -> None:
    """Write a record and read it again."""
    count = intervals_in(_DAY)
    wh, estimated = np.zeros(count, np.int32), np.zeros(count, np.bool_)
    record = LseRecord("1" * 17, Channel.LOAD, _DAY, None, None, wh, estimated, day_start(_DAY))
    read(dumps([record]), "warm.lse")
