"""A store in a file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from headend.store.store import HeadEndStore


@pytest.fixture
def store(tmp_path: Path) -> Iterator[HeadEndStore]:
    kept = HeadEndStore(f"sqlite:///{tmp_path / 'headend.sqlite'}")
    yield kept
    kept.close()
