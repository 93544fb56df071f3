"""The report of a load study: the answer first, every section from the outcome, nothing from elsewhere, and readable on a phone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from reports.capacity.page import jain, levels, render
from simulator.capacity.outcome import Outcome
from simulator.verdicts import Mark
from tests.cases import few
from tests.reports.capacity.outcomes import asked, outcome, whole
from tests.reports.capacity.study_page import by_retailer
from tests.simulator.web.looks import assert_fits
from tests.simulator.web.outline import assert_whole

PICTURES = ("knees", "pareto", "refused", "tornado", "use")


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return render(whole(), tmp_path_factory.mktemp("page"))


@pytest.fixture(scope="module")
def page(file: Path) -> str:
    return file.read_text(encoding="utf-8")


def test_the_page_answers_first(page: str) -> None:
    sections = ("answer", "front", "rule", "use", "refused", "assumptions", "knees", "theory", "policies")
    places = [
        page.index(one)
        for one in (
            "<h1>Which throttle?",
            "Over 2 workloads the least regret",
            *(f'<h2 id="{one}"' for one in sections),
        )
    ]
    assert places == sorted(places)
    assert places[1] < page.index("<table") < page.index("<svg")


def test_the_page_is_whole_and_stands_alone(page: str) -> None:
    assert_whole(page, "operating day 2026-08-12")
    for outside in ("<script", "<link", "<img", "<image", 'src="', "@import"):
        assert outside not in page


@pytest.mark.process
@pytest.mark.long
def test_the_page_fits_a_phone_and_a_desk(page: str, tmp_path: Path) -> None:
    assert_fits(page, tmp_path)


def test_pictures_and_cells_lie_beside_the_page(file: Path) -> None:
    assert sorted(one.stem for one in file.parent.glob("*.png")) == list(PICTURES)
    assert all(one.read_bytes().startswith(b"\x89PNG") for one in file.parent.glob("*.png"))
    assert file.with_name("cells.csv").read_text(encoding="utf-8").startswith("workload,policy,")


def bare() -> Outcome:
    return outcome({"store-only": [(0.5, 0.3, 1000)]})


@pytest.mark.parametrize("made", few(1, {"bare": bare, "whole": whole}))
def test_the_page_is_the_same_twice_and_from_the_folder(made: Callable[[], Outcome], tmp_path: Path) -> None:
    made().save(tmp_path)
    page, again = render(made(), tmp_path / "page"), render(tmp_path, tmp_path / "again")
    assert again.read_text(encoding="utf-8") == page.read_text(encoding="utf-8")


def test_figures_stand_with_regret_and_what_cannot_be_told_apart(page: str) -> None:
    assert '<b class="yes">0.0</b>' in page
    assert "50.3 =<br>" in page
    assert "M/D/1: Poisson arrivals" in page
    assert "300 %" in page
    assert "15,000" in page


def test_what_was_not_played_has_no_section(tmp_path: Path) -> None:
    page = render(bare(), tmp_path).read_text(encoding="utf-8")
    for section in ("rule", "use", "assumptions", "knees", "theory"):
        assert f'id="{section}"' not in page
    assert_whole(page, "operating day 2026-08-12")
    assert sorted(one.stem for one in tmp_path.glob("*.png")) == ["pareto"]


def test_a_workload_without_call_centres_has_no_regret(tmp_path: Path) -> None:
    nobody = outcome({"smt-today": [(float("nan"), float("nan"), 10)], "store-only": [(float("nan"), float("nan"), 0)]})
    assert "no policy, for a workload has no call centre" in render(nobody, tmp_path).read_text(encoding="utf-8")


def test_what_a_study_names_is_escaped(tmp_path: Path) -> None:
    odd = outcome({"a": [(float("nan"), 0.3, 10)]}, study={"name": "odd", "question": "<b>Who?</b>", "levels": []})
    assert "<b>Who?" not in render(odd, tmp_path).read_text(encoding="utf-8")


def test_levels_are_told_by_what_they_come_to() -> None:
    by = {"a": [(0.6, 0.3, 10), (0.3, 0.3, 10)], "b": [(0.6, 0.3, 10), (0.6, 0.3, 10)]}
    assert list(levels(outcome(by))) == [("told_in_call>=0.45", [(Mark.PASSED, ["day-0"]), (Mark.PARTLY, ["day-1"])])]


@pytest.mark.parametrize(
    ("shares", "index"), [((0.5, 0.5), 1.0), ((1.0, 0.0), 0.5), ((0.9, 0.3), 0.8), ((0.0, 0.0), None)]
)
def test_fairness_is_jains_index_over_retailers(shares: tuple[float, float], index: float | None) -> None:
    made = outcome({"a": [(0.5, 0.3, 10)]}, first={"asked": asked(["a"], ["day-0"], shares)})
    assert jain(made, "day-0", "a") == (None if index is None else pytest.approx(index))
    assert jain(replace(made, first={}), "day-0", "a") is None


def test_an_outcome_that_was_kept_without_hours_has_all_but_who_is_refused_when(tmp_path: Path) -> None:
    told = whole()
    kept = replace(told, first={**told.first, "asked": by_retailer(told.first["asked"])})
    page = render(kept, tmp_path).read_text(encoding="utf-8")
    assert_whole(page, "operating day 2026-08-12")
    assert "Hour of the clock" not in page
    assert not (tmp_path / "refused.png").exists()
    assert 'id="refused"' in page
