"""Requests made from the desk's own OpenAPI document, well-formed and broken: no 5xx, and no reply that the document does not tell of."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode

from tests.cases import few
from tests.simulator.processes import ROOT
from tests.simulator.ror.desk.support import desk_rig

DOCUMENT = json.loads((ROOT / "docs" / "openapi" / "ror.json").read_text(encoding="utf-8"))
#: Per call and kind of request.
EXAMPLES = [3, 12]
#: Of health nothing can be asked wrongly.
OPERATIONS = [
    (path, method.upper()) for path, methods in DOCUMENT["paths"].items() for method in methods if path != "/healthz"
]


class Bed:
    """A desk whose event loop lives on between examples."""

    def __init__(self, folder: Path, runner: asyncio.Runner) -> None:
        self.runner, self._desk = runner, desk_rig(folder)
        self.rig = runner.run(self._desk.__aenter__())
        self.schema = schemathesis.openapi.from_dict(DOCUMENT)

    def send(self, case: Any) -> Any:
        # A log-in that was made up would be all that is looked at.
        kwargs = case.as_transport_kwargs(base_url="http://desk.test")
        headers = {
            name: value for name, value in dict(kwargs["headers"] or {}).items() if name.lower() != "authorization"
        }
        known = {name: kwargs[name] for name in ("params", "json") if kwargs.get(name) is not None}
        sent = self.rig.http.request(
            kwargs["method"], kwargs["url"], headers=headers, content=kwargs.get("data"), **known
        )
        return self.runner.run(sent)

    def close(self) -> None:
        self.runner.run(self._desk.__aexit__(None, None, None))


@pytest.fixture(scope="module")
def bed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bed]:
    with asyncio.Runner() as runner:
        made = Bed(tmp_path_factory.mktemp("fuzz"), runner)
        try:
            yield made
        finally:
            made.close()


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
@pytest.mark.parametrize(("path", "method"), OPERATIONS)
@pytest.mark.parametrize("examples", few(1, EXAMPLES))
def test_no_request_gets_an_undocumented_reply(
    bed: Bed, path: str, method: str, mode: GenerationMode, examples: int
) -> None:
    operation = bed.schema[path][method]

    @settings(
        max_examples=examples,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(operation.as_strategy(generation_mode=mode))
    def sent(case: Any) -> None:
        reply = bed.send(case)
        assert reply.status_code < 500, reply.text
        assert reply.status_code != 401, "nothing but the log-in was looked at"
        case.validate_response(
            reply,
            checks=[
                schemathesis.checks.CHECKS.get_one(name)
                for name in ("status_code_conformance", "content_type_conformance", "response_schema_conformance")
            ],
        )

    sent()
