"""``docs/smt-market-api.md`` tells the errors, calls and registry files that there are."""

from __future__ import annotations

import re
from pathlib import Path

from simulator.smt.errors import TABLE
from simulator.smt.registry.csv_files import SHEETS, write_registry
from tests.simulator.smt.rig import Rig, registry

PAGE = (Path(__file__).parents[5] / "docs" / "smt-market-api.md").read_text(encoding="utf-8")


def test_every_error_stands_on_the_page_and_no_other() -> None:
    rows = re.findall(
        r"^\| `([\w-]+)` \| (gateway|business|malformed|unrouted) \| (\d+) \| (.*) \| ([VSD]) \|$", PAGE, re.M
    )
    assert rows == [(row.code, row.door, str(row.http), row.message, row.mark) for row in TABLE]


async def test_every_call_of_the_market_api_stands_on_the_page(rig: Rig) -> None:
    for path in rig.app.openapi()["paths"]:
        if path.startswith("/v2/"):
            assert f"`{path.split('/')[2]}`" in PAGE or f"`{path}`" in PAGE, path


def test_every_column_of_a_registrys_files_stands_on_the_page(tmp_path: Path) -> None:
    write_registry(registry(), tmp_path)
    for sheet in SHEETS:
        (listed,) = re.findall(rf"^\| `{sheet.file}` \| (?:yes|no) \| (.*) \|$", PAGE, re.M)
        columns = (tmp_path / sheet.file).read_text().splitlines()[0].split(",")
        assert listed.replace("*", "").split(", ") == [*columns, *sheet.extra]
