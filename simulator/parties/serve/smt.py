"""SMT alone: its records, links and way to the TDSP as they were asked for, served until it is stopped."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from meters.calendar import day_of, rounded_us, to_s
from simulator.errors import SimulatorError
from simulator.parties.clock_sharing import MOVED, PartyClock, party_clock
from simulator.parties.keys_file import KEYS, kept_keys, warn_open
from simulator.parties.options import SmtOptions
from simulator.parties.ready_line import ReadyFleet, read_ready
from simulator.parties.smt import AloneSettings, smt_alone, token_life
from simulator.runtime.folder import own
from simulator.runtime.journal import SERVING_LIMIT, RunJournal
from simulator.runtime.serving import base_url, bind
from simulator.runtime.until_stopped import Up, clock_text, serve
from simulator.smt.database.seat import Role
from simulator.smt.ondemand.middle import middle_of, way_text
from simulator.smt.party import SmtConfig
from simulator.smt.registry.csv_files import read_registry
from simulator.smt.registry.records import EntityKind
from simulator.smt.registry.registry import Registry
from simulator.smt.throttle.policy import load_policy
from simulator.world.fleet import world_of
from simulator.world.fleet_options import fleet_of
from simulator.world.market import Market, build_market

#: What an SMT alone writes into its folder.
FILES = (*(f"smt.sqlite{part}" for part in ("", "-wal", "-shm")), "ftps", "tls", KEYS)
#: Passive ports of the file site behind its own, as in a sandbox.
_PASSIVE = range(9, 29)
#: Records go back so many days before the model began, as a sandbox's posted days do.
_POSTED_DAYS = 35


def serve_smt(options: SmtOptions) -> None:
    """Serve SMT as it was asked for. Raises a UserError naming the option."""
    role = _role(options.role, options.keep)
    known = read_ready(options.meters_of, "--meters-of") if options.meters_of is not None else None
    begins = party_clock(options.clock, known.clock if known else None, MOVED)
    made = (known.fleet if known else None) or ReadyFleet(
        tdsp=options.tdsp, seed=options.seed, count=options.count, mix=options.mix, special=options.special
    )
    registry, market = _records(options, made, begins)
    settings = AloneSettings(
        config=SmtConfig(
            seed=made.seed,
            policy=load_policy(options.policy, place="--policy"),
            token_life=token_life(options.token_life),
            database_url=options.database or f"sqlite:///{options.out / FILES[0]}",
            links=_links(options.headend or [], registry),
            expiry_us=rounded_us(options.expiry * 60),
            role=role,
            open_links=options.open_links,
            reply_to=base_url(options.reply_to, "--reply-to", "smt.reply_to"),
        ),
        registry=registry,
        middle=middle_of(options.middle, made.seed),
        out=options.out,
        ftps_port=None if role is Role.WORKER else options.ftps_port,
        passive_ports=range(options.ftps_port + _PASSIVE.start, options.ftps_port + _PASSIVE.stop)
        if options.ftps_port
        else None,
        tls=options.tls,
        host=options.host,
        wire=options.wire,
    )
    own_keys = Path(known.keys_file) if known and known.keys_file else options.out / KEYS
    keys = dict.fromkeys(_tdsps(registry), own_keys) | {
        key: Path(file) for key, file in _by_tdsp(options.keys or [], registry, "--keys").items()
    }
    serve(_up(options, settings, market, begins, keys), options.tell.log, as_json=options.tell.as_json)


@asynccontextmanager
async def _up(
    options: SmtOptions, settings: AloneSettings, market: Market | None, begins: PartyClock, keys: dict[str, Path]
) -> AsyncIterator[Up]:
    # A worker's folder is its dispatcher's.
    shares = settings.config.role is Role.WORKER
    folder = nullcontext() if shares else own(settings.out, () if options.keep else FILES)
    with folder, bind(options.host, options.port, "SMT", "--port") as bound:
        config = replace(settings.config, keys={key: kept_keys(file) for key, file in keys.items()})
        settings = replace(settings, config=config)
        if config.open_links:
            warn_open("SMT")
        async with smt_alone(settings, begins.begun(), bound, RunJournal(SERVING_LIMIT)) as party:
            ready = party.ready(market) | {
                "keys_file": str(next(iter(keys.values())).resolve()),
                "middle": options.middle,
            }
            yield Up(ready, _lines(settings, ready), [party.runtime.serve()])


def _role(name: str, keep: bool) -> Role:
    if name not in tuple(Role):
        raise SimulatorError("smt.role", f"There is no role '{name}'.", "--role", f"Choose {', '.join(Role)}.")
    if name == Role.WORKER and not keep:
        raise SimulatorError(
            "smt.role",
            "A worker has the dispatcher's folder, and does not clear it.",
            "--fresh",
            "Give it to the dispatcher.",
        )
    return Role(name)


def _records(options: SmtOptions, made: ReadyFleet, begins: PartyClock) -> tuple[Registry, Market | None]:
    """The records that are told, or those made for the meters that are, with the market around them."""
    if options.registry is not None:
        return read_registry(options.registry), None
    fleet = fleet_of(made.tdsp, made.count, made.seed, made.mix, None, None)
    began = to_s(begins.clock.epoch_us)
    market = build_market(world_of(fleet, made.special, day_of(began) - timedelta(days=_POSTED_DAYS), began))
    return market.registry, market


def _tdsps(registry: Registry) -> list[str]:
    """The key of every TDSP."""
    return [entity.key for entity in registry.entities.values() if entity.kind is EntityKind.TDSP]


def _by_tdsp(given: list[str], registry: Registry, option: str) -> dict[str, str]:
    """What an option says, by TDSP key, KEY=VALUE; a value without a key is every TDSP's."""
    keys = _tdsps(registry)
    found: dict[str, str] = {}
    for one in given:
        key, named, value = one.partition("=")
        if not named or "/" in key:
            key, value = "", one
        if key and key not in keys:
            raise SimulatorError(
                f"smt.{option.strip('-')}.tdsp",
                f"There is no TDSP '{key}' in the records.",
                option,
                f"It has {', '.join(keys)}.",
            )
        found |= dict.fromkeys([key] if key else keys, value)
    return found


def _links(given: list[str], registry: Registry) -> dict[str, str]:
    """Base URL of the head-end by TDSP key."""
    links: dict[str, str] = {}
    for key, url in _by_tdsp(given, registry, "--headend").items():
        if not url.startswith(("http://", "https://")):
            if "://" in url or (re.fullmatch(r"[^/]+:\d+", url) and not Path(url).exists()):
                raise SimulatorError(
                    "smt.headend", f"'{url}' is no URL.", "--headend", "Write the whole of it: http://127.0.0.1:8610."
                )
            url = read_ready(url, "--headend").headend_url
        if not url:
            raise SimulatorError(
                "smt.headend",
                f"'{url}' tells no head-end.",
                "--headend",
                "Give its URL, http://127.0.0.1:8610, or a file with its ready line.",
            )
        links[key] = url.rstrip("/")
    return links


def _lines(settings: AloneSettings, ready: dict[str, Any]) -> list[str]:
    """Addresses, log-ins and special ESI IDs, for people."""
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
    special = [f"  {row['esiid']}  meter {row['meter_number']}  {row['note']}" for row in ready.get("esiids", [])]
    return [
        f"ami smt serve: records of {len(settings.registry.points)} service points, "
        f"{clock_text(ready)}, policy {ready['policy']}",
        "",
        f"  browser    {ready['smt_url']}/   (the portal's pages: begin here, with a log-in of below)",
        f"  SMT        {ready['smt_url']}   (market API /v2, portal API /api and /commonapi, pages /docs)",
        *site,
        f"  keys       {ready['keys_file']}   (of the links with its head-ends)",
        *links,
        f"  the way to the TDSP: {way_text(ready['middle'])}",
        "",
        *logins,
        "",
        *special,
    ]
