"""What most tests of SMT begin with."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.simulator.smt.rig import Rig


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    return Rig(tmp_path)
