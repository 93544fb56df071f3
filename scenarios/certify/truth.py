"""What the meters of a plan hold, handed to a system that has no Modbus, and held against what it tells: a CSV file, a row a quarter hour."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path

from meters.calendar import INTERVAL_S, Seconds, day_end, day_of, day_start, days, epoch, interval_ends, iso, seconds
from meters.errors import MeterError
from scenarios.actions.outside.await_files import AwaitFiles
from scenarios.errors import ScenarioError
from scenarios.file.schema import Scenario
from simulator.world.meters import World, build

HEAD = ("esiid", "end", "wh", "register_wh", "given_wh", "known_from")
#: By ESI ID and end of the quarter hour, UTC epoch seconds: Wh, and the register at its end.
Truth = dict[str, dict[int, tuple[int, int]]]
#: And what was given then, Wh; without those in which nothing was.
Given = dict[str, dict[int, int]]


def truth_text(scenarios: Iterable[Scenario]) -> str:
    """The file for the meters of some scenarios, from each one's first day to the day after its last action; Wh taken and given, multiplied.

    known_from: since when a head-end has it, where that is not at once.
    """
    rows: dict[tuple[str, int], tuple[int, int, int]] = {}
    late: dict[tuple[str, int], str] = {}
    for one in scenarios:
        world = build(one.world, one.seed)
        for span in (span for action in one.timeline if isinstance(action, AwaitFiles) for span in action.late):
            ends = range(epoch(span.first) + INTERVAL_S, epoch(span.last) + 1, INTERVAL_S)
            late |= {(world.esiid(span.meter), end): iso(epoch(span.known_from)) for end in ends}
        for day in days(one.world.first_day, one.timeline[-1].at.date() + timedelta(days=1)):
            for esiid, end, *held in _day(world, day_start(day), day_end(day)):
                rows[esiid, end] = (held[0], held[1], held[2])
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(HEAD)
    for (esiid, end), row in sorted(rows.items()):
        writer.writerow((esiid, iso(seconds(end)), *row, late.get((esiid, end), "")))
    return text.getvalue()


def _day(world: World, start: Seconds, end: Seconds) -> Iterable[tuple[str, int, int, int, int]]:
    ends = interval_ends(day_of(start)).tolist()
    for meter in world.meters:
        by = meter.identity.multiplier
        # A register grows by what the intervals hold; it is taken once a day.
        register = meter.registers(start)[0] * by
        window = meter.window(start, end, end + INTERVAL_S)
        for at, raw, given in zip(ends, window.delivered.tolist(), window.received.tolist(), strict=True):
            register += raw * by
            yield meter.identity.esiid, at, raw * by, register, given * by


def read_late(path: Path) -> dict[tuple[str, int], Seconds]:
    """Since when a head-end has the quarter hours that it has late, by ESI ID and end. Raises as ``read_truth`` does."""
    with path.open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file, strict=True) if row.get("known_from")]
    return {(row["esiid"], int(epoch(row["end"]))): epoch(row["known_from"]) for row in rows}


def posted_to(scenario: Scenario, at: Seconds) -> Seconds:
    """To where the days were posted by an instant: to midnight, but for what is never posted."""
    day = day_of(at) - timedelta(days=1)
    while any(each.never and each.covers(day) for each in scenario.posting):
        day -= timedelta(days=1)
    return day_end(day)


def own_truth(written: str, folder: Path, esiids: Iterable[str]) -> Path:
    """The file of a system whose meters are not ours, as its statement names it, from that one's folder. Raises ScenarioError for what is none, or lacks an ESI ID."""
    path, mend = (folder / written).resolve(), f"Write a CSV file with {','.join(HEAD)}, a row for each quarter hour."
    try:
        held = read_truth(path)
    except OSError as error:
        raise ScenarioError("certify.truth", f"It cannot be read: {error.strerror}.", str(path), mend) from None
    except (ValueError, csv.Error) as error:
        text = f"It does not tell what meters hold: {error}."
        raise ScenarioError("certify.truth", text, str(path), mend) from None
    for esiid in esiids:
        if esiid not in held:
            raise ScenarioError("certify.truth", f"It has no row of {esiid}, which is served.", str(path), mend)
    return path


def read_truth(path: Path) -> Truth:
    """What a file tells. Raises OSError or ValueError for what is none."""
    held: Truth = {}
    with path.open(newline="", encoding="utf-8") as file:
        rows = csv.DictReader(file, strict=True)
        for row in rows:
            try:
                held.setdefault(row["esiid"], {})[int(epoch(row["end"]))] = (int(row["wh"]), int(row["register_wh"]))
            except (KeyError, TypeError, ValueError, MeterError):
                raise ValueError(f"line {rows.line_num} lacks a sound esiid, end, wh or register_wh") from None
    return held


def read_given(path: Path) -> Given:
    """What a file tells of energy that was given; a file need not. Raises OSError or ValueError for what is none."""
    given: Given = {}
    with path.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file, strict=True):
            if (wh := int(row.get("given_wh") or 0)) > 0:
                given.setdefault(row["esiid"], {})[int(epoch(row["end"]))] = wh
    return given
