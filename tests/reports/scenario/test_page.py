"""The page of a scenario's run, and what is printed of it."""

from __future__ import annotations

import re
from copy import deepcopy
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from meters.calendar import day_of_interval, day_start, seconds
from reports.scenario.charts import Charts, charts
from reports.scenario.cost_chart import Cycle, usd_to_date
from reports.scenario.page import _bill_lines, render
from reports.scenario.terminal import print_files, print_result
from reports.scenario.wording import bill_rows, evidence_text
from reports.terminal import console
from scenarios.judging.facts import Facts
from scenarios.run import JudgedRun
from scenarios.stamps import plain
from simulator.ror import pattern
from simulator.ror.billing.bill import bill_to_date
from simulator.ror.call.answer import ToldOn
from simulator.ror.call.basis import Kind
from simulator.ror.expected import likely
from simulator.ror.usage import Energy
from simulator.web.kinds import ACTUAL, ESTIMATED, METER, MISSING, STORE
from simulator.web.parts import legend_of, stack_legend
from tests.scenarios.short import mutated
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
def drawn(balance_run: JudgedRun) -> Charts:
    found = charts(Facts(balance_run.recording))
    assert found is not None
    return found


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
    assert "Not shown. That no one calls again " in text
    assert "seed 20110504" in text


def test_a_failed_verdict_says_which_and_why(balance_run: JudgedRun, tmp_path: Path) -> None:
    other = mutated(balance_run.recording, lambda r: r["scenario"]["timeline"][0]["expect"].update(store=63))
    text = render(other, tmp_path).read_text(encoding="utf-8")
    assert "Failed: call-0001." in text
    assert "intervals from the store: expected 63, found 64." in text


def test_charts_tell_vee_estimated_store_and_meter_apart(drawn: Charts) -> None:
    assert [row.kind for row in stack_legend(drawn.daily)] == [ACTUAL, ESTIMATED, STORE, METER]
    assert [(row.kind, row.many) for row in legend_of(drawn.days)] == [
        (ACTUAL, "282 quarter hours"),
        (ESTIMATED, "6 quarter hours"),
        (STORE, "64 quarter hours"),
        (METER, "6 quarter hours"),
    ]
    assert drawn.hours is not None
    assert [(row.kind, row.many) for row in legend_of(drawn.hours)] == [
        (STORE, "16 hours"),
        (METER, "1 hour"),
        (MISSING, "7 hours"),
    ]
    assert (drawn.usual, len([wh for wh in drawn.hours.line if wh])) == ("A usual day (mean of 3 VEE days)", 24)


def test_charts_show_the_wh_of_the_usage_told_and_where_it_ends(drawn: Charts, balance_run: JudgedRun) -> None:
    told = balance_run.result["bills"]["with_gap"]["usage_wh"]
    assert sum(sum(wh) for wh in drawn.daily.parts.values()) == told
    assert drawn.daily.words == {1: "6 %", 3: "to 17:30"}
    assert drawn.days.moments[-1].text == "the call, 17:40"
    # Of four days of quarter hours the third midnight parts the last, and the call lies after 70 of it, two thirds into the next.
    assert [one.at for one in drawn.days.moments] == [96, 192, 288, pytest.approx(288 + 70 + 2 / 3)]


def test_the_cost_chart_ends_at_the_projected_bills(drawn: Charts, balance_run: JudgedRun) -> None:
    projected = balance_run.result["bills"]["projected"]
    assert drawn.cost is not None
    for chart in drawn.cost.drawn:
        ends = {line.values[-1] for line in chart.lines[-3:]}
        for usd in (projected["total_usd"], projected["usd_at_low_usage"], projected["usd_at_high_usage"]):
            assert float(usd) in ends
            assert any(line.told.startswith(f"${usd} at ") for line in chart.lines)
    assert drawn.cost.table.rows[-1][-3:] == [f"{line.values[-1]:,.2f}" for line in drawn.cost.drawn[0].lines[-3:]]
    assert drawn.cost.undecided == ["Bill credit of $100.00 for usage from 1000 kWh: not yet earned"]


@pytest.mark.parametrize(
    ("told_on", "kind", "name"),
    [
        (ToldOn.WHOLE_GAP, Kind.EXPECTED, "At once, part expected"),
        (ToldOn.WHOLE_GAP, Kind.VEE_ESTIMATED, "At once, on VEE data"),
        (ToldOn.OWN_DAYS, Kind.VEE_ESTIMATED, "Own days, on VEE data"),
    ],
)
def test_a_bill_without_the_gap_is_called_by_what_it_rests_on(
    balance_run: JudgedRun, told_on: ToldOn, kind: Kind, name: str
) -> None:
    def resting(call: dict[str, Any], parts: list[dict[str, Any]]) -> None:
        call["told_on"] = told_on.value
        for part in parts:
            part["kind"] = kind.value if part["kind"] == Kind.EXPECTED else part["kind"]

    result = deepcopy(balance_run.result)
    resting(result["call"], result["bills"]["instant"]["rests_on"])
    assert bill_rows(result)[0].name == name

    def recorded(written: dict[str, Any]) -> None:
        call = written["actions"]["call-0001"]
        resting(call, call["instant"]["stand"]["rests_on"])

    assert _bill_lines(Facts(mutated(balance_run.recording, recorded)))[0][0] == name


def test_the_cost_up_to_each_hour_is_the_bill_to_date(balance_run: JudgedRun) -> None:
    facts = Facts(balance_run.recording)
    usage, account, plan = facts.at_call, facts.account, facts.premise.plan_terms
    assert usage
    assert plan is not None
    cycle = Cycle(account.cycle_first, account.cycle_last, account.full_cycle_days)
    ends, wh = (np.array([getattr(one, name) for one in usage], np.int64) for name in ("end", "wh"))
    begin = day_start(cycle.first)
    # The ends of an hour within a day, of a day, and of the last quarter hour that is known.
    at = [begin + 3600, begin + 86_400, begin + 2 * 86_400 + 7 * 3600, int(ends[-1])]
    found = usd_to_date(plan, cycle, ends, wh, [seconds(one) for one in at])
    for one, usd in zip(at, found, strict=True):
        used = ends <= one
        energy = Energy(ends[used], wh[used].astype(np.int32), np.zeros(used.sum(), np.int32))
        through = day_of_interval(seconds(one))
        assert usd == float(bill_to_date(plan, energy, cycle.first, through, cycle.last, cycle.full_days).total)


def test_without_usage_there_is_a_page_without_charts(last_bill_run: JudgedRun, tmp_path: Path) -> None:
    assert charts(Facts(last_bill_run.recording)) is None
    text = render(last_bill_run.recording, tmp_path).read_text(encoding="utf-8")
    # What is drawn is the timeline.
    assert (text.count("<figure"), text.count("<svg")) == (1, 1)
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
