"""A sandbox as it was asked for: every party in one process, with 35 posted days behind it, served until it is stopped."""

from __future__ import annotations

import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

from platformdirs import user_cache_path

from headend.day.times import DailyTimes
from meters.calendar import LAST_DAY, day_of, to_s
from meters.faults.ledger import FILES
from meters.load.truth import ERA
from simulator.errors import SimulatorError
from simulator.input.vee_preset import chosen_preset
from simulator.parties.fleet.ledger import FaultLedger
from simulator.parties.keys_file import warn_open
from simulator.parties.options import SandboxOptions
from simulator.parties.sandbox import CALLERS, SANDBOX_FILES, DeskSettings, Sandbox, SandboxSettings
from simulator.parties.smt import token_life
from simulator.ror.accounts.folder import read_accounts
from simulator.runtime.clock import Clock
from simulator.runtime.clock_options import clock_of
from simulator.runtime.folder import own
from simulator.runtime.journal import SERVING_LIMIT
from simulator.runtime.until_stopped import Up, clock_text, serve
from simulator.smt.ondemand.middle import middle_of, way_text
from simulator.smt.throttle.policy import load_policy
from simulator.versions import PRODUCT
from simulator.world.callers import rights_of, write_rights
from simulator.world.fault_spec import read_happenings
from simulator.world.market_spec import FIRST_CUSTOMER, AgreementSpec, MarketSpec
from simulator.world.meters import USUAL_TDSP, PremiseSpec, build, default_world

#: Posted days behind the beginning, and one for a posting that is still to come.
DAYS_NEEDED = 37
#: The way to the TDSP on the manual clock, unless --middle says otherwise: the law's median, without its dice.
STEADY = "18,52"


def serve_sandbox(options: SandboxOptions) -> None:
    """Serve a sandbox as it was asked for. Raises a UserError naming the option."""
    running = clock_of(options.clock, options.speed, options.date)
    way = options.middle or (STEADY if running.manual else "law")
    if sys.stderr.isatty():
        print(f"Starting {options.count} meters, a head-end, SMT and a retailer ...", file=sys.stderr, flush=True)
    serve(_up(_settings(options, running, way), way), options.tell.log, as_json=options.tell.as_json)


@asynccontextmanager
async def _up(settings: SandboxSettings, way: str) -> AsyncIterator[Up]:
    with own(settings.out, SANDBOX_FILES):
        # The clock begins to run when the parties do, not when the command was read.
        settings = replace(settings, clock=replace(settings.clock, wall_start=time.time()))
        if settings.open_links:
            warn_open("the sandbox")
        async with Sandbox(settings) as running:
            callers = settings.out / CALLERS
            rights = rights_of(running.market, day_of(running.runtime.now()))
            # What a magic ESI ID forces is no load's.
            write_rights(callers, (one for one in rights if one.meter_number not in settings.world.special))
            ready = running.ready() | {"middle": way, "callers_file": str(callers.resolve())}
            meters = [meter for units in settings.world.gateways for meter in units.values()]
            ledger = FaultLedger(settings.out, meters, to_s(settings.clock.epoch_us), running.runtime.now)
            try:
                yield Up(ready, _lines(running, ready), [running.runtime.serve(), ledger.keep(at_once=True)])
            finally:
                ledger.write()


def _settings(options: SandboxOptions, running: Clock, way: str) -> SandboxSettings:
    now = to_s(running.epoch_us)
    vee = chosen_preset(options.vee_preset or USUAL_TDSP.lower())
    times = DailyTimes(post=vee.post, seed=options.seed)
    today = day_of(now)
    if not ERA + timedelta(days=DAYS_NEEDED) <= today < LAST_DAY:
        raise SimulatorError(
            "sandbox.date",
            f"A sandbox cannot begin on {today}.",
            "--date",
            f"Give a date from {ERA + timedelta(days=DAYS_NEEDED)} to before {LAST_DAY}.",
        )
    posted_to = today - timedelta(days=1)
    if now < times.posted_at(posted_to):
        posted_to -= timedelta(days=1)
    # Records from files are of ordinary meters: no command writes those of the magic ones.
    spec = default_world(today, posted_to, options.count, special=options.registry is None)
    agreement = AgreementSpec(meter=1, customer=FIRST_CUSTOMER, first_day=spec.first_day)
    premises = (PremiseSpec(meter=1, replay=options.replay),) if options.replay is not None else ()
    market = MarketSpec(agreements=(agreement,)) if options.registry is None else MarketSpec(registry=options.registry)
    spec = spec.model_copy(update={"market": market, "premises": premises})
    world = build(spec, options.seed, now, read_happenings(options.faults))
    return SandboxSettings(
        world=world,
        clock=running,
        policy=load_policy(options.policy, place="--policy"),
        token_life=token_life(options.token_life),
        middle=middle_of(way, options.seed),
        vee=vee,
        wire=options.wire,
        out=options.out,
        times=times,
        history=True,
        kept_days=options.kept_days or user_cache_path(PRODUCT) / "days",
        fresh=options.fresh,
        journal_limit=SERVING_LIMIT,
        tls=options.tls,
        keys=options.keys,
        open_links=options.open_links,
        smt_port=None if options.smt_port < 0 else options.smt_port,
        database_url=options.database or None,
        port_base=options.port_base,
        desk=DeskSettings(None if options.accounts is None else read_accounts(options.accounts)),
    )


def _lines(running: Sandbox, ready: dict[str, Any]) -> list[str]:
    """The addresses, log-ins and special ESI IDs, for people."""
    ror = ready["logins"]["ror"]
    ports = ", ".join(f"{gateway['host']}:{gateway['port']}" for gateway in ready["gateways"])
    trust = f" --cacert {ready['ca_file']}" if running.settings.tls else ""
    return [
        f"ami sandbox: {sum(len(gateway['meters']) for gateway in ready['gateways'])} meters of "
        f"{running.settings.world.tdsp.name}, {clock_text(ready)}, policy {ready['policy']}",
        "",
        f"  browser    {ready['smt_url']}/   (the portal's pages: begin here, with a log-in of below)",
        f"  desk       {ready['desk_url']}   (a call-centre agent's screen, with the log-in desk of below)",
        f"  console    ami console {ready['smt_url']}   (a tester's pages: counts, clock, faults, complaints, scenarios; shows these log-ins too)",
        f"  SMT        {ready['smt_url']}   (market API /v2, portal API /api and /commonapi, pages /docs)",
        f"  head-end   {ready['headend_url']}   (POST /inquiries, pages /docs)",
        f"  retailer   {ready['ror_url']}   (POST /calls as the desk's agent, pages /docs)",
        f"  file site  {ready['ftps']['host']}:{ready['ftps']['port']}   (FTP with explicit TLS, CA {ready['ca_file']})",
        f"  gateways   {ports}   (Modbus TCP)",
        f"  keys       {ready['keys_file']}   (of the links between SMT, head-end and meters)",
        f"  callers    {ready['callers_file']}   (who may ask for what, for 'ami load')",
        f"  ledger     {running.settings.out / FILES[0]}   (what the meters' faults did)",
        f"  the way to the TDSP: {way_text(ready['middle'])}; VEE there by the preset {ready['vee_preset']}",
        "",
        *(
            f"  {role:<9}  {login['username']} / {login['password']}"
            + (f"   DUNS {login['duns']}" if "duns" in login else "")
            for role, login in ready["logins"].items()
        ),
        "",
        *(f"  {row['esiid']}  meter {row['meter_number']}  {row['note']}" for row in ready["esiids"]),
        "",
        "Try:",
        f"  curl -s{trust} -H 'content-type: application/json' {ready['smt_url']}/v2/token/ \\",
        f'    -d \'{{"username":"{ror["username"]}","password":"{ror["password"]}"}}\'',
    ]
