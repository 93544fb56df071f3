"""The index page over many runs, and the same as a table, as Markdown, as JUnit's XML."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as Xml

import pytest

from reports.scenario.index import index_page
from reports.scenario.summary import as_junit, as_markdown, as_text, tallied
from scenarios.many import COULD_NOT_RUN, Played
from scenarios.rules.requirements import REQUIREMENTS
from simulator.verdicts import Mark, exit_code_of
from tests.simulator.web.looks import assert_fits
from tests.simulator.web.outline import assert_whole

DATED = "operating days 2026-08-12 to 2026-08-12"


def judged(ident: str, mark: Mark, *failures: str) -> dict[str, Any]:
    told = [{"what": what, "expected": "1 | one", "found": "2\x00"} for what in failures]
    return {"id": ident, "mark": mark, "happened": f"{ident} happened.", "failures": told, "lacking": []}


def played(name: str, root: Path, *found: dict[str, Any], error: str = "") -> Played:
    mark = next((one for one in Mark if any(its["mark"] == one for its in found)), Mark.NOT_EXERCISED)
    requirements = dict.fromkeys(REQUIREMENTS, Mark.NOT_EXERCISED) | {"UC-N1": mark}
    result = None if error else {"mark": mark, "steps": [], "checks": list(found), "requirements": requirements}
    code = 2 if error else exit_code_of(mark)
    return Played(name, f"Title of {name} <&>", date(2026, 8, 12), root / name, code, 0.5, 1.25, result, error)


@pytest.fixture
def runs(tmp_path: Path) -> list[Played]:
    return [
        played("good", tmp_path, judged("S1", Mark.PASSED), judged("S2", Mark.SKIPPED)),
        played("bad", tmp_path, judged("c-1", Mark.FAILED, "octets", "tries"), judged("c-2", Mark.PASSED)),
        played("odd", tmp_path, judged("own-faults", Mark.INCONCLUSIVE)),
        played("gone", tmp_path, error="out.unusable: gone: No.\nNone."),
        played("empty", tmp_path),
    ]


@pytest.mark.process
def test_the_index_has_the_worst_first_and_a_link_to_each_page(runs: list[Played], tmp_path: Path) -> None:
    page = index_page(runs, 6, tmp_path)
    links = {f"{name}/report.html" for name in ("good", "bad", "odd", "empty")}
    assert_whole(page, DATED, frozenset(links))
    names = ("gone", "bad", "odd", "good", "empty")
    places = [page.index(f"<code>{name}</code>") for name in names]
    assert places == sorted(places)
    assert "6 scenarios: 1 could not run, 1 failed, 1 inconclusive, 1 passed, 1 not exercised, 1 not played." in page
    assert_fits(page, tmp_path)


def test_the_index_filters_by_each_verdict_that_occurs(runs: list[Played], tmp_path: Path) -> None:
    page = index_page(runs, 5, tmp_path)
    for one in runs:
        key = one.verdict.replace(" ", "-")
        assert f'id="shown-{key}"' in page
        assert f'<tr class="is-{key}">' in page
        assert f"main:has(#shown-{key}:checked)" in page
    assert 'id="shown-partly"' not in page


def test_every_verdict_has_a_rule_that_filters_it(tmp_path: Path) -> None:
    page = index_page([], 0, tmp_path)
    for word in (COULD_NOT_RUN, *Mark):
        key = word.replace(" ", "-")
        assert f'main:has(#shown-{key}:checked) [class^="is-"]:not(.is-{key})' in page


def test_a_requirement_names_the_runs_by_what_they_say_of_it(runs: list[Played], tmp_path: Path) -> None:
    page = index_page(runs, 5, tmp_path)
    row = page[page.index("<b>UC-N1</b>") :].split("</tr>")[0]
    assert ">failed</span> in 1: bad" in row
    assert ">passed</span> in 1: good" in row
    assert "empty" not in row


def test_the_table_tells_the_first_failure_in_one_line(runs: list[Played]) -> None:
    head, *rows = as_text(runs).splitlines()
    assert head.split() == ["scenario", "verdict", "CPU", "s", "what", "failed"]
    assert [row.split()[0] for row in rows] == ["good", "bad", "odd", "gone", "empty"]
    assert "c-1: octets: expected 1 | one, found 2" in rows[1]
    assert rows[1].endswith("; and 1 more")
    assert rows[2].endswith("own-faults happened.")
    assert rows[3].endswith("out.unusable: gone: No. None.")


def test_no_row_of_the_table_is_endless(runs: list[Played], tmp_path: Path) -> None:
    long = played("long", tmp_path, judged("c", Mark.FAILED, "x" * 500))
    assert max(map(len, as_text([*runs, long]).splitlines())) <= 160


def test_markdown_is_a_table_whose_cells_are_whole(runs: list[Played]) -> None:
    title, _, *table = as_markdown(runs, 5).splitlines()
    assert title == f"## {tallied(runs, 5)}"
    assert len(table) == 2 + len(runs)
    assert {row.replace("\\|", "").count("|") for row in table} == {5}


def test_junit_counts_what_it_has(runs: list[Played]) -> None:
    root = Xml.fromstring(as_junit(runs))
    suites = {suite.get("name"): suite for suite in root}
    counts = {
        name: tuple(suite.get(word) for word in ("tests", "failures", "errors", "skipped"))
        for name, suite in suites.items()
    }
    assert counts == {
        "good": ("2", "0", "0", "1"),
        "bad": ("2", "1", "0", "0"),
        "odd": ("1", "0", "1", "0"),
        "gone": ("1", "0", "1", "0"),
        "empty": ("0", "0", "0", "0"),
    }
    failures = suites["bad"].findall("testcase/failure")
    assert [one.get("message") for one in failures] == [
        "octets: expected 1 | one, found 2?",
        "tries: expected 1 | one, found 2?",
    ]
    assert suites["bad"].get("time") == "1.250"
