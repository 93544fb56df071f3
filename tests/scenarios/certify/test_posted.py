"""What is seen of what a head-end posts: each id holds for sound files, and fails for one thing in them that contradicts it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest

from headend.lse.reader import read
from meters.calendar import day_start, epoch, iso, seconds
from scenarios.actions.outside.await_files import AwaitFiles, RecordedFiles
from scenarios.certify.headend.posted import SEEN
from scenarios.certify.judged import result_of
from scenarios.certify.observed import Observed, Step
from scenarios.certify.statement import load
from scenarios.certify.strangers import FOLDER
from scenarios.parts.expected import Expectation
from scenarios.rules.certified import of_role
from simulator.input.vee_preset import chosen_preset, shipped
from simulator.verdicts import Mark
from tests.headend.vee.days import R0, columns, estimated

IDS = ("10443720000000017", "10443720000000024")
DUNS, MADE, AGAIN = "1039940674000", epoch("2026-08-13T06:05:00-05:00"), epoch("2026-08-14T06:05:00-05:00")
DAY = date(2026, 8, 12)
Rows = list[list[str]]


def ends(day: date) -> list[int]:
    return list(range(day_start(day) + 900, day_start(day + timedelta(days=1)) + 1, 900))


def wh(esiid: str, end: int) -> int:
    return (end // 900 * 7 + int(esiid[-2:])) % 400


def truth(day: date) -> dict[str, dict[int, tuple[int, int]]]:
    held: dict[str, dict[int, tuple[int, int]]] = {}
    for esiid in IDS:
        register = 1_000_000
        for end in ends(day):
            register += wh(esiid, end)
            held.setdefault(esiid, {})[end] = (wh(esiid, end), register)
    return held


#: Two quarter hours of the first ESI ID are known a day later.
LATE = {(IDS[0], end): AGAIN - 3600 for end in ends(DAY)[40:42]}


def record(esiid: str, day: date = DAY, made: str = "20260813060500", *, known: bool = False) -> Rows:
    """A sound record, a row a list."""
    late = () if known else {end for whose, end in LATE if whose == esiid}
    values = [
        one
        for end in ends(day)
        for one in (f"{(100 if end in late else wh(esiid, end)) / 1000:.3f}", "E" if end in late else "A", "")
    ]
    last = truth(day)[esiid][ends(day)[-1]][1]
    return [
        ["00000001", esiid, "4", f"{day:%Y%m%d}000000", f"{day:%Y%m%d}235900", "Y", "N"],
        ["00000002", "1000.000", f"{last / 1000:.3f}", "1", "0", "1", "0", "900", "01", "", "", "", ""],
        ["00000003", ""],
        ["00000004", made, "M"],
        ["10000000", *values],
    ]  # fmt: skip


def answer(line: int, code: str = "00") -> dict[str, Any]:
    return {"line": line, "esiid": "", "channel": "", "day": "", "code": code, "text": "it", "warnings": ""}


def file(*records: Rows, code: str = "00", number: int = 1, prefix: str = "", at: int = MADE) -> dict[str, Any]:
    lines = [",".join(row) for one in records for row in one]
    starts = [at for at, line in enumerate(lines, 1) if line.startswith("00000001")]
    answers = [answer(at, code) for at in starts]
    name = f"{prefix}{DUNS}IntervalData20260813060500{number:03}.lse"
    return {"at": iso(seconds(at)), "name": name, "content": "\n".join(lines) + "\n", "answers": answers}


def both(**what: Any) -> list[Rows]:
    return [record(esiid, **what) for esiid in IDS]


def corrected(**what: Any) -> dict[str, Any]:
    return file(record(IDS[0], made="20260814060500", known=True), number=2, at=AGAIN, **what)


def seen(*files: dict[str, Any], day: date = DAY) -> Observed:
    action = AwaitFiles(do="await_files", at="2026-08-13T06:05", ref="it", day=day, expect=Expectation())
    came = {"at": iso(MADE), "until": iso(AGAIN), "day": day.isoformat(), "duns": DUNS, "esiids": list(IDS)}
    left = RecordedFiles.model_validate(came | {"files": list(files), "most_wh": dict.fromkeys(IDS, 12_000)})
    played = SimpleNamespace(scenario=SimpleNamespace(timeline=[action]), actions={"it": left})
    brought = SimpleNamespace(n=1, ask={}, wire="ftps")
    wires = SimpleNamespace(actions={"it": [brought]}, chain=SimpleNamespace(exchanges=1, head=""))
    step = Step("step", "A step", cast(Any, played), cast(Any, wires))
    return Observed((step,), {"bears": {}}, truth(day), late=LATE, given={IDS[1]: {ends(day)[50]: 250}})


def marks(ident: str, *files: dict[str, Any], day: date = DAY) -> list[bool | None]:
    return [one.held for one in SEEN[ident](seen(*files, day=day))]


def bent(row: int, at: int, value: str, of: int = 0) -> list[Rows]:
    """Sound records, of one of which a field is otherwise."""
    its = both()
    its[of][row][at] = value
    return its


def without(first: int, count: int) -> list[Rows]:
    its = both()
    del its[0][4][first : first + count]
    return its


def in_wh() -> list[Rows]:
    its = both()
    its[0][4][1::3] = [f"{float(value) * 1000:.3f}" for value in its[0][4][1::3]]
    return its


def of_given(esiid: str, wh: int, grows: int | None = None) -> Rows:
    """What a premise gives, in one quarter hour. grows: by how much its register does, where that is otherwise."""
    its = record(esiid)
    its[0][2] = "1"
    its[1][1:3] = ["77.000", f"{77 + (wh if grows is None else grows) / 1000:.3f}"]
    its[4][1:] = [one for at in range(96) for one in (f"{wh / 1000 * (at == 50):.3f}", "A", "")]
    return its


#: What the registers leave for the first of two estimates, Wh, where the second is 100.
LEFT_WH = sum(wh(*one) for one in LATE) - 100


def estimating(first_wh: int, *, readings: bool = True, times: str = "1") -> list[Rows]:
    """Sound records, of the first of which an estimate is otherwise."""
    its = bent(4, 1 + 3 * 40, f"{first_wh / 1000:.3f}")
    its[0][1][1:4] = [*(its[0][1][1:3] if readings else ["", ""]), times]
    return its


SPRING = date(2026, 3, 8)


@pytest.mark.parametrize(
    ("ident", "wrong"),
    [
        ("LSE-POSTED", [file(*both()[:1])]),
        ("LSE-POSTED", [file(*bent(0, 2, "1"))]),
        ("LSE-NAME", [file(*both(), prefix="day-")]),
        ("LSE-WHOSE", [file(*bent(0, 1, "10443720000000000"))]),
        ("LSE-DAY", [file(*without(1, 3))]),
        ("LSE-ONCE", [file(*both(), record(IDS[0]))]),
        ("LSE-UNIT", [file(*in_wh())]),
        ("LSE-LOADED", [file(*both(), code="04")]),
        ("LSE-TRUTH", [file(*bent(4, 1, "0.999"))]),
        ("LSE-ESTIMATED", [file(*bent(4, 2 + 3 * 40, "A"))]),
        ("LSE-ESTIMATED", [file(*bent(4, 2, "E"))]),
        ("LSE-ESTIMATED", [file(*bent(4, 1 + 3 * 40, "12.001"))]),
        ("LSE-ESTIMATED", [file(*estimating(LEFT_WH + 2001))]),
        ("LSE-TRUTH", [file(*both(), of_given(IDS[0], 250))]),
        ("LSE-TRUTH", [file(*both(), of_given(IDS[1], 0))]),
        ("LSE-READINGS", [file(*both(), of_given(IDS[1], 250, grows=249))]),
        ("LSE-READINGS", [file(*bent(1, 3, "80"))]),
        ("LSE-READINGS", [file(*bent(1, 1, "999.999"))]),
        ("LSE-READINGS", [file(*bent(1, 2, "9999.000"))]),
        ("LSE-LATER", [file(*both()), file(record(IDS[0], known=True), number=2, at=AGAIN)]),
        ("LSE-REVISED", [file(*both())]),
    ],
)
def test_an_id_holds_for_sound_files_and_fails_for_what_contradicts_it(ident: str, wrong: list[dict[str, Any]]) -> None:
    assert set(marks(ident, file(*both()), corrected())) == {True}
    assert False in marks(ident, *wrong)


@pytest.mark.parametrize(
    "written",
    [
        lambda text: f"\ufeff{text}",
        lambda text: text.replace("\n", "\r\n"),
        lambda text: text.replace("00000001,", " 00000001 ,").replace("10000000,", "20000000,"),
        lambda text: text.replace("0.100,E", ".1,E").replace("0.000,A", "0.,A"),
        lambda text: "\n\n" + text,
    ],
)
def test_a_file_is_read_as_smt_reads_it(written: Callable[[str], str]) -> None:
    sound, otherwise = [file(*both()), corrected()], list[dict[str, Any]]()
    for one in sound:
        before, its = (read(text.encode(), one["name"]).records for text in (one["content"], written(one["content"])))
        assert [each.wh.tolist() for each in its] == [each.wh.tolist() for each in before]
        answers = [answer | {"line": each.line} for answer, each in zip(one["answers"], its, strict=True)]
        otherwise.append(one | {"content": written(one["content"]), "answers": answers})
    for ident in SEEN:
        assert marks(ident, *otherwise) == marks(ident, *sound)
        assert False not in marks(ident, *otherwise)


@pytest.mark.parametrize("readings", [True, False])
def test_what_is_estimated_is_what_the_registers_leave_within_what_the_market_lets_pass(readings: bool) -> None:
    for first_wh, held in ((LEFT_WH, True), (LEFT_WH + 2000, True), (LEFT_WH + 2001, False)):
        assert marks("LSE-ESTIMATED", file(*estimating(first_wh, readings=readings))) == [held, True]
    # A multiplier that its readings deny lets nothing more pass.
    assert marks("LSE-ESTIMATED", file(*estimating(LEFT_WH + 2001, readings=readings, times="80"))) == [False, True]
    # Nor may it leave out what the registers have grown by.
    late, its = {(IDS[0], end): AGAIN for end in ends(DAY)[40:60]}, both()
    left_wh = sum(wh(*one) for one in late)
    for short, held in ((2000, True), (2001, False)):
        first_kwh = f"{(left_wh - short) / 1000:.3f}"
        its[0][4][1 + 3 * 40 : 1 + 3 * 60] = [first_kwh, "E", "", *["0.000", "E", ""] * 19]
        all_of_it = replace(seen(file(*its)), late=late)
        assert [one.held for one in SEEN["LSE-ESTIMATED"](all_of_it)] == [held, True]
    # Who has not the register of a midnight yet knows no more than what the service carries.
    late = {(IDS[0], end): AGAIN for end in ends(DAY)[40:]}
    its = both()
    its[0][4][1:] = [*its[0][4][1 : 1 + 3 * 40], *["9.000", "E", ""] * 56]
    all_of_it = replace(seen(file(*its)), late=late)
    assert [one.held for one in SEEN["LSE-ESTIMATED"](all_of_it)] == [True, True]


@pytest.mark.parametrize("preset", sorted(shipped()))
@pytest.mark.parametrize(("first", "last"), [(56, 64), (0, 3), (30, 70), (1, 95)])
def test_every_ladder_of_ours_estimates_what_the_registers_leave(preset: str, first: int, last: int) -> None:
    held, own = truth(DAY)[IDS[0]], ends(DAY)
    present = [[not first <= at < last for at in range(96)]]
    wh = [held[end][0] for end in own]
    day = columns([value if there else 0 for value, there in zip(wh, present[0], strict=True)], present=present, r1=[R0 + sum(wh)])  # fmt: skip
    made = estimated(day, chosen_preset(preset), on=DAY).wh[0].tolist()
    late = {(IDS[0], end): AGAIN for end in own[first:last]}
    its = record(IDS[0])
    its[4][1:] = [one for end, told in zip(own, made, strict=True) for one in (f"{told / 1000:.3f}", "E" if (IDS[0], end) in late else "A", "")]  # fmt: skip
    all_of_it = replace(seen(file(its)), late=late)
    assert [one.held for one in SEEN["LSE-ESTIMATED"](all_of_it)] == [True]


def test_a_day_on_which_clocks_change_has_as_many_intervals_as_it_has() -> None:
    its = [record(esiid, SPRING) for esiid in IDS]
    assert set(marks("LSE-DST", file(*its), day=SPRING)) == {True}
    assert marks("LSE-DAY", file(*its), day=SPRING) == []
    its[0][4] += ["0.100", "A", ""] * 4
    assert False in marks("LSE-DST", file(*its), day=SPRING)


def test_what_is_told_by_itself_is_told_by_no_other_id() -> None:
    short, stranger = file(*without(1, 3), code="03"), file(*bent(0, 1, "10443720000000000"), code="01")
    assert marks("LSE-LOADED", short) == [None]
    assert marks("LSE-LOADED", stranger) == [None]
    assert marks("LSE-POSTED", stranger) == [None]
    for ident in ("LSE-TRUTH", "LSE-ESTIMATED", "LSE-READINGS", "LSE-UNIT"):
        assert False not in marks(ident, short)
    assert False not in marks("LSE-TRUTH", file(*in_wh()))


def test_what_a_premise_gives_is_held_against_what_its_meter_has_of_that() -> None:
    its = [file(*both(), of_given(IDS[1], 250)), corrected()]
    for ident in ("LSE-TRUTH", "LSE-READINGS", "LSE-ESTIMATED"):
        assert set(marks(ident, *its)) == {True}


@pytest.mark.parametrize(
    ("ident", "wrong", "said"),
    [
        ("LSE-TRUTH", file(*both(), record(IDS[0], date(2026, 7, 23))), "is loaded, and nobody knows what the meter holds"),
        ("LSE-TRUTH", file(*both()) | {"answers": [answer(11)]}, "line 11 of"),
    ],
)  # fmt: skip
def test_what_smt_has_loaded_and_nobody_can_compare_leaves_an_id_open(
    ident: str, wrong: dict[str, Any], said: str
) -> None:
    statement = load(FOLDER / "headend.yaml")
    for files, mark in (([file(*both())], Mark.PASSED), ([wrong], Mark.INCONCLUSIVE)):
        found = result_of(statement, seen(*files))
        (one,) = (one for one in found["ids"] if one["id"] == ident)
        assert one["mark"] == mark, one
    assert said in one["said"]
    assert one["seen"] > 0


def left_out(*fields: int, of: int = 0) -> list[Rows]:
    """Sound records, of one of which readings are left out: 1, that of the beginning, 2, that of the end."""
    its = both()
    for at in fields:
        its[of][1][at] = ""
    return its


def test_a_reading_may_be_left_out_as_the_format_lets_it_and_shows_nothing() -> None:
    taken = read(file(*left_out(1, 2))["content"].encode(), file()["name"])
    assert (len(taken.records), taken.findings) == (2, ())
    assert marks("LSE-READINGS", file(*left_out(1, 2))) == [None, True]
    # The other one is held all the same.
    assert marks("LSE-READINGS", file(*left_out(1))) == [True, True]
    for gone, there in ((1, 2), (2, 1)):
        its = left_out(gone)
        its[0][1][there] = "9999.000"
        assert marks("LSE-READINGS", file(*its)) == [False, True]
    its = left_out(1, 2)
    its[1][1][1:3] = ["", ""]
    statement = load(FOLDER / "headend.yaml")
    for records, mark in ((left_out(1, 2), Mark.PASSED), (its, Mark.SKIPPED)):
        found = result_of(statement, seen(file(*records)))
        (one,) = (one for one in found["ids"] if one["id"] == "LSE-READINGS")
        assert one["mark"] == mark
    assert "one is left out, as the format lets it be" in one["said"]


def test_what_is_no_file_at_all_breaks_nothing() -> None:
    for content in (
        "",
        "\n\n",
        "00000001",
        "00000001,,,,\n10000000,x\n",
        "\x00,1\n",
        "00000001,1,4,2026\n00000002,a,b\n",
    ):
        its = file() | {"content": content}
        for ident in SEEN:
            marks(ident, its)


def test_each_id_of_a_posting_is_named_by_a_mutant() -> None:
    table = json.loads((FOLDER / "poster_faults.json").read_text("utf-8"))
    assert {ident for row in table.values() for ident in row["fails"]} == set(SEEN)
    assert set(SEEN) == {one.id for one in of_role("headend") if one.claim == "LSE"}
