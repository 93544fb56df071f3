"""What the server that the tests' processes are forked from has done before: it has imported what commands and crash plays need, and loaded the kernels."""

from __future__ import annotations

from datetime import date

import ami
import reports.scenario.page
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

__all__ = ["ami", "reports", "scenarios", "simulator", "tests"]

_NOON = epoch("2026-08-12T12:00")
ami.door()
for _meter in build(default_world(date(2026, 8, 12), date(2026, 8, 11), 4, 1, special=True), SEED, _NOON).meters:
    _meter.window(_NOON - 86_400, _NOON, _NOON)
