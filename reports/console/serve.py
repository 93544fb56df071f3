"""``ami console``: finds a bed or a folder of runs, and serves until it is stopped."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import httpx

from headend.http.front import is_loopback
from reports.console.app import create_app
from reports.console.bed import ANSWER_S, Bed, BedProblem
from reports.console.door import ROOT, Console
from reports.console.own_bed import OwnBed
from simulator.errors import SimulatorError
from simulator.parties.keys_file import read_keys
from simulator.runtime.serving import HttpServer, bind, is_url
from simulator.runtime.until_stopped import Up, serve

#: Where a sandbox is that was begun without options, and where runs lie.
USUAL_BED, USUAL_RUNS = "http://127.0.0.1:8600", Path("ami-out")
#: Wall seconds after which what says nothing is taken for none. A default of this project.
_LOOK_S = 10.0
_NONE = f"none answers at {USUAL_BED}: the first page has a button that starts one"


def serve_console(what: str, host: str, port: int, runs: Path | None, keys: Path | None, ca: Path | None, password_file: Path | None, *, as_json: bool) -> None:  # fmt: skip
    """Serve. what: a bed's address, a folder of runs, or empty for the usual bed, or one that is begun from the first page. Raises SimulatorError naming the option."""
    password = _password(password_file)
    if not is_loopback(host) and not password:
        text, mend = "Who is not on this machine would come in without a password.", "Give one with --password-file."
        raise SimulatorError("console.open", text, f"--host {host}", mend)
    folder = None if not what or is_url(what) else Path(what)
    if folder is not None and not folder.is_dir():
        text, mend = (
            "This is no address of a test bed, and no folder of runs.",
            "Write http://127.0.0.1:8600, or name a folder that is there.",
        )
        raise SimulatorError("console.what", text, what, mend)
    url = "" if folder else what
    up = _up(url, folder or runs or USUAL_RUNS, host, port, keys, ca, password, begins=not what)
    serve(up, "", as_json=as_json)


def _password(file: Path | None) -> str:
    if file is None:
        return ""
    try:
        found = file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        text = f"The password cannot be read: {getattr(error, 'strerror', None) or 'it is no text'}."
        raise SimulatorError(
            "console.password", text, f"--password-file {file}", "Name a file with one line."
        ) from None
    if not found:
        raise SimulatorError(
            "console.password", "The password is empty.", f"--password-file {file}", "Write one into it."
        )
    return found


@asynccontextmanager
async def _up(
    url: str, root: Path, host: str, port: int, keys: Path | None, ca: Path | None, password: str, *, begins: bool
) -> AsyncIterator[Up]:
    async with AsyncExitStack() as closing:
        bound = bind(host, port, "the console", "--port")
        closing.callback(bound.close)
        trust = ssl.create_default_context(cafile=None if ca is None else str(ca))
        http = await closing.enter_async_context(httpx.AsyncClient(timeout=ANSWER_S, trust_env=False, verify=trust))

        async def connect(to: str) -> Bed:
            return await bed_at(to, keys if to in (url, USUAL_BED) else None, http)

        own = OwnBed(USUAL_BED, root.resolve(), connect) if begins else None
        bed = await connect(url) if url else await own.found() if own else None
        console = Console(bed, root.resolve(), password, own)
        closing.push_async_callback(console.close)
        server = HttpServer(create_app(console), bound)
        await server.start()
        closing.push_async_callback(server.stop)
        at = f"{server.url}{ROOT}"
        lines = [
            f"ami console: {at}",
            f"  test bed   {bed.url if bed else _NONE if own else 'none: a folder of runs alone'}",
            f"  runs       {console.root}",
        ]
        yield Up(
            {"event": "ready", "console_url": at, "bed_url": bed.url if bed else "", "runs": str(console.root)},
            lines,
            [_for_ever()],
        )


async def bed_at(url: str, keys: Path | None, http: httpx.AsyncClient) -> Bed:
    """The bed at an address, with the keys that its own machine has. Raises SimulatorError if nothing answers there, or what is no bed."""
    control = "" if keys is None else read_keys(keys).control
    bed = Bed(url, http, control)
    what, told = "What answers there is no test bed's SMT.", None
    try:
        async with asyncio.timeout(_LOOK_S):
            told = await bed.get("/control/bed")
    except TimeoutError:
        what = f"What is there has said nothing for {_LOOK_S:g} seconds."
    except BedProblem as error:
        # Of what refuses the key the words are its own; of another's page none are told.
        if error.status in (401, 403, 502):
            what = error.problem.what
    if not isinstance(told, dict) or "keysFile" not in told:
        mend = (
            f"Begin one with 'ami sandbox' and give its address: ami console {USUAL_BED}; a folder of runs needs none."
        )
        raise SimulatorError("console.no_bed", what, url, mend)
    file = keys or Path(str(told["keysFile"]))
    return Bed(url, http, control, read_keys(file, "keys_file of the bed,").smt, keys)


async def _for_ever() -> None:
    await asyncio.Event().wait()
