"""A play of requests against an SMT that is killed in the middle and started again; what must hold afterwards. For test_crash.py and ``make crash``."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import tempfile
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import select

from headend import boundaries
from headend.http.links import bearing
from headend.wire import InquiryKind, InquiryRequest
from meters.calendar import day_of, epoch, to_s, to_us
from simulator.smt.database.tables import odr_answer, throttle_lease, throttle_window
from simulator.smt.ondemand.ledger import Entry, Ledger
from simulator.smt.ondemand.lifecycle import ENDED, EXPIRY_US, State
from tests.simulator.processes import STARTS, Forked, ending, patience
from tests.simulator.smt import crash_smt
from tests.simulator.smt.postgres import opened
from tests.simulator.smt.rig import KEYS, NEIGHBOUR, PASSWORD, PLAIN, ROR_DUNS, answer_to

Serve = Callable[[Any, Connection], Coroutine[Any, Any, None]]

BEGUN = epoch("2026-08-12T17:40")
#: What is asked: two reads of one ESI ID (one too many), one of another, a power status.
ASKED: tuple[tuple[str, str, dict[str, str]], ...] = (
    ("/v2/odr/", PLAIN, {"readType": "INTERVALS"}),
    ("/v2/odr/", NEIGHBOUR, {}),
    ("/v2/odr/", PLAIN, {}),
    ("/v2/powerstatus/", PLAIN, {}),
)


class ScriptedHeadEnd:
    """Takes every inquiry and calls a complete answer back; tries again for a while where nobody answers. ``fails``: ESI IDs that fail."""

    def __init__(self, fails: frozenset[str] = frozenset()) -> None:
        self.asked: list[str] = []
        self._threads: list[threading.Thread] = []
        self._closed = threading.Event()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                request = InquiryRequest.model_validate_json(body)
                outer.asked.append(request.correlationId)
                self.send_response(202)
                self.send_header("content-length", "0")
                self.end_headers()
                answer = threading.Thread(target=outer._answer, args=(request, fails), daemon=True)
                outer._threads.append(answer)
                answer.start()

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._serving = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})
        self._serving.start()

    def close(self) -> None:
        self._closed.set()
        self._server.shutdown()
        self._serving.join()
        for thread in self._threads:
            thread.join(5)
        self._server.server_close()

    def _answer(self, request: InquiryRequest, fails: frozenset[str]) -> None:
        # Of the clock that all share this one knows no more than what it is asked.
        answer = answer_to(request, (request.end or request.answerBy).isoformat())
        if request.esiid in fails:
            answer = {key: answer[key] for key in ("correlationId", "meterReads", "octets")}
            answer |= {"outcome": "failed", "reason": "the meter does not answer"}
        body = json.dumps(answer).encode()
        for wait in (0.02, 0.3, 0.6):
            if self._closed.wait(wait):
                return
            with contextlib.suppress(httpx.HTTPError):
                httpx.post(
                    str(request.replyTo), content=body, headers=bearing(KEYS.headend), timeout=2, trust_env=False
                )  # fmt: skip
                return


def speed() -> float:
    """How fast the clock of a play runs: 100 on an idle machine. The quarter of an hour in which an inquiry must be answered is never less wall time
    than three starts of the warm server, however busy the machine."""
    return min(100.0, to_s(EXPIRY_US) / 3 / (patience() * 3 / STARTS))


@dataclass(slots=True)
class Play:
    """What one play brought."""

    killed: bool
    acknowledged: list[str] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)


def _armed(serve: Serve, start: Any, ready: Connection) -> None:
    os.environ |= {"AMI_TEST_BUILD": "1", "AMI_CRASH_AT": start.crash_at}
    boundaries.arm()
    asyncio.run(serve(start, ready))


@contextlib.contextmanager
def running(start: Any, serve: Serve = crash_smt.serve) -> Iterator[tuple[Forked, int]]:
    """The process and its port; killed at the end, if it has not been before. The port is 0 if it died before it answered."""
    here, there = Pipe(duplex=False)
    process = Forked(_armed, serve, start, there)
    there.close()
    with ending(process), here:
        port = 0
        with contextlib.suppress(EOFError):
            if here.poll(patience()):
                port = here.recv()
        yield process, port


def play(crash_at: str, fails: frozenset[str] = frozenset(), url: str = "") -> Play:
    """Ask everything, let the process die at a boundary, start it again on the same database, let everything end, and check it."""
    with tempfile.TemporaryDirectory() as folder:
        url = url or f"sqlite:///{Path(folder) / 'smt.db'}"
        head_end = ScriptedHeadEnd(fails)
        first = crash_smt.Start(url, 0, head_end.url, to_us(BEGUN), time.time(), speed())
        try:
            if crash_at.startswith("recovery"):
                # What there is to recover is made by a process that dies with its requests under way.
                told = _until_killed(replace(first, crash_at="sent.after_commit:3"))
                told.killed = dies_at_once(replace(first, crash_at=crash_at))
            else:
                told = _until_killed(replace(first, crash_at=crash_at))
            with running(first) as (process, port):
                assert port, "it does not start again"
                told.entries = ended(url, process)
                asks_again(port, told)
        finally:
            head_end.close()
        check(url, told)
        return told


def _until_killed(start: crash_smt.Start) -> Play:
    told = Play(killed=False)
    with running(start) as (process, port):
        if port:
            told.acknowledged = ask(port)
            # Either it dies on the way, or everything ends.
            deadline = time.monotonic() + patience()
            while process.is_alive() and time.monotonic() < deadline and not all_ended(start.database_url):
                process.join(0.05)
            process.join(patience() if start.crash_at else 0)
        told.killed = process.exitcode == -signal.SIGKILL
    return told


def dies_at_once(start: Any, serve: Serve = crash_smt.serve) -> bool:
    """Whether a process dies as soon as it starts."""
    with running(start, serve) as (process, _):
        process.join(patience())
        return bool(process.exitcode == -signal.SIGKILL)


@contextlib.contextmanager
def client(port: int) -> Iterator[tuple[httpx.Client, dict[str, str]]]:
    """A retailer's client, logged in, and the fields that every request has."""
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=patience(), trust_env=False) as http:
        login = {"username": "lonestar.api", "password": PASSWORD}
        token = http.post("/v2/token/", json=login).json()["accessToken"]
        http.headers["authorization"] = f"Bearer {token}"
        yield (
            http,
            {
                "requestorID": "lonestar.api",
                "requesterType": "REP",
                "requesterAuthenticationID": ROR_DUNS,
                "reportFormat": "JSON",
                "deliveryMode": "API",
                "SMTTermsandConditions": "Y",
            },
        )


def ask(port: int) -> list[str]:
    """Send what is asked; the ids that were acknowledged before the process died."""
    keys: list[str] = []
    with contextlib.suppress(httpx.HTTPError), client(port) as (http, who):
        for number, (path, esiid, more) in enumerate(ASKED):
            reply = http.post(path, json={"trans_id": str(number), "ESIID": esiid, **who, **more}).json()
            if "correlationId" in reply:
                keys.append(reply["correlationId"])
    return keys


def asks_again(port: int, told: Play) -> None:
    """Whose meter was read with success is refused for the rest of the day, whose allowance came back is let in."""
    with client(port) as (http, who):
        for esiid in (PLAIN, NEIGHBOUR):
            used = any(
                entry.filed.esiid == esiid and entry.filed.kind is not InquiryKind.POWER and _spent(entry)
                for entry in told.entries
            )
            reply = http.post("/v2/odr/", json={"trans_id": "again", "ESIID": esiid, **who}).json()
            assert ("correlationId" in reply) != used, (esiid, used, reply)


def _spent(entry: Entry) -> bool:
    return entry.last.state is State.COMPLETED and entry.last.meter_reads > 0


def entries(url: str) -> list[Entry]:
    """The requests as SMT's ledger has them."""
    with opened(url) as engine:
        ledger = Ledger(engine, shared=True)
        return [entry for esiid in (PLAIN, NEIGHBOUR) for entry in ledger.audit(esiid, day_of(BEGUN))]


def all_ended(url: str) -> bool:
    """Whether everything that is asked has come to its end at SMT."""
    found = entries(url)
    return len(found) >= len(ASKED) and all(entry.ended for entry in found)


def ended(url: str, process: Forked) -> list[Entry]:
    """The requests, once all have ended."""
    deadline = time.monotonic() + patience()
    while True:
        found = entries(url)
        if all(entry.ended for entry in found):
            return found
        assert time.monotonic() < deadline, [(one.filed.key, one.last) for one in found if not one.ended]
        process.join(0.05)


def check(url: str, told: Play) -> None:
    """Every accepted request is there and has ended with a reason; no allowance was spent on a failure, lost, or given twice."""
    by_key = {entry.filed.key: entry for entry in told.entries}
    assert set(told.acknowledged) <= set(by_key), "an accepted request is gone"
    for entry in told.entries:
        assert entry.last.state in ENDED
        assert entry.last.state is State.COMPLETED or entry.last.reason, entry.last
        assert [step.at_us for step in entry.transitions] == sorted(step.at_us for step in entry.transitions)
        assert entry.transitions[0].state is State.REQUESTED
    with opened(url) as engine, engine.connect() as connection:
        leases = connection.execute(select(throttle_lease)).all()
        windows = connection.execute(select(throttle_window)).all()
        answers = set(connection.scalars(select(odr_answer.c.request_key)))
    for lease in leases:
        holder = by_key.get(lease.request_key)
        if holder is None:
            # Asked after the restart: still under way.
            assert lease.ended_at is None
            continue
        assert lease.ended_at is not None, "an allowance is held by a request that has ended"
        assert lease.success == _spent(holder), (holder.last, lease)
    for window in windows:
        mine = [one for one in leases if (one.limit_name, one.scope_value, one.window_start) == tuple(window[:3])]
        assert window.used == sum(bool(one.success) for one in mine) <= 1
        assert window.held == sum(one.ended_at is None for one in mine)
        assert window.used + window.held <= 1, "one too many"
    for entry in told.entries:
        if entry.last.state is State.COMPLETED:
            assert entry.filed.key in answers
