"""What meters have told unasked, as the store keeps it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from headend.ports import MeterAddress, MeterKey, MeterRecords
from headend.store.store import HeadEndStore
from meters.calendar import epoch
from meters.events import EventKind, MeterEvent

ESIID, OTHER = "10443720000000017", "10443720000000033"
METER = MeterKey(ESIID, "900000017")
AT = epoch("2026-08-12T10:00")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[HeadEndStore]:
    """Of a head-end whose records name one meter."""
    address = MeterAddress(*METER, "127.0.0.1", 1, 1, 1, 0)
    kept = HeadEndStore(f"sqlite:///{tmp_path / 'headend.db'}", MeterRecords([address]))
    yield kept
    kept.close()


def test_an_event_of_a_number_that_the_records_do_not_name_counts_for_nobody(store: HeadEndStore) -> None:
    # One without a number is from before numbers were kept.
    told = [
        MeterEvent(AT + at, ESIID, number, EventKind.LAST_GASP) for at, number in enumerate((METER.number, "", "1"))
    ]
    store.events.keep(told, AT)
    assert store.events.events(ESIID) == told
    assert store.events.over([ESIID], AT, AT + 60) == {METER: [(AT + at, EventKind.LAST_GASP) for at in (0, 1)]}
    assert store.events.latest().last_gasp == {METER: AT + 1}


def test_who_is_in_no_records_has_one_place_for_meters_of_any_number(store: HeadEndStore) -> None:
    store.events.keep([MeterEvent(AT, OTHER, "1", EventKind.LAST_GASP)], AT)
    assert store.events.latest().last_gasp == {MeterKey(OTHER, ""): AT}


def test_what_is_told_again_is_the_same_event_and_an_answer_is_kept_once(store: HeadEndStore) -> None:
    told = [MeterEvent(AT + at, *METER, EventKind.LAST_GASP) for at in (0, 60)]
    assert store.events.keep(told[1:], AT + 61) == told[1:]
    assert store.events.keep(told, AT + 70) == told[:1]
    assert store.events.keep(told, AT + 80) == []
    for at in (90, 90, 95):
        store.events.keep_answer(METER, AT + at)
    gasp = EventKind.LAST_GASP
    assert store.events.over([ESIID], AT, AT + 200) == {
        METER: [(AT, gasp), (AT + 60, gasp), (AT + 90, None), (AT + 95, None)]
    }
    assert store.events.latest().answer == {METER: AT + 95}
    # What nobody had heard by then.
    assert store.events.over([ESIID], AT, AT + 200, known_by=AT + 70) == {METER: [(AT + 60, gasp)]}
    assert store.events.heard_since(AT + 95) == [ESIID]
    assert store.events.heard_since(AT + 96) == []


def test_events_by_the_thousand_are_kept_once_each(tmp_path: Path) -> None:
    store = HeadEndStore(f"sqlite:///{tmp_path / 'headend.sqlite'}")
    numbers = [f"{900000000 + n}" for n in range(2500)]
    events = [
        MeterEvent(AT - n % 7, f"104437200000{n:05d}", number, EventKind.LAST_GASP) for n, number in enumerate(numbers)
    ]
    assert store.events.keep(events[:1000], AT) == sorted(events[:1000])
    assert store.events.keep(events, AT) == sorted(events[1000:])
    assert len(store.events.latest().last_gasp) == 2500
    store.close()
