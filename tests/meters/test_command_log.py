"""Meters that are started again with the file of what they were told show what they showed."""

from __future__ import annotations

from pathlib import Path

import pytest

from meters.calendar import INTERVAL_S
from meters.command_log import CommandLog
from meters.errors import MeterError
from meters.meter import EmulatedMeter
from tests.meters.gateways import NOW, home

NUMBERS = [home(ordinal).identity.meter_number for ordinal in (1, 2)]


def fleet() -> list[EmulatedMeter]:
    return [home(1), home(2)]


def told(path: Path) -> list[EmulatedMeter]:
    """Meters that were told something, one command after the other; the file is let go."""
    meters = fleet()
    log = CommandLog(path)
    assert log.restore(meters, NOW) == 0
    first, second = meters
    first.operate_switch(NOW, closed=False)
    log.keep(first)
    second.set_clock(NOW, NOW + 100)
    log.keep(second)
    first.operate_switch(NOW + 1800, closed=True)
    log.keep(first)
    second.set_clock(NOW + 1, NOW + 60)
    log.keep(second)
    log.close()
    return meters


def test_switch_clock_intervals_and_events_are_those_from_before(tmp_path: Path) -> None:
    before, after = told(tmp_path / "state"), fleet()
    log = CommandLog(tmp_path / "state")
    assert log.restore(after, NOW + 7200) == 4
    log.close()
    start = NOW - NOW % INTERVAL_S
    for was, now in zip(before, after, strict=True):
        assert was.live(NOW + 900) == now.live(NOW + 900)
        assert was.clock(NOW + 7200) == now.clock(NOW + 7200)
        assert was.events(NOW - 10, NOW + 7200) == now.events(NOW - 10, NOW + 7200)
        shown = [meter.window(start, start + 7200, NOW + 7200).delivered.tolist() for meter in (was, now)]
        assert shown[0] == shown[1]
    assert not after[0].live(NOW + 900).switch_closed
    assert after[1].clock(NOW + 100) == NOW + 159


def test_more_is_added_behind_what_is_there(tmp_path: Path) -> None:
    told(tmp_path / "state")
    meters = fleet()
    log = CommandLog(tmp_path / "state")
    log.restore(meters, NOW + 7200)
    meters[0].operate_switch(NOW + 7200, closed=False)
    log.keep(meters[0])
    log.close()
    again = CommandLog(tmp_path / "state")
    assert again.restore(fleet(), NOW + 7200) == 5
    again.close()


def test_a_command_that_a_kill_cut_off_is_none_and_the_next_begins_a_line(tmp_path: Path) -> None:
    path = tmp_path / "state"
    told(path)
    with path.open("a") as file:
        file.write('{"meter": "90000')
    meters = fleet()
    log = CommandLog(path)
    assert log.restore(meters, NOW + 7200) == 4
    meters[1].set_clock(NOW + 7200, NOW + 7200)
    log.keep(meters[1])
    log.close()
    assert [line[0] + line[-1] for line in path.read_text().splitlines()] == ["{}"] * 5


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ('{"meter": "1", "kind": "switch", "at": 5, "to": 0}', r"state\.meter: .*state:1: No meter here"),
        (f'{{"meter": "{NUMBERS[0]}", "kind": "switch", "at": {NOW + 1}, "to": 0}}', r"state\.ahead: .*state:1"),
        (f'{{"meter": "{NUMBERS[0]}", "kind": "valve", "at": 5, "to": 0}}', r"state\.malformed: .*state:1"),
        ("[]", r"state\.malformed: .*state:1"),
        ("hello", r"state\.malformed: .*state:1"),
    ],
)
def test_a_line_that_cannot_be_is_told_with_its_place(tmp_path: Path, line: str, code: str) -> None:
    (tmp_path / "state").write_text(line + "\n")
    log = CommandLog(tmp_path / "state")
    with pytest.raises(MeterError, match=code):
        log.restore(fleet(), NOW)
    log.close()


def test_two_cannot_write_to_one_file(tmp_path: Path) -> None:
    log = CommandLog(tmp_path / "state")
    with pytest.raises(MeterError, match=r"meters\.state\.in_use"):
        CommandLog(tmp_path / "state")
    log.close()
