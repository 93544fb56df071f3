"""A small sandbox, for tests that want nothing particular of it, and a real PostgreSQL."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest

from tests.simulator.sandboxes import Rig, rig
from tests.simulator.smt.postgres import new_database, postgres, postgres_url

__all__ = ["new_database", "postgres", "postgres_url"]


@pytest.fixture
def made(tmp_path: Path) -> AbstractAsyncContextManager[Rig]:
    return rig(tmp_path)
