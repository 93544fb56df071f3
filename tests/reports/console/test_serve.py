"""``ami console`` as a command: what it finds, what it refuses, and that nothing is left when it ends."""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

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


@pytest.mark.process
def test_a_run_that_goes_on_ends_with_the_console(tmp_path: Path) -> None:
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
        os.kill(pid, signal.SIGINT)
        assert process.wait(patience()) == 0
        assert [one for one in children if _lives(one)] == []
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


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
