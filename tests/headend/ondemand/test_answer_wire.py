"""An answer on the wire: each interval with its source, and what it says of the power, of one meter and of several."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from headend.ondemand.answer_wire import wired
from headend.ondemand.process import Answer, Inquiry
from headend.ports import MeterKey, MeterReading, PowerReading
from headend.store.store import HeadEndStore
from headend.wire import InquiryKind, Outcome
from meters.calendar import INTERVAL_S, epoch, local, seconds, to_us

NOW = epoch("2026-08-12T16:00")
ESIID = "10443720000000017"
METER = MeterKey(ESIID, "900000017")
_ANSWERED = PowerReading(ESIID, NOW - 3, 241.26, switch_closed=True)
_DISCONNECTED = PowerReading(ESIID, NOW - 3, 241.26, switch_closed=False)
_ON, _OPEN = (Answer(Outcome.COMPLETED, reading=reading) for reading in (_ANSWERED, _DISCONNECTED))
_ON_LATER = Answer(Outcome.COMPLETED, reading=replace(_ANSWERED, meter_time=NOW - 1, voltage=239.0))
_OFF, _OFF_BEFORE = (Answer(Outcome.COMPLETED, power_failed_at=at) for at in (NOW - 60, NOW - 90))


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (Answer(Outcome.COMPLETED, reading=_ANSWERED), ("ON", "reply", "CLOSED", 241.3, NOW - 3)),
        # Its line has power, and that is what a status is about.
        (Answer(Outcome.COMPLETED, reading=_DISCONNECTED), ("ON", "reply", "OPEN", 241.3, NOW - 3)),
        (Answer(Outcome.COMPLETED, power_failed_at=NOW - 60), ("OFF", "event", "UNKNOWN", None, NOW - 60)),
        # It failed while the reply was on its way.
        (Answer(Outcome.COMPLETED, reading=_ANSWERED, power_failed_at=NOW), ("OFF", "event", "UNKNOWN", None, NOW)),
        (Answer(Outcome.FAILED), ("UNKNOWN", "none", "UNKNOWN", None, None)),
        # Of several meters: OFF if one is, from the first gasp on; ON if all are.
        ((_ON, _ON_LATER), ("ON", "reply", "CLOSED", 241.3, NOW - 3)),
        ((_ON, _OPEN), ("ON", "reply", "UNKNOWN", 241.3, NOW - 3)),
        ((_OPEN, _OPEN), ("ON", "reply", "OPEN", 241.3, NOW - 3)),
        ((_ON, Answer(Outcome.FAILED)), ("UNKNOWN", "none", "UNKNOWN", None, None)),
        ((Answer(Outcome.FAILED), Answer(Outcome.FAILED)), ("UNKNOWN", "none", "UNKNOWN", None, None)),
        ((Answer(Outcome.FAILED), _OFF), ("OFF", "event", "UNKNOWN", None, NOW - 60)),
        ((_ON, _OFF, _OFF_BEFORE), ("OFF", "event", "UNKNOWN", None, NOW - 90)),
    ],
)
def test_a_power_status_says_what_is_known_and_from_what(answer: Any, said: tuple[Any, ...]) -> None:
    answers = answer if isinstance(answer, tuple) else (answer,)
    nothing: Any = None
    inquiry = Inquiry("1", InquiryKind.POWER, METER, seconds(0), seconds(0), True, to_us(NOW + 600))
    power = wired(inquiry, answers[0], answers, nothing).power
    assert power is not None
    at = None if power.at is None else seconds(power.at.timestamp())
    assert (power.status, power.source, power.switchState, power.voltage, at) == said


@pytest.mark.parametrize(("shown", "partial"), [(-1, None), (0, None), (61, 7)])
def test_each_interval_has_its_source_what_has_no_value_is_missing_and_beyond_the_gap_is_the_running_one(
    shown: int, partial: int | None
) -> None:
    wh = np.array([100, 100, 0, 100], np.int32)
    start = NOW - 4 * INTERVAL_S
    reading = MeterReading(
        ESIID, METER.number, start, wh, wh, wh.astype(np.uint16) * 0, wh > 0, NOW + shown, 7, 900, 80
    )
    store = HeadEndStore("sqlite://")
    store.keep([reading.until(start + INTERVAL_S)], NOW - 7200, "sweep")
    store.keep([reading], NOW, "meter")
    answer = Answer(Outcome.COMPLETED, lacked_from=start + INTERVAL_S, meter_reads=1, reading=reading)
    asked = Inquiry("1", InquiryKind.INTERVALS, METER, start, NOW, True, to_us(NOW + 600))
    told = wired(asked, answer, [answer], store)
    assert [(one.wh, one.source) for one in told.intervals] == [(100, "store"), (100, "meter"), (100, "meter")]
    assert told.missing == [local(start + 3 * INTERVAL_S)]
    assert (told.partial and told.partial.wh) == partial
    assert told.register_read is not None
    assert (told.register_read.wh, told.octets) == (900, 80)
    store.close()
