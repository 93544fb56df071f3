"""``ami lse check``: every fault and warning of a file with its place and mend, as SMT finds them."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from headend.lse.format import FAULT_KINDS, LseRecord
from headend.lse.writer import dumps, file_name
from headend.lse.zoo import Animal, animals
from meters.calendar import epoch, seconds
from reports.commands.lse import app
from reports.lse.checked import STDIN, content_of
from simulator.smt.registry.csv_files import write_registry
from simulator.smt.registry.records import ServicePoint
from simulator.smt.registry.registry import Registry
from tests.cases import few
from tests.simulator.smt.rig import FOREIGN, NEIGHBOUR, PLAIN, TDSP_DUNS, record, registry

DAY, MADE = date(2026, 8, 11), epoch("2026-08-12T07:30")
NAME = file_name(TDSP_DUNS, MADE, 1)


def checked(*words: str | Path, stdin: bytes = b"") -> Result:
    return CliRunner().invoke(app, ["check", *map(str, words)], input=stdin)


def told(*words: str | Path, stdin: bytes = b"") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(checked(*words, "--json", stdin=stdin).stdout)
    return found


def findings(*words: str | Path, stdin: bytes = b"") -> list[tuple[str, int, str]]:
    return [(one["code"], one["line"], one["field"]) for file in told(*words, stdin=stdin) for one in file["findings"]]


def written(folder: Path, *records: LseRecord, counter: int = 1) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / file_name(TDSP_DUNS, MADE, counter)
    path.write_bytes(dumps(records))
    return path


@pytest.fixture(scope="module")
def zoo(tmp_path_factory: pytest.TempPathFactory) -> dict[Path, Animal]:
    """Every file of the zoo, each in a folder of its own since names may be the same."""
    folder, found = tmp_path_factory.mktemp("zoo"), {}
    for animal in animals():
        name, content = animal.file(TDSP_DUNS, PLAIN, DAY)
        (folder / animal.id).mkdir()
        path = folder / animal.id / name
        path.write_bytes(content)
        found[path] = animal
    return found


def test_every_file_of_the_zoo_is_told_of_with_line_field_esi_id_code_and_mend(zoo: dict[Path, Animal]) -> None:
    for (path, animal), file in zip(zoo.items(), told(*zoo), strict=True):
        assert file["file"] == str(path)
        (one,) = file["findings"]
        assert (one["code"], one["line"], one["field"]) == (animal.code, animal.line, animal.field), animal.id
        assert one["severity"] == ("warning" if animal.code == "00" else "error")
        assert (file["faults"], file["warnings"]) == ((0, 1) if animal.code == "00" else (1, 0))
        assert one["mend"] == FAULT_KINDS[animal.field.rstrip("0123456789 "), animal.code].mend
        assert bool(one["esiid"]) is (one["record_line"] != 0 and animal.id != "esiid-left-out"), animal.id


@pytest.mark.parametrize("of_many_lines", few(1, [False, True]))
def test_the_command_tells_of_every_file_of_the_zoo_in_a_line_and_by_its_exit(
    zoo: dict[Path, Animal], of_many_lines: bool
) -> None:
    files = {path: animal for path, animal in zoo.items() if (path.stat().st_size > 100_000) is of_many_lines}
    assert files
    for path, animal in files.items():
        code = checked(path)
        assert code.exit_code == (0 if animal.code == "00" else 1)
        head = f"{path}:{animal.line}: {'warning' if animal.code == '00' else animal.code} {animal.field}"
        assert code.stdout.startswith(head), code.stdout
        assert FAULT_KINDS[animal.field.rstrip("0123456789 "), animal.code].mend in code.stdout


def test_a_sound_file_has_nothing_to_be_told_of(tmp_path: Path) -> None:
    done = checked(written(tmp_path, record(PLAIN, DAY, MADE), record(NEIGHBOUR, DAY, MADE)))
    assert done.exit_code == 0
    assert done.stdout == f"{tmp_path / NAME}: 2 right records, 0 faults, 0 warnings\n"


def test_what_cannot_be_read_is_exit_2_and_the_others_are_checked(tmp_path: Path) -> None:
    done = checked(tmp_path / "none.lse", written(tmp_path, record(PLAIN, DAY, MADE)), tmp_path, Path("/dev/zero"))
    assert done.exit_code == 2
    assert "lse.unreadable: /dev/zero: It is a device, no file." in done.stderr
    assert done.stderr.startswith(f"lse.unreadable: {tmp_path / 'none.lse'}: No such file or directory. Check")
    assert f"lse.unreadable: {tmp_path}: Is a directory." in done.stderr
    assert done.stdout.endswith("1 right record, 0 faults, 0 warnings\n")


def test_standard_input_has_the_name_that_it_is_given(tmp_path: Path) -> None:
    content = dumps([record(PLAIN, DAY, MADE)])
    assert findings("-", stdin=content) == []
    assert findings("-", "--name", NAME, stdin=content) == []
    assert findings("-", "--name", "usage.csv", stdin=content) == [("F2", 0, "file name")]


def test_when_smt_gets_it_is_when_its_name_was_made_unless_told(tmp_path: Path) -> None:
    today = written(tmp_path, record(PLAIN, date(2026, 8, 12), MADE))
    assert findings(today) == [("04", 1, "stop, timestamp")]
    assert findings(today, "--at", "2026-08-13T00:00") == []
    assert findings(today, "--at", "2026-08-12T23:59") == [("04", 1, "stop, timestamp")]


def test_by_records_esi_ids_and_multipliers_are_looked_at(tmp_path: Path) -> None:
    records = registry()
    points = [replace(one, multiplier=40) if one.esiid == NEIGHBOUR else one for one in records.records.points]
    write_registry(registry_of(points), tmp_path / "records")
    sent = [record(PLAIN, DAY, MADE), record("99900000000099999", DAY, MADE), record(NEIGHBOUR, DAY, MADE)]
    content = dumps(sent).replace(b"00000002,3131.200,3140.800,1,", b"00000002,3131.200,3140.800,60,")
    path = tmp_path / NAME
    path.write_bytes(content)
    asked = (path, "--records", tmp_path / "records")
    found = findings(*asked)
    assert ("01", 6, "ESIID") in found
    assert found.count(("00", 11, "meter multiplier")) == 1
    other = tmp_path / file_name("957877905", MADE, 1)
    other.write_bytes(dumps(sent[:1]))
    assert findings(other, "--records", tmp_path / "records") == [("F2", 0, "file name")]


def registry_of(points: Sequence[ServicePoint]) -> Registry:
    made = registry().records
    return Registry(points, made.entities, made.periods, made.users)


def test_by_what_is_held_older_records_and_duplicates_are_found(tmp_path: Path) -> None:
    before = written(tmp_path / "held", record(PLAIN, DAY, MADE), record(NEIGHBOUR, DAY, MADE))
    older, again = record(PLAIN, DAY, MADE - seconds(1)), record(NEIGHBOUR, DAY, MADE)
    path = written(tmp_path, older, again, counter=2)
    for held in (before, before.parent):
        assert findings(path, "--held", held) == [("05", 1, "timestamp"), ("00", 6, "record")]
    (same, *rest) = told(before, "--held", before)[0]["findings"]
    assert same["message"] == f"the same octets are held already, as {before.name}"
    assert {one["field"] for one in rest} == {"record"}
    gone = replace(record(PLAIN, date(2026, 8, 12), MADE), start_reading_wh=5, stop_reading_wh=9_605)
    after = written(tmp_path, gone, counter=3)
    assert findings(after, "--held", before, "--at", "2026-08-13T07:30") == [("00", 1, "start reading")]


def test_all_faults_are_told_and_not_the_first_alone(tmp_path: Path) -> None:
    content = dumps([record(PLAIN, DAY, MADE), record(FOREIGN, DAY, MADE)])
    path = tmp_path / "usage.txt"
    path.write_bytes(content.replace(b"0.100,A", b"-0.1,X").replace(b",01,", b",03,"))
    found = findings(path)
    assert found[0] == ("F2", 0, "file name")
    assert [one for one in found if one[1] == 2] == [("00", 2, "unit of measure")]
    assert sum(code == "01" for code, _, _ in found) >= 2


@pytest.mark.parametrize("words", [["--at", "noon"], ["--records", "nowhere"], ["--held", "nowhere.lse"]])
def test_what_it_is_told_badly_is_a_users_error(words: list[str], tmp_path: Path) -> None:
    done = checked(written(tmp_path, record(PLAIN, DAY, MADE)), *words)
    assert done.exception is not None
    assert str(done.exception).split(":")[1].strip().startswith(words[1] if words[0] != "--at" else "--at")


def test_standard_input_is_read_as_octets(monkeypatch: pytest.MonkeyPatch) -> None:
    class Stdin:
        buffer = io.BytesIO(b"\xff\xfe\x00")

    monkeypatch.setattr("sys.stdin", Stdin)
    assert content_of(STDIN) == b"\xff\xfe\x00"
