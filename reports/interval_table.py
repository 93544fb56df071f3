"""Intervals as a table, CSV or Parquet: the columns esiid, channel, start, wh or kwh, status. Heavy imports are inside."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from meters.errors import UserError, reason


def read_table(path: Path, code: str, mend: str = "Give LSE files, CSV or Parquet.") -> Any:
    """A table with the columns esiid, channel, start, status. code: of the UserError that it raises, as the others here do. mend: of a file that is none."""
    import pyarrow as pa
    import pyarrow.csv
    import pyarrow.parquet as pq

    try:
        # pyarrow says of a file that is not there its name alone.
        path.stat()
        if path.suffix.lower() == ".csv":
            # Digits alone, however many, stay what they are.
            kept = {name: pa.string() for name in ("esiid", "start", "status", "rule", "method")}
            options = pyarrow.csv.ConvertOptions(column_types=kept)
            table = pyarrow.csv.read_csv(path, convert_options=options)
        else:
            table = pq.read_table(path)
    except (OSError, pa.ArrowException) as error:
        raise UserError(code, f"{reason(error)}.", str(path), mend) from None
    for name in ("esiid", "channel", "start", "status"):
        if name not in table.column_names:
            mend = "Its columns are esiid, channel, start, wh or kwh, status, and, if you have them, rule and method."
            raise UserError(code, f"There is no column '{name}'.", str(path), mend)
    return table


def wh_of(path: Path, table: Any, code: str) -> NDArray[np.float64]:
    """(rows,) energy in Wh, of a column wh or kwh; NaN where there is none."""
    found = wh_if_any(path, table, code)
    if found is None:
        raise UserError(code, "There is neither a column 'wh' nor 'kwh'.", str(path), "Give one of them.")
    return found


def wh_if_any(path: Path, table: Any, code: str, of: str = "") -> NDArray[np.float64] | None:
    """The same of columns whose names begin with ``of``; None if there are none."""
    import pyarrow as pa

    for name, times in ((f"{of}wh", 1.0), (f"{of}kwh", 1000.0)):
        if name in table.column_names:
            try:
                column: NDArray[np.float64] = table[name].cast(pa.float64()).to_numpy()
            except pa.ArrowException as error:
                raise UserError(code, f"{error}.", f"{path}: {name}", "Write numbers.") from None
            return column * times
    return None


def starts_of(path: Path, table: Any, code: str) -> NDArray[np.int64]:
    """(rows,) UTC epoch seconds at which the intervals begin."""
    import pyarrow as pa

    column = table["start"]
    mend = "Write 2026-01-13T06:00:00Z, or local time with its offset."
    if pa.types.is_timestamp(column.type):
        if column.type.tz is None:
            raise UserError(code, "The starts have no zone.", f"{path}: start", mend)
        whole: NDArray[np.int64] = column.cast(pa.timestamp("s", "UTC"), safe=False).cast(pa.int64()).to_numpy()
        return whole
    codes, texts = coded(column.cast(pa.string()))
    found = []
    for text in texts:
        try:
            at = datetime.fromisoformat(text)
        except ValueError:
            at = datetime.min
        if at.tzinfo is None:
            raise UserError(code, f"'{text}' is no time with an offset.", f"{path}: start", mend)
        found.append(int(at.timestamp()))
    return np.array(found, np.int64)[codes]


def coded(column: Any) -> tuple[NDArray[np.int64], list[str]]:
    """A column of texts as places in the list of those that there are; nothing is the empty text."""
    import pyarrow as pa

    coded = column.cast(pa.string()).combine_chunks().fill_null("").dictionary_encode()
    return coded.indices.to_numpy().astype(np.int64), coded.dictionary.to_pylist()
