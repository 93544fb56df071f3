"""The wires as OpenAPI with examples: the pages in ``docs/openapi`` are what the services say of themselves."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute, iter_route_contexts
from markupsafe import escape
from pydantic import TypeAdapter

from headend.http.api_pages import examples
from simulator.parties.ror import AGENT
from simulator.parties.sandbox import DeskSettings
from simulator.smt.doors.both.bodies import ESIID
from tests.simulator.captured import SMT_URL, captured, written
from tests.simulator.openapi_pages import FOLDER, pages, services
from tests.simulator.sandboxes import rig
from tests.simulator.smt.rig import Rig

PAGES = ["smt.json", "headend.json", "ror.json"]
_JSON = "application/json"


@pytest.fixture(scope="module")
def served() -> dict[str, str]:
    return pages()


def operations(page: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, methods in page["paths"].items():
        for method, told in methods.items():
            yield f"{method.upper()} {path}", told


def test_the_examples_of_a_night_are_what_the_services_answer() -> None:
    made = captured("night")
    assert made
    for folder, places in made.items():
        kept = json.loads((folder / "examples.json").read_text(encoding="utf-8"))
        for place, named in places.items():
            assert {name: kept[place][name] for name in named} == named, f"{place}: run 'make openapi'"


@pytest.mark.long
def test_the_examples_are_what_the_services_answer() -> None:
    made = written()
    kept = {file: file.read_text(encoding="utf-8") for file in made}
    assert kept == made, "run 'make openapi'"


@pytest.mark.parametrize("name", PAGES)
def test_the_pages_are_what_the_services_say_of_themselves(served: dict[str, str], name: str) -> None:
    assert (FOLDER / name).read_text(encoding="utf-8") == served[name], "run 'make openapi'"


@pytest.mark.parametrize("name", PAGES)
def test_every_field_says_what_it_is_and_the_document_where_the_service_is(served: dict[str, str], name: str) -> None:
    page = json.loads(served[name])
    silent = [
        f"{schema}.{field}"
        for schema, shape in page["components"]["schemas"].items()
        for field, told in shape.get("properties", {}).items()
        if not told.get("description")
    ]
    assert silent == [], "give it a description, or a row in fields.csv"
    assert page["servers"] == [{"url": "/"}]


@pytest.mark.parametrize("name", PAGES)
def test_every_request_has_an_example_of_its_whole_body_and_every_reply_a_schema_and_an_example(
    served: dict[str, str], name: str
) -> None:
    page = json.loads(served[name])
    lacking = []
    for title, told in operations(page):
        bodies = [("request", told["requestBody"])] if "requestBody" in told else []
        for what, body in bodies + list(told["responses"].items()):
            content = body.get("content", {}).get(_JSON, {})
            if not content.get("schema"):
                lacking.append(f"{title} {what}: schema")
            if not examples(page, content):
                lacking.append(f"{title} {what}: example")
    assert lacking == []


def test_every_call_tells_how_it_is_refused(served: dict[str, str]) -> None:
    for title, told in operations(json.loads(served["smt.json"])):
        statuses = set(told["responses"])
        if title.startswith("POST /v2/"):
            assert statuses == {"200", "400", "401", "403", "500"}, title
        elif title.startswith("POST /api/"):
            assert statuses == {"200", "400", "401"}, title
        elif title == "POST /commonapi/user/authenticate":
            assert statuses == {"200", "400", "403"}


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/v2/odr/", ['"statusCode": "0"', '"refusal"', '"errorCode"']),
        ("/v2/powerstatus/", ["FR-CR016.1a", "power status"]),
        ("/v2/odrstatus/", ['"PEN"', '"intervals"', '"refusal"', '"powerStatus"', "T-FAILED", '"CORRELATION"']),
        ("/api/ondemandread", ['"0"', '"5031"', '"5032"']),
        ("/api/usage/latestodrread", ['"PENDING"', '"COMPLETED"', '"FAILED"', "T-FAILED", '"odrstatus": null']),
    ],
)
def test_replies_are_shown_for_each_way_a_call_may_go(served: dict[str, str], path: str, said: list[str]) -> None:
    page = json.loads(served["smt.json"])
    shown = json.dumps(examples(page, page["paths"][path]["post"]["responses"]["200"]["content"][_JSON]))
    assert [one for one in said if one not in shown] == []


def test_a_power_status_is_not_asked_for_with_a_reads_example(served: dict[str, str]) -> None:
    page = json.loads(served["smt.json"])

    def asked(path: str) -> list[Any]:
        return [value for _, value in examples(page, page["paths"][path]["post"]["requestBody"]["content"][_JSON])]

    assert not any("readType" in one for one in asked("/v2/powerstatus/"))
    assert any(one.get("readType") == "INTERVALS" for one in asked("/v2/odr/"))
    assert any("readType" not in one for one in asked("/v2/odr/"))


async def test_every_example_of_a_request_is_taken_as_well_formed(served: dict[str, str], tmp_path: Path) -> None:
    """Sent to a running sandbox: what comes back may be anything but 400."""
    refused = []
    async with rig(tmp_path, policy="push-to-smt", posted_days=1, desk=DeskSettings()) as made:
        login = {"username": "pecanbend.api", "password": "pecan-bend-1"}
        token = (await made.http.post("/v2/token/", json=login)).json()["accessToken"]
        portal = {"username": "customer.one", "password": "customer-one-1"}
        portal_token = (await made.http.post("/commonapi/user/authenticate", json=portal)).json()["token"]
        bases = {f"{name}.json": url for name, url in services(made).items()}
        for name, base in bases.items():
            page = json.loads(served[name])
            for title, told in operations(page):
                method, path = title.split(" ")
                content = told.get("requestBody", {}).get("content", {}).get(_JSON)
                if content is None or path == "/control/clock/advance":
                    continue
                keys = made.sandbox.keys
                bearers = {"api": portal_token, "v2": token, "callbacks": keys.headend, "non-vee": keys.headend}
                bearers |= {"inquiries": keys.smt, "events": keys.meters}
                bearer = bearers.get(path.split("/")[1], token)
                for example, written in examples(page, content):
                    # Examples name ESI ID and address of a default sandbox; this one's are others.
                    text = json.dumps(written).replace(ESIID, made.esiid(1)).replace(SMT_URL, bases["smt.json"])
                    value = json.loads(text)
                    key = value.get("correlationId", "")
                    url = base + path.format(correlationId=key, seal=keys.seal(key))
                    auth = httpx.BasicAuth(AGENT.username, AGENT.password) if name == "ror.json" else None
                    headers = {} if auth else {"authorization": f"Bearer {bearer}"}
                    reply = await made.http.request(method, url, json=value, headers=headers, auth=auth)
                    if reply.status_code in (400, 401, 403, 500):
                        refused.append(f"{title} {example}: {reply.text}")
    assert refused == []


def _routes(app: FastAPI) -> Iterator[APIRoute]:
    for route in (context.original_route for context in iter_route_contexts(app.routes)):
        if isinstance(route, APIRoute) and route.include_in_schema:
            yield route


async def test_every_example_of_a_reply_has_the_documented_shape(tmp_path: Path) -> None:
    checked = 0
    async with Rig(tmp_path) as made:
        page = made.app.openapi()
        for route in _routes(made.app):
            (method,) = (one.lower() for one in route.methods or ())
            for status, told in page["paths"][route.path][method]["responses"].items():
                if status == str(route.status_code or 200):
                    model = route.response_model
                else:
                    model = route.responses[int(status)]["model"]
                for _, value in examples(page, told["content"][_JSON]):
                    TypeAdapter(model).validate_json(json.dumps(value), extra="forbid")
                    checked += 1
    assert checked > 80


async def test_the_page_of_each_service_shows_every_operation_without_another_host(
    served: dict[str, str], tmp_path: Path
) -> None:
    async with rig(tmp_path, posted_days=1, desk=DeskSettings()) as made:
        got = {f"{name}.json": await made.http.get(f"{url}/docs") for name, url in services(made).items()}
    for name, reply in got.items():
        assert reply.status_code == 200
        assert "<script" not in reply.text
        assert "default-src 'none'" in reply.headers["content-security-policy"]
        for title, told in operations(json.loads(served[name])):
            assert f"{title.split(' ')[1]}: {escape(told['summary'])}" in reply.text
