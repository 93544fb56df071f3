"""An answer of the on-demand process put on the wire: what the store holds now, each interval with its source."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from headend.network.law import READ_OCTETS
from headend.ondemand.process import Answer, Inquiry
from headend.ports import MeterKey, MeterReading, PowerReading
from headend.store.store import HeadEndStore
from headend.wire import (
    InquiryKind,
    InquiryRequest,
    InquiryResult,
    PartialInterval,
    PowerState,
    RegisterRead,
)
from meters.calendar import INTERVAL_S, Seconds, instant_us, local, seconds

_WORST_FIRST = ("OFF", "UNKNOWN", "ON")


def inquiries_of(request: InquiryRequest, meters: Sequence[MeterKey]) -> list[Inquiry]:
    """An inquiry as the process sees it: one at each meter of the ESI ID. The first bears the request's own key."""
    return [
        Inquiry(
            key=f"{request.correlationId} {meter.number}" if at else request.correlationId,
            kind=request.kind,
            meter=meter,
            start=seconds(request.start.timestamp()) if request.start else seconds(0),
            end=seconds(request.end.timestamp()) if request.end else seconds(0),
            meter_allowed=request.meterAllowed,
            answer_by_us=instant_us(request.answerBy),
            store_allowed=request.storeAllowed,
            # Of several meters the sum reaches to where the first falls short, and the others may have been read.
            store_within=request.storeWithin if len(meters) == 1 else seconds(0),
            last_gasp_answers=request.lastGaspAnswers,
        )
        for at, meter in enumerate(meters)
    ]


def wired(inquiry: Inquiry, whole: Answer, answers: Sequence[Answer], store: HeadEndStore) -> InquiryResult:
    """Put an answer on the wire: what the store holds now of the ESI ID, each interval with its source.

    inquiry: at the first meter. answers: of each meter; registers and what runs are told as their sum, and not unless every meter has told its own.
    """
    readings = [answer.reading for answer in answers if isinstance(answer.reading, MeterReading)]
    all_told = len(readings) == len(answers)
    common: dict[str, Any] = {
        "correlationId": inquiry.key,
        "outcome": whole.outcome,
        "reason": whole.reason,
        "meterReads": whole.meter_reads,
        "octets": sum(
            answer.reading.octets if isinstance(answer.reading, MeterReading) else answer.meter_reads * READ_OCTETS
            for answer in answers
        ),
    }
    if inquiry.kind is InquiryKind.POWER:
        return InquiryResult(**common, power=_power_state(answers))
    if all_told:
        at = max(reading.meter_time for reading in readings)
        common["register"] = RegisterRead(wh=sum(reading.register_wh for reading in readings), at=local(at))
    if inquiry.kind is InquiryKind.REGISTER:
        return InquiryResult(**common)
    esiid = inquiry.meter.esiid
    # Where the store is no source, nothing of it is told in the place of a meter that is silent.
    told = inquiry.store_allowed or bool(readings)
    window = store.window(esiid, inquiry.start, inquiry.end if told else inquiry.start)
    lacked = [answer.lacked_from for answer in answers if isinstance(answer.reading, MeterReading)]
    from_meter = min((at for at in lacked if at is not None), default=None)
    intervals, missing = [], []
    columns = (window.ends, window.wh, window.present, window.collected_at, window.status)
    for end, wh, present, collected_at, status in zip(*(column.tolist() for column in columns), strict=True):
        if not present:
            missing.append(local(end))
            continue
        source = "meter" if from_meter is not None and end > from_meter else "store"
        intervals.append(
            {"end": local(end), "wh": wh, "source": source, "collectedAt": local(collected_at), "status": status}
        )
    # Together, which is twice as quick as one interval at a time.
    return InquiryResult.model_validate(
        {
            **common,
            "intervals": intervals,
            "missing": missing,
            "partial": _partial(readings, inquiry.end) if all_told else None,
            "reachesTo": local(store.reaches_to(esiid, inquiry.start) if told else inquiry.start),
        }
    )


def _partial(readings: Sequence[MeterReading], gap_end: Seconds) -> PartialInterval | None:
    """What the meters show beyond the gap: the running interval, and whole ones that ended while the read was on its way."""
    if min(reading.meter_time for reading in readings) <= gap_end:
        return None
    wh = 0
    for reading in readings:
        ends = reading.start + INTERVAL_S * (1 + np.arange(len(reading.delivered)))
        wh += int(reading.delivered[(ends > gap_end) & reading.present].sum()) + reading.partial_wh
    at = max(reading.meter_time for reading in readings)
    return PartialInterval(start=local(gap_end), asOf=local(at), seconds=at - gap_end, wh=wh)


def _power_state(answers: Sequence[Answer]) -> PowerState:
    """What is known of an ESI ID: OFF if a meter's power is, and ON if every meter's is. Told is the first that has it so."""
    states = [_state_of(answer) for answer in answers]
    worst = min(states, key=lambda one: (_WORST_FIRST.index(one.status), one.at))
    alike = len({one.switchState for one in states}) == 1
    return worst if alike or worst.status != "ON" else worst.model_copy(update={"switchState": "UNKNOWN"})


def _state_of(answer: Answer) -> PowerState:
    """Of one meter; a last gasp in the answer is newer than the reading."""
    reading: PowerReading | None = answer.reading
    if answer.power_failed_at is not None:
        at = local(answer.power_failed_at)
        return PowerState(status="OFF", source="event", switchState="UNKNOWN", voltage=None, at=at)
    if reading is None:
        return PowerState(status="UNKNOWN", source="none", switchState="UNKNOWN", voltage=None, at=None)
    return PowerState(
        status="ON",
        source="reply",
        switchState="CLOSED" if reading.switch_closed else "OPEN",
        voltage=round(reading.voltage, 1),
        at=local(reading.meter_time),
    )
