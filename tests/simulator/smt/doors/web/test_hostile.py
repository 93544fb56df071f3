"""Texts that others choose: whatever stands in them stays text, and no script runs.

Ten thousand strings, each in an address or a city, some in all that a meter's page tells; what a person types and an address says come on top.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from itertools import product
from pathlib import Path

import pytest

from simulator.smt.doors.web.account import AT_ONCE
from simulator.smt.registry.meter_attributes import MeterAttributes
from simulator.smt.registry.records import ServicePoint, User, UserKind
from simulator.smt.registry.registry import Registry
from tests.simulator.smt.doors.test_attacks import _served
from tests.simulator.smt.doors.web.visits import visiting
from tests.simulator.smt.rig import HASH, PASSWORD, PLAIN, TDSP_DUNS, Rig
from tests.simulator.smt.rig import registry as market
from tests.simulator.web.driven import browser

#: How a text may try to leave its place, and what it would run then.
_LEAVING = ("", '"', "'", "`", '">', "'>", "</td>", "</title>", "</textarea>", "</script>", "-->", "]]>", "\\", "&quot;", "&#34;>", "{{", "{%", "${", "\u2028", "\u202e", "\x7f")  # fmt: skip
_RUNNING = (
    "<script>alert(1)</script>",
    "<ScRiPt src=//evil.example/x></sCrIpT>",
    "<img src=x onerror=alert(1)>",
    "<svg onload=alert(1)>",
    "<svg><script>alert(1)</script></svg>",
    "<details open ontoggle=alert(1)>",
    "<iframe srcdoc='<script>alert(1)</script>'>",
    "<a href=javascript:alert(1)>x</a>",
    "<base href=//evil.example/>",
    "<meta http-equiv=refresh content='0;url=javascript:alert(1)'>",
    "<form action=//evil.example><button>x",
    "<style>@import '//evil.example/x'</style>",
    "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>",
    " onfocus=alert(1) autofocus ",
    "7*7}}",
    "%}{% endblock %}",
    "javascript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "\ufeff<script>alert(1)</script>",
    "<!--<script>alert(1)</script>",
)
HOW_MANY = 10_000
#: What our own pages are made of; everything else came from a text.
_TAGS = {"html", "head", "meta", "title", "link", "script", "body", "a", "header", "div", "p", "span", "form", "input", "button", "h1", "main", "svg", "defs", "pattern", "rect", "path", "label", "table", "thead", "tr", "th", "tbody", "td", "b", "footer", "nav", "ul", "li", "h2", "dl", "dt", "dd", "code", "section", "ol"}  # fmt: skip


def hostile() -> list[str]:
    """The strings: each way with each, twice over some of them."""
    draw = random.Random(1)
    pairs = [leaving + running for leaving, running in product(_LEAVING, _RUNNING)]
    return [*pairs, *("".join(draw.sample(pairs, 2)) for _ in range(HOW_MANY - len(pairs)))]


class Looked(HTMLParser):
    """What of a page a browser would make more than text of."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.strange: list[str] = []
        self.texts: list[str] = []
        #: Of the list: what follows on the address, without the number behind it.
        self.cities: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = {name for name, _ in attrs}
        where = [value or "" for name, value in attrs if name in ("href", "src", "action", "data-poll")]
        ours = all(one.startswith(("/ui/", "#", "/docs")) for one in where)
        if tag not in _TAGS or "style" in names or any(name.startswith("on") for name in names) or not ours:
            self.strange.append(f"{tag} {attrs}")

    def handle_data(self, data: str) -> None:
        self.texts.append(data)
        self.cities.append(data.strip().removesuffix("75001"))


def registry(texts: list[str]) -> Registry:
    """A market of a TDSP whose every premise is written in two of the strings."""
    made = market(User("here", HASH, UserKind.CUSTOMER, esiids=(PLAIN,)))
    plain = made.points[PLAIN]
    points = [
        replace(
            plain,
            esiid=f"9990000000{number:07d}",
            address=texts[at],
            city=texts[at + 1],
            premise_type=texts[at],
            attributes=MeterAttributes(serial_number=texts[at], firmware=texts[at + 1]),
        )
        for number, at in enumerate(range(0, len(texts), 2), 1_000_000)
    ]
    records = made.records
    made.take(records._replace(points=(*records.points, *points)))
    return made


def points_of(rig: Rig) -> Iterator[ServicePoint]:
    return (point for point in rig.smt.registry.points.values() if point.esiid.startswith("99900000001"))


@pytest.mark.long
async def test_ten_thousand_hostile_texts_stay_texts(tmp_path: Path) -> None:
    texts = hostile()
    assert len(texts) == HOW_MANY
    shown = set[str]()
    async with Rig(tmp_path, registered=registry(texts)) as rig, visiting(rig, "wires") as visit:
        assert rig.smt.registry.users["wires"].duns == TDSP_DUNS
        pages = [f"/ui/?page={page}" for page in range(1, HOW_MANY // 2 // AT_ONCE + 2)]
        pages += [
            f"/ui/m/{point.esiid}/meter" for point in list(points_of(rig))[: len(_LEAVING) * len(_RUNNING) // 2 : 5]
        ]
        for path in pages:
            reply = await visit.get(path)
            looked = Looked(reply.text)
            assert (reply.status_code, looked.strange) == (200, []), path
            shown.update(looked.texts, looked.cities)
    assert {text.strip() for text in texts} <= {text.strip() for text in shown}


@pytest.mark.parametrize("text", _RUNNING)
async def test_what_is_typed_and_what_an_address_says_stays_text(rig: Rig, text: str) -> None:
    async with visiting(rig) as visit:
        told = [await visit.log_in(f'">{text}', "x", next=text)]
        await visit.log_in("customer")
        for name in ("q", "page", "next"):
            told.append(await visit.http.get("/ui/", params={name: f'">{text}'}))
        for name in ("day", "view", "compare", "read"):
            for part in ("", "usage", f'"><{text}'):
                headers = {"x-fragment": part.encode("ascii", "ignore").decode()} if part else {}
                told.append(await visit.http.get(f"/ui/m/{PLAIN}/usage", params={name: f'">{text}'}, headers=headers))
        told.append(await visit.http.get(f"/ui/{text.replace('/', '').replace('?', '').strip() or 'x'}"))
    for reply in told:
        assert Looked(reply.text).strange == []
        assert "Traceback" not in reply.text


async def test_what_a_head_end_says_of_a_failure_stays_text(rig: Rig) -> None:
    rig.post_days()
    rig.head_end.amend = {"outcome": "failed", "reason": "<script>alert(1)</script>"}
    async with visiting(rig, "customer") as visit:
        at = (await visit.post(f"/ui/m/{PLAIN}/read", kind="REGISTER")).headers["location"]
        await rig.wait(200)
        page = (await visit.get(at)).text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "<script>alert" not in page


@pytest.mark.process
async def test_no_script_of_a_text_runs_in_a_browser(tmp_path: Path) -> None:
    texts = hostile()[:400]
    async with Rig(tmp_path, registered=registry(texts)) as rig, _served(rig) as at, browser() as page:
        await page.go(f"{at.server.url}/")
        await page.write("User name", "wires")
        await page.write("Password", PASSWORD)
        await page.click("Log in")
        await page.see("Your meters")
        for number in range(1, 4):
            await page.go(f"{at.server.url}/ui/?page={number}")
            await page.see(f"Page {number} of")
        for point in list(points_of(rig))[:200:20]:
            await page.go(f"{at.server.url}/ui/m/{point.esiid}/meter")
            await page.see("HAN devices")
        assert {one.split("/")[2] for one in page.asked if one.startswith("http")} == {f"127.0.0.1:{at.port}"}
