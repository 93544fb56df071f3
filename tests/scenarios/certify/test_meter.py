"""What is seen of a meter: each id holds for ours, which nobody wrote for the plan, and fails where one exchange of it is otherwise."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta

import pytest

from meters.calendar import day_start
from meters.register_map import layout as wire
from scenarios.actions.outside.read_meter import INPUT, NO_FUNCTION, SILENT, WRITE, WRITE_ONE
from scenarios.certify.meter.reading import Reading, Said, readings
from scenarios.certify.meter.seen import SEEN
from scenarios.certify.observed import Observed, Step
from scenarios.certify.plan import plan_of
from scenarios.certify.statement import CLAIMS
from scenarios.judging.exchanges import traffic_of
from scenarios.rules.certified import of_role
from scenarios.run import run_and_judge

Bent = Callable[[Said], Said]
HEADER, METER = wire.HEADER_BLOCK.addresses, wire.METER_BLOCK.addresses
#: Its dials do not begin again in these weeks.
NOT_SEEN = {"MT-ROLLOVER"}


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> list[Reading]:
    """What the plan reads of the first of our meters."""
    folder = tmp_path_factory.mktemp("read")
    steps = []
    for one in (each.scenario for each in plan_of("meter", CLAIMS["meter"])):
        recording = run_and_judge(one, folder / one.name).recording
        steps.append(Step(one.name, one.title, recording, traffic_of(recording, folder / one.name)))
    return readings(Observed(tuple(steps), {}, {}))


@pytest.mark.long
@pytest.mark.process
def test_our_meters_are_as_a_strangers_must_be(ours: list[Reading]) -> None:
    marks = {ident: {one.held for one in seen(ours)} for ident, seen in SEEN.items()}
    assert marks == {one.id: set() if one.id in NOT_SEEN else {True} for one in of_role("meter")}
    assert all(one.exchanges for seen in SEEN.values() for one in seen(ours))


def told(address: int, value: int, *, plus: bool = False, function: int = 3) -> Bent:
    """A register that says something else, wherever it is read."""

    def bent(one: Said) -> Said:
        if not one.words or one.function != function or not one.first <= address < one.first + one.count:
            return one
        at = 2 + 2 * (address - one.first)
        was = int.from_bytes(one.told[at : at + 2], "big")
        new = (was + value if plus else value) % 65_536
        return replace(one, told=one.told[:at] + new.to_bytes(2, "big") + one.told[at + 2 :])

    return bent


def slots(at: int, value: int, *, plus: bool = False) -> Bent:
    """A register of each slot of the ring that says something else."""

    def bent(one: Said) -> Said:
        if wire.RING <= one.first < wire.END_MODEL:
            for slot in range(one.first, one.first + one.count, wire.SLOT_WORDS):
                one = told(slot + at, value, plus=plus)(one)
        return one

    return bent


def turned(one: Said) -> Said:
    """Each read of the ring tells of the slots before."""
    inside = one.words and wire.RING < one.first < wire.END_MODEL
    return replace(one, asked=one.asked[:1] + (one.first - 5).to_bytes(2, "big") + one.asked[3:]) if inside else one


def code(which: Callable[[Said], bool], number: int) -> Bent:
    """Another exception, or one in place of what is done."""
    return lambda one: replace(one, told=bytes((one.function | 0x80, number))) if which(one) else one


def trouble(said: str, which: Callable[[Said], bool] = lambda one: one.of_map) -> Bent:
    return lambda one: replace(one, trouble=said) if which(one) else one


def _writes_clock(one: Said) -> bool:
    return one.function == WRITE


def _stays(one: Said) -> Said:
    """A switch that stays closed."""
    return told(wire.SWITCH, 1)(one)


def snapshot(offset: int, value: int) -> Bent:
    """A snapshot that says something else in one of its registers: that of the last midnight but one."""

    def bent(one: Said) -> Said:
        return told(wire.snapshot_address(20) + offset, value, plus=True)(one)

    return bent


def midnights(one: Said) -> Said:
    """Every midnight is an hour late, but for the high half of its instant."""
    for slot in range(wire.SNAPSHOT_SLOTS):
        one = told(wire.snapshot_address(slot) + 1, 3600, plus=True)(one)
    return one


def a_day_later(of: date) -> Bent:
    """The midnight with which a day ends is 24 hours after that with which it began, whatever the day."""
    ends = wire.snapshot_address(wire.snapshot_slot(day_start(of + timedelta(days=1))))
    at = day_start(of) + 86_400
    return lambda one: told(ends, at >> 16)(told(ends + 1, at & 0xFFFF)(one))


def _pays_twice(one: Said) -> Said:
    """The meter says that Wh are ten times its raw units."""
    return told(HEADER["Mult"] + 1, 10)(one)


CASES: list[tuple[str, str, Bent]] = [
    ("MT-ANSWERS", "map", trouble(SILENT)),
    ("MT-ANSWERS", "map", code(lambda one: one.of_map, 2)),
    ("MT-IN-TIME", "map", lambda one: replace(one, late_s=9.0)),
    ("MT-FRAME", "map", trouble("another transaction")),
    ("MT-AHEAD", "map", trouble(SILENT, lambda one: one.ahead)),
    ("MT-MARK", "map", told(wire.BASE + 1, 0x6E73)),
    ("MT-CHAIN", "map", told(wire.METER_BLOCK.first, 204)),
    ("MT-CHAIN", "map", told(wire.BASE + 3, 65)),
    ("MT-CHAIN", "map", told(wire.END_MODEL, 1)),
    ("MT-INPUT", "map", told(wire.HEADER + 5, 1, plus=True, function=INPUT)),
    ("MT-ADDRESS", "map", code(lambda one: one.first == wire.BASE - 1, 3)),
    ("MT-ADDRESS", "map", code(lambda one: one.first == wire.END_MODEL and one.count == 3, 1)),
    ("MT-COUNT", "map", code(lambda one: one.function == 3 and one.count == 0, 2)),
    ("MT-COUNT", "map", code(lambda one: one.count > wire.MAX_READ, 2)),
    ("MT-FUNCTION", "map", code(lambda one: one.function == NO_FUNCTION, 2)),
    ("MT-UNIT", "map", lambda one: replace(one, told=b"\x03\x02\0\0") if one.unit == 247 else one),
    ("MT-NAMED", "map", code(lambda one: one.function == 43, 1)),
    ("MT-WHO", "map", told(HEADER["MtrNum"], 14_649)),
    ("MT-WHO", "map", told(wire.COMMON_BLOCK.addresses["SN"], 14_649)),
    ("MT-CLOCK", "map", lambda one: replace(one, due=one.due + 4)),
    ("MT-SIZE", "map", told(HEADER["IntvS"], 1800)),
    ("MT-SLOTS", "whole", turned),
    ("MT-WHOLE", "whole", slots(4, 0x0440)),
    ("MT-SIGN", "whole", slots(0, 0xFFFF)),
    ("MT-STATUS", "whole", slots(4, 1, plus=True)),
    ("MT-AGAIN", "again", slots(1, 1, plus=True)),
    ("MT-PART", "whole", told(HEADER["PartS"], 0)),
    ("MT-MIDNIGHTS", "whole", midnights),
    ("MT-GROWS", "whole", snapshot(4, -1)),
    ("MT-SUM", "whole", slots(1, 1, plus=True)),
    ("MT-SUM", "whole", told(HEADER["RegDel"] + 3, 100, plus=True)),
    ("MT-RECEIVED", "whole", slots(3, 0)),
    ("MT-SCALE", "later", _pays_twice),
    ("MT-ROLLOVER", "whole", told(HEADER["RegDel"], 1)),
    ("MT-VOLTAGE", "map", told(METER["PPV"], 1200)),
    ("MT-VOLTAGE", "map", told(METER["Hz"], 5000)),
    ("MT-VOLTAGE", "map", told(METER["PhVphB"], 1)),
    ("MT-VOLTAGE", "map", told(METER["PhVphAB"], 0)),
    ("MT-PHASES", "map", told(METER["A"], 31_999)),
    ("MT-PHASES", "map", lambda one: told(METER["AphA"], 9_000)(told(METER["A"], 9_000)(one))),
    ("MT-PHASES", "map", lambda one: told(METER["WphA"], 33_536)(told(METER["WphB"], 32_000)(one))),
    ("MT-PHASES", "map", told(METER["WphB"], 0x8000)),
    *(("MT-PHASES", "map", told(METER[f"{name}_SF"], power)) for name in ("V", "A", "W", "VA") for power in (3, 9_999)),
    ("MT-VOLTAGE", "map", told(METER["V_SF"], 9_999)),
    ("MT-VOLTAGE", "map", told(METER["Hz_SF"], 9_999)),
    ("MT-WATTS", "map", told(METER["W"], 500, plus=True)),
    ("MT-EVENT", "map", told(METER["Evt"] + 1, 4)),
    ("MT-SAVING", "whole", slots(4, 0x1000, plus=True)),
    ("MT-DST-SPRING", "spring", a_day_later(date(2026, 3, 8))),
    ("MT-DST-FALL", "fall", a_day_later(date(2026, 11, 1))),
    ("MT-CLOCK-SET", "commanded", code(_writes_clock, 3)),
    ("MT-CLOCK-FAR", "commanded", code(lambda one: one.function == WRITE and len(one.told) == 2, 2)),
    ("MT-MARKED", "commanded", slots(4, 0x1000)),
    ("MT-SWITCH", "commanded", _stays),
    ("MT-SWITCH", "commanded", code(lambda one: one.first == wire.SWITCH and one.asked[-1:] == b"\2", 2)),
    ("MT-WRITES", "commanded", code(lambda one: one.function == WRITE_ONE and one.first == wire.CLOCK, 3)),
]


@pytest.mark.process
@pytest.mark.parametrize(("ident", "ref", "bent"), CASES, ids=[f"{one[0]}-{at}" for at, one in enumerate(CASES)])
def test_an_id_fails_where_an_exchange_is_otherwise(ours: list[Reading], ident: str, ref: str, bent: Bent) -> None:
    step = next(one.step for one in ours if one.action.ref == ref)
    its = [one for one in ours if one.step is step]
    # What is told otherwise is told so in the whole step, but where it is held against what was told before.
    whole = ref not in ("again", "later")
    wrong = [
        replace(one, said=[bent(said) for said in one.said]) if whole or one.action.ref == ref else one for one in its
    ]
    assert False not in [one.held for one in SEEN[ident](its)]
    found = [one for one in SEEN[ident](wrong) if one.held is False]
    assert found
    assert all(one.said and one.exchanges for one in found)


@pytest.mark.process
def test_the_status_of_an_interval_that_lies_in_another_slot_shows_nothing(ours: list[Reading]) -> None:
    its = [replace(one, said=[turned(said) for said in one.said]) for one in ours]
    for ident in ("MT-SAVING", "MT-MARKED"):
        assert [(one.held, one.said) for one in SEEN[ident](its)] == [(None, "MT-SLOTS does not hold")]


@pytest.mark.process
def test_an_interval_that_is_wrong_is_cited_by_the_read_that_told_of_it(ours: list[Reading]) -> None:
    reading = max(ours, key=lambda one: len(one.slots))
    last, its = reading.slots[-1]
    assert len(reading.slots) > 1
    assert its
    # A status that no interval has, in all of one read.
    words = [0xF if at % wire.SLOT_WORDS == wire.SLOT_WORDS - 1 else word for at, word in enumerate(last.words)]
    bent = replace(last, told=last.told[:2] + b"".join(word.to_bytes(2, "big") for word in words))
    wrong = replace(reading, said=[bent if one is last else one for one in reading.said])
    (found,) = SEEN["MT-STATUS"]([wrong])
    assert (found.held, found.exchanges) == (False, (last.n,))


@pytest.mark.process
def test_slots_that_were_read_before_any_clock_are_none(ours: list[Reading]) -> None:
    (one,) = [each for each in ours if each.action.ref == "again"]
    without = replace(one, said=[said for said in one.said if said.first >= wire.RING])
    assert one.ring
    assert without.said
    assert without.ring == {}


def test_every_id_is_contradicted_here() -> None:
    assert {ident for ident, _, _ in CASES} == {one.id for one in of_role("meter")}
