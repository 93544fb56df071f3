"""A console that was begun without an address: the usual bed is found when it is there, and one can be begun from the first page."""

from __future__ import annotations

from html import unescape
from pathlib import Path

import pytest

from tests.reports.console.visit import visiting
from tests.simulator.sandboxes import rig

#: Nothing answers there.
NOWHERE = "http://127.0.0.1:9"


async def test_without_a_bed_the_first_page_begins_one_and_scenarios_are_there(tmp_path: Path) -> None:
    async with visiting(tmp_path, usual=NOWHERE) as visit:
        page = await visit.page()
        assert f"No test bed answers at {NOWHERE}." in page
        assert "Start a test bed" in page
        assert [name for name in ("Scenarios", "Meters", "Clock") if f">{name}</a>" in page] == ["Scenarios"]
        assert (await visit.get("meters")).status_code == 404
        assert (await visit.get("scenarios")).status_code == 200
        wrong = await visit.post("bed/begin", clock="sundial")
        assert (wrong.status_code, "There is no such clock." in wrong.text) == (400, True)
        assert list(tmp_path.iterdir()) == []


async def test_a_folder_of_runs_begins_no_bed(tmp_path: Path) -> None:
    async with visiting(tmp_path) as visit:
        assert (await visit.get()).headers["location"] == "/console/runs"
        assert (await visit.post("bed/begin", clock="manual")).status_code == 404


async def test_the_usual_bed_is_shown_while_it_is_there(tmp_path: Path) -> None:
    async with rig(tmp_path / "bed", posted_days=1) as made:
        url = made.sandbox.smt_server.url
        async with visiting(tmp_path / "runs", usual=url) as visit:
            page = await visit.page()
            assert "Special ESI IDs" in page
            # It is not ours to end.
            assert "Stop this test bed" not in page
            moved = await visit.http.get("/console/", headers={"x-fragment": "start"})
            assert (moved.status_code, moved.headers["x-location"]) == (204, "/console/")
            await made.sandbox.smt_server.stop()
            assert f"No test bed answers at {url}." in await visit.page()


@pytest.mark.process
async def test_a_bed_that_cannot_begin_says_why(tmp_path: Path) -> None:
    async with visiting(tmp_path, usual=NOWHERE) as visit:
        own = visit.console.own
        assert own is not None
        assert (await visit.post("bed/begin", clock="manual", date="yesterday")).status_code == 303
        assert "The test bed begins" in await visit.page()
        # Pressed again, or in another tab, it leads to the same.
        assert (await visit.post("bed/begin", clock="manual")).headers["location"] == "/console/"
        assert [one.name for one in own.children.folders] == ["bed-1"]
        for out in own.children.folders:
            await own.children.ended(out)
        page = unescape(await visit.page())
        assert "The test bed that was begun here has ended." in page
        assert "clock.date: --date: 'yesterday' is not a date." in page
