"""The profile is what its sources make, our own parties do what it says, and its runner tells a sound implementation from a faulty one."""

from __future__ import annotations

import ast
import hashlib
import json
import shutil
import subprocess
import sys
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from headend.ondemand.gap import gap
from headend.ports import IntArray
from headend.wire import InquiryKind, InquiryResult
from meters.calendar import day_start, days, epoch, interval_ends, iso, seconds, to_us
from reports.lse.checked import Holds, check
from scenarios import twins
from scenarios.rules.registry import REGISTRY
from simulator.ror.billing.bill import Usage, bill, bill_to_date
from simulator.ror.billing.plan import RatePlan
from simulator.ror.usage import Energy
from simulator.smt.doors.both.rd import rd_parse
from simulator.smt.ondemand.judged import Case, digest, judged
from simulator.smt.ondemand.lifecycle import Filed
from simulator.smt.throttle.decision import Door
from tests.cases import few
from tests.scenarios.profile.pages import FOLDER, pages
from tests.simulator.processes import patience
from tests.simulator.ror.billing.test_hand_bills import used

RUN, STRANGERS = FOLDER / "run.py", Path(twins.__path__[0])
VECTORS: dict[str, dict[str, Any]] = {
    one["id"]: one for path in sorted(FOLDER.glob("vectors/*.json")) for one in json.loads(path.read_text("utf-8"))
}
#: Strangers that answer vectors: of which kinds, and the words that make them.
ANSWERING = {"vectors": ({"gap", "day", "quarter", "bill", "answer"}, ""), "site": ({"lse"}, " --vectors")}
FAULTS = {
    f"{stem} {fault}": set(row["fails"])
    for stem in ANSWERING
    for fault, row in json.loads((STRANGERS / f"{stem}_faults.json").read_text("utf-8")).items()
    # What a site does with a file, no vector tells.
    if fault not in ("OWN-BY-TODAY", "KEEPS-FIRST", "TELLS-TWO", "SPLITS-NOUGHT")
}


def of_kind(kind: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("ident", [one for one in VECTORS if VECTORS[one]["kind"] == kind])


def test_its_files_are_made_of_their_sources_and_its_manifest_has_their_hashes() -> None:
    made = pages()
    assert {name: (FOLDER / name).read_text("utf-8") for name in made} == made
    lying = {str(path.relative_to(FOLDER)) for path in FOLDER.rglob("*.json")}
    assert lying == made.keys()
    manifest = json.loads(made["manifest.json"])
    assert manifest["files"] == {
        name: hashlib.sha256((FOLDER / name).read_bytes()).hexdigest() for name in made if name != "manifest.json"
    }


def test_each_vector_has_an_id_of_its_own_and_bears_on_requirements_of_the_registry() -> None:
    assert len(VECTORS) == sum(len(json.loads(path.read_text("utf-8"))) for path in FOLDER.glob("vectors/*.json"))
    assert {ident for one in VECTORS.values() for ident in one["requirements"]} <= REGISTRY.keys()
    assert {one["id"] for one in json.loads((FOLDER / "registry.json").read_text("utf-8"))} == REGISTRY.keys()


@of_kind("gap")
def test_our_gap_is_that_of_the_profile(ident: str) -> None:
    given, out = VECTORS[ident]["in"], VECTORS[ident]["out"]
    found = gap(epoch(given["vee_to"]), seconds(datetime.fromisoformat(given["now"]).timestamp()))
    assert found.intervals == out["intervals"]
    uncovered = [found.uncovered] if found.uncovered else []
    assert [{"start": iso(start), "end": iso(end)} for start, end in uncovered] == out["uncovered"]
    if found.intervals:
        assert (iso(found.start), iso(found.end)) == (out["start"], out["end"])


@of_kind("day")
def test_our_days_are_those_of_the_profile(ident: str) -> None:
    day, out = datetime.fromisoformat(VECTORS[ident]["in"]["day"]).date(), VECTORS[ident]["out"]
    ends = interval_ends(day)
    assert (len(ends), iso(day_start(day)), iso(seconds(ends[-1]))) == (out["intervals"], out["begins"], out["ends"])
    # What is written in those slots our reader of RD has, in order.
    wh, _ = rd_parse(",".join(f"{slot / 1000:.3f}-A" if slot in out["slots"] else "" for slot in range(100)), day)
    assert wh.tolist() == out["slots"]


@of_kind("quarter")
def test_our_quarter_hours_are_those_of_the_profile(ident: str) -> None:
    given, out = VECTORS[ident]["in"], VECTORS[ident]["out"]
    assert iso(seconds(interval_ends(datetime.fromisoformat(given["day"]).date())[given["number"] - 1])) == out["end"]


@of_kind("bill")
def test_our_bills_are_those_of_the_profile(ident: str) -> None:
    given, out = VECTORS[ident]["in"], VECTORS[ident]["out"]
    plan = RatePlan.model_validate(given["plan"])
    first, last = (date.fromisoformat(given[edge]) for edge in ("first", "last"))
    whole = int(given["whole_days"]) if "whole_days" in given else None
    usage: Usage
    if "expected" in given:
        # The days left are those that are known: the hand that worked the whole cycle knew no difference.
        last = date.fromisoformat(given["cycle_last"])
    if "kwh" in given["taken"]:
        usage = sum(int(Decimal(given.get(way, {"kwh": 0})["kwh"]) * 1000) for way in ("taken", "expected"))
    else:
        assert given.get("expected", given["taken"]) == given["taken"]
        ends = np.concatenate([interval_ends(day) for day in days(first, last)])
        usage = Energy(ends, *(quarters(given.get(way, {"wh": "0"}), ends.tolist()) for way in ("taken", "given")))
    if "cycle_last" in given and "expected" not in given:
        found = bill_to_date(plan, usage, first, last, date.fromisoformat(given["cycle_last"]), whole)
    else:
        register = int(Decimal(given["register"]) * 1000) if "register" in given else None
        found = bill(plan, usage, first, last, whole, register_wh=register)
    assert [[line.kind.value, str(line.amount)] for line in found.lines] == out["lines"]
    assert str(found.total) == out["total_usd"]


def quarters(told: dict[str, Any], ends: list[int]) -> IntArray:
    """What a vector says of each quarter hour."""
    if "within" not in told:
        return used(f"{told['wh']} Wh", ends)
    return used(f"{told['wh']} Wh; {told['within']['hours']} {told['within']['wh']} Wh", ends)


@of_kind("lse")
def test_our_reader_of_lse_files_tells_what_the_profile_says(ident: str, tmp_path: Path) -> None:
    given = VECTORS[ident]["in"]
    path = tmp_path / "file"
    path.write_bytes((given["content"] * given["times"]).encode())
    found = check(path, given["name"], epoch(given["at"]), None, Holds({}, {})).findings
    assert [{"code": one.code, "line": one.line, "field": one.field} for one in found] == VECTORS[ident]["out"][
        "findings"
    ]


@of_kind("answer")
def test_our_judge_finds_in_a_head_ends_answer_what_the_profile_says(ident: str) -> None:
    given, out = VECTORS[ident]["in"], VECTORS[ident]["out"]
    asked = given["inquiry"]
    try:
        result = InquiryResult.model_validate(given["answer"])
    except ValidationError:
        assert out == {"rules": ["MALFORMED"], "ends": "expired"}
        return
    edges = [epoch(asked[edge]) if edge in asked else seconds(0) for edge in ("start", "end")]
    kind, submitted = InquiryKind(asked["kind"]), to_us(epoch(asked["submitted"]))
    filed = Filed("k", kind, asked["esiid"], Door.API, "u", "d", "c", "t", "", edges[0], edges[1], None, (), submitted)
    now = epoch(given["now"])
    found = judged(Case(filed, allowed=asked["meterAllowed"], result=result, now=now, most_wh=given["most_wh"]))
    rules = [one.rule for one in found.found]
    if given["ack"] is not None and given["ack"]["correlationId"] != asked["correlationId"]:
        rules.append("OTHER-ID")
    if "again" in given and digest(InquiryResult.model_validate(given["again"])) != digest(result):
        rules.append("SECOND-ANSWER")
    assert (rules, found.outcome.value) == (out["rules"], out["ends"])


def run(stem: str, *words: str, fault: str = "", folder: Path = FOLDER) -> tuple[int, dict[str, Any]]:
    """The runner's exit code and what it tells of a stranger that answers, in interpreters that see nothing of ours."""
    target = f"{sys.executable} -I {STRANGERS / stem}.py{ANSWERING[stem][1]}" + (f" --fault {fault}" if fault else "")
    command = (sys.executable, "-I", str(folder / "run.py"), "--target", target, "--json", *words)
    ended = subprocess.run(command, capture_output=True, text=True, check=False, cwd="/")
    assert ended.returncode in (0, 1), ended.stderr
    return ended.returncode, json.loads(ended.stdout)


def test_the_runner_is_150_lines_of_the_standard_library_at_most() -> None:
    text = RUN.read_text("utf-8")
    nodes = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Import | ast.ImportFrom)]
    names = {one.name if isinstance(node, ast.Import) else str(node.module) for node in nodes for one in node.names}
    assert names <= sys.stdlib_module_names
    assert len(text.splitlines()) <= 150


@pytest.mark.process
@pytest.mark.parametrize("stem", ANSWERING)
def test_a_sound_stranger_passes_all_that_it_answers(stem: str) -> None:
    code, told = run(stem)
    assert code == 0
    states = {one["id"]: one["state"] for one in told["vectors"]}
    assert set(states.values()) == {"passed", "skipped"}
    assert {VECTORS[ident]["kind"] for ident, state in states.items() if state == "passed"} == ANSWERING[stem][0]
    assert told["requirements"]["F2"] == ("passed" if stem == "site" else "skipped")


@pytest.mark.process
@pytest.mark.parametrize("named", few(5, [one for sixth in range(6) for one in [*FAULTS][sixth::6]]))
def test_each_fault_of_a_stranger_fails_what_it_names_and_nothing_else(named: str) -> None:
    stem, fault = named.split()
    kinds = {one["kind"] for one in VECTORS.values() if FAULTS[named] & set(one["requirements"])} & ANSWERING[stem][0]
    code, told = run(stem, *(word for kind in sorted(kinds) for word in ("--kind", kind)), fault=fault)
    assert code == 1
    assert {ident for ident, state in told["requirements"].items() if state == "failed"} == FAULTS[named]


@pytest.mark.process
def test_the_runner_says_what_kept_it_from_an_answer(tmp_path: Path) -> None:
    shutil.copytree(FOLDER, tmp_path / "profile")
    asked = ("--id", "gap.afternoon", "--json", "--patience")

    def told(target: str, folder: Path = FOLDER, patient_s: float = patience()) -> tuple[int, str]:
        command = (sys.executable, "-I", str(folder / "run.py"), "--target", target, *asked, str(patient_s))
        ended = subprocess.run(command, capture_output=True, text=True, check=False)
        return ended.returncode, json.loads(ended.stdout)["vectors"][0]["why"] if ended.stdout else ended.stderr

    python = f"{sys.executable} -I -c"
    assert told(f"{python} 'import time; time.sleep(60)'", patient_s=1) == (1, "it gave no answer in 1 s")
    assert told(f"{python} 'print(1)'") == (1, "its answer is no JSON object")
    assert told(f"{python} 'pass'") == (1, "it gave no answer")
    assert told(f"{python} 'print(dict())'")[0] == 1
    assert told("/nowhere")[1].startswith("[Errno 2]")
    (tmp_path / "profile" / "registry.json").write_text("[]", "utf-8")
    code, why = told(f"{python} 'pass'", tmp_path / "profile")
    assert (code, "the profile is not whole: registry.json is not the file of version 2" in why) == (2, True)
