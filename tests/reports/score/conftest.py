"""A folder of what was made, for the tests of a module."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.reports.score.asked import made_in


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What was made, with our output."""
    return made_in(tmp_path_factory.mktemp("score"))
