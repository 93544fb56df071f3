"""Every shipped scenario: what its recording becomes passes, and what that leaves becomes the same again. Nothing collects it; ``make round-trips``."""

from __future__ import annotations

from pathlib import Path

import pytest

from scenarios.file.lint import load_cases
from scenarios.file.shipped import SCENARIOS
from scenarios.run import run_and_judge
from scenarios.taken.taken import take
from tests.scenarios.taken.test_round_trip import fixed


@pytest.mark.parametrize("name", SCENARIOS.names())
def test_a_shipped_scenario_is_taken_as_it_was(name: str, tmp_path: Path) -> None:
    played = run_and_judge(load_cases(SCENARIOS.files()[name])[0], tmp_path / "first")
    fixed(take(played.out / "recording.json", tmp_path / "first.yaml", "again").out, "recording.json", tmp_path)
