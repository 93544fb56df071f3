"""The compiled throttle against ``counts``: whatever comes and ends in whatever order, both let in alike and tell the same time.

THROTTLE_HISTORIES sets how many histories the long tests play, over all policies together (``make throttle-twin``).
"""

from __future__ import annotations

import os
import random
from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from meters.calendar import Seconds, day_end, day_of, day_start, seconds
from simulator.capacity.engine.rows import ROW
from simulator.capacity.engine.table import FIELDS, HEADER, STRIDE, Table, table_of
from simulator.capacity.engine.throttle import end, look, take
from simulator.smt.throttle.decision import Door, Kind, Lease, MemoryAdmission, Policy, Requested, RequesterClass, Scope
from simulator.smt.throttle.limits import Limit, Measure, Source, Window
from simulator.smt.throttle.policy import preset, preset_names
from tests.cases import few
from tests.simulator.smt.throttle.test_throttle_machine import EVENINGS, small

#: In every run, and among the long tests.
HISTORIES = [500, int(os.environ.get("THROTTLE_HISTORIES", "1500"))]
STEPS = 40
#: How many values of each scope there are, in the order of ``Scope``.
VALUES = (3, 2, len(RequesterClass), 2, 2)
OCTETS = (0, 900, 1500, 2900)
_WAITS = ((0, 5), (0, 400), (590, 960), (1000, 7200))


def _limits(measure: Measure) -> tuple[Limit, ...]:
    """One limit of a measure for each scope and, where it has one, window."""
    windows = list(Window) if measure in (Measure.SUCCESSES, Measure.OCTETS) else [Window.DAY]
    octets = measure is Measure.OCTETS
    return tuple(
        Limit(
            name=f"{scope}-{window}",
            kind=(None, Kind.READ, Kind.STATUS)[(at + turn) % 3],
            scope=scope,
            amount=4000 if octets else 2 + at % 2,
            window=window,
            code=f"{scope}",
            rule="",
            doors=frozenset({Door.API}) if at == 3 else frozenset(Door),
            classes=frozenset({RequesterClass.CSP, RequesterClass.CUSTOMER}) if at == 1 else frozenset(),
            but_classes=frozenset({RequesterClass.CUSTOMER}) if at in (1, 4) else frozenset(),
            measure=measure,
            estimate=1500 if octets else 1,
            burst=2 + at if measure is Measure.TOKENS else 0,
            per_s=700 if measure is Measure.TOKENS else 0,
            within_s=seconds(900 if measure is Measure.METER_FAILURES else 0),
            cool_down_s=seconds(600 if measure is Measure.METER_FAILURES else 0),
        )
        for at, scope in enumerate(Scope)
        for turn, window in enumerate(windows)
    )


def policies() -> dict[str, Policy]:
    """Every preset with limits that a few requests reach, every measure at every scope and window, and limits that let nothing in."""
    made = {name: small(name) for name in preset_names()}
    made |= {f"all {measure}": Policy("", "", Source.STORE_FIRST, _limits(measure)) for measure in Measure}
    nothing = [replace(_limits(measure)[0], amount=0) for measure in list(Measure)[:3]]
    return made | {"nothing": Policy("", "", Source.STORE_FIRST, tuple(nothing))}


POLICIES = policies()


def days_from(evening: Seconds) -> list[Seconds]:
    """The operating days that a history can come to."""
    first = day_of(evening)
    return [day_start(first + timedelta(days=n)) for n in range(-1, 20)]


class History:
    """One throttle in two forms, from nothing used on."""

    def __init__(self, policy: Policy, table: Table, now: Seconds, rng: random.Random) -> None:
        self.policy, self.table, self.rng = policy, table, rng
        self.reference = MemoryAdmission(policy)
        self.memory = np.zeros(table.size, np.int64)
        self.now = now
        self.open: list[tuple[Lease, Any, Seconds]] = []
        self.refused = 0

    def play(self) -> None:
        """Some steps, time going on between most of them."""
        rng = self.rng
        for _ in range(STEPS):
            step = rng.random()
            if step < 0.55:
                self.ask()
            elif step < 0.85 and self.open:
                self.settle(rng.randrange(len(self.open)))
            elif step < 0.88:
                self.now = max(self.now, day_end(day_of(self.now)) - rng.randrange(90))
            else:
                self.now += rng.randint(*rng.choice(_WAITS))

    def ask(self) -> None:
        """One more, and what each form says of it now and, as of a refusal that is told later, a while from now."""
        rng = self.rng
        values = [rng.randrange(n) for n in VALUES]
        row = np.zeros(1, ROW)[0]
        row.place, row.ror, row.requester_class, row.tdsp, row.access_point = values
        row.kind, row.door = rng.choice((0, 1, 2)), rng.randrange(2)
        scopes = {scope: str(value) for scope, value in zip(Scope, values, strict=True)}
        scopes[Scope.REQUESTER_CLASS] = list(RequesterClass)[values[2]]
        requested = Requested(Kind.STATUS if row.kind == 2 else Kind.READ, list(Door)[row.door], scopes)
        for at in (self.now + rng.choice((1, 70, 3600)), self.now):
            told = self.reference.refusal(requested, at)
            code, retry_at = look(self.table.numbers, self.memory, row, at)
            mine = None if code < 0 else (self.table.codes[code], retry_at)
            assert mine == (None if told is None else (told.code, told.retry_at))
        got = self.reference.reserve("", requested, self.now)
        assert isinstance(got, Lease) == (code < 0)
        if isinstance(got, Lease):
            take(self.table.numbers, self.memory, row, self.now)
            self.open.append((got, row, self.now))
        else:
            self.refused += 1

    def settle(self, which: int) -> None:
        """One that is under way ends, somehow."""
        lease, row, since = self.open.pop(which)
        success, failed = self.rng.choice(((True, False), (True, False), (False, True), (False, False)))
        octets = self.rng.choice(OCTETS)
        self.reference.settle("", lease, self.now, success, octets, failed)
        end(self.table.numbers, self.memory, row, since, self.now, success, octets, failed)


@pytest.mark.parametrize("name", POLICIES)
@pytest.mark.parametrize("histories", few(1, HISTORIES))
def test_the_compiled_throttle_decides_as_counts_do(name: str, histories: int) -> None:
    policy = POLICIES[name]
    # A limit of its own code each, so that it shows which one refuses.
    limits = tuple(replace(limit, code=limit.name) for limit in policy.limits)
    policy = replace(policy, limits=limits)
    tables = {
        evening: table_of(policy, VALUES, days_from(evening), longest_s=seconds(STEPS * 7200), least_octets=900)
        for evening in EVENINGS
    }
    rng = random.Random(name)
    refused = 0
    for _ in range(histories // len(POLICIES)):
        evening = rng.choice(EVENINGS)
        history = History(policy, tables[evening], evening, rng)
        history.play()
        refused += history.refused
    assert refused or not policy.limits


def test_a_limit_remembers_a_few_numbers_of_each_value() -> None:
    strides = {
        name: table_of(preset(name), VALUES, [], longest_s=seconds(2700))
        .numbers[HEADER:]
        .reshape(-1, FIELDS)[:, STRIDE]
        for name in ("smt-today", "access-point-guard")
    }
    assert {name: of.tolist() for name, of in strides.items()} == {
        "smt-today": [4, 2, 4, 2],
        "access-point-guard": [10, 402, 9],
    }
