"""LSE files of a market's day: what two readers find in them is what is published, to the Wh."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from headend.lse.reader import read
from headend.market import lse
from headend.market.run import run
from headend.vee.quality import Channel
from tests.headend.market.days import MANY, asked, fleet, tasks


@pytest.mark.parametrize("company", ["ONCOR", "CENTERPOINT"])
def test_a_row_group_is_one_file_and_both_tell_the_same(tmp_path: Path, company: str) -> None:
    cut = tasks(tmp_path, fleet(150, MANY, company), 80, lse=True)
    run(cut, None)
    for task in cut:
        path = lse.path(task)
        found = read(path.read_bytes(), path.name)
        assert found.findings == ()
        records = {(one.esiid, one.channel): one for one in found.records}
        told = asked(
            "select esiid, delivered_wh, delivered_start_wh, delivered_stop_wh, delivered_method,"
            f" received_wh, received_start_wh, received_stop_wh, received_method from '{task.intervals}'"
        )
        expected = {
            (row[0], channel): tuple(row[at : at + 4])
            for row in told
            for channel, at in ((Channel.LOAD, 1), (Channel.GENERATION, 5))
            if row[at] is not None
        }
        assert records.keys() == expected.keys()
        for key, (wh, start, stop, methods) in expected.items():
            one = records[key]
            assert (one.wh.tolist(), one.start_reading_wh, one.stop_reading_wh) == (wh, start, stop)
            assert one.estimated.tolist() == [method != "measured" for method in methods or ["measured"] * len(wh)]
            assert one.day == task.day


def test_a_loop_over_its_lines_sums_what_is_published(tmp_path: Path) -> None:
    (task,) = tasks(tmp_path, fleet(150, MANY), 150, lse=True)
    run([task], None)
    with lse.path(task).open(newline="") as file:
        rows = [row for row in csv.reader(file) if row[0] == "10000000"]
    thousandths = sum(int(value.replace(".", "")) for row in rows for value in row[1::3] if value)
    estimated = sum(state == "E" for row in rows for state in row[2::3])
    columns = (
        "sum(list_sum(delivered_wh)) + sum(list_sum(received_wh)), sum(delivered_estimated) + sum(received_estimated)"
    )
    assert asked(f"select {columns} from '{task.intervals}'") == [(thousandths, estimated)]


def test_it_is_made_of_a_day_that_was_published_without_it_and_not_made_again(tmp_path: Path) -> None:
    without = tasks(tmp_path, fleet(80), 80)
    run(without, None)
    published = without[0].intervals.stat().st_mtime_ns
    (task,) = tasks(tmp_path, fleet(80), 80, lse=True)
    run([task], None)
    made = lse.path(task).stat().st_mtime_ns
    run([task], None)
    assert (task.intervals.stat().st_mtime_ns, lse.path(task).stat().st_mtime_ns) == (published, made)
    names = [lse.path(one).name for one in tasks(tmp_path, fleet(80), 20, lse=True)]
    assert names == [f"1039940674000IntervalData20260716120000{at:03d}.lse" for at in range(4)]
