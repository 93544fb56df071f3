"""What a test needs and a machine may lack."""

from __future__ import annotations

import shutil
from importlib.util import find_spec

import pytest


def needs(tool: str) -> None:
    """Skip the test that runs where neither a program nor a package of that name is installed; ``conftest`` tells of it, and CI fails."""
    if not shutil.which(tool) and not find_spec(tool):
        pytest.skip(f"{tool} is not installed")
