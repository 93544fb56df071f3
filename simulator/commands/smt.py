"""The command ``ami smt serve``: SMT alone, up until Ctrl-C. Heavy imports are inside, so that --help is at once."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from meters import SEED
from simulator.commands.options import (
    ClockOfOption,
    ClockOption,
    DatabaseOption,
    DateOption,
    HostOption,
    JsonOption,
    KeepOption,
    LogOption,
    PolicyOption,
    SpeedOption,
    TlsOption,
    WallStartOption,
)

if TYPE_CHECKING:
    from meters.fleet import Fleet
    from simulator.parties.clock_sharing import PartyClock
    from simulator.parties.smt import AloneSettings
    from simulator.smt.database.seat import Role
    from simulator.smt.ondemand.middle import MiddleDraws
    from simulator.smt.registry.registry import Registry
    from simulator.world.market import Market

#: What an SMT alone writes into its folder.
FILES = (*(f"smt.sqlite{part}" for part in ("", "-wal", "-shm")), "ftps", "tls")
#: Entries of the journal that are kept.
_JOURNAL_LIMIT = 50_000
#: Passive ports of the file site behind its own, as in a sandbox.
_PASSIVE = range(9, 29)
#: Records go back so many days before the model began, as a sandbox's posted days do.
_POSTED_DAYS = 35


def smt_serve(
    headend: Annotated[
        list[str] | None,
        typer.Option(
            help="The head-end: its URL, or a file with the ready line of 'ami headend serve --json'; KEY=URL for one of several TDSPs."
        ),
    ] = None,
    meters: Annotated[
        Path | None,
        typer.Option(help="Records for the meters in the ready line of 'ami meters serve --json'. Or:"),
    ] = None,
    tdsp: Annotated[str, typer.Option(help="Whose meters the records are made for,")] = "ONCOR",
    count: Annotated[int, typer.Option(help="how many,")] = 40,
    seed: Annotated[int, typer.Option(help="which ones, as 'ami meters serve' was told,", min=0)] = SEED,
    mix: Annotated[str, typer.Option(help="homes or market,")] = "market",
    special: Annotated[bool, typer.Option(help="and the magic ESI IDs too.")] = True,
    registry: Annotated[
        Path | None, typer.Option(help="Or the records themselves: a folder of CSV files, passwords as hashes.")
    ] = None,
    policy: PolicyOption = "smt-today",
    middle: Annotated[
        str,
        typer.Option(help="What the way to the TDSP takes: law, or seconds to the pick-up and back, 18,52."),
    ] = "law",
    expiry: Annotated[
        float,
        typer.Option(help="Minutes of model time after which a request without an answer expires (T-FAILED).", min=1),
    ] = 45.0,
    port: Annotated[int, typer.Option(help="The HTTP service's port; 0 takes a free one.", min=0, max=65535)] = 8600,
    ftps_port: Annotated[int, typer.Option(help="The file site's port; 0 takes a free one.", min=0, max=65500)] = 8621,
    host: HostOption = "127.0.0.1",
    reply_to: Annotated[
        str, typer.Option(help="Base URL under which head-ends reach it; where it listens unless given.")
    ] = "",
    tls: TlsOption = False,
    database: DatabaseOption = "",
    role: Annotated[
        str,
        typer.Option(
            help="alone; or dispatcher or worker of several at one PostgreSQL database: a worker has the dispatcher's --out and --clock-of."
        ),
    ] = "alone",
    date: DateOption = "",
    clock: ClockOption = "",
    speed: SpeedOption = None,
    wall_start: WallStartOption = 0.0,
    clock_of: ClockOfOption = "",
    out: Annotated[Path, typer.Option(help="Folder for database, certificates and files.")] = Path("ami-out/smt"),
    keep: KeepOption = True,
    log: LogOption = "",
    as_json: JsonOption = False,
) -> None:
    """Serve SMT until Ctrl-C: its file site, the market API and the portal API."""
    import asyncio

    from headend.http.log import logging_to
    from meters.calendar import US
    from simulator.parties.clock_sharing import ClockOptions, party_clock
    from simulator.parties.ready_line import read_ready
    from simulator.parties.smt import AloneSettings
    from simulator.smt.database.seat import Role
    from simulator.smt.party import SmtConfig
    from simulator.smt.throttle.policy import load_policy

    seat = _role(role, keep)
    known = read_ready(meters, "--meters") if meters is not None else None
    begins = party_clock(ClockOptions(clock, speed, date, wall_start, clock_of), known.clock if known else None)
    if known is not None and known.fleet is not None:
        one = known.fleet
        tdsp, count, seed, mix, special = one.tdsp, one.count, one.seed, one.mix, one.special
    market = _market(_fleet(tdsp, count, seed, mix), special, begins) if registry is None else None
    records = market.registry if market is not None else _read(registry)
    settings = AloneSettings(
        config=SmtConfig(
            seed=seed,
            policy=load_policy(policy, place="--policy"),
            database_url=database or f"sqlite:///{out / FILES[0]}",
            links=_links(headend or [], records),
            expiry_us=round(expiry * 60 * US),
            role=seat,
            reply_to=_base_url(reply_to),
        ),
        registry=records,
        middle=_middle(middle, seed),
        out=out,
        ftps_port=None if seat is Role.WORKER else ftps_port,
        passive_ports=range(ftps_port + _PASSIVE.start, ftps_port + _PASSIVE.stop) if ftps_port else None,
        tls=tls,
    )
    with logging_to(log):
        asyncio.run(_serve(settings, market, begins, host, port, keep, as_json))


def _role(told: str, keep: bool) -> Role:
    from simulator.errors import SimulatorError
    from simulator.smt.database.seat import Role

    if told not in tuple(Role):
        raise SimulatorError("smt.role", f"There is no role '{told}'.", "--role", f"Choose {', '.join(Role)}.")
    if told == Role.WORKER and not keep:
        raise SimulatorError(
            "smt.role",
            "A worker has the dispatcher's folder, and does not clear it.",
            "--fresh",
            "Give it to the dispatcher.",
        )
    return Role(told)


def _base_url(told: str) -> str:
    """What --reply-to says, without its last slash."""
    import httpx

    from simulator.errors import SimulatorError

    if not told:
        return ""
    try:
        url = httpx.URL(told)
        good = url.scheme in ("http", "https") and url.host and url.port != 0 and not (url.query or url.fragment)
    except httpx.InvalidURL:
        good = False
    if not good:
        raise SimulatorError(
            "smt.reply_to",
            f"Nothing can be called back at '{told}'.",
            "--reply-to",
            "Write it as http://127.0.0.1:8600.",
        )
    return told.rstrip("/")


def _read(folder: Path | None) -> Registry:
    from simulator.smt.registry.csv_files import read_registry

    assert folder is not None
    return read_registry(folder)


def _fleet(tdsp: str, count: int, seed: int, mix: str) -> Fleet:
    from simulator.world.fleet_options import fleet_of

    return fleet_of(tdsp, count, seed, mix, None, None)


def _market(fleet: Fleet, special: bool, begins: PartyClock) -> Market:
    from datetime import timedelta

    from meters.calendar import US, day_of
    from simulator.world.fleet import world_of
    from simulator.world.market import build_market

    began = begins.clock.epoch_us // US
    return build_market(world_of(fleet, special, day_of(began) - timedelta(days=_POSTED_DAYS), began))


def _links(told: list[str], registry: Registry) -> dict[str, str]:
    """Base URL of the head-end by TDSP key; a URL without a key is every TDSP's."""
    from simulator.errors import SimulatorError
    from simulator.parties.ready_line import read_ready
    from simulator.smt.registry.records import EntityKind

    keys = [one.key for one in registry.entities.values() if one.kind is EntityKind.TDSP]
    links: dict[str, str] = {}
    for one in told:
        key, named, url = one.partition("=")
        if not named or "/" in key:
            key, url = "", one
        if key and key not in keys:
            raise SimulatorError(
                "smt.headend.tdsp",
                f"There is no TDSP '{key}' in the records.",
                "--headend",
                f"It has {', '.join(keys)}.",
            )
        if not url.startswith(("http://", "https://")):
            url = read_ready(url, "--headend").headend_url
        if not url:
            raise SimulatorError(
                "smt.headend",
                f"'{one}' tells no head-end.",
                "--headend",
                "Give its URL, http://127.0.0.1:8610, or a file with its ready line.",
            )
        links |= dict.fromkeys([key] if key else keys, url.rstrip("/"))
    return links


def _middle(told: str, seed: int) -> MiddleDraws:
    from simulator.errors import SimulatorError
    from simulator.smt.ondemand.middle import FixedMiddle, LawMiddle, MiddleLaw

    if told == "law":
        return LawMiddle(MiddleLaw(), seed)
    try:
        pickup, back = (float(one) for one in told.split(","))
        if not (0 <= pickup < 86_400 and 0 <= back < 86_400):
            raise ValueError(told)
    except ValueError:
        raise SimulatorError(
            "smt.middle", f"'{told}' is no way to the TDSP.", "--middle", "Write law, or two numbers of seconds: 18,52."
        ) from None
    return FixedMiddle(pickup, back)


async def _serve(
    settings: AloneSettings, market: Market | None, begins: PartyClock, host: str, port: int, keep: bool, as_json: bool
) -> None:
    from contextlib import nullcontext

    from simulator.parties.smt import smt_alone
    from simulator.runtime.folder import own
    from simulator.runtime.journal import RunJournal
    from simulator.runtime.serving import bind
    from simulator.runtime.until_stopped import serve_until_stopped, stopped
    from simulator.smt.database.seat import Role

    shares = settings.config.role is Role.WORKER
    folder = nullcontext() if shares else own(settings.out, () if keep else FILES)
    with folder, bind(host, port, "SMT", "--port") as bound:
        async with smt_alone(settings, begins.begun(), bound, RunJournal(_JOURNAL_LIMIT)) as party:
            ready = party.ready(market)
            await serve_until_stopped(ready, _told(settings, ready), as_json, party.runtime.serve())
    stopped(as_json)


def _told(settings: AloneSettings, ready: dict[str, Any]) -> list[str]:
    """Addresses, log-ins and special ESI IDs, for people."""
    from simulator.runtime.until_stopped import clock_told
    from simulator.smt.database.seat import Role

    ftps = ready.get("ftps")
    site = (
        [f"  file site  {ftps['host']}:{ftps['port']}   (FTP with explicit TLS, CA {ftps['ca_file']})"] if ftps else []
    )
    links = [f"  {key} is asked at {url}" for key, url in settings.config.links.items()] or [
        "  no head-end is linked: on-demand requests fail (--headend)"
    ]
    if settings.config.role is Role.WORKER:
        links = ["  on-demand requests are sent by the dispatcher"]
    logins = [f"  {role:<9}  {one['username']} / {one['password']}" for role, one in ready.get("logins", {}).items()]
    special = [f"  {one['esiid']}  meter {one['meter_number']}  {one['note']}" for one in ready.get("esiids", [])]
    return [
        f"ami smt serve: records of {len(settings.registry.points)} service points, "
        f"{clock_told(ready)}, policy {ready['policy']}",
        "",
        f"  SMT        {ready['smt_url']}   (market API /v2, portal API /api and /commonapi, pages /docs)",
        *site,
        *links,
        "",
        *logins,
        "",
        *special,
    ]
