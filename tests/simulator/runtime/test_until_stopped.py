"""What a signal does to what runs until it is stopped: the first closes it, a second ends the process, and so does a close that hangs."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import threading
from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path
from typing import Any, NoReturn
from unittest.mock import patch

import pytest

from meters.errors import UserError
from simulator.runtime import until_stopped
from simulator.runtime.until_stopped import (
    Stopped,
    Up,
    beginning,
    breaking_off,
    clock_text,
    even_at_once,
    finishing,
    run_stoppable,
    serve,
)
from tests.simulator.processes import Forked, ending, patience

FOR_EVER_S = 3600.0


def _hanging() -> None:
    """Serve what never closes."""

    @contextlib.asynccontextmanager
    async def party() -> AsyncIterator[Up]:
        try:
            yield Up({}, [], [asyncio.sleep(FOR_EVER_S)])
        finally:
            print("closing", flush=True)
            await asyncio.Event().wait()

    with patch.object(until_stopped, "CLOSE_S", FOR_EVER_S):
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
    code, lines, complained = ended(_hanging, signals=(signal.SIGINT, signal.SIGTERM))
    assert lines[1] == "closing\n"
    assert (code, complained) == (143, "stopped.\n")


class Ended(BaseException):
    """Where a process would be over."""


def test_two_signals_that_are_met_within_each_other_end_it_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    def over(code: int) -> NoReturn:
        raise Ended(code)

    monkeypatch.setattr(os, "_exit", over)
    put = signal.signal

    def within(number: int, handler: Any) -> Any:
        # The second is met while the first one's handler is about to put others in its place.
        if getattr(handler, "__name__", "") == "_end_at_once" and not met:
            met.append(number)
            signal.raise_signal(signal.SIGTERM)
        return put(number, handler)

    met: list[int] = []
    monkeypatch.setattr(signal, "signal", within)

    async def main() -> None:
        signal.raise_signal(signal.SIGINT)
        await asyncio.sleep(0)

    with pytest.raises(Ended) as ended:
        run_stoppable(main())
    assert (ended.value.args, met) == ((143,), [signal.SIGINT])


def test_what_is_being_begun_is_ended_too_by_an_end_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    def over(code: int) -> NoReturn:
        raise Ended(code)

    monkeypatch.setattr(os, "_exit", over)
    monkeypatch.setattr(until_stopped, "_DUE", [])
    done: list[str] = []

    async def main() -> None:
        with contextlib.ExitStack() as known:
            with beginning():
                for number in (signal.SIGINT, signal.SIGTERM):
                    signal.raise_signal(number)
                done.append("begun")
                known.enter_context(even_at_once(lambda: done.append("ended")))
            done.append("went on")

    with pytest.raises(Ended) as ended:
        run_stoppable(main())
    assert (ended.value.args, done) == ((143,), ["begun", "ended"])


def test_a_close_that_hangs_is_ended_by_one_line_that_names_what_is_open(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    def over(code: int) -> NoReturn:
        raise Ended(code)

    monkeypatch.setattr(os, "_exit", over)
    monkeypatch.setattr(until_stopped, "CLOSE_S", 0.01)

    async def main() -> None:
        with socket.create_server(("127.0.0.1", 0)) as bound, (tmp_path / "kept.sqlite").open("w"):
            print(bound.getsockname()[1])
            signal.raise_signal(signal.SIGTERM)
            try:
                await asyncio.sleep(FOR_EVER_S)
            finally:
                await asyncio.Event().wait()

    with pytest.raises(Ended) as ended:
        run_stoppable(main())
    said, complained = capfd.readouterr()
    assert ended.value.args == (143,)
    assert complained.startswith("stop.hangs: Not closed after 0.01 s, ended as it is. Still open: ")
    assert f"port {said.strip()} of 127.0.0.1" in complained
    assert str(tmp_path / "kept.sqlite") in complained
    assert complained.count("\n") == 1


def test_a_close_that_a_busy_machine_lets_wait_has_that_time_beside_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    waited = iter([{"1": 3.0, "2": 8.0}, {"1": 3.0, "2": 8.2}, {"2": 8.5}, {"2": 8.5, "3": 0.01}])
    monkeypatch.setattr(until_stopped, "let_wait_s", lambda: next(waited))
    monkeypatch.setattr(until_stopped, "CLOSE_S", 0.001)
    given: list[float] = []
    timer = signal.setitimer

    def at_once(which: int, after: float) -> None:
        given.append(after)
        timer(which, min(after, 0.001))

    monkeypatch.setattr(signal, "setitimer", at_once)

    def over(code: int) -> NoReturn:
        raise Ended(code)

    monkeypatch.setattr(os, "_exit", over)

    async def main() -> None:
        signal.raise_signal(signal.SIGTERM)
        try:
            await asyncio.sleep(FOR_EVER_S)
        finally:
            await asyncio.Event().wait()

    with pytest.raises(Ended):
        run_stoppable(main())
    # Its own, then what it was let wait meanwhile, until that is next to nothing.
    assert given == [0.001, pytest.approx(0.2), pytest.approx(0.3)]


def test_how_long_this_process_waited_for_a_processor_is_told_by_thread_and_never_less() -> None:
    first, then = until_stopped.let_wait_s(), until_stopped.let_wait_s()
    assert str(threading.get_native_id()) in first
    assert all(0 <= total <= then[thread] for thread, total in first.items() if thread in then)


def test_what_runs_is_cancelled_where_it_waits_and_says_its_own_line(capsys: pytest.CaptureFixture[str]) -> None:
    closed = []

    async def main() -> None:
        try:
            signal.raise_signal(signal.SIGINT)
            await asyncio.sleep(FOR_EVER_S)
        finally:
            closed.append(True)

    with pytest.raises(SystemExit) as ended, breaking_off("Stopped: no more of it."):
        run_stoppable(main())
    assert (ended.value.code, closed, capsys.readouterr()) == (130, [True], ("", "Stopped: no more of it.\n"))


def test_what_the_event_loop_does_not_hold_is_broken_off_where_it_is() -> None:
    done = []

    def computes() -> None:
        try:
            signal.raise_signal(signal.SIGTERM)
            done.append("more")
        finally:
            done.append("closed")

    with pytest.raises(SystemExit) as ended, breaking_off("Stopped."):
        computes()
    assert (ended.value.code, done) == (143, ["closed"])


@contextlib.asynccontextmanager
async def _party(said: list[str], *for_ever: Coroutine[Any, Any, None], opening: int = 0) -> AsyncIterator[Up]:
    if opening:
        signal.raise_signal(opening)
        await asyncio.sleep(FOR_EVER_S)
    try:
        yield Up({"port": 8600}, ["Up at 8600."], for_ever)
    finally:
        said.append("closed")


async def _raising(number: int) -> None:
    signal.raise_signal(number)
    await asyncio.sleep(FOR_EVER_S)


@pytest.mark.parametrize(
    ("as_json", "told"), [(True, '{"port": 8600}\n'), (False, "Up at 8600.\n\nCtrl-C stops it.\nstopped.\n")]
)
def test_who_was_told_that_a_party_is_up_gets_no_exit_code(
    as_json: bool, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    said: list[str] = []
    serve(_party(said, _raising(signal.SIGTERM)), "", as_json=as_json)
    assert (said, capsys.readouterr()) == (["closed"], (told, ""))
    # All is closed: what comes now is late.
    signal.raise_signal(signal.SIGTERM)


def test_a_start_that_is_broken_off_has_the_signals_exit(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        serve(_party([], opening=signal.SIGINT), "", as_json=False)
    assert (ended.value.code, capsys.readouterr()) == (130, ("", "stopped.\n"))


def test_what_fails_for_ever_closes_the_party_and_all_else_that_runs() -> None:
    said: list[str] = []

    async def fails() -> None:
        raise UserError("a.code", "It broke.")

    async def waits() -> None:
        try:
            await asyncio.sleep(FOR_EVER_S)
        finally:
            said.append("cancelled")

    with pytest.raises(UserError, match="It broke"):
        serve(_party(said, waits(), fails()), "", as_json=True)
    assert said == ["cancelled", "closed"]


def test_a_refusal_on_the_way_out_is_still_a_stop() -> None:
    async def main() -> None:
        signal.raise_signal(signal.SIGINT)
        try:
            await asyncio.sleep(FOR_EVER_S)
        finally:
            raise UserError("a.code", "It broke.")

    with pytest.raises(Stopped) as stopped:
        run_stoppable(main())
    assert stopped.value.number == signal.SIGINT


def test_what_is_done_to_its_end_leaves_a_signal_alone() -> None:
    before = [signal.getsignal(one) for one in until_stopped.SIGNALS]
    with finishing():
        signal.raise_signal(signal.SIGTERM)
    assert [signal.getsignal(one) for one in until_stopped.SIGNALS] == before


@pytest.mark.parametrize(("mode", "told"), [("manual", "clock manual from x"), ("scaled", "clock scaled x60 from x")])
def test_the_clock_of_a_ready_line_is_told_with_its_pace(mode: str, told: str) -> None:
    assert clock_text({"clock": {"mode": mode, "speed": 60.0, "now": "x"}}) == told


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
