"""What holds of every page in a browser, on a phone and at a desk: it fits its window, its text can be read, and axe finds nothing to mend."""

from __future__ import annotations

import asyncio
import atexit
import functools
from pathlib import Path

from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser

from tests.simulator.web.driven import DESK, PHONE, Page, browser, chromium

#: A small phone, the usual one, a tablet, the least with contents beside, a desk.
WIDTHS = (360, PHONE, 768, 1120, DESK)
#: The least sizes of text, pixels: of words, and in charts.
WORDS, CHARTED = 14, 12
#: Of the window, by how much at most what is seen moves by itself.
SHIFTED = 0.1
#: Text that ends beside the window and in no box of its own, and marks that do; the smallest text, and the smallest in charts as they are drawn; ids that are there twice.
_MEASURE = """() => {
  const shown = (one) => one.getClientRects().length > 0;
  const texts = (all) => [...document.querySelectorAll(all)].filter((one) => shown(one) && [...one.childNodes].some((node) => node.nodeType === 3 && node.data.trim()));
  const size = (one) => parseFloat(getComputedStyle(one).fontSize);
  const scale = (svg) => svg.viewBox.baseVal && svg.viewBox.baseVal.width ? svg.getBoundingClientRect().width / svg.viewBox.baseVal.width : 1;
  const ids = [...document.querySelectorAll("[id]")].map((one) => one.id);
  return {
    width: document.documentElement.scrollWidth,
    beyond: texts("main *:not(.scroll *), .mark").filter((one) => one.getBoundingClientRect().right > innerWidth + 1).map((one) => one.textContent.trim().slice(0, 40)),
    least: Math.min(...texts("body *:not(svg *)").map(size)),
    charted: Math.min(99, ...texts("svg text").map((one) => size(one) * scale(one.ownerSVGElement))),
    shifted: globalThis.shifted ?? 0,
    moved: globalThis.moved ?? [],
    twice: ids.filter((one, at) => ids.indexOf(one) !== at),
  };
}"""


async def looks_right(page: Page) -> None:
    """What holds of every page, at the width that it has now."""
    await fits(page)
    # axe waits for promises, which are scripts too.
    if page.scripts:
        found = await Axe().run(page.tab)
        assert found.violations_count == 0, found.generate_report()


async def fits(page: Page) -> None:
    """What of it can be measured without axe."""
    told = await page.value(_MEASURE)
    window = page.tab.viewport_size
    assert window is not None
    assert told["width"] <= window["width"]
    assert (told["beyond"], told["twice"]) == ([], []), page.tab.url
    assert told["least"] >= WORDS
    assert told["charted"] >= CHARTED
    assert told["shifted"] <= SHIFTED, told["moved"]


def assert_fits(page: str, folder: Path) -> None:
    """A page that is a file looks right on a phone, and fits a desk too."""
    file = folder / "page.html"
    file.write_text(page, encoding="utf-8")
    runner, started = _kept()
    runner.run(_fits(file.as_uri(), started))


@functools.cache
def _kept() -> tuple[asyncio.Runner, Browser]:
    """A browser for all pages that are files, in an event loop of its own, until the tests have ended."""
    runner, its = asyncio.Runner(), chromium()
    started = runner.run(its.__aenter__())

    def end() -> None:
        runner.run(its.__aexit__(None, None, None))
        runner.close()

    atexit.register(end)
    return runner, started


async def _fits(address: str, started: Browser) -> None:
    async with browser(PHONE, of=started) as page:
        await page.go(address)
        await looks_right(page)
        for width in WIDTHS:
            await page.size(width)
            await fits(page)
