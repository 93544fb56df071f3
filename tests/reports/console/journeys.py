"""Journeys of a tester in a real browser, on a phone and at a desk: they begin at the console's address and click on what can be seen."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from playwright.async_api import expect

from reports.console.app import create_app
from reports.console.bed import Bed
from reports.console.door import ROOT, Console
from simulator.runtime.serving import HttpServer, bind
from tests.simulator.sandboxes import Rig, rig
from tests.simulator.web.driven import DESK, PHONE, Page, browser
from tests.simulator.web.looks import looks_right

pytestmark = pytest.mark.process
GAP = "gap-of-17-h-30"
#: How many meters are dead, as the picture says.
_DEAD = ".pipe dt:text-is('dead') + dd"


@asynccontextmanager
async def at_the_console(tmp_path: Path, width: int) -> AsyncIterator[tuple[Rig, Page]]:
    """A tester in front of the first page."""
    async with rig(tmp_path / "bed", posted_days=1) as made, httpx.AsyncClient(timeout=60, trust_env=False) as to_bed:
        bed = Bed(made.sandbox.smt_server.url, to_bed, smt_key=made.sandbox.keys.smt)
        console = Console(bed, tmp_path / "runs")
        server = HttpServer(create_app(console), bind("127.0.0.1", 0, "the console"))
        await server.start()
        try:
            async with browser(width) as page:
                await page.go(f"{server.url}{ROOT}")
                await page.see("Special ESI IDs")
                await looks_right(page)
                yield made, page
                await looks_right(page)
        finally:
            await console.children.close()
            await server.stop()


@pytest.mark.parametrize("width", [PHONE, DESK])
async def test_clock_files_faults_and_complaints_by_what_can_be_seen(tmp_path: Path, width: int) -> None:
    async with at_the_console(tmp_path, width) as (made, page):
        await page.click("Clock")
        await page.click("A day")
        await page.see("Done: POST /control/clock/advance")
        await page.see("2026-08-13 17:40:00")
        await looks_right(page)
        # The day before has been posted meanwhile.
        await page.click("LSE files")
        await page.see("2026-08-13 07:30")
        await page.see("00: 12")
        await looks_right(page)
        await page.click("Faults of meters")
        await page.write("ESI ID", made.esiid(1))
        await page.click("Switch on")
        await page.see("Done: POST /control/faults")
        await looks_right(page)
        await page.click("Switch off fault-1")
        await page.see("Done: DELETE /control/faults/fault-1")
        await page.click("Copy as curl")
        await page.see("curl -s -X DELETE http://127.0.0.1:")
        await page.click("Complaints")
        await page.write("ESI IDs (empty: all)", made.esiid(1))
        await page.click("Switch on")
        await page.see("Done: POST /control/complaints")
        await page.see("struck 0 times")
        await looks_right(page)
        await page.click("Switch off complaint-1")
        await page.see("No complaint is on.")
        await page.click("What was done")
        await page.click("Copy as scenario")
        await page.see("Scenario of what was done")
        await looks_right(page)
        await page.click("Lint")
        await page.see("It is well written: what-was-done")


async def test_counts_change_while_one_looks(tmp_path: Path) -> None:
    async with at_the_console(tmp_path, DESK) as (made, page):
        loads, before = page.loads, int(await page.tab.locator(_DEAD).inner_text())
        await made.http.post("/control/faults", json={"kind": "dead", "esiid": made.esiid(1)})
        await expect(page.tab.locator(_DEAD)).to_have_text(str(before + 1))
        assert page.loads == loads


async def test_a_scenario_goes_from_lint_to_its_verdict_step_by_step(tmp_path: Path) -> None:
    async with at_the_console(tmp_path, PHONE) as (_, page):
        await page.click("Scenarios")
        await page.click(GAP)
        await page.click("Lint")
        await page.see(f"It is well written: {GAP}")
        await page.click("Run")
        await page.see("It goes on")
        await page.tab.wait_for_url("**/runs/console/gap-of-17-h-30-1")
        loads = page.loads
        await expect(page.tab.locator(".progress.good .word")).to_contain_text("passed")
        # The page followed by itself, at the address that stays.
        assert page.loads == loads
        await looks_right(page)
        await page.tab.reload()
        await page.see("passed")
        await page.value("document.querySelector('details.step:has(a)').open = true")
        number = await page.value("document.querySelector('details.step a').textContent")
        await page.click(str(number))
        await page.see(f"Exchange {number}")
        await looks_right(page)
