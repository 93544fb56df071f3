"""Parties in processes of their own on one clock, that can be killed and started again; and a retailer's calls to SMT among them."""

from __future__ import annotations

import asyncio
import json
import re
import socket
import time
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any, TypeVar

import httpx

from simulator.ror.client import SmtClient
from simulator.smt.doors.market.odr_wire import OdrStatus
from simulator.world.market import ROR_LOGIN
from tests.simulator.processes import ROOT, Process, patience, serving

PAGE = (ROOT / "docs" / "parties.md").read_text(encoding="utf-8")

T = TypeVar("T")


def fenced(language: str) -> list[str]:
    """The page's blocks in a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def script(folder: Path, name: str) -> Path:
    """A program of the page, written into a folder."""
    (found,) = [block for block in fenced("python") if block.startswith(f"# {name} ")]
    path = folder / name
    path.write_text(found, encoding="utf-8")
    return path


def free_port() -> str:
    """A port that nobody listens on now."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        return str(bound.getsockname()[1])


class Parties:
    """Running parties by name."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._stack = ExitStack()
        self._words: dict[str, tuple[str, ...]] = {}
        self._processes: dict[str, Process] = {}
        self.ready: dict[str, dict[str, Any]] = {}
        #: Where an SMT that is not ours is called back.
        self.own_smt = free_port()

    def __enter__(self) -> Parties:
        return self

    def __exit__(self, *_: object) -> None:
        # That a party ends well by Ctrl-C is another test's affair.
        for process in self._processes.values():
            process.kill()
        self._stack.close()

    def file(self, name: str) -> str:
        """Where the ready line of a party lies."""
        return str(self.folder / f"{name}.json")

    def start(self, name: str, *words: str, fresh: bool = False) -> dict[str, Any]:
        """Start a party; without words, with those of the last time."""
        self._words[name] = words = words or self._words[name]
        process, ready = self._stack.enter_context(serving(name, "serve", "--json", *words, fresh=fresh))
        Path(self.file(name)).write_text(json.dumps(ready), encoding="utf-8")
        self._processes[name], self.ready[name] = process, ready
        return ready

    def words(self, name: str, *words: str) -> None:
        """Start it with these the next time."""
        self._words[name] = words

    def told(self, name: str, option: str = "", value: str = "") -> tuple[str, ...]:
        """What a party was told; one option with another value."""
        words = list(self._words[name])
        if option:
            words[words.index(option) + 1] = value
        return tuple(words)

    def kill(self, name: str) -> None:
        """End a party as kill -9 does."""
        self._processes[name].kill()
        self._processes[name].wait(patience())


class Retailer:
    """A retailer's client to an SMT, call by call. It logs in for each, as it must after a restart."""

    def __init__(self, smt_url: str) -> None:
        self._url = smt_url

    def _call(self, do: Callable[[SmtClient], Awaitable[T]]) -> T:
        async def run() -> T:
            async with httpx.AsyncClient(base_url=self._url, timeout=10, trust_env=False) as http:
                return await do(SmtClient(http, ROR_LOGIN.username, ROR_LOGIN.password, ROR_LOGIN.duns))

        return asyncio.run(run())

    def ask(self, esiid: str, read_type: Any = "INTERVALS") -> str:
        """Ask, and give the request's id."""
        return self._call(lambda client: client.odr(esiid, "call-1", read_type))

    def ended(self, key: str) -> OdrStatus:
        """How a request ended."""

        async def poll(client: SmtClient) -> OdrStatus:
            async with asyncio.timeout(patience()):
                while (status := await client.odr_status(key, "call-1")).statusCode == "PEN":
                    await asyncio.sleep(0.1)
                return status

        return self._call(poll)


def eventually(holds: Callable[[], bool]) -> None:
    """Wait for something outside, at most as long as patience lasts."""
    deadline = time.monotonic() + patience()
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.1)
