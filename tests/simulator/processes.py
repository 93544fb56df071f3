"""The one way that tests start processes: forked from a server that is warm, or fresh; and each waited for until it has ended."""

from __future__ import annotations

import atexit
import functools
import io
import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, redirect_stderr, suppress
from multiprocessing import forkserver, get_context, resource_tracker
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import IO, Any, TextIO
from unittest.mock import patch

import pytest
import typer
from typer import testing

import ami
from headend.ports import BEHIND

ROOT = Path(__file__).parents[2]
AMI = [sys.executable, "-c", "import sys, ami; sys.argv[0] = 'ami'; ami.main()"]


def command(*words: str) -> typer.core.TyperCommand:
    """A command as typer makes it: ``command("smt", "serve")``."""
    found: object = ami.door()
    for word in words:
        assert isinstance(found, typer.core.TyperGroup)
        found = found.commands[word]
    assert isinstance(found, typer.core.TyperCommand)
    return found


def complaints(stderr: IO[str] | None) -> str:
    """What a process says on standard error, but for a clock that a busy machine did not keep."""
    assert stderr is not None
    return "".join(line for line in stderr if not line.startswith(BEHIND))


class Forked(ForkServerProcess):
    """A process that calls a function, forked from the warm server; with what the tests use of a Popen.

    ``files``: of this process, what is to be its standard output and standard error.
    """

    stdout: TextIO | None = None
    stderr: TextIO | None = None

    def __init__(self, called: Callable[..., None], *args: Any, files: tuple[int, ...] = ()) -> None:
        given = [Connection(file, readable=False) for file in files]
        super().__init__(target=_forked, args=(called, args, given), daemon=True)
        patience()
        self.start()
        for one in given:
            one.close()

    @property
    def returncode(self) -> int | None:
        return self.exitcode

    def poll(self) -> int | None:
        return self.exitcode

    def wait(self, timeout: float | None = None) -> int:
        self.join(timeout)
        if self.exitcode is None:
            raise subprocess.TimeoutExpired(self.name, timeout or 0)
        return self.exitcode

    def send_signal(self, number: int) -> None:
        assert self.pid is not None
        # It may have ended since one looked: the warm server waits for it, and its number is gone.
        with suppress(ProcessLookupError):
            os.kill(self.pid, number)


#: So many starts of the warm server is everybody's patience.
STARTS = 20
#: A process that was started, either way.
Process = Forked | subprocess.Popen[str]


def _forked(called: Callable[..., None], args: tuple[Any, ...], files: list[Connection]) -> None:
    for number, file in enumerate(files, 1):
        os.dup2(file.fileno(), number)
        file.close()
    os.chdir(ROOT)
    called(*args)


def _ami(*words: str) -> None:
    sys.argv = ["ami", *words]
    ami.main()


@functools.cache
def begun() -> float:
    """Start the warm server, which is that of the processes forked from this one too; when."""
    get_context("forkserver").set_forkserver_preload(["tests.simulator.warm"])
    server: Any = forkserver._forkserver
    since = time.monotonic()
    server.ensure_running()
    # Or it would end after us, and nobody would wait for it.
    atexit.register(server._stop)
    # Of a child that is not theirs they could not ask whether it runs.
    os.register_at_fork(after_in_child=lambda: setattr(server, "ensure_running", resource_tracker.ensure_running))
    return since


@functools.cache
def patience() -> float:
    """Wall seconds that a process may take for anything: many times what the warm server took to start in this run, on this machine."""
    since = begun()
    first = get_context("forkserver").Process(target=int, daemon=True)
    first.start()
    first.join()
    assert first.exitcode == 0
    return STARTS * (time.monotonic() - since)


def started(*words: str, fresh: bool = False) -> Process:
    """A command's process. ``fresh``: an interpreter of its own, as a user starts it; one test of each command does."""
    if fresh:
        return subprocess.Popen([*AMI, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT)
    (out, to_out), (err, to_err) = os.pipe(), os.pipe()
    process = Forked(_ami, *words, files=(to_out, to_err))
    process.stdout, process.stderr = (os.fdopen(one, encoding="utf-8") for one in (out, err))
    return process


@contextmanager
def ending(*processes: Process, by: int = signal.SIGKILL) -> Iterator[None]:
    """Processes that have ended afterwards, whatever becomes of the test: one that runs on would be an unrelated test's failure."""
    try:
        yield
    finally:
        for process in processes:
            if process.poll() is None:
                process.send_signal(by)
        for process in processes:
            try:
                process.wait(patience())
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                raise
            finally:
                for stream in (process.stdout, process.stderr):
                    if stream is not None:
                        stream.close()


def line(process: Process) -> str:
    """The next line that it prints; empty if it has ended."""
    assert process.stdout is not None
    assert select.select([process.stdout], [], [], patience())[0], "it prints nothing"
    return process.stdout.readline()


@contextmanager
def serving(*words: str, fresh: bool = False) -> Iterator[tuple[Process, dict[str, Any]]]:
    """Start it, give the process and its ready line, and end it by Ctrl-C."""
    process = started(*words, fresh=fresh)
    with ending(process, by=signal.SIGINT):
        ready = line(process)
        assert ready, process.stderr.read() if process.stderr else ""
        yield process, json.loads(ready)


def done(
    *words: str | Path, cwd: Path = ROOT, env: Mapping[str, str] | None = None, code: int | None = 0
) -> subprocess.CompletedProcess[str]:
    """What became of a program that ends by itself. ``code``: how it must."""
    ended = subprocess.run(words, capture_output=True, text=True, cwd=cwd, env=env, timeout=patience(), check=False)
    assert code is None or ended.returncode == code, ended.stderr
    return ended


def ran(*words: str) -> int:
    """The exit code of a command that runs in this process."""
    with patch.object(sys, "argv", ["ami", *words]), pytest.raises(SystemExit) as ended:
        ami.run()
    assert isinstance(ended.value.code, int)
    return ended.value.code


def invoked(*words: str) -> testing.Result:
    """What a command says that runs in this process, as typer's own runner has it; that one would assemble all commands anew."""
    with patch.object(testing, "_get_command", lambda _: ami.door()):
        return testing.CliRunner().invoke(typer.Typer(), words)


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
    process = started(*words)
    with ending(process):
        code = process.wait(patience())
        assert process.stderr is not None
        said = process.stderr.read()
    assert code == 2, said
    assert "Traceback" not in said
    return said.strip()
