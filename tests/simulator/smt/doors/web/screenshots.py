"""The pictures of the portal in README and docs, of a sandbox with real meters as it stands: ``python -m tests.simulator.smt.doors.web.screenshots``."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

from meters.calendar import seconds
from simulator.parties.sandbox import Sandbox
from simulator.world.market import CUSTOMER_LOGIN
from tests.simulator.sandboxes import rig
from tests.simulator.web.driven import DESK, PHONE, Page, browser

FOLDER = Path(__file__).parents[5] / "docs" / "pictures"
#: Model seconds after which a read has been answered.
_ANSWERED_S = seconds(300)


async def _come_in(page: Page, sandbox: Sandbox) -> None:
    await page.go(sandbox.smt_server.url)
    await page.write("User name", CUSTOMER_LOGIN.username)
    await page.write("Password", CUSTOMER_LOGIN.password)
    await page.press("Enter")
    await page.see("Your meters")
    await page.tab.locator("main table a").first.click()
    await page.see("Read my meter now")


async def _take(folder: Path, out: Path) -> None:
    async with rig(out, policy="smt-today", posted_days=35) as made:
        sandbox = made.sandbox
        async with browser(DESK) as page:
            await _come_in(page, sandbox)
            await page.click("Read my meter now")
            await page.see("Your request is")
            await sandbox.runtime.run_until(seconds(int(sandbox.runtime.now()) + int(_ANSWERED_S)))
            await page.see("The meter has answered.")
            await page.picture(folder / "portal-read.png")
            await page.size(DESK, dark=True)
            await page.picture(folder / "portal-dark.png")
            await page.go(f"{sandbox.smt_server.url}/docs?q=odrstatus")
            await page.picture(folder / "api.png")
        async with browser(PHONE) as page:
            await _come_in(page, sandbox)
            await page.click("A week before")
            await page.see("the broken line")
            await page.picture(folder / "portal-phone.png")


def take(folder: Path = FOLDER) -> None:
    """Write each picture."""
    folder.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as out:
        asyncio.run(_take(folder, Path(out)))


if __name__ == "__main__":
    take()
