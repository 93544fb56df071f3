"""A small sandbox, for tests that want nothing particular of it."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest

from tests.simulator.sandboxes import Rig, rig


@pytest.fixture
def made(tmp_path: Path) -> AbstractAsyncContextManager[Rig]:
    return rig(tmp_path)
