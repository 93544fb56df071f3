"""``ami vee lint``."""

from __future__ import annotations

import json
from pathlib import Path

from typer.testing import CliRunner

from simulator.commands.vee import app
from simulator.input.vee_preset import shipped


def test_without_files_the_shipped_presets_are_checked_and_sound() -> None:
    done = CliRunner().invoke(app, ["lint"])
    assert done.exit_code == 0
    assert done.stdout.count(": sound.") == len(shipped())


def test_a_mistake_is_a_line_on_stderr_and_exit_2(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("preset: mine\n")
    done = CliRunner().invoke(app, ["lint", str(file), "oncor"])
    assert done.exit_code == 2
    assert [line.partition(f" {file}:1: ")[2] for line in done.stderr.splitlines()] == [
        "effective: The field effective is missing. Add 'effective: ...'.",
        "ladder: The field ladder is missing. Add 'ladder: ...'.",
    ]
    assert "oncor" in done.stdout
    told = json.loads(CliRunner().invoke(app, ["lint", str(file), "--json"]).stdout)
    assert [(row["sound"], len(row["mistakes"])) for row in told] == [(False, 2)]
