"""``ami lse make``: files of a scenario's world, and of a table of intervals."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from headend.lse.reader import read
from headend.vee.quality import Channel
from meters.calendar import INTERVAL_S, day_start, intervals_in
from reports.commands.lse import app
from scenarios.file.schema import load
from scenarios.file.shipped import SCENARIOS
from simulator.world.meters import build
from tests.headend.lse.test_lse import ESIID, FALL, SPRING

SCENARIO = "customer-balance-inquiry"


def made(*words: str | Path) -> Result:
    return CliRunner().invoke(app, ["make", *map(str, words)])


def table(folder: Path, rows: list[str], head: str = "esiid,channel,start,kwh,status") -> Path:
    path = folder / "table.csv"
    path.write_text("\n".join([head, *rows]) + "\n", encoding="utf-8")
    return path


def day_rows(day: date, channel: int = 4) -> list[str]:
    starts = (datetime.fromtimestamp(day_start(day) + at * INTERVAL_S, UTC) for at in range(intervals_in(day)))
    return [f"{ESIID},{channel},{at.isoformat()},0.{100 + n},{'E' if n == 7 else 'A'}" for n, at in enumerate(starts)]


def test_a_scenario_s_world_posts_what_its_meters_hold(tmp_path: Path) -> None:
    scenario = load(SCENARIOS.named(Path(SCENARIO)))
    first = scenario.world.first_day
    done = made(SCENARIO, "--date", str(first + timedelta(days=1)), "--out", tmp_path)
    assert done.exit_code == 0, done.exception
    files = [read(path, path.name) for path in sorted(tmp_path.iterdir())]
    assert [file.findings for file in files] == [(), ()]
    world = build(scenario.world, scenario.seed)
    registers = {meter.identity.esiid: meter.midnight(first, day_start(first) + 86400 * 2) for meter in world.meters}
    for record in (one for one in files[0].records if one.channel is Channel.LOAD):
        begin = registers[record.esiid]
        assert begin is not None
        assert (record.day, record.start_reading_wh) == (first, begin[0])
        assert record.stop_reading_wh == begin[0] + int(record.wh.sum())


@pytest.mark.parametrize("day", ["2020-01-01", "2099-01-01"])
def test_a_day_that_the_world_has_not_is_a_users_error(day: str, tmp_path: Path) -> None:
    told = str(made(SCENARIO, "--date", day, "--out", tmp_path / "out").exception)
    assert told.startswith("lse.make.day: --date: The world begins on ")
    assert day in told


@pytest.mark.parametrize("day", [SPRING, date(2026, 8, 12), FALL])
def test_a_table_becomes_a_file_with_its_days(day: date, tmp_path: Path) -> None:
    rows = day_rows(day) + day_rows(day, 1)
    done = made(table(tmp_path, rows[::-1]), "--out", tmp_path / "out", "--duns", "957877905")
    assert done.exit_code == 0, done.exception
    (path,) = (tmp_path / "out").iterdir()
    assert path.name == f"957877905IntervalData{day + timedelta(days=1):%Y%m%d}073000001.lse"
    found = read(path, path.name)
    assert found.findings == ()
    assert [(one.channel, one.day, one.start_reading_wh) for one in found.records] == [
        (Channel.LOAD, day, None),
        (Channel.GENERATION, day, None),
    ]
    assert found.records[0].wh.tolist() == [100 + n for n in range(intervals_in(day))]
    assert np.flatnonzero(found.records[0].estimated).tolist() == [7]


@pytest.mark.parametrize("unit", ["wh", "kwh"])
def test_registers_of_a_table_go_on_from_day_to_day_and_sum_to_its_intervals(unit: str, tmp_path: Path) -> None:
    days, lines, register = (SPRING, SPRING + timedelta(days=1)), [], 99_999_990_000
    for day in days:
        rows, start = day_rows(day), register
        register += sum(100 + n for n in range(len(rows)))
        told = [str(one) if unit == "wh" else f"{one / 1000:.3f}" for one in (start, register)]
        # The first row tells the start, and every one the stop.
        lines += [f"{row},{told[0] if n == 0 else ''},{told[1]}" for n, row in enumerate(rows)]
    path = table(tmp_path, lines, f"esiid,channel,start,kwh,status,start_{unit},stop_{unit}")
    assert made(path, "--out", tmp_path / "out").exit_code == 0
    (file,) = (tmp_path / "out").iterdir()
    checked = CliRunner().invoke(app, ["check", str(file), "--json"])
    assert (checked.exit_code, json.loads(checked.stdout)[0]["findings"]) == (0, [])
    first, second = read(file, file.name).records
    assert (first.start_reading_wh, first.stop_reading_wh) == (99_999_990_000, second.start_reading_wh)
    assert second.stop_reading_wh == register


@pytest.mark.parametrize(
    ("registers", "told"),
    [
        (
            ("1", "2"),
            "lse.make.registers: {}: ESI ID {} channel 4 2026-08-12: A register is 1 Wh in one row and 2 Wh in",
        ),
        (("1.5", "1"), "lse.make.table: {}: start_wh, stop_wh: '1.5' is no register of whole watt-hours"),
        (("-1", "1"), "lse.make.table: {}: start_wh, stop_wh: '-1' is no register"),
    ],
)
def test_registers_that_cannot_be_are_told(registers: tuple[str, str], told: str, tmp_path: Path) -> None:
    rows = day_rows(date(2026, 8, 12))
    lines = [f"{row},{registers[min(n, 1)]}" for n, row in enumerate(rows)]
    path = table(tmp_path, lines, "esiid,channel,start,kwh,status,stop_wh")
    assert str(made(path, "--out", tmp_path / "out").exception).startswith(told.format(path, ESIID))


@pytest.mark.parametrize(
    ("change", "code", "said"),
    [
        ((",4,", ",2,"), "lse.make.table", "'2' is neither 4 (load) nor 1 (generation)"),
        ((ESIID, "'" + ESIID), "lse.make.table", "is no ESI ID of 17 to 22 digits"),
        ((",A", ",a"), "lse.make.table", "'a' is neither A nor E"),
        (("0.100", "0.1005"), "lse.make.table", "'100.5' is no energy of whole watt-hours"),
        (("0.100", "-1"), "lse.make.table", "is no energy"),
        (("0.100", ""), "lse.make.table", "is no energy"),
        (("0.100", "much"), "lse.make", "kwh"),
        (("05:15:00", "05:16:00"), "lse.make.table", "is no quarter hour"),
        (("05:15:00+00:00", "05:15:00"), "lse.make", "is no time with an offset"),
        (("05:15:00", "05:00:00"), "lse.make.twice", "2026-08-12T00:00:00-05:00 comes twice"),
        (("2026-08-12T05:15:00", "2026-08-13T05:15:00"), "lse.make.not_a_full_day", "95 intervals, the day has 96"),
        (("status", "mark"), "lse.make", "There is no column 'status'"),
        (("kwh", "energy"), "lse.make", "There is neither a column 'wh' nor 'kwh'"),
    ],
)
def test_a_table_that_is_wrong_is_told_with_its_place(
    change: tuple[str, str], code: str, said: str, tmp_path: Path
) -> None:
    path = table(tmp_path, day_rows(date(2026, 8, 12)))
    path.write_text(path.read_text("utf-8").replace(*change, 1), encoding="utf-8")
    told = str(made(path, "--out", tmp_path / "out").exception)
    assert told.startswith(f"{code}: {path}")
    assert said in told


def test_an_empty_table_a_bad_duns_and_a_folder_that_is_none(tmp_path: Path) -> None:
    assert "There are no intervals" in str(made(table(tmp_path, []), "--out", tmp_path / "out").exception)
    path = table(tmp_path, day_rows(SPRING))
    assert "headend.lse.duns" in str(made(path, "--out", tmp_path / "out", "--duns", "1").exception)
    assert str(made(path, "--out", path).exception).startswith(f"lse.make.unwritable: {path}: It cannot be written")
    assert "lse.make: " in str(made(tmp_path / "none.csv", "--out", tmp_path / "out").exception)
