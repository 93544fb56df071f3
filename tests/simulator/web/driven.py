"""Debian's chromium, driven by its own protocol as a person drives it: what can be seen is clicked, and nothing else.

Its packets go over the client for websockets that a client of the portal brings. A page that says anything at its console, or asks another host, is at fault.
"""

from __future__ import annotations

import asyncio
import base64
import json
import subprocess
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from tests.needs import needs
from tests.simulator.processes import ending, patience

#: A phone's width and a desk's, and the height of both.
PHONE, DESK, HEIGHT = 390, 1440, 900
_OPTIONS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--remote-debugging-port=0", "--no-first-run", "--hide-scrollbars", "--disable-background-networking", "--disable-component-update", "--no-proxy-server", "about:blank")  # fmt: skip
#: Wall seconds until a page is looked at again that nothing is heard of.
_SOON_S = 0.05
#: What of an element can be read: by its text, and in the window's flow.
_SEEN = """
const seen = (one) => one.getClientRects().length > 0 && getComputedStyle(one).visibility !== "hidden";
const named = (text) => [...document.querySelectorAll("a, button, summary, [role=button]")].filter((one) => seen(one) && one.textContent.trim() === text);
"""


@dataclass
class Page:
    """A tab, from its beginning on."""

    socket: aiohttp.ClientWebSocketResponse
    session: str
    #: What it said at its console, and of what it was told that it must not.
    console: list[str] = field(default_factory=list)
    #: Addresses that were asked for, and octets that came, headers and all.
    asked: list[str] = field(default_factory=list)
    octets: float = 0
    #: Whole pages that were loaded.
    loads: int = 0
    count: int = 0
    happened: asyncio.Event = field(default_factory=asyncio.Event)
    waiting: dict[int, asyncio.Future[dict[str, Any]]] = field(default_factory=dict)

    async def call(self, method: str, **given: Any) -> dict[str, Any]:
        """One command of the protocol."""
        self.count += 1
        future = self.waiting[self.count] = asyncio.get_running_loop().create_future()
        packet = {"id": self.count, "method": method, "params": given} | (
            {"sessionId": self.session} if self.session else {}
        )
        await self.socket.send_json(packet)
        async with asyncio.timeout(patience()):
            answer: dict[str, Any] = await future
        return answer

    async def listen(self) -> None:
        """Take in what the browser says until it ends."""
        async for message in self.socket:
            told = json.loads(message.data)
            if "id" in told:
                self.waiting.pop(told["id"]).set_result(told)
            else:
                self._happened(told["method"], told["params"])

    def _happened(self, method: str, told: dict[str, Any]) -> None:
        self.happened.set()
        match method:
            case "Runtime.exceptionThrown":
                self.console.append(str(told["exceptionDetails"].get("exception", told["exceptionDetails"])))
            case "Runtime.consoleAPICalled":
                self.console.append(str(told["args"]))
            case "Log.entryAdded":
                self.console.append(f"{told['entry']['text']} {told['entry'].get('url', '')}")
            case "Page.javascriptDialogOpening":
                self.console.append(f"dialog {told['message']}")
            case "Network.requestWillBeSent":
                self.asked.append(told["request"]["url"])
            case "Network.loadingFinished":
                self.octets += told["encodedDataLength"]
            case "Page.loadEventFired":
                self.loads += 1

    async def value(self, script: str) -> Any:
        """What a script's expression comes to."""
        told = await self._evaluated(script)
        assert "exceptionDetails" not in told, told
        return told.get("result", {}).get("value")

    async def _evaluated(self, script: str) -> dict[str, Any]:
        expression = f"(() => {{{_SEEN} return ({script}); }})()"
        told: dict[str, Any] = await self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        return dict(told.get("result", {}))

    async def until(self, script: str) -> Any:
        """What a script's expression comes to as soon as that is true, over pages that come after each other; looked at again when the browser tells of something, or soon."""
        bound = time.monotonic() + patience()
        while time.monotonic() < bound:
            self.happened.clear()
            told = await self._evaluated(script)
            # A page that is left is no answer.
            if "exceptionDetails" not in told and (found := told.get("result", {}).get("value")):
                return found
            with suppress(TimeoutError):
                async with asyncio.timeout(_SOON_S):
                    await self.happened.wait()
        raise AssertionError(f"it never came: {script}: {told}")

    async def go(self, url: str) -> None:
        """Open an address, and wait until all of it is there."""
        await self.call("Page.navigate", url=url)
        await self.until(
            f"document.readyState === 'complete' && location.href.startsWith({json.dumps(url.split('#')[0][:20])})"
        )

    async def see(self, text: str) -> None:
        """Wait until a text can be seen."""
        await self.until(f"document.body && document.body.innerText.includes({json.dumps(text)})")

    async def text(self) -> str:
        """What can be seen."""
        return str(await self.value("document.body.innerText"))

    async def click(self, text: str) -> None:
        """Click on what has exactly that text, in its middle."""
        await self.until(f"named({json.dumps(text)}).length > 0")
        at = await self.value(
            f"(() => {{ const one = named({json.dumps(text)})[0]; one.scrollIntoView({{block: 'center'}}); const box = one.getBoundingClientRect(); return [box.x + box.width / 2, box.y + box.height / 2]; }})()"
        )
        for kind in ("mousePressed", "mouseReleased"):
            await self.call("Input.dispatchMouseEvent", type=kind, x=at[0], y=at[1], button="left", clickCount=1)

    async def write(self, label: str, text: str) -> None:
        """Write into the field of a label, as by keys."""
        await self.until(
            f"[...document.querySelectorAll('label')].some((one) => one.innerText.trim() === {json.dumps(label)})"
        )
        await self.value(
            f"[...document.querySelectorAll('label')].find((one) => one.innerText.trim() === {json.dumps(label)}).querySelector('input').focus()"
        )
        await self.value("document.activeElement.value = ''")
        await self.call("Input.insertText", text=text)

    async def press(self, key: str) -> None:
        """Press a key and let it go."""
        more = {"text": "\r"} if key == "Enter" else {}
        code = {"Tab": 9, "Enter": 13}[key]
        for kind in ("keyDown", "keyUp"):
            await self.call(
                "Input.dispatchKeyEvent",
                type=kind,
                key=key,
                code=key,
                windowsVirtualKeyCode=code,
                **(more if kind == "keyDown" else {}),
            )

    async def size(self, width: int, *, dark: bool = False) -> None:
        """Lay the page out for a window of that width."""
        await self.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=HEIGHT, deviceScaleFactor=1, mobile=width < 600
        )
        scheme = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        await self.call("Emulation.setEmulatedMedia", features=scheme)

    async def without_script(self) -> None:
        """Run no script of pages from now on."""
        await self.call("Emulation.setScriptExecutionDisabled", value=True)

    async def picture(self, file: Path) -> None:
        """The whole page as a picture."""
        told = await self.call("Page.captureScreenshot", captureBeyondViewport=True)
        file.write_bytes(base64.b64decode(told["result"]["data"]))


@asynccontextmanager
async def browser(folder: Path, width: int = DESK) -> AsyncIterator[Page]:
    """A browser with one tab, its profile in a folder of its own; it has ended afterwards."""
    needs("chromium")
    profile = folder / "profile"
    process = subprocess.Popen(
        ("chromium", f"--user-data-dir={profile}", *_OPTIONS),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    with ending(process):
        port, path = await asyncio.get_running_loop().run_in_executor(
            None, _address, process, profile / "DevToolsActivePort"
        )
        async with (
            aiohttp.ClientSession() as http,
            http.ws_connect(f"ws://127.0.0.1:{port}{path}", max_msg_size=0) as socket,
        ):
            page = Page(socket, "")
            listening = asyncio.get_running_loop().create_task(page.listen())
            try:
                await _attach(page)
                await page.size(width)
                yield page
            finally:
                listening.cancel()
                await asyncio.gather(listening, return_exceptions=True)


async def _attach(page: Page) -> None:
    targets = (await page.call("Target.getTargets"))["result"]["targetInfos"]
    target = next(one["targetId"] for one in targets if one["type"] == "page")
    attached = await page.call("Target.attachToTarget", targetId=target, flatten=True)
    page.session = attached["result"]["sessionId"]
    for domain in ("Page", "Runtime", "Log", "Network"):
        await page.call(f"{domain}.enable")


def _address(process: subprocess.Popen[str], file: Path) -> tuple[str, str]:
    """Where it listens, once it says so."""
    bound = time.monotonic() + patience()
    while time.monotonic() < bound and process.poll() is None:
        lines = file.read_text("utf-8").split() if file.exists() else []
        if len(lines) == 2:
            return lines[0], lines[1]
        threading.Event().wait(0.01)
    raise AssertionError("the browser did not begin")
