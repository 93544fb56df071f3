"""The house: imports run down only, the front door stays light, nothing names a package host."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FLOORS = {"meters": 0, "headend": 1, "simulator": 2, "scenarios": 3, "reports": 4}
HEAVY = {
    "numpy",
    "numba",
    "simpy",
    "fastapi",
    "pydantic",
    "matplotlib",
    "sqlalchemy",
    "pymodbus",
    "httpx",
    "uvicorn",
    "yaml",
}


def imports(file: Path) -> Iterator[tuple[int, str]]:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, one.name) for one in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, f"{file}:{node.lineno} is a relative import"
            yield node.lineno, node.module


@pytest.mark.parametrize("room", FLOORS)
def test_imports_run_down_the_house(room: str) -> None:
    upwards = [
        f"{file.relative_to(ROOT)}:{line} imports {name}"
        for file in sorted((ROOT / room).rglob("*.py"))
        for line, name in imports(file)
        if FLOORS.get(name.split(".")[0], -1) > FLOORS[room] or name.split(".")[0] in ("ami", "tests")
    ]
    assert upwards == []


def test_lower_rooms_never_import_the_runtime() -> None:
    for room in ("meters", "headend"):
        for file in sorted((ROOT / room).rglob("*.py")):
            assert not [name for _, name in imports(file) if "runtime" in name], file


@pytest.mark.parametrize("room", FLOORS)
def test_every_module_says_what_it_is_for(room: str) -> None:
    silent = [
        str(file.relative_to(ROOT))
        for file in sorted((ROOT / room).rglob("*.py"))
        if not ast.get_docstring(ast.parse(file.read_text(encoding="utf-8")))
    ]
    assert silent == []


def loaded_by_help(*commands: str) -> set[str]:
    """Packages that are loaded once the commands' --help has been shown."""
    asked = (
        "import sys, ami\n"
        "for words in sys.argv[1:]:\n"
        "    try: ami.app([*words.split(), '--help'])\n"
        "    except SystemExit: pass\n"
        "print(*sys.modules, sep='\\n')"
    )
    run = [sys.executable, "-c", asked, *commands]
    done = subprocess.run(run, capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout.count("Usage:") == len(commands)
    return {name.split(".")[0] for name in done.stdout.splitlines()}


def test_help_imports_nothing_heavy() -> None:
    assert loaded_by_help("") & HEAVY == set()


def test_a_commands_help_imports_nothing_heavy() -> None:
    servers = ("sandbox", "meters serve", "headend serve", "smt serve")
    # typer itself loads it for the options of a command.
    assert loaded_by_help(*servers, "meters list", "meters show") & HEAVY <= {"pydantic"}


@pytest.mark.parametrize("lock", sorted(ROOT.glob("*.lock")), ids=lambda lock: lock.name)
def test_a_lock_pins_every_package_and_names_no_index(lock: Path) -> None:
    lines = [line for line in lock.read_text().splitlines() if line and line[0] != "#"]
    assert lines
    assert [line for line in lines if not re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.]+", line)] == []
