"""Any interleaving of what can happen to a throttle, in memory and in a database at once, against a count from nothing.

Requests come, end well, badly or not at all; a head-end reads a meter that it may not; the service crashes and recovers; time passes, over midnights and both changes of the clock; an ESI ID
goes to another ROR in the middle of a day. Whatever the order: memory and database decide alike, ``invariants.breaches`` finds nothing, and the
time that a refusal tells is honest, which means:

* before ``retry_at``, if nothing ends, the same request is refused;
* at ``retry_at``, if nothing else comes and all that is under way has succeeded, it is let in.

THROTTLE_EXAMPLES sets how many runs each preset gets among the long tests; a few are in every run.
"""

from __future__ import annotations

import copy
import itertools
import os
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test
from sqlalchemy import Engine, select

from meters.calendar import Seconds, day_end, day_of, epoch, seconds, to_s
from simulator.smt.database.tables import throttle_mark, throttle_window
from simulator.smt.ondemand.invariants import Asking, Author, breaches
from simulator.smt.ondemand.lifecycle import EXPIRY_US
from simulator.smt.throttle.admission import DatabaseAdmission
from simulator.smt.throttle.decision import (
    NEVER,
    Door,
    Kind,
    Lease,
    LimitState,
    MemoryAdmission,
    Policy,
    Refusal,
    Requested,
    RequesterClass,
    Scope,
)
from simulator.smt.throttle.limits import Limit, Measure
from simulator.smt.throttle.policy import preset, preset_names
from tests.cases import few

EXAMPLES = int(os.environ.get("THROTTLE_EXAMPLES", "25"))
STEPS = 30
EXPIRY_S = to_s(EXPIRY_US)
#: An ordinary evening, and the evenings before the clock is put back and forward.
EVENINGS = [epoch("2026-08-12T22:30"), epoch("2026-10-31T22:30"), epoch("2026-03-07T22:30")]
RORS = ("ror-a", "ror-b")

_runs = itertools.count()


def made_small(limit: Limit) -> Limit:
    """A limit that a few requests reach; what it counts and over what stays."""
    others = 1 if limit.but_classes else 2
    match limit.measure:
        case Measure.OCTETS:
            return replace(limit, amount=2 * limit.estimate + 100)
        case Measure.TOKENS:
            return replace(limit, amount=min(limit.amount, 2), burst=min(limit.burst, 2), per_s=limit.per_s * 7)
        case _:
            return replace(limit, amount=min(limit.amount, others))


def small(name: str) -> Policy:
    policy = preset(name)
    return replace(policy, limits=tuple(made_small(limit) for limit in policy.limits))


def held_in(memory: MemoryAdmission) -> dict[tuple[str, str], LimitState]:
    return {place: state for place, state in memory.states.items() if state != LimitState()}


class Machine(RuleBasedStateMachine):
    """One throttle in two forms. ``policy`` and ``engine`` are set by the test."""

    policy: Policy
    engine: Engine

    def __init__(self) -> None:
        super().__init__()
        self.run = next(_runs)
        self.memory = MemoryAdmission(self.policy)
        self.database = DatabaseAdmission(self.engine, self.policy)
        self.asked: list[Asking] = []
        self.open: dict[str, Lease] = {}
        self.number = 0
        self.now = EVENINGS[0]
        self.ror = dict.fromkeys("ab", RORS[0])

    @initialize(evening=st.sampled_from(EVENINGS))
    def begin(self, evening: int) -> None:
        self.now = seconds(evening)

    @rule(
        esiid=st.sampled_from("ab"),
        kind=st.sampled_from([Kind.READ, Kind.READ, Kind.STATUS]),
        channel=st.sampled_from(list(Door)),
        asking=st.sampled_from(list(RequesterClass)),
        after_s=st.integers(0, 400),
    )
    def submit(self, esiid: str, kind: Kind, channel: Door, asking: RequesterClass, after_s: Seconds) -> None:
        self.now += after_s
        scopes = {
            Scope.ESIID: f"{self.run}-{esiid}",
            Scope.ROR: f"{self.run}-{self.ror[esiid]}",
            Scope.REQUESTER_CLASS: asking,
            Scope.TDSP: f"{self.run}",
            Scope.ACCESS_POINT: f"{self.run}-1",
        }
        requested = Requested(kind, channel, scopes)
        key = f"{self.run}-{len(self.asked)}"
        before = copy.deepcopy(self.memory)
        got, told = self.memory.reserve(key, requested, self.now), self.database.reserve(key, requested, self.now)
        self.asked.append(Asking(key, self.now, requested, isinstance(got, Lease), self._next()))
        if isinstance(got, Lease):
            assert told == got
            self.open[key] = got
            return
        assert isinstance(told, Refusal)
        assert told.reason.startswith(got.reason)
        assert told._replace(reason="") == got._replace(reason="")
        assert held_in(self.memory) == held_in(before)
        self._is_honest(got, requested, before)

    def _is_honest(self, refusal: Refusal, requested: Requested, before: MemoryAdmission) -> None:
        if refusal.retry_at == NEVER:
            # Only what is larger than a whole limit has no time.
            assert any(limit.amount < limit.weight for limit in self.policy.limits)
            return
        assert refusal.retry_at > self.now
        early = copy.deepcopy(before)
        assert isinstance(early.reserve("early", requested, refusal.retry_at - 1), Refusal)
        for key, lease in self.open.items():
            before.settle(key, lease, self.now, True, octets=self._estimate())
        assert isinstance(before.reserve("in time", requested, refusal.retry_at), Lease)

    def _estimate(self) -> int:
        return max((limit.estimate for limit in self.policy.limits), default=0)

    @precondition(lambda self: self.open)
    @rule(
        which=st.integers(0, 9),
        how=st.sampled_from(["success", "success", "meter failed", "lost", "served by the store"]),
        after_s=st.integers(0, 300),
        octets=st.sampled_from([0, 900, 1500, 2900]),
    )
    def end(self, which: int, how: str, after_s: Seconds, octets: int) -> None:
        self.now += after_s
        key = list(self.open)[which % len(self.open)]
        reached = how in ("success", "meter failed")
        self._end(key, success=how == "success", octets=octets * reached, meter_failed=how == "meter failed")

    @rule(esiid=st.sampled_from("ab"), wait_s=st.sampled_from([0, 300, 890, 900, 1100]))
    def a_meter_is_silent(self, esiid: str, wait_s: Seconds) -> None:
        """A request whose meter does not answer, and another at once: what a breaker is for."""
        self.now += wait_s
        for wait in (120, 0):
            before = set(self.open)
            self.submit(esiid, Kind.STATUS, Door.API, RequesterClass.ROR_CALL_CENTRE, 0)
            for key in set(self.open) - before:
                self.now += wait
                self._end(key, meter_failed=True)

    @precondition(lambda self: self._refused())
    @rule(octets=st.sampled_from([0, 900, 1500]))
    def the_head_end_reads_all_the_same(self, octets: int) -> None:
        """The meter of one that was refused is read: nobody let it in, and it counts."""
        one = self._refused()[-1]
        one.ended_at, one.ended_after, one.octets, one.unallowed = self.now, self._next(), octets, True
        for admission in (self.memory, self.database):
            admission.charge(one.key, one.requested, one.at, self.now, octets)

    def _refused(self) -> list[Asking]:
        return [one for one in self.asked if not one.admitted and not one.unallowed]

    @precondition(lambda self: self.open)
    @rule()
    def expire(self) -> None:
        """The oldest one gets no answer in its time."""
        key = next(iter(self.open))
        submitted = next(one.at for one in self.asked if one.key == key)
        self.now = max(self.now, submitted + EXPIRY_S)
        self._end(key)

    @rule()
    def crash_and_recover(self) -> None:
        """What was under way has failed; the database alone knows what that was."""
        self.database = DatabaseAdmission(self.engine, self.policy)
        mine = {key: lease for key, lease in self.database.open_leases().items() if key.startswith(f"{self.run}-")}
        assert {key: sorted(lease.held) for key, lease in mine.items()} == {
            key: sorted(lease.held) for key, lease in self.open.items() if lease.held
        }
        for key in list(self.open):
            self._end(key)

    @rule(seconds=st.one_of(st.integers(1, 120), st.integers(590, 960), st.integers(1000, 7200)))
    def wait(self, seconds: int) -> None:
        self.now += seconds

    @rule(before_s=st.integers(0, 90))
    def wait_until_shortly_before_midnight(self, before_s: Seconds) -> None:
        self.now = max(self.now, day_end(day_of(self.now)) - before_s)

    @rule(esiid=st.sampled_from("ab"))
    def switch_the_ror(self, esiid: str) -> None:
        self.ror[esiid] = RORS[1 - RORS.index(self.ror[esiid])]

    def _end(self, key: str, success: bool = False, octets: int = 0, meter_failed: bool = False) -> None:
        lease = self.open.pop(key)
        one = next(one for one in self.asked if one.key == key)
        one.ended_at, one.ended_after = self.now, self._next()
        one.success, one.octets, one.meter_failed = success, octets, meter_failed
        self.memory.settle(key, lease, self.now, success, octets, meter_failed)
        self.database.settle(key, lease, self.now, success, octets, meter_failed)

    def _next(self) -> int:
        self.number += 1
        return self.number

    def teardown(self) -> None:
        found = breaches(self.policy, self.asked)
        assert [one for one in found if one.author is Author.SMT] == []
        assert {one.key for one in found} == {one.key for one in self.asked if one.unallowed}
        places = set(self.memory.states)
        with self.engine.connect() as connection:
            windows = [row for row in connection.execute(select(throttle_window)) if tuple(row[:2]) in places]
            marks = [row for row in connection.execute(select(throttle_mark)) if tuple(row[:2]) in places]
        assert {tuple(window[:3]): (window.used, window.held) for window in windows} == {
            (*place, start): (count.used, count.held)
            for place, state in self.memory.states.items()
            for start, count in state.windows.items()
        }
        assert {tuple(mark[:2]): (mark.level, mark.as_of) for mark in marks} == {
            place: tuple(state.mark) for place, state in self.memory.states.items() if state.mark is not None
        }


def distinct() -> list[str]:
    """Every preset with limits; of those that differ in their source alone, one."""
    found: dict[tuple[Limit, ...], str] = {}
    for name in preset_names():
        found.setdefault(preset(name).limits, name)
    return [name for limits, name in found.items() if limits]


@pytest.mark.parametrize("name", distinct())
@pytest.mark.parametrize("runs", few(1, [8, EXAMPLES]))
def test_no_interleaving_breaks_a_rule_loses_an_allowance_or_tells_a_wrong_time(
    name: str, runs: int, engine: Engine
) -> None:
    class OfPreset(Machine):
        policy = small(name)

    OfPreset.engine = engine
    run_state_machine_as_test(
        OfPreset,
        settings=settings(
            max_examples=runs,
            stateful_step_count=STEPS,
            suppress_health_check=list(HealthCheck),
        ),
    )
