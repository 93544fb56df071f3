"""A played load as a Parquet file, a row a request: its schema with units, and how it is written in pieces. pyarrow, which takes a while, is imported in use."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from headend.market.published import publish
from headend.network.law import READ_OCTETS
from headend.wire import InquiryKind
from meters.calendar import to_us
from meters.errors import reason
from simulator.capacity.ends import COMPLETED, ENDS
from simulator.capacity.engine.doors import at_the_doors
from simulator.capacity.engine.law import Assumptions
from simulator.capacity.engine.rows import Rows
from simulator.capacity.engine.run import Played
from simulator.capacity.workload.columns import CLASSES, DOORS, KINDS
from simulator.capacity.workload.fleet import Fleet
from simulator.capacity.workload.never import NEVER_US
from simulator.errors import SimulatorError

if TYPE_CHECKING:
    import pyarrow as pa

#: Rows that are turned into columns at once.
PIECE = 1 << 17


class Column(NamedTuple):
    """A column: its type, its unit ("" for none), and what it says."""

    type: str
    unit: str
    says: str


_AN_INSTANT = "timestamp[us, UTC]"
#: The columns in their order. Of a name the type is a dictionary of texts.
COLUMNS: Mapping[str, Column] = {
    "row": Column(
        "int32", "", "Its number: planned requests in order, then those that were asked again as they came to be"
    ),
    "call": Column("int64", "", "The caller's request as it was planned, which its draws are keyed by"),
    "attempt": Column("int8", "", "0 as planned, else which time it is asked again"),
    "repeat_of": Column("int32", "", "The row that it asks again for; null as planned"),
    "planned": Column(_AN_INSTANT, "", "When the caller asks"),
    "class": Column("name", "", "Class of the requester"),
    "ror": Column("name", "", "Retailer"),
    "tdsp": Column("name", "", "Utility that reads the meter"),
    "kind": Column("name", "", "What is asked for: intervals, register, power status"),
    "door": Column("name", "", "Market API or portal"),
    "access_point": Column("int16", "", "Number of the access point that the meter hangs on"),
    "meter": Column("int32", "", "Index of the meter in the workload's fleet"),
    "end": Column("name", "", "How it ended"),
    "code": Column("name", "", "What refused it; null if nothing did"),
    "ended": Column(_AN_INSTANT, "", "When it was over"),
    "hangs_up": Column(_AN_INSTANT, "", "Until when the caller waits; null of a job that waits"),
    "retry_at": Column(_AN_INSTANT, "", "When one that was refused may come back; null if never, or not refused"),
    "tries": Column("int8", "", "Tries at the meter"),
    "octets_on_air": Column("int32", "octets", "Of its tries, as Modbus"),
    "http_calls": Column("int32", "", "Calls at SMT's door: asking, polls, the portal's log-in"),
    "octets_on_http": Column("int64", "octets", "Of these calls, heads and bodies, both ways"),
    "reach": Column(_AN_INSTANT, "", "To where the intervals handed on go; null if there are none"),
    "told": Column("bool", "", "Whether there was an answer (intervals, or the register or status) before the hang-up"),
    "usd_off": Column(
        "float64",
        "USD",
        "By how much the bill told is off, mean over the shipped plans; null of other kinds, or not reckoned",
    ),
    "unsatisfied": Column("float64", "share", "Odds that this leaves the caller unsatisfied; null likewise"),
}


def write_rows(
    path: Path, played: Played, fleet: Fleet, assumptions: Assumptions, worth: NDArray[np.float64] | None = None
) -> None:
    """Write a played load, whole or not at all. worth: (2, rows) dollars and odds by which each caller's bill is off, and that it leaves him unsatisfied. Raises SimulatorError ``capacity.rows``."""
    import pyarrow.parquet as pq

    def write(file: BinaryIO) -> None:
        with pq.ParquetWriter(file, _schema(), compression="zstd", compression_level=1) as writer:
            for piece in _pieces(played, fleet, assumptions, worth):
                writer.write_batch(piece)

    try:
        publish(path, write)
    except OSError as error:
        raise SimulatorError(
            "capacity.rows",
            f"The rows cannot be written: {reason(error)}.",
            place=str(path),
            mend="Name a file in a folder that has room.",
        ) from None


def _schema() -> pa.Schema:
    import pyarrow as pa

    types: dict[str, Callable[[], pa.DataType]] = {
        "name": lambda: pa.dictionary(pa.int16(), pa.string()),
        _AN_INSTANT: lambda: pa.timestamp("us", tz="UTC"),
        "bool": pa.bool_,
        **{name: getattr(pa, name) for name in ("int8", "int16", "int32", "int64", "float64")},
    }
    return pa.schema(
        [
            pa.field(name, types[one.type](), metadata={"says": one.says} | ({"unit": one.unit} if one.unit else {}))
            for name, one in COLUMNS.items()
        ],
        metadata={"octets_a_try": str(READ_OCTETS)},
    )


def _pieces(
    played: Played, fleet: Fleet, assumptions: Assumptions, worth: NDArray[np.float64] | None
) -> Iterator[pa.RecordBatch]:
    import pyarrow as pa

    schema = _schema()
    names = {
        "class": [str(one) for one in CLASSES],
        "ror": fleet.rors,
        "tdsp": [one.tdsp.name for one in fleet.companies],
        "kind": [str(one) for one in KINDS],
        "door": [str(one) for one in DOORS],
        "end": [str(one) for one in ENDS],
        "code": played.codes,
    }
    for begin in range(0, len(played.rows), PIECE):
        rows = played.rows[begin : begin + PIECE]
        part = None if worth is None else worth[:, begin : begin + PIECE]
        columns = _columns(rows, played, assumptions, part)
        arrays = []
        for field in schema:
            values, known = columns[field.name]
            if field.name in names:
                numbers = pa.array(values, pa.int16(), mask=None if known is None else ~known)
                arrays.append(pa.DictionaryArray.from_arrays(numbers, pa.array(names[field.name], pa.string())))
            else:
                arrays.append(pa.array(values, mask=None if known is None else ~known).cast(field.type))
        yield pa.RecordBatch.from_arrays(arrays, schema=schema)


#: Values, and which of them there are; None: all.
_Values = tuple[NDArray[Any], NDArray[np.bool_] | None]


def _columns(
    rows: Rows, played: Played, assumptions: Assumptions, worth: NDArray[np.float64] | None
) -> dict[str, _Values]:
    http = at_the_doors(rows, played.use, assumptions)
    intervals = rows.kind == KINDS.index(InquiryKind.INTERVALS)
    answered = np.where(intervals, rows.reach > 0, rows.end == COMPLETED)
    usd, unsatisfied = np.zeros((2, len(rows))) if worth is None else worth
    reckoned = intervals & (worth is not None)
    waits = rows.patience_us < NEVER_US
    return {
        "row": (rows.row, None),
        "call": (rows.call, None),
        "attempt": (rows.attempt, None),
        "repeat_of": (rows.repeat_of, rows.repeat_of >= 0),
        "planned": (rows.planned_us, None),
        "class": (rows.requester_class, None),
        "ror": (rows.ror, None),
        "tdsp": (rows.tdsp, None),
        "kind": (rows.kind, None),
        "door": (rows.door, None),
        "access_point": (rows.access_point, None),
        "meter": (rows.esi, None),
        "end": (rows.end, None),
        "code": (rows.code, rows.code >= 0),
        "ended": (rows.done_us, None),
        "hangs_up": (np.where(waits, rows.planned_us + np.where(waits, rows.patience_us, 0), 0), waits),
        "retry_at": (to_us(rows.retry_at.astype(np.int64)), rows.retry_at > 0),
        "tries": (rows.tries, None),
        "octets_on_air": (rows.tries.astype(np.int32) * READ_OCTETS, None),
        "http_calls": (http.calls, None),
        "octets_on_http": (http.octets, None),
        "reach": (to_us(rows.reach.astype(np.int64)), rows.reach > 0),
        "told": (answered & (rows.done_us - rows.planned_us <= rows.patience_us), None),
        "usd_off": (usd, reckoned),
        "unsatisfied": (unsatisfied, reckoned),
    }
