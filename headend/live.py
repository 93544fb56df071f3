"""The live ports of the on-demand process: real meters over Modbus TCP, real answers called back over HTTP."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import httpx
import numpy as np
import simpy

from headend.events import EventDesk
from headend.network import READ_OCTETS, TRY_TIMEOUT_US, AccessPoint, Try, TryDraws
from headend.ondemand import Answer, Inquiry, answer_inquiry
from headend.ports import FAULT, Driver, Journal, MeterAddress, MeterReading, PowerReading, told
from headend.store import HeadEndStore
from headend.transport import ModbusTransport, NoAnswer
from headend.wire import (
    InquiryKind,
    InquiryRequest,
    InquiryResult,
    Outcome,
    PartialInterval,
    PowerState,
    RegisterRead,
    ServedInterval,
)
from meters.calendar import INTERVAL_S, US, floor_interval, instant_us, local

#: How far beyond its gap an inquiry reads what the meter has come to meanwhile. Default of this project.
BEYOND_S = 8 * INTERVAL_S
#: Waits before a call-back that found nobody is tried again.
CALL_BACK_WAITS_US = (1 * US, 5 * US, 30 * US)


class LiveMeters:
    """``ondemand.Meters`` over Modbus TCP: the drawn latency as model time, the exchange itself for real."""

    def __init__(
        self,
        driver: Driver,
        transport: ModbusTransport,
        store: HeadEndStore,
        addresses: Mapping[str, MeterAddress],
        access_points: Mapping[int, AccessPoint],
        events: EventDesk,
    ) -> None:
        """addresses: by ESI ID. access_points: by the number in the address. events: is told whom it heard, and tells whose power is off."""
        self._driver = driver
        self._transport = transport
        self._store = store
        self._addresses = addresses
        self._access_points = access_points
        self._events = events

    def access_point(self, esiid: str) -> AccessPoint:
        """See ``ondemand.Meters``."""
        return self._access_points[self._addresses[esiid].access_point]

    def power_failed_at(self, esiid: str) -> int | None:
        """See ``ondemand.Meters``."""
        return self._events.power_failed_at(esiid)

    def read(
        self, inquiry: Inquiry, lacked_from: int, start_us: int, one: Try
    ) -> Generator[simpy.Event, Any, MeterReading | PowerReading | None]:
        """See ``ondemand.Meters``."""
        env = self._driver.env
        give_up_us = start_us + TRY_TIMEOUT_US
        if not one.heard:
            yield env.timeout(give_up_us - int(env.now))
            return None
        yield env.timeout(start_us + one.out_us - int(env.now))
        address = self._addresses[inquiry.esiid]
        try:
            reading = yield self._driver.io("meter", inquiry.key, lambda: self._exchange(address, inquiry, lacked_from))
        except NoAnswer:
            yield env.timeout(max(0, give_up_us - int(env.now)))
            return None
        self._events.heard(inquiry.esiid, self._driver.now())
        yield env.timeout(one.back_us)
        if isinstance(reading, MeterReading) and inquiry.kind is InquiryKind.INTERVALS:
            self._store.keep([reading.until(inquiry.end)], int(env.now) // US, "meter")
        return reading  # type: ignore[no-any-return]

    async def _exchange(self, address: MeterAddress, inquiry: Inquiry, lacked_from: int) -> MeterReading | PowerReading:
        if inquiry.kind is InquiryKind.POWER:
            return await self._transport.read_power(address)
        if inquiry.kind is InquiryKind.REGISTER:
            # No intervals are asked for, so the window is empty and only the header is read.
            now = self._driver.now()
            return await self._transport.read_window(address, floor_interval(now), floor_interval(now))
        # What has ended since the request is told beside the running interval, and belongs to nobody's gap.
        return await self._transport.read_window(address, lacked_from, inquiry.end + BEYOND_S)


@dataclass(frozen=True, slots=True)
class OnDemandDesk:
    """The head-end's on-demand desk: takes an accepted inquiry to its call-back."""

    driver: Driver
    store: HeadEndStore
    meters: LiveMeters
    draws: TryDraws
    http: httpx.AsyncClient
    journal: Journal

    def accept(self, request: InquiryRequest) -> None:
        """Start the process for an inquiry the service has accepted."""
        env = self.driver.env
        self.driver.inject("inquiry", request.correlationId, lambda: _start(env, self.serve(request)))

    def serve(self, request: InquiryRequest) -> Generator[simpy.Event, Any, None]:
        """Answer one inquiry and call the result back; a simpy process."""
        env = self.driver.env
        inquiry = Inquiry(
            key=request.correlationId,
            kind=request.kind,
            esiid=request.esiid,
            start=int(request.start.timestamp()) if request.start else 0,
            end=int(request.end.timestamp()) if request.end else 0,
            meter_allowed=request.meterAllowed,
            answer_by_us=instant_us(request.answerBy),
            store_allowed=request.storeAllowed,
        )
        answer, result = yield from self._answered(request, inquiry)
        self.journal.note(
            self.driver.now(),
            "TDSP",
            "inquiry answered",
            request.correlationId,
            inquiry=request.kind.value,
            outcome=answer.outcome.value,
            reason=answer.reason,
            store=sum(one.source == "store" for one in result.intervals),
            meter=sum(one.source == "meter" for one in result.intervals),
            missing=len(result.missing),
            meter_reads=answer.meter_reads,
        )
        body = result.model_dump_json(by_alias=True)
        for wait in (*CALL_BACK_WAITS_US, None):
            try:
                reply: httpx.Response = yield self.driver.io(
                    "call-back", request.correlationId, lambda: self._call_back(str(request.replyTo), body)
                )
            except httpx.HTTPError as error:
                what = type(error).__name__
            else:
                if reply.status_code < 500:
                    return
                what = f"HTTP {reply.status_code}"
            if wait is None:
                self.journal.note(self.driver.now(), "TDSP", "call-back given up", request.correlationId, reason=what)
                return
            yield env.timeout(wait)

    def _answered(
        self, request: InquiryRequest, inquiry: Inquiry
    ) -> Generator[simpy.Event, Any, tuple[Answer, InquiryResult]]:
        """The answer and its wire form; a fault of the head-end's own is an answer too, so that nobody waits for nothing."""
        try:
            answer = yield from answer_inquiry(self.driver.env, inquiry, self.store, self.meters, self.draws)
            return answer, self.result(request, inquiry, answer)
        except Exception as error:
            self.journal.note(self.driver.now(), "TDSP", FAULT, request.correlationId, error=told(error))
            answer = Answer(Outcome.FAILED, "a fault of the head-end's own")
            failed = InquiryResult(correlationId=request.correlationId, outcome=Outcome.FAILED, reason=answer.reason)
            return answer, failed

    async def _call_back(self, url: str, body: str) -> httpx.Response:
        return await self.http.post(url, content=body, headers={"content-type": "application/json"})

    def result(self, request: InquiryRequest, inquiry: Inquiry, answer: Answer) -> InquiryResult:
        """Put an answer on the wire: what the store holds now, each interval with its source."""
        reading = answer.reading
        octets = reading.octets if isinstance(reading, MeterReading) else answer.meter_reads * READ_OCTETS
        common: dict[str, Any] = {
            "correlationId": request.correlationId,
            "outcome": answer.outcome,
            "reason": answer.reason,
            "meterReads": answer.meter_reads,
            "octets": octets,
        }
        if request.kind is InquiryKind.POWER:
            return InquiryResult(**common, power=_power_state(reading, answer.power_failed_at))
        if isinstance(reading, MeterReading):
            common["register"] = RegisterRead(wh=reading.register_wh, at=local(reading.meter_time))
        if request.kind is InquiryKind.REGISTER:
            return InquiryResult(**common)
        window = self.store.window(inquiry.esiid, inquiry.start, inquiry.end)
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
            reachesTo=local(self.store.reaches_to(inquiry.esiid, inquiry.start)),
        )


def _start(env: simpy.Environment, process: Generator[simpy.Event, Any, None]) -> None:
    env.process(process)


def _partial(reading: MeterReading, gap_end: int) -> PartialInterval | None:
    """What the meter shows beyond the gap: the running interval, and whole ones that ended while the read was on its way."""
    ends = reading.start + INTERVAL_S * (1 + np.arange(len(reading.delivered)))
    beyond = reading.delivered[(ends > gap_end) & reading.present]
    wh = int(beyond.sum()) + reading.partial_wh
    if reading.meter_time <= gap_end:
        return None
    return PartialInterval(
        start=local(gap_end), asOf=local(reading.meter_time), seconds=reading.meter_time - gap_end, wh=wh
    )


def _power_state(reading: PowerReading | None, failed_at: int | None) -> PowerState:
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
