"""The wires as OpenAPI with examples: the pages in ``docs/openapi`` are what the services say of themselves."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.simulator.openapi_pages import FOLDER, pages


@pytest.fixture(scope="module")
def served() -> dict[str, str]:
    return pages()


@pytest.mark.parametrize("name", ["smt.json", "headend.json"])
def test_the_pages_are_what_the_services_say_of_themselves(served: dict[str, str], name: str) -> None:
    assert (FOLDER / name).read_text(encoding="utf-8") == served[name], "run 'make openapi'"


def examples(page: dict[str, Any], path: str) -> bool:
    """Whether a path's request has an example, of the whole body or of the fields of its schema."""
    content = page["paths"][path]["post"]["requestBody"]["content"]["application/json"]
    if content.get("examples") or content.get("example"):
        return True
    schema = content["schema"]
    if "$ref" in schema:
        schema = page["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
    return bool(schema.get("examples")) or any(one.get("examples") for one in schema["properties"].values())


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("smt.json", "/v2/odr/"),
        ("smt.json", "/v2/odrstatus/"),
        ("smt.json", "/v2/powerstatus/"),
        ("smt.json", "/callbacks/inquiries"),
        ("headend.json", "/inquiries"),
    ],
)
def test_every_wire_of_ours_has_an_example(served: dict[str, str], name: str, path: str) -> None:
    assert examples(json.loads(served[name]), path)
