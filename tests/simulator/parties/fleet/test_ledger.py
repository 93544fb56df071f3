"""The ledger of faults beside meters that serve."""

from __future__ import annotations

import asyncio
import json
import threading
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from meters.calendar import epoch
from meters.faults.kinds import FaultKind, LookalikeKind
from meters.faults.ledger import FILES, write
from simulator.parties.fleet import ledger
from simulator.parties.fleet.ledger import FaultLedger
from simulator.world.fault_spec import FaultSpec, LookalikeSpec
from simulator.world.meters import WorldSpec, build


async def test_who_stops_while_the_ledger_is_being_written_waits_for_that(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second writer would move the first one's unfinished file away from under it."""
    at_it, go_on, came = threading.Event(), threading.Event(), []

    def slow(entries: Any, folder: Path) -> None:
        came.append("in")
        at_it.set()
        assert go_on.wait(30)
        write(entries, folder)
        came.append("out")

    monkeypatch.setattr(ledger, "write", slow)
    kept = FaultLedger(tmp_path, [], epoch("2026-08-12"), lambda: epoch("2026-08-12"))
    keeping = asyncio.ensure_future(kept.keep(at_once=True))
    await asyncio.to_thread(at_it.wait, 30)
    keeping.cancel()
    last = asyncio.ensure_future(asyncio.to_thread(kept.write))
    await asyncio.sleep(0)
    go_on.set()
    await last
    assert came == ["in", "out", "in", "out"]
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(FILES)


async def test_a_ledger_that_is_kept_is_written_again_and_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger, "_EVERY_S", 0)
    written = asyncio.Queue[int]()
    loop = asyncio.get_running_loop()

    def note(entries: Any, folder: Path) -> None:
        write(entries, folder)
        loop.call_soon_threadsafe(written.put_nowait, len(entries))

    monkeypatch.setattr(ledger, "write", note)
    now = datetime(2026, 8, 10, 15)
    spec = WorldSpec(
        first_day=date(2026, 8, 9),
        faults=(FaultSpec(kind=FaultKind.GAP, meter=1, first=now.replace(hour=11), until=now.replace(hour=12)),),
    )
    kept = FaultLedger(tmp_path, build(spec, 1).meters, epoch("2026-08-09"), lambda: epoch("2026-08-10T15:00"))
    keeping = asyncio.ensure_future(kept.keep())
    assert [await written.get() for _ in range(3)] == [1, 1, 1]
    keeping.cancel()
    await asyncio.gather(keeping, return_exceptions=True)


def test_look_alikes_have_a_ledger_of_their_own_and_stand_in_none_of_faults(tmp_path: Path) -> None:
    first, until = datetime(2026, 8, 10, 11), datetime(2026, 8, 10, 17)
    spec = WorldSpec(
        first_day=date(2026, 8, 9),
        faults=(FaultSpec(kind=FaultKind.GAP, meter=1, first=first, until=until),),
        lookalikes=(
            LookalikeSpec(kind=LookalikeKind.CONSTANT, meters=(1, 2), first=first, until=until),
            LookalikeSpec.model_validate({"kind": "peak", "meter": 3, "first": first, "factor": 5, "unread": 1}),
        ),
    )
    world = build(spec, 1)
    FaultLedger(tmp_path, world.meters, epoch("2026-08-09"), lambda: epoch("2026-08-12")).write()
    faults, alike = (json.loads((tmp_path / name).read_text()) for name in (FILES[0], FILES[2]))
    assert [row["kind"] for row in faults] == ["gap"]
    assert sorted((row["kind"], row["intervals"]) for row in alike) == [("constant", 24), ("constant", 24), ("peak", 1)]
    assert {row["layer"] for row in alike} == {"premise"}
    assert [pq.read_table(tmp_path / name).num_rows for name in (FILES[1], FILES[3])] == [1, 3]
    # One whose record is sound shows what the ledger tells, and holds no register where it says so.
    peaked = world.meters[2]
    peak = next(row for row in alike if row["kind"] == "peak")
    at, later = epoch("2026-08-10T11:00"), epoch("2026-08-12")
    assert peak["true_wh"] == peak["shown_wh"] == int(peaked.window(at, at + 900, later).delivered[0])
    assert peaked.midnight(date.fromisoformat(peak["unread"]), later) is None
    other = next(row for row in alike if row["esiid"] == world.meters[1].identity.esiid)
    window = world.meters[1].window(at, at + 6 * 3600, later)
    assert set(window.delivered.tolist()) == {other["true_wh"] // 24}
