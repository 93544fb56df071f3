"""What can be expected of a run as a whole, and what never to happen in a stretch of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.scenarios.short import short_balance
from tests.scenarios.test_lint import linted


@pytest.mark.parametrize(
    ("said", "place", "words"),
    [
        ({}, "expect[1]", "expects nothing"),
        ({"ref": "call-0001", "never": "sweeps"}, "expect[1].ref", "Two things are called call-0001"),
        ({"never": "sweep"}, "expect[1].never", "Did you mean sweeps?"),
        ({"never": "sweeps", "between": ["call-001", "status-0001"]}, "expect[1].between", "Did you mean call-0001?"),
        (
            {"never": "sweeps", "between": ["call-0002", "2026-08-12T18:19"]},
            "expect[1].between",
            "ends before it begins",
        ),
        (
            {"never": "sweeps", "between": ["call-0002", "2026-08-12T18:20"]},
            "expect[1].between",
            "ends when it begins: nothing lies between. Move",
        ),
        ({"run": {"meter_reads": {"at_least": 0}}}, "expect[1].run.meter_reads", "Nothing is less than 0"),
        ({"run": {"codes": {"absent": True}}}, "expect[1].run.codes", "codes is always there"),
        ({"of": "call-0001", "expect": {"gap": {"at_least": 0}}}, "expect[1].expect.gap", "Nothing is less than 0"),
        ({"run": {"call": 2}}, "expect[1].run.call", "Did you mean calls?"),
        ({"of": "call-0003", "expect": {"meter": 0}}, "expect[1].of", "There is no action call-0003"),
        ({"of": "call-0001", "expect": {"metre": 0}}, "expect[1].expect.metre", "Did you mean meter?"),
        ({"of": "call-0001"}, "expect[1]", "Write both or none"),
        ({"run": {"calls": 2}, "between": ["call-0001", "call-0002"]}, "expect[1].between", "Add never"),
    ],
)
def test_lint_tells_of_what_cannot_be_expected(tmp_path: Path, said: dict[str, Any], place: str, words: str) -> None:
    told = [str(one) for one in linted(tmp_path, short_balance() | {"expect": [{"ref": "wide", **said}]})]
    assert any(f": {place}: " in one and words in one for one in told), told
