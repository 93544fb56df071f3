"""The session of a browser: how it begins, how long it lives, what it is good for, and whose forms it takes."""

from __future__ import annotations

import re

import pytest

from simulator.smt.access.gatekeeper import TokenKind
from simulator.smt.doors.web.door import FACE, PAGES
from simulator.web.visitors import own_path
from tests.simulator.smt.doors.web.visits import ORIGIN, visiting
from tests.simulator.smt.rig import PASSWORD, PLAIN, Rig

COOKIE = FACE.cookie
USAGE = f"/ui/m/{PLAIN}/usage"


async def test_a_browser_is_sent_to_the_pages_and_older_clients_keep_what_they_look_for(rig: Rig) -> None:
    page = await rig.client.get("/", headers={"accept": "text/html,application/xhtml+xml,*/*;q=0.8"})
    assert (page.status_code, page.headers["location"]) == (303, "/ui/")
    for accept in ("*/*", "application/json", ""):
        told = await rig.client.get("/", headers={"accept": accept})
        assert (told.status_code, told.text) == (200, "Smart Meter Texas (test bed)\nPages for a browser: /ui/\n")
    assert (await rig.client.get("/ui")).headers["location"] == "/ui/"


@pytest.mark.parametrize(("base", "secure"), [(ORIGIN, False), ("https://smt", True)])
async def test_a_session_is_a_cookie_that_no_script_and_no_other_site_has(rig: Rig, base: str, secure: bool) -> None:
    async with visiting(rig, base=base) as visit:
        reply = await visit.log_in("customer")
        (cookie,) = reply.headers.get_list("set-cookie")
        parts = {part.strip().lower() for part in cookie.split(";")[1:]}
        assert cookie.startswith(f"{COOKIE}=")
        assert {"httponly", "samesite=strict", "path=/ui/"} <= parts
        assert ("secure" in parts) is secure
        assert reply.headers["location"] == "/ui/"
        assert (await visit.get("/ui/")).status_code == 200


async def test_two_test_beds_of_a_machine_have_a_session_each_in_one_browser(rig: Rig) -> None:
    """Cookies know no port."""
    async with visiting(rig, "customer", base=f"{ORIGIN}:8600") as one:
        async with visiting(rig, base=f"{ORIGIN}:8700") as other:
            other.http.cookies.jar = one.http.cookies.jar
            assert (await other.get("/ui/")).status_code == 303
            await other.log_in("customer")
            assert set(one.http.cookies) == {f"{COOKIE}_8600", f"{COOKIE}_8700"}
            assert (await other.post("/ui/logout")).status_code == 303
        assert (await one.get("/ui/")).status_code == 200


async def test_a_session_dies_fifteen_minutes_after_its_last_use_and_eight_hours_after_its_log_in(rig: Rig) -> None:
    async with visiting(rig, "customer") as visit:
        rig.wall += 15 * 60 - 1
        assert (await visit.get("/ui/")).status_code == 200
        rig.wall += 15 * 60
        dead = await visit.get(USAGE)
        assert (dead.status_code, dead.headers["location"]) == (303, f"/ui/login?next={USAGE}")
        await visit.log_in("customer")
        for _ in range(48 - 1):
            rig.wall += 600
            assert (await visit.get("/ui/")).status_code == 200
        rig.wall += 600
        assert (await visit.get("/ui/")).status_code == 303


async def test_a_log_in_begins_a_new_session_and_a_log_out_ends_it(rig: Rig) -> None:
    async with visiting(rig, "customer") as visit:
        before = visit.http.cookies[COOKIE]
        await visit.log_in("customer")
        assert visit.http.cookies[COOKIE] != before
        assert rig.smt.gatekeeper.user_of(before, TokenKind.WEB) is None
        kept = visit.http.cookies[COOKIE]
        assert (await visit.post("/ui/logout")).headers["location"] == "/ui/login"
        assert COOKIE not in visit.http.cookies
        assert rig.smt.gatekeeper.user_of(kept, TokenKind.WEB) is None


async def test_a_session_opens_no_api_and_a_token_of_an_api_no_page(rig: Rig) -> None:
    tokens = [rig.smt.gatekeeper.issue(rig.smt.registry.users["customer"], kind).text for kind in TokenKind]
    for text, kind in zip(tokens, TokenKind, strict=True):
        opened = [one for one in TokenKind if rig.smt.gatekeeper.user_of(text, one) is not None]
        assert opened == [kind]
        page = await rig.client.get("/ui/", headers={"cookie": f"{COOKIE}={text}"})
        assert page.status_code == (200 if kind is TokenKind.WEB else 303)
        bearing = {"authorization": f"Bearer {text}"}
        assert (await rig.client.get("/ui/", headers=bearing)).status_code == 303
        called = await rig.client.post("/api/meter", json={"esiid": "*"}, headers=bearing)
        assert called.status_code == (200 if kind is TokenKind.PORTAL else 401)
    for forged in ("x", tokens[-1][:-2], "é"):
        assert (await rig.client.get("/ui/", headers=[(b"cookie", f"{COOKIE}={forged}".encode())])).status_code == 303


@pytest.mark.parametrize("path", [f"/ui/m/{PLAIN}/read", "/ui/logout"])
async def test_a_form_counts_only_from_our_pages_with_the_sessions_own_token(rig: Rig, path: str) -> None:
    async with visiting(rig, "customer") as visit, visiting(rig, "customer") as other:
        own, others = await visit.token(), await other.token()
        assert own != others
        fields = {"kind": "REGISTER"}
        refused = [
            await visit.http.post(path, data=fields | {"form_token": own}),
            await visit.http.post(path, data=fields | {"form_token": own}, headers={"origin": "http://evil.example"}),
            await visit.http.post(path, data=fields | {"form_token": own}, headers={"sec-fetch-site": "cross-site"}),
            await visit.http.post(path, data=fields | {"form_token": others}, headers=visit.origin),
            await visit.http.post(path, data=fields, headers=visit.origin),
            await visit.http.post(path, content=b"\xff\xfe=%ff&form_token=" + own.encode(), headers=visit.origin),
        ]
        assert {one.status_code for one in refused} == {403}
        assert rig.smt.ledger.audit() == []
        assert (await visit.get("/ui/")).status_code == 200
        assert (await visit.http.post(path, data=fields | {"form_token": own}, headers=visit.origin)).status_code == 303


async def test_a_log_in_comes_from_our_page_too(rig: Rig) -> None:
    fields = {"username": "customer", "password": PASSWORD}
    for headers in ({}, {"origin": "http://evil.example"}):
        reply = await rig.client.post("/ui/login", data=fields, headers=headers)
        assert (reply.status_code, "set-cookie" in reply.headers) == (403, False)


async def test_guesses_at_the_page_and_at_the_apis_count_together(rig: Rig) -> None:
    async with visiting(rig) as visit:
        told = [await visit.log_in("customer", "x") for _ in range(3)]
        body = {"username": "customer", "password": "x", "rememberMe": "true"}
        for _ in range(2):
            await rig.client.post("/commonapi/user/authenticate", json=body)
        blocked = await visit.log_in("customer")
        assert (blocked.status_code, "Too many log-ins" in blocked.text) == (403, True)
        at_api = await rig.client.post("/commonapi/user/authenticate", json=body | {"password": PASSWORD})
        assert at_api.status_code == 403
        # Nobody learns whose names there are.
        unknown = await visit.log_in("nobody", "x")
        assert {one.status_code for one in told} == {unknown.status_code} == {401}
        assert unknown.text == told[0].text.replace('value="customer"', 'value="nobody"')
        rig.wall += 61
        assert (await visit.log_in("customer")).status_code == 303


@pytest.mark.parametrize(
    ("text", "path"),
    [
        (f"{USAGE}?day=2026-08-11&compare=week", f"{USAGE}?day=2026-08-11&compare=week"),
        ("https://evil.example/", "/ui/"),
        ("//evil.example/ui/", "/ui/"),
        ("/ui//evil.example", "/ui/"),
        ("/ui/\\evil.example", "/ui/"),
        ("/ui/\r\nset-cookie: a=b", "/ui/"),
        ("/uix", "/ui/"),
        ("javascript:alert(1)", "/ui/"),
        ("", "/ui/"),
    ],
)
async def test_a_log_in_leads_to_the_page_that_was_asked_for_and_to_no_other_site(
    rig: Rig, text: str, path: str
) -> None:
    assert own_path(PAGES, text) == path
    async with visiting(rig) as visit:
        assert (await visit.log_in("customer", next=text)).headers["location"] == path


async def test_a_part_whose_session_has_ended_leads_its_page_to_the_log_in(rig: Rig) -> None:
    async with visiting(rig, "customer") as visit:
        await visit.post("/ui/logout")
        headers = {"x-fragment": "usage", "referer": f"{ORIGIN}{USAGE}?view=month"}
        part = await visit.http.get(USAGE, headers=headers)
        assert (part.status_code, part.text) == (401, "")
        assert part.headers["x-location"] == f"/ui/login?next={USAGE}%3Fview%3Dmonth"


@pytest.mark.parametrize("path", ["/ui/", "/ui/login", USAGE, "/ui/nothing", f"/ui/m/{PLAIN}/reads", "/ui/r/1"])
async def test_every_answer_below_ui_keeps_a_browser_to_our_own_files(rig: Rig, path: str) -> None:
    async with visiting(rig, "customer") as visit:
        for client in (visit.http, rig.client):
            reply = await client.get(path)
            assert reply.headers["content-security-policy"].startswith("default-src 'self'; "), path
            assert "unsafe" not in reply.headers["content-security-policy"]
            assert reply.headers["cache-control"] == "no-store"
            assert reply.headers["x-content-type-options"] == "nosniff"
            assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?! src=)", reply.text), path


async def test_what_comes_to_a_page_too_long_or_by_another_name_is_told_as_a_page(rig: Rig) -> None:
    long = await rig.client.post("/ui/login", content=b"a" * 70_000, headers={"origin": ORIGIN})
    strange = await rig.client.get("/ui/", headers={"host": "evil.example"})
    method = await rig.client.delete("/ui/")
    assert [one.status_code for one in (long, strange, method)] == [413, 421, 405]
    for reply in (long, strange, method):
        assert reply.headers["content-type"].startswith("text/html")
        assert "Traceback" not in reply.text


async def test_a_link_may_fill_in_the_name_and_nothing_else(rig: Rig) -> None:
    async with visiting(rig) as visit:
        page = (await visit.http.get("/ui/login", params={"username": "customer", "password": "secret"})).text
        assert 'value="customer"' in page
        assert "secret" not in page
