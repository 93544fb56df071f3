"""Makes the JSON Schemas of plan files and accounts anew: ``python -m tests.simulator.ror.billing.pages``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import simulator.ror.accounts
import simulator.ror.billing
from simulator.ror.accounts.written import accounts_schema
from simulator.ror.billing.plan import plan_schema

SCHEMA = Path(simulator.ror.billing.__file__).with_name("plan.schema.json")
ACCOUNTS_SCHEMA = Path(simulator.ror.accounts.__file__).with_name("accounts.schema.json")


def schema_text(schema: dict[str, Any]) -> str:
    """The file's text."""
    # A line for each kind of part.
    parts = ",\n".join(f" {json.dumps(name)}: {json.dumps(part)}" for name, part in schema.pop("$defs").items())
    return f'{json.dumps(schema)[:-1]}, "$defs": {{\n{parts}\n}}}}\n'


if __name__ == "__main__":
    SCHEMA.write_text(schema_text(plan_schema()), encoding="utf-8")
    ACCOUNTS_SCHEMA.write_text(schema_text(accounts_schema()), encoding="utf-8")
