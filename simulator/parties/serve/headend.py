"""A head-end alone: its meters and SMT's file site as they were asked for, served until it is stopped."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from headend.day.posting import FtpsSite
from headend.http.links import HeadEndLink
from headend.ports import MeterAddress
from simulator.errors import SimulatorError
from simulator.input.vee_preset import chosen_preset
from simulator.parties.clock_sharing import PartyClock, party_clock
from simulator.parties.headend import EXCHANGE_S, AloneSettings, HeadEndParty, head_end_alone
from simulator.parties.keys_file import KEYS, kept_keys, warn_open
from simulator.parties.meter_roster import read_roster, roster_of
from simulator.parties.options import HeadEndOptions
from simulator.parties.ready_line import ReadyLine, read_ready
from simulator.runtime.folder import own
from simulator.runtime.journal import SERVING_LIMIT, RunJournal
from simulator.runtime.serving import base_url, bind
from simulator.runtime.until_stopped import Up, clock_text, serve
from simulator.world.roster import company_of

#: What a head-end alone writes into its folder.
FILES = (*(f"headend.sqlite{part}" for part in ("", "-wal", "-shm")), KEYS)


def serve_headend(options: HeadEndOptions) -> None:
    """Serve a head-end as it was asked for. Raises a UserError naming the option."""
    known, addresses = _roster(options.meters_of, options.gateways)
    smt = read_ready(options.smt_of, "--smt-of") if options.smt_of is not None else None
    company = company_of(addresses[0].esiid)
    settings = AloneSettings(
        company=company,
        addresses=addresses,
        vee=chosen_preset(options.vee_preset or company.key.lower()),
        site=_site(smt, options.smt_ftps, options.ca, options.login),
        database_url=f"sqlite:///{options.out / FILES[0]}",
        backfill=options.backfill,
        sweep_every_h=options.sweep_every,
        seed=options.seed,
        meter_timeout_s=options.meter_timeout or None,
        host=options.host,
        wire=options.wire,
    )
    begins = party_clock(options.clock, known.clock if known else None)
    serve(
        _up(options, settings, begins, _keys(options, smt, known), _reply_to(options, smt)),
        options.tell.log,
        as_json=options.tell.as_json,
    )


@asynccontextmanager
async def _up(
    options: HeadEndOptions, settings: AloneSettings, begins: PartyClock, keys: Path, reply_to: Sequence[str]
) -> AsyncIterator[Up]:
    folder = own(options.out, () if options.keep else FILES)
    with folder, bind(options.host, options.port, "the head-end", "--port") as bound:
        link = HeadEndLink(kept_keys(keys), reply_to, options.open_links)
        if link.open:
            warn_open("the head-end")
        async with head_end_alone(settings, begins.begun(), bound, RunJournal(SERVING_LIMIT), link) as party:
            ready = party.ready() | {"keys_file": str(keys.resolve())}
            yield Up(ready, _lines(party, settings, ready), [party.runtime.serve()])


def _roster(meters: Path | None, gateways: Path | None) -> tuple[ReadyLine | None, Sequence[MeterAddress]]:
    """The meters that are told, and the ready line that tells them."""
    if meters is not None and gateways is None:
        known = read_ready(meters, "--meters-of")
        return known, roster_of(known, f"--meters-of {meters}")
    if gateways is not None and meters is None:
        return None, read_roster(gateways)
    raise SimulatorError(
        "headend.meters", "A head-end needs one roster of its meters.", "--meters-of", "Give --meters-of or --gateways."
    )


def _keys(options: HeadEndOptions, *others: ReadyLine | None) -> Path:
    """The file with the keys of its links. Raises SimulatorError where the others have two."""
    told = {line.keys_file for line in others if line is not None and line.keys_file}
    if options.keys is None and len(told) > 1:
        raise SimulatorError(
            "headend.keys",
            f"SMT and meters have other keys: {', '.join(sorted(told))}.",
            "--keys",
            "Start one of them with the other's file, --keys FILE.",
        )
    return options.keys or (Path(told.pop()) if told else options.out / KEYS)


def _reply_to(options: HeadEndOptions, smt: ReadyLine | None) -> list[str]:
    """Where SMT is called back, as it tells it and as it is told."""
    found = [base_url(url, "--reply-to", "headend.reply_to") for url in options.reply_to or []]
    if smt is not None and (smt.reply_to or smt.smt_url):
        found.append(smt.reply_to or smt.smt_url)
    if not found and not options.open_links:
        raise SimulatorError(
            "headend.reply_to",
            "It is not told where its SMT is called back.",
            "--reply-to",
            "Give SMT's base URL, or --smt-of, or --open-links to call back wherever one asks for it.",
        )
    return found


def _site(known: ReadyLine | None, smt_ftps: str, ca: Path | None, login: str) -> FtpsSite:
    """SMT's file site, from its ready line or from what is told of it; what is told counts."""
    host, _, port = smt_ftps.rpartition(":")
    if smt_ftps and not (host and port.isascii() and port.isdigit() and 0 < int(port) < 65_536):
        raise SimulatorError(
            "headend.smt_ftps", f"'{smt_ftps}' is no address.", "--smt-ftps", "Write it as HOST:PORT: 127.0.0.1:8621."
        )
    username, _, password = login.partition(":")
    if login and not (username and password):
        raise SimulatorError(
            "headend.login", "A log-in has a name and a password.", "--login", "Write it as USERNAME:PASSWORD."
        )
    if known is not None:
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
            "Give them, or --smt-of with the ready line of 'ami smt serve --json'.",
        )
    return FtpsSite(host, int(port), username, password, ca, timeout_s=EXCHANGE_S)


def _lines(party: HeadEndParty, settings: AloneSettings, ready: dict[str, Any]) -> list[str]:
    """Where it is and what it works with, for people."""
    return [
        f"ami headend serve: {party.meters} meters of {settings.company.name}, {clock_text(ready)}",
        "",
        f"  head-end   {ready['headend_url']}   (POST /inquiries, POST /events, pages /docs)",
        f"  posts to   {settings.site.place} as {settings.site.username}",
        f"  keys       {ready['keys_file']}   (of its links with SMT and meters)",
        f"  sweeps every {settings.sweep_every_h} h, and at once; goes back {settings.backfill} days; VEE by the preset {settings.vee.name}",
    ]
