"""The page under ``/docs`` of both services: each operation with fields, examples and replies, made from the OpenAPI document.

It is one page that asks nothing of any other host, so it is there on a bench without internet. The frame around it is handed in: it is the simulator's.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup, escape

_JSON = "application/json"
#: What is said of a field that must be there, and of one that need not: in requests, in replies.
_ASKED, _TOLD = ("required", "optional"), ("always", "if any")


#: So many calls that were looked for stand open.
_FEW = 3


@dataclass(frozen=True, slots=True)
class Frame:
    """What a page of a service is put into, handed by whoever builds the service."""

    #: Makes the whole page of its title, the line below it, and its body as HTML.
    page: Callable[[str, str, str], str]
    #: With which pages are served.
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class FieldRow:
    """A field of a body: ``name`` is its path, ``intervals[].end``."""

    name: str
    type: str
    needed: str
    description: str
    examples: str


@dataclass(slots=True)
class Body:
    """A request's or reply's body: what it may be, with the fields of each, and examples as (title, text)."""

    shapes: list[tuple[str, str, list[FieldRow]]] = field(default_factory=list)
    examples: list[tuple[str, str]] = field(default_factory=list)


@dataclass
class Operation:
    """One operation as the page shows it."""

    method: str
    path: str
    tag: str
    summary: str
    description: str
    anchor: str
    curl: str
    request: Body | None
    #: (status, description, body)
    replies: list[tuple[str, str, Body]]

    @cached_property
    def text(self) -> str:
        """All that is said of it, but for examples, in small letters."""
        bodies = [self.request or Body(), *(reply for _, _, reply in self.replies)]
        rows = [row for body in bodies for _, _, fields in body.shapes for row in fields]
        said = [
            self.method,
            self.path,
            self.tag,
            self.summary,
            self.description,
            *(told for _, told, _ in self.replies),
        ]
        return " ".join([*said, *(f"{row.name} {row.description}" for row in rows)]).casefold()


def render(document: dict[str, Any], url: str, described: Sequence[Operation] | None = None, sought: str = "") -> str:
    """The body of an OpenAPI document's page, each call folded; url: where the service is, for the curl lines.

    described: the document's ``operations``, where they are at hand. sought: words, of which a call that is shown has each; nothing: all are.
    """
    groups: dict[str, list[Operation]] = {}
    words = sought.casefold().split()
    for operation in operations(document, url) if described is None else described:
        if all(word in operation.text for word in words):
            groups.setdefault(operation.tag, []).append(operation)
    found = sum(map(len, groups.values()))
    kinds = {scheme["scheme"] for scheme in document.get("components", {}).get("securitySchemes", {}).values()}
    return _template().render(groups=groups, url=url, kinds=kinds, sought=sought, few=found <= _FEW)


def operations(document: dict[str, Any], url: str) -> Iterator[Operation]:
    """Every operation of an OpenAPI document, in its order."""
    for path, methods in document["paths"].items():
        for method, described in methods.items():
            content = described.get("requestBody", {}).get("content", {}).get(_JSON)
            request = _body(document, content, _ASKED) if content else None
            yield Operation(
                method=method.upper(),
                path=path,
                tag=", ".join(described.get("tags", ["Service"])),
                summary=described.get("summary", ""),
                description=described.get("description", ""),
                anchor=re.sub(r"\W+", "-", f"{method}{path}").strip("-"),
                curl=_curl(method.upper(), url + path, _borne(described, document), content, document),
                request=request,
                replies=[
                    (status, reply.get("description", ""), _body(document, reply.get("content", {}).get(_JSON), _TOLD))
                    for status, reply in described["responses"].items()
                ],
            )


def examples(document: dict[str, Any], content: dict[str, Any]) -> list[tuple[str, Any]]:
    """The examples of a whole body as (title, value): its own, or those of its schema."""
    if content.get("examples"):
        return [(example.get("summary", name), example["value"]) for name, example in content["examples"].items()]
    return [("", value) for value in _resolved(document, content.get("schema", {})).get("examples", [])]


def _body(document: dict[str, Any], content: dict[str, Any] | None, words: tuple[str, str]) -> Body:
    if content is None:
        return Body()
    shapes = []
    schema = _resolved(document, content.get("schema", {}))
    for option in schema.get("anyOf", [schema]):
        shape = _resolved(document, option)
        shapes.append((shape.get("title", ""), shape.get("description", ""), list(_fields(document, shape, words))))
    written = [(title, json.dumps(value, indent=2, ensure_ascii=False)) for title, value in examples(document, content)]
    return Body(shapes, written)


def _borne(described: dict[str, Any], document: dict[str, Any]) -> str:
    """What curl is told of the log-in that an operation asks for."""
    named = next(iter(described.get("security", [{}])[0]), "")
    scheme = document["components"]["securitySchemes"][named]["scheme"] if named else ""
    return {"bearer": '-H "authorization: Bearer $TOKEN"', "basic": '-u "$AGENT"'}.get(scheme, "")


def _curl(method: str, url: str, borne: str, content: dict[str, Any] | None, document: dict[str, Any]) -> str:
    words = ["curl -s", *filter(None, [borne])]
    found = examples(document, content) if content else []
    if found:
        words.append("-H 'content-type: application/json'")
    words.append(shlex.quote(url))
    if found:
        words.append(f"\\\n  -d {shlex.quote(json.dumps(found[0][1], ensure_ascii=False))}")
    elif method != "GET":
        words.insert(1, f"-X {method}")
    return " ".join(words)


def _resolved(document: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    reference = schema.get("$ref")
    if reference is None:
        return schema
    found: dict[str, Any] = document["components"]["schemas"][reference.rsplit("/", 1)[1]]
    return found


def _fields(
    document: dict[str, Any], shape: dict[str, Any], words: tuple[str, str], before: str = ""
) -> Iterator[FieldRow]:
    """The fields of an object, and after each those of the objects it holds; where it may hold one of several, of each."""
    for name, described in shape.get("properties", {}).items():
        inners = [one for one in _inners(document, described) if "properties" in one[0]]
        default = described.get("default")
        if name in shape.get("required", []):
            needed = words[0]
        elif default in (None, "", []):
            needed = words[1]
        else:
            needed = f"default {json.dumps(default)}" if words is _ASKED else words[0]
        shown = ", ".join(json.dumps(one, ensure_ascii=False) for one in described.get("examples", []))
        description = described.get("description") or _resolved(document, described).get("description", "")
        if not description and len(inners) == 1:
            description = inners[0][0].get("description", "")
        yield FieldRow(before + name, _type(document, described), needed, description, shown)
        for inner, many in inners:
            if len(inners) > 1:
                word = "either" if inner is inners[0][0] else "or"
                about = f"{word} {inner.get('title', '')}: {inner.get('description', '')}"
                yield FieldRow(before + name, "object", "", about, "")
            yield from _fields(document, inner, words, f"{before}{name}{'[]' if many else ''}.")


def _inners(
    document: dict[str, Any], described: dict[str, Any], many: bool = False
) -> Iterator[tuple[dict[str, Any], bool]]:
    """What a field may hold, beneath references, alternatives and lists; whether it is in a list."""
    schema = _resolved(document, described)
    if "anyOf" in schema:
        for option in schema["anyOf"]:
            yield from _inners(document, option, many)
    elif schema.get("type") == "array":
        yield from _inners(document, schema.get("items", {}), True)
    else:
        yield schema, many


def _type(document: dict[str, Any], described: dict[str, Any]) -> str:
    schema = _resolved(document, described)
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(_type(document, option) for option in schema["anyOf"]))
    if "const" in schema:
        return json.dumps(schema["const"])
    if "enum" in schema:
        return " | ".join(json.dumps(one) for one in schema["enum"])
    if schema.get("type") == "array":
        return f"list of {_type(document, schema.get('items', {}))}"
    kind = str(schema.get("type", "any"))
    if schema.get("format"):
        kind += f" ({schema['format']})"
    if schema.get("pattern"):
        kind += f" {schema['pattern']}"
    if schema.get("maxLength"):
        kind += f", at most {schema['maxLength']} characters"
    return kind


def prose(text: str) -> Markup:
    """Give escaped text, `code` marked, paragraphs kept."""
    marked = re.sub(r"`([^`]*)`", r"<code>\1</code>", str(escape(text)))
    return Markup(re.sub(r"\n\s*\n", "<br><br>", marked))


@cache
def _template() -> Template:
    pages = Environment(loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined)
    pages.trim_blocks = pages.lstrip_blocks = True
    pages.filters["prose"] = prose
    return pages.get_template("api_page.html.j2")
