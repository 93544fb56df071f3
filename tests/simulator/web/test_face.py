"""A face that people log in to: where a log-in leads, whose forms count, and what who has no session is told."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import Depends, FastAPI
from starlette.responses import Response

from simulator.web.site import HEADERS, Site
from simulator.web.visitors import Entry, Face, Sessions, Visitor

AT = "http://face:8600"
HERE = {"origin": AT}
LOGIN = '{% extends "site.html.j2" %}{% import "kit.html.j2" as kit %}{% block content %}{{ kit.log_in(site.root, after, why, name) }}{% endblock %}'
PROBLEM = '{% extends "site.html.j2" %}{% import "kit.html.j2" as kit %}{% block content %}{{ kit.problem(problem) }}{% endblock %}'


class Party:
    """What is looked at: one visitor, who is let in by one password; after three others nobody is."""

    def __init__(self) -> None:
        self.sessions = Sessions(lambda: 1e9)
        self.bad = 0
        self.peers: set[str] = set()

    async def log_in(self, name: str, password: str, peer: str) -> Entry:
        self.peers.add(peer)
        if self.bad == 3:
            return Entry.BLOCKED
        if (name, password) == ("visitor", "sesame"):
            return Entry.IN
        self.bad += 1
        return Entry.WRONG


def faced(party: Party, room: Path) -> tuple[Face[Party, str], FastAPI]:
    """A face with one page and one form."""
    (room / "login.html.j2").write_text(LOGIN)
    (room / "problem.html.j2").write_text(PROBLEM)
    face: Face[Party, str] = Face(
        Site("A test", "/face/"),
        "face",
        room,
        "the first page",
        lambda _: party,
        lambda its: its.log_in,
        lambda its: its.sessions,
        lambda _, user: {"dated": "a day", "username": user},
    )
    app = FastAPI()
    app.include_router(face.router())
    face.tell_problems(app, party)
    session, form = Depends(face.visitor), face.form()

    @app.get("/face/{page:path}")
    async def page(who: Visitor[str] = session) -> Response:
        return Response(f"{who.user} {who.form_token}")

    @app.post("/face/form")
    async def sent(fields: dict[str, str] = form) -> Response:
        return Response(fields["word"])

    return face, app


@pytest.fixture
def party() -> Party:
    return Party()


@pytest.fixture
async def client(party: Party, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    _, app = faced(party, tmp_path)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=AT) as client:
        yield client


async def enter(client: httpx.AsyncClient, password: str = "sesame", **fields: str) -> httpx.Response:
    return await client.post("/face/login", data={"username": "visitor", "password": password, **fields}, headers=HERE)


async def sealed(client: httpx.AsyncClient) -> str:
    """What the forms of the client's session bear."""
    return (await client.get("/face/")).text.split()[1]


def leads(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.headers["location"]


async def test_a_log_in_that_fails_says_so_and_keeps_the_name_and_where_it_was_to_lead(client: httpx.AsyncClient, party: Party) -> None:  # fmt: skip
    for status, why in [(401, "do not belong together")] * 3 + [(403, "Too many log-ins have failed")]:
        answer = await enter(client, "guess", next="/face/a")
        assert answer.status_code == status
        assert why in answer.text
        assert 'value="visitor"' in answer.text
        assert 'value="/face/a"' in answer.text
        assert "guess" not in answer.text
    # Nobody is let in by the right one now.
    assert (await enter(client)).status_code == 403
    assert not client.cookies
    assert party.peers == {"127.0.0.1"}


async def test_a_log_in_leads_where_it_was_asked_for_and_to_no_other_site(client: httpx.AsyncClient) -> None:
    for after, to in (("/face/a?b=1", "/face/a?b=1"), ("", "/face/"), ("https://other/face/", "/face/"), ("/face//other", "/face/"), ("/elsewhere", "/face/")):  # fmt: skip
        assert leads(await enter(client, next=after)) == (303, to)
    # Who is in has no need of the form.
    assert leads(await client.get("/face/login", params={"next": "/face/a"})) == (303, "/face/a")
    client.cookies.clear()
    form = await client.get("/face/login", params={"next": "/face/a", "username": "v" * 70})
    assert form.status_code == 200
    assert f'value="{"v" * 64}"' in form.text
    assert leads(await client.get("/face")) == (303, "/face/")


@pytest.mark.parametrize(("at", "secure"), [(AT, False), ("https://face:8600", True)])
async def test_a_session_is_a_cookie_of_one_port_that_no_script_and_no_other_site_has(
    client: httpx.AsyncClient, at: str, secure: bool
) -> None:
    fields = {"username": "visitor", "password": "sesame"}
    answer = await client.post(f"{at}/face/login", data=fields, headers={"origin": at})
    name, _, rest = answer.headers["set-cookie"].partition("=")
    words = {word.strip().lower() for word in rest.split(";")[1:]}
    assert name == "face_8600"
    assert words == {"httponly", "path=/face/", "samesite=strict"} | ({"secure"} if secure else set())


async def test_of_a_browser_the_session_before_ends_with_a_new_log_in_and_each_with_its_log_out(
    client: httpx.AsyncClient, party: Party
) -> None:
    await enter(client)
    first = client.cookies["face_8600"]
    await enter(client)
    second = client.cookies["face_8600"]
    assert (party.sessions.whose(first), party.sessions.whose(second)) == (None, "visitor")
    out = await client.post("/face/logout", data={"form_token": await sealed(client)}, headers=HERE)
    assert leads(out) == (303, "/face/login")
    assert party.sessions.whose(second) is None
    assert not client.cookies


@pytest.mark.parametrize(
    ("head", "token", "code", "mend"),
    [
        ({"origin": "http://other"}, True, "origin", "Open the page here"),
        ({"sec-fetch-site": "same-site"}, True, "origin", "Open the page here"),
        ({}, True, "origin", "Open the page here"),
        (HERE, False, "form_token", "Load the page anew"),
    ],
)
async def test_a_form_of_others_is_refused_as_a_page_or_in_the_place_of_its_part(
    client: httpx.AsyncClient, head: dict[str, str], token: bool, code: str, mend: str
) -> None:
    await enter(client)
    fields = {"word": "done", "form_token": await sealed(client) if token else "0" * 32}
    whole = await client.post("/face/form", data=fields, headers=head)
    part = await client.post("/face/form", data=fields, headers={**head, "x-fragment": "its"})
    assert whole.status_code == part.status_code == 403
    for answer in (whole, part):
        assert code in answer.text
        assert mend in answer.text
        assert answer.headers["cache-control"] == HEADERS["cache-control"]
    assert "<title>That did not work" in whole.text
    assert part.text.strip().startswith('<section id="its">')
    own = await client.post("/face/form", data={**fields, "form_token": await sealed(client)}, headers=HERE)
    assert (own.status_code, own.text) == (200, "done")


@pytest.mark.parametrize(
    ("method", "path", "head", "to"),
    [
        ("GET", "/face/", {}, "/face/login"),
        ("GET", "/face/a?b=1", {}, "/face/login?next=/face/a%3Fb%3D1"),
        # A form leads back to the page that it was on, if that is one of ours.
        ("POST", "/face/form", {"referer": f"{AT}/face/a"}, "/face/login?next=/face/a"),
        ("POST", "/face/form", {"referer": "http://other/b"}, "/face/login"),
        ("POST", "/face/form", {}, "/face/login"),
    ],
)
async def test_who_has_no_session_is_led_to_the_log_in_and_back_afterwards(
    client: httpx.AsyncClient, method: str, path: str, head: dict[str, str], to: str
) -> None:
    assert leads(await client.request(method, path, headers=HERE | head)) == (303, to)


async def test_a_part_without_a_session_tells_its_script_where_to_go(client: httpx.AsyncClient) -> None:
    answer = await client.get("/face/part", headers={"x-fragment": "its", "referer": f"{AT}/face/a?b=1"})
    assert (answer.status_code, answer.headers["x-location"]) == (401, "/face/login?next=/face/a%3Fb%3D1")
    assert answer.text == ""


def test_a_path_without_a_page_is_told_as_a_page_below_the_root_alone(party: Party, tmp_path: Path) -> None:
    face, _ = faced(party, tmp_path)
    told: Any = face.page_at_fault(party, "/face/none", 404, "not_found", "There is <none>.", {"x-told": "1"})
    assert (told.status_code, told.headers["x-told"], told.headers["x-dated"]) == (404, "1", "a day")
    body = told.body.decode()
    assert "There is &lt;none&gt;." in body
    assert "Go back, or begin at the first page." in body
    assert face.page_at_fault(party, "/face", 404, "not_found", "None.") is not None
    assert face.page_at_fault(party, "/facet", 404, "not_found", "None.") is None
