"""Files that SMT's own writers made of a known world are read back to its intervals; a feed written by hand, to what is written in it."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest

from headend.vee.quality import Channel
from meters.calendar import interval_ends
from meters.identity import TDSPS
from meters.load.premises import make_premise
from simulator.ror.files.read import UsageFile, read_usage
from simulator.ror.usage import Quality
from simulator.smt.usage.store import StoredDay
from tests.simulator.ror.files.pages import FILE, FIRST, HOME, LAST, example
from tests.simulator.ror.files.written import as_exported, csv_of, days_of, feed_of, lse_of

SEED = 7
PREMISES = [make_premise(TDSPS["ONCOR"], SEED, at) for at in range(2)]
ROOF = replace(PREMISES[0], solar_w=6_000)
#: Both days of the clock's change, and an ordinary week.
SPANS = [date(2026, 3, 7), date(2025, 10, 31), date(2026, 8, 3)]
FORMS: dict[str, Callable[[Sequence[StoredDay]], bytes]] = {
    "SMT interval CSV (as delivered)": csv_of,
    "SMT interval CSV (portal export)": lambda stored: as_exported(csv_of(stored)),
    "Green Button": feed_of,
    "LSE": lse_of,
}


def read(folder: Path, content: bytes, esiid: str = "") -> UsageFile:
    path = folder / "usage"
    path.write_bytes(content)
    return read_usage(path, esiid)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("first", SPANS)
def test_what_smt_writes_is_read_back_to_its_intervals(tmp_path: Path, form: str, first: date) -> None:
    stored = days_of(ROOF, first, first + timedelta(days=3), SEED)
    stored[2].estimated[5:9] = True
    found = read(tmp_path, FORMS[form](stored))
    taken, given = ([day for day in stored if day.channel is channel] for channel in (Channel.LOAD, Channel.GENERATION))
    assert given
    assert (found.form, found.esiid, found.found) == (form, ROOF.esiid, ())
    assert found.record.ends.tolist() == [end for day in taken for end in interval_ends(day.day).tolist()]
    assert found.record.wh.tolist() == [wh for day in taken for wh in day.wh.tolist()]
    assert found.record.given.tolist() == [wh for day in given for wh in day.wh.tolist()]
    late = [one for day in taken for one in day.estimated.tolist()]
    assert (found.record.quality == Quality.VEE_ESTIMATED).tolist() == late


@pytest.mark.parametrize("form", FORMS)
def test_of_several_esiids_the_one_that_is_named_is_read(tmp_path: Path, form: str) -> None:
    both = [days_of(one, date(2026, 8, 3), date(2026, 8, 3), SEED)[0] for one in PREMISES[:2]]
    for mine in both:
        assert read(tmp_path, FORMS[form](both), f"'{mine.esiid}").record.wh.tolist() == mine.wh.tolist()


@pytest.mark.parametrize(
    "bent",
    [
        lambda text: b"\xef\xbb\xbf" + text,
        lambda text: text.replace(b"\n", b"\r\n"),
        lambda text: text.rstrip(b"\n"),
        lambda text: text.replace(b"\n", b"\n\n"),
        lambda text: b"\n".join(b",".join(b'"%b"' % cell for cell in row.split(b",")) for row in text.split(b"\n")),
        lambda text: text.replace(b",", b";"),
        lambda text: text.replace(b",", b"\t"),
        # A spreadsheet's own way with dates and times.
        lambda text: re.sub(rb", ?0(\d[:/])", rb",\1", text),
        lambda text: text.replace(b"ESIID", b"esiid"),
    ],
    ids=["BOM", "CRLF", "no last line end", "blank lines", "quotes", "semicolons", "tabs", "no leading zeros", "small letters"],
)  # fmt: skip
def test_a_csv_may_have_been_through_other_hands(tmp_path: Path, bent: Callable[[bytes], bytes]) -> None:
    stored = days_of(PREMISES[0], date(2026, 3, 7), date(2026, 3, 9), SEED)
    found = read(tmp_path, bent(csv_of(stored)))
    assert found.record.wh.tolist() == [wh for day in stored for wh in day.wh.tolist()]
    assert found.found == ()


def test_rows_in_another_order_are_the_same_but_in_the_repeated_hour(tmp_path: Path) -> None:
    stored = days_of(PREMISES[0], date(2025, 11, 3), date(2025, 11, 5), SEED)
    header, *rows = csv_of(stored).splitlines(keepends=True)
    np.random.default_rng(1).shuffle(rows)
    found = read(tmp_path, b"".join([header, *rows]))
    assert found.record.wh.tolist() == [wh for day in stored for wh in day.wh.tolist()]


def test_a_file_put_behind_itself_says_the_same_in_the_repeated_hour_too(tmp_path: Path) -> None:
    stored = days_of(PREMISES[0], date(2025, 11, 1), date(2025, 11, 3), SEED)
    header, *rows = csv_of(stored).splitlines(keepends=True)
    found = read(tmp_path, b"".join([header, *rows, *rows]))
    assert found.record.wh.tolist() == [wh for day in stored for wh in day.wh.tolist()]
    assert [(one.code, one.count, one.place) for one in found.found] == [("ror.file.twice", 292, "usage:294")]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("backwards", [False, True])
def test_a_later_revision_takes_the_place_of_an_earlier_one(tmp_path: Path, form: str, backwards: bool) -> None:
    day = date(2025, 11, 2)
    first = days_of(PREMISES[0], day, day, SEED)[0]
    second = replace(first, wh=first.wh + 3, loaded_at=first.loaded_at + 86_400, posted_at=first.posted_at + 86_400)
    found = read(tmp_path, FORMS[form]([second, first] if backwards else [first, second]))
    assert found.record.wh.tolist() == second.wh.tolist()
    assert [(one.code, one.count) for one in found.found] == [("ror.file.superseded", 100)]


def test_a_feed_written_by_hand_says_what_is_written_in_it() -> None:
    found = read_usage(Path(__file__).parent / "golden" / "hand.xml")
    assert found.esiid == "10443720000000017"
    # 01:00, 01:15 and, an hour later, 01:00 again.
    assert found.record.ends.tolist() == [1762064100, 1762065000, 1762067700]
    assert found.record.wh.tolist() == [250, 260, 310]
    assert found.record.given.tolist() == [0, 170, 0]
    assert (found.record.quality == Quality.VEE_ESTIMATED).tolist() == [False, True, False]
    told = {one.code: (one.place, one.count) for one in found.found}
    assert told == {
        "ror.file.quarter": ("hand.xml:29", 1),
        "ror.file.number": ("hand.xml:31", 1),
        "ror.file.negative": ("hand.xml:30", 1),
        "ror.file.gap": ("hand.xml", 1),
    }


def test_the_file_of_the_docs_is_the_home_that_it_is_made_of() -> None:
    assert FILE.read_bytes() == example()
    found = read_usage(FILE)
    assert (found.esiid, found.found) == (HOME.esiid, ())
    assert len(found.record.ends) == 96 * ((LAST - FIRST).days + 1)
