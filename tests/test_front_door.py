"""The front door as a process: a reader that goes away, a version, help that is at once."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
#: What takes long to import: not before a command runs.
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
AMI = [sys.executable, "-c", "import ami; ami.main()"]


def ended(*words: str, stdout: int) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([*AMI, *words], stdout=stdout, stderr=subprocess.PIPE, cwd=ROOT, check=False)


@pytest.mark.parametrize("words", [("scenario", "list"), ("--help",), ("scenario", "lint", "customer-balance-inquiry")])
def test_a_reader_that_is_gone_ends_it_quietly_and_not_as_a_failed_step(words: tuple[str, ...]) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = ended(*words, stdout=writer)
    finally:
        os.close(writer)
    assert done.stderr == b""
    assert done.returncode == 141


def test_a_full_disk_is_one_line_and_exit_2() -> None:
    with Path("/dev/full").open("wb") as full:
        done = ended("scenario", "list", stdout=full.fileno())
    assert done.stderr.decode() == "ami.stdout: Standard output cannot be written: No space left on device.\n"
    assert done.returncode == 2


def test_version_and_short_help() -> None:
    assert ended("--version", stdout=subprocess.PIPE).stdout.startswith(b"ami-testbed")
    for words in (("-h",), ("scenario", "-h"), ("capacity", "run", "-h"), ("demo", "-h")):
        done = ended(*words, stdout=subprocess.PIPE)
        assert done.returncode == 0
        assert b"Usage: " in done.stdout


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
