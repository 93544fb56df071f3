"""What is wrong with a file: each kind told with its line and mend, and all else of the file read."""

from __future__ import annotations

import zipfile
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from simulator.ror.errors import RorError
from simulator.ror.files import green_button
from simulator.ror.files.read import UsageFile, read_usage
from tests.simulator.ror.files.bent_files import bend
from tests.simulator.ror.files.test_read import PREMISES, SEED
from tests.simulator.ror.files.written import csv_of, days_of, feed_of, lse_of

#: Of an ordinary day, of that in spring that lacks 02:00, of that in autumn that has 01:00 twice.
DAYS = [days_of(PREMISES[0], day, day, SEED) for day in (date(2026, 8, 3), date(2026, 3, 8), date(2025, 11, 2))]
ORDINARY, SPRING, AUTUMN = (csv_of(day).decode().splitlines() for day in DAYS)
#: Line 7 of the ordinary day.
ROW = "10443729904759659,08/03/2026,08/04/2026 07:40:00, 01:15, 01:30,0.1,A,Consumption"


def read(folder: Path, lines: list[str], name: str = "usage.csv") -> UsageFile:
    path = folder / name
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return read_usage(path)


def refused(path: Path, esiid: str = "") -> RorError:
    with pytest.raises(RorError) as error:
        read_usage(path, esiid)
    assert error.value.mend
    assert path.name in error.value.place
    return error.value


def row(**cells: str) -> str:
    names = ORDINARY[0].split(",")
    values = dict(zip(names, ORDINARY[6].split(","), strict=True)) | cells
    return ",".join(values.values())


def test_the_row_that_is_spoilt_is_a_row_of_the_file() -> None:
    assert row() == ORDINARY[6]
    assert ", 01:15, 01:30," in row()


#: What line 7 becomes, and how it is told.
SPOILT = {
    "esiid": row(ESIID="1044"),
    "kind": row(CONSUMPTION_SURPLUSGENERATION="Import"),
    "date": row(USAGE_DATE="13/03/2026"),
    "time": row(USAGE_START_TIME=" 01:75"),
    "revision": row(REVISION_DATE="yesterday"),
    "number": row(USAGE_KWH="0,1".replace(",", " ")),
    "negative": row(USAGE_KWH="-0.25"),
    "too_much": row(USAGE_KWH="12000"),
    "quarter": row(USAGE_END_TIME=" 02:15"),
    "columns": row()[:40],
}


@pytest.mark.parametrize("code", SPOILT)
def test_a_spoilt_row_is_left_out_and_told_by_its_line(tmp_path: Path, code: str) -> None:
    found = read(tmp_path, [*ORDINARY[:6], SPOILT[code], *ORDINARY[7:]])
    told = {one.code: one for one in found.found}
    assert set(told) == {f"ror.file.{code}", "ror.file.gap"}
    assert (told[f"ror.file.{code}"].place, told[f"ror.file.{code}"].count) == ("usage.csv:7", 1)
    assert told[f"ror.file.{code}"].left_out
    assert all(one.mend.endswith(".") and one.message.endswith(".") for one in found.found)
    assert "Left out." in str(told[f"ror.file.{code}"])
    sound = DAYS[0][0].wh.tolist()
    assert found.record.wh.tolist() == [*sound[:5], *sound[6:]]
    assert (found.left_out, len(found.to_dict()["found"])) == (1, 2)


@pytest.mark.parametrize(
    "text", ["", "-", ".", "1e3", "nan", "inf", "0x1", "1_0", "٣", "1.2.3", "--1", "-+1", "0.1 kWh", "'0.1", "9" * 30]
)
def test_what_is_no_number_is_none(tmp_path: Path, text: str) -> None:
    found = read(tmp_path, [*ORDINARY[:6], row(USAGE_KWH=text), *ORDINARY[7:]])
    assert found.found[0].code == "ror.file.number"


@pytest.mark.parametrize(("text", "wh"), [("+0.25", 250), (".25", 250), ("0.2504", 250), ("1.", 1000), ("-0.000", 0)])
def test_a_number_may_be_written_in_other_ways(tmp_path: Path, text: str, wh: int) -> None:
    assert read(tmp_path, [*ORDINARY[:6], row(USAGE_KWH=text), *ORDINARY[7:]]).record.wh[5] == wh


@pytest.mark.parametrize(
    ("day", "start", "end"),
    [("2026-08-03", "1:15", "1:30 AM"), ("8/3/2026", "01:15:00", "01:30:00"), ("08/03/2026", "1:15 am", "1:30AM")],
)
def test_days_and_times_may_be_written_in_other_ways(tmp_path: Path, day: str, start: str, end: str) -> None:
    mine = row(USAGE_DATE=day, USAGE_START_TIME=start, USAGE_END_TIME=end)
    assert read(tmp_path, [*ORDINARY[:6], mine, *ORDINARY[7:]]).found == ()


def test_afternoon_is_twelve_hours_later(tmp_path: Path) -> None:
    mine = row(USAGE_START_TIME="12:15 PM", USAGE_END_TIME="12:30 PM", USAGE_KWH="0.001")
    assert read(tmp_path, [mine if ", 12:15, " in one else one for one in ORDINARY]).record.wh[49] == 1


@pytest.mark.parametrize("clock", ["24:15", "13:00 PM", "0:00 AM", "25:00", "noon"])
def test_what_is_no_time_of_day_is_none(tmp_path: Path, clock: str) -> None:
    found = read(tmp_path, [*ORDINARY[:6], row(USAGE_START_TIME=clock), *ORDINARY[7:]])
    assert found.found[0].code == "ror.file.time"


def test_the_same_value_again_counts_once(tmp_path: Path) -> None:
    found = read(tmp_path, [*ORDINARY[:7], ORDINARY[6], *ORDINARY[7:]])
    assert [(one.code, one.place) for one in found.found] == [("ror.file.twice", "usage.csv:8")]
    assert found.record.wh.tolist() == DAYS[0][0].wh.tolist()


@pytest.mark.parametrize("other", [row(USAGE_KWH="9.0"), row(ESTIMATED_ACTUAL="E")])
def test_of_two_values_that_nothing_tells_apart_neither_is_taken(tmp_path: Path, other: str) -> None:
    found = read(tmp_path, [*ORDINARY[:7], other, *ORDINARY[7:]])
    told = found.found[0]
    assert (told.code, told.place, told.count) == ("ror.file.differs", "usage.csv:8", 1)
    assert "line 7" in told.message
    assert len(found.record.ends) == 95


def test_a_flag_that_is_none_makes_an_estimate(tmp_path: Path) -> None:
    found = read(tmp_path, [*ORDINARY[:6], row(ESTIMATED_ACTUAL="X"), *ORDINARY[7:]])
    assert [(one.code, one.left_out) for one in found.found] == [("ror.file.flag", False)]
    assert found.record.quality.tolist() == [int(at == 5) for at in range(96)]


def test_a_file_may_lack_revisions_and_flags(tmp_path: Path) -> None:
    kept = [",".join(cell for at, cell in enumerate(one.split(",")) if at not in (2, 6)) for one in ORDINARY]
    assert read(tmp_path, kept).record.wh.tolist() == DAYS[0][0].wh.tolist()


def test_an_hour_that_spring_goes_over_has_no_energy(tmp_path: Path) -> None:
    skipped = [one.replace(", 03:", ", 02:") for one in SPRING if one.count(", 03:") == 2][:3]
    found = read(tmp_path, [*SPRING, *skipped])
    assert [(one.code, one.count, one.place) for one in found.found] == [("ror.file.skipped", 3, "usage.csv:94")]
    assert len(found.record.ends) == 92


def test_the_repeated_hour_that_is_there_once_leaves_a_hole(tmp_path: Path) -> None:
    found = read(tmp_path, [*AUTUMN[:9], *AUTUMN[13:]])
    assert [one.code for one in found.found] == ["ror.file.gap"]
    assert "4 quarter hours" in found.found[0].message
    assert len(found.record.ends) == 96


def test_rows_by_the_hour_are_told_as_such(tmp_path: Path) -> None:
    hourly = [
        ORDINARY[0],
        *(row(USAGE_START_TIME=f" {at:02d}:00", USAGE_END_TIME=f" {at + 1:02d}:00") for at in range(23)),
    ]
    (tmp_path / "usage.csv").write_text("\n".join(hourly))
    error = refused(tmp_path / "usage.csv")
    assert error.code == "ror.file.nothing"
    assert (
        "ror.file.quarter: usage.csv:2: 00:00 to 01:00 is no quarter hour. (23 of them, the first told)"
        in error.message
    )


def test_generation_beside_no_consumption_is_left_out(tmp_path: Path) -> None:
    given = row(CONSUMPTION_SURPLUSGENERATION="surplus generation", USAGE_DATE="08/02/2026")
    found = read(tmp_path, [*ORDINARY, given])
    assert [one.code for one in found.found] == ["ror.file.generation_alone"]
    assert not found.record.given.any()


def test_more_than_a_home_takes_is_marked_and_kept(tmp_path: Path) -> None:
    found = read(tmp_path, [*ORDINARY[:6], row(USAGE_KWH="859"), *ORDINARY[7:]])
    assert [(one.code, one.left_out) for one in found.found] == [("ror.file.doubtful", False)]
    assert found.record.wh[5] == 859_000


#: Contents of which nothing can be read.
USELESS: dict[str, bytes] = {
    "empty": b" \n \n",
    "form": b"date,kwh\n2026-08-03,1\n",
    "header": b"ESIID,USAGE_DATE,USAGE_START_TIME,USAGE_END_TIME,USAGE_KWH\n",
    "header with a column twice": f"{ORDINARY[0]},USAGE_KWH\n{ORDINARY[1]},9.9\n".encode(),
    "nothing": ORDINARY[0].encode(),
    "encoding": "\n".join(ORDINARY).encode("utf-16"),
    "encoding of a feed": b'<?xml version="1.0" encoding="ut9-8"?><feed/>',
    "no_readings": b"<html><body>Access Denied</body></html>",
}


@pytest.mark.parametrize("code", USELESS)
def test_a_file_of_which_nothing_can_be_read_is_refused(tmp_path: Path, code: str) -> None:
    (tmp_path / "mine").write_bytes(USELESS[code])
    assert refused(tmp_path / "mine").code == f"ror.file.{code.split()[0]}"


def test_an_archive_a_folder_and_what_is_not_there_are_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "usage.zip", "w") as archive:
        archive.writestr("usage.csv", "x")
    assert refused(tmp_path / "usage.zip").code == "ror.file.packed"
    (tmp_path / "folder").mkdir()
    for name in ("folder", "absent.csv"):
        assert refused(tmp_path / name).code == "ror.file.unreadable"


def test_several_esiids_are_named_and_one_that_is_not_there_too(tmp_path: Path) -> None:
    both = [days_of(one, date(2026, 8, 3), date(2026, 8, 3), SEED)[0] for one in PREMISES[:2]]
    path = tmp_path / "usage.csv"
    path.write_bytes(csv_of(both))
    error = refused(path)
    assert error.code == "ror.file.esiids"
    assert all(f"{one.esiid} (96 values)" in error.message for one in both)
    assert "--esiid" in error.mend
    assert refused(path, "10443720000000017").code == "ror.file.esiid"


def test_of_very_many_esiids_some_are_named(tmp_path: Path) -> None:
    rows = [row(ESIID=f"{10**16 + at}") for at in range(1_500)]
    path = tmp_path / "usage.csv"
    path.write_text("\n".join([ORDINARY[0], *rows]))
    assert refused(path).message.startswith("It has 1,000 ESI IDs: 10000000000000000 (1 values), ")


def test_a_feed_that_breaks_off_is_read_up_to_there(tmp_path: Path) -> None:
    whole = feed_of(days_of(PREMISES[0], date(2026, 8, 3), date(2026, 8, 5), SEED))
    (tmp_path / "usage.xml").write_bytes(whole[: int(len(whole) * 0.9)])
    found = read_usage(tmp_path / "usage.xml")
    assert [one.code for one in found.found] == ["ror.file.broken"]
    assert len(found.record.ends) == 192


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (b"<espi:uom>72<", b"<espi:uom>119<", "uom '119'"),
        (b"<espi:commodity>1<", b"<espi:commodity>7<", "commodity '7'"),
        (b"<espi:flowDirection>1<", b"<espi:flowDirection>4<", "direction '4'"),
        (b"<espi:powerOfTenMultiplier>0<", b"<espi:powerOfTenMultiplier>many<", "multiplier"),
        (b"<espi:ReadingType>", b"<espi:Other>", "no reading type"),
    ],
)
def test_a_feed_of_something_else_is_told(tmp_path: Path, old: bytes, new: bytes, words: str) -> None:
    whole = feed_of(days_of(PREMISES[0], date(2026, 8, 3), date(2026, 8, 3), SEED))
    ends = (old.replace(b"<", b"</"), new.replace(b"<", b"</")) if b"Type>" in old else (b"", b"")
    (tmp_path / "usage.xml").write_bytes(whole.replace(old, new).replace(*ends) if ends[0] else whole.replace(old, new))
    error = refused(tmp_path / "usage.xml")
    assert words in error.message
    assert "ror.file.reading_type: usage.xml:2: " in error.message


def test_more_readings_than_two_centuries_have_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(green_button, "_MOST_READINGS", 95)
    (tmp_path / "usage.xml").write_bytes(feed_of(DAYS[0]))
    assert refused(tmp_path / "usage.xml").code == "ror.file.too_many_readings"


def test_a_spoilt_lse_record_is_told_by_its_code(tmp_path: Path) -> None:
    stored = days_of(PREMISES[0], date(2026, 8, 3), date(2026, 8, 5), SEED)
    lines = lse_of(stored).split(b"\n")
    lines[4] = lines[4].replace(b",A,", b",Z,", 1)
    (tmp_path / "home.txt").write_bytes(b"\n".join(lines))
    found = read_usage(tmp_path / "home.txt")
    assert [(one.code, one.place) for one in found.found] == [("ror.file.lse_01", "home.txt:5")]
    assert len(found.record.ends) == 192


def test_energy_of_an_lse_record_that_no_customer_has_is_left_out(tmp_path: Path) -> None:
    stored = days_of(PREMISES[0], date(2026, 8, 3), date(2026, 8, 3), SEED)
    stored[0].wh[3] = 2_000_000_000
    (tmp_path / "home.lse").write_bytes(lse_of(stored))
    assert [one.code for one in read_usage(tmp_path / "home.lse").found] == ["ror.file.number", "ror.file.gap"]


def test_none_of_many_bent_files_ends_in_a_traceback(tmp_path: Path) -> None:
    found = bend(400, tmp_path)
    assert found.total() == 400
    assert found["read"] > 150
    assert len(found) > 5


def test_no_value_of_a_spoilt_copy_is_made_up(tmp_path: Path) -> None:
    """Whatever rows are struck, those that stay have the values that they had."""
    rng, sound = np.random.default_rng(5), DAYS[0][0].wh.tolist()
    kept = sorted(rng.choice(96, 60, replace=False).tolist())
    found = read(tmp_path, [ORDINARY[0], *(ORDINARY[1 + at] for at in kept)])
    assert found.record.wh.tolist() == [sound[at] for at in kept]
