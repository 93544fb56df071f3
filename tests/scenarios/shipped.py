"""The shipped scenarios, checked once for all who only look at them; first one of each folder, for cases of which a few are in every run."""

from __future__ import annotations

from functools import cache

from scenarios.file.lint import load_cases
from scenarios.file.schema import Scenario
from scenarios.file.shipped import SCENARIOS

FILES = SCENARIOS.files()
_FIRST = {path.parent: name for name, path in reversed(FILES.items())}
FOLDERS = len(_FIRST)
#: The name of the first of each of so many folders, and then those of all others.
NAMES = list(dict.fromkeys([*_FIRST.values(), *FILES]))


@cache
def shipped(name: str) -> tuple[Scenario, ...]:
    """The cases of one."""
    return tuple(load_cases(FILES[name]))
