"""A tester's browser at a console over a sandbox on the manual clock: pages of our own origin, forms with their token."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path
from typing import Any

import httpx

from reports.console.app import create_app
from reports.console.bed import Bed
from reports.console.door import ROOT, Console
from reports.console.own_bed import OwnBed
from reports.console.serve import bed_at
from tests.simulator.sandboxes import Rig, rig

ORIGIN = "http://127.0.0.1"


@dataclass
class Visit:
    """One browser."""

    console: Console
    http: httpx.AsyncClient
    #: None without a bed.
    made: Rig | None = None
    sent: dict[str, str] = field(default_factory=lambda: {"origin": ORIGIN})

    async def get(self, path: str = "", **asked: str) -> httpx.Response:
        return await self.http.get(ROOT + path, params=asked or None)

    async def page(self, path: str = "", **asked: str) -> str:
        """The text of a page that there is."""
        found = await self.get(path, **asked)
        assert found.status_code == 200, found.text
        return unescape(found.text)

    async def post(self, path: str, **fields: str) -> httpx.Response:
        fields = {"form_token": self.console.token} | fields
        return await self.http.post(ROOT + path, data=fields, headers=self.sent)

    async def did(self, name: str, **fields: str) -> str:
        """Do something that can be done, and give the page after it."""
        found = await self.post(f"do/{name}", **fields)
        assert found.status_code == 303, found.text
        return unescape((await self.http.get(found.headers["location"])).text)

    async def control(self, path: str, **asked: str) -> Any:
        """What the bed itself says."""
        assert self.made is not None
        found = await self.made.http.get(f"/control/{path}", params=asked)
        assert found.status_code == 200, found.text
        return found.json()


@asynccontextmanager
async def visiting(root: Path, made: Rig | None = None, password: str = "", *, usual: str = "") -> AsyncIterator[Visit]:
    """A console, with or without a bed, and a browser at it. usual: where it looks for one that it may begin itself."""
    async with httpx.AsyncClient(timeout=60, trust_env=False) as to_bed:
        bed = Bed(made.sandbox.smt_server.url, to_bed, smt_key=made.sandbox.keys.smt) if made else None

        async def connect(url: str) -> Bed:
            return await bed_at(url, None, to_bed)

        console = Console(bed, root, password, OwnBed(usual, root, connect) if usual else None)
        transport = httpx.ASGITransport(create_app(console))
        async with httpx.AsyncClient(transport=transport, base_url=ORIGIN, timeout=60) as http:
            try:
                yield Visit(console, http, made)
            finally:
                await console.close()


@asynccontextmanager
async def at_a_bed(folder: Path, **settings: Any) -> AsyncIterator[Visit]:
    async with rig(folder / "bed", posted_days=1, **settings) as made, visiting(folder / "runs", made) as visit:
        yield visit


def stations(page: str) -> dict[str, dict[str, str]]:
    """The counts of each station of the picture, its word among them."""
    found = {}
    for part in re.findall(r'<li class="\w+"><h2>.*?</li>', page, re.DOTALL):
        name = re.search(r"<h2><a [^>]*>([^<]*)", part)
        word = re.search(r'class="word">([^<]*)', part)
        assert name is not None
        assert word is not None
        pairs = re.findall(r"<dt>([^<]*)</dt><dd>([^<]*)</dd>", part)
        found[name[1]] = {"": word[1]} | dict(pairs)
    return found
