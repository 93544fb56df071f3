from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from meters.calendar import day_end, day_start, intervals_in
from meters.errors import MeterError
from meters.faults import Fault
from meters.fleet import Fleet
from meters.identity import make_esiid, tdsp

ONCOR = tdsp("ONCOR")
DAY, AUTUMN = date(2026, 8, 12), date(2026, 11, 1)


def fault(ordinal: int, day: date) -> Fault:
    return Fault("gap", make_esiid(ONCOR, 3, ordinal), day_start(day) + 9000, day_start(day) + 10_800)


@pytest.mark.parametrize("day", [DAY, AUTUMN])
def test_partitions_show_what_the_one_meter_emulators_show(day: date) -> None:
    fleet = Fleet(ONCOR, 3, 25, [fault(14, day)])
    parts = list(fleet.day(day, size=10))
    assert [(part.first, len(part.delivered)) for part in parts] == [(0, 10), (10, 10), (20, 5)]
    for part in parts:
        assert part.received.shape == part.delivered.shape == (len(part.r0), intervals_in(day))
        for row, ordinal in enumerate(range(part.first, part.first + len(part.delivered))):
            shown = fleet.meter(ordinal).window(day_start(day), day_end(day))
            assert part.delivered[row].tolist() == shown.delivered.tolist()
            assert part.status[row].tolist() == shown.status.tolist()
            assert part.present[row].tolist() == shown.present.tolist()
            assert part.r0[row] == fleet.meter(ordinal).midnight(day)[0]
    present = np.concatenate([part.present for part in parts])
    assert np.argwhere(~present).tolist() == [[14, 10], [14, 11]]
    sound = np.delete(np.concatenate([part.delivered for part in parts]), 14, axis=0).sum(axis=1)
    used = np.concatenate([part.r1 - part.r0 for part in parts])
    assert sound.tolist() == np.delete(used, 14).tolist()


def test_fleet_refuses_to_be_empty_or_to_have_faults_elsewhere() -> None:
    with pytest.raises(MeterError, match=r"meters\.fleet\.empty"):
        Fleet(ONCOR, 3, 0)
    with pytest.raises(MeterError, match=r"meters\.fleet\.unknown"):
        Fleet(ONCOR, 3, 10, [fault(10, DAY)])
