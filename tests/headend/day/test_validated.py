"""A day of the store with what the meters' headers told."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from headend.day.due import validate_due
from headend.ports import IntArray, MeterAddress, MeterReading, MeterRecords, RegisterSnapshot
from headend.store.store import HeadEndStore
from headend.store.told import MeterTold
from headend.vee.preset import Preset
from meters.calendar import day_end, day_start

DAY = date(2026, 8, 12)
METER = MeterAddress("10443720000000017", "900000017", "127.0.0.1", 1, 1, 1, 0)
WYE = MeterAddress("10443720000000025", "900000025", "127.0.0.1", 1, 2, 1, 0, phases=3)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[HeadEndStore]:
    kept = HeadEndStore(f"sqlite:///{tmp_path / 'headend.sqlite'}", MeterRecords([METER, WYE]))
    yield kept
    kept.close()


def keep(store: HeadEndStore, meter: MeterAddress, wh: IntArray) -> None:
    none = np.zeros(96, np.int32)
    reading = MeterReading(*meter.key, day_start(DAY), wh, none, none.astype(np.uint16), wh > 0, day_end(DAY), 0, 0, 0)
    store.keep([reading], day_end(DAY), "sweep")


@pytest.mark.parametrize(
    ("dials", "rule"), [(0, "register.rollover"), (4, "register.rollover"), (6, "register.backwards")]
)
def test_a_register_goes_around_at_the_dials_that_the_header_told(store: HeadEndStore, dials: int, rule: str) -> None:
    keep(store, METER, 100 + np.arange(96, dtype=np.int32) % 2)
    # 9,999.0 kWh, and 8.648 after 9.648 more: around after four dials, as the shortest display does that can show them.
    store.keep_snapshots(
        [
            RegisterSnapshot(*METER.key, day_start(DAY), 9_999_000, 0),
            RegisterSnapshot(*METER.key, day_end(DAY), 8_648, 0),
        ]
    )
    store.told.keep([(METER.key, MeterTold(multiplier=1, dials=dials))], day_start(DAY))
    validate_due(store, [METER.esiid], DAY, Preset(), lambda: day_end(DAY))
    _, found = store.findings.of_day(DAY)
    assert [one.finding.id for one in found] == [rule]
    assert not store.vee.day([METER.esiid], DAY).delivered.status.any()


def test_three_phases_by_the_records_carry_half_as_much_again(store: HeadEndStore) -> None:
    for meter in (METER, WYE):
        keep(store, meter, np.where(np.arange(96) == 40, 15_000, 4_000 + np.arange(96)).astype(np.int32))
    validate_due(store, [METER.esiid, WYE.esiid], DAY, Preset(), lambda: day_end(DAY))
    _, found = store.findings.of_day(DAY, rule="interval.hard_maximum")
    assert [one.meter for one in found] == [METER.key]
