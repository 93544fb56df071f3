"""The kernel and the ladder against their plain twin, on days that are wrong in every way at once."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headend.vee import flags
from headend.vee.batch import class_profiles, estimate, validate
from headend.vee.ladder import Past
from headend.vee.preset import Preset
from headend.vee.quality import Channel, Method
from headend.vee.records import Asset, DayColumns, Power
from headend.vee.rules import BY_NUMBER, RULES, Rule
from meters.calendar import seconds
from meters.status import Common, Condition
from tests.cases import few
from tests.headend.vee.days import columns
from tests.headend.vee.twin import Behind, Judged, Meter, Told, estimates

BITS = {
    "interval.missing": flags.MISSING,
    "interval.negative": flags.NEGATIVE,
    "interval.condition": flags.CONDITION,
    "interval.hard_maximum": flags.HARD_MAXIMUM,
    "interval.spike": flags.SPIKE,
    "interval.stuck": flags.STUCK,
    "interval.zero": flags.ZERO,
    "interval.residual": flags.RESIDUAL,
}
WAYS = {
    "measured": Method.MEASURED,
    "line": Method.INTERPOLATED,
    "flat": Method.FLAT,
    "like days": Method.LIKE_DAY,
    "profile": Method.PROFILE,
    "zero": Method.ZERO,
}
#: How many are drawn, in every run and among the long tests.
DAYS = [100, 400]


@st.composite
def meters(draw: st.DrawFn) -> Meter:
    """A day of few different values, so that runs, ties and edges are met, and a few things done to it."""
    n = draw(st.sampled_from([92, 96, 100]))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    multiplier = draw(st.sampled_from([1, 1, 1, 40]))
    kind = draw(st.sampled_from(["even", "coarse", "empty", "peaky"]))
    true = {
        "even": rng.integers(200, 900, n),
        "coarse": rng.integers(0, 4, n) * 100,
        "empty": np.zeros(n, np.int64),
        "peaky": rng.integers(50, 200, n) * rng.choice([1, 1, 1, 1, 60], n),
    }[kind] * multiplier
    shown = true.copy()
    for _ in range(draw(st.integers(0, 2))):
        at, length = draw(st.integers(0, n - 1)), draw(st.integers(1, 12))
        span = slice(at, at + length)
        done = draw(st.sampled_from(["spike", "one", "stuck", "zero", "negative", "beyond"]))
        if done == "one":
            shown[at] += draw(st.integers(-200, 900))
        else:
            shown[span] = {
                "spike": shown[span] * 10,
                "stuck": shown[at],
                "zero": 0,
                "negative": -shown[span],
                "beyond": 12_000 * multiplier + 1,
            }[done]
    r0 = draw(st.sampled_from([None, 0, 0, 5_000_000, 99_990_000, 99_999_000, 10**9 - 5]))
    r1 = None if r0 is None else r0 + int(true.sum()) + draw(st.sampled_from([0, 0, 0, 0, 2, 3, -40, 500]))
    wrong = draw(st.sampled_from(["", "", "", "", "turns", "reset", "lost", "beyond", "nothing"]))
    if r0 is not None and r1 is not None and wrong:
        end = next(10**dials * 1000 * multiplier for dials in range(4, 10) if 10**dials * 1000 * multiplier > r0)
        r1 = {
            "turns": r1 % end,
            "reset": 7,
            "lost": None,
            "nothing": 0,
            "beyond": r0 + n * 12_000 * multiplier + draw(st.integers(0, 1)),
        }[wrong]
    marks = {
        name: rng.random(n) < draw(st.sampled_from([0, 0, 0, 0.05, 0.4]))
        for name in ("gone", "unusable", "fail", "out", "open", "other")
    }
    # By a meter that is not what its records say no registers judge, so half of all are.
    sound = draw(st.booleans())
    off = st.sampled_from([0, 0, 0, 0 if sound else 1])
    # What nobody has read of outages that are over, by what events tell; it is flagged as their records will be.
    over = marks["gone"] & (rng.random(n) < draw(st.sampled_from([0, 0.5, 1, 1])))
    marks["out"] |= over
    marks["fail"] |= over
    marks["unusable"] &= ~over
    return Meter(
        wh=[None if gone else int(x) for gone, x in zip(marks["gone"], shown, strict=True)],
        other=(marks["other"] * 70).tolist(),
        power_fail=marks["fail"].tolist(),
        unusable=marks["unusable"].tolist(),
        out=marks["out"].tolist(),
        open=marks["open"].tolist(),
        over=over.tolist(),
        r0=r0,
        r1=None if r1 is None else max(r1, 0),
        before=draw(st.sampled_from([None, r0, 12])),
        average=draw(st.sampled_from([None, 0, 1, int(true.sum()) // 4, int(true.sum()) * 4 + 1])),
        multiplier=multiplier,
        told_multiplier=draw(st.sampled_from([multiplier, multiplier if sound else 10])),
        dials=draw(st.sampled_from([None, None, 5, 6])),
        exchanged=bool(draw(off)),
        inactive=bool(draw(off)),
        other_number=bool(draw(off)),
        other_unit=bool(draw(off)),
        interval_s=seconds(draw(st.sampled_from([900, 900, 900 if sound else 1800]))),
        clock_error_s=seconds(draw(st.sampled_from([0, 3, -4, 180, 0 if sound else -181]))),
        repeated=draw(off),
        stopped=bool(draw(off)),
        three_phase=bool(draw(st.booleans())),
        load=bool(draw(st.booleans())),
    )


def _columns(meter: Meter) -> DayColumns:
    def number(value: int | None) -> int:
        return -1 if value is None else value

    channel = Condition.OVERFLOW << (8 if meter.load else 4)
    others = Condition.OVERFLOW << (4 if meter.load else 8)
    status = [
        (Common.POWER_FAIL << 12) * fail | channel * bad | others * (not bad)
        for fail, bad in zip(meter.power_fail, meter.unusable, strict=True)
    ]
    asset = (
        Asset.EXCHANGED * meter.exchanged
        | Asset.INACTIVE * meter.inactive
        | Asset.OTHER_NUMBER * meter.other_number
        | Asset.OTHER_UNIT * meter.other_unit
        | Asset.STOPPED * meter.stopped
        | Asset.THREE_PHASE * meter.three_phase
    )
    return columns(
        # Where there is no value anything may stand.
        [0 if over else -77 if x is None else x for x, over in zip(meter.wh, meter.over, strict=True)],
        present=[x is not None or over for x, over in zip(meter.wh, meter.over, strict=True)],
        other=meter.other,
        status=status,
        power=[
            Power.OUT * out | Power.SWITCH_OPEN * is_open | Power.OVER * over
            for out, is_open, over in zip(meter.out, meter.open, meter.over, strict=True)
        ],
        r0=number(meter.r0),
        r1=number(meter.r1),
        r1_before=number(meter.before),
        average=number(meter.average),
        asset=asset,
        multiplier=meter.multiplier,
        told_multiplier=meter.told_multiplier,
        dials=meter.dials or 0,
        interval_s=meter.interval_s,
        clock_error_s=meter.clock_error_s,
        repeated=meter.repeated,
    )


def _same(one: Told) -> tuple[str, int, int, int, int]:
    # A finding has room for 32 bits.
    return (*one[:3], *(min(max(number, 1 - 2**31), 2**31 - 1) for number in one[3:]))  # type: ignore[return-value]


@pytest.mark.parametrize("days", few(1, DAYS))
def test_the_kernel_finds_what_its_twin_finds(days: int) -> None:
    @settings(max_examples=days)
    @given(meters())
    def same(meter: Meter) -> None:
        judged = Judged(meter)
        flags, findings = validate(_columns(meter), Preset(), Channel.LOAD if meter.load else Channel.GENERATION)
        found = [
            (BY_NUMBER[Rule(one["rule"])].id, *(int(one[name]) for name in ("first", "last", "value", "limit")))
            for one in findings
        ]
        assert sorted(found) == sorted(map(_same, judged.told))
        expected = [sum(BITS[rule] for rule in judged.bad.get(i, ())) for i in range(judged.n)]
        assert flags.bad[0].tolist() == expected
        assert (flags.advance[0], flags.failed[0]) == (-1 if judged.advance is None else judged.advance, judged.failed)
        assert flags.touched[0] == (judged.failed or bool(judged.bad))

    same()


class _Behind:
    """A look-back that was drawn."""

    def __init__(self, behind: Behind, n: int) -> None:
        wh = [[-1 if x is None else x for x in like] for _, like in behind.like]
        self._past = Past(
            np.array([-1 if behind.before is None else behind.before], np.int64),
            np.array([age for age, _ in behind.like], np.int64),
            np.array(wh, np.int32).reshape(1, len(wh), n),
            np.zeros(1, np.int64),
        )

    def registers_before(self, channel: Channel) -> Any:
        raise AssertionError(channel)

    daily_average = registers_before

    def past(self, _channel: Channel, _rows: Any, _back_days: int) -> Past:
        return self._past


@pytest.mark.parametrize("days", few(1, DAYS))
def test_the_ladder_estimates_what_its_twin_estimates(days: int) -> None:
    @settings(max_examples=days)
    @given(meters(), st.data())
    def same(meter: Meter, data: st.DataObject) -> None:
        judged = Judged(meter)
        n = judged.n
        rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
        ages = sorted(data.draw(st.sets(st.sampled_from([1, 2, 5, 6, 7, 89, 90, 91]), max_size=6)))
        holes = data.draw(st.sampled_from([0, 0.001, 0.1]))
        like = [(age, [None if rng.random() < holes else int(x) for x in rng.integers(0, 900, n)]) for age in ages]
        sound: list[int] = rng.integers(0, 400, n).tolist() if data.draw(st.booleans()) else [0] * n
        behind = Behind(data.draw(st.sampled_from([None, 0, 345])), like, sound)
        # Beside it a meter of its class, with nothing wrong: the profile of the day.
        pair = columns(sound, sound)
        beside = pair._asdict()
        day = DayColumns(
            **{name: np.concatenate([one, beside[name][:1]]) for name, one in _columns(meter)._asdict().items()}
        )
        channel = Channel.LOAD if meter.load else Channel.GENERATION
        flags, _ = validate(day, Preset(), channel)
        out, findings = estimate(
            day, flags, _Behind(behind, n), Preset(), channel, class_profiles(day, flags, Preset())
        )
        expected = estimates(judged, behind)
        assert out.wh[1].tolist() == sound
        if flags.touched[0]:
            assert list(zip(out.wh[0].tolist(), out.method[0].tolist(), strict=True)) == [
                (wh, WAYS[how]) for wh, how in expected
            ]
            unsaid = (
                judged.advance is not None and abs(sum(wh for wh, _ in expected) - judged.advance) > judged.tolerance
            )
            assert (RULES["sum.unlocated"].rule in findings["rule"]) is unsaid
        else:
            assert out.wh[0].tolist() == [wh for wh, _ in expected]

    same()
