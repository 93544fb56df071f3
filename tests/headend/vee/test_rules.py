"""Every rule by an example worked out by hand."""

from __future__ import annotations

import re

import numpy as np
import pytest

from headend.vee.preset import Preset
from headend.vee.quality import Channel
from headend.vee.records import Asset, Power
from headend.vee.rules import BY_NUMBER, RULES, Limits, Rule, Severity, limits, table_of
from meters.status import Common, Condition, status_word
from tests.headend.vee.days import R0, columns, estimated, flagged, ramp, ran, told

FAIL = status_word(Common.POWER_FAIL, Condition.OK)


def _with(values: dict[int, int], n: int = 96) -> list[int]:
    day = ramp(n)
    for at, value in values.items():
        day[at] = value
    return day


def _true(n: int = 96, more: int = 0) -> list[int]:
    """R1 of the day that is true, and so much more."""
    return [R0 + sum(ramp(n)) + more]


# --- the table


def test_the_table_has_every_rule_once_and_in_order() -> None:
    assert [row.rule for row in RULES.values()] == list(Rule)
    assert len(BY_NUMBER) == len(RULES) == len(Rule)


def test_a_rules_more_rows_have_a_threshold_each_in_thousandths_if_written_with_a_point() -> None:
    table = table_of(
        [
            "rule,scope,severity,effective,source,says,threshold,default,least,most,unit",
            "a,interval,estimate,2000-11-01,DASMMD,It is.,ratio,1.8,0.1,100.0,times",
            "a,,,,,,floor,500,0,1000,Wh",
            "b,day,tell,2026-01-01,EEI,It was.,,,,,",
        ]
    )
    assert [(row.id, row.rule, row.says, row.effective.year) for row in table.values()] == [
        ("a", 1, "It is.", 2000),
        ("b", 2, "It was.", 2026),
    ]
    assert {name: one.inside(one.default) for name, one in table["a"].thresholds.items()} == {
        "ratio": 1800,
        "floor": 500,
    }
    assert not table["b"].thresholds


def test_every_threshold_is_one_the_kernels_have_and_lies_within_its_bounds() -> None:
    names = {f"{row.id}_{name}".replace(".", "_") for row in RULES.values() for name in row.thresholds}
    assert names == set(Limits._fields)
    assert all(one.least <= one.default <= one.most for row in RULES.values() for one in row.thresholds.values())


def test_every_rule_names_its_source_and_a_sentence_that_can_be_filled_in() -> None:
    known = {"value", "limit", "channel", "first", "last", "edges"}
    for row in RULES.values():
        assert row.source
        assert set(re.findall(r"{(\w+)}", row.says)) <= known
        assert row.severity is Severity.TELL or row.id.partition(".")[0] in ("interval", "sum", "clock", "asset")


def test_thresholds_that_are_told_replace_the_tables() -> None:
    told_ratio = limits({"interval.spike": {"ratio": 2.25}})
    assert told_ratio == limits()._replace(interval_spike_ratio=2250)


# --- a day that is as it should be


@pytest.mark.parametrize("n", [92, 96, 100])
@pytest.mark.parametrize("channel", Channel)
def test_a_good_day_has_no_finding(n: int, channel: Channel) -> None:
    flags, findings = ran(columns(ramp(n)), channel=channel)
    assert findings == []
    assert not flags.bad.any()
    assert not flags.touched.any()
    assert flags.advance.tolist() == [sum(ramp(n))]


def test_a_true_peak_and_a_true_run_are_left_alone_while_the_registers_confirm_them() -> None:
    assert told(columns(_with({40: 9000, 50: 0, 51: 0, 60: 333, 61: 333, 62: 333}))) == []


# --- one interval alone


def test_what_is_not_there_is_missing_whatever_stands_in_its_place() -> None:
    present = np.ones((1, 96), np.bool_)
    present[0, [0, 95]] = False
    day = columns(_with({0: -9, 95: 99_999}), present=present, r1=_true())
    assert told(day) == [("interval.missing", 2, 0)]
    assert flagged(day) == [0, 95]


def test_negative_is_below_zero_only() -> None:
    day = columns(_with({10: -1, 11: 0}), r1=_true())
    assert told(day) == [("interval.negative", 1, 0)]
    assert flagged(day) == [10]


@pytest.mark.parametrize("condition", Condition)
def test_every_condition_of_a_channel_but_ok_fails(condition: Condition) -> None:
    status = np.zeros((1, 96), np.uint16)
    status[0, 20] = status_word(0, condition)
    for channel in Channel:
        found = told(columns(ramp(), status=status), channel=channel)
        assert found == ([] if condition is Condition.OK else [("interval.condition", 1, 0)])


def test_the_condition_of_one_channel_leaves_the_other_alone() -> None:
    status = np.zeros((1, 96), np.uint16)
    status[0, 20] = Condition.OVERFLOW << 8
    assert told(columns(ramp(), status=status), channel=Channel.LOAD)
    assert told(columns(ramp(), status=status), channel=Channel.GENERATION) == []


@pytest.mark.parametrize(
    ("common", "fails"), [(Common.DST, 0), (Common.POWER_FAIL, 0), (Common.CLOCK_FORWARD, 1), (Common.CLOCK_BACK, 1)]
)
def test_a_clock_set_fails_and_dst_or_a_power_failure_alone_does_not(common: Common, fails: int) -> None:
    status = np.zeros((1, 96), np.uint16)
    status[0, 20] = status_word(common, Condition.OK)
    assert len(flagged(columns(ramp(), status=status))) == fails


def test_the_hard_maximum_is_200_a_at_240_v_for_a_quarter_times_the_multiplier() -> None:
    # 200 A x 240 V x 0.25 h = 12,000 Wh; the registers confirm it, and yet no service carries it.
    assert told(columns(_with({40: 12_000}))) == []
    assert told(columns(_with({40: 12_001}))) == [("interval.hard_maximum", 12_001, 12_000)]
    assert told(columns(_with({40: 480_000}), multiplier=[40], told_multiplier=[40])) == []
    three = {"asset": [Asset.THREE_PHASE]}
    # 3 x 120 V instead.
    assert told(columns(_with({40: 18_000}), **three)) == []
    assert told(columns(_with({40: 18_001}), **three)) == [("interval.hard_maximum", 18_001, 18_000)]


def test_an_interval_without_a_value_hides_no_energy_that_it_cannot_have_had() -> None:
    # One of the ramp lacks a value: three times the floor of 500 Wh, 1,500, are its to have, and one more is not.
    present = np.ones((1, 96), np.bool_)
    present[0, 70] = False
    there = [wh for at, wh in enumerate(ramp()) if at != 70]
    for left, findings in ((1_500, ["interval.missing"]), (1_501, ["interval.missing", "sum.failed"])):
        day = columns(ramp(), present=present, r1=[R0 + sum(there) + left])
        assert [rule for rule, _, _ in told(day)] == findings
    # So zeros beside it are found.
    zeros = _with(dict.fromkeys(range(20, 50), 0))
    assert [rule for rule, _, _ in told(columns(zeros, present=present, r1=_true()))] == [
        "interval.missing",
        "interval.zero",
        "sum.failed",
    ]


# --- spikes


def test_a_spike_fails_one_wh_above_2_8_times_the_third_highest() -> None:
    # p3 = 1000: (2800 - 1000) / 1000 = 1.8 passes; 350 at 40 by the ramp.
    true = sum(_with({30: 1000, 31: 1000}))
    passes, fails = (columns(_with({30: 1000, 31: 1000, 40: peak}), r1=[R0 + true]) for peak in (2800, 2801))
    assert told(passes) == [("interval.residual", 350, 2800), ("sum.failed", 350 - 2800, 32)]
    assert told(fails) == [("interval.spike", 2801, 2800), ("sum.failed", 350 - 2801, 32)]


def test_two_spikes_are_measured_against_the_third_highest() -> None:
    day = columns(_with({1: 9000, 2: 1000, 3: 8000}), r1=[R0 + sum(_with({2: 1000}))])
    assert flagged(day) == [1, 3]
    assert told(day)[0] == ("interval.spike", 9000, 2800)


def test_a_day_whose_third_highest_is_zero_has_no_spike() -> None:
    # Of 9,000 what is left over could not be what the two hold, of 600 it could.
    for high in (9000, 600):
        day = columns([high, high, *[0] * 94], r1=[R0 + high], other=[[0, 0, *[1] * 94]])
        assert "interval.spike" not in [rule for rule, _, _ in told(day)]


def test_a_spike_below_the_floor_of_half_a_kwh_is_none() -> None:
    low = [50 + i % 7 for i in range(96)]
    for peak, rule in ((499, "interval.residual"), (500, "interval.spike")):
        spiked = [*low[:40], peak, *low[41:]]
        assert told(columns(spiked, r1=[R0 + sum(low)]))[0][0] == rule


def test_a_spike_is_looked_for_only_where_the_intervals_have_too_much() -> None:
    # A true peak, and energy that is lost elsewhere: the peak stays, even one that could have had it.
    for peak, lost in ((9000, [60, 61]), (1100, [60])):
        day = columns(_with({40: peak} | dict.fromkeys(lost, 0)), r1=[R0 + sum(_with({40: peak}))])
        assert flagged(day) == lost


def test_without_registers_a_spike_is_flagged_beyond_six_times_the_third_highest() -> None:
    # (2160 - 360) / 360 = 5 passes.
    for peak, flags in ((2160, []), (2161, [40])):
        day = columns(_with({40: peak}), r1=[-1])
        spike = [("interval.spike", peak, 2160)] if flags else []
        assert told(day) == [*spike, ("register.missing", 2, 0)]
        assert flagged(day) == flags


def test_the_register_that_ended_the_day_before_confirms_a_peak_whose_own_was_not_read() -> None:
    day = columns(_with({40: 9000}), r0=[-1], r1_before=[R0])
    assert told(day) == [("register.missing", 1, 0)]
    assert flagged(day) == []


def test_a_preset_may_ask_no_register_before_it_calls_a_peak_a_spike() -> None:
    bold = Preset(limits=limits({"interval.spike": {"registers_confirm": 0}}))
    assert flagged(columns(_with({40: 9000})), bold) == [40]


# --- runs


def test_a_run_of_three_is_stuck_on_a_failed_sum_and_its_first_stays() -> None:
    stuck = columns(_with({40: 777, 41: 777, 42: 777}), r1=_true())
    assert flagged(stuck) == [41, 42]
    assert told(stuck)[0] == ("interval.stuck", 777, 3)


def test_of_runs_by_chance_the_longest_is_stuck() -> None:
    true = {10: 777, 11: 777, 12: 777}
    stuck = dict.fromkeys(range(40, 44), 888)
    assert flagged(columns(_with(true | stuck), r1=[R0 + sum(_with(true))])) == [41, 42, 43]


def test_what_cannot_be_what_is_left_over_is_not_flagged_for_it() -> None:
    # Two of three equals hold 1,554 Wh, and 2,000 are too many: the one interval that can hold as much is it, far as it lies from its neighbours.
    true = _with({10: 777, 11: 777, 12: 777, 50: 1_500, 60: 1_500, 70: 1_500})
    day = columns([*true[:40], true[40] + 2_000, *true[41:]], r1=[R0 + sum(true)])
    assert flagged(day) == [40]
    # Without the one that is high the registers would still lack 200 Wh.
    low = [50 + i % 7 for i in range(96)]
    day = columns([*low[:40], 9_000, *low[41:]], r1=[R0 + sum(low) - low[40] - 200])
    assert [rule for rule, _, _ in told(day)] == ["sum.failed"]


def test_a_run_of_two_is_none() -> None:
    day = columns(_with({40: 777, 41: 777}), r1=_true())
    assert flagged(day) == []
    assert [rule for rule, _, _ in told(day)] == ["sum.failed"]


def test_without_registers_eight_running_are_stuck_and_seven_are_not() -> None:
    for count, found in ((7, []), (8, list(range(41, 48)))):
        run = dict.fromkeys(range(40, 40 + count), 777)
        assert flagged(columns(_with(run), r0=[-1])) == found


def test_registers_confirm_no_run_of_eight_by_another_clock() -> None:
    run = _with(dict.fromkeys(range(40, 48), 777))
    assert told(columns(run)) == []
    assert told(columns(run, clock_error_s=[400])) == [("interval.stuck", 777, 8), ("clock.off", 400, 180)]


def test_a_run_does_not_go_on_over_what_is_missing() -> None:
    present = np.ones((1, 96), np.bool_)
    present[0, 44] = False
    run = dict.fromkeys(range(40, 49), 777)
    assert flagged(columns(_with(run), r0=[-1], present=present)) == [44]


def test_zeros_without_a_cause_are_flagged_where_the_intervals_have_too_little() -> None:
    day = columns(_with({40: 0, 41: 0, 50: 0}), r1=_true())
    assert flagged(day) == [40, 41, 50]
    assert told(day)[0] == ("interval.zero", 3, 1)
    in_runs = Preset(limits=limits({"interval.zero": {"on_failed_sum": 2}}))
    assert flagged(day, in_runs) == [40, 41]


@pytest.mark.parametrize("cause", ["power fail", "outage told", "switch open"])
def test_zeros_with_a_cause_stand(cause: str) -> None:
    at = np.zeros((1, 96), np.int64)
    at[0, 40:50] = 1
    changes = {
        "power fail": {"status": at * FAIL},
        "outage told": {"power": at * Power.OUT},
        "switch open": {"power": at * Power.SWITCH_OPEN},
    }[cause]
    day = columns(_with(dict.fromkeys(range(40, 50), 0)), r1=_true(), **changes)
    assert flagged(day) == []
    assert [rule for rule, _, _ in told(day)] == ["sum.failed"]


def test_zeros_while_energy_flows_the_other_way_are_doubted_last() -> None:
    other = np.zeros((1, 96), np.int64)
    other[0, 40:50] = 700
    roof = dict.fromkeys(range(40, 50), 0)
    alone = columns(_with(roof), r1=_true(), other=other)
    assert flagged(alone) == list(range(40, 50))
    # Other zeros explain it, or zeros begin before the roof delivers.
    beside = columns(_with({**roof, 60: 0, 61: 0}), r1=[R0 + sum(_with(roof))], other=other)
    assert flagged(beside) == [60, 61]
    before = columns(_with({**roof, 38: 0, 39: 0}), r1=_true(), other=other)
    assert flagged(before) == list(range(38, 50))
    assert flagged(columns([0] * 96, r0=[-1], other=other)) == []


def test_two_hours_of_zeros_beside_a_gap_are_found_by_what_is_used_on_the_average() -> None:
    present = np.ones((1, 96), np.bool_)
    present[0, 70:74] = False
    for count in (7, 8):
        zeros = _with(dict.fromkeys(range(20, 20 + count), 0))
        found = flagged(columns(zeros, present=present, r1=_true()))
        assert found == ([] if count == 7 else list(range(20, 28))) + list(range(70, 74))


def test_without_registers_a_whole_day_of_zeros_is_flagged_and_part_of_one_is_not() -> None:
    assert len(flagged(columns([0] * 96, r0=[-1]))) == 96
    assert flagged(columns([*[0] * 95, 1], r0=[-1])) == []


def test_a_day_of_zeros_that_the_registers_confirm_is_an_empty_house() -> None:
    assert told(columns([0] * 96)) == []


# --- what is left over


def test_the_one_interval_that_explains_what_is_left_over_is_found() -> None:
    day = columns(_with({40: 280}), r1=_true())
    # 350 at 40 by the ramp; 280 + 70 lies nearest to its neighbours, 340 and 360.
    assert flagged(day) == [40]
    assert told(day) == [("interval.residual", 350, 280), ("sum.failed", 70, 31)]


def test_what_no_interval_explains_is_flagged_nowhere_and_said() -> None:
    day = columns([300 + 10 * (i % 2) for i in range(96)], r1=[R0 + 305 * 96 + 200])
    assert flagged(day) == []
    assert told(day) == [("sum.failed", 200, 29)]


# --- the sum


@pytest.mark.parametrize(("more", "fails"), [(38, False), (39, True), (-38, False), (-39, True)])
def test_the_sum_check_fails_one_wh_beyond_a_thousandth(more: int, fails: bool) -> None:
    wh = [400 + 3 * (i % 3) for i in range(96)]
    assert 38_000 <= sum(wh) - 39 < sum(wh) + 39 < 39_000
    found = told(columns(wh, r1=[R0 + sum(wh) + more]))
    assert (("sum.failed", more, 38) in found) is fails


def test_the_tolerance_of_a_small_day_is_two_counts_times_the_multiplier() -> None:
    small = [i % 3 for i in range(96)]
    for multiplier in (1, 40):
        at = {"multiplier": [multiplier], "told_multiplier": [multiplier]}
        edge = columns(small, r1=[R0 + sum(small) + 2 * multiplier], **at)
        beyond = columns(small, r1=[R0 + sum(small) + 2 * multiplier + 1], **at)
        assert told(edge) == []
        assert ("sum.failed", 2 * multiplier + 1, 2 * multiplier) in told(beyond)


def test_a_sum_with_a_gap_fails_only_if_what_is_there_is_too_much() -> None:
    present = np.ones((1, 96), np.bool_)
    present[0, 40:44] = False
    wh = _with(dict.fromkeys(range(40, 44), 0))
    for r1, fails in ((sum(wh) + 5_000, False), (sum(wh) - 30, False), (sum(wh) - 31, True)):
        assert ("sum.failed" in [rule for rule, _, _ in told(columns(wh, present=present, r1=[R0 + r1]))]) is fails


# --- registers


@pytest.mark.parametrize(("r0", "r1", "edges"), [(-1, R0, 1), (R0, -1, 2), (-1, -1, 3)])
def test_a_register_that_was_not_read_is_told_with_its_midnight(r0: int, r1: int, edges: int) -> None:
    assert told(columns(ramp(), r0=[r0], r1=[r1])) == [("register.missing", edges, 0)]


def test_the_day_begins_where_the_day_before_ended() -> None:
    assert told(columns(ramp(), r1_before=[R0])) == []
    assert told(columns(ramp(), r1_before=[R0 - 7])) == [("register.continuity", 7, 0)]


def test_registers_that_read_0_where_the_day_before_ended_with_more_confirm_nothing() -> None:
    flags, found = ran(columns(ramp(), r0=[0], r1=[0], r1_before=[R0]))
    assert found == [("register.continuity", -R0, 0)]
    assert flags.advance.tolist() == [-1]


@pytest.mark.parametrize("dials", [0, 5])
def test_a_five_dial_register_that_passes_99_999_kwh_rolls_over(dials: int) -> None:
    use, end = sum(ramp()), 10**8
    day = columns(ramp(), r0=[end - 1_000], r1=[use - 1_000], dials=[dials])
    flags, found = ran(day)
    assert found == [("register.rollover", use, 0)]
    assert flags.advance.tolist() == [use]


def test_a_rollover_is_of_the_register_times_its_multiplier() -> None:
    end = 10**9 * 40
    day = columns(ramp(), r0=[end - 1_000], r1=[sum(ramp()) - 1_000], dials=[6], multiplier=[40], told_multiplier=[40])
    assert told(day) == [("register.rollover", sum(ramp()), 0)]


def test_a_register_that_ran_back_far_from_its_last_dial_was_reset() -> None:
    day = columns(ramp(), r0=[500_000], r1=[20_000], dials=[5])
    flags, found = ran(day)
    assert found == [("register.backwards", 480_000, 0)]
    assert flags.advance.tolist() == [-1]


def test_a_rollover_begins_above_nine_tenths_of_the_last_dial() -> None:
    # 90,000 kWh on five dials; what it would have used since is more than the service carries, on either side.
    wide = Preset(limits=limits({"interval.hard_maximum": {"wh": 1_000_000}}))
    present = np.ones((1, 96), np.bool_)
    present[0, 40] = False
    for r0, rule in ((90_000_000, "register.backwards"), (90_000_001, "register.rollover")):
        found = told(columns(ramp(), r0=[r0], r1=[1_000], dials=[5], present=present), wide)
        assert [name for name, _, _ in found if name.startswith("register")] == [rule]


def test_a_turn_that_all_intervals_deny_is_a_reset_if_the_register_has_no_more_than_they() -> None:
    # With the turn the day has some 932,560 Wh, of which a thousandth passes.
    use = sum(ramp())
    for r1, rule in ((use + 932, "register.backwards"), (use + 933, "register.rollover")):
        day = columns(ramp(), r0=[10**8 - 900_000], r1=[r1], dials=[5])
        assert [name for name, _, _ in told(day) if name.startswith("register")] == [rule]


def test_a_meter_that_was_exchanged_within_the_day_has_two_registers_and_no_sum() -> None:
    day = columns(ramp(), asset=[Asset.EXCHANGED], r1=[R0 + 10])
    flags, found = ran(day)
    assert found == [("register.exchange", 10, 0)]
    assert flags.advance.tolist() == [-1]


def test_more_than_the_service_carries_in_a_day_is_no_use() -> None:
    # 96 x 12 kWh
    most = 96 * 12_000
    assert ("register.implausible", most + 1, most) in told(columns(ramp(), r1=[R0 + most + 1]))
    assert "register.implausible" not in [rule for rule, _, _ in told(columns(ramp(), r1=[R0 + most]))]


# --- use

ASKS_NO_REGISTER = Preset(limits=limits({"usage.low": {"registers_confirm": 0}}))


def test_use_is_held_to_a_quarter_and_four_times_the_average() -> None:
    day, use = [*ramp()[:-1], ramp()[-1] + 2], sum(ramp()) + 2
    assert use % 4 == 0
    for average, found in (
        (use // 4, []),
        (use // 4 - 1, [("usage.high", use, use // 4 - 1)]),
        (4 * use, []),
        (4 * use + 1, [("usage.low", use, 4 * use + 1)]),
        (0, []),
    ):
        assert told(columns(day, average=[average]), ASKS_NO_REGISTER) == found


def test_a_low_day_is_told_where_nothing_was_used_or_the_registers_do_not_confirm_it() -> None:
    assert told(columns(ramp(), average=[10**6])) == []
    assert told(columns([0] * 96, average=[10**6])) == [("usage.low", 0, 10**6)]
    assert ("usage.low", sum(ramp()), 10**6) in told(columns(ramp(), r0=[-1], average=[10**6]))


def test_use_of_a_day_with_a_gap_is_the_registers_or_not_known() -> None:
    present = np.ones((1, 96), np.bool_)
    present[0, 10:] = False
    assert [rule for rule, _, _ in told(columns(ramp(), present=present, average=[1]))] == [
        "interval.missing",
        "usage.high",
    ]
    assert "usage.high" not in [rule for rule, _, _ in told(columns(ramp(), present=present, average=[1], r0=[-1]))]


def test_energy_through_an_open_switch_is_told() -> None:
    power = np.zeros((1, 96), np.uint8)
    power[0, 10:20] = Power.SWITCH_OPEN
    assert told(columns(ramp(), power=power)) == [("usage.disconnected", 10, 0)]
    assert flagged(columns(ramp(), power=power)) == []


def test_energy_within_an_outage_is_told_but_not_at_its_edges() -> None:
    status = np.zeros((1, 96), np.uint16)
    status[0, 10:14] = FAIL
    # By the meter's flag 10 and 13 are touched by the outage, 11 and 12 lie in it.
    assert told(columns(ramp(), status=status)) == [("usage.outage", 2, 0)]
    assert told(columns(_with({11: 0, 12: 0}), status=status)) == []
    power = np.zeros((1, 96), np.uint8)
    power[0, [0, 95]] = Power.OUT
    assert told(columns(ramp(), power=power)) == [("usage.outage", 2, 0)]


def test_use_where_nobody_is_served_is_told() -> None:
    assert told(columns(ramp(), asset=[Asset.INACTIVE])) == [("usage.inactive", sum(ramp()), 0)]
    assert told(columns([0] * 96, asset=[Asset.INACTIVE])) == []


# --- clock and asset


@pytest.mark.parametrize(("error", "rule"), [(3, ""), (-4, "clock.drift"), (180, "clock.drift"), (-181, "clock.off")])
def test_a_clock_may_be_3_s_off_and_fails_beyond_180(error: int, rule: str) -> None:
    assert [name for name, _, _ in told(columns(ramp(), clock_error_s=[error]))] == ([rule] if rule else [])


def test_a_day_by_another_clock_or_multiplier_is_estimated_whole_unless_a_preset_only_tells() -> None:
    every = list(range(96))
    assert flagged(columns(ramp(), clock_error_s=[181])) == flagged(columns(ramp(), told_multiplier=[10])) == every
    assert flagged(columns(ramp(), asset=[Asset.OTHER_UNIT])) == flagged(columns(ramp(), interval_s=[1800])) == every
    assert flagged(columns(ramp(), asset=[Asset.OTHER_NUMBER])) == flagged(columns(ramp(), clock_error_s=[180])) == []
    # No interval of a day is there by a clock that is a whole day off: those that are came from another read.
    assert flagged(columns(ramp(), clock_error_s=[-86_400])) == []
    calm = Preset(limits=limits({"clock.off": {"estimate_day": 0}, "asset.multiplier": {"estimate_day": 0}}))
    assert flagged(columns(ramp(), clock_error_s=[181], told_multiplier=[10]), calm) == []


def test_a_day_by_another_multiplier_is_estimated_to_what_the_meter_says_that_it_counts() -> None:
    day = columns(ramp(), told_multiplier=[10])
    assert ran(day)[0].advance.tolist() == [10 * sum(ramp())]
    assert estimated(day).wh.sum() == 10 * sum(ramp())


def test_what_the_header_tells_is_held_to_the_records_once_for_both_channels() -> None:
    asset = [Asset.OTHER_NUMBER | Asset.OTHER_UNIT]
    day = columns(ramp(), told_multiplier=[10], asset=asset, interval_s=[1800], repeated=[2])
    expected = [
        ("interval.duplicate", 2, 0),
        ("asset.multiplier", 10, 1),
        ("asset.number", 0, 0),
        ("asset.unit", 0, 0),
        ("asset.interval_size", 1800, 900),
    ]
    assert told(day) == expected
    assert told(day, channel=Channel.GENERATION) == []
