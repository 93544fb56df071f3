"""Journeys of a person in a real browser, on a phone and at a desk: they begin at the address that is printed and click on what can be seen.

A console that says anything, a page that is wider than its window, text that is too small, or a request to another host is a fault.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date
from pathlib import Path

import pytest

from headend.vee.quality import Channel
from simulator.smt.doors.service import create_app
from simulator.smt.errors import BusinessError
from tests.simulator.smt.doors.test_attacks import _served
from tests.simulator.smt.rig import PASSWORD, Rig, record
from tests.simulator.smt.rig import PLAIN as HOME
from tests.simulator.web.driven import DESK, PHONE, Page, browser
from tests.simulator.web.everywhere import cold, every_page, pages_of
from tests.simulator.web.looks import looks_right
from tests.simulator.web.printed import Printed, comes_in, sandbox, switched

pytestmark = pytest.mark.process
#: ``make browser`` goes each journey at both widths; ``make test`` the one of ``test_smoke``.
BOTH = (PHONE, DESK)


@asynccontextmanager
async def at_home(tmp_path: Path, width: int) -> AsyncIterator[tuple[Rig, Page]]:
    """The customer who has logged in, at an SMT of this process, in front of the list of meters."""
    async with Rig(tmp_path, "smt-today") as rig, _served(rig) as at, browser(width) as page:
        rig.post_days(last="2026-08-11")
        await page.go(f"{at.server.url}/")
        await looks_right(page)
        await page.write("User name", "customer")
        await page.write("Password", PASSWORD)
        await page.press("Enter")
        await page.see("Your meters")
        await looks_right(page)
        yield rig, page
        await looks_right(page)


@asynccontextmanager
async def at_a_printed_home(
    tmp_path: Path, width: int, *more: str, role: str = "customer", scripts: bool = True
) -> AsyncIterator[tuple[Printed, Page]]:
    """Somebody who has logged in as a test bed prints it, whose clock is moved by hand, in front of the list of meters."""
    with sandbox(tmp_path / "bed", "--clock", "manual", *more) as told:
        async with browser(width, scripts=scripts) as page:
            await comes_in(page, told, role)
            await page.see("Your meters")
            yield told, page
            await looks_right(page)


async def drawn(page: Page) -> dict[str, int]:
    """How many elements of each kind the chart has."""
    kinds = await page.value("[...document.querySelectorAll('[data-kind]')].map((one) => one.dataset.kind)")
    return {kind: kinds.count(kind) for kind in sorted(set(kinds))}


async def reads_the_meter(tmp_path: Path, width: int) -> None:
    """A customer reads the meter and looks at the page anew."""
    async with at_home(tmp_path, width) as (rig, page):
        before = len(page.asked)
        await page.click("1 Test Way")
        await page.see("Tue Aug 11 2026")
        assert await drawn(page) == {"actual": 96}
        assert len(page.asked) - before <= 5
        await looks_right(page)
        await page.click("Read my meter now")
        await page.see("Your request is taken.")
        await page.tab.reload()
        await page.see("Your request is taken.")
        await rig.wait(200)
        # The part asks by itself; then the chart is drawn anew.
        await page.see("The meter has answered.")
        await page.count("[data-kind]", 70)
        assert await drawn(page) == {"meter": 6, "store": 64}
        assert "non-VEE, from the head-end's store" in await page.text()
        await page.click("30 days")
        await page.see("30 days to Wed Aug 12 2026")
        assert await drawn(page) == {"actual": 29}
        await looks_right(page)
        await page.click("Log out")
        await page.see("Password")
        await page.go(page.asked[0] + f"ui/m/{HOME}/usage")
        await page.see("Password")


@pytest.mark.parametrize("width", BOTH)
async def test_a_newcomer_asks_for_the_balance_of_the_day_by_what_a_sandbox_prints(tmp_path: Path, width: int) -> None:
    with sandbox(tmp_path) as told:
        async with browser(width) as page:
            await comes_in(page, told, "customer")
            await page.see(told.esiid("the customer's own"))
            await looks_right(page)
            await page.click("100 PECAN BEND LN")
            await page.see("Tue Aug 11 2026")
            assert await drawn(page) == {"actual": 96}
            await page.click("Read my meter now")
            await page.see("The meter has answered.")
            await page.see("non-VEE")
            kinds = await drawn(page)
            assert kinds["meter"] + kinds["store"] >= 70
            await looks_right(page)
            await page.click("Log out")
            await page.see("Password")


@pytest.mark.parametrize("width", BOTH)
async def test_a_customer_reads_the_meter_and_a_reload_shows_the_same(tmp_path: Path, width: int) -> None:
    await reads_the_meter(tmp_path, width)


async def test_a_cold_usage_page_is_small_and_one_with_solar_too(tmp_path: Path) -> None:
    async with at_home(tmp_path, DESK) as (rig, page):
        given = record(HOME, date(2026, 8, 11), rig.runtime.now(), Channel.GENERATION, 40)
        rig.smt.store.load([given], rig.runtime.now(), "given.lse")
        at = page.tab.url.partition("/ui/")[0]
        for address in ("/ui/", f"/ui/m/{HOME}/usage?day=2026-08-11", f"/ui/m/{HOME}/reads", f"/ui/m/{HOME}/meter"):
            await cold(page, f"{at}{address}")


async def test_every_page_fits_every_width_and_a_sheet_and_axe_finds_nothing(tmp_path: Path) -> None:
    async with at_home(tmp_path, PHONE) as (rig, page):
        routes = pages_of(create_app(rig.smt).routes, "/ui/", ["/ui/m/{esiid}/download"])
        at = page.tab.url.partition("/ui/")[0]
        await page.click("1 Test Way")
        await page.see("Tue Aug 11 2026")
        await page.click("Read my meter now")
        await page.see("Your request is taken.")
        key = page.tab.url.partition("read=")[2]
        meter = f"/ui/m/{HOME}"
        found = {f"/ui/m/{{esiid}}/{name}": f"{meter}/{name}" for name in ("access", "meter", "reads", "usage")}
        await every_page(
            page, at, routes, found | {"/ui/": "/ui/", "/ui/r/{key}": f"/ui/r/{key}", "/ui/kit": "/ui/kit", "/ui/login": "/ui/login"}
        )  # fmt: skip


@pytest.mark.parametrize("width", BOTH)
async def test_a_refusal_says_by_the_clock_when_to_come_again(tmp_path: Path, width: int) -> None:
    async with at_a_printed_home(tmp_path, width) as (told, page):
        await page.click("100 PECAN BEND LN")
        for _ in range(2):
            await page.click("Read its register only")
            await page.see("Your request is")
            told.moved(100)
            await page.see("The register stood at")
        await page.click("Read its register only")
        await page.see("Your request was refused.")
        assert "You can ask again from Wed Aug 12 18:40 CDT." in await page.text()


@pytest.mark.parametrize("width", BOTH)
async def test_the_day_with_two_hours_from_one_to_two_shows_both_and_solar_goes_down(
    tmp_path: Path, width: int
) -> None:
    async with at_a_printed_home(tmp_path, width, "--date", "2026-11-02T12:00", role="ror") as (told, page):
        await page.write("Find an address, ESI ID or meter", told.esiid("a home with solar panels"))
        await page.click("Find")
        await page.tab.locator("a[href^='/ui/m/']").first.click()
        await page.see("Sun Nov 01 2026")
        assert await drawn(page) == {"actual": 200}
        await page.click("As a table")
        for name in ("01:45 CDT", "01:45 CST"):
            await page.see(name)
        await page.see("Received, kWh")


@pytest.mark.parametrize("width", BOTH)
async def test_without_script_a_read_is_asked_for_and_followed_by_hand(tmp_path: Path, width: int) -> None:
    async with at_a_printed_home(tmp_path, width, scripts=False) as (told, page):
        await page.click("100 PECAN BEND LN")
        await page.see("Tue Aug 11 2026")
        await page.click("Read my meter now")
        await page.see("Your request is")
        told.moved(200)
        await page.click("How it stands now")
        await page.see("The meter has answered.")
        await page.click("To the usage")
        await page.see("non-VEE, from the head-end's store")
        await page.click("A week before")
        await page.count("polyline[data-look=beside]", 1)


@pytest.mark.parametrize("width", BOTH)
async def test_a_slow_read_says_that_it_is_slow_survives_a_reload_and_answers(tmp_path: Path, width: int) -> None:
    async with at_a_printed_home(tmp_path, width, "--middle", "300,300") as (told, page):
        await page.click("100 PECAN BEND LN")
        await page.click("Read my meter now")
        await page.see("Your request is taken.")
        told.moved(150)
        await page.see("Most take one to two minutes, three in a hundred up to thirty.")
        await page.tab.reload()
        await page.see("Most take one to two minutes, three in a hundred up to thirty.")
        told.moved(600)
        await page.see("The meter has answered.")
        await page.count("[data-kind=meter]", 6)
        # The time in the head went on with the part.
        await page.see("Wed Aug 12 17:52")


@pytest.mark.parametrize("width", BOTH)
async def test_after_a_switch_the_new_retailer_sees_its_own_days_alone(tmp_path: Path, width: int) -> None:
    records = switched(tmp_path / "records", "100 PECAN BEND LN", date(2026, 8, 6))
    async with at_a_printed_home(tmp_path, width, "--registry", str(records), role="other_ror") as (_, page):
        await page.write("Find an address, ESI ID or meter", "pecan bend")
        await page.click("Find")
        await page.click("100 PECAN BEND LN")
        await page.see("Tue Aug 11 2026")
        await page.click("30 days")
        await page.count("[data-kind=actual]", 6)
        await page.see("6 days")


@pytest.mark.parametrize("width", BOTH)
async def test_a_customer_sees_no_day_of_another(tmp_path: Path, width: int) -> None:
    async with at_a_printed_home(tmp_path, width) as (told, page):
        # Of its own meter but for the ESI ID, as whoever tries others writes it into the address.
        await page.click("100 PECAN BEND LN")
        its, other = told.esiid("the customer's own"), told.esiid("a home with solar panels")
        assert its in page.tab.url
        await page.go(page.tab.url.replace(its, other))
        assert BusinessError("AC1").message in await page.text()
        assert await drawn(page) == {}
        assert "404" in page.console.pop()


@pytest.mark.parametrize("width", BOTH)
async def test_keys_alone_lead_through_the_whole_inquiry(tmp_path: Path, width: int) -> None:
    async with at_a_printed_home(tmp_path, width) as (told, page):
        for name, seen in (("100 PECAN BEND LN", "Tue Aug 11 2026"), ("Read my meter now", "Your request is taken.")):
            await page.reach(name)
            await page.press("Enter")
            await page.see(seen)
        told.moved(200)
        await page.see("The meter has answered.")
        await page.reach("As a table")
        await page.press("Enter")
        await page.see("17:15")
        await page.reach("The day before")
        await page.press("Enter")
        await page.count("polyline[data-look=beside]", 1)
