"""``ami lse show``: the records as a table, days as charts."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from typer.testing import CliRunner, Result

from headend.lse.format import LseRecord
from headend.lse.writer import dumps
from headend.vee.quality import Channel
from reports.commands.lse import app
from tests.headend.lse.test_lse import ESIID, NAME, ORDINARY, SPRING, _record

OTHER = "10443720000000018"


def shown(tmp_path: Path, records: list[LseRecord], *words: str, cut: int = 0) -> Result:
    path, content = tmp_path / NAME, dumps(records)
    path.write_bytes(content[: len(content) - cut])
    return CliRunner().invoke(app, ["show", str(path), *words], env={"COLUMNS": "110"})


def test_records_are_a_table_and_one_esi_id_s_day_a_chart(tmp_path: Path) -> None:
    generation = replace(_record(channel=Channel.GENERATION, readings=False), wh=_record().wh // 2)
    lines = shown(tmp_path, [_record(), generation]).stdout.splitlines()
    assert lines[1].split() == [
        *("1", ESIID, "4", "2026-08-12", "24,002.915", "24,062.483", "59.568", "4", "2026-08-13T07:30:00")
    ]
    assert lines[2].split()[4:7] == ["-", "-", "29.760"]
    assert f"ESI ID {ESIID}, Wed 2026-08-12, 96 intervals" in lines
    # Load above the axis, generation below it, and E where one of them is estimated.
    axis = next(at for at, line in enumerate(lines) if line.startswith("     0"))
    assert "█" in lines[axis - 1]
    assert "█" in lines[axis + 1]
    marks = next(line for line in lines if line.startswith(" marks "))
    assert [at - 7 for at, letter in enumerate(marks) if letter == "E"] == [40, 41, 42, 43]
    assert lines[-1] == "  E  estimated"


def test_several_esi_ids_are_a_table_until_one_is_chosen(tmp_path: Path) -> None:
    records = [_record(), _record(esiid=OTHER), _record(SPRING, esiid=OTHER)]
    assert len(shown(tmp_path, records).stdout.splitlines()) == 4
    chosen = shown(tmp_path, records, "--esiid", f"'{OTHER}").stdout
    assert chosen.count("ESI ID 10443720000000018, ") == 2
    assert "Sun 2026-03-08, 92 intervals" in chosen
    assert (
        "2026-08-12" not in shown(tmp_path, records, "--esiid", OTHER, "--date", "2026-03-08").stdout.split("made")[0]
    )


def test_long_tables_and_many_charts_are_cut_short(tmp_path: Path) -> None:
    days = [_record(ORDINARY - timedelta(days=back)) for back in range(60)]
    told = shown(tmp_path, days).stdout
    assert "10 more: --all shows them" in told
    assert told.endswith("53 days more: --date chooses one\n")
    assert "--all" not in shown(tmp_path, days, "--all").stdout


def test_as_json_a_record_has_every_interval(tmp_path: Path) -> None:
    (one,) = json.loads(shown(tmp_path, [_record(SPRING)], "--json").stdout)
    assert (one["esiid"], one["channel"], one["operating_day"], one["line"]) == (ESIID, 4, "2026-03-08", 1)
    assert (len(one["wh"]), one["status"][39:45]) == (92, "AEEEEA")
    assert one["made"] == "2026-08-13T07:30:00-05:00"


def test_what_is_not_right_of_it_is_said(tmp_path: Path) -> None:
    done = shown(tmp_path, [_record(), _record(esiid=OTHER)], cut=40)
    assert done.stdout.endswith(f"1 faults and warnings: 'ami lse check {tmp_path / NAME}' tells them.\n")


def test_nothing_to_show_is_a_users_error(tmp_path: Path) -> None:
    for words, cut, mend in (
        (["--date", "2026-08-11"], 0, "Choose another."),
        ([], 40, "tells what is wrong with it."),
    ):
        done = shown(tmp_path, [_record()], *words, cut=cut)
        assert str(done.exception).startswith("lse.show.none: ")
        assert str(done.exception).endswith(mend)
    assert str(shown(tmp_path, [_record()], "--date", "12.8.").exception).startswith("lse.day: --date: '12.8.' is not")
