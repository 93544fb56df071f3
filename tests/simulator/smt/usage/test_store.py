"""The repository: revisions stay, the last VEE end and the holes are found, the intervals come back as they went in."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import event

from headend.lse.format import Held
from headend.vee.quality import Channel
from meters.calendar import day_end, day_start, epoch, seconds
from simulator.smt.database.engine import add_rows
from simulator.smt.usage import store as store_module
from simulator.smt.usage.store import Loading, VeeStore
from tests.simulator.smt.postgres import DATABASES, opened
from tests.simulator.smt.rig import PLAIN, record

DAY = date(2026, 8, 10)
FALL = date(2026, 11, 1)


@pytest.fixture(params=DATABASES)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[VeeStore]:
    on_sqlite = request.param == "sqlite"
    with opened(f"sqlite:///{tmp_path / 'smt.db'}" if on_sqlite else request.getfixturevalue("postgres_url")) as engine:
        yield VeeStore(engine)


def test_a_later_revision_leaves_the_earlier_one(store: VeeStore) -> None:
    first, second = record(PLAIN, DAY, seconds(1000), wh=100), record(PLAIN, DAY, seconds(2000), wh=200)
    store.load([first], seconds(1001))
    store.load([second], seconds(2001))
    (latest,) = store.day(PLAIN, Channel.LOAD, DAY)
    both = store.day(PLAIN, Channel.LOAD, DAY, "A")
    assert (latest.revision, int(latest.wh[0]), latest.loaded_at) == (2, 200, 2001)
    assert [(one.revision, int(one.wh[0])) for one in both] == [(1, 100), (2, 200)]
    held = {second.key: Held(2, seconds(2000), second.start_reading_wh, second.stop_reading_wh)}
    # Of the neighbours it is asked too, for their registers.
    for asked in (DAY, *(DAY + timedelta(days=step) for step in (-1, 1))):
        assert store.held([record(PLAIN, asked, seconds(1))]) == held
    assert store.held([record(PLAIN, DAY + timedelta(days=2), seconds(1))]) == {}


def test_a_file_with_a_day_twice_gives_two_revisions(store: VeeStore) -> None:
    store.load([record(PLAIN, DAY, seconds(1000)), record(PLAIN, DAY, seconds(1000), wh=5)], seconds(1001))
    assert [one.revision for one in store.day(PLAIN, Channel.LOAD, DAY, "A")] == [1, 2]


def test_the_fall_back_day_comes_back_with_its_100_intervals(store: VeeStore) -> None:
    kept = record(PLAIN, FALL, seconds(1000))
    kept.wh[:] = np.arange(100)
    kept.estimated[8:12] = True
    store.load([kept], seconds(1001))
    (found,) = store.day(PLAIN, Channel.LOAD, FALL)
    np.testing.assert_array_equal(found.wh, kept.wh)
    np.testing.assert_array_equal(found.estimated, kept.estimated)
    assert (found.start_wh, found.stop_wh) == (kept.start_reading_wh, kept.stop_reading_wh)


def test_only_the_consumption_channel_moves_the_last_vee_end(store: VeeStore) -> None:
    assert store.last_vee_end(PLAIN) is None
    store.load(
        [record(PLAIN, DAY, seconds(1000)), record(PLAIN, date(2026, 8, 11), seconds(1000), Channel.GENERATION)],
        seconds(1001),
    )
    assert store.last_vee_end(PLAIN) == day_end(DAY)


def test_holes_are_days_between_posted_ones(store: VeeStore) -> None:
    posted = [date(2026, 8, day) for day in (1, 2, 4, 7, 8)]
    store.load([record(PLAIN, day, seconds(1000)) for day in posted], seconds(1001))
    until = day_end(date(2026, 8, 8))
    assert store.holes(PLAIN, epoch("2026-06-01T00:00"), until) == [
        (day_start(date(2026, 8, 3)), day_start(date(2026, 8, 4))),
        (day_start(date(2026, 8, 5)), day_start(date(2026, 8, 7))),
    ]
    assert store.holes(PLAIN, day_start(date(2026, 8, 6)), until) == [
        (day_start(date(2026, 8, 6)), day_start(date(2026, 8, 7)))
    ]
    assert store.holes("99900000000000099", seconds(0), until) == []


def test_the_last_midnight_register_is_not_after_the_instant(store: VeeStore) -> None:
    store.load([record(PLAIN, date(2026, 8, day), seconds(1000)) for day in (9, 10)], seconds(1001))
    at_noon = store.last_midnight(PLAIN, epoch("2026-08-10T12:00"))
    later = store.last_midnight(PLAIN, epoch("2026-08-12T12:00"))
    assert at_noon is not None
    assert later is not None
    assert (at_noon.at, later.at) == (day_start(DAY), day_end(DAY))
    assert later.wh - at_noon.wh == 9_600


def loading_of_seven(store: VeeStore, monkeypatch: pytest.MonkeyPatch) -> Loading:
    """The second file: a correction of a day, and six days behind it; two at a time."""
    store.load([record(PLAIN, DAY, seconds(1000))], seconds(1001), "first.lse")
    monkeypatch.setattr(store_module, "_AT_ONCE", 2)
    records = [record(PLAIN, date(2026, 8, day), seconds(2000), wh=200) for day in range(16, 9, -1)]
    return store.prepared(records, seconds(2001), "second.lse")


def seen(store: VeeStore) -> list[object]:
    last = store.last_midnight(PLAIN, epoch("2026-09-01"))
    assert last is not None
    return [
        [(one.day.day, one.revision) for one in store.range(PLAIN, Channel.LOAD, DAY, date(2026, 9, 1), "A")],
        store.day(PLAIN, Channel.LOAD, DAY)[0].wh[0],
        store.newest_day(),
        store.last_vee_end(PLAIN),
        last.at,
        store.has_file("second.lse"),
        len(store.days_of("second.lse")),
        store.holes(PLAIN, day_start(DAY), epoch("2026-09-01")),
    ]


def test_a_file_is_seen_whole_or_not_at_all(store: VeeStore, monkeypatch: pytest.MonkeyPatch) -> None:
    loading = loading_of_seven(store, monkeypatch)
    before = seen(store)
    store.stage(loading)
    assert seen(store) == before
    assert before[:2] == [[(10, 1)], 100]
    store.show(loading)
    revisions = [(10, 1), (10, 2), *((day, 1) for day in range(11, 17))]
    end = day_end(date(2026, 8, 16))
    assert seen(store) == [revisions, 200, date(2026, 8, 16), end, end, True, 7, [(end, epoch("2026-09-01"))]]
    assert store.prepared([], seconds(1), "second.lse").posting == 1


def test_what_was_cut_off_is_taken_away_and_loaded_anew(store: VeeStore, monkeypatch: pytest.MonkeyPatch) -> None:
    loading = loading_of_seven(store, monkeypatch)
    store.stage(loading)
    store.sweep()
    again = store.prepared(loading.records, seconds(3001), "second.lse")
    assert (again.posting, again.revisions) == (loading.posting, loading.revisions)
    store.stage(again)
    store.show(again)
    assert {one.loaded_at for one in store.range(PLAIN, Channel.LOAD, DAY, DAY, "A")} == {1001, 3001}
    store.sweep()
    assert len(store.days_of("second.lse")) == 7


def test_no_transaction_writes_more_than_some_days(store: VeeStore, monkeypatch: pytest.MonkeyPatch) -> None:
    loading = loading_of_seven(store, monkeypatch)
    written: list[int] = []

    def counted(connection: object, table: object, rows: list[object]) -> None:
        written[-1] += len(rows)
        add_rows(connection, table, rows)  # type: ignore[arg-type]

    monkeypatch.setattr(store_module, "add_rows", counted)
    event.listen(store._engine, "begin", lambda _connection: written.append(0))
    store.stage(loading)
    store.show(loading)
    assert [count for count in written if count] == [2, 2, 2, 1]
