"""Scenarios from text to verdict, and runs at their addresses: what is told of one that goes on, what its files hold, and nothing of another folder."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
from collections.abc import AsyncIterator
from html import unescape
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from reports.console import tester
from reports.console.bed import BedProblem
from reports.console.children import MOST, Children
from reports.console.runs import PROGRESS, folders, run_of
from reports.scenario.page import render
from scenarios.file.shipped import SCENARIOS
from scenarios.run import JudgedRun
from simulator.errors import SimulatorError
from simulator.runtime.progress_file import ProgressFile, read_progress
from simulator.runtime.until_stopped import Stopped
from simulator.tap.chain import exchanges
from tests.reports.console.visit import Visit, at_a_bed, stations, visiting

GAP = "gap-of-17-h-30"


@pytest.fixture
async def visit(tmp_path: Path) -> AsyncIterator[Visit]:
    async with visiting(tmp_path) as visit:
        yield visit


def told(folder: Path, *lines: dict[str, Any]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / PROGRESS).write_text("".join(json.dumps(one) + "\n" for one in lines), "utf-8")


BEGUN = {"event": "begun", "name": "n", "title": "A title", "actions": [{"ref": "call", "do": "balance_call", "at": "2026-08-12T17:30:00-05:00", "state": "waiting"}]}  # fmt: skip


def reached(state: str) -> dict[str, Any]:
    return {"event": "reached", "at": "2026-08-12T12:00:00-05:00", "share": 0.5, "states": {"call": state}}


JUDGED = {"event": "judged", "at": "", "judged": [{"id": "S1", "call": "", "mark": "passed", "happened": "It was so."}]}


async def test_the_library_is_listed_and_each_of_it_opens_sound(visit: Visit) -> None:
    page = await visit.page("scenarios")
    assert re.findall(r"scenarios\?name=([\w-]+)", page) == sorted(SCENARIOS.files(), key=list(SCENARIOS.files()).index)
    text = SCENARIOS.files()[GAP].read_text("utf-8")
    assert text in await visit.page("scenarios", name=GAP)
    linted = await visit.post("scenarios", text=text, do="lint")
    assert (linted.status_code, f"It is well written: {GAP}" in linted.text) == (200, True)


@pytest.mark.parametrize(
    ("written", "line", "mend"),
    [
        (("policy: fr-cr016-1", "policy: fr-cr016-2"), r"Line \d+: ", "fr-cr016-1"),
        (("timeline:", "timelines:"), "", ""),
        (("name:", "name: ["), r"Line \d+: ", ""),
    ],
)
async def test_a_mistake_is_told_with_its_line_and_mend_and_nothing_runs(
    visit: Visit, written: tuple[str, str], line: str, mend: str
) -> None:
    text = SCENARIOS.files()[GAP].read_text("utf-8").replace(*written, 1)
    assert written[1] in text
    for do in ("lint", "run"):
        reply = await visit.post("scenarios", text=text, do=do)
        page = unescape(reply.text)
        assert reply.status_code == 400
        assert re.search(f'role="alert"><p><b>{line}', page)
        assert mend in page
        assert text in page.replace("\r\n", "\n")
        assert "/tmp" not in page.partition("<textarea")[0]
    assert visit.console.children.folders == []


async def test_of_thousands_of_mistakes_the_first_are_told_and_how_many_more_there_are(visit: Visit) -> None:
    wrong = "".join(f"k{index}: 1\n" for index in range(200)) + f"tags: [{'1, ' * 2000}]\n"
    page = (await visit.post("scenarios", text=wrong, do="lint")).text.partition("<textarea")[0]
    assert page.count('class="problem"') == 50
    assert re.search(r"There are 2,1\d\d more: lint it again once these are mended\.", page)
    assert len(page) < 50_000


@pytest.mark.parametrize("of", ["looked_at", "run_of"])
async def test_what_is_long_to_look_through_holds_up_nothing_else(
    visit: Visit, monkeypatch: pytest.MonkeyPatch, of: str
) -> None:
    told(visit.console.root / "one", BEGUN)
    begun, answered, real = Event(), Event(), getattr(tester, of)

    def long(*args: Any, **more: Any) -> Any:
        begun.set()
        assert answered.wait(20)
        return real(*args, **more)

    monkeypatch.setattr(tester, of, long)
    text = SCENARIOS.files()[GAP].read_text("utf-8")
    asked = visit.post("scenarios", text=text, do="lint") if of == "looked_at" else visit.get("runs/one")
    waits = asyncio.create_task(asked)
    assert await asyncio.to_thread(begun.wait, 20)
    assert (await visit.get("scenarios")).status_code == 200
    answered.set()
    assert (await waits).status_code == 200


async def test_no_step_is_told_passed_before_it_has_ended_and_what_may_change_says_so(tmp_path: Path) -> None:
    for state, lines in (("waiting", [BEGUN]), ("running", [BEGUN, reached("running")])):
        told(tmp_path, *lines)
        assert [(step.ident, step.state) for step in run_of("x", tmp_path, going=True).steps] == [("call", state)]
    told(tmp_path, BEGUN, reached("over"), JUDGED)
    steps = run_of("x", tmp_path, going=True).steps
    assert [(step.ident, step.state, step.so_far) for step in steps] == [
        ("call", "over", False),
        ("S1", "passed", True),
    ]
    # A verdict that lies there of a run before is not this one's.
    (tmp_path / "result.json").write_text(json.dumps({"mark": "passed", "steps": [], "checks": [], "scenario": {}}))
    assert run_of("x", tmp_path, going=True).mark == ""
    assert run_of("x", tmp_path, going=False).mark == "passed"


async def test_one_that_goes_on_asks_again_and_one_that_was_broken_off_says_why(visit: Visit) -> None:
    root = visit.console.root
    told(root / "a", BEGUN, reached("running"), {"event": "ended", "error": "Stopped"})
    page = await visit.page("runs/a")
    assert ("It was broken off" in page, "Stopped" in page, "data-poll" in page) == (True, True, False)
    assert "balance call, 2026-08-12 17:30:00 CDT" in page
    assert 'runs/a"' in await visit.page("runs")


async def test_an_old_run_opens_without_a_bed_with_its_verdict_exchanges_and_report(
    tmp_path: Path, balance_run: JudgedRun
) -> None:
    root = tmp_path / "old"
    shutil.copytree(balance_run.out, root / "deep" / "run")
    render(balance_run.recording, root / "deep" / "run")
    async with visiting(root) as visit:
        assert (await visit.get("")).headers["location"] == "/console/runs"
        page = await visit.page("runs/deep/run")
        result = balance_run.result
        judged = [*result["steps"], *result["checks"]]
        assert re.findall(r'<span class="mark [\w -]+">([\w -]+)</span> <b>', page) == [one["mark"] for one in judged]
        links = [int(one) for one in re.findall(r"/x/(\d+)", page)]
        assert links == [number for one in judged for number in one["exchanges"]]
        assert links
        shown = await visit.page(f"runs/deep/run/x/{links[0]}")
        one = next(one for one in exchanges(balance_run.out / "wire.jsonl") if one.n == links[0])
        assert one.label in shown
        rows = dict(re.findall(r'<tr><td>(.*?)</td><td class="k" data-head="Value">(.*?)</td></tr>', shown))
        assert {name: str(value) for name, value in one.ask["headers"].items()}.items() <= rows.items()
        assert "{'" not in shown
        for number in ("99999999", "first"):
            none = await visit.get(f"runs/deep/run/x/{number}")
            assert (none.status_code, 'role="alert"' in none.text) == (404, True)
        report = await visit.get("runs/deep/run/report")
        assert report.text == (root / "deep" / "run" / "report.html").read_text("utf-8")
        assert report.headers["content-security-policy"].startswith(
            "sandbox; default-src 'none'; style-src 'unsafe-inline'"
        )
        assert "script" not in report.headers["content-security-policy"]


async def test_no_address_leads_out_of_the_folder(tmp_path: Path) -> None:
    told(tmp_path / "secret", BEGUN)
    told(tmp_path / "runs" / "mine", BEGUN)
    (tmp_path / "runs" / "link").symlink_to(tmp_path / "secret")
    assert list(folders(tmp_path / "runs")) == ["mine"]
    async with visiting(tmp_path / "runs") as visit:
        for ident in (
            "../secret",
            "%2e%2e/secret",
            "link",
            "..%2fsecret",
            str(tmp_path / "secret"),
            "mine/../../secret",
        ):
            assert (await visit.get(f"runs/{ident}")).status_code in (404, 303), ident
        assert (await visit.get("runs/mine")).status_code == 200


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("result.json", '{"scenario":3,"steps":{}}'),
        ("result.json", '{"scenario":{},"steps":[{"id":1}],"checks":[]}'),
        ("result.json", "[" * 100_000),
        ("outcome.json", '{"study":[1]}'),
        (PROGRESS, '{"event":"reached","done":"x","of":"y"}\n'),
        (PROGRESS, '{"event":"begun","actions":[{}]}\n'),
        (PROGRESS, '{"event":"reached","share":"<b>"}\n'),
        (PROGRESS, '{"event":' * 50_000 + "\n"),
    ],
)
async def test_a_folder_whose_files_are_no_runs_says_so_and_hides_no_other(visit: Visit, name: str, text: str) -> None:
    root = visit.console.root
    told(root / "mine", BEGUN)
    (root / "strange").mkdir()
    (root / "strange" / name).write_text(text, "utf-8")
    assert "Its files cannot be read" in await visit.page("runs/strange")
    assert 'runs/mine"' in await visit.page("runs")
    assert (await visit.get("studies")).status_code == 200


def test_progress_is_read_while_it_is_written_and_ends_with_what_ended_it(tmp_path: Path) -> None:
    file = tmp_path / "new" / PROGRESS
    progress = ProgressFile(file).__enter__()
    progress.tell("begun", name="x")
    text = file.read_text("utf-8")
    file.write_text(text + '{"event": "rea', "utf-8")
    assert read_progress(file) == [{"event": "begun", "name": "x"}]
    file.write_text(text, "utf-8")
    progress.__exit__(RuntimeError, RuntimeError("away"), None)
    assert read_progress(file)[-1] == {"event": "ended", "error": "away"}
    for error, told in (
        (Stopped(15), "It was stopped."),
        (KeyboardInterrupt(), "It was stopped."),
        (OSError(), "OSError"),
    ):
        ProgressFile(file).__exit__(type(error), error, None)
        assert read_progress(file) == [{"event": "ended", "error": told}]
    assert read_progress(tmp_path / "none") == []
    ProgressFile(None).tell("begun")
    with pytest.raises(SimulatorError, match=r"progress\.unusable"):
        ProgressFile(tmp_path)


async def test_one_too_many_is_refused_and_leaves_nothing_behind(visit: Visit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(visit.console.children, "most", 0)
    study = visit.console.root / "studies" / "throttle-policies"
    told(study, BEGUN)
    text = SCENARIOS.files()[GAP].read_text("utf-8")
    before = sorted(visit.console.root.rglob("*"))
    for reply in (await visit.post("scenarios", text=text, do="run"), await visit.post("studies", name=study.name)):
        assert (reply.status_code, "console.busy" in reply.text) == (409, True)
    assert sorted(visit.console.root.rglob("*")) == before


@pytest.mark.process
async def test_children_are_few_and_end_with_the_console(tmp_path: Path) -> None:
    children = Children()
    begun = [
        await children.begin(["scenario", "run", GAP, "--out", str(tmp_path / f"{n}")], tmp_path / f"{n}")
        for n in range(MOST)
    ]
    with pytest.raises(BedProblem, match=r"console\.busy"):
        await children.begin(["--version"], tmp_path / "more")
    assert all(one.running for one in begun)
    await children.close()
    assert not any(one.running for one in begun)
    # Nor do more begin that come at once.
    three = await asyncio.gather(*(children.begin(["--version"], tmp_path / f"v{n}") for n in range(MOST + 1)), return_exceptions=True)  # fmt: skip
    assert [isinstance(one, BedProblem) for one in three] == [False] * MOST + [True]
    await children.close()
    assert children.of(tmp_path / "0") is begun[0]


STANDS = {"event": "reached", "at": "2026-08-12T17:40:00-05:00", "done": 3, "of": 9, "asked": 4, "answered": 2, "refused": {"FR-CR016.1b": 1}, "failed": {}, "unanswered": 0, "waiting": 5, "longest_s": 1234.5, "p50_s": 71.2, "p95_s": 95.0}  # fmt: skip


def loaded(root: Path, smt: str, **more: Any) -> None:
    told(root / "loads" / "mine", {"event": "begun", "kind": "load", "name": "storm", "title": "A storm", "smt": smt}, STANDS | more)  # fmt: skip


async def test_a_load_has_its_page_with_times_from_the_planned_arrival(visit: Visit) -> None:
    loaded(visit.console.root, "http://127.0.0.1:8600")
    page = await visit.page("runs/loads/mine")
    assert "It goes on" in page
    assert "3 of 9 requests have ended" in page
    for name, text in (
        ("answered, from planned arrival", "2: 71 s, 19 of 20 within 95 s"),
        ("waiting, from planned arrival", "5, the longest 1,234 s"),
        ("refused", "1"),
    ):
        assert f"<b>{name}</b> {text}" in page
    # Of a player that was killed nothing is told any more.
    file = visit.console.root / "loads" / "mine" / PROGRESS
    os.utime(file, (1e9, 1e9))
    assert "It was broken off" in await visit.page("runs/loads/mine")


async def test_the_first_page_says_from_what_times_go_and_of_a_load_from_its_planned_arrival(tmp_path: Path) -> None:
    async with at_a_bed(tmp_path) as visit:
        assert visit.made is not None
        url = visit.made.sandbox.smt_server.url
        before = stations(await visit.page())["Requests at SMT"]
        assert before["answered, from arrival at SMT"] == "none yet"
        # Of one that plays elsewhere: what is not seen, and how it comes to be.
        told = await visit.page("requests")
        assert f"{visit.console.root}/loads/NAME/progress.jsonl" in told
        assert f"calls this test bed {url}." in told
        loaded(visit.console.root, url)
        seen = stations(await visit.page())["Requests at SMT"]
        assert seen["load"] == "storm"
        assert seen["answered, from planned arrival"] == "2: 71 s, 19 of 20 within 95 s"
        assert seen["waiting, from planned arrival"] == "5, the longest 1,234 s"
        for smt, at in (("http://127.0.0.1:8600", STANDS["at"]), (url, "2026-08-11T17:40:00-05:00")):
            loaded(visit.console.root, smt, at=at)
            assert stations(await visit.page())["Requests at SMT"] == before
