"""From the page to a signed verdict: its commands run as they are written, its bundle holds, and what is done to one is told."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import chdir, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as Xml
from zipfile import ZipFile

import httpx
import pytest
import yaml

from meters.calendar import to_s
from meters.errors import UserError
from scenarios.certify.bundle import judged_again, verified
from scenarios.certify.judged import dumps, result_of
from scenarios.certify.observed import observed
from scenarios.certify.plan import plan_of
from scenarios.certify.ror import asked
from scenarios.certify.ror import told as bills_told
from scenarios.certify.ror.calls import Called, calls
from scenarios.certify.run import Certification
from scenarios.certify.started import filled
from scenarios.certify.statement import CLAIMS, load
from scenarios.certify.strangers import command, mutants
from scenarios.certify.truth import truth_text
from scenarios.rules.certified import of_role
from simulator.tap.chain import Exchange
from simulator.verdicts import Mark
from tests.cases import few
from tests.scenarios.certify.matrix import certified, failed, names, statement
from tests.simulator.processes import done, ran
from tests.test_rooms import ROOT

#: By id what is seen of a retailer's calls.
RETAILER = asked.SEEN | bills_told.SEEN
PAGE = (ROOT / "docs" / "certify-your-system.md").read_text("utf-8")
COMMANDS = [
    line for block in re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL) for line in block.splitlines() if line.strip()
]
#: The last serves until it is killed.
SERVES = "ami certify twin"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where somebody has followed the page."""
    made = tmp_path_factory.mktemp("certified")
    for name, text in re.findall(r"```yaml\n# (\S+)\n(.*?)```", PAGE, re.DOTALL):
        (made / name).write_text(text, "utf-8")
    for line in COMMANDS:
        if not line.startswith(SERVES):
            program, *words = shlex.split(line)
            if program == "ami":
                with chdir(made):
                    assert ran(*words) == 0, line
            else:
                done(program, *words, cwd=made)
    return made


def result(folder: Path, name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / name / "result.json").read_text("utf-8"))
    return found


@pytest.mark.long
@pytest.mark.process
def test_who_follows_the_page_has_a_certificate_of_a_head_end_and_of_a_retailer(folder: Path) -> None:
    of_role_in = {"certified": "headend", "certified-ror": "ror", "certified-smt": "smt", "certified-meter": "meter"}
    for name, role in of_role_in.items():
        found = result(folder, name)
        assert found["certificate"], found["why"]
        assert {one["id"] for one in found["ids"] if one["mark"] == Mark.PASSED} == {one.id for one in of_role(role)}
        assert all(one["exchanges"] for one in found["ids"])
        cases = Xml.parse(folder / name / "junit.xml").getroot().iter("testcase")
        assert [one.get("name") for one in cases] == [one.id for one in of_role(role)]
        page = (folder / name / "report.html").read_text("utf-8")
        assert "Certificate" in page
        assert str(folder) not in page
    assert any(line.startswith(SERVES) for line in COMMANDS)


@pytest.mark.long
@pytest.mark.process
def test_who_flies_two_systems_has_a_certificate_for_each_and_a_script_of_all_that_was_seen(folder: Path) -> None:
    found = result(folder, "flight")
    assert found["certificate"], found["why"]
    assert (found["guilty"], found["faults"]) == ([], [])
    for role, one in found["parties"].items():
        assert {ident["id"] for ident in one["ids"] if ident["mark"] == Mark.PASSED} == {
            its.id for its in of_role(role)
        }
    assert [one["well"] for one in found["connection"]] == [True] * 6
    rows = [row for row in found["script"] if row["script"] == "ror-balance" and row["track"] == "first-call"]
    assert [(row["sender"], row["receiver"]) for row in rows] == [
        ("customer", "REP"),
        *[("REP", "market")] * 3,
        ("market", "TDSP"),
        ("TDSP", "market"),
        ("REP", "market"),
        ("REP", "customer"),
    ]
    assert all(row["exchanges"] for row in rows[1:-1])
    bill = json.loads((folder / "flight" / "steps" / "ror-balance" / "recording.json").read_text("utf-8"))
    assert f"${bill['actions']['first-call']['bill']['total_usd']} " in rows[-1]["seen"]
    page = (folder / "flight" / "report.html").read_text("utf-8")
    assert "Certificates for both" in page
    assert all(row["expected"] in page for row in rows)
    assert dumps(judged_again(folder / "flight" / "bundle.zip")) == (folder / "flight" / "result.json").read_text(
        "utf-8"
    )
    suites = Xml.parse(folder / "flight" / "junit.xml").getroot().iter("testsuite")
    assert [one.get("name") for one in suites] == ["strangers-retailer", "strangers-headend"]


@pytest.mark.long
@pytest.mark.process
def test_a_bundle_is_judged_again_byte_for_byte_and_is_its_signers(folder: Path, tmp_path: Path) -> None:
    bundle, public = folder / "certified" / "bundle.zip", folder / "public.pem"
    assert dumps(judged_again(bundle)) == (folder / "certified" / "result.json").read_text("utf-8")
    # Whoever judges one prices a few bills, and needs none of what simulates.
    again = "import sys, pathlib; from scenarios.certify.bundle import judged_again as a; a(pathlib.Path(sys.argv[1]))"
    done(sys.executable, "-c", f"{again}; sys.exit('numba' in sys.modules)", str(folder / "certified-ror"), cwd=folder)
    assert "signed by that key" in verified(bundle, public)
    other = tmp_path / "other.pem"
    done("openssl", "genpkey", "-algorithm", "ed25519", "-out", str(other), cwd=tmp_path)
    done("openssl", "pkey", "-in", str(other), "-pubout", "-out", str(tmp_path / "pub.pem"), cwd=tmp_path)
    with pytest.raises(UserError, match="not of this manifest by this key"):
        verified(bundle, tmp_path / "pub.pem")
    with pytest.raises(UserError, match="Nobody has signed it"):
        verified(folder / "certified-ror" / "bundle.zip", public)
    keys = json.dumps(json.loads((folder / "certified" / "plan.json").read_text("utf-8")))
    assert "keys.json" not in ZipFile(bundle).namelist()
    assert "Bearer" not in keys


def _altered(lines: list[bytes]) -> list[bytes]:
    return [line.replace(b"wh", b"wH", 1) if b'"wire":"call-backs"' in line else line for line in lines]


@pytest.mark.long
@pytest.mark.process
@pytest.mark.parametrize(
    ("file", "change", "said"),
    [
        ("steps/answers/wire.jsonl", _altered, r"Line \d+ was altered"),
        ("steps/answers/wire.jsonl", lambda lines: lines[:-1], "was cut at its end"),
        ("steps/answers/wire.jsonl", lambda lines: [lines[0], lines[2], lines[1], *lines[3:]], "not where it was"),
        ("steps/answers/recording.json", lambda lines: [*lines, b"\n"], "It was altered"),
        ("truth.csv", lambda lines: lines[:-1], "The file was altered"),
        ("junit.xml", lambda lines: [*lines, b"\n"], "The file was altered"),
    ],
)
def test_what_was_done_to_a_bundle_is_told(folder: Path, tmp_path: Path, file: str, change: Any, said: str) -> None:
    copy = tmp_path / "copy"
    with ZipFile(folder / "certified" / "bundle.zip") as bundle:
        bundle.extractall(copy)
    verified(copy, None)
    (copy / file).write_bytes(b"".join(change((copy / file).read_bytes().splitlines(keepends=True))))
    with pytest.raises(UserError, match=said):
        verified(copy, None)


@pytest.mark.long
@pytest.mark.process
def test_what_was_done_to_a_zip_is_told_by_its_own_names(folder: Path, tmp_path: Path) -> None:
    bundle = tmp_path / "bundle.zip"
    with ZipFile(folder / "certified" / "bundle.zip") as whole, ZipFile(bundle, "w") as other:
        for name in whole.namelist():
            cut = name == "steps/answers/wire.jsonl"
            other.writestr(name, b"".join(whole.read(name).splitlines(keepends=True)[: -1 if cut else None]))
    with pytest.raises(UserError, match="was cut at its end") as told:
        verified(bundle, None)
    assert told.value.place == "steps/answers/wire.jsonl"


@pytest.mark.long
@pytest.mark.process
@pytest.mark.parametrize("name", ["report.html", "../report.html", "/report.html"])
def test_a_bundle_in_which_others_would_read_another_page_is_refused(folder: Path, tmp_path: Path, name: str) -> None:
    bundle = tmp_path / "bundle.zip"
    shutil.copy(folder / "certified" / "bundle.zip", bundle)
    twice = pytest.warns(UserWarning, match="Duplicate") if name[0] == "r" else nullcontext()
    with ZipFile(bundle, "a") as file, twice:
        file.writestr(name, "Certificate")
    with pytest.raises(UserError, match="is twice in it, or leads out of it"):
        verified(bundle, None)


def test_a_folder_with_files_that_no_certification_has_written_is_left_as_it_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mine, written = tmp_path / "mine" / "steps" / "mine.txt", tmp_path / "sut.yaml"
    mine.parent.mkdir(parents=True)
    mine.write_text("mine", "utf-8")
    written.write_text(statement("headend"), "utf-8")
    assert ran("certify", "run", "--statement", str(written), "--out", str(tmp_path / "mine")) == 2
    assert "It holds steps, and no certification has written that." in capsys.readouterr().err
    assert mine.read_text("utf-8") == "mine"


@pytest.mark.long
@pytest.mark.process
def test_a_step_that_was_broken_off_makes_its_ids_inconclusive_and_an_unclaimed_one_is_skipped(
    folder: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(folder / "certified", copy)
    plan = json.loads((copy / "plan.json").read_text("utf-8"))
    (row,) = (one for one in plan["steps"] if one["name"] == "day-of-92")
    row |= {"state": "broken", "why": "runtime.stalled: still in flight"}
    (copy / "plan.json").write_text(json.dumps(plan), "utf-8")
    (copy / "sut.yaml").write_text((copy / "sut.yaml").read_text("utf-8").replace(", POWER", ""), "utf-8")
    found = result_of(load(copy / "sut.yaml"), observed(copy))
    marks = {one["id"]: one["mark"] for one in found["ids"]}
    assert (found["certificate"], found["mark"]) == (False, "inconclusive")
    assert marks["HE-DST-SPRING"] == "inconclusive"
    assert marks["POWER-UNKNOWN"] == "skipped"
    assert marks["HE-DST-FALL"] == "passed"


@pytest.mark.parametrize("role", ["headend", "ror", "smt", "meter"])
def test_each_id_is_named_by_a_mutant(role: str) -> None:
    named = {ident for mutant in mutants(role) for ident in names(role, mutant)}
    assert named == {one.id for one in of_role(role)}
    assert len(mutants(role)) >= 15


@pytest.mark.process
@pytest.mark.parametrize(
    ("role", "mutant"),
    few(
        3,
        [
            ("headend", "reads-unseen"),
            ("ror", "NO-DAYS-LEFT"),
            ("meter", "DEAF"),
            ("headend", "HOLE"),
            ("headend", "METER-NOT-ALLOWED"),
            ("headend", "answers-again"),
            ("headend", "LSE-PLAIN"),
            ("meter", "RING-TURNED"),
        ],
    ),
)
def test_a_mutant_fails_the_ids_that_it_names_and_no_other(tmp_path: Path, role: str, mutant: str) -> None:
    """First the one that reads what it does not tell. All of them: make certify-mutants."""
    found = certified(role, tmp_path / "it", mutant, only=tuple(sorted(names(role, mutant))))
    assert failed(found) == names(role, mutant)
    assert not found["certificate"]


@pytest.mark.process
def test_a_system_that_is_not_there_is_said_to_be_so_before_any_step(tmp_path: Path) -> None:
    out = tmp_path / "out"
    written = tmp_path / "sut.yaml"
    text = (ROOT / "scenarios" / "twins" / "headend.yaml").read_text("utf-8")
    text = (
        text[: text.index("start:")]
        + "start: {argv: ['{python}', -c, \"print(1, flush=True); input()\"], ready_s: 0.5}\n"
    )
    written.write_text(text, "utf-8")
    said = load(written)
    assert Certification(said, text, out, (), lambda _done, _of: None, lambda _url, _brief: None).go() == 0
    found = result_of(said, observed(out))
    assert (found["mark"], found["certificate"]) == ("inconclusive", False)
    assert (
        found["why"]
        == "allowance: Not reached: endpoints.inquiries, nobody listens after 0.5 s; what it wrote is in sut.log."
    )
    assert "nobody listens" in json.dumps(json.loads((out / "plan.json").read_text("utf-8"))["connection"])


def test_what_a_head_end_posts_wrongly_is_its_posters() -> None:
    argv = command("headend", "LSE-HOLE", 8610, ["--truth", "truth.csv"])
    assert Path(argv[2]).name == "poster.py"
    assert argv[3:] == ["--port", "8610", "--post", "LSE-HOLE", "--truth", "truth.csv"]


def test_a_stranger_that_there_is_not_is_refused() -> None:
    for role, mutant, code in (("nobody", "", "certify.twin"), ("headend", "NIX", "certify.mutant")):
        with pytest.raises(UserError) as refused:
            command(role, mutant, 8610, [])
        assert refused.value.code == code


def _said(one: Exchange, *, ask: dict[str, Any] | None = None, reply: dict[str, Any] | None = None) -> Exchange:
    """An exchange with other bodies."""
    asked = one.ask | ({} if ask is None else {"body": json.dumps(json.loads(one.ask.get("body", "{}")) | ask)})
    return replace(one, ask=asked, reply=one.reply | ({} if reply is None else {"body": json.dumps(reply)}))


def _at(path: str, change: Callable[[Exchange], list[Exchange]]) -> Callable[[Called], Called]:
    """A call whose exchanges at a path are changed."""

    def bent(call: Called) -> Called:
        market = [new for one in call.step.market for new in (change(one) if one.ask["path"] == path else [one])]
        return replace(call, step=replace(call.step, market=tuple(market)))

    return bent


def _told(**bill: Any) -> Callable[[Called], Called]:
    """A call that was told another bill."""

    def bent(call: Called) -> Called:
        record = call.record.model_copy(update={"bill": (call.record.bill or {}) | bill})
        return replace(call, record=record)

    return bent


def _broken(rule: str) -> Callable[[Called], Called]:
    """A call whose request broke a rule, as the ledger has it."""

    def bent(call: Called) -> Called:
        assert call.step.recording is not None
        ledger = []
        for entry in call.step.recording.ledger:
            step = entry.transitions[0].model_copy(update={"rule": rule, "reason": "broken"})
            ledger.append(entry.model_copy(update={"transitions": [*entry.transitions, step]}))
        recording = call.step.recording.model_copy(update={"ledger": ledger})
        return replace(call, step=replace(call.step, recording=recording))

    return bent


def _drawn(path: str, code: str) -> Callable[[Called], Called]:
    return _at(path, lambda one: [_said(one, reply={"errorCode": code, "errorMessage": "no"})])


def _untold(call: Called) -> Called:
    return replace(call, record=call.record.model_copy(update={"bill": None}))


def _late(call: Called) -> Called:
    return replace(call, record=call.record.model_copy(update={"told_at": call.hung_up + 1}))


ODR, POLL, READS, TOKEN = "/v2/odr/", "/v2/odrstatus/", "/v2/15minintervalreads/", "/v2/token/"
OFTEN = 25


@pytest.mark.long
@pytest.mark.process
@pytest.mark.parametrize(
    ("ident", "step", "bent"),
    [
        ("S2", "balance", _at(READS, lambda _: [])),
        ("S2", "pages", _at(ODR, lambda _: [])),
        ("S3", "balance", _at(ODR, lambda one: [_said(one, ask={"readType": "REGISTER"})])),
        ("S6", "balance", _told(parts={"VEE": 1}, sentences=[])),
        ("S6", "balance", _told(parts={"VEE": 246_577, "non-VEE": 0}, sentences=["non-VEE"])),
        ("S6", "balance", _told(parts={"VEE": "most", "non-VEE": "some"})),
        ("S6", "balance", _told(parts=None)),
        ("UC-N1", "balance", _at(ODR, lambda one: [one, one])),
        ("UC-N1", "balance", _at(ODR, lambda one: [_said(one, ask={"callReference": "a call"})])),
        ("UC-N1", "balance", _at(ODR, lambda one: [one, replace(one, ask=one.ask | {"path": "/v2/powerstatus/"})])),
        ("UC-N5", "balance", _at(POLL, lambda _: [])),
        ("UC-N5", "balance", _at(POLL, lambda one: [one] * OFTEN)),
        ("AMB-5", "stale-read", _told(wh=999_999)),
        ("AMB-6", "balance", _told(to="2026-08-12T17:45:00-05:00")),
        ("AMB-7", "gap-over-48-hours", _told(uncovered=[])),
        (
            "AMB-7",
            "gap-over-48-hours",
            _told(uncovered=[{"start": "2026-08-14T00:00:00-05:00", "end": "2026-08-14T17:15:00-05:00"}]),
        ),
        ("AMB-7", "gap-over-48-hours", _told(uncovered=[{"start": 5}])),
        ("AMB-10", "balance", _at(ODR, lambda one: [_said(one, ask={"callReference": ""})])),
        ("AMB-12", "balance", _told(total_usd="99.99")),
        ("AMB-12", "balance", _told(wh=1)),
        ("AMB-12", "balance", _told(to="2026-08-01T00:00:00-05:00")),
        ("AMB-12", "balance", _told(total_usd="99.99", to=None)),
        ("AMB-12", "t-failed", _told(wh=999_999)),
        ("AMB-12", "switched", _told(total_usd="9999.99")),
        ("AMB-12", "day-of-100", _late),
        ("AMB-12", "day-of-92", _untold),
        ("bad_token", "token-runs-out", _at(POLL, lambda one: [one] * 3)),
        ("text_503", "pages", _at(TOKEN, lambda one: [one] if one.reply["status"] == 503 else [])),
        ("AC1", "balance", _drawn(ODR, "AC1")),
        ("AC1", "switched", _at(READS, lambda one: [_said(one, reply={"errorCode": "AC1"})] * 3)),
        ("bad_login", "balance", _drawn(TOKEN, "bad_login")),
        ("no_password", "balance", _drawn(TOKEN, "no_password")),
        ("METER", "balance", _drawn(ODR, "METER")),
        ("CORRELATION", "balance", _drawn(POLL, "CORRELATION")),
        ("REQUESTOR", "balance", _drawn(ODR, "REQUESTOR")),
        ("DUNS", "balance", _drawn(ODR, "DUNS")),
        ("TERMS", "balance", _drawn(READS, "TERMS")),
        ("INVALID-DATE", "balance", _drawn(READS, "INVALID-DATE")),
        ("REQUESTER-TYPE", "balance", _broken("REQUESTER-TYPE")),
        ("UNKNOWN-FIELD", "balance", _broken("UNKNOWN-FIELD")),
        ("TERMS-LEFT-OUT", "balance", _broken("TERMS-LEFT-OUT")),
    ],
)
def test_an_id_of_a_retailer_holds_as_it_was_and_fails_where_it_was_otherwise(
    folder: Path, ident: str, step: str, bent: Callable[[Called], Called]
) -> None:
    all_of_it = observed(folder / "certified-ror")
    its = [one for one in calls(all_of_it) if one.step.name == step]
    assert False not in [one.held for one in RETAILER[ident](its)]
    assert False in [one.held for one in RETAILER[ident]([bent(one) for one in its])]


@pytest.mark.long
@pytest.mark.process
def test_who_asks_about_the_last_bill_may_be_told_that_one_which_nobody_can_compare(folder: Path) -> None:
    its = calls(observed(folder / "certified-ror"))
    balance, last = (next(one for one in its if one.action.ref == ref) for ref in ("first-call", "about-the-last-bill"))
    first = "2026-08-08T00:00:00-05:00"
    for call, to, held in (
        (last, first, None),
        (last, "2026-07-08T00:00:00-05:00", None),
        (last, "2026-08-08T00:15:00-05:00", False),
        (balance, first, False),
    ):
        (found,) = RETAILER["AMB-12"]([_told(to=to)(call)])
        assert (found.held, found.needed) == (held, False), to
    # It is told while the caller waits all the same.
    assert [one.held for one in RETAILER["AMB-12"]([_late(_told(to=first)(last))])] == [False]


#: Runs a system that takes a second to begin.
LATE = (
    "import runpy, sys, time; time.sleep(1); sys.argv = sys.argv[1:]; runpy.run_path(sys.argv[0], run_name='__main__')"
)


@pytest.mark.process
def test_a_retailer_that_serves_is_worked_by_hand_and_the_clock_stands_until_it_asks(tmp_path: Path) -> None:
    text = yaml.safe_dump(yaml.safe_load(statement("ror")) | {"start": "manual"})
    (tmp_path / "ror.yaml").write_text(text, "utf-8")
    words = yaml.safe_load(statement("ror"))["start"]["argv"]

    def work(url: str, brief: dict[str, Any]) -> None:
        named = {name: value for name, value in brief.items() if name.startswith("ROR_")}
        argv = [sys.executable, "-I", "-c", LATE, *filled(words[2:], brief)]
        subprocess.run(argv, env=os.environ | named, check=True, timeout=60, stdout=subprocess.DEVNULL)
        assert httpx.get(url).json()["call"] == brief["call"]
        httpx.post(f"{url}/next")

    with ThreadPoolExecutor(1) as serving:
        todo: list[Future[None]] = []
        said = load(tmp_path / "ror.yaml")
        out = tmp_path / "out"
        tell = lambda url, brief: todo.append(serving.submit(work, url, brief))  # noqa: E731
        assert not Certification(said, text, out, ("AMB-7",), lambda _done, _of: None, tell).go()
        assert [one.result(timeout=60) for one in todo] == [None]
    all_of_it = observed(out)
    marks = {one["id"]: one["mark"] for one in result_of(said, all_of_it)["ids"]}
    assert {marks[one] for one in ("AMB-7", "AMB-12", "S2", "UC-N5")} == {Mark.PASSED}
    (call,) = calls(all_of_it)
    assert to_s(call.said[0].exchange.at_us) == call.record.at
    # Of a request that nobody answered it is not asked what that leaves open.
    pending = {"statusCode": "PEN", "uncovered": call.answer["uncovered"]}
    bent = _told(uncovered=[])(_at(POLL, lambda one: [_said(one, reply=pending)])(call))
    assert [one.held for one in RETAILER["AMB-7"]([bent])] == [None]


@pytest.mark.process
def test_a_head_end_with_meters_and_keys_of_its_own_is_asked_of_each_of_its_esi_ids(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    plan = plan_of("headend", CLAIMS["headend"], ["HE-TRUTH"])
    held = truth_text(one.scenario for one in plan).splitlines()
    its = [row.partition(",")[2] for row in held[1:] if row.startswith(held[1].partition(",")[0])]
    rows = [f"{esiid},{row}" for esiid in ("10443720000000017", "10443720000000025") for row in its]
    (tmp_path / "truth.csv").write_text("\n".join([held[0], *rows]) + "\n", "utf-8")
    serves = [{"esiid": row.partition(",")[0], "meter_number": "1"} for row in (rows[0], rows[-1])]
    more = {
        "serves": serves,
        "truth": "truth.csv",
        "keys": {"smt": "ITS_SMT", "headend": "ITS_HEADEND"},
        "claims": ["INTERVALS"],
    }
    written = tmp_path / "sut.yaml"
    written.write_text(yaml.safe_dump(yaml.safe_load(statement("headend")) | more), "utf-8")
    asked = ("certify", "run", "--statement", str(written), "--out", str(tmp_path / "out"), "--only", "HE-TRUTH")
    monkeypatch.setenv("ITS_SMT", "0123456789abcdef")
    monkeypatch.setenv("ITS_HEADEND", "short")
    assert ran(*asked) == 2
    assert "What ITS_SMT or ITS_HEADEND holds is no key of a link." in capsys.readouterr().err
    monkeypatch.setenv("ITS_HEADEND", "fedcba9876543210")
    # What no step bears on is skipped.
    assert ran(*asked) == 1
    all_of_it = observed(tmp_path / "out")
    (truth,) = (one for one in result_of(load(written), all_of_it)["ids"] if one["id"] == "HE-TRUTH")
    assert (truth["mark"], truth["seen"]) == (Mark.PASSED, 7)
    assert {one.record.asked["esiid"] for one in all_of_it.inquiries()} == {one["esiid"] for one in serves}
    for content, told in (
        ("esiid,end", "It has no row of"),
        ("esiid,end,wh,register_wh\n1,x,1,1", "does not tell what"),
    ):
        (tmp_path / "truth.csv").write_text(content + "\n", "utf-8")
        assert ran(*asked) == 2
        assert told in capsys.readouterr().err
