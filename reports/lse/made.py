"""LSE files made of a scenario's world, as its head-end would have posted them, or of a table of intervals."""

from __future__ import annotations

import asyncio
import re
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from headend.lse.format import MOST_RECORDS, DayKey, LseRecord
from headend.lse.octets import MOST_WH
from headend.lse.writer import dumps, file_name
from headend.ports import BoolArray, MeterRecords
from headend.store.store import HeadEndStore
from headend.vee.quality import Channel
from meters.calendar import INTERVAL_S, Seconds, day_of, day_start, epoch, intervals_in, iso, seconds
from meters.errors import UserError
from reports.interval_table import coded, read_table, starts_of, wh_if_any, wh_of
from scenarios.file.schema import Scenario
from simulator.world.history import make_history
from simulator.world.meters import build

#: Most days of a world that are made.
_MOST_DAYS = 366
_CODE = "lse.make"
_COLUMNS = (
    "Its columns are esiid, channel (4 load, 1 generation), start (with its offset), wh or kwh, status (A or E),"
    " and, if you have the day's registers, start_wh or start_kwh and stop_wh or stop_kwh."
)


def of_world(scenario: Scenario, until: date | None) -> Iterator[tuple[str, bytes]]:
    """Name and content of each file that the world's head-end posts, from its first operating day on.

    until: the last operating day; that before the scenario's first action unless given. Its faults and its VEE are in them. Raises UserError.
    """
    first = scenario.world.first_day
    last = until or day_of(epoch(scenario.timeline[0].at)) - timedelta(days=1)
    if not first <= last < first + timedelta(days=_MOST_DAYS):
        mend = f"Give a day from {first} to {first + timedelta(days=_MOST_DAYS - 1)}."
        raise UserError(f"{_CODE}.day", f"The world begins on {first}: {last} cannot be made.", "--date", mend)
    world = build(scenario.world, scenario.seed)
    times = scenario.times
    now = times.posted_at(last)
    made: list[tuple[str, bytes]] = []

    def keep(name: str, content: bytes, _at: Seconds) -> None:
        made.append((name, content))

    records = MeterRecords(world.addresses("", [0] * len(world.gateways)))
    with tempfile.TemporaryDirectory() as folder:
        store = HeadEndStore(f"sqlite:///{folder}/headend.sqlite", records)
        try:
            every = seconds(scenario.sweep_every_h * 3600)
            asyncio.run(make_history(world, store, now, every, times, keep, scenario.preset))
        finally:
            store.close()
    yield from made


def of_table(path: Path, duns: str) -> Iterator[tuple[str, bytes]]:
    """Name and content of the files with a table's days and registers, made at 07:30 after the last of them. Raises UserError."""
    days, estimated, whole, registers = _days(path)
    made_at = epoch(f"{max(key.day for key in days) + timedelta(days=1)}T07:30")
    records = []
    for key, rows in sorted(days.items(), key=lambda one: (one[0].day, one[0].esiid, -one[0].channel)):
        place = f"{path}: ESI ID {key.esiid} channel {int(key.channel)} {key.day}"
        if len(rows) != intervals_in(key.day):
            says = f"{len(rows)} intervals, the day has {intervals_in(key.day)}."
            raise UserError(f"{_CODE}.not_a_full_day", says, place, "Give every quarter hour of the local day.")
        at = [rows[place] for place in sorted(rows)]
        start, stop = (_register(column[at], place) for column in registers)
        wh = whole[at].astype(np.int32)
        records.append(LseRecord(key.esiid, key.channel, key.day, start, stop, wh, estimated[at], made_at))
    for counter, begin in enumerate(range(0, len(records), MOST_RECORDS), 1):
        yield file_name(duns, made_at, counter), dumps(records[begin : begin + MOST_RECORDS])


def _register(column: NDArray[np.float64], place: str) -> int | None:
    """What rows of a day tell of a register, all or some of them; None if none does."""
    told = np.unique(column[~np.isnan(column)]).tolist()
    if len(told) > 1:
        says = f"A register is {told[0]:.0f} Wh in one row and {told[1]:.0f} Wh in another."
        raise UserError(f"{_CODE}.registers", says, place, "Give a day one register for each of its ends.")
    return int(told[0]) if told else None


def _days(path: Path) -> tuple[dict[DayKey, dict[int, int]], BoolArray, NDArray[np.float64], NDArray[np.float64]]:
    """The rows of each day by their place in it; of all rows, whether they are estimated, Wh, and (2, rows) registers in Wh; NaN where none is told."""
    table = read_table(path, _CODE)
    wh, starts = wh_of(path, table, _CODE), starts_of(path, table, _CODE)
    told = [wh_if_any(path, table, _CODE, of) for of in ("start_", "stop_")]
    registers = np.array([np.full(len(wh), np.nan) if one is None else one for one in told])
    esiid_at, esiids = coded(table["esiid"])
    channel_at, channels = coded(table["channel"])
    status_at, statuses = coded(table["status"])
    whole = np.rint(wh)
    sound = (whole >= 0) & (whole <= np.iinfo(np.int32).max) & (np.abs(whole - wh) < 1e-6)
    # A float has no millionth of a Wh left of a register that is high.
    strange = (registers < 0) | (registers > MOST_WH) | (np.abs(np.rint(registers) - registers) >= 1e-3)
    wrong = (
        ("esiid", "no ESI ID of 17 to 22 digits", [one for one in esiids if not re.fullmatch(r"[0-9]{17,22}", one)]),
        ("channel", "neither 4 (load) nor 1 (generation)", [one for one in channels if one not in ("1", "4")]),
        ("status", "neither A nor E", [one for one in statuses if one not in ("A", "E")]),
        ("wh", "no energy of whole watt-hours", [f"{one:g}" for one in wh[~sound]]),
        ("start_wh, stop_wh", "no register of whole watt-hours", [f"{one:g}" for one in registers[strange]]),
        ("start", "no quarter hour", [iso(seconds(one)) for one in starts[starts % INTERVAL_S != 0].tolist()]),
    )
    for column, what, texts in wrong:
        if texts:
            raise UserError(f"{_CODE}.table", f"'{texts[0]}' is {what}.", f"{path}: {column}", _COLUMNS)
    if not len(starts):
        raise UserError(f"{_CODE}.table", "There are no intervals.", str(path), _COLUMNS)
    days: defaultdict[DayKey, dict[int, int]] = defaultdict(dict)
    for row, at in enumerate(map(seconds, starts.tolist())):
        key = DayKey(esiids[esiid_at[row]], Channel(int(channels[channel_at[row]])), day_of(at))
        if days[key].setdefault((at - day_start(key.day)) // INTERVAL_S, row) != row:
            place = f"{path}: ESI ID {key.esiid} channel {int(key.channel)}"
            raise UserError(f"{_CODE}.twice", f"{iso(at)} comes twice.", place, "Give an interval once.")
    return days, np.array([text == "E" for text in statuses], np.bool_)[status_at], whole, np.rint(registers)
