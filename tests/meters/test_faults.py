from __future__ import annotations

import numpy as np
import pytest

from meters.errors import MeterError
from meters.faults import Fault, answers, ledger, overlay
from meters.status import Channel, Common, common_nibble, delivered_condition, received_condition, status_word

ESIID = "10443729900000001"
T = 1_786_500_000
WH = np.arange(100, 108, dtype=np.int32)
OK = np.full(8, status_word(Common.DST, Channel.OK), np.uint16)


def test_gap_takes_the_values_and_says_skipped_in_both_channels() -> None:
    wh, status, present = overlay([Fault("gap", ESIID, T + 1800, T + 3600)], T, WH, OK)
    assert wh.tolist() == [100, 101, 0, 0, 104, 105, 106, 107]
    assert present.tolist() == [True, True, False, False, True, True, True, True]
    assert delivered_condition(status)[2] == received_condition(status)[2] == Channel.SKIPPED
    assert (common_nibble(status) == Common.DST).all()


def test_spike_multiplies_silently() -> None:
    wh, status, present = overlay([Fault("spike", ESIID, T, T + 900, {"factor": 6.5})], T, WH, OK)
    assert wh.tolist() == [650, 101, 102, 103, 104, 105, 106, 107]
    assert (status == OK).all()
    assert present.all()


def test_overlay_leaves_its_input_alone_and_clips_spans_to_the_window() -> None:
    faults = [Fault("gap", ESIID, T - 9000, T + 900), Fault("spike", ESIID, T + 6300, T + 90_000, {"factor": 2})]
    wh, _, present = overlay(faults, T, WH, OK)
    assert wh.tolist() == [0, 101, 102, 103, 104, 105, 106, 214]
    assert present.sum() == 7
    assert WH[0] == 100
    assert overlay([Fault("gap", ESIID, T - 9000, T)], T, WH, OK)[2].all()


def test_skipped_interval_stays_skipped_under_a_spike_and_a_spike_fits_the_wire() -> None:
    faults = [Fault("gap", ESIID, T, T + 900), Fault("spike", ESIID, T, T + 1800, {"factor": 1000})]
    wh, _, _ = overlay(faults, T, np.full(8, 2**30, np.int32), OK)
    assert wh[:2].tolist() == [0, 2**31 - 1]


def test_dead_meter_is_silent_from_first_until_before_until() -> None:
    dead = [Fault("dead", ESIID, T + 5, T + 50)]
    assert [answers(dead, T + at) for at in (4, 5, 49, 50)] == [True, False, False, True]
    assert overlay(dead, T, WH, OK)[0].tolist() == WH.tolist()


def test_ledger_names_meter_kind_intervals_and_parameters() -> None:
    spike, gap = Fault("spike", ESIID, T, T + 900, {"factor": 8}), Fault("gap", ESIID, T - 7200, T - 3600)
    dead = Fault("dead", ESIID, T + 901, T + 2000)
    entries = ledger([spike, dead, gap])
    assert [entry["kind"] for entry in entries] == ["gap", "spike", "dead"]
    assert entries[1] == {
        "esiid": ESIID,
        "kind": "spike",
        "first_end": T + 900,
        "last_end": T + 900,
        "first_end_local": "2026-08-11T21:15:00-05:00",
        "last_end_local": "2026-08-11T21:15:00-05:00",
        "intervals": 1,
        "params": {"factor": 8},
    }
    assert (entries[0]["first_end"], entries[0]["last_end"], entries[0]["intervals"]) == (T - 6300, T - 3600, 4)
    assert (entries[2]["first_end"], entries[2]["last_end"], entries[2]["intervals"]) == (T + 1800, T + 2700, 2)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("melted", ESIID, T, T + 900), "kind"),
        (("gap", ESIID, T, T), "span"),
        (("gap", ESIID, T + 1, T + 900), "span"),
        (("spike", ESIID, T, T + 900), "params"),
        (("spike", ESIID, T, T + 900, {"factor": -1.0}), "params"),
        (("gap", ESIID, T, T + 900, {"factor": 2.0}), "params"),
    ],
)
def test_fault_that_means_nothing_is_refused(arguments: tuple[object, ...], code: str) -> None:
    with pytest.raises(MeterError, match=rf"meters\.fault\.{code}"):
        Fault(*arguments)  # type: ignore[arg-type]
