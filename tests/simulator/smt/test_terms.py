"""What workers have to have in common with their dispatcher, on a database that does not care who they are."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from headend.http.links import LinkKeys
from meters.calendar import seconds, to_us
from simulator.errors import SimulatorError
from simulator.smt.access.gatekeeper import TokenLife
from simulator.smt.database.seat import Role
from simulator.smt.registry.passwords import hash_password
from simulator.smt.registry.records import PointMeter
from simulator.smt.registry.registry import Registry
from simulator.smt.terms import ClockNumbers, Terms
from simulator.smt.throttle.policy import preset
from tests.simulator.smt.postgres import opened
from tests.simulator.smt.rig import KEYS, registry

CLOCK = ClockNumbers(to_us(1_786_554_000), 60.0, 1_700_000_000.125)


def with_records(**changed: Any) -> Registry:
    """The rig's registry with other records."""
    records = registry().records._replace(**changed)
    more = {
        name: getattr(records, name)
        for name in ("occupancies", "agreements", "han_devices", "exchanges", "other_meters")
    }
    return Registry(records.points, records.entities, records.periods, records.users, **more)


def test_a_worker_is_held_to_what_its_dispatcher_works_by(tmp_path: Path) -> None:
    (tmp_path / "homes").mkdir()
    records = registry().records
    works_by = Terms(preset("smt-today"), registry(), CLOCK, tmp_path / "homes", {"coastal": KEYS})
    rehashed = tuple(replace(user, password_hash=hash_password("another")) for user in records.users)
    limits = works_by.policy.limits
    early = replace(records.periods[0], first_day=records.periods[0].first_day - timedelta(days=1))
    same: list[dict[str, Any]] = [
        {},
        # The same instant told otherwise, as a real clock is by each that reads it; and a wall start that was typed.
        {"clock": ClockNumbers(CLOCK.epoch_us + to_us(600), 60.0, CLOCK.wall_start + 10)},
        {"clock": CLOCK._replace(wall_start=1_700_000_000.12)},
        {"policy": replace(works_by.policy, name="another", title="name")},
        {"registry": with_records(users=rehashed)},
    ]
    other: list[tuple[str, dict[str, Any]]] = [
        ("clock", {"clock": CLOCK._replace(speed=61.0)}),
        ("token_life", {"token_life": TokenLife.MODEL}),
        ("clock", {"clock": CLOCK._replace(wall_start=1_700_000_000.0)}),
        ("clock", {"clock": CLOCK._replace(epoch_us=CLOCK.epoch_us + to_us(1))}),
        ("policy", {"policy": replace(works_by.policy, reuse_s=seconds(900))}),
        ("policy", {"policy": replace(works_by.policy, store_within_s=seconds(900))}),
        ("policy", {"policy": replace(works_by.policy, last_gasp_answers=True)}),
        ("policy", {"policy": replace(works_by.policy, push_to_smt=True)}),
        ("policy", {"policy": replace(works_by.policy, limits=(replace(limits[0], amount=99), *limits[1:]))}),
        ("registry", {"registry": with_records(points=records.points[:-1])}),
        ("registry", {"registry": with_records(other_meters=(PointMeter(records.points[0].esiid, "1"),))}),
        ("registry", {"registry": with_records(periods=(early, *records.periods[1:]))}),
        ("out", {"folder": tmp_path / "elsewhere"}),
        ("keys", {"keys": {"coastal": LinkKeys.make()}}),
    ]
    with opened(f"sqlite:///{tmp_path / 'smt.db'}") as engine:
        # Before there was a dispatcher there is nothing to be held to.
        works_by.hold(engine, Role.WORKER)
        works_by.hold(engine, Role.DISPATCHER)
        for changed in same:
            replace(works_by, **changed).hold(engine, Role.WORKER)
        for code, changed in other:
            with pytest.raises(SimulatorError) as caught:
                replace(works_by, **changed).hold(engine, Role.WORKER)
            assert caught.value.code == f"smt.workers.{code}"
        # The next dispatcher may work by something else.
        replace(works_by, clock=CLOCK._replace(speed=61.0)).hold(engine, Role.DISPATCHER)
        with pytest.raises(SimulatorError, match=r"^smt\.workers\.clock: --clock-of: .*x61; this worker by .*x60"):
            works_by.hold(engine, Role.WORKER)
