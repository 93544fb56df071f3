"""Meters that are started again with the file of what they were told show what they showed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from meters.calendar import INTERVAL_S
from meters.device.command_log import CommandLog
from meters.device.meter import EmulatedMeter
from meters.errors import MeterError
from meters.shown import Command, CommandKind, WriteResult
from tests.meters.full_disk import full_at
from tests.meters.gateways import NOW, home

NUMBERS = [home(ordinal).identity.meter_number for ordinal in (1, 2)]


def fleet() -> list[EmulatedMeter]:
    return [home(1), home(2)]


def kept_in(log: CommandLog, meters: list[EmulatedMeter]) -> None:
    def keep(meter: EmulatedMeter, command: Command) -> bool:
        log.keep(meter.identity.meter_number, command)
        return True

    for meter in meters:
        meter.keep = keep


def told(path: Path) -> list[EmulatedMeter]:
    """Meters that were told something, one command after the other; the file is let go."""
    meters = fleet()
    log = CommandLog(path)
    assert log.restore(meters, NOW) == 0
    kept_in(log, meters)
    first, second = meters
    first.operate_switch(NOW, closed=False)
    second.set_clock(NOW, NOW + 100)
    second.set_clock(NOW + 1, NOW + 60)
    first.operate_switch(NOW + 1800, closed=True)
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
    kept_in(log, meters)
    meters[0].operate_switch(NOW + 7200, closed=False)
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
    kept_in(log, meters)
    meters[1].set_clock(NOW + 7200, NOW + 7200)
    log.close()
    assert [line[0] + line[-1] for line in path.read_text().splitlines()] == ["{}"] * 5


def test_a_full_disk_refuses_a_command_and_leaves_nothing_of_it_for_later(tmp_path: Path) -> None:
    path = tmp_path / "state"
    told(path)
    before = path.read_bytes()
    log = CommandLog(path)
    log.restore(fleet(), NOW + 7200)
    for room in (0, 20, 20):
        with full_at(len(before) + room), pytest.raises(OSError, match=r"space|large"):
            log.keep(NUMBERS[0], Command(CommandKind.SWITCH, NOW + 7200, 0))
        assert path.read_bytes() == before
    log.keep(NUMBERS[1], Command(CommandKind.SWITCH, NOW + 7200, 0))
    log.close()
    added = path.read_bytes().removeprefix(before)
    assert added.count(b"\n") == 1
    assert NUMBERS[1].encode() in added


def test_a_meter_whose_command_cannot_be_kept_does_not_obey() -> None:
    meter = home(1)
    meter.keep = lambda *_: False
    assert meter.operate_switch(NOW, closed=False) is WriteResult.FAILED
    assert meter.set_clock(NOW, NOW + 100) is WriteResult.FAILED
    assert meter.live(NOW + 1).switch_closed
    assert meter.clock(NOW) == NOW
    assert meter.commands == 0


def test_a_clock_that_is_set_back_takes_no_line_out_of_order(tmp_path: Path) -> None:
    log = CommandLog(tmp_path / "state")
    for at in (NOW, NOW - 5):
        log.keep(NUMBERS[0], Command(CommandKind.SWITCH, at, 0))
    log.close()
    again = CommandLog(tmp_path / "state")
    assert again.restore(fleet(), NOW) == 2
    again.close()


def test_a_file_of_something_else_is_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a letter, without an end of line")
    log = CommandLog(tmp_path / "state")
    with pytest.raises(MeterError, match=r"state\.malformed: .*state:1"):
        log.restore(fleet(), NOW)
    log.close()
    assert (tmp_path / "state").read_text() == "a letter, without an end of line"


def test_a_device_is_no_file() -> None:
    with pytest.raises(MeterError, match=r"state\.unusable: /dev/full"):
        CommandLog(Path("/dev/full"))


def line_of(**changed: object) -> str:
    return json.dumps({"meter": NUMBERS[0], "kind": "switch", "at": 5, "to": 0} | changed)


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ('{"meter": "1", "kind": "switch", "at": 5, "to": 0}', r"state\.meter: .*state:1: No meter here"),
        (f'{{"meter": "{NUMBERS[0]}", "kind": "switch", "at": {NOW + 1}, "to": 0}}', r"state\.ahead: .*state:1"),
        (f'{{"meter": "{NUMBERS[0]}", "kind": "valve", "at": 5, "to": 0}}', r"state\.malformed: .*state:1"),
        (line_of().replace('"at": 5', '"at": 1e400'), r"state\.malformed: .*state:1"),
        (line_of(at=True), r"state\.malformed: .*state:1"),
        (line_of(at="5"), r"state\.malformed: .*state:1"),
        (line_of(meter=5), r"state\.malformed: .*state:1"),
        ("[" * 100_000, r"state\.malformed: .*state:1"),
        ("\xff\xfe", r"state\.malformed: .*state:1"),
        (line_of(at=-1), r"state\.range: .*state:1: 'at' is out of range"),
        (line_of(at=10**20), r"state\.range: .*state:1: 'at' is out of range"),
        (line_of(to=7), r"state\.range: .*state:1: 'to' is out of range: a switch"),
        (line_of(kind="clock", to=-5), r"state\.range: .*state:1: 'to' is out of range: a clock"),
        (line_of(kind="clock", to=99_999_999_999_999), r"state\.range: .*state:1: 'to' is out of range: a clock"),
        (line_of() + "\n" + line_of(at=4), r"state\.order: .*state:2: A command of 1969.* Put the lines in"),
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
