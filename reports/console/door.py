"""What every page of the console shares: its site, what it works on, who may come in, how a page is shown."""

from __future__ import annotations

import secrets
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
from simulator.web.parts import Problem
from simulator.web.site import Site
from simulator.web.words import instant

ROOT = "/console/"
SITE = Site("Console (test bed)", ROOT)
LOGIN = f"{ROOT}login"
#: Cookies know no port, so this face has a name of its own.
COOKIE = "ami_console_session"
PAGES = Path(__file__).parent / "pages"
_NO_BED = Problem(
    "console.no_bed",
    "No test bed is looked at.",
    "Begin one with 'ami sandbox', and the console with its address: ami console URL.",
)
#: Pages that need no bed.
TESTER = (("scenarios", "Scenarios"), ("runs", "Runs"), ("studies", "Studies"), ("journal", "What was done"))


class SignInError(Exception):
    """A request without a session, where there is a password."""


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
    sessions: set[str] = field(default_factory=set)

    def looked_at(self) -> Bed:
        """The bed. Raises BedProblem where there is none."""
        if self.own is not None and self.own.ended:
            self.bed = None
        if self.bed is None:
            raise BedProblem(404, _NO_BED)
        return self.bed

    def known(self, request: Request) -> bool:
        """Whether somebody may come in."""
        return not self.password or request.cookies.get(COOKIE, "") in self.sessions

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
