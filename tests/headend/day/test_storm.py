"""For which areas estimation of a day is stopped, by what collection has of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from headend.day.storm import stopped_areas
from headend.ports import MeterAddress, MeterKey, MeterRecords
from headend.store.states import Cause, MeterDay, Tried
from headend.store.store import HeadEndStore
from headend.vee.preset import Preset
from headend.vee.rules import limits
from meters.calendar import day_end, day_start, seconds

DAY = date(2026, 8, 12)
#: Ten meters of one access point, nine of another.
METERS = [MeterKey(f"1044372000000{row:04d}", f"{row}") for row in range(19)]
AREA, SMALL = METERS[:10], METERS[10:]
AN_HOUR = seconds(3_600)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[HeadEndStore]:
    addresses = [MeterAddress(*meter, "127.0.0.1", 1, 1, 1, int(meter in SMALL)) for meter in METERS]
    kept = HeadEndStore(f"sqlite:///{tmp_path / 'headend.sqlite'}", MeterRecords(addresses))
    yield kept
    kept.close()


def tried(store: HeadEndStore, day: date, meters: Iterable[MeterKey], cause: Cause = "silent") -> None:
    of_day = [Tried(MeterDay(meter, day_start(day)), cause) for meter in meters]
    store.states.note_tried({day_end(day): of_day}, seconds(86_400))


def stopped(store: HeadEndStore, day: date = DAY, after_h: int = 1, **told: float) -> dict[int, int]:
    """Silent meters of the areas, asked so many hours after the day's end."""
    preset = Preset(limits=limits({"estimate.stopped": {"meters": 10} | told}))
    return {area: len(of) for area, of in stopped_areas(store, day, preset, day_end(day) + after_h * AN_HOUR).items()}


def test_an_area_is_stopped_from_its_share_of_silent_meters_on(store: HeadEndStore) -> None:
    tried(store, DAY, AREA[:2])
    tried(store, DAY, AREA[3:9], "other meter")
    tried(store, DAY, AREA[9:], "incomplete")
    tried(store, DAY, [MeterKey("10443720000009999", "1")])
    assert stopped(store) == {}
    tried(store, DAY, AREA[2:3])
    assert stopped(store) == {0: 3}
    assert stopped(store, share=0.301) == {}
    assert stopped(store, DAY - timedelta(days=1)) == {}


def test_an_area_of_too_few_meters_is_not_stopped(store: HeadEndStore) -> None:
    tried(store, DAY, SMALL)
    assert stopped(store) == {}
    assert stopped(store, meters=9) == {1: 9}
    # Unless told otherwise it is a hundred.
    assert stopped_areas(store, DAY, Preset(), day_end(DAY)) == {}


def test_it_is_resumed_three_days_after_the_first_such_day_running(store: HeadEndStore) -> None:
    for back in range(4):
        tried(store, DAY - timedelta(days=back), AREA)
    first = DAY - timedelta(days=3)
    assert [stopped(store, first + timedelta(days=day)) for day in range(4)] == [{0: 10}] * 3 + [{}]
    assert (stopped(store, first, 71), stopped(store, first, 72)) == ({0: 10}, {})
    assert stopped(store, days=4) == {0: 10}
    assert stopped(store, days=0) == {}


def test_a_day_on_which_it_was_heard_parts_two_storms(store: HeadEndStore) -> None:
    for back in (0, 1, 3, 4):
        tried(store, DAY - timedelta(days=back), AREA)
    assert stopped(store, after_h=47) == {0: 10}
    assert stopped(store, after_h=48) == {}
