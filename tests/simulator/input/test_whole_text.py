"""A text that is read whole takes as much room as it has, and no more is read of one than may be."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import pytest

from simulator.input import whole_text


def test_a_small_file_takes_little_room(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_bytes(b"\xef\xbb\xbfa: 1\n")
    tracemalloc.start()
    try:
        assert whole_text.whole_text(tmp_path / "a.yaml") == "a: 1\n"
        assert tracemalloc.get_traced_memory()[1] < 4 << 20
    finally:
        tracemalloc.stop()


def test_a_device_has_no_end_and_is_not_read_to_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(whole_text, "MOST_OCTETS", 2 << 20)
    with pytest.raises(OSError, match="longer than 2 MiB"):
        whole_text.whole_text(Path("/dev/zero"))
