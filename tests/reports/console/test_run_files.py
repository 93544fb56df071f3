"""What is told of a run by its files alone: loads and studies that go on or have ended, and of which bed and day a load is."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from reports.console.bed import Bed, BedProblem, Call
from reports.console.children import LOG, said_by
from reports.console.copied import _renumbered, said_no
from reports.console.own_bed import OwnBed, _ready_at
from reports.console.runs import PROGRESS, Step, exchange_of, folders, load_of, run_of, standing_of
from simulator.errors import SimulatorError
from tests.reports.console.test_runs import STANDS, told
from tests.reports.console.visit import visiting

URL, DAY = "http://127.0.0.1:8600", "2026-08-12"
BEGUN = {"event": "begun", "kind": "load", "name": "storm", "title": "A storm", "smt": URL}
#: Before anybody was asked.
NOBODY = STANDS | {"done": 0, "asked": 0, "answered": 0, "waiting": 0, "refused": {}, "p50_s": None, "p95_s": None, "longest_s": None}  # fmt: skip
ENDED = {"event": "ended", "error": ""}


def load(root: Path, name: str, *lines: dict[str, Any], at: float) -> None:
    told(root / "loads" / name, *lines)
    os.utime(root / "loads" / name / PROGRESS, (at, at))


def test_of_a_bed_and_a_day_the_load_that_was_told_of_last_counts(tmp_path: Path) -> None:
    assert load_of(tmp_path, URL, DAY) is None
    load(tmp_path, "first", BEGUN | {"name": "first"}, STANDS | {"done": 1}, at=1e9)
    load(tmp_path, "second", BEGUN, STANDS | {"done": 2}, STANDS, ENDED, at=2e9)
    # None of these is told of that bed: no line yet, nothing reached, another's, none of a load.
    load(tmp_path, "empty", at=3e9)
    load(tmp_path, "begun", BEGUN, at=3e9)
    load(tmp_path, "other", BEGUN | {"smt": "http://127.0.0.1:9600"}, STANDS, at=3e9)
    load(tmp_path, "study", BEGUN | {"kind": "study"}, STANDS, at=3e9)
    assert load_of(tmp_path, URL, DAY) == ("storm", STANDS)
    # That one says that on another day none is played; an earlier one is not looked for.
    assert load_of(tmp_path, URL, "2026-08-13") is None


@pytest.mark.parametrize(
    ("lines", "going", "mark", "told_going", "error", "share", "reached"),
    [
        ([BEGUN], True, "", True, "", None, ""),
        ([BEGUN, STANDS], True, "", True, "", 3 / 9, "3 of 9 requests have ended"),
        # Long silent, and nobody's process: it was killed.
        ([BEGUN, STANDS], False, "", False, "", 3 / 9, "3 of 9 requests have ended"),
        ([BEGUN, STANDS, ENDED], False, "done", False, "", 3 / 9, "3 of 9 requests have ended"),
        ([BEGUN, STANDS, ENDED | {"error": "No."}], False, "", False, "No.", 3 / 9, "3 of 9 requests have ended"),
        ([BEGUN, {"event": "stopped", "error": "It was stopped."}, ENDED], False, "", False, "It was stopped.", None, ""),
    ],
)  # fmt: skip
def test_a_load_goes_on_or_came_to_an_end_or_to_an_error(
    tmp_path: Path,
    lines: list[dict[str, Any]],
    going: bool,
    mark: str,
    told_going: bool,
    error: str,
    share: float | None,
    reached: str,
) -> None:
    load(tmp_path, "mine", *lines, at=1e9)
    run = run_of("loads/mine", tmp_path / "loads" / "mine", going=going)
    assert (run.kind, run.name, run.title) == ("load", "storm", "A storm")
    assert (run.mark, run.going, run.error, run.share, run.reached) == (mark, told_going, error, share, reached)
    assert bool(run.steps) is (STANDS in lines)


def test_times_are_told_once_there_are_any() -> None:
    assert dict(standing_of(NOBODY)) == {
        "answered, from planned arrival": "0",
        "waiting, from planned arrival": "0",
        "refused": "0",
        "failed": "0",
        "given up": "0",
    }
    told = dict(standing_of(STANDS | {"failed": {"a": 2, "b": 1_000}}))
    assert (told["failed"], told["waiting, from planned arrival"]) == ("1,002", "5, the longest 1,234 s")


def test_a_study_is_told_by_its_cells_and_one_that_has_told_nothing_yet_by_its_folder(tmp_path: Path) -> None:
    told(tmp_path / "studies" / "whatif-1")
    told(tmp_path / "mine", {"event": "begun", "name": "n", "title": "T"}, {"event": "reached", "done": 2, "of": 8})
    told(tmp_path / "empty", {"event": "begun", "name": "n", "title": "T"}, {"event": "reached", "done": 0, "of": 0})
    fresh, half, empty = (run_of("", tmp_path / one, going=True) for one in ("studies/whatif-1", "mine", "empty"))
    assert (fresh.kind, fresh.name, fresh.share, fresh.reached) == ("study", "whatif-1", None, "")
    assert (half.kind, half.title, half.share, half.reached) == ("study", "T", 0.25, "2 of 8 cells")
    assert (empty.kind, empty.share, empty.reached) == ("study", None, "")
    (tmp_path / "mine" / "outcome.json").write_text('{"study": {"name": "own", "question": "Why?"}}')
    over = run_of("", tmp_path / "mine", going=False)
    assert (over.name, over.title, over.mark, over.share) == ("own", "T", "done", 0.25)


def test_a_verdicts_steps_name_their_call_and_what_was_not_so(tmp_path: Path) -> None:
    (tmp_path / "result.json").write_text(
        '{"scenario": {"name": "n", "title": "T"}, "mark": "failed",'
        ' "steps": [{"id": "S1", "call": "c", "mark": "failed", "happened": "It was.", "exchanges": [3],'
        ' "failures": [{"what": "gap", "expected": "1", "found": "2"}]}],'
        ' "checks": [{"id": "C", "mark": "passed", "happened": "So.", "failures": []}]}'
    )
    run = run_of("", tmp_path, going=False)
    assert run.steps == (
        Step("S1 of c", "failed", "It was.", failures=("gap: expected 1, found 2",), exchanges=(3,)),
        Step("C", "passed", "So."),
    )
    assert (run.mark, run.share, run.page) == ("failed", 1.0, None)
    assert exchange_of(tmp_path, 1) is None


def test_runs_are_looked_for_three_folders_deep_and_behind_no_link_or_dot(tmp_path: Path) -> None:
    for path in ("a/b/c", "a/b/c2/d", ".hidden", "a/x"):
        told(tmp_path / path)
    # What lies in a run's own folder is part of it.
    told(tmp_path / "a" / "x" / "inside")
    (tmp_path / "link").symlink_to(tmp_path / "a")
    assert sorted(folders(tmp_path)) == ["a/b/c", "a/x"]
    assert sorted(folders(tmp_path / "a" / "x")) == ["."]
    assert folders(tmp_path / "nowhere") == {}


def test_a_process_that_has_said_nothing_has_no_address_yet(tmp_path: Path) -> None:
    assert (said_by(tmp_path), _ready_at(tmp_path)) == ("", "")
    (tmp_path / LOG).write_text('Starting.\n{"event": "ready", "smt_url": "http://127.0.0.1:1"}\nOn.\n')
    assert _ready_at(tmp_path) == "http://127.0.0.1:1"
    assert said_by(tmp_path, 4) == "On.\n"


async def test_a_usual_bed_that_is_none_is_none_and_whatever_else_is_wrong_with_it_is_told(tmp_path: Path) -> None:
    codes = iter(["console.no_bed", "keys.unreadable"])

    async def connect(url: str) -> Bed:
        raise SimulatorError(next(codes), "A fault.", url)

    own = OwnBed(URL, tmp_path, connect)
    assert await own.found() is None
    with pytest.raises(SimulatorError, match=r"keys\.unreadable"):
        await own.found()
    with pytest.raises(BedProblem) as refused:
        await own.begin("lunar", "")
    assert (refused.value.status, refused.value.problem.code) == (400, "clock")
    assert (own.running, own.ended, own.said) == (False, False, "")


def call(method: str, path: str, told: Any) -> Call:
    return Call(1, f"{DAY}T12:00:00-05:00", method, path, None, 200, told, "")


def test_what_was_switched_off_is_what_was_switched_on_here_and_anything_else_is_left() -> None:
    faults, complaints = "/control/faults", "/control/complaints"
    calls = [
        call("POST", faults, {"id": "fault-7"}),
        call("POST", complaints, {"id": "complaint-3"}),
        call("POST", faults, {"id": "fault-9"}),
        call("DELETE", f"{faults}/fault-9", {}),
        call("DELETE", f"{faults}/fault-2", {}),
        call("DELETE", f"{complaints}/complaint-3", {}),
    ]
    found, left = _renumbered(calls)
    assert [one.path for one in found] == [faults, complaints, faults, f"{faults}/fault-2", f"{complaints}/complaint-1"]
    assert left == ["fault-2 was switched off, which was on before: it is not carried."]
    assert [said_no(call("POST", "/v2/odr/", one)) for one in ({"errorCode": "AC1"}, {}, None)] == [True, False, False]


async def test_a_run_without_a_page_says_so_and_one_that_is_nobodys_process_is_not_ended(tmp_path: Path) -> None:
    async with visiting(tmp_path) as visit:
        told(visit.console.root / "loads" / "mine", BEGUN, STANDS)
        page = await visit.get("runs/loads/mine/report")
        assert page.status_code == 404
        assert "console.no_report" in page.text
        stopped = await visit.post("runs/loads/mine/stop")
        assert (stopped.status_code, stopped.headers["location"]) == (303, "/console/runs/loads/mine")
        assert "It goes on" in await visit.page("runs/loads/mine")
