"""Names of LSE files, and the result files that answer them."""

from __future__ import annotations

from itertools import islice

import pytest

from headend.lse import writer as lse
from headend.lse.writer import Severity
from headend.ports import HeadEndError
from tests.headend.lse.test_lse import DUNS, ESIID, NAME, POSTED, _only, _record


def test_file_name_has_duns_local_time_and_counter() -> None:
    assert lse.file_name(DUNS, POSTED, 1) == NAME
    assert lse.file_name("957877905", POSTED, 42) == "957877905IntervalData20260813073000042.lse"


def test_names_count_up_and_go_on_in_the_next_second() -> None:
    names = list(islice(lse.file_names(DUNS, POSTED, 2998), 1004))
    assert [names[at] for at in (0, 1, 2, 999, 1000, 1003)] == [
        lse.file_name(DUNS, POSTED + second, counter)
        for second, counter in ((0, 998), (0, 999), (0, 0), (0, 997), (1, 998), (1, 1))
    ]


@pytest.mark.parametrize(("duns", "counter"), [("12345", 1), ("１２３４５６７８９", 1), (DUNS, 1000), (DUNS, -1)])
def test_file_name_refuses_a_bad_duns_or_counter(duns: str, counter: int) -> None:
    with pytest.raises(HeadEndError):
        lse.file_name(duns, POSTED, counter)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("usage.txt", "must contain .lse"),
        ("usagecsv.lse", "must not contain csv"),
        ("usage.lse.CSV", "must not contain csv"),
        ("usage.lse", "has other parts"),
        (f"{NAME}.lse", "has other parts"),
        (f"{DUNS}IntervalData20260813073000A01.lse", "has other parts"),
        (f"{DUNS}IntervalData2026081307300001.lse", "has 16 digits of time and counter instead of 14 and 3"),
        (f"{DUNS}IntervalData202608130730000001.lse", "has 18 digits of time and counter instead of 14 and 3"),
        ("1234567890IntervalData20260813073000001.lse", "has a DUNS number of 10 digits instead of 9 or 13"),
        (f"{DUNS}IntervalData20261313073000001.lse", "has 20261313073000 for a time"),
        (f"{DUNS}IntervalData２０２６0813073000001.lse", "has other parts"),
    ],
)
def test_a_name_that_breaks_the_format_is_an_error_that_names_the_part(name: str, said: str) -> None:
    finding = _only(lse.read(lse.dumps([_record()]), name))
    assert (finding.code, finding.field, finding.severity) == ("F2", "file name", Severity.ERROR)
    assert said in finding.message


@pytest.mark.parametrize("duns", [DUNS, "957877905"])
def test_a_name_of_our_own_making_is_right(duns: str) -> None:
    assert lse.read(lse.dumps([_record()]), lse.file_name(duns, POSTED, 999)).findings == ()


def test_result_file_round_trip() -> None:
    rows = [
        lse.ResultRow(1, ESIID, "4", "2026-08-12", "00", lse.RESULT_CODES["00"], "origin: 'X' should be M (line 4)"),
        lse.ResultRow(6, ESIID, "1", "", "02", 'bad format, "quoted"\nover two lines'),
    ]
    name, content = lse.result_csv(NAME, rows)
    assert name == NAME + ".result.csv"
    assert content.startswith(b"line,esiid,channel,operating_day,code,text,warnings\n")
    assert lse.read_result_csv(content) == rows


def test_what_a_result_quotes_of_garbage_breaks_no_row() -> None:
    row = lse.ResultRow(1, "1044\r37\0", "4", "", "01", "'\r\n' is no\rESI ID")
    (read,) = lse.read_result_csv(lse.result_csv(NAME, [row])[1])
    assert (read.esiid, read.text) == ("1044 37 ", "' \n' is no ESI ID")


def test_a_result_file_of_a_site_that_gives_no_warnings_is_read() -> None:
    content = b"line,esiid,channel,operating_day,code,text\n1,%s,4,2026-08-12,00,loaded\n" % ESIID.encode()
    assert lse.read_result_csv(content) == [lse.ResultRow(1, ESIID, "4", "2026-08-12", "00", "loaded")]


@pytest.mark.parametrize("content", [b"", b"a,b\n", b"line,esiid,channel,operating_day,code,text\nx,,,,,\n"])
def test_malformed_result_file_is_a_user_error(content: bytes) -> None:
    with pytest.raises(HeadEndError) as raised:
        lse.read_result_csv(content)
    assert raised.value.code == "headend.lse.result_malformed"
