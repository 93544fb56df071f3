from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest
import sqlalchemy as sa

from headend.ports import (
    HeadEndError,
    MeterAddress,
    MeterKey,
    MeterReading,
    MeterRecords,
    PowerReading,
    RegisterSnapshot,
)
from headend.store.migrations import MIGRATIONS
from headend.store.store import HeadEndStore, PostedFile
from headend.store.told import MeterTold, header_of
from headend.vee.quality import Channel
from meters.calendar import INTERVAL_S, Seconds, day_end, epoch, intervals_in, seconds
from meters.events import EventKind, MeterEvent
from meters.status import Common, Condition, status_word
from tests.headend.store.readings import DAY, ESIID, METER, MIDNIGHT, OTHER, OTHER_METER, reading


def test_empty_store_misses_the_first_interval(store: HeadEndStore) -> None:
    assert store.first_missing(METER, MIDNIGHT, MIDNIGHT + 3600) == MIDNIGHT
    assert store.reaches_to(ESIID, MIDNIGHT) == MIDNIGHT
    assert len(store.window(ESIID, MIDNIGHT, MIDNIGHT + 3600).ends) == 0


def test_sweeps_to_16_00_then_a_read_at_17_40_fill_the_gap(store: HeadEndStore) -> None:
    for hour in range(0, 16, 4):
        begin = MIDNIGHT + hour * 3600
        store.keep([reading(begin, [100] * 16)], begin + 4 * 3600 + 30, "sweep")
    end = epoch("2026-08-12T17:30")
    swept = epoch("2026-08-12T16:00")
    assert store.first_missing(METER, MIDNIGHT, end) == swept
    assert store.reaches_to(ESIID, MIDNIGHT) == swept
    read_at = epoch("2026-08-12T17:40:21")
    store.keep([reading(swept, [200] * 6)], read_at, "meter")
    assert store.first_missing(METER, MIDNIGHT, end) is None
    window = store.window(ESIID, MIDNIGHT, end)
    assert len(window.ends) == 70
    assert window.ends[[0, -1]].tolist() == [MIDNIGHT + INTERVAL_S, end]
    assert window.wh.tolist() == [100] * 64 + [200] * 6
    assert window.on_demand.tolist() == [False] * 64 + [True] * 6
    assert set(window.collected_at[64:].tolist()) == {read_at}
    assert window.collected_at[0] == MIDNIGHT + 4 * 3600 + 30
    assert store.first_missing(METER, MIDNIGHT, end + INTERVAL_S) == end


def test_interval_that_the_meter_has_no_value_for_is_known_and_not_present(store: HeadEndStore) -> None:
    store.keep([reading(MIDNIGHT, [100, None, 300])], MIDNIGHT + 3600, "sweep")
    assert store.first_missing(METER, MIDNIGHT, MIDNIGHT + 3 * INTERVAL_S) is None
    window = store.window(ESIID, MIDNIGHT, MIDNIGHT + 3600)
    assert window.present.tolist() == [True, False, True]
    assert window.wh.tolist() == [100, 0, 300]
    assert window.status.tolist() == [0, status_word(0, Condition.SKIPPED), 0]


def test_hole_between_two_reads_is_the_first_missing(store: HeadEndStore) -> None:
    store.keep([reading(MIDNIGHT, [1, 2])], MIDNIGHT + 3600, "sweep")
    store.keep([reading(MIDNIGHT + 3600, [5])], MIDNIGHT + 7200, "sweep")
    assert store.first_missing(METER, MIDNIGHT, MIDNIGHT + 7200) == MIDNIGHT + 2 * INTERVAL_S
    assert store.reaches_to(ESIID, MIDNIGHT) == MIDNIGHT + 2 * INTERVAL_S
    assert store.window(ESIID, MIDNIGHT, MIDNIGHT + 7200).wh.tolist() == [1, 2, 5]


def test_value_is_never_replaced_by_none_and_a_later_value_replaces(store: HeadEndStore) -> None:
    store.keep([reading(MIDNIGHT, [100, None, 300, 400])], MIDNIGHT + 3600, "sweep")
    store.keep([reading(MIDNIGHT, [None, 200, 333, 400])], MIDNIGHT + 7200, "meter")
    window = store.window(ESIID, MIDNIGHT, MIDNIGHT + 3600)
    assert window.wh.tolist() == [100, 200, 333, 400]
    assert window.present.all()
    assert (window.collected_at - MIDNIGHT).tolist() == [3600, 7200, 7200, 3600]
    assert window.on_demand.tolist() == [False, True, True, False]


def test_earlier_collection_that_comes_in_late_replaces_no_value(store: HeadEndStore) -> None:
    store.keep([reading(MIDNIGHT, [100])], MIDNIGHT + 7200, "sweep")
    store.keep([reading(MIDNIGHT, [50])], MIDNIGHT + 3600, "sweep")
    assert store.window(ESIID, MIDNIGHT, MIDNIGHT + 900).wh.tolist() == [100]


def test_both_channels_are_kept(store: HeadEndStore) -> None:
    store.keep([reading(MIDNIGHT, [100, 200])], MIDNIGHT + 3600, "sweep")
    assert store.window(ESIID, MIDNIGHT, MIDNIGHT + 3600, Channel.GENERATION).wh.tolist() == [10, 20]


@pytest.mark.parametrize("day", [date(2026, 3, 8), date(2026, 11, 1)])
def test_reading_over_midnight_of_a_dst_day_falls_into_both_days(store: HeadEndStore, day: date) -> None:
    start = day_end(day) - 4 * INTERVAL_S
    store.keep([reading(start, [1, 2, 3, 4, 5, 6])], start + 7200, "sweep")
    assert store.window(ESIID, start, start + 6 * INTERVAL_S).wh.tolist() == [1, 2, 3, 4, 5, 6]
    assert store.reaches_to(ESIID, start) == start + 6 * INTERVAL_S
    block = store.day([ESIID], day)
    assert block.delivered.shape == (1, intervals_in(day))
    assert block.delivered[0, -4:].tolist() == [1, 2, 3, 4]
    assert np.flatnonzero(block.present[0]).tolist() == list(range(intervals_in(day) - 4, intervals_in(day)))
    assert store.day([ESIID], day + timedelta(days=1)).delivered[0, :3].tolist() == [5, 6, 0]


def test_run_of_known_intervals_reaches_over_days(store: HeadEndStore) -> None:
    store.keep([reading(MIDNIGHT, [7] * (96 * 2 + 10))], MIDNIGHT + 3 * 86_400, "sweep")
    assert store.reaches_to(ESIID, MIDNIGHT) == MIDNIGHT + 202 * INTERVAL_S


def test_several_readings_of_one_meter_in_one_batch_are_merged(store: HeadEndStore) -> None:
    store.keep([reading(MIDNIGHT, [1]), reading(MIDNIGHT + INTERVAL_S, [2])], MIDNIGHT + 3600, "sweep")
    assert store.window(ESIID, MIDNIGHT, MIDNIGHT + 3600).wh.tolist() == [1, 2]


def test_empty_reading_and_no_reading_keep_nothing(store: HeadEndStore) -> None:
    store.keep([], MIDNIGHT, "sweep")
    store.keep([reading(MIDNIGHT, [])], MIDNIGHT, "sweep")
    assert store.first_missing(METER, MIDNIGHT, MIDNIGHT) is None
    assert store.first_missing(METER, MIDNIGHT, MIDNIGHT + 900) == MIDNIGHT


def test_reading_off_the_interval_edge_is_refused_whole(store: HeadEndStore) -> None:
    with pytest.raises(HeadEndError) as raised:
        store.keep([reading(MIDNIGHT, [1]), reading(MIDNIGHT + 1, [1], OTHER)], MIDNIGHT + 900, "sweep")
    assert raised.value.code == "headend.store.not_aligned"
    assert store.first_missing(METER, MIDNIGHT, MIDNIGHT + 900) == MIDNIGHT


def test_day_block_holds_rows_in_the_order_asked_for_with_registers(store: HeadEndStore) -> None:
    flagged = status_word(Common.POWER_FAIL, Condition.OK)
    store.keep([reading(MIDNIGHT, [100, None], status=flagged)], MIDNIGHT + 3600, "sweep")
    store.keep_snapshots(
        [RegisterSnapshot(ESIID, "", MIDNIGHT, 5_000_000_000, 7), RegisterSnapshot(OTHER, "", day_end(DAY), 9, 8)]
    )
    store.keep_snapshots([RegisterSnapshot(OTHER, "", day_end(DAY), 10, 8)])
    block = store.day([OTHER, ESIID], DAY)
    assert block.meters == (OTHER_METER, METER)
    assert block.delivered[:, :2].tolist() == [[0, 0], [100, 0]]
    assert block.received[:, :2].tolist() == [[0, 0], [10, 0]]
    assert block.present[:, :2].tolist() == [[False, False], [True, False]]
    assert block.status[1, 0] == flagged
    assert block.have_r0.tolist() == [False, True]
    assert block.have_r1.tolist() == [True, False]
    assert block.delivered_r0[1] == 5_000_000_000
    assert (block.delivered_r1[0], block.received_r1[0]) == (10, 8)


def test_store_is_there_again_after_closing(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'headend.sqlite'}"
    first = HeadEndStore(url)
    first.keep([reading(MIDNIGHT, [1])], MIDNIGHT + 900, "sweep")
    first.close()
    second = HeadEndStore(url)
    assert second.window(ESIID, MIDNIGHT, MIDNIGHT + 900).wh.tolist() == [1]
    second.close()


@pytest.mark.parametrize("kind", ["file", "memory"])
def test_threads_share_the_store(tmp_path: Path, kind: str) -> None:
    shared = HeadEndStore("sqlite://" if kind == "memory" else f"sqlite:///{tmp_path / 'headend.sqlite'}")

    def collect(number: int) -> int | None:
        esiid = f"1044372000000{number:04d}"
        for quarter in range(8):
            begin = MIDNIGHT + quarter * INTERVAL_S
            # Every thread also writes to the day that all share.
            readings = [reading(begin, [number], esiid), reading(MIDNIGHT + (number * 8 + quarter) * INTERVAL_S, [7])]
            shared.keep(readings, begin + 900, "sweep")
        return shared.first_missing(MeterKey(esiid, ""), MIDNIGHT, MIDNIGHT + 8 * INTERVAL_S)

    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(collect, range(4))) == [None] * 4
    assert shared.window(ESIID, MIDNIGHT, day_end(DAY)).wh.tolist() == [7] * 32
    shared.close()


def test_database_that_cannot_be_opened_is_a_user_error(tmp_path: Path) -> None:
    for url in (f"sqlite:///{tmp_path / 'no' / 'folder.sqlite'}", "no such thing"):
        with pytest.raises(HeadEndError) as raised:
            HeadEndStore(url)
        assert raised.value.code == "headend.store.unusable"


def test_database_of_a_later_program_is_refused(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'headend.sqlite'}"
    HeadEndStore(url).close()
    with sa.create_engine(url, poolclass=sa.NullPool).begin() as connection:
        connection.execute(sa.text(f"INSERT INTO schema_version VALUES ({MIGRATIONS[-1].version + 1}, 0, 'later')"))
    with pytest.raises(HeadEndError) as refused:
        HeadEndStore(url)
    assert (refused.value.code, refused.value.place) == ("headend.store.newer", url)
    assert refused.value.mend == "Use the program that made it, or give another database."


def test_postgresql_without_its_driver_is_one_line_that_names_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(
        HeadEndError, match=r"^headend\.store\.unusable: host/name: .*psycopg.*'ami-testbed\[postgres\]'\.$"
    ):
        HeadEndStore("postgresql+psycopg://me:hush@host/name")


def test_posted_files_are_remembered_once(store: HeadEndStore) -> None:
    posted = PostedFile("1039940674000IntervalData20260813073000001.lse", DAY, epoch("2026-08-13T07:30"), 80)
    store.partitions.begin(DAY, [ESIID], 1, posted.posted_at)
    named = store.partitions.named(store.partitions.of_day(DAY)[0], posted.name, posted.posted_at)
    store.partitions.posted(named, posted.posted_at, posted.records)
    assert store.posted_files() == [posted]
    with pytest.raises(HeadEndError) as raised:
        store.partitions.posted(named, posted.posted_at, posted.records)
    assert raised.value.code == "headend.store.posted_twice"


# -- two meters at an ESI ID, and two that follow each other -------------------------------------------------------


def _told(number: str, start: Seconds, wh: list[int | None]) -> MeterReading:
    return replace(reading(start, wh), meter_number=number)


def test_what_an_esi_id_used_is_known_when_all_its_meters_have_told_it() -> None:
    first, second = (MeterAddress(ESIID, number, "h", 1, 1, 1, 0) for number in "12")
    store = HeadEndStore("sqlite://", MeterRecords([first, second]))
    later, end = MIDNIGHT + 2 * INTERVAL_S, MIDNIGHT + 4 * INTERVAL_S
    store.keep([_told("1", MIDNIGHT, [100, 110, None, 130])], end, "sweep")
    assert (store.first_missing(first.key, MIDNIGHT, end), store.reaches_to(ESIID, MIDNIGHT)) == (None, MIDNIGHT)
    assert store.window(ESIID, MIDNIGHT, end).wh.tolist() == []
    store.keep([_told("2", MIDNIGHT, [7, 8])], end + 60, "meter")
    store.keep([_told("2", later, [9])], end + 90, "sweep")
    window = store.window(ESIID, MIDNIGHT, end)
    assert (window.wh.tolist(), window.present.tolist()) == ([107, 118, 9], [True, True, False])
    assert window.collected_at.tolist() == [end + 60, end + 60, end + 90]
    assert window.on_demand.tolist() == [True, True, False]
    assert store.reaches_to(ESIID, MIDNIGHT) == MIDNIGHT + 3 * INTERVAL_S
    assert store.window(ESIID, MIDNIGHT, end, Channel.GENERATION).wh.tolist() == [10, 11, 0]
    block = store.day([ESIID], DAY)
    assert block.meters == (first.key, second.key)
    assert block.delivered[:, :4].tolist() == [[100, 110, 0, 130], [7, 8, 9, 0]]
    store.close()


def test_meters_that_follow_each_other_at_a_place_are_one_row_of_what_either_told() -> None:
    exchanged = MeterAddress(ESIID, "1", "h", 1, 1, 1, 0, ((day_end(DAY), "3"),))
    beside = MeterAddress(ESIID, "2", "h", 1, 2, 1, 0)
    store = HeadEndStore("sqlite://", MeterRecords([exchanged, beside]))
    store.keep([_told("1", MIDNIGHT, [100, 110])], MIDNIGHT + 3600, "sweep")
    # The one that comes has no value of the time before it.
    store.keep([_told("3", MIDNIGHT, [None, None, 5, 6]), _told("2", MIDNIGHT, [1, 1, 1, 1])], day_end(DAY), "sweep")
    # One that no record names may have been at either.
    store.keep([_told("0", MIDNIGHT, [40, 40, 40, 40, 8])], day_end(DAY), "sweep")
    store.events.keep([MeterEvent(MIDNIGHT, ESIID, "0", EventKind.LAST_GASP)], MIDNIGHT)
    assert store.window(ESIID, MIDNIGHT, MIDNIGHT + 4 * INTERVAL_S).wh.tolist() == [101, 111, 6, 7]
    block = store.day([ESIID], DAY)
    assert block.meters == (exchanged.key, beside.key)
    assert block.delivered[:, :5].tolist() == [[100, 110, 5, 6, 0], [1, 1, 1, 1, 0]]
    assert store.collected.reach([ESIID], MIDNIGHT).intervals == {
        exchanged.key: MIDNIGHT + 4 * INTERVAL_S,
        beside.key: MIDNIGHT + 4 * INTERVAL_S,
    }
    store.keep_snapshots(
        [
            RegisterSnapshot(ESIID, "1", MIDNIGHT, 9, 1),
            RegisterSnapshot(ESIID, "3", day_end(DAY), 4, 2),
            RegisterSnapshot(ESIID, "0", day_end(DAY), 70, 70),
        ],
        day_end(DAY),
    )
    assert not store.events.latest().last_gasp
    assert not store.events.over([ESIID], MIDNIGHT, day_end(DAY))
    assert set(store.states.changed_since(DAY, MIDNIGHT)) == set(block.meters)
    registers = store.day([ESIID], DAY)
    assert (registers.delivered_r0.tolist(), registers.delivered_r1.tolist()) == ([9, 0], [4, 0])
    assert (registers.have_r0.tolist(), registers.have_r1.tolist()) == ([True, False], [True, False])
    store.close()


def test_headers_of_a_day_are_its_worst_clock_the_last_multiplier_and_any_other_number(store: HeadEndStore) -> None:
    noon = MIDNIGHT + 12 * 3600
    store.told.keep([(METER, MeterTold(seconds(-7), 10, dials=5)), (OTHER_METER, MeterTold(seconds(1), 1))], noon)
    store.told.keep([(METER, MeterTold(other_number="900000099"))], noon)
    store.told.keep([(METER, MeterTold(seconds(3), 1, seconds(1800), dials=6))], MIDNIGHT + 86_399)
    store.told.keep([(METER, MeterTold(seconds(400), 1))], MIDNIGHT + 86_400)
    store.told.keep([], noon)
    of_day = {METER: MeterTold(seconds(-7), 1, seconds(1800), "900000099", 6), OTHER_METER: MeterTold(seconds(1), 1)}
    assert store.told.of([ESIID, OTHER], DAY) == of_day
    assert store.told.of([ESIID], DAY + timedelta(days=1)) == {METER: MeterTold(seconds(400), 1)}


@pytest.mark.parametrize(("shown", "error"), [(100, 0), (107, 0), (99, -1), (110, 3), (40, -60)])
def test_a_clock_is_wrong_only_by_what_the_read_did_not_take(shown: int, error: int) -> None:
    answered = PowerReading(ESIID, seconds(shown), 240.0, True, 10, dials=5)
    assert header_of(answered, seconds(100), seconds(107)) == MeterTold(seconds(error), 10, dials=5)


def test_values_that_came_again_and_differ_are_counted_whichever_is_kept(store: HeadEndStore) -> None:
    store.keep([reading(MIDNIGHT, [100, 200, 300, None])], MIDNIGHT + 7200, "sweep")
    # The same, a value where there was none, and none where there was a value are no other values.
    store.keep([reading(MIDNIGHT, [100, None, 300, 400])], MIDNIGHT + 7300, "sweep")
    assert store.day([ESIID], DAY).repeated == [0]
    store.keep([reading(MIDNIGHT, [101, 200, 300, 400])], MIDNIGHT + 7400, "meter")
    store.keep([reading(MIDNIGHT, [101, 201, 300, 400])], MIDNIGHT + 100, "sweep")
    store.keep([reading(MIDNIGHT, [101, 200, 300, 400])], MIDNIGHT + 7500, "sweep")
    block = store.day([ESIID], DAY)
    assert block.delivered[0, :4].tolist() == [101, 200, 300, 400]
    assert block.repeated == [2]


def _asked(store: HeadEndStore) -> list[str]:
    """What is asked of the store's database from here on."""
    said: list[str] = []
    sa.event.listen(
        store._database.engine, "before_cursor_execute", lambda _c, _u, statement, *_: said.append(statement.split()[0])
    )
    return said


def test_days_are_read_once_until_one_is_written_and_shown_as_they_are_then(store: HeadEndStore) -> None:
    store.keep([reading(MIDNIGHT, [100, 200])], MIDNIGHT + 3600, "sweep")
    said = _asked(store)
    for _ in range(2):
        assert store.first_missing(METER, MIDNIGHT, MIDNIGHT + 3600) == MIDNIGHT + 1800
        assert store.reaches_to(ESIID, MIDNIGHT) == MIDNIGHT + 1800
        assert store.window(ESIID, MIDNIGHT, MIDNIGHT + 3600).wh.tolist() == [100, 200]
    assert said == ["SELECT"]
    store.keep([reading(MIDNIGHT, [100, 250, 300])], MIDNIGHT + 7200, "sweep")
    assert store.window(ESIID, MIDNIGHT, MIDNIGHT + 3600).wh.tolist() == [100, 250, 300]
    assert store.reaches_to(ESIID, MIDNIGHT) == MIDNIGHT + 2700
    store.keep([reading(MIDNIGHT, [7], OTHER)], MIDNIGHT + 7200, "sweep")
    said.clear()
    assert store.window(ESIID, MIDNIGHT, MIDNIGHT + 3600).wh.tolist() == [100, 250, 300]
    assert said == []


def test_header_that_says_what_the_day_said_before_is_not_written_again(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'headend.sqlite'}"
    store = HeadEndStore(url)
    same, off = MeterTold(seconds(0), 1), MeterTold(seconds(40), 1)
    store.told.keep([(METER, same)], MIDNIGHT)
    said = _asked(store)
    store.told.keep([(METER, same)], MIDNIGHT + 60)
    assert said == []
    store.told.keep([(METER, off)], MIDNIGHT + 120)
    assert {"DELETE", "INSERT"} <= set(said)
    store.close()
    again = HeadEndStore(url)
    said = _asked(again)
    again.told.keep([(METER, off)], MIDNIGHT + 180)
    assert said == ["SELECT"]
    assert again.told.of([ESIID], DAY) == {METER: off}
    again.close()
