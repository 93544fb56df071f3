"""What an error tells whoever caused it."""

from __future__ import annotations

from pathlib import Path

import pytest

from meters.errors import reason


def test_the_reason_of_a_failure_is_words_without_a_number(tmp_path: Path) -> None:
    with pytest.raises(OSError, match=r"\[Errno 2\]") as gone:
        (tmp_path / "none").read_bytes()
    assert reason(gone.value) == "No such file or directory"
    # What libraries make of one.
    assert reason(RuntimeError("[Errno 111] Connection refused")) == "Connection refused"
    assert (
        reason(RuntimeError("Failed to open 'x'. Detail: [errno 2] Not there"))
        == "Failed to open 'x'. Detail: Not there"
    )
    assert reason(TimeoutError()) == "TimeoutError"
    assert reason(ValueError("First of two.\nSecond.")) == "First of two"
