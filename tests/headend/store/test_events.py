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
