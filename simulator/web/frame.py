"""Puts the body of a page into the one layout: landmarks, contents from its headings, version, and what day it is about.

The body is HTML of ours whose headings begin at h2. Every h2 gets an id, and every table a box of its own to scroll in, so that no page can lack them.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections import Counter
from collections.abc import Callable
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from headend.http.api_pages import Frame
from meters.calendar import Seconds, local
from simulator.versions import product
from simulator.web.charts import WIDTHS, bars, stacks
from simulator.web.kinds import colours, fill, patterns
from simulator.web.lanes import lanes
from simulator.web.lines import lines, looks
from simulator.web.palette import variables
from simulator.web.parts import legend_of, line_legend, part_bar, row_legend, rows_of, stack_legend, stack_table
from simulator.web.rows import rows, shades
from simulator.web.words import FILTERS

_KIT = Path(__file__).parent
_HEADING = re.compile(r"<h([23])([^>]*)>(.*?)</h\1>", re.DOTALL)
_ID = re.compile(r' id="([^"]*)"')
_TAG = re.compile(r"<[^>]*>")
#: A box can be reached and scrolled by keys.
_BOX = '<div class="scroll" role="group" aria-label="Table" tabindex="0">'
#: A table that has none yet.
_TABLE = re.compile(r'(?<!tabindex="0">)<table.*?</table>', re.DOTALL)

#: What the kit's macros draw and tell by.
_DRAWN = {
    one.__name__: one
    for one in (bars, fill, lanes, line_legend, lines, part_bar, row_legend, shades, stack_legend, stack_table, stacks)
} | {"legend": legend_of, "lying": rows, "rows": rows_of}


class Entry(NamedTuple):
    """A line of the contents."""

    level: int
    anchor: str
    text: Markup


@cache
def templates(room: Path) -> Environment:
    """The templates of a room, which find the kit's parts beside their own; compiled once in a process."""
    made = Environment(
        loader=FileSystemLoader([room, _KIT]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        # They are part of the product, and do not change while it runs.
        auto_reload=False,
    )
    made.filters |= FILTERS | _DRAWN
    return made


def framed(title: str, about: str, dated: str, body: str) -> str:
    """The whole page. about: the line below the title. dated: which day it is about or made for. body: HTML."""
    # By one name: a page of many exchanges is some megabytes, and each that was named apart would be kept to the end.
    body, contents = _anchored(body)
    body = _patterned(_TABLE.sub(lambda found: f"{_BOX}{found[0]}</div>", body))
    return (
        templates(_KIT)
        .get_template("layout.html.j2")
        .render(
            title=title,
            about=about,
            dated=dated,
            product=product(),
            style=Markup(stylesheet()),
            contents=contents,
            body=body,
        )
    )


def _patterned(body: str) -> Markup:
    """The body with the patterns of the kinds if it is filled by any."""
    return Markup(f"{body}{patterns()}" if "url(#k-" in body else body)


def _anchored(body: str) -> tuple[str, list[Entry]]:
    """The body with an id of its own at every h2, and its contents: each h2, and each h3 that has an id."""
    contents: list[Entry] = []
    # Of a flight two systems are told under the same headings.
    taken: Counter[str] = Counter()

    def anchor(found: re.Match[str]) -> str:
        level, attributes, inner = int(found[1]), found[2], found[3]
        text = _TAG.sub("", inner)
        own = _ID.search(attributes)
        if own is None and level > 2:
            return found[0]
        ident = own[1] if own else re.sub(r"\W+", "-", text.lower()).strip("-")
        taken[ident] += 1
        if taken[ident] > 1 and not own:
            ident = f"{ident}-{taken[ident]}"
        contents.append(Entry(level, ident, Markup(text)))
        return found[0] if own else f'<h{level} id="{ident}"{attributes}>{inner}</h{level}>'

    return _HEADING.sub(anchor, body), contents


@cache
def stylesheet() -> str:
    """The one stylesheet, the colours of both papers in it and how charts are drawn."""
    written = (_KIT / "style.css").read_text(encoding="utf-8")
    dark = f"@media screen and (prefers-color-scheme: dark){{:root{{color-scheme:dark;{variables('dark')}}}}}"
    widths = "".join(f".w{count} rect{{width:{wide:.3f}%}}" for count, wide in WIDTHS.items())
    return f":root{{color-scheme:light;{variables('light')}}}{dark}\n{colours()}{looks()}{widths}\n{written}"


def served(now: Callable[[], Seconds]) -> Frame:
    """The frame of a service's pages, made for the instant at which they are asked for. now: UTC epoch seconds.

    A browser that reads the headers loads and runs nothing but the page's own stylesheet, whatever the page says.
    """
    digest = b64encode(sha256(stylesheet().encode()).digest()).decode()
    policy = (
        f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    )

    def page(title: str, about: str, body: str) -> str:
        return framed(title, about, f"{local(now()):%Y-%m-%d %H:%M} Central Prevailing Time", body)

    return Frame(page, {"content-security-policy": policy})
