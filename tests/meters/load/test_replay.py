from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from meters.calendar import INTERVAL_S, days, interval_ends, intervals_in, local
from meters.day_kinds import day_class, same_clock
from meters.errors import MeterError
from meters.identity import Premise, make_esiid, tdsp
from meters.load.replay import ReplayedLoad, read_replay
from meters.load.shape import LAST
from meters.load.truth import ERA, DayLoad, GeneratedLoad, PremiseLoad

SPRING, AUTUMN = date(2026, 3, 8), date(2026, 11, 1)
ESIID = make_esiid(tdsp("ONCOR"), 1, 3)
HOME = GeneratedLoad(1, Premise(ESIID, "NCENT", "RESHIWR", 1.0, solar_w=7000))
HEADER = "ESIID,USAGE_DATE,REVISION_DATE,USAGE_START_TIME,USAGE_END_TIME,USAGE_KWH,ESTIMATED_ACTUAL,CONSUMPTION_SURPLUSGENERATION"
Writer = Callable[[str], Path]


@pytest.fixture
def write(tmp_path: Path) -> Writer:
    def written(text: str) -> Path:
        path = tmp_path / "load.csv"
        path.write_text(text, encoding="utf-8")
        return path

    return written


def smt(load: PremiseLoad, shown: list[date], portal: bool = True, clock_ends: bool = False) -> str:
    """An SMT file of those days. portal: with the apostrophe of exports; clock_ends: interval ends are what a clock shows."""
    rows = [HEADER]
    for day in shown:
        for kind, channel in zip(("Consumption", "Surplus Generation"), load.day(day), strict=True):
            for end, wh in zip(interval_ends(day).tolist(), channel.tolist(), strict=True):
                start = local(end - INTERVAL_S).replace(tzinfo=None)
                shut = local(end) if clock_ends else start + timedelta(seconds=INTERVAL_S)
                owner = f"'{ESIID}" if portal else ESIID
                rows.append(
                    f"{owner},{start:%m/%d/%Y},05/07/2026 07:40:29, {start:%H:%M}, {shut:%H:%M},{wh / 1000:.3f},A,{kind}"
                )
    return "\n".join(rows) + "\n"


def plain(load: PremiseLoad, shown: list[date], offset: bool) -> str:
    rows = ["start,wh,received_wh"]
    for day in shown:
        both = load.day(day)
        for end, wh, back in zip(interval_ends(day).tolist(), *(channel.tolist() for channel in both), strict=True):
            start = local(end - INTERVAL_S)
            rows.append(f"{start.isoformat() if offset else f'{start:%Y-%m-%dT%H:%M}'},{wh},{back}")
    return "\n".join(rows)


def same(load: DayLoad, other: DayLoad) -> bool:
    return all((a == b).all() for a, b in zip(load, other, strict=True))


@pytest.mark.parametrize("day", [date(2026, 5, 6), SPRING, AUTUMN])
@pytest.mark.parametrize(
    "make",
    [
        lambda shown: smt(HOME, shown),
        lambda shown: smt(HOME, shown, portal=False),
        lambda shown: smt(HOME, shown, clock_ends=True),
        lambda shown: plain(HOME, shown, offset=False),
        lambda shown: plain(HOME, shown, offset=True),
    ],
    ids=["smt portal", "smt delivery", "smt clock ends", "profile local", "profile with offset"],
)
def test_a_customers_day_is_replayed_to_the_watt_hour_in_both_channels(
    make: Callable[[list[date]], str], day: date, write: Writer
) -> None:
    load = read_replay(write(make([day])))
    assert load.given == (day,)
    shown = load.day(day)
    assert same(shown, HOME.day(day))
    assert [channel.dtype for channel in shown] == [np.int32, np.int32]
    assert HOME.day(day).received.any()


def test_in_the_repeated_hour_order_decides(write: Writer) -> None:
    # Both passes together, quarter by quarter, as a sorted file has them: the first of two alike is the first pass.
    lines = smt(HOME, [AUTUMN]).splitlines()
    kept = sorted((line for line in lines[1:] if line.endswith("Consumption")), key=lambda line: line.split(",")[3])
    load = read_replay(write("\n".join([lines[0], *kept])))
    assert load.day(AUTUMN).delivered.tolist() == HOME.day(AUTUMN).delivered.tolist()
    assert not load.day(AUTUMN).received.any()


def test_only_whole_days_are_taken_and_order_of_rows_is_free(write: Writer) -> None:
    first, second, third = days(date(2026, 5, 5), date(2026, 5, 7))
    lines = smt(HOME, [first, second, third]).splitlines()
    without = [line for line in lines[1:] if not line.startswith(f"'{ESIID},05/06/2026,05/07/2026 07:40:29, 12:00")]
    load = read_replay(write("\n".join([lines[0], *reversed(without)])))
    assert load.given == (first, third)
    assert same(load.day(first), HOME.day(first))


def test_kwh_profile_with_blank_lines_and_a_mark_of_utf8_is_read(tmp_path: Path) -> None:
    path = tmp_path / "profile.csv"
    rows = [f"2026-05-06T{i // 4:02d}:{i % 4 * 15:02d},0.{i:03d}\r\n\r\n" for i in range(96)]
    path.write_bytes(b"\xef\xbb\xbfStart,kWh\r\n" + "".join(rows).encode())
    assert read_replay(path).day(date(2026, 5, 6)).delivered.tolist() == list(range(96))


WEEK = (*days(date(2026, 5, 4), date(2026, 5, 10)),)
CLOCKS = (SPRING, AUTUMN, date(2026, 3, 10), date(2026, 7, 1))
some_days = st.one_of(
    st.dates(ERA, date(2035, 12, 31)), st.sampled_from([ERA, SPRING, AUTUMN, date(2027, 3, 14), date(2028, 2, 29)])
)


@cache
def of_home(*given: date) -> ReplayedLoad:
    return ReplayedLoad({day: HOME.day(day) for day in given})


@given(day=some_days, given=st.sampled_from([WEEK, CLOCKS]))
def test_every_day_since_the_era_has_a_load_that_adds_up_to_its_registers(day: date, given: tuple[date, ...]) -> None:
    load = of_home(*given)
    shown = load.day(day)
    begin, end = load.registers(day), load.registers(day + timedelta(days=1))
    for before, after, wh in zip(begin, end, shown, strict=True):
        assert wh.shape == (intervals_in(day),)
        assert int(wh.sum()) == after - before


@given(day=some_days)
def test_other_days_repeat_a_day_of_their_class(day: date) -> None:
    shown = of_home(*WEEK).day(day)
    likes = [like for like in WEEK if day_class(like) is day_class(day)]
    assert any(same(shown, DayLoad(*(channel[same_clock(day, like)] for channel in HOME.day(like)))) for like in likes)


def test_the_nearest_like_day_in_the_year_is_taken_round_new_years_eve() -> None:
    winter, summer = date(2026, 1, 14), date(2026, 7, 15)
    load = of_home(winter, summer)
    assert same(load.day(date(2027, 12, 1)), HOME.day(winter))
    assert same(load.day(date(2027, 6, 1)), HOME.day(summer))


def test_a_weekday_stands_for_a_weekend_when_no_weekend_is_given() -> None:
    load = of_home(date(2026, 5, 6))
    assert same(load.day(date(2026, 5, 9)), HOME.day(date(2026, 5, 6)))


def test_the_hour_that_a_spring_day_lacks_repeats_the_hour_before() -> None:
    load = of_home(SPRING)
    shown, given = load.day(date(2026, 3, 15)).delivered, HOME.day(SPRING).delivered
    assert shown[8:12].tolist() == given[4:8].tolist()
    assert shown[12:].tolist() == given[8:].tolist()


def test_registers_begin_at_nought_and_end_with_the_last_midnight() -> None:
    week = of_home(*WEEK)
    assert week.registers(ERA) == (0, 0)
    assert week.registers(LAST) > (10_000_000, 0)
    with pytest.raises(MeterError, match="before_era"):
        week.registers(ERA - timedelta(days=1))
    with pytest.raises(MeterError, match="before_era"):
        week.day(ERA - timedelta(days=1))
    with pytest.raises(MeterError, match="after_last"):
        week.registers(LAST + timedelta(days=1))


def smt_row(**other: str) -> str:
    cells = {
        "esiid": f"'{ESIID}",
        "day": "05/06/2026",
        "start": " 00:00",
        "end": " 00:15",
        "kwh": "0.859",
        "kind": "Consumption",
    } | other
    return "{esiid},{day},05/07/2026 07:40:29,{start},{end},{kwh},A,{kind}".format(**cells)


@pytest.mark.parametrize(
    ("rows", "code", "line"),
    [
        ([smt_row(), smt_row()], "replay.duplicate", 3),
        ([smt_row(), smt_row(esiid="10443729900000000")], "replay.esiids", 3),
        ([smt_row(day="2026-05-06")], "replay.time", 2),
        ([smt_row(day="02/30/2026")], "replay.time", 2),
        ([smt_row(day="05/06/1926")], "replay.time", 2),
        ([smt_row(day="01/01/0001", end="00:20")], "replay.time", 2),
        ([smt_row(start="25:00")], "replay.time", 2),
        ([smt_row(start="00:05", end="00:20")], "replay.unaligned", 2),
        ([smt_row(end="00:30")], "replay.unaligned", 2),
        ([smt_row(kwh="much")], "replay.number", 2),
        ([smt_row(kwh="")], "replay.number", 2),
        ([smt_row(kwh="NaN")], "replay.number", 2),
        ([smt_row(kwh="1e30")], "replay.number", 2),
        ([smt_row(kwh="1e999999999")], "replay.number", 2),
        ([smt_row(kwh="-0.1")], "replay.negative", 2),
        ([smt_row(kind="Generation")], "replay.kind", 2),
        (["", "", smt_row()[:60]], "replay.columns", 4),
        ([smt_row(day="03/08/2026", start="02:15", end="02:30")], "instant.skipped", 2),
    ],
)
def test_what_an_smt_file_has_wrong_is_told_by_its_line(rows: list[str], code: str, line: int, write: Writer) -> None:
    path = write("\n".join([HEADER, *rows]))
    with pytest.raises(MeterError) as caught:
        read_replay(path)
    assert code in caught.value.code
    assert caught.value.place == f"{path}:{line}"
    assert caught.value.mend


@pytest.mark.parametrize(
    ("text", "code", "line"),
    [
        ("", "replay.header", 1),
        ("a,b\n1,2", "replay.header", 1),
        ("start\n2026-05-06T00:00", "replay.header", 1),
        ("start,wh,kwh\n", "replay.header", 1),
        ("start,wh\nnoon,1", "replay.time", 2),
        ("start,wh\n2026-05-06T00:07,1", "replay.unaligned", 2),
        ("start,wh\n2026-05-06T00:00:00.5,1", "replay.unaligned", 2),
        ("start,wh\n2026-05-06T00:00,1\n2026-05-06T00:00-05:00,1", "replay.duplicate", 3),
        ("start,wh\n9999-12-31T23:45,1", "replay.time", 2),
        ("start,wh\n2026-05-06T00:00", "replay.columns", 2),
        ("start,wh,received_wh\n2026-05-06T00:00,1,-1", "replay.negative", 2),
        ("start,received_wh\n2026-05-06T00:00,1", "replay.header", 1),
    ],
)
def test_what_a_profile_has_wrong_is_told_by_its_line(text: str, code: str, line: int, write: Writer) -> None:
    path = write(text)
    with pytest.raises(MeterError) as caught:
        read_replay(path)
    assert code in caught.value.code
    assert caught.value.place == f"{path}:{line}"
    assert caught.value.mend


def test_an_smt_file_that_lacks_a_column_is_told_which(write: Writer) -> None:
    path = write(HEADER.replace("USAGE_KWH,", "").replace("USAGE_END_TIME,", ""))
    with pytest.raises(MeterError, match=r"replay\.header: .*:1: The SMT file lacks USAGE_END_TIME, USAGE_KWH\."):
        read_replay(path)


def test_a_file_that_is_none_or_no_text_or_covers_no_day_is_refused(tmp_path: Path, write: Writer) -> None:
    with pytest.raises(MeterError, match=r"replay\.unreadable"):
        read_replay(tmp_path / "none.csv")
    with pytest.raises(MeterError, match=r"replay\.unreadable"):
        read_replay(tmp_path)
    (tmp_path / "picture.csv").write_bytes(b"\x89PNG\r\n\x1a\n\xff\xfe")
    with pytest.raises(MeterError, match=r"replay\.not_csv"):
        read_replay(tmp_path / "picture.csv")
    with pytest.raises(MeterError, match=r"replay\.no_day"):
        read_replay(write("start,wh\n2026-05-06T00:00,1"))
    with pytest.raises(MeterError, match=r"replay\.no_day"):
        ReplayedLoad({})


@given(text=st.text(max_size=200), smt_header=st.sampled_from(["", HEADER + "\n", "start,wh\n"]))
def test_no_text_breaks_the_reader(text: str, smt_header: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("fuzz") / "any.csv"
    path.write_bytes((smt_header + text).encode("utf-8", "surrogatepass"))
    with pytest.raises(MeterError):
        read_replay(path)


@given(
    start=st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 31)),
    zone=st.sampled_from(["", "Z", "+14:00", "-12:00", "+05:45", "+00:00:01"]),
    wh=st.one_of(st.decimals().map(str), st.text(alphabet="0123456789.eE+-_", max_size=12)),
)
def test_no_row_breaks_the_reader(
    start: datetime, zone: str, wh: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("fuzz") / "any.csv"
    path.write_text(f"start,kwh\n{start.isoformat()}{zone},{wh}\n", encoding="utf-8")
    with pytest.raises(MeterError):
        read_replay(path)
