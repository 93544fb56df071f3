"""What an engine is fed, and the truth apart from it, as Parquet in a folder: a folder an operating day, a row an ESI ID, channel and interval.

``fed/assets`` is what the records have; ``fed/DAY`` holds ``reads``, ``registers``, ``headers`` (what the meter told of itself) and ``events``;
``truth/DAY`` what flowed and which faults changed what, ``truth`` the ledgers.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from meters.calendar import INTERVAL_S, day_end, day_start, days, intervals_in
from meters.day_kinds import same_clock
from meters.device.reading import ATTEMPTS_S
from meters.errors import UserError
from meters.faults.kinds import KINDS, FaultKind, Layer, LookalikeKind, Span
from meters.faults.ledger import write as write_ledger
from meters.faults.rules import FaultRule
from meters.fleet import BITS, Fleet, Partition
from meters.identity import make_esiid
from meters.status import delivered_condition, received_condition
from reports.score import cmep
from simulator.world.fleet_options import fleet_of

#: LSE channels in the order of the arrays.
CHANNELS = (4, 1)
#: A rule that hits nobody, in the place of one that is left out: a rule's draws go by its place.
_NOBODY = FaultRule(FaultKind.GAP, rate=1e-300)
ALIKE = {kind: np.uint8(1 << place) for place, kind in enumerate(LookalikeKind)}
#: Kinds that can be why a meter does not answer.
_SILENCING = np.uint32(sum(BITS[kind] for kind, row in KINDS.items() if row.layer in (Layer.WIRE, Layer.POWER)))
#: What was made, written when all of it is there; and what was asked for, as long as it is not.
_FILE, _BEGUN = "made.json", "begun.json"
_DECLARED = "truth/declared.yaml"
#: Our batch's output; in it, when all of it is there, the mark of the set that it is of. Hidden: no file of an engine.
OURS, MARK = "ours", ".made"


class Fed(NamedTuple):
    """A day as an engine is fed it: m meters, n intervals, two channels, delivered first."""

    #: (2, m, n) Wh, and where there is a value.
    wh: NDArray[np.int32]
    present: NDArray[np.bool_]
    #: (m, n) status words.
    status: NDArray[np.uint16]
    #: (2, m) registers, -1: not read.
    r0: NDArray[np.int64]
    r1: NDArray[np.int64]
    #: (m,) of the headers; -1 in ``told_number``: the meter did not answer.
    records_number: NDArray[np.int64]
    told_number: NDArray[np.int64]
    told_multiplier: NDArray[np.int64]
    dials: NDArray[np.int64]
    clock_error_s: NDArray[np.int64]


class Truth(NamedTuple):
    """What flowed, and what the faults changed; shapes as in ``Fed``."""

    flowed: NDArray[np.int32]
    #: (2, m, n) masks of kinds, and (2, m) those of what changed of the day, and of corrupt kinds below the sum check's tolerance.
    kinds: NDArray[np.uint32]
    day_kinds: NDArray[np.uint32]
    #: (2, m) kinds of the day before that gave it another register at its end than this day begins with: an after-effect.
    after: NDArray[np.uint32]
    below: NDArray[np.uint32]
    #: (m, n) masks of look-alikes.
    alike: NDArray[np.uint8]
    #: (2, m, n) what was read a day before at this clock time; -1: nothing.
    yesterday: NDArray[np.int32]


@dataclass(frozen=True)
class Made:
    """A folder that ``make`` wrote."""

    folder: Path
    fleet: Fleet
    days: tuple[date, ...]

    @cached_property
    def mark(self) -> str:
        """What tells this set from every other: a hash of what was asked for and of the faults."""
        told = b"".join((self.folder / name).read_bytes() for name in (_FILE, _DECLARED))
        return hashlib.sha256(told).hexdigest()

    @cached_property
    def assets(self) -> Mapping[str, Any]:
        """Columns of the records: esiid, multiplier, business, generation."""
        return {name: column.to_numpy(zero_copy_only=False) for name, column in _columns(self.folder / "fed/assets")}

    @cached_property
    def esiids(self) -> Any:
        """The ESI IDs by row, as Arrow has them."""
        return dict(_columns(self.folder / "fed/assets"))["esiid"]

    def fed(self, day: date) -> Fed:
        """The day as an engine is fed it."""
        at = self.folder / "fed" / day.isoformat()
        reads = dict(_columns(at / "reads"))
        cells = self.cells(day, reads["esiid"], reads["channel"], reads["start"])
        shape = (2, len(self.esiids), intervals_in(day))
        wh, status = np.zeros(shape, np.int32), np.zeros(shape, np.uint16)
        present = np.zeros(shape, np.bool_)
        wh[cells] = reads["wh"].fill_null(0).to_numpy()
        present[cells] = reads["wh"].is_valid().to_numpy(zero_copy_only=False)
        status[cells] = reads["status"].to_numpy()
        registers = dict(_columns(at / "registers"))
        ends = [registers[name].fill_null(-1).to_numpy().reshape(2, -1) for name in ("start_wh", "end_wh")]
        headers = dict(_columns(at / "headers"))
        told = [headers[name].fill_null(-1).to_numpy() for name in Fed._fields[5:]]
        return Fed(wh, present, status[0], *ends, *told)

    def truth(self, day: date) -> Truth:
        """What flowed that day, and what is wrong with what is fed."""
        at = self.folder / "truth" / day.isoformat()
        rows = dict(_columns(at / "intervals"))
        shape = (2, len(self.esiids), intervals_in(day))
        flowed, kinds, alike, before = (
            rows[name].to_numpy().reshape(shape) for name in ("wh", "kinds", "look_alikes", "yesterday_wh")
        )
        whole = {name: column.to_numpy().reshape(2, -1) for name, column in _columns(at / "days") if name != "esiid"}
        return Truth(flowed, kinds, whole["kinds"], whole["after_effects"], whole["below_tolerance"], alike[0], before)

    def cells(self, day: date, esiid: Any, channel: Any, start: Any) -> tuple[NDArray[np.int64], ...]:
        """Places of rows in the day's arrays. esiid, channel, start: Arrow columns, all of this day and these meters."""
        import pyarrow as pa
        import pyarrow.compute as pc

        row = pc.index_in(esiid, value_set=self.esiids).to_numpy()
        # Parquet knows no whole seconds.
        place = (start.cast(pa.timestamp("s", "UTC")).cast(pa.int64()).to_numpy() - day_start(day)) // INTERVAL_S
        return (channel.to_numpy() != CHANNELS[0]).astype(np.int64), row.astype(np.int64), place


def read_made(folder: Path) -> Made:
    """A folder of ``make``. Raises UserError for another."""
    try:
        told = json.loads((folder / _FILE).read_text(encoding="utf-8"))
        days_ = tuple(map(date.fromisoformat, told["days"]))
        faults = folder / _DECLARED
        fleet = fleet_of(told["tdsp"], told["meters"], told["seed"], told["mix"], faults, None)
    except (OSError, ValueError, KeyError, TypeError):
        text = "Here is nothing that 'ami vee make' wrote whole."
        raise UserError("vee.score.folder", text, str(folder), "Make it anew with 'ami vee make'.") from None
    return Made(folder, fleet, days_)


def days_of(text: str) -> tuple[date, ...]:
    """``2026-01-13..2026-01-16,2026-04-14``, ascending. Raises UserError for what is none."""
    try:
        found: set[date] = set()
        for piece in text.split(","):
            first, dots, last = piece.strip().partition("..")
            span = days(date.fromisoformat(first), date.fromisoformat(last if dots else first))
            if not span or len(span) > 400:
                raise ValueError(piece)
            found.update(span)
    except ValueError:
        mend = "Write days and spans as 2026-01-13..2026-01-16,2026-04-14."
        raise UserError("vee.score.days", f"'{text}' are no days.", "--days", mend) from None
    return tuple(sorted(found))


class Formats(NamedTuple):
    """What is fed beside Parquet."""

    csv: bool = False
    cmep: bool = False


def make(
    company: str,
    meters: int,
    seed: int,
    mix: str,
    wanted: Sequence[date],
    faults: Path,
    out: Path,
    formats: Formats,
    done: Callable[[date], None] = lambda _day: None,
    warn: Callable[[str], None] = lambda _text: None,
) -> Made:
    """Write what an engine is fed of a fleet's days, and the truth. done: told of each day. warn: of what may not have been meant.

    A call that was broken off goes on where it was, if it is made again with the same words.
    """
    fleet = fleet_of(company, meters, seed, mix, faults, None)
    told = {"tdsp": company, "meters": meters, "seed": seed, "mix": mix, "days": [day.isoformat() for day in wanted]}
    begun = told | formats._asdict() | {"faults": faults.read_text(encoding="utf-8")}
    old = _read_json(out / _FILE) or _read_json(out / _BEGUN)
    declared = out / _DECLARED
    same_faults = declared.is_file() and declared.read_bytes() == faults.read_bytes()
    if old and not (same_faults and old | told == old):
        warn(f"{out} holds another set: it is replaced, and what our batch made of it is dropped")
        shutil.rmtree(out / OURS, ignore_errors=True)
    (out / _FILE).unlink(missing_ok=True)
    if _read_json(out / _BEGUN) != begun:
        for part in ("fed", "truth"):
            shutil.rmtree(out / part, ignore_errors=True)
            (out / part).mkdir(parents=True)
        shutil.copyfile(faults, declared)
        (out / _BEGUN).write_text(json.dumps(begun), encoding="utf-8")
    esiids = [make_esiid(fleet.tdsp, seed, ordinal) for ordinal in range(1, meters + 1)]
    # What flows: switches and outages are part of the truth, and so are look-alikes.
    kept = [rule if _flows(rule) else _NOBODY for rule in fleet.rules]
    sound = replace(fleet, rules=kept)
    _write_assets(out, esiids, sound.partition(wanted[0], 1, meters), formats)
    # A day begins with what the one before it ended with.
    of_day = lru_cache(2)(lambda day: fleet.partition(day, 1, meters))
    for day in wanted:
        if not (out / "fed" / day.isoformat()).exists():
            _make_day(fleet, sound, esiids, (of_day(day - timedelta(days=1)), of_day(day)), out, formats)
        done(day)
    ledger = [one for run in _runs(wanted) for one in fleet.ledger(*run)]
    acting = {one.kind for one in ledger} & set(FaultKind)
    passing = {rule.kind for rule in fleet.rules} & {kind for kind in KINDS if KINDS[kind].span is not Span.ALWAYS}
    if not acting or (passing and not acting & passing):
        but = f" but of kinds that always act ({', '.join(sorted(acting))})" if acting else ""
        warn(f"no fault in these days{but}: there is little or nothing for an engine to find")
    write_ledger(ledger, out / "truth")
    told |= {"kinds": {kind: int(bit) for kind, bit in BITS.items()}}
    told |= {"look_alikes": {kind: int(bit) for kind, bit in ALIKE.items()}}
    (out / _FILE).write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    (out / _BEGUN).unlink()
    return read_made(out)


def _flows(rule: FaultRule) -> bool:
    return isinstance(rule.kind, LookalikeKind) or rule.kind in (FaultKind.OUTAGE, FaultKind.DISCONNECTED)


def _runs(wanted: Sequence[date]) -> list[tuple[date, date]]:
    runs: list[tuple[date, date]] = []
    for day in wanted:
        if runs and day - runs[-1][1] == timedelta(days=1):
            runs[-1] = runs[-1][0], day
        else:
            runs.append((day, day))
    return runs


def _read_json(path: Path) -> Any:
    """None if there is none, or it was written in part."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def _write_assets(out: Path, esiids: list[str], first: Partition, formats: Formats) -> None:
    columns = {
        "esiid": esiids,
        "multiplier": first.multipliers,
        "business": first.multipliers > 1,
        "generation": first.r1[:, 1] > 0,
    }
    _write(columns, out / "fed/assets", csv=formats.csv)


def _make_day(
    fleet: Fleet, sound: Fleet, esiids: list[str], parts: tuple[Partition, Partition], out: Path, formats: Formats
) -> None:
    """parts: the day before, and the day."""
    import pyarrow as pa

    before, part = parts
    day, csv = part.day, formats.csv
    m, n = len(esiids), intervals_in(day)
    true = sound.partition(day, 1, m)
    # The names that they get when they are whole: the day is there when what is fed of it is.
    whole_of = {name: out / name / day.isoformat() for name in ("truth", "fed")}
    fed, truth = (out / name / f".{day.isoformat()}.part" for name in ("fed", "truth"))
    for folder in (fed, truth):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
    shutil.rmtree(whole_of["truth"], ignore_errors=True)
    answers = part.answers
    esiid = pa.array(esiids).dictionary_encode()
    starts = np.arange(day_start(day), day_end(day), INTERVAL_S)

    def long(keep: NDArray[np.bool_]) -> dict[str, Any]:
        """The keys of a row an interval, of channels and meters that are kept (2, m)."""
        channel, row = np.nonzero(keep)
        times = pa.array(np.tile(starts, len(row))).cast(pa.timestamp("s", "UTC"))
        named = np.repeat(np.array(CHANNELS, np.int8)[channel], n)
        return {"esiid": esiid.take(pa.array(np.repeat(row, n))), "channel": named, "start": times}

    both = np.stack([answers, answers])
    wh, present = np.stack([part.delivered, part.received]), np.stack([part.present, part.present])
    reads = long(both) | {
        "wh": pa.array(wh[both].ravel(), mask=~present[both].ravel()),
        "status": np.stack([part.status, part.status])[both].ravel(),
    }
    _write(reads, fed / "reads", csv=csv)
    ends = [np.where(answers[:, None], ends, -1).T.ravel() for ends in (part.r0, part.r1)]
    keys = {"esiid": esiids * 2, "channel": np.repeat(np.array(CHANNELS, np.int8), m)}
    registers = {name: pa.array(end, mask=end < 0) for name, end in zip(("start_wh", "end_wh"), ends, strict=True)}
    _write(keys | registers, fed / "registers", csv=csv)
    told = (part.numbers, part.told_multipliers, part.dials, part.clock_error_s)
    names = ("told_number", "told_multiplier", "dials", "clock_error_s")
    headers = {name: pa.array(column, mask=~answers) for name, column in zip(names, told, strict=True)}
    # An exchange is in the records on the day after it.
    _write({"esiid": esiids, "records_number": before.numbers} | headers, fed / "headers", csv=csv)
    if formats.cmep:
        series = _series(esiids, part, starts + INTERVAL_S)
        with (fed / "reads.cmep").open("w", encoding="utf-8") as file:
            file.writelines(cmep.lines(fleet.tdsp.name, day_end(day), series))
    events = [(esiids[row], one.at, str(one.kind)) for row, ones in sorted(part.events.items()) for one in ones]
    at = pa.array([one for _, one, _ in events], pa.int64()).cast(pa.timestamp("s", "UTC"))
    whose, kind = (pa.array([one[place] for one in events], pa.string()) for place in (0, 2))
    _write({"esiid": whose, "at": at, "kind": kind}, fed / "events", csv=csv)
    flowed = np.stack([true.delivered, true.received])
    kinds = np.stack([part.changed_delivered, part.changed_received])
    at_work = _at_work(fleet, part)
    day_kinds = part.changed_day & at_work
    # An exchange moves where the coarse pulses of a multiplier fall, for good: those are what the meter measures now.
    settled = (kinds & ~at_work[:, None] != 0) & (kinds & at_work[:, None] == 0)
    flowed = np.where(settled & part.present, wh, flowed)
    kinds &= at_work[:, None]
    # Of a meter that does not answer nobody sees what else is wrong with it.
    kinds[:, ~answers] = 0
    day_kinds[~answers] &= _SILENCING
    places = same_clock(day, before.day)
    earlier = np.stack([before.delivered, before.received])[:, :, places]
    known = (before.answers[:, None] & before.present[:, places] & (places >= 0))[None] & (earlier >= 0)
    columns: dict[str, NDArray[Any]] = {
        "wh": flowed,
        "kinds": kinds,
        "look_alikes": np.stack([_alike(fleet, part)] * 2),
        "yesterday_wh": np.where(known, earlier, -1).astype(np.int32),
    }
    _write(long(np.ones((2, m), np.bool_)) | {name: one.ravel() for name, one in columns.items()}, truth / "intervals")
    below = _below(part, wh, flowed, kinds)
    broken = before.answers & answers & (before.r1 != part.r0).any(axis=1)
    after = np.where(broken, before.changed_day & _at_work(fleet, before), np.uint32(0))
    whole = {name: np.tile(mask, 2) for name, mask in (("kinds", day_kinds), ("after_effects", after))}
    whole["below_tolerance"] = below.ravel()
    _write({"esiid": esiids * 2} | whole, truth / "days")
    truth.replace(whole_of["truth"])
    fed.replace(whole_of["fed"])


def _series(esiids: list[str], part: Partition, ends: NDArray[np.int64]) -> Iterator[cmep.Series]:
    """What was read of each meter and channel: intervals, and the registers of the midnights; of those without generation, channel 4 alone."""
    midnights = [int(ends[0]) - INTERVAL_S, int(ends[-1])]
    for row in np.flatnonzero(part.answers).tolist():
        for place, (channel, wh) in enumerate(zip(CHANNELS, (part.delivered, part.received), strict=True)):
            registers = [int(end[row, place]) for end in (part.r0, part.r1)]
            if place and not any(register > 0 for register in registers):
                continue
            keys, unit = (esiids[row], str(part.numbers[row])), cmep.UNIT_OF[channel]
            values = [x if there else None for x, there in zip(wh[row].tolist(), part.present[row], strict=True)]
            yield cmep.Series(*keys, unit, ends.tolist(), values)
            yield cmep.Series(*keys, unit + "REG", midnights, [None if one < 0 else one for one in registers])


def _at_work(fleet: Fleet, part: Partition) -> NDArray[np.uint32]:
    """(m,) kinds whose changes are of the day: of those that last, if they are at work on it, since a register that was reset differs for good."""
    begins, read = day_start(part.day), day_end(part.day) + ATTEMPTS_S[-1]
    lasting = sum(BITS[kind] for kind in FaultKind if _settles(kind))
    at_work = np.full(len(part.changed_day), ~np.uint32(lasting), np.uint32)
    for ordinal, faults in fleet.faults(part.ordinals, (begins, read + 1)).items():
        for fault in faults:
            instant = fault.row.span is Span.INSTANT
            if _settles(fault.kind) and (
                begins < fault.first <= day_end(part.day) if instant else fault.first <= read and fault.until >= begins
            ):
                at_work[ordinal - part.ordinals[0]] |= BITS[fault.kind]
    # Of several rollovers of a meter one alone does anything.
    turned = (part.r1[:, 0] < part.r0[:, 0]) | (part.r0[:, 0] < 0)
    at_work[~turned] &= ~BITS[FaultKind.ROLLOVER]
    return at_work


def _settles(kind: FaultKind) -> bool:
    return KINDS[kind].lasting and KINDS[kind].span is not Span.ALWAYS


def _alike(fleet: Fleet, part: Partition) -> NDArray[np.uint8]:
    n = intervals_in(part.day)
    marks = np.zeros((len(part.present), n), np.uint8)
    begins = day_start(part.day)
    for row in range(len(marks)):
        for one in fleet.lookalikes(int(part.ordinals[row])):
            first = max(0, (one.first - begins) // INTERVAL_S)
            until = min(n, -(-(one.until - begins) // INTERVAL_S))
            marks[row, first : max(first, until)] |= ALIKE[LookalikeKind(one.kind)]
    return marks


def _below(
    part: Partition, wh: NDArray[np.int32], flowed: NDArray[np.int32], kinds: NDArray[np.uint32]
) -> NDArray[np.uint32]:
    """(2, m) kinds of intervals that changed a day by no more than its sum check lets pass, without a flag, a hole or a sign to see."""
    conditions = np.stack([delivered_condition(part.status), received_condition(part.status)])
    seen = (conditions != 0) | ~part.present[None] | (wh < 0)
    advance = np.transpose(part.r1 - part.r0)
    tolerance = np.maximum(2 * part.multipliers, np.maximum(advance, 0) // 1000)
    below: NDArray[np.uint32] = np.zeros((2, len(part.r0)), np.uint32)
    away = wh.astype(np.int64) - flowed
    for kind, bit in BITS.items():
        at = (kinds & bit) != 0
        if not at.any() or KINDS[kind].layer is not Layer.INTERVALS:
            continue
        quiet = at.any(axis=2) & ~(at & seen).any(axis=2) & (np.abs((away * at).sum(axis=2)) <= tolerance)
        below[quiet] |= bit
    return below


def _write(columns: Mapping[str, Any], path: Path, *, csv: bool = False) -> None:
    import pyarrow as pa
    import pyarrow.csv
    import pyarrow.parquet as pq

    table = pa.table(dict(columns))
    pq.write_table(table, path.with_name(path.name + ".parquet"), compression="zstd")
    if csv:
        plain = {name: table[name].cast(pa.string()) if name == "esiid" else table[name] for name in table.column_names}
        pyarrow.csv.write_csv(pa.table(plain), path.with_name(path.name + ".csv"))


def table_of(path: Path) -> Any:
    """A file of a made set, named without its ending. Raises UserError for one that is gone or spoilt since."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    file = path.with_name(path.name + ".parquet")
    try:
        return pq.read_table(file).combine_chunks()
    except (OSError, pa.ArrowException):
        text = "A file of what was made is not there any more, or no longer whole."
        raise UserError("vee.score.folder", text, str(file), "Make it anew with 'ami vee make'.") from None


def _columns(path: Path) -> list[tuple[str, Any]]:
    table = table_of(path)
    return [
        (name, column.combine_chunks().cast("string") if name == "esiid" else column.combine_chunks())
        for name, column in zip(table.column_names, table.columns, strict=True)
    ]
