"""Writes the JSON Schema of a scenario file beside its model: ``python -m tests.scenarios.pages``."""

from __future__ import annotations

from pathlib import Path

import scenarios
from scenarios.schema import scenario_schema
from tests.simulator.ror.billing.pages import schema_text

SCHEMA = Path(scenarios.__file__).with_name("scenario.schema.json")

if __name__ == "__main__":
    SCHEMA.write_text(schema_text(scenario_schema()), encoding="utf-8")
