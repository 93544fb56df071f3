"""Gateways for tests: meters with the faults a test wants, served in the test's loop or, for clients that block, in a loop of their own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager

from meters.calendar import Seconds, epoch
from meters.device.meter import EmulatedMeter
from meters.faults.fault import Fault
from meters.faults.kinds import FaultKind
from meters.identity import MeterIdentity, Premise, make_esiid, make_meter_number, tdsp
from meters.wire.gateway import IDLE_S, Gateway, Silence

NOW = epoch("2026-08-12T17:40") + 22


def home(ordinal: int, *faults: Fault, **identity: int) -> EmulatedMeter:
    """A meter at the premise of that ordinal."""
    esiid = make_esiid(tdsp("ONCOR"), 1, ordinal)
    named = MeterIdentity(make_meter_number(1, ordinal), esiid, **identity)  # type: ignore[arg-type]
    return EmulatedMeter(named, Premise(esiid), 1, faults)


def fault(ordinal: int, kind: FaultKind, first: Seconds, until: Seconds) -> Fault:
    """A fault of the meter of that ordinal."""
    return Fault(kind, make_esiid(tdsp("ONCOR"), 1, ordinal), first, until)


def broken(ordinal: int, kind: FaultKind, **params: float) -> EmulatedMeter:
    """A meter that has always had a fault, and will have."""
    return home(ordinal, Fault(kind, make_esiid(tdsp("ONCOR"), 1, ordinal), params=params))


@asynccontextmanager
async def served(
    meters: Mapping[int, EmulatedMeter], silence: Silence = "hang", now: Seconds = NOW, idle_s: float = IDLE_S
) -> AsyncIterator[Gateway]:
    """A gateway in this loop."""
    gateway = Gateway(meters, lambda: now, silence=silence, idle_s=idle_s)
    await gateway.start()
    try:
        yield gateway
    finally:
        await gateway.stop()


@contextmanager
def served_apart(meters: Mapping[int, EmulatedMeter], silence: Silence = "hang", now: Seconds = NOW) -> Iterator[int]:
    """A gateway in a thread of its own, for clients that block; its port."""
    loop = asyncio.new_event_loop()
    gateway = Gateway(meters, lambda: now, silence=silence)
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        asyncio.run_coroutine_threadsafe(gateway.start(), loop).result()
        try:
            yield gateway.port
        finally:
            asyncio.run_coroutine_threadsafe(gateway.stop(), loop).result()
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
