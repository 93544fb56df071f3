"""The scorecard as a page."""

from __future__ import annotations

from pathlib import Path

import pytest

from reports.score.chart import charts
from reports.score.page import page
from reports.score.scored import Score, add_up
from tests.reports.score.days import GENERATION, SPIKE, fed, nothing, perfect, truth
from tests.simulator.web.looks import assert_fits
from tests.simulator.web.outline import assert_whole


def _page(engine: str = "perfect") -> str:
    out = perfect()
    if engine == "nothing":
        out = nothing()
    elif engine == "wrong":
        out.status[0, SPIKE, 40], out.wh[0, SPIKE, 40] = 0, 2_000
    figures = add_up([(fed(), truth(), out)], GENERATION).figures()
    return page(figures, "theirs: 5 meters", "operating day 2026-07-14")


def test_the_page_is_whole_and_needs_nothing_else() -> None:
    text = _page("wrong")
    assert_whole(text, "operating day 2026-07-14")
    for outside in ("<script", "<link", "<img", 'src="', "@import", "http:", "https:"):
        assert outside not in text
    assert text.count('role="img"') == text.count("As a table") == 4


def test_the_page_tells_targets_first_and_what_is_listed_apart() -> None:
    text = _page("nothing")
    assert text.index("targets reached.</b>") < text.index("F1 spike: 0.0000, target &gt;= 0.97") < text.index("<svg")
    assert "Below the sum check" in text
    assert "Invisible: a swap" in text
    kept = _page()
    assert "targets reached.</b>" in kept
    assert "<li>F1" not in kept


def test_a_chart_without_anything_to_show_is_left_away() -> None:
    assert charts(Score().figures()) == {}
    assert set(charts(add_up([(fed(), truth(), perfect())], GENERATION).figures())) == {"kinds", "rules", "estimates"}


@pytest.mark.process
@pytest.mark.long
def test_the_page_fits_a_phone_and_a_desk(tmp_path: Path) -> None:
    assert_fits(_page("wrong"), tmp_path)
