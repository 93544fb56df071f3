"""What the server that the tests' processes are forked from has done before: it has imported what commands and crash plays need, loaded the kernels, and served
a sandbox, which makes the routes of a process."""

from __future__ import annotations

import asyncio
import gc
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg
import pyarrow.parquet
import sqlalchemy.dialects.postgresql.psycopg

import ami
import reports.console.serve
import reports.scenario.certified
import reports.scenario.page
import scenarios.certify.flight
import scenarios.run
import simulator.commands.registry
import simulator.parties.serve.headend
import simulator.parties.serve.meters
import simulator.parties.serve.sandbox
import simulator.parties.serve.smt
import tests.simulator.smt.crash_day
import tests.simulator.smt.crash_headend
import tests.simulator.smt.crash_smt
from meters import SEED
from meters.calendar import epoch
from simulator.world.meters import build, default_world
from tests.simulator.sandboxes import rig

__all__ = ["ami", "psycopg", "pyarrow", "reports", "scenarios", "simulator", "sqlalchemy", "tests"]

_NOON = epoch("2026-08-12T12:00")
ami.door()
for _meter in build(default_world(date(2026, 8, 12), date(2026, 8, 11), 4, 1, special=True), SEED, _NOON).meters:
    _meter.window(_NOON - 86_400, _NOON, _NOON)


async def _served() -> None:
    with TemporaryDirectory() as folder:
        async with rig(Path(folder), posted_days=1):
            pass


asyncio.run(_served())

# A process that is forked would copy what its collector looks through.
gc.freeze()
