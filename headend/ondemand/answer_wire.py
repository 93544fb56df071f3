"""An answer of the on-demand process put on the wire: what the store holds now, each interval with its source."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from headend.network.law import READ_OCTETS
from headend.ondemand.process import Answer, Inquiry
from headend.ports import MeterReading, PowerReading
from headend.store.store import HeadEndStore
from headend.wire import (
    InquiryKind,
    InquiryRequest,
    InquiryResult,
    PartialInterval,
    PowerState,
    RegisterRead,
    ServedInterval,
)
from meters.calendar import INTERVAL_S, Seconds, instant_us, local, seconds


def inquiry_of(request: InquiryRequest) -> Inquiry:
    """An inquiry as the process sees it."""
    return Inquiry(
        key=request.correlationId,
        kind=request.kind,
        esiid=request.esiid,
        start=seconds(request.start.timestamp()) if request.start else seconds(0),
        end=seconds(request.end.timestamp()) if request.end else seconds(0),
        meter_allowed=request.meterAllowed,
        answer_by_us=instant_us(request.answerBy),
        store_allowed=request.storeAllowed,
    )


def wired(inquiry: Inquiry, answer: Answer, store: HeadEndStore) -> InquiryResult:
    """Put an answer on the wire: what the store holds now, each interval with its source."""
    reading = answer.reading
    octets = reading.octets if isinstance(reading, MeterReading) else answer.meter_reads * READ_OCTETS
    common: dict[str, Any] = {
        "correlationId": inquiry.key,
        "outcome": answer.outcome,
        "reason": answer.reason,
        "meterReads": answer.meter_reads,
        "octets": octets,
    }
    if inquiry.kind is InquiryKind.POWER:
        return InquiryResult(**common, power=_power_state(reading, answer.power_failed_at))
    if isinstance(reading, MeterReading):
        common["register"] = RegisterRead(wh=reading.register_wh, at=local(reading.meter_time))
    if inquiry.kind is InquiryKind.REGISTER:
        return InquiryResult(**common)
    window = store.window(inquiry.esiid, inquiry.start, inquiry.end)
    from_meter = answer.lacked_from if isinstance(reading, MeterReading) else None
    intervals, missing = [], []
    for end, wh, present, collected_at in zip(
        window.ends.tolist(),
        window.wh.tolist(),
        window.present.tolist(),
        window.collected_at.tolist(),
        strict=True,
    ):
        if not present:
            missing.append(local(end))
            continue
        source: Literal["store", "meter"] = "meter" if from_meter is not None and end > from_meter else "store"
        intervals.append(ServedInterval(end=local(end), wh=wh, source=source, collectedAt=local(collected_at)))
    return InquiryResult(
        **common,
        intervals=intervals,
        missing=missing,
        partial=_partial(reading, inquiry.end) if isinstance(reading, MeterReading) else None,
        reachesTo=local(store.reaches_to(inquiry.esiid, inquiry.start)),
    )


def _partial(reading: MeterReading, gap_end: Seconds) -> PartialInterval | None:
    """What the meter shows beyond the gap: the running interval, and whole ones that ended while the read was on its way."""
    ends = reading.start + INTERVAL_S * (1 + np.arange(len(reading.delivered)))
    beyond = reading.delivered[(ends > gap_end) & reading.present]
    wh = int(beyond.sum()) + reading.partial_wh
    if reading.meter_time <= gap_end:
        return None
    return PartialInterval(
        start=local(gap_end), asOf=local(reading.meter_time), seconds=reading.meter_time - gap_end, wh=wh
    )


def _power_state(reading: PowerReading | None, failed_at: Seconds | None) -> PowerState:
    """What is known. failed_at: of a last gasp that is newer than the reading, if there is one."""
    if failed_at is not None:
        return PowerState(status="OFF", source="event", switchState="UNKNOWN", voltage=None, at=local(failed_at))
    if reading is None:
        return PowerState(status="UNKNOWN", source="none", switchState="UNKNOWN", voltage=None, at=None)
    return PowerState(
        status="ON",
        source="reply",
        switchState="CLOSED" if reading.switch_closed else "OPEN",
        voltage=round(reading.voltage, 1),
        at=local(reading.meter_time),
    )
