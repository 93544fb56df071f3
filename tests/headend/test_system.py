"""A head-end that goes on from what its store holds."""

from __future__ import annotations

from pathlib import Path

from meters.calendar import day_of
from tests.headend.rig import NOW, Rig


def resumed(folder: Path, *units: int) -> Rig:
    """One that comes up a day later, whose first day has ended."""
    rig = Rig(folder, NOW + 86_400)
    rig.first_day, rig.units, rig.resume = day_of(NOW), list(units), True
    return rig


async def test_no_day_is_validated_before_a_meter_was_heard_and_the_sweep_is_tried_again(tmp_path: Path) -> None:
    async with resumed(tmp_path, 2) as rig:
        await rig.wait(200)
        sweeps = [entry for entry in rig.journal.entries() if entry["kind"] == "sweep"]
        assert {entry["answered"] for entry in sweeps} == {0}
        assert len(sweeps) > 1
        assert rig.store.partitions.of_day(day_of(NOW)) == []


async def test_what_was_silent_is_asked_once_more_and_then_what_ended_is_caught_up(tmp_path: Path) -> None:
    async with resumed(tmp_path, 1, 2) as rig:
        await rig.wait(600)
        kinds = [entry["kind"] for entry in rig.journal.entries() if entry["party"] == "TDSP"]
        assert kinds.count("sweep") == 2
        assert rig.store.posted_days() == {day_of(NOW)}
        assert "posted" in kinds[kinds.index("sweep") + 1 :]


async def test_with_every_meter_heard_one_sweep_is_enough_and_the_days_go_on(tmp_path: Path) -> None:
    async with resumed(tmp_path, 1) as rig:
        await rig.wait(600)
        assert [entry["answered"] for entry in rig.journal.entries() if entry["kind"] == "sweep"] == [1]
        await rig.wait(3 * 3600)
        assert [entry["answered"] for entry in rig.journal.entries() if entry["kind"] == "sweep"] == [1, 1]
