"""A small sandbox, for tests that want nothing particular of it, and a real PostgreSQL."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.simulator.sandboxes import Rig, rig
from tests.simulator.smt.postgres import new_database, postgres, postgres_url

__all__ = ["new_database", "postgres", "postgres_url"]


@pytest.fixture
async def made(tmp_path: Path) -> AsyncIterator[Rig]:
    async with rig(tmp_path) as made:
        yield made
