"""Applications that share their routes: each answers for its own party."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import httpx
from fastapi import APIRouter
from fastapi.routing import APIRoute

from headend.http.described_api import DescribedApi, party_of
from headend.service import app as head_end
from meters.calendar import seconds
from simulator.smt.doors.service import create_app
from simulator.web.frame import served
from tests.simulator.smt.rig import Rig


@dataclass
class Party:
    name: str


def _built(app: DescribedApi) -> set[int]:
    return {id(route) for route in app.routes if isinstance(route, APIRoute)}


async def test_a_route_serves_the_party_of_the_application_that_took_the_request() -> None:
    routes = APIRouter()

    @routes.get("/name")
    async def name(party: Annotated[Party, party_of(Party)]) -> str:
        return party.name

    told = []
    for party in (Party("one"), Party("other")):
        app = DescribedApi(served(lambda: seconds(0)), [])
        app.serve(routes.routes, party)
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://a") as http:
            told.append((await http.get("/name")).json())
    assert told == ["one", "other"]


async def test_a_second_application_builds_no_route(tmp_path: Path) -> None:
    async with Rig(tmp_path) as rig:
        again = create_app(rig.smt)
        assert len(_built(rig.app)) > 40
        assert _built(again) == _built(rig.app)
    nothing: Any = None
    desks = head_end.Served(nothing, nothing, nothing, {}, nothing, nothing, nothing)
    first, second = (head_end.create_app(desks, name, served(lambda: seconds(0))) for name in ("A", "B"))
    assert len(_built(first)) == 7
    assert _built(first) == _built(second)
    assert (first.openapi()["info"]["title"], second.openapi()["info"]["title"]) == ("A", "B")
    # What the routes tell is made once too, of each that is called so.
    third = head_end.create_app(desks, "A", served(lambda: seconds(0)))
    assert third.openapi() is first.openapi() is not second.openapi()
    third.add_api_route("/more", lambda: None)
    assert set(third.openapi()["paths"]) - set(first.openapi()["paths"]) == {"/more"}
