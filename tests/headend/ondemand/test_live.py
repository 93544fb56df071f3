"""A try at a meter over the wire: what it takes, what its header tells, who answers."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any
from unittest.mock import AsyncMock, MagicMock

import numpy as np
import pytest
import simpy

from headend.network.law import TRY_TIMEOUT_US, AccessPoint, Try, Workers
from headend.network.transport import NoAnswer, WrongMeter
from headend.ondemand.live import LiveMeters
from headend.ondemand.process import Inquiry
from headend.ports import HeadEndError, MeterAddress, MeterReading, MeterRecords, PowerReading
from headend.store.store import HeadEndStore
from headend.store.told import MeterTold
from headend.wire import InquiryKind
from meters.calendar import INTERVAL_S, Seconds, epoch, micros, seconds, to_s, to_us

NOW = epoch("2026-08-12T13:00")
METER = MeterAddress("10443720000000017", "900000017", "127.0.0.1", 1, 1, 1, 0)
HEARD = Try(to_us(2), to_us(3), heard=True)
VALUES = np.full(4, 7, np.int32)
WINDOW = MeterReading(
    *METER.key, NOW - 3 * INTERVAL_S, VALUES, VALUES, VALUES.astype(np.uint16) * 0, VALUES > 0, NOW + 62, 5, 9, 100, 10
)


class Live:
    """A meter that is tried, and a driver that asks it at once."""

    def __init__(self, store: HeadEndStore, answer: Any) -> None:
        self.env = simpy.Environment(to_us(NOW))
        transport = MagicMock()
        transport.read_window = transport.read_power = AsyncMock(side_effect=[answer])
        self.events = MagicMock()
        driver: Any = self
        self.meters = LiveMeters(driver, transport, store, {0: AccessPoint(4)}, self.events, Workers(0))

    def now(self) -> Seconds:
        return to_s(micros(self.env.now))

    def io(self, _kind: str, _ident: str, call: Callable[[], Awaitable[Any]]) -> simpy.Event:
        done = self.env.event()
        try:
            done.succeed(asyncio.run(call()))  # type: ignore[arg-type]
        except HeadEndError as error:
            done.fail(error)
        return done

    def tried(self, kind: InquiryKind, attempt: Try = HEARD) -> Any:
        inquiry = Inquiry("1", kind, METER.key, NOW - 3 * INTERVAL_S, NOW, True, to_us(NOW + 600))
        read = self.meters.read(inquiry, inquiry.start, micros(self.env.now), attempt)
        return self.env.run(self.env.process(read))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[HeadEndStore]:
    kept = HeadEndStore(f"sqlite:///{tmp_path / 'headend.sqlite'}", MeterRecords([METER]))
    yield kept
    kept.close()


def told(store: HeadEndStore) -> MeterTold | None:
    return store.told.of([METER.esiid], date(2026, 8, 12)).get(METER.key)


@pytest.mark.parametrize(
    ("kind", "reading"),
    [
        (InquiryKind.INTERVALS, WINDOW),
        (InquiryKind.REGISTER, WINDOW),
        (InquiryKind.POWER, PowerReading(METER.esiid, NOW + 62, 240.0, True, 10)),
    ],
)
def test_a_read_keeps_what_its_header_tells_and_of_intervals_those_asked_for(
    store: HeadEndStore, kind: InquiryKind, reading: Any
) -> None:
    live = Live(store, reading)
    assert live.tried(kind) is reading
    # Asked and answered two seconds on.
    assert told(store) == MeterTold(seconds(60), 10)
    live.events.heard.assert_called_once_with(METER.key, NOW + 2)
    kept = store.window(METER.esiid, NOW - 4 * INTERVAL_S, NOW + INTERVAL_S)
    assert len(kept.ends) == (3 if kind is InquiryKind.INTERVALS else 0)
    assert live.now() == NOW + 5


@pytest.mark.parametrize(
    ("error", "said"),
    [(NoAnswer("it is silent"), None), (WrongMeter("another", "900000099"), MeterTold(other_number="900000099"))],
)
def test_who_does_not_answer_costs_the_try_and_another_meter_tells_its_number_alone(
    store: HeadEndStore, error: NoAnswer, said: MeterTold | None
) -> None:
    live = Live(store, error)
    assert live.tried(InquiryKind.INTERVALS) is None
    assert told(store) == said
    live.events.heard.assert_not_called()
    assert micros(live.env.now) == to_us(NOW) + TRY_TIMEOUT_US


def test_a_try_that_nobody_hears_asks_no_meter(store: HeadEndStore) -> None:
    live = Live(store, WINDOW)
    assert live.tried(InquiryKind.INTERVALS, HEARD._replace(heard=False)) is None
    assert (told(store), micros(live.env.now)) == (None, to_us(NOW) + TRY_TIMEOUT_US)
