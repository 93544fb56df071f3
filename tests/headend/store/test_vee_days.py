"""What VEE gave, as the head-end's store keeps it."""

from __future__ import annotations

from datetime import timedelta

import numpy as np

from headend.ports import MeterKey, RegisterSnapshot
from headend.store.store import HeadEndStore
from headend.vee.batch import run_batch
from headend.vee.quality import Channel, IntervalStatus, Method
from meters.calendar import INTERVAL_S, day_end, day_start, intervals_in
from meters.status import Common, Condition, status_word
from tests.headend.store.readings import DAY, ESIID, METER, MIDNIGHT, OTHER, OTHER_METER, reading


def test_vee_day_is_kept_in_revisions_and_history_gives_the_latest() -> None:
    store = HeadEndStore("sqlite://")
    n = intervals_in(DAY)
    values: list[int | None] = [100 + i % 2 for i in range(n - 1)]
    store.keep([reading(MIDNIGHT, values, e) for e in (ESIID, OTHER)], day_end(DAY), "sweep")
    store.keep_snapshots([RegisterSnapshot(ESIID, "", MIDNIGHT, 1000, 0)])
    batch = run_batch(store.day([ESIID, OTHER], DAY))
    assert store.vee.keep(batch) == (METER, OTHER_METER)
    assert store.vee.keep(batch) == ()
    held = store.vee.day([OTHER, ESIID, "10443720000000033"], DAY)
    assert held.meters == (OTHER_METER, METER)
    assert held.delivered.wh.tolist() == [[*values, 100]] * 2
    assert held.delivered.status[0, -1] == IntervalStatus.ESTIMATED
    assert held.delivered.method[0, -1] == Method.FLAT
    assert held.delivered.have_start.tolist() == [False, True]
    assert held.delivered.start_wh[1] == 1000
    assert not held.delivered.have_stop.any()

    store.keep([reading(day_end(DAY) - INTERVAL_S, [444])], day_end(DAY) + 3600, "meter")
    assert store.vee.keep(run_batch(store.day([ESIID, OTHER], DAY))) == (METER,)
    history = store.vee.history([METER, OTHER_METER, MeterKey("10443720000000033", "")], DAY + timedelta(days=2), 90)
    assert history.days == (DAY,)
    assert history.delivered[0].wh[:, -1].tolist() == [444, 100, 0]
    assert history.delivered[0].status[:, -1].tolist() == [
        IntervalStatus.ACTUAL,
        IntervalStatus.ESTIMATED,
        IntervalStatus.MISSING,
    ]
    assert history.received[0].wh[0, 0] == 10
    store.close()


def test_history_is_latest_first_within_its_reach(store: HeadEndStore) -> None:
    for back in (1, 3, 91):
        begin = day_start(DAY - timedelta(days=back))
        n = intervals_in(DAY - timedelta(days=back))
        store.keep([reading(begin, [back] * n)], begin + 86_400, "sweep")
        store.vee.keep(run_batch(store.day([ESIID], DAY - timedelta(days=back))))
    history = store.vee.history([METER], DAY, 90)
    assert history.days == (DAY - timedelta(days=1), DAY - timedelta(days=3))
    assert [int(one.wh[0, 0]) for one in history.delivered] == [1, 3]
    assert store.vee.history([], DAY, 90).days == ()


def test_scaled_and_power_failed_survive_the_store(store: HeadEndStore) -> None:
    values: list[int | None] = [100] * intervals_in(DAY)
    values[50] = None
    store.keep([reading(MIDNIGHT, values)], day_end(DAY), "sweep")
    failed = status_word(Common.POWER_FAIL, Condition.OK)
    store.keep([reading(MIDNIGHT, [100], status=failed)], day_end(DAY), "sweep")
    store.keep_snapshots(
        [RegisterSnapshot(ESIID, "", MIDNIGHT, 0, 0), RegisterSnapshot(ESIID, "", day_end(DAY), 9_700, 950)]
    )
    store.vee.keep(run_batch(store.day([ESIID], DAY)))
    held = store.vee.day([ESIID], DAY).delivered
    assert np.flatnonzero(held.scaled[0]).tolist() == [50]
    assert np.flatnonzero(held.power_failed[0]).tolist() == [0]
    assert held.wh[0, 50] == 200
    assert int(held.wh.sum()) == int(held.stop_wh[0])


def test_a_day_looks_back_on_the_register_that_the_day_before_used_and_on_four_weeks_of_midnights(
    store: HeadEndStore,
) -> None:
    before = DAY - timedelta(days=1)
    store.keep([reading(day_start(before), [100] * 96)], MIDNIGHT, "sweep")
    store.keep_snapshots(
        [RegisterSnapshot(ESIID, "", day_start(before), 5_000, 7), RegisterSnapshot(ESIID, "", MIDNIGHT, 14_600, 967)]
    )
    store.vee.keep(run_batch(store.day([ESIID], before)))
    # A later read of the same midnight says something else: what was used stays.
    store.keep_snapshots([RegisterSnapshot(ESIID, "", MIDNIGHT, 14_601, 967)])
    found = store.vee.registers_before([OTHER_METER, METER], DAY)
    assert {channel: values.tolist() for channel, values in found.items()} == {
        Channel.GENERATION: [-1, 967],
        Channel.LOAD: [-1, 14_600],
    }

    def average() -> dict[Channel, list[int]]:
        return {channel: values.tolist() for channel, values in store.daily_averages([OTHER_METER, METER], DAY).items()}

    assert average() == {Channel.GENERATION: [-1, -1], Channel.LOAD: [-1, -1]}
    # 14,601 - 601 over 28 days; 29 days back is not looked at, and received ran back.
    for back, delivered in ((29, 0), (28, 601), (7, 9_000)):
        store.keep_snapshots([RegisterSnapshot(ESIID, "", day_start(DAY - timedelta(days=back)), delivered, 968)])
    assert average() == {Channel.GENERATION: [-1, -1], Channel.LOAD: [-1, 500]}
