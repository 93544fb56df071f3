"""The load report and the command that writes it."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest
import typer
import yaml
from typer.testing import CliRunner

from headend.network import law
from reports.capacity.chart import PARTS
from reports.capacity.page import TABLE_HEADS, render, tables
from reports.commands.capacity import _print_tables, app
from reports.commands.demo import report
from scenarios.shipped import STUDIES
from simulator.capacity.outcome import Outcome
from simulator.capacity.run import run_study
from simulator.web.palette import PALETTE, Shade
from tests.simulator.capacity.test_run import ALL, LEVELS
from tests.simulator.capacity.test_study import study, written
from tests.simulator.processes import done
from tests.simulator.web.browser import assert_fits
from tests.simulator.web.outline import assert_whole
from tests.simulator.web.test_frame import contrast

#: So little is wanted that two replications tell.
KEPT: list[dict[str, float]] = [{"share": 0.01}]


@pytest.fixture(scope="module")
def outcome() -> Outcome:
    return run_study(study(policies=ALL, levels=LEVELS))


@pytest.fixture(scope="module")
def file(outcome: Outcome, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return render(outcome, tmp_path_factory.mktemp("page"))


@pytest.fixture(scope="module")
def page(file: Path) -> str:
    return file.read_text(encoding="utf-8")


def test_the_page_stands_alone_and_answers_first(file: Path, page: str) -> None:
    assert page.index("Which throttle") < page.index("store-only serves") < page.index("<svg") < page.index("<table")
    for outside in ("<script", "<link", "<img", 'src="', "@import"):
        assert outside not in page
    assert "FR-CR016.1b" in page
    assert "from the planned arrival" in page
    assert file.with_name("chart.svg").read_text(encoding="utf-8").startswith("<?xml")


def test_the_page_is_whole_and_tells_version_and_day(page: str) -> None:
    assert_whole(page, "operating day 2026-08-12")


@pytest.mark.process
def test_the_page_fits_a_phone_and_a_desk(page: str, tmp_path: Path) -> None:
    assert_fits(page, tmp_path)


@pytest.mark.parametrize("paper", Shade._fields)
def test_words_in_bars_can_be_read(paper: str) -> None:
    for part in PARTS:
        assert contrast(getattr(PALETTE[part.colour], paper), getattr(PALETTE[part.ink], paper)) >= 4.5, part.label


def test_the_laws_are_told_as_they_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usual = render(run_study(study(replications=1)), tmp_path).read_text(encoding="utf-8")
    assert "Lognormal, median 70 s, sigma 0.35; 3 % take 5-30 min; 2 % are lost [S]" in usual
    assert "1 + Poisson(2.5) hops, a try times out after 30 s, retries after 30, 60 and 120 s [D]" in usual
    middle = {"median_s": 40, "sigma": 0.2, "slow_share": 0.1, "slow_to_s": 600, "lost_share": 0.01}
    outcome = run_study(study(replications=1, laws={"middle": middle, "network": {"extra_hops": 4}}))
    monkeypatch.setattr(law, "RETRY_WAITS_US", (15_000_000, 45_000_000))
    monkeypatch.setattr(law, "TRY_TIMEOUT_US", 20_000_000)
    changed = render(outcome, tmp_path).read_text(encoding="utf-8")
    assert "Lognormal, median 40 s, sigma 0.2; 10 % take 5-10 min; 1 % are lost [S]" in changed
    assert "1 + Poisson(4) hops, a try times out after 20 s, retries after 15 and 45 s [D]" in changed


def test_the_page_is_the_same_twice_and_from_the_folder(outcome: Outcome, tmp_path: Path) -> None:
    kept = run_study(study(policies=ALL, levels=LEVELS), tmp_path / "kept")
    assert kept.rows() == outcome.rows()
    page = render(outcome, tmp_path / "of-outcome").read_bytes()
    assert render(tmp_path / "kept", tmp_path / "of-folder").read_bytes() == page


def test_a_level_that_no_load_meets_is_called_a_wish(tmp_path: Path) -> None:
    impossible = run_study(study(service_levels=[{"share": 0.99, "within_s": 30}]))
    page = render(impossible, tmp_path).read_text(encoding="utf-8")
    assert "99 % within 30 s: no load at all meets this level" in page


def test_what_a_study_names_is_escaped(tmp_path: Path) -> None:
    page = render(run_study(study(question="<b>Who?</b>", replications=1)), tmp_path).read_text(encoding="utf-8")
    assert "<b>Who?" not in page


def test_a_policy_that_serves_nobody_is_said_so(tmp_path: Path) -> None:
    none = {"name": "N", "kind": "read", "scope": "esiid", "amount": 0, "window": "day", "code": "NONE", "rule": "r"}
    shut = run_study(study(policies=[{"name": "shut", "title": "t", "limits": [none]}]))
    assert "shut serves nobody" in render(shut, tmp_path).read_text(encoding="utf-8")


def test_terminal_tables_have_a_row_for_each_policy(outcome: Outcome) -> None:
    found = tables(outcome)
    assert [title for title, _ in found] == ["few: 60 planned in the hour", "many: 240 planned in the hour"]
    assert [row.policy for _, rows in found for row in rows] == ALL * 2
    assert all(len(row.cells) == len(TABLE_HEADS) for _, rows in found for row in rows)


def test_terminal_tables_say_by_what_rule_and_with_what_data_callers_were_refused(outcome: Outcome) -> None:
    said = {row.policy: row.refusals for _, rows in tables(outcome)[1:] for row in rows}
    assert re.fullmatch(
        r"refused: [\d.]+ by FR-CR016\.1b; (all|[\d.]+) of them given the store's data, [\d.]+ min old",
        said["fr-cr016-1"],
    )
    assert said["fr-cr016-1-meter-only"].endswith("; none of them given data")
    assert said["store-only"] == ""


def test_tables_on_a_narrow_terminal_keep_names_whole(
    outcome: Outcome, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in (("FORCE_COLOR", "1"), ("COLUMNS", "80"), ("TERM", "xterm")):
        monkeypatch.setenv(name, value)
    _print_tables(outcome)
    lines = [re.sub(r"\x1b\[[\d;]*m", "", line).rstrip() for line in capsys.readouterr().out.splitlines()]
    assert max(map(len, lines)) <= 80
    for policy in ALL:
        assert lines.count(policy) == 2


def test_another_study_in_the_same_folder_says_that_it_replaces(tmp_path: Path) -> None:
    out, path = tmp_path / "out", tmp_path / "small.yaml"
    for seed, replaced in ((1, False), (1, False), (2, True)):
        path.write_text(yaml.safe_dump(written(seed=seed, service_levels=KEPT)), encoding="utf-8")
        shown = CliRunner().invoke(app, ["run", str(path), "--out", str(out), "--workers", "1"])
        assert shown.exit_code == 0, shown.output
        assert ("its outcome and report are replaced" in shown.stderr) is replaced


def _file(tmp_path: Path, levels: list[dict[str, float]] = KEPT) -> str:
    path = tmp_path / "small.yaml"
    path.write_text(yaml.safe_dump(written(policies=ALL, service_levels=levels)), encoding="utf-8")
    return str(path)


def test_the_command_writes_report_and_summary(tmp_path: Path) -> None:
    out = tmp_path / "out"
    arguments = ["run", _file(tmp_path), "--out", str(out), "--workers", "1"]
    shown = CliRunner().invoke(app, arguments)
    assert shown.exit_code == 0, shown.output
    assert f"report: {out / 'report.html'}" in shown.stdout
    assert "8 cells, 8 of them computed now" in shown.stdout
    assert "service levels: passed" in shown.stdout
    again = CliRunner().invoke(app, [*arguments, "--json"])
    assert json.loads(again.stdout)["summary"][0]["policy"] == ALL[0]
    assert json.loads((out / "run.json").read_text(encoding="utf-8"))["cells_computed"] == 0


@pytest.mark.parametrize(("levels", "code"), [([{"share": 0.9, "within_s": 150}], 3), ([{"share": 1}], 1), ([], 1)])
def test_run_and_report_end_by_the_verdict(tmp_path: Path, levels: list[dict[str, float]], code: int) -> None:
    out = tmp_path / "out"
    assert (
        CliRunner().invoke(app, ["run", _file(tmp_path, levels), "--out", str(out), "--workers", "1"]).exit_code == code
    )
    with pytest.raises(typer.Exit) as ended:
        report(out)
    assert ended.value.exit_code == code


def test_a_bad_study_is_one_line_and_exit_2(tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text("name: x\n", encoding="utf-8")
    shown = CliRunner().invoke(app, ["run", str(tmp_path / "bad.yaml"), "--out", str(tmp_path / "out")])
    assert shown.exit_code == 2
    assert shown.stderr.startswith("capacity.study.malformed: ")
    assert shown.stderr.count("\n") == 1


def test_a_folder_that_cannot_be_written_is_one_line_and_exit_2(tmp_path: Path) -> None:
    study_file = _file(tmp_path)
    shown = CliRunner().invoke(app, ["run", study_file, "--out", study_file])
    assert shown.exit_code == 2
    assert shown.stderr.startswith("capacity.out.unwritable: ")


def test_a_shipped_study_goes_by_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    # A folder of results is no study.
    (tmp_path / "first-look").mkdir()
    (shipped,) = json.loads(CliRunner().invoke(app, ["list", "--json"]).output)
    assert STUDIES.named(Path(shipped["name"])) == Path(shipped["file"]) == STUDIES.folder / "first-look.yaml"
    assert CliRunner().invoke(app, ["list"]).output.startswith(f"first-look  {shipped['question']}\n")
    unknown = CliRunner().invoke(app, ["run", "first-lok"])
    assert unknown.exit_code == 2
    assert unknown.stderr.endswith("no shipped load study 'first-lok'. Did you mean first-look?\n")


@pytest.mark.process
def test_the_command_imports_nothing_heavy_before_it_runs() -> None:
    code = "import sys, reports.commands.capacity; print([m for m in ('numpy', 'simpy', 'matplotlib', 'pydantic') if m in sys.modules])"
    assert done(sys.executable, "-c", code).stdout.strip() == "[]"
