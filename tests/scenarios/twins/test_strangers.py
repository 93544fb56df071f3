"""Every stranger is one file of the standard library, and each of its faults names what it fails."""

from __future__ import annotations

import ast
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from scenarios import twins
from scenarios.certify.strangers import command
from scenarios.errors import ScenarioError
from scenarios.rules.registry import REGISTRY

FOLDER = Path(twins.__path__[0])
STRANGERS = sorted(path.stem for path in FOLDER.glob("*.py") if path.stem != "__init__")
#: Those whose rows say what they fail; the head-end's are rules themselves.
TOLD = [stem for stem in STRANGERS if stem != "headend"]


def faults(stem: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((FOLDER / f"{stem}_faults.json").read_text("utf-8"))
    return found


@pytest.mark.parametrize("stem", STRANGERS)
def test_a_stranger_is_300_lines_of_the_standard_library_at_most(stem: str) -> None:
    text = (FOLDER / f"{stem}.py").read_text("utf-8")
    imported = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            imported |= {one.name.partition(".")[0] for one in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported.add(str(node.module).partition(".")[0])
    assert imported <= sys.stdlib_module_names
    assert len(text.splitlines()) <= 300


@pytest.mark.parametrize("stem", TOLD)
def test_a_stranger_has_15_faults_or_more_and_each_names_ids_of_the_registry(stem: str) -> None:
    table = faults(stem)
    assert len(table) >= 15
    for row in table.values():
        assert row["what"]
        assert row["fails"]
        assert set(row["fails"]) <= set(REGISTRY)
        assert row["fault"]
        assert row.get("near") != row["fault"]


def test_what_can_be_started_is_what_has_a_statement_and_the_rest_is_told() -> None:
    started = {path.stem for path in FOLDER.glob("*.yaml")}
    assert started == {"headend", "meter", "ror", "smt"}
    assert all(command(role, "", 8610, [])[2] == str(FOLDER / f"{role}.py") for role in started)
    for role, said in (
        ("bills", "bills is a part of a stranger's system, and takes no place by itself."),
        ("nobody", "There is no stranger's nobody."),
    ):
        with pytest.raises(ScenarioError) as told:
            command(role, "", 8610, [])
        assert (told.value.code, told.value.message) == ("certify.twin", said)
        assert told.value.mend == "Choose one of: headend, meter, ror, smt."
