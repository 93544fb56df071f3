"""The proof of the design: 200 requests live on real sockets and modelled, with the same draws, live the same lives to the microsecond."""

from __future__ import annotations

import random
from collections.abc import Generator
from datetime import date, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
import simpy

from headend.http.links import bearing
from headend.network.law import TRIES, Try
from headend.wire import InquiryKind, Outcome
from meters.calendar import Seconds, day_start, epoch, floor_interval, iso, micros, seconds, to_s, to_us
from meters.faults.kinds import FaultKind
from simulator.capacity.model import PowerFailure, Sweep, TabledRequest
from simulator.parties.sandbox import Sandbox, SandboxSettings
from simulator.ror.client import SmtClient
from simulator.ror.errors import SmtRefused
from simulator.runtime.clock import Clock, ClockMode
from simulator.smt.correlation import digits
from simulator.smt.ondemand.invariants import breaches, from_ledger, from_steps
from simulator.smt.ondemand.ledger import Entry, Transition
from simulator.smt.ondemand.lifecycle import ANSWERED_EARLIER, ANSWERED_HELD, EXPIRY_US, OnDemandRequest, State
from simulator.smt.ondemand.middle import Middle
from simulator.smt.throttle.decision import Door, Scope
from simulator.smt.throttle.policy import preset
from simulator.world.fault_spec import FaultSpec
from simulator.world.market import ROR_LOGIN
from simulator.world.market_spec import ROR_DUNS
from simulator.world.meters import World, WorldSpec, build
from tests.simulator.capacity.tabled import replay

SEED = 7
FIRST_DAY = date(2026, 8, 9)
BEGIN, MIDNIGHT = epoch("2026-08-11T20:02"), epoch("2026-08-12T00:00")
#: The last posted day at BEGIN is 2026-08-10.
VEE_END = day_start(date(2026, 8, 11))
DEAD = 20
UNHEARD = (Try(micros(1), micros(1), False),) * TRIES
#: The dead meter's last gasp and its restoration, if they are told: when it happened, when the head-end hears of it.
GASP, GASP_TOLD = epoch("2026-08-11T21:01"), epoch("2026-08-11T21:01:10")
RESTORED, RESTORED_TOLD = epoch("2026-08-12T00:30"), epoch("2026-08-12T00:30:40")


def the_world() -> World:
    spec = WorldSpec(
        first_day=FIRST_DAY, faults=(FaultSpec(kind=FaultKind.DEAD, meter=DEAD, first=datetime(2026, 8, 11, 10, 0)),)
    )
    return build(spec, SEED)


def tabled(world: World) -> list[TabledRequest]:
    """200 requests of 20 ESI IDs over five hours with a midnight; ids as SMT makes them, from content and instant."""
    rng = random.Random(SEED)
    units = list(world.gateways[0].values())
    requests = []
    for number in range(200):
        meter = units[rng.randrange(len(units))]
        kind = rng.choices(list(InquiryKind), [70, 15, 15])[0]
        if number < 10:
            # These are under way at midnight: answered by the head-end before it, completed after it.
            at_us = to_us(MIDNIGHT - 60) + number * 1_000_003
            middle = Middle(to_us(20), to_us(60) + number)
            meter, kind = units[number % 4], list(InquiryKind)[number % 3]
        elif number == 10:
            at_us, middle = to_us(BEGIN + 100) + 17, Middle(to_us(5), EXPIRY_US)
            meter, kind = units[5], InquiryKind.INTERVALS
        elif number == 11:
            at_us, middle = to_us(BEGIN + 140) + 3, Middle(to_us(9), to_us(30), "FAILED")
            meter = units[6]
        else:
            at_us = to_us(BEGIN + rng.randrange(5 * 3600)) + rng.randrange(to_us(1))
            # Nothing reaches the head-end while it sweeps: the model has no sweep on its radio.
            if MIDNIGHT - 400 < to_s(at_us) < MIDNIGHT + 60:
                at_us += to_us(600)
            middle = Middle(micros(rng.randrange(to_us(30))), micros(rng.randrange(to_us(20), to_us(90))))
            if at_us < to_us(MIDNIGHT):
                # The first four meters' day is kept for the requests that cross midnight.
                meter = units[rng.randrange(4, len(units))]
        tries = tuple(
            Try(
                micros(rng.randrange(to_us(1), to_us(5))),
                micros(rng.randrange(to_us(1), to_us(5))),
                rng.random() > 0.15,
            )
            for _ in range(TRIES)
        )
        if number == 12:
            at_us, meter, kind, tries = to_us(BEGIN + 180), units[3], InquiryKind.POWER, UNHEARD
        elif number == 13:
            # The dead meter's power, between its last gasp and its restoration.
            at_us, meter, kind = to_us(GASP + 1800), units[DEAD - 1], InquiryKind.POWER
        elif number == 14:
            # Before anyone has used its allowance.
            at_us, meter, kind = to_us(BEGIN + 60), units[7], InquiryKind.INTERVALS
            middle = middle._replace(lost="T-FAILED")
        now = to_s(at_us)
        start, end = (VEE_END, floor_interval(now)) if kind is InquiryKind.INTERVALS else (seconds(0), seconds(0))
        esiid = meter.identity.esiid
        call = f"call-{number:04d}"
        content = (ROR_LOGIN.username, esiid, kind, Door.API, f"{call}-0001", call)
        scopes = {
            Scope.ESIID: esiid,
            Scope.ROR: ROR_DUNS,
            Scope.REQUESTER_CLASS: "ror_call_centre",
            Scope.TDSP: "ONCOR",
            Scope.ACCESS_POINT: "ONCOR-0",
        }
        key = digits(SEED, content, at_us, 0)
        requests.append(TabledRequest(key, kind, esiid, at_us, start, end, scopes, Door.API, middle, tries))
    assert len({request.key for request in requests}) == 200
    return sorted(requests, key=lambda request: request.submitted_us)


async def live(
    world: World, requests: list[TabledRequest], policy: str, out: Path, *, events: bool
) -> dict[str, Entry]:
    by_key = {request.key: request for request in requests}
    settings = SandboxSettings(
        world=world,
        clock=Clock(ClockMode.MANUAL, to_us(day_start(FIRST_DAY))),
        policy=preset(policy),
        middle=lambda key: by_key[key].middle,
        draws=lambda key, attempt: by_key[key].tries[attempt],
        out=out,
    )
    async with (
        Sandbox(settings) as sandbox,
        httpx.AsyncClient(base_url=sandbox.smt_server.url, timeout=30.0, trust_env=False) as http,
    ):
        client = SmtClient(http, ROR_LOGIN.username, ROR_LOGIN.password, ROR_LOGIN.duns)

        def ask(request: TabledRequest) -> Generator[simpy.Event, Any, None]:
            env = sandbox.runtime.env
            yield env.timeout(request.submitted_us - micros(env.now))
            call = f"call-{numbers[request.key]:04d}"
            if request.kind is InquiryKind.POWER:
                asked = sandbox.runtime.io("ror", call, lambda: client.power_status(request.esiid, call), lane="smt")
            elif request.kind is InquiryKind.REGISTER:
                asked = sandbox.runtime.io("ror", call, lambda: client.odr(request.esiid, call, "REGISTER"), lane="smt")
            else:
                asked = sandbox.runtime.io(
                    "ror", call, lambda: client.odr(request.esiid, call, "INTERVALS"), lane="smt"
                )
            try:
                key = yield asked
            except SmtRefused:
                return
            assert key == request.key

        def tell(kind: str, at: Seconds, told_at: Seconds) -> Generator[simpy.Event, Any, None]:
            meter = world.meters[DEAD - 1].identity
            event = {"esiid": meter.esiid, "meterNumber": meter.meter_number, "kind": kind, "at": iso(at)}
            url = f"{sandbox.headend_server.url}/events"
            yield sandbox.runtime.env.timeout(to_us(told_at) - micros(sandbox.runtime.env.now))
            reply = yield sandbox.runtime.io(
                "event", kind, lambda: http.post(url, json={"events": [event]}, headers=bearing(sandbox.keys.meters))
            )
            assert (reply.status_code, reply.json()) == (202, {"accepted": 1, "unknown": 0})

        if events:
            sandbox.runtime.env.process(tell("last_gasp", GASP, GASP_TOLD))
            sandbox.runtime.env.process(tell("restoration", RESTORED, RESTORED_TOLD))
        numbers = _numbers(requests)
        for one in requests:
            sandbox.runtime.env.process(ask(one))
        await sandbox.runtime.run_until(epoch("2026-08-12T03:00"))
        assert sandbox.faults() == []
        found = {request.key: sandbox.smt.ledger.entry(request.key) for request in requests}
    return {key: entry for key, entry in found.items() if entry is not None}


def _numbers(requests: list[TabledRequest]) -> dict[str, int]:
    """The number in each request's call reference, found again from its key."""
    numbers = {}
    for request in requests:
        for number in range(200):
            call = f"call-{number:04d}"
            content = (ROR_LOGIN.username, request.esiid, request.kind, Door.API, f"{call}-0001", call)
            if digits(SEED, content, request.submitted_us, 0) == request.key:
                numbers[request.key] = number
                break
    return numbers


def modelled(world: World, requests: list[TabledRequest], policy: str, *, events: bool) -> dict[str, OnDemandRequest]:
    dead = world.esiid(DEAD)
    swept = [Sweep(to_us(BEGIN - 120 + 35), epoch("2026-08-11T20:00")), Sweep(to_us(MIDNIGHT + 35), MIDNIGHT)]
    sweeps = {meter.identity.esiid: swept for meter in world.meters}
    # Live, the dead meter is silent on the wire; here its tries are not heard.
    sweeps[dead] = [Sweep(to_us(BEGIN - 120), epoch("2026-08-11T08:00"))]
    quiet = [request._replace(tries=UNHEARD) if request.esiid == dead else request for request in requests]
    failures = {dead: [PowerFailure(GASP, to_us(GASP_TOLD), to_us(RESTORED_TOLD))]} if events else None
    return {one.key: one for one in replay(quiet, preset(policy), sweeps, power_failures=failures)}


def steps_of(request: OnDemandRequest) -> list[Transition]:
    """The life of a modelled request as the ledger would have it."""
    reads = 0 if request.answered is None else request.answered.meter_reads
    return [
        Transition(state, at_us, meter_allowed=request.meter_allowed, meter_reads=reads)
        for state, at_us in request.history
    ]


@pytest.mark.parametrize(
    ("policy", "events"),
    [
        ("fr-cr016-1-meter-only", False),
        *(
            pytest.param(*said, marks=pytest.mark.long)
            for said in (
                ("fr-cr016-1", False),
                ("fr-cr016-1", True),
                ("smt-today", False),
                ("reuse-15-min", False),
                ("store-within", False),
                ("push-to-smt", False),
                ("call-centre-in-a-storm", True),
            )
        ),
    ],
)
async def test_200_requests_live_and_modelled_live_the_same_lives(policy: str, events: bool, tmp_path: Path) -> None:
    world = the_world()
    requests = tabled(world)
    lived = await live(world, requests, policy, tmp_path, events=events)
    model = modelled(world, requests, policy, events=events)
    assert len(lived) == len(model) == 200
    ends: dict[State, int] = {}
    for asked in requests:
        entry, request = lived[asked.key], model[asked.key]
        history = [(transition.state, transition.at_us) for transition in entry.transitions]
        assert history == request.history, asked
        last = entry.last
        assert last.meter_allowed == request.meter_allowed, asked
        reads = request.answered.meter_reads if request.answered else 0
        assert max(transition.meter_reads for transition in entry.transitions) == reads, asked
        answer = request.answered.content if request.answered else None
        if answer is not None and asked.kind is InquiryKind.INTERVALS and request.state is State.COMPLETED:
            # An earlier read that answers again is from no meter, and ends where it ended.
            end = request.answered.reaches_to or asked.end if request.answered else asked.end
            lacked_from = end if answer.lacked_from is None else answer.lacked_from
            # What falls short and may was not read.
            end = end if answer.meter_reads or answer.lacked_from is None else lacked_from
            assert last.from_store == (lacked_from - asked.start) // 900, asked
            assert last.from_meter == (end - lacked_from) // 900, asked
        ends[request.state] = ends.get(request.state, 0) + 1
    # One function counts again what either has let in, and finds that both kept the rules.
    of_model = from_steps((one.key, one.requested, steps_of(one)) for one in model.values())
    of_ledger = from_ledger(lived.values(), lambda filed: model[filed.key].requested.scopes)
    assert [(one.key, one.admitted, one.success) for one in of_ledger] == [
        (one.key, one.admitted, one.success) for one in of_model
    ]
    assert [breaches(preset(policy), of_one) for of_one in (of_ledger, of_model)] == [[], []]
    # What the table was made to hold is in it.
    held = [life for life in model.values() if life.reason == ANSWERED_HELD]
    # Those that the middle tier loses or is too late with ask for intervals: SMT holds them.
    not_met = {State.T_FAILED, State.EXPIRED} if held else set()
    assert {State.COMPLETED, State.REFUSED, State.FAILED, State.T_FAILED, State.EXPIRED} - not_met <= set(ends)
    assert not not_met & set(ends)
    over_midnight = [life for life in model.values() if life.history[0][1] < to_us(MIDNIGHT) <= life.history[-1][1]]
    assert len([life for life in over_midnight if life.state is State.COMPLETED]) >= 3
    timed_out = [life for life in model.values() if life.answered is not None and life.answered.meter_reads == TRIES]
    assert [life for life in timed_out if life.esiid == world.esiid(DEAD)]
    assert [life for life in timed_out if life.esiid != world.esiid(DEAD)]
    if policy == "store-within":
        short = [life.answered.content for life in model.values() if life.answered and not life.answered.meter_reads]
        assert [one for one in short if one.outcome is Outcome.COMPLETED and one.lacked_from is not None]
    assert bool(held) == (policy == "push-to-smt")
    if policy == "push-to-smt":
        assert len(held) > 50
        assert [life for life in model.values() if life.kind is InquiryKind.INTERVALS and life not in held]
    if policy == "call-centre-in-a-storm":
        told = [life for life in model.values() if life.kind is InquiryKind.POWER and life.state is State.COMPLETED]
        assert [life for life in told if life.answered is not None and not life.answered.meter_reads]
    if policy.startswith("reuse"):
        again = [life for life in model.values() if life.reason == ANSWERED_EARLIER]
        assert {life.kind for life in again} == set(InquiryKind)
    if events:
        tried = [life for life in model.values() if life.esiid == world.esiid(DEAD) and life.answered is not None]
        spared = [life for life in tried if life.answered is not None and life.answered.meter_reads < TRIES]
        assert spared
        assert [life for life in spared if life.kind is InquiryKind.POWER and life.state is State.COMPLETED]
