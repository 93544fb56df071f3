"""The session of an agent's browser: how it begins, how long it lives, what it is good for, and whose forms it takes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from simulator.ror.desk.web.door import FACE
from simulator.web.visitors import Entry
from tests.simulator.ror.desk.support import desk_rig
from tests.simulator.ror.desk.web.visits import AGENT, ORIGIN, visiting

ACCOUNT = "/desk/accounts/A-1001"
COOKIE = FACE.cookie


async def test_a_browser_is_led_to_the_pages_and_others_hear_that_there_is_no_call(tmp_path: Path) -> None:
    async with desk_rig(tmp_path) as rig:
        page = await rig.http.get("/", headers={"accept": "text/html,*/*;q=0.8"})
        assert (page.status_code, page.headers["location"]) == (303, "/desk/")
        other = await rig.http.get("/", headers={"accept": "application/json"})
        assert (other.status_code, other.json()["code"]) == (404, "ror.http.no_call")
        assert (await rig.http.get("/desk")).headers["location"] == "/desk/"


@pytest.mark.parametrize(("base", "secure"), [(ORIGIN, False), ("https://desk.test", True)])
async def test_a_session_is_a_cookie_that_no_script_and_no_other_site_has(
    tmp_path: Path, base: str, secure: bool
) -> None:
    async with desk_rig(tmp_path) as rig, visiting(rig, inside=False, base=base) as visit:
        reply = await visit.log_in()
        (cookie,) = reply.headers.get_list("set-cookie")
        parts = {part.strip().lower() for part in cookie.split(";")[1:]}
        assert cookie.startswith(f"{COOKIE}=")
        assert {"httponly", "samesite=strict", "path=/desk/"} <= parts
        assert ("secure" in parts) is secure
        assert (await visit.get("/desk/")).status_code == 200


async def test_a_session_dies_by_the_wall_and_leads_back_to_where_it_was(tmp_path: Path) -> None:
    async with desk_rig(tmp_path) as rig, visiting(rig) as visit:
        rig.wall[0] += 15 * 60 - 1
        assert (await visit.get(ACCOUNT)).status_code == 200
        rig.wall[0] += 15 * 60
        dead = await visit.get(f"{ACCOUNT}?call=call-0001")
        assert (dead.status_code, dead.headers["location"]) == (
            303,
            f"/desk/login?next={ACCOUNT}%3Fcall%3Dcall-0001",
        )
        headers = {"x-fragment": "call", "referer": f"{ORIGIN}{ACCOUNT}?call=call-0001"}
        part = await visit.http.get(ACCOUNT, headers=headers)
        assert (part.status_code, part.headers["x-location"]) == (401, dead.headers["location"])
        assert (await visit.log_in(next=f"{ACCOUNT}?call=call-0001")).headers["location"].startswith(ACCOUNT)
        assert (await visit.log_in(next="//evil.example/desk/")).headers["location"] == "/desk/"


async def test_a_link_fills_in_the_name_of_who_may_come_in(tmp_path: Path) -> None:
    async with desk_rig(tmp_path) as rig, visiting(rig, inside=False) as visit:
        page = (await visit.http.get("/desk/login", params={"username": AGENT})).text
        assert f'name="username" value="{AGENT}"' in page
        assert "value=" not in page.partition('type="password"')[2].partition(">")[0]


async def test_a_log_in_begins_a_new_session_and_a_log_out_ends_it(tmp_path: Path) -> None:
    async with desk_rig(tmp_path) as rig, visiting(rig) as visit:
        before = visit.http.cookies[COOKIE]
        await visit.log_in()
        after = visit.http.cookies[COOKIE]
        assert after != before
        old = await rig.http.get("/desk/", headers={"cookie": f"{COOKIE}={before}"})
        assert old.status_code == 303
        assert (await visit.post("/desk/logout")).headers["location"] == "/desk/login"
        assert (await rig.http.get("/desk/", headers={"cookie": f"{COOKIE}={after}"})).status_code == 303


async def test_a_session_opens_no_call_of_the_api_and_the_apis_log_in_no_page(tmp_path: Path) -> None:
    async with desk_rig(tmp_path) as rig, visiting(rig) as visit:
        assert (await visit.get("/accounts")).status_code == 401
        assert (await rig.http.get(ACCOUNT)).status_code == 303


@pytest.mark.parametrize("path", [f"{ACCOUNT}/call", f"{ACCOUNT}/ask", "/desk/logout"])
async def test_a_form_counts_only_from_our_pages_with_the_sessions_own_token(tmp_path: Path, path: str) -> None:
    async with desk_rig(tmp_path) as rig, visiting(rig) as visit, visiting(rig) as other:
        own, others = await visit.token(), await other.token()
        fields = {"question": "balance", "call": "call-0001"}
        refused = [
            await visit.http.post(path, data=fields | {"form_token": own}),
            await visit.http.post(path, data=fields | {"form_token": own}, headers={"origin": "http://evil.example"}),
            await visit.http.post(path, data=fields | {"form_token": own}, headers={"sec-fetch-site": "cross-site"}),
            await visit.http.post(path, data=fields | {"form_token": others}, headers=visit.origin),
            await visit.http.post(path, data=fields, headers=visit.origin),
        ]
        assert {one.status_code for one in refused} == {403}
        assert rig.desk.latest(9) == []
        assert (await visit.get("/desk/")).status_code == 200


async def test_who_may_not_come_in_learns_nothing_and_gets_no_cookie(tmp_path: Path) -> None:
    async with desk_rig(tmp_path) as rig, visiting(rig, inside=False) as visit:
        wrong, unknown = await visit.log_in(password="x"), await visit.log_in("nobody", "x")
        assert (wrong.status_code, "set-cookie" in wrong.headers) == (401, False)
        assert unknown.text == wrong.text.replace('value="desk.agent"', 'value="nobody"')
    async with desk_rig(tmp_path, entry=Entry.BLOCKED) as rig, visiting(rig, inside=False) as visit:
        blocked = await visit.log_in()
        assert (blocked.status_code, "Too many log-ins" in blocked.text) == (403, True)


@pytest.mark.parametrize(
    "path", ["/desk/", "/desk/login", ACCOUNT, f"{ACCOUNT}?call=x", "/desk/a/b", "/desk/accounts/A-9"]
)
async def test_every_answer_below_desk_keeps_a_browser_to_our_own_files(tmp_path: Path, path: str) -> None:
    async with desk_rig(tmp_path) as rig, visiting(rig) as visit:
        reply = await visit.get(path)
        assert reply.headers["content-security-policy"].startswith("default-src 'self'; ")
        assert "unsafe" not in reply.headers["content-security-policy"]
        assert reply.headers["cache-control"] == "no-store"
        assert reply.status_code == 303 or reply.headers["content-type"].startswith("text/html")
        assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?! src=)", reply.text)


async def test_what_comes_too_long_or_by_another_name_is_told_as_a_page(tmp_path: Path) -> None:
    async with desk_rig(tmp_path) as rig, visiting(rig) as visit:
        told = [
            await visit.http.post("/desk/login", content=b"a" * 70_000, headers=visit.origin),
            await visit.http.get("/desk/", headers={"host": "evil.example"}),
            await visit.http.delete("/desk/"),
        ]
    assert [one.status_code for one in told] == [413, 421, 405]
    assert all(one.headers["content-type"].startswith("text/html") for one in told)
