"""Many scenarios: each judged, told as a row, the same whoever plays it."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from reports.scenario.page import render_run
from scenarios.file.schema import Scenario
from scenarios.many import COULD_NOT_RUN, Played, play, play_all, set_aside, size
from simulator.parties.sandbox import Sandbox
from tests.scenarios.short import scenario, short_last_bill

#: The page tells when it was run besides.
FILES = ("recording.json", "result.json")


def three() -> list[Scenario]:
    """One that passes, one that fails, one more that passes."""
    bad = short_last_bill()
    bad["timeline"][0]["expect"] = {"outcome": "answered"}
    return [scenario(short_last_bill()), scenario(bad | {"name": "wrong"}), scenario(short_last_bill() | {"name": "b"})]


def in_folders(root: Path) -> list[tuple[Scenario, Path]]:
    return [(one, root / one.name) for one in three()]


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Played]]:
    # Or nobody would find what the first of them leaves.
    set_aside()
    with closing(play_all(in_folders(tmp_path_factory.mktemp("alone")), render_run, 1)) as played:
        yield list(played)


def test_nothing_is_left_of_a_world_that_was_played(alone: list[Played]) -> None:
    assert len(alone) == 3
    assert not any(isinstance(one, Sandbox) for one in gc.get_objects())


def test_each_has_its_verdict_exit_code_and_reason(alone: list[Played]) -> None:
    assert [(one.name, one.verdict, one.code) for one in alone] == [
        ("short-last-bill", "passed", 0),
        ("wrong", "failed", 1),
        ("b", "passed", 0),
    ]
    assert alone[1].why.startswith("S2: the retailer decides that more is needed: expected True, found False; and ")
    assert (alone[0].why, alone[0].error) == ("", "")
    assert all(one.cpu_s > 0 for one in alone)


@pytest.mark.long
@pytest.mark.process
def test_two_processes_leave_the_same_bytes_as_one(alone: list[Played], tmp_path: Path) -> None:
    with closing(play_all(in_folders(tmp_path), render_run, 2)) as played:
        by_name = {one.name: one for one in played}
    for one in alone:
        other = by_name[one.name]
        assert (other.result, other.code, other.why) == (one.result, one.code, one.why)
        for file in FILES:
            assert (other.out / file).read_bytes() == (one.out / file).read_bytes()


def test_one_that_cannot_run_says_so_and_the_others_have_their_say(tmp_path: Path) -> None:
    (tmp_path / "short-last-bill").write_text("a file", encoding="utf-8")
    with closing(play_all(in_folders(tmp_path)[:2], render_run, 1)) as played:
        first, second = played
    assert (first.verdict, first.code, first.judged) == (COULD_NOT_RUN, 2, [])
    assert first.why.startswith("out.unusable: ")
    assert second.verdict == "failed"


def test_a_page_that_cannot_be_made_is_told_as_an_error(tmp_path: Path) -> None:
    from scenarios.errors import ScenarioError

    def no_page(*_: object) -> None:
        raise ScenarioError("out.unusable", "No.")

    told = play(three()[0], tmp_path, no_page)
    assert (told.verdict, told.why) == (COULD_NOT_RUN, "out.unusable: No.")


def test_what_has_more_meters_and_days_is_larger() -> None:
    one = three()[0]
    world = one.world.model_copy(update={"meters": 40})
    assert size(one.model_copy(update={"world": world})) > size(one) > 0
