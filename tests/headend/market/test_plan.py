"""How a market is cut: real proportions, every meter once, and keys that change with what has a say."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from headend.lse.format import MOST_RECORDS
from headend.market.plan import LAST_DAY, METERS, PARTITION, refuse_day, run_key, shares, tasks
from headend.market.usual import usual
from headend.ports import HeadEndError
from headend.vee.preset import Preset
from headend.vee.rules import limits
from meters.identity import TDSPS
from meters.load.premises import MARKET
from tests.headend.market.days import DAY, fleet


def test_a_market_has_its_companies_in_their_real_proportions() -> None:
    assert shares(sum(METERS.values()), list(METERS)) == METERS
    # A tenth divides evenly.
    assert shares(812_000, list(METERS)) == {key: count // 10 for key, count in METERS.items()}
    assert shares(1_000, ["TNMP", "ONCOR"]) == {"ONCOR": 937, "TNMP": 63}
    assert METERS.keys() == TDSPS.keys()


@pytest.mark.parametrize("meters", [1, 2, 3, 7, 99, 8_000_000])
def test_no_meter_is_lost_and_none_is_added(meters: int) -> None:
    found = shares(meters, list(METERS))
    assert sum(found.values()) == meters
    assert all(found.values())
    whole = sum(METERS.values())
    assert all(abs(count - meters * METERS[key] / whole) < 1 for key, count in found.items())


def test_every_meter_is_of_one_partition_and_names_and_counters_differ(tmp_path: Path) -> None:
    cut = tasks(fleet(2 * PARTITION + 7), Preset(), DAY, "code", tmp_path, lse=False)
    assert [(task.first, task.count) for task in cut] == [
        (1, PARTITION),
        (PARTITION + 1, PARTITION),
        (2 * PARTITION + 1, 7),
    ]
    assert [task.counter for task in cut] == [0, 1, 2]
    assert len({task.intervals for task in cut}) == 3
    assert [task.name for task in cut] == sorted(task.name for task in cut)


def test_a_partition_fills_a_file_and_no_more() -> None:
    records, spread = PARTITION * (1 + MARKET.solar), (PARTITION * MARKET.solar) ** 0.5
    # A roof is drawn for each meter: so many standard deviations lie between.
    assert 0.99 * MOST_RECORDS < records < MOST_RECORDS - 5 * spread


def test_a_key_changes_with_whatever_has_a_say() -> None:
    of, preset = fleet(100), Preset()
    key = run_key(of, preset, DAY, "code")
    assert run_key(fleet(100), Preset(), DAY, "code") == key
    others = {
        run_key(fleet(101), preset, DAY, "code"),
        run_key(fleet(100, seed=6), preset, DAY, "code"),
        run_key(fleet(100, usual(DAY)), preset, DAY, "code"),
        run_key(fleet(100, company="TNMP"), preset, DAY, "code"),
        run_key(of, replace(preset, limits=limits({"interval.spike": {"ratio": 2.5}})), DAY, "code"),
        run_key(of, replace(preset, commercial=preset.commercial[:1]), DAY, "code"),
        run_key(of, preset, DAY + timedelta(days=1), "code"),
        run_key(of, preset, DAY, "other code"),
    }
    assert len(others | {key}) == 9


@pytest.mark.parametrize("day", [date(2020, 4, 1), date(2019, 7, 15), LAST_DAY + timedelta(days=1)])
def test_a_day_without_a_past_is_refused(day: date) -> None:
    with pytest.raises(HeadEndError, match=r"market\.day: --date: .*Take one of 2020-04-02 to 2099-12-30"):
        refuse_day(day)


def test_an_ordinary_day_has_one_meter_in_seventy_with_a_fault() -> None:
    rates = [rule.rate for rule in usual(DAY)]
    assert 0.01 <= sum(rates) <= 0.02
    refuse_day(DAY)
