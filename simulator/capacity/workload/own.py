"""Every request of one's own, from CSV or Parquet: ``time,esiid,class,kind,ror``, and ``tdsp``, ``access_point``, ``door``, ``patience_s`` where wanted.

Columns are looked at as wholes, and a row only where something is wrong with it. Ten million rows take some ten seconds and two gigabytes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pyarrow import csv, parquet

from meters.calendar import Seconds, epoch, fraction_s, iso, micros, to_s, to_us
from meters.errors import UserError
from meters.identity import mixed
from simulator.capacity.workload.columns import CLASSES, DOORS, KINDS, Requests, Workload
from simulator.capacity.workload.fleet import Fleet, spread
from simulator.capacity.workload.never import NEVER_US
from simulator.capacity.workload.spec import ASKERS, MOST_NUMBERED
from simulator.errors import SimulatorError
from simulator.input.mistakes import did_you_mean

Longs = NDArray[np.int64]

NEEDED = ("time", "esiid", "class", "kind", "ror")
OPTIONAL = ("tdsp", "access_point", "door", "patience_s")
#: So many mistakes of a file are told by their line, the others counted.
MOST_TOLD = 100
#: A call's number is the row's behind this one, which leaves room for so many.
OWN_CALLS, MOST_ROWS = 255 << 44, 1 << 28
_HOUR_US = to_us(3600)
_TEXTS = pa.dictionary(pa.int32(), pa.string())
#: By class, its door and its patience unless told.
_DOOR_OF = np.asarray([DOORS.index(ASKERS[one].door) for one in CLASSES], dtype=np.int64)
_MEAN_S = np.asarray([ASKERS[one].patience_s for one in CLASSES])
_WAITS_S = np.asarray([ASKERS[one].waits_s for one in CLASSES])


@dataclass(frozen=True, slots=True, eq=False)
class OwnRequests:
    """The rows, in order; their ESI IDs are numbered behind the fleet's meters, their retailers behind its own."""

    requests: Requests
    esiids: tuple[str, ...]
    #: Names that the fleet does not have.
    rors: tuple[str, ...]


def rows_in(path: Path) -> int:
    """How many rows a file has, without reading them: of CSV about so many, by its length."""
    if path.suffix.lower() == ".parquet":
        try:
            with path.open("rb") as file:
                return int(parquet.read_metadata(file).num_rows)
        except pa.ArrowInvalid:
            # Which is told when it is read.
            return 0
    with path.open("rb") as file:
        start = file.read(1 << 16)
    return path.stat().st_size * max(1, start.count(b"\n")) // max(1, len(start))


def read_requests(
    path: Path, fleet: Fleet, span: tuple[Seconds, Seconds] | None
) -> tuple[OwnRequests | None, list[SimulatorError]]:
    """Read a file, or tell everything that is wrong with it, by line (of Parquet by row, from 1 on).

    span: which requests may lie in [begins, ends), UTC epoch seconds; None: any.
    """
    table, wrong = _table(path)
    if table is None:
        return None, wrong.told()
    columns = _Columns(table, wrong)
    planned = columns.times(span)
    esiids, which = columns.texts("esiid")
    good = pc.match_substring_regex(esiids, "^[0-9]{17,22}$").to_numpy(zero_copy_only=False)
    columns.wrong_values(~good, which, esiids, lambda one: f"'{one}' is no ESI ID.", "Write its 17 to 22 digits.")
    company = columns.companies(fleet, esiids, which)
    asker, kind = columns.words("class", CLASSES), columns.words("kind", KINDS)
    door = columns.words("door", DOORS) if columns.has("door") else _DOOR_OF[asker]
    names, ror = columns.texts("ror")
    rors = names.to_pylist()
    columns.wrong_values(
        np.asarray([not one.strip() for one in rors], dtype=bool),
        ror,
        names,
        lambda _: "The retailer is missing.",
        "Name one.",
    )
    point = columns.points(fleet, company, esiids, which)
    patience = columns.patience(asker)
    new = tuple(one for one in rors if one not in fleet.rors)
    known = {one: at for at, one in enumerate([*fleet.rors, *new])}
    if len(known) > MOST_NUMBERED:
        wrong.add(-1, f"There are {len(known):,} retailers, and {MOST_NUMBERED:,} can be numbered.", "Name fewer.")
    if wrong.any():
        return None, wrong.told()
    place = np.asarray([known[one] for one in rors], dtype=np.int16)
    order = np.argsort(planned, kind="stable")
    rows = Requests(
        planned_us=planned,
        call=OWN_CALLS + np.arange(len(planned), dtype=np.int64),
        esi=(fleet.meters + which).astype(np.int32),
        ror=place[ror],
        requester_class=asker.astype(np.int8),
        kind=kind.astype(np.int8),
        door=door.astype(np.int8),
        access_point=point.astype(np.int16),
        tdsp=company.astype(np.int8),
        patience_us=patience,
    )
    return OwnRequests(rows.take(order), tuple(esiids.to_pylist()), new), []


def write_requests(workload: Workload, path: Path) -> None:
    """Write every request of a workload into a Parquet file, which ``read_requests`` takes. Raises SimulatorError where it cannot be written."""
    rows, fleet = workload.requests, workload.fleet
    known, which = np.unique(rows.esi, return_inverse=True)
    esiids = [workload.esiid(esi) for esi in known.tolist()]
    tdsps = [one.tdsp.name for one in fleet.companies]
    texts: dict[str, tuple[NDArray[Any], Sequence[str]]] = {
        "esiid": (which, esiids),
        "class": (rows.requester_class, CLASSES),
        "kind": (rows.kind, KINDS),
        "ror": (rows.ror, fleet.rors),
        "tdsp": (rows.tdsp, tdsps),
        "door": (rows.door, DOORS),
    }
    waits = rows.patience_us < NEVER_US
    columns = {
        "time": pa.array(rows.planned_us).cast(pa.timestamp("us", "UTC")),
        **{
            name: pa.DictionaryArray.from_arrays(pa.array(place.astype(np.int32)), [str(one) for one in words])
            for name, (place, words) in texts.items()
        },
        "access_point": pa.array(rows.access_point - fleet.first_point[rows.tdsp]),
        "patience_s": pa.array(fraction_s(rows.patience_us), mask=~waits),
    }
    try:
        with path.open("wb") as file:
            parquet.write_table(pa.table(columns), file, compression="zstd")
    except OSError as error:
        text = f"The file cannot be written: {error.strerror}."
        raise SimulatorError("capacity.workload.parquet", text, str(path), "Name another --parquet.") from None


class _Wrong:
    """Mistakes of a file by row; what is told first is what stands first."""

    def __init__(self, path: Path) -> None:
        self.path, self._rows, self._skipped = path, list[tuple[int, str, str]](), list[int]()
        self._more, self._header = 0, False
        self._kept: Longs | None = None
        self._is_csv = path.suffix.lower() != ".parquet"

    def any(self) -> bool:
        return bool(self._rows)

    @property
    def unreadable(self) -> bool:
        """Whether the file as a whole is wrong, so that its rows say nothing."""
        return self._header

    def add(self, row: int, message: str, mend: str) -> None:
        """row: from 0 on; -1: the header, beside which no row is told."""
        if row < 0 and not self._header:
            self._header, self._rows = True, []
        if len(self._rows) < 10 * MOST_TOLD:
            self._rows.append((self._line(row), message, mend))
        else:
            self._more += 1

    def skipped(self, row: Any) -> str:
        """A line that does not have the header's number of cells; pyarrow's handler of such."""
        self._skipped.append(row.number)
        if row.text.strip():
            self._rows.append(
                (row.number, f"There are {row.actual_columns} cells and not {row.expected_columns}.", "Mend the line.")
            )
        return "skip"

    def leave_out(self, blank: NDArray[np.bool_]) -> None:
        """Rows without anything in them, which are not counted from now on."""
        self._kept = np.flatnonzero(~blank)

    def _line(self, row: int) -> int:
        row = row if row < 0 or self._kept is None else int(self._kept[row])
        line = row + (2 if self._is_csv else 1)
        for skipped in self._skipped:
            line += skipped <= line
        return line

    def told(self) -> list[SimulatorError]:
        """As errors with file and line."""
        place = f"{self.path}:{{}}" if self._is_csv else f"{self.path}: row {{}}"
        rows = sorted(self._rows)
        found = [
            SimulatorError("capacity.workload.requests", message, place.format(max(line, 1)), mend)
            for line, message, mend in rows[:MOST_TOLD]
        ]
        more = len(rows) - len(found) + self._more
        if more:
            text = f"There are {more:,} more mistakes."
            found.append(SimulatorError("capacity.workload.requests", text, str(self.path), "Mend those above first."))
        return found


def _table(path: Path) -> tuple[pa.Table | None, _Wrong]:
    """The columns that are known here: texts, each value once, and times."""
    wrong = _Wrong(path)
    is_csv = path.suffix.lower() == ".csv"
    try:
        table = _csv(path, wrong) if is_csv else _parquet(path)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        why = str(error).splitlines()[0].rstrip(".")
        wrong.add(-1, f"This is no {'CSV' if is_csv else 'Parquet'} file of requests: {why}.", "Save it anew.")
        return None, wrong
    names = table.column_names
    lacking, twice = [one for one in NEEDED if one not in names], [one for one in names if names.count(one) > 1]
    if lacking:
        wrong.add(-1, f"There is no column {', '.join(lacking)}.", f"Name the columns {','.join(NEEDED)}.")
    elif twice:
        wrong.add(-1, f"The column {twice[0]} is there twice.", "Keep one of them.")
    elif len(table) > MOST_ROWS:
        wrong.add(-1, f"There are {len(table):,} rows, and {MOST_ROWS:,} can be told apart.", "Split the file.")
    return (None if wrong.unreadable else _without_blanks(table.combine_chunks(), wrong)), wrong


def _csv(path: Path, wrong: _Wrong) -> pa.Table:
    types = dict.fromkeys(NEEDED + OPTIONAL, _TEXTS) | {"time": pa.string()}
    return csv.read_csv(
        path,
        # Rows are numbered by one thread alone.
        csv.ReadOptions(use_threads=False),
        csv.ParseOptions(ignore_empty_lines=False, invalid_row_handler=wrong.skipped),
        csv.ConvertOptions(column_types=types, strings_can_be_null=False),
    )


def _parquet(path: Path) -> pa.Table:
    with path.open("rb") as opened, parquet.ParquetFile(opened) as file:
        table = file.read([name for name in file.schema_arrow.names if name in NEEDED + OPTIONAL])
    fields = [
        pa.field(
            one.name, (one.type if pa.types.is_timestamp(one.type) else pa.string()) if one.name == "time" else _TEXTS
        )
        for one in table.schema
    ]
    # What is not text goes by way of it.
    texts = pa.schema([one if one.name == "time" else pa.field(one.name, pa.string()) for one in fields])
    return table.cast(texts).cast(pa.schema(fields))


def _without_blanks(table: pa.Table, wrong: _Wrong) -> pa.Table:
    """Lines of a CSV file without anything in them are none."""
    if not pa.types.is_string(table.schema.field("time").type):
        return table
    blank = pc.equal(table.column("time"), "").to_numpy()
    for name in table.column_names if blank.any() else ():
        blank = blank & pc.equal(table.column(name).cast(pa.string()), "").to_numpy()
    if not blank.any():
        return table
    wrong.leave_out(blank)
    return table.filter(pa.array(~blank)).combine_chunks()


class _Columns:
    """A table's columns as arrays, wrong cells told."""

    def __init__(self, table: pa.Table, wrong: _Wrong) -> None:
        self._table, self._wrong = table, wrong

    def has(self, name: str) -> bool:
        return name in self._table.column_names

    def texts(self, name: str) -> tuple[pa.Array, Longs]:
        """The values of a column that occur, each once, and (n,) which one a row has."""
        column = self._table.column(name).unify_dictionaries().combine_chunks()
        column = column.chunk(0) if isinstance(column, pa.ChunkedArray) else column
        values = pa.concat_arrays([column.dictionary, pa.array([""])])
        which = column.indices.fill_null(len(values) - 1).to_numpy(zero_copy_only=False).astype(np.int64)
        occurs = np.bincount(which, minlength=len(values)) > 0
        return values.filter(pa.array(occurs)), (np.cumsum(occurs) - 1)[which]

    def wrong_values(
        self, bad: NDArray[np.bool_], which: Longs, values: pa.Array, message: Callable[[str], str], mend: str
    ) -> None:
        """Tell the rows that have a value which is wrong."""
        if bad.any():
            for row in np.flatnonzero(bad[which]).tolist():
                self._wrong.add(row, message(values[int(which[row])].as_py()), mend)

    def words(self, name: str, known: Sequence[str]) -> Longs:
        """(n,) place of a word in a list, whatever its capitals."""
        values, which = self.texts(name)
        by_word = {word.lower(): at for at, word in enumerate(known)}
        place = np.asarray([by_word.get(one.strip().lower(), -1) for one in values.to_pylist()], dtype=np.int64)
        self.wrong_values(
            place < 0, which, values, lambda one: f"'{one}' is no {name}.", f"Choose one of: {', '.join(known)}."
        )
        found: Longs = place[which]
        return found

    def companies(self, fleet: Fleet, esiids: pa.Array, which: Longs) -> Longs:
        """(n,) place of the TDSP: as told, else by the ESI ID's first digits; of one alone it is all."""
        if self.has("tdsp"):
            names, told = self.texts("tdsp")
            by_name = {
                name.upper(): at for at, one in enumerate(fleet.companies) for name in (one.tdsp.key, one.tdsp.name)
            }
            place = np.asarray([by_name.get(one.strip().upper(), -1) for one in names.to_pylist()], dtype=np.int64)
            near = did_you_mean("", [one.tdsp.name for one in fleet.companies])
            self.wrong_values(place < 0, told, names, lambda one: f"The fleet has no TDSP '{one}'.", near)
            return place[told]
        if len(fleet.companies) == 1:
            return np.zeros(len(which), dtype=np.int64)
        place = np.full(len(esiids), -1, dtype=np.int64)
        for at, one in enumerate(fleet.companies):
            place[pc.starts_with(esiids, one.tdsp.prefix).to_numpy(zero_copy_only=False)] = at
        self.wrong_values(
            place < 0, which, esiids, lambda one: f"ESI ID {one} is of no TDSP of the fleet.", "Add a column tdsp."
        )
        return place[which]

    def points(self, fleet: Fleet, company: Longs, esiids: pa.Array, which: Longs) -> Longs:
        """(n,) number of the access point: as told, counted from 0 within the TDSP, else spread by the ESI ID."""
        counts = np.asarray([one.points for one in fleet.companies])[company]
        if self.has("access_point"):
            written = self._numbers("access_point", -1.0, -1.0)
            told = written.astype(np.int64)
            for row in np.flatnonzero((told < 0) | (told >= counts) | (told != written)).tolist():
                self._wrong.add(row, "This is no access point of the TDSP.", f"Write 0 to {counts[row] - 1}.")
        else:
            last = pc.utf8_slice_codeunits(esiids, -17)
            digits = [int(one) if one.isascii() and one.isdigit() else 0 for one in last.to_pylist()]
            told = (mixed(np.asarray(digits, dtype=np.uint64))[which] % counts.astype(np.uint64)).astype(np.int64)
        found: Longs = fleet.first_point[company] + told
        return found

    def patience(self, asker: Longs) -> Longs:
        """(n,) microseconds to the hang-up: as told, else as those of its class wait."""
        n, never_s, untold = len(self._table), NEVER_US / 1e6, -1e14
        told = self._numbers("patience_s", -1.0, untold) if self.has("patience_s") else np.full(n, untold)
        for row in np.flatnonzero((told > never_s) | ((told < 0) & (told != untold))).tolist():
            self._wrong.add(row, "This is no patience.", "Write seconds from 0 on, or nothing.")
        waits = np.where(_WAITS_S[asker] + _MEAN_S[asker] > 0, _WAITS_S[asker], never_s)
        # Exponential, at quantiles that rows have by their place.
        waits += _MEAN_S[asker] * -np.log1p(-spread(np.arange(n)))
        waits = np.where(told == untold, waits, told)
        return np.where(waits < never_s, waits * 1e6, float(NEVER_US)).round().astype(np.int64)

    def _numbers(self, name: str, bad: float, empty: float) -> NDArray[np.float64]:
        """(n,) numbers, ``bad`` for what is none, ``empty`` for nothing."""
        values, which = self.texts(name)

        def number(text: str) -> float:
            try:
                return float(text) if text.strip() else empty
            except ValueError:
                return bad

        found: NDArray[np.float64] = np.asarray([number(one) for one in values.to_pylist()], dtype=np.float64)[which]
        return np.where(np.abs(found) < 1e15, found, bad)

    def times(self, span: tuple[Seconds, Seconds] | None) -> Longs:
        """(n,) microseconds since the epoch. A local time in the repeated hour is the first of the two."""
        column = self._table.column("time").combine_chunks()
        try:
            if getattr(column.type, "tz", None) is not None:
                planned = _micros(column)
            else:
                planned = self._of_local(_micros(column))
        except pa.ArrowInvalid:
            planned = self._one_by_one(column.cast(pa.string()).to_pylist())
        if span is not None and len(planned):
            outside = (planned < to_us(span[0])) | (planned >= to_us(span[1]))
            for row in np.flatnonzero(outside & (planned != _UNKNOWN)).tolist():
                at = iso(to_s(micros(planned[row])))
                self._wrong.add(row, f"{at} is not of the workload's days.", "Mend the time, or the days.")
        return planned

    def _of_local(self, local_us: Longs) -> Longs:
        """Local times turned hour by hour."""
        hours, which = np.unique(local_us // _HOUR_US, return_inverse=True)
        begins = np.empty(len(hours), dtype=np.int64)
        for at, hour in enumerate(hours.tolist()):
            try:
                begins[at] = to_us(epoch(datetime(1970, 1, 1) + timedelta(hours=hour)))
            except UserError as error:
                begins[at] = _UNKNOWN
                for row in np.flatnonzero(which == at).tolist():
                    self._wrong.add(row, error.message, error.mend)
        return np.where(begins[which] == _UNKNOWN, _UNKNOWN, begins[which] + local_us % _HOUR_US)

    def _one_by_one(self, texts: list[str | None]) -> Longs:
        """Times of which some carry an offset, or are none."""
        planned = np.full(len(texts), _UNKNOWN, dtype=np.int64)
        for row, text in enumerate(texts):
            try:
                planned[row] = to_us(epoch(text or "")) + datetime.fromisoformat((text or "").strip()).microsecond
            except UserError as error:
                self._wrong.add(row, error.message, error.mend)
        return planned


#: Stands for a time that could not be read, which is told.
_UNKNOWN = -(1 << 62)


def _micros(column: pa.Array) -> Longs:
    """A column of times, or of texts that are all local times, in microseconds. Raises ArrowInvalid where one is none."""
    if column.null_count:
        raise pa.ArrowInvalid("a time is missing")
    if pa.types.is_timestamp(column.type):
        column = column.cast(pa.timestamp("us", column.type.tz), safe=False)
    else:
        column = column.cast(pa.timestamp("us"))
    found: Longs = column.cast(pa.int64()).to_numpy(zero_copy_only=False)
    return found
