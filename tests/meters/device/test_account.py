"""What the ledger says of each fault of a meter that sees one Wh a second, reckoned by hand."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from meters.calendar import Seconds, day_end, day_start, epoch
from meters.device.account import ledger_of
from meters.device.meter import EmulatedMeter
from meters.faults.fault import FOR_EVER, Fault
from meters.faults.kinds import Channel, FaultKind
from meters.faults.ledger import Effect, Ends, LedgerEntry
from meters.identity import MeterIdentity, Premise, make_esiid, tdsp
from meters.shown import Wire
from tests.meters.fakes import SteadyLoad

ESIID = make_esiid(tdsp("ONCOR"), 1, 1)
DAY = date(2026, 8, 12)
MIDNIGHT, NOON = day_start(DAY), epoch("2026-08-12T12:00")


def steady(*faults: Fault, received: int = 0, **identity: int) -> EmulatedMeter:
    mine = MeterIdentity("900000001", ESIID, **identity)  # type: ignore[arg-type]
    return EmulatedMeter(mine, Premise(ESIID), 1, faults, load=SteadyLoad(900, received))


def fault(
    kind: FaultKind, first: Seconds = NOON, until: Seconds = FOR_EVER, channel: Channel | None = None, **params: float
) -> Fault:
    return Fault(kind, ESIID, first, until, params, channel=channel)


def told(*faults: Fault, days: int = 1, received: int = 0, **identity: int) -> dict[str, LedgerEntry]:
    meter = steady(*faults, received=received, **identity)
    return {one.kind: one for one in ledger_of([meter], MIDNIGHT, day_end(DAY + timedelta(days=days - 1)))}


def test_registers_are_those_at_the_ends_of_the_span() -> None:
    began = steady().registers(NOON)[0]
    outage = told(fault(FaultKind.OUTAGE, NOON, NOON + 1000))["outage"]
    assert outage.ends == Ends((began, 0), (began, 0))
    # The third interval had 800 Wh.
    assert outage.effect == Effect(1800, 800, 0, 0, 1000)
    gap = told(fault(FaultKind.GAP, NOON, NOON + 1800), received=90)["gap"]
    assert gap.ends is not None
    assert [after - before for before, after in zip(gap.ends.before, gap.ends.after, strict=True)] == [1800, 180]
    assert gap.effect == Effect(1800, 0, 180, 0, 1980)


def test_registers_of_an_instant_are_those_a_second_before_and_then() -> None:
    reset = told(fault(FaultKind.RESET), multiplier=7)["reset"]
    assert reset.ends is not None
    assert reset.ends.after == (0, 0)
    assert reset.ends.before[0] == steady(multiplier=7).registers(NOON - 1)[0] * 7 > 0
    rollover = told(fault(FaultKind.ROLLOVER, dials=5))["rollover"]
    assert rollover.ends == Ends((10**8 - 1, 0), (0, 0))
    assert rollover.effect is reset.effect is None


def test_exchange_names_both_meters_with_out_read_and_in_read() -> None:
    one, other = ledger_of(
        [steady(fault(FaultKind.EXCHANGE, NOON, initial_wh=5000), fault(FaultKind.EXCHANGE, NOON + 60))],
        MIDNIGHT,
        day_end(DAY),
    )
    assert one.ends is not None
    assert other.ends is not None
    assert (one.meter_number, one.ends.new_number) == ("900000001", "800000001")
    assert (one.ends.before[0], one.ends.after[0]) == (steady().registers(NOON - 1)[0], 5000)
    assert (other.meter_number, other.ends.before[0]) == ("800000001", 5059)
    assert (other.ends.new_number, other.ends.after[0]) == ("700000001", 0)


def test_energy_under_two_faults_is_the_doing_of_the_one_that_takes_the_value_last() -> None:
    both = told(fault(FaultKind.SPIKE, NOON, NOON + 1800, factor=3), fault(FaultKind.GAP, NOON + 900, NOON + 2700))
    assert both["spike"].effect == Effect(900, 2700, 0, 0, 1800)
    assert both["gap"].effect == Effect(1800, 0, 0, 0, 1800)
    # A spike of nothing is no doing of the spike.
    out = told(fault(FaultKind.SPIKE, NOON, NOON + 900, factor=3), fault(FaultKind.OUTAGE, NOON, NOON + 900))
    assert out["spike"].effect is None
    assert out["outage"].effect == Effect(900, 0, 0, 0, 900)


@pytest.mark.parametrize(
    ("channel", "effect"),
    [
        (None, Effect(900, 1800, 0, 0, 900)),
        (Channel.DELIVERED, Effect(900, 1800, 0, 0, 900)),
        (Channel.RECEIVED, Effect(0, 0, 90, 180, 90)),
        (Channel.BOTH, Effect(900, 1800, 90, 180, 990)),
    ],
)
def test_energy_is_that_of_the_channels_that_a_fault_takes(channel: Channel | None, effect: Effect) -> None:
    spike = told(fault(FaultKind.SPIKE, NOON, NOON + 900, channel, factor=2), received=90)["spike"]
    assert spike.effect == effect
    assert spike.channel == (channel or Channel.DELIVERED)


def test_flaky_meter_has_the_days_on_which_it_does_not_answer() -> None:
    flaky = fault(FaultKind.FLAKY, MIDNIGHT, answers=0.5)
    days = [DAY + timedelta(days=at) for at in range(20)]
    silent = [str(day) for day in days if steady(flaky).reply(day_start(day) + 3600).wire is Wire.SILENT]
    assert list(told(flaky, days=20)["flaky"].silent_days) == silent
    assert 3 <= len(silent) <= 17


def test_register_passes_its_last_dial_once_of_several_declared_rollovers() -> None:
    meter = steady(fault(FaultKind.ROLLOVER, dials=5), fault(FaultKind.ROLLOVER, NOON + 86_400, dials=5))
    assert [meter.registers(NOON + at)[0] for at in (-1, 0, 86_399, 86_400)] == [10**8 - 1, 0, 86_399, 86_400]
    first, second = (one.ends for one in ledger_of([meter], MIDNIGHT, day_end(DAY + timedelta(days=1))))
    assert first == Ends((10**8 - 1, 0), (0, 0))
    assert second == Ends((86_399, 0), (86_400, 0))
