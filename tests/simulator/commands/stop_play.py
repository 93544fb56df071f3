"""A serving command that is stopped by a signal, at a moment of its start or after it; what must hold then. For test_stops.py and ``make stops``."""

from __future__ import annotations

import json
import re
import select
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from simulator.runtime.folder import LOCK, own
from simulator.runtime.local_ca import LocalCa
from simulator.runtime.until_stopped import let_wait_s, longest
from tests.simulator.processes import ROOT, Process, complaints, patience, started

ROSTER = "esiid,meter_number,host,port,unit_id,multiplier\n10443720000000001,600000001,127.0.0.1,1,1,1\n"
SMT = ("smt", "serve", "--port", "0", "--ftps-port", "0", "--count", "4")
#: Wall seconds from the signal to the end, beside those in which a processor is waited for; and those between two looks at that.
WITHIN_S, LOOK_S = 5.0, 0.05


def headend_words(folder: Path) -> list[str]:
    """A head-end whose meters and file site are away."""
    (folder / "roster.csv").write_text(ROSTER, encoding="utf-8")
    site = ("--smt-ftps", "127.0.0.1:1", "--ca", str(LocalCa.kept(folder / "ca").ca_file), "--login", "oncor:secret")
    smt = ("--reply-to", "http://127.0.0.1:1")
    return ["headend", "serve", "--port", "0", "--gateways", str(folder / "roster.csv"), *site, *smt]


#: What a command is started with, in a folder of its own.
COMMANDS: dict[str, Callable[[Path], list[str]]] = {
    "sandbox": lambda folder: ["sandbox", "--port-base", "0", "--count", "4", "--out", str(folder / "out")],
    "meters": lambda folder: ["meters", "serve", "--port", "0", "--count", "4", "--ledger", str(folder / "out")],
    "headend": lambda folder: [*headend_words(folder), "--out", str(folder / "out")],
    "ror": lambda folder: [
        *("ror", "serve", "--port", "0", "--accounts", str(ROOT / "docs" / "accounts"), "--out", str(folder / "out")),
        *("--smt", "http://127.0.0.1:1", "--login", "ror:secret", "--duns", "999000111"),
    ],
    "smt": lambda folder: [*SMT, "--out", str(folder / "out")],
    "dispatcher": lambda folder: [*SMT, "--out", str(folder / "out"), "--role", "dispatcher"],
    "worker": lambda folder: [*SMT, "--out", str(folder / "out"), "--role", "worker"],
}


def takes_signals(process: Process) -> None:
    """Wait until the front door's handlers stand: before that the process is Python's alone."""
    caught = 1 << signal.SIGTERM - 1
    while process.poll() is None:
        status = Path(f"/proc/{process.pid}/status").read_text()
        mask = re.search(r"^SigCgt:\s*(\w+)$", status, re.MULTILINE)
        if mask and int(mask[1], 16) & caught:
            return
        time.sleep(0.001)


def told(process: Process, within: float | None) -> bool:
    """Wait for the ready line, or for so long; whether there is something to read."""
    assert process.stdout is not None
    return bool(select.select([process.stdout], [], [], within)[0])


def moment(number: int, stops: int, takes: float) -> tuple[int, float | None, float]:
    """Signal, seconds from the handlers to it (None: until it is ready), and how late it comes then, of one in a row of stops.

    Of ten seven are spread over a start that takes so long, one comes at its ready line, two a millisecond and a fifth of a second later.
    """
    by = (signal.SIGINT, signal.SIGTERM)[number // 10 % 2 ^ number % 2]
    if number % 10 < 7:
        return by, takes * (number + 0.5) / stops, 0.0
    return by, None, (0.0, 0.001, 0.2)[number % 10 - 7]


class Stop(NamedTuple):
    """A stop in wall seconds: how far the start had come, what it took, and how much of that the process waited for a processor."""

    came_s: float
    took_s: float
    waited_s: float


def stop(words: list[str], number: int, after: float | None, late: float = 0.0, *, fresh: bool = False) -> Stop:
    """Start a command, stop it by a signal, and check its end.

    after: wall seconds from its handlers to the signal; None: so long as it takes to be ready, and ``late`` seconds more.
    """
    process = started(*words, "--json", fresh=fresh)
    takes_signals(process)
    begun = time.monotonic()
    if told(process, after) and late:
        time.sleep(late)
    came = time.monotonic() - begun
    assert process.pid is not None
    began = let_wait_s(process.pid)
    waited = dict(began)
    process.send_signal(number)
    sent = time.monotonic()
    # Of one that has ended nobody is told any more.
    while process.poll() is None:
        assert time.monotonic() - sent < patience()
        waited |= let_wait_s(process.pid)
        with suppress(subprocess.TimeoutExpired):
            process.wait(LOOK_S)
    code, took = process.returncode, time.monotonic() - sent
    assert process.stdout is not None
    said, complained = process.stdout.read(), complaints(process.stderr)
    assert process.stderr is not None
    process.stdout.close()
    process.stderr.close()
    # Who was told that it is up gets 0 and no further line, else the one line is on stderr.
    assert (code, complained) == ((0, "") if said else (128 + number, "stopped.\n")), (code, said, complained)
    assert after is not None or said
    assert said.count("\n") == bool(said)
    nothing_is_open(Path(words[words.index("--out" if "--out" in words else "--ledger") + 1]), said)
    return Stop(came, took, longest(began, waited))


def nothing_is_open(out: Path, said: str) -> None:
    """The folder is free, its databases are closed, and the ports of the ready line can be had."""
    if (out / LOCK).exists():
        with own(out, ()):
            assert [*out.glob("*-wal"), *out.glob("*-shm")] == []
    for port in ports(json.loads(said)) if said else ():
        with socket.socket() as free:
            free.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            free.bind(("127.0.0.1", port))


def ports(ready: Any) -> set[int]:
    """Every port that a ready line names."""
    if isinstance(ready, dict):
        urls = {int(found[1]) for one in ready.values() if (found := re.match(r"https?://[\d.]+:(\d+)$", str(one)))}
        return urls.union({ready["port"]} if "port" in ready else (), *map(ports, ready.values()))
    return set().union(*map(ports, ready)) if isinstance(ready, list) else set()
