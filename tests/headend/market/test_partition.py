"""A partition against the meters' own truth, read from its files by DuckDB: nothing here asks the code that wrote them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from headend.market.partition import Totals, totals, validated, work
from headend.market.plan import Task
from headend.vee.preset import Preset
from meters.calendar import intervals_in
from meters.faults.kinds import FaultKind
from meters.fleet import Fleet
from meters.identity import make_esiid
from tests.headend.market.days import DAY, MANY, asked, fleet, tasks

COUNT = 400


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Task:
    (task,) = tasks(tmp_path_factory.mktemp("market"), fleet(COUNT, MANY), COUNT)
    made(task)
    return task


def made(task: Task) -> Totals:
    for path in (task.intervals, task.findings):
        path.parent.mkdir(parents=True, exist_ok=True)
    assert totals(task) is None
    assert work(task) == task.count
    found = totals(task)
    assert found is not None
    return found


def rows(of: Path, columns: str) -> list[tuple[Any, ...]]:
    return asked(f"select {columns} from '{of}'")


def flowing(of: Fleet) -> Fleet:
    """The same meters with what keeps energy from flowing alone; a rule keeps its place, by which it is drawn."""
    kept = (FaultKind.OUTAGE, FaultKind.DISCONNECTED)
    rules = [
        rule if rule.kind in kept else replace(rule, kind=FaultKind.GAP, params={}, rate=1e-300) for rule in of.rules
    ]
    return replace(of, rules=rules)


def test_who_has_no_fault_is_posted_as_used_between_its_registers(tmp_path: Path) -> None:
    (task,) = tasks(tmp_path, fleet(COUNT), COUNT)
    found = made(task)
    true = task.fleet.partition(DAY, 1, COUNT)
    read = rows(
        task.intervals,
        "esiid, delivered_wh, delivered_start_wh, delivered_stop_wh, delivered_method, received_wh, received_stop_wh",
    )
    assert [row[0] for row in read] == [make_esiid(task.tdsp, 5, ordinal) for ordinal in range(1, COUNT + 1)]
    for at, (_, wh, start, stop, method, back, back_stop) in enumerate(read):
        assert wh == true.delivered[at].tolist()
        assert (start, stop, method) == (true.r0[at, 0], true.r1[at, 0], None)
        # Of coarse pulses a day's first and last register tell no less than two counts.
        assert abs(sum(wh) - (stop - start)) <= 2 * true.multipliers[at]
        assert (back, back_stop) == ((true.received[at].tolist(), true.r1[at, 1]) if true.r1[at, 1] else (None, None))
    assert (found.estimated, found.wrong_as_a_wh, found.wrong_as_e_wh) == (0, 0, 0)
    assert found.flowed_wh == true.delivered.sum() + true.received.sum()
    assert found.read == found.intervals == 96 * COUNT


def test_its_totals_are_what_others_count_and_sum_in_its_files(done: Task) -> None:
    found = totals(done)
    assert found is not None
    sums = rows(
        done.intervals,
        "count(*), sum(list_sum(delivered_wh)), sum(list_sum(received_wh)), sum(delivered_estimated) + coalesce(sum(received_estimated), 0),"
        " sum(len(delivered_wh)) + sum(len(received_wh)), sum(len(list_filter(delivered_method, lambda one: one <> 'measured')))"
        " + coalesce(sum(len(list_filter(received_method, lambda one: one <> 'measured'))), 0)",
    )
    expected = (found.meters, found.delivered_wh, found.received_wh, found.estimated, found.posted, found.estimated)
    assert sums == [expected]
    by_rule = dict(rows(done.findings, "rule, count(*) over (partition by rule)"))
    assert by_rule == found.findings
    assert found.estimated > 1000
    hourly = rows(done.intervals, ", ".join(f"sum(delivered_wh[{at}])" for at in range(1, 97)))
    assert list(hourly[0]) == found.profile_wh


def test_what_is_wrong_as_a_is_found_again_from_the_files_and_the_truth(done: Task) -> None:
    found, part = totals(done), done.fleet.partition(DAY, 1, COUNT)
    true = flowing(done.fleet).partition(DAY, 1, COUNT)
    assert found is not None
    wrong = Counter[bool]()
    for side, flows in (("delivered", true.delivered), ("received", true.received)):
        for at, (wh, methods) in enumerate(rows(done.intervals, f"{side}_wh, {side}_method")):
            posted = np.zeros(96, np.int64) if wh is None else np.array(wh, np.int64)
            as_e = np.zeros(96, np.bool_) if methods is None else np.array(methods) != "measured"
            away = np.abs(posted - flows[at])
            wrong[True] += int(away[as_e].sum())
            wrong[False] += int(away[~as_e].sum())
    assert (found.wrong_as_a_wh, found.wrong_as_e_wh) == (wrong[False], wrong[True])
    assert found.flowed_wh == true.delivered.sum() + true.received.sum()
    assert wrong[True] > 0
    assert found.answered == part.answers.sum()
    assert found.read == (part.present & part.answers[:, None]).sum()


def test_findings_name_the_meters_that_had_a_fault(done: Task) -> None:
    part = done.fleet.partition(DAY, 1, COUNT)
    silent = {make_esiid(done.tdsp, 5, int(ordinal)) for ordinal in part.ordinals[~part.answers]}
    told = {esiid for esiid, rule in rows(done.findings, "esiid, rule") if rule == "register.missing"}
    assert told == silent != set()


@pytest.mark.parametrize(("day", "company"), [(date(2026, 3, 8), "CENTERPOINT"), (date(2026, 11, 1), "TNMP")])
def test_days_of_92_and_100_intervals_and_ids_of_22_digits(tmp_path: Path, day: date, company: str) -> None:
    (task,) = tasks(tmp_path, fleet(60, company=company), 60, day)
    found = made(task)
    n = intervals_in(day)
    assert n in (92, 100)
    assert rows(task.intervals, "distinct len(delivered_wh), day, tdsp, length(esiid)") == [
        (n, day, company, task.tdsp.digits)
    ]
    assert len(found.profile_wh) == n


def test_the_past_is_what_was_read_of_every_meter(done: Task) -> None:
    """Of meters without a fault today it is a closed form; here that of every meter is read, and the same comes of it but for high and low use."""
    part, vee = validated(done.fleet, DAY, 1, COUNT, Preset())
    again = _with_all_read(done.fleet)
    for side in ("delivered", "received"):
        for name in ("wh", "status", "method"):
            assert (getattr(getattr(vee, side), name) == getattr(getattr(again, side), name)).all()
    assert len(part.flowed) < COUNT


def _with_all_read(of: Fleet) -> Any:
    from headend.market import partition
    from headend.market.past import before

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(partition, "_before", lambda fleet, part: before(fleet, part.day, part.ordinals))
        return validated(of, DAY, 1, COUNT, Preset())[1]


def test_what_is_done_is_left_and_what_is_of_another_key_is_made(done: Task, tmp_path: Path) -> None:
    def seen() -> Iterator[tuple[int, int]]:
        yield from ((path.stat().st_ino, path.stat().st_mtime_ns) for path in (done.intervals, done.findings))

    before = list(seen())
    assert work(done) == COUNT
    assert list(seen()) == before
    other = replace(done, key="0123456789abcdef")
    assert totals(other) is None
    work(other)
    assert list(seen()) != before
    work(done)


def test_totals_add_up() -> None:
    one = Totals(1, 1, 96, 90, 96, 6, 10, 0, 12, 1, 2, [1, 2], {"interval.gap": 1})
    two = Totals(2, 1, 192, 96, 96, 0, 5, 3, 8, 0, 0, [4, 0], {"interval.gap": 1, "sum.failed": 2})
    assert one.plus(two) == Totals(
        3, 2, 288, 186, 192, 6, 15, 3, 20, 1, 2, [5, 2], {"interval.gap": 2, "sum.failed": 2}
    )
