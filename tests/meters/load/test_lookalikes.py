"""Look-alikes of faults are true use: in intervals and registers, by the watt-hour."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meters.calendar import Seconds, day_end, day_of, day_start, days, epoch
from meters.errors import MeterError
from meters.faults.kinds import LOOKALIKES, FaultKind, LookalikeKind, Span
from meters.faults.lookalike import Lookalike, unread_midnights
from meters.faults.rules import FaultRule, Roster, expand, lookalikes
from meters.identity import Premise, make_esiid, tdsp
from meters.load.lookalikes import refuse_roofless, with_lookalikes
from meters.load.truth import GeneratedLoad, PremiseLoad
from tests.cases import few
from tests.meters.fakes import SteadyLoad

ESIID = make_esiid(tdsp("ONCOR"), 1, 1)
HOME, ROOF = Premise(ESIID, "NCENT"), Premise(ESIID, "NCENT", solar_w=7000)
#: A Sunday on which the clock is put back lies in the span.
FIRST = epoch("2026-10-30T09:00")


def alike(kind: LookalikeKind, first: Seconds = FIRST, until: Seconds | None = None, **params: float) -> Lookalike:
    return Lookalike(kind, ESIID, first, first + 1 if until is None else until, params)


def delivered(load: PremiseLoad, first: Seconds, until: Seconds) -> list[int]:
    wh = np.concatenate([load.day(day).delivered for day in days(day_of(first), day_of(until - 1))])
    low = (first - day_start(day_of(first))) // 900
    return [int(one) for one in wh[low : low + (until - first) // 900]]


some = st.builds(
    lambda kind, at, length, factor: alike(
        kind,
        FIRST + at * 900,
        FIRST + (at + length) * 900,
        **({"factor": factor} if kind is LookalikeKind.PEAK else {}),
    ),
    st.sampled_from(LookalikeKind),
    st.integers(0, 300),
    st.integers(1, 500),
    st.floats(3, 5),
)


@pytest.mark.parametrize("drawn", few(1, [20, 60]))
def test_days_add_up_to_registers_under_any_look_alikes_and_neither_register_falls(drawn: int) -> None:
    @settings(max_examples=drawn)
    @given(
        ones=st.lists(some, min_size=1, max_size=4),
        premise=st.sampled_from([HOME, ROOF]),
        grain=st.sampled_from([1, 40]),
    )
    def add_up(ones: list[Lookalike], premise: Premise, grain: int) -> None:
        usual = GeneratedLoad(1, premise)
        load = with_lookalikes(usual, ones, premise, grain)
        for day in days(date(2026, 10, 28), date(2026, 11, 12)):
            wh, ends = load.day(day), [load.registers(one) for one in (day, day + timedelta(days=1))]
            assert int(wh.delivered.sum(dtype=np.int64)) == ends[1][0] - ends[0][0]
            assert wh.delivered.min() >= 0
            # What is given to the grid stays.
            assert wh.received.tolist() == usual.day(day).received.tolist()
            assert [one[1] for one in ends] == [usual.registers(one)[1] for one in (day, day + timedelta(days=1))]
            assert ((load.thermal(day) >= 0) & (load.thermal(day) <= 1)).all()
        after = days(date(2026, 11, 12), date(2026, 11, 13))
        gone = [load.registers(day)[0] - usual.registers(day)[0] for day in after]
        assert gone[0] == gone[1]
        assert load.day(after[0]).delivered.tolist() == usual.day(after[0]).delivered.tolist()

    add_up()


@pytest.mark.parametrize("factor", [3.0, 4.0, 5.0])
def test_a_peak_is_one_interval_so_many_times_the_third_highest_and_takes_it_from_its_day(factor: float) -> None:
    usual, day = GeneratedLoad(1, HOME), day_of(FIRST)
    load = with_lookalikes(usual, [alike(LookalikeKind.PEAK, factor=factor)], HOME)
    wh = load.day(day).delivered
    assert int(wh.argmax()) == 36
    assert wh[36] / np.sort(wh)[-3] == pytest.approx(factor, rel=0.01)
    assert int(wh.sum()) == int(usual.day(day).delivered.sum())
    # No more than the service gives: a home of ten times the size.
    large = Premise(ESIID, "NCENT", scale=10.0)
    assert (
        with_lookalikes(GeneratedLoad(1, large), [alike(LookalikeKind.PEAK, factor=5)], large).day(day).delivered.max()
        < 12_000
    )
    # Nothing but a peak: it is the day's.
    assert with_lookalikes(SteadyLoad(0), [alike(LookalikeKind.PEAK)], HOME).day(day).delivered.max() == 0


def test_a_vacation_is_base_load_for_days_and_no_two_intervals_alike() -> None:
    until = FIRST + 9 * 86_400 + 5 * 3600
    usual = GeneratedLoad(1, HOME)
    away = delivered(with_lookalikes(usual, [alike(LookalikeKind.VACATION, FIRST, until)], HOME), FIRST, until)
    before = sorted(usual.day(day_of(FIRST)).delivered.tolist())
    base = float(np.mean(before[: len(before) // 10]))
    assert max(away) < 2 * base
    assert np.mean(away) == pytest.approx(base, rel=0.25)
    assert np.mean(away) < 0.6 * np.mean(delivered(usual, FIRST, until))
    alike_runs = (np.diff(away) == 0).astype(int)
    assert np.convolve(alike_runs, np.ones(3, int)).max() < 3


def test_a_constant_load_is_equal_and_above_nought_and_whole_pulses() -> None:
    until = FIRST + 31 * 3600
    usual = GeneratedLoad(1, HOME)
    level = delivered(with_lookalikes(usual, [alike(LookalikeKind.CONSTANT, FIRST, until)], HOME, 40), FIRST, until)
    assert len(set(level)) == 1
    assert level[0] > 0
    assert level[0] % 40 == 0
    assert level[0] == pytest.approx(np.mean(delivered(usual, FIRST, until)), abs=20)
    assert set(
        delivered(with_lookalikes(SteadyLoad(0), [alike(LookalikeKind.CONSTANT, FIRST, until)], HOME), FIRST, until)
    ) == {1}


def test_a_roof_covers_all_for_hours_and_where_there_is_none_nothing_happens() -> None:
    until = FIRST + 20 * 3600
    zeros = [alike(LookalikeKind.ROOF_ZEROS, FIRST, until)]
    usual = GeneratedLoad(1, ROOF)
    load = with_lookalikes(usual, zeros, ROOF)
    assert set(delivered(load, FIRST, until)) == {0}
    assert delivered(load, until, day_end(day_of(until))) == delivered(usual, until, day_end(day_of(until)))
    bare = GeneratedLoad(1, HOME)
    assert with_lookalikes(bare, zeros, HOME) is bare


def test_a_register_costs_the_same_however_long_a_look_alike_lasts() -> None:
    asked: list[date] = []

    class Counted(SteadyLoad):
        def registers(self, day: date) -> tuple[int, int]:
            asked.append(day)
            return super().registers(day)

    counts = []
    for length in (3 * 86_400, 300 * 86_400):
        asked.clear()
        load = with_lookalikes(Counted(), [alike(LookalikeKind.VACATION, FIRST, FIRST + length)], HOME)
        load.registers(date(2060, 1, 1))
        counts.append(len(asked))
    assert counts[0] == counts[1] <= 4


def test_a_tenth_of_them_have_a_register_missing_before_or_after() -> None:
    ones = [
        Lookalike(LookalikeKind.VACATION, make_esiid(tdsp("ONCOR"), 1, ordinal), FIRST, FIRST + 86_400)
        for ordinal in range(2000)
    ]
    missing = [one.unread(1) for one in ones]
    assert 140 < len([day for day in missing if day]) < 260
    assert {day for day in missing if day} == {date(2026, 10, 30), date(2026, 11, 1)}
    assert [one.unread(1) for one in ones] == missing
    always = [alike(LookalikeKind.PEAK, unread=1.0), alike(LookalikeKind.PEAK, FIRST + 86_400, unread=0.0)]
    assert len(unread_midnights(always, 1)) == 1
    assert unread_midnights(always[1:], 1) == frozenset()


def rule(kind: LookalikeKind | FaultKind, **fields: object) -> FaultRule:
    return FaultRule(kind, **({"first": FIRST, "until": FIRST + 86_400} | fields))  # type: ignore[arg-type]


def test_rules_of_both_are_drawn_apart_and_a_roof_that_is_named_must_be_there() -> None:
    roster = Roster.of([make_esiid(tdsp("ONCOR"), 1, ordinal) for ordinal in range(1, 301)], [0] * 300)
    gaps = rule(FaultKind.GAP, rate=0.2)
    rules = [gaps, rule(LookalikeKind.VACATION, rate=0.2), rule(LookalikeKind.ROOF_ZEROS, meters=(1,), place="here")]
    found, faults = lookalikes(rules, 1, roster), expand(rules, 1, roster)
    assert faults == expand([gaps], 1, roster)
    assert 30 < len(found) < 90
    assert {one.kind for one in found} == {LookalikeKind.VACATION, LookalikeKind.ROOF_ZEROS}
    assert {one.esiid for one in faults} != {one.esiid for one in found}
    premise: Callable[[str], Premise] = lambda _: HOME  # noqa: E731
    with pytest.raises(MeterError, match=r"meters\.lookalike\.roof: here: .*has no roof\. Name one"):
        refuse_roofless(rules, 1, roster, premise)
    refuse_roofless(rules, 1, roster, lambda _: ROOF)
    refuse_roofless([rule(LookalikeKind.ROOF_ZEROS, rate=1.0)], 1, roster, premise)


def test_kinds_of_look_alikes_are_no_kinds_of_faults() -> None:
    assert set(LOOKALIKES) == set(LookalikeKind)
    assert not {str(kind) for kind in LookalikeKind} & {str(kind) for kind in FaultKind}
    assert [kind for kind, row in LOOKALIKES.items() if row.span is Span.INSTANT] == [LookalikeKind.PEAK]
    with pytest.raises(MeterError, match=r"There is no kind 'spike'\. Take one of peak"):
        Lookalike("spike", ESIID, FIRST, FIRST + 900)  # type: ignore[arg-type]
