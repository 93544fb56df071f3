"""Makes the JSON Schema of load studies anew: ``python -m tests.simulator.capacity.pages``."""

from __future__ import annotations

from pathlib import Path

import simulator.capacity
from simulator.capacity.study import study_schema
from tests.simulator.ror.billing import pages

SCHEMA = Path(simulator.capacity.__file__).with_name("study.schema.json")


def schema_text() -> str:
    """The file's text."""
    return pages.schema_text(study_schema())


if __name__ == "__main__":
    SCHEMA.write_text(schema_text(), encoding="utf-8")
