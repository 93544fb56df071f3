"""Files that are there whole or not at all, and say what they are results of. Parquet that others read without us; pyarrow, which takes a while, is imported in use."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pyarrow as pa

_KEY, _TOTALS = b"ami.run_key", b"ami.totals"
#: Of wide columns: no dictionary, since nothing comes again.
_SPLIT = "BYTE_STREAM_SPLIT"


def publish(path: Path, write: Callable[[BinaryIO], object]) -> None:
    """Have a file written under a name of its own beside its place, safe on the disk, and put there in one step.

    Whoever is killed leaves a ``.tmp``; whoever fails, nothing. Raises OSError, of a full disk too.
    """
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        with part.open("xb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def sweep(folder: Path) -> int:
    """Remove what writers that were killed left below a folder; how many."""
    left = list(folder.rglob(".*.tmp"))
    for part in left:
        part.unlink(missing_ok=True)
    return len(left)


def publish_table(path: Path, columns: Mapping[str, Any], wide: tuple[str, ...], key: str, totals: object) -> None:
    """Publish columns as one row group. wide: lists and whole numbers of which each octet is compressed apart."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.table(dict(columns))
    leaves = {name: f"{name}.list.element" if pa.types.is_list(table[name].type) else name for name in columns}
    split = {leaves[name]: _SPLIT for name in wide}
    sink = pa.BufferOutputStream()
    pq.write_table(
        table.replace_schema_metadata({_KEY: key, _TOTALS: json.dumps(totals)}),
        sink,
        row_group_size=max(1, table.num_rows),
        compression="zstd",
        compression_level=1,
        use_dictionary=[leaf for leaf in leaves.values() if leaf not in split],
        column_encoding=split,
    )
    content = sink.getvalue()
    publish(path, lambda file: file.write(content))


def told(path: Path, key: str) -> Any | None:
    """The totals that a published file tells; None if it is not there, no such file, or not of this key."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        metadata = pq.read_metadata(path).metadata or {}
    except (OSError, pa.ArrowException):
        return None
    return json.loads(metadata[_TOTALS]) if metadata.get(_KEY) == key.encode() else None


def texts(octets: NDArray[np.uint8]) -> pa.StringArray:
    """(m, k) ASCII as m texts of k characters."""
    import pyarrow as pa

    m, k = octets.shape
    ends = np.arange(0, (m + 1) * k, k, dtype=np.int32)
    return pa.StringArray.from_buffers(m, pa.py_buffer(ends), pa.py_buffer(np.ascontiguousarray(octets)))


def lists(rows: NDArray[np.bool_], values: Any, n: int) -> pa.ListArray:
    """Of some of m rows a list of n values, null of the others. rows: (m,). values: those lists one after the other, an array of numpy or Arrow."""
    import pyarrow as pa

    ends = np.zeros(len(rows) + 1, np.int32)
    np.cumsum(rows * n, out=ends[1:])
    return pa.ListArray.from_arrays(pa.array(ends), pa.array(values), mask=None if rows.all() else pa.array(~rows))


def rows_of(path: Path) -> Iterator[dict[str, Any]]:
    """The rows of a published file as records."""
    import pyarrow.parquet as pq

    for batch in pq.ParquetFile(path).iter_batches(2_000):
        yield from batch.to_pylist()
