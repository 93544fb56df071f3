"""What an OpenAPI document tells of replies, what its fields mean, and its examples: exchanges that were captured from running services, kept as JSON beside what they are examples of."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

#: By status: what a call may be answered, as FastAPI's ``responses`` takes it.
Replies = dict[int | str, dict[str, Any]]


def documented(description: str, model: Any) -> dict[str, Any]:
    """A reply of which the route itself does not tell."""
    return {"description": description, "model": model}


def put_examples(document: dict[str, Any], files: Iterable[Path]) -> None:
    """Put captured exchanges into a document. A file has them by operation, ``POST /v2/odr/``, and each by a name of its own.

    ``asked`` says what a request shows, ``told`` what a reply does; without it that side is not shown. What stands under a path with a ``*`` is
    for every operation that it fits, where that has no example of its own for the same status.
    """
    for file in files:
        kept = json.loads(file.read_text(encoding="utf-8"))
        for place in sorted(kept, key=lambda one: "*" in one):
            method, pattern = place.split(" ")
            for path, operations in document["paths"].items():
                if method.lower() in operations and fnmatchcase(path, pattern):
                    _put(operations[method.lower()], kept[place].items(), others="*" in pattern)


def put_meanings(document: dict[str, Any], file: Path) -> None:
    """Say of each field that says nothing of itself what a CSV table has of it (``field``, ``meaning``): of its schema's, ``Schema.field``, or of any of that name."""
    with file.open(encoding="utf-8", newline="") as lines:
        meanings = {row["field"]: row["meaning"] for row in csv.DictReader(lines)}
    for schema, shape in document.get("components", {}).get("schemas", {}).items():
        for field, described in shape.get("properties", {}).items():
            meaning = meanings.get(f"{schema}.{field}") or meanings.get(field)
            if meaning and not described.get("description"):
                described["description"] = meaning


def _put(operation: dict[str, Any], exchanges: Iterable[tuple[str, dict[str, Any]]], *, others: bool) -> None:
    replies = operation["responses"]
    have = {status for status, reply in replies.items() if others and _shown(reply)}
    for name, exchange in exchanges:
        if "asked" in exchange:
            content = operation["requestBody"]["content"]["application/json"]
            content.setdefault("examples", {})[name] = {"summary": exchange["asked"], "value": exchange["request"]}
        status = str(exchange["status"])
        if "told" in exchange and status in replies.keys() - have:
            content = replies[status]["content"][exchange.get("media", "application/json")]
            content.setdefault("examples", {})[name] = {"summary": exchange["told"], "value": exchange["reply"]}


def _shown(reply: dict[str, Any]) -> bool:
    return any("examples" in content for content in reply.get("content", {}).values())
