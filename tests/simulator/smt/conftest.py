"""What most tests of SMT begin with: SMT itself, or a database of its alone."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from tests.simulator.smt.postgres import opened
from tests.simulator.smt.rig import Rig


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    async with Rig(tmp_path) as rig:
        yield rig


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    with opened(f"sqlite:///{tmp_path / 'smt.db'}") as engine:
        yield engine
