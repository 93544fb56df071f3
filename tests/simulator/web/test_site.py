"""Served pages: what they may load, whose forms are believed, and that each looks right at every width."""

from __future__ import annotations

import asyncio
import itertools
import re
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI, Request
from playwright.async_api import Browser, Route
from starlette.responses import HTMLResponse, Response

from simulator.runtime.serving import HttpServer, bind
from simulator.web import site
from simulator.web.gallery import bills, charts, gallery, part_bars, row_charts, stack_charts
from simulator.web.kinds import KINDS
from simulator.web.palette import PALETTE
from simulator.web.site import HEADERS, Site, bears, fields_of, of_same_origin
from tests.simulator.web.driven import DESK, PHONE, Page, browser, chromium
from tests.simulator.web.test_frame import contrast

SITE = Site("A test", "/face/")
WIDTHS = (360, PHONE, 768, DESK)
#: Text of a chart is never smaller than this, pixels.
LEAST = 12


def faced() -> FastAPI:
    """A face of nothing but the kit, and a part that changes as ``live.js`` is asked to change it."""
    app = FastAPI()
    polled: list[int] = []

    @app.get("/face/kit")
    async def kit() -> HTMLResponse:
        return gallery(SITE)

    @app.get("/face/files/{name}")
    async def file(name: str, request: Request) -> Response:
        return SITE.file(name, request)

    @app.get("/face/live")
    async def live(request: Request) -> HTMLResponse:
        asked = request.headers.get("x-fragment", "whole")
        turn = request.query_params.get("turn", "0")
        parts = {
            "a": f'<section id="a" data-swap="a">a {turn} <a href="/face/live?turn=1">On</a> <a href="/face/kit" download>Off</a></section>',
            "b": '<form method="post" action="/face/form" data-swap="c"><input name="word" value="x"><button name="by" value="y">Send</button></form>',
            "c": '<section id="c">c</section>',
            "d": f'<section id="d" data-on="over">d {len(polled)}</section>',
        }
        if asked in parts:
            return HTMLResponse(parts[asked])
        page = f'<html lang=en><title>t</title><link rel=icon href="{SITE.icon}"><script src="{SITE.script}" defer></script><p>whole {turn}</p>{"".join(parts.values())}<p id=away hidden>No answer</p></html>'
        return HTMLResponse(f"<!doctype html>{page}", headers=HEADERS)

    @app.post("/face/form")
    async def form(request: Request) -> HTMLResponse:
        fields = await fields_of(request)
        if "x-fragment" not in request.headers:
            return HTMLResponse(f'<link rel=icon href="{SITE.icon}"><p>whole answer')
        polled.clear()
        text = f'<section id="c" data-poll="/face/poll">sent {fields["word"]} by {fields["by"]}</section>'
        return HTMLResponse(text, headers={"x-address": "/face/live?turn=7"})

    @app.get("/face/told")
    async def told() -> Response:
        return Response('data: <section id="e">told</section>\n\n', media_type="text/event-stream")

    @app.get("/face/stream")
    async def stream() -> HTMLResponse:
        part = '<section id="e" data-stream="/face/told">before</section><p id=away hidden>No answer</p>'
        return HTMLResponse(f'<link rel=icon href="{SITE.icon}"><script src="{SITE.script}" defer></script>{part}')

    @app.get("/face/poll")
    async def poll() -> HTMLResponse:
        polled.append(1)
        if len(polled) < 2:
            return HTMLResponse('<section id="c" data-poll="/face/poll">waits</section>')
        return HTMLResponse('<section id="c">came</section>', headers={"x-event": "over"})

    return app


@pytest.fixture(scope="module")
async def shared() -> AsyncIterator[Browser]:
    """One browser for all of them."""
    async with chromium() as started:
        yield started


@pytest.fixture
async def at() -> AsyncIterator[str]:
    server = HttpServer(faced(), bind("127.0.0.1", 0, "a face"))
    await server.start()
    try:
        yield server.url
    finally:
        await server.stop()


def test_the_script_stays_small_and_makes_nothing_of_text_but_text() -> None:
    script = (Path(site.__file__).parent / "live.js").read_text("utf-8")
    assert len(script.splitlines()) <= 120
    assert not re.search(r"eval|new Function|\.style|insertAdjacentHTML|innerHTML =[^=]|document\.write", script)


async def test_a_page_may_load_what_is_its_own_and_nothing_else() -> None:
    page = gallery(SITE)
    policy = page.headers["content-security-policy"]
    assert policy.startswith("default-src 'self'; ")
    assert "unsafe" not in policy
    text = bytes(page.body).decode()
    assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?! src=)", text)
    linked = re.findall(r'(?:src|href)="([^"#]+)', text)
    assert all(one.startswith("/face/") for one in linked), linked
    transport = httpx.ASGITransport(faced())
    async with httpx.AsyncClient(transport=transport, base_url="http://face") as http:
        for address in {SITE.style, SITE.script, SITE.icon}:
            found = await http.get(address)
            assert (found.status_code, "immutable" in found.headers["cache-control"]) == (200, True)
            whole = await http.get(address, headers={"accept-encoding": "identity"})
            assert "content-encoding" not in whole.headers
            assert (found.headers["content-encoding"], found.content) == ("gzip", whole.content)
        assert (await http.get("/face/files/../../secret")).status_code == 404
        assert (await http.get("/face/files/frame.py")).status_code == 404


def request(**headers: str) -> Request:
    given = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return Request({"type": "http", "scheme": "http", "path": "/", "query_string": b"", "server": ("here", 80), "headers": given})  # fmt: skip


@pytest.mark.parametrize(
    ("headers", "believed"),
    [
        ({"host": "here:8600", "origin": "http://here:8600"}, True),
        ({"host": "here:8600", "origin": "http://HERE:8600"}, True),
        ({"host": "here:8600", "origin": "http://here:8601"}, False),
        ({"host": "here:8600", "origin": "https://here:8600"}, False),
        ({"host": "here:8600", "origin": "null"}, False),
        ({"host": "here:8600", "origin": "http://evil.example", "sec_fetch_site": "same-origin"}, False),
        ({"host": "here:8600", "sec_fetch_site": "same-origin"}, True),
        ({"host": "here:8600", "sec_fetch_site": "same-site"}, False),
        ({"host": "here:8600", "sec_fetch_site": "none"}, False),
        ({"host": "here:8600"}, False),
    ],
)
def test_a_form_is_believed_of_its_own_origin_alone(headers: dict[str, str], believed: bool) -> None:
    assert of_same_origin(request(**headers)) is believed


def test_a_form_bears_the_token_of_its_session_or_nothing() -> None:
    assert bears({"form_token": "abc"}, "abc")
    for other in ({"form_token": "abd"}, {"form_token": ""}, {"form_token": "é\ud800"[:1]}, {}):
        assert not bears(other, "abc")


@pytest.mark.parametrize("shades", ["light", "dark"])
def test_lines_of_a_pattern_can_be_told_from_their_ground(shades: str) -> None:
    shade = {name: str(getattr(one, shades)) for name, one in PALETTE.items()}
    for kind in ("vee-estimated", "from-store", "from-meter", "expected", "muted"):
        assert contrast(shade[kind], shade["paper"]) >= 3, kind


_TEXTS = "[...document.querySelectorAll('.plot text')].filter((one) => one.getClientRects().length).map((one) => one.getBoundingClientRect().height / parseFloat(getComputedStyle(one).fontSize) > 0.8 ? parseFloat(getComputedStyle(one).fontSize) : 0)"
#: Presses the button of a form as whoever is used to pressing twice does.
_TWICE = "new Promise((done) => { const its = document.forms[0].elements.by; its.click(); setTimeout(() => { its.click(); done(); }, 50); })"
#: Texts of one drawing that lie on each other.
_OVERLAP = """[...document.querySelectorAll('.plot > svg')].flatMap((drawing) => {
 const boxes = [...drawing.querySelectorAll('text')].filter((one) => one.getClientRects().length).map((one) => [one.textContent, one.getBoundingClientRect()]);
 return boxes.flatMap(([name, box], at) => boxes.slice(at + 1).filter(([, other]) => box.left < other.right - 1 && other.left < box.right - 1 && box.top < other.bottom - 3 && other.top < box.bottom - 3).map(([other]) => [name, other])); })"""


@pytest.mark.process
async def test_the_gallery_fits_every_width_and_can_be_read(at: str, shared: Browser) -> None:
    async with browser(of=shared) as page:
        await page.go(f"{at}/face/kit")
        counts = sum(
            len(one.delivered.kinds) + len(one.received.kinds if one.received else ()) for one in charts().values()
        )
        counts += sum(len(list(filter(None, wh))) for one in stack_charts().values() for wh in one.parts.values())
        counts += sum(len(parts) for parts in part_bars().values())
        counts += sum(bool(row.kind and row.wh > 0) for one in bills().values() for row in one.rows)
        bars = [one for chart in row_charts().values() for one in chart.bars]
        # A point of a kind that is drawn by lines is told by its shape; the legend shows a point as it is drawn.
        points = [one for chart in row_charts().values() for one in chart.points if not KINDS[one.kind].lines]
        counts += sum(value is not None for one in (*bars, *points) for value in one.values) + len(points)
        assert await page.value("document.querySelectorAll('[data-kind]').length") == counts
        for width in WIDTHS:
            for dark in (False, True):
                await page.size(width, dark=dark)
                assert await page.value("document.documentElement.scrollWidth") <= width
                assert min(await page.value(_TEXTS)) >= LEAST
                assert await page.value(_OVERLAP) == []
                assert await page.value("Math.min(...[...document.querySelectorAll('button, .choice a, .site input')].map((one) => one.getBoundingClientRect().height))") >= 44  # fmt: skip
            # What is drawn has the colour of its kind, and a pattern where it has one.
            fills = await page.value("[...new Set([...document.querySelectorAll('[data-kind]')].map((one) => one.dataset.kind + ' ' + getComputedStyle(one).fill))]")  # fmt: skip
            assert len(fills) == len({one.split(" ", 1)[1] for one in fills}) == len(KINDS)


@pytest.mark.process
async def test_parts_change_in_place_and_wait_until_they_need_not(at: str, shared: Browser) -> None:
    async with browser(of=shared) as page:
        await page.go(f"{at}/face/live")
        loads = page.loads
        await page.click("On")
        await page.see("a 1")
        assert (await page.value("location.search"), await page.value("document.querySelector('p').textContent")) == (
            "?turn=1",
            "whole 0",
        )
        await page.click("Send")
        await page.see("sent x by y")
        assert await page.value("location.search") == "?turn=7"
        # It waits, comes, and what is to be renewed then is.
        await page.see("came")
        await page.see("d 2")
        assert page.loads == loads
        assert len([one for one in page.asked if one.endswith("/poll")]) == 2


@pytest.mark.process
@pytest.mark.parametrize("lost", [{"status": 502, "body": "<p>Something stands between."}, None])
async def test_a_page_whose_questions_are_not_answered_says_so_until_they_are(
    at: str, shared: Browser, lost: dict[str, Any] | None
) -> None:
    async with browser(of=shared) as page:

        async def lose(route: Route) -> None:
            await (route.fulfill(**lost) if lost else route.abort())

        await page.go(f"{at}/face/live")
        await page.tab.route("**/face/poll", lose)
        await page.click("Send")
        await page.see("No answer")
        await page.see("sent x by y")
        # It goes on asking.
        await page.tab.unroute("**/face/poll")
        await page.see("came")
        await page.miss("No answer")
        # A form that was not answered is not sent again by itself.
        await page.tab.route("**/face/form", lose)
        before = page.asked.count(f"{at}/face/form")
        await page.click("Send")
        await page.see("No answer")
        await page.count("[aria-busy]", 0)
        assert page.asked.count(f"{at}/face/form") == before + 1
        # What the browser says of each.
        assert all("Failed to load resource" in one for one in page.console)
        page.console.clear()


@pytest.mark.process
@pytest.mark.parametrize("whole", [False, True])
async def test_a_form_that_is_pressed_twice_is_sent_once(at: str, shared: Browser, whole: bool) -> None:
    async with browser(of=shared) as page:
        await page.go(f"{at}/face/live")
        if whole:
            await page.value("delete document.forms[0].dataset.swap")
        again = asyncio.Event()

        async def hold(route: Route) -> None:
            await again.wait()
            await route.continue_()

        await page.tab.route("**/face/form", hold)
        await page.value(_TWICE)
        again.set()
        await page.see("whole answer" if whole else "came")
        assert page.asked.count(f"{at}/face/form") == 1


#: What waits, and has something in it that a person may be at.
_WAITS = '<section id="c" data-poll="/face/poll"><a href="#c">waits {}</a></section>'


async def answering(page: Page, path: str, answer: Callable[[], str], kind: str = "text/html", **headers: str) -> None:
    """Let what stands at a path answer with what a function gives, or with headers too."""

    async def fulfil(route: Route) -> None:
        await route.fulfill(body=answer(), content_type=kind, headers=headers)

    await page.tab.route(f"**{path}", fulfil)


@pytest.mark.process
async def test_what_waits_asks_every_two_seconds_later_every_five_and_not_while_nobody_looks(
    at: str, shared: Browser
) -> None:
    async with browser(of=shared) as page:
        count = itertools.count(1)
        await answering(page, "/face/poll", lambda: _WAITS.format(next(count)))
        clock = page.tab.clock
        await clock.install()
        await page.go(f"{at}/face/live")
        await page.click("Send")
        await page.see("sent x by y")
        for turn in range(1, 11):
            await clock.run_for(2000)
            await page.see(f"waits {turn}")
        await clock.run_for(4000)
        await page.value("Object.defineProperty(document, 'hidden', { value: true, configurable: true })")
        await clock.run_for(60_000)
        # What was asked for before this is known once this is answered.
        await page.value("fetch('/face/kit').then((answer) => answer.text()).then(() => null)")
        assert page.asked.count(f"{at}/face/poll") == 10
        await page.value("Object.defineProperty(document, 'hidden', { value: false })")
        await clock.run_for(5000)
        await page.see("waits 11")


@pytest.mark.process
async def test_what_stays_the_same_is_left_alone_and_the_focus_goes_to_what_takes_its_place(
    at: str, shared: Browser
) -> None:
    async with browser(of=shared) as page:
        answers = [_WAITS, _WAITS, _WAITS, '<section id="c">came</section>']
        for path in ("/face/form", "/face/poll"):
            await answering(page, path, lambda: answers.pop(0))
        await page.tab.clock.install()
        await page.go(f"{at}/face/live")
        await page.click("Send")
        await page.see("waits")
        await page.value("(globalThis.link = document.querySelector('#c a')).focus()")
        while page.asked.count(f"{at}/face/poll") < 3:
            assert await page.value("link.isConnected")
            await page.tab.clock.run_for(2000)
        await page.see("came")
        assert await page.value("document.activeElement.id") == "c"


@pytest.mark.process
@pytest.mark.parametrize("streamed", [False, True])
async def test_what_changes_by_itself_leaves_the_focus_where_it_was_and_unfolded_what_is(
    at: str, shared: Browser, streamed: bool
) -> None:
    async with browser(of=shared) as page:
        turns, held = itertools.count(), "<details><summary>More</summary>of it</details>"

        def part(more: str = "") -> str:
            return f'<section id="{"e" if streamed else "c"}"{more}><p>turn {next(turns)}.</p>{held}</section>'

        async def turned() -> None:
            """Wait until it has changed."""
            stands = await page.tab.locator("p", has_text="turn").inner_text()
            await page.tab.clock.run_for(2000)
            await page.miss(stands)

        await page.tab.clock.install()
        if streamed:
            # It ends with each answer, and is asked for again.
            await answering(page, "/face/told", lambda: f"retry: 20\ndata: {part()}\n\n", "text/event-stream")
            await page.go(f"{at}/face/stream")
        else:
            for path in ("/face/form", "/face/poll"):
                await answering(page, path, lambda: part(' data-poll="/face/poll"'))
            await page.go(f"{at}/face/live")
            await page.click("Send")
        await page.see("More")
        await page.reach("More")
        await page.press(" ")
        for _ in range(2):
            assert await page.value("document.querySelector('details').open")
            assert await page.value("document.activeElement.textContent") == "More"
            await turned()
        held = ""
        await page.miss("More") if streamed else await turned()
        assert await page.value("document.activeElement.id") == ("e" if streamed else "c")


@pytest.mark.process
async def test_a_link_is_the_browsers_where_it_loads_a_file_or_opens_a_tab_and_back_leads_back(
    at: str, shared: Browser
) -> None:
    async with browser(of=shared) as page:
        await page.go(f"{at}/face/live")
        await page.click("Off")
        async with page.tab.context.expect_page():
            await page.named("On").click(modifiers=["Control"])
        await page.see("a 0")
        await page.click("On")
        await page.see("a 1")
        assert [one.url for one in page.requests if "x-fragment" in one.headers] == [f"{at}/face/live?turn=1"]
        await page.tab.go_back()
        await page.see("a 0")


@pytest.mark.process
async def test_an_answer_leads_to_another_page_of_the_site_and_to_no_other_site(at: str, shared: Browser) -> None:
    async with browser(of=shared) as page:
        await page.go(f"{at}/face/live")
        part = '<section id="c">stays</section>'
        await answering(
            page, "/face/form", lambda: part, **{"x-location": "http://127.0.0.1:1/", "x-address": "//a.b/"}
        )
        await page.click("Send")
        await page.see("stays")
        await answering(page, "/face/form", lambda: part, **{"x-location": "/face/kit"})
        await page.go(f"{at}/face/live")
        await page.click("Send")
        await page.tab.wait_for_url("**/face/kit")


@pytest.mark.process
async def test_what_is_told_takes_the_place_of_a_part_and_a_page_that_is_told_nothing_says_so(
    at: str, shared: Browser
) -> None:
    async with browser(of=shared) as page:
        await page.go(f"{at}/face/stream")
        await page.see("told")
        # The stream has ended.
        await page.see("No answer")


@pytest.mark.process
async def test_without_script_the_same_ends_on_whole_pages(at: str, shared: Browser) -> None:
    async with browser(scripts=False, of=shared) as page:
        await page.go(f"{at}/face/live")
        await page.click("On")
        await page.see("whole 1")
        await page.click("Send")
        await page.see("whole answer")
