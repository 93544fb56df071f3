from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest

from meters.calendar import day_end, day_start, epoch, intervals_in, seconds
from meters.errors import MeterError
from meters.faults.kinds import KINDS, FaultKind, Layer, Span
from meters.faults.rules import FaultRule
from meters.fleet import READ_AFTER_S, Fleet
from meters.identity import make_esiid, tdsp
from meters.load.premises import MARKET
from meters.shown import Wire

ONCOR = tdsp("ONCOR")
DAY, AUTUMN = date(2026, 8, 12), date(2026, 11, 1)


def every_kind(day: date) -> list[FaultRule]:
    """One meter for each kind, its fault in the middle of the day."""
    noon = epoch(f"{day}T12:00")
    rules = []
    for ordinal, kind in enumerate((kind for kind in FaultKind if kind is not FaultKind.SWAP), 5):
        params = {
            name: parameter.default if parameter.default is not None else min(parameter.most, 100.0)
            for name, parameter in KINDS[kind].parameters.items()
        }
        until = noon + 14 * 3600 if KINDS[kind].layer is Layer.WIRE else noon + 3600
        always = KINDS[kind].span is Span.ALWAYS
        rules.append(
            FaultRule(kind, params=params, meters=(ordinal,))
            if always
            else FaultRule(kind, noon, until, params, meters=(ordinal,))
        )
    return [*rules, FaultRule(FaultKind.SWAP, meters=(1, 2))]


@pytest.mark.parametrize("day", [DAY, AUTUMN])
def test_partitions_show_what_the_one_meter_emulators_show_under_every_kind_of_fault(day: date) -> None:
    daily = FaultRule(FaultKind.GAP, day_start(day), day_end(day), rate=0.2, every="day", length_s=seconds(3600))
    fleet = Fleet(ONCOR, 3, 60, [*every_kind(day), daily], MARKET)
    parts = list(fleet.day(day, size=25))
    assert [(part.first, len(part.delivered)) for part in parts] == [(1, 25), (26, 25), (51, 10)]
    now = day_end(day) + READ_AFTER_S
    for part in parts:
        assert part.received.shape == part.delivered.shape == (len(part.r0), intervals_in(day))
        for row, ordinal in enumerate(range(part.first, part.first + len(part.delivered))):
            meter = fleet.meter(ordinal)
            shown = meter.window(day_start(day), day_end(day), now)
            multiplier = meter.identity.multiplier
            assert part.delivered[row].tolist() == (shown.delivered * multiplier).tolist(), ordinal
            assert part.received[row].tolist() == (shown.received * multiplier).tolist()
            assert part.status[row].tolist() == shown.status.tolist()
            assert part.present[row].tolist() == shown.present.tolist()
            for registers, midnight in ((part.r0, day), (part.r1, day + timedelta(days=1))):
                taken = meter.midnight(midnight, now)
                wanted = [-1, -1] if taken is None else [one * multiplier for one in taken]
                assert registers[row].tolist() == wanted, ordinal
            assert part.answers[row] == (meter.reply(now).wire is Wire.ANSWER)
    assert not np.concatenate([part.answers for part in parts]).all()


def test_market_has_businesses_with_multipliers_roofs_and_homes() -> None:
    fleet = Fleet(ONCOR, 3, 400, mix=MARKET)
    identities = [fleet.identity(ordinal) for ordinal in range(1, 401)]
    assert 20 <= sum(identity.three_phase for identity in identities) <= 65
    assert {identity.multiplier for identity in identities} > {1}
    assert all(identity.three_phase for identity in identities if identity.multiplier > 1)
    part = next(iter(fleet.day(date(2026, 4, 20))))
    assert 3 <= (part.received.sum(axis=1) > 0).sum() <= 30


def test_intervals_add_up_to_registers_in_both_channels_and_with_multipliers() -> None:
    for part in Fleet(ONCOR, 3, 500, mix=MARKET).day(DAY):
        assert part.delivered.sum(axis=1, dtype=np.int64).tolist() == (part.r1 - part.r0)[:, 0].tolist()
        assert part.received.sum(axis=1, dtype=np.int64).tolist() == (part.r1 - part.r0)[:, 1].tolist()


def test_ledger_of_a_run_names_what_was_done_and_how_much() -> None:
    rules = [
        FaultRule(FaultKind.SPIKE, epoch("2026-08-12T12:00"), epoch("2026-08-12T12:15"), {"factor": 10}, meters=(3,)),
        FaultRule(FaultKind.DEAD, meters=(4,)),
        FaultRule(
            FaultKind.GAP,
            epoch("2026-08-01T00:00"),
            epoch("2026-08-20T00:00"),
            rate=0.5,
            every="day",
            length_s=seconds(900),
        ),
        FaultRule(FaultKind.GAP, epoch("2026-07-01T00:00"), epoch("2026-07-02T00:00"), meters=(5,)),
    ]
    fleet = Fleet(ONCOR, 3, 20, rules)
    entries = fleet.ledger(DAY, DAY)
    assert [entry.kind for entry in entries].count("dead") == 1
    assert 2 <= [entry.kind for entry in entries].count("gap") <= 18
    spike = next(entry for entry in entries if entry.kind == "spike")
    assert spike.effect is not None
    assert spike.effect.shown_wh == 10 * spike.effect.true_wh > 0
    assert spike.meter_number == fleet.identity(3).meter_number
    part = next(iter(fleet.day(DAY)))
    gone = {make_esiid(ONCOR, 3, int(row) + 1) for row in np.flatnonzero(~part.present.all(axis=1))}
    assert gone == {entry.esiid for entry in entries if entry.kind == "gap"}


def test_fleet_refuses_to_be_empty_or_to_have_faults_elsewhere() -> None:
    with pytest.raises(MeterError, match=r"meters\.fleet\.empty"):
        Fleet(ONCOR, 3, 0)
    with pytest.raises(MeterError, match=r"meters\.fault\.unknown"):
        Fleet(ONCOR, 3, 10, [FaultRule(FaultKind.DEAD, meters=(11,))])
    with pytest.raises(MeterError, match=r"meters\.fault\.unknown"):
        Fleet(ONCOR, 3, 10, [FaultRule(FaultKind.DEAD, esiids=(make_esiid(ONCOR, 3, 11),))])
