"""``docs/meters.md`` says what the code does: its tables, its examples, the options, the ledger's columns."""

from __future__ import annotations

import re
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from meters.calendar import seconds
from meters.faults.fault import Fault
from meters.faults.kinds import FaultKind
from meters.faults.ledger import Effect, entry, write_parquet
from meters.load.replay_file import SMT_COLUMNS
from simulator.world.fault_spec import FaultSpec, read_happenings
from tests.reports.meter.pages import FENCED_FAULTS, PAGE, page
from tests.simulator.processes import command

TEXT = PAGE.read_text(encoding="utf-8")


def section(head: str) -> str:
    """The text under a second-level head."""
    return TEXT.split(f"\n## {head}\n")[1].split("\n## ")[0]


def test_the_made_parts_are_what_the_code_makes() -> None:
    assert page(TEXT) == TEXT


@pytest.mark.parametrize("word", ["list", "show", "serve", "truth"])
def test_every_option_of_the_commands_is_named(word: str) -> None:
    options = {
        name
        for option in command("meters", word).params
        for name in (*option.opts, *option.secondary_opts)
        if name.startswith("--")
    }
    assert {name for name in options if f"`{name}" not in TEXT and f", `{name}" not in TEXT} == set()


def test_every_field_of_a_fault_is_named() -> None:
    named = set(re.findall(r"`(\w+)[:`]", section("Faults")))
    assert set(FaultSpec.model_fields) <= named


def test_the_ledgers_columns_are_those_that_are_written(tmp_path: Path) -> None:
    swap = entry(Fault(FaultKind.SWAP, "1" * 17, other="2" * 17), "900000001", (seconds(0), seconds(900)), Effect(1, 2))
    write_parquet([swap], tmp_path / "ledger.parquet")
    columns = {
        name
        for row in re.findall(r"^\| (`.*?) \|", section("The ledger"), re.MULTILINE)
        for name in re.findall(r"`(\w+)`", row)
    }
    local = {"first_end_local", "last_end_local"}
    assert columns == set(swap.values()) | local
    assert set(swap.to_json()) <= columns
    assert columns - local == set(pq.read_schema(tmp_path / "ledger.parquet").names)


def test_the_columns_of_a_replayed_file_are_named() -> None:
    assert [name for name in SMT_COLUMNS if f"`{name}`" not in section("Replay")] == []


def test_the_faults_written_out_can_be_read(tmp_path: Path) -> None:
    written = FENCED_FAULTS.findall(TEXT)
    inline = [
        f"{part}: [{one}]\n"
        for part, head in (("faults", "Faults"), ("weather", "Weather"), ("lookalikes", "Look-alikes"))
        for one in re.findall(r"`(\{kind: .*?\})`", section(head))
    ]
    assert written
    assert len(inline) > 3
    file = tmp_path / "faults.yaml"
    for text in [*written, *inline]:
        file.write_text(text, encoding="utf-8")
        assert any(read_happenings(file))


def test_links_lead_somewhere() -> None:
    heads = {
        re.sub(r"[^a-z0-9 -]", "", head.lower()).replace(" ", "-")
        for head in re.findall(r"^## (.*)$", TEXT, re.MULTILINE)
    }
    for target in re.findall(r"\]\(([^)]+)\)", TEXT):
        assert target[1:] in heads if target.startswith("#") else (PAGE.parent / target.partition("#")[0]).is_file(), (
            target
        )
