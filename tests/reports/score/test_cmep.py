"""CMEP, written and read: a file written by hand from the protocol, and what is no record of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from meters.calendar import epoch
from meters.errors import UserError
from reports.score import cmep

#: Two quarter hours raw, one without a value; a vendor's digits behind a flag; a time that is left out; what was received in Wh; a register.
BY_HAND = """\
MEPMD01,19970819,ONCOR,10443720000000001,VEE,,202607150500,101,OK,E,KWH,1.0,00000015,3,202607140515,R,0.250,202607140530,N,,202607140545,E128,0.3
mepmd01,20080519,ONCOR,,VEE,10443720000000001,202607150500,101,OK,E,GWH,2,00000015,2,202607140515,,7,,A,-1.5

MEPMD01,20080519,ONCOR,10443720000000001,VEE,,202607150500,101,OK,E,KWHREG,1.0,,1,202607140500,R,90071.25
"""


def test_a_file_written_by_hand_is_read_as_the_protocol_says(tmp_path: Path) -> None:
    (tmp_path / "a.cmep").write_text(BY_HAND)
    rows = cmep.read(tmp_path / "a.cmep").to_pylist()
    # 05:15 UTC ends the day's first quarter hour, which begins at local midnight.
    at = epoch("2026-07-14T00:00")
    assert [(row["channel"], row["start"].timestamp() - at, row["wh"], row["status"]) for row in rows] == [
        (4, 0, 250.0, "A"),
        (4, 1800, 300.0, "E"),
        (1, 0, 14.0, "A"),
        (1, 900, -3.0, "E"),
    ]
    assert {row["esiid"] for row in rows} == {"10443720000000001"}
    assert cmep.is_cmep(tmp_path / "a.cmep")


def test_what_is_written_has_the_protocols_fields_and_is_read_again(tmp_path: Path) -> None:
    at = epoch("2026-07-14T00:15")
    series = [
        cmep.Series("10443720000000001", "101", "KWH", [at, at + 900], [250, None]),
        cmep.Series("10443720000000001", "101", "KWHREG", [at - 900], [90_071_250]),
    ]
    text = "".join(cmep.lines("ONCOR", epoch("2026-07-15T00:00"), series))
    assert text == (
        "MEPMD01,19970819,ONCOR,10443720000000001,,,202607150500,101,OK,E,KWH,1.0,00000015,2,202607140515,R,0.250,202607140530,N,\n"
        "MEPMD01,19970819,ONCOR,10443720000000001,,,202607150500,101,OK,E,KWHREG,1.0,,1,202607140500,R,90071.250\n"
    )
    (tmp_path / "a.cmep").write_text(text)
    assert [(row["wh"], row["status"]) for row in cmep.read(tmp_path / "a.cmep").to_pylist()] == [(250.0, "A")]


def test_letters_that_are_no_utf_8_are_none_of_a_field_that_counts(tmp_path: Path) -> None:
    (tmp_path / "a.cmep").write_bytes(BY_HAND.replace("ONCOR", "Énergie").encode("latin-1"))
    (tmp_path / "b.cmep").write_text(BY_HAND)
    assert cmep.read(tmp_path / "a.cmep") == cmep.read(tmp_path / "b.cmep")
    (tmp_path / "a.cmep").write_bytes(BY_HAND.replace(",R,0.250", ",É,0.250").encode("latin-1"))
    with pytest.raises(UserError, match="flag '\ufffd' is none of"):
        cmep.read(tmp_path / "a.cmep")


HEAD = "MEPMD01,19970819,S,1,,,202607150500,101,OK,E,{unit},{constant},{interval},{count},"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("MEPAD01,19970912,S", "no MEPMD01 record"),
        (HEAD.format(unit="THERM", constant="", interval="", count=0), "unit 'THERM' is none of KWH"),
        (HEAD.format(unit="KWH", constant="", interval="00000100", count=0), "interval '00000100' is not 15 minutes"),
        (HEAD.format(unit="KWH", constant="", interval="", count=2) + "202607140515,R,1", "count '2' is not that"),
        (HEAD.format(unit="KWH", constant="", interval="", count=1) + ",R,1", "first value has no time"),
        (HEAD.format(unit="KWH", constant="", interval="", count=1) + "202607140515,V,1", "flag 'V' is none of"),
        (HEAD.format(unit="KWH", constant="", interval="", count=1) + "20260714,R,1", "20260714"),
        (
            HEAD.format(unit="KWH", constant="", interval="", count=1) + '202607140515,R,"' + "1" * 140_000,
            "field limit",
        ),
        (HEAD.format(unit="KWH", constant="x", interval="", count=1) + "202607140515,R,1", "'x'"),
    ],
)
def test_what_is_no_record_is_refused_with_its_line(tmp_path: Path, line: str, said: str) -> None:
    (tmp_path / "a.cmep").write_text(BY_HAND + line + "\n")
    with pytest.raises(UserError, match=said) as caught:
        cmep.read(tmp_path / "a.cmep")
    assert caught.value.place == f"{tmp_path / 'a.cmep'}, line 5"
