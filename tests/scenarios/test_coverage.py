"""The registry is the union of the tables, nothing in it goes without a showing or a reason, and what names its ids names some that are there."""

from __future__ import annotations

import ast
import csv
import io
import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from scenarios.coverage import HEAD, Covered, as_csv, cited, coverage
from scenarios.errors import ScenarioError
from scenarios.file.lint import lint
from scenarios.file.schema import Scenario
from scenarios.rules.codes import rules
from scenarios.rules.registry import REGISTRY
from scenarios.rules.requirements import REQUIREMENTS
from simulator.verdicts import Mark
from tests.scenarios.shipped import FILES, shipped
from tests.scenarios.short import short_balance
from tests.simulator.processes import ran
from tests.test_rooms import ROOT


@pytest.fixture(scope="module")
def every() -> list[Scenario]:
    return [one for name in FILES for one in shipped(name)]


@pytest.fixture(scope="module")
def found(every: list[Scenario]) -> dict[str, Covered]:
    return {one.row.id: one for one in coverage(every)}


def test_the_registry_has_every_rule_once_and_the_use_case_first() -> None:
    assert list(REGISTRY) == list(dict.fromkeys(one.code for table in rules().values() for one in table))
    assert list(REGISTRY)[: len(REQUIREMENTS)] == list(REQUIREMENTS)
    assert all(one.source and one.conformance and one.text for one in REGISTRY.values())
    assert {one.actor for one in REQUIREMENTS.values()} == {"Customer", "ROR", "SMT", "TDSP"}


def test_what_two_tables_tell_has_both_sources() -> None:
    assert REGISTRY["AC1"].source == "use case 2; simulator/smt/errors.csv"
    assert REGISTRY["AC1"].conformance == "shall"


def test_every_requirement_is_shown_or_has_its_reason(found: dict[str, Covered]) -> None:
    assert [ident for ident, one in found.items() if one.missing] == []


def test_a_test_that_stands_in_is_there_and_speaks_of_the_id() -> None:
    for row in REGISTRY.values():
        assert bool(row.tests) <= bool(row.why_not), row.id
        for test in row.tests:
            file, _, name = test.partition("::")
            text = (ROOT / file).read_text(encoding="utf-8")
            if name:
                functions = [
                    one for one in ast.walk(ast.parse(text)) if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef)
                ]
                assert name in {one.name for one in functions}, test
            else:
                assert re.search(rf"(?<![\w.-]){re.escape(row.id)}(?![\w-])", text), (row.id, file)


def test_an_answered_call_bears_on_what_its_steps_show_and_a_refused_one_on_less(every: list[Scenario]) -> None:
    balance = next(one for one in every if one.name == "customer-balance-inquiry")
    assert {"S7", "A1", "AC3", "AC4", "UC-N5", "AMB-5", "AMB-10", "AMB-12", "AC2"} <= cited(balance)
    refused = balance.model_copy(update={"timeline": [one for one in balance.timeline if one.ref == "call-0002"]})
    assert "S3" in cited(refused)
    assert not {"S4", "AMB-5", "AMB-12"} & cited(refused)


def test_a_scenario_may_cite_any_id_of_the_registry_and_no_other(tmp_path: Path) -> None:
    written = short_balance()
    unknown = {"AMB-13": "There is no requirement 'AMB-13'.", ("S1",): "A list is not text."}
    for ident in ("AMB-9", "interval.spike", "NO-GAP", *unknown):
        written["timeline"][0]["verifies"] = [ident if isinstance(ident, str) else [*ident]]
        path = tmp_path / "one.yaml"
        path.write_text(yaml.safe_dump(written), encoding="utf-8")
        scenario, mistakes = lint(path)
        assert bool(scenario) is (ident not in unknown), mistakes
        assert [one.message for one in mistakes] == ([unknown[ident]] if ident in unknown else [])


def test_mutants_and_runs_are_read(every: list[Scenario], tmp_path: Path) -> None:
    (tmp_path / "mine.csv").write_text("id,bends\ntwo-reads,FR-CR016.1b AMB-2\nother,\n", encoding="utf-8")
    for name, mark in (("a", "passed"), ("b", "failed")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "result.json").write_text(json.dumps({"requirements": {"S1": mark}}), encoding="utf-8")
    by_id = {one.row.id: one for one in coverage(every, tmp_path, tmp_path)}
    assert by_id["AMB-2"].fails_by == by_id["FR-CR016.1b"].fails_by == ("two-reads",)
    assert (by_id["S1"].state, by_id["S2"].state) == (Mark.FAILED, Mark.NOT_EXERCISED)
    rows = list(csv.reader(io.StringIO(as_csv(by_id.values()))))
    assert rows[0] == list(HEAD)
    assert len(rows) == 1 + len(REGISTRY)
    assert {len(row) for row in rows} == {len(HEAD)}


def _bends_no_id(folder: Path) -> None:
    (folder / "mine.csv").write_text("id,bends\nx,AMB-99\n", encoding="utf-8")


def _result(text: str) -> Callable[[Path], None]:
    def write(folder: Path) -> None:
        (folder / "result.json").write_text(text, encoding="utf-8")

    return write


@pytest.mark.parametrize(
    ("write", "code"),
    [
        (lambda _: None, "coverage.nothing_there"),
        (_bends_no_id, "coverage.bends.unknown"),
        (_result("{"), "coverage.result"),
        (_result("[]"), "coverage.result"),
        (_result('{"requirements": {"S1": "well"}}'), "coverage.result"),
    ],
)
def test_what_cannot_be_read_is_told_with_its_place(write: Callable[[Path], None], code: str, tmp_path: Path) -> None:
    write(tmp_path)
    option = {"runs": tmp_path} if code == "coverage.result" else {"mutants": tmp_path}
    with pytest.raises(ScenarioError) as told:
        coverage([], **option)
    assert told.value.code == code
    assert told.value.place.startswith(str(tmp_path))


def test_the_command_tells_what_is_missing_alone_and_writes_its_tables(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page, table = tmp_path / "a" / "c.html", tmp_path / "c.csv"
    assert ran("scenario", "coverage", "--check", "--csv", str(table), "--html", str(page)) == 0
    assert capsys.readouterr().out.endswith(" 0 by nothing.\n")
    assert table.read_text(encoding="utf-8").count("\n") >= len(REGISTRY)
    assert all(f"<b>{ident}</b>" in page.read_text(encoding="utf-8") for ident in REGISTRY)
    assert ran("scenario", "coverage", "blocked-at-www", "--check") == 1
    told = capsys.readouterr().out
    assert "NOTHING shows it" in told
    assert re.search(r"^UC-N5 ", told, re.MULTILINE)
