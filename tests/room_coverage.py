"""How many of a room's branches its own tests reach: a table, exit 1 if it is less than nine of ten anywhere. After a run of the tests with --cov."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from coverage import Coverage

from tests.test_rooms import FLOORS, ROOT

#: Share of its branches.
LEAST = 0.9


def rooms() -> Iterator[tuple[str, list[Path]]]:
    """Each room that is a folder, and its files: of one that has floors those beside its rooms, of another all beneath it."""
    for house in FLOORS:
        folders = [house, *(f"{house}/{room}" for floor in FLOORS[house] for room in floor.split())] if house else []
        for room in folders:
            if (ROOT / room).is_dir() and (room == house or room not in FLOORS):
                yield room, sorted((ROOT / room).glob("*.py") if room == house else (ROOT / room).rglob("*.py"))


def share(measured: Coverage, room: str, files: list[Path]) -> tuple[int, int]:
    """Branches of the files that tests in the room's folder take, and all."""
    measured.get_data().set_query_contexts([rf"^tests/{room}(/|$)"])
    exits = [exit for file in files for exit in measured.branch_stats(str(file)).values()]
    return sum(taken for _, taken in exits), sum(total for total, _ in exits)


def main() -> int:
    measured = Coverage()
    measured.load()
    low = 0
    for room, files in rooms():
        taken, total = share(measured, room, files)
        enough = taken >= LEAST * total
        low += not enough
        print(f"{room:34}{taken:5} of {total:4} branches{taken / max(total, 1):7.0%}{'' if enough else '  too few'}")
    return bool(low)


if __name__ == "__main__":
    sys.exit(main())
