"""The second of two runs that must be the same, for all who hold it to the first."""

from __future__ import annotations

import pytest

from scenarios.run import JudgedRun
from tests.scenarios.short import run, short_balance


@pytest.fixture(scope="session")
def second_run(tmp_path_factory: pytest.TempPathFactory) -> JudgedRun:
    return run(short_balance(), tmp_path_factory.mktemp("second"))
