"""Keys of JSON are spelled by one table, in what services tell and in what commands print and write."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from headend.http.exchange import Exchange
from scenarios.run import JudgedRun
from tests.simulator.openapi_pages import FOLDER
from tests.simulator.processes import ran
from tests.spelling import misspelled, table

SERVICES = ("smt", "headend", "ror")


def document(service: str) -> dict[str, Any]:
    read: dict[str, Any] = json.loads((FOLDER / f"{service}.json").read_text("utf-8"))
    return read


def told(openapi: dict[str, Any], node: Any, seen: set[str]) -> Iterator[Any]:
    """What a path says of bodies: an object per schema with its fields, and every example."""
    if isinstance(node, list):
        for one in node:
            yield from told(openapi, one, seen)
    elif isinstance(node, dict):
        if isinstance(node.get("properties"), dict):
            yield dict.fromkeys(node["properties"])
        if node.get("in") == "query":
            yield {node["name"]: None}
        if "examples" in node:
            given = node["examples"]
            yield [one["value"] for one in given.values()] if isinstance(given, dict) else given
        name = str(node.get("$ref", "")).rpartition("/")[2]
        if name and name not in seen:
            seen.add(name)
            yield from told(openapi, openapi["components"]["schemas"][name], seen)
        for key, one in node.items():
            if key != "examples":
                yield from told(openapi, one, seen)


@pytest.mark.parametrize("service", SERVICES)
def test_every_path_has_its_form_and_every_body_keeps_it(service: str) -> None:
    openapi = document(service)
    for path, operations in openapi["paths"].items():
        found = list(told(openapi, operations, set()))
        assert found
        assert misspelled(f"/{path.split('/')[1]}", found) == set(), path


def test_what_a_run_writes_is_spelled_alike(balance_run: JudgedRun) -> None:
    files = {file.name: json.loads(file.read_text("utf-8")) for file in balance_run.out.glob("*.json")}
    assert {"recording.json", "result.json", "run.json", "faults.json", "lookalikes.json"} == set(files)
    assert [(name, wrong) for name, content in files.items() if (wrong := misspelled(name, content))] == []
    # Where the parties were is what a sandbox prints when it is ready.
    assert misspelled("ready line", files["run.json"]["addresses"]) == set()


@pytest.mark.parametrize(
    "words",
    [
        "meters list --count 2",
        "meters list --special",
        "meters show 10443729924385485 --date 2026-08-12",
        "scenario list",
        "scenario lint customer-balance-inquiry",
        "capacity list",
    ],
)
def test_what_a_command_prints_is_spelled_alike(words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert ran(*words.split(), "--json") == 0
    assert misspelled("--json", json.loads(capsys.readouterr().out)) == set()


def test_a_log_line_is_spelled_as_a_file() -> None:
    assert misspelled("--log", Exchange().facts()) == set()


def test_no_row_of_the_table_is_of_nothing() -> None:
    paths = {f"/{path.split('/')[1]}" for service in SERVICES for path in document(service)["paths"]}
    assert {name for name in table() if name.startswith("/")} == paths
