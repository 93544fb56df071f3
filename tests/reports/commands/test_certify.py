"""``ami certify``: statements looked at, what will be played, and what is printed of a verdict; the verdicts are held in ``tests/scenarios/certify``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from reports.commands.certify import _briefed, _code, _tell
from scenarios.certify.strangers import FOLDER
from tests.simulator.processes import fails_here, invoked

HEADEND, RETAILER = FOLDER / "headend.yaml", FOLDER / "ror.yaml"


def test_statements_are_sound_or_every_mistake_is_a_line(tmp_path: Path) -> None:
    sound = invoked("certify", "lint", str(HEADEND))
    assert (sound.exit_code, sound.stderr) == (0, "")
    assert sound.stdout.startswith(f"{HEADEND}: sound. strangers-headend 1, a headend, claims INTERVALS, ")
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text(
        HEADEND.read_text("utf-8").replace("claims: [", "claims: [POWRE, ").replace("version", "verzion", 1)
    )
    told = fails_here("certify", "lint", str(wrong), str(HEADEND)).splitlines()
    assert len(told) >= 2
    assert all(line.startswith(f"certify.malformed: {wrong}:") for line in told)
    rows = json.loads(invoked("certify", "lint", str(wrong), str(HEADEND), "--json").stdout)
    assert [(one["sound"], len(one["mistakes"])) for one in rows] == [(False, len(told)), (True, 0)]
    assert json.loads(invoked("certify", "lint", str(HEADEND), "--json").stdout)["sound"]
    assert json.loads(invoked("certify", "schema").stdout)["type"] == "object"


def test_a_plan_is_a_script_of_one_system_or_of_two() -> None:
    told = invoked("certify", "plan", "--statement", str(HEADEND)).stdout
    assert all(column in told for column in ("script", "track", "step", "sender", "receiver", "expected"))
    flight = ("certify", "plan", "--statement", str(RETAILER), "--statement", str(HEADEND))
    rows = json.loads(invoked(*flight, "--json").stdout)
    assert {one["script"] for one in rows}
    assert fails_here(*flight[:4], "--statement", str(RETAILER)).startswith("certify.")


def test_a_bundle_that_is_none_is_told(tmp_path: Path) -> None:
    for word in ("judge", "verify"):
        assert fails_here("certify", word, str(tmp_path / "none")).startswith("certify.")


@pytest.mark.process
@pytest.mark.parametrize("file", ["truth.csv", "result.json", "junit.xml"])
def test_a_disk_that_is_full_is_told_with_the_folder_and_what_was_recorded_is_judged_once_there_is_room(
    tmp_path: Path, file: str
) -> None:
    out, written = tmp_path / "out", tmp_path / "sut.yaml"
    out.mkdir()
    text = HEADEND.read_text("utf-8")
    written.write_text(text[: text.index("start:")] + "start: {argv: ['{python}', -c, pass], ready_s: 0.1}\n", "utf-8")
    (out / f"{file}.part").symlink_to("/dev/full")
    run = ("certify", "run", "--statement", str(written), "--out", str(out), "--only", "HE-ONCE")
    assert fails_here(*run) == (
        f"out.unusable: {out}: A file cannot be written: No space left on device."
        " Make room there, or name another folder with --out."
    )
    (out / f"{file}.part").unlink()
    if file == "truth.csv":
        assert fails_here("certify", "judge", str(out)).startswith(f"certify.bundle: {out}: ")
    else:
        assert invoked("certify", "judge", str(out)).exit_code == 3
    assert not (out / "keys.json").exists()


@pytest.mark.parametrize(("mark", "code"), [("passed", 0), ("failed", 1), ("inconclusive", 3)])
def test_a_verdict_has_its_exit_code(mark: str, code: int) -> None:
    assert _code({"mark": mark}) == code


def one_id(ident: str, mark: str) -> dict[str, Any]:
    cited = [f"http:{n}" for n in range(5)]
    return {"id": ident, "mark": mark, "conformance": "shall", "said": f"Of {ident}.", "exchanges": cited}


def verdict(name: str, *, well: bool = True) -> dict[str, Any]:
    ids = [one_id("HE-1", "passed"), *([] if well else [one_id("HE-2", "failed")])]
    return {"sut": {"name": name, "version": "2"}, "role": "headend", "ids": ids, "certificate": well, "why": "So."}


def test_of_a_verdict_the_worst_is_told_first_with_its_exchanges(capsys: pytest.CaptureFixture[str]) -> None:
    _tell(verdict("mine", well=False))
    head, worst, other, last = capsys.readouterr().out.splitlines()
    assert head.startswith("mine 2, in the role of ")
    assert worst.split() == ["failed", "shall", "HE-2", *["Of", "HE-2.", "[http:0,", "http:1,", "http:2,", "http:3]"]]
    assert other.endswith("Of HE-1.")
    assert last == "  verdict: no certificate. So."


@pytest.mark.parametrize("well", [True, False])
def test_of_a_flight_the_script_each_ones_verdict_and_whose_fault_it_is_are_told(
    well: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    row = {name: name for name in ("script", "track", "step", "sender", "receiver", "expected", "seen")}
    fault = {"party": "headend", "id": "HE-2", "step": "a", "ref": "b", "said": "late", "exchanges": ["http:1"]}
    _tell(
        {
            "flight": True,
            "script": [row | {"mark": "" if well else "HE-2"}],
            "connection": [{"well": well, "what": "inquiries", "said": "200"}],
            "parties": {"headend": verdict("mine", well=well), "ror": verdict("yours")},
            "faults": [] if well else [fault],
            "certificate": well,
        }
    )
    told = capsys.readouterr().out
    assert ("NOT reached" in told) is not well
    assert told.count("  verdict: CERTIFICATE. So.") == (2 if well else 1)
    assert ("  fault of mine: HE-2, a b: late [http:1]\n" in told) is not well
    assert told.endswith(f"  flight: {'CERTIFICATES for both' if well else 'no certificate for both'}.\n")


def test_who_works_by_hand_is_told_what_to_do_and_how_to_go_on() -> None:
    told = _briefed("http://127.0.0.1:1", {"do": "Ask.", "esiid": "1"})
    assert told.splitlines() == ["Ask.", "  esiid         1", "  curl -X POST http://127.0.0.1:1/next"]
