"""A partition's LSE file: one row group of what is published is one file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from headend.lse.format import LseRecord
from headend.lse.writer import file_name
from headend.lse.writer import write as write_records
from headend.market.plan import Task
from headend.market.published import publish, rows_of
from headend.vee.quality import Channel
from meters.calendar import day_end, seconds

#: When a day is posted: at noon of the next (default; all presets of the field lie before midnight).
_POSTED_S = seconds(12 * 3600)


def path(task: Task) -> Path:
    """Where it lies: an LSE file cannot say what it is a result of, so its folder does. Its counter is the partition's."""
    name = file_name(task.tdsp.duns, day_end(task.day) + _POSTED_S, task.counter)
    return task.folder / "lse" / task.key / name


def write(task: Task) -> None:
    """Write it from the published file."""
    to = path(task)
    to.parent.mkdir(parents=True, exist_ok=True)
    publish(to, lambda file: write_records(_records(task), file))


def _records(task: Task) -> Iterator[LseRecord]:
    posted_at = day_end(task.day) + _POSTED_S
    for row in rows_of(task.intervals):
        for channel, side in ((Channel.LOAD, "delivered"), (Channel.GENERATION, "received")):
            if row[f"{side}_wh"] is None:
                continue
            method = row[f"{side}_method"]
            wh = np.array(row[f"{side}_wh"], np.int32)
            estimated = np.array(method) != "measured" if method else np.zeros(len(wh), np.bool_)
            registers = row[f"{side}_start_wh"], row[f"{side}_stop_wh"]
            yield LseRecord(row["esiid"], channel, task.day, *registers, wh, estimated, posted_at)
