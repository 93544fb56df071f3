"""How many of a room's branches its own tests reach: a table, exit 1 if too few anywhere. After a run of the tests with --cov."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from coverage import Coverage

from tests.test_rooms import FLOORS, ROOT

#: Percentage of a room's branches. The order of the tests moves some by one or two: a fixture that all share counts for who asks first.
LEAST = 90
#: A room whose files another's tests look at too: what a certification alone plays, in the place of the party that a stranger's system has, is judged there.
PLAYED_BY = {"scenarios/actions/outside": "scenarios/certify"}


def rooms() -> Iterator[tuple[str, list[Path]]]:
    """Each room that is a folder, and its files: of one that has floors those beside its rooms, of another all beneath it."""
    for house in FLOORS:
        folders = [house, *(f"{house}/{room}" for floor in FLOORS[house] for room in floor.split())] if house else []
        for room in folders:
            if (ROOT / room).is_dir() and (room == house or room not in FLOORS):
                yield room, sorted((ROOT / room).glob("*.py") if room == house else (ROOT / room).rglob("*.py"))


def folder_of(room: str) -> str:
    """Where a room's tests lie: beside those of the house around it, unless they have a folder of their own."""
    return room if (ROOT / "tests" / room).is_dir() else folder_of(room.rpartition("/")[0])


def share(measured: Coverage, room: str, files: list[Path]) -> tuple[int, int]:
    """Branches of the files that tests in the room's folder take, or in that of whoever alone plays it, and all."""
    folders = "|".join((folder_of(room), *([PLAYED_BY[room]] if room in PLAYED_BY else [])))
    measured.get_data().set_query_contexts([rf"^tests/({folders})(/|$)"])
    known = measured.get_data().measured_files()
    exits = [exit for file in map(str, files) if file in known for exit in measured.branch_stats(file).values()]
    return sum(taken for _, taken in exits), sum(total for total, _ in exits)


def main(measured: Coverage | None = None) -> int:
    """Print the table. Exit 1: too few somewhere; 2: no test of any room was measured, so nothing can be said."""
    if measured is None:
        measured = Coverage()
        measured.load()
    if not any(context.startswith("tests/") for context in measured.get_data().measured_contexts()):
        print("No test was measured: run them with --cov, as make check does.")
        return 2
    low = []
    for room, files in rooms():
        taken, total = share(measured, room, files)
        percent = 100 * taken // total if total else 100
        if percent < LEAST:
            low.append(room)
        print(f"{room:28}{taken:4} of {total:3} branches{percent:4} %")
    print(f"Too few: {', '.join(low)}." if low else "Each room's own tests reach what they must.")
    return bool(low)


if __name__ == "__main__":
    sys.exit(main())
