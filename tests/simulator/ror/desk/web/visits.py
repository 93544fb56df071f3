"""Visits of the desk's pages as an agent's browser makes them: a cookie, the origin of its own pages, forms with their token."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from html import unescape

import httpx

from tests.simulator.ror.desk.support import DeskRig

ORIGIN = "http://desk.test"
AGENT, PASSWORD = "desk.agent", "a:secret"


class Visit:
    """One browser."""

    def __init__(self, http: httpx.AsyncClient, origin: str = ORIGIN) -> None:
        self.http = http
        self.origin = {"origin": origin}

    async def log_in(self, name: str = AGENT, password: str = PASSWORD, **more: str) -> httpx.Response:
        fields = {"username": name, "password": password, **more}
        return await self.http.post("/desk/login", data=fields, headers=self.origin)

    async def get(self, path: str, part: str = "") -> httpx.Response:
        return await self.http.get(path, headers={"x-fragment": part} if part else {})

    async def token(self) -> str:
        return form_token((await self.get("/desk/")).text)

    async def post(self, path: str, part: str = "", **fields: str) -> httpx.Response:
        """A form of a page of ours."""
        headers = self.origin | ({"x-fragment": part} if part else {})
        return await self.http.post(path, data={"form_token": await self.token()} | fields, headers=headers)

    async def take(self, account: str = "A-1001", question: str = "balance", **fields: str) -> str:
        """A call that is taken: where it is."""
        reply = await self.post(f"/desk/accounts/{account}/call", question=question, **fields)
        assert reply.status_code == 303, reply.text
        return reply.headers["location"]


def form_token(page: str) -> str:
    found = re.search(r'name="form_token" value="([0-9a-f]+)"', page)
    assert found is not None, page
    return found[1]


@asynccontextmanager
async def visiting(rig: DeskRig, *, inside: bool = True, base: str = ORIGIN) -> AsyncIterator[Visit]:
    """A browser of its own; inside: logged in."""
    async with httpx.AsyncClient(transport=httpx.ASGITransport(rig.app), base_url=base) as http:
        visit = Visit(http, base)
        if inside:
            assert (await visit.log_in()).status_code == 303
        yield visit


def text_of(markup: str) -> str:
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]*>", " ", markup))).strip()


def sum_rows(page: str) -> dict[str, str]:
    """Amounts of the sums of a page, by their anchors."""
    rows = re.findall(r'<tr id="([\w-]+)"><td>.*?</td><td class="n">(.*?)</td></tr>', page)
    return {anchor: unescape(amount) for anchor, amount in rows}


def parts(page: str) -> list[tuple[str, list[str]]]:
    """The rows of what a bill rests on: word and numbers."""
    table = re.search(r'<table class="close parts">(.*?)</table>', page, re.DOTALL)
    assert table is not None
    rows = re.findall(r"<tr(?: class=\"total\")?><td>(.*?)</td>(.*?)</tr>", table[1])
    return [
        (
            text_of(re.sub(r'<span class="note">.*?</span>', "", word)),
            re.findall(r'<td class="n"[^>]*>(.*?)</td>', rest),
        )
        for word, rest in rows
    ]


def sentences(page: str) -> list[str]:
    """What the agent says."""
    said = re.search(r'<ol class="says">(.*?)</ol>', page, re.DOTALL)
    return (
        []
        if said is None
        else [unescape(re.sub(r"<[^>]*>", "", one)) for one in re.findall(r"<li>(.*?)</li>", said[1])]
    )
