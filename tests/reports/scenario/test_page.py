"""The page of a scenario's run, the demo command as a user meets it, and ``ami report``."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
import typer

from reports.commands.demo import report
from reports.scenario import charts as scenario_charts
from reports.scenario.charts import charts
from reports.scenario.page import render
from reports.scenario.terminal import print_files, print_result
from reports.scenario.wording import evidence_text
from reports.terminal import console
from scenarios.errors import ScenarioError
from scenarios.judging.facts import Facts
from scenarios.run import JudgedRun
from scenarios.stamps import plain
from simulator.ror import pattern
from simulator.ror.expected import likely
from tests.scenarios.short import mutated
from tests.simulator.processes import AMI, done
from tests.simulator.web.looks import assert_fits
from tests.simulator.web.outline import assert_whole


class Links(HTMLParser):
    """Collects what a page would fetch, and whether its tags are closed."""

    def __init__(self) -> None:
        super().__init__()
        self.fetched: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.fetched += [value or "" for name, value in attrs if name in ("src", "href", "xlink:href")]
        if tag not in ("meta", "br", "link", "img"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.fetched += [value or "" for name, value in attrs if name in ("src", "href", "xlink:href")]

    def handle_endtag(self, tag: str) -> None:
        assert self.open, tag
        assert self.open.pop() == tag


@pytest.fixture(scope="module")
def page(balance_run: JudgedRun, tmp_path_factory: pytest.TempPathFactory) -> str:
    return render(balance_run.recording, tmp_path_factory.mktemp("page")).read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def drawn(balance_run: JudgedRun) -> dict[str, str]:
    return charts(Facts(balance_run.recording))


def test_charts_are_the_same_drawn_anew_or_kept_and_none_is_anothers(
    drawn: dict[str, str], balance_run: JudgedRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    def less(written: dict[str, Any]) -> None:
        written["usage"]["call-0001"]["at_call"]["wh"][-1] += 1

    kept = charts(Facts(balance_run.recording))
    other = charts(Facts(mutated(balance_run.recording, less)))
    monkeypatch.setattr(scenario_charts, "_KEPT", {})
    monkeypatch.setattr(scenario_charts, "MOST_KEPT", 1)
    assert charts(Facts(balance_run.recording)) == kept == drawn
    assert {name for name in drawn if other[name] != drawn[name]} == {"days", "daily", "cost"}
    assert len(scenario_charts._KEPT) == 1


def test_the_page_fetches_nothing_and_closes_its_tags(page: str) -> None:
    links = Links()
    links.feed(page)
    assert links.open == []
    assert [one for one in links.fetched if not one.startswith("#")] == []
    assert not re.search(r"url\((?!#)|@import|<script", page)


def test_the_page_is_the_same_twice_and_names_no_path_or_port(
    page: str, balance_run: JudgedRun, tmp_path: Path
) -> None:
    assert render(balance_run.recording, tmp_path).read_bytes() == page.encode()
    assert str(balance_run.out) not in page
    assert "127.0.0.1" not in page


def test_the_page_is_whole_and_tells_version_and_day(page: str) -> None:
    assert_whole(page, "operating day 2026-08-12")


@pytest.mark.process
def test_the_page_fits_a_phone_and_a_desk(page: str, tmp_path: Path) -> None:
    assert_fits(page, tmp_path)


def test_the_usual_day_is_told_as_it_is_taken(
    page: str, balance_run: JudgedRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "mean of the last 14 whole VEE days" in page
    monkeypatch.setattr(pattern, "RECENT_DAYS", 9)
    monkeypatch.setattr(likely, "DRAWS", 60)
    text = render(balance_run.recording, tmp_path).read_text(encoding="utf-8")
    assert "mean of the last 9 whole VEE days" in text
    assert "after like days of 60 other homes" in text


def test_verdict_comes_first_then_steps_bills_rule_requirements_and_defaults(page: str) -> None:
    # Before it stand the title and the contents.
    text = page.split("<main", 1)[1]
    order = [
        "Passed: 10 of 10 steps passed, 11 of 11 checks.",
        "The seven steps",
        "The decision (S2)",
        "The bill</h2>",
        "Refused by a rule",
        "Requirements of the use case",
        "defaults of this project [D]",
        "To get this again",
    ]
    places = [text.index(one) for one in order]
    assert places == sorted(places)
    assert "FR CR016.1 allows one successful meter read request per ESI ID and day." in text
    assert "Not shown. By user interface" in text
    assert "seed 20110504" in text


def test_a_failed_verdict_says_which_and_why(balance_run: JudgedRun, tmp_path: Path) -> None:
    other = mutated(balance_run.recording, lambda r: r["scenario"]["timeline"][0]["expect"].update(store=63))
    text = render(other, tmp_path).read_text(encoding="utf-8")
    assert "Failed: call-0001." in text
    assert "intervals from the store: expected 63, found 64." in text


def test_charts_tell_vee_estimated_store_and_meter_apart(drawn: dict[str, str]) -> None:
    assert list(drawn) == ["days", "daily", "cost", "hours"]
    for kind in ("VEE, actual", "VEE, estimated", "non-VEE, from the head-end's store", "non-VEE, read from the meter"):
        # matplotlib writes the text of a label as a comment before its outlines.
        assert kind in drawn["days"]
        assert kind in drawn["daily"]
    assert drawn["days"].count("<pattern") == 3


def test_the_cost_chart_ends_at_the_projected_bills(drawn: dict[str, str], balance_run: JudgedRun) -> None:
    projected = balance_run.result["bills"]["projected"]
    for usd in (projected["total_usd"], projected["usd_at_low_usage"], projected["usd_at_high_usage"]):
        assert f"${usd}" in drawn["cost"]


def test_without_usage_there_is_a_page_without_charts(last_bill_run: JudgedRun, tmp_path: Path) -> None:
    assert charts(Facts(last_bill_run.recording)) == {}
    text = render(last_bill_run.recording, tmp_path).read_text(encoding="utf-8")
    # What is drawn is the timeline, in its two widths.
    assert (text.count("<figure>"), text.count("<svg")) == (1, 2)
    # It asks for no usage, so the retailer's own files have nothing to be held against.
    other = "S3 not exercised, S4 not exercised, S5 not exercised, ror-files partly"
    assert f"Passed: 4 of 7 steps passed, 2 of 3 checks ({other})." in text
    assert "Nothing to compare: days with other Wh than the market API told." in text
    assert "No more data are needed." in text


def printed(played: JudgedRun, capsys: pytest.CaptureFixture[str], *, explain: bool = False) -> str:
    to = console()
    print_result(to, played.result, played.recording.world, explain=explain)
    print_files(to, Path("ami-out/demo"), None)
    return capsys.readouterr().out


def test_piped_output_has_no_colour_codes_and_fits_100_columns(
    balance_run: JudgedRun, capsys: pytest.CaptureFixture[str]
) -> None:
    said = printed(balance_run, capsys)
    assert "\x1b" not in said
    assert max(len(line) for line in said.splitlines()) <= 100


def test_the_arithmetic_is_told_to_who_asks_for_it(balance_run: JudgedRun, capsys: pytest.CaptureFixture[str]) -> None:
    told, explained = printed(balance_run, capsys), printed(balance_run, capsys, explain=True)
    assert max(len(line) for line in explained.splitlines()) <= 100
    bill = balance_run.result["bills"]["with_gap"]
    lines = [line["text"] for line in bill["lines"]]
    for words in (
        *lines,
        "The bill told rests on",
        "Projected, whole cycle rests on",
        "One kWh below",
    ):
        assert words in explained
        assert words not in told
    for part in bill["rests_on"]:
        assert re.search(
            rf"{part['kind']} +{part['intervals']:,} +{part['wh'] / 1000:,.3f} +\${part['usd']}", explained
        )


def test_an_answer_that_came_too_late_is_told_as_a_follow_up(balance_run: JudgedRun, tmp_path: Path) -> None:
    assert "as a follow-up" not in render(balance_run.recording, tmp_path).read_text(encoding="utf-8")
    late = mutated(balance_run.recording, lambda one: one["actions"]["call-0001"].update(follow_up=True))
    page = render(late, tmp_path).read_text(encoding="utf-8")
    assert "answered 75 s later, as a follow-up" in page
    assert "when the caller had gone" in page


def test_output_is_the_same_twice(balance_run: JudgedRun, capsys: pytest.CaptureFixture[str]) -> None:
    assert printed(balance_run, capsys) == printed(balance_run, capsys)


def test_the_ending_at_s2_is_printed_without_bill_or_gap(
    last_bill_run: JudgedRun, capsys: pytest.CaptureFixture[str]
) -> None:
    said = printed(last_bill_run, capsys)
    assert "PASSED  4 of 7 steps passed, 2 of 3 checks (S3 not exercised, S4 not exercised, " in said
    assert "The bill\n" not in said
    assert "On our books: last bill $171.42" in said


def test_stamps_are_shown_as_the_clock_on_the_wall() -> None:
    assert plain("Used at 2026-08-12T17:41:12-05:00.") == "Used at 2026-08-12 17:41:12."
    assert plain("Ends at 2026-08-12T00:00:00-05:00, then") == "Ends at 2026-08-12 00:00, then"
    assert evidence_text({"vee_end": "2026-08-12T00:00:00-05:00", "told_usd": "1.20", "missing": 0, "holes": []}) == [
        "VEE end 2026-08-12 00:00",
        "told $1.20",
        "missing 0",
    ]
    assert evidence_text({"by_limit": {"ROR-RATE": 1_200, "SMT-DAY": 1}}) == ["by limit ROR-RATE 1,200, SMT-DAY 1"]


def test_report_makes_the_page_of_a_folder_again(balance_run: JudgedRun, capsys: pytest.CaptureFixture[str]) -> None:
    page = balance_run.out / "report.html"
    page.unlink(missing_ok=True)
    with pytest.raises(typer.Exit) as ended:
        report(balance_run.out)
    assert ended.value.exit_code == 0
    assert capsys.readouterr().out.strip() == str(page)
    assert page.is_file()
    with pytest.raises(typer.Exit):
        report(balance_run.out, as_json=True)
    assert json.loads(capsys.readouterr().out) == {"report": str(page), "mark": "passed"}


def test_report_of_a_folder_without_results_names_it(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match=re.escape(str(tmp_path))):
        report(tmp_path)


@pytest.mark.process
def test_the_demo_passes_end_to_end_and_prints_steps_bill_rule_and_paths(tmp_path: Path) -> None:
    out = tmp_path / "demo"
    demo = done(*AMI, "demo", "--out", str(out), "--json")
    assert demo.stdout == (out / "result.json").read_text(encoding="utf-8")
    said = demo.stderr
    for step in ("S1", "S2", "S3", "S4", "S5", "S6", "S7"):
        assert re.search(rf"^{step}  PASS  ", said, re.MULTILINE)
    # The figures that the README shows.
    flat = re.sub(r"\s+", " ", said)
    for words in (
        "64 intervals from its store and reads 6 from the meter",
        "told at once $194.31",
        "You owe $193.84 by now, with tax: for this cycle to 2026-08-12 17:30, and nothing from before.",
        "898.031 VEE actual + 1.681 VEE estimated + 17.400 non-VEE from the store + 2.537 non-VEE from the meter;",
        "The cycle to 2026-08-14 will come to $107.73 to $210.13 in eight of ten, $170.77 in the mean,",
        "38 of 100 ways that the cycle may go reach it; the bill is about $108.12 then and $209.14 otherwise.",
        "Try again from 2026-08-13 00:00. The gap has 73 intervals; the store holds 70, to 2026-08-12 17:30",
        "Power is ON",
        "Told $193.84, re-billed $193.84 on VEE data to the same instant: difference $0.00.",
        "36 operating days posted as LSE over FTPS",
        "PASSED 10 of 10 steps passed, 11 of 11 checks",
    ):
        assert words in flat
    bills = json.loads(demo.stdout)["bills"]
    # What was told at once was right: the bill that was read, and re-billed, lies in its band.
    assert bills["instant"]["owed_usd"]["low"] < "193.84" < bills["instant"]["owed_usd"]["high"]
    assert "\x1b" not in said
    assert (out / "report.html").is_file()
    assert len(list((out / "lse").glob("*.lse"))) == 36
