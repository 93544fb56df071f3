"""Days that are posted late, never, or without one meter: the gap grows to the right size, and lint tells of what cannot be."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from scenarios.judging.verdict import judge
from simulator.verdicts import Mark
from tests.cases import few
from tests.scenarios.short import mutated, run, short_balance
from tests.scenarios.test_lint import linted

#: From a midnight to 17:30 of the day of the call; 48 h are the most.
GAPS = {
    "late": ({"first": "2026-08-11", "held_days": 3}, 96 + 70, 0),
    "never": ({"first": "2026-08-10", "last": "2026-08-11", "never": True}, 192, 1),
    "without": ({"first": "2026-08-11", "never": True, "meters": [1]}, 96 + 70, 0),
    "at noon": ({"first": "2026-08-11", "at": "18:00"}, 96 + 70, 0),
    "given": ({"first": "2026-08-11", "never": True, "channel": "G"}, 70, 0),
}


@pytest.mark.parametrize("name", few(2, [*GAPS]))
def test_the_gap_begins_behind_what_was_posted(tmp_path: Path, name: str) -> None:
    posting, intervals, uncovered = GAPS[name]
    written = short_balance() | {"posting": [posting]}
    expect = {"outcome": "answered", "gap": intervals, "uncovered": uncovered, "missing": 0}
    written["timeline"] = [written["timeline"][0] | {"expect": expect, "verifies": []}]
    played = run(written, tmp_path / "out")
    assert {one.label: one.failures for one in played.verdict.judged if one.failures} == {}
    assert played.verdict.mark is Mark.PASSED
    # Said to be posted as ever, the same run fails.
    other = judge(mutated(played.recording, lambda r: r["scenario"].pop("posting")))
    assert (other.mark is Mark.FAILED) == (name != "given")


@pytest.mark.parametrize(
    ("posting", "place", "said"),
    [
        ({"first": "2026-08-11"}, "posting[1]", "Say one of at, held_days and never"),
        ({"first": "2026-08-11", "never": True, "held_days": 2}, "posting[1]", "Say one of"),
        ({"first": "2026-08-11", "held_days": 2, "meters": [1]}, "posting[1]", "left out for good"),
        ({"first": "2026-08-11", "last": "2026-08-10", "never": True}, "posting[1]", "ends before it begins"),
        ({"first": "2026-08-11", "never": True, "meters": [9]}, "posting[1].meter", "There is no meter 9"),
        ({"first": "2026-08-11", "never": True, "meters": [1, 2, 3, 4, 5]}, "posting[1].meters", "nothing is posted"),
        ({"first": "2026-08-11", "at": "00:30"}, "posting[1].at", "does not come after VEE"),
    ],
)
def test_lint_tells_of_a_posting_that_cannot_be(tmp_path: Path, posting: dict[str, Any], place: str, said: str) -> None:
    told = [str(one) for one in linted(tmp_path, short_balance() | {"posting": [posting]})]
    assert any(f": {place}: " in one and said in one for one in told), told
