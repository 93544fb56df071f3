"""Makes the JSON Schema of plan files anew: ``python -m tests.simulator.ror.billing.pages``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import simulator.ror.billing
from simulator.ror.billing.plan import plan_schema

SCHEMA = Path(simulator.ror.billing.__file__).with_name("plan.schema.json")


def schema_text() -> str:
    """The file's text."""
    return text_of(plan_schema())


def text_of(schema: dict[str, Any]) -> str:
    """A schema as it is published, with a line for each kind of part."""
    parts = ",\n".join(f" {json.dumps(name)}: {json.dumps(part)}" for name, part in schema.pop("$defs").items())
    return f'{json.dumps(schema)[:-1]}, "$defs": {{\n{parts}\n}}}}\n'


if __name__ == "__main__":
    SCHEMA.write_text(schema_text(), encoding="utf-8")
