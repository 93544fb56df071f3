from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from headend.lse import reader
from headend.lse import writer as lse
from headend.lse.format import MOST_RECORDS
from headend.lse.writer import LseFile, LseFinding, LseRecord, Severity
from headend.ports import HeadEndError, MeterKey, total_wh
from headend.vee.batch import run_batch
from headend.vee.quality import Channel
from headend.vee.records import DayBlock
from meters.calendar import epoch, intervals_in
from tests.cases import few

GOLDEN = Path(__file__).parent / "golden"
DUNS = "1039940674000"
NAME = f"{DUNS}IntervalData20260813073000001.lse"
ESIID = "10443720000000017"
POSTED = epoch("2026-08-13T07:30")
SPRING, ORDINARY, FALL = date(2026, 3, 8), date(2026, 8, 12), date(2026, 11, 1)


def _record(
    day: date = ORDINARY, channel: Channel = Channel.LOAD, esiid: str = ESIID, readings: bool = True
) -> LseRecord:
    n = intervals_in(day)
    wh = np.arange(n, dtype=np.int32) * 11 + 98
    estimated = np.zeros(n, np.bool_)
    estimated[40:44] = True
    start, stop = (24_002_915, 24_002_915 + int(wh.sum())) if readings else (None, None)
    return LseRecord(esiid, channel, day, start, stop, wh, estimated, POSTED)


def _same(one: LseRecord, other: LseRecord) -> bool:
    def scalars(record: LseRecord) -> tuple[object, ...]:
        names = ("esiid", "channel", "day", "start_reading_wh", "stop_reading_wh", "posted_at")
        return tuple(getattr(record, name) for name in names)

    return (
        scalars(one) == scalars(other)
        and one.wh.tolist() == other.wh.tolist()
        and one.estimated.tolist() == other.estimated.tolist()
    )


def _lines() -> list[str]:
    return lse.dumps([_record()]).decode().splitlines()


def _read(lines: list[str]) -> LseFile:
    return lse.read("".join(line + "\n" for line in lines).encode(), NAME)


def _only(file: LseFile) -> LseFinding:
    assert len(file.findings) == 1, file.findings
    return file.findings[0]


def _changed(row: int, field: int, value: str) -> LseFinding:
    """The one finding after a field of one row (both counted from 0) is replaced."""
    lines = _lines()
    fields = lines[row].split(",")
    fields[field] = value
    lines[row] = ",".join(fields)
    return _only(_read(lines))


@pytest.mark.parametrize(
    ("name", "records"),
    [
        ("ordinary_day.lse", [_record(), _record(channel=Channel.GENERATION, readings=False)]),
        ("spring_forward_day.lse", [_record(SPRING)]),
        ("fall_back_day.lse", [_record(FALL, esiid="1008901000000000000017")]),
    ],
)
def test_writer_gives_the_golden_file_and_the_reader_takes_it(name: str, records: list[LseRecord]) -> None:
    content = (GOLDEN / name).read_bytes()
    assert lse.dumps(records) == content
    read = lse.read(GOLDEN / name, NAME)
    assert read.findings == ()
    assert all(_same(*pair) for pair in zip(read.records, records, strict=True))


def test_record_has_the_rows_of_the_layout() -> None:
    lines = _lines()
    assert lines[0] == f"00000001,{ESIID},4,20260812000000,20260812235900,Y,N"
    assert lines[1] == "00000002,24002.915,24062.483,1,0,1,0,900,01,,,,"
    assert lines[2] == "00000003,"
    assert lines[3] == "00000004,20260813073000,M"
    assert lines[4].startswith("10000000,0.098,A,,0.109,A,,")
    assert lines[4].endswith(",1.143,A,")
    assert lines[4].count(",") == 3 * 96


@pytest.mark.parametrize(("day", "count"), [(SPRING, 92), (ORDINARY, 96), (FALL, 100)])
def test_count_is_taken_after_conversion_to_utc(day: date, count: int) -> None:
    assert len(lse.read(lse.dumps([_record(day)]), NAME).records[0].wh) == count


# An integer apiece would take Hypothesis longer than to write and read them.
_wh = st.builds(
    lambda octets, small: (np.frombuffer(octets, np.uint32) >> small).astype(np.int32),
    st.binary(min_size=400, max_size=400),
    st.integers(1, 31),
)
_estimated = st.binary(min_size=13, max_size=13).map(lambda octets: np.unpackbits(np.frombuffer(octets, np.uint8)))
_records = st.lists(
    st.builds(
        lambda esiid, channel, day, readings, values, estimated, posted: LseRecord(
            esiid,
            channel,
            day,
            readings[0],
            readings[1],
            values[: intervals_in(day)],
            estimated[: intervals_in(day)].astype(np.bool_),
            posted,
        ),
        st.from_regex(r"[0-9]{17}([0-9]{5})?", fullmatch=True).filter(str.isascii),
        st.sampled_from(Channel),
        st.sampled_from([SPRING, ORDINARY, FALL]) | st.dates(date(2007, 1, 1), date(2037, 12, 31)),
        st.tuples(st.none() | st.integers(0, 10**15), st.none() | st.integers(0, 10**15)),
        _wh,
        _estimated,
        # August: no repeated hour, in which the file's local time would be ambiguous.
        st.integers(POSTED, POSTED + 10**6),
    ),
    max_size=3,
)


@settings(max_examples=60)
@given(_records)
@example([LseRecord(ESIID, Channel.LOAD, FALL, 0, 10**15, np.full(100, 2**31 - 1, np.int32), np.ones(100, np.bool_), POSTED)])  # fmt: skip
def test_what_is_written_is_read_back(records: list[LseRecord]) -> None:
    read = lse.read(lse.dumps(records), NAME)
    assert all(_same(*pair) for pair in zip(read.records, records, strict=True))
    if records:
        assert read.findings == ()


@settings(max_examples=60)
@given(st.integers(0, 10**6))
@example(0)
def test_cut_file_keeps_the_whole_records_before_the_cut(at: int) -> None:
    records = [_record(), _record(FALL), _record(SPRING)]
    content = lse.dumps(records)
    cut = at % len(content)
    whole = [len(lse.dumps(records[:count])) for count in range(4)]
    read = lse.read(content[:cut], NAME)
    # The last record is whole without its line end too.
    kept = sum(cut >= size - 1 for size in whole[1:])
    assert len(read.records) == kept
    assert all(_same(*pair) for pair in zip(read.records, records, strict=False))
    at_edge = cut in whole[1:] or cut + 1 in whole[1:]
    assert bool(read.findings) is not at_edge
    if not at_edge:
        assert {finding.code for finding in read.findings} <= {"F2", "03"}
        assert all(finding.severity is Severity.ERROR for finding in read.findings)


def test_file_cut_inside_a_line_is_told_with_the_line_and_the_record() -> None:
    content = lse.dumps([_record(), _record(channel=Channel.GENERATION)])
    finding = _only(lse.read(content[:-300], NAME))
    assert (finding.code, finding.line, finding.record_line) == ("F2", 10, 6)
    assert (finding.esiid, finding.channel, finding.operating_day) == (ESIID, "1", "2026-08-12")
    assert finding.message == "the file is cut inside a record"


def test_file_cut_after_a_header_row_lacks_a_mandatory_row() -> None:
    for rows in (1, 2, 3, 4):
        assert _only(_read(_lines()[:rows])).code == "F2"


def test_empty_file_holds_no_record() -> None:
    assert _only(lse.read(b"", NAME)).code == "F2"


@given(st.binary(max_size=400) | st.text("0123456789,.\nAE", max_size=400).map(str.encode))
@example(b"\xff\xfe\x00")
@example(b"00000001,,,,,,\n")
@example(b"00000001,1\n10000000,1,A,\n")
@example(b"00000001," + ESIID.encode() + b",4,99999999999999,00000000000000,Y,N\n")
def test_garbage_never_raises_and_is_never_silent(content: bytes) -> None:
    read = lse.read(content, NAME)
    assert read.records == ()
    assert read.findings


@pytest.mark.parametrize("files", few(1, [40, 150]))
def test_damage_anywhere_never_raises(files: int) -> None:
    sound = lse.dumps([_record()])

    @settings(max_examples=files)
    @given(st.data())
    def damaged(data: st.DataObject) -> None:
        content = bytearray(sound)
        for _ in range(data.draw(st.integers(1, 3))):
            content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
        lse.read(bytes(content), NAME)

    damaged()


@pytest.mark.parametrize(
    ("row", "field", "value", "code", "what"),
    [
        (0, 1, "", "F2", "ESIID"),
        (0, 1, "1044372x000000017", "01", "ESIID"),
        (0, 1, "1" * 16, "01", "ESIID"),
        (0, 1, "1" * 23, "01", "ESIID"),
        (0, 2, "2", "01", "channel"),
        (0, 3, "2026081200000", "02", "start"),
        (0, 3, "20260832000000", "02", "start"),
        (0, 3, "20260812001500", "03", "start, stop"),
        (0, 4, "20260812234500", "03", "start, stop"),
        (0, 4, "20260813235900", "03", "start, stop"),
        (0, 5, "N", "01", "Y"),
        (0, 6, "Y", "01", "N"),
        (1, 1, "abc", "02", "start reading"),
        (1, 2, "-1", "01", "stop reading"),
        (1, 3, "1.5", "01", "meter multiplier"),
        (1, 7, "", "F2", "interval length"),
        (1, 7, "3600", "01", "interval length"),
        (3, 1, "", "F2", "timestamp"),
        (3, 1, "20260308023000", "02", "timestamp"),
        (4, 0, "1000000", "02", "sort code"),
        (4, 1, "", "01", "value 1"),
        (4, 1, "x", "02", "value 1"),
        (4, 4, "nan", "02", "value 2"),
        (4, 4, "1e3", "02", "value 2"),
        (4, 4, "-0.001", "01", "value 2"),
        (4, 4, "0.0005", "01", "value 2"),
        (4, 4, "2147483.648", "01", "value 2"),
        (4, 4, "9" * 50, "01", "value 2"),
        (4, 5, "X", "01", "status 2"),
        (4, 6, "noon", "02", "start-time 2"),
    ],
)
def test_fault_is_told_with_line_field_and_code(row: int, field: int, value: str, code: str, what: str) -> None:
    finding = _changed(row, field, value)
    assert (finding.code, finding.line, finding.field) == (code, row + 1, what)
    assert finding.severity is Severity.ERROR


@pytest.mark.parametrize(
    ("row", "field", "value", "what"),
    [(1, 8, "03", "unit of measure"), (3, 2, "X", "origin")],
)
def test_doubtful_rules_only_warn(row: int, field: int, value: str, what: str) -> None:
    finding = _changed(row, field, value)
    assert (finding.severity, finding.field, finding.code) == (Severity.WARNING, what, "00")


@pytest.mark.parametrize("first", [10_000_000, 10_000_001])
def test_sort_codes_that_do_not_ascend_only_warn(first: int) -> None:
    lines = _lines()
    fields = lines[4].split(",")[1:]
    lines[4:] = [f"{first}," + ",".join(fields[:144]), "10000000," + ",".join(fields[144:])]
    read = _read(lines)
    assert _only(read).field == "sort code"
    assert _only(read).severity is Severity.WARNING
    assert _same(read.records[0], _record())


def test_intervals_may_be_spread_over_many_rows() -> None:
    lines = _lines()
    fields = lines[4].split(",")[1:]
    lines[4:] = [f"{10_000_000 + row}," + ",".join(fields[row * 3 : row * 3 + 3]) for row in range(96)]
    read = _read(lines)
    assert read.findings == ()
    assert _same(read.records[0], _record())


def test_stop_at_59_seconds_is_accepted() -> None:
    lines = _lines()
    lines[0] = lines[0].replace("235900", "235959")
    assert _same(_read(lines).records[0], _record())


def test_other_writings_of_a_number_are_accepted() -> None:
    lines = _lines()
    lines[4] = lines[4].replace("10000000,0.098,A,,0.109", "10000000,.0980,E,,2")
    read = _read(lines).records[0]
    assert read.wh[:2].tolist() == [98, 2000]
    assert read.estimated[:2].tolist() == [True, False]


def test_readings_are_multiplied() -> None:
    lines = _lines()
    lines[1] = "00000002,10.5,11.5,40,,,,900,01,,,,"
    record = _read(lines).records[0]
    assert (record.start_reading_wh, record.stop_reading_wh) == (420_000, 460_000)


@pytest.mark.parametrize(("row", "kept"), [(0, 1), (1, 0), (2, 0), (3, 0)])
def test_a_header_row_that_is_there_twice_costs_its_record(row: int, kept: int) -> None:
    lines = _lines()
    read = _read([*lines[:row], lines[row], *lines[row:]])
    # A second 00000001 begins a second record, and that is whole.
    assert (_only(read).code, _only(read).field, len(read.records)) == ("F2", "sort code", kept)


def test_what_lies_at_the_edge_is_in() -> None:
    lines = _lines()
    lines[0] = lines[0].replace("20260812", "20991231")
    lines[1] = "00000002,0,999999999999.999,1,0,1,0,900,01,,,,"
    lines[4] = lines[4].replace("0.098", "2147483.647", 1)
    read = _read(lines)
    assert read.findings == ()
    (record,) = read.records
    assert (record.day, record.stop_reading_wh, record.wh[0]) == (date(2099, 12, 31), 10**15 - 1, 2**31 - 1)
    lines[1] = lines[1].replace("999999999999.999", "1000000000000")
    assert _read(lines).records[0].stop_reading_wh == 10**15
    lines[1] = lines[1].replace("1000000000000", "1000000000000.001")
    assert _only(_read(lines)).code == "01"


def test_row_of_too_many_triplets_or_a_lost_comma_is_bad_format() -> None:
    lines = _lines()
    assert _only(_read([*lines[:4], "10000000," + "0.1,A,," * 100 + "0.1,A,"])).code == "02"
    assert _only(_read([*lines[:4], lines[4][:-1]])).code == "02"


def test_95_or_97_intervals_are_not_a_full_day() -> None:
    lines = _lines()
    for count, intervals in ((95, lines[4].rsplit(",", 3)[0]), (97, lines[4] + ",0.1,A,")):
        finding = _only(_read([*lines[:4], intervals]))
        assert (finding.code, finding.line) == ("03", 1)
        assert finding.message == f"{count} intervals, 2026-08-12 has 96"


def test_24_hours_from_a_quarter_past_midnight_are_no_day() -> None:
    lines = _lines()
    lines[0] = lines[0].replace("20260812000000,20260812235900", "20260812001500,20260813001400")
    assert _only(_read(lines)).code == "03"


def test_96_intervals_are_not_a_full_fall_back_day() -> None:
    lines = [line.replace("20260812", "20261101") for line in _lines()]
    assert _only(_read(lines)).code == "03"


def test_bad_record_leaves_its_neighbours_alone() -> None:
    good = _lines()
    bad = [good[0], good[2], good[3], good[4]]
    read = _read([*good, *bad, *good])
    assert [record.line for record in read.records] == [1, 10]
    finding = _only(read)
    assert (finding.code, finding.line, finding.record_line) == ("F2", 7, 6)


def test_rows_before_any_record_are_told_once() -> None:
    good = _lines()
    read = _read([good[4], good[4], *good])
    assert _only(read).code == "F2"
    assert len(read.records) == 1


# The whole limit is read in every run among the files of the zoo.
@pytest.mark.parametrize("most", few(1, [500, 50_000]))
def test_more_than_50000_records_refuse_the_file(monkeypatch: pytest.MonkeyPatch, most: int) -> None:
    assert MOST_RECORDS == 50_000
    monkeypatch.setattr(reader, "MOST_RECORDS", most)
    content = lse.dumps([_record()])
    at_the_limit = b"".join([b"00000001,\n"] * (most - 1))
    for last in (content, content.replace(b"\n", b"\r\n")):
        assert len(lse.read(at_the_limit + last, NAME).records) == 1
        read = lse.read(at_the_limit + last + last, NAME)
        assert read.records == ()
        assert [finding.code for finding in read.findings][-1] == "F1"
        assert [finding.code for finding in read.findings].count("F1") == 1
    whole = lse.read(content * most, NAME)
    assert (len(whole.columns), whole.findings) == (most, ())
    read = lse.read(content * (most + 1), NAME)
    assert (read.records, _only(read).code, _only(read).line) == ((), "F1", 5 * most + 1)


def test_windows_line_ends_and_blank_lines_are_read() -> None:
    content = lse.dumps([_record()]).replace(b"\n", b"\r\n\r\n")
    read = lse.read(content, NAME)
    assert read.findings == ()
    assert _same(read.records[0], _record())


def test_missing_file_is_a_user_error(tmp_path: Path) -> None:
    with pytest.raises(HeadEndError) as raised:
        lse.read(tmp_path / "none.lse", NAME)
    assert raised.value.code == "headend.lse.unreadable"


def test_writer_refuses_a_short_day_a_negative_interval_and_too_many_digits() -> None:
    good = _record()
    short = LseRecord(ESIID, Channel.LOAD, FALL, None, None, good.wh, good.estimated, POSTED)
    negative = LseRecord(ESIID, Channel.LOAD, ORDINARY, None, None, good.wh - 99, good.estimated, POSTED)
    for record, code in ((short, "not_a_full_day"), (negative, "negative"), (_record(esiid="1" * 23), "esiid")):
        with pytest.raises(HeadEndError) as raised:
            lse.dumps([record])
        assert raised.value.code == f"headend.lse.{code}"


def test_vee_day_becomes_one_record_per_esi_id_and_channel_that_sums_its_meters() -> None:
    # Of the second no register ends the day: a run of one value would be stuck.
    used = np.tile([[100, 100], [250, 252], [40, 40]], 48)
    registers = np.array([1_000, 5_000, 70], np.int64)
    present = np.ones((3, 96), np.bool_)
    present[0, 5] = present[1, 7] = False
    zero = np.zeros((3, 96), np.int32)
    block = DayBlock(
        day=ORDINARY,
        meters=(MeterKey(ESIID, "1"), MeterKey(ESIID, "2"), MeterKey("10443720000000018", "3")),
        delivered=np.where(present, used, 0).astype(np.int32),
        received=zero,
        status=zero.astype(np.uint16),
        present=present,
        delivered_r0=registers,
        received_r0=registers,
        have_r0=np.array([True, True, True]),
        delivered_r1=registers + used.sum(axis=1),
        received_r1=registers,
        have_r1=np.array([True, False, True]),
    )
    load, generation, other, _ = lse.from_vee(run_batch(block), POSTED)
    # One register at the end of the day is not known, so the reading is not.
    assert (load.channel, load.start_reading_wh, load.stop_reading_wh) == (Channel.LOAD, 6_000, None)
    assert np.flatnonzero(load.estimated).tolist() == [5, 7]
    # 250 on either side of what the second lacks.
    assert load.wh.tolist() == [350, 352, 350, 352, 350, 352, 350, 350, *[350, 352] * 44]
    assert (generation.channel, int(generation.wh.sum())) == (Channel.GENERATION, 0)
    assert (other.esiid, other.start_reading_wh, other.stop_reading_wh) == ("10443720000000018", 70, 70 + 96 * 40)
    assert (other.wh.tolist(), other.estimated.any()) == ([40] * 96, np.False_)


def test_a_sum_of_meters_is_no_more_than_a_file_can_hold() -> None:
    most = 2**31 - 1
    assert total_wh(np.array([[most, most, -5], [1, most, 2]], np.int32)).tolist() == [most, most, -3]


@pytest.mark.parametrize("day", ["99991231", "19991231", "21000101"])
def test_a_record_of_no_year_of_this_market_costs_itself_alone(day: str) -> None:
    content = lse.dumps([_record(), _record(esiid="10443720000000018")])
    broken = content.replace(b"20260812000000,20260812235900", f"{day}000000,{day}235900".encode(), 1)
    found = lse.read(broken, NAME)
    assert [record.esiid for record in found.records] == ["10443720000000018"]
    assert _only(found).code == "02"


def test_a_register_beyond_any_meter_is_a_bad_value() -> None:
    lines = _lines()
    row = next(number for number, line in enumerate(lines) if line.startswith("00000002"))
    fields = lines[row].split(",")
    fields[1:4] = ["900000000000.000", "900000000000.000", "999999"]
    lines[row] = ",".join(fields)
    found = _read(lines)
    assert found.records == ()
    assert _only(found).code == "01"
