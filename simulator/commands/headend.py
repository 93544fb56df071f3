"""The command ``ami headend serve``: a TDSP's head-end alone, up until Ctrl-C. Heavy imports are inside, so that --help is at once."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from meters import SEED
from simulator.commands.options import (
    ClockOfOption,
    ClockOption,
    DateOption,
    HostOption,
    JsonOption,
    KeepOption,
    LogOption,
    SpeedOption,
    WallStartOption,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from headend.day.posting import FtpsSite
    from headend.ports import MeterAddress
    from simulator.parties.clock_sharing import PartyClock
    from simulator.parties.headend import AloneSettings, HeadEndParty
    from simulator.parties.ready_line import ReadyLine

#: What a head-end alone writes into its folder.
FILES = tuple(f"headend.sqlite{part}" for part in ("", "-wal", "-shm"))
#: Entries of the journal that are kept.
_JOURNAL_LIMIT = 50_000


def headend_serve(
    meters: Annotated[
        Path | None, typer.Option(help="Its meters: a file with the ready line of 'ami meters serve --json'.")
    ] = None,
    gateways: Annotated[
        Path | None,
        typer.Option(
            help="Its meters: a CSV of esiid, meter_number, host, port, unit_id and, if need be, multiplier, access_point."
        ),
    ] = None,
    smt: Annotated[
        Path | None, typer.Option(help="SMT's file site: a file with the ready line of 'ami smt serve --json'.")
    ] = None,
    smt_ftps: Annotated[str, typer.Option(help="SMT's file site, HOST:PORT.")] = "",
    ca: Annotated[Path | None, typer.Option(help="PEM file of the authority behind SMT's certificates.")] = None,
    login: Annotated[
        str, typer.Option(help="USERNAME:PASSWORD at the file site.", envvar="AMI_SMT_LOGIN", show_envvar=True)
    ] = "",
    port: Annotated[int, typer.Option(help="The HTTP service's port; 0 takes a free one.", min=0, max=65535)] = 8610,
    host: HostOption = "127.0.0.1",
    backfill: Annotated[
        int,
        typer.Option(help="Operating days before now that are read from the meters and posted.", min=0, max=35),
    ] = 35,
    sweep_every: Annotated[int, typer.Option(help="Hours between two sweeps.", min=1, max=24)] = 4,
    seed: Annotated[int, typer.Option(help="Of the radio network's draws.", min=0)] = SEED,
    meter_timeout: Annotated[
        float,
        typer.Option(
            help="Wall seconds after which a silent meter is given up; until then its gateway's others wait. 0: by the clock, 1 to 3.",
            min=0,
            max=60,
        ),
    ] = 0.0,
    date: DateOption = "",
    clock: ClockOption = "",
    speed: SpeedOption = None,
    wall_start: WallStartOption = 0.0,
    clock_of: ClockOfOption = "",
    out: Annotated[Path, typer.Option(help="Folder for its database.")] = Path("ami-out/headend"),
    keep: KeepOption = True,
    log: LogOption = "",
    as_json: JsonOption = False,
) -> None:
    """Serve a head-end until Ctrl-C: it sweeps its meters, validates and posts their days, and answers on-demand inquiries."""
    import asyncio

    from headend.http.log import logging_to
    from simulator.errors import SimulatorError
    from simulator.parties.clock_sharing import ClockOptions, party_clock
    from simulator.parties.headend import AloneSettings
    from simulator.parties.meter_roster import read_roster, roster_of
    from simulator.parties.ready_line import read_ready
    from simulator.world.roster import company_of

    if (meters is None) == (gateways is None):
        raise SimulatorError(
            "headend.meters", "A head-end needs one roster of its meters.", "--meters", "Give --meters or --gateways."
        )
    known: ReadyLine | None = None
    addresses: Sequence[MeterAddress]
    if meters is not None:
        known = read_ready(meters, "--meters")
        addresses = roster_of(known, f"--meters {meters}")
    else:
        assert gateways is not None
        addresses = read_roster(gateways)
    company = company_of(addresses[0].esiid)
    settings = AloneSettings(
        company=company,
        addresses=addresses,
        site=_site(smt, smt_ftps, ca, login),
        database_url=f"sqlite:///{out / FILES[0]}",
        backfill=backfill,
        sweep_every_h=sweep_every,
        seed=seed,
        meter_timeout_s=meter_timeout or None,
    )
    begins = party_clock(ClockOptions(clock, speed, date, wall_start, clock_of), known.clock if known else None)
    with logging_to(log):
        asyncio.run(_serve(settings, begins, host, port, out, keep, as_json))


def _site(smt: Path | None, smt_ftps: str, ca: Path | None, login: str) -> FtpsSite:
    """SMT's file site, from its ready line or from what is told of it; what is told counts."""
    from headend.day.posting import FtpsSite
    from simulator.errors import SimulatorError
    from simulator.parties.headend import EXCHANGE_S
    from simulator.parties.ready_line import read_ready

    host, _, port = smt_ftps.rpartition(":")
    if smt_ftps and not (host and port.isascii() and port.isdigit() and 0 < int(port) < 65_536):
        raise SimulatorError(
            "headend.smt_ftps", f"'{smt_ftps}' is no address.", "--smt-ftps", "Write it as HOST:PORT: 127.0.0.1:8621."
        )
    username, _, password = login.partition(":")
    if smt is not None:
        known = read_ready(smt, "--smt")
        if known.ftps is not None:
            host, port = host or known.ftps.host, port or str(known.ftps.port)
            ca = ca or Path(known.ftps.ca_file)
        if "tdsp" in known.logins and not login:
            username, password = known.logins["tdsp"].username, known.logins["tdsp"].password
    lacking = [
        option
        for option, there in (("--smt-ftps", host), ("--ca", ca), ("--login", username and password))
        if not there
    ]
    if lacking or ca is None:
        raise SimulatorError(
            "headend.smt",
            "It is not told how to post to SMT's file site.",
            ", ".join(lacking),
            "Give them, or --smt with the ready line of 'ami smt serve --json'.",
        )
    return FtpsSite(host, int(port), username, password, ca, timeout_s=EXCHANGE_S)


async def _serve(
    settings: AloneSettings, begins: PartyClock, host: str, port: int, out: Path, keep: bool, as_json: bool
) -> None:
    from simulator.parties.headend import head_end_alone
    from simulator.runtime.folder import own
    from simulator.runtime.journal import RunJournal
    from simulator.runtime.serving import bind
    from simulator.runtime.until_stopped import serve_until_stopped, stopped

    with own(out, () if keep else FILES), bind(host, port, "the head-end", "--port") as bound:
        async with head_end_alone(settings, begins.begun(), bound, RunJournal(_JOURNAL_LIMIT)) as party:
            ready = party.ready()
            await serve_until_stopped(ready, _told(party, settings, ready), as_json, party.runtime.serve())
    stopped(as_json)


def _told(party: HeadEndParty, settings: AloneSettings, ready: dict[str, Any]) -> list[str]:
    """Where it is and what it works with, for people."""
    from simulator.runtime.until_stopped import clock_told

    return [
        f"ami headend serve: {party.meters} meters of {settings.company.name}, {clock_told(ready)}",
        "",
        f"  head-end   {ready['headend_url']}   (POST /inquiries, POST /events, pages /docs)",
        f"  posts to   {settings.site.place} as {settings.site.username}",
        f"  sweeps every {settings.sweep_every_h} h, and at once; goes back {settings.backfill} days",
    ]
