"""A head-end's batch as a page: from a file and from a head-end, whole, and true to what was told."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path
from typing import Any

import pytest

from headend.service.batch_wire import BatchReport
from reports.batch.page import page_of
from reports.batch.source import told
from tests.simulator.processes import fails_here, ran
from tests.simulator.sandboxes import rig
from tests.simulator.web.looks import assert_fits
from tests.simulator.web.outline import assert_whole


def run(number: int, **other: Any) -> dict[str, Any]:
    return {
        "run": number,
        "beganAt": f"2026-08-{12 + number}T01:00:00-05:00",
        "preset": "mine",
        "state": "posted",
        "partitions": 3,
        "partitionsValidated": 3,
        "partitionsPosted": 3,
        "durationS": 4,
        "metersPerS": 3000.0,
        "postedAt": f"2026-08-{12 + number}T07:30:00-05:00",
        "meters": 12_000,
        "actualPercent": 98.5,
        "estimatedPercent": 1.5,
        "findings": [{"rule": "interval.missing", "findings": 1_234}, {"rule": "of.later", "findings": 2}],
        "topOffenders": [{"esiid": "10443720000000017", "meterNumber": "200000017", "findings": 7}],
        "stoppedAreas": [{"accessPoint": 3, "silentMeters": 140}],
    } | other


def batch(*runs: dict[str, Any]) -> dict[str, Any]:
    day = {"operatingDay": "2026-08-12", "meters": 12_000, "complete": 11_400, "completePercent": 95.0}
    return day | {"runs": list(runs)}


LATER = run(2, partitions=1, partitionsValidated=1, partitionsPosted=0, state="named", postedAt=None, esiidsRevised=31)


def written(told_of: dict[str, Any]) -> str:
    return page_of(BatchReport.model_validate(told_of))


def words(page: str) -> str:
    """What is read, without the charts."""
    return " ".join(re.sub(r"<[^>]*>", " ", re.sub(r"<svg.*?</svg>", "", page, flags=re.DOTALL)).split())


@pytest.mark.process
def test_a_page_tells_what_was_told_and_a_rule_that_it_does_not_know(tmp_path: Path) -> None:
    page = written(batch(run(1), LATER))
    assert_whole(page, "operating day 2026-08-12")
    assert_fits(page, tmp_path)
    said = words(page)
    for part in (
        "Under way. Files still to be posted: 1.",
        "11,400 of 12,000 meters are complete by now, 95.0 %",
        "98.5 % of the intervals actual, 1.5 % estimated",
        "31 ESI IDs; later runs: 1",
        "Files posted 3 of 3 0 of 1",
        "Meters/s 3,000.0 3,000.0",
        "interval.missing 1,234 1,234 estimate EEI UBP 2 (2000): missing intervals, gap",
        "of.later 2 2",
        "10443720000000017 7 1 200000017",
    ):
        assert part in said
    assert page.count('aria-label="Findings by rule"') == 1
    assert page == written(batch(run(1), LATER))


def test_a_day_with_nothing_found_has_no_chart_and_says_so() -> None:
    page = written(batch(run(1, findings=[], topOffenders=[], metersPerS=None)))
    assert "<svg" not in page
    assert "Posted. SMT's site has every file." in words(page)
    assert "No rule found anything." in words(page)


def test_the_command_writes_the_page_of_a_file(tmp_path: Path) -> None:
    file, out = tmp_path / "batch.json", tmp_path / "new" / "batch.html"
    file.write_text(json.dumps(batch(run(1))))
    assert ran("vee", "report", str(file), "--out", str(out)) == 0
    assert out.read_text() == written(batch(run(1)))


@pytest.mark.parametrize(
    ("source", "keys", "code", "said"),
    [
        ("{}/none.json", None, "batch.unreadable", "No such file"),
        ("{}/x.json", None, "batch.malformed", "operatingDay: Field required"),
        ("http://127.0.0.1:1/batches/2026-08-12", None, "batch.no_answer", "does not answer: Connection refused."),
        ("http://", None, "batch.no_answer", "does not answer"),
        ("http://127.0.0.1:1/batches/2026-08-12", "{}/none.json", "batch.keys", "There is no such file."),
    ],
)
def test_what_is_no_report_is_one_line_that_names_it(
    tmp_path: Path, source: str, keys: str | None, code: str, said: str
) -> None:
    (tmp_path / "x.json").write_text("{}")
    more = ["--keys", keys.format(tmp_path)] if keys else []
    line = fails_here("vee", "report", source.format(tmp_path), *more, "--out", str(tmp_path / "page.html"))
    assert line.startswith(f"{code}: ")
    assert said in line
    assert not (tmp_path / "page.html").exists()


async def test_a_head_end_is_asked_with_its_key(tmp_path: Path) -> None:
    async with rig(tmp_path, posted_days=1) as made:
        url, keys = f"{made.sandbox.headend_server.url}/batches", tmp_path / "keys.json"
        found = await asyncio.to_thread(told, f"{url}/2026-08-11", keys)
        assert (found.meters, found.runs[0].partitionsPosted, found.runs[0].preset) == (12, 1, "oncor")
        for asked, given, said in (
            ("2026-08-11", None, "asks for the key"),
            ("2026-09-11", keys, "VEE has not run over that day"),
        ):
            with pytest.raises(Exception, match=said):
                await asyncio.to_thread(told, f"{url}/{asked}", given)
