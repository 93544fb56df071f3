"""A retailer alone: its accounts, its way to SMT and its desk's agent as they were asked for, served until it is stopped."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from headend.http.front import is_loopback
from simulator.errors import SimulatorError
from simulator.parties.clock_sharing import PartyClock, party_clock
from simulator.parties.headend import trusting
from simulator.parties.options import RorOptions
from simulator.parties.ready_line import ReadyLine, read_ready
from simulator.parties.ror import AGENT, RorSettings, ror_alone
from simulator.parties.sandbox import CALLS
from simulator.ror.accounts.folder import read_accounts
from simulator.ror.desk.calls import DeskLimits
from simulator.runtime.folder import own
from simulator.runtime.journal import SERVING_LIMIT, RunJournal
from simulator.runtime.serving import base_url, bind
from simulator.runtime.until_stopped import Up, clock_text, serve
from simulator.world.market import Login


def serve_ror(options: RorOptions) -> None:
    """Serve a retailer as it was asked for. Raises a UserError naming the option."""
    if options.accounts is None:
        raise SimulatorError(
            "ror.accounts", "A retailer has accounts.", "--accounts", "Name a folder; docs/accounts is one."
        )
    known = read_ready(options.smt_of, "--smt-of") if options.smt_of is not None else None
    url, login = _smt(options, known)
    agent = _login(options.agent, "--agent")
    if agent.password == AGENT.password and not is_loopback(options.host):
        raise SimulatorError(
            "ror.agent", "Beyond this machine the desk needs an agent of its own.", "--agent", "Give USERNAME:PASSWORD."
        )
    settings = RorSettings(
        smt_url=url,
        login=login,
        book=read_accounts(options.accounts),
        ledger=options.out / CALLS,
        agents={agent.username: agent.password},
        trust=_trust(options.ca, known),
        limits=DeskLimits(under_way=options.under_way),
        host=options.host,
        wire=options.wire,
        seed=options.seed,
    )
    begins = party_clock(options.clock, known.clock if known else None)
    serve(_up(options, settings, begins), options.tell.log, as_json=options.tell.as_json)


@asynccontextmanager
async def _up(options: RorOptions, settings: RorSettings, begins: PartyClock) -> AsyncIterator[Up]:
    folder = own(options.out, () if options.keep else (CALLS,))
    with folder, bind(options.host, options.port, "the retailer's desk", "--port") as bound:
        async with ror_alone(settings, begins.begun(), bound, RunJournal(SERVING_LIMIT)) as party:
            ready = party.ready()
            yield Up(ready, _lines(settings, ready), [party.runtime.serve()])


def _smt(options: RorOptions, known: ReadyLine | None) -> tuple[str, Login]:
    """SMT's base URL and the log-in there, from its ready line and from what is told of it; what is told counts."""
    ror = known.logins.get("ror") if known is not None else None
    url = base_url(options.smt, "--smt", "ror.smt") or (known.smt_url if known is not None else "")
    if options.login:
        login = _login(options.login, "--login")
    else:
        login = Login(ror.username, ror.password) if ror is not None else Login("", "")
    duns = options.duns or (ror.duns if ror is not None else "")
    lacking = [option for option, there in (("--smt", url), ("--login", login.username), ("--duns", duns)) if not there]
    if lacking:
        raise SimulatorError(
            "ror.smt",
            "It is not told how to ask SMT.",
            ", ".join(lacking),
            "Give them, or --smt-of with the ready line of 'ami smt serve --json'.",
        )
    return url, Login(login.username, login.password, duns)


def _login(text: str, option: str) -> Login:
    username, _, password = text.partition(":")
    if not (username and password):
        raise SimulatorError(
            "ror.login", "A log-in has a name and a password.", option, "Write it as USERNAME:PASSWORD."
        )
    return Login(username, password)


def _trust(ca: Path | None, known: ReadyLine | None) -> ssl.SSLContext:
    """TLS towards SMT: the authority that is told, else those that the machine knows."""
    file = ca or (Path(known.ca_file) if known is not None and known.ca_file else None)
    return ssl.create_default_context() if file is None else trusting(file, "ror")


def _lines(settings: RorSettings, ready: dict[str, Any]) -> list[str]:
    """Where it is and what it works with, for people."""
    lost = ready["lost_calls"]
    return [
        f"ami ror serve: {ready['accounts']} accounts, {clock_text(ready)}",
        "",
        f"  browser    {ready['desk_url']}   (the call screen: log in as {next(iter(settings.agents))})",
        f"  desk       {ready['ror_url']}   (POST /calls as {next(iter(settings.agents))}, pages /docs)",
        f"  asks       {settings.smt_url} as {settings.login.username}",
        f"  ledger     {settings.ledger}   (each call, JSON lines)",
        *(
            [f"  lost       {', '.join(lost)}: under way when the desk was last stopped, nobody was told"]
            if lost
            else []
        ),
    ]
