from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from headend.vee.rules import RULES
from meters.faults.kinds import FaultKind
from meters.fleet import BITS
from reports.score.delivered import ACTUAL, ESTIMATED, NOT_DELIVERED, Delivered
from reports.score.scored import CLASS_OF, add_up, kinds_of
from reports.score.text import lines, targets
from tests.reports.score.days import FLOW, GAP, GENERATION, PEAK, RESET, SPIKE, fed, nothing, perfect, truth


def figures(out: Delivered) -> dict[str, Any]:
    return add_up([(fed(), truth(), out)], GENERATION).figures()


def test_every_rule_and_every_kind_has_its_place() -> None:
    assert list(kinds_of()) == list(RULES)
    assert set(CLASS_OF) == set(FaultKind)


def test_a_perfect_engine_scores_one() -> None:
    got = figures(perfect())
    for kind in ("spike", "gap", "reset"):
        row = got["kinds"][kind]
        assert (row["fault_days"], row["seen"], row["precision"], row["f1"]) == (1, 1.0, 1.0, 1.0)
    assert [got["kinds"][kind]["located"] for kind in ("spike", "gap")] == [1.0, 1.0]
    cells = got["intervals"]
    # Five meters' use and two meters' generation; a spike, four that are not there, and the one below tolerance.
    assert (cells["intervals"], cells["wrong"], cells["not_delivered"]) == (7 * 96, 6, 0)
    assert (cells["e_recall"], cells["e_precision"], cells["wrong_as_a_percent"]) == (1.0, 1.0, 0.0)
    assert all(target.kept for target in targets(got) if target.kept is not None)
    assert {row["false_alarms"] for row in got["rules"].values()} == {0}


def test_an_engine_that_says_nothing_scores_nought() -> None:
    got = figures(nothing())
    for kind in ("spike", "gap", "reset"):
        assert (got["kinds"][kind]["seen"], got["kinds"][kind]["located"], got["kinds"][kind]["f1"]) == (0.0, 0.0, 0.0)
    cells = got["intervals"]
    assert (cells["not_delivered"], cells["e_recall"], cells["undelivered_percent"]) == (7 * 96, 0.0, 100.0)
    assert not got["rules"]


def test_below_tolerance_is_listed_apart_with_its_energy() -> None:
    row = figures(perfect())["kinds"]["stuck"]
    assert (row["fault_days"], row["below_tolerance"], row["below_tolerance_wh"], row["f1"]) == (0, 1, 1, None)


def test_only_a_meter_day_without_any_fault_is_innocent() -> None:
    assert figures(perfect())["innocent_meter_days"] == 1
    day = truth()
    day.after[:, PEAK] = 1
    assert add_up([(fed(), day, perfect())], GENERATION).innocent == 0


def test_a_spike_posted_as_it_was_read_is_energy_wrong_as_a() -> None:
    out = perfect()
    out.wh[0, SPIKE, 40], out.status[0, SPIKE, 40] = 10 * FLOW, ACTUAL
    got = figures(out)
    flowed = 6 * 96 * FLOW + 96 * FLOW + 700
    assert got["kinds"]["spike"]["located"] == 0.0
    assert got["kinds"]["spike"]["seen"] == 1.0
    assert got["intervals"]["wrong_as_a_percent"] == pytest.approx(100 * 9 * FLOW / flowed)
    assert got["intervals"]["e_recall"] == pytest.approx(5 / 6)
    assert got["wrong_as_a_wh"]["spike"] == 9 * FLOW
    assert got["wrong_as_a_wh"]["no fault"] == 0


def test_energy_of_a_swap_is_wrong_as_a_and_told_apart_from_what_can_be_seen() -> None:
    day, out = truth(), perfect()
    # The peak's meter hangs at another premise: what it shows is another's, and nothing that it shows says so.
    day.kinds[0, PEAK], day.flowed[0, PEAK] = BITS[FaultKind.SWAP], 2 * FLOW
    got = add_up([(fed(), day, out)], GENERATION).figures()
    cells = got["intervals"]
    assert cells["wrong_as_a_percent"] == cells["wrong_as_a_invisible_percent"] > 0
    assert next(target for target in targets(got) if target.name.startswith("energy wrong as A")).reached == 0


def test_a_rule_left_away_is_a_fault_day_not_seen() -> None:
    out = perfect()
    out.rule[0, GAP] = 0
    got = figures(out)
    assert got["kinds"]["gap"]["seen"] == 0.0
    assert got["kinds"]["spike"]["f1"] == 1.0


def test_a_range_beside_the_span_sees_and_does_not_locate() -> None:
    out = perfect()
    out.rule[0, GAP, 20:24] = out.rule[0, GAP, 10]
    out.rule[0, GAP, 10:14] = 0
    row = figures(out)["kinds"]["gap"]
    assert (row["seen"], row["located"]) == (1.0, 0.0)


@pytest.mark.parametrize(("estimated", "located"), [(2, 1.0), (1, 0.0)])
def test_half_of_the_wrong_intervals_are_to_be_estimated(estimated: int, located: float) -> None:
    out = perfect()
    out.status[0, GAP, 10 + estimated : 14] = NOT_DELIVERED
    assert figures(out)["kinds"]["gap"]["located"] == located


def test_a_false_alarm_on_a_look_alike_is_of_its_rule() -> None:
    out = perfect()
    out.rule[0, PEAK, 50], out.status[0, PEAK, 50] = out.rule[0, SPIKE, 40], ESTIMATED
    got = figures(out)
    rule = got["rules"]["interval.spike"]
    assert (rule["false_alarms"], rule["false_alarms_on_look_alikes"]) == (1, 1)
    # Of one innocent meter-day.
    assert (rule["precision"], rule["false_alarms_per_10000"]) == (0.5, 10_000.0)
    assert got["look_alikes"]["peak"] == {"days": 1, "marked_e": 1.0}
    assert got["intervals"]["e_precision"] == pytest.approx(6 / 7)
    assert got["kinds"]["spike"]["f1"] == pytest.approx(2 / 3)


def test_a_register_that_was_not_read_is_truly_missing() -> None:
    out, read = perfect(), fed()
    read.r0[:, PEAK] = -1
    out = out._replace(rules=[*out.rules, frozenset({"register.missing"})])
    out.rule[0, PEAK] = len(out.rules) - 1
    rule = add_up([(read, truth(), out)], GENERATION).figures()["rules"]["register.missing"]
    assert (rule["precision"], rule["false_alarms"]) == (1.0, 0)


def test_channel_1_counts_where_there_is_generation() -> None:
    out = perfect()
    out.rule[1, PEAK], out.rule[1, SPIKE, 3] = 1, 1
    got = figures(out)
    # Of the spike's meter: its day has no fault in channel 1. Of the peak's, which gives nothing back: nothing.
    assert got["rules"]["interval.spike"] == {
        "days": 2,
        "precision": 0.5,
        "false_alarms": 0,
        "false_alarms_on_look_alikes": 0,
        "false_alarms_per_10000": 0.0,
    }


def test_what_changed_of_the_day_is_one_fault_day_seen_on_either_channel() -> None:
    out = perfect()
    out.rule[:, RESET] = 0
    assert figures(out)["kinds"]["reset"]["seen"] == 0.0
    out.rule[0, RESET, 95] = 3
    assert figures(out)["kinds"]["reset"]["seen"] == 1.0


def test_estimates_stand_beside_two_naive_ones() -> None:
    out = perfect()
    out.wh[0, GAP, 10:14] = 230
    row = next(row for row in figures(out)["estimates"] if row["gap"] == "3-8")
    assert (row["method"], row["registers"], row["intervals"]) == ("like_day", True, 4)
    assert row["engine"] == {"mae_wh": 30.0, "error_percent": 15.0, "bias_percent": 15.0}
    # Yesterday had 100 Wh everywhere; the profile is flat there, as high as the meter's other intervals.
    assert (row["yesterday"]["mae_wh"], row["yesterday"]["bias_percent"]) == (100.0, -50.0)
    assert row["profile"]["mae_wh"] < 30


def test_a_day_read_of_nothing_is_located_by_what_is_missing() -> None:
    read, day, out = fed(), truth(), perfect()
    read.told_number[PEAK] = -1
    read.present[:, PEAK] = False
    bit = np.uint32(1 << list(FaultKind).index(FaultKind.DEAD))
    day.day_kinds[:, PEAK] = bit
    out.rule[0, PEAK], out.status[0, PEAK] = 2, ESTIMATED
    row = add_up([(read, day, out)], GENERATION).figures()["kinds"]["dead"]
    assert (row["fault_days"], row["seen"], row["located"]) == (1, 1.0, 1.0)


def test_a_false_alarm_is_told_where_there_was_nothing_to_find() -> None:
    out, day, read = perfect(), truth(), fed()
    day.kinds[:], day.day_kinds[:], day.below[:] = 0, 0, 0
    read.wh[:], read.present[:] = day.flowed, True
    got = add_up([(read, day, out)], GENERATION).figures()
    text = "\n".join(lines(got))
    assert "targets: nothing is measured" in text
    assert "not reached: false alarms interval.spike" in text


def test_an_engine_that_tells_no_rules_is_located_by_e_alone_and_misses_no_f1() -> None:
    out = perfect()._replace(rules=[frozenset()] * 4, tells_rules=False)
    got = figures(out)
    for kind, located in (("spike", 1.0), ("gap", 1.0), ("reset", None)):
        row = got["kinds"][kind]
        assert (row["seen"], row["precision"], row["f1"], row["located"]) == (None, None, None, located)
    assert {target.kept for target in targets(got) if target.name.startswith("F1")} == {None}
    assert not any(target.kept is False for target in targets(got))
    # What it left as it was is not located.
    out.status[0, SPIKE, 40] = ACTUAL
    assert figures(out)["kinds"]["spike"]["located"] == 0.0
    # One that tells rules and names none is judged by that.
    assert figures(out._replace(tells_rules=True))["kinds"]["gap"]["seen"] == 0.0


def test_the_text_names_every_target_that_is_not_reached() -> None:
    text = "\n".join(lines(figures(nothing())))
    assert "not reached: F1 spike 0.0000, target >= 0.97" in text
    assert "invisible" in text
