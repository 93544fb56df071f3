"""What is listed of a fleet, and shown of one meter's day: who it is, the figures, what each mark means, and the picture."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from meters import SEED
from meters.device.special import SPECIALS, TWO_METERS, special_esiid
from meters.faults.kinds import KINDS, FaultKind, Layer, Span
from meters.fleet import Fleet
from meters.identity import TDSPS
from meters.load.premises import MARKET
from meters.load.truth import GeneratedLoad
from reports.commands.meters import list_meters, show_meter

DAY = date(2026, 8, 12)
ONCOR = TDSPS["ONCOR"]
FLEET = Fleet(ONCOR, SEED, 40, (), MARKET)
PLAIN, SOLAR = FLEET.premise(3).esiid, FLEET.premise(15).esiid
#: One at the ESI ID of each special, and the two at one.
MAGIC = {one.number: special_esiid(ONCOR, one.number) for one in SPECIALS}
TWO = special_esiid(ONCOR, TWO_METERS.number)

app = typer.Typer()
app.command("list")(list_meters)
app.command("show")(show_meter)


def said(*words: str, columns: int = 110) -> str:
    """What the command prints; it ends well, leaves no blanks behind and knows no colours when nobody looks."""
    done = CliRunner().invoke(app, words, env={"COLUMNS": str(columns)})
    assert done.exit_code == 0, done.exception or done.output
    assert "\x1b" not in done.output
    assert [line for line in done.output.splitlines() if line != line.rstrip()] == []
    return done.output


def shown(*words: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(said("show", *words, "--json"))
    return document


@pytest.fixture
def faults(tmp_path: Path) -> Path:
    file = tmp_path / "faults.yaml"
    file.write_text(
        "faults:\n"
        "  - {kind: gap, meter: 3, first: 2026-08-12T05:00, until: 2026-08-12T09:30}\n"
        "  - {kind: spike, meter: 3, first: 2026-08-12T14:00, until: 2026-08-12T14:15, factor: 40}\n"
        "  - {kind: dead, meter: 6, first: 2026-08-12T20:00}\n"
    )
    return file


def test_list_tells_what_is_special_about_each_premise(faults: Path) -> None:
    rows = {line.split()[1]: line for line in said("list", "--faults", str(faults)).splitlines()[1:]}
    assert rows[SOLAR].split()[-1] == f"{FLEET.premise(15).solar_w / 1000:.1f}"
    assert rows[PLAIN].endswith("gap, spike")
    assert rows[FLEET.premise(6).esiid].endswith("dead from 2026-08-12 20:00 on")


def test_list_special_names_every_magic_esiid_and_both_meters_of_the_shared_one() -> None:
    listed = said("list", "--special")
    for special in SPECIALS:
        assert f"{MAGIC[special.number]}  6{special.number:08d}  {special.note}" in listed
    assert listed.count(TWO) == 2


def test_json_lists_every_meter_on_a_line_of_its_own() -> None:
    text = said("list", "--count", "1200", "--json")
    assert len(text.splitlines()) == 1_202
    assert len({load["esiid"] for load in json.loads(text)["meters"]}) == 1_200


@pytest.mark.parametrize(("day", "count"), [("2026-08-12", 96), ("2026-03-08", 92), ("2026-11-01", 100)])
def test_show_gives_the_premises_load_and_registers_that_agree_with_it(day: str, count: int) -> None:
    document = shown(SOLAR, "--date", day)
    load = GeneratedLoad(SEED, FLEET.premise(15)).day(date.fromisoformat(day))
    held = document["intervals"]
    assert len(held) == count
    assert [one["delivered_wh"] for one in held] == load.delivered.tolist()
    assert [one["received_wh"] for one in held] == load.received.tolist()
    assert document["total"] == {"delivered_wh": load.delivered.sum(), "received_wh": load.received.sum()}
    assert document["total_by_registers"] == document["total"]
    assert document["highest"]["wh"] == load.delivered.max()


def test_show_tells_who_the_meter_is_and_when_it_used_most() -> None:
    text = said("show", SOLAR, "--date", "2026-08-12")
    assert f"ESI ID {SOLAR}, meter number 986954283, Oncor, meter 15 of 40, gateway 1, unit 15" in text
    assert "RESLOWR, zone NCENT, scale 0.35, split phase, multiplier 1, roof 4.4 kW" in text
    highest = shown(SOLAR, "--date", "2026-08-12")["highest"]
    assert f"{highest['wh']:,}                Wh " in text
    assert f" to {highest['end'][11:16]}, " in text


def test_show_finds_a_meter_of_the_seed_beyond_the_count_and_of_another_company() -> None:
    far = Fleet(ONCOR, SEED, 1, (), MARKET).premise(123_456).esiid
    told = said("show", far, "--date", "2026-08-12")
    assert "not one of the fleet of 40 meters" in told
    assert "look at its digits" in told
    texan = Fleet(TDSPS["CENTERPOINT"], SEED, 1, (), MARKET).premise(7).esiid
    assert "CenterPoint, meter 7 of 40" in said("show", f"'{texan}", "--date", "2026-08-12")


def test_show_tells_faults_and_what_the_premise_used_instead(faults: Path) -> None:
    words = ("show", PLAIN, "--date", "2026-08-12", "--faults", str(faults))
    text = said(*words)
    assert "18 of 96 without a value" in text
    assert "fault: gap 2026-08-12 05:00 to 09:30" in text
    assert "fault: spike (factor 40) 2026-08-12 14:00 to 14:15" in text
    document = shown(*words[1:])
    load = GeneratedLoad(SEED, FLEET.premise(3)).day(DAY)
    assert document["load"]["delivered_wh"] == load.delivered.sum() == document["total_by_registers"]["delivered_wh"]
    assert document["intervals"][56]["delivered_wh"] == 40 * load.delivered[56]
    assert [at for at, one in enumerate(document["intervals"]) if one["delivered_wh"] is None] == list(range(20, 38))
    assert [one["marks"] for one in document["intervals"] if one["marks"]] == [["stopped"]] * 18 + [["silent_fault"]]
    silent = said("show", FLEET.premise(6).esiid, *words[2:])
    assert "asked then, it does not answer" in silent


def test_of_many_faults_eight_are_told_and_a_look_alike_is_told_to_be_none(tmp_path: Path) -> None:
    file = tmp_path / "faults.yaml"
    gaps = (
        f"  - {{kind: gap, meter: 3, first: 2026-08-12T{hour:02}:00, until: 2026-08-12T{hour:02}:15}}"
        for hour in range(9)
    )
    peak = "{kind: peak, meter: 3, first: 2026-08-12T20:00, until: 2026-08-12T21:00, factor: 4}"
    file.write_text("\n".join(["faults:", *gaps, f"lookalikes: [{peak}]"]))
    told = said("show", PLAIN, "--date", "2026-08-12", "--faults", str(file)).splitlines()
    assert sum(line.startswith("fault: gap") for line in told) == 8
    at = told.index("and 1 faults more: --json tells all")
    assert told[at + 1] == "no fault: peak (factor 4, unread 0.1) at 2026-08-12 20:00"


@pytest.mark.parametrize("number", MAGIC)
def test_every_magic_esiid_can_be_shown(number: int) -> None:
    special = SPECIALS[number - 1]
    text = said("show", MAGIC[number], "--date", "2026-08-12")
    assert f"magic: {special.note}" in text
    for fault in special.faults:
        assert f"fault: {fault.kind}" in text


def test_an_exchange_and_a_wrong_multiplier_are_told() -> None:
    text = said("show", MAGIC[23], "--date", "2026-08-12")
    assert "meter number 500000023" in text
    assert "exchanged: 600000023 was here before" in text
    assert "register at 00:00     none held" in text
    assert "its header says multiplier 10" in said("show", MAGIC[22], "--date", "2026-08-12")


def test_the_two_meters_at_one_esiid_are_told_apart_by_number() -> None:
    first, second = (shown(TWO, "--date", "2026-08-12", "--meter", f"60000003{one}") for one in (2, 3))
    assert (first["meter_number"], first["other_meters"]) == ("600000032", ["600000033"])
    assert first["total"]["delivered_wh"] == pytest.approx(1.5 * second["total"]["delivered_wh"], rel=0.001)
    assert "another meter is at this ESI ID: --meter 600000033" in said("show", TWO, "--date", "2026-08-12")


#: Faults of the meter that its intervals tell of: a new meter holds none of before, a clock that is set jumps.
_SEEN = (FaultKind.EXCHANGE, FaultKind.CLOCK_SET)


@pytest.mark.parametrize("kind", [kind for kind in FaultKind if not KINDS[kind].has_other])
def test_a_fault_of_every_kind_can_be_shown(kind: FaultKind, tmp_path: Path) -> None:
    params = "".join(
        f", {name}: {max(parameter.least, 1):g}"
        for name, parameter in KINDS[kind].parameters.items()
        if parameter.default is None
    )
    params = params.replace("dials: 1", "dials: 6")
    if kind is FaultKind.OVERFLOW:
        params = ", limit: 50"
    file = tmp_path / "faults.yaml"
    span = "" if KINDS[kind].span is Span.ALWAYS else ", first: 2026-08-12T05:00, until: 2026-08-12T09:30"
    file.write_text(f"faults: [{{kind: {kind}, meter: 3{span}{params}}}]\n")
    words = (PLAIN, "--date", "2026-08-12", "--faults", str(file))
    document = shown(*words)
    assert [one["kind"] for one in document["faults"]] == [kind]
    marked = any(one["marks"] for one in document["intervals"])
    assert marked == (KINDS[kind].layer in (Layer.INTERVALS, Layer.POWER) or kind in _SEEN)
    assert f"fault: {kind}" in said("show", *words)


def test_a_replayed_load_is_the_first_meters_and_is_told(tmp_path: Path) -> None:
    file = tmp_path / "profile.csv"
    rows = [f"2026-08-12T{at // 4:02d}:{at % 4 * 15:02d},{100 + at}" for at in range(96)]
    file.write_text("start,wh\n" + "\n".join(rows) + "\n")
    first = FLEET.premise(1).esiid
    document = shown(first, "--date", "2026-08-12", "--replay", str(file))
    assert [one["delivered_wh"] for one in document["intervals"]] == list(range(100, 196))
    assert document["replayed"]
    assert "outdoors_c" not in document["intervals"][0]
    words = ("show", first, "--replay", str(file), "--date")
    assert "load replayed, a day of the file" in said(*words, "2026-08-12")
    assert "load replayed, a like day of the file" in said(*words, "2026-08-13")
    assert not shown(PLAIN, "--date", "2026-08-12", "--replay", str(file))["replayed"]
    assert said("list", "--replay", str(file)).splitlines()[1].endswith("load replayed")


def test_a_picture_is_drawn_the_same_every_time(tmp_path: Path, faults: Path) -> None:
    pictures = [tmp_path / "one.png", tmp_path / "two.png"]
    for picture in pictures:
        text = said("show", PLAIN, "--date", "2026-08-12", "--faults", str(faults), "--png", str(picture))
        assert text.splitlines()[-1] == f"picture: {picture}"
    assert pictures[0].read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    assert pictures[0].read_bytes() == pictures[1].read_bytes()
