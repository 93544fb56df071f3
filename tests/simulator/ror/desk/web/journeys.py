"""Journeys of an agent in a real browser, on a phone and at a desk: they begin at the desk's address and click on what can be seen."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from meters.calendar import Seconds, ends_within, epoch, interval_ends, seconds
from simulator.runtime.serving import HttpServer, bind
from simulator.smt.doors.both.rd import rd_format
from tests.simulator.ror.desk.support import DeskRig, desk_rig
from tests.simulator.ror.desk.web.test_calls import behaving
from tests.simulator.ror.desk.web.visits import AGENT, PASSWORD
from tests.simulator.ror.support import ACCOUNT, Portal, wh_of
from tests.simulator.web.driven import DESK, PHONE, Page, browser
from tests.simulator.web.everywhere import cold, every_page, pages_of
from tests.simulator.web.looks import looks_right
from tests.simulator.web.printed import comes_in, sandbox

pytestmark = pytest.mark.process
#: ``make browser`` goes each journey at both widths.
BOTH = (PHONE, DESK)


@asynccontextmanager
async def at_the_desk(
    tmp_path: Path, width: int, portal: Callable[[Callable[[], Seconds]], Portal] = Portal, *, scripts: bool = True
) -> AsyncIterator[tuple[DeskRig, Page]]:
    """An agent who has logged in and found the customer's account."""
    async with desk_rig(tmp_path, portal) as rig:
        server = HttpServer(rig.app, bind("127.0.0.1", 0, "the desk"))
        await server.start()
        try:
            async with browser(width, scripts=scripts) as page:
                await page.go(f"{server.url}/desk/")
                await looks_right(page)
                await page.write("User name", AGENT)
                await page.write("Password", PASSWORD)
                await page.press("Enter")
                await page.see("Find a name, account or ESI ID")
                await looks_right(page)
                await page.write("Find a name, account or ESI ID", "tarbush")
                await page.press("Enter")
                await page.tab.wait_for_url("**/desk/?q=tarbush")
                await page.click(ACCOUNT.customer_name)
                await page.see("The customer is on the line")
                await looks_right(page)
                yield rig, page
                await looks_right(page)
        finally:
            await server.stop()


async def asks(page: Page) -> None:
    """The customer asks what they owe, and the desk has taken the call."""
    await page.click("What do I owe now?")
    await page.see("SMT is being asked for the validated usage.")


@pytest.mark.parametrize("width", BOTH)
async def test_a_balance_inquiry_is_answered_at_once_and_refined_in_place(tmp_path: Path, width: int) -> None:
    async with at_the_desk(tmp_path, width) as (rig, page):
        await asks(page)
        await looks_right(page)
        await rig.to("2026-08-12T17:40:20")
        # The part asks by itself.
        await page.see("You owe about $")
        await page.see("The meter is being asked.")
        await looks_right(page)
        loads = page.loads
        await rig.to("2026-08-12T17:45")
        await page.see("The meter has answered: the bill has its read.")
        assert page.loads == loads
        told = (await rig.call("call-0001"))["told_usd"]
        await page.see(f"You owe ${told} by now")
        # A number leads to where it comes from.
        await page.click(f"${told}")
        await page.tab.wait_for_url("**#owed")
        await page.count(":target", 1)


async def test_every_page_fits_every_width_and_a_sheet_and_axe_finds_nothing(tmp_path: Path) -> None:
    async with at_the_desk(tmp_path, PHONE) as (rig, page):
        at = page.tab.url.partition("/desk/")[0]
        await asks(page)
        await rig.to("2026-08-12T17:45")
        await page.see("The meter has answered: the bill has its read.")
        call = page.tab.url.removeprefix(at)
        await cold(page, f"{at}/desk/")
        await cold(page, f"{at}{call}")
        addresses = {"/desk/": "/desk/", "/desk/accounts/{account}": call, "/desk/login": "/desk/login"}
        await every_page(page, at, pages_of(rig.app.routes, "/desk/"), addresses)


class NearEdge(Portal):
    """A portal whose premise has taken so many Wh of the cycle up to the call."""

    wanted = 1_000_000

    def rows(self, body: dict[str, Any]) -> list[dict[str, str]]:
        known = sum(wh_of(end) for end in ends_within(ACCOUNT.cycle_start, epoch("2026-08-12T17:30")))
        rows = super().rows(body)
        ends = interval_ends(self.posted)
        wh = np.array([wh_of(end) for end in ends.tolist()], np.int32)
        # What there is too little of, or too much, is shared out over the last day.
        more, rest = divmod(self.wanted - known, len(wh))
        wh += more
        wh[:rest] += 1
        return [*rows[:-1], rows[-1] | {"RD": rd_format(wh, np.zeros(len(wh), np.bool_), self.posted)}]


@dataclass
class Below(NearEdge):
    """One kWh before the credit."""

    wanted = 999_000


@pytest.mark.parametrize("width", BOTH)
@pytest.mark.parametrize(("portal", "stands"), [(Below, "1.000 kWh to go"), (NearEdge, "passed by 0.000 kWh")])
async def test_at_the_edge_of_a_credit_its_side_is_told(
    tmp_path: Path, width: int, portal: Callable[[Callable[[], Seconds]], Portal], stands: str
) -> None:
    async with at_the_desk(tmp_path, width, portal) as (rig, page):
        await asks(page)
        await rig.to("2026-08-12T17:45")
        await page.see("The meter has answered: the bill has its read.")
        await page.see("bill credit of $100.00 is earned at 1,000 kWh")
        await page.see(stands)


@pytest.mark.parametrize("width", BOTH)
async def test_an_edge_that_the_cycle_may_end_on_either_side_of_has_the_odds_and_bill_of_both(
    tmp_path: Path, width: int
) -> None:
    async with at_the_desk(tmp_path, width) as (rig, page):
        await asks(page)
        await rig.to("2026-08-12T17:45")
        await page.see("The meter has answered: the bill has its read.")
        edge = (await rig.call("call-0001"))["answer"]["edges"][0]
        assert 0 < edge["odds"] < 100
        await page.see(f"{edge['odds']} of 100 reach 1,000 kWh: ${edge['bill_if_usd']}")
        await page.see(f"{100 - edge['odds']} of 100 stay below: ${edge['bill_if_not_usd']}")


@pytest.mark.parametrize("width", BOTH)
async def test_a_refusal_says_by_the_clock_when_to_come_again(tmp_path: Path, width: int) -> None:
    refusal = {"code": "SMT-HOUR", "reason": "Two reads an hour.", "retryAt": "2026-08-12T18:40:00-05:00"}
    ack = {"statusCode": "1", "statusReason": "Refused", "correlationId": None, "refusal": refusal}
    async with at_the_desk(tmp_path, width, behaving(ack=ack)) as (rig, page):
        await asks(page)
        await rig.to("2026-08-12T17:41")
        await page.see("The read was refused.")
        await page.see("The meter can be asked again from Wed Aug 12 18:40 CDT.")
        await page.see("You owe about $")


@pytest.mark.parametrize("width", BOTH)
async def test_a_slow_read_is_the_same_after_a_reload_and_is_answered(tmp_path: Path, width: int) -> None:
    async with at_the_desk(tmp_path, width, behaving(takes_s=seconds(400))) as (rig, page):
        await asks(page)
        await rig.to("2026-08-12T17:42:10")
        await page.see("Most reads take one to two minutes")
        await page.tab.reload()
        await page.see("Most reads take one to two minutes")
        await looks_right(page)
        await rig.to("2026-08-12T17:48")
        await page.see("The caller had hung up at 17:43:00 CDT: call back with this answer.")


@pytest.mark.parametrize("width", BOTH)
async def test_who_has_gone_to_another_retailer_is_told_of_the_books(tmp_path: Path, width: int) -> None:
    error = {"errorCode": "AC1", "errorMessage": "ESI ID is not yours."}
    async with at_the_desk(tmp_path, width, behaving(vee_error=error)) as (rig, page):
        await asks(page)
        await rig.to("2026-08-12T17:41")
        await page.see("SMT gave no usage data: only the books are told.")
        await page.see("On our books: last bill $131.07")


@pytest.mark.parametrize("width", BOTH)
async def test_without_script_a_call_is_followed_by_hand(tmp_path: Path, width: int) -> None:
    async with at_the_desk(tmp_path, width, scripts=False) as (rig, page):
        await asks(page)
        await rig.to("2026-08-12T17:45")
        await page.click("How it stands now")
        await page.see("The meter has answered: the bill has its read.")


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
