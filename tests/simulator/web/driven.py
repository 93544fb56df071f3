"""Debian's chromium, driven by Playwright as a person drives it: what can be seen is clicked, and nothing else.

By its coroutines, since what serves the pages mostly answers in the test's own event loop, which a call that blocks would hold up.
A page that says anything at its console, or asks another machine, is at fault: its browser ends with a failure.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from shutil import which
from typing import Any
from urllib.parse import urlsplit

from playwright.async_api import Browser, ConsoleMessage, Dialog, Locator, Request, async_playwright, expect
from playwright.async_api import Page as Tab

from tests.needs import needs
from tests.simulator.processes import patience

#: A phone's width and a desk's, and the height of both.
PHONE, DESK, HEIGHT = 390, 1440, 900
#: A machine's owner is root in many containers, where the sandbox of the browser cannot be.
_OPTIONS = ("--no-sandbox", "--disable-gpu", "--no-proxy-server")
#: Adds up by how much of its window what a page shows has moved by itself, as browsers measure it (CLS).
_SHIFTS = """globalThis.shifted = 0; globalThis.moved = []; new PerformanceObserver((list) => {
  for (const one of list.getEntries()) if (!one.hadRecentInput) {
    globalThis.shifted += one.value;
    globalThis.moved.push([one.value, ...one.sources.map((its) => its.node?.outerHTML?.slice(0, 60))]);
  }
}).observe({ type: "layout-shift", buffered: true });"""
#: So many presses lead past everything on a page.
_TABS = 60
#: What has the focus, and whether that can be seen.
_FOCUS = """() => {
  const one = document.activeElement, look = getComputedStyle(one), at = one.getBoundingClientRect();
  const label = one.labels?.[0] && [...one.labels[0].childNodes].find((its) => its.nodeType === 3 && its.data.trim()).data;
  const marked = one === document.body || look.outlineStyle === "auto" || (look.outlineStyle !== "none" && parseFloat(look.outlineWidth) >= 2);
  return { text: (label ?? one.textContent).trim(), seen: marked && at.bottom > 0 && at.top < innerHeight && at.right > 0 && at.left < innerWidth };
}"""
_CLICKED = "a, button, summary, [role=button]"


@dataclass
class Page:
    """A tab, from its beginning on. ``tab``: Playwright's own, for what is not here."""

    tab: Tab
    #: Whether it runs scripts of pages.
    scripts: bool = True
    #: What it said at its console, and each box that it opened.
    console: list[str] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    #: Those of them that were answered to the end.
    finished: list[Request] = field(default_factory=list)
    #: Whole pages that were loaded.
    loads: int = 0

    def __post_init__(self) -> None:
        self.tab.on("console", self._say)
        self.tab.on("pageerror", lambda error: self.console.append(str(error)))
        self.tab.on("dialog", self._refuse)
        self.tab.on("request", lambda request: self.requests.append(request))
        self.tab.on("requestfinished", lambda request: self.finished.append(request))
        self.tab.on("load", self._loaded)

    def _say(self, told: ConsoleMessage) -> None:
        # That a script was not run is what was wanted.
        if self.scripts or not told.text.startswith("Blocked script execution"):
            self.console.append(f"{told.text} {told.location['url']}")

    async def _refuse(self, box: Dialog) -> None:
        self.console.append(f"dialog {box.message}")
        await box.dismiss()

    def _loaded(self, _: Tab) -> None:
        self.loads += 1

    @property
    def asked(self) -> list[str]:
        """Addresses that were asked for."""
        return [request.url for request in self.requests]

    async def octets(self) -> int:
        """What came so far, headers and all, of what is there whole: a stream has no end, and what was left may have none."""
        sizes = [await request.sizes() for request in self.finished]
        return sum(one["responseHeadersSize"] + one["responseBodySize"] for one in sizes)

    async def value(self, script: str) -> Any:
        """What a script's expression comes to."""
        return await self.tab.evaluate(script)

    async def go(self, url: str) -> None:
        """Open an address, and wait until all of it is there."""
        await self.tab.goto(url)

    async def see(self, text: str) -> None:
        """Wait until a text can be seen, over pages that come after each other."""
        await expect(self.tab.locator("body")).to_contain_text(text, use_inner_text=True)

    async def miss(self, text: str) -> None:
        """Wait until a text cannot be seen."""
        await expect(self.tab.locator("body")).not_to_contain_text(text, use_inner_text=True)

    async def count(self, selector: str, number: int) -> None:
        """Wait until there are so many of what a selector finds."""
        await expect(self.tab.locator(selector)).to_have_count(number)

    async def text(self) -> str:
        """What can be seen."""
        return await self.tab.locator("body").inner_text()

    def named(self, text: str) -> Locator:
        """What can be clicked, seen, and has exactly that text: the first of them."""
        exactly = re.compile(rf"^\s*{re.escape(text)}\s*$")
        return self.tab.locator(_CLICKED).filter(has_text=exactly, visible=True).first

    async def click(self, text: str) -> None:
        """Click on what has exactly that text, once it can be seen and nothing lies over it."""
        await self.named(text).click()

    async def write(self, label: str, text: str) -> None:
        """Write into the field of a label."""
        await self.tab.get_by_label(label, exact=True).fill(text)

    async def choose(self, label: str, text: str) -> None:
        """Choose what has that text in the list of a label."""
        await self.tab.get_by_label(label, exact=True).select_option(label=text)

    async def press(self, key: str) -> None:
        """Press a key and let it go."""
        await self.tab.keyboard.press(key)

    async def type(self, text: str) -> None:
        """Type into what has the focus."""
        await self.tab.keyboard.type(text)

    async def reach(self, text: str) -> None:
        """Press Tab until what has exactly that text, or is labelled so, has the focus, as whoever has no mouse does. Each stop on the way can be seen to have it."""
        for _ in range(_TABS):
            await self.press("Tab")
            stop = await self.value(_FOCUS)
            assert stop["seen"], stop
            if stop["text"] == text:
                return
        raise AssertionError(f"no key leads to {text!r}")

    async def size(self, width: int, *, dark: bool = False) -> None:
        """Lay the page out for a window of that width."""
        await self.tab.set_viewport_size({"width": width, "height": HEIGHT})
        await self.tab.emulate_media(color_scheme="dark" if dark else "light")

    async def picture(self, file: Path) -> None:
        """The whole page as a picture."""
        await self.tab.screenshot(path=file, full_page=True)


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """Debian's browser, for several tabs one after the other: to start it is most of what a short look takes. It has ended afterwards."""
    needs("chromium")
    async with async_playwright() as driver:
        started = await driver.chromium.launch(executable_path=which("chromium"), args=_OPTIONS)
        try:
            yield started
        finally:
            await started.close()


@asynccontextmanager
async def browser(width: int = DESK, *, scripts: bool = True, of: Browser | None = None) -> AsyncIterator[Page]:
    """A browser with one tab, which knows nothing of any other; it has ended afterwards. scripts: whether it runs those of pages. of: what was started already."""
    expect.set_options(timeout=patience() * 1000)
    async with nullcontext(of) if of else chromium() as started:
        context = await started.new_context(
            viewport={"width": width, "height": HEIGHT}, is_mobile=width < 600, java_script_enabled=scripts
        )
        context.set_default_timeout(patience() * 1000)
        await context.add_init_script(_SHIFTS)
        page = Page(await context.new_page(), scripts)
        try:
            yield page
        finally:
            await context.close()
    assert page.console == [], page.console
    assert {urlsplit(one).hostname for one in page.asked} <= {"127.0.0.1", None}
