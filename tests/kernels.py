"""Compiles the kernels of a new checkout, or finds them on the disk (``make kernels``): workers that begin together would wait for each other."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

from headend.lse import warm as lse
from headend.vee import batch as vee
from meters import SEED
from meters.calendar import epoch
from simulator.capacity.engine.law import Assumptions
from simulator.capacity.engine.run import play_load
from simulator.smt.throttle.policy import preset
from simulator.world.meters import build, default_world
from tests.simulator.capacity.engine.loads import load, storm
from tests.simulator.processes import invoked
from tests.simulator.ror.files.pages import FILE

_NOON = epoch("2026-08-12T12:00")


def meters() -> None:
    """A day of each kind of meter, validated and written."""
    for meter in build(default_world(date(2026, 8, 12), date(2026, 8, 11), 4, 1, special=True), SEED, _NOON).meters:
        meter.window(_NOON - 86_400, _NOON, _NOON)
    vee.warm()
    lse.warm()


def bills() -> None:
    """A bill of a usage file, and what a read is worth."""
    with TemporaryDirectory() as folder:
        plan = "longhorn-thousand-24"
        for words in (
            ("balance", str(FILE), "--plan", plan, "--cycle-first", "2026-07-16"),
            ("plan", "value", "--plan", plan, "--homes", "1", "--out", str(Path(folder) / "value.parquet")),
        ):
            done = invoked(*words)
            assert done.exit_code == 0, done.output


if __name__ == "__main__":
    meters()
    bills()
    play_load(load(100, 20, 5), storm(5), preset("smt-today"), Assumptions(), seed=1)
