"""Canonical records are read and written many at a time; what comes out is what the reader line by line gives, whatever stands in the file."""

from __future__ import annotations

import csv
import io
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields, replace
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from unittest.mock import patch

import duckdb
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from headend.lse import reader
from headend.lse.format import LseColumns, LseFile, LseFinding
from headend.lse.octets import LONGEST
from headend.lse.writer import dumps, read, write
from headend.ports import HeadEndError
from headend.vee.quality import Channel
from meters.calendar import day_of, day_start, intervals_in, seconds
from tests.cases import few
from tests.headend.lse.test_lse import FALL, GOLDEN, NAME, ORDINARY, SPRING, _record


@cache
def _files() -> list[bytes]:
    records = [
        _record(day, channel, esiid, readings)
        for day, channel, esiid, readings in (
            (ORDINARY, Channel.LOAD, "1044372000000001700017", True),
            (SPRING, Channel.GENERATION, "10443720000000018", False),
            (FALL, Channel.LOAD, "10443720000000019", True),
            (ORDINARY, Channel.LOAD, "10443720000000020", True),
        )
    ]
    return [*(path.read_bytes() for path in sorted(GOLDEN.iterdir())), dumps(records)]


@contextmanager
def _line_by_line() -> Iterator[None]:
    with patch.object(reader._Ahead, "canonical", lambda *_: None):
        yield


def _everything(file: LseFile) -> tuple[object, ...]:
    columns = [getattr(file.columns, one.name) for one in fields(LseColumns)]
    return [(one.dtype.kind, one.tolist()) for one in columns], file.findings


def _same_both_ways(content: bytes) -> LseFile:
    quick = read(content, NAME)
    with _line_by_line():
        careful = read(content, NAME)
    assert _everything(quick) == _everything(careful)
    return quick


_AT = st.integers(0, 2**16)
_PIECES = st.sampled_from(
    b"|\r\n|\n|,| |0|9|.|-1|E|A,|00000001,|10000001,|0.1,A,,|99999999.999|2147483.648|20260230|20260308|20261101013000|00000000"
    b"|1000000000000.001|\x00|\xff|Y|M".split(b"|")
)


@st.composite
def _mutated(draw: st.DrawFn) -> bytes:
    """Files of real records behind each other, with octets put in, over others, or taken out: anywhere, and where a field begins."""
    content = b"".join(draw(st.lists(st.sampled_from(_files()), min_size=1, max_size=3)))
    for _ in range(draw(st.integers(0, 4))):
        at = draw(_AT) % (len(content) + 1)
        if draw(st.booleans()):
            at = 1 + max(content.rfind(b",", 0, at), content.rfind(b"\n", 0, at))
        content = content[:at] + draw(_PIECES) + content[at + draw(st.sampled_from([0, 0, 1, 2, 8, 14, 500, 10**6])) :]
    return content


@pytest.mark.parametrize("files", few(1, [100, 300]))
def test_the_quick_way_gives_what_the_careful_one_gives(files: int) -> None:
    sound = b"".join(_files())

    @settings(max_examples=files)
    @given(_mutated())
    @example(sound)
    @example(sound + b"10000001,0.1,A,\n")
    @example(b"10000000,0.1,A,\n" + sound)
    @example(sound[:-1])
    @example(sound + b"00000001")
    @example(sound.replace(b"20261101000000,20261101235900", b"20260230000000,20260230235900"))
    @example(sound + b"00000001,")
    def gives(content: bytes) -> None:
        _same_both_ways(content)

    gives()


@settings(max_examples=60)
@given(_mutated(), st.integers(2 * LONGEST, 4 * LONGEST))
def test_where_a_stretch_of_the_file_ends_makes_no_difference(content: bytes, octets: int) -> None:
    at_once = _everything(read(content, NAME))
    with patch.object(reader, "_CHUNK", octets):
        assert _everything(read(content, NAME)) == at_once


def test_canonical_records_are_never_read_line_by_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader._Ahead, "line", lambda _: pytest.fail("a line was looked at"))
    file = read(b"".join(_files()), NAME)
    assert (len(file.columns), file.findings) == (8, ())


def test_a_record_that_is_not_canonical_costs_its_neighbours_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    lines: list[bytes] = []
    line = reader._Ahead.line

    def counted(ahead: reader._Ahead) -> bytes:
        lines.append(line(ahead))
        return lines[-1]

    monkeypatch.setattr(reader._Ahead, "line", counted)
    content = _files()[-1].split(b"\n")
    content[9] = content[9].replace(b"0.098", b".098", 1)
    file = read(b"\n".join(content), NAME)
    assert [record.line for record in file.records] == [1, 6, 11, 16]
    assert len(lines) == 5


@pytest.mark.parametrize("year", [2000, 2026, 2037, 2099])
def test_an_instant_of_every_hour_of_a_year_is_read_as_the_calendar_has_it(year: int) -> None:
    # In the hour that comes twice the file's time is the first one, and in the one that is skipped there is none.
    day = date(year, 1, 1)
    stamps = [f"{day + timedelta(days=ahead):%Y%m%d}{hour:02}1530" for ahead in range(366) for hour in range(24)]
    record = dumps([_record()])
    content = b"".join(record.replace(b"20260813073000", stamp.encode()) for stamp in stamps)
    file = read(content, NAME)
    told = []
    for stamp in stamps:
        try:
            told.append(int(reader._instant(stamp, "timestamp")))
        except reader._FaultError:
            continue
    assert file.columns.posted_at.tolist() == told
    assert len(file.findings) == len(stamps) - len(told) <= 25


def test_a_csv_loop_reads_what_was_written() -> None:
    rng = np.random.default_rng(3)
    days = np.array([SPRING, ORDINARY, FALL] * 700, "datetime64[D]")
    count = np.array([intervals_in(day) for day in days.tolist()])
    wh = rng.integers(0, 10 ** rng.integers(1, 10, (len(days), 1)), (len(days), 100)).astype(np.int32)
    wh[np.arange(100) >= count[:, None]] = 0
    start = rng.integers(-1, 10**15, len(days))
    posted_at = rng.integers(day_start(ORDINARY), day_start(ORDINARY) + 10**7, len(days))
    columns = LseColumns(
        np.array([str(10**17 + row) for row in range(len(days))], np.bytes_),
        rng.choice([1, 4], len(days)).astype(np.uint8),
        days,
        start,
        np.where(start < 0, -1, start + 7),
        wh,
        (wh % 7 == 0) & (wh > 0),
        posted_at,
        1 + 5 * np.arange(len(days)),
        np.ones(len(days), np.int64),
    )
    out = io.BytesIO()
    assert write(columns, out) == len(days)
    rows = list(csv.reader(io.StringIO(out.getvalue().decode("ascii"))))
    firsts, seconds_, _, fourths, intervals = (rows[at::5] for at in range(5))
    assert [row[1].encode() for row in firsts] == columns.esiid.tolist()
    assert [int(row[2]) for row in firsts] == columns.channel.tolist()
    assert [row[3] for row in firsts] == [f"{day:%Y%m%d}000000" for day in days.tolist()]
    for side, column in ((1, columns.start_wh), (2, columns.stop_wh)):
        assert [int(row[side].replace(".", "")) if row[side] else -1 for row in seconds_] == column.tolist()
    assert [row[1][:8] for row in fourths] == [f"{day_of(seconds(at)):%Y%m%d}" for at in posted_at.tolist()]
    for row, values, late, n in zip(intervals, wh.tolist(), columns.estimated.tolist(), count.tolist(), strict=True):
        assert [int(value.replace(".", "")) for value in row[1::3]] == values[:n]
        assert [mark == "E" for mark in row[2::3]] == late[:n]
        assert set(row[3::3]) == {""}
    # And back, but for instants of the repeated hour, which the file has without an offset.
    back = read(out.getvalue(), NAME).columns
    assert all((getattr(back, one.name) == getattr(columns, one.name)).all() for one in fields(LseColumns)[:-2])


def test_duckdb_adds_up_the_energy_that_was_written(tmp_path: Path) -> None:
    rng = np.random.default_rng(4)
    made = [_record(day, esiid=str(10**17 + row)) for row, day in enumerate([SPRING, ORDINARY, FALL] * 100)]
    made = [replace(one, wh=rng.integers(0, 2**31 - 1, len(one.wh)).astype(np.int32)) for one in made]
    path = tmp_path / NAME
    path.write_bytes(dumps(made))
    query = """
        WITH rows AS (SELECT string_split(line, ',') AS field FROM read_csv(?, columns={'line': 'VARCHAR'}, delim='|', header=false)),
        intervals AS (SELECT field[2:] AS rest FROM rows WHERE field[1] = '10000000'),
        split AS (SELECT row_number() OVER () AS record, rest, unnest(range(1, len(rest), 3)) AS place FROM intervals)
        SELECT sum(CAST(replace(rest[place], '.', '') AS BIGINT)), count(*) FROM split GROUP BY record ORDER BY record"""
    found = duckdb.connect(config={"threads": 1}).execute(query, [str(path)]).fetchall()
    assert found == [(int(one.wh.sum(dtype=np.int64)), len(one.wh)) for one in made]
    assert [int(one.wh.sum(dtype=np.int64)) for one in read(path, NAME).records] == [total for total, _ in found]


def test_a_block_that_lacks_intervals_of_its_day_is_not_written() -> None:
    whole = LseColumns.of([_record(), _record(FALL)])
    short = LseColumns(**{one.name: getattr(whole, one.name) for one in fields(whole)} | {"wh": whole.wh[:, :96]})
    with pytest.raises(HeadEndError) as raised:
        dumps(short)
    assert raised.value.code == "headend.lse.not_a_full_day"


def test_a_file_read_a_stretch_at_a_time_gives_its_records_as_they_come(tmp_path: Path) -> None:
    path = tmp_path / "large.lse"
    path.write_bytes(_files()[-1] * 2000 + b"garbage\n")
    findings: list[LseFinding] = []
    with path.open("rb") as stream:
        sizes = [len(block) for block in reader.blocks(stream, NAME, findings)]
    assert sum(sizes) == 7999
    assert max(sizes) < 1000
    assert [finding.record_line for finding in findings] == [5 * 7999 + 1]


def test_a_line_longer_than_a_stretch_is_one_line() -> None:
    content = _files()[0] + b"x" * 3_000_000 + b"\n" + _files()[0]
    assert [finding.line for finding in _same_both_ways(content).findings] == [6]


class _Endless(io.BytesIO):
    """So many octets of one line, and then a file."""

    def __init__(self, octets: int, behind: bytes) -> None:
        super().__init__(behind)
        self._left = octets

    def read(self, size: int | None = -1, /) -> bytes:
        if not self._left:
            return super().read(size)
        some = min(size or 0, self._left)
        self._left -= some
        return b"x" * some


def test_a_line_that_does_not_end_takes_no_memory() -> None:
    findings: list[LseFinding] = []
    tracemalloc.start()
    try:
        blocks = reader.blocks(_Endless(100_000_000, b"\n" + _files()[0]), NAME, findings)
        kept = sum(map(len, blocks))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert kept == len(reader.read(_files()[0], NAME).records)
    assert [(finding.line, finding.record_line) for finding in findings] == [(1, 0)]
    assert peak < 100_000_000
