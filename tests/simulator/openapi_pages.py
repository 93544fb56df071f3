"""The OpenAPI pages in ``docs/openapi``: what each service says of itself, with captured examples.

``make openapi`` writes them, and tests hold them equal.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
from pathlib import Path
from typing import Any

from simulator.parties.sandbox import DeskSettings
from tests.simulator.captured import written
from tests.simulator.sandboxes import Rig, rig

FOLDER = Path(__file__).parents[2] / "docs" / "openapi"


async def _pages(out: Path) -> dict[str, Any]:
    async with rig(out, posted_days=1, desk=DeskSettings()) as made:
        return {
            f"{name}.json": (await made.http.get(f"{url}/openapi.json")).json() for name, url in services(made).items()
        }


def services(made: Rig) -> dict[str, str]:
    """Where each service of a sandbox with a desk is."""
    sandbox = made.sandbox
    assert sandbox.ror is not None
    return {"smt": sandbox.smt_server.url, "headend": sandbox.headend_server.url, "ror": sandbox.ror.server.url}


def pages() -> dict[str, str]:
    """Each page's text by its file name."""
    with tempfile.TemporaryDirectory() as out:
        made = asyncio.run(_pages(Path(out)))
    return {name: json.dumps(page, indent=1, sort_keys=True) + "\n" for name, page in made.items()}


if __name__ == "__main__":
    for file, text in written().items():
        file.write_text(text, encoding="utf-8")
    FOLDER.mkdir(exist_ok=True)
    for name, text in pages().items():
        (FOLDER / name).write_text(text, encoding="utf-8")
