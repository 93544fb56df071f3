"""The OpenAPI pages in ``docs/openapi``: what both services say of themselves, with captured examples.

``make openapi`` writes both, and tests hold them equal.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
from pathlib import Path
from typing import Any

from tests.simulator.captured import captured
from tests.simulator.sandboxes import rig

FOLDER = Path(__file__).parents[2] / "docs" / "openapi"


async def _pages(out: Path) -> dict[str, Any]:
    async with rig(out, posted_days=1) as made:
        return {
            "smt.json": (await made.http.get("/openapi.json")).json(),
            "headend.json": (await made.http.get(f"{made.sandbox.headend_server.url}/openapi.json")).json(),
        }


def pages() -> dict[str, str]:
    """Each page's text by its file name."""
    with tempfile.TemporaryDirectory() as out:
        made = asyncio.run(_pages(Path(out)))
    return {name: json.dumps(page, indent=1, sort_keys=True) + "\n" for name, page in made.items()}


if __name__ == "__main__":
    for file, text in captured().items():
        file.write_text(text, encoding="utf-8")
    FOLDER.mkdir(exist_ok=True)
    for name, text in pages().items():
        (FOLDER / name).write_text(text, encoding="utf-8")
