"""The page of a market's day and its lines: figures that are the files', a page that stands alone."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from headend.market.plan import Task
from headend.market.run import run
from reports.market.page import render
from reports.market.summary import COLUMNS, lines, rows, summary
from tests.headend.market.days import MANY, asked, fleet, tasks
from tests.simulator.web.looks import assert_fits
from tests.simulator.web.outline import assert_whole


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return made(tmp_path_factory.mktemp("market"))


def made(folder: Path) -> dict[str, Any]:
    cut: list[Task] = []
    for company, count in (("ONCOR", 120), ("CENTERPOINT", 90)):
        cut += tasks(folder, fleet(count, MANY, company), 70)
    return summary(cut, run(cut, None))


@pytest.fixture(scope="module")
def page(found: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> str:
    return render(found, tmp_path_factory.mktemp("page")).read_text(encoding="utf-8")


def test_the_figures_are_those_of_the_files(found: dict[str, Any]) -> None:
    read = asked(
        "select tdsp, count(*), (sum(list_sum(delivered_wh)) / 1e6)::double,"
        " 100 * (sum(delivered_estimated) + coalesce(sum(received_estimated), 0)) / (sum(len(delivered_wh)) + coalesce(sum(len(received_wh)), 0))"
        f" from '{found['folder']}/intervals/*.parquet' group by 1"
    )
    assert {tdsp: pytest.approx(figures) for tdsp, *figures in read} == {
        tdsp: [one["meters"], one["delivered_mwh"], one["estimated_percent"]] for tdsp, one in found["tdsps"].items()
    }
    told = asked(f"select count(*) from '{found['folder']}/findings/*.parquet'")[0][0]
    assert sum(found["all"]["findings"].values()) == told
    assert found["all"]["meters"] == 210
    assert found["partitions"] == 4


def test_the_lines_have_a_row_a_company_under_its_heads(found: dict[str, Any]) -> None:
    _, head, *companies, findings = lines(found)
    assert re.split(r"\s{2,}", head.strip()) == [name for name, _, _ in COLUMNS]
    assert [re.split(r"\s{2,}", line)[0] for line in companies] == ["Oncor", "CenterPoint", "All"]
    assert [re.split(r"\s{2,}", line)[1:] for line in companies] == [cells for _, cells in rows(found)]
    assert "interval.missing" in findings


def test_the_page_answers_first_and_stands_alone(page: str, found: dict[str, Any]) -> None:
    assert_whole(page, "operating day 2026-07-15")
    assert page.index("of the intervals were read") < page.index("<svg") < page.index("<table")
    for outside in ("<script", "<link", "<img", 'src="', "@import"):
        assert outside not in page
    for one in found["tdsps"].values():
        assert one["name"] in page
        assert one["run_key"] in page
    assert all(rule in page for rule in found["all"]["findings"])


@pytest.mark.process
@pytest.mark.long
def test_the_page_fits_a_phone_and_a_desk(page: str, tmp_path: Path) -> None:
    assert_fits(page, tmp_path)


def test_a_day_without_findings_has_a_page_too(tmp_path: Path) -> None:
    cut = tasks(tmp_path, fleet(20), 20, lse=True)
    found = summary(cut, run(cut, None))
    assert found["all"]["findings"] == {}
    page = render(found, tmp_path).read_text(encoding="utf-8")
    assert "<p>Nothing.</p>" in page
    assert "1 LSE files" in page
    assert list(lines(found))[-1].startswith("1 LSE files beside")
