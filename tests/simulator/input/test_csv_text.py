"""CSV of a user: rows with their lines, and what is wrong with a file told once, with its mend."""

from __future__ import annotations

from pathlib import Path

import pytest

from simulator.errors import SimulatorError
from simulator.input import whole_text
from simulator.input.csv_text import CsvColumns, csv_rows

COLUMNS = CsvColumns(("esiid", "zip", "hash", "word"), ("esiid", "zip"), either=("hash", "word"))


def read(path: Path, *, required: bool = True) -> tuple[list[tuple[str, dict[str, str]]], list[SimulatorError]]:
    faults: list[SimulatorError] = []
    rows = list(csv_rows(path, COLUMNS, SimulatorError, "x", faults, required=required))
    return [(place.removeprefix(f"{path}:"), cells) for place, cells in rows], faults


def test_rows_have_their_lines_and_their_cells_no_blanks_around_them(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_bytes(b'\xef\xbb\xbfesiid,zip,hash\n 1 ,"75\n201",a\n\n,,\n2,75202,b\n')
    assert read(file) == (
        [("3", {"esiid": "1", "zip": "75\n201", "hash": "a"}), ("6", {"esiid": "2", "zip": "75202", "hash": "b"})],
        [],
    )


@pytest.mark.parametrize(
    ("text", "rows", "code", "line", "message", "mend"),
    [
        ("", 0, "columns", 1, "The column esiid is missing.", "Needed: esiid, zip."),
        ("esiid,hash", 0, "columns", 1, "The column zip is missing.", "Needed: esiid, zip."),
        ("esiid,zip,zap", 0, "columns", 1, "There is no column 'zap'.", "Columns: esiid, zip, hash, word."),
        ("esiid,zip,zip", 0, "columns", 1, "The column zip stands twice.", "Leave one out."),
        ("esiid,zip", 0, "columns", 1, "There is neither a column hash nor word.", "Add one."),
        ("esiid,zip,word\n1,2,x,y\n1,2,x", 1, "cells", 2, "The row has 4 cells, the first line names 3 columns.", "quotes"),
        ('esiid,zip,word\n1,2,x\n1,"2"2,x\n1,2,x', 1, "csv", 3, "This is no CSV: ", "Mend that line"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_with_its_line_and_the_rows_before_it_count(
    tmp_path: Path, text: str, rows: int, code: str, line: int, message: str, mend: str
) -> None:
    file = tmp_path / "a.csv"
    file.write_text(text)
    found, (fault,) = read(file)
    assert (len(found), fault.code, fault.place) == (rows, f"x.{code}", f"{file}:{line}")
    assert fault.message.startswith(message)
    assert mend in fault.mend


def test_only_a_file_that_is_required_must_be_there(tmp_path: Path) -> None:
    none = tmp_path / "none.csv"
    assert read(none, required=False) == ([], [])
    (fault,) = read(none)[1]
    assert (fault.code, fault.place, fault.mend) == (
        "x.no_file",
        str(none),
        "Its first line names the columns, at least esiid,zip.",
    )


def test_what_cannot_be_read_is_told_by_what_stands_at_its_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    link, latin, long = tmp_path / "link.csv", tmp_path / "latin.csv", tmp_path / "long.csv"
    link.symlink_to(tmp_path / "none.csv")
    latin.write_bytes(b"esiid,zip,word\n1,2,\xe9\n")
    monkeypatch.setattr(whole_text, "MOST_OCTETS", 2**20)
    long.write_bytes(b"x" * (2**20 + 1))
    for path, why in (
        (link, "it is a link that leads nowhere"),
        (latin, "it is not UTF-8"),
        (long, "it is longer than 1 MiB"),
        (tmp_path, "Is a directory"),
    ):
        # A link that leads nowhere is no file that one may leave out.
        (fault,) = read(path, required=False)[1]
        assert (fault.code, fault.message) == ("x.unreadable", f"The file cannot be read: {why}.")
