"""Numbers as SMT writes them, and answers held against what was asked."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headend.wire import InquiryKind, InquiryResult
from meters.calendar import epoch, iso
from simulator.smt.answers import scientific, trimmed
from simulator.smt.ledger import Filed
from simulator.smt.throttle import Channel


@pytest.mark.parametrize(
    ("wh", "text"),
    [(0, "0E+0"), (23_459_133, "2.3459133E+4"), (1_000, "1E+0"), (5, "5E-3"), (10_000_000, "1E+4"), (999, "9.99E-1")],
)
def test_a_register_is_written_as_smt_writes_it(wh: int, text: str) -> None:
    assert scientific(wh) == text


@given(st.integers(0, 10**12))
def test_what_is_written_is_a_json_number_of_the_same_energy(wh: int) -> None:
    assert round(json.loads(scientific(wh)) * 1000) == wh


def test_intervals_outside_the_gap_are_not_handed_on() -> None:
    start, end = epoch("2026-08-12T00:00"), epoch("2026-08-12T00:30")
    filed = Filed("k", InquiryKind.INTERVALS, "e", Channel.API, "u", "d", "c", "t", "", start, end, None, (), 0)
    told = [
        {"end": iso(at), "wh": 1, "source": "store", "collectedAt": iso(end)} for at in range(start, end + 901, 900)
    ]
    result = InquiryResult.model_validate({"correlationId": "k", "outcome": "completed", "intervals": told})
    assert [int(one.end.timestamp()) for one in trimmed(filed, result).intervals] == [start + 900, end]
