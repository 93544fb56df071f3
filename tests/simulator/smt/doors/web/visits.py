"""Visits of the portal's pages as a browser makes them: a cookie, the origin of its own pages, forms with their token."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from html import unescape

import httpx

from tests.simulator.smt.rig import PASSWORD, Rig

ORIGIN = "http://smt"


class Visit:
    """One browser."""

    def __init__(self, http: httpx.AsyncClient, origin: str = ORIGIN) -> None:
        self.http = http
        self.origin = {"origin": origin}

    async def log_in(self, username: str, password: str = PASSWORD, **more: str) -> httpx.Response:
        fields = {"username": username, "password": password, **more}
        return await self.http.post("/ui/login", data=fields, headers=self.origin)

    async def get(self, path: str, part: str = "") -> httpx.Response:
        return await self.http.get(path, headers={"x-fragment": part} if part else {})

    async def token(self) -> str:
        return form_token((await self.get("/ui/")).text)

    async def post(self, path: str, part: str = "", **fields: str) -> httpx.Response:
        """A form of a page of ours."""
        headers = self.origin | ({"x-fragment": part} if part else {})
        return await self.http.post(path, data={"form_token": await self.token()} | fields, headers=headers)


def form_token(page: str) -> str:
    found = re.search(r'name="form_token" value="([0-9a-f]+)"', page)
    assert found is not None, page
    return found[1]


@asynccontextmanager
async def visiting(rig: Rig, username: str = "", base: str = ORIGIN) -> AsyncIterator[Visit]:
    """A browser of its own, logged in with a name."""
    async with httpx.AsyncClient(transport=httpx.ASGITransport(rig.app), base_url=base) as http:
        visit = Visit(http, base)
        if username:
            assert (await visit.log_in(username)).status_code == 303
        yield visit


def cells(page: str) -> list[list[str]]:
    """The texts of the cells of every row of a page's tables, but for heads."""
    rows = re.findall(r"<tr>(<td.*?)(?=<tr>|</tbody>)", page, re.DOTALL)
    return [
        [
            unescape(re.sub(r"<[^>]*>", "", cell)).strip()
            for cell in re.findall(r"<td[^>]*>(.*?)(?=<td|$)", row, re.DOTALL)
        ]
        for row in rows
    ]


def kinds(page: str, channel: str = "delivered") -> list[str]:
    """The kinds that the chart draws in one direction, by time."""
    group = re.search(rf'<g data-channel="{channel}"[^>]*>(.*?)</g>', page, re.DOTALL)
    return re.findall(r'data-kind="(\w+)"', group[1]) if group else []


def facts(page: str) -> dict[str, str]:
    """What a page tells as name and value."""
    return {unescape(name): unescape(value) for name, value in re.findall(r"<dt>(.*?)</dt><dd>(.*?)</dd>", page)}


def plain(page: str) -> str:
    """What stays of a page for whoever may not know whose an ESI ID is: all but that."""
    return re.sub(r"\d{17,}", "ESIID", page)
