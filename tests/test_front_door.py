"""The front door as a process: a reader that goes away, a version, a short help."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
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
