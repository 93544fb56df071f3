"""What the forms of studies make of their fields: words of a command, each a value of its option."""

from __future__ import annotations

from pathlib import Path

import pytest

from reports.console.bed import BedProblem
from reports.console.runs import PROGRESS
from reports.console.studies import begun_of
from scenarios.file.shipped import STUDIES
from tests.reports.console.visit import visiting


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        (
            {"do": "whatif", "policy": "store-only, fr-cr016-1", "fleet": " 20k ", "storm": "", "post-at": "15:00"},
            ["--fleet=20k", "--post-at=15:00", "--policy=store-only", "--policy=fr-cr016-1", "--"],
        ),
        ({"do": "whatif", "fleet": "--csv=/etc/x", "assume": "--out=y"}, ["--fleet=--csv=/etc/x", "--assume=--out=y", "--"]),
        ({"do": "compare", "workloads": "ordinary-day --csv=x", "replications": "2"}, ["--replications=2", "--", "ordinary-day", "--csv=x"]),
    ],
)  # fmt: skip
def test_what_is_written_is_a_value_and_never_an_option(
    tmp_path: Path, fields: dict[str, str], words: list[str]
) -> None:
    begun = begun_of(tmp_path, fields)
    its = [f"--out={begun.out}", "--workers=1", f"--progress={begun.out / PROGRESS}"]
    assert begun.words == ["capacity", fields["do"], *its, *words]
    assert begun.out == tmp_path / "studies" / f"{fields['do']}-1"


def test_a_curve_of_calls_is_a_file_of_the_study(tmp_path: Path) -> None:
    begun = begun_of(tmp_path, {"do": "whatif", "calls": " hour,class,calls\r\n17,customer,9 \r\n"})
    assert begun.files == {"calls.csv": "hour,class,calls\n17,customer,9\n"}
    assert f"--calls={begun.out / 'calls.csv'}" in begun.words
    assert begun_of(tmp_path, {"do": "whatif", "calls": " \r\n"}).files == {}


def test_each_run_has_a_folder_of_its_own_but_that_of_a_shipped_study_goes_on(tmp_path: Path) -> None:
    begun_of(tmp_path, {"do": "compare"}).out.mkdir(parents=True)
    assert begun_of(tmp_path, {"do": "compare"}).out.name == "compare-2"
    name = next(iter(STUDIES.files()))
    first = begun_of(tmp_path, {"name": name})
    first.out.mkdir()
    assert begun_of(tmp_path, {"name": name}) == first
    with pytest.raises(BedProblem):
        begun_of(tmp_path, {"name": "../x"})


async def test_what_a_study_without_a_page_told_stands_at_its_address(tmp_path: Path) -> None:
    out = tmp_path / "studies" / "whatif-1"
    out.mkdir(parents=True)
    (out / PROGRESS).write_text('{"event": "begun", "name": "what-if", "title": "An ordinary weekday"}\n', "utf-8")
    (out / "outcome.json").write_text('{"study": {"name": "what-if", "question": "Any?"}}', "utf-8")
    (out / "console.log").write_text("Refused, requests a day:\n  <b>207</b>\n", "utf-8")
    async with visiting(tmp_path) as visit:
        page = (await visit.get("runs/studies/whatif-1")).text
        assert "Refused, requests a day:\n  &lt;b&gt;207&lt;/b&gt;" in page
        assert "An ordinary weekday" in page
        listed = await visit.page("studies")
        assert 'href="/console/runs/studies/whatif-1"' in listed
        assert {"See what if", "Compare"} <= set(listed.replace("<", ">").split(">"))
