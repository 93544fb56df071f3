"""Runs a scenario on real parts under the manual clock: builds the sandbox, plays the timeline, records."""

from __future__ import annotations

import functools
import shutil
from collections.abc import Callable, Generator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import httpx
import simpy

from headend.daily import DailyTimes
from meters.calendar import US, day_of, day_start, days, epoch, iso
from meters.faults.ledger import write_json, write_parquet
from scenarios.errors import ScenarioError
from scenarios.lint import unmet
from scenarios.recording import Recording
from scenarios.schema import Action, BalanceCall, PortalRead, PowerStatus, Rebill, Scenario
from simulator.clock import Clock, ClockMode
from simulator.folder import own
from simulator.market import CUSTOMER_LOGIN, ROR_LOGIN
from simulator.portal_user import PortalClient, portal_read
from simulator.ror.account import Account
from simulator.ror.client import SmtClient
from simulator.ror.errors import RorError
from simulator.ror.inquiry import CallResult, balance_inquiry, power_inquiry, request_dict
from simulator.ror.plan import PLANS, RatePlan, load_plan
from simulator.ror.rebill import rebill
from simulator.ror.usage import UsageRecord
from simulator.sandbox import SANDBOX_FILES, Sandbox, SandboxSettings
from simulator.smt.ledger import Filed
from simulator.smt.middle import FixedMiddle, LawMiddle, MiddleDraws, MiddleLaw
from simulator.smt.policy import parse_policy, preset
from simulator.smt.registry import Registry
from simulator.smt.throttle import Policy
from simulator.world import World, build
from simulator.yaml_input import Written

#: Model time after the last action that a run goes on, so that what it set going can end.
AFTERMATH_S = 20 * 60
#: What a run writes into its folder beside the sandbox's own, and clears there before it begins.
WRITTEN = (
    *SANDBOX_FILES,
    "lse",
    "faults.json",
    "faults.parquet",
    "recording.json",
    "result.json",
    "run.json",
    "report.html",
)

#: Told while a run goes on: (model instant reached, share of the run done).
Progress = Callable[[int, float], None]


@dataclass(frozen=True, slots=True)
class Run:
    """What a run gave: the recording, and what differs between runs (addresses, paths)."""

    recording: Recording
    addresses: dict[str, Any]


def policy_of(scenario: Scenario, place: str = "policy") -> Policy:
    """The scenario's throttle: a preset by name, or written out."""
    if isinstance(scenario.policy, str):
        return preset(scenario.policy, place=place)
    return parse_policy(scenario.name, scenario.policy, place=place)


def middle_of(scenario: Scenario) -> MiddleDraws:
    """The scenario's middle tier: fixed, or drawn from the law."""
    if scenario.middle is not None:
        return FixedMiddle(scenario.middle.pickup_s, scenario.middle.return_s)
    return LawMiddle(MiddleLaw(), scenario.seed)


def check(scenario: Scenario) -> None:
    """Whether all that a scenario names is there; raises ScenarioError of what is not."""
    for one in unmet(scenario):
        raise Written(f"scenario {scenario.name}", None).error(one, ScenarioError)


def plan_of(scenario: Scenario) -> RatePlan:
    """The plan of the scenario's account."""
    return load_plan(PLANS / f"{scenario.account.plan}.yaml")


async def run(scenario: Scenario, out: Path, progress: Progress | None = None) -> Run:
    """Run a scenario; its files go to ``out``. Raises a UserError when it cannot run."""
    check(scenario)
    with own(out, WRITTEN):
        return await _run(scenario, out, progress)


async def _run(scenario: Scenario, out: Path, progress: Progress | None) -> Run:
    world = build(scenario.world, scenario.seed)
    start = day_start(scenario.world.first_day)
    settings = SandboxSettings(
        world=world,
        clock=Clock(ClockMode.MANUAL, start * US),
        policy=policy_of(scenario),
        middle=middle_of(scenario),
        out=out,
        sweep_every_h=scenario.sweep_every_h,
        times=DailyTimes(scenario.vee_at, scenario.post_at),
    )
    async with Sandbox(settings) as sandbox:
        for one in scenario.complaints:
            sandbox.smt.complaints.declare(one.spec(world))
        player = _Player(scenario, world, sandbox)
        end = max(epoch(action.at) for action in scenario.timeline) + AFTERMATH_S
        # By halves of a day, so that the one who waits sees it move.
        at = start
        while at < end:
            at = min(at + 12 * 3600, end)
            await sandbox.runtime.run_until(at)
            if progress is not None:
                progress(at, (at - start) / (end - start))
        if sandbox.faults():
            raise ScenarioError(
                "run.fault",
                f"A process ended by a fault of ami-testbed's own: {sandbox.faults()[0]}.",
                scenario.name,
                "Nothing of this run can be judged.",
            )
        recording = player.recording()
        _keep_files(sandbox, out)
        faults = world.ledger(start, sandbox.runtime.now())
        write_json(faults, out / "faults.json")
        write_parquet(faults, out / "faults.parquet")
        addresses = {name: value for name, value in sandbox.ready().items() if name not in ("event", "logins")}
        await player.close()
    return Run(recording, addresses)


def _keep_files(sandbox: Sandbox, out: Path) -> None:
    """Lay the posted files and their result codes where a reader looks for them."""
    folder = sandbox.files.home(sandbox.market.tdsp_login.username)
    target = out / "lse"
    target.mkdir()
    for path in sorted(folder.iterdir()):
        shutil.copyfile(path, target / path.name)


class _Player:
    """Plays the timeline: one process per action, begun at its time."""

    def __init__(self, scenario: Scenario, world: World, sandbox: Sandbox) -> None:
        self._scenario = scenario
        self._world = world
        self._sandbox = sandbox
        self._runtime = sandbox.runtime
        self._start = sandbox.runtime.now()
        self._account = scenario.account.account(world)
        self._plan = plan_of(scenario)
        self._http = httpx.AsyncClient(
            base_url=sandbox.smt_server.url, timeout=30.0, verify=sandbox.ca.client_context(), trust_env=False
        )
        self._client = SmtClient(self._http, ROR_LOGIN.username, ROR_LOGIN.password, ROR_LOGIN.duns)
        self._portal = PortalClient(self._http, CUSTOMER_LOGIN.username, CUSTOMER_LOGIN.password)
        self._calls: dict[str, CallResult] = {}
        self._actions: dict[str, dict[str, Any]] = {}
        self._usage: dict[str, Any] = {}
        self._first_call = next((one.ref for one in scenario.timeline if isinstance(one, BalanceCall)), None)
        for action in scenario.timeline:
            self._runtime.env.process(self._play(action))

    async def close(self) -> None:
        await self._http.aclose()

    def _play(self, action: Action) -> Generator[simpy.Event, Any, None]:
        env = self._runtime.env
        yield env.timeout(epoch(action.at) * US - int(env.now))
        match action:
            case BalanceCall():
                yield from self._call(action)
            case PowerStatus():
                yield from self._power(action)
            case PortalRead():
                yield from self._portal_read(action)
            case Rebill():
                yield from self._rebill(action)

    def _call(self, action: BalanceCall) -> Generator[simpy.Event, Any, None]:
        result = yield from balance_inquiry(
            self._runtime,
            self._client,
            self._account,
            self._plan,
            action.question,
            action.ref,
            action.patience_s,
            action.poll_s,
            self._sandbox.journal,
        )
        self._calls[action.ref] = result
        self._actions[action.ref] = result.to_dict()
        if action.ref == self._first_call:
            self._usage["at_call"] = _usage(result.usage, self._account)
            self._usage["served"] = _served(result)

    def _power(self, action: PowerStatus) -> Generator[simpy.Event, Any, None]:
        ended = yield from power_inquiry(
            self._runtime, self._client, self._account, action.ref, action.poll_s, self._sandbox.journal
        )
        self._actions[action.ref] = request_dict(ended)

    def _portal_read(self, action: PortalRead) -> Generator[simpy.Event, Any, None]:
        number = self._sandbox.market.registry.points[self._account.esiid].meter_number
        read = yield from portal_read(
            self._runtime,
            self._portal,
            self._account.esiid,
            number,
            action.ref,
            poll_s=action.poll_s,
            polls=action.polls,
        )
        self._actions[action.ref] = read.to_dict()

    def _rebill(self, action: Rebill) -> Generator[simpy.Event, Any, None]:
        told = self._calls.get(action.of)
        if told is None:
            self._actions[action.ref] = {
                "trouble": {"code": "scenario.call_not_over", "reason": "the call had not ended"}
            }
            return
        result = yield from rebill(self._runtime, self._client, self._account, self._plan, told, self._sandbox.journal)
        self._actions[action.ref] = result.to_dict()
        first, last = self._account.cycle_first, day_of(self._runtime.now()) - timedelta(days=1)
        try:
            vee = yield self._runtime.io(
                "ror",
                f"{action.ref}/chart",
                functools.partial(self._client.intervals, self._account.esiid, first, last, action.ref),
                lane="smt",
            )
        except RorError:
            return
        self._usage["after_posting"] = _usage(vee, self._account)

    def recording(self) -> Recording:
        """Put what was recorded together."""
        policy = self._sandbox.settings.policy
        return Recording(
            scenario=self._scenario.model_dump(mode="json"),
            world={
                "tdsp": self._world.tdsp.key,
                "esiid": self._account.esiid,
                "meters": len(self._world.meters),
                "faults": [one.to_json() for one in self._world.ledger(self._start, self._runtime.now())],
                "plan": self._plan.name,
                "plan_terms": self._plan.model_dump(mode="json"),
                "ror": {"username": ROR_LOGIN.username, "duns": ROR_LOGIN.duns},
                "service_point": _service_point(
                    self._sandbox.market.registry, self._account.esiid, self._scenario.timeline[0].at.date()
                ),
            },
            policy={"name": policy.name, "title": policy.title, "source": policy.source.value},
            actions=self._actions,
            ledger=_ledger(
                self._sandbox,
                self._account.esiid,
                self._scenario.timeline[0].at.date(),
                self._scenario.timeline[-1].at.date(),
            ),
            journal=self._sandbox.journal.entries(),
            usage=self._usage,
        )


def _usage(record: UsageRecord, account: Account) -> dict[str, Any]:
    """The cycle's intervals in columns, for the charts."""
    cycle = record.within(account.cycle_start, account.cycle_end)
    return {
        "ends": cycle.ends.tolist(),
        "wh": cycle.wh.tolist(),
        "quality": cycle.quality.tolist(),
        "source": cycle.source.tolist(),
    }


def _served(result: CallResult) -> dict[str, Any]:
    """The intervals that SMT handed on for the call, in columns, as they came: source and instant of collection of each."""
    status = result.request.status
    intervals = [] if status is None else status.intervals or []
    return {
        "ends": [int(one.end.timestamp()) for one in intervals],
        "wh": [one.wh for one in intervals],
        "source": [one.source for one in intervals],
        "collected_at": [int(one.collectedAt.timestamp()) for one in intervals],
    }


def _service_point(registry: Registry, esiid: str, day: date) -> dict[str, Any]:
    """What SMT's registry says of the ESI ID on a day: A1 to A4 and who serves it."""
    point = registry.points[esiid]
    duns = registry.ror_of_record(esiid, day)
    return {
        "ams": point.ams,
        "provisioned": point.provisioned,
        "receiving": point.receiving,
        "lse": point.lse,
        "energized": point.energized,
        "ror_of_record": duns,
        "ror_name": None if duns is None else registry.entities[duns].name,
    }


def _gap(filed: Filed) -> dict[str, str] | None:
    return {"start": iso(filed.start), "end": iso(filed.end)} if filed.end else None


def _ledger(sandbox: Sandbox, esiid: str, first: date, last: date) -> list[dict[str, Any]]:
    """SMT's audit of an ESI ID's on-demand requests: request and call (AMB-10), every transition and its instant."""
    return [
        {
            "key": entry.filed.key,
            "kind": entry.filed.kind.value,
            "door": entry.filed.door.value,
            "call_reference": entry.filed.call_reference,
            "gap": _gap(entry.filed),
            "username": entry.filed.username,
            "duns": entry.filed.duns,
            "requester_class": entry.filed.requester_class,
            "submitted": iso(entry.filed.submitted_us // US),
            "transitions": [
                {
                    "state": one.state.value,
                    "at_us": one.at_us,
                    "reason": one.reason,
                    "meter_allowed": one.meter_allowed,
                    "from_store": one.from_store,
                    "from_meter": one.from_meter,
                    "meter_reads": one.meter_reads,
                    "octets": one.octets,
                }
                for one in entry.transitions
            ],
        }
        for day in days(first, last)
        for entry in sandbox.smt.ledger.audit(esiid, day)
    ]
