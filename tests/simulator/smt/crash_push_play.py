"""What a sweep collected on its way to SMT, one of the two killed in the middle and started again. For test_crash.py and ``make crash``."""

from __future__ import annotations

import signal
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import sqlalchemy as sa

from headend.store.rows import PUSHED
from meters.calendar import INTERVAL_S, Seconds, day_of, day_start, to_us
from simulator.smt.database.tables import non_vee_day
from tests.meters.gateways import served_apart
from tests.simulator.parties.support import free_port
from tests.simulator.processes import Forked, patience
from tests.simulator.smt import crash_headend, crash_smt
from tests.simulator.smt.crash_headend_play import kept, meters
from tests.simulator.smt.crash_play import BEGUN, running, speed


def play_push(crash_at: str = "", url: str = "") -> bool:
    """Let a sweep's batch be sent, a party die at a boundary, start it again; whether it died. SMT then holds every interval, once."""
    with tempfile.TemporaryDirectory() as folder, served_apart(meters(), "exception", BEGUN + 22) as gateway:
        smt_url, headend_url = url or f"sqlite:///{Path(folder) / 'smt.db'}", f"sqlite:///{Path(folder) / 'headend.db'}"
        wall, port = time.time(), int(free_port())
        smt = crash_smt.Start(smt_url, port, "http://127.0.0.1:9", to_us(BEGUN), wall, speed(), "push-to-smt")
        headend = crash_headend.Start(
            headend_url, 0, gateway, to_us(BEGUN), wall, speed(), f"http://127.0.0.1:{port}", push=True
        )
        at_smt = crash_at.startswith("non_vee")
        with (
            running(replace(smt, crash_at=crash_at if at_smt else "")) as (takes, _),
            running(replace(headend, crash_at="" if at_smt else crash_at), crash_headend.serve) as (sends, _),
        ):
            dying = takes if at_smt else sends
            if not crash_at:
                _all_there(smt_url, headend_url, dying)
                return False
            dying.join(patience())
            again = running(smt) if at_smt else running(headend, crash_headend.serve)
            with again as (process, back):
                assert back, "it does not start again"
                _all_there(smt_url, headend_url, process)
        return dying.exitcode == -signal.SIGKILL


def _all_there(smt_url: str, headend_url: str, process: Forked) -> None:
    """Wait until the head-end knows that SMT has all, and look what that has."""
    first, deadline = day_start(day_of(BEGUN)), time.monotonic() + patience()
    while True:
        with kept(headend_url) as connection:
            pushed: dict[str, Seconds] = {row.esiid: row.pushed_to for row in connection.execute(sa.select(PUSHED))}
        if set(pushed) == set(crash_headend.METERS):
            break
        assert time.monotonic() < deadline, pushed
        process.join(0.05)
    with kept(smt_url) as connection:
        rows = connection.execute(sa.select(non_vee_day.c.esiid, non_vee_day.c.intervals)).all()
    for esiid, to in pushed.items():
        held = sorted(end for of, intervals in rows if of == esiid for end, _, _ in intervals)
        assert held == list(range(first + INTERVAL_S, to + 1, INTERVAL_S)), esiid
        assert to > first
