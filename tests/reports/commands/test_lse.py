"""``ami lse``: exit codes, options and JSON of each command; what is told of files is held in ``tests/reports/lse``."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner, Result

from headend.lse.format import LseRecord
from headend.lse.writer import dumps
from meters.errors import UserError
from reports.commands.lse import app
from tests.headend.lse.test_lse import ESIID, NAME, ORDINARY, _record
from tests.reports.lse.test_made import day_rows, table
from tests.reports.lse.test_missing import DAY, GROUP, SOME, asked

OTHER = "10443720000000018"


def lse(*words: object) -> Result:
    return CliRunner().invoke(app, [str(one) for one in words])


def refused(*words: object) -> str:
    told = lse(*words)
    assert isinstance(told.exception, UserError), told.output
    return str(told.exception)


def file_of(folder: Path, *records: LseRecord, cut: int = 0) -> Path:
    folder.mkdir(exist_ok=True)
    content = dumps(records)
    (folder / NAME).write_bytes(content[: len(content) - cut])
    return folder / NAME


def test_a_check_ends_by_the_worst_of_its_files(tmp_path: Path) -> None:
    sound, cut = file_of(tmp_path / "a", _record()), file_of(tmp_path / "b", _record(), cut=40)
    assert [lse("check", *files).exit_code for files in ([sound], [sound, cut], [tmp_path / "no.lse", cut])] == [
        0,
        1,
        2,
    ]
    told = lse("check", tmp_path / "no.lse", cut)
    assert told.stderr.startswith(f"lse.unreadable: {tmp_path / 'no.lse'}: ")
    assert str(cut) in told.stdout
    both = json.loads(lse("check", sound, cut, "--json").stdout)
    assert [bool(one["findings"]) for one in both] == [False, True]
    # What SMT holds is a file or a folder of them.
    for held in (sound, sound.parent):
        (again,) = json.loads(lse("check", sound, "--held", held, "--at", "2026-08-13T08:00", "--json").stdout)
        assert {one["code"] for one in again["findings"]} == {"00"}


def test_records_are_shown_as_a_table_and_those_of_one_esi_id_as_charts(tmp_path: Path) -> None:
    days = [_record(ORDINARY - timedelta(days=back), esiid=esiid) for back in range(30) for esiid in (ESIID, OTHER)]
    file = file_of(tmp_path, *days)
    several, one = lse("show", file).stdout, lse("show", file, "--esiid", f" '{OTHER}", "--all").stdout
    assert ("10 more: --all shows them" in several, "intervals" in several) == (True, False)
    assert f"ESI ID {OTHER}, " in one
    (record,) = json.loads(lse("show", file, "--esiid", OTHER, "--date", ORDINARY, "--json").stdout)
    assert (record["esiid"], record["operating_day"]) == (OTHER, str(ORDINARY))
    assert refused("show", file, "--date", "2025-01-01") == (
        f"lse.show.none: {file}: There is no such right record in it. Choose another."
    )
    broken = file_of(tmp_path, _record(), _record(esiid=OTHER), cut=40)
    assert "'ami lse check" in lse("show", broken).stdout
    assert "tells what is wrong with it." in refused("show", broken, "--esiid", OTHER)


def test_a_table_is_made_into_files_and_what_cannot_be_written_is_told(tmp_path: Path) -> None:
    source, out = table(tmp_path, day_rows(ORDINARY)), tmp_path / "out"
    told = lse("make", source, "--out", out).stdout
    (file,) = out.iterdir()
    assert told == f"{file}: {file.stat().st_size:,} octets\n"
    assert json.loads(lse("make", source, "--out", out, "--json").stdout) == [
        {"file": str(file), "octets": file.stat().st_size}
    ]
    assert refused("make", source, "--out", source).startswith(f"lse.make.unwritable: {source}: ")
    assert refused("make", "nowhere", "--out", out).startswith("scenario.unknown: nowhere: ")


def test_a_difference_is_exit_1_and_a_file_that_is_not_all_right_is_said_to_be(tmp_path: Path) -> None:
    one = file_of(tmp_path / "a", _record())
    other = file_of(tmp_path / "b", replace(_record(), wh=_record().wh + 1), _record(esiid=OTHER), cut=40)
    assert (lse("diff", one, one).exit_code, lse("diff", one, one).stdout) == (0, "")
    told = lse("diff", one, other)
    assert (told.exit_code, told.stderr) == (
        1,
        f"{other}: not all of it is right: 'ami lse check {other}' tells what.\n",
    )
    assert len(lse("diff", one, other, "--all").stdout.splitlines()) > len(told.stdout.splitlines())
    (change,) = json.loads(lse("diff", one, other, "--json").stdout)
    assert change["esiid"] == ESIID


def test_what_is_missing_is_exit_1(monkeypatch: pytest.MonkeyPatch) -> None:
    whole, some = (httpx.Response(200, json=DAY | {"groups": [group]}) for group in (GROUP, SOME))
    assert asked(monkeypatch, whole)[0].exit_code == 0
    told = asked(monkeypatch, some, "--json")[0]
    assert (told.exit_code, json.loads(told.stdout)["groups"][0]["missing"]) == (1, 12)
    assert refused("missing", "2026-08-11", "--login", "wires") == (
        "lse.missing.login: --login: A log-in has a password. Write USERNAME:PASSWORD."
    )


@pytest.mark.parametrize("day", ["12.08.2026", "1999-12-31", "2100-01-01"])
def test_what_is_no_day_of_this_market_is_told(day: str) -> None:
    assert refused("missing", day) == f"lse.day: DAY: '{day}' is not a day of this market. Write it as 2026-08-12."
