from __future__ import annotations

from collections import defaultdict
from dataclasses import fields, replace
from datetime import date, timedelta
from functools import partial
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meters.calendar import day_end, day_start, days, epoch, intervals_in, seconds
from meters.device.meter import EmulatedMeter
from meters.errors import MeterError
from meters.faults.fault import Fault
from meters.faults.kinds import KINDS, Channel, FaultKind, Layer, LookalikeKind, Span
from meters.faults.rules import FaultRule
from meters.fleet import BITS, Fleet, Partition
from meters.identity import make_esiid, tdsp
from meters.load.premises import MARKET
from meters.shown import Wire
from meters.status import Condition
from tests.cases import few

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
        until = noon + 30 * 3600 if KINDS[kind].layer is Layer.WIRE else noon + 3600
        always = KINDS[kind].span is Span.ALWAYS
        rules.append(
            FaultRule(kind, params=params, meters=(ordinal,))
            if always
            else FaultRule(kind, noon, until, params, meters=(ordinal,))
        )
    return [*rules, FaultRule(FaultKind.SWAP, meters=(1, 2))]


def drawn_daily(day: date, rate: float, days: int = 3) -> list[FaultRule]:
    """Every kind that has a span, drawn every day from so many before ``day`` to the next: an hour of it, or a whole day of the wire's."""
    first, until = day_start(day - timedelta(days=days - 1)), day_end(day + timedelta(days=1))
    rules = []
    for kind, row in KINDS.items():
        params = {name: min(one.most, 40.0) for name, one in row.parameters.items()}
        if kind is FaultKind.FLAKY:
            params = {"answers": 0.3}
        if row.span is Span.ALWAYS:
            rules.append(FaultRule(kind, params=params, rate=rate))
            continue
        whole = row.span is Span.INSTANT or row.layer is Layer.WIRE
        rules.append(
            FaultRule(kind, first, until, params, rate=rate, every="day", length_s=None if whole else seconds(3600))
        )
        if row.channel is not None:
            rules.append(replace(rules[-1], channel=Channel.RECEIVED))
    return rules


def collected(meter: EmulatedMeter, day: date) -> tuple[list[tuple[int, int, int, bool] | None], list[list[int]], bool]:
    """Of each interval raw values, status and presence as the first sweep brings it that is answered and finds it; registers; whether any is."""
    end = day_end(day)
    sweeps = [at for at in (end, end + 14_400, end + 28_800) if meter.reply(at).wire is Wire.ANSWER]
    held: list[tuple[int, int, int, bool] | None] = [None] * intervals_in(day)
    midnights = {day: [-1, -1], day + timedelta(days=1): [-1, -1]}
    for at in sweeps or [end]:
        shown = meter.window(day_start(day), end, at)
        for place in range(len(held)):
            if held[place] is None and day_start(day) + 900 * (place + 1) <= meter.clock(at):
                held[place] = tuple(column[place].item() for column in shown)
        for midnight, registers in midnights.items():
            taken = meter.midnight(midnight, at)
            if registers[0] < 0 and taken is not None:
                registers[:] = [one * meter.identity.multiplier for one in taken]
    return held, list(midnights.values()), bool(sweeps)


@pytest.mark.parametrize("day", [DAY, AUTUMN])
def test_partitions_show_what_sweeps_get_from_the_emulators_under_every_kind_of_fault(day: date) -> None:
    fleet = Fleet(ONCOR, 3, 60, [*every_kind(day), *drawn_daily(day, 0.02, days=12)], MARKET)
    parts = list(fleet.day(day, size=25))
    assert [(int(part.ordinals[0]), len(part.delivered)) for part in parts] == [(1, 25), (26, 25), (51, 10)]
    for part in parts:
        assert part.received.shape == part.delivered.shape == (len(part.r0), intervals_in(day))
        for row, ordinal in enumerate(part.ordinals.tolist()):
            meter = fleet.meter(ordinal)
            held, midnights, answers = collected(meter, day)
            multiplier = meter.identity.multiplier
            missing = (0, 0, Condition.STOPPED << 8 | Condition.STOPPED << 4, False)
            for place, one in enumerate(held):
                delivered, received, status, present = one or missing
                assert part.delivered[row, place] == min(delivered * multiplier, 2**31 - 1), ordinal
                assert part.received[row, place] == min(received * multiplier, 2**31 - 1)
                assert (part.status[row, place], part.present[row, place]) == (status, present)
            assert [part.r0[row].tolist(), part.r1[row].tolist()] == midnights, ordinal
            assert part.answers[row] == answers
            assert list(part.events.get(row, ())) == meter.events(day_start(day), day_end(day))
    assert not np.concatenate([part.answers for part in parts]).all()


def test_partition_is_the_same_alone_and_tells_the_headers_of_its_meters() -> None:
    rules = [
        *drawn_daily(DAY, 0.01),
        FaultRule(FaultKind.NO_PATH, gateways=(2,)),
        FaultRule(FaultKind.DEAD, meters=(3, 301)),
    ]
    fleet = Fleet(ONCOR, 3, 600, rules, MARKET)
    whole = next(iter(fleet.day(DAY)))
    for first, count in ((1, 1), (240, 70), (301, 299), (600, 1)):
        alone = fleet.partition(DAY, first, count)
        for name, column in ((one.name, getattr(alone, one.name)) for one in fields(Partition)):
            if isinstance(column, np.ndarray):
                assert column.tolist() == getattr(whole, name)[first - 1 : first - 1 + count].tolist(), name
        assert alone.events == {
            at - first + 1: told for at, told in whole.events.items() if first - 1 <= at < first - 1 + count
        }
    sound = Fleet(ONCOR, 3, 600, mix=MARKET).partition(DAY, 1, 600)
    for row in range(600):
        identity = fleet.identity(row + 1)
        assert sound.row(row).told == (int(identity.meter_number), identity.multiplier, identity.dials, 0)
    assert not sound.changed_day.any()
    assert not sound.changed_delivered.any()


def test_work_of_a_partition_does_not_grow_with_its_fleet() -> None:
    rules = [
        *drawn_daily(DAY, 0.01),
        FaultRule(FaultKind.NO_PATH, gateways=(9,)),
        FaultRule(FaultKind.DEAD, meters=(3,)),
    ]
    small, large = (Fleet(ONCOR, 3, count, rules, MARKET) for count in (5_000, 90_000_000))
    mine, theirs = (fleet.partition(DAY, 1_900, 40) for fleet in (small, large))
    assert mine.delivered.tolist() == theirs.delivered.tolist()
    assert mine.changed_day.tolist() == theirs.changed_day.tolist()


@pytest.mark.parametrize(("fleets", "count"), few(1, [(2, 60), (4, 100)]))
def test_registers_go_on_over_midnight_whatever_day_is_asked_first(fleets: int, count: int) -> None:
    @settings(max_examples=fleets)
    @given(order=st.permutations(range(8)), seed=st.integers(0, 2**20))
    def go_on(order: list[int], seed: int) -> None:
        first = date(2026, 10, 28)
        fleet = Fleet(ONCOR, seed, count, drawn_daily(first + timedelta(days=7), 0.005, days=40), MARKET)
        parts = {at: fleet.partition(first + timedelta(days=at), 1, count) for at in order}
        # Whatever made another meter, another clock or another reading of that very midnight.
        kinds = (FaultKind.EXCHANGE, FaultKind.CLOCK_SET, FaultKind.CLOCK_DRIFT, FaultKind.STALE, FaultKind.ZERO_READ)
        breaks = sum(int(BITS[kind]) for kind in kinds)
        for at in range(7):
            ended, begun = parts[at].r1, parts[at + 1].r0
            marks = parts[at].changed_day | parts[at + 1].changed_day
            assert (marks[(ended != begun).any(axis=1)] & breaks).all()
            assert (marks & breaks == 0).sum() > count / 2

    go_on()


def named(fault: Fault) -> FaultRule:
    whom = (fault.esiid, fault.other) if fault.other else (fault.esiid,)
    return FaultRule(fault.kind, fault.first, fault.until, fault.params, esiids=whom, channel=fault.channel)


def of_the_day(part: Partition) -> list[Any]:
    names = ("r0", "r1", "answers", "numbers", "told_multipliers", "dials", "clock_error_s")
    return [repr(part.events), *((column.dtype, column.tolist()) for column in map(partial(getattr, part), names))]


def test_masks_are_where_a_fleet_without_the_kind_shows_something_else() -> None:
    day = DAY + timedelta(days=1)
    drawn = Fleet(ONCOR, 3, 80, [*every_kind(DAY), *drawn_daily(day, 0.04), *drawn_daily(day, 0.01, days=9)], MARKET)
    part = drawn.partition(day, 1, 80)
    seen: set[FaultKind] = set()
    faults = drawn.faults(drawn.ordinals)
    rules = {ordinal: [named(fault) for fault in mine] for ordinal, mine in faults.items()}
    for ordinal, mine in rules.items():
        with_ = Fleet(ONCOR, 3, 80, mine, MARKET).partition(day, ordinal, 1, marked=False)
        for kind in {FaultKind(rule.kind) for rule in mine}:
            fewer = [rule for rule in mine if rule.kind is not kind]
            without = Fleet(ONCOR, 3, 80, fewer, MARKET).partition(day, ordinal, 1, marked=False)
            row, bit = ordinal - 1, BITS[kind]
            assert with_.delivered[0].tolist() == part.delivered[row].tolist()
            for mask, channel, shift in (
                (part.changed_delivered, "delivered", 8),
                (part.changed_received, "received", 4),
            ):
                differs = getattr(with_, channel) != getattr(without, channel)
                differs |= (with_.status ^ without.status) & (0xF000 | 0xF << shift) != 0
                differs |= (with_.present != without.present) & (channel == "delivered")
                assert (mask[row] & bit != 0).tolist() == differs[0].tolist(), (ordinal, kind, channel)
                seen |= {kind} if differs.any() else set()
            differs_day = of_the_day(with_) != of_the_day(without)
            assert bool(part.changed_day[row] & bit) == differs_day, (ordinal, kind)
            seen |= {kind} if differs_day else set()
    # A late reply changes nothing that is shown.
    assert set(FaultKind) - seen == {FaultKind.SLOW}


def test_after_effect_of_a_reset_is_in_the_mask_of_later_days_and_of_no_earlier_one() -> None:
    fleet = Fleet(ONCOR, 3, 5, [FaultRule(FaultKind.RESET, epoch(f"{DAY}T12:00"), meters=(2,))])
    marks = [fleet.partition(DAY + timedelta(days=at), 1, 5).changed_day.tolist() for at in (-1, 0, 1, 400)]
    bit = BITS[FaultKind.RESET]
    assert marks == [[0] * 5, *([0, bit, 0, 0, 0] for _ in range(3))]


@pytest.mark.parametrize(
    ("first", "until", "answers"),
    [
        ("2026-08-12T23:00", "2026-08-13T03:59", True),
        ("2026-08-12T23:00", "2026-08-13T08:01", False),
        ("2026-08-12T06:00", "2026-08-12T23:59", True),
    ],
)
def test_meter_answers_if_one_attempt_is_answered(first: str, until: str, answers: bool) -> None:
    fleet = Fleet(ONCOR, 3, 2, [FaultRule(FaultKind.DEAD, epoch(first), epoch(until), meters=(1,))])
    part = fleet.partition(DAY, 1, 2)
    assert part.answers.tolist() == [answers, True]
    assert (part.changed_day != 0).tolist() == [not answers, False]
    assert not part.changed_delivered.any()


def test_events_of_the_day_are_told() -> None:
    rules = [FaultRule(FaultKind.OUTAGE, epoch("2026-08-10T10:00"), epoch("2026-08-12T10:00"), meters=(1,))]
    told = [
        [(str(event.kind), event.at) for event in Fleet(ONCOR, 3, 1, rules).partition(day, 1, 1).events.get(0, ())]
        for day in (date(2026, 8, 10), date(2026, 8, 11), DAY, DAY + timedelta(days=1))
    ]
    gasp, back = ("last_gasp", epoch("2026-08-10T10:00")), ("restoration", epoch("2026-08-12T10:00") + 30)
    assert told == [[gasp], [], [back], []]


def test_header_tells_number_multiplier_dials_and_the_worst_clock_of_the_days_sweeps() -> None:
    noon = epoch(f"{DAY}T12:00")
    rules = [
        FaultRule(FaultKind.EXCHANGE, noon, meters=(1,)),
        FaultRule(FaultKind.MULTIPLIER, params={"value": 10}, meters=(2,)),
        FaultRule(FaultKind.ROLLOVER, noon, params={"dials": 5}, meters=(3,)),
        FaultRule(FaultKind.CLOCK_SET, noon - 60, noon + 60, {"seconds": -75}, meters=(4,)),
        FaultRule(FaultKind.CLOCK_SET, noon + 60, noon + 120, {"seconds": -75}, meters=(5,)),
    ]
    part = Fleet(ONCOR, 3, 5, rules).partition(DAY, 1, 5)
    assert [str(number)[0] for number in part.numbers] == ["8", "9", "9", "9", "9"]
    assert part.told_multipliers.tolist() == [1, 10, 1, 1, 1]
    assert part.dials.tolist() == [6, 6, 5, 6, 6]
    assert part.clock_error_s.tolist() == [0, 0, 0, -75, 0]


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


def test_look_alikes_stand_in_intervals_and_registers_of_every_later_day_and_a_tenth_lacks_a_register() -> None:
    first, until = epoch("2026-10-20T00:00"), epoch("2026-11-05T00:00")
    rules = [
        FaultRule(LookalikeKind.PEAK, first, until, rate=0.03, every="day"),
        FaultRule(LookalikeKind.VACATION, first, until, rate=0.1, length_s=seconds(9 * 86_400 + 900)),
        FaultRule(LookalikeKind.CONSTANT, first, until, rate=0.1, length_s=seconds(30 * 3600)),
        FaultRule(LookalikeKind.ROOF_ZEROS, first, until, rate=0.9, length_s=seconds(6 * 3600)),
    ]
    fleet, sound = Fleet(ONCOR, 3, 150, rules, MARKET), Fleet(ONCOR, 3, 150, mix=MARKET)
    before, missing = None, set()
    for day in days(date(2026, 10, 19), date(2026, 11, 7)):
        part = next(fleet.day(day))
        held = (part.r0 >= 0).all(axis=1) & (part.r1 >= 0).all(axis=1)
        for wh, column in ((part.delivered, 0), (part.received, 1)):
            assert wh.sum(axis=1, dtype=np.int64)[held].tolist() == (part.r1 - part.r0)[held, column].tolist()
        assert before is None or before.r1.tolist() == part.r0.tolist()
        missing |= {(int(row) + 1, day) for row in np.flatnonzero(part.r0[:, 0] < 0)}
        before = part
    assert before is not None
    last = next(sound.day(date(2026, 11, 7)))
    assert before.delivered.tolist() == last.delivered.tolist()
    assert (before.r0 != last.r0).any()
    entries = fleet.ledger(date(2026, 10, 19), date(2026, 11, 7))
    assert {entry.kind for entry in entries} == set(LookalikeKind)
    assert {(entry.esiid, entry.unread) for entry in entries if entry.unread} == {
        (make_esiid(ONCOR, 3, ordinal), str(day)) for ordinal, day in missing
    }
    assert len(missing) > 3
    meter = fleet.meter(next(at for at in range(1, 151) if fleet.lookalikes(at)))
    assert meter.faults == ()
    assert meter.lookalikes


@pytest.mark.parametrize("count", few(1, [40, 100]))
def test_wrong_energy_of_a_ledger_is_what_the_meters_show_wrongly_whatever_lies_over_what(count: int) -> None:
    first, last = DAY, DAY + timedelta(days=2)
    rules = [rule for rule in drawn_daily(last, 0.04, days=9) if rule.kind is not FaultKind.SWAP]
    rules.append(FaultRule(FaultKind.STALE, day_end(last), day_end(last) + 40_000, {"seconds": 86_400}, rate=0.1))
    fleet, sound = Fleet(ONCOR, 3, count, rules, MARKET), Fleet(ONCOR, 3, count, (), MARKET)
    entries = fleet.ledger(first, last)
    wrong: dict[str, int] = defaultdict(int)
    for entry in entries:
        wrong[entry.esiid] += entry.effect.wrong_wh if entry.effect else 0
    shown: dict[str, int] = defaultdict(int)
    for at in range(3):
        day = first + timedelta(days=at)
        read, true = (one.partition(day, 1, count, marked=False) for one in (fleet, sound))
        for row in range(count):
            for channel in ("delivered", "received"):
                away = getattr(read, channel)[row].astype(np.int64) - getattr(true, channel)[row]
                shown[make_esiid(ONCOR, 3, row + 1)] += int(np.abs(away).sum())
    assert {esiid: wh for esiid, wh in wrong.items() if wh} == {esiid: wh for esiid, wh in shown.items() if wh}
    assert sum(wrong.values()) > 0


def test_fleet_refuses_to_be_empty_or_to_have_faults_elsewhere() -> None:
    with pytest.raises(MeterError, match=r"meters\.fleet\.empty"):
        Fleet(ONCOR, 3, 0)
    with pytest.raises(MeterError, match=r"meters\.fleet\.range"):
        Fleet(ONCOR, 3, 10).partition(DAY, 5, 7)
    with pytest.raises(MeterError, match=r"meters\.fault\.unknown"):
        Fleet(ONCOR, 3, 10, [FaultRule(FaultKind.DEAD, meters=(11,))])
    with pytest.raises(MeterError, match=r"meters\.fault\.unknown"):
        Fleet(ONCOR, 3, 10, [FaultRule(FaultKind.NO_PATH, gateways=(2,))])
    with pytest.raises(MeterError, match=r"meters\.fault\.unknown"):
        Fleet(ONCOR, 3, 10, [FaultRule(FaultKind.DEAD, esiids=(make_esiid(ONCOR, 3, 11),))])


def test_any_meters_of_a_fleet_have_the_day_that_they_have_in_the_whole() -> None:
    fleet = Fleet(tdsp("CENTERPOINT"), 3, 400, every_kind(DAY) + drawn_daily(DAY, 0.01), MARKET)
    whole = fleet.partition(DAY, 1, 400)
    ordinals = np.array([2, 3, 57, 58, 61, 199, 200, 399])
    part, plain = fleet.rows(DAY, ordinals), fleet.rows(DAY, ordinals, marked=False)
    assert part.ordinals.tolist() == ordinals.tolist()
    for name in ("delivered", "received", "status", "present", "r0", "r1", "answers", "numbers", "clock_error_s"):
        expected = getattr(whole, name)[ordinals - 1]
        assert (getattr(part, name) == expected).all(), name
        assert (getattr(plain, name) == expected).all(), name
    assert (part.changed_delivered == whole.changed_delivered[ordinals - 1]).all()
    assert not plain.changed_delivered.any()
    assert (
        part.events
        == plain.events
        == {row: whole.events[at] for row, at in enumerate(ordinals - 1) if at in whole.events}
    )
    sound = replace(fleet, rules=())
    registers = fleet.registers(DAY, ordinals)
    assert (registers == sound.partition(DAY, 1, 400).r0[ordinals - 1]).all()


def test_what_flowed_is_told_of_whoever_shows_something_else() -> None:
    fleet = Fleet(ONCOR, 3, 400, every_kind(DAY) + drawn_daily(DAY, 0.01), MARKET)
    kept = (FaultKind.OUTAGE, FaultKind.DISCONNECTED)
    nobody = FaultRule(FaultKind.GAP, rate=1e-300)
    part = fleet.partition(DAY, 1, 400)
    true = replace(fleet, rules=[rule if rule.kind in kept else nobody for rule in fleet.rules]).partition(DAY, 1, 400)
    for row in range(400):
        flowed = part.flowed.get(row, (part.delivered[row], part.received[row]))
        # Another meter's coarse pulses fall elsewhere.
        for one, other in zip(flowed, (true.delivered[row], true.received[row]), strict=True):
            assert (np.abs(one - other) < part.multipliers[row]).all(), row
    assert len(part.flowed) > 50


def test_the_emulators_of_a_fleet_are_its_meters_in_order_each_with_its_own_faults() -> None:
    fleet = Fleet(ONCOR, 3, 6, [FaultRule(FaultKind.DEAD, meters=(4,)), FaultRule(FaultKind.SLOW, params={"seconds": 2}, meters=(4, 6))])  # fmt: skip
    every = list(fleet.meters())
    assert [meter.identity for meter in every] == [fleet.identity(ordinal) for ordinal in range(1, 7)]
    assert [[str(fault.kind) for fault in meter.faults] for meter in every] == [[], [], [], ["dead", "slow"], [], ["slow"]]  # fmt: skip


def test_several_days_at_once_are_the_days_one_by_one() -> None:
    silent = FaultRule(FaultKind.DEAD, epoch("2026-08-12T23:00"), epoch("2026-08-13T12:00"), meters=(2,))
    fleet = Fleet(ONCOR, 3, 3, [silent])
    both = list(fleet.rows_on((DAY, DAY + timedelta(days=1)), fleet.ordinals, marked=False))
    assert [part.day for part in both] == [DAY, DAY + timedelta(days=1)]
    assert [part.answers.tolist() for part in both] == [[True, False, True], [True, True, True]]
    for part in both:
        alone = fleet.partition(part.day, 1, 3)
        assert part.delivered.tolist() == alone.delivered.tolist()
        assert part.answers.tolist() == alone.answers.tolist()
    # What the meter that nobody reached has measured all the same.
    assert both[0].flowed[1][0].tolist() == both[0].delivered[1].tolist()
    assert next(fleet.rows_on((DAY,), range(1, 1))).delivered.shape == (0, 96)
