"""The ledger of faults beside meters that serve."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from typing import Any

import pytest

from meters.calendar import epoch
from simulator.parties import ledger
from simulator.parties.ledger import LEDGER_FILES, FaultLedger


async def test_who_stops_while_the_ledger_is_being_written_waits_for_that(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second writer would move the first one's unfinished file away from under it."""
    at_it, go_on, came = threading.Event(), threading.Event(), []

    def slow(entries: Any, path: Path) -> None:
        came.append("in")
        at_it.set()
        assert go_on.wait(30)
        path.write_text("x", encoding="utf-8")
        came.append("out")

    monkeypatch.setattr(ledger, "write_json", slow)
    kept = FaultLedger(tmp_path, [], epoch("2026-08-12"), lambda: epoch("2026-08-12"))
    keeping = asyncio.ensure_future(kept.keep(at_once=True))
    await asyncio.to_thread(at_it.wait, 30)
    keeping.cancel()
    last = asyncio.ensure_future(asyncio.to_thread(kept.write))
    await asyncio.sleep(0)
    go_on.set()
    await last
    assert came == ["in", "out", "in", "out"]
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(LEDGER_FILES)
