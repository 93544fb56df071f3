"""What the page tells of a run's exchanges: the diagram, the timeline, each exchange's text, what was judged by what."""

from __future__ import annotations

import re
import shutil
from hashlib import sha256
from pathlib import Path

import pytest

from reports.scenario import sequence as drawing
from reports.scenario.page import render, render_run
from reports.scenario.sequence import MOST_TEXT, NARROW, WIDE, scenes, sequence, spoken
from scenarios.judging.exchanges import Traffic, traffic_of
from scenarios.rules.requirements import REQUIREMENTS
from scenarios.run import JudgedRun
from simulator.tap.chain import Exchange
from tests.simulator.web.looks import assert_fits
from tests.simulator.web.outline import assert_whole


@pytest.fixture(scope="module")
def folder(balance_run: JudgedRun, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the run's files, with its page."""
    copy = tmp_path_factory.mktemp("wires")
    for name in ("wire.jsonl", "run.json", "recording.json"):
        shutil.copyfile(balance_run.out / name, copy / name)
    render(balance_run.recording, copy)
    return copy


@pytest.fixture(scope="module")
def page(folder: Path) -> str:
    return (folder / "report.html").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def traffic(balance_run: JudgedRun) -> Traffic:
    found = traffic_of(balance_run.recording, balance_run.out)
    assert found is not None
    return found


def test_a_runs_page_is_made_of_its_verdict_and_is_the_one_that_its_folder_gives(
    balance_run: JudgedRun, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("judge", "traffic_of"):
        monkeypatch.setattr(f"reports.scenario.page.{name}", lambda *_: pytest.fail("judged again"))
    assert render_run(balance_run).read_bytes() == (folder / "report.html").read_bytes()


def test_every_arrow_and_every_evidence_leads_to_a_text(page: str, traffic: Traffic) -> None:
    numbers = {one.n for its in traffic.actions.values() for one in its}
    assert {int(one) for one in re.findall(r'<span id="x(\d+)">', page)} == numbers
    links = {int(one) for one in re.findall(r'href="#x(\d+)"', page)}
    assert links <= numbers
    # Each row of the diagram in both widths, and each step's and check's first numbers.
    rows = [row for scene in scenes(traffic) for row in scene.rows]
    assert {row.first.n for row in rows} <= links
    first = traffic.steps["call-0001", "S3"][0]
    assert f'<a href="#x{first}">exchange {first}</a>' in page


@pytest.mark.process
def test_the_page_with_its_exchanges_fits_and_is_whole(page: str, tmp_path: Path) -> None:
    assert_whole(page, "operating day 2026-08-12")
    assert_fits(page, tmp_path)


def test_the_page_says_by_what_it_was_judged(page: str, folder: Path, balance_run: JudgedRun, traffic: Traffic) -> None:
    text = (folder / "recording.json").read_bytes()
    registry = (Path(__file__).parents[3] / "scenarios" / "rules" / "requirements.csv").read_bytes()
    for digest in (sha256(text).hexdigest(), sha256(registry).hexdigest(), traffic.chain.head):
        assert f"<code>{digest}</code>" in page
    assert f"{len(REQUIREMENTS)} requirements" in page
    assert page.index("verdict passed") < page.index(traffic.chain.head) < page.index('<h2 id="the-seven-steps"')
    assert "simpy " in page


def test_what_was_not_exercised_is_folded(last_bill_run: JudgedRun, tmp_path: Path) -> None:
    page = render(last_bill_run.recording, tmp_path).read_text(encoding="utf-8")
    aside = [ident for ident, mark in last_bill_run.result["requirements"].items() if mark == "not exercised"]
    assert aside
    begins = page.index(f"{len(aside)} that this scenario does not exercise")
    ends = page.index("</details>", begins)
    assert re.findall(r"<b>([\w.-]+)</b>", page[begins:ends]) == aside


def test_the_diagram_has_a_column_for_each_party_and_folds_polls(traffic: Traffic) -> None:
    drawn = sequence(scenes(traffic), WIDE)
    columns = re.findall(r'text-anchor="middle" style="fill: var\(--muted\)[^>]*>([^<]+)<', drawn)
    assert columns[:5] == ["customer", "ROR", "SMT", "TDSP", "meters"]
    call = scenes(traffic)[0]
    assert call.ref == "call-0001"
    told = [row.text for row in call.rows]
    assert told[:4] == [
        "POST /v2/token/: 200",
        "POST /v2/15minintervalreads/: 200",
        "POST /v2/odr/: 200 0",
        "POST /v2/odrstatus/: 200 PEN, 3 times",
    ]
    assert told[-1] == "POST /v2/odrstatus/: 200 0"
    # The second power status of the day is refused by the rule, and drawn so.
    refused = next(scene for scene in scenes(traffic) if scene.ref == "status-0002")
    assert [row.bad for row in refused.rows] == [True]
    assert drawn.count("stroke: var(--bad)") == sum(row.bad for scene in scenes(traffic) for row in scene.rows)
    assert 'viewBox="0 0 328 ' in sequence(scenes(traffic), NARROW)
    assert sequence([], WIDE) == ""


def test_a_long_action_is_told_from_its_beginning(traffic: Traffic, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drawing, "MOST_ROWS", 2)
    told = {scene.ref: scene for scene in reversed(scenes(traffic))}
    assert len(told["call-0001"].rows) == 2
    assert (
        told["call-0001"].more
        == len([one for one in traffic.judged["call-0001"] if one > told["call-0001"].rows[-1].last.n]) - 1
    )


def exchange(ask: dict[str, object], reply: dict[str, object]) -> Exchange:
    return Exchange(1, 0, 0, "market", "ROR", "SMT", {}, ask, reply)  # type: ignore[arg-type]


def test_an_exchange_is_told_as_it_was_sent() -> None:
    asked, told = spoken(
        exchange(
            {"method": "POST", "path": "/x", "headers": {"cookie": "a=hmac:1"}, "body": '{"a":1}'},
            {"status": 200, "headers": {}, "body": "x" * (MOST_TEXT + 5)},
        )
    )
    assert asked == 'method: POST\npath: /x\ncookie: a=hmac:1\n\n{\n "a": 1\n}'
    assert told.endswith("x\n... 5 characters more")
    long, moved = spoken(exchange({"body": {"octets": 7}}, {"file": {"name": "one.lse", "octets": 7}}))
    assert (long, moved) == ("\noctets: 7", "file name: one.lse\nfile octets: 7")


def test_a_file_that_ends_early_is_said_to(balance_run: JudgedRun, folder: Path, tmp_path: Path) -> None:
    lines = (folder / "wire.jsonl").read_bytes().splitlines(keepends=True)
    (tmp_path / "wire.jsonl").write_bytes(b"".join(lines[:-1]))
    assert "the file ends before the run did" in render(balance_run.recording, tmp_path).read_text(encoding="utf-8")


def test_without_the_file_the_page_says_so(balance_run: JudgedRun, tmp_path: Path) -> None:
    page = render(balance_run.recording, tmp_path).read_text(encoding="utf-8")
    assert "The exchanges of this run were not kept" in page
    assert 'href="#x' not in page
