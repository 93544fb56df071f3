"""The front door as a process: a reader that goes away, a version, help that is at once."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from typer import rich_utils

import ami

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


def commands(command: Any, words: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Each command that runs, with its words."""
    if not hasattr(command, "commands"):
        yield words, command
    for name, one in getattr(command, "commands", {}).items():
        yield from commands(one, (*words, name))


COMMANDS = [pytest.param(*one, id=" ".join(one[0])) for one in commands(typer.main.get_command(ami.app))]


@pytest.mark.parametrize(("words", "command"), COMMANDS)
def test_every_word_about_an_option_is_in_the_help(
    words: tuple[str, ...], command: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(rich_utils, "MAX_WIDTH", 1000)
    with pytest.raises(SystemExit):
        ami.app([*words, "--help"])
    shown = capsys.readouterr().out
    assert [one.name for one in command.params if (one.help or "") not in shown] == []
    for one in command.params:
        # Without a default that says something there is nothing to show; a text in its place is for one that depends.
        default = one.show_default if isinstance(one.show_default, str) else one.default
        if isinstance(default, (str, Path)) and str(default):
            assert f"[default: ({default})]" in shown or f"[default: {default}]" in shown


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
