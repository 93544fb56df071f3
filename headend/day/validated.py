"""A day of the store through VEE: what it was collected to, what the records say of its meters, and what it looks back on."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import date
from typing import Any

import numpy as np

from headend.day.power import told_power
from headend.day.storm import stopped_areas
from headend.day.summary import summary
from headend.http.log import tell
from headend.ports import LongArray, MeterKey, MeterRecords
from headend.store.partitions import Partition
from headend.store.store import HeadEndStore
from headend.store.told import NOTHING, MeterTold
from headend.vee.batch import run_batch
from headend.vee.lookback import PastDays
from headend.vee.preset import Preset
from headend.vee.records import Asset, Assets, DayBlock, Power, VeeDay
from meters.calendar import Seconds, day_end, day_start


def validate_partition(
    store: HeadEndStore, esiids: Sequence[str], partition: Partition, preset: Preset, now: Callable[[], Seconds]
) -> dict[str, Any]:
    """Validate, edit and estimate a partition's meters and keep the result as revisions; returns what is told of it. Blocking.

    esiids: the head-end's, ascending. now: gives UTC epoch seconds. What comes late is estimated by the profiles that the others of its classes had; where none
    had any, all of them are looked at again.
    """
    began_at, began, day = now(), time.perf_counter(), partition.operating_day
    first = partition
    if partition.run > 1:
        first = next(one for one in store.partitions.of_day(day) if one.part == partition.part)
    wanted = partition.among(esiids)
    profiles = np.frombuffer(first.profiles, "<i8").reshape(2, 3, -1) if any(first.profiles) else None
    late_alone = partition.run > 1 and profiles is not None
    batch, stopped = _validated(store, wanted if late_alone else first.among(esiids), day, preset, profiles, began_at)
    if partition.run > 1 and not late_alone:
        batch = batch.of_rows(np.flatnonzero(np.isin([meter.esiid for meter in batch.meters], wanted)))
    told = summary(batch) | {"stopped": stopped, "duration_s": now() - began_at, "preset": preset.name}
    store.vee.keep(batch, partition, json.dumps(told))
    took_s = time.perf_counter() - began
    tell(
        "VEE partition",
        party="TDSP",
        day=day.isoformat(),
        run=partition.run,
        part=partition.part,
        meters=told["meters"],
        meters_per_s=round(told["meters"] / took_s),
    )
    return told


def _validated(
    store: HeadEndStore,
    esiids: Sequence[str],
    day: date,
    preset: Preset,
    profiles: LongArray | None,
    began_at: Seconds,
) -> tuple[VeeDay, list[tuple[int, int]]]:
    """The result, and the areas for which estimation is stopped, by access point, with how many silent meters."""
    block = store.day(esiids, day)
    look_back = PastDays(
        day,
        block.meters,
        lambda some, back_days: store.vee.history(some, day, back_days),
        store.vee.registers_before(block.meters, day),
        store.daily_averages(block.meters, day),
    )
    areas = stopped_areas(store, day, preset, began_at)
    told = store.events.over(esiids, day_start(day), day_end(day))
    power = told_power(day, block.meters, told)
    # Whose silence is an outage that it has told the end of, is dark no more.
    back = ((power & np.uint8(Power.OVER)) != 0) & ~block.present
    stopped = set().union(*areas.values()) - {block.meters[row] for row in np.flatnonzero(back.any(axis=1)).tolist()}
    assets = _assets(store.records, block, store.told.of(esiids, day), stopped)
    silent = sorted((area, len(meters)) for area, meters in areas.items())
    return run_batch(block, look_back, preset, assets, power, profiles), silent


def _assets(
    records: MeterRecords, block: DayBlock, told: Mapping[MeterKey, MeterTold], stopped: Collection[MeterKey]
) -> Assets:
    """What the records say, and what headers told; of a meter that is not in them, nothing. stopped: whose estimation is.

    Behind current transformers is a business: the records have no other word for it.
    """
    meters, day = block.meters, block.day
    addresses = [records.addresses.get(meter) for meter in meters]
    multiplier = np.array([address.multiplier if address else 1 for address in addresses], np.int64)
    exchanged = [
        any(day_start(day) < at <= day_end(day) for at, _ in address.exchanges) if address else False
        for address in addresses
    ]
    of_meters = [told.get(meter, NOTHING) for meter in meters]
    said = np.array([one.multiplier for one in of_meters], np.int64)
    other = [one.other_number != "" for one in of_meters]
    asset = np.where(exchanged, Asset.EXCHANGED, 0) | np.where(multiplier > 1, Asset.COMMERCIAL, 0)
    asset |= np.where(other, Asset.OTHER_NUMBER, 0)
    asset |= np.where([address is not None and address.phases == 3 for address in addresses], Asset.THREE_PHASE, 0)
    asset |= np.where([meter in stopped for meter in meters], Asset.STOPPED, 0)
    plain = Assets.plain(len(meters), multiplier)
    return plain._replace(
        told_multiplier=np.where(said > 0, said, multiplier),
        asset=asset.astype(np.uint8),
        dials=np.array([one.dials for one in of_meters], np.int64),
        interval_s=np.array([one.interval_s for one in of_meters], np.int64),
        clock_error_s=np.array([one.clock_error_s for one in of_meters], np.int64),
        repeated=plain.repeated if block.repeated is None else block.repeated,
    )
