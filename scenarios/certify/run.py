"""``ami certify run`` but for its printing: starts the system, tests its connections, plays step by step, and leaves a recording that can be judged."""

from __future__ import annotations

import contextlib
import csv
import json
import os
import shutil
import sys
import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from headend.http.links import LinkKeys
from headend.ports import fault_text
from meters.calendar import Seconds, iso
from meters.errors import UserError
from scenarios import twins
from scenarios.certify.connect import (
    Reached,
    api_reached,
    inquiries_reached,
    modbus_reached,
    portal_reached,
    wires_seen,
)
from scenarios.certify.control import Control
from scenarios.certify.observed import PLAN, RECORDING, STEPS, TRUTH, WHOLE, digest_of
from scenarios.certify.plan import FLIGHT, PlanStep, flight_of, plan_of
from scenarios.certify.smt.handed import RECORDS, REGISTRY, hand, our_logins
from scenarios.certify.started import filled, free_port, free_ports, running
from scenarios.certify.statement import EVENTS, PORTAL, Runs, Serves, Start, Statement
from scenarios.certify.truth import truth_text
from scenarios.errors import ScenarioError
from scenarios.outside.party import Outside, OutsideMeter, OutsideSmt
from scenarios.recording import WIRE
from scenarios.running.runner import begin, run
from simulator.errors import SimulatorError
from simulator.parties.keys_file import KEYS, kept_keys
from simulator.parties.sandbox import FTPS_PORT, GATEWAY_PORTS, HEADEND_PORT, HOST, PASSIVE_PORTS, SMT_PORT
from simulator.runtime.folder import own, write_whole
from simulator.runtime.lag import LAG_S
from simulator.runtime.until_stopped import Stopped, even_at_once, finishing, leave_alone, run_stoppable
from simulator.tap.chain import check_chain
from simulator.tap.log import WireLog
from simulator.world.market import logins, tdsp_login
from simulator.world.meters import build

STATEMENT = "sut.yaml"
#: Those of two systems at once, by role.
STATEMENTS = {"ror": "sut-ror.yaml", "headend": "sut-headend.yaml"}
#: What a certification writes into its folder beside what is made of it, and clears there before it begins.
RECORDED = (STATEMENT, *STATEMENTS.values(), PLAN, TRUTH, STEPS)
LOG, METERS, WORK, CA = "sut.log", "meters.csv", "work", "ca.pem"
#: Files that a retailer is handed for a call, by placeholder.
HANDED = {"plan": "rate-plan.json", "usage": "usage.json"}
#: Where an SMT that is not ours may have its file site, with room for passive ports, and its portal: behind ours.
THEIR_FTPS, THEIR_PORTAL, _THEIRS = 60, 90, range(60, 91)
#: What is made of the recording.
MADE = ("result.json", "junit.xml", "report.html", "bundle.zip")
#: Wall seconds that a reply of ours may take while the clock stands: what clients commonly wait. Where it runs, as late as the clock may be. Defaults of this project.
REPLY_S, RUNNING_REPLY_S = 5.0, LAG_S
#: By role the wires on which the system replies, and not we.
THEIRS = {
    "headend": ("inquiries",),
    "meter": ("modbus",),
    "smt": ("market", "portal", "call-backs", "control", "pages"),
}
#: Told while it goes on: steps done, steps in all.
Progress = Callable[[int, int], None]
#: Told to who starts a system by hand: where the endpoint is, and what to do.
Tell = Callable[[str, dict[str, Any]], None]


@dataclass
class Certification:
    """One run of a plan against a system. ``beside``: the other system of a flight and its statement as it is written; its role is another."""

    said: Statement
    written: str
    out: Path
    only: Sequence[str]
    progress: Progress
    tell: Tell
    beside: tuple[Statement, str] | None = None
    control: Control = field(default_factory=Control)
    connection: list[Reached] = field(default_factory=list)
    states: dict[str, tuple[str, str]] = field(default_factory=dict)
    #: The steps in their order.
    steps: list[PlanStep] = field(default_factory=list)
    #: Why a step was not played.
    unreached: str = "it was not played: the run was broken off"

    @property
    def parties(self) -> dict[str, Statement]:
        """The systems by role."""
        return {one.role: one for one in ([self.said] if self.beside is None else [self.said, self.beside[0]])}

    @property
    def serving(self) -> Statement | None:
        """The one that serves while the steps are played; none where a retailer is alone, which is started for each call."""
        return next((one for role, one in self.parties.items() if role != "ror"), None)

    def go(self) -> int:
        """Play the plan; 0, or the number of the signal that ended it: what was played is kept then."""
        if self.beside is None:
            steps, written = plan_of(self.said.role, self.said.claims, self.only), {STATEMENT: self.written}
        else:
            steps = flight_of({role: one.claims for role, one in self.parties.items()}, self.only)
            written = {STATEMENTS[self.said.role]: self.written, STATEMENTS[self.beside[0].role]: self.beside[1]}
        self.steps = steps
        there = [name for name in (*RECORDED, *MADE) if (self.out / name).exists()]
        if there and not (self.out / PLAN).is_file():
            text = f"It holds {' and '.join(there)}, and no certification has written that."
            raise ScenarioError("out.unusable", text, str(self.out), "Name another folder with --out.")
        with own(self.out, (*RECORDED, *MADE, LOG, METERS, *HANDED.values(), RECORDS, REGISTRY, WORK, CA, KEYS)):
            for name, text in written.items():
                write_whole(self.out / name, text)
            write_whole(self.out / TRUTH, self._truth(steps))
            self._write(steps)
            try:
                with even_at_once(self._leave):
                    run_stoppable(self._go(steps))
            except Stopped as stopped:
                # What was played is judged, however long that takes.
                leave_alone()
                return stopped.number
            finally:
                with finishing():
                    self._write(steps)
                    self._leave()
        return 0

    def _leave(self) -> None:
        """Leave no key and nothing that was in the way."""
        (self.out / KEYS).unlink(missing_ok=True)
        shutil.rmtree(self.out / WORK, ignore_errors=True)
        for folder in (self.out / STEPS).glob("*"):
            _tidied(folder)

    def _write(self, steps: Sequence[PlanStep]) -> None:
        """Write what was played, and how that ended."""
        rows = []
        for one in steps:
            name, title = one.name, one.scenario.title
            state, why = self.states.get(name, ("not played", self.unreached))
            row = {"name": name, "title": title, "state": state, "why": why, "wire": "", "recording": ""}
            if state == WHOLE:
                its = self.out / STEPS / name
                row |= {"wire": check_chain(its / WIRE).head, "recording": digest_of(its / RECORDING)}
            rows.append(row)
        plan = {
            "format": 1,
            "only": list(self.only),
            "reply_s": REPLY_S if self._speed is None else RUNNING_REPLY_S,
            "theirs": [wire for role in self.parties for wire in THEIRS.get(role, ())],
            "connection": [one.to_json() for one in self.connection],
            "flight": self.beside is not None,
            "bears": {one.name: list(one.bears) for one in steps},
            "steps": rows,
        }
        write_whole(self.out / PLAN, json.dumps(plan, indent=1, sort_keys=True) + "\n")

    async def _go(self, steps: Sequence[PlanStep]) -> None:
        self.progress(0, len(steps))
        keys = self._keys()
        gateways = max(one.scenario.world.gateways for one in steps)
        offsets = (
            SMT_PORT,
            HEADEND_PORT,
            FTPS_PORT,
            *PASSIVE_PORTS,
            *_THEIRS,
            *(GATEWAY_PORTS + at for at in range(gateways)),
        )
        async with contextlib.AsyncExitStack() as closing:
            base = closing.enter_context(free_ports(offsets))
            known = self._known(steps[0], base)
            await closing.enter_async_context(self.control.served())
            if (serving := self.serving) is not None and not self._each_step:
                await closing.enter_async_context(self._started(serving, known, steps[0]))
                if not await self._connected(serving, known, keys, steps[0]):
                    return
            for at, step in enumerate(steps, 1):
                await self._step(step, self._known(step, base, known["port"]), base, keys)
                self.progress(at, len(steps))
                if step.track == FLIGHT and not self._wires(step):
                    return

    def _wires(self, step: PlanStep) -> bool:
        """Whether two systems have reached each other by our market, as far as the steps that follow need it."""
        if self.states[step.name][0] == WHOLE:
            found = wires_seen(self.out / STEPS / step.name, {role: one.name for role, one in self.parties.items()})
            self.connection += found
        lost = next((one for one in self.connection if one.needed and not one.well), None)
        if lost is not None:
            self.unreached = f"{lost.what}: {lost.said}"
        return lost is None

    def _truth(self, steps: Sequence[PlanStep]) -> str:
        """What the meters hold. Raises ScenarioError for a file of theirs that cannot be read."""
        serving = self.serving
        if serving is None or serving.serves == "ours" or not serving.truth:
            return truth_text(one.scenario for one in steps)
        try:
            return Path(serving.truth).read_text("utf-8")
        except (OSError, ValueError) as error:
            said = getattr(error, "strerror", None) or "it is not UTF-8"
            text, mend = (
                f"What its meters hold cannot be read: {said}.",
                "Name a CSV file: esiid, end, wh, register_wh.",
            )
            raise ScenarioError("certify.truth", text, f"truth: {serving.truth}", mend) from None

    def _keys(self) -> LinkKeys:
        """The keys of the link: made, or those that the environment has."""
        file = self.out / KEYS
        said = self.serving or self.said
        if said.keys is not None:
            named = {"smt": said.keys.smt, "headend": said.keys.headend}
            for name, variable in named.items():
                if not os.environ.get(variable):
                    text = f"The environment has no {variable}."
                    raise ScenarioError("certify.variable", text, f"keys.{name}", f"export {variable}=...")
            made = LinkKeys.make()
            own_keys = {name: os.environ[variable] for name, variable in named.items()}
            file.touch(mode=0o600)
            file.write_text(json.dumps({"meters": made.meters, "control": made.control, **own_keys}), "utf-8")
        try:
            return kept_keys(file)
        except SimulatorError:
            if said.keys is None:
                raise
            text = f"What {said.keys.smt} or {said.keys.headend} holds is no key of a link."
            mend = "A key has 16 to 256 letters, digits and characters of ._~+/=-."
            raise ScenarioError("certify.variable", text, "keys", mend) from None

    def _known(self, step: PlanStep, base: int, port: str = "") -> dict[str, str]:
        """What a command is filled with."""
        scenario = step.scenario
        world = build(scenario.world, scenario.seed)
        roster = self.out / METERS
        with roster.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(("esiid", "meter_number", "host", "port", "unit_id", "multiplier"))
            for one in world.addresses(HOST, [base + GATEWAY_PORTS + at for at in range(len(world.gateways))]):
                writer.writerow((one.esiid, one.meter_number, one.host, one.port, one.unit_id, one.multiplier))
        own = self._serves(step)
        meter = own or world.meters[scenario.account.meter - 1].identity
        return {
            "port": port or str(free_port()),
            "smt_url": f"http://{HOST}:{base + SMT_PORT}",
            "keys": str((self.out / KEYS).resolve()),
            "truth": str((self.out / TRUTH).resolve()),
            "meters": str(roster.resolve()),
            "now": iso(begin(scenario)),
            "python": sys.executable,
            "twins": str(Path(twins.__path__[0])),
            "step": step.name,
            "esiid": meter.esiid,
            "meter_number": meter.meter_number,
            "ftps": f"{HOST}:{base + FTPS_PORT}",
            "ca": str((self.out / CA).resolve()),
            "duns": world.tdsp.duns,
            "bill_url": f"{self.control.url}/bill",
            "headend_url": f"http://{HOST}:{base + HEADEND_PORT}",
            "ftps_port": str(base + THEIR_FTPS),
            "portal_port": str(base + THEIR_PORTAL),
            "clock_url": self.control.url,
            "records": str((self.out / RECORDS).resolve()),
            "registry": str((self.out / REGISTRY).resolve()),
            "work": str((self.out / WORK / scenario.name).resolve()),
        } | ({"unit": str(own.unit)} if own else {})

    @property
    def _each_step(self) -> bool:
        """Whether it is started anew for every step."""
        one = self.serving
        return one is not None and (one.role == "smt" or (isinstance(one.start, Start) and one.start.each == "step"))

    @property
    def _speed(self) -> float | None:
        """Model seconds in a wall second; None where the clock stands."""
        return next((one.clock.speed for one in self.parties.values() if isinstance(one.clock, Runs)), None)

    def _serves(self, step: PlanStep) -> Serves | None:
        """Of whom a step asks a system with ESI IDs of its own: of one after the other."""
        serves = self.serving.serves if self.serving else "ours"
        return None if serves == "ours" else serves[self.steps.index(step) % len(serves)]

    @contextlib.asynccontextmanager
    async def _started(self, said: Statement, known: dict[str, str], step: PlanStep) -> AsyncIterator[None]:
        """A system, started by its command or by hand."""
        start = said.start
        more = self._login(said, step) if said.role in ("headend", "smt") else {}
        if isinstance(start, Start) and start.argv:
            async with running(filled(start.argv, known), self.out / LOG, more):
                yield
            return
        brief = {"do": f"Start {said.name} for the step {step.name}, then POST /next here.", **more, **known}
        self.tell(self.control.url, brief)
        await self.control.done(brief)
        yield

    async def _call(
        self,
        step: PlanStep,
        known: dict[str, str],
        brief: dict[str, str],
        clock: Callable[[], Seconds],
        log: WireLog | None,
    ) -> dict[str, Any]:
        """Have a customer call a retailer: its command is run to its end, or whoever works it by hand says when it is over."""
        files = {name: self.out / file for name, file in HANDED.items()}
        for name, path in files.items():
            write_whole(path, brief[name])
        told = known | brief | {name: str(path.resolve()) for name, path in files.items()}
        start, code = self.parties["ror"].start, None
        with self.control.hears(clock, log):
            if isinstance(start, Start) and start.argv:
                async with running(
                    filled(start.argv, told), self.out / LOG, self._login(self.parties["ror"], step)
                ) as process:
                    code = await process.wait()
            else:
                what = f"A customer calls ({told['question']}): tell the bill with POST /bill here, then POST /next."
                todo = {"do": what, **self._login(self.parties["ror"], step), **told}
                self.tell(self.control.url, todo)
                await self.control.done(todo)
        at, bill = self.control.bills[-1] if self.control.bills else (None, None)
        return {"told_at": at and iso(at), "bill": bill, "exit": code}

    def _login(self, said: Statement, step: PlanStep) -> dict[str, str]:
        """Log-ins by the names of the variables in which the system finds them: a retailer its own at our SMT, a head-end its TDSP's at the file site, an SMT those of ours."""
        scenario, found = step.scenario, dict[str, str]()
        known = {"ror": logins(scenario.world.market)[scenario.account.ror]}
        if said.role == "headend":
            known = {"tdsp": tdsp_login(build(scenario.world, scenario.seed))}
        if said.role == "smt":
            known = our_logins(scenario) | known
        for role, named in said.logins.items():
            if role in known:
                login = known[role]
                found |= {named.username: login.username, named.password: login.password}
                found |= {named.duns: login.duns} if named.duns else {}
        return found

    async def _connected(self, said: Statement, known: dict[str, str], keys: LinkKeys, step: PlanStep) -> bool:
        """Whether every endpoint is reached."""
        start, its = said.start, said.endpoints
        within_s = start.ready_s if isinstance(start, Start) else 1.0
        if its.modbus is not None:
            self.connection = await modbus_reached(filled([its.modbus], known)[0], within_s)
        if its.inquiries is not None and said.role == "headend":
            self.connection = await inquiries_reached(filled([its.inquiries], known)[0], keys, within_s)
        if its.api is not None and said.role == "smt":
            login = our_logins(step.scenario)["ror"]
            self.connection = await api_reached(filled([its.api], known)[0], login, within_s)
            if PORTAL in said.claims:
                customer, url = our_logins(step.scenario)["customer"], filled([its.portal or its.api], known)[0]
                self.connection += await portal_reached(url, customer, within_s)
        lost = next((one for one in self.connection if not one.well), None)
        if lost is not None:
            log = self.out / LOG
            wrote = f"; what it wrote is in {LOG}" if log.is_file() and log.stat().st_size else ""
            self.unreached = f"not reached: {lost.what}, {lost.said}{wrote}"
        return lost is None

    def _smt(self, known: dict[str, str]) -> OutsideSmt | None:
        """Where an SMT that is not ours is."""
        its = self.said.endpoints
        if self.said.role != "smt" or its.api is None:
            return None
        said = [its.api, its.portal or "", its.ftps or "", its.ca or "", its.inbox or ""]
        url, portal, host_port, ca_file, inbox = filled(said, known)
        host, _, port = host_port.partition(":")
        if inbox:
            Path(inbox).mkdir(parents=True, exist_ok=True)
        site = (host, int(port), Path(ca_file)) if host else None
        return OutsideSmt(url, self.said.clock == "moved", portal or None, site, Path(inbox) if inbox else None)

    def _meter(self, known: dict[str, str], ahead_s: float) -> OutsideMeter | None:
        """The meter that is read. ahead_s: by which its time is before the wall's, where it has run since it was started."""
        serves, url, said = self.said.serves, self.said.endpoints.modbus, self.said
        if url is None or serves == "ours":
            return None
        clocks: dict[str, Callable[[Seconds], float]] = {
            "from_now": lambda _: time.time() + ahead_s,
            "wall": lambda _: time.time(),
        }
        at, one = urlsplit(filled([url], known)[0]), serves[0]
        return OutsideMeter(
            str(at.hostname),
            at.port or 0,
            one.unit,
            one.esiid,
            one.meter_number,
            said.tolerances.clock_s,
            clocks.get(str(said.clock), float),
        )

    async def _step(self, step: PlanStep, known: dict[str, str], base: int, keys: LinkKeys) -> None:
        """Play a step; a fault of ours ends it alone."""
        scenario, folder = step.scenario, self.out / STEPS / step.name
        serving = self.serving
        url = serving.endpoints.inquiries if serving else None
        served = self._serves(step)
        async with contextlib.AsyncExitStack() as closing:
            smt = self._smt(known)
            self.control.now = partial(begin, scenario)
            if serving is not None and self._each_step:
                if smt is not None:
                    hand(scenario, self.out)
                    Path(known["work"]).mkdir(parents=True, exist_ok=True)
                await closing.enter_async_context(self._started(serving, known, step))
                if not await self._connected(serving, known, keys, step):
                    self.states[step.name] = ("not reached", self.unreached)
                    return
            began, caller = time.time(), self.parties.get("ror", self.said)
            outside = Outside(
                self.said.role,
                self.out / KEYS,
                base,
                (serving or self.said).tolerances.answer_s,
                filled([url], known)[0] if url else None,
                served.esiid if served else None,
                self._speed,
                any(one.role == "headend" and EVENTS in one.claims for one in self.parties.values()),
                not isinstance(caller.start, Start) or not caller.start.argv,
                partial(self._call, step, known) if "ror" in self.parties else None,
                smt,
                partial(setattr, self.control, "now"),
                self._meter(known, begin(scenario) - began),
                self.out / CA,
            )
            try:
                done = await run(scenario, folder, None, outside)
                write_whole(folder / RECORDING, done.recording.dumps())
                self.states[step.name] = (WHOLE, "")
            except UserError as error:
                self.states[step.name] = ("broken", f"{error.message.rstrip('.')} ({error.code})")
            except Exception as error:
                # A fault of ours, which ends the step and not the certification.
                said = " ".join((fault_text(error), *str(error).splitlines()[:1]))
                self.states[step.name] = ("broken", f"A fault of ours ended it: {said}.")
            finally:
                _tidied(folder)


def _tidied(folder: Path) -> None:
    """Leave of a step what a verdict rests on: recording and exchanges."""
    for path in folder.iterdir() if folder.is_dir() else ():
        if path.name in (RECORDING, WIRE):
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
