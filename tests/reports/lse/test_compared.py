"""``ami lse diff``: the days and intervals that changed, whatever else did."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from headend.lse.format import LseRecord
from headend.lse.writer import dumps
from headend.vee.quality import Channel
from meters.calendar import seconds
from reports.commands.lse import app
from tests.headend.lse.test_lse import FALL, NAME, _record

OTHER = "10443720000000018"


def compared(tmp_path: Path, before: list[LseRecord], after: list[LseRecord], *words: str) -> tuple[int, str]:
    paths = []
    for name, records in (("before", before), ("after", after)):
        (tmp_path / name).mkdir(exist_ok=True)
        paths.append(tmp_path / name / NAME)
        paths[-1].write_bytes(dumps(records))
    done = CliRunner().invoke(app, ["diff", *map(str, paths), *words])
    return done.exit_code, done.stdout


def changed(record: LseRecord, at: int, wh: int | None = None, estimated: bool | None = None, **more: Any) -> LseRecord:
    values, marks = record.wh.copy(), record.estimated.copy()
    values[at] = values[at] if wh is None else wh
    marks[at] = marks[at] if estimated is None else estimated
    return replace(record, wh=values, estimated=marks, **more)


def test_files_that_differ_in_nothing_but_when_they_were_made_do_not_differ(tmp_path: Path) -> None:
    later = replace(_record(), posted_at=_record().posted_at + seconds(60))
    assert compared(tmp_path, [_record()], [later]) == (0, "")
    # Of two records of a day the later made one counts, wherever it stands.
    assert compared(tmp_path, [_record()], [later, changed(_record(), 3, 7)]) == (0, "")


def test_a_changed_interval_is_told_by_the_local_clock(tmp_path: Path) -> None:
    code, told = compared(tmp_path, [_record(FALL)], [changed(changed(_record(FALL), 4, 500), 8, estimated=True)])
    assert code == 1
    assert told.splitlines() == [
        "10443720000000017 channel 4 2026-11-01: 2 of 100 intervals, 64.250 -> 64.608 kWh",
        "  01:00 CDT  0.142 A -> 0.500 A",
        "  01:00 CST  0.186 A -> 0.186 E",
    ]


def test_registers_and_days_of_one_file_alone_are_told(tmp_path: Path) -> None:
    moved = replace(_record(), stop_reading_wh=None)
    generation, other = _record(channel=Channel.GENERATION), _record(esiid=OTHER)
    code, told = compared(tmp_path, [_record(), generation], [moved, other])
    assert code == 1
    assert told.splitlines() == [
        "10443720000000017 channel 4 2026-08-12: 0 of 96 intervals, 59.568 -> 59.568 kWh",
        "  stop reading  24,062.483 -> -",
        "10443720000000017 channel 1 2026-08-12: in the first file alone",
        f"{OTHER} channel 4 2026-08-12: in the second file alone",
    ]


def test_many_intervals_are_told_up_to_a_bound_or_all(tmp_path: Path) -> None:
    more = replace(_record(), wh=_record().wh + 1)
    told = compared(tmp_path, [_record()], [more])[1].splitlines()
    assert (len(told), told[-1]) == (14, "  84 more: --all tells them")
    assert len(compared(tmp_path, [_record()], [more], "--all")[1].splitlines()) == 97


def test_as_json_every_interval_is_there(tmp_path: Path) -> None:
    code, told = compared(tmp_path, [_record()], [changed(_record(), 95, 0, estimated=True)], "--json")
    (one,) = json.loads(told)
    assert code == 1
    assert (one["esiid"], one["channel"], one["operating_day"], one["in"]) == (
        "10443720000000017",
        4,
        "2026-08-12",
        "both",
    )
    assert one["intervals"] == [{"start": "2026-08-12T23:45:00-05:00", "wh": [1143, 0], "status": ["A", "E"]}]
    assert json.loads(compared(tmp_path, [], [_record()], "--json")[1])[0]["in"] == "second"


def test_a_file_that_is_not_all_right_is_said_to_be(tmp_path: Path) -> None:
    path = tmp_path / NAME
    path.write_bytes(dumps([_record()])[:-50])
    done = CliRunner().invoke(app, ["diff", str(path), str(path)])
    assert done.exit_code == 0
    assert f"{path}: not all of it is right: 'ami lse check {path}' tells what." in done.stderr
