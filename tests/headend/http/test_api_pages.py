"""The page under ``/docs``: whole, and without a word to any other host."""

from __future__ import annotations

import asyncio
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import BaseModel, Field

from headend.http.api_pages import operations, render
from headend.http.described_api import DescribedApi
from headend.http.examples import put_meanings
from meters.calendar import epoch
from simulator.web.frame import served

NOON = epoch("2026-08-12T12:00")


class Part(BaseModel):
    wh: int = Field(description="Whole `Wh`, never < 0.", examples=[412])


class Asked(BaseModel):
    """What is asked."""

    name: str = Field(max_length=8)
    parts: list[Part] = Field(default_factory=list)
    note: str | None = None
    how: str = "fast"


class Whole(BaseModel):
    share: float


class Reply(BaseModel):
    """What is told."""

    parts: list[Part]
    why: Part | Whole | None = None


class Other(BaseModel):
    """What is told instead."""

    error: str


EXAMPLES = Path(__file__).with_name("things.json")


def app() -> DescribedApi:
    made = DescribedApi(served(lambda: NOON), [EXAMPLES], title="A <test>", description="Tells `this`.", version="1")

    @made.post("/things/", summary="Ask for things", response_model=Reply | Other, tags=["Things"])
    async def things(asked: Asked) -> Any:
        """Answer at once."""
        return Reply(parts=asked.parts)

    return made


def page(sought: str = "") -> httpx.Response:
    async def get() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app()), base_url="http://bench:8600") as client:
            return await client.get("/docs", params={"q": sought} if sought else {})

    return asyncio.run(get())


class _Links(HTMLParser):
    """Everything that a browser would fetch or follow."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.tags: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.found += [value or "" for name, value in attrs if name in ("href", "src", "srcset", "action", "data")]


def test_the_page_asks_nothing_of_any_other_host() -> None:
    reply = page()
    links = _Links()
    links.feed(reply.text)
    assert all(link.startswith("#") or link == "openapi.json" for link in links.found)
    assert not links.tags & {"script", "link", "img", "iframe"}
    assert "url(" not in reply.text
    assert "@import" not in reply.text
    assert reply.headers["content-security-policy"].startswith("default-src 'none'")


def test_the_page_shows_fields_examples_and_every_shape_of_a_reply() -> None:
    text = page().text
    for part in (
        "A &lt;test&gt;",
        "Tells <code>this</code>.",
        "Ask for things",
        "Answer at once.",
        "<code>parts[].wh</code>",
        "Whole <code>Wh</code>, never &lt; 0.",
        "string, at most 8 characters",
        "string or null",
        "list of object",
        "default &#34;fast&#34;",
        "The customer&#39;s one",
        "<b>either Reply</b>",
        "<b>or Other</b>",
        "either Part",
        "or Whole",
        "<code>why.wh</code>",
        "<code>why.share</code>",
    ):
        assert part in text
    assert "422" not in text


@pytest.mark.parametrize(
    ("sought", "found"),
    [
        ("", True),
        ("things", True),
        ("POST answer", True),
        ("parts[].WH", True),
        ("things nowhere", False),
        ("<script>", False),
    ],
)
def test_a_call_is_folded_until_it_is_looked_for_by_any_of_its_words(sought: str, found: bool) -> None:
    text = page(sought).text
    assert ('<h3 id="post-things">' in text) is found
    assert ('<details class="operation" open>' in text) is (found and bool(sought))
    assert ("No call has that." in text) is not found
    assert "<script>" not in text


def test_a_field_without_words_of_its_own_has_those_of_the_table_of_its_schema_first(tmp_path: Path) -> None:
    table = tmp_path / "fields.csv"
    table.write_text("field,meaning\nnote,A note.\nshare,A part.\nWhole.share,All of it.\nwh,Never taken.\n", "utf-8")
    document = app().openapi()
    put_meanings(document, table)
    shapes = document["components"]["schemas"]
    told = [
        shapes[schema]["properties"][field]["description"]
        for schema, field in (("Asked", "note"), ("Whole", "share"), ("Part", "wh"))
    ]
    assert told == ["A note.", "All of it.", "Whole `Wh`, never < 0."]


def test_the_curl_line_can_be_pasted() -> None:
    (line,) = re.findall(r'<pre class="curl">(.*?)</pre>', page().text, re.DOTALL)
    assert "http://bench:8600/things/" in line
    assert "content-type: application/json" in line
    # The quote inside the body does not end the shell's.
    assert "it&#39;&#34;&#39;&#34;&#39;s" in line


def test_the_document_tells_no_status_that_is_never_given_and_keeps_nulls() -> None:
    document = app().openapi()
    assert list(document["paths"]["/things/"]["post"]["responses"]) == ["200"]
    assert "HTTPValidationError" not in document["components"]["schemas"]
    asked = document["paths"]["/things/"]["post"]["requestBody"]["content"]["application/json"]
    assert asked["examples"]["one"]["value"] == {"name": "it's", "parts": [{"wh": 1}], "note": None}
    assert render(document, "http://x") == render(document, "http://x")


def test_captured_exchanges_are_the_examples_and_shared_ones_stand_in_for_none() -> None:
    made = app()
    made.post("/others/", response_model=Other)(lambda: None)
    document = made.openapi()
    (reply,) = document["paths"]["/things/"]["post"]["responses"].values()
    assert reply["content"]["application/json"]["examples"] == {
        "one": {"summary": "Told at once", "value": {"parts": [{"wh": 1}], "why": None}}
    }
    (other,) = document["paths"]["/others/"]["post"]["responses"].values()
    assert list(other["content"]["application/json"]["examples"]) == ["elsewhere"]


def bare(method: str, content: dict[str, Any] | None = None, **described: Any) -> dict[str, Any]:
    """A document of one operation that nothing is said of but this."""
    body = {"requestBody": {"content": {"application/json": content}}} if content else {}
    operation = {"responses": {"204": {}}} | body | described
    return {"paths": {"/x": {method: operation}}, "components": {"securitySchemes": {"Link": {"scheme": "bearer"}, "Log-in": {"scheme": "basic"}}}}  # fmt: skip


@pytest.mark.parametrize(
    ("document", "line"),
    [
        (bare("get"), "curl -s http://b/x"),
        (bare("post"), "curl -s -X POST http://b/x"),
        (bare("get", security=[{"Link": []}]), 'curl -s -H "authorization: Bearer $TOKEN" http://b/x'),
        (bare("post", security=[{"Log-in": []}]), 'curl -s -X POST -u "$AGENT" http://b/x'),
        (bare("post", {"schema": {}}), "curl -s -X POST http://b/x"),
        (bare("post", {"schema": {"examples": [{"a": 1}]}}), "curl -s -H 'content-type: application/json' http://b/x \\\n  -d '{\"a\": 1}'"),
    ],
)  # fmt: skip
def test_the_curl_line_bears_the_log_in_that_is_asked_for_and_a_body_where_one_is_known(
    document: dict[str, Any], line: str
) -> None:
    (one,) = operations(document, "http://b")
    assert one.curl == line
    # A reply without a body has none to show.
    assert one.replies[0][2].shapes == []


@pytest.mark.parametrize(
    ("described", "told"),
    [
        ({"const": "Y"}, '"Y"'),
        ({"enum": ["A", 1]}, '"A" | 1'),
        ({"type": "string", "format": "date"}, "string (date)"),
        ({"type": "string", "pattern": "^[0-9]+$"}, "string ^[0-9]+$"),
        ({"type": "array", "items": {"type": "integer"}}, "list of integer"),
        ({}, "any"),
    ],
)
def test_a_field_tells_what_it_may_hold(described: dict[str, Any], told: str) -> None:
    (one,) = operations(bare("post", {"schema": {"properties": {"f": described}}}), "http://b")
    assert one.request is not None
    assert [row.type for row in one.request.shapes[0][2]] == [told]
