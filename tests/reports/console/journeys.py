"""Journeys of a tester in a real browser, on a phone and at a desk: they begin with what ``ami sandbox`` and ``ami console`` print, and click on what can be seen."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from decimal import Decimal
from pathlib import Path

import httpx
import pytest
from playwright.async_api import expect

from reports.console.app import create_app, routes_of
from reports.console.asked import LOOKS
from reports.console.bed import Bed
from reports.console.door import ROOT, TESTER, Console
from reports.scenario.page import render
from scenarios.run import JudgedRun
from simulator.runtime.serving import HttpServer, bind
from simulator.web.words import kwh, money
from tests.simulator.sandboxes import Rig, rig
from tests.simulator.web.driven import DESK, PHONE, Page, browser
from tests.simulator.web.everywhere import cold, every_page, pages_of
from tests.simulator.web.looks import looks_right
from tests.simulator.web.printed import Printed, asked, comes_in, printed, sandbox

pytestmark = pytest.mark.process
GAP = "gap-of-17-h-30"
#: What stands behind each station of the picture.
_ARROWS = "[...document.querySelectorAll('.pipe li')].map((one) => getComputedStyle(one, '::after').content)"
#: How many meters are dead, as the picture says.
_DEAD = ".pipe dt:text-is('dead') + dd"


@asynccontextmanager
async def at_the_console(tmp_path: Path, width: int) -> AsyncIterator[tuple[Printed, Page, str]]:
    """A tester in front of the first page, with what the sandbox printed, and the console's address."""
    with sandbox(tmp_path / "bed", "--clock", "manual") as bed:
        program, *console = bed.words("console").split()
        assert program == "ami"
        with printed(*console, "--port", "0", "--runs", str(tmp_path / "runs")) as told:
            at = told.words("ami console")
            async with browser(width) as page:
                await page.go(at)
                await page.see("Special ESI IDs")
                await looks_right(page)
                row = ["\u2193"] * 6 if width < DESK else ["\u2192", "\u2192", "\u21b5"] * 2
                # From each station to the next; the last leads nowhere.
                assert await page.value(_ARROWS) == [*(f'"{one}"' for one in row[:-1]), "none"]
                yield bed, page, at
                await looks_right(page)


@pytest.mark.parametrize("width", [PHONE, DESK])
async def test_clock_files_faults_and_complaints_by_what_can_be_seen(tmp_path: Path, width: int) -> None:
    async with at_the_console(tmp_path, width) as (bed, page, _):
        esiid = bed.esiid("ordinary; the customer's own")
        await page.click("Clock")
        await page.click("A day")
        await page.see("Done: POST /control/clock/advance")
        await page.see("2026-08-13 17:40:00")
        await looks_right(page)
        # The day before has been posted meanwhile.
        await page.click("LSE files")
        await page.see("2026-08-13 07:30")
        await page.see("00: ")
        await looks_right(page)
        await page.click("Faults of meters")
        await page.write("ESI ID", esiid)
        await page.click("Switch on")
        await page.see("Done: POST /control/faults")
        await looks_right(page)
        switched = re.search(r"Switch off (fault-\d+)", await page.text())
        assert switched is not None
        await page.click(switched[0])
        await page.see(f"Done: DELETE /control/faults/{switched[1]}")
        await page.click("Copy as curl")
        await page.see("curl -s -X DELETE http://127.0.0.1:")
        await page.click("Complaints")
        await page.write("ESI IDs (empty: all)", esiid)
        await page.click("Switch on")
        await page.see("Done: POST /control/complaints")
        await page.see("struck 0 times")
        await looks_right(page)
        await page.click("Switch off complaint-1")
        await page.see("Done: DELETE /control/complaints/complaint-1")
        await page.click("What was done")
        await page.click("Copy as scenario")
        await page.see("Scenario of what was done")
        await looks_right(page)
        await page.click("Lint")
        await page.see("It is well written: what-was-done")


@pytest.mark.parametrize("width", [PHONE, DESK])
async def test_keys_alone_pass_the_counts_that_change_and_put_a_fault_on_and_off(tmp_path: Path, width: int) -> None:
    async with at_the_console(tmp_path, width) as (bed, page, _):
        await page.reach("Head-end")
        bed.moved(3 * 3600)
        await page.see("min ago")
        # What is told anew keeps the focus where it was, and leads on.
        assert await page.value("document.activeElement.textContent") == "Head-end"
        await page.press("Tab")
        await page.press("Enter")
        await page.see("The head-end's batch of an operating day")
        await page.reach("Faults of meters")
        await page.press("Enter")
        await page.see("They begin now, or with the next quarter")
        await page.reach("Kind")
        await page.type("dead")
        await page.reach("ESI ID")
        await page.type(bed.esiid("ordinary; the customer's own"))
        await page.reach("Switch on")
        await page.press(" ")
        await page.see("Done: POST /control/faults")
        await page.reach("Copy as curl")
        await page.press(" ")
        await page.see('"kind": "dead"')
        switched = re.search(r"Switch off (fault-\d+)", await page.text())
        assert switched is not None
        await page.reach(switched[0])
        await page.press("Enter")
        await page.see(f"Done: DELETE /control/faults/{switched[1]}")


@pytest.mark.parametrize("width", [PHONE, DESK])
async def test_a_bill_that_was_told_is_made_again_once_the_clock_was_moved_and_the_day_posted(
    tmp_path: Path, width: int
) -> None:
    async with at_the_console(tmp_path, width) as (bed, page, console):
        agent = bed.log_in("desk")
        await page.click(agent.username)
        await page.write("Password", agent.password)
        await page.click("Log in")
        await page.click("Customer 2")
        await page.click("What do I owe now?")
        await page.see("On the line")
        await page.go(console)
        await page.click("Clock")
        await page.click("A quarter hour")
        await page.see("Done: POST /control/clock/advance")
        await page.click("Calls")
        await page.see("billed again at 2026-08-13 12:00:00 CDT")
        await page.click("call-0001")
        await page.see("The bill told is made again once VEE data are posted.")
        await looks_right(page)
        await page.click("Clock")
        await page.click("A day")
        await page.see("2026-08-13 17:55:00")
        await page.click("Calls")
        told = asked(f"{bed.words('retailer')}/calls/call-0001", auth=agent)
        again = told["rebill"]
        for figure in (
            told["told_usd"],
            again["vee_usd"],
            again["difference_usd"],
            kwh(again["told_wh"] - again["vee_wh"]),
        ):
            await page.see(figure)
        await page.see("within" if again["satisfied"] else "further off")
        await looks_right(page)
        await page.click("call-0001")
        await page.click("Its call screen")
        await page.see("Billed again from VEE data")
        await page.see("VEE data bear the bill out" if again["satisfied"] else "VEE data do not bear the bill out")
        for name, wh, usd in (
            ("told", again["told_wh"], told["told_usd"]),
            ("vee", again["vee_wh"], again["vee_usd"]),
            ("apart", again["told_wh"] - again["vee_wh"], again["difference_usd"]),
        ):
            row = page.tab.locator(f"#rebill-{name}")
            await expect(row).to_contain_text(kwh(wh))
            await expect(row).to_contain_text(money(Decimal(usd)))
        # What was told rests on quarter hours that were not validated then.
        await page.see("of it not validated")


async def switched_on(page: Page, where: str, kind: str, field: str, esiid: str) -> str:
    """A fault or a complaint that is on afterwards, for an ESI ID: its number."""
    await page.click(where)
    await page.tab.locator("select[name=kind]").select_option(kind)
    await page.write(field, esiid)
    await page.click("Switch on")
    await page.see("Done: POST")
    found = re.search(rf"{kind}.*?Switch off (\S+)", await page.text(), re.DOTALL)
    assert found is not None
    return found[1]


async def another_tab(page: Page) -> Page:
    """A tab beside it, in the same window."""
    return Page(await page.tab.context.new_page())


@pytest.mark.parametrize("width", [PHONE, DESK])
async def test_a_customers_read_fails_and_is_refused_for_what_is_on_and_answers_once_it_is_off(
    tmp_path: Path, width: int
) -> None:
    async with at_the_console(tmp_path, width) as (bed, page, _):
        esiid = bed.esiid("ordinary; the customer's own")
        number = await switched_on(page, "Faults of meters", "dead", "ESI ID", esiid)
        portal = await another_tab(page)
        await comes_in(portal, bed, "customer")
        await portal.click("100 PECAN BEND LN")
        await portal.click("Read my meter now")
        await portal.see("Your request is taken.")
        await page.click("Clock")
        await page.click("An hour")
        await portal.see("The meter was not read.")
        await portal.see("The meter did not answer 4 tries.")
        await looks_right(portal)
        await page.click("Faults of meters")
        await page.click(f"Switch off {number}")
        await page.see("Done: DELETE")
        number = await switched_on(page, "Complaints", "quota_used", "ESI IDs (empty: all)", esiid)
        await portal.click("Read my meter now")
        await portal.see("Your request was refused.")
        await portal.see("You can ask again from Wed Aug 12 19:")
        await looks_right(portal)
        await page.click(f"Switch off {number}")
        await page.see("Done: DELETE")
        # Nobody presses so soon again, and it would be taken for a double click.
        await portal.go(portal.tab.url)
        await portal.click("Read my meter now")
        await portal.see("Your request is taken.")
        await page.click("Clock")
        await page.click("A quarter hour")
        await portal.see("The meter has answered.")
        assert portal.console == []


@pytest.mark.parametrize("width", [PHONE, DESK])
async def test_a_callers_read_fails_for_a_complaint_that_is_on_and_answers_once_it_is_off(
    tmp_path: Path, width: int
) -> None:
    async with at_the_console(tmp_path, width) as (bed, page, _):
        desk = await another_tab(page)
        await comes_in(desk, bed, "desk")
        await desk.click("Customer 2")
        found = re.search(r"ESI ID (\d{17})", await desk.text())
        assert found is not None
        number = await switched_on(page, "Complaints", "t_failed", "ESI IDs (empty: all)", found[1])
        await desk.click("What do I owe now?")
        await page.click("Clock")
        await page.click("A quarter hour")
        await desk.see("T-FAILED: lost between SMT and the TDSP.")
        # The bill is told all the same, with what is expected in the place of what was not read.
        await desk.see("You owe about $")
        await looks_right(desk)
        await page.click("Complaints")
        await page.click(f"Switch off {number}")
        await page.see("Done: DELETE")
        await desk.click("This account")
        await desk.click("What do I owe now?")
        await page.click("Clock")
        await page.click("A quarter hour")
        await desk.see("The meter has answered: the bill has its read.")
        assert desk.console == []


@asynccontextmanager
async def at_one_of_this_process(tmp_path: Path, width: int) -> AsyncIterator[tuple[Rig, Page]]:
    """A tester in front of a console whose routes can be gone through."""
    async with rig(tmp_path / "bed", posted_days=1) as made, httpx.AsyncClient(timeout=60, trust_env=False) as to_bed:
        bed = Bed(made.sandbox.smt_server.url, to_bed, smt_key=made.sandbox.keys.smt)
        console = Console(bed, tmp_path / "runs")
        server = HttpServer(create_app(console), bind("127.0.0.1", 0, "the console"))
        await server.start()
        try:
            async with browser(width) as page:
                await page.go(f"{server.url}{ROOT}")
                yield made, page
        finally:
            await console.close()
            await server.stop()


async def test_every_page_fits_every_width_and_a_sheet_and_axe_finds_nothing(
    tmp_path: Path, balance_run: JudgedRun
) -> None:
    shutil.copytree(balance_run.out, tmp_path / "runs" / "one")
    render(balance_run.recording, tmp_path / "runs" / "one")
    async with at_one_of_this_process(tmp_path, PHONE) as (made, page):
        at = page.tab.url.partition(ROOT)[0]
        run = f"{ROOT}runs/{{ident:path}}"
        report = f"{run}/report"
        routes = pages_of(routes_of(Console(None, tmp_path)), ROOT, [f"{ROOT}live"])
        named = {ROOT + path: ROOT + path for path in (*(look.path for look in LOOKS), *dict(TESTER), "kit", "login")}
        its = {run: f"{ROOT}runs/one", f"{run}/x/{{number}}": f"{ROOT}runs/one/x/1"}
        throttle = f"{ROOT}throttle"
        for address in (ROOT, f"{ROOT}collection", f"{throttle}?esiid={made.esiid(1)}"):
            await cold(page, f"{at}{address}")
        its |= {throttle: f"{throttle}?esiid={made.esiid(1)}"}
        await every_page(page, at, routes - {report}, named | its)
        # A report is shown in a sandbox where no script runs, axe's neither; its own tests let it.
        async with browser(PHONE, scripts=False) as still:
            await every_page(still, at, routes & {report}, {report: f"{ROOT}runs/one/report"})


async def test_counts_change_while_one_looks(tmp_path: Path) -> None:
    async with at_the_console(tmp_path, DESK) as (bed, page, _):
        loads, before = page.loads, int(await page.tab.locator(_DEAD).inner_text())
        fault = {"kind": "dead", "esiid": bed.esiid("ordinary; the customer's own")}
        asked(f"{bed.words('SMT')}/control/faults", "POST", json=fault)
        await expect(page.tab.locator(_DEAD)).to_have_text(str(before + 1))
        assert page.loads == loads


async def test_without_a_test_bed_one_is_started_from_the_first_page_and_ends_with_the_console(tmp_path: Path) -> None:
    with printed("console", "--port", "0", "--runs", str(tmp_path)) as told:
        if told.words("test bed").startswith("http"):
            pytest.skip("a test bed runs at the usual address of this machine")
        async with browser(PHONE) as page:
            await page.go(told.words("ami console"))
            await page.see("No test bed answers at")
            await looks_right(page)
            await page.choose("Its clock", "is moved by hand, on the Clock page")
            await page.click("Start a test bed")
            await page.see("The test bed begins")
            await looks_right(page)
            # The page becomes the bed's by itself.
            await page.see("Special ESI IDs")
            await page.see("Stop this test bed")
            await looks_right(page)
            portal = await page.tab.locator("a[href$='/ui/']").get_attribute("href")
            assert portal is not None
            await page.click("Stop this test bed")
            await page.see("No test bed answers at")
            with pytest.raises(httpx.ConnectError):
                asked(portal)
            await page.click("Start a test bed")
            await page.see("Special ESI IDs")
            begun = [int(one) for one in os.listdir("/proc") if one.isdigit() and str(tmp_path / "beds") in _words(one)]
            assert begun
    assert [one for one in begun if _words(str(one))] == []


def _words(pid: str) -> str:
    """With what a process was begun; empty of one that has ended."""
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_text("utf-8")
    return ""


@pytest.mark.parametrize("width", [PHONE, DESK])
async def test_what_if_of_a_curve_and_a_comparison_go_from_their_forms_to_what_they_told(
    tmp_path: Path, width: int
) -> None:
    with printed("console", str(tmp_path), "--port", "0") as told:
        async with browser(width) as page:
            await page.go(told.words("ami console"))
            await page.click("Studies")
            await looks_right(page)
            forms = page.tab.locator("form")
            what_if, compare = (forms.filter(has_text=name) for name in ("See what if", "Workloads"))
            await what_if.get_by_label("Meters").fill("20k")
            await what_if.get_by_label("Calls by the hour").fill("hour,class,calls\n17,customer,9\n18,nobody,9")
            await what_if.get_by_label("Draws").fill("1")
            await page.click("See what if")
            await page.see("It was broken off")
            # A mistake is told with its line.
            await page.see("calls.csv:3")
            await page.click("Studies")
            await what_if.get_by_label("Meters").fill("20k")
            await what_if.get_by_label("Calls by the hour").fill(
                "hour,class,calls\n17,customer,9\n17,ror_call_centre,300"
            )
            await what_if.get_by_label("Draws").fill("1")
            await page.click("See what if")
            await page.see("told in the call, % of call centres' reads")
            await page.see("done")
            await looks_right(page)
            await page.click("Studies")
            await compare.get_by_label("Workloads").fill("ordinary-day")
            await compare.get_by_label("Policies").fill("smt-today, store-only")
            await compare.get_by_label("Draws").fill("1")
            await page.click("Compare")
            await page.see("Dollars by which the bill told is off")
            await page.see("STORE-ONLY")
            await looks_right(page)
            await page.click("Studies")
            for name in ("whatif-1: broken off", "whatif-2: done", "compare-1: done"):
                await page.see(f"studies/{name}")
            await looks_right(page)


@pytest.mark.parametrize("width", [PHONE, DESK])
async def test_a_scenario_goes_from_lint_to_its_verdict_step_by_step(tmp_path: Path, width: int) -> None:
    async with at_the_console(tmp_path, width) as (_, page, _):
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
