"""What a signal does to what runs until it is stopped: the first closes it, a second ends the process, and so does a close that hangs."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
from collections.abc import AsyncIterator, Callable
from unittest.mock import patch

import pytest

from simulator.runtime import until_stopped
from simulator.runtime.until_stopped import Up, breaking_off, run_stoppable, serve
from tests.simulator.processes import Forked, ending, patience

FOR_EVER_S = 3600.0


def _hanging(close_s: float) -> None:
    """Serve what never closes, with a port open."""

    @contextlib.asynccontextmanager
    async def party() -> AsyncIterator[Up]:
        with socket.create_server(("127.0.0.1", 0)) as bound:
            try:
                yield Up({"port": bound.getsockname()[1]}, [], [asyncio.sleep(FOR_EVER_S)])
            finally:
                print("closing", flush=True)
                await asyncio.Event().wait()

    with patch.object(until_stopped, "CLOSE_S", close_s):
        serve(party(), "", as_json=True)


def ended(called: Callable[..., None], *args: object, signals: tuple[int, ...]) -> tuple[int, list[str], str]:
    """Exit code, lines on standard output and text on standard error of a process that gets a signal at each line it prints."""
    (out, to_out), (err, to_err) = os.pipe(), os.pipe()
    process = Forked(called, *args, files=(to_out, to_err))
    with open(out, encoding="utf-8") as said, open(err, encoding="utf-8") as complained, ending(process):
        lines = []
        for number in signals:
            lines.append(said.readline())
            process.send_signal(number)
        return process.wait(patience()), lines, complained.read()


@pytest.mark.process
def test_a_second_signal_ends_a_close_at_once() -> None:
    code, lines, complained = ended(_hanging, FOR_EVER_S, signals=(signal.SIGINT, signal.SIGTERM))
    assert lines[1] == "closing\n"
    assert (code, complained) == (143, "stopped.\n")


@pytest.mark.process
def test_a_close_that_hangs_is_ended_by_one_line_that_names_what_is_open() -> None:
    code, lines, complained = ended(_hanging, 0.1, signals=(signal.SIGTERM,))
    port = lines[0].split(": ")[1].rstrip("}\n")
    assert code == 143
    assert complained.startswith("stop.hangs: Not closed after 0.1 s")
    assert f"port {port} of 127.0.0.1" in complained
    assert complained.count("\n") == 1


def _held() -> None:
    """Be stopped while the event loop is held."""

    async def main() -> None:
        signal.raise_signal(signal.SIGINT)
        await asyncio.sleep(FOR_EVER_S)

    with breaking_off("Stopped: no more of it."):
        run_stoppable(main())


@pytest.mark.process
def test_what_runs_is_cancelled_where_it_waits_and_says_its_own_line() -> None:
    assert ended(_held, signals=()) == (130, [], "Stopped: no more of it.\n")


def test_handlers_are_given_back_when_nothing_came() -> None:
    before = [signal.getsignal(one) for one in until_stopped.SIGNALS]

    async def main() -> int:
        return 7

    with breaking_off("Stopped."):
        assert run_stoppable(main()) == 7
    assert [signal.getsignal(one) for one in until_stopped.SIGNALS] == before


def test_an_ignored_signal_stays_so() -> None:
    async def main() -> None:
        signal.raise_signal(signal.SIGINT)
        await asyncio.sleep(0)

    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with breaking_off("Stopped."):
            run_stoppable(main())
    finally:
        signal.signal(signal.SIGINT, before)
