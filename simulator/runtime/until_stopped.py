"""Running until somebody stops it. The first Ctrl-C or SIGTERM has everything closed, a second ends the process at once, and so does a close that hangs.

A signal is met at any moment: before the first thing is opened the front door ends the process; from then on its handlers are ours.
"""

from __future__ import annotations

import asyncio
import functools
import json
import os
import signal
import socket
import sys
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, contextmanager, suppress
from dataclasses import dataclass
from typing import Any, NoReturn, TypeVar

from headend.http.log import logging_to
from meters.errors import UserError

#: Those that stop a command.
SIGNALS = (signal.SIGINT, signal.SIGTERM)
#: Wall seconds that closing may take, and beside them all in which it could go on but others have the processor; so few of those are none.
CLOSE_S, LET_WAIT_S = 5.0, 0.1
#: What is done before the process is ended at once, the latest first.
_LAST: list[Callable[[], object]] = []
#: Who is beginning something outside that nobody can end yet, and the ends at once that wait for him: the signal's number, and what is said.
_BEGINNING: list[object] = []
_DUE: list[tuple[int, str]] = []

T = TypeVar("T")


class Stopped(KeyboardInterrupt):
    """A signal has stopped what ran, and it has closed."""

    def __init__(self, number: int) -> None:
        """number: the signal's."""
        super().__init__(number)
        self.number = number


@dataclass(frozen=True, slots=True)
class Up:
    """A party that is up: its ready line, its words for people (without how to stop it), and what runs for ever."""

    ready: dict[str, Any]
    lines: Sequence[str]
    for_ever: Sequence[Coroutine[Any, Any, None]]


def serve(party: AbstractAsyncContextManager[Up], log: str, *, as_json: bool) -> None:
    """Open a party, tell that it is up, as one line of JSON or in words, and run on until a signal comes.

    Who was told that it is up gets exit 0; a start that is broken off has the signal's exit.
    """
    told = False

    async def serving() -> None:
        nonlocal told
        async with party as up:
            print(json.dumps(up.ready) if as_json else "\n".join([*up.lines, "", "Ctrl-C stops it."]), flush=True)
            told = True
            await _for_ever(up.for_ever)

    try:
        with logging_to(log):
            run_stoppable(serving(), even_ignored=True)
    except Stopped as stopped:
        if not told:
            _end(stopped, "stopped.")
        leave_alone()
        if not as_json:
            print("stopped.", flush=True)


def clock_text(ready: dict[str, Any]) -> str:
    """The clock of a ready line, for people."""
    clock = ready["clock"]
    pace = f" x{clock['speed']:g}" if clock["mode"] == "scaled" else ""
    return f"clock {clock['mode']}{pace} from {clock['now']}"


async def _for_ever(coroutines: Sequence[Coroutine[Any, Any, None]]) -> None:
    """Run coroutines that never end by themselves; raises what one of them raised."""
    running = [asyncio.get_running_loop().create_task(one) for one in coroutines]
    try:
        await asyncio.gather(*running)
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


def run_stoppable(main: Coroutine[Any, Any, T], *, even_ignored: bool = False) -> T:
    """As ``asyncio.run``, but the first signal cancels ``main``, which closes what it has opened; raises Stopped then.

    even_ignored: take the signals even where a shell has them ignored, for a command in the background.
    """
    by = 0
    cancel: Callable[[], object] | None = None

    async def cancellable() -> T:
        nonlocal cancel
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        assert task is not None
        # Once it has a handler asyncio is woken by every signal. Were these its own, others would stand in their place when it closes.
        loop.add_signal_handler(signal.SIGURG, lambda: None)
        cancel = functools.partial(loop.call_soon_threadsafe, task.cancel)
        try:
            return await main
        finally:
            cancel = None

    def stop(number: int) -> None:
        nonlocal by
        by = number
        if cancel is None:
            _end_at_once(number)
        else:
            cancel()

    with _first_signal(stop, even_ignored=even_ignored):
        try:
            result = asyncio.run(cancellable())
        except (asyncio.CancelledError, UserError):
            if not by:
                raise
        if by:
            raise Stopped(by)
        return result


@contextmanager
def breaking_off(said: str) -> Iterator[None]:
    """Let what has begun close itself on the first signal, then say so in one line on stderr."""

    def stop(number: int) -> None:
        raise Stopped(number)

    try:
        with _first_signal(stop):
            yield
    except Stopped as stopped:
        _end(stopped, said)


@contextmanager
def _first_signal(then: Callable[[int], None], *, even_ignored: bool = False) -> Iterator[None]:
    """Call ``then`` with the first signal's number, from its handler. From there on a second one, or time, ends the process."""
    came = 0

    def first(number: int, _: object) -> None:
        nonlocal came
        if came:
            # Two were there before either was met, and this one was met within the other; nobody knows which was first.
            _end_at_once(max(came, number))
            return
        came = number
        for one in before:
            signal.signal(one, _end_at_once)
        waited = let_wait_s()

        def late(*_: object) -> None:
            nonlocal waited
            since, waited = waited, let_wait_s()
            more = longest(since, waited)
            if more < LET_WAIT_S:
                _end_at_once(number, said=_hangs())
            signal.setitimer(signal.ITIMER_REAL, more)

        signal.signal(signal.SIGALRM, late)
        signal.setitimer(signal.ITIMER_REAL, CLOSE_S)
        then(number)

    before = {one: signal.getsignal(one) for one in SIGNALS}
    if not even_ignored:
        before = {one: handler for one, handler in before.items() if handler is not signal.SIG_IGN}
    for one in before:
        signal.signal(one, first)
    try:
        yield
    finally:
        if not came:
            for one, handler in before.items():
                signal.signal(one, handler)


@contextmanager
def even_at_once(do: Callable[[], object]) -> Iterator[None]:
    """Have something done meanwhile where the process is ended at once too, as by a second signal: it must be short, and may be done twice."""
    _LAST.append(do)
    try:
        yield
    finally:
        _LAST.remove(do)


@contextmanager
def beginning() -> Iterator[None]:
    """Begin something outside, and have it known to ``even_at_once``: until then the process is not ended at once, which would leave it there."""
    _BEGINNING.append(None)
    try:
        yield
    finally:
        _BEGINNING.pop()
        if _DUE:
            number, said = _DUE[-1]
            _end_at_once(number, said=said)


def _end_at_once(number: int, *_: object, said: str = "stopped.") -> None:
    if _BEGINNING:
        _DUE.append((number, said))
        return
    for do in reversed(_LAST):
        with suppress(Exception):
            do()
    try:
        os.write(2, f"{said}\n".encode())
    finally:
        os._exit(128 + number)


def _end(stopped: Stopped, said: str) -> NoReturn:
    """End with a line on stderr and the exit that a shell gives for the signal."""
    leave_alone()
    print(said, file=sys.stderr, flush=True)
    raise SystemExit(128 + stopped.number)


def leave_alone() -> None:
    """All is closed and the last line is about to be said: what comes now is late."""
    signal.setitimer(signal.ITIMER_REAL, 0)
    for one in SIGNALS:
        signal.signal(one, signal.SIG_IGN)


@contextmanager
def finishing() -> Iterator[None]:
    """Something that is done to its end: a signal that comes meanwhile is left alone."""
    before = {one: signal.signal(one, signal.SIG_IGN) for one in SIGNALS}
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)


def let_wait_s(process: int | str = "self") -> dict[str, float]:
    """Seconds in which each thread of a process could have gone on and waited for a processor, since it began. Nothing where the system does not tell."""
    told, threads = {}, f"/proc/{process}/task"
    with suppress(OSError):
        for thread in os.listdir(threads):
            with suppress(OSError), open(f"{threads}/{thread}/schedstat", encoding="ascii") as counts:
                told[thread] = int(counts.read().split()[1]) / 1e9
    return told


def longest(since: Mapping[str, float], until: Mapping[str, float]) -> float:
    """Seconds that the thread which waited longest between two looks waited."""
    return max((total - since.get(thread, 0.0) for thread, total in until.items()), default=0.0)


def _hangs() -> str:
    return (
        f"stop.hangs: Not closed after {CLOSE_S:g} s, ended as it is. Still open: {', '.join(_open()) or 'a thread'}."
    )


def _open() -> Iterator[str]:
    """Ports, connections and files that this process has open."""
    for handle in map(int, os.listdir("/proc/self/fd")):
        with suppress(OSError):
            path = os.readlink(f"/proc/self/fd/{handle}")
            if path.startswith("socket:"):
                with socket.socket(fileno=os.dup(handle)) as one:
                    if one.family == socket.AF_INET:
                        yield "port {1} of {0}".format(*one.getsockname())
            elif handle > 2 and os.path.isfile(path):
                yield path
