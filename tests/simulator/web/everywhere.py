"""Every page of a face, by its routes: what holds of each at each width and on paper, and how little a browser asks for that has nothing yet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from fastapi.routing import APIRoute
from starlette.routing import BaseRoute

from tests.simulator.web.driven import DESK, PHONE, Page
from tests.simulator.web.looks import WIDTHS, fits, looks_right

#: Requests and octets of a page to a browser that has nothing yet.
MOST_REQUESTS, MOST_OCTETS = 5, 40_000
#: Pixels between the margins of a sheet, Letter and A4, across and down.
_SHEET, _LONG = 680, 950
#: What leads on and what can be pressed; surfaces that are not light, words that are not dark; what is cut at the edge of a sheet; what is to be on one sheet, and fits none.
_ON_PAPER = """(long) => {
  const seen = (one) => one.checkVisibility() && one.getClientRects().length > 0 && one.getBoundingClientRect().right > 0;
  const all = (what) => [...document.querySelectorAll(what)].filter(seen);
  const told = (one) => `${one.tagName.toLowerCase()}.${one.className.baseVal ?? one.className} ${one.textContent.trim().slice(0, 30)}`;
  const light = (colour) => { const [r, g, b, a = 1] = colour.match(/[\\d.]+/g).map(Number); return a === 0 ? 1 : (0.2126 * r + 0.7152 * g + 0.0722 * b) / 255; };
  const words = all("body *:not(svg *)").filter((one) => [...one.childNodes].some((node) => node.nodeType === 3 && node.data.trim()));
  return {
    moves: all("nav, form, button, .button, .choice, .menu, .leads, .skip").map(told),
    surfaces: all("body, body *:not(svg *, .method)").filter((one) => light(getComputedStyle(one).backgroundColor) < 0.8).map(told),
    words: words.filter((one) => light(getComputedStyle(one).color) > 0.55 && !one.closest(".method")).map(told),
    tall: all("main *").filter((one) => getComputedStyle(one).breakInside === "avoid" && one.getBoundingClientRect().height > long).map(told),
    cut: all("main svg:not(svg svg), main table").filter((one) => one.getBoundingClientRect().right > innerWidth + 2).map(told),
  };
}"""


def pages_of(routes: Iterable[BaseRoute], root: str, others: Iterable[str] = ()) -> set[str]:
    """Paths of the pages below a root. others: paths of what is no page, besides the face's files."""
    found = {one.path for one in routes if isinstance(one, APIRoute) and "GET" in (one.methods or ())}
    return {path for path in found if path.startswith(root)} - {f"{root}files/{{name}}", *others}


async def every_page(page: Page, at: str, routes: set[str], addresses: Mapping[str, str]) -> None:
    """Visit each page of a face. at: where it is served. addresses: of each route one of its pages, below the server's address."""
    assert set(addresses) == routes, "a page without an address to visit, or an address without a page"
    for route, address in addresses.items():
        if route.endswith("/login"):
            # Whoever has come in is led on.
            await page.tab.context.clear_cookies()
        await page.size(PHONE)
        await page.go(f"{at}{address}")
        await looks_right(page)
        for width in WIDTHS:
            await page.size(width)
            await fits(page)
        await on_paper(page)


async def on_paper(page: Page) -> None:
    """As it is printed, of a dark screen too."""
    await page.size(_SHEET, dark=True)
    await page.tab.emulate_media(media="print")
    told = await page.tab.evaluate(_ON_PAPER, _LONG)
    await page.tab.emulate_media(media="screen")
    await page.size(DESK)
    assert told == {"moves": [], "surfaces": [], "words": [], "tall": [], "cut": []}, (page.tab.url, told)


async def cold(page: Page, address: str) -> None:
    """Open a page with nothing kept from before, and count what it takes."""
    session = await page.tab.context.new_cdp_session(page.tab)
    await session.send("Network.clearBrowserCache")
    await session.detach()
    asked, octets = len(page.asked), await page.octets()
    await page.go(address)
    asked, octets = len(page.asked) - asked, await page.octets() - octets
    assert (asked <= MOST_REQUESTS, octets <= MOST_OCTETS) == (True, True), (address, page.asked[-asked:], octets)
