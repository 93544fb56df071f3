"""Published files: there whole or not at all, of one run, and read by others."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pytest

from headend.market.published import lists, publish, publish_table, sweep, texts, told
from tests.headend.market.days import asked


def test_who_fails_leaves_what_was_there_and_nothing_half(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = tmp_path / "one"
    publish(kept, lambda file: file.write(b"first"))

    def fails(file: BinaryIO) -> None:
        file.write(b"sec")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        publish(kept, fails)

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        publish(kept, lambda file: file.write(b"third"))
    assert [path.name for path in tmp_path.iterdir()] == ["one"]
    assert kept.read_bytes() == b"first"


def test_what_killed_writers_left_is_swept_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "below").mkdir()
    left = [tmp_path / ".a.parquet.0a1b.tmp", tmp_path / "below" / ".b.lse.ff00.tmp"]
    others = [tmp_path / "a.parquet", tmp_path / "notes.tmp", tmp_path / ".hidden"]
    for path in left + others:
        path.touch()
    assert sweep(tmp_path) == 2
    assert sorted(path for path in tmp_path.rglob("*") if path.is_file()) == sorted(others)


def test_columns_come_back_through_another_reader(tmp_path: Path) -> None:
    wh = np.arange(12, dtype=np.int32).reshape(3, 4) * 70_000
    some = np.array([True, False, True])
    octets = np.frombuffer(b"1044299999910442aaaaa1044cccc", np.uint8)[:27].reshape(3, 9)
    columns = {
        "esiid": texts(octets),
        "wh": lists(np.ones(3, np.bool_), wh.ravel(), 4),
        "half": lists(some, wh[some].ravel(), 4),
    }
    path = tmp_path / "t.parquet"
    publish_table(path, columns, ("wh", "half"), "key", {"meters": 3})
    found = asked(f"select esiid, wh, half from '{path}'")
    assert found == [
        (row.tobytes().decode(), each.tolist(), each.tolist() if there else None)
        for row, each, there in zip(octets, wh, some, strict=True)
    ]
    assert told(path, "key") == {"meters": 3}


def test_what_is_of_another_run_or_no_such_file_tells_nothing(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    assert told(path, "key") is None
    path.write_bytes(b"PAR1 and then nothing")
    assert told(path, "key") is None
    publish_table(path, {"wh": np.zeros(2, np.int32)}, (), "key", {})
    assert told(path, "other") is None
