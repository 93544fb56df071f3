"""How far a store reaches, as a head-end that comes up again asks it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from headend.ports import MeterAddress, MeterKey, MeterRecords, RegisterSnapshot
from headend.store.store import HeadEndStore
from meters.calendar import Seconds, day_start
from tests.headend.store.readings import DAY, ESIID, MIDNIGHT, OTHER, reading

METER, BESIDE = MeterKey(ESIID, "1"), MeterKey(ESIID, "2")


@pytest.fixture
def store() -> Iterator[HeadEndStore]:
    """Of a head-end with two meters at an ESI ID."""
    kept = HeadEndStore("sqlite://", MeterRecords([MeterAddress(*key, "h", 1, 1, 1, 0) for key in (METER, BESIDE)]))
    yield kept
    kept.close()


def midnight(days: int) -> Seconds:
    return day_start(DAY + timedelta(days=days))


def snapshots(store: HeadEndStore, number: str, *days: int) -> None:
    store.keep_snapshots([RegisterSnapshot(ESIID, number, midnight(day), 100, 0) for day in days])


def test_midnights_reach_to_the_last_before_the_first_that_is_missing(store: HeadEndStore) -> None:
    snapshots(store, METER.number, 0, 1, 2, 4)
    snapshots(store, BESIDE.number, 1, 2)
    # Nobody knows at which of the two it hung.
    snapshots(store, "0", 0, 3)
    assert store.collected.reach([ESIID], MIDNIGHT).midnights == {METER: midnight(2), BESIDE: MIDNIGHT - 1}
    assert store.collected.reach([ESIID], midnight(1)).midnights == {METER: midnight(2), BESIDE: midnight(2)}


def test_the_newest_day_is_the_last_that_anything_was_collected_of(store: HeadEndStore) -> None:
    assert store.collected.newest_day() is None
    for days in (2, 0):
        store.keep([reading(midnight(days), [None, 100], OTHER)], midnight(3), "sweep")
    assert store.collected.newest_day() == midnight(2)


def test_the_latest_sweep_is_told_and_a_look_whether_the_store_takes_writes_changes_nothing(
    store: HeadEndStore,
) -> None:
    for at in (None, MIDNIGHT, MIDNIGHT + 14_400):
        if at is not None:
            store.collected.note_sweep(at)
        store.collected.touch()
        assert store.collected.swept_at() == at
