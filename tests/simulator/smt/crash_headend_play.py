"""A play of requests at a real head-end that is killed in the middle and started again, while SMT stays up. For test_crash.py and ``make crash``."""

from __future__ import annotations

import signal
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import httpx
import sqlalchemy as sa

from headend.http.links import bearing
from headend.store.rows import INQUIRIES
from meters.calendar import iso, to_us
from meters.device.meter import EmulatedMeter
from meters.identity import MeterIdentity, Premise
from simulator.smt.ondemand.inquiries import UNREACHABLE
from simulator.smt.ondemand.lifecycle import EXPIRY_US, State
from tests.meters.fakes import SteadyLoad
from tests.meters.gateways import served_apart
from tests.simulator.parties.support import free_port
from tests.simulator.processes import patience
from tests.simulator.smt import crash_headend, crash_smt
from tests.simulator.smt.crash_play import (
    BEGUN,
    Play,
    all_ended,
    ask,
    asks_again,
    check,
    dies_at_once,
    ended,
    running,
    speed,
)
from tests.simulator.smt.rig import KEYS

#: What is left to recover is made by a kill here.
LEFT_OPEN = "headend.answer.before_commit:2"


def play_headend(crash_at: str, silent: frozenset[str] = frozenset(), url: str = "") -> Play:
    """Ask everything at an SMT, let its head-end die at a boundary, start it again, let everything end, and check it.

    silent: ESI IDs whose meters have no power, as the head-end was told; the others answer.
    """
    with tempfile.TemporaryDirectory() as folder, served_apart(meters(silent), "exception", BEGUN + 22) as gateway:
        url = url or f"sqlite:///{Path(folder) / 'smt.db'}"
        wall = time.time()
        kept = f"sqlite:///{Path(folder) / 'headend.db'}"
        told = Play(killed=False)
        smt_port = int(free_port())
        smt_url = f"http://127.0.0.1:{smt_port}"
        first = crash_headend.Start(kept, 0, gateway, to_us(BEGUN), wall, speed(), smt_url, crash_at)
        if crash_at.startswith("headend.recovery"):
            first = replace(first, crash_at=LEFT_OPEN)
        with running(first, crash_headend.serve) as (dying, port):
            assert port
            _without_power(port, silent)
            again = replace(first, port=port, crash_at="")
            smt = crash_smt.Start(url, smt_port, f"http://127.0.0.1:{port}", to_us(BEGUN), wall, speed())
            with running(smt) as (process, _):
                told.acknowledged = ask(smt_port)
                deadline = time.monotonic() + patience()
                while dying.is_alive() and time.monotonic() < deadline and not all_ended(url):
                    dying.join(0.05)
                # What is passed last is passed after SMT has its answer.
                dying.join(patience())
                told.killed = dying.exitcode == -signal.SIGKILL
                if told.killed and crash_at.startswith("headend.recovery"):
                    told.killed = dies_at_once(replace(again, crash_at=crash_at), crash_headend.serve)
                if dying.exitcode is None:
                    told.entries = ended(url, process)
                else:
                    with running(again, crash_headend.serve) as (_, back):
                        assert back == port, "it does not start again"
                        told.entries = ended(url, process)
                        _all_closed(kept)
                asks_again(smt_port, told)
        check(url, told)
        _check_answers(told, kept)
        return told


def meters(silent: frozenset[str] = frozenset()) -> dict[int, EmulatedMeter]:
    return {
        unit: EmulatedMeter(MeterIdentity(number, esiid), Premise(esiid), 1, load=SteadyLoad())
        for esiid, (unit, number) in crash_headend.METERS.items()
        if esiid not in silent
    }


def _without_power(port: int, silent: frozenset[str]) -> None:
    gasps = [
        {"esiid": esiid, "meterNumber": crash_headend.METERS[esiid][1], "kind": "last_gasp", "at": iso(BEGUN)}
        for esiid in sorted(silent)
    ]
    if gasps:
        url = f"http://127.0.0.1:{port}/events"
        assert httpx.post(url, json={"events": gasps}, headers=bearing(KEYS.meters), trust_env=False).json()[
            "accepted"
        ] == len(gasps)


@contextmanager
def kept(database: str) -> Iterator[sa.Connection]:
    engine = sa.create_engine(database, poolclass=sa.NullPool)
    with engine.connect() as connection:
        yield connection
    engine.dispose()


def _all_closed(database: str) -> None:
    """Wait until every inquiry has ended at the head-end too."""
    deadline = time.monotonic() + patience()
    while True:
        with kept(database) as connection:
            left = connection.execute(sa.select(INQUIRIES).where(INQUIRIES.c.ended_at.is_(None))).all()
        if not left:
            return
        assert time.monotonic() < deadline, left
        time.sleep(0.02)


def _check_answers(told: Play, database: str) -> None:
    """Whatever was sent has ended, once, long before it would expire; what the head-end accepted by its answer, acknowledged."""
    for entry in told.entries:
        states = [step.state for step in entry.transitions]
        if State.SENT in states:
            assert states.count(State.ANSWERED) == 1, states
            assert states[-1] in (State.COMPLETED, State.FAILED)
            assert entry.last.at_us - entry.filed.submitted_us < EXPIRY_US // 3
    with kept(database) as connection:
        rows = connection.execute(sa.select(INQUIRIES)).all()
    by_key = {entry.filed.key: entry for entry in told.entries}
    for row in rows:
        assert row.became == "acknowledged"
        assert by_key[row.correlation_id].last.reason != UNREACHABLE
