"""What is published of a certification: the page, verdict first, with what contradicts an id as it was sent; JUnit's XML; a flight's script."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any
from xml.etree import ElementTree as Xml

import pytest

from reports.scenario.certified import junit, made_of
from scenarios.certify.observed import Observed, observed
from scenarios.certify.statement import Statement, load
from simulator.verdicts import Mark
from tests.scenarios.certify.matrix import certified, names
from tests.simulator.web.outline import assert_whole

MUTANT = "wrong-meter"
DATED = "model time from 2026-08-12 on"

pytestmark = pytest.mark.process


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> tuple[Statement, dict[str, Any], Observed]:
    """A stranger's head-end that reads the wrong meter, in the steps that bear on it."""
    out = tmp_path_factory.mktemp("certified") / "out"
    result = certified("headend", out, MUTANT, only=tuple(sorted(names("headend", MUTANT))))
    return load(out.with_suffix(".yaml")), result, observed(out)


def test_the_page_has_the_verdict_first_and_draws_what_contradicts_an_id(
    played: tuple[Statement, dict[str, Any], Observed],
) -> None:
    said, result, all_of_it = played
    made = made_of({"headend": said}, result, all_of_it)
    page = made["report.html"]
    assert_whole(page, DATED)
    assert (
        page.index("No certificate") < page.index(' id="what-it-is-held-to"') < page.index(' id="what-contradicts-it"')
    )
    # An arrow leads to the text of its own exchange, which others of the same number in other steps do not take.
    assert set(re.findall(r'href="#([^"]+-x\d+)"', page)) <= set(re.findall(r' id="([^"]+)"', page))
    assert page.count('-x2"') >= 2
    failed = [one for one in result["ids"] if one["mark"] == Mark.FAILED]
    assert {one["id"] for one in failed} == names("headend", MUTANT)
    for one in failed:
        first = one["failures"][0]
        assert first["said"] in page
        assert f"{one['id']}: {first['step']}, {first['ref']}" in page
    assert page.count('<div class="wide"><svg') == sum(len(one["failures"][:2]) for one in failed)
    assert made == made_of({"headend": said}, result, all_of_it)
    cases = list(Xml.fromstring(made["junit.xml"]).iter("testcase"))
    assert [one.get("name") for one in cases] == [one["id"] for one in result["ids"]]
    assert {one.get("name") for one in cases if one.find("failure") is not None} == {one["id"] for one in failed}


def test_a_flights_page_names_both_and_whose_the_fault_is(played: tuple[Statement, dict[str, Any], Observed]) -> None:
    said, result, all_of_it = played
    other = {**result, "role": "ror", "sut": {**result["sut"], "name": "another"}, "ids": []}
    fault = {"party": "headend", "id": "X", "said": "it was wrong", "step": "s", "ref": "r", "conformance": "shall"}
    row = {"script": "s", "track": "r", "step": 1, "sender": "REP", "receiver": "TDSP", "expected": "a reply"}
    flight = {
        "flight": True,
        "mark": "failed",
        "certificate": False,
        "why": "one failed",
        "faults": [{**fault, "exchanges": [f"s:{number}" for number in range(6)]}],
        "connection": [{"what": "API", "well": False, "said": "nobody answers"}],
        "script": [{**row, "mark": "", "seen": "nothing"}],
        "parties": {"headend": result, "ror": other},
    }
    made = made_of({"headend": said, "ror": said}, flight, all_of_it)
    page = made["report.html"]
    assert_whole(page, DATED)
    for words in ("another", "it was wrong", "and 2 more", "NOT reached: nobody answers", "a reply", "0 ids: ."):
        assert words in page, words
    suites = [one.get("name") for one in Xml.fromstring(made["junit.xml"]).iter("testsuite")]
    assert suites == [result["sut"]["name"], "another"]


def test_nothing_played_is_told(played: tuple[Statement, dict[str, Any], Observed]) -> None:
    said, result, all_of_it = played
    page = made_of({"headend": said}, result | {"ids": []}, replace(all_of_it, steps=()))["report.html"]
    assert "nothing was played" in page


@pytest.mark.parametrize("mark", list(Mark))
def test_junit_calls_each_mark_by_its_word(mark: Mark) -> None:
    ident = {"id": "X", "mark": mark.value, "said": "why\x00", "exchanges": ["s:1"]}
    suite = Xml.fromstring(junit([{"sut": {"name": "a"}, "role": "ror", "ids": [ident]}])).find("testsuite")
    assert suite is not None
    words = {Mark.FAILED: "failures", Mark.INCONCLUSIVE: "errors", Mark.PASSED: "", Mark.PARTLY: ""}
    counted = words.get(mark, "skipped")
    for attribute in ("failures", "errors", "skipped"):
        assert suite.get(attribute) == str(int(attribute == counted)), attribute
    assert "\x00" not in Xml.tostring(suite, encoding="unicode")
