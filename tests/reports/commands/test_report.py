"""``ami report``: the pages of a folder of results again."""

from __future__ import annotations

from pathlib import Path

from tests.simulator.processes import fails_here


def test_a_folder_without_results_names_who_leaves_some(tmp_path: Path) -> None:
    told = fails_here("report", str(tmp_path))
    assert told.startswith(f"report.nothing: {tmp_path}: There is neither a recording.json nor an outcome.json. Name")
