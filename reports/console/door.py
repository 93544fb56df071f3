"""What every page of the console shares: its site, what it works on, who may come in, how a page is shown."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fastapi import Request, Response

from meters.calendar import epoch
from reports.console.asked import LOOKS
from reports.console.bed import Bed, BedProblem
from reports.console.children import Children
from reports.console.own_bed import OwnBed
from simulator.smt.registry.log_in import LoginFault, LoginGuard
from simulator.smt.registry.passwords import hash_password
from simulator.smt.registry.records import User, UserKind
from simulator.web.parts import Problem
from simulator.web.site import Site
from simulator.web.visitors import Entry, Face, Sessions, named
from simulator.web.words import instant

ROOT = "/console/"
SITE = Site("Console (test bed)", ROOT)
#: Cookies know no port, so this face has a name of its own.
_COOKIE = "ami_console_session"
PAGES = Path(__file__).parent / "pages"
_NO_BED = Problem(
    "console.no_bed",
    "No test bed is looked at.",
    "Begin one with 'ami sandbox', and the console with its address: ami console URL.",
)
#: Pages that need no bed.
TESTER = (("scenarios", "Scenarios"), ("runs", "Runs"), ("studies", "Studies"), ("journal", "What was done"))


#: Seconds from a log-in to its end, used or not: a tester watches for long. A default of this project.
_LIFE_S = 12 * 3600


@dataclass(slots=True)
class Console:
    """What the pages work on. ``bed``: None while there is none. ``root``: folder of runs. ``password``: who comes in by; empty: everybody of this machine.

    ``own``: begins a bed and finds the usual one; None where an address or a folder of runs was named.
    """

    bed: Bed | None
    root: Path
    password: str = ""
    own: OwnBed | None = None
    children: Children = field(default_factory=Children)
    token: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    sessions: Sessions = field(default_factory=lambda: Sessions(time.time, _LIFE_S, _LIFE_S))
    _guard: LoginGuard = field(init=False)
    #: One log-in after the other: a hash takes long, and guesses do not take more than one core.
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    def __post_init__(self) -> None:
        """Whoever has the password has no name."""
        users = {"": User("", hash_password(self.password), UserKind.ROR)} if self.password else {}
        self._guard = LoginGuard(users, time.time, lambda *_: None)

    def looked_at(self) -> Bed:
        """The bed. Raises BedProblem where there is none."""
        if self.own is not None and self.own.ended:
            self.bed = None
        if self.bed is None:
            raise BedProblem(404, _NO_BED)
        return self.bed

    async def log_in(self, _name: str, password: str, peer: str) -> Entry:
        """See ``simulator.web.visitors.LogIn``."""
        async with self._turn:
            looked = await asyncio.to_thread(self._guard.check, "", password, peer)
        if isinstance(looked, User):
            return Entry.IN
        return Entry.BLOCKED if looked is LoginFault.BLOCKED else Entry.WRONG

    def begin(self, name: str) -> str:
        """See ``simulator.web.visitors.Keeper``, as below."""
        return self.sessions.begin(name)

    def whose(self, number: str) -> str | None:
        """Nobody's name, of everybody where there is no password."""
        return self.sessions.whose(number) if self.password else ""

    def end(self, number: str) -> None:
        """See there."""
        self.sessions.end(number)

    def seal(self, _number: str) -> str:
        """Of all sessions the same."""
        return self.token

    def known(self, request: Request) -> bool:
        """Whether somebody may come in."""
        return self.whose(request.cookies.get(named(_COOKIE, request), "")) is not None

    def show(self, template: str, status: int = 200, headers: Mapping[str, str] | None = None, *, at: str = "", now: str = "", **shown: Any) -> Response:  # fmt: skip
        """A page or part. at: path of the page below the root. now: model time, ISO 8601."""
        # Without a bed the first page begins one.
        looks = LOOKS if self.bed else LOOKS[:1] if self.own else ()
        pages = [(look.title, look.path) for look in looks]
        menu = [
            (title, ROOT + path, path == at) for title, path in [*pages, *((title, path) for path, title in TESTER)]
        ]
        dated = instant(epoch(now)) if now else "scenarios and runs"
        its = {"about": "", "dated": dated, "menu": menu, "token": self.token, "leaves": bool(self.password)}
        return SITE.page(template, PAGES, status, headers, **(its | shown))

    async def close(self) -> None:
        """End what was begun."""
        await self.children.close()
        if self.own is not None:
            await self.own.children.close()


#: What a page says to whoever is not known to have come in.
TO_STRANGERS: Mapping[str, Any] = {"menu": [], "token": "", "leaves": False, "done": None}


def _says(_console: Console, _name: str | None) -> dict[str, Any]:
    return {"dated": "scenarios and runs", **TO_STRANGERS}


def face(console: Console) -> Face[Console, str]:
    """The console as pages that people log in to."""
    first = "the console's first page"
    return Face(SITE, _COOKIE, PAGES, first, lambda _: console, lambda its: its.log_in, lambda its: its, _says)
