"""What was clicked, copied: each line does the same again in a shell, and the scenario of all of it is well written and passes."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
from collections.abc import AsyncIterator
from html import unescape
from pathlib import Path

import pytest

from reports.console.bed import curl_line
from tests.reports.console.visit import Visit, at_a_bed


@pytest.fixture
async def visit(tmp_path: Path) -> AsyncIterator[Visit]:
    async with at_a_bed(tmp_path) as visit:
        yield visit


async def shell(line: str, **env: str) -> str:
    """What a line prints in a shell; the bed answers meanwhile."""
    ended = await asyncio.to_thread(
        subprocess.run,
        ["sh", "-c", line],
        capture_output=True,
        text=True,
        env={"PATH": "/usr/bin:/bin", **env},
        check=True,
    )
    return ended.stdout


@pytest.mark.process
async def test_each_line_of_curl_does_again_what_was_clicked(visit: Visit) -> None:
    assert visit.made is not None
    await visit.did("fault", kind="dead", esiid=visit.made.esiid(1))
    await visit.did("fault-off", ident="fault-1")
    await visit.did("complaint", kind="t_failed", esiids=visit.made.esiid(2))
    await visit.did("advance", seconds="60")
    bed = visit.console.looked_at()
    lines = [unescape(one) for one in re.findall(r"<pre>(.*?)</pre>", (await visit.get("journal")).text)]
    assert lines == [call.curl for call in bed.calls[::-1]]
    first, off, complaint, advance = lines[::-1]
    before = (await visit.control("clock"))["now"]
    assert json.loads(await shell(first))["id"] == "fault-2"
    assert json.loads(await shell(off.replace("fault-1", "fault-2")))["active"] is False
    assert json.loads(await shell(complaint))["id"] == "complaint-2"
    assert json.loads(await shell(advance))["now"] != before


@pytest.mark.process
def test_a_line_keeps_its_key_and_what_is_typed_to_itself() -> None:
    line = curl_line("POST", "http://a/b'c", {"esiid": "'; rm -rf / #$(x)"}, "$KEY")
    words = subprocess.run(["sh", "-c", f"KEY=secret; set -- {line}; for one; do echo \"$one\"; done"], capture_output=True, text=True, check=True).stdout.splitlines()  # fmt: skip
    assert words == ["curl", "-s", "http://a/b'c", "-H", "Authorization: Bearer secret", "-H", "content-type: application/json", "-d", json.dumps({"esiid": "'; rm -rf / #$(x)"})]  # fmt: skip


@pytest.mark.process
@pytest.mark.long
async def test_what_was_clicked_becomes_a_scenario_that_is_sound_and_passes(visit: Visit) -> None:
    assert visit.made is not None
    dead, other = visit.made.esiid(1), visit.made.esiid(2)
    # One that was on before is none of this scenario's.
    await visit.made.http.post("/control/faults", json={"kind": "slow", "esiid": other, "params": {"seconds": 0}})
    await visit.did("fault-off", ident="fault-1")
    await visit.did("fault", kind="dead", esiid=dead)
    await visit.post("ask", esiid=dead, kind="REGISTER")
    await visit.did("advance", seconds="900")
    await visit.did("fault-off", ident="fault-2")
    await visit.post("ask", esiid=dead, kind="REGISTER")
    await visit.did("complaint", kind="t_failed", esiids=other)
    await visit.post("ask", esiid=other, kind="POWER")
    await visit.post("ask", esiid="1", kind="REGISTER")
    await visit.did("advance", seconds="900")
    await visit.post("ask", esiid=dead, kind="REGISTER")
    copied = await visit.post("journal", name="clicked")
    page = unescape(copied.text)
    found = re.search(r"<textarea[^>]*>\n(.*?)</textarea>", page, re.DOTALL)
    assert found is not None, page
    text = found[1]
    assert "fault-1 was switched off, which was on before" in page
    assert "pecan-bend-1" not in text
    assert re.findall(r"do: (\w+)", text) == [
        "http",
        "on_demand_read",
        "http",
        "on_demand_read",
        "http",
        "power_status",
        "on_demand_read",
    ]
    assert re.findall(r"outcome: (\w+)", text) == ["failed", "answered", "failed", "refused"]
    linted = await visit.post("scenarios", text=text, do="lint")
    assert (linted.status_code, "It is well written: clicked" in linted.text) == (200, True)
    run = await visit.post("scenarios", text=text, do="run")
    assert run.headers["location"] == "/console/runs/console/clicked-1"
    await visit.console.children.ended(visit.console.root / "console" / "clicked-1")
    page = await visit.page("runs/console/clicked-1")
    assert '<p class="word"><b>passed</b>' in page, page
    marks = re.findall(r'<span class="mark (\w+)">\w+</span> <b>([\w-]+)</b>', page)
    assert [mark for mark, ident in marks if ident[-1].isdigit()] == ["passed"] * 7


@pytest.mark.parametrize("name", ["../" * 20 + "{}/evil", "{}/evil", "a" * 300, "a\0b", "a b"])
async def test_a_name_that_is_typed_is_no_path(visit: Visit, tmp_path: Path, name: str) -> None:
    before = sorted(tmp_path.iterdir())
    reply = await visit.post("journal", name=name.format(tmp_path))
    assert (reply.status_code, "from.name" in reply.text) == (400, True)
    # In the page's words, which has no options.
    assert "into the field Name" in reply.text
    assert "--name" not in reply.text
    assert sorted(tmp_path.iterdir()) == before


async def test_where_nothing_was_done_nothing_is_copied(visit: Visit) -> None:
    reply = await visit.post("journal", name="nothing")
    assert (reply.status_code, 'role="alert"' in reply.text) == (400, True)
