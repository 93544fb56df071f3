"""The live port of the on-demand process: real meters over Modbus TCP."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from typing import Any

import simpy

from headend.boundaries import boundary
from headend.network.events import EventDesk
from headend.network.law import TRY_TIMEOUT_US, AccessPoint, Try, Workers
from headend.network.transport import ModbusTransport, NoAnswer, WrongMeter
from headend.ondemand.process import Inquiry
from headend.ports import Driver, MeterAddress, MeterKey, MeterReading, PowerReading
from headend.store.store import HeadEndStore
from headend.store.told import MeterTold, header_of
from headend.wire import InquiryKind
from meters.calendar import INTERVAL_S, Micros, Seconds, floor_interval, micros, to_s

#: How far beyond its gap an inquiry reads what the meter has come to meanwhile. Default of this project.
BEYOND_S = 8 * INTERVAL_S


class LiveMeters:
    """``process.Meters`` over Modbus TCP: the drawn latency as model time, the exchange itself for real."""

    def __init__(
        self,
        driver: Driver,
        transport: ModbusTransport,
        store: HeadEndStore,
        access_points: Mapping[int, AccessPoint],
        events: EventDesk,
        workers: Workers,
    ) -> None:
        """access_points: by the number in the address. events: is told whom it heard, and tells whose power is off."""
        self.workers = workers
        self._driver = driver
        self._transport = transport
        self._store = store
        self._addresses = store.records.addresses
        self._access_points = access_points
        self._events = events

    def access_point(self, meter: MeterKey) -> AccessPoint:
        """See ``process.Meters``."""
        return self._access_points[self._addresses[meter].access_point]

    def power_failed_at(self, meter: MeterKey) -> Seconds | None:
        """See ``process.Meters``."""
        return self._events.power_failed_at(meter)

    def read(
        self, inquiry: Inquiry, lacked_from: Seconds, start_us: Micros, attempt: Try
    ) -> Generator[simpy.Event, Any, MeterReading | PowerReading | None]:
        """See ``process.Meters``."""
        env = self._driver.env
        give_up_us = start_us + TRY_TIMEOUT_US
        if not attempt.heard:
            yield env.timeout(give_up_us - micros(env.now))
            return None
        yield env.timeout(start_us + attempt.out_us - micros(env.now))
        address = self._addresses[inquiry.meter]
        boundary("headend.read.before")
        asked = self._driver.now()
        try:
            reading = yield self._driver.io("meter", inquiry.key, lambda: self._exchange(address, inquiry, lacked_from))
        except NoAnswer as silent:
            if isinstance(silent, WrongMeter):
                self._store.told.keep([(inquiry.meter, MeterTold(other_number=silent.number))], asked)
            self.access_point(inquiry.meter).silent(start_us)
            self.workers.late(start_us + attempt.takes_us, give_up_us)
            yield env.timeout(max(0, give_up_us - micros(env.now)))
            return None
        boundary("headend.read.after")
        answered = self._driver.now()
        self._events.heard(inquiry.meter, answered)
        self._store.told.keep([(inquiry.meter, header_of(reading, asked, answered))], asked)
        yield env.timeout(attempt.back_us)
        if isinstance(reading, MeterReading) and inquiry.kind is InquiryKind.INTERVALS:
            self._store.keep([reading.until(inquiry.end)], to_s(micros(env.now)), "meter")
        return reading  # type: ignore[no-any-return]

    async def _exchange(
        self, address: MeterAddress, inquiry: Inquiry, lacked_from: Seconds
    ) -> MeterReading | PowerReading:
        if inquiry.kind is InquiryKind.POWER:
            return await self._transport.read_power(address)
        if inquiry.kind is InquiryKind.REGISTER:
            # No intervals are asked for, so the window is empty and only the header is read.
            now = self._driver.now()
            return await self._transport.read_window(address, floor_interval(now), floor_interval(now))
        # What has ended since the request is told beside the running interval, and belongs to nobody's gap.
        return await self._transport.read_window(address, lacked_from, inquiry.end + BEYOND_S)
