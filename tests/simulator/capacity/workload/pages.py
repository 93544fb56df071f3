"""Makes the JSON Schema of workloads anew: ``python -m tests.simulator.capacity.workload.pages``."""

from __future__ import annotations

from pathlib import Path

import simulator.capacity.workload
from simulator.capacity.workload.spec import workload_schema
from tests.simulator.ror.billing import pages

SCHEMA = Path(simulator.capacity.workload.__file__).with_name("workload.schema.json")


def schema_text() -> str:
    """The file's text."""
    return pages.schema_text(workload_schema())


if __name__ == "__main__":
    SCHEMA.write_text(schema_text(), encoding="utf-8")
