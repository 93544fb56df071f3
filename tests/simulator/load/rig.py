"""A workload over two access points with sweeps and a storm, played live in a sandbox and by ``capacity.model``, with the same draws by key."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import numpy as np

from headend.network.law import NetworkLaw, Span, SweepRule, Try
from headend.ondemand.gap import gap
from headend.ports import BEHIND
from headend.wire import InquiryKind
from meters.calendar import Micros, day_of, epoch, local, micros, rounded_us, seconds, to_s, to_us
from meters.faults.kinds import FaultKind
from simulator.capacity.engine import draws
from simulator.capacity.engine.law import Assumptions
from simulator.capacity.engine.run import ground_of
from simulator.capacity.model import Air, Model, PowerFailure, Sweep, TabledRequest
from simulator.capacity.workload.plan import Plan, plan_of
from simulator.capacity.workload.spec import WorkloadSpec
from simulator.input.yaml_text import YamlDocument
from simulator.load.alone import part_of
from simulator.load.cast import Cast, cast
from simulator.load.player import LoadPlayer
from simulator.parties.sandbox import Sandbox, SandboxSettings
from simulator.runtime.clock import Clock, ClockMode
from simulator.smt.correlation import digits
from simulator.smt.ondemand.lifecycle import EXPIRY_US, OnDemandRequest
from simulator.smt.ondemand.middle import LOST, Middle, MiddleLaw
from simulator.smt.throttle.decision import Scope
from simulator.smt.throttle.limits import Door, Policy
from simulator.smt.throttle.policy import preset
from simulator.world.callers import CUSTOMER, rights_of
from simulator.world.fault_spec import FaultSpec
from simulator.world.market import build_market
from simulator.world.market_spec import MarketSpec, OccupancySpec
from simulator.world.meters import World, WorldSpec, build

SEED, DAY = 7, "2026-08-12"
BEGIN, VEE_END = epoch(f"{DAY}T10:50"), epoch(f"{DAY}T00:00")
#: Everybody's log-ins are of a tenth of the meters: few enough that limits, access points and workers are contended.
METERS, PER_POINT = 120, 60
#: Few workers, slow access points that a silent meter holds, batches that fill, and losses in spells: everything that decides, at once.
CONTENDED = Assumptions(
    network=NetworkLaw(access_point_tps=0.25, slot_held_s=30.0, workers=3, link_success=0.6),
    middle=MiddleLaw(lost_share=0.05),
    batched=True,
    batch_size=2,
    losing_mean_s=600.0,
)


FIELDS: dict[str, Any] = {
    "name": "two-points",
    "day": DAY,
    "fleet": {"tdsps": [{"name": "ONCOR", "meters": 8000, "meters_per_access_point": 4000}]},
    "calls": {
        "ror_call_centre": {"reads": 3000, "registers": 300, "statuses": 400},
        "csp": {"reads": 100},
        "customer": {"registers": 300},
    },
    "storm": {
        "out": [
            {"at": f"{DAY}T13:30", "share": 0.5},
            {"at": f"{DAY}T18:10", "share": 0.5},
            {"at": f"{DAY}T18:20", "share": 0},
        ],
        "statuses": {"a_meter": 0.3},
        "gasps": {"heard": 1.0, "after_s": 0},
    },
}


def planned(times: float = 1) -> Plan:
    """Two access points' callers of a day, so many times as many; one of the two is without power in the afternoon."""
    fields = FIELDS | {"surge": {"times": times}}
    plan, mistakes = plan_of(YamlDocument("two-points.yaml", fields), WorkloadSpec.model_validate(fields))
    assert plan is not None, mistakes
    return plan


@dataclass(frozen=True, slots=True, eq=False)
class Both:
    """One load and the world it is played in; ``live`` and ``modelled`` play it."""

    cast: Cast
    world: World
    assumptions: Assumptions
    #: By the key that SMT gives a request: its row.
    row_of: dict[str, int]


class KeyedDraws:
    """The compiled engine's draws of a load, from the beginning, by SMT's key of the request."""

    def __init__(self, both: Both, row: Callable[[str], int] | None = None) -> None:
        """row: of a key, unless it follows from the plan, as where the clock stands still."""
        self._row = row or both.row_of.__getitem__
        load, policy = both.cast.workload, preset("smt-today")
        self._both = both
        self._ground = ground_of(load.requests, load.outages, policy, both.assumptions, SEED, 1, 1)
        self._law = self._ground.law[0]

    def middle(self, key: str) -> Middle:
        """See ``MiddleDraws``."""
        rows = self._both.cast.workload.requests
        row = self._row(key)
        call, at_us = int(rows.call[row]), micros(rows.planned_us[row])
        ground = self._ground
        picked_us, back_us, lost = draws.middle_way(self._law, ground.tables, ground.memory, call, 0, at_us)
        # Who is picked up together goes on in the order of a batch, a microsecond apart; live, an instant's order is that of the keys.
        nth = int(ground.memory[self._law.batch_place + 1])
        return Middle(picked_us + micros(nth) - at_us, back_us, LOST[lost])

    def tried(self, key: str, attempt: int) -> Try:
        """See ``TryDraws``."""
        call = int(self._both.cast.workload.requests.call[self._row(key)])
        return Try(*draws.tried(self._law, call, 0, attempt))


def both(
    count: int, assumptions: Assumptions = CONTENDED, hours: str = "11-20", *, times: float = 1, portal: bool = True
) -> Both:
    """So many requests, spread over some hours, and the world for them: who asks of an access point has its meters. portal: customers too."""
    workload = part_of(planned(times), 0, hours, count)
    outages = workload.outages
    assert len(outages) == 1
    homes = (*range(1, PER_POINT, 3), *range(PER_POINT + 1, METERS, 3))
    market = MarketSpec(occupancies=tuple(OccupancySpec(meter=at, customer="customer.homes") for at in homes))
    storm = [
        FaultSpec.model_validate(
            {
                "kind": FaultKind.OUTAGE,
                "gateway": int(point) + 1,
                "first": _instant(begins),
                "until": _instant(ends),
                "restoration_s": 0,
            }
        )
        for point, begins, ends in zip(outages.access_point, outages.from_us, outages.to_us, strict=True)
    ]
    day = day_of(BEGIN)
    spec = WorldSpec(first_day=day - timedelta(days=2), meters=METERS, gateways=2, faults=tuple(storm), market=market)
    world = build(spec, SEED)
    rights = [one for one in rights_of(build_market(world), day) if portal or one.requester != CUSTOMER]
    # The first gateway's meters are the one retailer's, those of the second the other's.
    rows = workload.requests
    given = cast(replace(workload, requests=replace(rows, ror=rows.access_point)), rights)
    gateway = {meter.identity.esiid: at for at, _, meter in world.placed}
    rows = given.workload.requests
    points = np.asarray([gateway[given.rights[place].esiid] for place in given.right], dtype=np.int16)
    # The storm's instants as the meters have them, to the second.
    begins, ends = (np.asarray([to_us(to_s(micros(at))) for at in one]) for one in (outages.from_us, outages.to_us))
    whole = replace(outages, from_us=begins, to_us=ends, told_us=begins)
    workload = replace(given.workload, requests=replace(rows, access_point=points), outages=whole)
    given = replace(given, workload=workload)
    keys = {_key(given, row): row for row in range(len(rows))}
    assert len(keys) == len(rows)
    return Both(given, world, assumptions, keys)


def _instant(at_us: Micros) -> datetime:
    return local(to_s(at_us))


def _key(of: Cast, row: int) -> str:
    """SMT's key of a request: it follows from who asks for what, and when."""
    rows, right = of.workload.requests, of.rights[of.right[row]]
    at_us, call = int(rows.planned_us[row]), f"load-{rows.call[row]}"
    kind = list(InquiryKind)[rows.kind[row]]
    if right.requester == CUSTOMER:
        trans_id = digits("portal", right.login.username, right.esiid, at_us)
        content = (right.login.username, right.esiid, kind, Door.PORTAL, trans_id, "")
    else:
        content = (right.login.username, right.esiid, kind, Door.API, f"{call}-0001", call)
    return digits(SEED, content, at_us, 0)


class Lived(NamedTuple):
    """What came of a load live."""

    player: LoadPlayer
    #: The ledger's entries by row (on a clock that runs, of those that were taken on), and when each sweep had its batch in the store.
    entries: dict[int, Any]
    swept_us: list[Micros]
    #: Whether the clock was not kept.
    behind: bool


async def live(of: Both, policy: Policy, rule: SweepRule, out: Path, speed: float | None = None) -> Lived:
    """Play it in a sandbox: on the manual clock, or on one so many times as fast as the wall's."""
    by_call = {f"load-{call}": row for row, call in enumerate(of.cast.workload.requests.call.tolist())}
    row_of = dict(of.row_of) if speed is None else {}

    def row(key: str) -> int:
        if key not in row_of:
            entry = sandbox.smt.ledger.entry(key)
            assert entry is not None
            row_of[key] = by_call[entry.filed.call_reference]
        return row_of[key]

    drawn = KeyedDraws(of, row)
    mode = ClockMode.MANUAL if speed is None else ClockMode.SCALED
    settings = SandboxSettings(
        world=of.world,
        clock=Clock(mode, to_us(to_s(micros(of.cast.workload.requests.planned_us[0])) - 600), speed or 1.0),
        policy=policy,
        middle=drawn.middle,
        draws=drawn.tried,
        network=of.assumptions.network,
        sweep_rule=rule,
        history=True,
        out=out,
    )
    swept: list[Micros] = []
    async with (
        Sandbox(settings) as sandbox,
        httpx.AsyncClient(base_url=sandbox.smt_server.url, timeout=30.0, trust_env=False) as http,
    ):
        keep = sandbox.headend_store.keep

        def kept(readings: Any, collected_at: Any, origin: Any) -> None:
            if origin == "sweep":
                swept.append(micros(sandbox.runtime.env.now))
            keep(readings, collected_at, origin)

        setattr(sandbox.headend_store, "keep", kept)  # noqa: B010 (a method)
        player = LoadPlayer(sandbox.runtime, [http], of.cast, poll_s=seconds(60), give_up_s=seconds(3600))
        playing = sandbox.runtime.env.process(player.run())
        if speed is None:
            last = to_s(micros(of.cast.workload.requests.planned_us[-1])) + to_s(EXPIRY_US) + 600
            await sandbox.runtime.run_until(last)
        else:
            over = asyncio.Event()
            playing.callbacks.append(lambda _: over.set())
            waiting = [asyncio.ensure_future(one) for one in (sandbox.runtime.serve(), over.wait())]
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            for one in waiting:
                one.cancel()
        assert not playing.is_alive
        assert sandbox.faults() == []
        entries = {at: sandbox.smt.ledger.entry(key) for key, at in row_of.items()}
        behind = [one for one in sandbox.journal.entries() if one["kind"] == BEHIND]
        return Lived(player, entries, swept, bool(behind))


def modelled(of: Both, policy: Policy, rule: SweepRule, swept_us: list[Micros]) -> dict[str, OnDemandRequest]:
    """The same by ``capacity.model``. swept_us: when each sweep's batch is in the store; they begin at 12, 16 and 20 h."""
    drawn, outages = KeyedDraws(of), of.cast.workload.outages
    begins = [epoch(f"{DAY}T{hour:02d}:00") for hour in (12, 16, 20)]
    service_us = rounded_us(1 / of.assumptions.network.access_point_tps)
    dark = {
        int(point): [Span(micros(a), micros(b))]
        for point, a, b in zip(outages.access_point, outages.from_us, outages.to_us, strict=True)
    }
    failures, sweeps = {}, {}
    for gateway, _, meter in of.world.placed:
        esiid, out = meter.identity.esiid, dark.get(gateway, [])
        done = [
            (at, when)
            for at, when in zip(begins, swept_us, strict=False)
            if not any(one.holds(to_us(at)) for one in out)
        ]
        sweeps[esiid] = [Sweep(to_us(BEGIN), epoch(f"{DAY}T08:00")), *(Sweep(when, at) for at, when in done)]
        failures[esiid] = [PowerFailure(to_s(one.from_us), one.from_us, one.to_us) for one in out]
    air = Air(
        of.assumptions.network, dark, [Span(to_us(at), to_us(at) + PER_POINT * service_us) for at in begins], rule
    )
    model = Model(
        policy, sweeps, to_us(BEGIN), air=air, power_failures=failures, middle=drawn.middle, tries=drawn.tried
    )
    kept: list[OnDemandRequest] = []
    model.run(list(_tabled(of)), kept)
    return {one.key: one for one in kept}


def _tabled(of: Both) -> Iterator[TabledRequest]:
    rows, rights = of.cast.workload.requests, of.cast.rights
    for key, row in of.row_of.items():
        at_us, right, kind = micros(rows.planned_us[row]), rights[of.cast.right[row]], list(InquiryKind)[rows.kind[row]]
        start = end = seconds(0)
        if kind is InquiryKind.INTERVALS:
            span = gap(VEE_END, to_s(at_us))
            start, end = span.start, span.end
        point, portal = int(rows.access_point[row]), right.requester == CUSTOMER
        scopes = {
            Scope.ESIID: right.esiid,
            Scope.ROR: ("9990001110000", "9990002220000")[point],
            Scope.REQUESTER_CLASS: "customer" if portal else "ror_call_centre",
            Scope.TDSP: "ONCOR",
            Scope.ACCESS_POINT: f"ONCOR-{point}",
        }
        door = Door.PORTAL if portal else Door.API
        yield TabledRequest(key, kind, right.esiid, at_us, start, end, scopes, door, _NONE, (), point)


_NONE = Middle(micros(0), micros(0))
