"""One partition of a market's day: truth, faults over it, VEE, and what is published of it. The same arrays from whichever process."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import date, timedelta
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from headend.market import lse, published
from headend.market.collected import assets, block, power
from headend.market.past import AVERAGE_OF_DAYS, CHANNELS, FleetHistory, FleetMeters, as_read, before, by_channel
from headend.market.plan import Task
from headend.vee.batch import run_batch
from headend.vee.lookback import PastDays
from headend.vee.preset import Preset
from headend.vee.quality import Channel, IntervalStatus, Method
from headend.vee.records import VeeChannel, VeeDay
from headend.vee.rules import BY_NUMBER, Rule
from meters.fleet import Fleet, Partition
from meters.identity import esiid_texts

#: What columns of the two channels begin with.
SIDES = {Channel.LOAD: "delivered", Channel.GENERATION: "received"}


class Totals(NamedTuple):
    """What a partition comes to; kept in its file. Energy in Wh, both channels together unless told."""

    meters: int
    #: Meters that answered; intervals of channel 4 there are, and those of them that were read with a value.
    answered: int
    intervals: int
    read: int
    #: Intervals that are posted (channel 1 where there is generation), and those of them that were estimated.
    posted: int
    estimated: int
    delivered_wh: int
    received_wh: int
    #: What flowed; sum of abs(posted - flowed) over what was posted as A, and as E.
    flowed_wh: int
    wrong_as_a_wh: int
    wrong_as_e_wh: int
    #: (n,) Wh delivered in each interval of the day.
    profile_wh: list[int]
    #: By rule.
    findings: dict[str, int]

    @classmethod
    def of(cls, told: Any) -> Totals:
        """As a file tells them."""
        return cls(**told)

    def plus(self, other: Totals) -> Totals:
        """Both together."""
        sums: dict[str, Any] = {name: getattr(self, name) + getattr(other, name) for name in self._fields[:-2]}
        profile = [one + two for one, two in zip(self.profile_wh, other.profile_wh, strict=True)]
        return Totals(**sums, profile_wh=profile, findings=dict(Counter(self.findings) + Counter(other.findings)))


def totals(task: Task) -> Totals | None:
    """Of a partition that is done: its files are there and of this run; None of another."""
    found = published.told(task.intervals, task.key)
    whole = found is not None and published.told(task.findings, task.key) is not None
    return Totals.of(found) if whole and (not task.lse or lse.path(task).exists()) else None


def work(task: Task) -> int:
    """Make a partition unless it is done; how many meters it has. The published file comes last but for what is made of it."""
    if totals(replace(task, lse=False)) is None:
        made, vee = validated(task.fleet, task.day, task.first, task.count, task.preset)
        _publish(task, made, vee)
    if task.lse and not lse.path(task).exists():
        lse.write(task)
    return task.count


def validated(fleet: Fleet, day: date, first: int, count: int, preset: Preset) -> tuple[Partition, VeeDay]:
    """A fleet's meters from an ordinal on, as they were read and as VEE leaves them."""
    part = fleet.partition(day, first, count, marked=False)
    present = part.present & part.answers[:, None]
    registers, averages, numbers = _before(fleet, part)
    meters = FleetMeters(fleet, part.ordinals)
    told = (part.numbers, part.told_multipliers, part.dials, part.clock_error_s)
    events = ((row, one.at, one.kind) for row, ones in sorted(part.events.items()) for one in ones)
    past = PastDays(day, meters, FleetHistory(fleet, day, preset), by_channel(registers), by_channel(averages))
    vee = run_batch(
        block(day, meters, (part.delivered, part.received), present, part.status, as_read(part)),
        past,
        preset,
        assets(part.multipliers, part.multipliers > 1, numbers, part.answers, told),
        power(day, count, events),
    )
    return part, vee


def _before(fleet: Fleet, part: Partition) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """As ``past.before``; of meters without a fault on the day in closed form.

    That one of these may have been silent 28 days ago is let pass: a head-end would take the day beside it.
    """
    registers, numbers = part.r0.copy(), part.numbers.copy()
    began = fleet.registers(part.day - timedelta(days=AVERAGE_OF_DAYS), part.ordinals)
    averages = np.where(registers >= began, (registers - began) // AVERAGE_OF_DAYS, -1)
    faulty = np.array(sorted(part.flowed), np.int64)
    if len(faulty):
        registers[faulty], averages[faulty], numbers[faulty] = before(fleet, part.day, part.ordinals[faulty])
    return registers, averages, numbers


def _publish(task: Task, part: Partition, vee: VeeDay) -> None:
    import pyarrow as pa

    m = task.count
    esiids = published.texts(esiid_texts(task.tdsp, task.fleet.seed, part.ordinals))
    told = np.sort(vee.findings, order=["row", "channel", "rule", "first"])
    rules = [BY_NUMBER[rule].id for rule in Rule]
    findings = {"esiid": esiids.take(pa.array(told["row"]))}
    findings["rule"] = pa.DictionaryArray.from_arrays(told["rule"].astype(np.int32) - 1, rules)
    findings |= {name: np.ascontiguousarray(told[name]) for name in ("channel", "first", "last", "value", "limit")}
    columns: dict[str, Any] = {
        "tdsp": pa.DictionaryArray.from_arrays(np.zeros(m, np.int32), [task.tdsp.key]),
        "day": pa.array([task.day], pa.date32()).take(pa.array(np.zeros(m, np.int32))),
        "esiid": esiids,
        "multiplier": part.multipliers.astype(np.int32),
    }
    wide = []
    estimated = {channel: vee.channel(channel).status.sum(axis=1, dtype=np.uint8) for channel in SIDES}
    posted = {Channel.LOAD: np.ones(m, np.bool_), Channel.GENERATION: _generates(part, vee.received)}
    for channel, name in SIDES.items():
        columns |= _side(name, vee.channel(channel), posted[channel], estimated[channel])
        wide += [f"{name}_{what}" for what in ("wh", "start_wh", "stop_wh")]
    published.publish_table(task.findings, findings, (), task.key, {"findings": len(told)})
    sums = _totals(part, vee, posted, estimated, Counter(rules[rule - 1] for rule in told["rule"].tolist()))
    published.publish_table(task.intervals, columns, tuple(wide), task.key, sums._asdict())


def _generates(part: Partition, received: VeeChannel) -> NDArray[np.bool_]:
    """(m,) where channel 1 is posted: the records know of generation, or it was read. A meter's own register, heard or not, is as good as the records."""
    found: NDArray[np.bool_] = (part.r1[:, 1] > 0) | received.wh.any(axis=1) | (received.stop_wh != 0)
    return found


def _side(name: str, side: VeeChannel, posted: NDArray[np.bool_], estimated: NDArray[np.uint8]) -> dict[str, Any]:
    """A channel's columns: ``wh``; how many are estimated, and where any is every interval's method; registers. Null where it is not posted."""
    import pyarrow as pa

    n = side.wh.shape[1]
    rows = side.wh if posted.all() else side.wh[posted]
    some = posted & (estimated > 0)
    methods = pa.array([method.name.lower() for method in Method])
    each = methods.take(pa.array(side.method[some].ravel()))
    return {
        f"{name}_wh": published.lists(posted, rows.ravel(), n),
        f"{name}_estimated": pa.array(estimated, mask=~posted),
        f"{name}_method": published.lists(some, each, n),
        f"{name}_start_wh": pa.array(side.start_wh, mask=~(posted & side.have_start)),
        f"{name}_stop_wh": pa.array(side.stop_wh, mask=~(posted & side.have_stop)),
    }


def _totals(
    part: Partition,
    vee: VeeDay,
    posted: dict[Channel, NDArray[np.bool_]],
    estimated: dict[Channel, NDArray[np.uint8]],
    findings: Counter[str],
) -> Totals:
    m, n = part.present.shape
    profile, received_wh = vee.delivered.wh.sum(axis=0, dtype=np.int64), int(vee.received.wh.sum(dtype=np.int64))
    delivered_wh = int(profile.sum())
    flowed, wrong = delivered_wh + received_wh, np.zeros(2, np.int64)
    for place, channel in enumerate(CHANNELS):
        side, read = vee.channel(channel), (part.delivered, part.received)[place]
        # Of all others what is posted is what was read, and that is what flowed.
        rows = np.array(sorted({*part.flowed, *np.flatnonzero(estimated[channel]).tolist()}), np.int64)
        as_e = side.status[rows] == IntervalStatus.ESTIMATED
        true = read[rows].astype(np.int64)
        for at, row in enumerate(rows.tolist()):
            if row in part.flowed:
                true[at] = part.flowed[row][place]
        away = side.wh[rows] - true
        flowed -= int(away.sum())
        wrong += np.array([np.abs(away[~as_e]).sum(), np.abs(away[as_e]).sum()])
    return Totals(
        meters=m,
        answered=int(part.answers.sum()),
        intervals=m * n,
        read=int(np.count_nonzero(part.present[part.answers])),
        posted=n * sum(int(one.sum()) for one in posted.values()),
        estimated=sum(int(estimated[one][rows].sum(dtype=np.int64)) for one, rows in posted.items()),
        delivered_wh=delivered_wh,
        received_wh=received_wh,
        profile_wh=profile.tolist(),
        flowed_wh=flowed,
        wrong_as_a_wh=int(wrong[0]),
        wrong_as_e_wh=int(wrong[1]),
        findings=dict(findings),
    )
