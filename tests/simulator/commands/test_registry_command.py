"""``ami smt registry``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from simulator.smt.registry.csv_files import read_registry
from simulator.smt.registry.passwords import password_is
from tests.simulator.processes import fails_here, invoked


def test_the_log_ins_that_are_told_are_those_of_the_files_with_their_password(tmp_path: Path) -> None:
    asked = ("smt", "registry", str(tmp_path), "--count", "3", "--date", "2026-08-12")
    told = json.loads(invoked(*asked, "--json").stdout)
    read = read_registry(tmp_path)
    assert told["esiids"] == len(read.points) == 3
    assert {one["username"] for one in told["logins"]} == set(read.users)
    first, *others = read.users.values()
    assert {user.password_hash for user in others} == {first.password_hash}
    assert password_is(first, told["password"])
    # Whoever has a registry there keeps it.
    assert fails_here(*asked).startswith("smt.registry.")


def test_in_words_each_company_has_its_duns_number(tmp_path: Path) -> None:
    told = invoked("smt", "registry", str(tmp_path), "--count", "3")
    companies = [user for user in read_registry(tmp_path).users.values() if user.duns]
    assert companies
    for user in companies:
        assert f"{user.username}   DUNS {user.duns}\n" in told.stdout
    assert "one for each service point" in told.stdout
    assert f"Serve them: ami smt serve --registry {tmp_path}\n" in told.stdout


@pytest.mark.parametrize("day", ["12.08.2026", "2026-02-30", "1999-12-31", "2100-01-01"])
def test_what_is_no_day_is_refused(tmp_path: Path, day: str) -> None:
    told = fails_here("smt", "registry", str(tmp_path), "--date", day)
    assert told == f"smt.registry.date: --date: '{day}' is not a day. Write it as 2026-08-12, in 2000 to 2099."


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("x")
    assert fails_here("smt", "registry", str(file), "--count", "1").startswith(f"smt.registry.unwritable: {file}: ")
