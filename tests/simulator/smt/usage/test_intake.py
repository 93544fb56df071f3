"""What a posted file is answered: each record its code, the good ones kept whatever else is in the file."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from headend.lse.format import DayKey, Held
from headend.lse.writer import (
    RESULT_SUFFIX,
    LseRecord,
    ResultRow,
    dumps,
    file_name,
    read,
    read_result_csv,
)
from headend.vee.quality import Channel
from meters.calendar import Seconds, epoch
from simulator.smt.usage.intake import Decided, decide
from simulator.smt.usage.ror_files import Laid, UsageFiles
from simulator.smt.usage.site.folders import Homes
from tests.simulator.smt.rig import NEIGHBOUR, PLAIN, TDSP_DUNS, Nowhere, Rig, record

NOW = epoch("2026-08-12T07:30")
NAME = file_name(TDSP_DUNS, NOW, 1)
DAY = date(2026, 8, 11)


def decided(
    records: list[LseRecord] | bytes, name: str = NAME, held: Mapping[DayKey, Held] | None = None, now: Seconds = NOW
) -> Decided:
    content = records if isinstance(records, bytes) else dumps(records)
    return decide(read(content, name), TDSP_DUNS, lambda esiid: esiid in (PLAIN, NEIGHBOUR), held or {}, now)


def codes(result: Decided) -> list[str]:
    return [row.code for row in result.rows]


def test_good_records_are_loaded() -> None:
    result = decided([record(PLAIN, DAY, NOW), record(NEIGHBOUR, DAY, NOW)])
    assert codes(result) == ["00", "00"]
    assert [one.esiid for one in result.load] == [PLAIN, NEIGHBOUR]


def test_an_esiid_of_nobody_costs_its_record_alone() -> None:
    result = decided([record("99900000000099999", DAY, NOW), record(PLAIN, DAY, NOW)])
    assert codes(result) == ["01", "00"]
    assert result.rows[0].text == "ESI ID is not known for this TDSP"


def test_a_day_that_is_not_over_is_future_dated() -> None:
    assert codes(decided([record(PLAIN, date(2026, 8, 12), NOW)])) == ["04"]
    midnight = epoch("2026-08-12T00:00")
    assert codes(decided([record(PLAIN, DAY, midnight)], now=midnight)) == ["00"]


def test_a_record_stamped_in_the_future_does_not_stand_in_the_way_of_corrections() -> None:
    result = decided([record(PLAIN, DAY, NOW + 301), record(NEIGHBOUR, DAY, NOW + 300)])
    assert codes(result) == ["04", "00"]
    assert "timestamp lies ahead" in result.rows[0].text


@pytest.mark.parametrize(("posted_at", "code"), [(NOW - 1, "05"), (NOW, "00"), (NOW + 1, "00")])
def test_a_read_older_than_the_held_one_is_turned_away(posted_at: Seconds, code: str) -> None:
    held = {DayKey(PLAIN, Channel.LOAD, DAY): Held(1, NOW)}
    assert codes(decided([record(PLAIN, DAY, posted_at)], held=held)) == [code]


def test_within_a_file_too_an_older_read_of_a_day_and_channel_does_not_follow_a_newer_one() -> None:
    newer, older = record(PLAIN, DAY, NOW), record(PLAIN, DAY, NOW - 1)
    assert codes(decided([newer, older])) == ["00", "05"]
    assert codes(decided([older, newer])) == ["00", "00"]
    assert codes(decided([newer, record(PLAIN, DAY, NOW - 1, Channel.GENERATION)])) == ["00", "00"]


def test_a_truncated_file_loses_only_what_was_cut() -> None:
    content = dumps([record(PLAIN, DAY, NOW), record(NEIGHBOUR, DAY, NOW)])
    result = decided(content[:-40])
    assert codes(result) == ["00", "F2"]
    assert result.rows[1].esiid == NEIGHBOUR
    assert [one.esiid for one in result.load] == [PLAIN]


def test_a_bad_value_is_told_with_its_line() -> None:
    content = dumps([record(PLAIN, DAY, NOW)]).replace(b"10000000,0.100,A", b"10000000,-0.100,X", 1)
    result = decided(content + dumps([record(NEIGHBOUR, DAY, NOW)]))
    assert codes(result) == ["01", "00"]
    assert "(line 5); 1 more" in result.rows[0].text
    assert (result.rows[0].line, result.rows[1].line) == (1, 6)


@pytest.mark.parametrize(
    "name",
    [
        "9990000000002IntervalData20260812073000001.lse",
        f"{TDSP_DUNS}IntervalData.csv",
        f"{NAME}.csv",
        # A counter of two digits.
        NAME.replace("001.lse", "01.lse"),
    ],
)
def test_a_file_under_a_wrong_name_is_refused_whole(name: str) -> None:
    result = decided([record(PLAIN, DAY, NOW)], name)
    assert result.load == []
    assert set(codes(result)) == {"F2"}


def test_a_day_of_another_length_is_no_full_day() -> None:
    content = dumps([record(PLAIN, DAY, NOW)]).replace(b"20260811235900", b"20260811225900")
    assert codes(decided(content)) == ["03"]


def test_what_is_only_doubtful_costs_no_record() -> None:
    (row,) = decided(dumps([record(PLAIN, DAY, NOW)]).replace(b",M\n", b",X\n")).rows
    assert (row.code, row.warnings) == ("00", "origin: 'X' should be M (line 4)")


def test_warnings_of_a_record_are_told_up_to_a_bound_and_those_of_the_file_in_its_first_row() -> None:
    content = dumps([record(PLAIN, DAY, NOW), record(NEIGHBOUR, DAY, NOW)])
    head, intervals = content.rsplit(b"10000000,", 1)
    triplets = intervals.strip().split(b",")
    rows = [b"10000000," + b",".join(triplets[at : at + 18]) for at in range(0, len(triplets), 18)]
    first, second = decided(b"\xef\xbb\xbf" + head + b"\n".join(rows) + b"\n").rows
    assert (first.code, first.warnings) == ("00", "file: a byte order mark is left out")
    assert second.code == "00"
    assert second.warnings.startswith("sort code: 10000000 does not ascend (line 11); sort code: ")
    assert second.warnings.endswith("; 12 more")


async def test_the_sender_is_told_in_the_result_file_what_is_doubtful(tmp_path: Path) -> None:
    """The same octets again under another name; then a day that does not begin where the one before it stopped."""
    homes = Homes(tmp_path / "ftps", ["wires"])
    later = NOW + 86400
    async with Rig(tmp_path, now="2026-08-12T07:30", folders=homes) as rig:

        def told(name: str, content: bytes, at: Seconds) -> list[ResultRow]:
            rig.smt.intake.take_in("wires", name, content, at)
            return read_result_csv((homes.home("wires") / f"{name}{RESULT_SUFFIX}").read_bytes())

        content = dumps([record(PLAIN, DAY, NOW)])
        (row,) = told(NAME, content, NOW)
        assert (row.code, row.warnings) == ("00", "")
        (row,) = told(NAME, content, NOW)
        assert row.warnings == "record: it is held already, with the same timestamp"
        (row,) = told(file_name(TDSP_DUNS, NOW, 2), content, later)
        same = f"file: the same octets were posted as {NAME} at 2026-08-12T07:30:00-05:00"
        assert row.code == "00"
        assert row.warnings == f"{same}; record: it is held already, with the same timestamp"
        next_day = replace(record(PLAIN, date(2026, 8, 12), later), start_reading_wh=1, stop_reading_wh=9_601)
        (row,) = told(file_name(TDSP_DUNS, later, 1), dumps([next_day]), later)
        assert row.warnings == "start reading: it is 0.001 kWh, where 2026-08-11 stopped at 3140.800"


async def test_a_tdsp_posts_for_its_own_service_points_alone(tmp_path: Path) -> None:
    async with Rig(tmp_path, now="2026-08-12T07:30") as rig:
        points = rig.smt.registry.points
        points[NEIGHBOUR] = replace(points[NEIGHBOUR], tdsp_key="inland")
        content = dumps([record(PLAIN, DAY, NOW), record(NEIGHBOUR, DAY, NOW)])
        taken = rig.smt.intake.take_in("wires", NAME, content, NOW)
    assert [(row.esiid, row.code) for row in taken.rows] == [(PLAIN, "00"), (NEIGHBOUR, "01")]


async def test_an_intake_that_cannot_answer_is_told_and_the_rest_goes_on(tmp_path: Path) -> None:
    class Full(Nowhere):
        def put(self, username: str, name: str, content: bytes) -> None:
            raise OSError("no space")

    async with Rig(tmp_path, now="2026-08-12T07:30", folders=Full()) as rig:
        (tmp_path / NAME).write_bytes(dumps([record(PLAIN, DAY, NOW)]))
        rig.smt.intake.on_file("wires", tmp_path / NAME)
        rig.smt.intake.on_file("lonestar.api", tmp_path / NAME)
        await rig.wait(60)
    assert rig.notes.of("intake failed") == [{"reason": "OSError"}]
    assert rig.runtime.now() == NOW + 60


async def test_who_closes_smt_waits_for_what_is_at_work_on_its_database_and_lets_nothing_begin_after(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_it, go_on, done = threading.Event(), threading.Event(), list[str]()

    def slow(*_: object) -> list[Laid]:
        at_it.set()
        assert go_on.wait(30)
        done.append("laid")
        return []

    monkeypatch.setattr(UsageFiles, "lay", slow)
    async with Rig(tmp_path, now="2026-08-12T07:30", folders=Nowhere()) as rig:
        intake = rig.smt.intake
        intake.make_up()
        going = asyncio.ensure_future(rig.wait(60))
        await asyncio.to_thread(at_it.wait, 30)
        closing = asyncio.ensure_future(asyncio.to_thread(intake.close))
        intake.make_up()
        # Who does not wait is there at once.
        _, waits = await asyncio.wait({closing}, timeout=0.2)
        assert waits == {closing}
        assert done == []
        go_on.set()
        await asyncio.gather(closing, going, return_exceptions=True)
        assert done == ["laid"]
