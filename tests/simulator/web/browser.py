"""Pages laid out by Debian's chromium, if it is there: how wide they are, and how small their text."""

from __future__ import annotations

import json
import re
from html import escape, unescape
from pathlib import Path
from typing import NamedTuple

from tests.needs import needs
from tests.simulator.processes import done

#: A phone's width, and a desk's.
WIDTHS = (390, 1440)
#: Headless windows have a least width; frames in them have none.
_MEASURE = """
<script>
addEventListener("load", () => {
  const told = [...document.querySelectorAll("iframe")].map((frame) => {
    const page = frame.contentDocument, view = frame.contentWindow, shown = (one) => one.getClientRects().length > 0;
    const texts = (all) => [...page.querySelectorAll(all)].filter((one) => shown(one) && [...one.childNodes].some((node) => node.nodeType === 3 && node.data.trim()));
    const size = (one) => parseFloat(view.getComputedStyle(one).fontSize);
    const scale = (svg) => svg.getBoundingClientRect().width / svg.viewBox.baseVal.width;
    return {
      width: page.documentElement.scrollWidth,
      beyond: texts("main *:not(.scroll *), .mark").filter((one) => one.getBoundingClientRect().right > view.innerWidth + 1).map((one) => one.textContent.trim().slice(0, 40)),
      least: Math.min(...texts("body *:not(svg *)").map(size)),
      charted: Math.min(99, ...texts("svg text").map((one) => size(one) * scale(one.ownerSVGElement))),
    };
  });
  document.body.innerHTML = "<pre id=told></pre>";
  document.getElementById("told").textContent = JSON.stringify(told);
});
</script>
"""


class Laid(NamedTuple):
    """A page in a window of some width. Pixels."""

    width: int
    #: Text whose end lies beside the window and in no box of its own, and marks that do.
    beyond: list[str]
    #: The smallest text, and the smallest in charts.
    least: float
    charted: float


def lay_out(page: str, folder: Path) -> dict[int, Laid]:
    """The page in a window of each of ``WIDTHS``."""
    needs("chromium")
    frames = "".join(
        f'<iframe style="border:0;width:{width}px;height:900px" srcdoc="{escape(page)}"></iframe>' for width in WIDTHS
    )
    wrapper = folder / "measured.html"
    wrapper.write_text(f"<!doctype html><meta charset=utf-8><body>{frames}{_MEASURE}", encoding="utf-8")
    options = ("--headless=new", "--no-sandbox", "--disable-gpu", f"--user-data-dir={folder / 'profile'}")
    shown = done("chromium", *options, "--window-size=1600,1000", "--dump-dom", wrapper.as_uri())
    found = re.search(r'<pre id="told">(.*?)</pre>', shown.stdout, re.DOTALL)
    assert found is not None, shown.stderr
    return dict(zip(WIDTHS, (Laid(**load) for load in json.loads(unescape(found[1]))), strict=True))


def assert_fits(page: str, folder: Path) -> None:
    """No page is wider than its window, nor has text that is too small to read."""
    for width, laid in lay_out(page, folder).items():
        assert laid.width <= width
        assert laid.beyond == []
        assert laid.least >= 14
        assert laid.charted >= 10
