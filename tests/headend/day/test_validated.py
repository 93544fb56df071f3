"""A day of the store with what the meters' headers told."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from headend.day.validated import validate_day
from headend.ports import MeterAddress, MeterReading, MeterRecords, RegisterSnapshot
from headend.store.store import HeadEndStore
from headend.store.told import MeterTold
from headend.vee.preset import Preset
from meters.calendar import day_end, day_start

DAY = date(2026, 8, 12)
METER = MeterAddress("10443720000000017", "900000017", "127.0.0.1", 1, 1, 1, 0)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[HeadEndStore]:
    kept = HeadEndStore(f"sqlite:///{tmp_path / 'headend.sqlite'}", MeterRecords([METER]))
    yield kept
    kept.close()


@pytest.mark.parametrize(
    ("dials", "rule"), [(0, "register.rollover"), (4, "register.rollover"), (6, "register.backwards")]
)
def test_a_register_goes_around_at_the_dials_that_the_header_told(store: HeadEndStore, dials: int, rule: str) -> None:
    wh, none = 100 + np.arange(96, dtype=np.int32) % 2, np.zeros(96, np.int32)
    reading = MeterReading(*METER.key, day_start(DAY), wh, none, none.astype(np.uint16), wh > 0, day_end(DAY), 0, 0, 0)
    store.keep([reading], day_end(DAY), "sweep")
    # 9,999.0 kWh, and 8.648 after 9.648 more: around after four dials, as the shortest display does that can show them.
    store.keep_snapshots(
        [
            RegisterSnapshot(*METER.key, day_start(DAY), 9_999_000, 0),
            RegisterSnapshot(*METER.key, day_end(DAY), 8_648, 0),
        ]
    )
    store.told.keep([(METER.key, MeterTold(multiplier=1, dials=dials))], day_start(DAY))
    vee, _ = validate_day(store, [METER.esiid], DAY, Preset(), lambda: day_end(DAY))
    _, found = store.findings.of_day(DAY)
    assert [one.finding.id for one in found] == [rule]
    assert not vee.delivered.status.any()
