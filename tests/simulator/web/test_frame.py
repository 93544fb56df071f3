"""The frame of every page: whole whatever fills it."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from hashlib import sha256
from pathlib import Path

import pytest

from headend.http.api_pages import render
from meters.calendar import epoch
from simulator.versions import product
from simulator.web.frame import framed, served
from simulator.web.palette import PALETTE, Shade
from tests.cases import few
from tests.simulator.web.looks import assert_fits
from tests.simulator.web.outline import Outline, assert_whole

OPENAPI = Path(__file__).parents[3] / "docs" / "openapi"
NOON = epoch("2026-08-12T12:00")
BODY = '<h2>What & why?</h2><h3>aside</h3><table><tr><td>1</td></tr></table><h2 class=\'x\' id="own">Own</h2><h3 id="a-b">A <b>B</b></h3>'


def test_a_body_gets_landmarks_contents_version_and_date() -> None:
    page = framed("A <title>", "about", "operating day 2026-08-12", BODY)
    assert_whole(page, "operating day 2026-08-12")
    assert Outline(page).contents == ["what-why", "own", "a-b"]
    assert "A &lt;title&gt;" in page
    assert '<a href="#a-b">A B</a>' in page
    assert product() in page


def test_the_first_that_can_be_reached_by_keys_skips_to_the_content() -> None:
    page = framed("A title", "about", "a day", BODY)
    assert re.findall(r'<a [^>]*href="([^"]*)"', page)[0] == "#main"


def test_a_page_without_headings_has_no_contents() -> None:
    assert "<nav" not in framed("A title", "about", "a day", "<p>One word.</p>")


def test_headings_of_the_same_words_have_an_anchor_each_in_the_order_of_the_page() -> None:
    page = framed("A", "b", "c", "<h2>Said</h2><h2>Said</h2><h2 id='x'>Other</h2><h2>Said!</h2>")
    assert re.findall(r'<a href="#(said[^"]*)">', page) == ["said", "said-2", "said-3"]
    assert re.findall(r'<h2 id="(said[^"]*)"', page) == ["said", "said-2", "said-3"]


def test_the_same_body_gives_the_same_page() -> None:
    assert framed("A", "b", "c", BODY) == framed("A", "b", "c", BODY)


def test_a_served_page_may_load_its_own_stylesheet_and_nothing_else() -> None:
    frame = served(lambda: NOON)
    page = frame.page("A", "b", BODY)
    assert_whole(page, "2026-08-12 12:00 Central Prevailing Time")
    (style,) = re.findall(r"<style>(.*?)</style>", page, re.DOTALL)
    digest = b64encode(sha256(style.encode()).digest()).decode()
    policy = frame.headers["content-security-policy"]
    assert policy.startswith(f"default-src 'none'; style-src 'sha256-{digest}';")
    assert "unsafe" not in policy
    assert " style=" not in page


@pytest.mark.parametrize("document", ["smt", "headend"])
def test_the_api_pages_are_whole(document: str) -> None:
    written = json.loads((OPENAPI / f"{document}.json").read_text(encoding="utf-8"))
    page = served(lambda: NOON).page("API", "about", render(written, "http://127.0.0.1:8600"))
    assert_whole(page, "2026-08-12 12:00 Central Prevailing Time", frozenset({"openapi.json"}))


@pytest.mark.process
@pytest.mark.parametrize("document", few(1, ["smt", "headend"]))
def test_the_api_pages_fit_a_phone_and_a_desk(document: str, tmp_path: Path) -> None:
    written = json.loads((OPENAPI / f"{document}.json").read_text(encoding="utf-8"))
    assert_fits(framed("API", "about", "a day", render(written, "http://127.0.0.1:8600")), tmp_path)


def _luminance(colour: str) -> float:
    """Relative luminance as WCAG 2.2 defines it."""
    parts = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


WRITTEN = ("ink", "muted", "accent", "good", "bad", "aside")
SURFACES = ("paper", "wash", "grid")


@pytest.mark.parametrize("paper", Shade._fields)
def test_what_is_written_and_drawn_can_be_told_from_the_paper(paper: str) -> None:
    shade = {name: str(getattr(one, paper)) for name, one in PALETTE.items()}
    for name in WRITTEN:
        assert min(contrast(shade[name], shade[under]) for under in ("paper", "wash")) >= 4.5, name
    for name in PALETTE.keys() - set(SURFACES):
        assert contrast(shade[name], shade["paper"]) >= 3, name


def test_no_two_names_share_a_light_colour() -> None:
    assert len({one.light for one in PALETTE.values()}) == len(PALETTE)
