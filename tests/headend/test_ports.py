"""What crosses the head-end's ports: whose a meter number is, a reading cut, and a process that breaks."""

from __future__ import annotations

import logging
from collections.abc import Generator
from typing import Any

import numpy as np
import pytest
import simpy

from headend.ports import MeterAddress, MeterKey, MeterReading, MeterRecords, fault_text, guarded, total_wh
from meters.calendar import INTERVAL_S, epoch

AT = epoch("2026-08-12T16:00")
ONE, TWO, ALONE = MeterKey("1", "11"), MeterKey("1", "12"), MeterKey("2", "21")
STRANGE = MeterKey("3", "")
RECORDS = MeterRecords(
    [
        MeterAddress(*ONE, "h", 1, 1, 1, 0, ((AT, "13"),)),
        MeterAddress(*TWO, "h", 1, 2, 1, 0),
        MeterAddress(*ALONE, "h", 1, 3, 1, 0),
    ]
)


@pytest.mark.parametrize(
    ("esiid", "number", "place", "named"),
    [
        ("1", "11", ONE, ONE),
        ("1", "12", TWO, TWO),
        # It has come in the first one's place.
        ("1", "13", ONE, ONE),
        # From when there was one meter.
        ("1", "", ONE, ONE),
        # At one of two, nobody knows at which; at the only place, before the one there now.
        ("1", "99", None, None),
        ("2", "99", ALONE, None),
        # Of an ESI ID in no records there is one place, for any number.
        ("3", "99", STRANGE, STRANGE),
    ],
)
def test_a_meter_number_has_its_place_by_the_records(
    esiid: str, number: str, place: MeterKey | None, named: MeterKey | None
) -> None:
    assert (RECORDS.place(esiid, number), RECORDS.named_place(esiid, number)) == (place, named)


@pytest.mark.parametrize(
    ("number", "at", "hangs"), [("11", AT - 1, True), ("11", AT, False), ("13", AT, True), ("13", AT - 1, False)]
)
def test_a_meter_hangs_at_its_place_until_the_records_know_the_next(number: str, at: Any, hangs: bool) -> None:
    assert RECORDS.hangs_at("1", number, at) is hangs
    assert not RECORDS.hangs_at("3", number, at)


def test_the_places_of_several_esi_ids_come_in_their_order() -> None:
    assert RECORDS.places_of(["3", "2", "1"]) == [STRANGE, ALONE, ONE, TWO]
    assert ("1" in RECORDS, "3" in RECORDS) == (True, False)


@pytest.mark.parametrize(("end", "left"), [(AT + 9 * INTERVAL_S, 3), (AT + 2 * INTERVAL_S, 2), (AT, 0), (AT - 900, 0)])
def test_a_reading_is_cut_at_an_instant(end: Any, left: int) -> None:
    wh = np.arange(3, dtype=np.int32)
    cut = MeterReading("1", "11", AT, wh, wh + 3, wh.astype(np.uint16), wh > 0, AT, 5, 9, 80).until(end)
    assert (cut.delivered.tolist(), cut.received.tolist()) == ([0, 1, 2][:left], [3, 4, 5][:left])
    assert (len(cut.status), len(cut.present), cut.end) == (left, left, AT + left * INTERVAL_S)


def test_the_sum_of_meters_stays_within_what_an_interval_can_hold() -> None:
    most = np.iinfo(np.int32).max
    assert total_wh(np.array([[1, most, -most], [2, 1, -most]], np.int32)).tolist() == [3, most, -most]


def breaks() -> Generator[simpy.Event, Any, Any]:
    yield simpy.Environment().event()
    raise ValueError("private")


def test_a_process_that_breaks_is_told_with_its_line_and_without_its_words(caplog: pytest.LogCaptureFixture) -> None:
    faults: list[Exception] = []
    process = guarded(breaks(), faults.append)
    next(process)
    with pytest.raises(StopIteration):
        next(process)
    line = breaks.__code__.co_firstlineno + 2
    assert list(map(fault_text, faults)) == [f"ValueError at test_ports.py:{line}"]
    assert caplog.records == []

    def again(_error: Exception) -> None:
        raise KeyError

    process = guarded(breaks(), again)
    next(process)
    with caplog.at_level(logging.ERROR, "ami"), pytest.raises(StopIteration):
        next(process)
    (record,) = caplog.records
    assert record.message.startswith(
        f"internal fault: ValueError at test_ports.py:{line}, and in putting it right: Key"
    )
    # One that nobody has raised has no line.
    assert fault_text(ValueError("private")) == "ValueError"
