"""What sweeps collected is sent to SMT once, tried again until it is there, and begun again by a head-end that was restarted; only where SMT asks for it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest

from headend.ondemand import push
from headend.ondemand.push import batches
from headend.ports import MeterAddress, MeterKey, MeterReading, MeterRecords
from headend.store.store import HeadEndStore
from headend.wire import NonVeeBatch
from meters.calendar import INTERVAL_S, Seconds, day_of, ends_within, epoch, iso
from tests.headend.rig import ESIID, NOW, START, Rig

#: The head-end comes up at 17:40; its next sweep is at 20:00.
SWEEP = epoch("2026-08-12T20:00") - NOW


def ends(body: bytes) -> list[str]:
    """The ends of a batch of one ESI ID."""
    meters = json.loads(body)["meters"]
    assert {meter["esiid"] for meter in meters} == {ESIID}
    return [one["end"] for meter in meters for one in meter["intervals"]]


async def test_after_each_sweep_what_is_new_is_sent_with_its_time_of_collection(tmp_path: Path) -> None:
    async with Rig(tmp_path, push=True) as rig:
        await rig.wait(SWEEP + 4 * 3600 + 60)
        first, second = rig.pushed
        state = rig.headend.health.look("keyed").push
        noted = [entry for entry in rig.journal.entries() if entry["kind"] == "pushed"]
    # From where it began to collect, 16:00; then from 20:00 on.
    assert ends(first[1]) == [iso(at) for at in ends_within(START, NOW + SWEEP)]
    assert ends(second[1]) == [iso(NOW + SWEEP + INTERVAL_S * n) for n in range(1, 17)]
    batch = NonVeeBatch.model_validate_json(first[1])
    assert SWEEP <= batch.meters[0].collectedAt.timestamp() - NOW <= first[0]
    assert state == "ok"
    assert [entry["octets"] for entry in noted] == [len(body) for _, body in rig.pushed]


async def test_nothing_is_sent_until_smt_says_with_an_inquiry_that_it_takes_it(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    async with rig:
        await rig.wait(SWEEP + 60)
        off = rig.headend.health.look("keyed").push
        await rig.ask(pushToSmt=True, answerBy=iso(NOW + SWEEP + 3000))
        await rig.wait(10)
    assert (off, len(rig.pushed), len(ends(rig.pushed[0][1]))) == ("off", 1, 16)
    # It is known after a restart too, and nothing is sent twice.
    rig.now += SWEEP + 70
    async with rig:
        await rig.wait(4 * 3600)
        assert len(rig.pushed) == 2
        assert not set(ends(rig.pushed[0][1])) & set(ends(rig.pushed[1][1]))


@pytest.mark.parametrize("answers", [[503, 500, 202], [0, 0, 202]])
async def test_a_batch_that_was_not_taken_is_sent_again_the_same(answers: list[int], tmp_path: Path) -> None:
    async with Rig(tmp_path, push=True) as rig:
        rig.to_pushes += answers
        await rig.wait(SWEEP + 120)
    assert len({body for _, body in rig.pushed}) == 1
    assert [at - rig.pushed[0][0] for at, _ in rig.pushed] == [0, 1, 6]


async def test_what_was_given_up_comes_with_the_next_sweep(tmp_path: Path) -> None:
    async with Rig(tmp_path, push=True) as rig:
        rig.to_pushes += [503] * 7
        await rig.wait(SWEEP + 1200)
        looked = rig.headend.health.look("keyed")
        await rig.wait(4 * 3600)
        assert rig.headend.health.look("keyed").push == "ok"
    assert (looked.push, looked.status) == ("failing", "degraded")
    assert len(rig.pushed) == 8
    assert len(ends(rig.pushed[-1][1])) == 32


async def test_a_restarted_head_end_sends_at_once_what_smt_has_not(tmp_path: Path) -> None:
    rig = Rig(tmp_path, push=True)
    async with rig:
        rig.to_pushes += [503] * 7
        await rig.wait(SWEEP + 2)
    rig.now += SWEEP + 2
    rig.to_pushes.clear()
    async with rig:
        await rig.wait(1)
    assert len({body for _, body in rig.pushed}) == 1


async def test_an_smt_that_holds_none_is_left_in_peace(tmp_path: Path) -> None:
    rig = Rig(tmp_path, push=True)
    async with rig:
        await rig.wait(SWEEP + 60)
        rig.to_pushes.append(403)
        await rig.wait(12 * 3600)
        assert rig.headend.health.look("keyed").push == "off"
        assert rig.store.pushed.reach() == {}
    assert len(rig.pushed) == 2


@pytest.mark.parametrize(("status", "sent"), [(400, 1), (409, 1), (401, 2)])
async def test_a_batch_that_smt_would_never_take_is_not_sent_again_and_one_without_the_key_is(
    status: int, sent: int, tmp_path: Path
) -> None:
    async with Rig(tmp_path, push=True) as rig:
        rig.to_pushes += [status]
        await rig.wait(SWEEP + 4 * 3600 + 60)
    first = ends(rig.pushed[0][1])
    assert len(rig.pushed) == 2
    assert sum(first[0] in ends(body) for _, body in rig.pushed) == sent


async def test_a_fault_of_its_own_ends_that_push_alone(tmp_path: Path) -> None:
    async with Rig(tmp_path, push=True) as rig:
        with patch.object(push, "batches", side_effect=RuntimeError("broken")):
            await rig.wait(SWEEP + 60)
        assert rig.pushed == []
        await rig.wait(4 * 3600)
    assert len(ends(rig.pushed[0][1])) == 32


def reading(esiid: str, number: str, start: Seconds, wh: list[int | None]) -> MeterReading:
    values = np.array([one or 0 for one in wh], np.int32)
    present = np.array([one is not None for one in wh])
    status = np.zeros(len(wh), np.uint16)
    return MeterReading(esiid, number, start, values, values * 0, status, present, start, 0, 0, 0)


def kept(records: MeterRecords, *readings: tuple[MeterReading, Seconds]) -> HeadEndStore:
    store = HeadEndStore("sqlite://", records)
    for one, at in readings:
        store.keep([one], at, "sweep")
    return store


def address(esiid: str, number: str) -> MeterAddress:
    return MeterAddress(esiid, number, "127.0.0.1", 1, 1, 1, 0)


def told(made: list[push.Batch]) -> list[dict[str, Any]]:
    return [meter for batch in made for meter in json.loads(batch.body)["meters"]]


def test_two_meters_at_an_esi_id_are_told_as_their_sum_as_far_as_both_reach() -> None:
    records = MeterRecords([address(ESIID, "1"), address(ESIID, "2")])
    one, two = (MeterKey(ESIID, number) for number in ("1", "2"))
    store = kept(
        records,
        (reading(ESIID, "1", START, [100, 200, None]), START + 3000),
        (reading(ESIID, "2", START, [1, 2, 3, 4]), START + 4000),
    )
    made = batches(store, {one: START + 2700, two: START + 3600}, NOW)
    (meter,) = told(made)
    assert [interval["wh"] for interval in meter["intervals"]] == [101, 202, None]
    assert meter["collectedAt"] == iso(START + 4000)
    assert made[0].reach == {ESIID: START + 2700}
    store.close()


def test_each_time_of_collection_is_told_apart_and_a_batch_is_no_larger_than_it_may_be() -> None:
    esiids = [f"{10443720000000017 + n}" for n in range(12)]
    records = MeterRecords([address(esiid, "1") for esiid in esiids])
    store = kept(
        records,
        *((reading(esiid, "1", START, [100, 100]), START + 2000) for esiid in esiids),
        (reading(esiids[0], "1", START + 1800, [7]), START + 3000),
    )
    reach = {MeterKey(esiid, "1"): START + 2700 for esiid in esiids}
    assert [one["collectedAt"] for one in told(batches(store, reach, NOW))][:3] == [
        iso(START + 2000),
        iso(START + 3000),
        iso(START + 2000),
    ]
    with patch.object(push, "LARGEST", 1000):
        made = batches(store, reach, NOW)
    assert max(len(batch.body) for batch in made) <= 1000
    assert len(made) > 2
    assert [one["esiid"] for one in told(made)] == [esiids[0], *esiids]
    assert {esiid for batch in made for esiid in batch.reach} == set(esiids)
    assert len({batch.key for batch in made}) == len(made)
    store.pushed.note(made[0].reach)
    assert {one["esiid"] for one in told(batches(store, reach, NOW))} == set(esiids) - set(made[0].reach)
    # No gap is longer than 48 hours.
    assert batches(store, reach, START + 49 * 3600) == []
    store.close()


def test_of_posted_days_nothing_is_sent() -> None:
    midnight = epoch("2026-08-12T00:00")
    records = MeterRecords([address(ESIID, "1")])
    store = kept(records, (reading(ESIID, "1", midnight - 1800, [1, 2, 3, 4]), midnight + 3600))
    reach = {MeterKey(ESIID, "1"): midnight + 1800}
    with patch.object(HeadEndStore, "posted_days", return_value={day_of(midnight - 1)}):
        (meter,) = told(batches(store, reach, NOW))
    assert [one["wh"] for one in meter["intervals"]] == [3, 4]
    store.close()
