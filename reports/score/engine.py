"""Our batch over what was made: the day from its files, what it looks back on from what was read on the days before."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from headend.market.collected import assets, block, power
from headend.market.past import FleetHistory, before, by_channel
from headend.ports import MeterKey
from headend.vee.batch import run_batch
from headend.vee.lookback import PastDays
from headend.vee.preset import Preset
from headend.vee.quality import Channel, IntervalStatus, Method
from headend.vee.records import VeeDay
from headend.vee.rules import BY_NUMBER, Rule
from meters.calendar import INTERVAL_S, day_start
from meters.identity import ordinal_of
from reports.score.made import CHANNELS, MARK, Made, table_of


def run(made: Made, preset: Preset, out: Path, done: Callable[[date], None] = lambda _day: None) -> None:
    """Validate, edit and estimate every day that was made into ``out/DAY.parquet``. done: told of each day."""
    out.mkdir(parents=True, exist_ok=True)
    (out / MARK).unlink(missing_ok=True)
    for old in out.glob("*.parquet"):
        old.unlink()
    for day in made.days:
        _write(made, run_day(made, day, preset), out / f"{day.isoformat()}.parquet")
        done(day)
    (out / MARK).write_text(made.mark, encoding="utf-8")


def run_day(made: Made, day: date, preset: Preset) -> VeeDay:
    """One day through VEE."""
    fed = made.fed(day)
    meters = tuple(
        MeterKey(str(esiid), str(number))
        for esiid, number in zip(made.assets["esiid"], fed.records_number, strict=True)
    )
    registers, averages, _ = before(made.fleet, day, made.fleet.ordinals)
    history = FleetHistory(made.fleet, day, preset)
    multiplier, business = (np.asarray(made.assets[name]) for name in ("multiplier", "business"))
    told = (fed.told_number, fed.told_multiplier, fed.dials, fed.clock_error_s)
    return run_batch(
        block(day, meters, (fed.wh[0], fed.wh[1]), fed.present[0], fed.status, (fed.r0.T, fed.r1.T)),
        PastDays(day, meters, history, by_channel(registers), by_channel(averages)),
        preset,
        assets(multiplier.astype(np.int64), business, fed.records_number, fed.told_number >= 0, told),
        _power(made, day),
    )


def _power(made: Made, day: date) -> NDArray[np.uint8]:
    """(m, n) ``Power`` by the day's events."""
    fleet = made.fleet
    told = table_of(made.folder / "fed" / day.isoformat() / "events").to_pylist()
    rows = (ordinal_of(fleet.tdsp, fleet.seed, one["esiid"]) - 1 for one in told)
    events = ((row, int(one["at"].timestamp()), one["kind"]) for row, one in zip(rows, told, strict=True))
    return power(day, len(made.esiids), events)


def texts_of(vee: VeeDay) -> tuple[NDArray[np.int64], list[str]]:
    """(2, m, n) which text of rules stands at an interval, and the texts, rules with ';' between them.

    A rule of intervals stands from its finding's first to its last; one of a day, on all of it.
    """
    m, n = vee.delivered.wh.shape
    marks = np.zeros((2, m, n), np.int64)
    for finding in vee.findings:
        rule = int(finding["rule"])
        span = slice(int(finding["first"]), int(finding["last"]) + 1)
        if BY_NUMBER[Rule(rule)].scope != "interval":
            span = slice(0, n)
        marks[CHANNELS.index(int(finding["channel"])), int(finding["row"]), span] |= 1 << rule
    found, codes = np.unique(marks, return_inverse=True)
    texts = [";".join(BY_NUMBER[rule].id for rule in Rule if int(one) >> rule & 1) for one in found]
    return codes.reshape(marks.shape), texts


def _write(made: Made, vee: VeeDay, path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    m, n = vee.delivered.wh.shape
    sides = [vee.channel(Channel(channel)) for channel in CHANNELS]
    codes, texts = texts_of(vee)
    methods = [method.name.lower() for method in Method]
    starts = np.tile(np.arange(n) * INTERVAL_S + day_start(vee.day), 2 * m)
    estimated = np.concatenate([side.status.ravel() == IntervalStatus.ESTIMATED for side in sides])
    table = pa.table(
        {
            "esiid": pa.DictionaryArray.from_arrays(np.tile(np.repeat(np.arange(m), n), 2), made.esiids),
            "channel": np.repeat(np.array(CHANNELS, np.int8), m * n),
            "start": pa.array(starts).cast(pa.timestamp("s", "UTC")),
            "wh": np.concatenate([side.wh.ravel() for side in sides]),
            "status": pa.DictionaryArray.from_arrays(estimated.astype(np.int8), ["A", "E"]),
            "rule": pa.DictionaryArray.from_arrays(codes.ravel(), texts),
            "method": pa.DictionaryArray.from_arrays(
                np.concatenate([side.method.ravel() for side in sides]).astype(np.int8), methods
            ),
        }
    )
    part = path.with_name(f".{path.name}.part")
    pq.write_table(table, part, compression="zstd")
    part.replace(path)
