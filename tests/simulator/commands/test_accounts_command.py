"""``ami accounts lint``."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from tests.simulator.processes import ROOT, fails_here, invoked

DOCUMENTED = ROOT / "docs" / "accounts"


def test_the_documented_folder_is_sound() -> None:
    told = invoked("accounts", "lint", str(DOCUMENTED))
    assert (told.exit_code, told.stderr) == (0, "")
    assert told.stdout.startswith(f"{DOCUMENTED}: sound. ")
    assert json.loads(invoked("accounts", "lint", str(DOCUMENTED), "--json").stdout) == {
        "folder": str(DOCUMENTED),
        "sound": True,
        "mistakes": [],
    }


def test_every_mistake_is_a_line_on_stderr_and_exit_2(tmp_path: Path) -> None:
    folder = shutil.copytree(DOCUMENTED, tmp_path / "mine")
    (folder / "reading_days.csv").unlink()
    (folder / "bills.csv").write_text("nothing\n")
    *others, last = fails_here("accounts", "lint", str(folder)).splitlines()
    assert last.startswith("ror.accounts.")
    told = invoked("accounts", "lint", str(folder), "--json")
    mistakes = json.loads(told.stdout)["mistakes"]
    assert (told.exit_code, len(mistakes)) == (2, len(others) + 1)
    assert {
        ("ror.accounts.no_file", f"{folder}/reading_days.csv"),
        ("ror.accounts.columns", f"{folder}/bills.csv:1"),
    } <= {(one["code"], one["place"]) for one in mistakes}
