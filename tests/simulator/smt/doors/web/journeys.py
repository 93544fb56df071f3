"""Journeys of a person in a real browser, on a phone and at a desk: they begin at SMT's address and click on what can be seen.

A console that says anything, a page that is wider than its window, text that is too small, or a request to another host is a fault.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date
from pathlib import Path

import pytest

from headend.vee.quality import Channel
from tests.simulator.smt.doors.test_attacks import _served
from tests.simulator.smt.rig import PASSWORD, Rig, record
from tests.simulator.smt.rig import PLAIN as HOME
from tests.simulator.web.driven import DESK, PHONE, Page, browser
from tests.simulator.web.looks import looks_right

pytestmark = pytest.mark.process
#: ``make browser`` goes each journey at both widths; ``make test`` the one of ``test_smoke``.
BOTH = (PHONE, DESK)


@asynccontextmanager
async def at_home(
    tmp_path: Path, width: int, policy: str = "smt-today", now: str = "2026-08-12T17:40", *, scripts: bool = True
) -> AsyncIterator[tuple[Rig, Page]]:
    """A customer who has logged in, in front of the list of meters."""
    async with Rig(tmp_path, policy, now) as rig, _served(rig) as at, browser(width, scripts=scripts) as page:
        rig.post_days(last=str(date.fromordinal(rig.today().toordinal() - 1)))
        await page.go(f"{at.server.url}/")
        await looks_right(page)
        await page.write("User name", "customer")
        await page.write("Password", PASSWORD)
        await page.press("Enter")
        await page.see("Your meters")
        await looks_right(page)
        yield rig, page
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
        await page.see("non-VEE, from the head-end's store")
        assert await drawn(page) == {"meter": 6, "store": 64}
        await page.click("30 days")
        await page.see("30 days to Wed Aug 12 2026")
        assert await drawn(page) == {"actual": 29}
        await looks_right(page)
        await page.click("Log out")
        await page.see("Password")
        await page.go(page.asked[0] + f"ui/m/{HOME}/usage")
        await page.see("Password")


@pytest.mark.parametrize("width", BOTH)
async def test_a_customer_reads_the_meter_and_a_reload_shows_the_same(tmp_path: Path, width: int) -> None:
    await reads_the_meter(tmp_path, width)


async def test_a_cold_usage_page_is_small_and_one_with_solar_too(tmp_path: Path) -> None:
    async with at_home(tmp_path, DESK) as (rig, page):
        given = record(HOME, date(2026, 8, 11), rig.runtime.now(), Channel.GENERATION, 40)
        rig.smt.store.load([given], rig.runtime.now(), "given.lse")
        asked, octets = len(page.asked), await page.octets()
        await page.click("1 Test Way")
        await page.see("Tue Aug 11 2026")
        assert len(page.asked) - asked <= 5
        assert await page.octets() - octets <= 40_000


@pytest.mark.parametrize("width", BOTH)
async def test_a_refusal_says_by_the_clock_when_to_come_again(tmp_path: Path, width: int) -> None:
    async with at_home(tmp_path, width) as (rig, page):
        await page.click("1 Test Way")
        for _ in range(2):
            await page.click("Read its register only")
            await page.see("Your request is")
            await rig.wait(100)
            await page.see("The register stood at")
        await page.click("Read its register only")
        await page.see("Your request was refused.")
        await page.see("You can ask again from Wed Aug 12 18:40 CDT.")


@pytest.mark.parametrize("width", BOTH)
async def test_the_day_with_two_hours_from_one_to_two_shows_both_and_solar_goes_down(
    tmp_path: Path, width: int
) -> None:
    async with at_home(tmp_path, width, now="2026-11-02T12:00") as (rig, page):
        given = record(HOME, date(2026, 11, 1), rig.runtime.now(), Channel.GENERATION, 40)
        rig.smt.store.load([given], rig.runtime.now(), "given.lse")
        await page.click("1 Test Way")
        await page.see("Sun Nov 01 2026")
        assert await drawn(page) == {"actual": 200}
        await page.click("As a table")
        for name in ("01:45 CDT", "01:45 CST"):
            await page.see(name)
        await page.see("Received, kWh")


@pytest.mark.parametrize("width", BOTH)
async def test_without_script_a_read_is_asked_for_and_followed_by_hand(tmp_path: Path, width: int) -> None:
    async with at_home(tmp_path, width, scripts=False) as (rig, page):
        await page.click("1 Test Way")
        await page.see("Tue Aug 11 2026")
        await page.click("Read my meter now")
        await page.see("Your request is taken.")
        await rig.wait(200)
        await page.click("How it stands now")
        await page.see("The meter has answered.")
        await page.click("To the usage")
        await page.see("non-VEE, from the head-end's store")
        await page.click("A week before")
        await page.count(".beside polyline", 1)
