"""A command of ``ami``: one that serves, as a process of its own with its ready line, and one that cannot."""

from __future__ import annotations

import io
import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
import typer

import ami

ROOT = Path(__file__).parents[2]
AMI = [sys.executable, "-c", "import sys, ami; sys.argv[0] = 'ami'; ami.main()"]


def command(*words: str) -> typer.core.TyperCommand:
    """A command as typer makes it: ``command("smt", "serve")``."""
    found = typer.main.get_command(ami.app())
    for word in words:
        assert isinstance(found, typer.core.TyperGroup)
        found = found.commands[word]
    assert isinstance(found, typer.core.TyperCommand)
    return found


@contextmanager
def serving(*words: str) -> Iterator[tuple[subprocess.Popen[str], dict[str, Any]]]:
    """Start it, give the process and its ready line, and end it by Ctrl-C."""
    command = [*AMI, *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stdout is not None
        try:
            line = process.stdout.readline()
            assert line, process.stderr.read() if process.stderr else ""
            yield process, json.loads(line)
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
                try:
                    process.wait(20)
                except subprocess.TimeoutExpired:
                    process.kill()
                    raise


def ran(*words: str) -> int:
    """The exit code of a command that runs in this process."""
    with patch.object(sys, "argv", ["ami", *words]), pytest.raises(SystemExit) as ended:
        ami.run()
    assert isinstance(ended.value.code, int)
    return ended.value.code


def fails_here(*words: str) -> str:
    """As ``fails``, in this process: what an option is refused with is the same, and a table of them takes no time."""
    said = io.StringIO()
    with redirect_stderr(said):
        code = ran(*words)
    assert code == 2, said.getvalue()
    assert "Traceback" not in said.getvalue()
    return said.getvalue().strip()


def fails(*words: str) -> str:
    """The one line on stderr of a command that could not run; exit 2, no traceback."""
    done = subprocess.run([*AMI, *words], capture_output=True, text=True, cwd=ROOT, timeout=60, check=False)
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    return done.stderr.strip()
