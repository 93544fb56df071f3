"""Requests made from SMT's own OpenAPI document, well-formed and broken: no 5xx, and no reply that the document does not tell of."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode

from headend.ondemand.push import NON_VEE
from simulator.smt.ondemand.inquiries import CALL_BACKS
from tests.cases import few
from tests.simulator.processes import ROOT
from tests.simulator.smt.rig import KEYS, PASSWORD, PLAIN, ROR_DUNS, Nowhere, Rig

#: Per call and kind of request; twelve of each take some ten seconds.
EXAMPLES = [3, 12]
OPEN = {"/v2/token/", "/commonapi/user/authenticate"}
#: What a sender has to say of itself; else nearly every request would end at the first check.
SENDER = {
    "requestorID": "lonestar.api",
    "requesterAuthenticationID": ROR_DUNS,
    "SMTTermsandConditions": "Y",
    "startDate": "08/10/2026",
    "endDate": "08/11/2026",
    "esiid": [PLAIN],
    "ESIID": PLAIN,
    "correlationId": "1",
}
CALL_BACK = CALL_BACKS + "/{correlationId}/{seal}"


class Served:
    """A rig whose event loop lives on between examples."""

    def __init__(self, folder: Path, runner: asyncio.Runner) -> None:
        self.runner = runner
        self.rig = Rig(folder, "push-to-smt", folders=Nowhere())
        self.rig.post_days()
        self.document: dict[str, Any] = self.rig.app.openapi()
        self.schema = schemathesis.openapi.from_dict(self.document)
        self.tokens = {"/v2/": self._token("/v2/token/", "lonestar.api", "accessToken")}
        self.tokens |= dict.fromkeys((CALL_BACKS, NON_VEE), KEYS.headend)
        self.tokens["/api/"] = self._token("/commonapi/user/authenticate", "customer", "token")

    def _token(self, path: str, username: str, name: str) -> str:
        body = {"username": username, "password": PASSWORD}
        return str(self.runner.run(self.rig.client.post(path, json=body)).json()[name])

    def send(self, case: Any) -> Any:
        if case.path == CALL_BACK and case.path_parameters:
            case.path_parameters["seal"] = KEYS.seal(case.path_parameters["correlationId"])
        kwargs = case.as_transport_kwargs(base_url="http://smt")
        # A key or token that was made up would be all that is looked at.
        made = dict(kwargs.get("headers") or {})
        headers = {name: value for name, value in made.items() if name.lower() != "authorization"}
        for door, token in self.tokens.items():
            if case.path.startswith(door) and case.path not in OPEN:
                headers["authorization"] = f"Bearer {token}"
        known = {name: kwargs[name] for name in ("params", "json") if kwargs.get(name) is not None}
        content = kwargs.get("data")
        return self.runner.run(
            self.rig.client.request(kwargs["method"], kwargs["url"], headers=headers, content=content, **known)
        )


@contextmanager
def served(folder: Path) -> Iterator[Served]:
    with asyncio.Runner() as runner:
        made = Served(folder, runner)
        try:
            yield made
        finally:
            runner.run(made.rig.__aexit__())


def operations() -> list[str]:
    # As it is kept, which another test holds equal to what is served: to serve it at collection would take a second.
    document = json.loads((ROOT / "docs" / "openapi" / "smt.json").read_text(encoding="utf-8"))
    # What is asked for by POST; the service's own pages (health, metrics, control) have tests of their own.
    posted = [path for path, methods in document["paths"].items() if "post" in methods]
    return [path for path in posted if not path.startswith("/control/")]


@pytest.fixture(scope="module")
def bed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("fuzz")) as made:
        yield made


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
@pytest.mark.parametrize("path", operations())
@pytest.mark.parametrize("examples", few(1, EXAMPLES))
def test_no_request_gets_an_undocumented_reply(bed: Served, path: str, mode: GenerationMode, examples: int) -> None:
    operation = bed.schema[path]["POST"]

    @settings(
        max_examples=examples,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(operation.as_strategy(generation_mode=mode), st.booleans())
    def sent(case: Any, as_sender: bool) -> None:
        if as_sender and isinstance(case.body, dict):
            case.body |= {name: value for name, value in SENDER.items() if name in case.body}
            if path == CALL_BACK:
                case.path_parameters = {"correlationId": "1", "seal": ""}
        reply = bed.send(case)
        assert reply.status_code < 500, reply.text
        assert reply.status_code != 401 or path in OPEN, "nothing but the token was looked at"
        case.validate_response(
            reply,
            checks=[
                schemathesis.checks.not_a_server_error,
                *(
                    schemathesis.checks.CHECKS.get_one(name)
                    for name in ("status_code_conformance", "content_type_conformance", "response_schema_conformance")
                ),
            ],
        )

    sent()
