from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meters.calendar import Seconds, day_start, days, epoch, seconds
from meters.errors import MeterError
from meters.faults.fault import ALWAYS, FOR_EVER, Fault
from meters.faults.kinds import KINDS, Channel, FaultKind, Layer, Span
from meters.faults.ledger import Effect, Ends, entry, ordered, write_json, write_parquet
from meters.faults.overlay import overlay
from meters.faults.replies import reply
from meters.faults.rules import FaultRule, Roster, expand
from meters.identity import make_esiid, tdsp
from meters.shown import Reply, Wire
from meters.status import Common, Condition, delivered_condition, received_condition, status_word

ESIID = "10443729900000001"
T = seconds(1_786_500_000)
ESIIDS = [make_esiid(tdsp("ONCOR"), 1, ordinal) for ordinal in range(1, 2001)]
ROSTER = Roster.of(ESIIDS, [row // 247 for row in range(len(ESIIDS))])
FIRST, UNTIL = epoch("2026-08-01T00:00"), epoch("2026-08-11T00:00")


#: What the nibbles say.
SAYS = {
    FaultKind.PARTIAL: Condition.PARTIAL,
    FaultKind.LONG: Condition.LONG,
    FaultKind.OVERFLOW: Condition.OVERFLOW,
    FaultKind.CONFIGURATION: Condition.CONFIGURATION_CHANGED,
    FaultKind.SKIPPED: Condition.SKIPPED,
    FaultKind.GAP: Condition.STOPPED,
}


def columns() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    ok = np.full(8, status_word(Common.DST, Condition.OK), np.uint16)
    return np.arange(100, 108, dtype=np.int32), np.arange(8, dtype=np.int32), ok


def put(*faults: Fault) -> tuple[list[int], list[int], np.ndarray]:
    delivered, received, status = columns()
    overlay(faults, T, delivered, received, status, lambda at: (-at, -at - 1))
    return delivered.tolist(), received.tolist(), status


def test_gap_takes_both_channels_and_leaves_the_common_nibble() -> None:
    delivered, received, status = put(Fault(FaultKind.GAP, ESIID, T + 1800, T + 3600))
    assert delivered == [100, 101, 0, 0, 104, 105, 106, 107]
    assert received == [0, 1, 0, 0, 4, 5, 6, 7]
    assert delivered_condition(status)[2] == received_condition(status)[2] == Condition.STOPPED
    assert ((status >> 12) == Common.DST).all()


def test_spans_are_clipped_to_the_columns() -> None:
    faults = [
        Fault(FaultKind.GAP, ESIID, T - 9000, T + 900),
        Fault(FaultKind.SPIKE, ESIID, T + 6300, T + 90_000, {"factor": 2}),
        Fault(FaultKind.GAP, ESIID, T - 9000, T),
        Fault(FaultKind.ZERO, ESIID, T + 7200, T + 9000),
    ]
    assert put(*faults)[0] == [0, 101, 102, 103, 104, 105, 106, 214]


def test_what_was_not_recorded_cannot_spike_and_a_spike_fits_the_wire() -> None:
    delivered, received, status = columns()
    delivered[:] = 2**30
    faults = [
        Fault(FaultKind.GAP, ESIID, T, T + 900),
        Fault(FaultKind.SPIKE, ESIID, T, T + 1800, {"factor": 1000}),
    ]
    overlay(faults, T, delivered, received, status, lambda at: (at, at))
    assert delivered[:2].tolist() == [0, 2**31 - 1]


def test_counter_overflows_only_where_it_comes_to_its_limit() -> None:
    delivered, _, status = put(Fault(FaultKind.OVERFLOW, ESIID, T, T + 7200, {"limit": 103}))
    assert delivered == [100, 101, 102, 103, 103, 103, 103, 103]
    assert delivered_condition(status).tolist() == [Condition.OK] * 4 + [Condition.OVERFLOW] * 4


@pytest.mark.parametrize(
    ("kind", "params", "delivered", "received"),
    [
        # What its first interval truly was.
        (FaultKind.STUCK, {}, [-T - 1800] * 2, [2, 3]),
        (FaultKind.NEGATIVE, {}, [-102, -103], [2, 3]),
        (FaultKind.ZERO, {}, [0, 0], [2, 3]),
        (FaultKind.PARTIAL, {"fraction": 0.5}, [51, 52], [1, 2]),
        (FaultKind.LONG, {"fraction": 0.5}, [153, 154], [3, 4]),
        (FaultKind.TEST_MODE, {"wh": 7}, [7, 7], [0, 0]),
        (FaultKind.CONFIGURATION, {}, [102, 103], [2, 3]),
        (FaultKind.SKIPPED, {}, [0, 0], [0, 0]),
    ],
)
def test_each_kind_changes_the_values_in_its_span_and_no_other(
    kind: FaultKind, params: dict[str, float], delivered: list[int], received: list[int]
) -> None:
    shown = put(Fault(kind, ESIID, T + 1800, T + 3600, params))
    assert shown[0] == [100, 101, *delivered, 104, 105, 106, 107]
    assert shown[1] == [0, 1, *received, 4, 5, 6, 7]


@pytest.mark.parametrize(
    ("kind", "params", "shown"),
    [
        (FaultKind.STUCK, {}, ([-T - 1800] * 2, [-T - 1801] * 2)),
        (FaultKind.SPIKE, {"factor": 2}, ([204, 206], [4, 6])),
        (FaultKind.NEGATIVE, {}, ([-102, -103], [-2, -3])),
        (FaultKind.ZERO, {}, ([0, 0], [0, 0])),
        (FaultKind.PARTIAL, {"fraction": 0.5}, ([51, 52], [1, 2])),
        (FaultKind.LONG, {"fraction": 0.5}, ([153, 154], [3, 4])),
        (FaultKind.OVERFLOW, {"limit": 1}, ([1, 1], [1, 1])),
        (FaultKind.CONFIGURATION, {}, ([102, 103], [2, 3])),
        (FaultKind.SKIPPED, {}, ([0, 0], [0, 0])),
        (FaultKind.GAP, {}, ([0, 0], [0, 0])),
    ],
)
@pytest.mark.parametrize("channel", Channel)
def test_fault_takes_values_and_nibbles_of_its_channel_and_spares_the_other(
    kind: FaultKind, params: dict[str, float], shown: tuple[list[int], list[int]], channel: Channel
) -> None:
    delivered, received, status = put(Fault(kind, ESIID, T + 1800, T + 3600, params, channel=channel))
    own = [
        one if channel in (mine, Channel.BOTH) else true
        for mine, one, true in ((Channel.DELIVERED, shown[0], [102, 103]), (Channel.RECEIVED, shown[1], [2, 3]))
    ]
    assert (delivered[2:4], received[2:4]) == tuple(own)
    says = SAYS.get(kind, Condition.OK)
    assert delivered_condition(status)[2:4].tolist() == [says if channel != Channel.RECEIVED else Condition.OK] * 2
    assert received_condition(status)[2:4].tolist() == [says if channel != Channel.DELIVERED else Condition.OK] * 2


def test_test_pulses_are_counted_in_one_channel() -> None:
    params = {"wh": 7.0}
    made = [put(Fault(FaultKind.TEST_MODE, ESIID, T, T + 900, params, channel=channel))[:2] for channel in Channel]
    assert [(delivered[0], received[0]) for delivered, received in made] == [(7, 0), (100, 7), (7, 0)]


@pytest.mark.parametrize(
    ("faults", "shown"),
    [
        ([], Reply()),
        ([(FaultKind.SLOW, {"seconds": 2}), (FaultKind.SLOW, {"seconds": 3})], Reply(Wire.ANSWER, 0, 5)),
        ([(FaultKind.EXCEPTION, {"code": 4})], Reply(Wire.EXCEPTION, 4)),
        ([(FaultKind.WRONG_UNIT, {}), (FaultKind.DEAD, {}), (FaultKind.EXCEPTION, {"code": 4})], Reply(Wire.SILENT)),
        ([(FaultKind.FLAKY, {"answers": 0.0})], Reply(Wire.SILENT)),
        ([(FaultKind.FLAKY, {"answers": 1.0})], Reply()),
    ],
)
def test_the_worst_fault_decides_the_reply(faults: list[tuple[FaultKind, dict[str, float]]], shown: Reply) -> None:
    assert reply([Fault(kind, ESIID, params=params) for kind, params in faults], 1, 2, T) == shown


def test_faults_of_other_layers_leave_the_record_alone() -> None:
    others = [kind for kind in FaultKind if KINDS[kind].layer != "intervals" and kind is not FaultKind.SWAP]
    faults = [
        Fault(
            kind,
            ESIID,
            seconds(0) if KINDS[kind].span is Span.ALWAYS else T,
            params={name: parameter.least for name, parameter in KINDS[kind].parameters.items()},
        )
        for kind in others
    ]
    assert put(*faults)[0] == columns()[0].tolist()


def test_only_faults_of_intervals_have_a_channel() -> None:
    for row in KINDS.values():
        assert (row.channel is None) == (row.layer is not Layer.INTERVALS)
    with pytest.raises(MeterError, match=r"meters\.fault\.channel"):
        Fault(FaultKind.OUTAGE, ESIID, T, T + 900, channel=Channel.DELIVERED)


def test_defaults_are_filled_in_and_every_kind_has_a_sentence() -> None:
    assert Fault(FaultKind.PARTIAL, ESIID, T, T + 900).params == {"fraction": 0.5}
    assert set(KINDS) == set(FaultKind)
    assert all(row.does.endswith(".") for row in KINDS.values())


@pytest.mark.parametrize(
    ("kind", "first", "until", "params", "other", "code"),
    [
        ("gone", T, T + 900, {}, "", "kind"),
        ("gap", T, T, {}, "", "span"),
        ("gap", T + 1, T + 900, {}, "", "span"),
        ("spike", T, T + 900, {}, "", "params"),
        ("spike", T, T + 900, {"factor": 2, "size": 1}, "", "params"),
        ("spike", T, T + 900, {"factor": 1001}, "", "params"),
        ("spike", T, T + 900, {"factor": float("nan")}, "", "params"),
        ("swap", 0, FOR_EVER, {}, "", "other"),
        ("swap", 0, FOR_EVER, {}, ESIID, "other"),
        ("swap", T, T + 900, {}, ESIIDS[0], "span"),
        ("reset", 0, FOR_EVER, {}, "", "span"),
        ("gap", T, T + 900, {}, ESIIDS[0], "other"),
    ],
)
def test_fault_that_makes_no_sense_is_refused(
    kind: str, first: Seconds, until: Seconds, params: dict[str, float], other: str, code: str
) -> None:
    with pytest.raises(MeterError, match=rf"meters\.fault\.{code}: .*{ESIID}"):
        Fault(kind, ESIID, first, until, params, other)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({}, "The spike has no parameter."),
        ({"factor": 2.0, "size": 1.0}, "The spike has these parameters: factor, size."),
    ],
)
def test_parameters_that_a_fault_has_not_are_told_with_those_that_it_needs(params: dict[str, float], said: str) -> None:
    with pytest.raises(MeterError) as refused:
        Fault(FaultKind.SPIKE, ESIID, ALWAYS, T, params)
    assert refused.value.message == said
    assert refused.value.mend == "It needs factor and may have none."


# Rules.


def test_rule_names_meters_esiids_or_gateways() -> None:
    rules = [
        FaultRule(FaultKind.DEAD, T, meters=(1, 3)),
        FaultRule(FaultKind.GAP, T, T + 900, esiids=(ESIIDS[7],)),
        FaultRule(FaultKind.NO_PATH, T, T + 60, gateways=(9,)),
    ]
    faults = expand(rules, 1, ROSTER)
    assert [fault.esiid for fault in faults[:3]] == [ESIIDS[0], ESIIDS[2], ESIIDS[7]]
    assert [fault.esiid for fault in faults[3:]] == ESIIDS[8 * 247 :]
    assert faults[0].until == FOR_EVER


def test_swap_is_of_two_meters_and_known_to_both() -> None:
    pair = expand([FaultRule(FaultKind.SWAP, meters=(4, 9))], 1, ROSTER)
    assert [(node.esiid, node.other) for node in pair] == [(ESIIDS[3], ESIIDS[8]), (ESIIDS[8], ESIIDS[3])]


def test_rate_hits_its_share_the_same_meters_each_time_and_others_with_another_seed_or_rule() -> None:
    rule = FaultRule(FaultKind.DEAD, T, rate=0.05)
    hit = [fault.esiid for fault in expand([rule], 1, ROSTER)]
    assert 60 <= len(hit) <= 140
    assert hit == [fault.esiid for fault in expand([rule], 1, ROSTER)]
    assert hit != [fault.esiid for fault in expand([rule], 2, ROSTER)]
    second = [fault.esiid for fault in expand([rule, rule], 1, ROSTER)][len(hit) :]
    assert second != hit


def test_rate_by_day_is_drawn_anew_each_day_and_a_day_alone_gives_that_days() -> None:
    rule = FaultRule(FaultKind.GAP, FIRST, UNTIL, rate=0.02, every="day", length_s=seconds(5400))
    faults = expand([rule], 1, ROSTER)
    for day in days(date(2026, 8, 1), date(2026, 8, 10)):
        span = day_start(day), day_start(day) + 86_400
        mine = [fault for fault in faults if span[0] <= fault.first < span[1]]
        assert mine == expand([rule], 1, ROSTER, span)
        assert 15 <= len(mine) <= 70
        assert all(one.until - one.first == 5400 for one in mine)
    assert len({fault.esiid for fault in faults}) > 200


def test_what_lasts_is_known_back_to_its_rules_beginning_and_what_does_not_is_of_the_day_alone() -> None:
    span = (UNTIL - 86_400, UNTIL)
    for kind, earlier in (
        (FaultKind.RESET, True),
        (FaultKind.OUTAGE, True),
        (FaultKind.GAP, False),
        (FaultKind.DEAD, False),
    ):
        rule = FaultRule(kind, FIRST, UNTIL + 86_400, rate=0.02, every="day")
        found = expand([rule], 1, ROSTER, span)
        assert (min(fault.first for fault in found) < FIRST + 86_400) == earlier
        assert max(fault.first for fault in found) < span[1]
    both = [
        FaultRule(kind, FIRST, UNTIL + 86_400, rate=0.2, every="day") for kind in (FaultKind.RESET, FaultKind.ROLLOVER)
    ]
    near = {fault.esiid for fault in expand(both[1:], 1, ROSTER)}
    coming = {fault.esiid for fault in expand(both, 1, ROSTER) if fault.kind == "reset" and fault.first >= span[1]}
    late = {fault.esiid for fault in expand(both, 1, ROSTER, span) if fault.kind == "reset" and fault.first >= span[1]}
    assert late <= coming - (coming - near)
    assert late


@pytest.mark.parametrize("rate", [0.003, 0.05, 0.6, 1.0])
def test_hits_of_a_meter_are_independent_from_day_to_day(rate: float) -> None:
    first, until = epoch("2026-01-01T00:00"), epoch("2026-10-28T00:00")
    rule = FaultRule(FaultKind.CONFIGURATION, first, until, rate=rate, every="day")
    some = ROSTER if rate < 0.5 else replace(ROSTER, hashes=ROSTER.hashes[:100])
    hit = np.zeros((len(some.hashes), 300), bool)
    rows = {esiid: row for row, esiid in enumerate(ESIIDS)}
    for fault in expand([rule], 1, some):
        hit[rows[fault.esiid], (fault.first + 3600 - first) // 86_400] = True
    for share, wanted, draws in (
        (hit.mean(), rate, hit.size),
        # A hit the day after a hit, and a week after one.
        ((hit[:, 1:] & hit[:, :-1]).mean(), rate**2, hit[:, 1:].size),
        ((hit[:, 7:] & hit[:, :-7]).mean(), rate**2, hit[:, 7:].size),
        # The days on which draws begin anew, and those before them, are days like others.
        (
            hit[:, [day for day in range(300) if (first // 86_400 + 719_163 + day) % 64 in (0, 63)]].mean(),
            rate,
            9 * len(hit),
        ),
    ):
        assert abs(share - wanted) <= 5 * (wanted * (1 - wanted) / draws) ** 0.5
    mine = np.bincount(hit.sum(axis=1), minlength=301)
    # As many meters without a hit as there should be.
    none = (1 - rate) ** 300
    assert abs(mine[0] / len(hit) - none) <= 5 * (none * (1 - none) / len(hit)) ** 0.5


def test_longer_rule_leaves_the_days_that_it_had_as_they_were() -> None:
    short, long = (FaultRule(FaultKind.ZERO, at, UNTIL, rate=0.05, every="day") for at in (FIRST, FIRST - 90 * 86_400))
    assert expand([short], 1, ROSTER) == [fault for fault in expand([long], 1, ROSTER) if fault.first >= FIRST]


def test_part_of_a_roster_has_the_faults_that_it_has_in_the_whole() -> None:
    rules = [
        FaultRule(FaultKind.GAP, FIRST, UNTIL, rate=0.02, every="day"),
        FaultRule(FaultKind.DEAD, rate=0.05),
        FaultRule(FaultKind.SWAP, rate=0.3),
        FaultRule(FaultKind.SWAP, meters=(300, 2)),
        FaultRule(FaultKind.NO_PATH, gateways=(2,)),
        FaultRule(FaultKind.ZERO, esiids=(ESIIDS[300],)),
    ]
    whole = expand(rules, 1, ROSTER)
    for rows in (slice(0, 2000), slice(299, 301), slice(1, 400), slice(1999, 2000), slice(1, None, 3), slice(5, 5)):
        part = replace(
            ROSTER, positions=ROSTER.positions[rows], hashes=ROSTER.hashes[rows], gateways=ROSTER.gateways[rows]
        )
        assert expand(rules, 1, part) == [fault for fault in whole if fault.esiid in ESIIDS[rows]]


def test_swaps_by_rate_are_pairs_of_neighbours_and_nobody_is_swapped_twice() -> None:
    faults = expand([FaultRule(FaultKind.SWAP, rate=0.3)], 1, ROSTER)
    with_whom = {fault.esiid: fault.other for fault in faults}
    assert len(with_whom) == len(faults)
    assert 500 <= len(faults) <= 700
    assert all(with_whom[other] == esiid for esiid, other in with_whom.items())


@settings(max_examples=60)
@given(
    kind=st.sampled_from([kind for kind in FaultKind if KINDS[kind].span is not Span.ALWAYS]),
    seed=st.integers(0, 2**32),
    rate=st.floats(0.001, 0.2),
    quarters=st.integers(1, 40),
)
def test_drawn_faults_are_valid_and_lie_within_their_rules_span(
    kind: FaultKind, seed: int, rate: float, quarters: int
) -> None:
    params = {name: parameter.most for name, parameter in KINDS[kind].parameters.items()}
    rule = FaultRule(kind, FIRST, UNTIL, params, rate=rate, length_s=seconds(quarters * 900))
    for drawn in expand([rule], seed, ROSTER):
        assert FIRST <= drawn.first < drawn.until <= UNTIL
        if KINDS[kind].span is Span.INTERVALS:
            assert drawn.first % 900 == drawn.until % 900 == 0


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({}, "whom"),
        ({"meters": (1,), "rate": 0.1}, "whom"),
        ({"rate": 1.5}, "rate"),
        ({"meters": (1,), "every": "day"}, "rate"),
        ({"rate": 0.1, "every": "day"}, "every"),
        ({"rate": 0.1, "length_s": 900}, "span"),
        ({"rate": 0.1, "first": T, "until": T + 900, "length_s": 1800}, "length"),
        ({"rate": 0.1, "first": T, "until": T + 1800, "length_s": 100}, "length"),
        ({"kind": "gone", "rate": 0.1}, "kind"),
        ({"kind": FaultKind.ROLLOVER, "rate": 0.1}, "span"),
        ({"kind": FaultKind.SWAP, "meters": (1,)}, "swap"),
        ({"kind": FaultKind.SWAP, "meters": (1, 1)}, "twice"),
        ({"meters": (2, 3, 2)}, "twice"),
        ({"kind": FaultKind.MULTIPLIER, "meters": (1,), "first": T}, "span"),
        ({"kind": FaultKind.DEAD, "meters": (1,), "channel": Channel.BOTH}, "channel"),
    ],
)
def test_rule_that_makes_no_sense_is_refused(wrong: dict[str, object], code: str) -> None:
    with pytest.raises(MeterError, match=rf"meters\.fault\.{code}: line 7"):
        FaultRule(**{"kind": FaultKind.GAP, "place": "line 7", **wrong})  # type: ignore[arg-type]


@pytest.mark.parametrize("whom", [{"meters": (2001,)}, {"meters": (0,)}, {"gateways": (10,)}, {"esiids": (ESIID,)}])
def test_rule_for_a_meter_that_there_is_none_of_is_refused(whom: dict[str, tuple[object]]) -> None:
    with pytest.raises(MeterError, match=r"meters\.fault\.unknown"):
        expand([FaultRule(FaultKind.DEAD, T, **whom)], 1, ROSTER)  # type: ignore[arg-type]


def test_drawn_fault_that_its_kind_does_not_allow_names_the_rules_place() -> None:
    with pytest.raises(MeterError, match=r"meters\.fault\.params: line 3"):
        expand([FaultRule(FaultKind.SPIKE, T, T + 900, rate=0.5, place="line 3")], 1, ROSTER)


# The ledger.


def test_ledger_names_meter_kind_intervals_and_parameters_in_both_forms(tmp_path: Path) -> None:
    run = (T - 9000, T + 9000)
    spike = entry(
        Fault(FaultKind.SPIKE, ESIID, T, T + 900, {"factor": 8}), "900000001", run, Effect(100, 800, wrong_wh=700)
    )
    dead = entry(Fault(FaultKind.DEAD, ESIID, T + 901), "900000001", run)
    swap = entry(Fault(FaultKind.SWAP, ESIIDS[0], other=ESIIDS[1]), "900000002", run)
    exchange = entry(Fault(FaultKind.EXCHANGE, ESIIDS[2], T), "900000003", run, None, Ends((9, 8), (7, 0), "800000003"))
    flaky = entry(Fault(FaultKind.FLAKY, ESIIDS[3]), "900000004", run, silent_days=[date(2026, 8, 11)])
    entries = ordered([dead, swap, spike, exchange, flaky])
    assert [one.esiid for one in entries] == sorted(one.esiid for one in entries)
    write_json(entries, tmp_path / "ledger.json")
    write_parquet(entries, tmp_path / "ledger.parquet")
    told = {load["kind"]: load for load in json.loads((tmp_path / "ledger.json").read_text())}
    assert told["spike"] == {
        "esiid": ESIID,
        "meter_number": "900000001",
        "kind": "spike",
        "layer": "intervals",
        "channel": "delivered",
        "first_end": T + 900,
        "last_end": T + 900,
        "first_end_local": "2026-08-11T21:15:00-05:00",
        "last_end_local": "2026-08-11T21:15:00-05:00",
        "intervals": 1,
        "params": {"factor": 8.0},
        "true_wh": 100,
        "shown_wh": 800,
        "true_received_wh": 0,
        "shown_received_wh": 0,
        "wrong_wh": 700,
    }
    assert told["dead"]["last_end"] == T + 9000
    assert told["swap"]["other"] == ESIIDS[1]
    assert told["flaky"]["silent_days"] == ["2026-08-11"]
    assert {name: told["exchange"][name] for name in told["exchange"] if "_before" in name or "_after" in name} == {
        "register_before_wh": 9,
        "register_after_wh": 7,
        "received_before_wh": 8,
        "received_after_wh": 0,
    }
    assert told["exchange"]["new_meter_number"] == "800000003"
    rows = pq.read_table(tmp_path / "ledger.parquet").to_pylist()
    for row, one in zip(rows, entries, strict=True):
        assert seconds(row["first_end"].timestamp()) == one.first_end
        assert json.loads(row["params"]) == one.params
        same = {name for name in row if name not in ("first_end", "last_end", "params")}
        assert {name: row[name] for name in same} == {name: one.values()[name] for name in same}


def test_empty_ledger_is_written_too(tmp_path: Path) -> None:
    write_json([], tmp_path / "ledger.json")
    write_parquet([], tmp_path / "ledger.parquet")
    assert json.loads((tmp_path / "ledger.json").read_text()) == []
    assert pq.read_table(tmp_path / "ledger.parquet").num_rows == 0


@pytest.mark.process
def test_a_ledger_is_written_without_pandas_which_would_take_seconds_of_a_stop(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from meters.faults.ledger import LedgerEntry, write\n"
        "write([LedgerEntry('1', '2', 'gap', 'intervals', '', 900, 1800, 2, {})], Path(sys.argv[1]))\n"
        "print('pandas' in sys.modules)"
    )
    words = (sys.executable, "-c", code, str(tmp_path))
    assert subprocess.run(words, capture_output=True, text=True, check=True).stdout == "False\n"
    assert pq.read_table(tmp_path / "faults.parquet").num_rows == 1
