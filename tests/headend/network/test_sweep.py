"""When sweeps are due, which midnights are caught up, and who waits behind whom at an access point."""

from __future__ import annotations

import functools
from collections.abc import Generator
from datetime import date
from itertools import islice, pairwise
from types import SimpleNamespace
from typing import Any
from unittest.mock import MagicMock

import pytest
import simpy

from headend.network.law import TRY_TIMEOUT_US, AccessPoint, Span, SweepRule, Try, Workers
from headend.network.sweep import Collection, days_asked, midnights_due, sweep_times
from headend.network.transport import NoAnswer, WrongMeter
from headend.ports import MeterAddress, MeterKey, RegisterSnapshot
from headend.store.collected import Reach
from meters.calendar import Micros, Seconds, day_start, epoch, iso, micros, seconds, to_s, to_us

NOON = epoch("2026-08-12T12:00")
WAYS: Any = {"first": NOON, "every_s": seconds(14_400), "catch_up_days": 5, "attempt_s": seconds(86_400)}


def test_sweeps_are_due_at_midnight_and_every_four_hours() -> None:
    due = [iso(at)[5:16] for at in islice(sweep_times(epoch("2026-08-12T16:00"), seconds(4 * 3600)), 4)]
    assert due == ["08-12T16:00", "08-12T20:00", "08-13T00:00", "08-13T04:00"]


@pytest.mark.parametrize(("day", "count"), [("2026-03-08", 6), ("2026-11-01", 7)])
def test_every_day_has_a_sweep_at_its_midnight_also_over_dst(day: str, count: int) -> None:
    begins = day_start(date.fromisoformat(day))
    times = list(islice(sweep_times(begins, seconds(4 * 3600)), 10))
    next_midnight = next(at for at in times[1:] if iso(at)[11:16] == "00:00")
    assert times.index(next_midnight) == count
    assert all(after - before <= 4 * 3600 for before, after in pairwise(times))


def test_the_midnight_of_the_sweep_itself_is_due() -> None:
    midnight = day_start(date(2026, 8, 12))
    assert midnights_due(midnight - 1, midnight, 5) == [midnight]
    assert midnights_due(midnight, midnight + 4 * 3600, 5) == []


def test_missed_midnights_are_caught_up_as_far_back_as_a_meter_is_read_again() -> None:
    end = day_start(date(2026, 8, 20))
    due = midnights_due(day_start(date(2026, 8, 1)), end, 5)
    assert due[0] == day_start(date(2026, 8, 15))
    assert due[-1] == end


def test_a_day_is_asked_for_while_an_interval_or_a_midnight_of_it_is_due() -> None:
    meter = MeterKey("1" * 17, "1")
    first, second, third = (day_start(date(2026, 8, day)) for day in (10, 11, 12))

    def asked(collected_to: Seconds, midnights: list[Seconds], start: Seconds = first) -> list[Seconds]:
        return [one.start for one in days_asked(meter, collected_to, start, epoch("2026-08-12T01:00"), midnights)]

    assert asked(first, [second, third]) == [first, second]
    assert asked(epoch("2026-08-11T23:45"), [third]) == [second]
    assert asked(epoch("2026-08-12T00:15"), []) == []
    # The clock of a meter that had all intervals was behind at midnight.
    assert asked(third, [third]) == [second]
    assert asked(first, [second, third], second) == [second]


class Swept:
    """One sweep of an access point of 4 reads a second: meters that answer ``took_us`` after they are asked, or never."""

    def __init__(
        self,
        meters: int,
        silent: range = range(0),
        took_us: Micros = micros(0),
        rule: SweepRule = SweepRule.YIELDS,
        begins: Seconds = NOON,
        others: range = range(0),
    ) -> None:
        self.env = simpy.Environment(to_us(begins))
        self.point = AccessPoint(4, rule=rule)
        self.asked: list[Micros] = []
        self.outstanding = 0
        self._silent, self._others = ({f"{1 + row:017d}" for row in rows} for rows in (silent, others))
        self._took_us = took_us
        addresses = [MeterAddress(f"{1 + row:017d}", f"{row}", "127.0.0.1", 1, 1, 1, 7) for row in range(meters)]
        self.store, self.journal = store, journal = MagicMock(), MagicMock()
        #: What each meter that answers gives of its midnights.
        self.midnights: list[RegisterSnapshot] = []
        store.records.addresses = {address.key: address for address in addresses}
        driver: Any = self
        points = {7: self.point}
        reach = Reach(dict.fromkeys(store.records.addresses, NOON), dict.fromkeys(store.records.addresses, NOON))
        made = Collection(
            driver, MagicMock(), store, points, MagicMock(), journal, **WAYS, reach=reach, swept=MagicMock()
        )
        self.sweep, self.run = made.sweep, made.run

    def now(self) -> Seconds:
        return to_s(micros(self.env.now))

    def io(self, _kind: str, ident: str, _call: object) -> simpy.Event:
        assert self.outstanding == 0
        self.outstanding = 1
        self.asked.append(micros(self.env.now))
        esiid = ident.split()[0]
        header = {"meter_time": NOON, "multiplier": 1, "interval_s": 900, "dials": 6}
        reading = SimpleNamespace(esiid=esiid, meter_number=ident, end=NOON, **header)
        done = self.env.timeout(self._took_us)
        told = self.env.event()
        done.callbacks.append(functools.partial(self._tell, told, esiid, reading))
        return told

    def _tell(self, told: simpy.Event, esiid: str, reading: object, _: simpy.Event) -> None:
        self.outstanding = 0
        if esiid in self._silent:
            told.fail(NoAnswer("silent"))
        elif esiid in self._others:
            told.fail(WrongMeter("another meter", "9"))
        else:
            told.succeed((reading, self.midnights))


@pytest.mark.parametrize("meters", [247, 1_000, 5_000])
def test_an_inquiry_that_meets_a_sweep_goes_first(meters: int) -> None:
    swept = Swept(meters)
    sweep = swept.env.process(swept.sweep())
    for second in range(1, 61):
        swept.env.run(until=to_us(NOON + second) + 1)
        now_us = micros(swept.env.now)
        free_us = swept.point.free_at(now_us)
        assert free_us == now_us
        swept.point.take(free_us)
    assert swept.env.run(until=sweep) == meters
    # It ends as much later as there were inquiries.
    assert micros(swept.env.now) - to_us(NOON) <= (meters + 60) * swept.point.service_us
    assert len(swept.asked) == meters


def test_inquiries_at_the_point_s_own_rate_do_not_starve_a_sweep() -> None:
    swept = Swept(100)

    def storm() -> Generator[simpy.Event, Any, None]:
        while True:
            swept.point.take(swept.point.free_at(micros(swept.env.now)))
            yield swept.env.timeout(swept.point.service_us)

    swept.env.process(storm())
    assert swept.env.run(until=swept.env.process(swept.sweep())) == 100
    # One of the sweep's behind at most each inquiry that is queued; they queue up as the sweep takes turns.
    assert to_s(micros(swept.env.now)) - NOON < 3600


def test_a_sweep_has_one_read_outstanding_and_a_silent_meter_holds_up_no_other() -> None:
    swept = Swept(100, silent=range(10, 40), took_us=micros(400_000))
    assert swept.env.run(until=swept.env.process(swept.sweep())) == 70
    assert {after - before for before, after in pairwise(swept.asked)} == {400_000}
    # The last of them had its time meanwhile, all but what is left of it.
    assert micros(swept.env.now) - swept.asked[39] == 400_000 + TRY_TIMEOUT_US
    swept = Swept(4, silent=range(3, 4))
    assert swept.env.run(until=swept.env.process(swept.sweep())) == 3
    assert micros(swept.env.now) - swept.asked[-1] == TRY_TIMEOUT_US


def test_a_sweep_that_shares_or_blocks_is_known_before_it_begins_and_is_held_up_by_nobody() -> None:
    for rule, waits_us, slots in ((SweepRule.SHARES, 0, 2), (SweepRule.BLOCKS, to_us(25), 1)):
        swept = Swept(100, rule=rule, begins=NOON - 60)
        swept.env.process(swept.run())
        swept.env.run(until=to_us(NOON - 30))
        # A hundred meters at four a second.
        assert list(swept.point.swept) == [Span(to_us(NOON), to_us(NOON + 25))]
        start_us = swept.point.free_at(to_us(NOON))
        assert start_us == to_us(NOON) + waits_us
        swept.point.take(start_us)
        assert swept.point.free_at(start_us) == start_us + slots * swept.point.service_us
        swept.env.run(until=to_us(NOON + 60))
        assert swept.asked == [to_us(NOON) + at * swept.point.service_us for at in range(100)]
        # The next is known, the one before forgotten.
        assert list(swept.point.swept) == [Span(to_us(NOON + 14_400), to_us(NOON + 14_425))]


def test_an_access_point_without_power_hears_nothing_and_is_held() -> None:
    point = AccessPoint(4, 30.0, dark=[Span(to_us(10), to_us(20))])
    attempt = Try(to_us(1), to_us(1), True)
    assert [point.tried(to_us(at), attempt).heard for at in (9, 10)] == [True, False]
    assert point.free_at(to_us(10)) == to_us(40)
    assert point.tried(to_us(40), attempt).heard


def test_a_sweep_keeps_what_it_heard_and_tells_who_was_silent_and_where_another_meter_hangs() -> None:
    swept = Swept(4, silent=range(1), others=range(1, 2), begins=day_start(date(2026, 8, 14)))
    esiids = [f"{1 + row:017d}" for row in range(4)]
    swept.midnights = [RegisterSnapshot(esiids[3], "3", swept.now(), 100, 0)]
    assert swept.env.run(until=swept.env.process(swept.sweep())) == 2
    (noted,) = swept.journal.note.call_args_list
    assert noted.kwargs == {"meters": 4, "answered": 2, "silent": esiids[:1], "other_number": esiids[1:2]}
    (kept, at), _ = swept.store.keep_snapshots.call_args
    assert (kept, at) == (swept.midnights * 2, swept.now())
    ((tried, _), _) = swept.store.states.note_tried.call_args
    assert [(one.of.meter.esiid, one.cause) for one in tried[at]] == [
        *zip(esiids, ("silent", "other meter", "", ""), strict=True)
    ]
    swept.store.collected.note_sweep.assert_called_once_with(at)


def test_a_sweep_that_hears_nobody_is_no_sweep_of_which_health_tells() -> None:
    swept = Swept(2, silent=range(2))
    assert swept.env.run(until=swept.env.process(swept.sweep())) == 0
    swept.store.collected.note_sweep.assert_not_called()
    swept.store.keep_snapshots.assert_not_called()


def test_a_sweep_whose_time_passed_during_the_one_before_is_left_out_and_the_next_is_on_time() -> None:
    swept = Swept(2, took_us=to_us(10_000))
    swept.env.process(swept.run())
    swept.env.run(until=to_us(NOON + 28_801))
    assert [to_s(at) - NOON for at in swept.asked] == [0, 10_000, 28_800]
    assert [one.args[2:] for one in swept.journal.note.call_args_list if one.args[2] == "sweep left out"] == [
        ("sweep left out", str(NOON + 14_400))
    ]


def test_a_try_waits_for_a_worker_that_is_free_or_late_and_never_where_there_are_as_many_as_tries() -> None:
    two, endless = Workers(2), Workers(0)
    for end in (10, 30, 40):
        two.busy_until(to_us(end))
        endless.busy_until(to_us(end))
    # The first was free again at 10 s, and is busy until 40 s.
    assert [two.take_up(to_us(at)) for at in (0, 35)] == [to_us(30), to_us(35)]
    two.late(to_us(30), to_us(50))
    assert two.take_up(to_us(0)) == to_us(40)
    two.late(to_us(31), to_us(99))
    assert two.take_up(to_us(0)) == to_us(40)
    assert endless.take_up(to_us(7)) == to_us(7)
