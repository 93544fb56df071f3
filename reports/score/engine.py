"""Our batch over what was made: the day from its files, what it looks back on from what was read on the days before."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headend.ports import MeterKey
from headend.vee.batch import run_batch
from headend.vee.lookback import PastDays
from headend.vee.preset import Preset
from headend.vee.quality import Channel, IntervalStatus, Method
from headend.vee.records import Asset, Assets, ChannelDay, DayBlock, History, Power, VeeDay
from headend.vee.rules import BY_NUMBER, Rule
from meters.calendar import INTERVAL_S, day_start, intervals_in
from meters.day_kinds import like_days
from meters.events import EventKind
from meters.fleet import Partition
from meters.identity import ordinal_of
from reports.score.made import CHANNELS, Fed, Made

#: Like days that are looked at: three are wanted, and some are not actual.
_LIKE_DAYS = 6
_AVERAGE_OF_DAYS = 28


def run(made: Made, preset: Preset, out: Path, done: Callable[[date], None] = lambda _day: None) -> None:
    """Validate, edit and estimate every day that was made into ``out/DAY.parquet``. done: told of each day."""
    out.mkdir(parents=True, exist_ok=True)
    for old in out.glob("*.parquet"):
        old.unlink()
    days = _Days(made, preset)
    for day in made.days:
        _write(made, run_day(made, day, preset, days), out / f"{day.isoformat()}.parquet")
        done(day)


def run_day(made: Made, day: date, preset: Preset, days: _Days | None = None) -> VeeDay:
    """One day through VEE."""
    days = days or _Days(made, preset)
    fed = made.fed(day)
    meters = tuple(
        MeterKey(str(esiid), str(number))
        for esiid, number in zip(made.assets["esiid"], fed.records_number, strict=True)
    )
    look_back = PastDays(day, meters, days.before(day), *_before(days, day))
    return run_batch(
        _block(day, meters, fed.wh, fed.present[0], fed.status, (fed.r0, fed.r1)),
        look_back,
        preset,
        _assets(made, fed),
        _power(made, day),
    )


def _block(
    day: date,
    meters: tuple[MeterKey, ...],
    wh: NDArray[np.int32],
    present: NDArray[np.bool_],
    status: NDArray[np.uint16],
    registers: tuple[NDArray[np.int64], NDArray[np.int64]],
) -> DayBlock:
    """wh: (2, m, n). present, status: (m, n). registers: (2, m) at the two midnights, -1: not read."""
    (delivered, received), (r0, r1) = np.where(present, wh, 0), registers
    return DayBlock(
        day=day,
        meters=meters,
        delivered=delivered,
        received=received,
        status=np.ascontiguousarray(status),
        present=np.ascontiguousarray(present),
        delivered_r0=r0[0],
        received_r0=r0[1],
        have_r0=r0[0] >= 0,
        delivered_r1=r1[0],
        received_r1=r1[1],
        have_r1=r1[0] >= 0,
    )


def _assets(made: Made, fed: Fed) -> Assets:
    multiplier = np.asarray(made.assets["multiplier"], np.int64)
    answered = fed.told_number >= 0
    other = answered & (fed.told_number != fed.records_number)
    # Another number that answers is of a meter that came within the day: the records know yesterday's.
    asset = np.where(other, Asset.OTHER_NUMBER | Asset.EXCHANGED, 0)
    asset |= np.where(made.assets["business"], Asset.COMMERCIAL, 0)
    return Assets.plain(len(multiplier), multiplier)._replace(
        told_multiplier=np.where(answered, fed.told_multiplier, multiplier),
        dials=np.where(answered, fed.dials, 0),
        clock_error_s=np.where(answered, fed.clock_error_s, 0),
        asset=asset.astype(np.uint8),
    )


def _power(made: Made, day: date) -> NDArray[np.uint8]:
    """(m, n) ``Power`` by the day's events: whole intervals without power, or with an open switch."""
    import pyarrow.parquet as pq

    power = np.zeros((len(made.esiids), intervals_in(day)), np.uint8)
    begins = day_start(day)
    since: dict[tuple[int, Power], int] = {}
    spans: list[tuple[int, Power, int, int]] = []
    first = made.fleet
    for event in pq.read_table(made.folder / "fed" / day.isoformat() / "events.parquet").to_pylist():
        row = ordinal_of(first.tdsp, first.seed, event["esiid"]) - 1
        at = int(event["at"].timestamp()) - begins
        if event["kind"] in (EventKind.LAST_GASP, EventKind.DISCONNECTED):
            bit = Power.OUT if event["kind"] == EventKind.LAST_GASP else Power.SWITCH_OPEN
            since[row, bit] = at
        elif event["kind"] == EventKind.CONNECTED:
            spans.append((row, Power.SWITCH_OPEN, since.pop((row, Power.SWITCH_OPEN), 0), at))
        elif event["kind"] == EventKind.RESTORATION and (row, Power.OUT) in since:
            spans.append((row, Power.OUT, since.pop((row, Power.OUT)), at))
    spans += [(row, bit, at, power.shape[1] * INTERVAL_S) for (row, bit), at in since.items()]
    for row, bit, low, high in spans:
        power[row, -(-max(low, 0) // INTERVAL_S) : max(0, high // INTERVAL_S)] |= np.uint8(bit)
    return power


def _before(days: _Days, day: date) -> tuple[Mapping[Channel, Any], Mapping[Channel, Any]]:
    """By channel, (m,): the registers that ended the day before, and Wh a day of the weeks before it; -1 where one was not read, or ran back."""
    yesterday, earlier = days.read(day - timedelta(days=1)), days.read(day - timedelta(days=_AVERAGE_OF_DAYS))
    registers: dict[Channel, Any] = {}
    averages: dict[Channel, Any] = {}
    for place, channel in enumerate(CHANNELS):
        ended = np.where(yesterday.answers, yesterday.r1[:, place], -1)
        began = np.where(earlier.answers, earlier.r0[:, place], -1)
        known = (ended >= began) & (began >= 0) & (yesterday.numbers == earlier.numbers)
        registers[Channel(channel)] = ended
        averages[Channel(channel)] = np.where(known, (ended - began) // _AVERAGE_OF_DAYS, -1)
    return registers, averages


class _Days:
    """Days of all meters as they were read, faults and all, and as they were validated; those of late are kept, since each day looks back on some ten."""

    def __init__(self, made: Made, preset: Preset) -> None:
        self._fleet, self._preset = made.fleet, preset
        self._meters = tuple(MeterKey(str(esiid), "") for esiid in made.assets["esiid"])
        self.read = lru_cache(2)(self._read)
        self._validated = lru_cache(14)(self._validate)

    def before(self, day: date) -> Callable[[Sequence[MeterKey], int], History]:
        """The three days before one, and the latest like days."""

        def fetch(meters: Sequence[MeterKey], back_days: int) -> History:
            if not meters:
                return History()
            near = [day - timedelta(days=back) for back in (1, 2, 3)]
            wanted = sorted({*near, *like_days(day, back_days)[:_LIKE_DAYS]}, reverse=True)
            done = [self._validated(on) for on in wanted]
            rows = [ordinal_of(self._fleet.tdsp, self._fleet.seed, meter.esiid) - 1 for meter in meters]
            delivered, received = (
                tuple(ChannelDay(*(one[rows] for one in on[side])) for on in done) for side in (0, 1)
            )
            return History(tuple(meters), tuple(wanted), delivered, received)

        return fetch

    def _read(self, day: date) -> Partition:
        return self._fleet.partition(day, 1, len(self._meters))

    def _validate(self, day: date) -> tuple[tuple[NDArray[Any], ...], ...]:
        """By channel: Wh, status, power failures."""
        part = self.read(day)
        answers = part.answers
        present = part.present & answers[:, None]
        status = np.where(answers[:, None], part.status, 0).astype(np.uint16)
        r0, r1 = (np.where(answers[:, None], ends, -1).T.copy() for ends in (part.r0, part.r1))
        block = _block(day, self._meters, np.stack([part.delivered, part.received]), present, status, (r0, r1))
        assets = Assets.plain(len(answers), part.multipliers)._replace(
            told_multiplier=np.where(answers, part.told_multipliers, part.multipliers),
            clock_error_s=np.where(answers, part.clock_error_s, 0),
        )
        done = run_batch(block, None, self._preset, assets)
        return tuple((side.wh, side.status, side.power_failed) for side in (done.delivered, done.received))


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
