"""``ami console`` as a command: what it finds, what it refuses, and that nothing is left when it ends."""

from __future__ import annotations

import os
import select
import signal
import time
from contextlib import suppress
from pathlib import Path

import httpx
import pytest
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from reports.console import serve
from simulator.errors import SimulatorError
from simulator.runtime.serving import HttpServer, bind, url_of
from tests.simulator.processes import complaints, invoked, patience, serving

GAP = "gap-of-17-h-30"


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["http://127.0.0.1:9", "--port", "0"], "console.no_bed"),
        (["nowhere", "--port", "0"], "console.what"),
        (["{tmp}", "--host", "0.0.0.0"], "console.open"),
        (["{tmp}", "--password-file", "{tmp}/none"], "console.password"),
        (["{tmp}", "--password-file", "{tmp}/empty"], "console.password"),
    ],
)
def test_what_cannot_be_is_refused_with_the_option_that_says_so(tmp_path: Path, words: list[str], code: str) -> None:
    (tmp_path / "empty").write_text("\n", "utf-8")
    told = invoked("console", *(word.format(tmp=tmp_path) for word in words))
    assert code in str(told.exception)


@pytest.mark.parametrize("said", [b"<html><p>Another's page</html>", b"[1]", b"null", b'{"logins": []}'])
async def test_what_answers_and_is_no_bed_is_told_as_none(said: bytes) -> None:
    async def other(scope: Scope, receive: Receive, send: Send) -> None:
        await Response(said, media_type="text/html")(scope, receive, send)

    server = HttpServer(other, bind("127.0.0.1", 0, "another service"))
    await server.start()
    try:
        assert await _looked(server.url) == f"{server.url}: What answers there is no test bed's SMT."
    finally:
        await server.stop()


async def test_a_page_that_there_is_none_of_is_no_bed_and_its_words_are_not_told() -> None:
    async def other(scope: Scope, receive: Receive, send: Send) -> None:
        await Response(b'{"detail": "Nothing here."}', 404, media_type="application/json")(scope, receive, send)

    server = HttpServer(other, bind("127.0.0.1", 0, "another service"))
    await server.start()
    try:
        assert await _looked(server.url) == f"{server.url}: What answers there is no test bed's SMT."
    finally:
        await server.stop()


def test_a_password_is_a_files_text_without_what_is_around_it(tmp_path: Path) -> None:
    (tmp_path / "word").write_text("  open sesame\n", encoding="utf-8")
    assert serve._password(tmp_path / "word") == "open sesame"
    assert serve._password(None) == ""


async def test_what_says_nothing_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serve, "_LOOK_S", 0.2)
    with bind("127.0.0.1", 0, "a service that hangs") as bound:
        bound.listen()
        url = url_of(bound)
        assert await _looked(url) == f"{url}: What is there has said nothing for 0.2 seconds."


async def _looked(url: str) -> str:
    async with httpx.AsyncClient(trust_env=False) as http:
        with pytest.raises(SimulatorError) as told:
            await serve.bed_at(url, None, http)
    assert told.value.code == "console.no_bed"
    return f"{told.value.place}: {told.value.message}"


@pytest.mark.process
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 0), (signal.SIGKILL, -signal.SIGKILL)])
def test_a_run_that_goes_on_ends_with_the_console(tmp_path: Path, number: int, code: int) -> None:
    with serving("console", str(tmp_path), "--port", "0", "--json") as (process, ready):
        url = ready["console_url"]
        origin = {"origin": url.removesuffix("/console/")}
        with httpx.Client(trust_env=False, timeout=patience()) as http:
            page = http.get(f"{url}scenarios?name={GAP}").text
            token = page.partition('name="form_token" value="')[2].partition('"')[0]
            begun = http.post(f"{url}studies", data={"form_token": token, "name": "throttle-policies"}, headers=origin)
            assert begun.headers["location"] == "/console/runs/studies/throttle-policies"
            pid = process.pid or 0
            children = _children(pid)
            assert children
            assert "It goes on" in http.get(f"{url}runs/studies/throttle-policies").text
            refused = http.post(
                f"{url}studies", data={"form_token": token, "name": "throttle-policies"}, headers=origin
            )
            assert (refused.status_code, "console.going" in refused.text) == (409, True)
        files = [os.pidfd_open(one) for one in children]
        os.kill(pid, number)
        assert process.wait(patience()) == code
        for one in files:
            # Of one that has ended it can be read.
            assert select.select([one], [], [], 0 if number == signal.SIGINT else patience())[0]
            os.close(one)
        assert complaints(process.stderr) == ""


def _children(pid: int) -> list[int]:
    """Processes whose parent it is; looked for until there is one."""
    bound = time.monotonic() + patience()
    while time.monotonic() < bound:
        found = []
        for one in filter(str.isdigit, os.listdir("/proc")):
            with suppress(OSError):
                words = Path(f"/proc/{one}/stat").read_text("utf-8").rpartition(")")[2].split()
                found += [int(one)] if int(words[1]) == pid else []
        if found:
            return found
    return []
