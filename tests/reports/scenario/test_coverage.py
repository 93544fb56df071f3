"""What shows each requirement, as text and as a page: what is missing comes first and is said loudly."""

from __future__ import annotations

from dataclasses import replace

from reports.scenario.coverage import coverage_page, coverage_text, tallied
from scenarios.coverage import Covered
from scenarios.rules.registry import Row
from simulator.verdicts import Mark
from tests.simulator.web.outline import assert_whole

ROW = Row("A-1", "a source", "SMT", "shall", "It does.")
SHOWN = Covered(ROW, ("one", "two"), ("bent",), Mark.PASSED)
TESTED = Covered(replace(ROW, id="A-2", tests=("tests/a.py",), why_not="no scenario can"), (), (), Mark.NOT_EXERCISED)
REASON = Covered(replace(ROW, id="A-3", why_not="nobody sees it"), (), (), Mark.NOT_EXERCISED)
MISSING = Covered(replace(ROW, id="A-4"), (), (), Mark.NOT_EXERCISED)
ALL = [SHOWN, TESTED, REASON, MISSING]


def test_each_is_told_by_what_shows_it_or_why_nothing_does() -> None:
    told = [" ".join(coverage_text(one).split()) for one in ALL]
    assert told == [
        "A-1 shown by one, two; made to fail by bent",
        "A-2 tests: tests/a.py; no scenario: no scenario can",
        "A-3 no scenario: nobody sees it",
        "A-4 NOTHING shows it",
    ]


def test_what_is_missing_is_counted_and_stands_first_on_the_page() -> None:
    assert tallied(ALL) == (
        "4 requirements: 1 shown by scenarios, 1 by tests alone, 1 by neither and why, 1 by nothing; 1 made to fail."
    )
    assert tallied([REASON]).endswith("1 by neither and why, 0 by nothing.")
    page = coverage_page(ALL)
    assert_whole(page, "read off 2 scenarios")
    assert page.index("A-4") < page.index("A-1") < page.index("A-2")
