"""A statement: its published schema, every mistake with line and mend, and no secret in it."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema_rs
import pytest
import yaml

from scenarios.certify.statement import looked_at, schema
from scenarios.certify.strangers import FOLDER
from tests.scenarios.pages import STATEMENT_SCHEMA
from tests.simulator.ror.billing.pages import schema_text

SOUND = """role: headend
name: ours
version: "1"
contact: a@example.org
endpoints: {inquiries: "http://127.0.0.1:{port}"}
claims: [INTERVALS]
"""
SERVES = "{esiid: '10443720000000017', meter_number: '1'}\n"
HEAD, ROW = "esiid,end,wh,register_wh", "10443720000000017,2026-08-09T00:15-05:00,1,1"


def told(tmp_path: Path, text: str) -> list[tuple[str, int | None, str]]:
    path = tmp_path / "sut.yaml"
    path.write_text(text, "utf-8")
    said, mistakes = looked_at(path)
    assert (said is None) is bool(mistakes)
    return [(one.error.code, one.line, f"{one.error.message} {one.error.mend}") for one in mistakes]


def test_the_published_schema_is_the_models_and_takes_the_shipped_statements() -> None:
    assert STATEMENT_SCHEMA.read_text("utf-8") == schema_text(schema()), "python -m tests.scenarios.pages"
    valid = jsonschema_rs.validator_for(json.loads(STATEMENT_SCHEMA.read_text("utf-8")))
    for path in FOLDER.glob("*.yaml"):
        assert looked_at(path)[1] == []
        assert valid.is_valid(yaml.safe_load(path.read_text("utf-8"))), path


@pytest.mark.parametrize(
    ("more", "line", "said"),
    [
        ("start: {argv: [a, '{prot}']}", 7, "Did you mean port?"),
        ("tolerances: {answer_s: 99}", 7, "at most 15"),
        ("keys: {smt: AMI_SMT, headend: not a name}", 7, "Write the name, never the value"),
        ("serves: [{esiid: '10443720000000017', meter_number: '1'}]", None, "Add 'truth: FILE'"),
        ("clock: wall", 7, "It is a meter whose clock is told so"),
        ("clock: moved", 7, "It is an SMT whose clock is told so"),
        ("time: wall", 7, "Write 'clock: wall' in its place"),
        ("time: ours", 7, "Write 'clock: asked' in its place"),
        ("clock: stands", 7, "Write 'clock: asked'"),
        ("clock: {speed: 0}", 7, "at least 0.1"),
        ("tolerances: {clock_s: 181}", 7, "at most 180"),
        ("tests: 1", 7, "There is no field 'tests' here."),
    ],
)
def test_a_mistake_is_told_with_line_and_mend(tmp_path: Path, more: str, line: int | None, said: str) -> None:
    ((code, at, text),) = told(tmp_path, SOUND + more)
    assert (code, at) == ("certify.malformed", line or at)
    assert said in text


def test_what_does_not_fit_together_is_told_at_its_line(tmp_path: Path) -> None:
    ((_, six, claims),) = told(tmp_path, SOUND.replace("[INTERVALS]", "[INTERVALL]"))
    assert six == 6
    two = told(tmp_path, SOUND.replace("[INTERVALS]", "[DST, EVENTS]") + "clock: wall\nserves:\n  - " + SERVES)
    assert [(line, text[:17]) for _, line, text in two] == [
        (6, "Meters of its own"),
        (7, "It is a meter who"),
        (8, "Nobody knows what"),
    ]
    assert "Did you mean INTERVALS?" in claims
    ((_, _, twice),) = told(tmp_path, SOUND.replace("[INTERVALS]", "[DST, DST]"))
    assert "claimed twice" in twice
    ((_, _, nowhere),) = told(tmp_path, SOUND.replace("endpoints", "#"))
    assert "inquired of" in nowhere
    own = "serves: [{esiid: '10443720000000017', meter_number: '1'}]\ntruth: t.csv\n"
    ((_, _, events),) = told(tmp_path, SOUND.replace("[INTERVALS]", "[EVENTS]") + own)
    assert "tell us no event" in events
    ror = "role: ror\nname: a\nversion: '1'\ncontact: a\nclaims: [BALANCE]\nstart: {argv: [a]}\n"
    ((_, _, each),) = told(tmp_path, ror)
    assert "each: step" in each


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "It cannot be read: No such file"),
        ("esiid,end\n", "It has no row of 10443720000000017"),
        (f"{HEAD}\n{ROW}\n10443720000000017,2026-08-09T00:30-05:00,x,1\n", "line 3 lacks a sound"),
        (f"{HEAD}\n{ROW.replace('17,', '18,')}\n", "It has no row of 10443720000000017"),
    ],
)
def test_the_file_of_what_its_meters_hold_is_looked_into(tmp_path: Path, content: str | None, said: str) -> None:
    path = tmp_path / "sut.yaml"
    path.write_text(SOUND + "serves:\n  - " + SERVES + "truth: t.csv\n", "utf-8")
    assert looked_at(path)[1] == []
    if content is not None:
        (tmp_path / "t.csv").write_text(content, "utf-8")
    (told,) = looked_at(path, files=True)[1]
    assert (told.error.code, told.line) == ("certify.truth", 9)
    assert said in told.error.message
    assert "t.csv" in told.error.message
    assert "esiid,end,wh,register_wh" in told.error.mend
    (tmp_path / "t.csv").write_text(f"{HEAD}\n{ROW}\n", "utf-8")
    assert looked_at(path, files=True)[1] == []


METER = """role: meter
name: ours
version: "1"
contact: a@example.org
endpoints: {modbus: "tcp://127.0.0.1:{port}"}
serves: [{esiid: "10443720000000017", meter_number: "17", unit: 1}]
claims: [INTERVALS]
"""


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("tcp://127.0.0.1:{port}", "http://127.0.0.1:1", "Write it as tcp://127.0.0.1:502"),
        ("tcp://127.0.0.1:{port}", "tcp://127.0.0.1", "Write it as tcp://127.0.0.1:502"),
        ("tcp://127.0.0.1:{port}", "tcp://127.0.0.1:99999", "Write it as tcp://127.0.0.1:502"),
        ("tcp://127.0.0.1:{port}", "tcp://127.0.0.1:502/x", "Write it as tcp://127.0.0.1:502"),
        ("endpoints:", "#", "read by Modbus TCP"),
        ("serves:", "#", "A meter is certified alone"),
        ("unit: 1", "unit: 248", "at most 247"),
        ("INTERVALS", "STORE-FIRST", "nothing to claim that is called STORE-FIRST"),
        ("claims:", "clock: from_now\nclaims:", "Write 'each: step' and a command"),
        ("claims:", "tolerances: {clock_s: 999}\nclaims:", "at most 180"),
    ],
)
def test_a_mistake_in_a_meters_statement_is_told(tmp_path: Path, old: str, new: str, said: str) -> None:
    assert told(tmp_path, METER) == []
    ((code, _, text),) = told(tmp_path, METER.replace(old, new))
    assert code == "certify.malformed"
    assert said in text


@pytest.mark.parametrize(
    "secret",
    [
        "start: {argv: [run, --password=tiger]}",
        "start: {argv: [run, --db-password, tiger]}",
        "truth: http://me:tiger@example.org/x",
        "contact2: 'token: tiger'",
    ],
)
def test_a_secret_that_is_written_out_is_refused_and_shown_nowhere(tmp_path: Path, secret: str) -> None:
    path = tmp_path / "sut.yaml"
    path.write_text(SOUND + secret, "utf-8")
    mistakes = looked_at(path)[1]
    assert "certify.secret" in [one.error.code for one in mistakes]
    assert "tiger" not in json.dumps([one.to_json() for one in mistakes if one.error.code == "certify.secret"])


@pytest.mark.parametrize("text", ["[1]", "a: b: c", ""])
def test_what_is_no_statement_is_said_to_be_none(tmp_path: Path, text: str) -> None:
    assert told(tmp_path, text)[0][0] in ("certify.malformed", "certify.unreadable")
    assert looked_at(tmp_path / "none.yaml")[1][0].error.code == "certify.unreadable"
