"""Every code is explained, from the tables that act and from where errors are raised."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path

import pytest

from scenarios.errors import ScenarioError
from scenarios.rules.codes import explained, tabled
from scenarios.rules.raised import raised
from simulator.verdicts import MEANS, Mark
from tests.simulator.processes import ran
from tests.test_rooms import ROOT, modules


def errors_with_code() -> dict[str, str]:
    """Codes that stand first in the call of a class whose name ends in Error, and the files: by a reading of its own."""
    found = {}
    for path in modules().values():
        text = path.read_text(encoding="utf-8")
        for node in ast.walk(ast.parse(text)) if "Error(" in text else ():
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Name)
                and node.func.id.endswith("Error")
                and node.args
                and isinstance(node.args[0], ast.Constant)
                and re.fullmatch(r"[a-z_]+(\.[a-z_]+)+", str(node.args[0].value))
            ):
                found[str(node.args[0].value)] = path.relative_to(ROOT).as_posix()
    return found


def test_nine_of_ten_errors_are_told_in_their_own_sentence() -> None:
    codes = errors_with_code()
    assert len(codes) > 100
    told = {code for code, file in codes.items() if file in {one.file for one in raised(code)}}
    # Of the others the sentence is put together elsewhere.
    assert len(told) >= 0.9 * len(codes), sorted(set(codes) - told)


@pytest.mark.parametrize(
    ("code", "kinds"),
    [
        ("AC1", ["requirement (shall)", "error of SMT's (business, HTTP 200)"]),
        ("FR-CR016.1b", ["requirement (shall)", "refusal of the throttle"]),
        ("5031", ["refusal of the throttle", "refusal while a complaint is on"]),
        ("METER-NOT-ALLOWED", ["rule that the head-end is held to"]),
        ("interval.spike", ["VEE rule, estimate"]),
        ("F2", ["result code of an LSE file", "LSE fault in 'file'"]),
        ("no_call", ["error of SMT's (gateway, HTTP 404)"]),
        ("stale_read", ["complaint of SMT's users, /api/usage/latestodrread"]),
        ("rollover", ["fault of a meter"]),
        ("vacation", ["look-alike of a fault"]),
        ("not exercised", ["what a verdict can be"]),
        ("scenario.world", ["error"]),
        ("scenario.unknown", ["error"]),
        ("control.clock.running", ["error"]),
        ("vee.preset.invalid", ["error"]),
    ],
)
def test_a_code_of_each_table_is_explained(code: str, kinds: list[str]) -> None:
    found = [one.kind for one in explained(code)]
    assert all(any(its.startswith(kind) for its in found) for kind in kinds), found
    assert all(one.means and one.where for one in explained(code))


def test_constants_of_one_name_in_two_files_are_kept_apart() -> None:
    files = {one.file for one in raised("recording.malformed")}
    assert files
    assert all(file == "scenarios/recording.py" for file in files)


def test_every_code_of_a_table_is_known_by_itself() -> None:
    assert [one for one in tabled() if one not in explained(one.code)] == []


def test_case_does_not_matter_and_a_near_miss_is_told() -> None:
    assert explained("fr-cr016.1B") == explained("FR-CR016.1b")
    with pytest.raises(ScenarioError, match=r"Did you mean FR-CR016\.1b"):
        explained("FR-CR0161b")
    with pytest.raises(ScenarioError, match="Write it as it was told"):
        explained("?")


def test_the_page_says_of_each_mark_what_the_table_says() -> None:
    page = (Path(ROOT) / "docs" / "scenarios.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| ([a-z ]+) \| ([^|]+) \| \d", page, re.MULTILINE))
    assert set(rows) == set(Mark)
    assert set(MEANS) == set(Mark)


def test_explain_tells_as_text_and_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert ran("scenario", "explain", "F1") == 0
    assert "F1: result code of an LSE file" in capsys.readouterr().out
    assert ran("scenario", "explain", "F1", "--json") == 0
    assert {"code", "kind", "where", "means", "mend"} == set(json.loads(capsys.readouterr().out)[0])
    assert ran("scenario", "explain", "F9") == 2
    assert capsys.readouterr().err.startswith("code.unknown: ")
