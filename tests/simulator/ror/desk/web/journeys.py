"""Journeys of an agent in a real browser, on a phone and at a desk: they begin with what ``ami sandbox`` prints, and click on what can be seen."""

from __future__ import annotations

import csv
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from meters.calendar import INTERVAL_S, ends_within, epoch, iso, local
from simulator.runtime.serving import HttpServer, bind
from tests.simulator.processes import ROOT
from tests.simulator.ror.desk.support import DeskRig, desk_rig
from tests.simulator.ror.desk.web.visits import AGENT, PASSWORD
from tests.simulator.ror.support import ACCOUNT
from tests.simulator.web.driven import DESK, PHONE, Page, browser
from tests.simulator.web.everywhere import cold, every_page, pages_of
from tests.simulator.web.looks import looks_right
from tests.simulator.web.printed import Printed, asked, comes_in, sandbox, switched

pytestmark = pytest.mark.process
#: ``make browser`` goes each journey at both widths.
BOTH = (PHONE, DESK)
#: A customer of the folder of accounts that docs show, at the first address of a test bed.
ACCOUNTS, CUSTOMER, HOME = ROOT / "docs/accounts", "Wilhelmina Tarbush", "100 PECAN BEND LN"


@asynccontextmanager
async def at_a_printed_desk(
    tmp_path: Path, width: int, *more: str, of: str = CUSTOMER, scripts: bool = True
) -> AsyncIterator[tuple[Printed, Page]]:
    """An agent who has logged in as a test bed prints it, whose clock is moved by hand, and has found a customer's account."""
    with sandbox(tmp_path / "bed", "--clock", "manual", "--accounts", str(ACCOUNTS), *more) as told:
        async with browser(width, scripts=scripts) as page:
            await comes_in(page, told, "desk")
            await page.see("Find a name, account or ESI ID")
            await looks_right(page)
            await page.write("Find a name, account or ESI ID", of.split()[-1].lower())
            await page.press("Enter")
            await page.tab.wait_for_url("**/desk/?q=*")
            await page.click(of)
            await page.see("The customer is on the line")
            await looks_right(page)
            yield told, page
            await looks_right(page)


async def asks(page: Page) -> None:
    """The customer asks what they owe, and the desk has taken the call."""
    await page.click("What do I owe now?")
    await page.see("On the line since")


def call(told: Printed, number: int = 1) -> Any:
    """The record of a call, as the desk's API has it."""
    return asked(f"{told.words('retailer')}/calls/call-{number:04}", auth=told.log_in("desk"))


@pytest.mark.parametrize("width", BOTH)
async def test_a_balance_inquiry_is_answered_at_once_and_refined_in_place(tmp_path: Path, width: int) -> None:
    async with at_a_printed_desk(tmp_path, width) as (told, page):
        await asks(page)
        # Without the read, before the clock has moved.
        await page.see("You owe about $")
        await page.see("The meter is being asked.")
        await looks_right(page)
        loads = page.loads
        told.moved(300)
        # The part asks by itself.
        await page.see("The meter has answered: the bill has its read.")
        owed = call(told)["told_usd"]
        await page.see(f"call-0001, told, this cycle ${owed}")
        assert page.loads == loads
        await page.see(f"You owe ${owed} by now")
        # A number leads to where it comes from.
        await page.click(f"${owed}")
        await page.tab.wait_for_url("**#owed")
        await page.count(":target", 1)


@pytest.mark.parametrize("width", BOTH)
async def test_keys_alone_lead_from_the_log_in_to_the_bill_that_has_its_read(tmp_path: Path, width: int) -> None:
    with sandbox(tmp_path / "bed", "--clock", "manual", "--accounts", str(ACCOUNTS)) as told:
        async with browser(width) as page:
            its = told.log_in("desk")
            await page.go(told.words("desk"))
            # The first field has the focus.
            for word, key in ((its.username, "Tab"), (its.password, "Enter")):
                await page.type(word)
                await page.press(key)
            await page.see("Find a name, account or ESI ID")
            await page.reach("Find a name, account or ESI ID")
            await page.type(CUSTOMER.split()[-1].lower())
            await page.press("Enter")
            await page.tab.wait_for_url("**/desk/?q=*")
            await page.reach(CUSTOMER)
            await page.press("Enter")
            await page.see("The customer is on the line")
            await page.reach("What do I owe now?")
            await page.press(" ")
            await page.see("The meter is being asked.")
            await page.reach("The bill line by line")
            await page.press(" ")
            await page.see("for usage from 1000 kWh")
            # While the part asks, what was unfolded and has the focus is left so.
            told.moved(30)
            await page.see("2:30 left")
            await page.see("for usage from 1000 kWh")
            assert await page.value("document.activeElement.textContent") == "The bill line by line"
            told.moved(300)
            await page.see("The meter has answered: the bill has its read.")
            assert await page.value("document.activeElement.id") == "call"
            await page.reach("As a table")
            await page.press("Enter")
            await page.count("details[open]", 1)


def load_of(file: Path, kwh: int) -> Path:
    """A load for ``--replay`` that has taken so many kWh of the customer's cycle up to the call: more by day than by night, as homes do."""
    ends = ends_within(epoch("2026-07-16T00:00"), epoch("2026-08-12T17:30"))
    shape = {
        end: 300 + 150 * (local(end).hour > 11)
        for end in ends_within(epoch("2026-07-08T00:00"), epoch("2026-08-13T00:00"))
    }
    # What there is too little of, or too much, is shared out over the cycle.
    more, rest = divmod(kwh * 1000 - sum(shape[end] for end in ends), len(ends))
    shape |= {end: shape[end] + more + (place < rest) for place, end in enumerate(ends)}
    with file.open("w", encoding="utf-8", newline="") as lines:
        csv.writer(lines).writerows([("start", "wh"), *((iso(end - INTERVAL_S), wh) for end, wh in shape.items())])
    return file


@pytest.mark.parametrize("width", BOTH)
@pytest.mark.parametrize(("kwh", "stands"), [(999, "1.000 kWh to go"), (1000, "passed by 0.000 kWh")])
async def test_at_the_edge_of_a_credit_its_side_is_told(tmp_path: Path, width: int, kwh: int, stands: str) -> None:
    load = load_of(tmp_path / "load.csv", kwh)
    async with at_a_printed_desk(tmp_path, width, "--replay", str(load)) as (told, page):
        await asks(page)
        told.moved(300)
        await page.see("The meter has answered: the bill has its read.")
        await page.see("bill credit of $100.00 is earned at 1,000 kWh")
        await page.see(stands)


@pytest.mark.parametrize("width", BOTH)
async def test_an_edge_that_the_cycle_may_end_on_either_side_of_has_the_odds_and_bill_of_both(
    tmp_path: Path, width: int
) -> None:
    load = load_of(tmp_path / "load.csv", 850)
    async with at_a_printed_desk(tmp_path, width, "--replay", str(load)) as (told, page):
        await asks(page)
        told.moved(300)
        await page.see("The meter has answered: the bill has its read.")
        edge = call(told)["answer"]["edges"][0]
        assert 0 < edge["odds"] < 100
        await page.see(f"{edge['odds']} of 100 reach 1,000 kWh: ${edge['bill_if_usd']}")
        await page.see(f"{100 - edge['odds']} of 100 stay below: ${edge['bill_if_not_usd']}")


@pytest.mark.parametrize("width", BOTH)
async def test_a_refusal_says_by_the_clock_when_to_come_again(tmp_path: Path, width: int) -> None:
    async with at_a_printed_desk(tmp_path, width, "--policy", "fr-cr016-1") as (told, page):
        await asks(page)
        told.moved(100)
        await page.see("The meter has answered: the bill has its read.")
        await page.click("This account")
        # Of what came since then nothing is known but by the meter.
        told.moved(1200)
        await asks(page)
        told.moved(100)
        await page.see("The read was refused.")
        await page.see("The meter can be asked again from Thu Aug 13 00:00 CDT.")
        await page.see("You owe about $")


@pytest.mark.parametrize("width", BOTH)
async def test_a_slow_read_is_the_same_after_a_reload_and_is_answered(tmp_path: Path, width: int) -> None:
    async with at_a_printed_desk(tmp_path, width, "--middle", "200,200") as (told, page):
        await asks(page)
        told.moved(130)
        await page.see("Most reads take one to two minutes")
        await page.tab.reload()
        await page.see("Most reads take one to two minutes")
        await looks_right(page)
        told.moved(350)
        await page.see("The caller had hung up at 17:43:00 CDT: call back with this answer.")


@pytest.mark.parametrize("width", BOTH)
@pytest.mark.parametrize(
    ("since", "seen"),
    [
        (date(2026, 8, 6), "Nothing is expected behind 2026-08-06 00:00, where our VEE data end"),
        (None, "SMT gave no usage data: only the books are told."),
    ],
)
async def test_of_who_has_gone_to_another_retailer_its_own_days_are_told_and_the_books(
    tmp_path: Path, width: int, since: date | None, seen: str
) -> None:
    records = switched(tmp_path / "records", HOME, since)
    async with at_a_printed_desk(tmp_path, width, "--registry", str(records)) as (told, page):
        await asks(page)
        told.moved(60)
        await page.see("not yours")
        await page.see(seen)
        await page.see("$131.07")


@pytest.mark.parametrize("width", BOTH)
async def test_without_script_a_call_is_followed_by_hand(tmp_path: Path, width: int) -> None:
    async with at_a_printed_desk(tmp_path, width, scripts=False) as (told, page):
        await asks(page)
        told.moved(300)
        await page.click("How it stands now")
        await page.see("The meter has answered: the bill has its read.")


@asynccontextmanager
async def at_a_desk_of_this_process(tmp_path: Path) -> AsyncIterator[tuple[DeskRig, Page]]:
    """An agent in front of an account, at a desk whose routes can be gone through."""
    async with desk_rig(tmp_path) as rig:
        server = HttpServer(rig.app, bind("127.0.0.1", 0, "the desk"))
        await server.start()
        try:
            async with browser(PHONE) as page:
                await page.go(f"{server.url}/desk/")
                await looks_right(page)
                await page.write("User name", AGENT)
                await page.write("Password", PASSWORD)
                await page.press("Enter")
                await page.click(ACCOUNT.customer_name)
                await page.see("The customer is on the line")
                yield rig, page
        finally:
            await server.stop()


async def test_every_page_fits_every_width_and_a_sheet_and_axe_finds_nothing(tmp_path: Path) -> None:
    async with at_a_desk_of_this_process(tmp_path) as (rig, page):
        at = page.tab.url.partition("/desk/")[0]
        await asks(page)
        await rig.to("2026-08-12T17:45")
        await page.see("The meter has answered: the bill has its read.")
        call = page.tab.url.removeprefix(at)
        await cold(page, f"{at}/desk/")
        await cold(page, f"{at}{call}")
        addresses = {"/desk/": "/desk/", "/desk/accounts/{account}": call, "/desk/login": "/desk/login"}
        await every_page(page, at, pages_of(rig.app.routes, "/desk/"), addresses)


@pytest.mark.parametrize("width", BOTH)
async def test_a_newcomer_answers_a_caller_by_what_a_sandbox_prints(tmp_path: Path, width: int) -> None:
    with sandbox(tmp_path) as told:
        async with browser(width) as page:
            await comes_in(page, told, "desk")
            await page.click("Customer 2")
            await page.see("The customer is on the line")
            await page.click("What do I owe now?")
            await page.see("What a read is worth")
            if await page.named("Ask the meter all the same").count():
                await page.click("Ask the meter all the same")
            await page.see("The meter has answered: the bill has its read.")
            await page.see("The parts add up to the bill")
            await page.see("The bill told is made again once VEE data are posted.")
            await looks_right(page)
            await page.click("Log out")
            await page.see("Password")
