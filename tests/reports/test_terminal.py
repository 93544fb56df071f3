"""What commands print through, and charts that have nothing to draw."""

from __future__ import annotations

import pytest

from reports.chart_parts import png
from reports.terminal import WIDTH, Bar, console


@pytest.mark.parametrize(("columns", "terminal", "width"), [(60, "1", 60), (300, "1", WIDTH), (60, "", WIDTH)])
def test_a_page_is_as_wide_in_a_pipe_whatever_the_terminal(
    columns: int, terminal: str, width: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    if terminal:
        monkeypatch.setenv("FORCE_COLOR", "1")
    assert console().width == width


def test_a_bar_counts_what_was_not_there_before(capsys: pytest.CaptureFixture[str]) -> None:
    with Bar("cells", hidden=False) as bar:
        assert (bar.computed, bar.total) == (0, 0)
        bar.show(3, 10)
        assert bar.computed == 0
        bar.show(7, 10)
        assert (bar.computed, bar.done, bar.total) == (4, 7, 10)
        # Of ten more two were there.
        bar.show(9, 20)
        assert (bar.computed, bar.total) == (4, 20)
        bar.show(10, 20)
        assert bar.computed == 5
    assert bar.rate > 0
    # Standard error is no terminal here.
    assert capsys.readouterr() == ("", "")


def test_where_there_is_nothing_to_draw_there_is_no_chart() -> None:
    assert png(lambda: None) == b""
